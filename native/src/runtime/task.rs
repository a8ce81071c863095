//! Tasks: how they are made, what they do, and how they end.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{Outcome, TaskId};

use super::clock::to_us;
use super::core::{Core, Left, Order, current};
use super::deadlock::Deadlock;
use super::group::Group;
use super::pool::{Bound, StackPool};
use crate::stack::{DEFAULT_STACK_BYTES, StackMemory};
use crate::{Builder, Coroutine, Error, SharedStack, Yielder};

/// A task, as its runtime sees it.
pub(crate) type TaskCoroutine = Coroutine<Order, Left, ()>;
/// A task's own end.
pub(crate) type TaskYielder = Yielder<Order, Left>;

/// Why a task has no result.
pub enum JoinError {
    /// It panicked, with this payload.
    Panicked(Box<dyn Any + Send>),
    /// It was cancelled.
    Cancelled,
    /// It cannot end any more, and main was to wait for it.
    Deadlock(Deadlock),
    /// It could not be run: there was no memory for its stack.
    Failed(Error),
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Panicked(payload) => {
                let text = payload
                    .downcast_ref::<&str>()
                    .copied()
                    .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
                write!(f, "the task panicked: {}", text.unwrap_or("no message"))
            }
            JoinError::Cancelled => f.write_str("the task was cancelled"),
            JoinError::Deadlock(deadlock) => deadlock.fmt(f),
            JoinError::Failed(error) => write!(f, "the task could not be run: {error}"),
        }
    }
}

impl std::error::Error for JoinError {}

/// The payload that unwinds a cancelled task.
struct Cancelled;

/// Unwinds the running task.
pub(super) fn unwind_cancelled() -> ! {
    // No panic hook is called, so nothing is printed.
    resume_unwind(Box::new(Cancelled))
}

/// What a task is to do.
pub(crate) trait Body: 'static {
    /// Makes the coroutine that does it, on a stack of its own. The coroutine's first function is this
    /// body's alone, so that the task's function can be part of it: a frame less in every image.
    fn build(self: Rc<Self>, builder: Builder) -> Result<TaskCoroutine, Error>;
    /// As [`build`](Self::build), on memory that its maker has given.
    fn build_on(
        self: Rc<Self>,
        builder: Builder,
        memory: Box<dyn StackMemory>,
    ) -> Result<TaskCoroutine, Error>;
    /// As [`build`](Self::build), on a shared stack.
    ///
    /// # Safety
    /// As for [`Builder::build_shared`]; the body's own frames count.
    unsafe fn build_shared(
        self: Rc<Self>,
        builder: Builder,
        stack: &SharedStack,
    ) -> Result<TaskCoroutine, Error>;
    /// It has panicked. Whether it now keeps a payload that may do anything as it is dropped.
    fn failed(&self, payload: Box<dyn Any + Send>, core: &Core) -> bool;
    /// It will not be done, for this reason.
    fn give_up(&self, reason: JoinError);
}

/// Where a task's result comes from.
trait Results<T> {
    fn take(&self) -> Option<Result<T, JoinError>>;
}

/// A task's function until it runs, then its result. Both the task and whoever joins it have it.
struct Packet<F, T> {
    function: Cell<Option<F>>,
    result: Cell<Option<Result<T, JoinError>>>,
}

impl<F: FnOnce() -> T + 'static, T: 'static> Packet<F, T> {
    /// The first function of its task.
    fn entry(self: &Rc<Self>) -> impl FnOnce(&TaskYielder, Order) + 'static {
        let packet = Rc::as_ptr(self);
        move |yielder, order| {
            current().began(yielder);
            // SAFETY: the task's slot has a reference until the task has ended; `ManuallyDrop` leaves
            // it that one.
            let packet = ManuallyDrop::new(unsafe { Rc::from_raw(packet) });
            packet.run(order);
            if Rc::strong_count(&packet) == 1 {
                // Nobody will join it. What its result owns is dropped while the task still runs.
                drop(packet.result.take());
            }
        }
    }

    /// Does it, and keeps the result; or unwinds, if it is cancelled before it has begun.
    #[inline(always)]
    fn run(&self, order: Order) {
        let Some(function) = self.function.take() else {
            return;
        };
        if order == Order::Cancel {
            current().check_cancel();
        }
        // A panic goes to whoever resumes the task: to catch it here as well would take another
        // frame in every image of the task.
        self.keep(function());
    }

    /// Keeps the result of a task that has ended.
    // In a build without optimisation it would take more of each task's stack in line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn keep(&self, value: T) {
        let before = self.result.replace(Some(Ok(value)));
        debug_assert!(before.is_none(), "a task ends once");
        // Nothing, so that nothing need be dropped.
        std::mem::forget(before);
    }
}

impl<F: FnOnce() -> T + 'static, T: 'static> Body for Packet<F, T> {
    fn build(self: Rc<Self>, builder: Builder) -> Result<TaskCoroutine, Error> {
        builder.build(self.entry())
    }

    fn build_on(
        self: Rc<Self>,
        builder: Builder,
        memory: Box<dyn StackMemory>,
    ) -> Result<TaskCoroutine, Error> {
        builder.build_on(memory, self.entry())
    }

