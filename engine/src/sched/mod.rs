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

mod queue;
mod wait;

pub use wait::{ChannelId, EventId, MutexId, Received, Sent, Wait};

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::Refusal;
use queue::{Linked, Links, Queue};
use wait::{Channel, Event, Mutex};

/// Names a task of one scheduler. A slot may be used again after [`Scheduler::release`]; the
/// generation tells the new task from the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    index: u32,
    generation: u32,
}

impl TaskId {
    /// Main, the context that the program starts in.
    pub const MAIN: TaskId = TaskId {
        index: 0,
        generation: 0,
    };

    /// The task's slot: 0 is main, tasks count from 1 in the order of their making.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

/// What a task does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// May run: it waits in the ready queue, or for somebody to resume it.
    Ready,
    /// On the CPU.
    Running,
    /// Has resumed another task and waits for control to come back.
    Resuming,
    /// Waits for something.
    Blocked(Wait),
    /// Has ended.
    Ended,
}

/// How the running task goes on after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a backend that goes on where it should switch breaks the scheduler's bookkeeping"]
pub enum Flow {
    /// Go on.
    Continue,
    /// Switch to this task, the resumer.
    Leave {
        /// The resumer, which runs now.
        to: TaskId,
    },
    /// Main gives way: call [`Scheduler::poll`] and resume what it names until it says
    /// [`Next::Main`].
    Poll,
}

/// What main has to do next while it gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Resume this task; it counts as running from now on.
    Resume(TaskId),
    /// It is main's turn again.
    Main,
    /// Nothing is ready. Poll again at this time.
    Idle {
        /// When the next timer is due, in microseconds of the backend's clock.
        until_us: u64,
    },
    /// Nothing is ready and nothing will be: [`Scheduler::waiting`] tells who waits for what.
    Deadlock,
}

#[derive(Clone, Debug)]
struct Task {
    links: Links,
    generation: u32,
    /// To whom control goes back.
    resumer: u32,
    state: TaskState,
    /// Handed to the scheduler: it goes into the ready queue whenever it is ready.
    started: bool,
    /// Is in the ready queue.
    queued: bool,
    /// Its entry in the timer queue, if it has one.
    timer: Option<Timer>,
    /// Tasks that wait for this one to end.
    joiners: Queue,
}

/// A due time and a running number, so that equal times fire in the order in which they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    due_us: u64,
    number: u64,
    task: u32,
}

impl Linked for Vec<Task> {
    fn links(&mut self, index: u32) -> &mut Links {
        &mut self[index as usize].links
    }
}

