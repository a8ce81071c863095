//! The host of a scenario: memory is changed here, and only as [`Core`] has decided.

use std::fmt::{self, Write as _};
use std::hash::Hasher;
use std::sync::Arc;

use costack_engine::event::Event;
use costack_engine::sched::{TaskId, TaskState, Wait};
use costack_engine::share::{Stack, Status};
use costack_engine::trace::{self, What};
use costack_lang::syntax::{self, Program, Word};

use crate::compile::{Compiled, Tables};
use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::host::{Anchor, Context, Host, Register, Then};
use crate::machine::Trap;
use crate::machine::pieces::Pieces;
use crate::program::Isa;
use crate::session::{Journal, Session};
use crate::view::{StackKind, Statistics, StepKind, StepView, TaskStatus, TaskView};

use super::command::{Command, Micro, Reply};
use super::core::Core;
use super::make::NewTask;
use super::memory::{self, Field};
use super::said::{About, Said};
use super::services::{Caller, SERVICES, Service};
use super::style::Style;
use super::{explain, names};

/// The runtime of one scenario.
pub struct Runtime {
    pub(super) program: Arc<Program>,
    pub(super) isa: Isa,
    pub(super) style: Style,
    /// As [`Convention`](memory::Convention) names them: of the switch, and of the target's word.
    pub(super) switch_registers: [Register; 3],
    pub(super) tables: Tables,
    /// Labels of the functions.
    pub(super) labels: Vec<String>,
    /// Which registers hold which locals, by function.
    pub(super) registers: Vec<Vec<(&'static str, String)>>,
    pub(super) core: Journal<Core>,
    /// What has happened, with the host step at which it did.
    happened: Pieces<(u64, Happened), 11>,
    /// What services were about, with their host steps.
    said: Pieces<(u64, Said), 11>,
    /// The tasks that were made before the first step.
    declared: Vec<What>,
}

/// Something for a trace.
#[derive(Clone, Copy, Debug)]
enum Happened {
    /// What all backends tell.
    Event(Event<TaskNumber>),
    /// A task has come to wait for this: an [`Event::Block`].
    Wait(TaskNumber, Wait),
    /// A task was made.
    Made(TaskNumber),
}

impl Runtime {
    /// The runtime of a scenario that has been compiled for an ISA.
    pub fn new(program: Arc<Program>, isa: Isa, compiled: Compiled) -> Self {
        let core = Core::new(&program, compiled.tables.requests.as_slice().into());
        let style = Style::of(&program, isa);
        let convention = memory::convention(isa);
        let [leave, to] = convention.switch;
        let switch_registers = [leave, to, convention.target_word]
            .map(|name| Register::named(isa, name).expect("a register of the ISA"));
        Runtime {
            program,
            isa,
            style,
            switch_registers,
            tables: compiled.tables,
            labels: compiled.labels,
            registers: compiled.registers,
            core: Journal::new(core),
            happened: Pieces::EMPTY,
            said: Pieces::EMPTY,
            declared: Vec::new(),
        }
    }

    /// The state of the engine's part.
    pub(super) fn state(&self) -> &Core {
        self.core.state()
    }

    /// Changes the state and takes down what happened.
    #[inline(always)]
    pub(super) fn apply(&mut self, command: Command) -> Reply {
        let reply = self.core.apply(command);
        self.take_down();
        reply
    }

    /// Takes down what happened at the last command.
    fn take_down(&mut self) {
        let moment = self.core.moment();
        let core = self.core.state();
        for event in &core.events {
            let happened = match *event {
                Event::Block { task } => match core.state(task) {
                    Some(TaskState::Blocked(wait)) => Happened::Wait(task, wait),
                    _ => Happened::Event(*event),
                },
                event => Happened::Event(event),
            };
            self.happened.push((moment, happened));
        }
    }

    /// Takes down that a task was made.
    pub(super) fn made(&mut self, task: TaskNumber) {
        self.happened
            .push((self.core.moment(), Happened::Made(task)));
    }

