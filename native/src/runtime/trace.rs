//! What happens in a runtime, told to an observer and written down.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Write};
use std::rc::Rc;

use costack_engine::event::Event;
use costack_engine::sched::{Notice, Observer, Outcome, TaskId};
use costack_engine::trace::{self, Header, Record, StackKind, What};
use costack_engine::tune::{Copied, Run, runs, tune};

use crate::Id;

/// Takes notice of wakes while somebody watches. What the loop sees by itself is told by the loop,
/// so that a switch costs nothing more here: those arms are empty.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(super) is_on: bool,
    pub(super) woken: Vec<(TaskId, Outcome)>,
}

impl Observer for Sink {
    #[inline(always)]
    fn notice(&mut self, notice: Notice) {
        if let Notice::Wakes { task, outcome } = notice
            && self.is_on
        {
            self.woken.push((task, outcome));
        }
    }
}

type Watcher = Box<dyn FnMut(&Record)>;

/// Tells an observer.
#[derive(Default)]
pub(super) struct Tracer {
    is_on: Cell<bool>,
    /// Taken out while it is told something, so that it may cause events itself; those are not
    /// told.
    watcher: Cell<Option<Watcher>>,
    /// The tasks that coroutines are.
    tasks: RefCell<HashMap<Id, u32>>,
}

impl Tracer {
    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.is_on.get()
    }

    pub(super) fn start(&self, watcher: Watcher) {
        self.watcher.set(Some(watcher));
        self.is_on.set(true);
    }

    pub(super) fn stop(&self) {
        self.is_on.set(false);
        self.watcher.set(None);
        self.tasks.borrow_mut().clear();
    }

    pub(super) fn knows(&self, id: Id, number: u32) {
        self.tasks.borrow_mut().insert(id, number);
    }

    fn record(&self, at_ns: u64, what: What) {
        if let Some(mut watcher) = self.watcher.take() {
            watcher(&Record { at_ns, what });
            if self.is_on() {
                self.watcher.set(Some(watcher));
            }
        }
    }

    pub(super) fn tell(
        &self,
        at_ns: u64,
        event: Event<u32>,
        on: impl FnOnce() -> String,
        stack: u32,
    ) {
        self.record(at_ns, What::of(event, on, stack));
    }

    pub(super) fn tell_wake(&self, at_ns: u64, task: u32, outcome: Outcome) {
        let why = outcome.into();
        self.record(at_ns, What::Wake { task, why });
    }

    pub(super) fn tell_task(&self, at_ns: u64, task: u32, name: Option<&str>, is_shared: bool) {
        let name = name.map(str::to_owned);
        let stack = match is_shared {
            true => StackKind::Shared,
            false => StackKind::Own,
        };
        let group = None;
        self.record(
            at_ns,
            What::Task {
                task,
                name,
                group,
                stack,
            },
        );
    }

    pub(super) fn tell_copy(&self, at_ns: u64, event: Event<Id>, stack: u32) {
        if self.is_on() {
            let tasks = self.tasks.borrow();
            let event = event.map(|id| tasks.get(&id).copied().unwrap_or(u32::MAX));
            drop(tasks);
            self.tell(at_ns, event, String::new, stack);
        }
    }
}

/// A trace in memory; see [`Runtime::record`](super::Runtime::record).
#[derive(Clone, Debug, Default)]
pub struct Recording {
    records: Rc<RefCell<Vec<Record>>>,
}

impl Recording {
    pub(super) fn push(&self, record: &Record) {
        self.records.borrow_mut().push(record.clone());
    }

    /// What was recorded so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.records.borrow().clone()
    }

    /// Writes the trace in the format that the simulator reads and writes as well: see
    /// [`costack_engine::trace`].
    ///
    /// # Errors
    /// What `target` gives.
    pub fn write_trace(&self, mut target: impl Write) -> io::Result<()> {
        let text = trace::write(&Header::new("native"), &*self.records.borrow());
        target.write_all(text.as_bytes())?;
        target.flush()
    }

    /// Writes the trace as Chrome and Perfetto read it: <https://ui.perfetto.dev> opens it. A
    /// lane per task shows when it ran; a lane per stack shows who owned it and what was copied.
    ///
    /// # Errors
    /// What `target` gives.
    pub fn write_chrome(&self, mut target: impl Write) -> io::Result<()> {
        let text = trace::perfetto(&*self.records.borrow());
        target.write_all(text.as_bytes())?;
        target.flush()
    }

    /// The turns of those tasks that share stacks, each with the bytes in use at its end.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        runs(&*self.records.borrow())
    }

    /// What so many shared stacks would have copied for the same turns.
    #[must_use]
    pub fn tune(&self, stacks: u32) -> Copied {
        tune(&self.runs(), stacks)
    }
}
