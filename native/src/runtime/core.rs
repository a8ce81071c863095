//! What all parts of one runtime share, and the loop in which main runs tasks.
//!
//! ```text
//!   main: run(), join(), sleep() …
//!     └─ dispatch ──resume──► task ── sleep(), lock() … asks the scheduler ──suspend──┐
//!           ▲                                                                         │
//!           └─────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Everything here stays on one thread. The scheduler and the slots are borrowed for the length of
//! a call into the engine or of some assignments, and never across a switch or a call of code that
//! could come back here. That is what every `UnsafeCell` of this file relies on.

use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use costack_engine::Refusal;
use costack_engine::sched::{Flow, Next, Outcome, Scheduler, TaskId, TaskState};
use costack_engine::trace::Record;

use super::clock::Clock;
use super::deadlock::Deadlock;
use super::doorbell::Doorbell;
use super::pool::{Bound, PoolState};
use super::task::{Body, JoinError, Place, TaskCoroutine, TaskYielder};
use super::trace::{Sink, Tracer};
use crate::arch::Word;
use crate::head::left_with;
use crate::value::unpack;

/// How a task gave way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It is ready.
    Yielded,
    /// It has told the scheduler what it waits for.
    Blocked,
}

/// How a task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Go,
    /// It was asked to end.
    Cancel,
}

/// After so many switches the clock is read and the world outside is looked at, when anybody
/// waits for either.
const CHECK_EVERY: u32 = 32;

/// What a runtime has of a task, at the task's index in the scheduler.
#[derive(Default)]
pub(super) struct Slot {
    /// `None` while it runs for the first time, before that, and once it has ended.
    pub(super) coroutine: Option<TaskCoroutine>,
    /// Its own end, once it has begun to run.
    yielder: Option<NonNull<TaskYielder>>,
    /// The rest, which switches do not touch.
    pub(super) rest: Box<Rest>,
}

#[derive(Default)]
pub(super) struct Rest {
    /// Where it is to run, until it first does.
    pub(super) place: Option<Place>,
    /// Until it has ended: its function, then its result.
    pub(super) body: Option<Rc<dyn Body>>,
    pub(super) bound: Option<Bound>,
    /// It unwinds as it was cancelled, or did so when it last gave way while its thread was panicking.
    unwinds: bool,
    /// Its number in traces.
    pub(super) number: u32,
    pub(super) name: Option<Rc<str>>,
}

/// One runtime.
pub(crate) struct Core {
    scheduler: UnsafeCell<Scheduler<Sink>>,
    slots: UnsafeCell<Vec<Slot>>,
    pub(super) clock: Clock,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) tracer: Tracer,
    pub(super) pools: RefCell<Vec<Weak<PoolState>>>,
    /// Switches until the clock is read and the world outside is looked at.
    countdown: Cell<u32>,
    /// Where the countdown began, less what it was shortened by.
    counted_from: Cell<u32>,
    /// Switches before that.
    switches: Cell<u64>,
    pub(super) spawned: Cell<u32>,
    next_token: Cell<u32>,
    /// There were tasks on shared stacks.
    shares: Cell<bool>,
    /// Cancelled tasks that have not ended.
    cancels: Cell<u32>,
    /// Those that unwind and have given way in a destructor; main may be one.
    away_unwinding: Cell<u32>,
    propagate_panics: bool,
    /// The panic of a task that is to go on in main.
    pub(super) panic: Cell<Option<Box<dyn Any + Send>>>,
    #[cfg(feature = "io")]
    pub(crate) reactor: crate::io::Reactor,
    pub(super) blocking: super::blocking::Threads,
}

/// The thread's runtime and the task that runs.
struct Current {
    core: Cell<*const Core>,
    /// `None` while main runs.
    yielder: Cell<Option<NonNull<TaskYielder>>>,
}

thread_local! {
    static CURRENT: Current = const {
        Current { core: Cell::new(std::ptr::null()), yielder: Cell::new(None) }
    };
}