    /// Whether it is the running task that calls, as the scheduler knows it. A switch that has gone
    /// astray is noticed here at the latest, before the scheduler acts on it.
    #[inline(always)]
    fn check_who_runs(&self, service: &Service, context: &Context<'_>) -> Result<(), Trap> {
        let runs = context.task();
        let current = self.state().current();
        let expected = match service.caller {
            Caller::Current => Some(current),
            // The scheduler has decided already; the task that leaves is still at work.
            Caller::Leaving => self.aim().map(|(source, _)| source),
            Caller::Main => Some(0).filter(|main| current == *main),
            Caller::Anybody => runs,
        };
        match expected.is_some() && runs == expected {
            true => Ok(()),
            false => Err(self.gone_astray(service.name, runs).into()),
        }
    }

    #[cold]
    fn gone_astray(&self, service: &str, runs: Option<TaskNumber>) -> FaultKind {
        let name = |task: Option<TaskNumber>| match task {
            Some(task) => self.task_name(task),
            None => "nobody".to_owned(),
        };
        FaultKind::Runtime {
            message: format!(
                "{} calls the runtime ({service}), but the scheduler has given the CPU to {}: \
                 execution has gone astray",
                name(runs),
                name(Some(self.state().current()))
            ),
        }
    }

    /// Ends a host step: keeps it, or forgets what one that has failed had begun.
    #[inline(always)]
    fn settle(&mut self, result: Result<Then, Trap>) -> Result<Then, FaultKind> {
        match result {
            Ok(then) => {
                self.core.advance();
                Ok(then)
            }
            Err(fault) => {
                self.forget_step();
                Err(fault.into())
            }
        }
    }

    #[cold]
    fn no_service(&self, service: u16) -> Trap {
        FaultKind::Runtime {
            message: format!("there is no service {service}"),
        }
        .into()
    }

    #[cold]
    fn forget_step(&mut self) {
        let moment = self.core.moment();
        self.core.seek(moment);
        self.truncate(moment);
    }

    /// Keeps what a service is about.
    #[inline(always)]
    pub(super) fn say(&mut self, name: &'static str, about: About) {
        self.say_all(Said::new(name, about));
    }

    /// The fault that the refusal of the last service is.
    #[cold]
    pub(super) fn refused_last(&self, reply: &Reply) -> FaultKind {
        let wanted = self.said.last().map(|(_, said)| said.wanted(self));
        self.refused(wanted.unwrap_or_default(), *reply)
    }

    /// As [`say`](Self::say).
    #[inline(always)]
    pub(super) fn say_all(&mut self, said: Said) {
        self.said.push((self.core.moment(), said));
    }

    /// The line of a trace.
    fn line(&self, happened: Happened) -> What {
        let core = self.state();
        match happened {
            Happened::Made(task) => {
                let stack = core.task(task).map_or(0, |task| task.stack);
                let own = core.stacks.get(stack as usize).is_some_and(Stack::is_own);
                What::Task {
                    task,
                    name: Some(self.task_name(task)),
                    group: None,
                    stack: match own {
                        true => trace::StackKind::Own,
                        false => trace::StackKind::Shared,
                    },
                }
            }
            Happened::Wait(task, wait) => {
                let on = || names::wait(&self.program, core, wait);
                What::of(Event::Block { task }, on, 0)
            }
            Happened::Event(event) => {
                let stack = match event {
                    Event::Save { task, .. } | Event::Restore { task, .. } => {
                        let task = core.task(task);
                        task.map_or(0, |task| task.stack.saturating_sub(1))
                    }
                    _ => 0,
                };
                What::of(event, || trace::OVER.to_owned(), stack)
            }
        }
    }

    /// The address of a word of a task's control block.
    pub(super) fn field(&self, task: TaskNumber, field: Field) -> u64 {
        let block = self.state().task(task).map_or(0, |task| task.control_block);
        field.at(block, self.isa)
    }

    /// Who leaves and who is gone to at the switch.
    pub(super) fn aim(&self) -> Option<(TaskNumber, TaskNumber)> {
        self.state().aim()
    }

    /// Whether a task has never run.
    pub(super) fn is_fresh(&self, task: TaskNumber) -> bool {
        let record = self.state().task(task);
        record.is_some_and(|task| task.coroutine.status() == Status::Fresh)
    }

