//! Error codes and the version.

use costack::raw::status;
use std::ffi::{CStr, c_char, c_int, c_uint};

/// What a function returns: not negative when it has done what it was asked for.
#[allow(non_camel_case_types)]
pub type costack_status = c_int;

/// Done.
pub const COSTACK_OK: costack_status = 0;
/// costack_resume(): the coroutine has yielded. The same number as COSTACK_OK.
pub const COSTACK_YIELDED: costack_status = 0;
/// costack_resume(): the coroutine has ended.
pub const COSTACK_ENDED: costack_status = 1;
/// costack_mutex_lock(), costack_completion_wait(): the time was up before.
pub const COSTACK_TIMED_OUT: costack_status = 2;
/// A pointer that must not be null is null.
pub const COSTACK_ERROR_NULL: costack_status = -1;
/// The coroutine or task has ended before.
pub const COSTACK_ERROR_FINISHED: costack_status = -2;
/// The coroutine is running, or waits for one that it has resumed itself.
pub const COSTACK_ERROR_RUNNING: costack_status = -3;
/// The coroutine's shared stack is in use by whoever resumes it, or by one further up.
pub const COSTACK_ERROR_STACK_IN_USE: costack_status = -4;
/// There is no memory for a stack or a save stack.
pub const COSTACK_ERROR_OUT_OF_MEMORY: costack_status = -5;
/// No coroutine of this header is running.
pub const COSTACK_ERROR_NO_COROUTINE: costack_status = -6;
/// The stack has coroutines that have not ended.
pub const COSTACK_ERROR_STACK_HAS_COROUTINES: costack_status = -7;
/// A size is too small or too large.
pub const COSTACK_ERROR_SIZE: costack_status = -8;
/// The thread has no runtime.
pub const COSTACK_ERROR_NO_RUNTIME: costack_status = -9;
/// The thread has a runtime already.
pub const COSTACK_ERROR_HAS_RUNTIME: costack_status = -10;
/// Nothing can run any more, and nothing will wake anybody.
pub const COSTACK_ERROR_DEADLOCK: costack_status = -11;
/// The task was cancelled: it is to end soon.
pub const COSTACK_ERROR_CANCELLED: costack_status = -12;
/// The mutex is held by another task, or by none.
pub const COSTACK_ERROR_NOT_OWNER: costack_status = -13;
/// The task holds this mutex already; to wait for it would wait forever.
pub const COSTACK_ERROR_HELD: costack_status = -14;
/// A task holds it or waits for it.
pub const COSTACK_ERROR_BUSY: costack_status = -15;
/// A coroutine cannot wait like a task: only a task's own function, and what it calls, can.
pub const COSTACK_ERROR_IN_COROUTINE: costack_status = -16;
/// A task cannot wait for itself, nor end its own runtime.
pub const COSTACK_ERROR_SELF: costack_status = -17;
/// There is no cleanup to take back.
pub const COSTACK_ERROR_NO_CLEANUP: costack_status = -18;

// What the assembly returns is what the header says.
const _: () = {
    assert!(COSTACK_YIELDED == status::YIELDED);
    assert!(COSTACK_ENDED == status::ENDED);
    assert!(COSTACK_ERROR_NULL == status::NULL);
    assert!(COSTACK_ERROR_FINISHED == status::FINISHED);
    assert!(COSTACK_ERROR_RUNNING == status::RUNNING);
    assert!(COSTACK_ERROR_STACK_IN_USE == status::STACK_IN_USE);
    assert!(COSTACK_ERROR_OUT_OF_MEMORY == status::OUT_OF_MEMORY);
    assert!(COSTACK_ERROR_NO_COROUTINE == status::NO_COROUTINE);
    assert!(COSTACK_ERROR_STACK_HAS_COROUTINES == status::STACK_HAS_COROUTINES);
    assert!(COSTACK_ERROR_SIZE == status::SIZE);
};