/// The thread's runtime.
#[track_caller]
pub(crate) fn current() -> Rc<Core> {
    match try_current() {
        Some(core) => core,
        None => panic!("this thread has no `costack::Runtime`"),
    }
}

pub(crate) fn try_current() -> Option<Rc<Core>> {
    // A thread that is ending has none any more.
    let core = CURRENT.try_with(|current| current.core.get()).ok()?;
    if core.is_null() {
        return None;
    }
    // SAFETY: the pointer came from an `Rc` in `enter`, and `leave` clears it before that goes.
    unsafe {
        Rc::increment_strong_count(core);
        Some(Rc::from_raw(core))
    }
}

/// Makes a runtime the thread's own.
///
/// # Panics
/// If it has one already.
pub(super) fn enter(core: &Rc<Core>) {
    CURRENT.with(|current| {
        assert!(
            current.core.get().is_null(),
            "this thread has a `costack::Runtime` already"
        );
        current.core.set(Rc::as_ptr(core));
    });
}

pub(super) fn leave() {
    CURRENT.with(|current| current.core.set(std::ptr::null()));
}

/// The task that runs gives way to whoever else is ready.
#[inline(always)]
pub(super) fn yield_now() {
    let (yielder, core) = CURRENT.with(|current| (current.yielder.get(), current.core.get()));
    match yielder {
        Some(yielder) => {
            // SAFETY: it is the yielder of the task that runs, whose coroutine is alive.
            let yielder = unsafe { yielder.as_ref() };
            // SAFETY: the thread has a runtime as long as a task runs.
            let core = unsafe { &*core };
            if std::thread::panicking() {
                return core.yield_while_panicking(yielder);
            }
            let next = match yielder.is_own() {
                true => core.next_to_go_to(),
                false => None,
            };
            // SAFETY: tasks are resumed by `resume_any` only; the next one is suspended on its own
            // stack, as `next_to_go_to` has found, and so is this one's kind.
            let order = unsafe {
                match next {
                    Some((next, sp)) => yielder.suspend_to(next.as_ref(), sp, Order::Go),
                    None => yielder.suspend_any(Left::Yielded),
                }
            };
            if order == Order::Cancel {
                current().check_cancel();
            }
        }
        None => current().yield_main(),
    }
}

impl Core {
    pub(super) fn new(clock: Clock, propagate_panics: bool) -> Rc<Self> {
        let main = Slot {
            rest: Box::new(Rest {
                name: Some("main".into()),
                ..Rest::default()
            }),
            ..Slot::default()
        };
        let doorbell = Arc::new(Doorbell::new());
        Rc::new(Core {
            scheduler: UnsafeCell::new(Scheduler::with_observer(Sink::default())),
            slots: UnsafeCell::new(vec![main]),
            clock,
            #[cfg(feature = "io")]
            reactor: crate::io::Reactor::new(Arc::clone(&doorbell)),
            doorbell,
            tracer: Tracer::default(),
            pools: RefCell::default(),
            countdown: Cell::new(u32::MAX),
            counted_from: Cell::new(u32::MAX),
            switches: Cell::new(0),
            spawned: Cell::new(0),
            next_token: Cell::new(0),
            shares: Cell::new(false),
            cancels: Cell::new(0),
            away_unwinding: Cell::new(0),
            propagate_panics,
            panic: Cell::new(None),
            blocking: super::blocking::Threads::default(),
        })
    }

    /// Asks the scheduler something.
    #[inline(always)]
    pub(crate) fn scheduler<T>(&self, ask: impl FnOnce(&mut Scheduler<Sink>) -> T) -> T {
        // SAFETY: `ask` calls the engine and nothing else, and the engine calls nobody but the
        // sink, so no other borrow exists meanwhile.
        ask(unsafe { &mut *self.scheduler.get() })
    }

