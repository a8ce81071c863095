//! How another thread wakes a runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use costack_engine::sched::TaskId;

/// Rung by other threads; the runtime's own thread looks at it when it is idle and now and then.
pub(crate) struct Doorbell {
    rung: AtomicBool,
    /// Whose wait is over, and which.
    inbox: Mutex<Vec<(TaskId, u32)>>,
    thread: Thread,
    /// Set once the runtime's thread waits in a poller rather than parked.
    #[cfg(feature = "io")]
    pub(crate) poller: std::sync::OnceLock<polling::Poller>,
}

impl Doorbell {
    pub(super) fn new() -> Self {
        Doorbell {
            rung: AtomicBool::new(false),
            inbox: Mutex::default(),
            thread: std::thread::current(),
            #[cfg(feature = "io")]
            poller: std::sync::OnceLock::new(),
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Vec<(TaskId, u32)>> {
        // Nothing that panics runs under this lock.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wait of a task with this number is over. Called on any thread.
    pub(crate) fn ring(&self, task: TaskId, token: u32) {
        self.inbox().push((task, token));
        // The order matters: whoever has begun to wait in the poller has looked at the flag
        // after the poller was there for us to see.
        if self.rung.swap(true, Ordering::SeqCst) {
            return;
        }
        #[cfg(feature = "io")]
        if let Some(poller) = self.poller.get() {
            // A runtime that is gone needs no waking.
            let _ = poller.notify();
            return;
        }
        self.thread.unpark();
    }

    pub(super) fn was_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    /// Takes what has come.
    pub(super) fn take(&self) -> Vec<(TaskId, u32)> {
        if !self.was_rung() {
            return Vec::new();
        }
        self.rung.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.inbox())
    }

    /// Parks the runtime's thread until it is rung for, or for nothing.
    pub(super) fn wait(&self, timeout: Option<Duration>) {
        if self.was_rung() {
            return;
        }
        match timeout {
            Some(timeout) => std::thread::park_timeout(timeout),
            None => std::thread::park(),
        }
    }
}
