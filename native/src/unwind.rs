//! The first function of every coroutine, and how one ends: by returning, by a panic, or unwound
//! because it was dropped.

use crate::arch::Word;
use crate::head::{Head, Link, Stage, Yielder, left_with, resumed_with};
use crate::value::{pack, unpack};
use alloc::boxed::Box;
use core::any::Any;
use core::mem::ManuallyDrop;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// The payload that unwinds a coroutine that is being dropped, with the address of its head:
/// where one runs inside another, the unwinding of the outer one passes through the inner one.
#[cfg(feature = "unwind")]
struct Dropped(usize);

/// Runs the coroutine's function, and leaves for good.
///
/// # Safety
/// Called by the architecture's entry only, with what the creator has laid out: `link` is the
/// link of the coroutine's head, `closure` points to an `F` that nobody else will read, and
/// `value` is what `tag` says.
pub(crate) unsafe extern "C" fn begin<Input, Yield, Return, F>(
    resumer_sp: usize,
    link: *const Link,
    value: Word,
    tag: usize,
    closure: *mut (),
) -> !
where
    F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
{
    // SAFETY: the caller's promise.
    let head = unsafe { Head::of_link(link) };
    #[cfg(costack_asan)]
    crate::tools::asan::begun(head);
    // SAFETY: the resumer's switch has stored there what it left in the register.
    unsafe { core::hint::assert_unchecked(head.link.sp.get() == resumer_sp) };
    if tag != resumed_with::INPUT {
        // SAFETY: the caller's promise.
        unsafe { drop_unused::<F>(head, closure.cast()) };
    }
    head.stage.set(Stage::Begun);
    // SAFETY: the caller's promise; the closure is read once.
    let function = unsafe { closure.cast::<F>().read() };
    // What is left in this frame is part of every image, so what is seldom needed is elsewhere.
    match catch(move || {
        // SAFETY: the types are this coroutine's own, and it is running.
        let yielder = unsafe { Yielder::of(head) };
        // SAFETY: the tag says that this is an input, not read yet.
        function(yielder, unsafe { unpack(value) })
    }) {
        Ok(value) => leave_with(head, value),
        Err(payload) => leave_after_panic(head, payload),
    }
}

/// Drops the closure of a coroutine that is dropped before it ever ran, and leaves.
///
/// # Safety
/// As for [`begin`].
#[cold]
#[inline(never)]
unsafe fn drop_unused<F>(head: &Head, closure: *mut F) -> ! {
    // SAFETY: the caller's promise; the closure is read once.
    let function = unsafe { closure.read() };
    match catch(move || drop(function)) {
        Ok(()) => leave(head, &ManuallyDrop::new(()), left_with::UNWOUND),
        Err(payload) => leave_after_panic(head, payload),
    }
}

/// Leaves with the value that the function has returned. In place, because a call that never
/// returns would put the CPU's return predictor out of step.
#[inline(always)]
fn leave_with<T>(head: &Head, value: T) -> ! {
    leave(head, &ManuallyDrop::new(value), left_with::RETURNED)
}

#[cold]
#[inline(never)]
fn leave_after_panic(head: &Head, payload: Payload) -> ! {
    #[cfg(feature = "unwind")]
    if head.stage.get() == Stage::Unwinding
        && payload
            .downcast_ref()
            .is_some_and(|Dropped(whose)| *whose == address(head))
    {
        drop(payload);
        leave(head, &ManuallyDrop::new(()), left_with::UNWOUND);
    }
    leave(head, &ManuallyDrop::new(payload), left_with::PANICKED)
}

/// The last switch of a coroutine.
#[inline(always)]
fn leave<T>(head: &Head, value: &ManuallyDrop<T>, tag: usize) -> ! {
    // SAFETY: the coroutine is running; the resumer takes the value before the stack is used again
    // and never switches back, because the coroutine is marked as finished first.
    unsafe { head.switch_out(pack(value), tag) };
    unreachable!("a finished coroutine was resumed")
}

/// Runs `f` and catches what it throws.
#[cfg(feature = "unwind")]
#[inline(always)]
fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Payload> {
    // What a panic has left inconsistent is the coroutine's own; the resumer gets the panic.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

/// Runs `f`; a panic ends the process at the boundary of `begin`, which cannot unwind.
#[cfg(not(feature = "unwind"))]
#[inline(always)]
fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Payload> {
    Ok(f())
}

/// Unwinds the running coroutine, from inside [`Yielder::suspend`].
///
/// `resume_unwind` calls no panic hook, so nothing is printed.
#[cold]
#[inline(never)]
pub(crate) fn unwind_now(head: &Head) -> ! {
    #[cfg(feature = "unwind")]
    std::panic::resume_unwind(Box::new(Dropped(address(head))));
    #[cfg(not(feature = "unwind"))]
    unreachable!(
        "nobody unwinds coroutine {} without the feature `unwind`",
        head.id
    )
}

#[cfg(feature = "unwind")]
fn address(head: &Head) -> usize {
    core::ptr::from_ref(head).addr()
}

/// Goes on with a coroutine's panic in its resumer.
#[cold]
#[inline(never)]
pub(crate) fn rethrow(payload: Payload) -> ! {
    #[cfg(feature = "unwind")]
    std::panic::resume_unwind(payload);
    #[cfg(not(feature = "unwind"))]
    {
        drop(payload);
        unreachable!("panics are not caught without the feature `unwind`")
    }
}

/// Whether this thread is unwinding.
pub(crate) fn panicking() -> bool {
    #[cfg(feature = "std")]
    return std::thread::panicking();
    #[cfg(not(feature = "std"))]
    false
}

/// Ends the process, because what a coroutine has borrowed is about to go and its frames cannot
/// be unwound first.
#[cfg(feature = "unwind")]
#[cold]
pub(crate) fn outlived_its_scope(id: u32) -> ! {
    eprintln!("costack: coroutine {id} cannot be unwound at the end of its scope");
    std::process::abort()
}

/// Ends the process, because a destructor has yielded while its coroutine was being dropped: the
/// unwinding cannot be left half-way, and nobody is there to go on with it.
#[cfg(feature = "unwind")]
#[cold]
pub(crate) fn destructor_yielded(id: u32) -> ! {
    eprintln!("costack: a destructor yielded while coroutine {id} was being dropped");
    std::process::abort()
}