    /// Does something with the slots.
    pub(super) fn slots<T>(&self, act: impl FnOnce(&mut Vec<Slot>) -> T) -> T {
        // SAFETY: `act` moves values in or out and calls nothing that comes back here.
        act(unsafe { &mut *self.slots.get() })
    }

    /// Does something with one task's slot.
    pub(super) fn rest<T>(&self, task: TaskId, act: impl FnOnce(&mut Rest) -> T) -> T {
        self.slots(|slots| act(&mut slots[task.index()].rest))
    }

    pub(crate) fn running(&self) -> TaskId {
        self.scheduler(|s| s.current())
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    /// A number for one wait for something from outside.
    pub(crate) fn token(&self) -> u32 {
        let token = self.next_token.get();
        self.next_token.set(token.wrapping_add(1));
        token
    }

    /// Something has begun that the loop must look at now and then.
    pub(crate) fn attend(&self) {
        let soon = match self.clock.is_virtual() || self.cancels.get() > 0 || self.tracer.is_on() {
            true => 1,
            false => CHECK_EVERY,
        };
        self.shorten(soon);
    }

    /// Has the loop look at the clock and the world outside after so many switches at most.
    fn shorten(&self, soon: u32) {
        let countdown = self.countdown.get();
        if soon < countdown {
            self.counted_from
                .set(self.counted_from.get() - (countdown - soon));
            self.countdown.set(soon);
        }
    }

    /// How often a task was resumed.
    pub(super) fn switches(&self) -> u64 {
        self.switches.get() + u64::from(self.counted_from.get() - self.countdown.get())
    }

    /// The running task asks for something that it may have to wait for, and waits.
    ///
    /// # Errors
    /// The engine's refusal.
    ///
    /// # Panics
    /// When main waits and nobody can run any more; with the report.
    pub(crate) fn wait(
        &self,
        ask: impl FnMut(&mut Scheduler<Sink>) -> Result<Flow, Refusal>,
    ) -> Result<Outcome, Refusal> {
        self.wait_until(None, ask)
    }

    /// As [`wait`](Self::wait), until the given time at most.
    pub(crate) fn wait_until(
        &self,
        due_us: Option<u64>,
        ask: impl FnMut(&mut Scheduler<Sink>) -> Result<Flow, Refusal>,
    ) -> Result<Outcome, Refusal> {
        match self.try_wait(due_us, ask)? {
            Ok(outcome) => Ok(outcome),
            Err(deadlock) => panic!("{deadlock}"),
        }
    }

    /// As [`wait_until`](Self::wait_until); the report is the inner error.
    pub(super) fn try_wait(
        &self,
        due_us: Option<u64>,
        mut ask: impl FnMut(&mut Scheduler<Sink>) -> Result<Flow, Refusal>,
    ) -> Result<Result<Outcome, Deadlock>, Refusal> {
        loop {
            let flow = self.scheduler(&mut ask)?;
            if flow == Flow::Continue {
                return Ok(Ok(Outcome::Granted));
            }
            let outcome = self.give_way(flow, due_us);
            // It cannot be unwound again; what its destructors wait for, they still need.
            if !matches!(outcome, Ok(Outcome::Cancelled)) || !self.unwinds(self.running()) {
                return Ok(outcome);
            }
        }
    }

    /// Follows the scheduler's answer.
    ///
    /// # Errors
    /// When main waits and nobody can run any more. Main waits no longer then.
    pub(super) fn give_way(&self, flow: Flow, due_us: Option<u64>) -> Result<Outcome, Deadlock> {
        match flow {
            Flow::Continue => return Ok(Outcome::Granted),
            Flow::Poll => {
                self.limit(TaskId::MAIN, due_us);
                self.dispatch()?;
            }
            Flow::Leave { .. } => {
                let yielder = CURRENT.with(|current| current.yielder.get());
                let yielder = yielder.expect("a task runs");
                let task = self.last_left();
                self.limit(task, due_us);
                let _order = self.away(task, || {
                    // SAFETY: it is the yielder of the task that runs, whose coroutine is alive.
                    // Tasks are resumed by `resume_any` only.
                    unsafe { yielder.as_ref().suspend_any(Left::Blocked) }
                });
            }
        }
        let running = self.running();
        Ok(self.scheduler(|s| s.outcome(running)))
    }

    fn limit(&self, task: TaskId, due_us: Option<u64>) {
        if let Some(due_us) = due_us {
            // The task exists: it is the one that runs.
            let _ = self.scheduler(|s| s.limit_wait(task, due_us));
        }
        if self.scheduler(|s| s.next_timer_us().is_some() || s.external_waits() > 0) {
            self.attend();
        }
    }

    /// The task that the CPU is with, which the scheduler has just taken it from.
    fn last_left(&self) -> TaskId {
        self.scheduler(|s| s.last_left())
    }

    /// Unwinds the running task if it was cancelled, unless it unwinds already.
    pub(crate) fn check_cancel(&self) {
        let running = self.running();
        if running == TaskId::MAIN || !self.scheduler(|s| s.cancel_requested(running)) {
            return;
        }
        // While it unwinds already, its destructors may wait as they like.
        if !self.unwinds(running) {
            self.rest(running, |rest| rest.unwinds = true);
            super::task::unwind_cancelled()
        }
    }

    /// Whether a task that runs, or is about to give way, unwinds. `std::thread::panicking` says it
    /// of the thread: it is also true where another task gave way in a destructor as it unwound. As
    /// long as such a one is away, a task unwinds if it was cancelled or did so before that one went.
    fn unwinds(&self, task: TaskId) -> bool {
        std::thread::panicking()
            && (self.away_unwinding.get() == 0 || self.rest(task, |rest| rest.unwinds))
    }

    /// Has the running task give way by `suspend`, and keeps count of those that unwind.
    #[inline(always)]
    fn away<T>(&self, task: TaskId, suspend: impl FnOnce() -> T) -> T {
        match std::thread::panicking() {
            false => suspend(),
            true => self.away_while_panicking(task, suspend),
        }
    }

    #[cold]
    #[inline(never)]
    fn away_while_panicking<T>(&self, task: TaskId, suspend: impl FnOnce() -> T) -> T {
        let unwinds = self.unwinds(task);
        self.rest(task, |rest| rest.unwinds = unwinds);
        let _away = unwinds.then(|| AwayUnwinding::new(self));
        suspend()
    }

    /// Asks a task to end.
    pub(super) fn cancel(&self, task: TaskId) -> Result<(), Refusal> {
        let before = self.scheduler(|s| s.cancel_requested(task));
        self.scheduler(|s| s.request_cancel(task))?;
        if !before {
            self.cancels.set(self.cancels.get() + 1);
        }
        self.attend();
        Ok(())
    }

    /// The running task yields while its thread is panicking: by way of main, which has the time.
    #[cold]
    #[inline(never)]
    fn yield_while_panicking(&self, yielder: &TaskYielder) {
        let order = self.away_while_panicking(self.running(), || {
            // SAFETY: tasks are resumed by `resume_any` only.
            unsafe { yielder.suspend_any(Left::Yielded) }
        });
        if order == Order::Cancel {
            self.check_cancel();
        }
    }

    #[cold]
    fn yield_main(&self) {
        self.wait(|s| Ok(s.handle_yield()))
            .expect("yielding is never refused");
    }

    /// Main gives way: runs whom the scheduler names, until it is main's turn again.
    ///
    /// # Errors
    /// When nobody can run any more.
    fn dispatch(&self) -> Result<(), Deadlock> {
        let _main = MainAgain;
        // As the runtime is dropped by a panic of main, say.
        let unwinds = std::thread::panicking() && self.away_unwinding.get() == 0;
        let _away = unwinds.then(|| AwayUnwinding::new(self));
        loop {
            self.reset_countdown();
            let is_traced = self.tracer.is_on();
            let task = match self.poll() {
                Next::Main => return Ok(()),
                Next::Resume(task) => task,
                Next::Idle { until_us } => {
                    self.idle(until_us);
                    continue;
                }
                Next::Deadlock => {
                    let deadlock = Deadlock::of(self);
                    self.scheduler(|s| s.give_up());
                    return Err(deadlock);
                }
            };
            if is_traced {
                self.countdown.set(self.countdown.get() - 1);
                self.resume_traced(task);
                self.settle_panic();
                continue;
            }
            // While nobody has to look at the clock or the world outside, this is all there is.
            // A cancellation ends the countdown, so only the first task can be a cancelled one.
            let mut left = self.resume(task);
            loop {
                let countdown = self.countdown.get() - 1;
                self.countdown.set(countdown);
                let next = match left {
                    Some(Left::Yielded) if countdown > 0 => {
                        self.scheduler(|s| s.handle_yield_and_poll())
                    }
                    Some(Left::Yielded) => {
                        let _main = self.scheduler(|s| s.handle_yield());
                        break;
                    }
                    _ if countdown > 0 => self.scheduler(|s| s.poll_ready()),
                    _ => break,
                };
                match next {
                    Next::Resume(next) => left = self.resume_with(next, Order::Go),
                    Next::Main => {
                        self.settle_panic();
                        return Ok(());
                    }
                    Next::Idle { .. } | Next::Deadlock => break,
                }
            }
            self.settle_panic();
        }
    }

    fn reset_countdown(&self) {
        // What was counted down since the last time are the switches.
        self.switches.set(self.switches());
        self.counted_from.set(u32::MAX);
        self.countdown.set(u32::MAX);
        let attends = self.scheduler(|s| s.next_timer_us().is_some() || s.external_waits() > 0);
        if attends || self.cancels.get() > 0 || self.tracer.is_on() {
            self.attend();
        }
    }

    /// Looks at the clock and the world outside, then asks who is next.
    fn poll(&self) -> Next {
        if self.scheduler(|s| s.external_waits() > 0) {
            self.look_outside();
        }
        let now_us = match self.scheduler(|s| s.next_timer_us()) {
            Some(_) => self.now_us(),
            None => 0,
        };
        let next = self.scheduler(|s| s.poll(now_us));
        if self.tracer.is_on() {
            self.trace_wakes();
        }
        next
    }

    /// Takes in what has come from other threads and from files, without waiting.
    fn look_outside(&self) {
        for (task, token) in self.doorbell.take() {
            self.scheduler(|s| s.handle_external(task, token));
        }
        #[cfg(feature = "io")]
        self.reactor.turn(self, Some(std::time::Duration::ZERO));
    }

    /// Waits until the clock shows `until_us` or something comes from outside.
    fn idle(&self, until_us: u64) {
        if self.scheduler(|s| s.external_waits() > 0) && self.doorbell.was_rung() {
            return;
        }
        let Some(timeout) = self.clock.idle(until_us) else {
            return;
        };
        #[cfg(feature = "io")]
        if self.reactor.is_in_use() {
            self.reactor.turn(self, timeout);
            return;
        }
        self.doorbell.wait(timeout);
    }

    /// Runs a task until it gives way. `None` when it has ended.
    fn resume(&self, task: TaskId) -> Option<Left> {
        let order = match self.cancels.get() {
            0 => Order::Go,
            _ => self.order(task),
        };
        self.resume_with(task, order)
    }

    #[inline(always)]
    fn resume_with(&self, task: TaskId, order: Order) -> Option<Left> {
        if self.shares.get() {
            self.prefetch();
        }
        // SAFETY: the borrow ends before the switch.
        let slot = unsafe { &mut (&mut *self.slots.get())[task.index()] };
        let Some(coroutine) = &slot.coroutine else {
            return self.resume_fresh(task);
        };
        CURRENT.with(|current| current.yielder.set(slot.yielder));
        // SAFETY: a second handle to the coroutine, while that in the slot is not used: nobody but
        // this function, `resume_fresh` and `ended` does, each for tasks that the scheduler has
        // just named, and a task that runs is not named again. So there is one `&mut` at a time,
        // and `ManuallyDrop` leaves dropping to the slot's handle.
        let mut coroutine = ManuallyDrop::new(unsafe { std::ptr::read(coroutine) });
        match coroutine.resume_any(order) {
            Ok(came) => self.came_back(came),
            Err(error) => self.cannot_resume(task, error),
        }
    }

    /// How the task that has come back, which need not be the one that was resumed, gave way.
    #[inline(always)]
    fn came_back(&self, (value, tag): (Word, usize)) -> Option<Left> {
        if tag == left_with::YIELDED {
            // SAFETY: the tag says that this is what a task has yielded, not read yet.
            return Some(unsafe { unpack(value) });
        }
        self.has_ended((value, tag));
        None
    }

    /// A task has returned: the one that the scheduler has running.
    #[inline(never)]
    fn has_ended(&self, came: (Word, usize)) {
        let task = self.running();
        let (coroutine, body) = self.slots(|slots| {
            let slot = &mut slots[task.index()];
            (slot.coroutine.take(), slot.rest.body.take())
        });
        let mut left = None;
        if let (Some(coroutine), Some(body)) = (&coroutine, body) {
            // SAFETY: it came from this one: it was the last that ran.
            if let Err(payload) = unsafe { coroutine.came_to_its_end(came) } {
                let carries = body.failed(payload, self);
                left = (carries && Rc::strong_count(&body) == 1).then_some(body);
            }
        }
        drop(coroutine);
        if let Some(body) = left {
            // What the panic carries may wait as it is dropped, which only a task can do here.
            super::spawn(move || drop(body)).detach();
        }
        self.note_end(task);
    }

    /// Whom the running task, which yields, goes to without main in between; the scheduler has
    /// that one running then. `None` when main has to decide: when it is to look at the clock or
    /// the world outside, or when there is more to do than a switch between own stacks.
    // In a build without optimisation it would take a kilobyte of each task's stack in line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next_to_go_to(&self) -> Option<(NonNull<TaskYielder>, usize)> {
        let countdown = self.countdown.get();
        if countdown <= 1 {
            return None;
        }
        // SAFETY: the borrow ends with this function, which calls nothing that comes back here.
        let slots = unsafe { &*self.slots.get() };
        let (next, sp) = self.scheduler(|s| {
            s.handle_yield_to(|next| {
                let next = slots.get(next)?.yielder?;
                // SAFETY: a slot's yielder is that of a live coroutine.
                Some((next, unsafe { next.as_ref() }.sp_if_own()?))
            })
        })?;
        self.countdown.set(countdown - 1);
        CURRENT.with(|current| current.yielder.set(Some(next)));
        Some((next, sp))
    }