    pub(super) fn task_name(&self, task: TaskNumber) -> String {
        names::task(&self.program, self.state(), task)
    }

    /// The fault that a refusal is.
    pub(super) fn refused(&self, wanted: String, reply: Reply) -> FaultKind {
        match reply {
            Reply::Refused(refusal) => FaultKind::Refused { wanted, refusal },
            Reply::NoTask => FaultKind::Runtime {
                message: format!("{wanted}: no task has been made under this name yet"),
            },
            Reply::Deadlock => FaultKind::Deadlock {
                waits: names::waits(&self.program, self.state()),
            },
            other => FaultKind::Runtime {
                message: format!("{wanted}: the runtime is out of step: {other:?}"),
            },
        }
    }

    /// Where the running task will go on.
    pub(super) fn here(&self, context: &Context<'_>) -> Anchor {
        Anchor {
            address: context.pc(),
            sp: context.sp(),
            fp: context.fp(),
            low: context.sp(),
        }
    }
}

impl Host for Runtime {
    fn service(&self, name: &str) -> Option<u16> {
        let at = SERVICES.iter().position(|service| service.name == name)?;
        Some(at as u16)
    }

    fn service_name(&self, service: u16) -> &'static str {
        SERVICES
            .get(service as usize)
            .map_or("?", |service| service.name)
    }

    fn start(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind> {
        let program = Arc::clone(&self.program);
        let mut core = self.core.state().clone();
        for (index, stack) in program.stacks.iter().enumerate() {
            let (kind, share) = match stack.kind {
                syntax::StackKind::Shared => (StackKind::Shared, Stack::shared()),
                syntax::StackKind::Own => (StackKind::Own, Stack::own()),
            };
            let number = context.add_stack(kind, stack.bytes)?;
            if number as usize != index + 1 {
                return Err(FaultKind::Runtime {
                    message: format!("stack {} is number {number}", stack.name),
                });
            }
            core.stacks.push(share);
        }
        core.keeps_the_dead = self.style.keeps_the_dead;
        core.tasks[0].control_block = self.allocate_block(context, 0)?;
        self.core = Journal::new(core);

        let word = match self.isa.word_bytes() {
            4 => Word::Bits32,
            _ => Word::Bits64,
        };
        for (name, task) in program.tasks.iter().enumerate() {
            let Some(launch) = &task.declared else {
                continue;
            };
            let arguments: Vec<u64> = launch
                .call
                .args
                .iter()
                .map(|arg| arg.constant(word).unwrap_or(0) as u64)
                .collect();
            let new = NewTask {
                name: name as u32,
                stack: launch.stack,
                fp: launch.fp,
                function: launch.call.function,
                arguments: &arguments,
            };
            let _ = self.make(context, &new)?;
        }
        self.core = Journal::new(self.core.state().clone());
        let made = self.happened.iter();
        self.declared = made.map(|(_, happened)| self.line(*happened)).collect();
        self.happened.truncate(0);
        Ok(())
    }

    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        let result = match SERVICES.get(service as usize) {
            Some(service) => match self.check_who_runs(service, context) {
                Ok(()) => (service.handler)(self, context),
                Err(astray) => Err(astray),
            },
            None => Err(self.no_service(service)),
        };
        self.settle(result)
    }

    fn micro_step(&mut self, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        let from_us = self.state().clock_us;
        let reply = self.apply(Command::Next);
        let Reply::Micro(Some((micro, more))) = &reply else {
            return self.settle(Ok(Then::Continue));
        };
        if let Micro::Clock { to_us } = *micro {
            context.did(StepKind::Clock { from_us, to_us });
        }
        let then = match more {
            true => Then::More,
            false => Then::Continue,
        };
        match self.carry_out(context, micro) {
            Ok(()) => self.settle(Ok(then)),
            Err(fault) => self.settle(Err(fault.into())),
        }
    }

    fn seek(&mut self, host_steps: u64) {
        self.core.seek(host_steps);
    }

    fn truncate(&mut self, host_steps: u64) {
        self.core.truncate();
        let keep = self.said.partition_point(|(at, _)| *at < host_steps);
        self.said.truncate(keep);
        let keep = self.happened.partition_point(|(at, _)| *at < host_steps);
        self.happened.truncate(keep);
    }

