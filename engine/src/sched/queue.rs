//! First-in-first-out queues threaded through the tasks themselves.
//!
//! A task is in at most one queue at a time, that of the thing it waits for, so two links in its
//! record serve all queues: nothing is allocated, and taking a task out of the middle costs the
//! same as taking the first. A task that waits for several things has one
//! pair of links for each of them, in its arms.

/// "Nobody" as a link.
pub(super) const NONE: u32 = u32::MAX;

/// The two links of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Links {
    prev: u32,
    next: u32,
}

impl Links {
    pub(super) const UNLINKED: Links = Links {
        prev: NONE,
        next: NONE,
    };
}

/// Whatever keeps the links of all waiters.
pub(super) trait Linked {
    fn links(&mut self, waiter: u32) -> &mut Links;
}

/// One queue: its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    first: u32,
    last: u32,
}

impl Queue {
    pub(super) const EMPTY: Queue = Queue {
        first: NONE,
        last: NONE,
    };

    /// Whom [`pop`](Self::pop) would take.
    #[inline(always)]
    pub(super) fn first(self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub(super) fn is_empty(self) -> bool {
        self.first == NONE
    }

    /// Who stands behind `waiter`, which must be in this queue.
    pub(super) fn after(waiters: &mut impl Linked, waiter: u32) -> Option<u32> {
        let next = waiters.links(waiter).next;
        (next != NONE).then_some(next)
    }

    #[inline(always)]
    pub(super) fn push(&mut self, waiters: &mut impl Linked, waiter: u32) {
        *waiters.links(waiter) = Links {
            prev: self.last,
            next: NONE,
        };
        match self.last {
            NONE => self.first = waiter,
            last => waiters.links(last).next = waiter,
        }
        self.last = waiter;
    }

    #[inline(always)]
    pub(super) fn pop(&mut self, waiters: &mut impl Linked) -> Option<u32> {
        let first = self.first()?;
        let next = waiters.links(first).next;
        self.first = next;
        match next {
            NONE => self.last = NONE,
            next => waiters.links(next).prev = NONE,
        }
        Some(first)
    }

    /// Takes `waiter`, which must be in this queue, out of it.
    pub(super) fn remove(&mut self, waiters: &mut impl Linked, waiter: u32) {
        let Links { prev, next } = core::mem::replace(waiters.links(waiter), Links::UNLINKED);
        match prev {
            NONE => self.first = next,
            prev => waiters.links(prev).next = next,
        }
        match next {
            NONE => self.last = prev,
            next => waiters.links(next).prev = prev,
        }
    }
}
