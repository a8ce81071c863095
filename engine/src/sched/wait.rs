//! What tasks wait for: mutexes, events and channels. All queues are first in, first out, and
//! what is released is handed over to the first that waits, so nobody is overtaken and no wake-up
//! is lost.

use super::queue::Queue;
use super::{Flow, Scheduler, TaskId, TaskState};
use crate::Refusal;

/// Names a mutex of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MutexId(pub u32);

/// Names an event of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(pub u32);

/// Names a channel of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(pub u32);

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
}

/// What becomes of a sent value. The backend keeps the values; the engine says where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the value has to go where the engine says"]
pub enum Sent {
    /// Put the value at the end of the channel's queue.
    Queued,
    /// Hand the value to this task, which waited for one and is ready now.
    HandedTo(TaskId),
    /// There is no room. Keep the value with the sender, which waits; whoever makes room is told
    /// to fetch it.
    Waits(Flow),
}

/// Where a received value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the value has to be taken from where the engine says"]
pub enum Received {
    /// Take the first value of the channel's queue. If a sender waited for room, its value goes
    /// to the end of the queue now.
    FromQueue {
        /// The sender that waited, which is ready now.
        refill: Option<TaskId>,
    },
    /// The channel keeps no values: take that of this sender, which is ready now.
    From(TaskId),
    /// There is none. The receiver waits; whoever sends is told to hand it the value.
    Waits(Flow),
}

#[derive(Clone, Debug)]
pub(super) struct Mutex {
    owner: Option<u32>,
    waiters: Queue,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    /// How many waits pass without blocking.
    pending: u32,
    waiters: Queue,
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    capacity: u32,
    len: u32,
    senders: Queue,
    receivers: Queue,
}

impl Scheduler {
    /// Makes a mutex that nobody holds.
    pub fn add_mutex(&mut self) -> MutexId {
        self.mutexes.push(Mutex {
            owner: None,
            waiters: Queue::EMPTY,
        });
        MutexId(self.mutexes.len() as u32 - 1)
    }

    /// Makes an event that nobody has completed.
    pub fn add_event(&mut self) -> EventId {
        self.events.push(Event {
            pending: 0,
            waiters: Queue::EMPTY,
        });
        EventId(self.events.len() as u32 - 1)
    }

    /// Makes a channel that keeps up to `capacity` values. With capacity 0 a sender waits for its
    /// receiver.
    pub fn add_channel(&mut self, capacity: u32) -> ChannelId {
        self.channels.push(Channel {
            capacity,
            len: 0,
            senders: Queue::EMPTY,
            receivers: Queue::EMPTY,
        });
        ChannelId(self.channels.len() as u32 - 1)
    }

    /// The running task locks a mutex, waiting for it if another task holds it.
    ///
    /// # Errors
    /// [`Refusal::WouldDeadlockOnSelf`] if it holds the mutex already; [`Refusal::Foreign`] if
    /// there is no such mutex.
    pub fn handle_lock(&mut self, mutex: MutexId) -> Result<Flow, Refusal> {
        let current = self.current;
        let record = self
            .mutexes
            .get_mut(mutex.0 as usize)
            .ok_or(Refusal::Foreign)?;
        match record.owner {
            None => {
                record.owner = Some(current);
                Ok(Flow::Continue)
            }
            Some(owner) if owner == current => Err(Refusal::WouldDeadlockOnSelf),
            Some(_) => {
                record.waiters.push(&mut self.tasks, current);
                Ok(self.give_way(TaskState::Blocked(Wait::Mutex(mutex))))
            }
        }
    }

    /// The running task locks a mutex if nobody holds it, and says whether it does now.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such mutex.
    pub fn handle_try_lock(&mut self, mutex: MutexId) -> Result<bool, Refusal> {
        let record = self
            .mutexes
            .get_mut(mutex.0 as usize)
            .ok_or(Refusal::Foreign)?;
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
        let record = self
            .mutexes
            .get_mut(mutex.0 as usize)
            .ok_or(Refusal::Foreign)?;
        if record.owner != Some(self.current) {
            return Err(Refusal::NotOwner);
        }
        record.owner = record.waiters.pop(&mut self.tasks);
        Ok(record.owner.map(|next| {
            self.wake(next);
            self.id(next)
        }))
    }

