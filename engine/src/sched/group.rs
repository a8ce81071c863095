//! Groups of tasks, and how tasks are asked to end.

use alloc::vec::Vec;

use super::queue::Queue;
use super::task::{Flags, Members};
use super::{Flow, Observer, Outcome, Scheduler, TaskId, TaskState, Wait};
use crate::Refusal;

/// Names a group of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId(pub u32);

#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Its live tasks.
    members: Queue,
    pub(super) joiners: Queue,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Groups.
impl<O: Observer> Scheduler<O> {
    /// Makes an empty group.
    pub fn add_group(&mut self) -> GroupId {
        GroupId(self.groups.add(Group {
            members: Queue::EMPTY,
            joiners: Queue::EMPTY,
        }))
    }

    /// Removes a group; its number is used again.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while it has live tasks; [`Refusal::Foreign`] if there is no such group.
    pub fn remove_group(&mut self, group: GroupId) -> Result<(), Refusal> {
        self.groups.remove(group.0, Group::is_empty)
    }

    /// Puts a live task into a group, out of the one that it may be in.
    ///
    /// # Errors
    /// [`Refusal::Finished`] if it has ended; [`Refusal::Foreign`] if there is no such task or
    /// group.
    pub fn set_group(&mut self, task: TaskId, group: GroupId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        if self.state_of(index) == TaskState::Ended {
            return Err(Refusal::Finished);
        }
        self.groups.get(group.0)?;
        self.leave_group(index);
        let record = self.groups.get_mut(group.0)?;
        let members = &mut Members(&mut self.tasks.records);
        record.members.push(members, index);
        self.task_mut(index).group = Some(group);
        Ok(())
    }

    /// The group of a task.
    pub fn group(&self, task: TaskId) -> Option<GroupId> {
        self.task(self.index(task).ok()?).group
    }

    /// The live tasks of a group, in the order in which they joined it.
    pub fn members(&mut self, group: GroupId) -> Vec<TaskId> {
        let mut next = self
            .groups
            .get(group.0)
            .ok()
            .and_then(|group| group.members.first());
        let mut found = Vec::new();
        while let Some(index) = next {
            found.push(self.id(index));
            next = Queue::after(&mut Members(&mut self.tasks.records), index);
        }
        found
    }

    /// The running task waits until all tasks of a group have ended.
    ///
    /// # Errors
    /// [`Refusal::WouldDeadlockOnSelf`] if it is one of them; [`Refusal::Foreign`] if there is no
    /// such group.
    pub fn handle_join_group(&mut self, group: GroupId) -> Result<Flow, Refusal> {
        let record = self.groups.get_mut(group.0)?;
        if record.is_empty() {
            return Ok(self.go_on());
        }
        if self.tasks.records[self.current as usize].group == Some(group) {
            return Err(Refusal::WouldDeadlockOnSelf);
        }
        record.joiners.push(&mut self.tasks, self.current);
        Ok(self.block(Wait::Group(group)))
    }

    /// Takes a task out of its group; when it was the last, those who join the group are woken.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn leave_group(&mut self, index: u32) {
        let Some(group) = self.task_mut(index).group.take() else {
            return;
        };
        let Ok(record) = self.groups.get_mut(group.0) else {
            return;
        };
        record
            .members
            .remove(&mut Members(&mut self.tasks.records), index);
        if record.is_empty() {
            let mut joiners = core::mem::replace(&mut record.joiners, Queue::EMPTY);
            while let Some(joiner) = joiners.pop(&mut self.tasks) {
                self.grant(joiner);
            }
        }
    }
}

/// Stop and cancel.
impl<O: Observer> Scheduler<O> {
    /// Asks a task to stop. It goes on as it likes; if it [waits for
    /// that](Scheduler::handle_wait_stop), it is woken.
    ///
    /// # Errors
    /// [`Refusal::Finished`] if it has ended; [`Refusal::Foreign`] if there is no such task.
    pub fn request_stop(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.live(task)?;
        self.hot_mut(index).flags.set(Flags::STOP);
        self.grant_where(index, Wait::Stop);
        Ok(())
    }

    /// Whether a task was asked to stop.
    pub fn stop_requested(&self, task: TaskId) -> bool {
        self.index(task)
            .is_ok_and(|index| self.hot(index).flags.has(Flags::STOP))
    }

    /// Asks a task to end where it waits: its wait is over with [`Outcome::Cancelled`], and the
    /// backend unwinds it when its turn comes. What it was granted before counts as taken. For a task
    /// that does not wait, the same becomes of its next wait as soon as it begins. Waits after that
    /// one, in destructors, are waits as any.
    ///
    /// # Errors
    /// [`Refusal::Finished`] if it has ended; [`Refusal::Foreign`] if there is no such task.
    pub fn request_cancel(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.live(task)?;
        self.hot_mut(index).flags.set(Flags::STOP);
        self.hot_mut(index).flags.set(Flags::CANCEL);
        if let TaskState::Blocked(_) = self.state_of(index) {
            self.cancel_wait(index);
        }
        Ok(())
    }

    /// The wait of a cancelled task is over, if it is the first since it was cancelled.
    #[cold]
    pub(super) fn cancel_wait(&mut self, index: u32) {
        if self.hot(index).flags.has(Flags::CANCELLED) {
            return;
        }
        self.hot_mut(index).flags.set(Flags::CANCELLED);
        self.unlink(index);
        self.wake(index, Outcome::Cancelled);
    }

    /// Whether a task was asked to end.
    #[inline]
    pub fn cancel_requested(&self, task: TaskId) -> bool {
        self.index(task)
            .is_ok_and(|index| self.hot(index).flags.has(Flags::CANCEL))
    }

    /// Lets nobody join a task: when it ends, or now if it has, its slot is given back.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such task.
    #[inline]
    pub fn detach(&mut self, task: TaskId) -> Result<(), Refusal> {
        let index = self.index(task)?;
        match self.state_of(index) {
            TaskState::Ended => self.release(task),
            _ => {
                self.hot_mut(index).flags.set(Flags::DETACHED);
                Ok(())
            }
        }
    }

    /// The index of a task that has not ended.
    fn live(&self, task: TaskId) -> Result<u32, Refusal> {
        let index = self.index(task)?;
        match self.state_of(index) {
            TaskState::Ended => Err(Refusal::Finished),
            _ => Ok(index),
        }
    }
}
