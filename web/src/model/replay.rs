//! A recorded trace, event by event: what a native run wrote down, forwards and backwards.

use std::{collections::BTreeMap, rc::Rc};

use costack_engine::trace::{Header, Record, StackKind, Trace, What, Why};
use costack_sim::view::{Granularity, Statistics, TaskNumber, Tick, TickKind};
use yew::AttrValue;

use super::{
    present::{Eviction, Moved},
    run::Move,
    text::{bytes, count},
    timeline::Timeline,
};

/// The largest trace that the page reads.
pub const MAX_BYTES: usize = 64 << 20;

/// Whether a text that begins like this is meant to be a trace.
pub fn is_trace(start: &str) -> bool {
    let start = start.trim_start_matches('\u{feff}').trim_start();
    start.starts_with("{\"costack_trace\"")
}

/// Events between two moments that are kept, so that any other is a few events away.
const EVERY: usize = 512;

/// A trace that has been opened.
#[derive(Clone, PartialEq)]
pub struct Replay {
    /// The file's name.
    pub file: AttrValue,
    /// What wrote it, in words: `native`, `sim on x86-64`.
    pub backend: AttrValue,
    /// The trace's first line.
    pub header: Header,
    /// All events.
    pub records: Rc<[Record]>,
    /// The position.
    pub now: Rc<Moment>,
    /// The whole trace.
    pub timeline: Rc<Timeline>,
    moments: Rc<[Moment]>,
    ticks: Rc<[Tick]>,
}

/// What is known after some events.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Moment {
    /// Events up to here.
    pub position: usize,
    /// When the last of them happened.
    pub at_ns: u64,
    /// All tasks made so far, by number.
    pub tasks: BTreeMap<TaskNumber, Task>,
    /// All shared stacks seen so far, by number.
    pub stacks: BTreeMap<u32, Owner>,
    /// Those that are running: the last one runs, each has resumed the next.
    pub running: Vec<TaskNumber>,
    /// Counts up to here.
    pub statistics: Statistics,
    /// Lines printed: the events that did.
    pub printed: Vec<usize>,
}

/// A task, as far as a trace tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Whether its stack is its own.
    pub own_stack: bool,
    /// What it does.
    pub status: Status,
    /// Bytes of its image, while it is out.
    pub image: Option<u32>,
    /// How often it was copied out.
    pub saves: u64,
}

/// What a task does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// Has not run.
    Fresh,
    /// On the CPU.
    Running,
    /// Waits for whom it resumed.
    Resuming,
    /// Could run.
    Ready,
    /// Waits, for what this says.
    Blocked(String),
    /// Has ended.
    Ended,
}

impl Status {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Status::Fresh => "not started".to_owned(),
            Status::Running => "running".to_owned(),
            Status::Resuming => "waits for the task it resumed".to_owned(),
            Status::Ready => "ready".to_owned(),
            Status::Blocked(on) => format!("blocked: {on}"),
            Status::Ended => "ended".to_owned(),
        }
    }
}

/// Who owns a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Owner {
    /// Now.
    pub now: Option<TaskNumber>,
    /// Before, and the event that changed it.
    pub before: Option<(Option<TaskNumber>, usize)>,
}

impl Moment {
    /// A task's name.
    pub fn name(&self, task: TaskNumber) -> String {
        match self.tasks.get(&task) {
            Some(task) => task.name.clone(),
            None if task == 0 => "main".to_owned(),
            None => format!("task {task}"),
        }
    }

    fn task(&mut self, number: TaskNumber) -> &mut Task {
        self.tasks.entry(number).or_insert_with(|| Task {
            name: format!("task {number}"),
            own_stack: false,
            status: Status::Fresh,
            image: None,
            saves: 0,
        })
    }

    fn set_status(&mut self, task: TaskNumber, status: Status) {
        if task != 0 {
            self.task(task).status = status;
        }
    }