/// Major version of this header.
pub const COSTACK_VERSION_MAJOR: c_uint = 0;
/// Minor version of this header.
pub const COSTACK_VERSION_MINOR: c_uint = 1;
/// Patch version of this header.
pub const COSTACK_VERSION_PATCH: c_uint = 0;

/// The version of the library that the program runs with: major * 1000000 + minor * 1000 + patch.
#[unsafe(no_mangle)]
pub extern "C" fn costack_version() -> c_uint {
    COSTACK_VERSION_MAJOR * 1_000_000 + COSTACK_VERSION_MINOR * 1000 + COSTACK_VERSION_PATCH
}

/// The version of the library as text, such as "1.2.3".
#[unsafe(no_mangle)]
pub extern "C" fn costack_version_string() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}

/// What a status means, in a few words and what to do about it. Never null; valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn costack_strerror(status: costack_status) -> *const c_char {
    text(status).as_ptr()
}

fn text(status: costack_status) -> &'static CStr {
    match status {
        COSTACK_OK => c"done",
        COSTACK_ENDED => c"the coroutine has ended",
        COSTACK_TIMED_OUT => c"the time was up before",
        COSTACK_ERROR_NULL => c"a pointer that must not be null is null",
        COSTACK_ERROR_FINISHED => c"it has ended, so it cannot be resumed: destroy it",
        COSTACK_ERROR_RUNNING => {
            c"it is running, or waits for a coroutine that it has resumed: let it yield or end first"
        }
        COSTACK_ERROR_STACK_IN_USE => {
            c"its shared stack is in use by whoever resumes it: resume it from a coroutine on \
              another stack"
        }
        COSTACK_ERROR_OUT_OF_MEMORY => {
            c"there is no memory for a stack or a save stack; nothing has changed"
        }
        COSTACK_ERROR_NO_COROUTINE => {
            c"no coroutine is running: call this from a coroutine's function"
        }
        COSTACK_ERROR_STACK_HAS_COROUTINES => {
            c"the stack has coroutines that have not ended: destroy them first"
        }
        COSTACK_ERROR_SIZE => {
            c"a size is too small or too large: a stack takes 4096 bytes at least"
        }
        COSTACK_ERROR_NO_RUNTIME => c"the thread has no runtime: make one first",
        COSTACK_ERROR_HAS_RUNTIME => c"the thread has a runtime already: use or destroy that",
        COSTACK_ERROR_DEADLOCK => c"deadlock: nothing can run, and nothing will wake anybody",
        COSTACK_ERROR_CANCELLED => c"the task was cancelled: it is to clean up and return",
        COSTACK_ERROR_NOT_OWNER => c"the mutex is held by another task, or by none",
        COSTACK_ERROR_HELD => c"the task holds this mutex already: unlock it first",
        COSTACK_ERROR_BUSY => c"a task holds it or waits for it",
        COSTACK_ERROR_IN_COROUTINE => {
            c"a coroutine cannot wait like a task: yield to the task, and wait there"
        }
        COSTACK_ERROR_SELF => c"a task cannot wait for itself, nor end its own runtime",
        COSTACK_ERROR_NO_CLEANUP => c"there is no cleanup to take back",
        _ => c"an unknown status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_version_of_the_package() {
        let numbers = [
            COSTACK_VERSION_MAJOR,
            COSTACK_VERSION_MINOR,
            COSTACK_VERSION_PATCH,
        ];
        let text = numbers.map(|number| number.to_string()).join(".");
        assert_eq!(text, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn every_status_has_a_text_of_its_own() {
        let mut texts: Vec<_> = (COSTACK_ERROR_NO_CLEANUP..=COSTACK_TIMED_OUT)
            .map(text)
            .collect();
        assert!(!texts.contains(&text(99)));
        assert_eq!(text(COSTACK_ERROR_NO_CLEANUP - 1), text(99));
        let all = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), all);
    }
}
