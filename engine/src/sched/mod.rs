//! Who runs next: tasks, the ready queue, timers and waits.
//!
//! A *task* is a coroutine known to a [`Scheduler`]. Task 0 is *main*, the context that the
//! program starts in. Tasks are run in two ways, which mix freely: somebody *resumes* a task by
//! name ([`Scheduler::handle_resume`]), or the task was *started* and the scheduler names it when
//! main gives way ([`Scheduler::poll`]). Either way, control comes back to the resumer when the
//! task yields, blocks or ends.
//!
//! The scheduler decides and nothing else. A call that may make the running task give way returns
//! a [`Flow`]: go on, switch back to the resumer, or (main only) poll until it is main's turn.
//!
//! ```
//! use costack_engine::sched::{Flow, Next, Scheduler};
//!
//! let mut scheduler = Scheduler::new();
//! let a = scheduler.spawn();
//! scheduler.start(a).unwrap();
//!
//! // Main waits until every started task has ended; A runs, sleeps, runs and ends.
//! assert_eq!(scheduler.handle_run(), Flow::Poll);
//! assert_eq!(scheduler.poll(0), Next::Resume(a));
//! assert_eq!(scheduler.handle_sleep(250), Flow::Leave { to: scheduler.main() });
//! assert_eq!(scheduler.poll(0), Next::Idle { until_us: 250 });
//! assert_eq!(scheduler.poll(250), Next::Resume(a));
//! assert_eq!(scheduler.handle_end(), Flow::Leave { to: scheduler.main() });
//! assert_eq!(scheduler.poll(250), Next::Main);
//! ```

mod arena;
mod channel;
mod group;
mod observe;
mod queue;
mod ready;
mod request;
mod select;
mod task;
mod timers;
mod wait;
mod work;

pub use channel::{ChannelId, Received, Sent};
pub use group::GroupId;
pub use observe::{Notice, Observer};
pub use request::{Answer, Asked, Request, Whom};
pub use select::Selected;
pub use task::{Flow, Next, Outcome, TaskId, TaskState};
pub use timers::Interval;
pub use wait::{EventId, MutexId, QueueId, Wait};
pub use work::WorkId;

use alloc::vec::Vec;

use crate::Refusal;
use arena::Arena;
use channel::Channel;
use group::Group;
use queue::{NONE, Queue};
use ready::Ready;
use task::{Flags, Hot, MOST_TASKS, Status, Task, Tasks};
use timers::Timers;
use wait::{Event, Mutex};
use work::Work;

/// The tasks of one thread, and who of them runs next.
///
/// `O` is told of every decision; the default takes no notice and costs nothing.
#[derive(Clone, Debug)]
pub struct Scheduler<O = ()> {
    tasks: Tasks,
    free_slots: Vec<u32>,
    current: u32,
    /// Who gave way last.
    left: u32,
    ready: Ready,
    timers: Timers,
    /// Started tasks that have not ended, but for those in the background.
    started_live: u32,
    /// Waits for something from outside.
    external: u32,
    mutexes: Arena<Mutex>,
    events: Arena<Event>,
    queues: Arena<Queue>,
    channels: Arena<Channel>,
    works: Arena<Work>,
    groups: Arena<Group>,
    observer: O,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheduler {
    /// A scheduler in which main runs and nothing else exists.
    pub fn new() -> Self {
        Self::with_observer(())
    }
}

/// Tasks, and who runs.
impl<O: Observer> Scheduler<O> {
    /// A scheduler in which main runs and nothing else exists, and whose decisions are told to
    /// `observer`.
    pub fn with_observer(observer: O) -> Self {
        let mut main = Hot::new(0);
        main.status = Status::Running;
        Scheduler {
            tasks: Tasks {
                hot: alloc::vec![main],
                records: alloc::vec![Task::new()],
                arms: Vec::new(),
                free_arm: NONE,
            },
            free_slots: Vec::new(),
            current: 0,
            left: 0,
            ready: Ready::default(),
            timers: Timers::default(),
            started_live: 0,
            external: 0,
            mutexes: Arena::new(),
            events: Arena::new(),
            queues: Arena::new(),
            channels: Arena::new(),
            works: Arena::new(),
            groups: Arena::new(),
            observer,
        }
    }

