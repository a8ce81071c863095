//! What all parts of one runtime share, and how a task waits. [`turns`] is the loop in which main runs
//! tasks; [`told`] the same for one that watches.
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

mod current;
mod told;
mod turns;

use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use costack_engine::Refusal;
use costack_engine::sched::{Flow, Outcome, Scheduler, TaskId};

use super::clock::Clock;
use super::deadlock::Deadlock;
use super::doorbell::Doorbell;
use super::pool::{Bound, PoolState};
use super::task::{Body, Place, TaskCoroutine, TaskYielder};
use super::trace::{Sink, Tracer};
use current::of_thread;

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

/// The thread's runtime.
#[track_caller]
pub(crate) fn current() -> Rc<Core> {
    match try_current() {
        Some(core) => core,
        None => panic!("this thread has no `costack::Runtime`"),
    }
}

pub(crate) fn try_current() -> Option<Rc<Core>> {
    let core = of_thread(|current| current.core.get());
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
    of_thread(|current| {
        assert!(
            current.core.get().is_null(),
            "this thread has a `costack::Runtime` already"
        );
        current.core.set(Rc::as_ptr(core));
    });
}

pub(super) fn leave() {
    of_thread(|current| current.core.set(std::ptr::null()));
}

/// The task that runs gives way to whoever else is ready.
#[inline(always)]
pub(super) fn yield_now() {
    let (yielder, core) = of_thread(|current| (current.yielder.get(), current.core.get()));
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
    #[cfg_attr(not(debug_assertions), inline(always))]
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn give_way(&self, flow: Flow, due_us: Option<u64>) -> Result<Outcome, Deadlock> {
        match flow {
            Flow::Continue => return Ok(Outcome::Granted),
            Flow::Poll => {
                self.limit(TaskId::MAIN, due_us);
                self.dispatch()?;
            }
            Flow::Leave { .. } => {
                let yielder = of_thread(|current| current.yielder.get());
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

    #[cfg_attr(not(debug_assertions), inline(always))]
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
    #[inline]
    pub(crate) fn check_cancel(&self) {
        let running = self.running();
        if running != TaskId::MAIN && self.scheduler(|s| s.cancel_requested(running)) {
            self.follow_cancel(running);
        }
    }

    #[cold]
    fn follow_cancel(&self, running: TaskId) {
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
