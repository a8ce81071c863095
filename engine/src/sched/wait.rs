//! What tasks wait for: mutexes, events and wait queues; channels, work queues, groups and
//! several things at once have files of their own. All queues are first in, first out, and what
//! is released is handed over to the first that waits, so nobody is overtaken and no wake-up is
//! lost.

use core::fmt;

use super::channel::ChannelId;
use super::group::GroupId;
use super::queue::Queue;
use super::work::WorkId;
use super::{Flow, Observer, Outcome, Scheduler, TaskId, TaskState};
use crate::Refusal;

/// Names a mutex of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MutexId(pub u32);

/// Names an event of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(pub u32);

/// Names a wait queue of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueId(pub u32);

/// What a blocked task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// A time.
    Until {
        /// When it is due, in microseconds of the backend's clock.
        due_us: u64,
    },
    /// A mutex that another task holds.
    Mutex(MutexId),
    /// An event that nobody has completed.
    Event(EventId),
    /// Room in a channel.
    Send(ChannelId),
    /// A value from a channel.
    Receive(ChannelId),
    /// The end of a task.
    Join(TaskId),
    /// The end of all started tasks; main only.
    AllEnded,
    /// Somebody who wakes this wait queue.
    Queue(QueueId),
    /// Something to do, from a work queue.
    Work(WorkId),
    /// That all work of a work queue is done.
    Flush(WorkId),
    /// The end of all tasks of a group.
    Group(GroupId),
    /// That it is asked to stop.
    Stop,
    /// Something from outside, by a number of the backend's: a file that can be read, another
    /// thread.
    External(u32),
    /// One of several things; [`Scheduler::arms`] lists them.
    Any {
        /// How many.
        arms: u32,
    },
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wait::Until { due_us } => write!(f, "sleep until {due_us} us"),
            Wait::Mutex(id) => write!(f, "lock mutex {}", id.0),
            Wait::Event(id) => write!(f, "wait for event {}", id.0),
            Wait::Send(id) => write!(f, "send to channel {}", id.0),
            Wait::Receive(id) => write!(f, "receive from channel {}", id.0),
            Wait::Join(id) => write!(f, "join task {}", id.index()),
            Wait::AllEnded => f.write_str("run"),
            Wait::Queue(id) => write!(f, "wait queue {}", id.0),
            Wait::Work(id) => write!(f, "work from queue {}", id.0),
            Wait::Flush(id) => write!(f, "flush work queue {}", id.0),
            Wait::Group(id) => write!(f, "join group {}", id.0),
            Wait::Stop => f.write_str("a request to stop"),
            Wait::External(token) => write!(f, "something from outside, number {token}"),
            Wait::Any { arms } => write!(f, "one of {arms} things"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Mutex {
    owner: Option<u32>,
    pub(super) waiters: Queue,
}

/// How many waits pass without blocking: this many and it never runs out.
const FOR_ALL: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(super) struct Event {
    /// How many waits pass without blocking.
    pending: u32,
    pub(super) waiters: Queue,
}

/// Mutexes.
impl<O: Observer> Scheduler<O> {
    /// Makes a mutex that nobody holds.
    pub fn add_mutex(&mut self) -> MutexId {
        MutexId(self.mutexes.add(Mutex {
            owner: None,
            waiters: Queue::EMPTY,
        }))
    }

    /// Removes a mutex; its number is used again.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while a task holds it; [`Refusal::Foreign`] if there is no such mutex.
    pub fn remove_mutex(&mut self, mutex: MutexId) -> Result<(), Refusal> {
        self.mutexes.remove(mutex.0, |mutex| mutex.owner.is_none())
    }

    /// The running task locks a mutex, waiting for it if another task holds it.
    ///
    /// # Errors
    /// [`Refusal::WouldDeadlockOnSelf`] if it holds the mutex already; [`Refusal::Foreign`] if
    /// there is no such mutex.
    pub fn handle_lock(&mut self, mutex: MutexId) -> Result<Flow, Refusal> {
        let current = self.current;
        let record = self.mutexes.get_mut(mutex.0)?;
        match record.owner {
            None => {
                record.owner = Some(current);
                Ok(self.go_on())
            }
            Some(owner) if owner == current => Err(Refusal::WouldDeadlockOnSelf),
            Some(_) => {
                record.waiters.push(&mut self.tasks, current);
                Ok(self.block(Wait::Mutex(mutex)))
            }
        }
    }

    /// The running task locks a mutex if nobody holds it, and says whether it does now.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such mutex.
    pub fn handle_try_lock(&mut self, mutex: MutexId) -> Result<bool, Refusal> {
        let record = self.mutexes.get_mut(mutex.0)?;
        let free = record.owner.is_none();
        if free {
            record.owner = Some(self.current);
        }
        Ok(free)
    }

    /// The running task releases a mutex. The first that waits for it owns it at once and is
    /// returned.
    ///
    /// # Errors
    /// [`Refusal::NotOwner`] if it does not hold the mutex; [`Refusal::Foreign`] if there is no
    /// such mutex.
    pub fn handle_unlock(&mut self, mutex: MutexId) -> Result<Option<TaskId>, Refusal> {
        let record = self.mutexes.get_mut(mutex.0)?;
        if record.owner != Some(self.current) {
            return Err(Refusal::NotOwner);
        }
        self.hand_over(mutex)
    }

    /// As [`handle_unlock`](Self::handle_unlock), whoever holds the mutex: for a backend whose
    /// right to unlock is a value that may change hands, like a guard.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such mutex.
    pub fn hand_over(&mut self, mutex: MutexId) -> Result<Option<TaskId>, Refusal> {
        let record = self.mutexes.get_mut(mutex.0)?;
        record.owner = None;
        let Some(waiter) = record.waiters.pop(&mut self.tasks) else {
            return Ok(None);
        };
        let next = self.grant(waiter);
        self.mutexes.get_mut(mutex.0)?.owner = Some(next);
        Ok(Some(self.id(next)))
    }

    /// All mutexes.
    pub(super) fn mutex_ids(&self) -> impl Iterator<Item = MutexId> + use<O> {
        self.mutexes.numbers().map(MutexId)
    }

    /// The task that holds a mutex.
    pub fn mutex_owner(&self, mutex: MutexId) -> Option<TaskId> {
        let owner = self.mutexes.get(mutex.0).ok()?.owner?;
        Some(self.id(owner))
    }
}

/// Events, which are completions: they count, or stay completed for all.
impl<O: Observer> Scheduler<O> {
    /// Makes an event that nobody has completed.
    pub fn add_event(&mut self) -> EventId {
        EventId(self.events.add(Event {
            pending: 0,
            waiters: Queue::EMPTY,
        }))
    }

    /// Removes an event; its number is used again.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while a task waits for it; [`Refusal::Foreign`] if there is no such
    /// event.
    pub fn remove_event(&mut self, event: EventId) -> Result<(), Refusal> {
        self.events
            .remove(event.0, |event| event.waiters.is_empty())
    }

    /// The running task waits for an event; one that is pending is used up, unless it was
    /// completed for all.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_wait(&mut self, event: EventId) -> Result<Flow, Refusal> {
        if self.handle_try_wait(event)? {
            return Ok(self.go_on());
        }
        let record = self.events.get_mut(event.0)?;
        record.waiters.push(&mut self.tasks, self.current);
        Ok(self.block(Wait::Event(event)))
    }

    /// Uses up an event if it is pending, and says whether it was.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_try_wait(&mut self, event: EventId) -> Result<bool, Refusal> {
        let record = self.events.get_mut(event.0)?;
        match record.pending {
            0 => return Ok(false),
            FOR_ALL => {}
            _ => record.pending -= 1,
        }
        Ok(true)
    }

    /// Completes an event once: the first that waits is woken and returned; when none waits, the
    /// event stays pending for one later wait.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_complete(&mut self, event: EventId) -> Result<Option<TaskId>, Refusal> {
        let record = self.events.get_mut(event.0)?;
        match record.waiters.pop(&mut self.tasks) {
            Some(waiter) => {
                let task = self.grant(waiter);
                Ok(Some(self.id(task)))
            }
            None => {
                record.pending = match record.pending {
                    FOR_ALL => FOR_ALL,
                    pending => (pending + 1).min(FOR_ALL - 1),
                };
                Ok(None)
            }
        }
    }

    /// Completes an event for everybody: all that wait are woken, and every later wait passes
    /// until [`reinit`](Self::reinit). Returns how many were woken.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_complete_all(&mut self, event: EventId) -> Result<u32, Refusal> {
        self.events.get_mut(event.0)?.pending = FOR_ALL;
        let mut woken = 0;
        while let Some(waiter) = self.events.get_mut(event.0)?.waiters.pop(&mut self.tasks) {
            self.grant(waiter);
            woken += 1;
        }
        Ok(woken)
    }

    /// Makes an event one that nobody has completed. Those who wait go on waiting.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn reinit(&mut self, event: EventId) -> Result<(), Refusal> {
        self.events.get_mut(event.0)?.pending = 0;
        Ok(())
    }

    /// Whether a wait for the event would pass.
    pub fn is_done(&self, event: EventId) -> bool {
        self.events
            .get(event.0)
            .is_ok_and(|event| event.pending > 0)
    }
}

