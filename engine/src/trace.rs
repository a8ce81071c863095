//! The trace format: what happened, one JSON object per line.
//!
//! Native and the simulator write the same. The first line is a [`Header`], every other one a
//! [`Record`]:
//!
//! ```text
//! {"costack_trace":1,"backend":"native","sum":"b1c2…"}
//! {"at_ns":0,"do":"task","task":1,"name":"a","stack":"shared","sum":"…"}
//! {"at_ns":120,"do":"resume","task":1,"by":0,"sum":"…"}
//! {"at_ns":180,"do":"block","task":1,"on":"lock mutex 0","sum":"…"}
//! {"at_ns":900,"do":"wake","task":1,"why":"granted","sum":"…"}
//! {"do":"close","records":4,"sum":"…"}
//! ```
//!
//! Every line ends in a checksum of itself and all lines before it, and the last one says how many
//! records there are: a reader refuses a trace that was cut or altered, and names the line. With
//! the feature `json`, `write` and `read` do all this.
//!
//! Tasks are numbers: 0 is main, others count from 1 in the order in which they were made, and no
//! number is used twice. Stacks are numbers as well. Whoever reads a trace skips lines whose `do`
//! it does not know; the version changes when a line that is known changes its meaning.

use alloc::string::String;

#[cfg(feature = "json")]
mod perfetto;
#[cfg(feature = "json")]
mod text;

#[cfg(feature = "json")]
pub use perfetto::perfetto;
#[cfg(feature = "json")]
pub use text::{Kind, Mistake, Trace, read, seal, write};

use crate::event::Event;
use crate::sched::Outcome;

/// The version of the format.
pub const VERSION: u32 = 1;

/// What a task waits for whose wait was over as it began: it was cancelled before, or what it waits
/// for has come from another thread.
pub const OVER: &str = "what is over";

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Header {
    /// The [version](VERSION).
    pub costack_trace: u32,
    /// Who wrote it: `native` or `sim`.
    pub backend: String,
    /// The instruction set that was simulated.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub isa: Option<String>,
    /// The title of the scenario that ran.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub scenario: Option<String>,
}

impl Header {
    /// The first line of a trace of this version.
    pub fn new(backend: &str) -> Self {
        Header {
            costack_trace: VERSION,
            backend: backend.into(),
            isa: None,
            scenario: None,
        }
    }
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// When, in nanoseconds since the backend's clock began. In the simulator a step takes one of
    /// them, and time that tasks sleep through counts in full.
    pub at_ns: u64,
    /// What.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub what: What,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "do", rename_all = "snake_case"))]
pub enum What {
    /// A task was made, or was there already when the trace began.
    Task {
        /// Its number.
        task: u32,
        /// Its name.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        name: Option<String>,
        /// Its group's name.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        group: Option<String>,
        /// Where it runs.
        stack: StackKind,
    },
    /// `task` is about to run, resumed by `by`.
    Resume {
        /// The one resumed.
        task: u32,
        /// Its resumer.
        by: u32,
    },
    /// `task` gave control back and is ready.
    Yield {
        /// Which one.
        task: u32,
    },
    /// `task` gave control back and waits.
    Block {
        /// Which one.
        task: u32,
        /// For what, in words.
        on: String,
    },
    /// `task` waits no longer.
    Wake {
        /// Which one.
        task: u32,
        /// How its wait ended.
        why: Why,
    },
    /// `task` has ended.
    End {
        /// Which one.
        task: u32,
    },
    /// The image of `task` was copied into its save stack.
    Save {
        /// Whose.
        task: u32,
        /// How much.
        bytes: u32,
        /// From which stack.
        stack: u32,
    },
    /// The image of `task` was copied back.
    Restore {
        /// Whose.
        task: u32,
        /// How much.
        bytes: u32,
        /// To which stack.
        stack: u32,
    },
    /// A stack changed hands.
    Owner {
        /// Which stack.
        stack: u32,
        /// Who owned it.
        from: Option<u32>,
        /// Who owns it now.
        to: Option<u32>,
    },
    /// A line was printed.
    Print {
        /// By whom.
        task: u32,
        /// The line.
        text: String,
    },
    /// Something went wrong, and the run ended.
    Fault {
        /// The task that ran.
        task: u32,
        /// The line of the scenario, from 1; 0 if none is known.
        line: u32,
        /// What happened, in words.
        reason: String,
    },
}

/// What kind of stack a task has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum StackKind {
    /// One of its own.
    Own,
    /// One that it shares.
    Shared,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Why {
    /// With what it waited for.
    Granted,
    /// With a time limit.
    TimedOut,
    /// With a cancellation.
    Cancelled,
}

impl From<Outcome> for Why {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Granted | Outcome::Arm(_) => Why::Granted,
            Outcome::TimedOut => Why::TimedOut,
            Outcome::Cancelled => Why::Cancelled,
        }
    }
}

impl What {
    /// The same without byte counts, which differ between backends.
    #[must_use]
    pub fn shape(self) -> Self {
        match self {
            What::Save { task, stack, .. } => What::Save {
                task,
                bytes: 0,
                stack,
            },
            What::Restore { task, stack, .. } => What::Restore {
                task,
                bytes: 0,
                stack,
            },
            other => other,
        }
    }

    /// The line for an event of a backend. `on` says what a task that blocks waits for, and
    /// `stack` on which stack copies are made.
    pub fn of(event: Event<u32>, on: impl FnOnce() -> String, stack: u32) -> Self {
        match event {
            Event::Resume { task, by } => What::Resume { task, by },
            Event::Save { task, bytes } => What::Save { task, bytes, stack },
            Event::Restore { task, bytes } => What::Restore { task, bytes, stack },
            Event::Owner { stack, from, to } => What::Owner { stack, from, to },
            Event::Yield { task } => What::Yield { task },
            Event::Block { task } => What::Block { task, on: on() },
            Event::End { task } => What::End { task },
        }
    }
}