    unsafe fn build_shared(
        self: Rc<Self>,
        builder: Builder,
        stack: &SharedStack,
    ) -> Result<TaskCoroutine, Error> {
        // SAFETY: the caller's promise.
        unsafe { builder.build_shared(stack, self.entry()) }
    }

    fn failed(&self, payload: Box<dyn Any + Send>, core: &Core) -> bool {
        let is_cancelled = payload.is::<Cancelled>();
        let is_message = payload.is::<&str>() || payload.is::<String>();
        let kept = match is_cancelled {
            true => None,
            false => core.note_panic(payload),
        };
        let carries = kept.is_some() && !is_message;
        let reason = kept.map_or(JoinError::Cancelled, JoinError::Panicked);
        self.result.set(Some(Err(reason)));
        carries
    }

    fn give_up(&self, reason: JoinError) {
        drop(self.function.take());
        self.result.set(Some(Err(reason)));
    }
}

impl<F, T> Results<T> for Packet<F, T> {
    fn take(&self) -> Option<Result<T, JoinError>> {
        self.result.take()
    }
}

/// Where a task runs.
pub(super) enum Place {
    /// On a stack of its own from the pool, of this size.
    Own { bytes: usize, fp: bool },
    /// On memory that its maker has given.
    Memory {
        memory: Box<dyn StackMemory>,
        fp: bool,
    },
    /// On one of these shared stacks.
    Pool { pool: StackPool, fp: bool },
}

impl Place {
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Place::Pool { .. })
    }

    /// Makes the coroutine that runs the body there.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn make(
        self,
        name: Option<&str>,
        body: Rc<dyn Body>,
    ) -> Result<(TaskCoroutine, Option<Bound>), Error> {
        let (Place::Own { fp, .. } | Place::Memory { fp, .. } | Place::Pool { fp, .. }) = self;
        let mut builder = Builder::new().keep_fp(fp);
        if let Some(name) = name {
            builder = builder.name(name);
        }
        match self {
            Place::Own { bytes, .. } => {
                let coroutine = body.build(builder.stack_bytes(bytes))?;
                Ok((coroutine, None))
            }
            Place::Memory { memory, .. } => Ok((body.build_on(builder, memory)?, None)),
            Place::Pool { pool, .. } => {
                let bound = pool.bind();
                // SAFETY: `SharedTask::spawn` has passed the promise on to the task's maker, and
                // the entry's own frame holds nothing that anyone else points to: the yielder is
                // in the control block, and the body is on the heap.
                let coroutine = unsafe { body.build_shared(builder, bound.stack())? };
                Ok((coroutine, Some(bound)))
            }
        }
    }
}

/// Says more about a task than [`spawn`](super::spawn) does.
///
/// ```
/// let mut rt = costack::Runtime::new();
/// let task = rt.task().name("adder").stack_bytes(64 * 1024).spawn(|| 40 + 2);
/// rt.run()?;
/// assert_eq!(task.join().unwrap(), 42);
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
#[must_use = "a task is made by `spawn`"]
pub struct TaskBuilder {
    core: Rc<Core>,
    name: Option<Rc<str>>,
    group: Option<Group>,
    background: bool,
    due_us: Option<u64>,
    stack_bytes: usize,
    fp: bool,
    on: Option<Box<dyn StackMemory>>,
}

impl TaskBuilder {
    pub(super) fn new(core: Rc<Core>) -> Self {
        TaskBuilder {
            core,
            name: None,
            group: None,
            background: false,
            due_us: None,
            stack_bytes: DEFAULT_STACK_BYTES,
            fp: false,
            on: None,
        }
    }

