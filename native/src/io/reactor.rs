//! Which task waits for which file.
//!
//! Where the system can, files are registered once and edge-triggered: a file that becomes ready
//! is reported once, and what nobody waits for yet is remembered until somebody does. Elsewhere
//! each wait arms its file once.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use costack_engine::sched::TaskId;
use polling::{Event, Events, PollMode, Poller};

use crate::runtime::Core;
use crate::runtime::doorbell::Doorbell;

/// To read or to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

/// One direction of one file.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    /// Became ready while nobody waited.
    is_ready: bool,
    waiter: Option<(TaskId, u32)>,
}

#[derive(Debug)]
struct Source {
    fd: RawFd,
    halves: [Half; 2],
}

/// All files of one runtime.
pub(crate) struct Reactor {
    doorbell: Arc<Doorbell>,
    sources: RefCell<Vec<Option<Source>>>,
    free: RefCell<Vec<usize>>,
    live: Cell<usize>,
    events: RefCell<Option<Events>>,
}

impl Reactor {
    pub(crate) fn new(doorbell: Arc<Doorbell>) -> Self {
        Reactor {
            doorbell,
            sources: RefCell::default(),
            free: RefCell::default(),
            live: Cell::new(0),
            events: RefCell::default(),
        }
    }

    /// Whether there is any file to look at.
    pub(crate) fn is_in_use(&self) -> bool {
        self.live.get() > 0
    }

    fn poller(&self) -> io::Result<&Poller> {
        if let Some(poller) = self.doorbell.poller.get() {
            return Ok(poller);
        }
        let poller = Poller::new()?;
        Ok(self.doorbell.poller.get_or_init(|| poller))
    }

    /// Registers a file and returns its key.
    ///
    /// # Safety
    /// The file stays open until [`remove`](Self::remove) is called with the key.
    pub(super) unsafe fn add(&self, fd: RawFd) -> io::Result<usize> {
        let poller = self.poller()?;
        let key = match self.free.borrow_mut().pop() {
            Some(key) => key,
            None => {
                let mut sources = self.sources.borrow_mut();
                sources.push(None);
                sources.len() - 1
            }
        };
        let is_edge = poller.supports_edge();
        let (interest, mode) = match is_edge {
            true => (Event::all(key), PollMode::Edge),
            false => (Event::none(key), PollMode::Oneshot),
        };
        // SAFETY: the file is open, and is removed before it is closed: the caller's promise.
        if let Err(error) = unsafe { poller.add_with_mode(fd, interest, mode) } {
            self.free.borrow_mut().push(key);
            return Err(error);
        }
        self.sources.borrow_mut()[key] = Some(Source {
            fd,
            halves: [Half::default(); 2],
        });
        self.live.set(self.live.get() + 1);
        Ok(key)
    }

    pub(super) fn remove(&self, key: usize, fd: BorrowedFd<'_>) {
        let source = self.sources.borrow_mut()[key].take();
        debug_assert!(source.is_some_and(|source| {
            // Whoever waits borrows the file, so nobody does.
            source.halves.iter().all(|half| half.waiter.is_none())
        }));
        if let Ok(poller) = self.poller() {
            // A file that the system has dropped already needs no removal.
            let _ = poller.delete(fd);
        }
        self.free.borrow_mut().push(key);
        self.live.set(self.live.get() - 1);
    }

    /// Notes that a task waits. `false` when there is nothing to wait for: the file became ready
    /// since it was looked at last.
    pub(super) fn wait(
        &self,
        key: usize,
        direction: Direction,
        waiter: (TaskId, u32),
    ) -> io::Result<bool> {
        let mut sources = self.sources.borrow_mut();
        let source = sources[key].as_mut().expect("a file that is registered");
        let half = &mut source.halves[direction as usize];
        if std::mem::take(&mut half.is_ready) {
            return Ok(false);
        }
        if half.waiter.is_some() {
            let text = "another task waits for the same file already";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        half.waiter = Some(waiter);
        let poller = self.poller()?;
        if !poller.supports_edge() {
            let [read, write] = source.halves.map(|half| half.waiter.is_some());
            // SAFETY: a registered file is open until it is removed.
            let fd = unsafe { BorrowedFd::borrow_raw(source.fd) };
            poller.modify(fd, Event::new(key, read, write))?;
        }
        Ok(true)
    }

    /// A task waits no longer.
    pub(super) fn forget(&self, key: usize, direction: Direction) {
        if let Some(source) = &mut self.sources.borrow_mut()[key] {
            source.halves[direction as usize].waiter = None;
        }
    }

    /// Takes in what has become ready, waiting so long at most: forever for `None`.
    pub(crate) fn turn(&self, core: &Core, timeout: Option<Duration>) {
        if !self.is_in_use() {
            return;
        }
        let Some(poller) = self.doorbell.poller.get() else {
            return;
        };
        let mut events = self.events.take().unwrap_or_default();
        events.clear();
        // A signal that interrupts the wait is as good as a timeout.
        if poller.wait(&mut events, timeout).is_ok() {
            for event in events.iter() {
                self.ready(core, event.key, [event.readable, event.writable]);
            }
        }
        *self.events.borrow_mut() = Some(events);
    }

    fn ready(&self, core: &Core, key: usize, which: [bool; 2]) {
        let mut sources = self.sources.borrow_mut();
        let Some(source) = sources.get_mut(key).and_then(Option::as_mut) else {
            return;
        };
        for (half, is_ready) in source.halves.iter_mut().zip(which) {
            if is_ready {
                match half.waiter.take() {
                    Some((task, token)) => {
                        core.scheduler(|s| s.handle_external(task, token));
                    }
                    None => half.is_ready = true,
                }
            }
        }
    }
}
