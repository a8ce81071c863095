//! Coroutines whose function is written in assembly, switches included: on their stacks is nothing
//! that a compiler has put there.
//!
//! What such a function finds is said at the top of `asm/<isa>/entry.s`, and how it gives up the CPU at
//! the top of `asm/<isa>/switch.s`, which it contains.

use crate::coroutine::next_id;
use crate::head::{self, Head, Link, left_with, resumed_with};
use crate::own::Traits;
use crate::{Coroutine, Error, SharedStack};
use core::mem::offset_of;

/// Where the resumer's stack pointer is, from the address of the frame record that the function gets:
/// what a switch to the resumer goes to.
pub const RESUMER_SP: isize = offset_of!(Link, sp) as isize;

/// Where the coroutine's own stack pointer goes, from the same address.
pub const SP: isize = offset_of!(Head, sp) as isize - offset_of!(Head, link) as isize;

/// What the value is with which it is resumed: an input. Anything else means that it is being dropped.
pub const INPUT: usize = resumed_with::INPUT;

/// What a value is that it yields.
pub const YIELDED: usize = left_with::YIELDED;

/// With this it leaves for ever, when it is being dropped.
pub const UNWOUND: usize = left_with::UNWOUND;

/// The function. An architecture's entry jumps to it, with arguments of its own.
pub type Function = unsafe extern "C" fn() -> !;

/// A coroutine of the integer flavour on a shared stack. A word goes in and out as it is.
///
/// # Errors
/// As [`Coroutine::new_shared`].
///
/// # Safety
/// - As for [`Coroutine::new_shared`].
/// - The function takes what the entry gives it, and switches as `switch.s` says, with [`YIELDED`]
///   as long as it gets an [`INPUT`], and with [`UNWOUND`] otherwise.
/// - It throws nothing, nor does anything that it calls.
pub unsafe fn new_shared(
    stack: &SharedStack,
    function: Function,
) -> Result<Coroutine<usize, usize, usize>, Error> {
    // SAFETY: functions of either type are addresses, and the entry is what calls this one.
    let begin = unsafe { core::mem::transmute::<Function, head::Begin>(function) };
    let traits = Traits {
        fp: false,
        name: None,
        id: next_id(),
        counts: false,
    };
    Ok(Coroutine::of(stack.add(traits, begin, ())?))
}
