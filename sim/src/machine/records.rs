//! What the host did in each step of its own.
//!
//! That a step was one of the host's is in the log, and which service it was in the text. Only what
//! neither tells is recorded: a run that does little but call the runtime would otherwise write more
//! of these than of anything else.

use std::ops::Range;

use super::pieces::Pieces;
use crate::fault::{StackNumber, TaskNumber};
use crate::view::StepKind;

/// What a step of the host did, without words. The fields are those of the [`StepKind`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Did {
    /// The range begins here.
    Save {
        task: TaskNumber,
        stack: StackNumber,
        low: u64,
        to: u64,
        bytes: u32,
    },
    /// The range begins here.
    Restore {
        task: TaskNumber,
        stack: StackNumber,
        low: u64,
        from: u64,
        bytes: u32,
    },
    Owner {
        stack: StackNumber,
        from: Option<TaskNumber>,
        to: Option<TaskNumber>,
    },
    /// Something else, by its number among these.
    Other(u32),
}

/// What the host has said of its steps.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    /// With their steps, in order.
    list: Pieces<(u64, Did), 11>,
    others: Vec<StepKind>,
}

impl Records {
    pub const EMPTY: Self = Records {
        list: Pieces::EMPTY,
        others: Vec::new(),
    };

    /// Takes down what a step does. One that is executed again is known.
    #[inline(always)]
    pub fn push(&mut self, step: u64, did: Did) {
        if self.list.last().is_none_or(|(last, _)| *last < step) {
            self.list.push((step, did));
        }
    }

    /// As [`push`](Self::push), of what is rare or has words.
    pub fn push_other(&mut self, step: u64, kind: StepKind) {
        if self.list.last().is_none_or(|(last, _)| *last < step) {
            self.list.push((step, Did::Other(self.others.len() as u32)));
            self.others.push(kind);
        }
    }

    fn first_from(&self, step: u64) -> usize {
        self.list.partition_point(|(at, _)| *at < step)
    }

    /// What was said of a step.
    pub fn of(&self, step: u64) -> Option<StepKind> {
        let (_, kind) = self.of_steps(step..step + 1).next()?;
        Some(kind)
    }

    /// What was said of a step that nothing comes after, or that is executed again.
    #[inline(always)]
    pub fn of_last(&self, step: u64) -> Option<Did> {
        let (_, did) = self.list.last().filter(|(at, _)| *at == step)?;
        Some(*did)
    }

    /// What was said of the steps of a range, in order.
    pub fn of_steps(
        &self,
        steps: Range<u64>,
    ) -> impl DoubleEndedIterator<Item = (u64, StepKind)> + '_ {
        let places = self.first_from(steps.start)..self.first_from(steps.end);
        places.filter_map(|at| {
            let (step, did) = self.list.get(at)?;
            Some((*step, self.kind(*did)?))
        })
    }

    /// Something that was said, with its words.
    pub fn kind(&self, did: Did) -> Option<StepKind> {
        Some(match did {
            Did::Save {
                task,
                stack,
                low,
                to,
                bytes,
            } => StepKind::Save {
                task,
                stack,
                range: low..low + u64::from(bytes),
                to,
                bytes,
            },
            Did::Restore {
                task,
                stack,
                low,
                from,
                bytes,
            } => StepKind::Restore {
                task,
                stack,
                range: low..low + u64::from(bytes),
                from,
                bytes,
            },
            Did::Owner { stack, from, to } => StepKind::Owner { stack, from, to },
            Did::Other(number) => self.others.get(number as usize)?.clone(),
        })
    }

    /// Forgets this step and all that come after it.
    pub fn cut(&mut self, step: u64) {
        let first = self.first_from(step);
        let others = (first..self.list.end()).find_map(|at| match self.list.get(at)? {
            (_, Did::Other(number)) => Some(*number as usize),
            _ => None,
        });
        self.others.truncate(others.unwrap_or(self.others.len()));
        self.list.truncate(first);
    }
}
