//! All that the page shows of a session at one position, as plain data.
//!
//! Panels compare what they are given, so a step draws only what it has changed. Parts that did
//! not change since the last snapshot are shared with it.

use std::{ops::Deref, rc::Rc};

use costack_sim::{
    Session,
    view::{
        Fault, FrameView, RegisterView, StackKind, StackView, Statistics, StepView, SwitchChecks,
        TaskNumber, TaskView, WordView,
    },
};
use yew::AttrValue;

use super::map::{Map, Pointer};

/// Words shown below the lowest live one, where dead bytes of earlier frames are.
const WORDS_BELOW: u64 = 4;

/// Words of one stack that are shown at once; deeper stacks leave out the middle.
pub const WORDS_SHOWN: usize = 600;

/// A word in memory, and where it points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The word.
    pub view: WordView,
    /// If it is a pointer into a frame.
    pub pointer: Option<Pointer>,
}

impl Deref for Word {
    type Target = WordView;

    fn deref(&self) -> &WordView {
        &self.view
    }
}

/// A stack with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackSnapshot {
    /// The stack.
    pub view: StackView,
    /// Its words down to a little below the deepest ever used, the highest first.
    pub words: Vec<Rc<Word>>,
    /// How many words in the middle are left out, and in front of which of [`words`](Self::words).
    pub left_out: Option<(usize, u64)>,
}

/// A task with its image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskSnapshot {
    /// The task.
    pub view: TaskView,
    /// The words of its image, the highest first; empty while its bytes are on the stack.
    pub image: Vec<Rc<Word>>,
    /// The frames of its image, the innermost first.
    pub frames: Vec<FrameView>,
}

/// One position of a session.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// Steps made up to here.
    pub position: u64,
    /// Steps ever made.
    pub recorded: u64,
    /// Whether the program has ended or faulted here.
    pub is_over: bool,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// The step that led here.
    pub step: Option<Rc<StepView>>,
    /// All registers.
    pub registers: Rc<[RegisterView]>,
    /// All stacks, main's last.
    pub stacks: Vec<Rc<StackSnapshot>>,
    /// Names of all tasks, by number.
    pub names: Rc<[AttrValue]>,
    /// Where pointers lead.
    pub map: Rc<Map>,
    /// All tasks; main is 0.
    pub tasks: Vec<Rc<TaskSnapshot>>,
    /// The listing's line of the instruction executed last.
    pub last_line: Option<usize>,
    /// The listing's line of the next instruction.
    pub next_line: Option<usize>,
    /// The scenario's line that the next instruction belongs to.
    pub source_line: Option<u32>,
    /// What was printed up to here.
    pub output: Rc<[String]>,
    /// Counts up to here.
    pub statistics: Statistics,
    /// What the last switch has kept; `None` before the first one.
    pub checks: Option<Rc<SwitchChecks>>,
    /// What went wrong, if the run has reached it.
    pub fault: Option<Rc<Fault>>,
}

impl Snapshot {
    /// Takes one, sharing with `before` what is the same.
    pub fn take(session: &Session, before: Option<&Snapshot>) -> Self {
        let word_bytes = session.isa().word_bytes();
        let mut views = session.stacks();
        // What people look for first stands first; main's stack is the least of it.
        views.sort_by_key(|stack| (stack.kind == StackKind::Main, stack.number));
        let tasks = session.tasks();
        let names = names(&tasks, before);
        let map = share(before.map(|before| &before.map), Map::new(&views, &names));
        let old_stacks = before.map_or(&[][..], |before| &before.stacks);
        let stacks = views.into_iter().enumerate().map(|(index, view)| {
            let old = old_stacks.get(index);
            share(old, stack(session, view, u64::from(word_bytes), &map, old))
        });
        let stacks = stacks.collect();
        let old_tasks = before.map_or(&[][..], |before| &before.tasks);
        let tasks = tasks.into_iter().enumerate().map(|(index, view)| {
            let old = old_tasks.get(index);
            share(old, task(session, view, &map, old))
        });
        let tasks = tasks.collect();
        let lines = session.output();
        let output = match before {
            Some(before) if before.output.len() == lines.len() => Rc::clone(&before.output),
            _ => lines.into_iter().map(str::to_owned).collect(),
        };
        Snapshot {
            position: session.position(),
            recorded: session.recorded_len(),
            is_over: session.is_over(),
            word_bytes,
            step: session.last_step().map(Rc::new),
            registers: session.registers().into(),
            stacks,
            names,
            map,
            tasks,
            last_line: session.last_line(),
            next_line: session.next_line(),
            source_line: session.source_line(),
            output,
            statistics: session.statistics(),
            checks: checks(session, before),
            fault: session.fault().cloned().map(Rc::new),
        }
    }

