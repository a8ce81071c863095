//! Copies of images. Most are small, and a few moves in place beat a call.
//!
//! A load is fast when what it reads was stored a while ago, or by *one* store that is still on
//! its way to the cache. It waits when it needs the parts of several. An image is saved right after
//! the switch has pushed three words at its low end, so these are moved word by word; above, where
//! the restore stored sixteen bytes at a time, the next save loads the same sixteen. For this, both
//! copies cut the image the same way, counted from its high end, and no two moves overlap.
//! `docs/performance.md` tells what else was tried.
//!
//! ```text
//!   low                                                high: top of the stack
//!   | word | word | word | (word) | 16 bytes | 16 bytes | 16 bytes |
//! ```

#![cfg_attr(
    costack_asan,
    allow(
        dead_code,
        unused_imports,
        reason = "under AddressSanitizer a copy must not look at the shadow"
    )
)]

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
const SMALL: usize = 15 * CHUNK;

/// From here on, what addresses have in common matters more than the loop.
#[cfg(not(costack_asan))]
const LARGE: usize = 2048;

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
    #[cfg(costack_asan)]
    // SAFETY: the caller's promise.
    return unsafe { crate::tools::asan::copy(source, target, bytes) };
    // SAFETY: both parts lie within the first `bytes` bytes of both, by the caller's promise.
    #[cfg(not(costack_asan))]
    unsafe {
        let rest = bytes - FRESH * WORD;
        if rest <= SMALL {
            return copy_small::<FRESH>(source, target, bytes);
        }
        cold_path();
        move_fresh::<FRESH>(source, target);
        let (source, target) = (source.add(FRESH * WORD), target.add(FRESH * WORD));
        if rest < LARGE {
            core::ptr::copy_nonoverlapping(source, target, rest);
        } else {
            copy_large(source, target, rest);
        }
    }
}

/// Whether [`copy_small`] takes an image of so many bytes, `FRESH` words at least.
#[cfg(feature = "raw")]
#[inline(always)]
pub(crate) const fn is_small<const FRESH: usize>(bytes: usize) -> bool {
    bytes - FRESH * WORD <= SMALL
}

