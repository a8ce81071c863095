//! Memory for stacks: a trait for anyone's, and mmap with a guard page behind it.
//!
//! A coroutine that runs into the guard page ends the process: one line says which coroutine it
//! was, where its stack is and what it accessed, and [`set_last_words`] lets the program say
//! something before.

#[cfg(feature = "std")]
pub(crate) mod guard;
#[cfg(feature = "std")]
mod mapping;
#[cfg(feature = "std")]
mod overflow;
#[cfg(feature = "std")]
pub mod pool;

#[cfg(feature = "std")]
pub use guard::Guard;
#[cfg(feature = "std")]
pub use mapping::GuardedStack;
#[cfg(feature = "std")]
pub use overflow::{Overflow, set_last_words};
#[cfg(feature = "std")]
pub use pool::PooledStack;

use crate::Error;
use alloc::boxed::Box;

/// The least that a stack must offer, in bytes.
pub const MIN_STACK_BYTES: usize = 4096;

/// The size of a stack when none is given, in bytes. The system hands out pages as they are
/// touched, so a large stack costs address space only.
pub const DEFAULT_STACK_BYTES: usize = 1024 * 1024;

/// Memory that a coroutine can use as its stack. Dropping it gives the memory back.
///
/// # Safety
/// From creation to drop, also while the value is moved about:
/// - every byte from [`bottom`](Self::bottom) up to, not including, [`top`](Self::top) can be read
///   and written and is used by nobody else;
/// - both stay what they are, and `bottom <= top`.
///
/// A guard page below `bottom` is the implementor's business: without one, an overflow corrupts
/// what lies there.
pub unsafe trait StackMemory {
    /// The lowest usable address.
    fn bottom(&self) -> usize;
    /// The address after the highest usable byte. Stacks grow down from here.
    fn top(&self) -> usize;
    /// A pointer to the lowest byte, with the provenance of the whole.
    fn as_ptr(&self) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.bottom())
    }
    /// The guard page below, if running into it is to be reported as an overflow. It is the same
    /// one from creation to drop.
    #[cfg(feature = "std")]
    fn guard(&self) -> Option<&Guard> {
        None
    }
}

/// Stack memory by way of a pointer to it.
macro_rules! pointed_to {
    ($($pointer:ty;)*) => {
        $(
            // SAFETY: said for each where it is named.
            unsafe impl<S: StackMemory + ?Sized> StackMemory for $pointer {
                fn bottom(&self) -> usize {
                    S::bottom(self)
                }

                fn top(&self) -> usize {
                    S::top(self)
                }

                fn as_ptr(&self) -> *mut u8 {
                    S::as_ptr(self)
                }

                #[cfg(feature = "std")]
                fn guard(&self) -> Option<&Guard> {
                    S::guard(self)
                }
            }
        )*
    };
}

pointed_to! {
    // The memory behind the reference keeps the promises, and is borrowed for as long as the reference
    // exists.
    &mut S;
    // The boxed value keeps the promises, wherever the box is moved.
    Box<S>;
}

/// Checks that memory is large enough for a stack on which `used` bytes are taken from the start.
pub(crate) fn check_size(memory: &impl StackMemory, used: usize) -> Result<(), Error> {
    let bytes = memory.top() - memory.bottom();
    let needed = used
        .checked_add(MIN_STACK_BYTES / 2)
        .ok_or(Error::stack_too_large(used))?;
    let needed = needed.max(MIN_STACK_BYTES);
    if bytes < needed {
        Err(Error::stack_too_small(bytes, needed))
    } else {
        Ok(())
    }
}