/// The tasks of one thread, and who of them runs next.
#[derive(Clone, Debug)]
pub struct Scheduler {
    tasks: Vec<Task>,
    free_slots: Vec<u32>,
    current: u32,
    ready: Queue,
    timers: BTreeSet<Timer>,
    timers_made: u64,
    /// Started tasks that have not ended.
    started_live: u32,
    mutexes: Vec<Mutex>,
    events: Vec<Event>,
    channels: Vec<Channel>,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheduler {
    /// A scheduler in which main runs and nothing else exists.
    pub fn new() -> Self {
        let mut scheduler = Scheduler {
            tasks: Vec::new(),
            free_slots: Vec::new(),
            current: 0,
            ready: Queue::EMPTY,
            timers: BTreeSet::new(),
            timers_made: 0,
            started_live: 0,
            mutexes: Vec::new(),
            events: Vec::new(),
            channels: Vec::new(),
        };
        scheduler.spawn();
        scheduler.tasks[0].state = TaskState::Running;
        scheduler
    }

    /// Main's id.
    pub const fn main(&self) -> TaskId {
        TaskId::MAIN
    }

    /// The task that runs now.
    pub fn current(&self) -> TaskId {
        self.id(self.current)
    }

    /// Makes a task. It runs when somebody resumes it, or once it is [started](Self::start).
    ///
    /// # Panics
    /// If there would be 2³² − 1 tasks.
    pub fn spawn(&mut self) -> TaskId {
        if let Some(index) = self.free_slots.pop() {
            self.tasks[index as usize].state = TaskState::Ready;
            return self.id(index);
        }
        let index = u32::try_from(self.tasks.len()).expect("fewer than 2^32 - 1 tasks");
        assert_ne!(index, u32::MAX, "fewer than 2^32 - 1 tasks");
        self.tasks.push(Task {
            links: Links::UNLINKED,
            generation: 0,
            resumer: 0,
            state: TaskState::Ready,
            started: false,
            queued: false,
            timer: None,
            joiners: Queue::EMPTY,
        });
        self.id(index)
    }

    /// Gives the slot of an ended task back, to be used for a new one.
    ///
    /// # Errors
    /// [`Refusal::Running`] if it has not ended, [`Refusal::Foreign`] if there is no such task.
    pub fn release(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if self.task(index).state != TaskState::Ended {
            return Err(Refusal::Running);
        }
        // The old id must be foreign at once, not only when the slot is used again.
        let task = self.task_mut(index);
        task.generation = task.generation.wrapping_add(1);
        self.free_slots.push(index);
        Ok(())
    }

    /// Hands a task to the scheduler: whenever it is ready, its turn comes. Starting it twice
    /// changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Finished`] if it has ended, [`Refusal::Foreign`] if there is no such task.
    pub fn start(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if self.task(index).state == TaskState::Ended {
            return Err(Refusal::Finished);
        }
        if index != 0 && !self.task(index).started {
            self.task_mut(index).started = true;
            self.started_live += 1;
            if self.task(index).state == TaskState::Ready {
                self.enqueue(index);
            }
        }
        Ok(())
    }

    /// The running task resumes `task`, which runs from now on.
    ///
    /// # Errors
    /// [`Refusal::Finished`], [`Refusal::Running`], [`Refusal::Blocked`] as its state says;
    /// [`Refusal::Foreign`] if there is no such task.
    pub fn handle_resume(&mut self, task: TaskId) -> Result<(), Refusal> {
        self.check_resume(task)?;
        self.run_from(self.current, task.index);
        Ok(())
    }

    /// Says whether [`handle_resume`](Self::handle_resume) would be granted, and changes nothing.
    ///
    /// # Errors
    /// As `handle_resume`.
    pub fn check_resume(&self, task: TaskId) -> Result<(), Refusal> {
        match self.task(self.index(task)?).state {
            TaskState::Ready => Ok(()),
            TaskState::Running | TaskState::Resuming => Err(Refusal::Running),
            TaskState::Blocked(_) => Err(Refusal::Blocked),
            TaskState::Ended => Err(Refusal::Finished),
        }
    }

    /// The running task yields: it stays ready. For main, every ready started task gets one turn
    /// first.
    pub fn handle_yield(&mut self) -> Flow {
        self.give_way(TaskState::Ready)
    }

    /// The running task has ended. Those who join it are woken. Mutexes it holds stay held, as
    /// nobody can know whether what they protect is in order.
    ///
    /// When main ends, the flow is [`Flow::Continue`]: the program is over.
    pub fn handle_end(&mut self) -> Flow {
        let index = self.current;
        if index == 0 {
            return Flow::Continue;
        }
        self.end(index);
        self.give_way(TaskState::Ended)
    }

    /// Ends a task that does not run, wherever it waits.
    ///
    /// # Errors
    /// [`Refusal::Running`] if it runs, or waits for one that it has resumed;
    /// [`Refusal::Finished`] if it has ended; [`Refusal::Foreign`] if there is no such task.
    pub fn cancel(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        match self.task(index).state {
            TaskState::Running | TaskState::Resuming => return Err(Refusal::Running),
            TaskState::Ended => return Err(Refusal::Finished),
            TaskState::Ready | TaskState::Blocked(_) => {}
        }
        self.unlink(index);
        self.end(index);
        self.task_mut(index).state = TaskState::Ended;
        Ok(())
    }

    /// Main waits until every started task has ended. If no live task is started, all live tasks
    /// are started first, in the order of their making.
    pub fn handle_run(&mut self) -> Flow {
        debug_assert_eq!(self.current, 0, "only main runs the scheduler");
        if self.started_live == 0 {
            for index in 1..self.tasks.len() as u32 {
                if self.task(index).state != TaskState::Ended {
                    self.start(self.id(index))
                        .expect("a live task can be started");
                }
            }
        }
        match self.started_live {
            0 => Flow::Continue,
            _ => self.give_way(TaskState::Blocked(Wait::AllEnded)),
        }
    }

    /// The running task waits until `due_us` of the backend's clock.
    pub fn handle_sleep(&mut self, due_us: u64) -> Flow {
        let timer = Timer {
            due_us,
            number: self.timers_made,
            task: self.current,
        };
        self.timers_made += 1;
        self.timers.insert(timer);
        self.task_mut(self.current).timer = Some(timer);
        self.give_way(TaskState::Blocked(Wait::Until { due_us }))
    }

    /// The running task waits until `task` has ended.
    ///
    /// # Errors
    /// [`Refusal::WouldDeadlockOnSelf`] for itself, [`Refusal::Foreign`] if there is no such task.
    pub fn handle_join(&mut self, task: TaskId) -> Result<Flow, Refusal> {
        let index = self.index(task)?;
        if index == self.current {
            return Err(Refusal::WouldDeadlockOnSelf);
        }
        if self.task(index).state == TaskState::Ended {
            return Ok(Flow::Continue);
        }
        let mut joiners = self.task(index).joiners;
        joiners.push(&mut self.tasks, self.current);
        self.task_mut(index).joiners = joiners;
        Ok(self.give_way(TaskState::Blocked(Wait::Join(task))))
    }

    /// What main has to do next while it gives way, at `now_us` of the backend's clock.
    ///
    /// Timers that are due are fired first, in the order of their times; then the first task of
    /// the ready queue runs. Both cost nothing for tasks that are blocked or idle.
    pub fn poll(&mut self, now_us: u64) -> Next {
        debug_assert_eq!(self.current, 0, "only main polls");
        while let Some(timer) = self.timers.first().copied().filter(|t| t.due_us <= now_us) {
            self.timers.remove(&timer);
            self.task_mut(timer.task).timer = None;
            self.wake(timer.task);
        }
        match self.ready.pop(&mut self.tasks) {
            Some(0) => {
                let main = self.task_mut(0);
                main.queued = false;
                main.state = TaskState::Running;
                Next::Main
            }
            Some(index) => {
                self.task_mut(index).queued = false;
                self.task_mut(index).state = TaskState::Running;
                self.task_mut(index).resumer = 0;
                self.current = index;
                Next::Resume(self.id(index))
            }
            None => match self.timers.first() {
                Some(timer) => Next::Idle {
                    until_us: timer.due_us,
                },
                None => Next::Deadlock,
            },
        }
    }

    /// The task that [`poll`](Self::poll) would name next if no timer were due, so that a backend
    /// can fetch its save stack into the cache in time.
    pub fn peek(&self) -> Option<TaskId> {
        self.ready.first().map(|index| self.id(index))
    }

    /// What a task does at the moment.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such task.
    pub fn state(&self, task: TaskId) -> Result<TaskState, Refusal> {
        Ok(self.task(self.index(task)?).state)
    }

    /// Whether the task exists and has not ended.
    pub fn is_alive(&self, task: TaskId) -> bool {
        matches!(self.state(task), Ok(state) if state != TaskState::Ended)
    }

    /// The task to which control goes back when `task`, which runs or has resumed another, gives
    /// way. `None` for main and for a task that does not run.
    pub fn resumer(&self, task: TaskId) -> Option<TaskId> {
        let index = self.index(task).ok()?;
        let runs = matches!(
            self.task(index).state,
            TaskState::Running | TaskState::Resuming
        );
        (index != 0 && runs).then(|| self.id(self.task(index).resumer))
    }

    /// Every blocked task with what it waits for, and the task that could end the wait where one
    /// can be named: the mutex's owner, or the task to be joined.
    pub fn waiting(&self) -> impl Iterator<Item = (TaskId, Wait, Option<TaskId>)> + '_ {
        (0..self.tasks.len() as u32).filter_map(|index| match self.task(index).state {
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

    fn id(&self, index: u32) -> TaskId {
        TaskId {
            index,
            generation: self.tasks[index as usize].generation,
        }
    }

    fn index(&self, task: TaskId) -> Result<u32, Refusal> {
        match self.tasks.get(task.index()) {
            Some(slot) if slot.generation == task.generation => Ok(task.index),
            _ => Err(Refusal::Foreign),
        }
    }

    fn task(&self, index: u32) -> &Task {
        &self.tasks[index as usize]
    }

    fn task_mut(&mut self, index: u32) -> &mut Task {
        &mut self.tasks[index as usize]
    }

    fn enqueue(&mut self, index: u32) {
        self.ready.push(&mut self.tasks, index);
        self.task_mut(index).queued = true;
    }

    /// `index` runs, and gives way to `resumer`.
    fn run_from(&mut self, resumer: u32, index: u32) {
        self.unlink(index);
        self.task_mut(resumer).state = TaskState::Resuming;
        let task = self.task_mut(index);
        task.state = TaskState::Running;
        task.resumer = resumer;
        self.current = index;
    }

    /// The running task takes on `state`, and its resumer runs.
    fn give_way(&mut self, state: TaskState) -> Flow {
        let index = self.current;
        self.task_mut(index).state = state;
        if state == TaskState::Ready && (index == 0 || self.task(index).started) {
            self.enqueue(index);
        }
        if index == 0 {
            return Flow::Poll;
        }
        let resumer = self.task(index).resumer;
        // Main may be polling: then it is blocked or queued itself and stays so.
        if self.task(resumer).state == TaskState::Resuming {
            self.task_mut(resumer).state = TaskState::Running;
        }
        self.current = resumer;
        Flow::Leave {
            to: self.id(resumer),
        }
    }

    /// What `index` waited for has come.
    fn wake(&mut self, index: u32) {
        debug_assert!(matches!(self.task(index).state, TaskState::Blocked(_)));
        self.task_mut(index).state = TaskState::Ready;
        if index == 0 || self.task(index).started {
            self.enqueue(index);
        }
    }

    /// Takes a task that is ready or blocked out of whatever queue it is in.
    fn unlink(&mut self, index: u32) {
        if let Some(timer) = self.task_mut(index).timer.take() {
            self.timers.remove(&timer);
        }
        match self.task(index).state {
            TaskState::Ready if self.task(index).queued => {
                self.ready.remove(&mut self.tasks, index);
                self.task_mut(index).queued = false;
            }
            TaskState::Blocked(wait) => self.unlink_wait(index, wait),
            _ => {}
        }
    }

    /// Bookkeeping of an end, whichever way it came.
    fn end(&mut self, index: u32) {
        let mut joiners = core::mem::replace(&mut self.task_mut(index).joiners, Queue::EMPTY);
        while let Some(joiner) = joiners.pop(&mut self.tasks) {
            self.wake(joiner);
        }
        if core::mem::take(&mut self.task_mut(index).started) {
            self.started_live -= 1;
            if self.started_live == 0 && self.task(0).state == TaskState::Blocked(Wait::AllEnded) {
                self.wake(0);
            }
        }
    }
}
