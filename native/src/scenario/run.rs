//! One run of a scenario: its tasks and what they wait for, driven by the engine's scheduler.

mod request;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use costack_engine::Refusal;
use costack_engine::event::Event;
use costack_engine::sched::{
    ChannelId, EventId, Flow, MutexId, Next, Scheduler, TaskId, TaskState, Wait,
};
use costack_engine::trace::{OVER, StackKind, What};
use costack_lang::syntax::{self as lang, Launch, MAIN, Program, Rounding, Span, Stmt, TimeUnit};

use super::fault::{Fault, FaultKind, Stop};
use super::log::Log;
use super::stacks::{CALL_RESERVE_BYTES, Stacks, TaskCoroutine, TaskYielder};
use super::walk::{WORD, Walker};
use super::{Clock, Options, Report};
use crate::{Error, Refused, State};

/// What a task of the engine is in this scenario.
struct Task {
    /// Its name in the program; `None` for main.
    name: Option<lang::TaskId>,
    /// `None` while it runs, once it has ended, and for main.
    coroutine: Option<TaskCoroutine>,
    /// The value that it sends while it waits for room.
    parcel: i64,
    /// The value that it has received last.
    received: i64,
}

/// A channel's number in the engine, and the values in it.
struct Channel {
    id: ChannelId,
    values: RefCell<VecDeque<i64>>,
}

/// What all tasks of a run share.
pub(super) struct Machine {
    program: Rc<Program>,
    options: Options,
    stacks: Stacks,
    /// For each function: where each local lies among the words of a frame.
    layouts: Vec<Vec<Range<usize>>>,
    globals: Box<[Cell<isize>]>,
    scheduler: RefCell<Scheduler>,
    mutexes: Vec<MutexId>,
    completions: Vec<EventId>,
    channels: Vec<Channel>,
    /// What there is to do, by work queue.
    works: Vec<RefCell<VecDeque<i64>>>,
    /// By number; main is the first.
    tasks: RefCell<Vec<Task>>,
    /// The task that each name refers to now.
    names: RefCell<Vec<Option<TaskId>>>,
    log: Rc<Log>,
    /// The first fault, whose it is, and how much had happened then.
    fault: RefCell<Option<(Fault, TaskId, usize)>>,
    statements: Cell<u64>,
}

/// Runs a program that [`fn@super::run`] has found fit.
pub(super) fn run(program: Rc<Program>, options: Options) -> Result<Report, Error> {
    let machine = Rc::new(Machine::new(program, options)?);
    let main = Context {
        machine: &machine,
        yielder: None,
        task: TaskId::MAIN,
        line: Cell::new(0),
        // Main runs on the caller's stack, of which a part is known to be there.
        low: address_here().saturating_sub(MAIN_STACK_BYTES),
        top: address_here(),
    };
    let walked = main
        .declare_tasks()
        .and_then(|()| Walker { context: &main }.call(MAIN, &[]));
    debug_assert_eq!(
        walked == Err(Stop::Fault),
        machine.fault.borrow().is_some(),
        "a stop for a fault has a fault"
    );

    // Tasks that a fault or main leaves behind are unwound; what that copies is not part of the
    // scenario.
    let fault = machine.fault.take().map(|(fault, task, happened_before)| {
        machine.log.truncate(happened_before);
        machine.log.other(What::Fault {
            task: task.index() as u32,
            line: fault.line,
            reason: fault.kind.to_string(),
        });
        fault
    });
    let (output, events, records) = machine.log.take();
    let left = std::mem::take(&mut *machine.tasks.borrow_mut());
    drop(left);
    Ok(Report {
        output,
        events,
        records,
        fault,
        statements: machine.statements.get(),
    })
}

/// What a scenario's main may use of the stack that [`fn@super::run`] was called on.
const MAIN_STACK_BYTES: usize = 1 << 20;

#[inline(always)]
fn address_here() -> usize {
    let marker = 0u8;
    std::hint::black_box(&raw const marker).addr()
}