    fn state_hash(&self) -> u64 {
        let mut hash = Hash(std::hash::DefaultHasher::new());
        // The last command's events are history, not state.
        let Core {
            scheduler,
            tasks,
            stacks,
            names,
            channels,
            works,
            pending,
            clock_us,
            ..
        } = self.state();
        let values = (channels, works);
        let state = (scheduler, tasks, stacks, names, values, pending, clock_us);
        match write!(hash, "{state:?}") {
            Ok(()) | Err(fmt::Error) => hash.0.finish(),
        }
    }

    fn task_count(&self) -> u32 {
        self.state().tasks.len() as u32
    }

    fn task(&self, task: TaskNumber) -> Option<TaskView> {
        let core = self.state();
        let record = core.task(task)?;
        let fresh = task != 0 && self.is_fresh(task);
        let status = match core.state(task)? {
            TaskState::Ready if fresh => TaskStatus::Fresh,
            TaskState::Ready => TaskStatus::Ready,
            TaskState::Running => TaskStatus::Running,
            TaskState::Resuming => TaskStatus::Resuming,
            TaskState::Blocked(wait) => TaskStatus::Blocked(names::wait(&self.program, core, wait)),
            TaskState::Ended => TaskStatus::Ended,
        };
        let own = core
            .stacks
            .get(record.stack as usize)
            .is_none_or(Stack::is_own);
        Some(TaskView {
            number: task,
            name: self.task_name(task),
            status,
            stack: record.stack,
            fp: record.fp,
            statement: None,
            control_block: record.control_block,
            save: (!own).then_some(record.save),
        })
    }

    fn anchor(&self, task: TaskNumber) -> Option<Anchor> {
        self.state().task(task)?.anchor
    }

    fn stack_name(&self, stack: StackNumber) -> String {
        names::stack(&self.program, stack)
    }

    fn events(&self) -> Vec<Event<TaskId>> {
        let moment = self.core.moment();
        let past = self.happened.iter().take_while(|(at, _)| *at < moment);
        let core = self.state();
        let id = |task: TaskNumber| core.tasks[task as usize].id;
        past.filter_map(|(_, happened)| match happened {
            Happened::Event(event) => Some(event.map(id)),
            Happened::Wait(task, _) => Some(Event::Block { task: id(*task) }),
            Happened::Made(_) => None,
        })
        .collect()
    }

    fn happened(&self) -> Vec<(Option<u64>, What)> {
        let moment = self.core.moment();
        let declared = self.declared.iter().map(|what| (None, what.clone()));
        let past = self.happened.iter().take_while(|(at, _)| *at < moment);
        declared
            .chain(past.map(|(at, happened)| (Some(*at), self.line(*happened))))
            .collect()
    }

    fn said(&self, host_step: u64) -> Option<(&'static str, String)> {
        let at = self.said.partition_point(|(at, _)| *at < host_step);
        let (_, said) = self.said.get(at).filter(|(at, _)| *at == host_step)?;
        Some((said.name, said.wanted(self)))
    }

    fn clobbers(&self, register: &str) -> bool {
        let kept = self.style.keeps.iter().any(|kept| kept == register);
        let always = memory::convention(self.isa).always_kept;
        !kept && !always.contains(&register)
    }

    fn statistics(&self) -> Statistics {
        let core = self.state();
        let counts = core.counts;
        Statistics {
            saves: counts.saves,
            restores: counts.restores,
            saved_bytes: counts.saved_bytes,
            restored_bytes: counts.restored_bytes,
            largest_image: counts.largest_image,
            save_stack_bytes: core
                .tasks
                .iter()
                .map(|task| u64::from(task.save.capacity))
                .sum(),
            ..Statistics::default()
        }
    }

    fn explain(&self, step: &StepView, session: &Session) -> String {
        explain::sentence(self, step, session)
    }
}

/// Hashes what is formatted into it.
struct Hash(std::hash::DefaultHasher);

impl fmt::Write for Hash {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.write(s.as_bytes());
        Ok(())
    }
}
