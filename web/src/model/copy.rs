//! The copy that a step made.

use std::ops::Range;

use costack_sim::view::{StackNumber, StepKind, TaskNumber};

use super::snapshot::Snapshot;

/// A save or a restore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copy {
    /// Whose image.
    pub task: TaskNumber,
    /// The task's name.
    pub name: String,
    /// The stack.
    pub stack: StackNumber,
    /// The bytes on the stack.
    pub range: Range<u64>,
    /// How many.
    pub bytes: u32,
    /// Out of the stack, or back onto it.
    pub is_save: bool,
}

impl Copy {
    /// The copy that led to this position.
    pub fn of(now: &Snapshot) -> Option<Self> {
        let (task, stack, range, bytes, is_save) = match &now.step.as_ref()?.kind {
            StepKind::Save {
                task,
                stack,
                range,
                bytes,
                ..
            } => (task, stack, range, bytes, true),
            StepKind::Restore {
                task,
                stack,
                range,
                bytes,
                ..
            } => (task, stack, range, bytes, false),
            _ => return None,
        };
        Some(Copy {
            task: *task,
            name: now.task_name(*task),
            stack: *stack,
            range: range.clone(),
            bytes: *bytes,
            is_save,
        })
    }
}