    /// What is told of every decision.
    pub fn observer(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Main's id.
    pub const fn main(&self) -> TaskId {
        TaskId::MAIN
    }

    /// The task that runs now.
    pub fn current(&self) -> TaskId {
        self.id(self.current)
    }

    /// The task that has just given way and left control to its resumer; after any other call,
    /// any task.
    pub fn last_left(&self) -> TaskId {
        self.id(self.left)
    }

    /// Makes a task. It runs when somebody resumes it, or once it is [started](Self::start).
    ///
    /// # Panics
    /// If there would be 2³¹ tasks.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn spawn(&mut self) -> TaskId {
        let index = match self.free_slots.pop() {
            Some(index) => {
                let generation = self.hot(index).generation;
                *self.hot_mut(index) = Hot::new(generation);
                *self.task_mut(index) = Task::new();
                index
            }
            None => {
                let index = self.tasks.records.len() as u32;
                assert_ne!(index, MOST_TASKS, "fewer than 2^31 tasks");
                self.tasks.hot.push(Hot::new(0));
                self.tasks.records.push(Task::new());
                index
            }
        };
        let task = self.id(index);
        self.observer.notice(Notice::Spawned { task });
        task
    }

    /// Gives the slot of an ended task back, to be used for a new one.
    ///
    /// # Errors
    /// [`Refusal::Running`] if it has not ended, [`Refusal::Foreign`] if there is no such task.
    #[inline]
    pub fn release(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if self.state_of(index) != TaskState::Ended {
            return Err(Refusal::Running);
        }
        self.free_slot(index);
        Ok(())
    }

    #[inline]
    fn free_slot(&mut self, index: u32) {
        // The old id must be foreign at once, not only when the slot is used again.
        let task = self.hot_mut(index);
        task.generation = task.generation.wrapping_add(1);
        self.free_slots.push(index);
    }

