use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use costack_engine::sched::{Outcome, WorkId};

use crate::runtime::{Core, current};

type Item = Box<dyn FnOnce()>;

/// Functions that workers run, in the order in which they were submitted.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
///
/// let mut rt = costack::Runtime::new();
/// let work = costack::sync::WorkQueue::new(1);
/// let log = Rc::new(RefCell::new(Vec::new()));
/// for number in 0..3 {
///     let log = Rc::clone(&log);
///     work.submit(move || log.borrow_mut().push(number));
/// }
/// work.flush();
/// assert_eq!(*log.borrow(), [0, 1, 2]);
/// ```
///
/// The workers are tasks in the background, so a runtime's `run` does not wait for work; flush
/// does. Dropping the queue ends them; what was not begun is dropped.
pub struct WorkQueue {
    shared: Rc<Shared>,
    workers: Vec<crate::JoinHandle<()>>,
}

struct Shared {
    core: Rc<Core>,
    id: WorkId,
    items: RefCell<VecDeque<Item>>,
}

/// One item that is being done, until it is done or its worker is cancelled.
struct Active<'a> {
    shared: &'a Shared,
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        // The work queue exists as long as `Shared`.
        let _ = self
            .shared
            .core
            .scheduler(|s| s.handle_work_done(self.shared.id));
    }
}

impl WorkQueue {
    /// A queue with so many workers.
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        let core = current();
        let id = core.scheduler(|s| s.add_work_queue());
        let shared = Rc::new(Shared {
            core,
            id,
            items: RefCell::default(),
        });
        let worker = || {
            let shared = Rc::clone(&shared);
            let builder = crate::task().name("worker").background();
            builder.spawn(move || shared.work())
        };
        let workers = (0..workers.max(1)).map(|_| worker()).collect();
        WorkQueue { shared, workers }
    }

    /// Puts one more function at the end.
    pub fn submit(&self, function: impl FnOnce() + 'static) {
        self.shared.items.borrow_mut().push_back(Box::new(function));
        // The work queue exists as long as `Shared`.
        let _ = self
            .shared
            .core
            .scheduler(|s| s.handle_submit(self.shared.id));
    }

    /// Waits until everything is done that was submitted.
    pub fn flush(&self) {
        let id = self.shared.id;
        self.shared
            .core
            .wait(|s| s.handle_flush(id))
            .expect("the work queue exists");
        self.shared.core.check_cancel();
    }
}

impl Shared {
    fn work(&self) {
        loop {
            let outcome = self.core.wait(|s| s.handle_take_work(self.id));
            let active = (outcome == Ok(Outcome::Granted)).then(|| Active { shared: self });
            self.core.check_cancel();
            let item = self.items.borrow_mut().pop_front();
            if let Some(item) = item {
                // One that panics is done, too; the panic hook has told of it.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(item))
                    .inspect_err(|_| self.core.check_cancel());
            }
            drop(active);
        }
    }
}

impl Drop for WorkQueue {
    fn drop(&mut self) {
        let items = std::mem::take(&mut *self.shared.items.borrow_mut());
        drop(items);
        for worker in &self.workers {
            worker.cancel();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The workers are gone, and nobody flushes: that would take a reference.
        let _ = self.core.scheduler(|s| s.remove_work_queue(self.id));
    }
}
