//! Coroutines on their own or on shared stacks, switched by the real CPU.
//!
//! - [`Coroutine`] is a function with a stack: it can stop at any depth of calls and go on later.
//!   Values of any type go in with [`resume`](Coroutine::resume) and come out with
//!   [`suspend`](Yielder::suspend).
//! - [`SharedStack`] is a stack that many coroutines use in turn: what one has live on it, often
//!   some hundred bytes, is copied out when another one needs the stack and copied back before it
//!   goes on. Ten million coroutines then need a few GB rather than forty.
//! - [`Coroutine::scope`] makes one that may borrow, and [`on_stack`] runs a closure on another
//!   stack.
//! - [`stack`] has the memory: mmap with a guard page, a pool, a trait for other memory. Running
//!   into a guard page is reported with the coroutine's name before the process ends.
//!
//! Who owns a stack, and what must be copied, is decided by [`costack_engine::share`]; this crate
//! carries it out. It never decides what to copy.
//!
//! # Crate features
//! - `std` (default): stacks from the system, with guard pages and a pool.
//! - `unwind` (default): panics travel to the resumer, and dropping a suspended coroutine runs its
//!   destructors.
//! - `runtime` (default): [`Runtime`], tasks, and all that they wait for: see [`runtime`] and
//!   [`sync`]. Without it there is no `spawn`: make a [`Coroutine`] and resume it yourself, or
//!   drive [`costack_engine::sched::Scheduler`] with coroutines as its tasks.
//! - `io`: sockets, pipes and other files that park only the task that waits for them.
//! - `scenario`: runs scenario files in real coroutines.
//! - `raw`: coroutines without types, resumed and suspended by C functions; for other languages.
//! - `valgrind`: tells Valgrind of every stack; a few cycles each where it does not run.
//! - `sanitizer`: tells AddressSanitizer of every switch, in a program that is built with it
//!   (`RUSTFLAGS=-Zsanitizer=address`, a nightly compiler, x86-64); nothing otherwise.
//! - Without both, `no_std` with `alloc`; bring your own [`stack::StackMemory`].
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(clippy::undocumented_unsafe_blocks)]

extern crate alloc;

mod arch;
#[cfg(feature = "raw")]
#[doc(hidden)]
pub mod bare;
mod builder;
mod copy;
mod coroutine;
mod error;
mod exchange;
mod head;
#[cfg(feature = "io")]
pub mod io;
mod own;
#[cfg(feature = "raw")]
pub mod raw;
mod resume;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "scenario")]
pub mod scenario;
mod scope;
mod shared;
mod slab;
pub mod stack;
mod statistics;
#[cfg(feature = "runtime")]
pub mod sync;
mod tools;
mod unwind;
mod value;

pub use builder::Builder;
pub use coroutine::{Coroutine, Id, State};
pub use costack_engine::Refusal;
pub use costack_engine::event::Event;
pub use error::{Error, Refused};
pub use head::Yielder;
#[cfg(feature = "runtime")]
pub use runtime::{
    JoinHandle, Runtime, StackPool, delay_us, every, sleep, sleep_until, spawn, spawn_blocking,
    stop_requested, task, yield_now,
};
#[cfg(feature = "unwind")]
pub use scope::Scoped;
pub use scope::on_stack;
pub use shared::SharedStack;
pub use statistics::Statistics;

/// The examples of the README, so that they cannot go stale.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../README.md")]
struct Readme;
