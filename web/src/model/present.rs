//! What single panels are told, derived from a snapshot.

use std::rc::Rc;

use costack_sim::view::{RegisterClass, RegisterView, StepKind, TaskNumber, TaskStatus};
use yew::AttrValue;

use super::{map::Pointer, scenario::Listing, snapshot::Snapshot, text::file_name};

/// A task and the line it is at.
#[derive(Clone, PartialEq, Debug)]
pub struct At {
    /// Who.
    pub task: TaskNumber,
    /// Its name.
    pub name: AttrValue,
    /// From 1.
    pub line: u32,
    /// Whether it is the one that runs.
    pub runs: bool,
}

/// Who is at which line; the running task is where the next instruction is.
pub fn at(now: &Snapshot) -> Vec<At> {
    let running = now.running();
    let tasks = now.tasks.iter().map(|task| &task.view);
    let alive = tasks.filter(|task| task.status != TaskStatus::Ended);
    alive
        .filter_map(|task| {
            let runs = running == Some(task.number);
            let here = now.source_line.filter(|_| runs);
            let line = here.or(task.statement.map(|statement| statement.line))?;
            let name = now.names.get(task.number as usize)?.clone();
            Some(At {
                task: task.number,
                name,
                line,
                runs,
            })
        })
        .collect()
}

/// The task that the last step is about: whose bytes were copied, who got the stack, or who ran.
pub fn about(now: &Snapshot) -> Option<TaskNumber> {
    let step = now.step.as_ref()?;
    let task = match step.kind {
        StepKind::Save { task, .. } | StepKind::Restore { task, .. } => Some(task),
        StepKind::Owner { from, to, .. } => to.or(from),
        _ => step.task,
    };
    task.filter(|task| *task != 0)
}

/// Names of all stacks, by number; the snapshot has them in another order.
pub fn stack_names(now: &Snapshot) -> Rc<[AttrValue]> {
    let mut names = vec![AttrValue::default(); now.stacks.len()];
    for stack in &now.stacks {
        if let Some(name) = names.get_mut(stack.view.number as usize) {
            *name = stack.view.name.clone().into();
        }
    }
    names.into()
}

/// A register with what can be said about its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The register.
    pub view: RegisterView,
    /// Where it points, in words; empty if that is not known.
    pub note: AttrValue,
    /// Where it points, if it is a pointer into a frame.
    pub pointer: Option<Pointer>,
}

/// All registers.
pub fn registers(now: &Snapshot) -> Rc<[Row]> {
    let row = |view: &RegisterView| {
        let target = now
            .map
            .target(view.value, view.points_into)
            .filter(|_| view.initialised);
        let note = match &target {
            Some(target) => format!("→ {}", target.text).into(),
            None if view.class == RegisterClass::ProgramCounter => "→ next".into(),
            None => AttrValue::default(),
        };
        let made_by_task = target.filter(|_| view.points_into.is_some());
        let pointer = made_by_task.map(|target| Pointer {
            to: view.value,
            is_out: target.out.is_some(),
        });
        Row {
            view: view.clone(),
            note,
            pointer,
        }
    };
    now.registers.iter().map(row).collect()
}

/// The stack pointer's name.
pub fn sp_name(now: &Snapshot) -> &'static str {
    let mut registers = now.registers.iter();
    let sp = registers.find(|register| register.class == RegisterClass::StackPointer);
    sp.map_or("sp", |register| register.name)
}

/// What one change of a stack's owner copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Eviction {
    /// Bytes of the owner's image, copied out.
    pub out: Option<u32>,
    /// Bytes of the next one's, copied back.
    pub back: Option<u32>,
}

impl Eviction {
    /// The copies that the latest of these events belong to, the latest event first.
    pub fn of(latest: impl Iterator<Item = Moved>) -> Option<Self> {
        let mut eviction = Eviction::default();
        for moved in latest {
            match moved {
                Moved::Back(bytes) if eviction == Eviction::default() => {
                    eviction.back = Some(bytes);
                }
                Moved::Out(bytes) if eviction.out.is_none() => eviction.out = Some(bytes),
                Moved::Owner => {}
                Moved::Out(_) | Moved::Back(_) | Moved::Other => break,
            }
        }
        (eviction != Eviction::default()).then_some(eviction)
    }
}

/// An event, as far as copies are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// So many bytes were saved.
    Out(u32),
    /// So many bytes were restored.
    Back(u32),
    /// A stack changed hands.
    Owner,
    /// Something else.
    Other,
}

/// What is said about the last step.
#[derive(Clone, PartialEq, Debug)]
pub struct Saying {
    /// The instruction that the sentence begins with; empty if it is about something else.
    pub code: String,
    /// The sentence, or the rest of it.
    pub text: String,
    /// Who ran, and the name.
    pub task: Option<(TaskNumber, AttrValue)>,
    /// The file and line of the instruction; empty where there is none.
    pub place: String,
}

/// What is said about the last step.
pub fn saying(now: &Snapshot, listing: &Listing) -> Saying {
    let Some(step) = &now.step else {
        let text = "Nothing has run yet. → makes one step, Space lets it run.".to_owned();
        return Saying {
            code: String::new(),
            text,
            task: None,
            place: String::new(),
        };
    };
    let last = now.last_line.and_then(|line| listing.lines.get(line));
    let is_instruction = matches!(step.kind, StepKind::Instruction { .. });
    let code = last
        .filter(|_| is_instruction)
        .map_or("", |line| line.text.trim());
    let text = step.sentence.strip_prefix(code).unwrap_or(&step.sentence);
    let code = if text.len() < step.sentence.len() {
        code
    } else {
        ""
    };
    Saying {
        code: code.to_owned(),
        text: text.to_owned(),
        task: step.task.map(|task| (task, now.task_name(task).into())),
        place: last
            .map(|line| format!("{}:{}", file_name(&line.file), line.line))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(latest: &[Moved], out: Option<u32>, back: Option<u32>) {
        let found = Eviction::of(latest.iter().copied()).unwrap_or_default();
        assert_eq!(found, Eviction { out, back });
    }

    #[test]
    fn an_eviction_is_what_one_change_of_owner_copies() {
        check(&[Moved::Out(96), Moved::Other], Some(96), None);
        check(&[Moved::Owner, Moved::Out(96)], Some(96), None);
        check(
            &[Moved::Back(40), Moved::Owner, Moved::Out(96), Moved::Other],
            Some(96),
            Some(40),
        );
        check(
            &[Moved::Back(40), Moved::Owner, Moved::Other, Moved::Out(96)],
            None,
            Some(40),
        );
        check(&[Moved::Out(96), Moved::Back(40)], Some(96), None);
        check(&[Moved::Other, Moved::Out(96)], None, None);
    }
}
