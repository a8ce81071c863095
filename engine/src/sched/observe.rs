//! What a scheduler tells about itself.

use super::{Outcome, TaskId, Wait};

/// One decision of a scheduler, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The task was made.
    Spawned {
        /// The new one.
        task: TaskId,
    },
    /// The task is about to run.
    Runs {
        /// Who runs.
        task: TaskId,
        /// To whom control will go back.
        by: TaskId,
    },
    /// The running task gives way and is ready to run again.
    Yields {
        /// Who yields.
        task: TaskId,
    },
    /// The running task gives way and waits.
    Waits {
        /// Who waits.
        task: TaskId,
        /// For what.
        wait: Wait,
    },
    /// The task's wait is over; it is ready.
    Wakes {
        /// Who was waiting.
        task: TaskId,
        /// How the wait ended.
        outcome: Outcome,
    },
    /// The task has ended.
    Ends {
        /// Which one.
        task: TaskId,
    },
}

/// Gets every [`Notice`] of a scheduler. That of `()` takes no notice and compiles to nothing.
pub trait Observer {
    /// Takes notice.
    fn notice(&mut self, notice: Notice);
}

impl Observer for () {
    #[inline(always)]
    fn notice(&mut self, _: Notice) {}
}

/// Takes notice while there is something to take notice with.
impl<O: Observer> Observer for Option<O> {
    #[inline(always)]
    fn notice(&mut self, notice: Notice) {
        if let Some(observer) = self {
            observer.notice(notice);
        }
    }
}

/// Keeps all notices.
impl Observer for alloc::vec::Vec<Notice> {
    fn notice(&mut self, notice: Notice) {
        self.push(notice);
    }
}