    /// Has fetched what the tasks of some turns ahead will need, when there are more of them than
    /// the cache holds: first the control block, then, by way of that, the save stack.
    #[inline(always)]
    fn prefetch(&self) {
        const BLOCK_AHEAD: u32 = 8;
        const IMAGE_AHEAD: u32 = 4;
        // SAFETY: the borrow ends with this function, which calls nothing that comes back here.
        let slots = unsafe { &*self.slots.get() };
        self.scheduler(|s| {
            if let Some(index) = s.peek_ahead(BLOCK_AHEAD)
                && let Some(head) = slots[index].yielder
            {
                crate::copy::prefetch(head.as_ptr().cast(), 64);
            }
            if let Some(index) = s.peek_ahead(IMAGE_AHEAD)
                && let Some(coroutine) = &slots[index].coroutine
            {
                coroutine.prefetch();
            }
        });
    }

    /// As [`resume`](Self::resume), and tells of it.
    #[cold]
    #[inline(never)]
    fn resume_traced(&self, task: TaskId) {
        use costack_engine::event::Event;
        let number = self.rest(task, |rest| rest.number);
        let tell = |event| self.tracer.tell(self.clock.now_ns(), event, String::new, 0);
        tell(Event::Resume {
            task: number,
            by: 0,
        });
        match self.resume(task) {
            Some(Left::Yielded) => {
                let _main = self.scheduler(|s| s.handle_yield());
                tell(Event::Yield { task: number });
            }
            Some(Left::Blocked) => {
                let state = self.scheduler(|s| s.state(task));
                let on = match state {
                    Ok(TaskState::Blocked(wait)) => wait.to_string(),
                    _ => "what has come meanwhile".to_owned(),
                };
                let event = Event::Block { task: number };
                self.tracer.tell(self.clock.now_ns(), event, || on, 0);
            }
            None => tell(Event::End { task: number }),
        }
        self.trace_wakes();
    }

