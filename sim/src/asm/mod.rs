//! The assembler: text to instructions.
//!
//! Every ISA brings a [`Dialect`]: how an instruction is parsed, how long it is, where a label's
//! address goes. Labels, comments, statements on one line and `host NAME` are the same for all.
//! What is not understood is an [`AsmError`], never skipped; all of them are reported.

pub(crate) mod cursor;
mod dialect;
mod error;
pub(crate) mod lex;
mod read;

pub(crate) use dialect::{Aarch64, Dialect, X86};
pub use error::AsmError;
pub(crate) use read::{Assembly, Services, list, read};