impl Machine {
    fn new(program: Rc<Program>, options: Options) -> Result<Self, Error> {
        let mut scheduler = Scheduler::new();
        let mutexes = program
            .mutexes
            .iter()
            .map(|_| scheduler.add_mutex())
            .collect();
        let completions = program
            .events
            .iter()
            .map(|_| scheduler.add_event())
            .collect();
        let channels = program
            .channels
            .iter()
            .map(|channel| Channel {
                id: scheduler.add_channel(channel.capacity),
                values: RefCell::default(),
            })
            .collect();
        for _ in &program.queues {
            let _ = scheduler.add_queue();
        }
        for _ in &program.groups {
            let _ = scheduler.add_group();
        }
        let works = program.works.iter().map(|_| {
            let _ = scheduler.add_work_queue();
            RefCell::default()
        });
        let works = works.collect();
        let layouts = program
            .functions
            .iter()
            .map(|function| {
                let mut start = 0;
                let layout = function.locals.iter().map(|local| {
                    let range = start..start + local.words() as usize;
                    start = range.end;
                    range
                });
                layout.collect()
            })
            .collect();
        let globals = program
            .globals
            .iter()
            .map(|global| Cell::new(global.init.constant(WORD).unwrap_or(0) as isize))
            .collect();
        let log = Rc::new(Log::new(options.clock));
        Ok(Machine {
            stacks: Stacks::new(&program, &log)?,
            options,
            layouts,
            globals,
            scheduler: RefCell::new(scheduler),
            mutexes,
            completions,
            channels,
            works,
            tasks: RefCell::new(vec![Task {
                name: None,
                coroutine: None,
                parcel: 0,
                received: 0,
            }]),
            names: RefCell::new(vec![None; program.tasks.len()]),
            log,
            fault: RefCell::default(),
            statements: Cell::new(0),
            program,
        })
    }

    /// What happens here concerns no stack by itself.
    fn emit(&self, event: Event<TaskId>) {
        self.log.event(event, 0, String::new());
    }

    fn task_name(&self, task: TaskId) -> String {
        match self.tasks.borrow()[task.index()].name {
            Some(name) => self.program[name].name.text.clone(),
            None => "main".to_owned(),
        }
    }

    /// What somebody waits for, as the scenario writes it.
    fn wait_in_words(&self, wait: Wait) -> String {
        let program = &self.program;
        match wait {
            Wait::Until { due_us } => format!("sleep until {due_us} us"),
            Wait::Mutex(id) => format!("lock {}", program.mutexes[id.0 as usize].name),
            Wait::Event(id) => format!("wait {}", program.events[id.0 as usize].name),
            Wait::Send(id) => format!("send {}", program.channels[id.0 as usize].name),
            Wait::Receive(id) => format!("recv {}", program.channels[id.0 as usize].name),
            Wait::Join(id) => format!("join {}", self.task_name(id)),
            Wait::AllEnded => "run".to_owned(),
            Wait::Queue(id) => format!("park {}", program.queues[id.0 as usize].name),
            Wait::Group(id) => format!("join {}", program.groups[id.0 as usize].name),
            Wait::Work(id) => format!("take {}", program.works[id.0 as usize].name),
            Wait::Flush(id) => format!("flush {}", program.works[id.0 as usize].name),
            // Nothing else has a name of the program's.
            other => other.to_string(),
        }
    }

    /// Who waits for what, one line for each.
    fn waits(&self) -> Vec<String> {
        let describe = |(task, wait, holder): (TaskId, Wait, Option<TaskId>)| {
            let what = self.wait_in_words(wait);
            let held = match (wait, holder) {
                (Wait::Mutex(_), Some(holder)) => format!(", held by {}", self.task_name(holder)),
                _ => String::new(),
            };
            format!("{} waits for {what}{held}", self.task_name(task))
        };
        self.scheduler.borrow().waiting().map(describe).collect()
    }
}

/// What one task's code has to do with: the machine, its own coroutine and its own stack.
pub(super) struct Context<'a> {
    machine: &'a Rc<Machine>,
    /// `None` for main.
    yielder: Option<&'a TaskYielder>,
    task: TaskId,
    /// The line of the statement that runs.
    line: Cell<u32>,
    /// The lowest usable address of its stack.
    low: usize,
    /// The end of its stack.
    top: usize,
}

