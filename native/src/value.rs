//! How a value of any size passes through one register: a small one as itself, a large one as
//! a pointer to the sender's slot, which the receiver reads before anything else runs there.

use crate::arch::Word;
use core::mem::{ManuallyDrop, MaybeUninit};

/// Whether a `T` travels as itself.
const fn fits<T>() -> bool {
    size_of::<T>() <= size_of::<Word>()
}

/// The word that stands for the value in `slot`.
#[inline(always)]
pub(crate) fn pack<T>(slot: &ManuallyDrop<T>) -> Word {
    let mut word = Word::uninit();
    if fits::<T>() {
        // SAFETY: `T` is no larger than a word; source and target are distinct.
        unsafe {
            word.as_mut_ptr()
                .cast::<u8>()
                .copy_from_nonoverlapping((&raw const *slot).cast(), size_of::<T>())
        };
    } else {
        // SAFETY: a pointer is as large as a word, and any of its bytes may be in one.
        unsafe {
            word.as_mut_ptr()
                .cast::<*const ManuallyDrop<T>>()
                .write(slot)
        };
    }
    word
}

/// Takes the value out.
///
/// # Safety
/// `word` came from [`pack::<T>`](pack), is unpacked once only, and the slot is still untouched.
#[inline(always)]
pub(crate) unsafe fn unpack<T>(word: Word) -> T {
    if fits::<T>() {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: `pack` put a valid `T` into the first bytes of the word.
        unsafe {
            value
                .as_mut_ptr()
                .cast::<u8>()
                .copy_from_nonoverlapping(word.as_ptr().cast(), size_of::<T>());
            value.assume_init()
        }
    } else {
        // SAFETY: `pack` stored the slot's address, and the value is still in it.
        unsafe { word.as_ptr().cast::<*const T>().read().read() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Clone + PartialEq + core::fmt::Debug>(value: T) {
        let slot = ManuallyDrop::new(value.clone());
        // SAFETY: packed in this line, unpacked once.
        let back: T = unsafe { unpack(pack(&slot)) };
        assert_eq!(back, value);
    }

    #[test]
    fn values_of_any_size_come_back() {
        check(());
        check(7u8);
        check((1u8, 2u32));
        check(usize::MAX);
        check(Some(3u16));
        check("a slice is two words");
        check([5u64; 100]);
        check(String::from("owned"));
    }
}
