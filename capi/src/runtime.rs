//! The runtime: tasks, time, pools of stacks.

use crate::stack::bytes_or_default;
use crate::status::*;
use costack::raw::{self, status_of};
use costack::runtime::{Clock, JoinError, TaskId, running};
use costack::{JoinHandle, Runtime, StackPool};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::Duration;

/// Runs tasks on the thread that makes it; a thread has one at most. The code that made it is a
/// task too, *main*: it may sleep, lock and join as any task may, and the others run meanwhile.
#[allow(non_camel_case_types)]
pub struct costack_runtime {
    runtime: Runtime,
}

/// A task that can be joined.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct costack_task {
    handle: JoinHandle<usize>,
}

/// Some shared stacks. Each task that shares one is bound, when it first runs, to the stack with
/// the fewest live tasks.
#[allow(non_camel_case_types)]
pub struct costack_pool {
    pool: StackPool,
}

/// A task's function. What it returns, costack_task_join() gives. C++ exceptions must not leave it.
#[allow(non_camel_case_types)]
pub type costack_task_function = Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>;

/// costack_runtime_new(): the clock jumps to the next timer whenever nobody can run.
pub const COSTACK_VIRTUAL_TIME: c_uint = 1;

/// What may be said about a task. All zero is the default.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct costack_task_options {
    /// The pool whose stacks it shares. Null: a stack of its own.
    pub pool: *mut costack_pool,
    /// Usable bytes of its own stack. 0: COSTACK_DEFAULT_STACK_BYTES.
    pub stack_bytes: usize,
    /// Microseconds until it starts.
    pub delay_us: u64,
    /// Not 0: it keeps floating-point control words of its own.
    pub keep_fp: c_int,
    /// Not 0: costack_runtime_run() does not wait for it.
    pub background: c_int,
    /// A name for reports, copied. May be null.
    pub name: *const c_char,
}

/// What costack_runtime_get_statistics() tells.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct costack_runtime_statistics {
    /// How often a task was resumed.
    pub switches: u64,
    /// Tasks made.
    pub spawned: u64,
    /// Tasks that have not ended, without main.
    pub live: u64,
    /// Timers that are set.
    pub timers: u64,
}

thread_local! {
    static HAS_RUNTIME: Cell<bool> = const { Cell::new(false) };
}

/// Whether the thread has a runtime of this header.
pub(crate) fn check_runtime() -> Result<(), costack_status> {
    match HAS_RUNTIME.get() {
        true => Ok(()),
        false => Err(COSTACK_ERROR_NO_RUNTIME),
    }
}

/// Does something that may let other tasks run meanwhile.
///
/// # Errors
/// - When the thread has no runtime, or a coroutine runs: other tasks would run as part of it.
/// - When the task was cancelled, or main would wait for ever.
pub(crate) fn wait<T>(act: impl FnOnce() -> T) -> Result<T, costack_status> {
    check_runtime()?;
    if raw::is_in_coroutine() {
        return Err(COSTACK_ERROR_IN_COROUTINE);
    }
    // Only a cancellation and a deadlock unwind; C code is told of both by a status. What the
    // runtime has is consistent in both cases.
    catch_unwind(AssertUnwindSafe(act)).map_err(|_payload| match running() {
        TaskId::MAIN => COSTACK_ERROR_DEADLOCK,
        _ => COSTACK_ERROR_CANCELLED,
    })
}

pub(crate) fn status(result: Result<costack_status, costack_status>) -> costack_status {
    result.unwrap_or_else(|error| error)
}

/// Makes the thread's runtime. `flags`: 0 or COSTACK_VIRTUAL_TIME.
///
/// # Safety
/// `runtime` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_runtime_new(
    flags: c_uint,
    runtime: *mut *mut costack_runtime,
) -> costack_status {
    if runtime.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if HAS_RUNTIME.get() {
        return COSTACK_ERROR_HAS_RUNTIME;
    }
    let clock = match flags & COSTACK_VIRTUAL_TIME {
        0 => Clock::real(),
        _ => Clock::virtual_time(),
    };
    let made = costack_runtime {
        runtime: Runtime::builder().clock(clock).build(),
    };
    HAS_RUNTIME.set(true);
    // SAFETY: the caller's promise.
    unsafe { *runtime = Box::into_raw(Box::new(made)) };
    COSTACK_OK
}