impl Context<'_> {
    pub(super) fn program(&self) -> &Program {
        &self.machine.program
    }

    pub(super) fn layout(&self, function: lang::FnId) -> &[Range<usize>] {
        &self.machine.layouts[function.index()]
    }

    /// Records a fault of this task. The first one counts.
    pub(super) fn fault(&self, kind: FaultKind) -> Stop {
        let fault = Fault {
            task: self.machine.task_name(self.task),
            line: self.line.get(),
            kind,
        };
        let happened = self.machine.log.len();
        self.machine
            .fault
            .borrow_mut()
            .get_or_insert((fault, self.task, happened));
        Stop::Fault
    }

    /// Makes an error of the library a fault.
    fn library_fault(&self, wanted: String, error: &Error) -> Stop {
        self.fault(match error.refusal() {
            Some(refusal) => FaultKind::Refused { wanted, refusal },
            None => FaultKind::Memory {
                reason: format!("{wanted}: {error}"),
            },
        })
    }

    /// The source text of a span.
    pub(super) fn text(&self, span: Span) -> String {
        self.program().source.slice(span).to_owned()
    }

    /// A statement begins.
    pub(super) fn at_statement(&self, stmt: &Stmt) -> Result<(), Stop> {
        self.line.set(stmt.line);
        let statements = self.machine.statements.get() + 1;
        if statements > self.machine.options.statement_limit {
            let statements = self.machine.options.statement_limit;
            return Err(self.fault(FaultKind::StepLimit { statements }));
        }
        self.machine.statements.set(statements);
        Ok(())
    }

    /// Makes sure that a frame of so many bytes fits on the task's stack.
    pub(super) fn check_room(&self, bytes: usize) -> Result<(), Stop> {
        let left = address_here().saturating_sub(self.low);
        if left >= bytes.saturating_add(CALL_RESERVE_BYTES) {
            return Ok(());
        }
        let stack = match self.machine.stacks.ending_at(self.top) {
            Some(stack) => self.program()[stack].name.text.clone(),
            None => "main's stack".to_owned(),
        };
        Err(self.fault(FaultKind::Overflow { stack }))
    }

    pub(super) fn print(&self, line: String) {
        self.machine.log.other(What::Print {
            task: self.task.index() as u32,
            text: line,
        });
    }

    pub(super) fn now_us(&self) -> u64 {
        self.machine.log.now_us()
    }

    /// The task's number: 0 for main.
    pub(super) fn number(&self) -> i64 {
        self.task.index() as i64
    }

    pub(super) fn global(&self, global: lang::GlobalId) -> usize {
        let word: *const Cell<isize> = &raw const self.machine.globals[global.index()];
        word.expose_provenance()
    }

    /// Checks that a pointer of the program points at a word of a global or of a stack.
    pub(super) fn check_pointer(&self, pointer: i64) -> Result<usize, Stop> {
        let address = pointer as isize as usize;
        let globals = self.machine.globals.as_ptr_range();
        let inside = (globals.start.addr()..globals.end.addr()).contains(&address)
            || (address_here()..self.top).contains(&address)
            || self.machine.stacks.contains(address);
        match inside && address.is_multiple_of(align_of::<isize>()) {
            true => Ok(address),
            false => Err(self.fault(FaultKind::WildPointer { address: pointer })),
        }
    }

    pub(super) fn set_rounding(&self, mode: Rounding) {
        super::fp::set_rounding(mode as u8);
    }

    pub(super) fn rounding(&self) -> i64 {
        i64::from(super::fp::rounding())
    }

    // The runtime's statements.

    fn declare_tasks(&self) -> Result<(), Stop> {
        let program = Rc::clone(&self.machine.program);
        for (index, task) in program.tasks.iter().enumerate() {
            if let Some(launch) = &task.declared {
                let args = launch
                    .call
                    .args
                    .iter()
                    .map(|arg| arg.constant(WORD).unwrap_or(0));
                self.make_task(lang::TaskId(index as u32), launch, args.collect())?;
            }
        }
        Ok(())
    }

    fn make_task(
        &self,
        name: lang::TaskId,
        launch: &Launch,
        args: Vec<i64>,
    ) -> Result<TaskId, Stop> {
        let machine = Rc::clone(self.machine);
        let task = machine.scheduler.borrow_mut().spawn();
        let function = launch.call.function;
        let body = move |yielder: &TaskYielder, bounds: Range<usize>| {
            let context = Context {
                machine: &machine,
                yielder: Some(yielder),
                task,
                line: Cell::new(0),
                low: bounds.start,
                top: bounds.end,
            };
            // One that was cancelled before it ran never does.
            let walked = context
                .check_cancel()
                .and_then(|()| Walker { context: &context }.call(function, &args));
            // After a fault nothing goes on, so nothing ends either.
            if walked != Err(Stop::Fault) {
                machine.emit(Event::End { task });
                let mut scheduler = machine.scheduler.borrow_mut();
                if scheduler.cancel_requested(task) {
                    scheduler.hand_over_all(task);
                }
                let _resumer = scheduler.handle_end();
            }
        };
        let made = self
            .machine
            .stacks
            .make(launch, task, &self.program()[name].name.text, body);
        let coroutine = made.map_err(|error| {
            self.library_fault(format!("spawn {}", self.program()[name].name), &error)
        })?;
        let kind = self.program().stacks[launch.stack.index()].kind;
        self.machine.log.other(What::Task {
            task: task.index() as u32,
            name: Some(self.program()[name].name.text.clone()),
            group: None,
            stack: match kind {
                lang::StackKind::Own => StackKind::Own,
                lang::StackKind::Shared => StackKind::Shared,
            },
        });
        let mut tasks = self.machine.tasks.borrow_mut();
        debug_assert_eq!(tasks.len(), task.index());
        tasks.push(Task {
            name: Some(name),
            coroutine: Some(coroutine),
            parcel: 0,
            received: 0,
        });
        self.machine.names.borrow_mut()[name.index()] = Some(task);
        Ok(task)
    }

    pub(super) fn spawn(
        &self,
        name: lang::TaskId,
        launch: &Launch,
        args: Vec<i64>,
    ) -> Result<(), Stop> {
        let task = self.make_task(name, launch, args)?;
        self.granted("spawn", name, |s| s.start(task))
    }

    pub(super) fn is_alive(&self, name: lang::TaskId) -> bool {
        let task = self.machine.names.borrow()[name.index()];
        task.is_some_and(|task| self.machine.scheduler.borrow().is_alive(task))
    }

    pub(super) fn resume(&self, name: lang::TaskId) -> Result<(), Stop> {
        let task = self.named("resume", name)?;
        self.granted("resume", name, |s| s.handle_resume(task))?;
        self.switch_to(task)
    }

    pub(super) fn start(&self, name: lang::TaskId) -> Result<(), Stop> {
        let task = self.named("start", name)?;
        self.granted("start", name, |s| s.start(task))
    }

    pub(super) fn join(&self, name: lang::TaskId) -> Result<(), Stop> {
        let task = self.named("join", name)?;
        let flow = self.granted("join", name, |s| s.handle_join(task))?;
        self.give_way(flow)
    }

    pub(super) fn run(&self) -> Result<(), Stop> {
        let flow = self.machine.scheduler.borrow_mut().handle_run();
        self.give_way(flow)
    }

    pub(super) fn yield_now(&self) -> Result<(), Stop> {
        let flow = self.machine.scheduler.borrow_mut().handle_yield();
        if self.yielder.is_some() {
            self.machine.emit(Event::Yield { task: self.task });
        }
        self.leave(flow)
    }

    pub(super) fn sleep(&self, amount: i64, unit: TimeUnit) -> Result<(), Stop> {
        let unit_us = match unit {
            TimeUnit::Microseconds => 1,
            TimeUnit::Milliseconds => 1_000,
        };
        let time_us = u64::try_from(amount).unwrap_or(0).saturating_mul(unit_us);
        let due_us = self.now_us().saturating_add(time_us);
        let flow = self.machine.scheduler.borrow_mut().handle_sleep(due_us);
        self.give_way(flow)
    }

    pub(super) fn lock(&self, mutex: lang::MutexId) -> Result<(), Stop> {
        let id = self.machine.mutexes[mutex.index()];
        let result = self.machine.scheduler.borrow_mut().handle_lock(id);
        let flow = result.map_err(|refusal| self.refused_mutex("lock", mutex, refusal))?;
        self.give_way(flow)
    }

    pub(super) fn unlock(&self, mutex: lang::MutexId) -> Result<(), Stop> {
        let id = self.machine.mutexes[mutex.index()];
        let result = self.machine.scheduler.borrow_mut().handle_unlock(id);
        result.map_err(|refusal| self.refused_mutex("unlock", mutex, refusal))?;
        Ok(())
    }

    pub(super) fn wait(&self, event: lang::EventId) -> Result<(), Stop> {
        let id = self.machine.completions[event.index()];
        let result = self.machine.scheduler.borrow_mut().handle_wait(id);
        self.give_way(result.expect("an event of this run"))
    }

    pub(super) fn complete(&self, event: lang::EventId) -> Result<(), Stop> {
        let id = self.machine.completions[event.index()];
        let result = self.machine.scheduler.borrow_mut().handle_complete(id);
        result.expect("an event of this run");
        Ok(())
    }

    /// The task that a name refers to now.
    fn named(&self, what: &str, name: lang::TaskId) -> Result<TaskId, Stop> {
        let task = self.machine.names.borrow()[name.index()];
        task.ok_or_else(|| {
            self.fault(FaultKind::NoTask {
                wanted: format!("{what} {}", self.program()[name].name),
            })
        })
    }

    /// Asks the scheduler for something about a task, and makes a refusal a fault.
    fn granted<T>(
        &self,
        what: &str,
        name: lang::TaskId,
        ask: impl FnOnce(&mut Scheduler) -> Result<T, Refusal>,
    ) -> Result<T, Stop> {
        let answer = ask(&mut self.machine.scheduler.borrow_mut());
        answer.map_err(|refusal| {
            self.fault(FaultKind::Refused {
                wanted: format!("{what} {}", self.program()[name].name),
                refusal,
            })
        })
    }

    fn refused_mutex(&self, what: &str, mutex: lang::MutexId, refusal: Refusal) -> Stop {
        self.fault(FaultKind::Refused {
            wanted: format!("{what} {}", self.program()[mutex].name),
            refusal,
        })
    }

    /// Follows the scheduler's answer after a call that may block.
    fn give_way(&self, flow: Flow) -> Result<(), Stop> {
        if let Flow::Leave { .. } = flow {
            let state = self.machine.scheduler.borrow().state(self.task);
            let on = match state {
                Ok(TaskState::Blocked(wait)) => self.machine.wait_in_words(wait),
                _ => OVER.to_owned(),
            };
            let event = Event::Block { task: self.task };
            self.machine.log.event(event, 0, on);
        }
        self.leave(flow)
    }

    fn leave(&self, flow: Flow) -> Result<(), Stop> {
        match (flow, self.yielder) {
            (Flow::Continue, _) => self.check_cancel(),
            (Flow::Leave { .. }, Some(yielder)) => {
                yielder.suspend(());
                self.check_cancel()
            }
            (Flow::Poll, None) => self.poll(),
            (Flow::Leave { .. }, None) | (Flow::Poll, Some(_)) => {
                unreachable!("main polls, and all others leave to their resumers")
            }
        }
    }

    /// Asks the scheduler something.
    fn scheduler<T>(&self, ask: impl FnOnce(&mut Scheduler) -> T) -> T {
        ask(&mut self.machine.scheduler.borrow_mut())
    }

    /// Ends the running task if it was cancelled.
    fn check_cancel(&self) -> Result<(), Stop> {
        match self.machine.scheduler.borrow().cancel_requested(self.task) {
            true => Err(Stop::Exit),
            false => Ok(()),
        }
    }

    /// Main gives way: runs whom the scheduler names, until it is main's turn again.
    fn poll(&self) -> Result<(), Stop> {
        loop {
            let next = self.machine.scheduler.borrow_mut().poll(self.now_us());
            match next {
                Next::Main => return Ok(()),
                Next::Resume(task) => self.switch_to(task)?,
                Next::Idle { until_us } => match self.machine.options.clock {
                    Clock::Virtual => self.machine.log.set_virtual_us(until_us),
                    Clock::Real => {
                        let time_us = until_us.saturating_sub(self.now_us());
                        std::thread::sleep(Duration::from_micros(time_us));
                    }
                },
                Next::Deadlock => {
                    let waits = self.machine.waits();
                    return Err(self.fault(FaultKind::Deadlock { waits }));
                }
            }
        }
    }

    /// Resumes a task that the scheduler counts as running, until it gives way.
    fn switch_to(&self, task: TaskId) -> Result<(), Stop> {
        let machine = self.machine;
        let taken = machine.tasks.borrow_mut()[task.index()].coroutine.take();
        let mut coroutine = taken.expect("the scheduler names a task that can be resumed");
        let happened_before = machine.log.len();
        machine.emit(Event::Resume {
            task,
            by: self.task,
        });
        let resumed = coroutine.try_resume(());
        if !matches!(resumed, Ok(State::Returned(()))) {
            machine.tasks.borrow_mut()[task.index()].coroutine = Some(coroutine);
        }
        if let Err(Refused { error, .. }) = resumed {
            // It was not resumed after all.
            machine.log.truncate(happened_before);
            let wanted = format!("resume {}", machine.task_name(task));
            return Err(self.library_fault(wanted, &error));
        }
        match machine.fault.borrow().is_some() {
            true => Err(Stop::Fault),
            false => Ok(()),
        }
    }
}
