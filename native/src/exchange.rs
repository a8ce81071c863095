//! Carries out the engine's plans: save, restore, change of owner. All copies of images are made
//! here, and all of them on the resumer's stack.

use crate::copy::copy_image;
#[cfg(feature = "raw")]
use crate::copy::{copy_small, is_small};
use crate::shared::{Shared, StackState};
use crate::{Error, Id};
use core::hint::cold_path;
use costack_engine::Refusal;
use costack_engine::event::Event;
use costack_engine::share::Plan;

const WORD: usize = size_of::<usize>();

/// Brings the bytes of `target` into place on its stack and makes it the owner. Returns how many
/// there are, from its stack pointer up to the top.
///
/// `FRESH` is how many words the stack's switch leaves at the low end of an image. `TAKEN` is how
/// many of them it takes from the image itself when it goes to `target`, so that they are not put
/// on the stack.
///
/// # Errors
/// The engine's refusal, or no memory to save the owner. Nothing has changed then.
///
/// # Safety
/// `target` and `stack` belong together and are alive, and nothing runs on the stack's memory
/// that is not known to the engine.
#[inline(always)]
pub(crate) unsafe fn bring_in<const FRESH: usize, const TAKEN: usize>(
    stack: &StackState,
    target: Shared,
) -> Result<usize, Error> {
    if stack.is_watched() {
        cold_path();
        // SAFETY: the caller's promise.
        return unsafe { bring_in_watched::<FRESH, TAKEN>(stack, target) };
    }
    // SAFETY: the caller's promise.
    unsafe { carry_out::<false, FRESH, TAKEN>(stack, target) }
}

/// As [`bring_in`], for the most frequent case alone: the owner has yielded without a word to the
/// engine, and left `owned` bytes; both images are small; nobody watches. `None` when it is another
/// case; nothing has changed then. There is no call in it, so that it needs no registers saved.
///
/// # Safety
/// As for [`bring_in`]. `owner` is the owner, which has yielded and left so many bytes, no more than
/// the stack has.
#[cfg(feature = "raw")]
#[inline(always)]
pub(crate) unsafe fn hand_over<const FRESH: usize, const TAKEN: usize>(
    stack: &StackState,
    owner: Shared,
    owned: usize,
    target: Shared,
) -> Option<usize> {
    const { assert!(TAKEN == 0 || TAKEN >= FRESH) };
    if stack.is_watched() || cfg!(costack_asan) {
        cold_path();
        return None;
    }
    // SAFETY: as in `carry_out`, records and images are borrowed for a few lines each, and nothing is
    // called in between. Images have room for what the two kinds of plan say.
    unsafe {
        let plan = (*stack.engine.get()).plan_hand_over(&*target.record());
        let Some(restored) = plan.map(|bytes| bytes as usize) else {
            cold_path();
            return None;
        };
        let save = *owner.image();
        let capacity = save.capacity as usize;
        let fits = capacity == owned || (cold_path(), fits(capacity, owned)).1;
        if !fits || !is_small::<FRESH>(owned) || !is_small::<FRESH>(restored) {
            cold_path();
            return None;
        }
        let (from, to) = (&mut *owner.record(), &mut *target.record());
        (*stack.engine.get()).handed_over(from, owned as u32, target, to);
        crate::tools::make_usable(stack.bounds());
        let top = stack.top_ptr();
        copy_small::<FRESH>(top.sub(owned), save.start, owned);
        let image = (*target.image()).start;
        if TAKEN == 0 {
            copy_small::<FRESH>(image, top.sub(restored), restored);
        } else {
            let rest = restored - TAKEN * WORD;
            copy_small::<0>(image.add(TAKEN * WORD), top.sub(rest), rest);
        }
        Some(restored)
    }
}

/// As [`bring_in`], for a stack with an observer, which must not resume anything on that stack
/// while an exchange is going on.
///
/// # Safety
/// As for [`bring_in`].
#[cold]
#[inline(never)]
unsafe fn bring_in_watched<const FRESH: usize, const TAKEN: usize>(
    stack: &StackState,
    target: Shared,
) -> Result<usize, Error> {
    if stack.is_telling() {
        return Err(Refusal::StackInUse.into());
    }
    // SAFETY: the caller's promise.
    unsafe { carry_out::<true, FRESH, TAKEN>(stack, target) }
}

