//! Stacks that are used again: one pool per thread.
//!
//! A stack given back keeps its pages and its mapping; the next coroutine of the same size starts
//! on it without a system call. [`trim`] gives all pooled stacks back to the system.

use super::StackMemory;
use super::guard::Guard;
use super::mapping::{GuardedStack, rounded};
use crate::Error;
use core::cell::{Cell, UnsafeCell};
use core::ptr::NonNull;

/// A [`GuardedStack`] from this thread's pool; dropping it gives it back.
#[derive(Debug)]
pub struct PooledStack {
    header: NonNull<Header>,
}

/// Lies at the top of the stack's memory, below what is [left out](shift) there.
#[repr(C, align(16))]
struct Header {
    /// The mapping that this header lies in.
    stack: GuardedStack,
    /// The size that was asked for, which is the key to find this stack again.
    asked: usize,
    next: Option<NonNull<Header>>,
}

/// Free stacks of one size.
#[derive(Clone, Copy)]
struct Shelf {
    asked: usize,
    first: Option<NonNull<Header>>,
    count: usize,
}

/// Sizes that are pooled at the same time. A program seldom uses more than a few.
const SHELVES: usize = 8;

/// Stacks kept per size; more are given back to the system.
const KEPT: usize = 1024;

/// Cache lines over which the tops of stacks are spread, and bytes of one.
const LINES: usize = 16;
const LINE: usize = 64;

struct Pool {
    shelves: UnsafeCell<[Shelf; SHELVES]>,
    /// Stacks that were mapped.
    mapped: Cell<usize>,
}

thread_local! {
    static POOL: Pool = const {
        Pool {
            shelves: UnsafeCell::new([Shelf { asked: 0, first: None, count: 0 }; SHELVES]),
            mapped: Cell::new(0),
        }
    };

    /// Apart from the pool, for it needs no destructor and so no check whether it is alive.
    static NEXT_ID: Cell<u32> = const { Cell::new(1) };
}

impl Pool {
    #[inline]
    fn take(&self, asked: usize) -> Option<PooledStack> {
        // SAFETY: the pool is the thread's own and this borrow ends before anything else runs.
        let shelves = unsafe { &mut *self.shelves.get() };
        let shelf = shelves.iter_mut().find(|shelf| shelf.asked == asked)?;
        let header = shelf.first?;
        // SAFETY: a stack on a shelf is mapped, and its header is intact.
        shelf.first = unsafe { header.as_ref().next };
        shelf.count -= 1;
        Some(PooledStack { header })
    }

    /// Puts a stack on its shelf, unless that is full or all shelves hold other sizes.
    #[inline]
    fn put(&self, mut header: NonNull<Header>) -> Result<(), ()> {
        // SAFETY: as in `take`.
        let shelves = unsafe { &mut *self.shelves.get() };
        // SAFETY: the header belongs to a stack that nobody uses any more.
        let header_ref = unsafe { header.as_mut() };
        let asked = header_ref.asked;
        let shelf = shelves
            .iter_mut()
            .find(|shelf| shelf.asked == asked || shelf.count == 0)
            .filter(|shelf| shelf.count < KEPT)
            .ok_or(())?;
        shelf.asked = asked;
        header_ref.next = shelf.first;
        shelf.first = Some(header);
        shelf.count += 1;
        Ok(())
    }

    fn trim(&self) {
        // SAFETY: as in `take`.
        let shelves = unsafe { &mut *self.shelves.get() };
        for shelf in shelves {
            while let Some(header) = shelf.first {
                // SAFETY: as in `take`; after this the header is gone.
                shelf.first = unsafe { header.as_ref().next };
                unmap(header);
            }
            shelf.count = 0;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.trim();
    }
}

fn unmap(header: NonNull<Header>) {
    // SAFETY: the header lies in the stack that it holds. Both are moved out before that goes, and
    // nobody uses them any more.
    drop(unsafe { header.read() });
}

/// Bytes to leave out at the top of a new stack. Mappings begin at pages, so without this the words
/// that every switch uses would lie at the same offset of a page on all stacks: they would compete for
/// the same few places in the cache, and a load from one stack would wait for a store to another.
fn shift() -> usize {
    let mapped = POOL.try_with(|pool| pool.mapped.replace(pool.mapped.get().wrapping_add(1)));
    mapped.unwrap_or(0) % LINES * LINE
}

/// Unmaps all free stacks of this thread's pool.
///
/// ```
/// let co = costack::Coroutine::<(), (), ()>::new(|_, ()| ())?;
/// drop(co); // its stack goes into the pool
/// costack::stack::pool::trim();
/// # Ok::<(), costack::Error>(())
/// ```
pub fn trim() {
    // A thread that is ending has no pool any more, and nothing to trim.
    let _ = POOL.try_with(Pool::trim);
}

/// A number for a new coroutine, of this thread.
#[inline]
pub(crate) fn next_id() -> u32 {
    NEXT_ID.replace(NEXT_ID.get().wrapping_add(1))
}

impl PooledStack {
    /// A stack of at least `bytes` usable bytes: one that was used before, or a new mapping.
    ///
    /// # Errors
    /// As [`GuardedStack::new`].
    #[inline]
    pub fn new(bytes: usize) -> Result<Self, Error> {
        if let Ok(Some(stack)) = POOL.try_with(|pool| pool.take(bytes)) {
            return Ok(stack);
        }
        Self::map(bytes)
    }