    /// The name that reports and traces show.
    pub fn name(mut self, name: impl Into<Rc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The group that it belongs to.
    pub fn group(mut self, group: &Group) -> Self {
        self.group = Some(group.clone());
        self
    }

    /// [`Runtime::run`](super::Runtime::run) does not wait for it.
    pub fn background(mut self) -> Self {
        self.background = true;
        self
    }

    /// It starts to run after this time: a delayed one-shot.
    pub fn delay(mut self, time: Duration) -> Self {
        self.due_us = Some(self.core.now_us().saturating_add(to_us(time)));
        self
    }

    /// Usable bytes of its own stack.
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// It keeps floating-point control words of its own; see
    /// [`Builder::keep_fp`](crate::Builder::keep_fp).
    pub fn keep_fp(mut self, keep: bool) -> Self {
        self.fp = keep;
        self
    }

    /// It runs on this memory, which is given back when it has ended.
    pub fn on(mut self, memory: impl StackMemory + 'static) -> Self {
        self.on = Some(Box::new(memory));
        self
    }

    /// It shares a stack of this pool, to which it is bound when it first runs.
    pub fn shared(self, pool: &StackPool) -> SharedTask {
        SharedTask {
            pool: pool.clone(),
            builder: self,
        }
    }

    /// Makes the task. It gets its stack, and its turn, once its runtime runs.
    pub fn spawn<T: 'static>(mut self, function: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
        let place = match self.on.take() {
            Some(memory) => Place::Memory {
                memory,
                fp: self.fp,
            },
            None => Place::Own {
                bytes: self.stack_bytes,
                fp: self.fp,
            },
        };
        self.spawn_at(place, function)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn spawn_at<T, F>(self, place: Place, function: F) -> JoinHandle<T>
    where
        T: 'static,
        F: FnOnce() -> T + 'static,
    {
        let packet = Rc::new(Packet {
            function: Cell::new(Some(function)),
            result: Cell::new(None),
        });
        let core = self.core;
        let is_shared = place.is_shared();
        let task = core.scheduler(|s| s.spawn());
        let number = core.spawned.get() + 1;
        core.spawned.set(number);
        let body: Rc<dyn Body> = packet.clone();
        let name = self.name.clone();
        core.slots(|slots| {
            if slots.len() <= task.index() {
                slots.resize_with(task.index() + 1, Default::default);
            }
            let rest = &mut slots[task.index()].rest;
            rest.body = Some(body);
            rest.place = Some(place);
            rest.number = number;
            rest.name = self.name;
        });
        if core.tracer.is_on() {
            let at_ns = core.clock.now_ns();
            core.tracer
                .tell_task(at_ns, number, name.as_deref(), is_shared);
        }
        core.scheduler(|s| {
            let started = match (self.background, self.due_us) {
                (true, None) => s.start_background(task),
                (true, Some(due_us)) => s
                    .start_background(task)
                    .and_then(|()| s.start_at(task, due_us)),
                (false, Some(due_us)) => s.start_at(task, due_us),
                (false, None) => s.start(task),
            };
            started.expect("a fresh task can be started");
            if let Some(group) = &self.group {
                s.set_group(task, group.id())
                    .expect("a fresh task can join a group");
            }
        });
        if self.due_us.is_some() {
            core.attend();
        }
        JoinHandle { core, task, packet }
    }
}

/// A task that will share a stack; see [`TaskBuilder::shared`].
#[must_use = "a task is made by `spawn`"]
pub struct SharedTask {
    builder: TaskBuilder,
    pool: StackPool,
}

impl SharedTask {
    /// Makes the task.
    ///
    /// # Safety
    /// As for [`Coroutine::new_shared`]: while the task does not run, another one's bytes may be
    /// where its frames were. So nobody else may use a pointer or reference into its frames, from
    /// wherever it gives way until it runs again. Everything of this crate keeps to that.
    pub unsafe fn spawn<T: 'static>(self, function: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
        let place = Place::Pool {
            pool: self.pool,
            fp: self.builder.fp,
        };
        self.builder.spawn_at(place, function)
    }
}

/// A task that can be joined. Dropping it detaches the task, which goes on by itself.
#[must_use = "dropping it detaches the task; `detach` says so"]
pub struct JoinHandle<T> {
    core: Rc<Core>,
    task: TaskId,
    packet: Rc<dyn Results<T>>,
}

impl<T> JoinHandle<T> {
    /// Waits until the task has ended, and takes its result.
    ///
    /// # Errors
    /// When it has panicked or was cancelled; and when main waits and nobody can run any more.
    pub fn join(self) -> Result<T, JoinError> {
        if let Some(result) = self.packet.take() {
            return result;
        }
        match self.core.try_wait(None, |s| s.handle_join(self.task)) {
            Ok(Ok(_outcome)) => {}
            Ok(Err(deadlock)) => return Err(JoinError::Deadlock(deadlock)),
            Err(refusal) => panic!("a task cannot join itself: {refusal}"),
        }
        self.core.check_cancel();
        self.packet
            .take()
            .unwrap_or_else(|| Err(JoinError::Cancelled))
    }

    /// As [`join`](Self::join), for so long at most; the handle comes back otherwise.
    ///
    /// # Errors
    /// The handle, when the task has not ended in time.
    pub fn join_timeout(self, time: Duration) -> Result<Result<T, JoinError>, Self> {
        let due_us = self.core.now_us().saturating_add(to_us(time));
        let joined = self
            .core
            .wait_until(Some(due_us), |s| s.handle_join(self.task));
        self.core.check_cancel();
        match joined {
            Ok(Outcome::TimedOut) => Err(self),
            _ => Ok(self.packet.take().unwrap_or(Err(JoinError::Cancelled))),
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !self.core.scheduler(|s| s.is_alive(self.task))
    }

    /// Asks the task to stop; see [`stop_requested`](super::stop_requested).
    pub fn stop(&self) {
        // One that has ended has stopped.
        let _ = self.core.scheduler(|s| s.request_stop(self.task));
    }

    /// Ends the task where it waits, or at its next wait: it unwinds, so that its destructors
    /// run. One that has not run yet never does.
    pub fn cancel(&self) {
        // One that has ended need not be cancelled.
        let _ = self.core.cancel(self.task);
    }

    /// Lets the task go on by itself.
    pub fn detach(self) {}

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.task
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        // The task exists: its slot is given back here or when it ends.
        let _ = self.core.scheduler(|s| s.detach(self.task));
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("task", &self.task)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
