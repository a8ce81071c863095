use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{MutexId, Outcome, TaskId, Wait};

use crate::runtime::{Core, current};

/// A value that one task at a time may use, across everything that it waits for meanwhile.
///
/// Whoever releases it hands it over to the task that has waited longest.
///
/// ```
/// use std::rc::Rc;
///
/// let mut rt = costack::Runtime::new();
/// let total = Rc::new(costack::sync::Mutex::new(0));
/// for number in 1..=4 {
///     let total = Rc::clone(&total);
///     rt.spawn(move || {
///         let mut total = total.lock();
///         let before = *total;
///         costack::yield_now();
///         *total = before + number;
///     })
///     .detach();
/// }
/// rt.run()?;
/// assert_eq!(*total.lock(), 10);
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
pub struct Mutex<T: ?Sized> {
    core: Rc<Core>,
    id: MutexId,
    value: UnsafeCell<T>,
}

impl<T> Mutex<T> {
    /// A mutex of the thread's runtime that nobody holds.
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new(value: T) -> Self {
        let core = current();
        let id = core.scheduler(|s| s.add_mutex());
        Mutex {
            core,
            id,
            value: UnsafeCell::new(value),
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the running task has it.
    ///
    /// # Panics
    /// If it has it already: it would wait forever.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        match self.lock_until(None) {
            Some(guard) => guard,
            None => unreachable!("a lock without a limit does not time out"),
        }
    }

    /// As [`lock`](Self::lock), for so long at most.
    ///
    /// # Panics
    /// If the running task has it already.
    pub fn lock_timeout(&self, time: Duration) -> Option<MutexGuard<'_, T>> {
        self.lock_until(super::due_us(&self.core, time))
    }

    fn lock_until(&self, due_us: Option<u64>) -> Option<MutexGuard<'_, T>> {
        let outcome = match self.core.wait_until(due_us, |s| s.handle_lock(self.id)) {
            Ok(outcome) => outcome,
            Err(refusal) => panic!("a task cannot lock a mutex twice: {refusal}"),
        };
        // Handed over before a cancellation, it must be released again; the guard sees to that.
        let guard = (outcome == Outcome::Granted).then(|| MutexGuard { mutex: self });
        self.core.check_cancel();
        guard
    }

    /// Takes it if nobody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let locked = self.core.scheduler(|s| s.handle_try_lock(self.id));
        (locked == Ok(true)).then(|| MutexGuard { mutex: self })
    }

    /// The task that has it.
    #[must_use]
    pub fn owner(&self) -> Option<TaskId> {
        self.core.scheduler(|s| s.mutex_owner(self.id))
    }

    pub(super) fn wait(&self) -> Wait {
        Wait::Mutex(self.id)
    }

    /// The guard for a lock that a select has taken.
    pub(super) fn selected(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self }
    }
}

impl<T: ?Sized> Drop for Mutex<T> {
    fn drop(&mut self) {
        // A guard that was forgotten keeps the number.
        let _ = self.core.scheduler(|s| s.remove_mutex(self.id));
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("id", &self.id.0)
            .field("owner", &self.owner())
            .finish_non_exhaustive()
    }
}

/// The right to use the value; dropping it hands the mutex over.
#[must_use = "dropping it releases the mutex"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there is one guard at a time, as the engine grants the mutex to one task at a
        // time and takes it back when the guard goes; and everything is on one thread.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the borrow of the guard is exclusive.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let mutex = self.mutex;
        // Whoever has the guard may release, even if the guard has changed hands.
        let _ = mutex.core.scheduler(|s| s.hand_over(mutex.id));
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
