//! The simulator of Costack: the same scheduler and the same assembly on a simulated machine.
//!
//! It executes the very assembly texts that the native engine assembles, instruction by
//! instruction, on simulated registers and memory, and records what every step writes, so that a
//! [`Session`] can go back and forth. It depends on no host, no clock and no thread.
#![forbid(unsafe_code)]

pub mod asm;
mod code;
pub mod compile;
pub mod fault;
pub mod gallery;
pub mod host;
pub mod isa;
pub mod machine;
pub mod program;
pub mod prove;
pub mod runtime;
pub mod session;
pub mod variant;
pub mod view;

pub use session::{LoadError, Options, Session, Signals};
