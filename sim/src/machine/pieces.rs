//! Lists that grow without moving what is in them, and that can lose their beginning.
//!
//! A vector that grows moves all of its items every so often; a log is written faster than its
//! pages can be touched a second time. So it lies in pieces of fixed size. Items are
//! counted from the first ever made, dropped or not.

use std::ops::Range;

use super::pool;

/// How many items have room beyond a full piece: see [`Pieces::push_in_slack`].
const SLACK: usize = 32;

/// A list in pieces of `1 << SHIFT` items.
#[derive(Debug)]
pub(crate) struct Pieces<T: 'static, const SHIFT: u32> {
    /// The piece that is being filled.
    last: Vec<T>,
    /// How many items it takes: none before there is one.
    room: usize,
    /// The pieces before it that are kept.
    past: Vec<Vec<T>>,
    /// How many pieces were dropped.
    dropped: usize,
    /// Pieces that were dropped or forgotten, to be filled again: their memory has been touched,
    /// and touching memory for the first time costs more than filling it.
    spare: Vec<Vec<T>>,
}

impl<T: 'static, const SHIFT: u32> Pieces<T, SHIFT> {
    const SIZE: usize = 1 << SHIFT;
    const CAPACITY: usize = Self::SIZE + SLACK;

    pub const EMPTY: Self = Pieces {
        last: Vec::new(),
        room: 0,
        past: Vec::new(),
        dropped: 0,
        spare: Vec::new(),
    };

    /// The number of the piece that is being filled.
    #[inline(always)]
    pub fn piece(&self) -> usize {
        self.dropped + self.past.len()
    }

    /// How many items were ever made.
    #[inline(always)]
    pub fn end(&self) -> usize {
        (self.piece() << SHIFT) + self.last.len()
    }

    /// How many items were dropped.
    #[inline(always)]
    pub fn first(&self) -> usize {
        self.dropped << SHIFT
    }

    /// The number of the piece that an item is in.
    #[inline(always)]
    pub fn piece_of(at: usize) -> usize {
        at >> SHIFT
    }

    /// Whether the piece that is being filled has no room for another item.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.last.len() >= self.room
    }

    /// Begins the next piece, when the last one is full.
    #[cold]
    fn begin_piece(&mut self) {
        let spare = self.spare.pop();
        let mut next = spare.unwrap_or_else(|| pool::take(Self::CAPACITY));
        next.extend(self.last.drain(self.room..));
        let full = std::mem::replace(&mut self.last, next);
        // The first piece is not allocated before it is needed.
        if self.room > 0 {
            self.past.push(full);
        }
        self.room = Self::SIZE;
    }

    /// Whether the next piece needs no new memory.
    pub fn has_spare(&self) -> bool {
        !self.spare.is_empty()
    }

    /// Begins the next piece if the last one is full. Then [`push_in_slack`](Self::push_in_slack) has room.
    #[inline(always)]
    pub fn settle(&mut self) {
        if self.is_full() {
            self.begin_piece();
        }
    }

    /// Adds one of at most [`SLACK`] items after [`settle`](Self::settle). Those beyond a full piece move to
    /// the next one later.
    ///
    /// A push that may begin a piece calls a function and goes on. Compilers without registers that a call
    /// preserves, such as Cranelift for WebAssembly, then keep nothing in registers around each push, whether
    /// that call is made or not. This one calls nothing and comes back.
    #[inline(always)]
    pub fn push_in_slack(&mut self, item: T) {
        match self.last.len() < self.last.capacity() {
            true => self.last.push(item),
            false => no_slack(),
        }
    }

    /// Adds an item.
    #[inline(always)]
    pub fn push(&mut self, item: T) {
        self.push_mut(item);
    }

    /// Adds an item, which is then at its place: what is made there need not be moved there.
    #[inline(always)]
    pub fn push_mut(&mut self, item: T) -> &mut T {
        if self.is_full() {
            self.begin_piece();
        }
        self.last.push_mut(item)
    }

    /// The item that was added last.
    #[inline(always)]
    pub fn last(&self) -> Option<&T> {
        self.last.last().or_else(|| self.past.last()?.last())
    }

    /// An item, unless it was dropped or there is none.
    #[inline(always)]
    pub fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(self.piece() << SHIFT) {
            Some(in_last) => self.last.get(in_last),
            None => {
                let index = (at >> SHIFT).checked_sub(self.dropped)?;
                self.past.get(index)?.get(at & (Self::SIZE - 1))
            }
        }
    }

    /// All items that are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.past
            .iter()
            .chain(std::iter::once(&self.last))
            .flatten()
    }

    /// The first item, of those in their order, of which something is not so.
    pub fn partition_point(&self, is_so: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (self.first(), self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).is_some_and(&is_so) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// Calls a function with the items of a range that are kept, piece by piece, in order or from the
    /// last piece on.
    pub fn for_each_piece_mut(
        &mut self,
        range: Range<usize>,
        backward: bool,
        mut f: impl FnMut(&mut [T]),
    ) {
        if range.is_empty() {
            return;
        }
        self.settle();
        let first = (range.start >> SHIFT).max(self.dropped);
        let mut piece_of = |piece: usize| {
            let items = match piece - self.dropped {
                index if index == self.past.len() => &mut self.last[..],
                index => self
                    .past
                    .get_mut(index)
                    .map_or(&mut [][..], |items| &mut items[..]),
            };
            let start = range.start.saturating_sub(piece << SHIFT).min(items.len());
            let end = (range.end - (piece << SHIFT)).min(items.len());
            f(&mut items[start..end]);
        };
        let pieces = first..((range.end - 1) >> SHIFT) + 1;
        match backward {
            true => pieces.rev().for_each(&mut piece_of),
            false => pieces.for_each(&mut piece_of),
        }
    }

    /// As [`get`](Self::get), to be changed.
    #[inline(always)]
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at.checked_sub(self.piece() << SHIFT) {
            Some(in_last) => self.last.get_mut(in_last),
            None => {
                let index = (at >> SHIFT).checked_sub(self.dropped)?;
                self.past.get_mut(index)?.get_mut(at & (Self::SIZE - 1))
            }
        }
    }

    /// Drops the pieces before this one.
    pub fn drop_before(&mut self, piece: usize) {
        let count = piece.saturating_sub(self.dropped).min(self.past.len());
        for mut piece in self.past.drain(..count) {
            piece.clear();
            self.spare.push(piece);
        }
        self.dropped += count;
    }

    /// Forgets this item and all after it.
    pub fn truncate(&mut self, at: usize) {
        self.settle();
        let piece = at >> SHIFT;
        while self.piece() > piece
            && let Some(before) = self.past.pop()
        {
            let mut after = std::mem::replace(&mut self.last, before);
            after.clear();
            self.spare.push(after);
        }
        if self.piece() == piece {
            self.last.truncate(at & (Self::SIZE - 1));
        }
    }

    /// Forgets everything, the numbers too, and keeps the memory.
    pub fn clear(&mut self) {
        self.drop_before(self.piece());
        self.last.clear();
        self.dropped = 0;
    }

    /// How many pieces are kept, with the one that is being filled.
    pub fn kept(&self) -> usize {
        self.past.len() + 1
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let others = self.past.iter().chain(&self.spare);
        let items = others.map(Vec::capacity).sum::<usize>();
        (items + self.last.capacity()) * size_of::<T>()
    }
}

