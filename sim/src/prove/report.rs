//! What a proof says, as data and as text.

use std::fmt;

use super::contract::{Flavour, Form, Words};
use crate::program::Isa;

/// What the target is at this switch. Together the two are an induction over all switches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transition {
    /// It has not run yet: its stack holds the first frame.
    Fresh,
    /// It has yielded: its stack holds what this same text left there.
    Yielded,
}

impl Transition {
    /// Both.
    pub const ALL: [Transition; 2] = [Transition::Fresh, Transition::Yielded];
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transition::Fresh => "running task to fresh one",
            Transition::Yielded => "running task to yielded one",
        })
    }
}

/// What has to be shown of a switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Id {
    /// Callee-saved registers.
    P1 = 1,
    /// sp.
    P2,
    /// The address it continues at.
    P3,
    /// Control words.
    P4,
    /// Vector registers.
    P5,
    /// Signals.
    P6,
    /// The saved image.
    P7,
    /// Alignment.
    P8,
    /// Direction flag and x87 stack.
    P9,
    /// Other memory.
    P10,
    /// Values that pass.
    P11,
}

impl Id {
    /// Every one of them.
    pub const ALL: [Id; 11] = [
        Id::P1,
        Id::P2,
        Id::P3,
        Id::P4,
        Id::P5,
        Id::P6,
        Id::P7,
        Id::P8,
        Id::P9,
        Id::P10,
        Id::P11,
    ];

    /// What has to be shown, in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Id::P1 => "callee-saved registers preserved or declared clobbered",
            Id::P2 => "sp restored",
            Id::P3 => "continues at the right address",
            Id::P4 => "control words preserved (fp) or untouched (integer)",
            Id::P5 => "callee-saved vector registers preserved or declared clobbered",
            Id::P6 => "signal-safe between any two instructions",
            Id::P7 => "the saved image holds all that is live",
            Id::P8 => "stack aligned where a task begins and where the CPU asks for it",
            Id::P9 => "direction flag and x87 stack untouched",
            Id::P10 => "nothing else in memory written",
            Id::P11 => "values arrive in the registers that the contract names",
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("P{}", *self as u8))
    }
}

/// An instruction of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At {
    /// Its number, from 0.
    pub instruction: u32,
    /// Its line in the file, from 1.
    pub line: u32,
    /// The line without its comment.
    pub text: String,
}

/// Whether an obligation holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// For all values.
    Proven {
        /// How, in words.
        how: String,
    },
    /// It does not, or the prover cannot tell.
    Refuted {
        /// The instruction at fault; `None` if the text as a whole is.
        at: Option<At>,
        /// Why, with the symbolic values.
        reason: String,
    },
    /// There is nothing to show.
    NotApplicable {
        /// Why.
        why: String,
    },
}

/// One obligation of one transition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obligation {
    /// Which.
    pub id: Id,
    /// Whether it holds.
    pub status: Status,
}

impl Obligation {
    /// What has to be shown.
    pub const fn title(&self) -> &'static str {
        self.id.title()
    }
}

/// One executed instruction of the symbolic run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The instruction.
    pub at: At,
    /// sp before it.
    pub sp: String,
    /// What it wrote: the place and the value, such as `rdi` and `sp of the source - 24`.
    pub writes: Vec<(String, String)>,
}

/// What was shown of a text at one transition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The instruction set.
    pub isa: Isa,
    /// The flavour.
    pub flavour: Flavour,
    /// How the text is entered and left.
    pub form: Form,
    /// Where the text finds the target's words.
    pub words: Words,
    /// What the target is.
    pub transition: Transition,
    /// All obligations, in the order of [`Id::ALL`].
    pub obligations: Vec<Obligation>,
    /// The run, instruction by instruction: the source's part, then the target's.
    pub steps: Vec<Step>,
}

impl Report {
    /// Whether nothing is refuted.
    pub fn is_proven(&self) -> bool {
        self.refuted().next().is_none()
    }

    /// The obligations that are refuted.
    pub fn refuted(&self) -> impl Iterator<Item = &Obligation> {
        let all = self.obligations.iter();
        all.filter(|obligation| matches!(obligation.status, Status::Refuted { .. }))
    }

    /// An obligation's status.
    pub fn status(&self, id: Id) -> Option<&Status> {
        let found = self.obligations.iter().find(|found| found.id == id)?;
        Some(&found.status)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, `{}`", self.line, self.text.trim())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Proven { how } => write!(f, "proven: {how}"),
            Status::Refuted {
                at: Some(at),
                reason,
            } => write!(f, "refuted at {at}: {reason}"),
            Status::Refuted { at: None, reason } => write!(f, "refuted: {reason}"),
            Status::NotApplicable { why } => write!(f, "not applicable: {why}"),
        }
    }
}

/// A table in plain text: a line for each obligation, and below it what is to be said.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            isa,
            flavour,
            words,
            transition,
            ..
        } = self;
        writeln!(f, "{}, {flavour} flavour, {transition}{words}", isa.name())?;
        for Obligation { id, status } in &self.obligations {
            let word = match status {
                Status::Proven { .. } => "proven",
                Status::Refuted { .. } => "REFUTED",
                Status::NotApplicable { .. } => "n/a",
            };
            writeln!(f, "  {id:<4}{word:<9}{}", id.title())?;
            let (at, words) = match status {
                Status::Proven { how } => (None, how),
                Status::Refuted { at, reason } => (at.as_ref(), reason),
                Status::NotApplicable { why } => (None, why),
            };
            write!(f, "{:15}", "")?;
            if let Some(at) = at {
                write!(f, "{at}: ")?;
            }
            writeln!(f, "{words}")?;
        }
        Ok(())
    }
}