    #[cold]
    fn map(asked: usize) -> Result<Self, Error> {
        let (_, _) = rounded(asked)?;
        // All of what was asked for is left, whatever the header and the shift take.
        let with_header = asked
            .max(super::MIN_STACK_BYTES)
            .checked_add(size_of::<Header>() + (LINES - 1) * LINE)
            .ok_or(Error::stack_too_large(asked))?;
        let stack = GuardedStack::new(with_header)?;
        let (bottom, bytes) = (stack.as_ptr(), stack.bytes());
        let place = bytes - shift() - size_of::<Header>();
        // SAFETY: the header's place is near the top of the memory just mapped, which ends with a page,
        // a whole number of lines and the header's size below that.
        let header = unsafe {
            let header = bottom.add(place).cast::<Header>();
            header.write(Header {
                stack,
                asked,
                next: None,
            });
            NonNull::new_unchecked(header)
        };
        Ok(PooledStack { header })
    }
}

impl Drop for PooledStack {
    #[inline]
    fn drop(&mut self) {
        if !matches!(POOL.try_with(|pool| pool.put(self.header)), Ok(Ok(()))) {
            unmap(self.header);
        }
    }
}

// SAFETY: the mapping belongs to this value, stays where it is and is readable and writable; the
// header lies above `top`.
unsafe impl StackMemory for PooledStack {
    #[inline]
    fn bottom(&self) -> usize {
        // SAFETY: the header is written in `map` and stays for the life of the mapping.
        unsafe { self.header.as_ref().stack.bottom() }
    }

    #[inline]
    fn top(&self) -> usize {
        self.header.addr().get()
    }

    #[inline]
    fn as_ptr(&self) -> *mut u8 {
        // SAFETY: as in `bottom`.
        unsafe { self.header.as_ref().stack.as_ptr() }
    }

    #[inline]
    fn guard(&self) -> Option<&Guard> {
        // SAFETY: as in `bottom`.
        unsafe { self.header.as_ref().stack.guard() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_given_back_is_used_again() {
        trim();
        let first = PooledStack::new(20_000).expect("a small stack");
        let top = first.top();
        drop(first);
        let other_size = PooledStack::new(40_000).expect("a small stack");
        assert_ne!(other_size.top(), top);
        let second = PooledStack::new(20_000).expect("a small stack");
        assert_eq!(second.top(), top);
    }

    #[test]
    fn tops_are_spread_over_lines_and_all_that_was_asked_for_is_there() {
        trim();
        let stacks: Vec<_> = (0..LINES)
            .map(|_| PooledStack::new(8192).expect("a small stack"))
            .collect();
        let mut offsets: Vec<_> = stacks.iter().map(|stack| stack.top() % 4096).collect();
        offsets.sort_unstable();
        offsets.dedup();
        assert_eq!(offsets.len(), LINES);
        assert!(
            stacks
                .iter()
                .all(|stack| stack.top() - stack.bottom() >= 8192)
        );
        assert!(stacks.iter().all(|stack| stack.top() % 16 == 0));
    }

    #[test]
    fn more_sizes_than_shelves_are_unmapped() {
        trim();
        let stacks: Vec<_> = (1..=2 * SHELVES)
            .map(|pages| PooledStack::new(pages * 4096).expect("a small stack"))
            .collect();
        drop(stacks);
        trim();
    }

    #[test]
    fn what_was_asked_for_is_usable() {
        let stack = PooledStack::new(8192).expect("a small stack");
        assert!(stack.top() - stack.bottom() >= 8192);
    }
}
