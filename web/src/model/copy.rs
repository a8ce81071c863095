//! The copy that a step made, and the hand-over of a stack.

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

/// A stack that changed hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// The stack's name.
    pub stack: String,
    /// Who owned it, with the name.
    pub from: Option<(TaskNumber, String)>,
    /// Who owns it now, with the name.
    pub to: Option<(TaskNumber, String)>,
}

impl HandOver {
    /// The hand-over that led to this position.
    pub fn of(now: &Snapshot) -> Option<Self> {
        let StepKind::Owner { stack, from, to } = now.step.as_ref()?.kind else {
            return None;
        };
        let named = |task: Option<TaskNumber>| task.map(|task| (task, now.task_name(task)));
        let mut stacks = now.stacks.iter();
        let view = stacks.find(|view| view.view.number == stack)?;
        Some(HandOver {
            stack: view.view.name.clone(),
            from: named(from),
            to: named(to),
        })
    }
}