/// Wait queues: nothing is remembered, whoever waits is woken.
impl<O: Observer> Scheduler<O> {
    /// Makes a wait queue.
    pub fn add_queue(&mut self) -> QueueId {
        QueueId(self.queues.add(Queue::EMPTY))
    }

    /// Removes a wait queue; its number is used again.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while a task waits in it; [`Refusal::Foreign`] if there is no such
    /// queue.
    pub fn remove_queue(&mut self, queue: QueueId) -> Result<(), Refusal> {
        self.queues.remove(queue.0, |queue| queue.is_empty())
    }

    /// The running task waits until somebody wakes it.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such queue.
    pub fn handle_wait_queue(&mut self, queue: QueueId) -> Result<Flow, Refusal> {
        let record = self.queues.get_mut(queue.0)?;
        record.push(&mut self.tasks, self.current);
        Ok(self.block(Wait::Queue(queue)))
    }

    /// Wakes the first that waits in a queue.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such queue.
    pub fn handle_wake_one(&mut self, queue: QueueId) -> Result<Option<TaskId>, Refusal> {
        let Some(waiter) = self.queues.get_mut(queue.0)?.pop(&mut self.tasks) else {
            return Ok(None);
        };
        let task = self.grant(waiter);
        Ok(Some(self.id(task)))
    }