    /// Tells of those who were woken since the last time.
    fn trace_wakes(&self) {
        let woken = self.scheduler(|s| std::mem::take(&mut s.observer().woken));
        for (task, outcome) in woken {
            let number = self.slots(|slots| slots[task.index()].rest.number);
            self.tracer.tell_wake(self.clock.now_ns(), number, outcome);
        }
    }

    /// Begins to trace: tells of the tasks that there are.
    pub(super) fn trace(&self, observer: Box<dyn FnMut(&Record)>) {
        self.tracer.start(observer);
        self.scheduler(|s| s.observer().is_on = true);
        let at_ns = self.clock.now_ns();
        for task in self.scheduler(|s| s.live_tasks().collect::<Vec<_>>()) {
            let (number, name, is_shared, id) = self.slots(|slots| {
                let slot = &slots[task.index()];
                let rest = &slot.rest;
                let place_is_shared = rest.place.as_ref().is_some_and(Place::is_shared);
                let is_shared = rest.bound.is_some() || place_is_shared;
                let id = slot.coroutine.as_ref().map(|coroutine| coroutine.id());
                (rest.number, rest.name.clone(), is_shared, id)
            });
            if let Some(id) = id {
                self.tracer.knows(id, number);
            }
            self.tracer
                .tell_task(at_ns, number, name.as_deref(), is_shared);
        }
        for pool in self.pools.borrow().iter().filter_map(Weak::upgrade) {
            pool.observe();
        }
        self.attend();
    }

