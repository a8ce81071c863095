//! What tools are told that watch a program's memory. Without their features nothing of this is
//! left.
//!
//! - Valgrind must know of every stack, or it takes a switch for one enormous frame; and where
//!   memcheck believes nothing is, below a stack's sp, an image is about to be copied to.
//! - AddressSanitizer must know at every switch which stack is used from now on, and what it knows
//!   about the bytes of an image (which of them no variable may touch) must go where they go.

#[cfg(costack_asan)]
pub(crate) mod asan;
#[cfg(feature = "valgrind")]
mod valgrind;

use core::ops::Range;

/// A stack that the tools have been told of.
pub(crate) struct KnownStack {
    #[cfg(feature = "valgrind")]
    number: usize,
}

impl KnownStack {
    /// Tells of a stack with these usable bytes.
    #[inline(always)]
    pub(crate) fn new(bytes: Range<usize>) -> Self {
        let _ = &bytes;
        KnownStack {
            #[cfg(feature = "valgrind")]
            number: valgrind::register_stack(bytes),
        }
    }

    /// Tells that it is a stack no more: its bytes are anyone's.
    #[inline(always)]
    pub(crate) fn forget(&self, bytes: Range<usize>) {
        let _ = &bytes;
        #[cfg(feature = "valgrind")]
        valgrind::deregister_stack(self.number);
        make_usable(bytes);
    }
}

/// Tells that these bytes may be written, whatever was there.
#[inline(always)]
pub(crate) fn make_usable(bytes: Range<usize>) {
    let _ = &bytes;
    #[cfg(costack_asan)]
    asan::unpoison(bytes.clone());
    #[cfg(feature = "valgrind")]
    valgrind::make_undefined(bytes);
}
