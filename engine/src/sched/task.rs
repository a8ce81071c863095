//! What the scheduler keeps of a task, and the words for what a task does.

use alloc::vec::Vec;

use super::group::GroupId;
use super::queue::{Linked, Links, NONE, Queue};
use super::wait::Wait;

/// Names a task of one scheduler. A slot may be used again after
/// [`Scheduler::release`](super::Scheduler::release); the generation tells the new task from the
/// old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl TaskId {
    /// Main, the context that the program starts in.
    pub const MAIN: TaskId = TaskId {
        index: 0,
        generation: 0,
    };

    /// The task's slot: 0 is main, tasks count from 1 in the order of their making.
    #[inline]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// How many tasks had the same slot before.
    pub const fn generation(self) -> u32 {
        self.generation
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

/// Why a task's last wait is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// What it waited for has come, or it never had to wait.
    #[default]
    Granted,
    /// This arm of its [select](super::Scheduler::handle_select) has come.
    Arm(u32),
    /// The time that [`limit_wait`](super::Scheduler::limit_wait) gave it is over.
    TimedOut,
    /// It was [cancelled](super::Scheduler::request_cancel).
    Cancelled,
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
    /// Main gives way: call [`Scheduler::poll`](super::Scheduler::poll) and resume what it names
    /// until it says [`Next::Main`].
    Poll,
}

/// What main has to do next while it gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Resume this task; it counts as running from now on.
    Resume(TaskId),
    /// It is main's turn again.
    Main,
    /// Nothing is ready. Poll again at this time, or when something from
    /// [outside](Wait::External) has come.
    Idle {
        /// When the next timer is due, in microseconds of the backend's clock; [`u64::MAX`] when
        /// there is none and tasks wait for something from outside.
        until_us: u64,
    },
    /// Nothing is ready and nothing will be: [`Scheduler::waiting`](super::Scheduler::waiting)
    /// tells who waits for what.
    Deadlock,
}

/// What is true of a task beside its state; a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// Handed to the scheduler: it goes into the ready queue whenever it is ready.
    pub(super) const STARTED: Flags = Flags(1);
    /// `run` does not wait for it.
    pub(super) const BACKGROUND: Flags = Flags(4);
    /// Its slot is given back when it ends.
    pub(super) const DETACHED: Flags = Flags(8);
    /// Was asked to stop.
    pub(super) const STOP: Flags = Flags(16);
    /// Was asked to end where it waits, or at its next wait.
    pub(super) const CANCEL: Flags = Flags(32);
    /// A wait of it has ended for that reason. Others, of its destructors, do not.
    pub(super) const CANCELLED: Flags = Flags(64);

    #[inline(always)]
    pub(super) fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    #[inline(always)]
    pub(super) fn set(&mut self, flag: Flags) {
        self.0 |= flag.0;
    }

    pub(super) fn clear(&mut self, flag: Flags) {
        self.0 &= !flag.0;
    }
}

/// What a task does, without what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Ready,
    Running,
    Resuming,
    Blocked,
    Ended,
}

/// What a switch touches of a task: sixteen bytes, so that four tasks share a cache line.
#[derive(Clone, Debug)]
pub(super) struct Hot {
    pub(super) generation: u32,
    /// Where it is in the ready queue, while it is there.
    pub(super) place: u32,
    /// To whom control goes back.
    pub(super) resumer: u32,
    pub(super) status: Status,
    pub(super) flags: Flags,
}

const _: () = assert!(size_of::<Hot>() == 16);

impl Hot {
    pub(super) const fn new(generation: u32) -> Self {
        Hot {
            generation,
            place: 0,
            resumer: 0,
            status: Status::Ready,
            flags: Flags(0),
        }
    }
}

/// The rest.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) links: Links,
    /// What it waits for, while it is blocked.
    pub(super) wait: Wait,
    pub(super) outcome: Outcome,
    /// Tasks that wait for this one to end.
    pub(super) joiners: Queue,
    /// Its first arm while it waits for several things.
    pub(super) arms: u32,
    pub(super) group: Option<GroupId>,
    /// Among the members of its group.
    pub(super) group_links: Links,
}

impl Task {
    pub(super) const fn new() -> Self {
        Task {
            links: Links::UNLINKED,
            wait: Wait::Stop,
            outcome: Outcome::Granted,
            joiners: Queue::EMPTY,
            arms: NONE,
            group: None,
            group_links: Links::UNLINKED,
        }
    }
}

/// One of several things that a task waits for.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) links: Links,
    pub(super) task: u32,
    pub(super) number: u32,
    pub(super) wait: Wait,
    /// The next arm of the same task, or the next free one.
    pub(super) next: u32,
}

/// All tasks, and their arms. In a queue a *waiter* is a task, by its index, or an arm, by its
/// index with this bit.
#[derive(Clone, Debug)]
pub(super) struct Tasks {
    pub(super) hot: Vec<Hot>,
    pub(super) records: Vec<Task>,
    pub(super) arms: Vec<Arm>,
    pub(super) free_arm: u32,
}

const ARM: u32 = 1 << 31;

/// The most tasks that there may be, main included.
pub(super) const MOST_TASKS: u32 = ARM;

/// The arm that a waiter is, if it is one.
pub(super) fn arm_of(waiter: u32) -> Option<u32> {
    (waiter & ARM != 0).then_some(waiter & !ARM)
}

impl Tasks {
    /// Makes an arm and returns the waiter that it is.
    pub(super) fn add_arm(&mut self, task: u32, number: u32, wait: Wait) -> u32 {
        let arm = Arm {
            links: Links::UNLINKED,
            task,
            number,
            wait,
            next: core::mem::replace(&mut self.records[task as usize].arms, NONE),
        };
        let index = match self.free_arm {
            NONE => {
                self.arms.push(arm);
                self.arms.len() as u32 - 1
            }
            free => {
                let slot = &mut self.arms[free as usize];
                self.free_arm = slot.next;
                *slot = arm;
                free
            }
        };
        self.records[task as usize].arms = index;
        index | ARM
    }

    /// Gives back the first arm of a task, which is in no queue any more.
    pub(super) fn free_first_arm(&mut self, task: u32) {
        let index = self.records[task as usize].arms;
        let arm = &mut self.arms[index as usize];
        self.records[task as usize].arms = arm.next;
        arm.next = self.free_arm;
        self.free_arm = index;
    }

    /// The arms of a task, the last one first.
    pub(super) fn arms_of(&self, task: u32) -> impl Iterator<Item = (u32, &Arm)> + '_ {
        let mut next = self.records[task as usize].arms;
        core::iter::from_fn(move || {
            let arm = self.arms.get(next as usize)?;
            let index = core::mem::replace(&mut next, arm.next);
            Some((index | ARM, arm))
        })
    }
}

impl Linked for Tasks {
    #[inline(always)]
    fn links(&mut self, waiter: u32) -> &mut Links {
        match arm_of(waiter) {
            None => &mut self.records[waiter as usize].links,
            Some(arm) => &mut self.arms[arm as usize].links,
        }
    }
}

/// The tasks once more, linked as members of their groups.
pub(super) struct Members<'a>(pub(super) &'a mut [Task]);

impl Linked for Members<'_> {
    fn links(&mut self, index: u32) -> &mut Links {
        &mut self.0[index as usize].group_links
    }
}
