//! Stacks that coroutines share.

use crate::status::{COSTACK_ERROR_NULL, COSTACK_OK, costack_status};
use costack::raw::{self, status_of};
use costack::stack::GuardedStack;
use std::ptr;

/// A stack that several coroutines share, one at a time.
///
/// While another one runs, a coroutine's bytes are in its save stack; they are copied back to the
/// same addresses before it goes on. So nobody may use a pointer to a local variable of a
/// coroutine while it is suspended.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct costack_stack {
    pub(crate) raw: raw::Stack,
}

/// Usable bytes of a stack when 0 are asked for.
pub const COSTACK_DEFAULT_STACK_BYTES: usize = 1024 * 1024;

const _: () = assert!(COSTACK_DEFAULT_STACK_BYTES == costack::stack::DEFAULT_STACK_BYTES);

/// What costack_stack_statistics() tells.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct costack_stack_statistics {
    /// Usable bytes.
    pub bytes: usize,
    /// Coroutines on it that have not ended.
    pub live: usize,
    /// Bytes of all save stacks and control blocks.
    pub save_bytes: usize,
}

pub(crate) fn bytes_or_default(bytes: usize) -> usize {
    match bytes {
        0 => COSTACK_DEFAULT_STACK_BYTES,
        bytes => bytes,
    }
}

/// Makes a shared stack of at least `bytes` usable bytes (0: COSTACK_DEFAULT_STACK_BYTES), with a
/// guard page below, for coroutines of the calling thread.
///
/// # Safety
/// `stack` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_stack_new(
    bytes: usize,
    stack: *mut *mut costack_stack,
) -> costack_status {
    if stack.is_null() {
        return COSTACK_ERROR_NULL;
    }
    let made = GuardedStack::new(bytes_or_default(bytes)).and_then(raw::Stack::new);
    match made {
        Ok(raw) => {
            // SAFETY: the caller's promise.
            unsafe { *stack = Box::into_raw(Box::new(costack_stack { raw })) };
            COSTACK_OK
        }
        Err(error) => status_of(&error),
    }
}

/// Gives a shared stack back. Coroutines that have ended may be destroyed later; live ones are
/// COSTACK_ERROR_STACK_HAS_COROUTINES, and nothing has changed.
///
/// # Safety
/// It came from costack_stack_new() on this thread, and is not used after success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_stack_destroy(stack: *mut costack_stack) -> costack_status {
    if stack.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if let Err(error) = (*stack).raw.close() {
            return status_of(&error);
        }
        drop(Box::from_raw(stack));
    }
    COSTACK_OK
}

/// Sets how many bytes the save stacks and control blocks of a stack may take together. What goes
/// beyond is COSTACK_ERROR_OUT_OF_MEMORY.
///
/// # Safety
/// It came from costack_stack_new() on this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_stack_limit(
    stack: *const costack_stack,
    bytes: usize,
) -> costack_status {
    if stack.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    unsafe { (*stack).raw.limit_save_bytes(bytes) };
    COSTACK_OK
}

/// Tells about a shared stack.
///
/// # Safety
/// It came from costack_stack_new() on this thread; `statistics` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn costack_stack_get_statistics(
    stack: *const costack_stack,
    statistics: *mut costack_stack_statistics,
) -> costack_status {
    if stack.is_null() || statistics.is_null() {
        return COSTACK_ERROR_NULL;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let raw = &(*stack).raw;
        *statistics = costack_stack_statistics {
            bytes: raw.bytes(),
            live: raw.live() as usize,
            save_bytes: raw.save_bytes(),
        };
    }
    COSTACK_OK
}

pub(crate) fn raw_of(stack: *mut costack_stack) -> *const raw::Stack {
    match stack.is_null() {
        true => ptr::null(),
        // SAFETY: the address of a field is taken, nothing is read.
        false => unsafe { &raw const (*stack).raw },
    }
}
