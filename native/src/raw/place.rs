//! Brings a coroutine's bytes into place for a resume.

use super::{Control, arch, shared_of, status, status_of};
use crate::Error;
use crate::exchange;
use crate::head::Kind;
use crate::shared::{Shared, StackState, yielded_elsewhere};
use core::ffi::c_void;
use core::hint::cold_path;
use costack_engine::Refusal;

impl StackState {
    pub(super) fn blocks_owner(&self) -> Option<Shared> {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.engine.get() }.owner()
    }
}

/// Tells the engine that the stack's owner has yielded, if it has and the engine does not know.
///
/// # Safety
/// All coroutines of the stack are [`Control`]s.
#[inline(always)]
pub(super) unsafe fn tell_of_yield(stack: &StackState) {
    // SAFETY: borrowed in these lines only.
    unsafe {
        let engine = &mut *stack.engine.get();
        let Some(owner) = engine.owner() else { return };
        let block = owner.0.as_ref();
        let sp = block.head.sp.get();
        if sp == 0 {
            return;
        }
        let bytes = stack.top_ptr().addr().wrapping_sub(sp);
        if bytes > stack.bytes {
            yielded_elsewhere();
        }
        engine.yielded(&mut *block.record.get(), bytes as u32);
        block.head.sp.set(0);
    }
}

/// Where a switch to a coroutine finds it.
pub(super) struct Place {
    /// The words that the switch takes: at its stack pointer, or at the start of its image.
    words: usize,
    /// Its stack pointer.
    pub(super) sp: usize,
}

/// A place in the registers in which a C function returns two words.
#[cfg(target_pointer_width = "64")]
type TwoWords = u128;
#[cfg(target_pointer_width = "32")]
type TwoWords = u64;

impl Place {
    #[inline(always)]
    fn to_registers(&self) -> TwoWords {
        (self.sp as TwoWords) << usize::BITS | self.words as TwoWords
    }
}

/// Brings a coroutine's bytes into place.
///
/// # Errors
/// The engine's refusal, or no memory to save the owner. Nothing has changed then.
///
/// # Safety
/// `control` is a coroutine of this thread that is not destroyed, and has no stack pointer in its
/// head.
#[inline(always)]
pub(super) unsafe fn bring_in(control: *mut Control) -> Result<Place, Error> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    match this.block.head.kind.get() {
        Kind::Finished => return Err(Refusal::Finished.into()),
        // It would have its stack pointer in its head.
        Kind::Own | Kind::OwnFp | Kind::OwnCounted => return Err(Refusal::Running.into()),
        Kind::Shared | Kind::SharedFp => {}
    }
    let target = shared_of(control);
    // SAFETY: the state lives as long as its control blocks, whose records are borrowed for a line
    // each; all coroutines of the stack are `Control`s.
    unsafe {
        let stack = this.block.stack.as_ref();
        tell_of_yield(stack);
        let owner = stack.blocks_owner();
        let bytes =
            exchange::bring_in::<{ arch::FRESH_WORDS }, { arch::TAKEN_WORDS }>(stack, target)?;
        let sp = stack.top_ptr().addr() - bytes;
        if owner == Some(target) {
            return Ok(Place { words: sp, sp });
        }
        if let Some(owner) = owner {
            note_save(owner);
        }
        note_restore(control);
        Ok(Place::of_restored(this, sp))
    }
}

/// As [`bring_in`], for the most frequent case alone: the stack's owner has yielded, `control` is
/// out, and the images are small. `None` when it is another case; nothing has changed then.
///
/// # Safety
/// As for [`bring_in`], but `control` may have a stack pointer in its head.
#[inline(always)]
unsafe fn hand_over(control: *mut Control) -> Option<Place> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    if !matches!(this.block.head.kind.get(), Kind::Shared | Kind::SharedFp) {
        cold_path();
        return None;
    }
    // SAFETY: as in `bring_in`. An owner that runs has no stack pointer in its head, so that it seems
    // to have more bytes than the stack.
    unsafe {
        let stack = this.block.stack.as_ref();
        let owner = stack.blocks_owner()?;
        let head = &owner.0.as_ref().head;
        let owned = stack.top_ptr().addr().wrapping_sub(head.sp.get());
        if owned > stack.bytes {
            cold_path();
            return None;
        }
        let restored = exchange::hand_over::<{ arch::FRESH_WORDS }, { arch::TAKEN_WORDS }>(
            stack,
            owner,
            owned,
            shared_of(control),
        )?;
        head.sp.set(0);
        note_save(owner);
        note_restore(control);
        let sp = stack.top_ptr().addr() - restored;
        Some(Place::of_restored(this, sp))
    }
}

