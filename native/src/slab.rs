//! Memory for control blocks and save stacks: exact sizes, no header per piece.
//!
//! A *chunk* is 16 KiB of pieces of one size class, with a header at its start that is found by
//! clearing the low bits of a piece's address. Chunks are cut from *regions*, which come from the
//! global allocator and grow from one chunk to 4 MiB. A chunk without pieces in use can serve
//! another class, so a million images that have all grown leave nothing behind.
//!
//! ```text
//!   region  [ chunk | chunk | chunk | … ]
//!   chunk   [ header | piece | piece | piece | … ]
//! ```
//!
//! Classes are multiples of 8 bytes, so that images fit to the word on 64-bit machines. Images
//! above the largest class come from the global allocator directly, in multiples of 16 bytes.

use alloc::alloc::{alloc, dealloc};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ptr::{self, NonNull};

/// Bytes of a chunk, and its alignment.
const CHUNK: usize = 16 * 1024;

/// Bytes of a chunk's header; pieces start behind it.
const HEADER: usize = 64;

/// The largest class.
const LARGEST: usize = 1024;

/// Number of classes: 0 (never used), 8, 16, …, 1024.
const CLASSES: usize = LARGEST / 8 + 1;

/// Chunks of the largest region.
const LARGEST_REGION: usize = 256;

/// Regions that have room for such a page lie on pages of that size, where the system has them: it
/// takes an entry of the TLB for each 2 MiB then, instead of 512, to go around many coroutines.
const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// Lies at the start of a chunk.
struct Header {
    /// The first piece that was used and freed; each free piece holds the address of the next.
    free: *mut u8,
    /// The first piece that was never used, in bytes from the start of the chunk.
    fresh: u32,
    /// Pieces in use.
    live: u32,
    class: u32,
    /// In the list of chunks of this class with room, or in the list of empty chunks.
    next: *mut Header,
    previous: *mut Header,
}

const _: () = assert!(size_of::<Header>() <= HEADER);

/// One allocator of pieces.
pub(crate) struct Slab {
    /// Per class, the chunks with room.
    with_room: [*mut Header; CLASSES],
    /// Chunks without pieces.
    empty: *mut Header,
    regions: Vec<(NonNull<u8>, usize)>,
    /// Chunks of the newest region that were never used.
    uncut: usize,
    /// Bytes of pieces that are given out, and the most there may be.
    used: usize,
    limit: usize,
}

/// A piece of memory: its address and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) start: *mut u8,
    pub(crate) capacity: u32,
}

impl Piece {
    /// No memory at all.
    pub(crate) const EMPTY: Piece = Piece {
        start: ptr::null_mut(),
        capacity: 0,
    };
}

/// The class of pieces that hold `bytes`.
fn class_of(bytes: usize) -> usize {
    bytes.max(8).div_ceil(8)
}

/// Bytes of a piece of this class.
fn class_bytes(class: usize) -> usize {
    8 * class
}

/// The layout of a piece that is too large for a chunk.
fn large_layout(capacity: usize) -> Option<Layout> {
    Layout::from_size_align(capacity, 16).ok()
}

impl Slab {
    pub(crate) const fn new() -> Self {
        Slab {
            with_room: [ptr::null_mut(); CLASSES],
            empty: ptr::null_mut(),
            regions: Vec::new(),
            uncut: 0,
            used: 0,
            limit: usize::MAX,
        }
    }