    /// The last one has given up the CPU.
    fn leave(&mut self, task: TaskNumber, status: Status) {
        self.set_status(task, status);
        self.running.retain(|other| *other != task);
        if let Some(&resumer) = self.running.last() {
            self.set_status(resumer, Status::Running);
        }
        self.statistics.switches += 1;
    }

    fn apply(&mut self, record: &Record) {
        let number = self.position;
        self.position += 1;
        self.at_ns = record.at_ns;
        match &record.what {
            What::Task {
                task, name, stack, ..
            } => {
                let name = name.clone().unwrap_or_else(|| format!("task {task}"));
                let own_stack = *stack == StackKind::Own;
                let entry = self.task(*task);
                (entry.name, entry.own_stack) = (name, own_stack);
            }
            What::Resume { task, by } => {
                if self.running.last() != Some(by) {
                    self.running.push(*by);
                }
                self.set_status(*by, Status::Resuming);
                self.running.push(*task);
                self.set_status(*task, Status::Running);
                self.statistics.switches += 1;
            }
            What::Yield { task } => self.leave(*task, Status::Ready),
            What::Block { task, on } => self.leave(*task, Status::Blocked(on.clone())),
            What::End { task } => {
                self.leave(*task, Status::Ended);
                self.task(*task).image = None;
            }
            What::Wake { task, .. } => self.set_status(*task, Status::Ready),
            What::Save { task, bytes, .. } => {
                let entry = self.task(*task);
                entry.image = Some(*bytes);
                entry.saves += 1;
                let counts = &mut self.statistics;
                counts.saves += 1;
                counts.saved_bytes += u64::from(*bytes);
                counts.largest_image = counts.largest_image.max(*bytes);
            }
            What::Restore { task, bytes, .. } => {
                self.task(*task).image = None;
                self.statistics.restores += 1;
                self.statistics.restored_bytes += u64::from(*bytes);
            }
            What::Owner { stack, from, to } => {
                let owner = self.stacks.entry(*stack).or_default();
                *owner = Owner {
                    now: *to,
                    before: Some((*from, number)),
                };
            }
            What::Print { .. } => self.printed.push(number),
            What::Fault { .. } => {}
        }
    }
}

/// How an event stands out.
fn tick_of(what: &What) -> (TickKind, Option<TaskNumber>) {
    match what {
        What::Task { task, .. } | What::Wake { task, .. } => (TickKind::Service, Some(*task)),
        What::Resume { by, .. } => (TickKind::Switch, Some(*by)),
        What::Yield { task } | What::Block { task, .. } | What::End { task } => {
            (TickKind::Switch, Some(*task))
        }
        What::Save { .. } => (TickKind::Save, None),
        What::Restore { .. } => (TickKind::Restore, None),
        What::Owner { .. } => (TickKind::Owner, None),
        What::Print { task, .. } => (TickKind::Output, Some(*task)),
        What::Fault { task, .. } => (TickKind::Fault, Some(*task)),
    }
}

