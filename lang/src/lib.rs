//! The scenario language of Costack: text to checked program, with diagnostics.
#![forbid(unsafe_code)]

pub mod source;
pub mod syntax;
mod value;

pub use value::DivisionByZero;

/// The smallest stack, in bytes.
pub const MIN_STACK_BYTES: u32 = 512;
/// The largest stack, in bytes.
pub const MAX_STACK_BYTES: u32 = 16 << 20;
