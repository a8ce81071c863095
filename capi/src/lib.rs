//! The C API of Costack.
//!
//! - `costack.h`: coroutines on own and on shared stacks, and the runtime. It is generated from
//!   [`coroutine`], [`stack`], [`runtime`], [`sync`] and [`status`]; a test compares.
//! - `aco.h`, `aco_assert_override.h`: for programs written for libaco; see [`aco`].
//! - `costack_uboot.h`: the names of U-Boot's coroutines, as wrappers.
//!
//! Both headers stand on the same raw coroutines of [`costack::raw`], whose resume and yield are
//! C functions in assembly: the exported functions are one jump to them.
#![warn(clippy::undocumented_unsafe_blocks)]

pub mod aco;
pub mod coroutine;
pub mod runtime;
pub mod stack;
pub mod status;
pub mod sync;
