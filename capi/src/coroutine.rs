//! Coroutines.

use crate::stack::{bytes_or_default, costack_stack, raw_of};
use crate::status::*;
use costack::raw::{self, Control, ControlWords, Start, status_of};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// A coroutine: a function with a stack, which can stop at any depth of calls and go on later. It
/// stays on the thread that made it.
#[allow(non_camel_case_types)]
// In this form, because cbindgen shows the fields of what it knows to be laid out for C.
#[cfg_attr(all(), repr(C))]
#[derive(Debug)]
pub struct costack_coroutine {
    control: Control,
    argument: *mut c_void,
    cleanups: Option<Box<Cleanup>>,
    name: Option<CString>,
}

/// A coroutine's function. Its argument is the value of the first resume; what it returns is the
/// value of the last. C++ exceptions must not leave it.
#[allow(non_camel_case_types)]
pub type costack_function = Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>;

/// What is to be done when a coroutine ends; see costack_cleanup_push().
#[allow(non_camel_case_types)]
pub type costack_cleanup = Option<unsafe extern "C" fn(*mut c_void)>;

/// What may be said about a coroutine. All zero is the default.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct costack_options {
    /// The shared stack that it runs on. Null: a stack of its own, from the thread's pool.
    pub stack: *mut costack_stack,
    /// Usable bytes of its own stack. 0: COSTACK_DEFAULT_STACK_BYTES.
    pub stack_bytes: usize,
    /// Bytes that its save stack holds to begin with. 0: what is needed.
    pub save_bytes: usize,
    /// Not 0: it keeps floating-point control words of its own (MXCSR and the x87 control word,
    /// FPCR), to begin with those of now. Otherwise it shares them with whoever resumes it, which
    /// is faster.
    pub keep_fp: c_int,
    /// A name for costack_name(), copied. May be null.
    pub name: *const c_char,
}

/// Where a coroutine is in its life.
#[allow(non_camel_case_types)]
pub type costack_state = c_int;

/// It has not been resumed yet.
pub const COSTACK_STATE_FRESH: costack_state = 0;
/// It has yielded and can be resumed.
pub const COSTACK_STATE_SUSPENDED: costack_state = 1;
/// It is running, or waits for a coroutine that it has resumed.
pub const COSTACK_STATE_RUNNING: costack_state = 2;
/// It has ended.
pub const COSTACK_STATE_ENDED: costack_state = 3;

/// What costack_get_statistics() tells.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct costack_statistics {
    /// How often its bytes were copied out because another one needed the stack.
    pub saves: usize,
    /// How often they were copied back.
    pub restores: usize,
    /// Bytes of the last image that was saved.
    pub image_bytes: usize,
    /// Bytes of the largest image that was saved.
    pub largest_image_bytes: usize,
    /// Bytes that its save stack holds now.
    pub save_bytes: usize,
}

#[derive(Debug)]
struct Cleanup {
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    next: Option<Box<Cleanup>>,
}

/// Tells this header's coroutines from those of the other one.
const BINDING: u32 = 1;

const BYTES: usize = size_of::<costack_coroutine>();

/// Makes a coroutine that will call `function`. costack_argument() tells it `argument`. `options`
/// may be null.
///
/// # Safety
/// `options` is null or can be read, and so can what it points to; a shared stack in it is open
/// and of this thread. `coroutine` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_create(
    function: costack_function,
    argument: *mut c_void,
    options: *const costack_options,
    coroutine: *mut *mut costack_coroutine,
) -> costack_status {
    let Some(function) = function else {
        return COSTACK_ERROR_NULL;
    };
    if coroutine.is_null() {
        return COSTACK_ERROR_NULL;
    }
    let defaults = costack_options {
        stack: ptr::null_mut(),
        stack_bytes: 0,
        save_bytes: 0,
        keep_fp: 0,
        name: ptr::null(),
    };
    // SAFETY: the caller's promise.
    let options = unsafe { options.as_ref() }.unwrap_or(&defaults);
    let start = Start {
        function,
        returned,
        words: (options.keep_fp != 0).then(ControlWords::now),
        binding: BINDING,
    };
    // SAFETY: the caller's promise.
    let name = (!options.name.is_null()).then(|| unsafe { CStr::from_ptr(options.name) }.into());
    // SAFETY: the caller's promise; the block is as large as a `costack_coroutine`.
    let made = unsafe {
        match options.stack.is_null() {
            true => raw::create_own(bytes_or_default(options.stack_bytes), start, BYTES),
            false => raw::create_shared(raw_of(options.stack), start, options.save_bytes, BYTES),
        }
    };
    match made {
        Ok(control) => {
            let made = control.cast::<costack_coroutine>().as_ptr();
            // SAFETY: the fields behind the control block are there, and not written yet.
            unsafe {
                (&raw mut (*made).argument).write(argument);
                (&raw mut (*made).cleanups).write(None);
                (&raw mut (*made).name).write(name);
                *coroutine = made;
            }
            COSTACK_OK
        }
        Err(error) => status_of(&error),
    }
}

