//! x86-64 and i386: one instruction type, two sets of registers.
//!
//! Sources: Intel SDM volume 2 for what instructions do, "AMD64 Architecture Processor
//! Supplement" and "Intel386 Architecture Processor Supplement" for the ABIs.

mod inst;
mod length;
mod operands;
mod parse;
pub mod registers;
mod table;
mod unwind;

pub use inst::{Alu, Condition, Inst, Mem, Operand, Shift};
pub use length::length;
pub(crate) use parse::parse;
pub use table::{FORMS, Form};
pub(crate) use unwind::unwind;
