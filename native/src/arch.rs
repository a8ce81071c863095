//! Selects the architecture. Every file in `arch/` exports the same items in the same order:
//!
//! - [`STACK_ALIGN`]: what the ABI wants of sp at a call.
//! - [`Word`], [`Arrived`]: what passes through a switch.
//! - [`switch`], [`switch_fp`]: the two flavours, assembled in place.
//! - [`InitialFrame`], [`InitialFrameFp`]: what a switch finds on a stack that has not run yet.
//! - `thread_variable!`: the address of a variable of the thread, which [`define_thread_variable`] has
//!   defined.
//! - `interrupted_sp` (with `std`): the stack pointer of what a signal has interrupted.

/// Defines a variable of the thread, of so many bytes, zero at first, which assembly gets at without
/// a call, in programs and in shared libraries alike (ELF handling for thread-local storage, the
/// initial-exec model).
#[cfg(any(feature = "raw", all(feature = "runtime", target_os = "linux")))]
macro_rules! define_thread_variable {
    ($symbol:expr, $bytes:literal) => {
        core::arch::global_asm!(
            concat!(".pushsection .tbss.", $symbol, ", \"awT\", @nobits"),
            concat!(".globl ", $symbol),
            concat!(".hidden ", $symbol),
            concat!(".type ", $symbol, ", @object"),
            ".balign 8",
            concat!(".size ", $symbol, ", ", $bytes),
            concat!($symbol, ": .zero ", $bytes),
            ".popsection",
        );
    };
}
#[cfg(any(feature = "raw", all(feature = "runtime", target_os = "linux")))]
pub(crate) use define_thread_variable;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;

#[cfg(target_arch = "x86")]
mod x86;
#[cfg(target_arch = "x86")]
pub(crate) use x86::*;

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64")))]
compile_error!("costack switches stacks on x86-64, i386 and aarch64 only");

use core::mem::MaybeUninit;

/// A machine word on its way through a switch: a small value itself, or a pointer to a large one.
///
/// `MaybeUninit`, because a small value may have padding.
pub(crate) type Word = MaybeUninit<usize>;

/// What a switch brings when it comes back.
#[derive(Clone, Copy)]
pub(crate) struct Arrived {
    /// The stack pointer of the one that switched to us, as it has stored it itself.
    pub(crate) source_sp: usize,
    /// The value that it passed.
    pub(crate) value: Word,
    /// What the value is.
    pub(crate) tag: usize,
}
