//! The ready queue: a ring of task numbers.
//!
//! A ring rather than links through the tasks, because a switch then touches two tasks and no
//! third, and because a backend can look some places ahead and have the save stacks of those tasks
//! fetched in time. A task knows its place, so taking it out of the middle leaves a hole there and
//! costs the same as taking the first; holes are skipped when their turn comes.

use alloc::vec::Vec;

/// A hole.
const HOLE: u32 = u32::MAX;

#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    /// A power of two of them, or none.
    places: Vec<u32>,
    /// The places from the first to the last, counted without end; they lie at their number
    /// modulo the ring's length.
    first: u32,
    end: u32,
}

impl Ready {
    #[inline(always)]
    fn at(&self, place: u32) -> usize {
        // For an empty ring nothing is looked up: `first` equals `end`.
        place as usize & self.places.len().wrapping_sub(1)
    }

    /// Puts a task at the end, and returns its place.
    #[inline(always)]
    pub(super) fn push(&mut self, task: u32) -> u32 {
        if self.end.wrapping_sub(self.first) as usize == self.places.len() {
            self.grow();
        }
        self.put_last(task)
    }

    /// Puts a task at the end, where there is room.
    #[inline(always)]
    fn put_last(&mut self, task: u32) -> u32 {
        let place = self.end;
        let at = self.at(place);
        self.places[at] = task;
        self.end = place.wrapping_add(1);
        place
    }

    /// Takes out the first, which [`ahead`](Self::ahead) has shown, and puts `task` at the end: so
    /// there is room. Returns its place.
    #[inline(always)]
    pub(super) fn push_for_first(&mut self, task: u32) -> u32 {
        self.first = self.first.wrapping_add(1);
        self.put_last(task)
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<u32> {
        while self.first != self.end {
            let task = self.places[self.at(self.first)];
            self.first = self.first.wrapping_add(1);
            if task != HOLE {
                return Some(task);
            }
        }
        None
    }

    /// Takes out the task at this place.
    pub(super) fn remove(&mut self, place: u32) {
        let at = self.at(place);
        self.places[at] = HOLE;
    }

    /// The task that [`pop`](Self::pop) would take.
    #[inline]
    pub(super) fn first(&self) -> Option<u32> {
        (0..self.end.wrapping_sub(self.first)).find_map(|ahead| self.ahead(ahead))
    }

    /// The task so many places behind the first, if there is one at that place.
    #[inline(always)]
    pub(super) fn ahead(&self, ahead: u32) -> Option<u32> {
        if ahead >= self.end.wrapping_sub(self.first) {
            return None;
        }
        let task = self.places[self.at(self.first.wrapping_add(ahead))];
        (task != HOLE).then_some(task)
    }

    /// Makes the ring twice as long. Everybody stays at the same place.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let len = (self.places.len() * 2).max(16);
        let mut places = alloc::vec![HOLE; len];
        let mut place = self.first;
        while place != self.end {
            places[place as usize & (len - 1)] = self.places[self.at(place)];
            place = place.wrapping_add(1);
        }
        self.places = places;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_out_in_order_across_growth_holes_and_the_end_of_counting() {
        let mut ready = Ready {
            first: u32::MAX - 20,
            end: u32::MAX - 20,
            ..Ready::default()
        };
        assert_eq!(ready.pop(), None);
        let places: Vec<_> = (0..100).map(|task| ready.push(task)).collect();
        for task in (0..100).step_by(3) {
            ready.remove(places[task]);
        }
        assert_eq!(ready.first(), Some(1));
        assert_eq!(ready.ahead(0), None);
        assert_eq!(ready.ahead(99), None);
        assert_eq!(ready.ahead(98), Some(98));
        for task in (0..100).filter(|task| task % 3 != 0) {
            assert_eq!(ready.pop(), Some(task));
        }
        assert_eq!(ready.pop(), None);
        assert_eq!(ready.first(), None);
    }

    #[test]
    fn one_takes_the_place_of_the_first_in_a_full_ring_as_well() {
        let mut ready = Ready::default();
        for task in 0..16 {
            ready.push(task);
        }
        assert_eq!(ready.places.len(), 16);
        for task in 16..100 {
            assert_eq!(ready.ahead(0), Some(task - 16));
            ready.push_for_first(task);
            assert_eq!(ready.places.len(), 16);
        }
        assert!((84..100).all(|task| ready.pop() == Some(task)));
        assert_eq!(ready.pop(), None);
    }
}