    /// Wakes all that wait in a queue; returns how many.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such queue.
    pub fn handle_wake_all(&mut self, queue: QueueId) -> Result<u32, Refusal> {
        let mut woken = 0;
        while self.handle_wake_one(queue)?.is_some() {
            woken += 1;
        }
        Ok(woken)
    }
}

/// Waits for other things, and how any wait ends.
impl<O: Observer> Scheduler<O> {
    /// The running task waits until it is asked to stop.
    pub fn handle_wait_stop(&mut self) -> Flow {
        match self.stop_requested(self.current()) {
            true => self.go_on(),
            false => self.block(Wait::Stop),
        }
    }

    /// The running task waits for something from outside, which the backend reports with
    /// [`handle_external`](Self::handle_external). The number is the backend's.
    pub fn handle_wait_external(&mut self, token: u32) -> Flow {
        self.external += 1;
        self.block(Wait::External(token))
    }

    /// What a task waits for has come from outside. Says whether it did wait for it.
    pub fn handle_external(&mut self, task: TaskId, token: u32) -> bool {
        let Ok(index) = self.index(task) else {
            return false;
        };
        self.grant_where(index, Wait::External(token))
    }

    /// How many waits for something from outside there are.
    #[inline]
    pub fn external_waits(&self) -> u32 {
        self.external
    }

    /// Ends the wait that a task has just begun at `due_us`, if nothing else does before: its
    /// [outcome](Self::outcome) is [`Outcome::TimedOut`] then.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such task. For a task that does not wait, nothing
    /// changes.
    pub fn limit_wait(&mut self, task: TaskId, due_us: u64) -> Result<(), Refusal> {
        let index = self.index(task)?;
        match self.state_of(index) {
            TaskState::Blocked(Wait::Until { .. }) => {}
            TaskState::Blocked(_) => self.timers.set(index, due_us),
            _ => {}
        }
        Ok(())
    }

