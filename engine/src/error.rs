use core::fmt;

/// Why the engine refuses a request. Nothing has changed when one of these comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The coroutine has returned, exited or been freed.
    Finished,
    /// The coroutine is running now, or waits for a coroutine that it has resumed itself.
    Running,
    /// The stack's owner is running, or waits for a coroutine that it has resumed. Its bytes are
    /// in use, so no other coroutine can be brought onto that stack.
    StackInUse,
    /// The stack cannot be destroyed, because live coroutines are bound to it.
    StackHasCoroutines {
        /// How many.
        live: u32,
    },
    /// An own stack has its one coroutine already.
    OwnStackTaken,
    /// The task waits for something and is not ready to run.
    Blocked,
    /// The id is not one of this scheduler's.
    Foreign,
    /// The mutex is not held by the task that wants to release it.
    NotOwner,
    /// The task holds this mutex already; to wait for it would wait forever.
    WouldDeadlockOnSelf,
    /// It cannot be removed while a task holds it or waits for it.
    InUse,
    /// This cannot be one of several things that a task waits for.
    NotSelectable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Finished => f.write_str("it has finished and cannot be resumed"),
            Refusal::Running => f.write_str("it is running already"),
            Refusal::StackInUse => f.write_str(
                "its stack is in use by the coroutine that resumes it, or by one further up",
            ),
            Refusal::StackHasCoroutines { live } => {
                write!(
                    f,
                    "the stack still has {live} live coroutine(s) bound to it"
                )
            }
            Refusal::OwnStackTaken => f.write_str("an own stack takes one coroutine only"),
            Refusal::Blocked => f.write_str("it waits for something and is not ready to run"),
            Refusal::Foreign => f.write_str("it belongs to another scheduler"),
            Refusal::NotOwner => f.write_str("the mutex is held by another task, or by none"),
            Refusal::WouldDeadlockOnSelf => f.write_str("it holds this mutex already"),
            Refusal::InUse => f.write_str("a task holds it or waits for it"),
            Refusal::NotSelectable => {
                f.write_str("this cannot be one of several things that a task waits for")
            }
        }
    }
}

impl core::error::Error for Refusal {}
