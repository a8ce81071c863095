//! Resumes that take more than a switch. Nothing here depends on a coroutine's types, so there is
//! one copy of it in a program.

use crate::Error;
use crate::arch::Word;
use crate::head::{Head, Kind};
use crate::own::OwnControl;
use crate::shared::Shared;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use costack_engine::Refusal;

/// The tag of a resume that was refused. The others are in [`left_with`](crate::head::left_with).
pub(crate) const REFUSED: usize = usize::MAX;

/// Brings a coroutine's bytes into place, switches to it, and notes how it came back. Returns its
/// value and what that is; after [`REFUSED`], the reason is in `error` and nothing has changed.
///
/// # Safety
/// - The coroutine is alive, and the only `&mut` to it is the caller's.
/// - `value` is what `tag` says, for its types.
#[inline(never)]
pub(crate) unsafe fn resume(
    head: NonNull<Head>,
    value: Word,
    tag: usize,
    error: &mut MaybeUninit<Error>,
) -> (Word, usize) {
    // SAFETY: the caller's promise; only `Cell`s in the head change.
    let head_ref = unsafe { head.as_ref() };
    if head_ref.kind.get() != Kind::Shared {
        // SAFETY: the caller's promise.
        return unsafe { resume_other(head, value, tag, error) };
    }
    // SAFETY: the kind says so.
    let shared = unsafe { Shared::of_head(head) };
    // Taken out once: after the switch it comes from the frame, not by way of the control block.
    let stack = shared.stack();
    let sp = match shared.prepare(stack) {
        Ok(sp) => sp,
        Err(reason) => return refuse(reason, error),
    };
    // SAFETY: prepared above, for this flavour; the rest is the caller's promise.
    let arrived = unsafe { head_ref.switch_in(sp, value, tag) };
    shared.settle(stack, arrived.source_sp, arrived.tag);
    (arrived.value, arrived.tag)
}

/// As [`resume`], for those that are neither shared nor of the integer flavour.
///
/// # Safety
/// As for [`resume`].
#[cold]
#[inline(never)]
unsafe fn resume_other(
    head: NonNull<Head>,
    value: Word,
    tag: usize,
    error: &mut MaybeUninit<Error>,
) -> (Word, usize) {
    // SAFETY: the caller's promise; only `Cell`s in the head change.
    let head_ref = unsafe { head.as_ref() };
    match head_ref.kind.get() {
        Kind::Finished | Kind::Shared => refuse(Refusal::Finished.into(), error),
        Kind::Own => {
            // SAFETY: it is fresh or suspended, for it is not finished, and to be running would
            // take a second `&mut`. Its bytes are in place: an own stack holds nobody else's.
            let arrived = unsafe { head_ref.switch_in(head_ref.sp.get(), value, tag) };
            (arrived.value, arrived.tag)
        }
        kind @ (Kind::OwnFp | Kind::OwnCounted) => {
            // SAFETY: the kind says that the head is in such a control block.
            let control = unsafe { head.cast::<OwnControl>().as_ref() };
            // SAFETY: as for `Own`, each for its flavour.
            let arrived = unsafe {
                if kind == Kind::OwnFp {
                    control.switch_in_fp(value, tag)
                } else {
                    control.switch_in_counted(value, tag)
                }
            };
            (arrived.value, arrived.tag)
        }
        Kind::SharedFp => {
            // SAFETY: the kind says so.
            let shared = unsafe { Shared::of_head(head) };
            let sp = match shared.prepare(shared.stack()) {
                Ok(sp) => sp,
                Err(reason) => return refuse(reason, error),
            };
            // SAFETY: prepared above, for this flavour; the rest is the caller's promise.
            let arrived = unsafe { head_ref.switch_in_fp(sp, value, tag) };
            shared.settle(shared.stack(), arrived.source_sp, arrived.tag);
            (arrived.value, arrived.tag)
        }
    }
}

#[cold]
fn refuse(reason: Error, error: &mut MaybeUninit<Error>) -> (Word, usize) {
    error.write(reason);
    (Word::uninit(), REFUSED)
}
