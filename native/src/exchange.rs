//! Carries out the engine's plans: save, restore, change of owner. All copies of images are made
//! here, and all of them on the resumer's stack.

use crate::copy::copy_image;
use crate::shared::{Shared, StackState};
use crate::{Error, Id};
use core::hint::cold_path;
use costack_engine::event::Event;
use costack_engine::share::Plan;

/// Brings the bytes of `target` into place on its stack and makes it the owner. Returns how many
/// there are, from its stack pointer up to the top.
///
/// # Errors
/// The engine's refusal, or no memory to save the owner. Nothing has changed then.
///
/// # Safety
/// `target` and `stack` belong together and are alive, and nothing runs on the stack's memory
/// that is not known to the engine.
#[inline(always)]
pub(crate) unsafe fn bring_in(stack: &StackState, target: Shared) -> Result<usize, Error> {
    // SAFETY: no other reference to these records exists: they are borrowed in this module only,
    // and never across a call to anything that could come back here.
    let (engine, record) = unsafe { (&mut *stack.engine.get(), &mut *target.record()) };
    let plan = match engine.plan_resume(target, record) {
        Ok(plan) => plan,
        Err(refusal) => {
            cold_path();
            return Err(refusal.into());
        }
    };
    let bytes = record.bytes() as usize;
    match plan {
        Plan::Switch => {
            cold_path();
            engine.resumed(target, record, None);
        }
        Plan::Exchange { evict, restore } => {
            let evicted = match evict {
                // SAFETY: the owner is suspended, so its bytes are in place.
                Some((owner, bytes)) => Some(unsafe { save(stack, owner, bytes as usize)? }),
                None => {
                    cold_path();
                    None
                }
            };
            // SAFETY: the stack is free now, and the target's image is in its save stack.
            unsafe { bring_back(stack, target, restore as usize) };
            // SAFETY: as above; the evicted one is not the target, which was out.
            engine.resumed(
                target,
                record,
                evicted.map(|owner| unsafe { &mut *owner.record() }),
            );
            if stack.is_watched() {
                cold_path();
                // SAFETY: none of the references above is used after this.
                unsafe { tell(stack, evict, target, restore) };
            }
        }
    }
    Ok(bytes)
}

/// Copies the `bytes` below the top of the stack into the save stack of `owner`.
///
/// # Safety
/// `owner` owns the stack and is suspended, with that many bytes in use.
#[inline(always)]
unsafe fn save(stack: &StackState, owner: Shared, bytes: usize) -> Result<Shared, Error> {
    // SAFETY: no other reference to the image exists.
    let image = unsafe { &mut *owner.image() };
    if !fits(image.capacity as usize, bytes) {
        cold_path();
        stack.refit(image, bytes)?;
    }
    // SAFETY: the image has room for `bytes` and is not on the stack.
    unsafe { copy_image(stack.top_ptr().sub(bytes), image.start, bytes) };
    Ok(owner)
}

/// Copies the image of `target` back to the top of the stack.
///
/// # Safety
/// The stack is free; the image is `bytes` long.
#[inline(always)]
unsafe fn bring_back(stack: &StackState, target: Shared, bytes: usize) {
    // SAFETY: the image came from this stack, so it fits, and it is not on the stack.
    unsafe { copy_image((*target.image()).start, stack.top_ptr().sub(bytes), bytes) };
}

/// Whether a save stack of this capacity is right for an image: large enough, and not so much too
/// large that one deep yield would cost memory for ever.
#[inline(always)]
fn fits(capacity: usize, bytes: usize) -> bool {
    bytes <= capacity && capacity <= 2 * bytes + 64
}

/// Tells the observer what was done.
///
/// # Safety
/// Nobody holds a reference to a record of this stack: an observer may call anything.
#[cold]
#[inline(never)]
unsafe fn tell(stack: &StackState, evicted: Option<(Shared, u32)>, target: Shared, restored: u32) {
    let task = target.id();
    if let Some((owner, bytes)) = evicted {
        stack.tell(Event::Save {
            task: owner.id(),
            bytes,
        });
    }
    stack.tell(Event::Restore {
        task,
        bytes: restored,
    });
    let from: Option<Id> = evicted.map(|(owner, _)| owner.id());
    stack.tell(Event::Owner {
        stack: stack.number,
        from,
        to: Some(task),
    });
}
