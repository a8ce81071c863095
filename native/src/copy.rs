//! Copies of images. Most are small, and a few overlapping moves of 16 bytes beat a call.

/// Sixteen bytes, moved as one.
type Chunk = [u64; 2];

const CHUNK: usize = size_of::<Chunk>();

/// Up to here the moves are made in place; above, `memcpy` is worth its call.
const SMALL: usize = 256;

/// Copies `bytes` bytes.
///
/// # Safety
/// As for [`core::ptr::copy_nonoverlapping`] of that many `u8`.
#[inline(always)]
pub(crate) unsafe fn copy(source: *const u8, target: *mut u8, bytes: usize) {
    if (CHUNK..=SMALL).contains(&bytes) {
        // SAFETY: the caller's promise, and the size is in range.
        unsafe { copy_small(source, target, bytes) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(source, target, bytes) };
    }
}

/// # Safety
/// As for [`copy`], with 16 bytes at least.
#[inline(always)]
unsafe fn copy_small(source: *const u8, target: *mut u8, bytes: usize) {
    let block = 4 * CHUNK;
    // SAFETY: every move below lies within the first `bytes` bytes of both.
    unsafe {
        if bytes < 2 * CHUNK {
            let last = bytes - CHUNK;
            move_chunks::<1>(source, target, 0, last);
        } else if bytes < block {
            move_chunks::<2>(source, target, 0, bytes - 2 * CHUNK);
        } else {
            let last = bytes - block;
            let mut at = 0;
            while at < last {
                move_block(source, target, at);
                at += block;
            }
            move_block(source, target, last);
        }
    }
}

/// Moves `N` chunks at `first` and `N` chunks at `last`, which may overlap: all is read before
/// anything is written.
///
/// # Safety
/// Both places lie within both memories.
#[inline(always)]
unsafe fn move_chunks<const N: usize>(
    source: *const u8,
    target: *mut u8,
    first: usize,
    last: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let head = source.add(first).cast::<[Chunk; N]>().read_unaligned();
        let tail = source.add(last).cast::<[Chunk; N]>().read_unaligned();
        target.add(first).cast::<[Chunk; N]>().write_unaligned(head);
        target.add(last).cast::<[Chunk; N]>().write_unaligned(tail);
    }
}

/// # Safety
/// The four chunks at `at` lie within both memories.
#[inline(always)]
unsafe fn move_block(source: *const u8, target: *mut u8, at: usize) {
    // SAFETY: the caller's promise.
    unsafe { move_chunks::<2>(source, target, at, at + 2 * CHUNK) };
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
        for bytes in 0..=600 {
            let source: Vec<u8> = (0..bytes).map(|byte| (byte * 7 + 1) as u8).collect();
            let mut target = vec![0xee; bytes + 64];
            // SAFETY: both have room for `bytes`, 32 bytes in.
            unsafe { copy(source.as_ptr(), target.as_mut_ptr().add(32), bytes) };
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