    /// Hands a task to the scheduler: whenever it is ready, its turn comes. Starting it twice
    /// changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Finished`] if it has ended, [`Refusal::Foreign`] if there is no such task.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn start(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if self.state_of(index) == TaskState::Ended {
            return Err(Refusal::Finished);
        }
        if index != 0 && !self.hot(index).flags.has(Flags::STARTED) {
            self.hot_mut(index).flags.set(Flags::STARTED);
            if !self.hot(index).flags.has(Flags::BACKGROUND) {
                self.started_live += 1;
            }
            if self.state_of(index) == TaskState::Ready {
                self.enqueue(index);
            }
        }
        Ok(())
    }

    /// As [`start`](Self::start), but [`handle_run`](Self::handle_run) does not wait for the task.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_background(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if !self.hot(index).flags.has(Flags::STARTED) {
            self.hot_mut(index).flags.set(Flags::BACKGROUND);
        }
        self.start(task)
    }

    /// A task that has not run waits until `due_us` before it does: a delayed one-shot. It is
    /// started as well.
    ///
    /// # Errors
    /// [`Refusal::Running`], [`Refusal::Blocked`], [`Refusal::Finished`] as its state says;
    /// [`Refusal::Foreign`] if there is no such task.
    pub fn start_at(&mut self, task: TaskId, due_us: u64) -> Result<(), Refusal> {
        self.check_resume(task)?;
        self.start(task)?;
        self.unlink(task.index);
        self.timers.set(task.index, due_us);
        self.set_state(task.index, TaskState::Blocked(Wait::Until { due_us }));
        Ok(())
    }

    /// The running task resumes `task`, which runs from now on.
    ///
    /// # Errors
    /// [`Refusal::Finished`], [`Refusal::Running`], [`Refusal::Blocked`] as its state says;
    /// [`Refusal::Foreign`] if there is no such task.
    pub fn handle_resume(&mut self, task: TaskId) -> Result<(), Refusal> {
        self.check_resume(task)?;
        let by = self.current();
        self.run_from(self.current, task.index);
        self.observer.notice(Notice::Runs { task, by });
        Ok(())
    }

    /// Says whether [`handle_resume`](Self::handle_resume) would be granted, and changes nothing.
    ///
    /// # Errors
    /// As `handle_resume`.
    pub fn check_resume(&self, task: TaskId) -> Result<(), Refusal> {
        match self.state_of(self.index(task)?) {
            TaskState::Ready => Ok(()),
            TaskState::Running | TaskState::Resuming => Err(Refusal::Running),
            TaskState::Blocked(_) => Err(Refusal::Blocked),
            TaskState::Ended => Err(Refusal::Finished),
        }
    }

    /// The running task yields: it stays ready. For main, every ready started task gets one turn
    /// first.
    #[inline]
    pub fn handle_yield(&mut self) -> Flow {
        let task = self.current();
        self.observer.notice(Notice::Yields { task });
        self.give_way(TaskState::Ready)
    }

    /// The running task has ended. Those who join it are woken. Mutexes it holds stay held, as
    /// nobody can know whether what they protect is in order.
    ///
    /// When main ends, the flow is [`Flow::Continue`]: the program is over.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn handle_end(&mut self) -> Flow {
        let index = self.current;
        if index == 0 {
            return Flow::Continue;
        }
        self.end(index);
        let flow = self.give_way(TaskState::Ended);
        if self.hot(index).flags.has(Flags::DETACHED) {
            self.free_slot(index);
        }
        flow
    }

    /// Ends a task that does not run, wherever it waits.
    ///
    /// # Errors
    /// [`Refusal::Running`] if it runs, or waits for one that it has resumed;
    /// [`Refusal::Finished`] if it has ended; [`Refusal::Foreign`] if there is no such task.
    pub fn cancel(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        match self.state_of(index) {
            TaskState::Running | TaskState::Resuming => return Err(Refusal::Running),
            TaskState::Ended => return Err(Refusal::Finished),
            TaskState::Ready | TaskState::Blocked(_) => {}
        }
        self.unlink(index);
        self.end(index);
        self.set_state(index, TaskState::Ended);
        if self.hot(index).flags.has(Flags::DETACHED) {
            self.free_slot(index);
        }
        Ok(())
    }

    /// Main waits until every started task has ended. If no live task is started, all live tasks
    /// are started first, in the order of their making.
    pub fn handle_run(&mut self) -> Flow {
        debug_assert_eq!(self.current, 0, "only main runs the scheduler");
        if self.started_live == 0 {
            for index in 1..self.tasks.records.len() as u32 {
                if self.state_of(index) != TaskState::Ended {
                    self.start(self.id(index))
                        .expect("a live task can be started");
                }
            }
        }
        match self.started_live {
            0 => self.go_on(),
            _ => self.block(Wait::AllEnded),
        }
    }

    /// The running task waits until `due_us` of the backend's clock.
    pub fn handle_sleep(&mut self, due_us: u64) -> Flow {
        self.timers.set(self.current, due_us);
        self.block(Wait::Until { due_us })
    }

    /// The running task waits until `task` has ended.
    ///
    /// # Errors
    /// [`Refusal::WouldDeadlockOnSelf`] for itself, [`Refusal::Foreign`] if there is no such task.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn handle_join(&mut self, task: TaskId) -> Result<Flow, Refusal> {
        let index = self.index(task)?;
        if index == self.current {
            return Err(Refusal::WouldDeadlockOnSelf);
        }
        if self.state_of(index) == TaskState::Ended {
            return Ok(self.go_on());
        }
        let mut joiners = self.task(index).joiners;
        joiners.push(&mut self.tasks, self.current);
        self.task_mut(index).joiners = joiners;
        Ok(self.block(Wait::Join(task)))
    }

    /// What main has to do next while it gives way, at `now_us` of the backend's clock.
    ///
    /// Timers that are due are fired first, in the order of their times; then the first task of
    /// the ready queue runs. Both cost nothing for tasks that are blocked or idle.
    #[inline]
    pub fn poll(&mut self, now_us: u64) -> Next {
        debug_assert_eq!(self.current, 0, "only main polls");
        if !self.timers.is_empty() {
            self.fire_timers(now_us);
        }
        self.next_ready()
    }

    /// The running task, which was named by [`poll`](Self::poll), yields, and the next of the
    /// ready queue runs. Like [`handle_yield`](Self::handle_yield) and then `poll`, but that no
    /// timer fires: worth calling when [`next_timer_us`](Self::next_timer_us) says that there is
    /// none.
    #[inline(always)]
    pub fn handle_yield_and_poll(&mut self) -> Next {
        self.running_yields(Ready::push);
        self.next_ready()
    }

    /// As [`handle_yield_and_poll`](Self::handle_yield_and_poll), where the backend can go straight
    /// from the running task to the next one, by its index, if `go` says how. Otherwise, and when
    /// it is not known who is next, nothing has changed.
    #[inline(always)]
    pub fn handle_yield_to<T>(&mut self, go: impl FnOnce(usize) -> Option<T>) -> Option<T> {
        let next = self.ready.ahead(0)?;
        let how = go(next as usize)?;
        debug_assert_ne!(next, 0, "main has no stack to go to");
        self.running_yields(Ready::push_for_first);
        self.run(next);
        Some(how)
    }

    /// The running task, which main has resumed, goes to where `put` puts it in the ready queue.
    #[inline(always)]
    fn running_yields(&mut self, put: impl FnOnce(&mut Ready, u32) -> u32) {
        let index = self.current;
        let task = self.id(index);
        debug_assert_eq!(self.hot(index).resumer, 0, "main has resumed it");
        debug_assert!(self.hot(index).flags.has(Flags::STARTED));
        self.observer.notice(Notice::Yields { task });
        let place = put(&mut self.ready, index);
        let record = self.hot_mut(index);
        record.place = place;
        record.status = Status::Ready;
    }

    /// As [`poll`](Self::poll), but that no timer fires.
    #[inline]
    pub fn poll_ready(&mut self) -> Next {
        debug_assert_eq!(self.current, 0, "only main polls");
        self.next_ready()
    }

    /// When the next timer is due.
    #[inline(always)]
    pub fn next_timer_us(&self) -> Option<u64> {
        self.timers.first_due_us()
    }

    /// How many timers are set.
    pub fn timers(&self) -> usize {
        self.timers.len()
    }

    #[inline(never)]
    fn fire_timers(&mut self, now_us: u64) {
        while let Some(index) = self.timers.pop_due(now_us) {
            let outcome = match self.state_of(index) {
                TaskState::Blocked(Wait::Until { .. }) => Outcome::Granted,
                TaskState::Blocked(wait) => {
                    self.unlink_wait(index, wait);
                    Outcome::TimedOut
                }
                _ => continue,
            };
            self.wake(index, outcome);
        }
    }

    #[inline(always)]
    fn next_ready(&mut self) -> Next {
        match self.ready.pop() {
            Some(0) => {
                self.set_state(0, TaskState::Running);
                self.current = 0;
                Next::Main
            }
            Some(index) => Next::Resume(self.run(index)),
            None => {
                self.current = 0;
                match self.timers.first_due_us() {
                    Some(until_us) => Next::Idle { until_us },
                    None if self.external > 0 => Next::Idle { until_us: u64::MAX },
                    None => Next::Deadlock,
                }
            }
        }
    }

    /// Main resumes a task that was ready.
    #[inline(always)]
    fn run(&mut self, index: u32) -> TaskId {
        let record = self.hot_mut(index);
        record.status = Status::Running;
        record.resumer = 0;
        let generation = record.generation;
        self.current = index;
        let task = TaskId { index, generation };
        let by = TaskId::MAIN;
        self.observer.notice(Notice::Runs { task, by });
        task
    }

    /// The task that [`poll`](Self::poll) would name next if no timer were due, so that a backend
    /// can fetch its save stack into the cache in time.
    pub fn peek(&self) -> Option<TaskId> {
        self.ready.first().map(|index| self.id(index))
    }

    /// The index of the task so many turns after the next, if all before it yield and it is known:
    /// so that a backend can fetch what it will need even earlier.
    #[inline(always)]
    pub fn peek_ahead(&self, turns: u32) -> Option<usize> {
        self.ready.ahead(turns).map(|index| index as usize)
    }

    /// Whether any task is ready.
    #[inline(always)]
    pub fn any_ready(&self) -> bool {
        self.ready.first().is_some()
    }

    /// What a task does at the moment.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such task.
    pub fn state(&self, task: TaskId) -> Result<TaskState, Refusal> {
        Ok(self.state_of(self.index(task)?))
    }

    /// Whether the task exists and has not ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn is_alive(&self, task: TaskId) -> bool {
        matches!(self.state(task), Ok(state) if state != TaskState::Ended)
    }

    /// The task to which control goes back when `task`, which runs or has resumed another, gives
    /// way. `None` for main and for a task that does not run.
    pub fn resumer(&self, task: TaskId) -> Option<TaskId> {
        let index = self.index(task).ok()?;
        let runs = matches!(
            self.state_of(index),
            TaskState::Running | TaskState::Resuming
        );
        (index != 0 && runs).then(|| self.id(self.hot(index).resumer))
    }

    /// How a task's last wait ended.
    #[inline]
    pub fn outcome(&self, task: TaskId) -> Outcome {
        self.index(task)
            .map_or(Outcome::Granted, |index| self.task(index).outcome)
    }

    /// All tasks that have not ended, main first.
    pub fn live_tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        (0..self.tasks.records.len() as u32)
            .filter(|&index| self.state_of(index) != TaskState::Ended)
            .map(|index| self.id(index))
    }

    /// Every blocked task with what it waits for, and the task that could end the wait where one
    /// can be named: the mutex's owner, or the task to be joined.
    pub fn waiting(&self) -> impl Iterator<Item = (TaskId, Wait, Option<TaskId>)> + '_ {
        (0..self.tasks.records.len() as u32).filter_map(|index| match self.state_of(index) {
            TaskState::Blocked(wait) => {
                let holder = match wait {
                    Wait::Mutex(mutex) => self.mutex_owner(mutex),
                    Wait::Join(task) => Some(task),
                    _ => None,
                };
                Some((self.id(index), wait, holder))
            }
            _ => None,
        })
    }

    #[inline(always)]
    fn id(&self, index: u32) -> TaskId {
        TaskId {
            index,
            generation: self.hot(index).generation,
        }
    }

    #[inline]
    fn index(&self, task: TaskId) -> Result<u32, Refusal> {
        match self.tasks.hot.get(task.index()) {
            Some(slot) if slot.generation == task.generation => Ok(task.index),
            _ => Err(Refusal::Foreign),
        }
    }

    #[inline(always)]
    fn task(&self, index: u32) -> &Task {
        &self.tasks.records[index as usize]
    }

    #[inline(always)]
    fn task_mut(&mut self, index: u32) -> &mut Task {
        &mut self.tasks.records[index as usize]
    }

    #[inline(always)]
    fn hot(&self, index: u32) -> &Hot {
        &self.tasks.hot[index as usize]
    }

    #[inline(always)]
    fn hot_mut(&mut self, index: u32) -> &mut Hot {
        &mut self.tasks.hot[index as usize]
    }

    #[inline]
    fn state_of(&self, index: u32) -> TaskState {
        match self.hot(index).status {
            Status::Ready => TaskState::Ready,
            Status::Running => TaskState::Running,
            Status::Resuming => TaskState::Resuming,
            Status::Blocked => TaskState::Blocked(self.task(index).wait),
            Status::Ended => TaskState::Ended,
        }
    }

    #[inline]
    fn set_state(&mut self, index: u32, state: TaskState) {
        self.hot_mut(index).status = match state {
            TaskState::Ready => Status::Ready,
            TaskState::Running => Status::Running,
            TaskState::Resuming => Status::Resuming,
            TaskState::Blocked(wait) => {
                self.task_mut(index).wait = wait;
                Status::Blocked
            }
            TaskState::Ended => Status::Ended,
        };
    }

    #[inline]
    fn enqueue(&mut self, index: u32) {
        let place = self.ready.push(index);
        self.hot_mut(index).place = place;
    }

    /// `index` runs, and gives way to `resumer`.
    fn run_from(&mut self, resumer: u32, index: u32) {
        self.unlink(index);
        self.set_state(resumer, TaskState::Resuming);
        let task = self.hot_mut(index);
        task.status = Status::Running;
        task.resumer = resumer;
        self.current = index;
    }

    /// The running task need not wait.
    #[inline]
    fn go_on(&mut self) -> Flow {
        self.task_mut(self.current).outcome = Outcome::Granted;
        Flow::Continue
    }

    /// The running task waits, and its resumer runs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block(&mut self, wait: Wait) -> Flow {
        let task = self.current();
        self.observer.notice(Notice::Waits { task, wait });
        let flow = self.give_way(TaskState::Blocked(wait));
        if self.hot(task.index).flags.has(Flags::CANCEL) {
            self.cancel_wait(task.index);
        }
        flow
    }

    /// The running task takes on `state`, and its resumer runs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn give_way(&mut self, state: TaskState) -> Flow {
        let index = self.current;
        self.set_state(index, state);
        if state == TaskState::Ready && (index == 0 || self.hot(index).flags.has(Flags::STARTED)) {
            self.enqueue(index);
        }
        if index == 0 {
            return Flow::Poll;
        }
        self.left = index;
        let resumer = self.hot(index).resumer;
        // Main may be polling: then it is blocked or queued itself and stays so.
        if self.state_of(resumer) == TaskState::Resuming {
            self.set_state(resumer, TaskState::Running);
        }
        self.current = resumer;
        Flow::Leave {
            to: self.id(resumer),
        }
    }

    /// The wait of `index`, which is in no queue any more, is over.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn wake(&mut self, index: u32, outcome: Outcome) {
        debug_assert!(matches!(self.state_of(index), TaskState::Blocked(_)));
        let task = self.id(index);
        self.observer.notice(Notice::Wakes { task, outcome });
        self.set_state(index, TaskState::Ready);
        self.task_mut(index).outcome = outcome;
        if index == 0 || self.hot(index).flags.has(Flags::STARTED) {
            self.enqueue(index);
        }
    }

    /// Takes a task that is ready or blocked out of whatever queue it is in.
    fn unlink(&mut self, index: u32) {
        match self.state_of(index) {
            // Whoever is started and ready is in the ready queue, and nobody else is.
            TaskState::Ready if index == 0 || self.hot(index).flags.has(Flags::STARTED) => {
                self.ready.remove(self.hot(index).place);
            }
            TaskState::Blocked(wait) => {
                self.timers.remove(index);
                self.unlink_wait(index, wait);
            }
            _ => {}
        }
    }

    /// Bookkeeping of an end, whichever way it came.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(&mut self, index: u32) {
        let task = self.id(index);
        self.observer.notice(Notice::Ends { task });
        let mut joiners = core::mem::replace(&mut self.task_mut(index).joiners, Queue::EMPTY);
        while let Some(joiner) = joiners.pop(&mut self.tasks) {
            self.grant(joiner);
        }
        self.leave_group(index);
        let flags = self.hot(index).flags;
        if flags.has(Flags::STARTED) && !flags.has(Flags::BACKGROUND) {
            self.started_live -= 1;
            if self.started_live == 0 && self.state_of(0) == TaskState::Blocked(Wait::AllEnded) {
                self.wake(0, Outcome::Granted);
            }
        }
        self.hot_mut(index).flags.clear(Flags::STARTED);
    }
}
