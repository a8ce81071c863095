//! The scenario language of Costack: text to checked program, with diagnostics.
#![forbid(unsafe_code)]

mod body;
pub mod diagnostic;
mod expected;
mod format;
#[cfg(feature = "generate")]
pub mod generate;
mod kind;
mod names;
mod parse;
mod raw;
mod raw_text;
mod resolve;
pub mod source;
pub mod syntax;
mod token;
mod value;
mod visit;

use diagnostic::{Diagnostic, Diagnostics, Kind};
pub use format::format;
use source::{Source, Span};
use syntax::Program;
pub use value::DivisionByZero;

/// The longest text, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The deepest nesting of blocks and expressions, together.
pub const MAX_NESTING: u32 = 200;
/// The smallest stack, in bytes.
pub const MIN_STACK_BYTES: u32 = 512;
/// The largest stack, in bytes.
pub const MAX_STACK_BYTES: u32 = 16 << 20;
/// The most tasks that a text may name.
pub const MAX_TASKS: usize = 100_000;
/// The most words in an array: 8 MiB of them on 64 bits.
pub const MAX_ARRAY_WORDS: u32 = 1 << 20;
/// The most words that a channel holds.
pub const MAX_CHANNEL_CAPACITY: u32 = 65_536;
/// The most parameters of a function.
pub const MAX_PARAMS: usize = 16;

/// Reads and checks a scenario. `file` is the name that messages show.
///
/// # Errors
///
/// Every mistake found, in the order of the text.
pub fn parse(file: &str, text: &str) -> Result<Program, Diagnostics> {
    check_length(file, text.len())?;
    let mut mistakes = Vec::new();
    let source = Source::new(file, text);
    let tokens = match token::tokenise(text, &mut mistakes) {
        Ok(tokens) => tokens,
        Err(last) => {
            mistakes.push(last);
            return Err(Diagnostics::new(source, mistakes));
        }
    };
    let raw = parse::parse(text, &tokens, &mut mistakes);
    let program = resolve::resolve(&raw, source.clone(), &mut mistakes);
    if mistakes.is_empty() {
        Ok(program)
    } else {
        Err(Diagnostics::new(source, mistakes))
    }
}

/// Like [`parse`], for bytes that may not be UTF-8.
///
/// # Errors
///
/// As [`parse`]; of bytes that are not UTF-8, the first place that is not.
pub fn parse_bytes(file: &str, bytes: &[u8]) -> Result<Program, Diagnostics> {
    check_length(file, bytes.len())?;
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(file, text),
        Err(error) => {
            let valid = error.valid_up_to();
            let bad = error.error_len().unwrap_or(bytes.len() - valid);
            let window = bytes.len().min(valid + bad);
            // Replacing the bad bytes leaves the place, line and column of the first as they are.
            let text = String::from_utf8_lossy(&bytes[..window]);
            let span = Span::new(valid, text.len());
            let list = vec![Diagnostic::new(Kind::InvalidUtf8, span)];
            Err(Diagnostics::new(Source::new(file, text), list))
        }
    }
}

fn check_length(file: &str, bytes: usize) -> Result<(), Diagnostics> {
    if bytes <= MAX_FILE_BYTES {
        return Ok(());
    }
    let list = vec![Diagnostic::new(
        Kind::FileTooLarge { bytes },
        Span::default(),
    )];
    // The text itself is left out: it would only be carried around.
    Err(Diagnostics::new(Source::new(file, ""), list))
}