/// Runs a coroutine until it yields, COSTACK_YIELDED, or ends, COSTACK_ENDED.
///
/// `value` is what its costack_yield() receives, or its function as the argument. Unless `out` is
/// null, what it yields or returns is stored there. After an error nothing has changed.
///
/// An ordinary C function: it keeps all registers that the ABI calls callee-saved, MXCSR and the
/// x87 control word (FPCR) among them if the coroutine keeps its own.
///
/// # Safety
/// The coroutine is of this thread and not destroyed. `out` can be written until this returns.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_resume(
    coroutine: *mut costack_coroutine,
    value: *mut c_void,
    out: *mut *mut c_void,
) -> costack_status {
    costack::__resume!(values, 0)
}

/// Gives control and `value` from the running coroutine back to whoever resumed it; returns when
/// it is resumed again.
///
/// Unless `received` is null, the value that it is resumed with is stored there. Works at any
/// depth of calls. COSTACK_ERROR_NO_COROUTINE outside of every coroutine.
///
/// An ordinary C function, which keeps what costack_resume() keeps.
///
/// # Safety
/// `received` can be written until this returns. The thread runs on the coroutine's own stack.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_yield(
    value: *mut c_void,
    received: *mut *mut c_void,
) -> costack_status {
    costack::__suspend!(values, 0)
}

/// Ends the running coroutine, from any depth of calls, as if its function returned `value`. Does
/// not return, except with COSTACK_ERROR_NO_COROUTINE.
///
/// # Safety
/// The thread runs on the coroutine's own stack, whose frames are not needed any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_exit(value: *mut c_void) -> costack_status {
    let coroutine = costack_current();
    if coroutine.is_null() {
        return COSTACK_ERROR_NO_COROUTINE;
    }
    // SAFETY: it runs on this very stack.
    unsafe { returned(coroutine.cast(), value) }
}

/// The running coroutine; null outside of every coroutine.
#[unsafe(no_mangle)]
pub extern "C" fn costack_current() -> *mut costack_coroutine {
    let current = raw::current();
    // SAFETY: what is noted is alive.
    match !current.is_null() && unsafe { (*current).binding() } == BINDING {
        true => current.cast(),
        false => ptr::null_mut(),
    }
}

/// The argument that the running coroutine was made with; null outside of every coroutine.
#[unsafe(no_mangle)]
pub extern "C" fn costack_argument() -> *mut c_void {
    let current = costack_current();
    match current.is_null() {
        true => ptr::null_mut(),
        // SAFETY: what is noted is alive.
        false => unsafe { (*current).argument },
    }
}

/// The name that a coroutine was made with; null when it has none. Valid until it is destroyed.
///
/// # Safety
/// The coroutine is null, or of this thread and not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_name(coroutine: *const costack_coroutine) -> *const c_char {
    // SAFETY: the caller's promise.
    match unsafe { coroutine.as_ref() }.and_then(|coroutine| coroutine.name.as_ref()) {
        Some(name) => name.as_ptr(),
        None => ptr::null(),
    }
}

/// Where a coroutine is in its life: one of COSTACK_STATE_…, or COSTACK_ERROR_NULL.
///
/// # Safety
/// The coroutine is null, or of this thread and not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_get_state(coroutine: *const costack_coroutine) -> costack_state {
    // SAFETY: the caller's promise.
    let Some(coroutine) = (unsafe { coroutine.as_ref() }) else {
        return COSTACK_ERROR_NULL;
    };
    let control = &coroutine.control;
    match (control.is_ended(), control.is_suspended()) {
        (true, _) => COSTACK_STATE_ENDED,
        (false, false) => COSTACK_STATE_RUNNING,
        (false, true) if control.has_begun() => COSTACK_STATE_SUSPENDED,
        (false, true) => COSTACK_STATE_FRESH,
    }
}

/// Has the running coroutine call `function` with `argument` when it ends: when its function
/// returns, at costack_exit(), and when it is destroyed with its cleanups. The last one pushed is
/// called first, on the coroutine's own stack. `argument` may point to a local variable of a
/// function that takes the cleanup back before it returns.
///
/// # Safety
/// `function` may be called with `argument` then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_cleanup_push(
    function: costack_cleanup,
    argument: *mut c_void,
) -> costack_status {
    let Some(function) = function else {
        return COSTACK_ERROR_NULL;
    };
    let current = costack_current();
    if current.is_null() {
        return COSTACK_ERROR_NO_COROUTINE;
    }
    // SAFETY: what is noted is alive, and this borrow ends here.
    let cleanups = unsafe { &mut (*current).cleanups };
    *cleanups = Some(Box::new(Cleanup {
        function,
        argument,
        next: cleanups.take(),
    }));
    COSTACK_OK
}