    /// Bytes given out.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Sets how many bytes may be given out; what is given out already stays.
    pub(crate) fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// A piece of at least `bytes` bytes. `None` when there is no memory; nothing has changed.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Option<Piece> {
        let class = class_of(bytes);
        let capacity = if class < CLASSES {
            class_bytes(class)
        } else {
            bytes.checked_next_multiple_of(16)?
        };
        let capacity_u32 = u32::try_from(capacity).ok()?;
        if capacity > self.limit.saturating_sub(self.used) {
            return None;
        }
        let start = if class < CLASSES {
            self.allocate_small(class)?
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(large_layout(capacity)?) })?.as_ptr()
        };
        self.used += capacity;
        Some(Piece {
            start,
            capacity: capacity_u32,
        })
    }

    fn allocate_small(&mut self, class: usize) -> Option<*mut u8> {
        let chunk = match self.with_room[class] {
            chunk if chunk.is_null() => {
                let chunk = self.take_empty()?;
                let header = Header {
                    free: ptr::null_mut(),
                    fresh: HEADER as u32,
                    live: 0,
                    class: class as u32,
                    next: ptr::null_mut(),
                    previous: ptr::null_mut(),
                };
                // SAFETY: an empty chunk is nobody else's.
                unsafe { chunk.write(header) };
                self.with_room[class] = chunk;
                chunk
            }
            chunk => chunk,
        };
        // SAFETY: a chunk in a list is alive, with room for one piece: a free one, whose first
        // bytes hold the next, or a fresh one before the end of the chunk.
        unsafe {
            let header = &mut *chunk;
            header.live += 1;
            let piece = if header.free.is_null() {
                let piece = chunk.cast::<u8>().add(header.fresh as usize);
                header.fresh += class_bytes(class) as u32;
                piece
            } else {
                let piece = header.free;
                header.free = piece.cast::<*mut u8>().read_unaligned();
                piece
            };
            if !has_room(header) {
                self.unlink(chunk);
            }
            Some(piece)
        }
    }

    /// Takes a piece back.
    ///
    /// # Safety
    /// The piece came from this slab, is freed once, and nobody uses it any more.
    pub(crate) unsafe fn free(&mut self, piece: Piece) {
        let capacity = piece.capacity as usize;
        if capacity == 0 {
            return;
        }
        self.used -= capacity;
        if class_of(capacity) >= CLASSES {
            if let Some(layout) = large_layout(capacity) {
                // SAFETY: `allocate` has used the same layout.
                unsafe { dealloc(piece.start, layout) };
            }
            return;
        }
        // SAFETY: chunks are aligned to their size and a piece lies inside its chunk, which is
        // alive as long as it has pieces.
        unsafe {
            let chunk: *mut Header = piece
                .start
                .map_addr(|address| address & !(CHUNK - 1))
                .cast();
            let header = &mut *chunk;
            let had_room = has_room(header);
            piece.start.cast::<*mut u8>().write_unaligned(header.free);
            header.free = piece.start;
            header.live -= 1;
            if header.live == 0 {
                if had_room {
                    self.unlink(chunk);
                }
                header.next = self.empty;
                self.empty = chunk;
            } else if !had_room {
                self.link(chunk);
            }
        }
    }

    /// # Safety
    /// `chunk` is alive and in no list.
    unsafe fn link(&mut self, chunk: *mut Header) {
        // SAFETY: the caller's promise; chunks in lists are alive.
        unsafe {
            let first = &mut self.with_room[(*chunk).class as usize];
            (*chunk).previous = ptr::null_mut();
            (*chunk).next = *first;
            if !first.is_null() {
                (**first).previous = chunk;
            }
            *first = chunk;
        }
    }

    /// # Safety
    /// `chunk` is alive and in the list of its class.
    unsafe fn unlink(&mut self, chunk: *mut Header) {
        // SAFETY: the caller's promise; chunks in lists are alive.
        unsafe {
            let Header {
                next,
                previous,
                class,
                ..
            } = *chunk;
            if previous.is_null() {
                self.with_room[class as usize] = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
        }
    }

    /// A chunk whose contents mean nothing.
    fn take_empty(&mut self) -> Option<*mut Header> {
        if !self.empty.is_null() {
            let chunk = self.empty;
            // SAFETY: a chunk in the list of empty ones is alive.
            self.empty = unsafe { (*chunk).next };
            return Some(chunk);
        }
        if self.uncut == 0 {
            self.grow()?;
        }
        let (start, chunks) = *self.regions.last()?;
        let index = chunks - self.uncut;
        self.uncut -= 1;
        // SAFETY: the index is below the region's number of chunks.
        Some(unsafe { start.as_ptr().add(index * CHUNK) }.cast())
    }

    #[cold]
    fn grow(&mut self) -> Option<()> {
        let chunks = self
            .regions
            .last()
            .map_or(1, |(_, last)| (2 * last).min(LARGEST_REGION));
        self.regions.try_reserve(1).ok()?;
        let layout = region_layout(chunks)?;
        // SAFETY: the size is not zero.
        let start = NonNull::new(unsafe { alloc(layout) })?;
        ask_for_huge_pages(start, layout);
        self.regions.push((start, chunks));
        self.uncut = chunks;
        Some(())
    }
}

/// Whether one more piece fits.
fn has_room(header: &Header) -> bool {
    !header.free.is_null() || header.fresh as usize + class_bytes(header.class as usize) <= CHUNK
}

fn region_layout(chunks: usize) -> Option<Layout> {
    let bytes = chunks.checked_mul(CHUNK)?;
    let align = if bytes < HUGE_PAGE { CHUNK } else { HUGE_PAGE };
    Layout::from_size_align(bytes, align).ok()
}

