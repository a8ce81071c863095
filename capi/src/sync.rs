//! What tasks wait for: mutexes and completions.

use crate::runtime::{check_runtime, status, wait};
use crate::status::*;
use costack::runtime::running;
use costack::sync::{Completion, Mutex, MutexGuard};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::time::Duration;

/// A mutex between the tasks of a runtime. Whoever unlocks it hands it to the task that has waited
/// longest.
#[allow(non_camel_case_types)]
pub struct costack_mutex {
    // Dropped before the mutex that it borrows from.
    guard: RefCell<Option<MutexGuard<'static, ()>>>,
    mutex: Box<Mutex<()>>,
    waiting: Cell<usize>,
}

/// Something that one task completes and others wait for. It counts: each costack_complete() lets
/// one wait pass, now or later.
#[allow(non_camel_case_types)]
pub struct costack_completion {
    completion: Completion,
    waiting: Cell<usize>,
}

/// Counts a task that waits, however its wait ends.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Makes a mutex that nobody holds.
///
/// # Safety
/// `mutex` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_new(mutex: *mut *mut costack_mutex) -> costack_status {
    if mutex.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if let Err(error) = check_runtime() {
        return error;
    }
    let made = costack_mutex {
        guard: RefCell::new(None),
        mutex: Box::new(Mutex::new(())),
        waiting: Cell::new(0),
    };
    // SAFETY: the caller's promise.
    unsafe { *mutex = Box::into_raw(Box::new(made)) };
    COSTACK_OK
}

impl costack_mutex {
    /// Takes it, by way of `lock`, which may wait.
    fn take(
        &self,
        timed_out: costack_status,
        lock: impl FnOnce(&'static Mutex<()>) -> Option<MutexGuard<'static, ()>>,
    ) -> Result<costack_status, costack_status> {
        check_runtime()?;
        if self.mutex.owner() == Some(running()) {
            return Err(COSTACK_ERROR_HELD);
        }
        let _waiting = Waiting::new(&self.waiting);
        // SAFETY: the mutex is boxed, and outlives its guard, which is kept beside it; nobody
        // destroys it while a task waits for it or holds it.
        let mutex: &'static Mutex<()> = unsafe { &*std::ptr::from_ref::<Mutex<()>>(&self.mutex) };
        match wait(|| lock(mutex))? {
            Some(guard) => {
                *self.guard.borrow_mut() = Some(guard);
                Ok(COSTACK_OK)
            }
            None => Ok(timed_out),
        }
    }
}

/// Waits until the running task has the mutex.
///
/// # Safety
/// It came from costack_mutex_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_lock(mutex: *mut costack_mutex) -> costack_status {
    // SAFETY: the caller's promise.
    match unsafe { mutex.as_ref() } {
        Some(mutex) => status(mutex.take(COSTACK_TIMED_OUT, |mutex| Some(mutex.lock()))),
        None => COSTACK_ERROR_NULL,
    }
}

/// Waits for so many microseconds at most: COSTACK_TIMED_OUT then.
///
/// # Safety
/// It came from costack_mutex_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_lock_timeout(
    mutex: *mut costack_mutex,
    time_us: u64,
) -> costack_status {
    let time = Duration::from_micros(time_us);
    // SAFETY: the caller's promise.
    match unsafe { mutex.as_ref() } {
        Some(mutex) => status(mutex.take(COSTACK_TIMED_OUT, |mutex| mutex.lock_timeout(time))),
        None => COSTACK_ERROR_NULL,
    }
}

/// Takes the mutex if nobody has it, else COSTACK_ERROR_BUSY.
///
/// # Safety
/// It came from costack_mutex_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_try_lock(mutex: *mut costack_mutex) -> costack_status {
    // SAFETY: the caller's promise.
    match unsafe { mutex.as_ref() } {
        Some(mutex) => status(mutex.take(COSTACK_ERROR_BUSY, |mutex| mutex.try_lock())),
        None => COSTACK_ERROR_NULL,
    }
}

/// Hands the mutex over. Only the task that has it may do so.
///
/// # Safety
/// It came from costack_mutex_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_unlock(mutex: *mut costack_mutex) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(mutex) = (unsafe { mutex.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    if let Err(error) = check_runtime() {
        return error;
    }
    if mutex.mutex.owner() != Some(running()) {
        return COSTACK_ERROR_NOT_OWNER;
    }
    let guard = mutex.guard.borrow_mut().take();
    drop(guard);
    COSTACK_OK
}

/// Frees a mutex that no task holds or waits for, else COSTACK_ERROR_BUSY.
///
/// # Safety
/// It came from costack_mutex_new() on this thread, and is not used after success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_mutex_destroy(mutex: *mut costack_mutex) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(seen) = (unsafe { mutex.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    if seen.waiting.get() > 0 || seen.mutex.owner().is_some() {
        return COSTACK_ERROR_BUSY;
    }
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(mutex) });
    COSTACK_OK
}

/// Makes a completion that is not completed.
///
/// # Safety
/// `completion` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_new(
    completion: *mut *mut costack_completion,
) -> costack_status {
    if completion.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if let Err(error) = check_runtime() {
        return error;
    }
    let made = costack_completion {
        completion: Completion::new(),
        waiting: Cell::new(0),
    };
    // SAFETY: the caller's promise.
    unsafe { *completion = Box::into_raw(Box::new(made)) };
    COSTACK_OK
}

/// Waits for a completion and uses it up, unless it was for all.
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_wait(
    completion: *mut costack_completion,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(completion) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    let _waiting = Waiting::new(&completion.waiting);
    status(wait(|| completion.completion.wait()).map(|()| COSTACK_OK))
}

/// Waits for so many microseconds at most: COSTACK_TIMED_OUT then.
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_wait_timeout(
    completion: *mut costack_completion,
    time_us: u64,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(completion) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    let _waiting = Waiting::new(&completion.waiting);
    let time = Duration::from_micros(time_us);
    let waited = wait(|| completion.completion.wait_timeout(time));
    status(waited.map(|completed| match completed {
        true => COSTACK_OK,
        false => COSTACK_TIMED_OUT,
    }))
}

/// Lets one wait pass: that of the task that waits longest, or a later one.
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_complete(completion: *mut costack_completion) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(completion) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    completion.completion.complete();
    COSTACK_OK
}

/// Lets all waits pass, until costack_completion_reinit().
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_complete_all(
    completion: *mut costack_completion,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(completion) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    completion.completion.complete_all();
    COSTACK_OK
}

/// Nothing is completed any more. Those who wait go on waiting.
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_reinit(
    completion: *mut costack_completion,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(completion) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    completion.completion.reinit();
    COSTACK_OK
}

/// Whether a wait would pass: 1 or 0, or COSTACK_ERROR_NULL.
///
/// # Safety
/// It came from costack_completion_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_is_done(
    completion: *const costack_completion,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { completion.as_ref() } {
        Some(completion) => c_int::from(completion.completion.done()),
        None => COSTACK_ERROR_NULL,
    }
}

/// Frees a completion that no task waits for, else COSTACK_ERROR_BUSY.
///
/// # Safety
/// It came from costack_completion_new() on this thread, and is not used after success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_completion_destroy(
    completion: *mut costack_completion,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(seen) = (unsafe { completion.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    if seen.waiting.get() > 0 {
        return COSTACK_ERROR_BUSY;
    }
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(completion) });
    COSTACK_OK
}
