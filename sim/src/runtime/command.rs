//! What is asked of the [`Core`](super::core::Core), and what comes back.

use costack_engine::Refusal;

use crate::fault::{StackNumber, TaskNumber};
use crate::host::Anchor;
use crate::view::SaveStack;

/// What is done to memory between two instructions, one step each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Micro {
    /// A larger save stack for the task.
    Grow { task: TaskNumber, bytes: u32 },
    /// The task's bytes from its stack to its save stack.
    Save { task: TaskNumber, bytes: u32 },
    /// The stack changes hands.
    Owner {
        stack: StackNumber,
        from: Option<TaskNumber>,
        to: Option<TaskNumber>,
    },
    /// The task's bytes from its save stack to its stack.
    Restore { task: TaskNumber, bytes: u32 },
    /// Nobody is ready before this time.
    Clock { to_us: u64 },
}

/// Why the running task calls on the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Yield,
    Run,
    Sleep {
        us: u64,
    },
    Lock {
        mutex: u32,
    },
    Wait {
        event: u32,
    },
    Join {
        name: u32,
    },
    Send {
        channel: u32,
        value: u64,
    },
    Receive {
        channel: u32,
    },
    /// By the number of its site; a request has two words at most.
    Request {
        site: u32,
        words: [i64; 2],
    },
    Exit,
}

/// What changes the core.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// The running task, which will go on at `from`, resumes the task of this name.
    Resume { name: u32, from: Anchor },
    /// Main asks whom to resume.
    Poll { from: Anchor },
    /// The running task calls on the scheduler and may have to give way.
    Call { call: Call, from: Anchor },
    /// Control has come back from the task that gave way last; `bytes` of its stack are in use.
    Back { bytes: u32, low: u64 },
    /// Takes the next thing to be done to memory.
    Next,
    /// A task's image was saved.
    Saved {
        task: TaskNumber,
        low: u64,
        bytes: u32,
        checksum: u64,
    },
    /// A task has this save stack now.
    Grown {
        task: TaskNumber,
        address: u64,
        capacity: u32,
    },
    /// Hands the task of this name to the scheduler.
    Start { name: u32 },
    /// Makes a task under this name.
    Make {
        name: u32,
        stack: StackNumber,
        fp: bool,
        image: u32,
    },
    /// Where a new task's things are in memory.
    Place {
        task: TaskNumber,
        control_block: u64,
        save: SaveStack,
    },
    /// Hands over a mutex.
    Unlock { mutex: u32 },
    /// Completes an event.
    Complete { event: u32 },
}

/// How the running task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It runs on.
    On,
    /// By a switch; what is pending is done first.
    Switch { target: TaskNumber, fp: bool },
    /// Main has to poll.
    Poll,
    /// Time passes, then main polls again.
    Idle,
    /// The program is over.
    End,
}

/// What comes back from a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing more to do.
    Done,
    /// How the running task goes on, and a value that a task has received.
    Go {
        go: Go,
        received: Option<(TaskNumber, u64)>,
    },
    /// The engine refuses.
    Refused(Refusal),
    /// No task has been made under this name yet.
    NoTask,
    /// Nobody is ready, and nobody will be.
    Deadlock,
    /// What is to be done to memory next, and whether there is more after it.
    Micro(Option<(Micro, bool)>),
    /// A task was made.
    Made(TaskNumber),
    /// The task that is woken.
    Woken(Option<TaskNumber>),
}