impl<T: Clone + 'static, const SHIFT: u32> Clone for Pieces<T, SHIFT> {
    fn clone(&self) -> Self {
        // A vector's clone has no room for more than is in it; one of nothing needs none yet.
        let (mut last, mut room) = (Vec::new(), 0);
        if !self.last.is_empty() {
            (last, room) = (pool::take(Self::CAPACITY), self.room);
            last.extend_from_slice(&self.last);
        }
        Pieces {
            last,
            room,
            past: self.past.clone(),
            dropped: self.dropped,
            spare: Vec::new(),
        }
    }
}

impl<T: 'static, const SHIFT: u32> Drop for Pieces<T, SHIFT> {
    fn drop(&mut self) {
        let last = std::mem::take(&mut self.last);
        let others = self.past.drain(..).chain(self.spare.drain(..));
        others
            .chain([last])
            .for_each(|piece| pool::give(piece, Self::CAPACITY));
    }
}

#[cold]
#[inline(never)]
fn no_slack() -> ! {
    panic!("more items than there is room for until the next piece is begun")
}

#[cfg(test)]
mod tests {
    use super::*;

    type List = Pieces<u32, 3>;

    #[test]
    fn items_keep_their_numbers_when_the_beginning_is_dropped() {
        let mut list = List::EMPTY;
        for number in 0..40 {
            assert_eq!(list.end(), number);
            list.push(number as u32);
        }
        assert_eq!(list.kept(), 5);
        list.drop_before(List::piece_of(17));
        assert_eq!(
            (list.get(15), list.get(16), list.get(40)),
            (None, Some(&16), None)
        );
        list.truncate(19);
        assert_eq!(
            (list.end(), list.get(18), list.get(19)),
            (19, Some(&18), None)
        );
        let mut seen = Vec::new();
        list.for_each_piece_mut(15..99, true, |items| seen.extend_from_slice(items));
        assert_eq!(seen, [16, 17, 18]);
        list.push(19);
        for number in 20..30 {
            list.push(number);
        }
        seen.clear();
        list.for_each_piece_mut(18..26, true, |items| seen.extend_from_slice(items));
        assert_eq!(seen, [24, 25, 18, 19, 20, 21, 22, 23]);
        seen.clear();
        list.for_each_piece_mut(3..18, false, |items| seen.extend_from_slice(items));
        assert_eq!(seen, [16, 17]);
        list.truncate(19);
        list.push(99);
        assert_eq!(list.get(19), Some(&99));
    }

    #[test]
    fn items_in_slack_are_found_before_and_after_the_next_piece_has_begun() {
        let mut list = List::EMPTY;
        list.settle();
        for number in 0..SLACK as u32 {
            list.push_in_slack(number);
        }
        for pieces in [1, 2] {
            assert_eq!(list.kept(), pieces);
            assert_eq!((list.end(), list.get(SLACK)), (SLACK, None));
            assert_eq!(list.get(7), Some(&7));
            assert_eq!(list.get_mut(8), Some(&mut 8));
            list.settle();
        }
        list.truncate(20);
        assert_eq!((list.end(), list.get(19)), (20, Some(&19)));
    }

    #[test]
    fn a_clone_has_the_same_room() {
        let mut list = List::EMPTY;
        list.push(1);
        let mut clone = list.clone();
        clone.push_in_slack(2);
        assert_eq!((clone.get(0), clone.get(1)), (Some(&1), Some(&2)));
        assert_eq!(list.get(1), None);
    }

    #[test]
    #[should_panic(expected = "room")]
    fn items_beyond_the_slack_are_not_lost() {
        let mut list = List::EMPTY;
        list.push_in_slack(1);
    }
}
