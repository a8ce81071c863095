//! The sans-IO core of Costack: who runs, who owns a stack, what must be copied.
//!
//! A *backend* (native on the real CPU, the simulator on a simulated one) tells the engine what
//! happened, gets plain data back and carries it out. The engine contains **no** pointers, no
//! memory to copy, no clock, no I/O and no unsafe code: sizes are byte counts, times are
//! microseconds that the backend passes in, and what a key or an id stands for is the backend's
//! business.
//!
//! Two parts, used together or alone:
//!
//! - [`share`]: who owns a stack. [`share::Stack::plan_resume`] answers "may this coroutine run,
//!   and what must be copied first" with a [`share::Plan`] or a [`Refusal`].
//! - [`sched`]: who runs next. [`sched::Scheduler`] keeps the ready queue, timers and waits of
//!   *tasks*, the coroutines known to it.
//!
//! What a backend did is told in one vocabulary, [`event::Event`], so that the streams of two
//! backends can be compared. [`trace`] is the format in which such streams are written down, and
//! [`tune`] says what another number of stacks would have copied.
//!
//! # Crate features
//! - `serde`: the types of [`trace`] can be written and read.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
pub mod event;
pub mod sched;
pub mod share;
pub mod trace;
pub mod tune;

pub use error::Refusal;
