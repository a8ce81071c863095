//! What single panels are told, derived from a snapshot.

use std::rc::Rc;

use costack_sim::view::{RegisterClass, RegisterView, StepKind, TaskNumber, TaskStatus};
use yew::AttrValue;

use super::{map::Map, scenario::Listing, snapshot::Snapshot, text::file_name};

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
            let name = task.name.clone().into();
            Some(At {
                task: task.number,
                name,
                line,
                runs,
            })
        })
        .collect()
}

/// Names of all tasks, by number.
pub fn task_names(now: &Snapshot) -> Rc<[AttrValue]> {
    now.tasks
        .iter()
        .map(|task| task.view.name.clone().into())
        .collect()
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
    /// Where it points, if it is a pointer into a frame, and whether that is out.
    pub pointer: Option<(u64, bool)>,
}

/// All registers.
pub fn registers(now: &Snapshot, map: &Map) -> Rc<[Row]> {
    let row = |view: &RegisterView| {
        let target = map
            .target(view.value, view.points_into)
            .filter(|_| view.initialised);
        let note = match &target {
            Some(target) => format!("→ {}", target.text).into(),
            None if view.class == RegisterClass::ProgramCounter => "→ next".into(),
            None => AttrValue::default(),
        };
        let made_by_task = target.filter(|_| view.points_into.is_some());
        let pointer = made_by_task.map(|target| (view.value, target.out.is_some()));
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

/// The image that the last step moved.
pub fn moved_image(now: &Snapshot) -> Option<u32> {
    match now.step.as_ref()?.kind {
        StepKind::Save { bytes, .. } | StepKind::Restore { bytes, .. } => Some(bytes),
        _ => None,
    }
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