    /// The task that holds a mutex.
    pub fn mutex_owner(&self, mutex: MutexId) -> Option<TaskId> {
        let owner = self.mutexes.get(mutex.0 as usize)?.owner?;
        Some(self.id(owner))
    }

    /// The running task waits for an event; one that is pending is used up.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_wait(&mut self, event: EventId) -> Result<Flow, Refusal> {
        let record = self
            .events
            .get_mut(event.0 as usize)
            .ok_or(Refusal::Foreign)?;
        if record.pending > 0 {
            record.pending -= 1;
            return Ok(Flow::Continue);
        }
        record.waiters.push(&mut self.tasks, self.current);
        Ok(self.give_way(TaskState::Blocked(Wait::Event(event))))
    }

    /// Completes an event once: the first that waits is woken and returned; when none waits, the
    /// event stays pending for one later wait.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such event.
    pub fn handle_complete(&mut self, event: EventId) -> Result<Option<TaskId>, Refusal> {
        let record = self
            .events
            .get_mut(event.0 as usize)
            .ok_or(Refusal::Foreign)?;
        match record.waiters.pop(&mut self.tasks) {
            Some(waiter) => {
                self.wake(waiter);
                Ok(Some(self.id(waiter)))
            }
            None => {
                record.pending = record.pending.saturating_add(1);
                Ok(None)
            }
        }
    }

    /// The running task sends a value.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_send(&mut self, channel: ChannelId) -> Result<Sent, Refusal> {
        let record = self
            .channels
            .get_mut(channel.0 as usize)
            .ok_or(Refusal::Foreign)?;
        if let Some(receiver) = record.receivers.pop(&mut self.tasks) {
            self.wake(receiver);
            return Ok(Sent::HandedTo(self.id(receiver)));
        }
        if record.len < record.capacity {
            record.len += 1;
            return Ok(Sent::Queued);
        }
        record.senders.push(&mut self.tasks, self.current);
        Ok(Sent::Waits(
            self.give_way(TaskState::Blocked(Wait::Send(channel))),
        ))
    }

    /// The running task receives a value.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_receive(&mut self, channel: ChannelId) -> Result<Received, Refusal> {
        let record = self
            .channels
            .get_mut(channel.0 as usize)
            .ok_or(Refusal::Foreign)?;
        let sender = record.senders.pop(&mut self.tasks);
        match sender {
            None if record.len == 0 => {
                record.receivers.push(&mut self.tasks, self.current);
                let flow = self.give_way(TaskState::Blocked(Wait::Receive(channel)));
                Ok(Received::Waits(flow))
            }
            None => {
                record.len -= 1;
                Ok(Received::FromQueue { refill: None })
            }
            Some(sender) => {
                let queue_is_empty = record.len == 0;
                self.wake(sender);
                let sender = self.id(sender);
                Ok(match queue_is_empty {
                    true => Received::From(sender),
                    false => Received::FromQueue {
                        refill: Some(sender),
                    },
                })
            }
        }
    }

    /// Takes a blocked task out of the queue of what it waits for.
    pub(super) fn unlink_wait(&mut self, index: u32, wait: Wait) {
        let queue = match wait {
            Wait::Until { .. } | Wait::AllEnded => return,
            Wait::Mutex(id) => &mut self.mutexes[id.0 as usize].waiters,
            Wait::Event(id) => &mut self.events[id.0 as usize].waiters,
            Wait::Send(id) => &mut self.channels[id.0 as usize].senders,
            Wait::Receive(id) => &mut self.channels[id.0 as usize].receivers,
            Wait::Join(task) => {
                let mut joiners = self.tasks[task.index()].joiners;
                joiners.remove(&mut self.tasks, index);
                self.tasks[task.index()].joiners = joiners;
                return;
            }
        };
        queue.remove(&mut self.tasks, index);
    }
}