/// Ends a runtime: cancels its tasks, lets them clean up and return, and gives all stacks back.
/// From main only.
///
/// # Safety
/// It came from costack_runtime_new() on this thread, and is not used after success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_runtime_destroy(runtime: *mut costack_runtime) -> costack_status {
    if runtime.is_null() {
        return COSTACK_ERROR_NULL;
    }
    status(check_runtime().and_then(|()| {
        if running() != TaskId::MAIN {
            return Err(COSTACK_ERROR_SELF);
        }
        if raw::is_in_coroutine() {
            return Err(COSTACK_ERROR_IN_COROUTINE);
        }
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(runtime) });
        HAS_RUNTIME.set(false);
        Ok(COSTACK_OK)
    }))
}

/// Waits in main until every task has ended, but for those in the background.
/// COSTACK_ERROR_DEADLOCK when nothing can run any more and nothing will wake anybody.
///
/// # Safety
/// It came from costack_runtime_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_runtime_run(runtime: *mut costack_runtime) -> costack_status {
    // SAFETY: the caller's promise; a task that calls this is refused before it is used.
    let Some(runtime) = (unsafe { runtime.as_mut() }) else {
        return COSTACK_ERROR_NULL;
    };
    if check_runtime().is_ok() && running() != TaskId::MAIN {
        return COSTACK_ERROR_SELF;
    }
    match wait(|| runtime.runtime.run()) {
        Ok(Ok(())) => COSTACK_OK,
        Ok(Err(_deadlock)) => COSTACK_ERROR_DEADLOCK,
        Err(error) => error,
    }
}

/// Tells what a runtime has done.
///
/// # Safety
/// It came from costack_runtime_new() on this thread; `statistics` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_runtime_get_statistics(
    runtime: *const costack_runtime,
    statistics: *mut costack_runtime_statistics,
) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(runtime) = (unsafe { runtime.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    if statistics.is_null() {
        return COSTACK_ERROR_NULL;
    }
    let seen = runtime.runtime.statistics();
    let told = costack_runtime_statistics {
        switches: seen.switches,
        spawned: seen.spawned,
        live: seen.live,
        timers: seen.timers,
    };
    // SAFETY: the caller's promise.
    unsafe { *statistics = told };
    COSTACK_OK
}

/// Makes a task of the thread's runtime. It gets its turn when the running task waits or yields.
/// `options` may be null. If `task` is null, the task goes on by itself.
///
/// # Safety
/// `options` is null or can be read, and so can what it points to. `task` is null or can be written.
/// With a pool: while the task waits, nobody uses a pointer to its local variables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_spawn(
    function: costack_task_function,
    argument: *mut c_void,
    options: *const costack_task_options,
    task: *mut *mut costack_task,
) -> costack_status {
    let Some(function) = function else {
        return COSTACK_ERROR_NULL;
    };
    if let Err(error) = check_runtime() {
        return error;
    }
    let mut builder = costack::task();
    let mut pool = ptr::null_mut();
    // SAFETY: the caller's promise.
    if let Some(options) = unsafe { options.as_ref() } {
        builder = builder
            .stack_bytes(bytes_or_default(options.stack_bytes))
            .keep_fp(options.keep_fp != 0);
        if !options.name.is_null() {
            // SAFETY: the caller's promise.
            let name = unsafe { CStr::from_ptr(options.name) };
            builder = builder.name(name.to_string_lossy());
        }
        if options.background != 0 {
            builder = builder.background();
        }
        if options.delay_us != 0 {
            builder = builder.delay(Duration::from_micros(options.delay_us));
        }
        pool = options.pool;
    }
    // SAFETY: whoever gave the function says that it may be called so.
    let body = move || unsafe { function(argument) }.expose_provenance();
    // SAFETY: the caller's promise, on the pool and on the task's local variables.
    let handle = match unsafe { pool.as_ref() } {
        // SAFETY: as above.
        Some(pool) => unsafe { builder.shared(&pool.pool).spawn(body) },
        None => builder.spawn(body),
    };
    match task.is_null() {
        true => handle.detach(),
        // SAFETY: the caller's promise.
        false => unsafe { *task = Box::into_raw(Box::new(costack_task { handle })) },
    }
    COSTACK_OK
}

