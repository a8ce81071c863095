//! What happened in a run, and when.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use costack_engine::event::Event;
use costack_engine::sched::TaskId;
use costack_engine::trace::{Record, What};

use super::Clock;

/// The run's clock, and all that has happened by it.
pub(super) struct Log {
    clock: Clock,
    started: Instant,
    virtual_us: Cell<u64>,
    entries: RefCell<Vec<(u64, Entry)>>,
}

enum Entry {
    /// On the stack with this number; a task that blocks says what it waits for.
    Event(Event<TaskId>, u32, String),
    /// A task was made, or a line printed.
    Other(What),
}

impl Log {
    pub(super) fn new(clock: Clock) -> Self {
        Log {
            clock,
            started: Instant::now(),
            virtual_us: Cell::new(0),
            entries: RefCell::default(),
        }
    }

    pub(super) fn now_us(&self) -> u64 {
        match self.clock {
            Clock::Real => self.started.elapsed().as_micros() as u64,
            Clock::Virtual => self.virtual_us.get(),
        }
    }

    /// Lets virtual time go on; real time goes on by itself.
    pub(super) fn set_virtual_us(&self, now_us: u64) {
        self.virtual_us.set(now_us);
    }

    fn now_ns(&self) -> u64 {
        match self.clock {
            Clock::Real => self.started.elapsed().as_nanos() as u64,
            Clock::Virtual => self.virtual_us.get().saturating_mul(1000),
        }
    }

    pub(super) fn event(&self, event: Event<TaskId>, stack: u32, on: String) {
        let entry = Entry::Event(event, stack, on);
        self.entries.borrow_mut().push((self.now_ns(), entry));
    }

    pub(super) fn other(&self, what: What) {
        let entry = Entry::Other(what);
        self.entries.borrow_mut().push((self.now_ns(), entry));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    pub(super) fn truncate(&self, len: usize) {
        self.entries.borrow_mut().truncate(len);
    }

    /// Takes all out: the printed lines, the events, and the records of a trace.
    pub(super) fn take(&self) -> (Vec<String>, Vec<Event<TaskId>>, Vec<Record>) {
        let (mut output, mut events) = (Vec::new(), Vec::new());
        let entries = self.entries.take().into_iter().map(|(at_ns, entry)| {
            let what = match entry {
                Entry::Event(event, stack, on) => {
                    events.push(event);
                    What::of(event.map(|task| task.index() as u32), || on, stack)
                }
                Entry::Other(what) => {
                    if let What::Print { text, .. } = &what {
                        output.push(text.clone());
                    }
                    what
                }
            };
            Record { at_ns, what }
        });
        let records = entries.collect();
        (output, events, records)
    }
}