/// As [`copy_image`], without a call.
///
/// # Safety
/// As there, and the image [is small](is_small).
#[cfg_attr(costack_asan, allow(dead_code))]
#[inline(always)]
pub(crate) unsafe fn copy_small<const FRESH: usize>(
    source: *const u8,
    target: *mut u8,
    bytes: usize,
) {
    // SAFETY: every move lies within the first `bytes` bytes of both, by the caller's promise on
    // the size: the fresh words, one more if an odd number is left, then whole chunks.
    unsafe {
        move_fresh::<FRESH>(source, target);
        let rest = bytes - FRESH * WORD;
        let (mut source, mut target) = (source.add(FRESH * WORD), target.add(FRESH * WORD));
        let odd = rest % CHUNK;
        if odd != 0 {
            cold_path();
            for _ in 0..odd / WORD {
                move_words::<1>(source, target);
                (source, target) = (source.add(WORD), target.add(WORD));
            }
        }
        // One jump, then straight on.
        match rest / CHUNK % 16 {
            0 => {}
            1 => move_chunks::<1>(source, target),
            2 => move_chunks::<2>(source, target),
            3 => move_chunks::<3>(source, target),
            4 => move_chunks::<4>(source, target),
            5 => move_chunks::<5>(source, target),
            6 => move_chunks::<6>(source, target),
            7 => move_chunks::<7>(source, target),
            8 => move_chunks::<8>(source, target),
            9 => move_chunks::<9>(source, target),
            10 => move_chunks::<10>(source, target),
            11 => move_chunks::<11>(source, target),
            12 => move_chunks::<12>(source, target),
            13 => move_chunks::<13>(source, target),
            14 => move_chunks::<14>(source, target),
            _ => move_chunks::<15>(source, target),
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
    // Kernels are built without the vector registers.
    #[cfg(all(target_arch = "x86_64", target_feature = "sse"))]
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

/// Copies a large image.
///
/// A load waits for an earlier store on its way to the cache when the lower twelve bits of their
/// addresses are the same, whether or not the rest is. So the copy runs in the direction in which
/// the loads run away from the stores.
///
/// # Safety
/// As for [`core::ptr::copy_nonoverlapping`], and there are [`BLOCK`] bytes at least.
#[cfg(not(costack_asan))]
#[inline(never)]
unsafe fn copy_large(source: *const u8, target: *mut u8, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the CPU has it; the rest is the caller's promise.
        return unsafe { copy_large_avx(source, target, bytes) };
    }
    // SAFETY: the caller's promise.
    unsafe { copy_blocks(source, target, bytes) }
}

/// # Safety
/// As for [`copy_large`], and the CPU has AVX.
#[cfg(all(target_arch = "x86_64", feature = "std", not(costack_asan)))]
#[target_feature(enable = "avx")]
unsafe fn copy_large_avx(source: *const u8, target: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { copy_blocks(source, target, bytes) }
}

/// Bytes that one round of the loop moves.
#[cfg(not(costack_asan))]
const BLOCK: usize = 128;

/// # Safety
/// As for [`copy_large`].
#[cfg(not(costack_asan))]
#[inline(always)]
unsafe fn copy_blocks(source: *const u8, target: *mut u8, bytes: usize) {
    const PAGE: usize = 4096;
    const VECTOR: usize = 32;
    let last = bytes - BLOCK;
    let stores_run_ahead = target.addr().wrapping_sub(source.addr()) % PAGE < PAGE / 2;
    // SAFETY: every block lies within the bytes of both. The first and the last one may overlap
    // those beside them, and then some bytes are copied twice: in between, stores are aligned.
    unsafe {
        move_block(source, target);
        move_block(source.add(last), target.add(last));
        let first = VECTOR - target.addr() % VECTOR;
        let blocks = bytes.saturating_sub(first) / BLOCK;
        for block in 0..blocks {
            let block = if stores_run_ahead {
                blocks - 1 - block
            } else {
                block
            };
            let offset = first + block * BLOCK;
            move_block(source.add(offset), target.add(offset));
        }
    }
}

/// # Safety
/// Both have a block, and do not overlap.
#[cfg(not(costack_asan))]
#[inline(always)]
unsafe fn move_block(source: *const u8, target: *mut u8) {
    // SAFETY: the caller's promise. The empty piece of assembly may use memory, so that the
    // compiler does not make one call of `memcpy` of many blocks.
    unsafe {
        target.copy_from_nonoverlapping(source, BLOCK);
        core::arch::asm!("", options(nostack, preserves_flags));
    }
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

    #[track_caller]
    fn check(shift: usize) {
        let from = 32 + shift;
        for words in (FRESH_WORDS..=200).chain([513, 1023, 1024, 5001]) {
            let bytes = words * WORD;
            let source: Vec<u8> = (0..bytes).map(|byte| (byte * 7 + 1) as u8).collect();
            let mut target = vec![0xee; bytes + shift + 64];
            // SAFETY: both have room for `bytes`, from there on.
            unsafe {
                copy_image::<FRESH_WORDS>(source.as_ptr(), target.as_mut_ptr().add(from), bytes)
            };
            assert!(
                target[..from].iter().all(|byte| *byte == 0xee),
                "{bytes}: below"
            );
            assert_eq!(target[from..from + bytes], source, "{bytes}");
            assert!(
                target[from + bytes..].iter().all(|byte| *byte == 0xee),
                "{bytes}: above"
            );
        }
    }

    #[test]
    fn every_size_is_copied_and_nothing_beside_it() {
        for shift in [0, 8, 24, 32, 40, 64, 2040, 4088] {
            check(shift);
        }
    }
}