    pub(super) fn stop_tracing(&self) {
        self.scheduler(|s| *s.observer() = Sink::default());
        self.tracer.stop();
        for pool in self.pools.borrow().iter().filter_map(Weak::upgrade) {
            pool.stop_observing();
        }
    }

    #[cold]
    fn order(&self, task: TaskId) -> Order {
        match self.scheduler(|s| s.cancel_requested(task)) {
            true => Order::Cancel,
            false => Order::Go,
        }
    }

    /// Gives a task its stack and runs it for the first time.
    #[inline(never)]
    fn resume_fresh(&self, task: TaskId) -> Option<Left> {
        CURRENT.with(|current| current.yielder.set(None));
        let (place, body, name) = self.rest(task, |rest| {
            (rest.place.take(), rest.body.clone(), rest.name.clone())
        });
        let (Some(place), Some(body)) = (place, body) else {
            unreachable!("a task that can be resumed has a coroutine, or something to do")
        };
        let order = match self.cancels.get() {
            0 => Order::Go,
            _ => self.order(task),
        };
        let (mut coroutine, bound) = match place.make(name.as_deref(), body) {
            Ok(made) => made,
            Err(error) => return self.never_runs(task, error),
        };
        if bound.is_some() {
            self.shares.set(true);
        }
        let number = self.rest(task, |rest| {
            rest.bound = bound;
            rest.number
        });
        if self.tracer.is_on() {
            self.tracer.knows(coroutine.id(), number);
        }
        let resumed = coroutine.resume_any(order);
        self.slots(|slots| slots[task.index()].coroutine = Some(coroutine));
        match resumed {
            Ok(came) => self.came_back(came),
            Err(error) => self.cannot_resume(task, error),
        }
    }