/// A system that has none, or gives none, leaves the region on the pages that it has.
fn ask_for_huge_pages(start: NonNull<u8>, layout: Layout) {
    #[cfg(all(feature = "std", target_os = "linux"))]
    if layout.align() == HUGE_PAGE {
        // SAFETY: the region was just allocated; the advice changes nothing that it holds.
        unsafe { libc::madvise(start.as_ptr().cast(), layout.size(), libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(all(feature = "std", target_os = "linux")))]
    let _ = (start, layout);
}

impl Drop for Slab {
    fn drop(&mut self) {
        for (start, chunks) in self.regions.drain(..) {
            if let Some(layout) = region_layout(chunks) {
                // SAFETY: `grow` has used the same layout; the owner has freed all pieces or will
                // never use them again.
                unsafe { dealloc(start.as_ptr(), layout) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_capacity(bytes: usize, capacity: u32) {
        let mut slab = Slab::new();
        let piece = slab.allocate(bytes).expect("memory");
        assert_eq!(piece.capacity, capacity);
        // SAFETY: from this slab, freed once.
        unsafe { slab.free(piece) };
        assert_eq!(slab.used(), 0);
    }

    #[test]
    fn pieces_fit() {
        check_capacity(1, 8);
        check_capacity(24, 24);
        check_capacity(25, 32);
        check_capacity(120, 120);
        check_capacity(1024, 1024);
        check_capacity(1025, 1040);
        check_capacity(100_001, 100_016);
    }

    #[test]
    fn pieces_do_not_overlap_and_come_back() {
        let mut slab = Slab::new();
        let mut pieces = Vec::new();
        for round in 0..3000usize {
            let bytes = 24 + (round * 37) % 400;
            let piece = slab.allocate(bytes).expect("memory");
            // SAFETY: the piece has that many bytes.
            unsafe { piece.start.write_bytes(round as u8, bytes) };
            pieces.push((piece, bytes, round as u8));
            if round % 3 == 0 {
                let (piece, bytes, mark) = pieces.swap_remove((round * 7) % pieces.len());
                // SAFETY: written above, and given out to nobody else since.
                let seen = unsafe { core::slice::from_raw_parts(piece.start, bytes) };
                assert!(seen.iter().all(|byte| *byte == mark));
                // SAFETY: freed once.
                unsafe { slab.free(piece) };
            }
        }
        for (piece, bytes, mark) in pieces {
            // SAFETY: as above.
            let seen = unsafe { core::slice::from_raw_parts(piece.start, bytes) };
            assert!(seen.iter().all(|byte| *byte == mark));
            // SAFETY: freed once.
            unsafe { slab.free(piece) };
        }
        assert_eq!(slab.used(), 0);
    }

    #[test]
    fn images_that_grow_leave_their_old_chunks_to_others() {
        let mut slab = Slab::new();
        let small: Vec<_> = (0..100_000)
            .map(|_| slab.allocate(56).expect("memory"))
            .collect();
        let before = slab.regions.iter().map(|(_, chunks)| chunks).sum::<usize>();
        let mut large = Vec::new();
        for piece in small {
            large.push(slab.allocate(120).expect("memory"));
            // SAFETY: freed once.
            unsafe { slab.free(piece) };
        }
        let after = slab.regions.iter().map(|(_, chunks)| chunks).sum::<usize>();
        assert!(
            after <= before * 120 / 56 + LARGEST_REGION,
            "{before} chunks, then {after}"
        );
    }

    #[test]
    #[cfg(all(feature = "std", target_os = "linux"))]
    fn large_regions_begin_with_a_huge_page_and_small_ones_do_not_waste_one() {
        let mut slab = Slab::new();
        for _ in 0..100_000 {
            slab.allocate(120).expect("memory");
        }
        for (start, chunks) in &slab.regions {
            let layout = region_layout(*chunks).expect("it was allocated");
            let large = chunks * CHUNK >= HUGE_PAGE;
            assert_eq!(layout.align() == HUGE_PAGE, large);
            assert!(start.addr().get().is_multiple_of(layout.align()));
        }
        let (_, largest) = slab.regions.last().expect("there is one");
        assert_eq!(*largest, LARGEST_REGION);
    }

    #[test]
    fn a_limit_is_kept_and_changes_nothing() {
        let mut slab = Slab::new();
        slab.set_limit(100);
        let piece = slab.allocate(56).expect("within the limit");
        assert!(slab.allocate(56).is_none());
        // SAFETY: freed once.
        unsafe { slab.free(piece) };
        assert!(slab.allocate(56).is_some());
    }
}
