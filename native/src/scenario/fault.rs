//! How a scenario goes wrong on native. What the simulator reports as well is said in the same
//! words, and the tests compare them.

use std::fmt;

use costack_engine::Refusal;

/// What went wrong, in which task, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The task's name; `main` for main.
    pub task: String,
    /// The line of the statement that ran, from 1.
    pub line: u32,
    /// What happened.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.task, self.line, self.kind)
    }
}

impl std::error::Error for Fault {}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// A failed `assert`.
    Assertion {
        /// The expression as written, with the values in it.
        text: String,
    },
    /// A division or remainder by zero.
    DivisionByZero,
    /// The task's stack has no room for the next call.
    Overflow {
        /// The stack's name.
        stack: String,
    },
    /// An index outside its array. The language leaves it unchecked, but frames on native hold
    /// the interpreter's own words too, so only the simulator can show what comes of it.
    IndexOutside {
        /// The index.
        index: i64,
        /// How many words the array has.
        len: usize,
    },
    /// A pointer that points at no word of the program.
    WildPointer {
        /// Its value.
        address: i64,
    },
    /// The engine refuses to do what the program wants.
    Refused {
        /// What was wanted, such as `resume A`.
        wanted: String,
        /// Why not.
        refusal: Refusal,
    },
    /// A name that no `spawn` has given a task yet.
    NoTask {
        /// What was wanted, such as `resume A`.
        wanted: String,
    },
    /// Nobody is ready and nobody will be.
    Deadlock {
        /// Who waits for what, one line for each.
        waits: Vec<String>,
    },
    /// As many statements have run as were allowed.
    StepLimit {
        /// How many.
        statements: u64,
    },
    /// A stack or a save stack could not be had.
    Memory {
        /// What the library said.
        reason: String,
    },
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Assertion { text } => write!(f, "assertion failed: {text}"),
            FaultKind::DivisionByZero => f.write_str("division by zero"),
            FaultKind::Overflow { stack } => {
                write!(f, "stack overflow: {stack} has no room for another call")
            }
            FaultKind::IndexOutside { index, len } => write!(
                f,
                "index {index} is outside the array of {len} words; the simulator shows what it hits"
            ),
            FaultKind::WildPointer { address } => write!(
                f,
                "{address:#x} points at no word of the program; the simulator shows what it hits"
            ),
            FaultKind::Refused { wanted, refusal } => write!(f, "{wanted}: {refusal}"),
            FaultKind::NoTask { wanted } => {
                write!(f, "{wanted}: no task has been made under this name yet")
            }
            FaultKind::Deadlock { waits } => write!(f, "deadlock: {}", waits.join("; ")),
            FaultKind::StepLimit { statements } => {
                write!(f, "stopped after {statements} statements, the step limit")
            }
            FaultKind::Memory { reason } => f.write_str(reason),
        }
    }
}

/// Why the walk of a task's code ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// `exit`.
    Exit,
    /// A fault has been recorded; everybody stops.
    Fault,
}