    /// There is no memory for a task to run on.
    #[cold]
    fn never_runs(&self, task: TaskId, error: crate::Error) -> Option<Left> {
        if let Some(body) = self.rest(task, |rest| rest.body.take()) {
            body.give_up(JoinError::Failed(error));
        }
        self.note_end(task);
        None
    }

    /// A task begins to run: notes its own end.
    pub(super) fn began(&self, yielder: &TaskYielder) {
        let yielder = Some(NonNull::from(yielder));
        CURRENT.with(|current| current.yielder.set(yielder));
        let task = self.running();
        self.slots(|slots| slots[task.index()].yielder = yielder);
    }

    /// A task has returned.
    fn ended(&self, task: TaskId) {
        let coroutine = self.slots(|slots| slots[task.index()].coroutine.take());
        drop(coroutine);
        self.note_end(task);
    }

    fn note_end(&self, task: TaskId) {
        let bound = self.slots(|slots| {
            let slot = &mut slots[task.index()];
            slot.yielder = None;
            (slot.rest.body.take(), slot.rest.bound.take())
        });
        drop(bound);
        if self.cancels.get() > 0 && self.scheduler(|s| s.cancel_requested(task)) {
            self.cancels.set(self.cancels.get() - 1);
        }
        let _main = self.scheduler(|s| s.handle_end());
    }

