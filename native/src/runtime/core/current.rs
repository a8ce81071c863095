//! The thread's runtime and the task that runs.

use std::cell::Cell;
use std::ptr::NonNull;

use super::Core;
use crate::runtime::task::TaskYielder;

/// What a thread has of its runtime. All zero: nothing.
pub(in crate::runtime) struct Current {
    /// Null when it has none.
    pub(super) core: Cell<*const Core>,
    /// `None` while main runs.
    pub(super) yielder: Cell<Option<NonNull<TaskYielder>>>,
}

#[cfg(target_os = "linux")]
mod variable {
    use super::Current;
    use crate::arch::{define_thread_variable, thread_variable};

    // The version is in it, for a program may have several.
    macro_rules! symbol {
        () => {
            concat!(
                "costack_current_",
                env!("CARGO_PKG_VERSION_MAJOR"),
                "_",
                env!("CARGO_PKG_VERSION_MINOR"),
                "_",
                env!("CARGO_PKG_VERSION_PATCH")
            )
        };
    }

    const _: () = assert!(size_of::<Current>() <= 16);
    define_thread_variable!(symbol!(), 16);

    /// Looks at what this thread has.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(in crate::runtime) fn of_thread<T>(look: impl FnOnce(&Current) -> T) -> T {
        let current: *const Current = thread_variable!(symbol!());
        // SAFETY: it is as large, zero means nothing in both of its fields, it is this thread's alone,
        // and lives as long as that.
        look(unsafe { &*current })
    }
}

#[cfg(not(target_os = "linux"))]
mod variable {
    use super::{Cell, Current};

    thread_local! {
        static CURRENT: Current = const {
            Current { core: Cell::new(std::ptr::null()), yielder: Cell::new(None) }
        };
    }

    /// Looks at what this thread has.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(in crate::runtime) fn of_thread<T>(look: impl FnOnce(&Current) -> T) -> T {
        CURRENT.with(look)
    }
}

pub(in crate::runtime) use variable::of_thread;