/// Waits until a task has ended, and stores what its function returned, unless `result` is null.
/// The handle is gone afterwards, except when the call itself was not allowed
/// (COSTACK_ERROR_NULL, _SELF, _NO_RUNTIME, _IN_COROUTINE).
///
/// # Safety
/// The task came from costack_spawn() on this thread. `result` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_task_join(
    task: *mut costack_task,
    result: *mut *mut c_void,
) -> costack_status {
    if task.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if let Err(error) = check_runtime() {
        return error;
    }
    if raw::is_in_coroutine() {
        return COSTACK_ERROR_IN_COROUTINE;
    }
    // SAFETY: the caller's promise.
    if unsafe { (*task).handle.id() } == running() {
        return COSTACK_ERROR_SELF;
    }
    // SAFETY: the caller's promise.
    let task = unsafe { Box::from_raw(task) };
    match wait(|| task.handle.join()) {
        Ok(Ok(value)) => {
            if !result.is_null() {
                // SAFETY: the caller's promise.
                unsafe { *result = ptr::with_exposed_provenance_mut(value) };
            }
            COSTACK_OK
        }
        Ok(Err(JoinError::Deadlock(_))) => COSTACK_ERROR_DEADLOCK,
        Ok(Err(JoinError::Failed(error))) => status_of(&error),
        Ok(Err(_)) => COSTACK_ERROR_CANCELLED,
        Err(error) => error,
    }
}

/// Lets a task go on by itself; the handle is gone.
///
/// # Safety
/// The task came from costack_spawn() on this thread, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_task_detach(task: *mut costack_task) -> costack_status {
    if task.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    unsafe { Box::from_raw(task) }.handle.detach();
    COSTACK_OK
}

/// Cancels a task: whatever it waits for, now or later, is COSTACK_ERROR_CANCELLED, upon which it
/// is to clean up and return. One that has not begun to run never does.
///
/// # Safety
/// The task came from costack_spawn() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_task_cancel(task: *mut costack_task) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(task) = (unsafe { task.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    task.handle.cancel();
    COSTACK_OK
}

/// Asks a task to stop: costack_stop_requested() tells it.
///
/// # Safety
/// The task came from costack_spawn() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_task_stop(task: *mut costack_task) -> costack_status {
    // SAFETY: the caller's promise.
    let Some(task) = (unsafe { task.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    task.handle.stop();
    COSTACK_OK
}

/// Whether a task has ended: 1 or 0, or COSTACK_ERROR_NULL.
///
/// # Safety
/// The task came from costack_spawn() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_task_is_ended(task: *const costack_task) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { task.as_ref() } {
        Some(task) => c_int::from(task.handle.is_finished()),
        None => COSTACK_ERROR_NULL,
    }
}

/// Whether the running task was asked to stop: 1 or 0, or COSTACK_ERROR_NO_RUNTIME.
#[unsafe(no_mangle)]
pub extern "C" fn costack_stop_requested() -> c_int {
    status(check_runtime().map(|()| c_int::from(costack::stop_requested())))
}

/// Has the running task, or main, wait for so many microseconds; others run meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn costack_sleep_us(time_us: u64) -> costack_status {
    status(wait(|| costack::sleep(Duration::from_micros(time_us))).map(|()| COSTACK_OK))
}

/// Lets all other tasks that are ready run first.
#[unsafe(no_mangle)]
pub extern "C" fn costack_yield_now() -> costack_status {
    status(wait(costack::yield_now).map(|()| COSTACK_OK))
}

/// Stores how many microseconds have passed since the thread's runtime was made.
///
/// # Safety
/// `time_us` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_now_us(time_us: *mut u64) -> costack_status {
    if time_us.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if let Err(error) = check_runtime() {
        return error;
    }
    let now = costack::runtime::now().as_micros();
    // SAFETY: the caller's promise.
    unsafe { *time_us = u64::try_from(now).unwrap_or(u64::MAX) };
    COSTACK_OK
}

/// Makes `count` shared stacks for tasks of the thread's runtime, one at least, of `bytes` usable
/// bytes each (0: COSTACK_DEFAULT_STACK_BYTES).
///
/// # Safety
/// `pool` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_pool_new(
    count: usize,
    bytes: usize,
    pool: *mut *mut costack_pool,
) -> costack_status {
    if pool.is_null() {
        return COSTACK_ERROR_NULL;
    }
    if let Err(error) = check_runtime() {
        return error;
    }
    match StackPool::new(count, bytes_or_default(bytes)) {
        Ok(made) => {
            // SAFETY: the caller's promise.
            unsafe { *pool = Box::into_raw(Box::new(costack_pool { pool: made })) };
            COSTACK_OK
        }
        Err(error) => status_of(&error),
    }
}

/// Gives a pool back. Tasks that share its stacks keep them until they have ended.
///
/// # Safety
/// It came from costack_pool_new() on this thread, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_pool_destroy(pool: *mut costack_pool) -> costack_status {
    if pool.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(pool) });
    COSTACK_OK
}
