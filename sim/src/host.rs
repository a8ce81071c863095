//! The runtime's side of the machine: what happens at a `host` instruction.
//!
//! A [`Host`] decides (with `costack-engine`) and acts on the machine through a [`Context`], which
//! logs all that it writes. One call of the host is one step of the session: a *service* step for
//! the `host` instruction itself, then one *micro-step* for each action that the host has left
//! pending, before the next instruction runs.
//!
//! **Going back.** The machine's part of a host step is undone from the log. The host's own state
//! is brought back by [`Host::seek`]: the session counts host steps and says how many of them have
//! happened at the position that it moves to. [`Journal`](crate::session::Journal) does this for
//! a state that is cheap to clone once in a while and that commands are applied to.
//!
//! **Who runs.** The machine knows it from sp: every pointer carries the number of the task from
//! whose sp it was made, sp as well. A host gives a new task's initial sp its number
//! ([`Context::store_pointer`]); from then on nothing needs to be told. At `mov rsp, rsi` the task
//! changes, at that very instruction.

use costack_engine::event::Event;
use costack_engine::sched::TaskId;
use costack_engine::trace::What;

use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::view::{Statistics, StepKind, StepView, TaskView};

pub use crate::machine::{Context, Register, SegmentKind};

/// What a host step leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Then {
    /// Instructions run on.
    Continue,
    /// The host has more to do: [`Host::micro_step`] is called before the next instruction.
    More,
    /// The program has ended.
    End,
}

/// Where a task that does not run will go on, for the view of its frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// An instruction in the function that gave up the CPU: that of the `host` call.
    pub address: u64,
    /// sp there.
    pub sp: u64,
    /// The frame pointer there.
    pub fp: u64,
    /// The lowest live byte: sp as the switch stored it.
    pub low: u64,
}

/// The runtime under a session.
pub trait Host {
    /// The number of a service, for `host NAME`; `None` if there is none of this name.
    fn service(&self, name: &str) -> Option<u16>;

    /// Its name.
    fn service_name(&self, service: u16) -> &'static str;

    /// Prepares the machine before the first step: stacks, control blocks, save stacks. Nothing
    /// of this is logged.
    ///
    /// # Errors
    /// What the machine refuses, such as a stack for which there is no memory.
    fn start(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind>;

    /// Carries out `host NAME`. The program counter is already behind it.
    ///
    /// # Errors
    /// What goes wrong ends the run; what the step has written until then is undone.
    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind>;

    /// Carries out the next pending action.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn micro_step(&mut self, context: &mut Context<'_>) -> Result<Then, FaultKind>;

    /// Brings the host's own state to what it was after this many host steps (services and
    /// micro-steps that did not fail). It is never more than have been made.
    fn seek(&mut self, host_steps: u64);

    /// Forgets everything after this many host steps; always called after a [`seek`](Self::seek)
    /// to the same number.
    fn truncate(&mut self, host_steps: u64);

    /// A hash of the host's own state, for the session's.
    fn state_hash(&self) -> u64;

    /// How many tasks there are, main among them.
    fn task_count(&self) -> u32;

    /// A task, `None` if there is no such number.
    fn task(&self, task: TaskNumber) -> Option<TaskView>;

    /// Where a task will go on; `None` if it runs, has not run yet or has ended.
    fn anchor(&self, task: TaskNumber) -> Option<Anchor>;

    /// The name of a stack.
    fn stack_name(&self, stack: StackNumber) -> String;

    /// What has happened up to the current position, in the vocabulary that all backends share.
    fn events(&self) -> Vec<Event<TaskId>> {
        Vec::new()
    }

    /// The same as lines of a trace, and the tasks that were made, each with the host step at
    /// which it happened; `None` for what was there before the first.
    fn happened(&self) -> Vec<(Option<u64>, What)> {
        Vec::new()
    }

    /// What a service step was about, with the name that people know the service by: its number
    /// among the host's steps, from 0. `None` if there is nothing to add to what
    /// [`describe`](Self::describe) or [`Context::did`] has said.
    fn said(&self, host_step: u64) -> Option<(&'static str, String)> {
        let _ = host_step;
        None
    }

    /// Whether the switch may change a register without saving it, as its text declares.
    fn clobbers(&self, register: &str) -> bool {
        let _ = register;
        false
    }

    /// What the host has counted. The session adds what it counts itself (instructions, memory).
    fn statistics(&self) -> Statistics;

    /// One sentence saying what a step did, with actual values. The state is that after the step.
    fn explain(&self, step: &StepView, session: &crate::Session) -> String;

    /// The kind of a service step just made, for the view. Micro-steps say theirs with
    /// [`Context::did`].
    fn describe(&self, service: u16) -> StepKind {
        StepKind::Service {
            name: self.service_name(service).into(),
            wanted: String::new(),
        }
    }
}
