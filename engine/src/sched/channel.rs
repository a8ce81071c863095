//! Bounded channels. The backend keeps the values; the engine says where they go.

use super::queue::Queue;
use super::{Flow, Observer, Scheduler, TaskId, Wait};
use crate::Refusal;

/// Names a channel of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(pub u32);

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
pub(super) struct Channel {
    capacity: u32,
    len: u32,
    closed: bool,
    pub(super) senders: Queue,
    pub(super) receivers: Queue,
}

impl<O: Observer> Scheduler<O> {
    /// Makes a channel that keeps up to `capacity` values. With capacity 0 a sender waits for its
    /// receiver.
    pub fn add_channel(&mut self, capacity: u32) -> ChannelId {
        ChannelId(self.channels.add(Channel {
            capacity,
            len: 0,
            closed: false,
            senders: Queue::EMPTY,
            receivers: Queue::EMPTY,
        }))
    }

    /// Removes a channel; its number is used again. What becomes of values still in it is the
    /// backend's business.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while a task waits for it; [`Refusal::Foreign`] if there is no such
    /// channel.
    pub fn remove_channel(&mut self, channel: ChannelId) -> Result<(), Refusal> {
        self.channels.remove(channel.0, |channel| {
            channel.senders.is_empty() && channel.receivers.is_empty()
        })
    }

    /// Closes a channel: everybody who waits for it is woken, without a value, and a select that
    /// has it as an arm is served at once. Whether anything may still be sent or received is for
    /// the backend to look at before it asks.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn close_channel(&mut self, channel: ChannelId) -> Result<(), Refusal> {
        self.channels.get_mut(channel.0)?.closed = true;
        for wait in [Wait::Send(channel), Wait::Receive(channel)] {
            while let Some(mut queue) = self.queue_of(wait).copied() {
                let Some(waiter) = queue.pop(&mut self.tasks) else {
                    break;
                };
                if let Some(place) = self.queue_of(wait) {
                    *place = queue;
                }
                self.grant(waiter);
            }
        }
        Ok(())
    }

    /// Whether a channel was closed.
    pub fn is_closed(&self, channel: ChannelId) -> bool {
        self.channels
            .get(channel.0)
            .is_ok_and(|channel| channel.closed)
    }

    /// The running task sends a value.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_send(&mut self, channel: ChannelId) -> Result<Sent, Refusal> {
        if let Some(sent) = self.handle_try_send(channel)? {
            self.task_mut(self.current).outcome = super::Outcome::Granted;
            return Ok(sent);
        }
        let record = self.channels.get_mut(channel.0)?;
        record.senders.push(&mut self.tasks, self.current);
        Ok(Sent::Waits(self.block(Wait::Send(channel))))
    }

    /// The running task sends a value if that can be done without waiting.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_try_send(&mut self, channel: ChannelId) -> Result<Option<Sent>, Refusal> {
        let record = self.channels.get_mut(channel.0)?;
        if let Some(receiver) = record.receivers.pop(&mut self.tasks) {
            let receiver = self.grant(receiver);
            return Ok(Some(Sent::HandedTo(self.id(receiver))));
        }
        if record.len < record.capacity {
            record.len += 1;
            return Ok(Some(Sent::Queued));
        }
        Ok(None)
    }

    /// The running task receives a value.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_receive(&mut self, channel: ChannelId) -> Result<Received, Refusal> {
        if let Some(received) = self.handle_try_receive(channel)? {
            self.task_mut(self.current).outcome = super::Outcome::Granted;
            return Ok(received);
        }
        let record = self.channels.get_mut(channel.0)?;
        record.receivers.push(&mut self.tasks, self.current);
        Ok(Received::Waits(self.block(Wait::Receive(channel))))
    }

    /// The running task receives a value if that can be done without waiting.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such channel.
    pub fn handle_try_receive(&mut self, channel: ChannelId) -> Result<Option<Received>, Refusal> {
        let record = self.channels.get_mut(channel.0)?;
        let sender = record.senders.pop(&mut self.tasks);
        let is_empty = record.len == 0;
        Ok(match sender {
            None if is_empty => None,
            None => {
                record.len -= 1;
                Some(Received::FromQueue { refill: None })
            }
            Some(sender) => {
                let sender = self.grant(sender);
                let sender = self.id(sender);
                Some(match is_empty {
                    true => Received::From(sender),
                    false => Received::FromQueue {
                        refill: Some(sender),
                    },
                })
            }
        })
    }
}
