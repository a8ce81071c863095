//! The state of a session as data.

use costack_sim::Session;
use costack_sim::view::TaskStatus;
use serde::{Deserialize, Serialize};

/// The most tasks that a state lists; `task_count` says how many there are.
const TASKS_LISTED: u32 = 1000;

/// A session at its current position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct State {
    /// The instruction set.
    pub isa: String,
    /// Steps made up to here.
    pub position: u64,
    /// Whether the program has ended, or faulted, here.
    pub is_over: bool,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// The printed lines.
    pub output: Vec<String>,
    /// The line of the scenario that the next instruction belongs to.
    pub line: Option<u32>,
    /// All registers; one that holds nothing yet has no value.
    pub registers: Vec<Register>,
    /// All stacks; main's is the first.
    pub stacks: Vec<Stack>,
    /// How many tasks there are, main among them.
    pub task_count: u32,
    /// The first thousand of them.
    pub tasks: Vec<Task>,
    /// What was counted.
    pub statistics: Statistics,
    /// A hash of all state, as sixteen hexadecimal digits.
    pub hash: String,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The task that ran.
    pub task: u32,
    /// Its name.
    pub task_name: String,
    /// The line of the scenario, from 1; 0 if none is known.
    pub line: u32,
    /// What happened, in words.
    pub reason: String,
    /// The step at which it happened.
    pub step: u64,
    /// The instruction as written.
    pub instruction: String,
    /// The function it stands in.
    pub function: String,
}

/// A register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<u64>,
}

/// A stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stack {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The lowest usable address.
    pub base: u64,
    /// One past the highest usable address.
    pub top: u64,
    /// The task whose bytes are on it.
    pub owner: Option<u32>,
    /// The most bytes that were ever in use.
    pub peak_bytes: u64,
}

/// A task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What it does, in words.
    pub status: String,
    /// The stack it lives on.
    pub stack: u32,
    /// Bytes in its save stack.
    pub saved_bytes: u32,
}

/// What was counted up to the current position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Instructions executed.
    pub instructions: u64,
    /// Times that sp moved to another task.
    pub switches: u64,
    /// Images copied out: evictions.
    pub saves: u64,
    /// Images copied back.
    pub restores: u64,
    /// Bytes copied out.
    pub saved_bytes: u64,
    /// Bytes copied back.
    pub restored_bytes: u64,
    /// The largest image that was copied out.
    pub largest_image: u32,
}

impl State {
    /// The state of a session.
    pub fn of(session: &Session) -> Self {
        let registers = session.registers().into_iter().map(|register| Register {
            name: register.name.to_owned(),
            value: register.initialised.then_some(register.value),
        });
        let stacks = session.stacks().into_iter().map(|stack| Stack {
            number: stack.number,
            name: stack.name,
            base: stack.base,
            top: stack.top,
            owner: stack.owner,
            peak_bytes: stack.peak_bytes,
        });
        let listed = session.task_count().min(TASKS_LISTED);
        let tasks = (0..listed).filter_map(|number| {
            let task = session.task(number)?;
            Some(Task {
                number,
                name: task.name,
                status: status(&task.status),
                stack: task.stack,
                saved_bytes: task.save.map_or(0, |save| save.used),
            })
        });
        State {
            isa: session.isa().name().to_owned(),
            position: session.position(),
            is_over: session.is_over(),
            fault: Fault::of(session),
            output: session.output().iter().map(ToString::to_string).collect(),
            line: session.source_line(),
            registers: registers.collect(),
            stacks: stacks.collect(),
            task_count: session.task_count(),
            tasks: tasks.collect(),
            statistics: Statistics::of(session),
            hash: format!("{:016x}", session.state_hash()),
        }
    }
}

impl Fault {
    /// What has gone wrong in a session.
    pub fn of(session: &Session) -> Option<Self> {
        let fault = session.fault()?;
        let task = fault.task.unwrap_or(0);
        let view = session.host().task(task);
        Some(Fault {
            task,
            task_name: view.map_or_else(|| format!("task {task}"), |view| view.name),
            line: fault.statement.map_or(0, |statement| statement.line),
            reason: fault.kind.to_string(),
            step: fault.step,
            instruction: fault.instruction.clone(),
            function: fault.function.clone(),
        })
    }
}

impl Statistics {
    /// What a session has counted.
    pub fn of(session: &Session) -> Self {
        let counted = session.statistics();
        Statistics {
            instructions: counted.instructions,
            switches: counted.switches,
            saves: counted.saves,
            restores: counted.restores,
            saved_bytes: counted.saved_bytes,
            restored_bytes: counted.restored_bytes,
            largest_image: counted.largest_image,
        }
    }
}

fn status(status: &TaskStatus) -> String {
    match status {
        TaskStatus::Fresh => "fresh".to_owned(),
        TaskStatus::Ready => "ready".to_owned(),
        TaskStatus::Running => "running".to_owned(),
        TaskStatus::Resuming => "resuming another".to_owned(),
        TaskStatus::Blocked(on) => format!("waits for {on}"),
        TaskStatus::Ended => "ended".to_owned(),
    }
}
