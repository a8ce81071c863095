//! What can be wrong with a module.

use std::fmt;
use std::path::PathBuf;

use costack_sim_module::{Status, VERSION};

use super::find::FILE_NAME;

/// Why the hosted simulator gives no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// There is no module.
    NotFound {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The module's file cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is no wasm module, or one that wasmtime does not take.
    Invalid(String),
    /// It wants something from its host.
    Import(String),
    /// It lacks an export, or has it with another type.
    NoExport(String),
    /// It has another version of the interface.
    Version {
        /// Which.
        found: u32,
    },
    /// It was built from other sources than this program.
    OtherSources,
    /// A call trapped, or wanted more memory than there is for it.
    Trap {
        /// Which.
        call: &'static str,
        /// Why.
        reason: String,
    },
    /// A call used up its fuel.
    OutOfFuel {
        /// Which.
        call: &'static str,
    },
    /// A call named bytes outside the module's memory.
    Pointer {
        /// Which.
        call: &'static str,
        /// Where they begin.
        at: u32,
        /// How many.
        len: u32,
    },
    /// A call returned a number that is no status.
    Status {
        /// Which.
        call: &'static str,
        /// The number.
        number: i32,
    },
    /// An answer is longer than answers may be.
    AnswerTooLong {
        /// The call it answers.
        call: &'static str,
        /// How long it is.
        len: u32,
    },
    /// An answer is not what it must be.
    Answer {
        /// The call it answers.
        call: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// What the module is to be given is too long for it.
    InputTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The module works, and refuses what it was asked for.
    Refused {
        /// How.
        status: Status,
        /// Why.
        message: String,
    },
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::NotFound { looked } => {
                write!(
                    f,
                    "the simulator's wasm module, {FILE_NAME}, is not there: build it with \
                     `cargo xtask module`, or name one with --module. It was looked for in"
                )?;
                looked
                    .iter()
                    .try_for_each(|path| write!(f, "\n  {}", path.display()))
            }
            HostError::Unreadable { file, error } => {
                write!(f, "the module {} cannot be read: {error}", file.display())
            }
            HostError::Invalid(reason) => write!(f, "this is no module to be hosted: {reason}"),
            HostError::Import(name) => write!(
                f,
                "the module imports {name}, and the simulator's module imports nothing: is this \
                 the page's module?"
            ),
            HostError::NoExport(name) => write!(
                f,
                "the module has no export `{name}` of the right type: is it the simulator's?"
            ),
            HostError::Version { found } => write!(
                f,
                "the module has version {found} of the interface, and this program knows version \
                 {VERSION}: build it again with `cargo xtask module`"
            ),
            HostError::OtherSources => f.write_str(
                "the module was built from other sources than this program, so their answers may \
                 differ: build both again, the module with `cargo xtask module`",
            ),
            HostError::Trap { call, reason } => {
                write!(f, "the module was stopped in `{call}`: {reason}")
            }
            HostError::OutOfFuel { call } => write!(
                f,
                "the module was stopped in `{call}`: it did not end within its fuel"
            ),
            HostError::Pointer { call, at, len } => write!(
                f,
                "the module answered `{call}` with {len} bytes at {at:#x}, which are not in its memory"
            ),
            HostError::Status { call, number } => {
                write!(
                    f,
                    "the module answered `{call}` with {number}, which is no status"
                )
            }
            HostError::AnswerTooLong { call, len } => {
                write!(
                    f,
                    "the module's answer to `{call}` is too long: {len} bytes"
                )
            }
            HostError::Answer { call, reason } => {
                write!(
                    f,
                    "the module's answer to `{call}` cannot be read: {reason}"
                )
            }
            HostError::InputTooLong { bytes } => {
                write!(f, "{bytes} bytes are more than the module takes")
            }
            HostError::Refused { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for HostError {}
