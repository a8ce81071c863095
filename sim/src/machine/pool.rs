//! Memory of lists that are gone, for lists to come.
//!
//! Memory that a process has never touched is cleared by the system page by page when it is, and
//! that took nearly half of the time of a run whose log grows fast. A session begins where another
//! has ended more often than not: a page runs an edited scenario again, a comparison the next one.
//! So the memory of lists that are gone is kept, [up to a limit](LIMIT), by each thread for itself.

use std::any::{Any, TypeId};
use std::cell::RefCell;

/// Bytes that a thread keeps at most, about: those of the lists of one long session. What comes
/// beyond goes back to the system.
const LIMIT: usize = 128 << 20;

#[derive(Default)]
struct Pool {
    bytes: usize,
    /// By type and capacity, empty vectors: a `Vec<Vec<T>>` each.
    shelves: Vec<(TypeId, usize, Box<dyn Any>)>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

impl Pool {
    fn shelf<T: 'static>(&mut self, capacity: usize) -> Option<&mut Vec<Vec<T>>> {
        let wanted = (TypeId::of::<T>(), capacity);
        let at = self
            .shelves
            .iter()
            .position(|(of, c, _)| (*of, *c) == wanted);
        let at = at.unwrap_or_else(|| {
            let shelf: Vec<Vec<T>> = Vec::new();
            self.shelves.push((wanted.0, wanted.1, Box::new(shelf)));
            self.shelves.len() - 1
        });
        self.shelves[at].2.downcast_mut()
    }

    fn take<T: 'static>(&mut self, capacity: usize) -> Option<Vec<T>> {
        let vector = self.shelf(capacity)?.pop()?;
        self.bytes -= capacity * size_of::<T>();
        Some(vector)
    }

    fn give<T: 'static>(&mut self, vector: Vec<T>) {
        let (capacity, bytes) = (vector.capacity(), vector.capacity() * size_of::<T>());
        if self.bytes + bytes <= LIMIT
            && let Some(shelf) = self.shelf(capacity)
        {
            shelf.push(vector);
            self.bytes += bytes;
        }
    }
}

/// An empty vector with room for so many items.
pub(crate) fn take<T: 'static>(capacity: usize) -> Vec<T> {
    // It is gone when a thread ends.
    let kept = POOL.try_with(|pool| pool.borrow_mut().take(capacity));
    kept.ok()
        .flatten()
        .unwrap_or_else(|| Vec::with_capacity(capacity))
}

/// Takes the memory of a vector that has room for so many items. What is in it goes.
pub(crate) fn give<T: 'static>(mut vector: Vec<T>, capacity: usize) {
    // Those that have come to be otherwise, clones among them, are of any size.
    if vector.capacity() == capacity && capacity > 0 {
        // What items do when they go must find the pool as it was.
        vector.clear();
        let _ = POOL.try_with(|pool| pool.borrow_mut().give(vector));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> usize {
        POOL.with_borrow(|pool| pool.bytes)
    }

    #[test]
    fn memory_serves_again_for_its_type_and_size() {
        let mut first: Vec<u64> = take(1000);
        first.push(1);
        let place = first.as_ptr();
        give(first, 1000);
        assert_eq!(bytes(), 8000);
        assert!(take::<u64>(999).capacity() < 1000);
        let other: Vec<i64> = take(1000);
        assert_ne!(other.as_ptr().cast(), place);
        let again: Vec<u64> = take(1000);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert_eq!(bytes(), 0);
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let piece = LIMIT / 4 - 8;
        for _ in 0..6 {
            give(Vec::<u8>::with_capacity(piece), piece);
        }
        // Four fit, and are not touched; the fifth does not.
        assert_eq!(bytes(), 4 * piece);
        // Another size than it should have.
        give(Vec::<u8>::with_capacity(16), 8);
        assert_eq!(bytes(), 4 * piece);
    }
}
