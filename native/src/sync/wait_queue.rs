use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{Outcome, QueueId, Wait};

use crate::runtime::{Core, current};

/// Tasks that wait until somebody wakes them, mostly to look again whether something holds.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
///
/// let mut rt = costack::Runtime::new();
/// let queue = Rc::new(costack::sync::WaitQueue::new());
/// let level = Rc::new(Cell::new(0));
/// let waiter = rt.spawn({
///     let (queue, level) = (Rc::clone(&queue), Rc::clone(&level));
///     move || queue.wait_until(|| level.get() >= 2)
/// });
/// for _ in 0..2 {
///     costack::yield_now();
///     level.set(level.get() + 1);
///     queue.wake_all();
/// }
/// rt.run()?;
/// waiter.join().unwrap();
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
pub struct WaitQueue {
    core: Rc<Core>,
    id: QueueId,
}

impl Default for WaitQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl WaitQueue {
    /// Nobody waits.
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new() -> Self {
        let core = current();
        let id = core.scheduler(|s| s.add_queue());
        WaitQueue { core, id }
    }

    /// Waits until somebody wakes it.
    pub fn wait(&self) {
        self.sleep(None);
    }

    /// As [`wait`](Self::wait), for so long at most; says whether it was woken.
    pub fn wait_timeout(&self, time: Duration) -> bool {
        self.sleep(super::due_us(&self.core, time))
    }

    /// Waits until `holds` says so, looking now and whenever it is woken. Nothing else runs
    /// between the look and the wait, so no wake-up is lost.
    pub fn wait_until(&self, mut holds: impl FnMut() -> bool) {
        while !holds() {
            self.wait();
        }
    }

    fn sleep(&self, due_us: Option<u64>) -> bool {
        let outcome = self
            .core
            .wait_until(due_us, |s| s.handle_wait_queue(self.id))
            .expect("the queue exists");
        self.core.check_cancel();
        outcome == Outcome::Granted
    }

    /// Wakes the task that waits longest; says whether there was one.
    pub fn wake_one(&self) -> bool {
        let woken = self.core.scheduler(|s| s.handle_wake_one(self.id));
        matches!(woken, Ok(Some(_)))
    }

    /// Wakes all that wait; says how many.
    pub fn wake_all(&self) -> usize {
        let woken = self.core.scheduler(|s| s.handle_wake_all(self.id));
        woken.unwrap_or(0) as usize
    }

    pub(super) fn select(&self) -> Wait {
        Wait::Queue(self.id)
    }
}

impl Drop for WaitQueue {
    fn drop(&mut self) {
        // Nobody waits: that would take a reference.
        let _ = self.core.scheduler(|s| s.remove_queue(self.id));
    }
}
