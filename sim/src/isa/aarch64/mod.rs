//! aarch64: A64 instructions on the AAPCS64.
//!
//! Sources: Arm Architecture Reference Manual for A-profile (DDI 0487), part C, for what
//! instructions do; "Procedure Call Standard for the Arm 64-bit Architecture", section 6.

mod inst;
mod operands;
mod parse;
pub mod registers;
mod table;
mod unwind;

pub use inst::{Address, Alu, Condition, Inst, Mode, Shift, Source, WideMove};
pub(crate) use parse::parse;
pub use table::{FORMS, Form};
pub(crate) use unwind::unwind;