impl Replay {
    /// Opens a trace at its start.
    pub fn new(file: &str, trace: Trace) -> Self {
        let records: Rc<[Record]> = trace.records.into();
        let mut moment = Moment::default();
        let mut moments = vec![moment.clone()];
        let mut ticks = Vec::with_capacity(records.len());
        for (record, step) in records.iter().zip(0..) {
            let runs = moment.running.last().copied().unwrap_or(0);
            let (kind, task) = tick_of(&record.what);
            ticks.push(Tick {
                step,
                kind,
                task: task.unwrap_or(runs),
            });
            moment.apply(record);
            if moment.position.is_multiple_of(EVERY) {
                moments.push(moment.clone());
            }
        }
        let bands: Vec<Tick> = ticks
            .iter()
            .filter(|tick| tick.kind != TickKind::Service)
            .copied()
            .collect();
        let header = &trace.header;
        let backend = [
            Some(&header.backend),
            header.isa.as_ref(),
            header.scenario.as_ref(),
        ];
        let backend: Vec<&str> = backend.into_iter().flatten().map(String::as_str).collect();
        Replay {
            file: file.to_owned().into(),
            backend: backend.join(" · ").into(),
            timeline: Rc::new(Timeline::new(&bands, records.len() as u64)),
            now: Rc::new(Moment::default()),
            moments: moments.into(),
            ticks: ticks.into(),
            header: trace.header.clone(),
            records,
        }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the last event has been shown.
    pub fn is_over(&self) -> bool {
        self.now.position == self.len()
    }

    /// To a position.
    pub fn jump(&mut self, position: usize) {
        let position = position.min(self.len());
        let near = &self.moments[(position / EVERY).min(self.moments.len() - 1)];
        let mut moment = match (near.position..=position).contains(&self.now.position) {
            true => (*self.now).clone(),
            false => near.clone(),
        };
        for record in &self.records[moment.position..position] {
            moment.apply(record);
        }
        self.now = Rc::new(moment);
    }

    /// Moves as a run does, as far as a trace has what it would move by.
    pub fn go(&mut self, to: &Move) {
        let here = self.now.position;
        let target = match to {
            Move::Jump(position) => usize::try_from(*position).unwrap_or(usize::MAX),
            Move::Forward(unit) => match kinds(*unit) {
                None => here + 1,
                Some(kinds) => self.ticks[here.min(self.len())..]
                    .iter()
                    .find(|tick| kinds.contains(&tick.kind))
                    .map_or(self.len(), |tick| tick.step as usize + 1),
            },
            Move::Backward(unit) => match kinds(*unit) {
                None => here.saturating_sub(1),
                Some(kinds) => self.ticks[..here.saturating_sub(1)]
                    .iter()
                    .rev()
                    .find(|tick| kinds.contains(&tick.kind))
                    .map_or(0, |tick| tick.step as usize + 1),
            },
            Move::JumpToWriter(_) => here,
        };
        self.jump(target);
    }

    /// What the change of owner copies that the last event belongs to.
    pub fn eviction(&self) -> Option<Eviction> {
        let past = self.records[..self.now.position].iter().rev();
        Eviction::of(past.map(|record| match record.what {
            What::Save { bytes, .. } => Moved::Out(bytes),
            What::Restore { bytes, .. } => Moved::Back(bytes),
            What::Owner { .. } => Moved::Owner,
            _ => Moved::Other,
        }))
    }

    /// The task whose event it is.
    pub fn task_of(&self, index: usize) -> TaskNumber {
        self.ticks.get(index).map_or(0, |tick| tick.task)
    }

    /// An event in words.
    pub fn words(&self, index: usize) -> String {
        let Some(record) = self.records.get(index) else {
            return String::new();
        };
        let name = |task: &TaskNumber| self.name(*task);
        let owner = |task: &Option<TaskNumber>| match task {
            Some(task) => self.name(*task),
            None => "nobody".to_owned(),
        };
        match &record.what {
            What::Task { task, stack, .. } => match stack {
                StackKind::Own => format!("{} was made, on a stack of its own", name(task)),
                StackKind::Shared => format!("{} was made, on a shared stack", name(task)),
            },
            What::Resume { task, by } => format!("{} resumes {}", name(by), name(task)),
            What::Yield { task } => format!("{} yields", name(task)),
            What::Block { task, on } => format!("{} blocks: {on}", name(task)),
            What::Wake { task, why } => match why {
                Why::Granted => format!("{} has what it waited for", name(task)),
                Why::TimedOut => format!("{} has waited long enough", name(task)),
                Why::Cancelled => format!("{} was cancelled", name(task)),
            },
            What::End { task } => format!("{} ends", name(task)),
            What::Save {
                task,
                bytes: n,
                stack,
            } => format!(
                "saved {} of {} from stack {stack} into its save stack",
                bytes(u64::from(*n)),
                name(task)
            ),
            What::Restore {
                task,
                bytes: n,
                stack,
            } => format!(
                "restored {} of {} onto stack {stack}",
                bytes(u64::from(*n)),
                name(task)
            ),
            What::Owner { stack, from, to } => {
                format!("owner of stack {stack}: {} → {}", owner(from), owner(to))
            }
            What::Print { task, text } => format!("{} prints “{text}”", name(task)),
            What::Fault { task, line, reason } => {
                format!(
                    "fault of {} in line {}: {reason}",
                    name(task),
                    count(u64::from(*line))
                )
            }
        }
    }

    /// A task's name, also before the event that tells it.
    fn name(&self, task: TaskNumber) -> String {
        let all = self.moments.last();
        all.filter(|moment| moment.tasks.contains_key(&task))
            .unwrap_or(&self.now)
            .name(task)
    }

    /// Lines printed up to here.
    pub fn output(&self) -> Rc<[String]> {
        let printed = self.now.printed.iter();
        printed
            .filter_map(|index| match &self.records.get(*index)?.what {
                What::Print { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    }
}

/// The events that end a unit; `None` if any does.
fn kinds(unit: Granularity) -> Option<&'static [TickKind]> {
    match unit {
        Granularity::Instruction | Granularity::Statement => None,
        Granularity::RuntimeCall | Granularity::Switch => Some(&[TickKind::Switch]),
        Granularity::Ownership => Some(&[TickKind::Owner]),
        Granularity::Fault => Some(&[TickKind::Fault]),
    }
}

#[cfg(test)]
mod tests {
    use costack_engine::trace::Header;

    use super::*;

    fn replay(what: Vec<What>) -> Replay {
        let records = what
            .into_iter()
            .zip(0..)
            .map(|(what, at_ns)| Record { at_ns, what })
            .collect();
        let header = Header::new("native");
        Replay::new("x.jsonl", Trace { header, records })
    }

    fn evictions(count: usize) -> Replay {
        let task = |task, name: &str| What::Task {
            task,
            name: Some(name.to_owned()),
            group: None,
            stack: StackKind::Shared,
        };
        let mut what = vec![task(1, "A"), task(2, "B")];
        let mut owner = None;
        for round in 0..count {
            let task = 1 + (round % 2) as u32;
            if let Some(owner) = owner {
                what.push(What::Save {
                    task: owner,
                    bytes: 96,
                    stack: 0,
                });
            }
            what.push(What::Owner {
                stack: 0,
                from: owner,
                to: Some(task),
            });
            owner = Some(task);
            what.push(What::Resume { task, by: 0 });
            what.push(What::Yield { task });
        }
        replay(what)
    }

    #[test]
    fn any_way_to_a_position_shows_the_same() {
        let mut forward = evictions(700);
        let mut jumped = evictions(700);
        for _ in 0..1500 {
            forward.go(&Move::Forward(Granularity::Instruction));
        }
        jumped.go(&Move::Jump(2000));
        jumped.go(&Move::Jump(1500));
        assert_eq!(forward.now, jumped.now);
        assert!(forward.now.statistics.saves > 300);
    }

    #[test]
    fn tells_who_runs_and_who_is_out() {
        let mut replay = evictions(3);
        replay.go(&Move::Forward(Granularity::Ownership));
        assert_eq!(replay.now.stacks[&0].now, Some(1));
        replay.go(&Move::Forward(Granularity::Switch));
        assert_eq!(replay.now.tasks[&1].status, Status::Running);
        replay.go(&Move::Forward(Granularity::Ownership));
        assert_eq!(replay.now.tasks[&1].image, Some(96));
        assert_eq!(
            replay.words(replay.now.position - 1),
            "owner of stack 0: A → B"
        );
        replay.go(&Move::Backward(Granularity::Ownership));
        assert_eq!(replay.now.stacks[&0].now, Some(1));
    }

    #[test]
    fn an_empty_trace_has_one_position() {
        let mut replay = replay(Vec::new());
        replay.go(&Move::Forward(Granularity::Switch));
        assert!(replay.is_over());
        assert_eq!(replay.now.position, 0);
    }
}
