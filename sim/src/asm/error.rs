//! Mistakes in an assembly text.

use std::borrow::Cow;
use std::fmt;

/// A mistake, where it stands and what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsmError {
    /// The file.
    pub file: Cow<'static, str>,
    /// The line of the file, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// How many characters are wrong; at least 1.
    pub width: u32,
    /// The line's text.
    pub text: String,
    /// What was found.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl fmt::Display for AsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AsmError {
            file, line, column, ..
        } = self;
        write!(
            f,
            "{file}:{line}:{column}: {}, expected {}",
            self.found, self.expected
        )
    }
}

impl std::error::Error for AsmError {}
