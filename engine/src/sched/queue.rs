//! First-in-first-out queues threaded through the tasks themselves.
//!
//! A task is in at most one queue at a time (the ready queue, or that of the thing it waits for),
//! so two links in its record serve all queues: nothing is allocated, and taking a task out of
//! the middle costs the same as taking the first.

/// "No task" as a link.
const NONE: u32 = u32::MAX;

/// The two links of a task.
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

/// Whatever keeps the links of all tasks, by index.
pub(super) trait Linked {
    fn links(&mut self, index: u32) -> &mut Links;
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

    /// The task that [`pop`](Self::pop) would take.
    pub(super) fn first(self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub(super) fn push(&mut self, tasks: &mut impl Linked, index: u32) {
        *tasks.links(index) = Links {
            prev: self.last,
            next: NONE,
        };
        match self.last {
            NONE => self.first = index,
            last => tasks.links(last).next = index,
        }
        self.last = index;
    }

    pub(super) fn pop(&mut self, tasks: &mut impl Linked) -> Option<u32> {
        let index = self.first()?;
        self.remove(tasks, index);
        Some(index)
    }

    /// Takes `index`, which must be in this queue, out of it.
    pub(super) fn remove(&mut self, tasks: &mut impl Linked, index: u32) {
        let Links { prev, next } = core::mem::replace(tasks.links(index), Links::UNLINKED);
        match prev {
            NONE => self.first = next,
            prev => tasks.links(prev).next = next,
        }
        match next {
            NONE => self.last = prev,
            next => tasks.links(next).prev = prev,
        }
    }
}
