//! The assembler: text to instructions.

mod error;

pub use error::AsmError;