    /// Main, which waits, does so no longer: what a backend calls after [`Next::Deadlock`], so
    /// that main can go on and tell of it.
    ///
    /// [`Next::Deadlock`]: super::Next::Deadlock
    pub fn give_up(&mut self) {
        if let TaskState::Blocked(_) = self.state_of(0) {
            self.unlink(0);
            self.set_state(0, TaskState::Running);
            self.task_mut(0).outcome = Outcome::Cancelled;
        }
    }

    /// What a waiter waited for has come: takes it out of the other queues that it may be in and
    /// wakes it. It is in this one no more.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn grant(&mut self, waiter: u32) -> u32 {
        let (task, outcome) = match super::task::arm_of(waiter) {
            None => (waiter, Outcome::Granted),
            Some(arm) => {
                let arm = &self.tasks.arms[arm as usize];
                let (task, outcome) = (arm.task, Outcome::Arm(arm.number));
                self.drop_arms(task, waiter);
                (task, outcome)
            }
        };
        self.timers.remove(task);
        self.wake(task, outcome);
        task
    }

    /// Grants `wait`, which has no queue, to a task if it waits for it.
    pub(super) fn grant_where(&mut self, index: u32, wait: Wait) -> bool {
        let waiter = match self.state_of(index) {
            TaskState::Blocked(waits) if waits == wait => {
                self.forget_external(wait);
                index
            }
            TaskState::Blocked(Wait::Any { .. }) => {
                match self.tasks.arms_of(index).find(|(_, arm)| arm.wait == wait) {
                    Some((waiter, _)) => waiter,
                    None => return false,
                }
            }
            _ => return false,
        };
        self.grant(waiter);
        true
    }

    pub(super) fn forget_external(&mut self, wait: Wait) {
        if let Wait::External(_) = wait {
            self.external -= 1;
        }
    }

    /// Takes a blocked task out of the queue of what it waits for.
    pub(super) fn unlink_wait(&mut self, index: u32, wait: Wait) {
        self.forget_external(wait);
        match wait {
            Wait::Any { .. } => self.drop_arms(index, super::queue::NONE),
            wait => self.leave_queue(index, wait),
        }
    }

    /// Puts a waiter into the queue of what it is to wait for.
    pub(super) fn enter_queue(&mut self, waiter: u32, wait: Wait) {
        if let Wait::External(_) = wait {
            self.external += 1;
        }
        if let Some(mut queue) = self.queue_of(wait).copied() {
            queue.push(&mut self.tasks, waiter);
            if let Some(place) = self.queue_of(wait) {
                *place = queue;
            }
        }
    }

    /// Takes a waiter out of the queue of what it waits for.
    pub(super) fn leave_queue(&mut self, waiter: u32, wait: Wait) {
        if let Some(mut queue) = self.queue_of(wait).copied() {
            queue.remove(&mut self.tasks, waiter);
            if let Some(place) = self.queue_of(wait) {
                *place = queue;
            }
        }
    }

    /// The queue of those who wait for the same.
    pub(super) fn queue_of(&mut self, wait: Wait) -> Option<&mut Queue> {
        match wait {
            Wait::Until { .. }
            | Wait::AllEnded
            | Wait::Stop
            | Wait::External(_)
            | Wait::Any { .. } => None,
            Wait::Mutex(id) => Some(&mut self.mutexes.get_mut(id.0).ok()?.waiters),
            Wait::Event(id) => Some(&mut self.events.get_mut(id.0).ok()?.waiters),
            Wait::Queue(id) => self.queues.get_mut(id.0).ok(),
            Wait::Send(id) => Some(&mut self.channels.get_mut(id.0).ok()?.senders),
            Wait::Receive(id) => Some(&mut self.channels.get_mut(id.0).ok()?.receivers),
            Wait::Work(id) => Some(&mut self.works.get_mut(id.0).ok()?.workers),
            Wait::Flush(id) => Some(&mut self.works.get_mut(id.0).ok()?.flushers),
            Wait::Group(id) => Some(&mut self.groups.get_mut(id.0).ok()?.joiners),
            Wait::Join(task) => Some(&mut self.tasks.records.get_mut(task.index())?.joiners),
        }
    }
}
