//! Timers: at most one per task, in a heap with four children per node.
//!
//! Setting one and taking the first costs O(log n), and so does taking out any other, because
//! each task knows its place in the heap. Equal times fire in the order in which they were set.

use alloc::vec::Vec;

/// "Not in the heap" as a place.
const NOWHERE: u32 = u32::MAX;

const CHILDREN: usize = 4;

/// A due time and a running number, so that equal times fire in the order in which they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    due_us: u64,
    number: u64,
    task: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    /// No node is later than its children.
    heap: Vec<Timer>,
    /// Where a task's timer is, by task; shorter than the tasks are many while the others never
    /// had one.
    places: Vec<u32>,
    made: u64,
}

impl Timers {
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// When the first one is due.
    #[inline(always)]
    pub(super) fn first_due_us(&self) -> Option<u64> {
        self.heap.first().map(|timer| timer.due_us)
    }

    /// Sets the task's timer, in place of the one that it may have.
    pub(super) fn set(&mut self, task: u32, due_us: u64) {
        self.remove(task);
        let timer = Timer {
            due_us,
            number: self.made,
            task,
        };
        self.made += 1;
        if self.places.len() <= task as usize {
            self.places.resize(task as usize + 1, NOWHERE);
        }
        self.heap.push(timer);
        self.rise(self.heap.len() - 1, timer);
    }

    /// Takes the first one that is due, and returns its task.
    #[inline]
    pub(super) fn pop_due(&mut self, now_us: u64) -> Option<u32> {
        let first = *self.heap.first()?;
        if first.due_us > now_us {
            return None;
        }
        self.take(0);
        Some(first.task)
    }

    /// Takes out the task's timer, if it has one.
    #[inline]
    pub(super) fn remove(&mut self, task: u32) {
        match self.places.get(task as usize) {
            None | Some(&NOWHERE) => {}
            Some(&place) => self.take(place as usize),
        }
    }

    fn take(&mut self, place: usize) {
        let gone = self.heap[place];
        self.places[gone.task as usize] = NOWHERE;
        let Some(last) = self.heap.pop() else { return };
        if place < self.heap.len() {
            // The last one fills the gap, and belongs above it or below it.
            if last < gone {
                self.rise(place, last);
            } else {
                self.sink(place, last);
            }
        }
    }

    /// Puts `timer` at `place` or above.
    fn rise(&mut self, mut place: usize, timer: Timer) {
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if self.heap[parent] < timer {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, timer);
    }

    /// Puts `timer` at `place` or below.
    fn sink(&mut self, mut place: usize, timer: Timer) {
        loop {
            let first = place * CHILDREN + 1;
            let last = (first + CHILDREN).min(self.heap.len());
            let Some(child) = (first..last).min_by_key(|&child| self.heap[child]) else {
                break;
            };
            if timer < self.heap[child] {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, timer);
    }

    fn put(&mut self, place: usize, timer: Timer) {
        self.heap[place] = timer;
        self.places[timer.task as usize] = place as u32;
    }
}

/// Due times of something that happens every so often, without drift.
///
/// ```
/// use costack_engine::sched::Interval;
///
/// let mut ticks = Interval::new(0, 100);
/// assert_eq!(ticks.next_due_us(0), 100);
/// assert_eq!(ticks.next_due_us(130), 200);
/// // Three were missed: they are left out, and the rhythm stays.
/// assert_eq!(ticks.next_due_us(555), 600);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    period_us: u64,
    last_us: u64,
}

impl Interval {
    /// Counts from `start_us`. A period of 0 counts as 1.
    pub const fn new(start_us: u64, period_us: u64) -> Self {
        Interval {
            period_us: if period_us == 0 { 1 } else { period_us },
            last_us: start_us,
        }
    }

    /// The first due time after both the last one and `now_us`.
    pub fn next_due_us(&mut self, now_us: u64) -> u64 {
        let periods = now_us.saturating_sub(self.last_us) / self.period_us + 1;
        self.last_us = self
            .last_us
            .saturating_add(periods.saturating_mul(self.period_us));
        self.last_us
    }
}