/// The interpreter of plans. While it tells an observer something, it holds no reference to
/// a record, because an observer may call anything.
///
/// # Safety
/// As for [`bring_in`].
#[inline(always)]
unsafe fn carry_out<const WATCHED: bool, const FRESH: usize, const TAKEN: usize>(
    stack: &StackState,
    target: Shared,
) -> Result<usize, Error> {
    // SAFETY: no other reference to these records exists: they are borrowed for a few lines at
    // a time, and never across a call to anything that could come back here.
    let (plan, bytes) = unsafe {
        let record = &*target.record();
        match (*stack.engine.get()).plan_resume(target, record) {
            Ok(plan) => (plan, record.bytes() as usize),
            Err(refusal) => {
                cold_path();
                return Err(refusal.into());
            }
        }
    };
    let evicted = match plan {
        Plan::Switch => {
            cold_path();
            None
        }
        Plan::Exchange { evict, restore } => {
            match evict {
                Some((owner, bytes)) => {
                    // SAFETY: the owner is suspended, so its bytes are in place.
                    unsafe { save::<FRESH>(stack, owner, bytes as usize)? };
                    if WATCHED {
                        stack.count(owner, |all| all.saved(bytes));
                        let task = owner.id();
                        stack.tell(Event::Save { task, bytes });
                    }
                }
                None => cold_path(),
            }
            // SAFETY: the stack is free now, and the target's image is in its save stack.
            unsafe { bring_back::<FRESH, TAKEN>(stack, target, restore as usize) };
            if WATCHED {
                stack.count(target, |all| all.restored(restore));
                let task = target.id();
                stack.tell(Event::Restore {
                    task,
                    bytes: restore,
                });
            }
            evict
        }
    };
    // SAFETY: as above; the evicted one is not the target, which was out.
    unsafe {
        let evicted = evicted.map(|(owner, _)| &mut *owner.record());
        (*stack.engine.get()).resumed(target, &mut *target.record(), evicted);
    }
    if WATCHED {
        stack.count(target, |all| all.resumes += 1);
    }
    if WATCHED && matches!(plan, Plan::Exchange { .. }) {
        let from: Option<Id> = evicted.map(|(owner, _)| owner.id());
        let to = Some(target.id());
        stack.tell(Event::Owner {
            stack: stack.number,
            from,
            to,
        });
    }
    Ok(bytes)
}

/// Copies the `bytes` below the top of the stack into the save stack of `owner`.
///
/// # Errors
/// No memory for a larger save stack; nothing has changed then.
///
/// # Safety
/// `owner` owns the stack and is suspended, with that many bytes in use.
#[inline(always)]
unsafe fn save<const FRESH: usize>(
    stack: &StackState,
    owner: Shared,
    bytes: usize,
) -> Result<(), Error> {
    // SAFETY: no other reference to the image exists.
    let image = unsafe { &mut *owner.image() };
    if image.capacity as usize != bytes {
        cold_path();
        if !fits(image.capacity as usize, bytes) {
            stack.refit(image, bytes)?;
        }
    }
    // SAFETY: the image has room for `bytes` and is not on the stack.
    unsafe { copy_image::<FRESH>(stack.top_ptr().sub(bytes), image.start, bytes) };
    #[cfg(costack_asan)]
    {
        let top = stack.bounds().end;
        stack.shadows.save(owner.address(), top - bytes..top);
    }
    Ok(())
}

/// Copies the image of `target` back to the top of the stack.
///
/// # Safety
/// The stack is free; the image is `bytes` long.
#[inline(always)]
unsafe fn bring_back<const FRESH: usize, const TAKEN: usize>(
    stack: &StackState,
    target: Shared,
    bytes: usize,
) {
    crate::tools::make_usable(stack.bounds());
    // SAFETY: the image came from this stack, so it fits, and it is not on the stack.
    unsafe {
        let image = (*target.image()).start;
        if TAKEN == 0 {
            copy_image::<FRESH>(image, stack.top_ptr().sub(bytes), bytes);
        } else {
            let rest = bytes - TAKEN * WORD;
            copy_image::<0>(image.add(TAKEN * WORD), stack.top_ptr().sub(rest), rest);
        }
    }
    #[cfg(costack_asan)]
    {
        let top = stack.bounds().end;
        stack.shadows.bring_back(target.address(), top - bytes..top);
    }
}

/// Whether a save stack of this capacity is right for an image: large enough, and not so much too
/// large that one deep yield would cost memory for ever.
#[inline(always)]
fn fits(capacity: usize, bytes: usize) -> bool {
    bytes <= capacity && capacity <= 2 * bytes + 64
}
