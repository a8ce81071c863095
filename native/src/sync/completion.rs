use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{EventId, Outcome, Wait};

use crate::runtime::{Core, current};

/// Something that one task finishes and others wait for. It counts: each
/// [`complete`](Self::complete) lets one wait pass, now or later.
///
/// ```
/// use std::rc::Rc;
///
/// let mut rt = costack::Runtime::new();
/// let done = Rc::new(costack::sync::Completion::new());
/// let waiter = rt.spawn({
///     let done = Rc::clone(&done);
///     move || done.wait()
/// });
/// done.complete();
/// rt.run()?;
/// waiter.join().unwrap();
/// assert!(!done.done());
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
pub struct Completion {
    core: Rc<Core>,
    id: EventId,
}

impl Default for Completion {
    fn default() -> Self {
        Self::new()
    }
}

impl Completion {
    /// Nothing is completed. (Linux and barebox call this `init_completion`.)
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new() -> Self {
        let core = current();
        let id = core.scheduler(|s| s.add_event());
        Completion { core, id }
    }

    /// Waits for a completion and uses it up, unless it was for all.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// As [`wait`](Self::wait), for so long at most; says whether it was completed.
    pub fn wait_timeout(&self, time: Duration) -> bool {
        self.wait_until(super::due_us(&self.core, time))
    }

    fn wait_until(&self, due_us: Option<u64>) -> bool {
        let outcome = self
            .core
            .wait_until(due_us, |s| s.handle_wait(self.id))
            .expect("the event exists");
        self.core.check_cancel();
        outcome == Outcome::Granted
    }

    /// Uses up a completion if there is one.
    pub fn try_wait(&self) -> bool {
        self.core.scheduler(|s| s.handle_try_wait(self.id)) == Ok(true)
    }

    /// Lets one wait pass: that of the task that waits longest, or a later one.
    pub fn complete(&self) {
        // The event exists as long as `self`.
        let _ = self.core.scheduler(|s| s.handle_complete(self.id));
    }

    /// Lets all waits pass, until [`reinit`](Self::reinit).
    pub fn complete_all(&self) {
        // The event exists as long as `self`.
        let _ = self.core.scheduler(|s| s.handle_complete_all(self.id));
    }

    /// Nothing is completed any more. Those who wait go on waiting.
    pub fn reinit(&self) {
        // The event exists as long as `self`.
        let _ = self.core.scheduler(|s| s.reinit(self.id));
    }

    /// Whether a wait would pass.
    #[must_use]
    pub fn done(&self) -> bool {
        self.core.scheduler(|s| s.is_done(self.id))
    }

    pub(super) fn select(&self) -> Wait {
        Wait::Event(self.id)
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        // Nobody waits: that would take a reference.
        let _ = self.core.scheduler(|s| s.remove_event(self.id));
    }
}

/// A flag that tasks wait for: once set, all waits pass until it is reset.
pub struct Event {
    completion: Completion,
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl Event {
    /// Not set.
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new() -> Self {
        Event {
            completion: Completion::new(),
        }
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        self.completion.wait();
    }

    /// As [`wait`](Self::wait), for so long at most; says whether it is set.
    pub fn wait_timeout(&self, time: Duration) -> bool {
        self.completion.wait_timeout(time)
    }

    /// Sets it and wakes all that wait.
    pub fn set(&self) {
        self.completion.complete_all();
    }

    /// Not set any more.
    pub fn reset(&self) {
        self.completion.reinit();
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.completion.done()
    }

    pub(super) fn select(&self) -> Wait {
        self.completion.select()
    }
}