impl Place {
    /// Of a coroutine whose image was just copied back, but for the words that a switch takes.
    #[inline(always)]
    fn of_restored(this: &Control, sp: usize) -> Place {
        // SAFETY: borrowed for this line only.
        let image = unsafe { *this.block.image.get() }.start.addr();
        let words = if arch::TAKEN_WORDS == 0 { sp } else { image };
        Place { words, sp }
    }
}

/// Shows that a coroutine now owns its stack.
///
/// # Safety
/// It has just become the owner.
#[inline(always)]
unsafe fn note_restore(control: *mut Control) {
    // SAFETY: the caller's promise; borrowed in these lines only.
    unsafe {
        let this = &*control;
        if this.has_begun() {
            (*this.save.get()).restores += 1;
        }
        (*this.stack).owner.set(control);
    }
}

/// Shows what was just saved.
///
/// # Safety
/// The coroutine is a [`Control`] and has just been evicted.
#[inline(always)]
unsafe fn note_save(evicted: Shared) {
    // SAFETY: the caller's promise; borrowed in these lines only.
    unsafe {
        let image = *evicted.image();
        let bytes = (*evicted.record()).bytes() as usize;
        let save = &mut *evicted.0.cast::<Control>().as_ref().save.get();
        save.saves += 1;
        // Most images are of the size of the last one, and stores are what a switch has most of. A
        // save stack is only ever replaced by one of another capacity.
        if save.bytes != bytes || save.capacity != image.capacity as usize {
            cold_path();
            save.start = image.start.cast();
            save.capacity = image.capacity as usize;
            save.bytes = bytes;
            save.largest = save.largest.max(bytes);
        }
    }
}

/// For the body of C functions that resume: where the words of a coroutine are, and its stack
/// pointer, its bytes in place; or a negative status in the first word.
///
/// # Safety
/// As for [`resume`](super::resume), and the head has no stack pointer.
#[doc(hidden)]
pub unsafe extern "C" fn prepare(control: *mut Control, strict: i32) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        if !control.is_null()
            && let Some(place) = hand_over(control)
        {
            return place.to_registers();
        }
        // The last thing that is done, so that this function needs no stack of its own.
        prepare_any(control, strict)
    }
}

/// As [`prepare`], and passes the values as [`resume`](super::resume) says.
///
/// # Safety
/// As for [`resume`](super::resume), and the head has no stack pointer.
#[doc(hidden)]
pub unsafe extern "C" fn prepare_with_values(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
    strict: i32,
) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        if !control.is_null()
            && let Some(place) = hand_over(control)
        {
            pass(control, value, out);
            return place.to_registers();
        }
        // As in `prepare`.
        prepare_any_with_values(control, value, out, strict)
    }
}

/// As [`prepare_with_values`], in all cases.
///
/// # Safety
/// As there.
#[cold]
#[inline(never)]
unsafe extern "C" fn prepare_any_with_values(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
    strict: i32,
) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        let words = prepare_any(control, strict);
        // Statuses of errors are the last addresses there are.
        if words as usize <= usize::MAX - 4096 {
            pass(control, value, out);
        }
        words
    }
}

/// Passes the values of a resume.
///
/// # Safety
/// As for [`resume`](super::resume); the coroutine is in place.
#[inline(always)]
unsafe fn pass(control: *mut Control, value: *mut c_void, out: *mut *mut c_void) {
    // SAFETY: the caller's promise. Where the coroutine wants its value lies on its own stack.
    unsafe {
        (*control).out.set(out);
        let received = (*control).received.get();
        if !received.is_null() {
            *received = value;
        }
    }
}

/// As [`prepare`], in all cases.
///
/// # Safety
/// As there.
#[cold]
#[inline(never)]
unsafe extern "C" fn prepare_any(control: *mut Control, strict: i32) -> TwoWords {
    if control.is_null() {
        return refuse(status::NULL, "no coroutine was given", strict) as TwoWords;
    }
    // SAFETY: the caller's promise.
    match unsafe { bring_in(control) } {
        Ok(place) => place.to_registers(),
        Err(error) => refuse(status_of(&error), error, strict) as TwoWords,
    }
}

/// For the body of C functions that suspend: nobody has resumed the code that runs.
///
/// # Safety
/// It may always be called.
#[doc(hidden)]
pub unsafe extern "C" fn refuse_suspend(strict: i32) -> i32 {
    refuse(
        status::NO_COROUTINE,
        "it was called outside of every coroutine",
        strict,
    );
    status::NO_COROUTINE
}

#[cold]
#[inline(never)]
fn refuse(status: i32, reason: impl core::fmt::Display, strict: i32) -> usize {
    if strict != 0 {
        std::eprintln!("costack: a switch was refused: {reason}");
        std::process::abort();
    }
    status as isize as usize
}
