//! Waiting for the first of several things.

use super::channel::{Received, Sent};
use super::queue::NONE;
use super::{Flow, Observer, Outcome, Scheduler, TaskId, TaskState, Wait};
use crate::Refusal;

/// How a select goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a value may have to be taken from where the engine says"]
pub enum Selected {
    /// This arm could be had at once.
    Now {
        /// Its number.
        arm: u32,
        /// For [`Wait::Send`]: where the value goes; `None` when the channel is closed.
        sent: Option<Sent>,
        /// For [`Wait::Receive`]: where the value comes from; `None` when the channel is closed
        /// and empty.
        received: Option<Received>,
    },
    /// None could. The task waits, and its [outcome](Scheduler::outcome) will name the arm.
    Waits(Flow),
}

impl<O: Observer> Scheduler<O> {
    /// The running task waits for the first of several things. If more than one can be had at
    /// once, it gets the first of them; the others stay as they are.
    ///
    /// Whatever can be waited for can be an arm, but for times ([`limit_wait`](Self::limit_wait)
    /// gives one to the whole), [`Wait::AllEnded`] and another select.
    ///
    /// # Errors
    /// What waiting for an arm alone would give, and [`Refusal::NotSelectable`]. Nothing has
    /// changed then.
    pub fn handle_select(&mut self, arms: &[Wait]) -> Result<Selected, Refusal> {
        for &arm in arms {
            self.check_arm(arm)?;
        }
        for (number, &arm) in (0..).zip(arms) {
            if let Some(selected) = self.take_arm(number, arm)? {
                self.task_mut(self.current).outcome = Outcome::Arm(number);
                return Ok(selected);
            }
        }
        for (number, &wait) in (0..).zip(arms) {
            let waiter = self.tasks.add_arm(self.current, number, wait);
            self.enter_queue(waiter, wait);
        }
        let arms = arms.len() as u32;
        Ok(Selected::Waits(self.block(Wait::Any { arms })))
    }

    /// What a task that waits for several things waits for.
    pub fn arms(&self, task: TaskId) -> impl Iterator<Item = Wait> + '_ {
        let blocked = self
            .index(task)
            .ok()
            .filter(|&index| matches!(self.state_of(index), TaskState::Blocked(Wait::Any { .. })));
        let arms = blocked
            .into_iter()
            .flat_map(|index| self.tasks.arms_of(index));
        arms.map(|(_, arm)| arm.wait)
    }

    pub(super) fn check_arm(&self, arm: Wait) -> Result<(), Refusal> {
        match arm {
            Wait::Until { .. } | Wait::AllEnded | Wait::Any { .. } => Err(Refusal::NotSelectable),
            Wait::Mutex(id) => match self.mutexes.get(id.0) {
                Ok(_) if self.mutex_owner(id) == Some(self.current()) => {
                    Err(Refusal::WouldDeadlockOnSelf)
                }
                Ok(_) => Ok(()),
                Err(refusal) => Err(refusal),
            },
            Wait::Event(id) => self.events.get(id.0).map(drop),
            Wait::Queue(id) => self.queues.get(id.0).map(drop),
            Wait::Send(id) | Wait::Receive(id) => self.channels.get(id.0).map(drop),
            Wait::Work(id) | Wait::Flush(id) => self.works.get(id.0).map(drop),
            Wait::Group(id) => self.groups.get(id.0).map(drop),
            Wait::Join(id) if id == self.current() => Err(Refusal::WouldDeadlockOnSelf),
            Wait::Join(id) => self.index(id).map(drop),
            Wait::Stop | Wait::External(_) => Ok(()),
        }
    }

    /// Takes what could be waited for, if it is there.
    pub(super) fn try_take(&mut self, wait: Wait) -> Result<Option<Selected>, Refusal> {
        let taken = self.take_arm(0, wait)?;
        if taken.is_some() {
            self.task_mut(self.current).outcome = Outcome::Granted;
        }
        Ok(taken)
    }

    /// Takes what an arm waits for if it is there.
    fn take_arm(&mut self, arm: u32, wait: Wait) -> Result<Option<Selected>, Refusal> {
        let mut sent = None;
        let mut received = None;
        let is_there = match wait {
            Wait::Mutex(id) => self.handle_try_lock(id)?,
            Wait::Event(id) => self.handle_try_wait(id)?,
            Wait::Send(id) if self.is_closed(id) => true,
            Wait::Send(id) => {
                sent = self.handle_try_send(id)?;
                sent.is_some()
            }
            Wait::Receive(id) => {
                received = self.handle_try_receive(id)?;
                received.is_some() || self.is_closed(id)
            }
            Wait::Work(id) => self.handle_try_take_work(id)?,
            Wait::Flush(id) => self.works.get(id.0)?.is_idle(),
            Wait::Group(id) => self.groups.get(id.0)?.is_empty(),
            Wait::Join(id) => !self.is_alive(id),
            Wait::Stop => self.stop_requested(self.current()),
            _ => false,
        };
        Ok(is_there.then_some(Selected::Now {
            arm,
            sent,
            received,
        }))
    }

    /// Takes all arms of a task out of their queues but `granted`, which is out already, and
    /// gives them back.
    pub(super) fn drop_arms(&mut self, task: u32, granted: u32) {
        loop {
            let first = self.tasks.arms_of(task).next();
            let Some((waiter, wait)) = first.map(|(waiter, arm)| (waiter, arm.wait)) else {
                break;
            };
            self.forget_external(wait);
            if waiter != granted {
                self.leave_queue(waiter, wait);
            }
            self.tasks.free_first_arm(task);
        }
        debug_assert_eq!(self.tasks.records[task as usize].arms, NONE);
    }
}