    /// There is no memory to bring a task in. It ends here; what its frames own is lost.
    #[cold]
    fn cannot_resume(&self, task: TaskId, error: crate::Error) -> Option<Left> {
        eprintln!("costack: task {} is given up: {error}", task.index());
        self.ended(task);
        None
    }

    /// A task has panicked, and its runtime was asked to go on with that in main.
    pub(super) fn note_panic(&self, payload: Box<dyn Any + Send>) -> Option<Box<dyn Any + Send>> {
        if !self.propagate_panics {
            return Some(payload);
        }
        self.panic.set(Some(payload));
        self.shorten(1);
        None
    }

    fn settle_panic(&self) {
        if self.propagate_panics
            && let Some(payload) = self.panic.take()
        {
            self.scheduler(|s| s.give_up());
            std::panic::resume_unwind(payload);
        }
    }

    /// Cancels all tasks and lets them unwind, and those that they make meanwhile.
    pub(super) fn cancel_all(&self) {
        loop {
            let live: Vec<_> = self.scheduler(|s| s.live_tasks().skip(1).collect());
            if live.is_empty() {
                return;
            }
            for &task in &live {
                // It is alive.
                let _ = self.cancel(task);
            }
            for task in live {
                // It may have ended by now, and its slot may be another one's.
                let Ok(flow) = self.scheduler(|s| s.handle_join(task)) else {
                    continue;
                };
                if self.give_way(flow, None).is_err() {
                    // Its destructors wait for what never comes.
                    return;
                }
            }
        }
    }

    /// Drops what is left when no task runs any more.
    pub(super) fn clear(&self) {
        for mut slot in self.slots(std::mem::take) {
            // One that waits in a destructor cannot be unwound again: it is left as it is.
            std::mem::forget(slot.coroutine.take());
        }
    }
}

/// One that unwinds is not at the CPU, for so long.
struct AwayUnwinding<'a>(&'a Cell<u32>);

impl<'a> AwayUnwinding<'a> {
    fn new(core: &'a Core) -> Self {
        let count = &core.away_unwinding;
        count.set(count.get() + 1);
        AwayUnwinding(count)
    }
}

impl Drop for AwayUnwinding<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Main runs again when the loop is left, however that happens.
struct MainAgain;

impl Drop for MainAgain {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.yielder.set(None));
    }
}
