//! Copies of images. Most are small, and a few moves in place beat a call.
//!
//! A load is fast when what it reads was stored a while ago, or by *one* store that is still on
//! its way to the cache. It waits when it needs the parts of several. An image is saved right after
//! the switch has pushed three words at its low end, so these are moved word by word; above, where
//! the restore stored sixteen bytes at a time, the next save loads the same sixteen. For this, both
//! copies cut the image the same way, counted from its high end, and no two moves overlap.
//!
//! ```text
//!   low                                                high: top of the stack
//!   | word | word | word | (word) | 16 bytes | 16 bytes | 16 bytes |
//! ```

use core::hint::cold_path;

/// Sixteen bytes, moved as one: a vector register.
#[cfg(target_arch = "x86_64")]
type Chunk = core::arch::x86_64::__m128i;
#[cfg(target_arch = "aarch64")]
type Chunk = core::arch::aarch64::uint8x16_t;
#[cfg(target_arch = "x86")]
type Chunk = core::arch::x86::__m128i;

const CHUNK: usize = size_of::<Chunk>();

const WORD: usize = size_of::<usize>();

/// Words that a switch leaves at the low end.
pub(crate) const FRESH_WORDS: usize = if cfg!(target_arch = "aarch64") { 4 } else { 3 };

/// Up to here the moves are made in place; above, `memcpy` is worth its call.
const SMALL: usize = 256;

/// Copies an image, to or from the stack.
///
/// # Safety
/// As for [`core::ptr::copy_nonoverlapping`] of that many `u8`, which is a multiple of a word and
/// `FRESH` words at least: those that the switch has just stored one by one.
#[inline(always)]
pub(crate) unsafe fn copy_image<const FRESH: usize>(
    source: *const u8,
    target: *mut u8,
    bytes: usize,
) {
    // SAFETY: every move lies within the first `bytes` bytes of both, by the caller's promise on
    // the size: the fresh words, one more if an odd number is left, then whole chunks.
    unsafe {
        let (mut source, mut target) = (source, target);
        move_fresh::<FRESH>(source, target);
        let rest = bytes - FRESH * WORD;
        (source, target) = (source.add(FRESH * WORD), target.add(FRESH * WORD));
        if rest > SMALL {
            cold_path();
            core::ptr::copy_nonoverlapping(source, target, rest);
            return;
        }
        let odd = rest % CHUNK;
        if odd != 0 {
            cold_path();
            for _ in 0..odd / WORD {
                move_words::<1>(source, target);
                (source, target) = (source.add(WORD), target.add(WORD));
            }
        }
        // Blocks from the low end and one at the high end: where they overlap, they overlap in
        // whole chunks, so the same sixteen bytes are moved twice.
        let whole = rest - odd;
        if whole >= 4 * CHUNK {
            move_blocks::<4>(source, target, whole);
        } else if whole >= 2 * CHUNK {
            move_blocks::<2>(source, target, whole);
        } else if whole != 0 {
            move_chunks::<1>(source, target);
        }
    }
}

/// # Safety
/// Both have `bytes` bytes, a multiple of a chunk and `N` chunks at least, and do not overlap.
#[inline(always)]
unsafe fn move_blocks<const N: usize>(source: *const u8, target: *mut u8, bytes: usize) {
    let last = bytes - N * CHUNK;
    // SAFETY: the caller's promise.
    unsafe {
        move_chunks::<N>(source.add(last), target.add(last));
        let mut at = 0;
        while at < last {
            move_chunks::<N>(source.add(at), target.add(at));
            at += N * CHUNK;
        }
    }
}

/// Moves words that were stored one by one. Where there are many, each pair is loaded in two halves
/// and stored as one, because a CPU stores once a cycle and loads twice.
///
/// # Safety
/// Both have `N` words, and do not overlap.
#[inline(always)]
unsafe fn move_fresh<const N: usize>(source: *const u8, target: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    if N > FRESH_WORDS {
        for pair in 0..N / 2 {
            // SAFETY: the caller's promise. In assembly, for the compiler would make one load of two.
            unsafe {
                let source = source.add(pair * CHUNK);
                let both: Chunk;
                core::arch::asm!(
                    "movq {both}, qword ptr [{source}]",
                    "movhps {both}, qword ptr [{source} + 8]",
                    source = in(reg) source,
                    both = lateout(xmm_reg) both,
                    options(pure, readonly, nostack, preserves_flags),
                );
                target.cast::<Chunk>().add(pair).write_unaligned(both);
            }
        }
        let moved = N / 2 * CHUNK;
        // SAFETY: the caller's promise: an odd word is left.
        unsafe {
            if N % 2 == 1 {
                move_words::<1>(source.add(moved), target.add(moved));
            }
        }
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { move_words::<N>(source, target) }
}

/// # Safety
/// Both have `N` words, and do not overlap.
#[inline(always)]
unsafe fn move_words<const N: usize>(source: *const u8, target: *mut u8) {
    for word in 0..N {
        // SAFETY: the caller's promise. The word goes through a register of its own: an empty
        // piece of assembly keeps the compiler from making one wider move of two.
        unsafe {
            let mut value = source.cast::<usize>().add(word).read_unaligned();
            core::arch::asm!("/* {0} */", inout(reg) value, options(pure, nomem, nostack, preserves_flags));
            target.cast::<usize>().add(word).write_unaligned(value);
        }
    }
}

/// # Safety
/// Both have `N` chunks, and do not overlap.
#[inline(always)]
unsafe fn move_chunks<const N: usize>(source: *const u8, target: *mut u8) {
    for chunk in 0..N {
        // SAFETY: the caller's promise.
        unsafe {
            let value = source.cast::<Chunk>().add(chunk).read_unaligned();
            target.cast::<Chunk>().add(chunk).write_unaligned(value);
        }
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the `bytes` at `address` to be brought into the cache. Any address is allowed.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8, bytes: usize) {
    for line in 0..bytes.min(SMALL).div_ceil(LINE) {
        prefetch_line(address.wrapping_add(line * LINE));
    }
}

#[inline(always)]
fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect on memory and does not fault.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch has no effect on memory and does not fault.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_copied_and_nothing_beside_it() {
        for words in FRESH_WORDS..=100 {
            let bytes = words * WORD;
            let source: Vec<u8> = (0..bytes).map(|byte| (byte * 7 + 1) as u8).collect();
            let mut target = vec![0xee; bytes + 64];
            // SAFETY: both have room for `bytes`, 32 bytes in.
            unsafe {
                copy_image::<FRESH_WORDS>(source.as_ptr(), target.as_mut_ptr().add(32), bytes)
            };
            assert!(
                target[..32].iter().all(|byte| *byte == 0xee),
                "{bytes}: below"
            );
            assert_eq!(target[32..32 + bytes], source, "{bytes}");
            assert!(
                target[32 + bytes..].iter().all(|byte| *byte == 0xee),
                "{bytes}: above"
            );
        }
    }
}