/// Takes the last cleanup of the running coroutine back, and calls it if `run` is not 0.
///
/// # Safety
/// As for costack_cleanup_push().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_cleanup_pop(run: c_int) -> costack_status {
    let current = costack_current();
    if current.is_null() {
        return COSTACK_ERROR_NO_COROUTINE;
    }
    // SAFETY: what is noted is alive.
    match unsafe { take_cleanup(current) } {
        Some((function, argument)) => {
            if run != 0 {
                // SAFETY: the promise of whoever pushed it.
                unsafe { function(argument) };
            }
            COSTACK_OK
        }
        None => COSTACK_ERROR_NO_CLEANUP,
    }
}

/// Frees a coroutine that is not running.
///
/// If `run_cleanups` is not 0 and it is suspended, it first calls its cleanups, on its own stack;
/// one that yields goes on at once. Otherwise nothing of what it has begun is undone: its frames are
/// forgotten. COSTACK_ERROR_RUNNING for one that runs, or waits for one that it has resumed;
/// COSTACK_ERROR_STACK_IN_USE when cleanups cannot run because whoever calls this uses its stack.
///
/// # Safety
/// The coroutine is of this thread, and is not used after success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_destroy(
    coroutine: *mut costack_coroutine,
    run_cleanups: c_int,
) -> costack_status {
    if coroutine.is_null() {
        return COSTACK_ERROR_NULL;
    }
    let control = coroutine.cast::<Control>();
    // SAFETY: the caller's promise. No reference into the block is kept across a switch.
    unsafe {
        if !(*control).is_ended() && !(*control).is_suspended() {
            return COSTACK_ERROR_RUNNING;
        }
        if run_cleanups != 0 && (*control).is_suspended() && (*coroutine).cleanups.is_some() {
            if let Err(error) = raw::divert(control, do_nothing) {
                return status_of(&error);
            }
            loop {
                match raw::resume(control, ptr::null_mut(), ptr::null_mut()) {
                    COSTACK_ENDED => break,
                    COSTACK_YIELDED => {}
                    error => return error,
                }
            }
        }
        let name = (*coroutine).name.take();
        let mut cleanups = (*coroutine).cleanups.take();
        match raw::destroy(control, BYTES) {
            Ok(()) => {}
            Err(error) => {
                (*coroutine).name = name;
                (*coroutine).cleanups = cleanups;
                return status_of(&error);
            }
        }
        // One by one: a long list must not take a long chain of calls.
        while let Some(mut cleanup) = cleanups {
            cleanups = cleanup.next.take();
        }
    }
    COSTACK_OK
}

/// Tells what was copied for a coroutine.
///
/// # Safety
/// The coroutine is of this thread and not destroyed; `statistics` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_get_statistics(
    coroutine: *const costack_coroutine,
    statistics: *mut costack_statistics,
) -> costack_status {
    if coroutine.is_null() || statistics.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let save = (*coroutine).control.save_stack();
        *statistics = costack_statistics {
            saves: save.saves,
            restores: save.restores,
            image_bytes: save.bytes,
            largest_image_bytes: save.largest,
            save_bytes: save.capacity,
        };
    }
    COSTACK_OK
}

/// Gives back the stacks that the thread's pool keeps for coroutines to come.
#[unsafe(no_mangle)]
pub extern "C" fn costack_trim() {
    costack::stack::pool::trim();
}

/// What a coroutine calls after its function: on its own stack, with the frames of what it has not
/// returned from still there.
unsafe extern "C" fn returned(control: *mut Control, value: *mut c_void) -> ! {
    // SAFETY: it is running, and none of its frames is needed once its cleanups have run.
    unsafe {
        while let Some((function, argument)) = take_cleanup(control.cast()) {
            function(argument);
        }
        raw::end(control, value)
    }
}

/// The function of a coroutine that is destroyed: what comes after it are the cleanups.
unsafe extern "C" fn do_nothing(_value: *mut c_void) -> *mut c_void {
    ptr::null_mut()
}

/// # Safety
/// The coroutine is alive.
unsafe fn take_cleanup(
    coroutine: *mut costack_coroutine,
) -> Option<(unsafe extern "C" fn(*mut c_void), *mut c_void)> {
    // SAFETY: the caller's promise; the borrow ends here.
    let cleanups = unsafe { &mut (*coroutine).cleanups };
    let mut cleanup = cleanups.take()?;
    *cleanups = cleanup.next.take();
    Some((cleanup.function, cleanup.argument))
}