    /// A task's name; its number where there is no such task.
    pub fn task_name(&self, task: TaskNumber) -> String {
        match self.names.get(task as usize) {
            Some(name) => name.to_string(),
            None => format!("task {task}"),
        }
    }

    /// The task that runs.
    pub fn running(&self) -> Option<TaskNumber> {
        let current = self.stacks.iter().find(|stack| stack.view.current)?;
        match current.view.kind {
            StackKind::Main => Some(0),
            StackKind::Shared | StackKind::Own => current.view.owner,
        }
    }
}

fn checks(session: &Session, before: Option<&Snapshot>) -> Option<Rc<SwitchChecks>> {
    let checks = session.switch_checks()?;
    let old = before.and_then(|before| before.checks.as_ref());
    Some(share(old, checks))
}

/// The old one if it is equal, so that comparing it later is comparing two addresses.
fn share<T: PartialEq>(old: Option<&Rc<T>>, new: T) -> Rc<T> {
    match old {
        Some(old) if **old == new => Rc::clone(old),
        _ => Rc::new(new),
    }
}

/// The names of all tasks; the old ones if nothing has changed.
fn names(tasks: &[TaskView], before: Option<&Snapshot>) -> Rc<[AttrValue]> {
    let old = before.map(|before| &before.names);
    let is_same = |old: &&Rc<[AttrValue]>| {
        let names = tasks.iter().map(|task| &*task.name);
        old.iter().map(AttrValue::as_str).eq(names)
    };
    match old.filter(is_same) {
        Some(old) => Rc::clone(old),
        None => tasks.iter().map(|task| task.name.clone().into()).collect(),
    }
}

/// Words with where they point, the highest first; those that `old` has are shared with it.
fn words(lowest_first: Vec<WordView>, map: &Map, old: &[Rc<Word>]) -> Vec<Rc<Word>> {
    let mut old = old.iter().peekable();
    let words = lowest_first.into_iter().rev().map(|view| {
        let pointer = map.pointer(&view);
        while old.next_if(|old| old.address > view.address).is_some() {}
        let same = old.next_if(|old| old.address == view.address);
        share(same, Word { view, pointer })
    });
    words.collect()
}

fn stack(
    session: &Session,
    view: StackView,
    word: u64,
    map: &Map,
    old: Option<&Rc<StackSnapshot>>,
) -> StackSnapshot {
    let deepest = view
        .top
        .saturating_sub(view.peak_bytes.next_multiple_of(word));
    let lowest = view.sp.unwrap_or(deepest).min(deepest);
    let low = lowest.saturating_sub(WORDS_BELOW * word).max(view.base);
    let total = (view.top - low) / word;
    let shown = WORDS_SHOWN as u64;
    let (found, left_out) = if total <= shown {
        (session.stack_words(view.number, low..view.top), None)
    } else {
        // The outermost frames, and what is around sp.
        let outer = shown / 6;
        let outer_low = view.top - outer * word;
        let around = lowest.saturating_sub(WORDS_BELOW * word).max(view.base);
        let inner_high = (around + (shown - outer) * word).min(outer_low);
        let mut found = session.stack_words(view.number, around..inner_high);
        found.extend(session.stack_words(view.number, outer_low..view.top));
        (
            found,
            Some((outer as usize, (outer_low - inner_high) / word)),
        )
    };
    StackSnapshot {
        view,
        words: words(found, map, old.map_or(&[], |old| &old.words)),
        left_out,
    }
}

fn task(
    session: &Session,
    view: TaskView,
    map: &Map,
    old: Option<&Rc<TaskSnapshot>>,
) -> TaskSnapshot {
    let has_image = view.save.is_some_and(|save| save.used > 0);
    let (image, frames) = if has_image {
        let used = view
            .save
            .map_or(0, |save| save.used / session.isa().word_bytes()) as usize;
        // What lies past the image is the unused rest of the save stack.
        let mut found = session.image_words(view.number);
        found.truncate(used);
        let image = words(found, map, old.map_or(&[], |old| &old.image));
        (image, session.image_frames(view.number))
    } else {
        (Vec::new(), Vec::new())
    };
    TaskSnapshot {
        view,
        image,
        frames,
    }
}
