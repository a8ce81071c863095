//! What a running task asks for, as plain data: for backends whose tasks run programs rather than
//! call functions. Every request is also a function of its own.

use alloc::vec::Vec;

use super::channel::{Received, Sent};
use super::group::GroupId;
use super::select::Selected;
use super::wait::{EventId, QueueId, Wait};
use super::work::WorkId;
use super::{Flow, Observer, Outcome, Scheduler, TaskId};
use crate::Refusal;

/// One task, or all of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// This one.
    Task(TaskId),
    /// Its live tasks.
    Group(GroupId),
}

/// What the running task asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// [`Scheduler::request_cancel`]; answers how many there were to be asked.
    Cancel(Whom),
    /// [`Scheduler::request_stop`]; answers how many there were to be asked.
    Stop(Whom),
    /// Answers whether the running task was asked to stop.
    StopRequested,
    /// [`Scheduler::start_at`].
    StartAt {
        /// Which task.
        task: TaskId,
        /// When, in microseconds of the backend's clock.
        due_us: u64,
    },
    /// [`Scheduler::start_background`].
    StartBackground(TaskId),
    /// [`Scheduler::set_group`].
    Enter {
        /// Which task.
        task: TaskId,
        /// Into which group.
        group: GroupId,
    },
    /// Takes what could be waited for if it is there, and answers whether it was.
    Try(Wait),
    /// Waits for one thing; answers whether it came in time, or with a value that was taken.
    Wait {
        /// For what.
        wait: Wait,
        /// Until when at most, in microseconds of the backend's clock.
        until_us: Option<u64>,
    },
    /// [`Scheduler::handle_select`]; answers the number of the arm, or how many arms there are
    /// when none has come in time.
    Select {
        /// What for.
        arms: Vec<Wait>,
        /// Until when at most, in microseconds of the backend's clock.
        until_us: Option<u64>,
    },
    /// [`Scheduler::handle_complete_all`]; answers how many were woken.
    CompleteAll(EventId),
    /// [`Scheduler::reinit`].
    Reinit(EventId),
    /// [`Scheduler::is_done`].
    IsDone(EventId),
    /// [`Scheduler::handle_wake_one`]; answers how many were woken.
    WakeOne(QueueId),
    /// [`Scheduler::handle_wake_all`]; answers how many were woken.
    WakeAll(QueueId),
    /// [`Scheduler::handle_submit`].
    Submit(WorkId),
    /// [`Scheduler::handle_work_done`].
    WorkDone(WorkId),
}

/// How an answer is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This is it.
    Is(u32),
    /// Once the wait is over: whether it ended in time.
    InTime,
    /// Once the wait is over: the number of the arm, or this when none has come in time.
    Arm(u32),
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the task may have to give way, and values may have to go where the engine says"]
pub struct Asked {
    /// How the task goes on.
    pub flow: Flow,
    /// What it is answered; see [`Scheduler::answer`].
    pub answer: Answer,
    /// Where a value that it sends goes. While it waits, it keeps the value.
    pub sent: Option<Sent>,
    /// Where a value that it receives comes from.
    pub received: Option<Received>,
    /// Who has the first thing of a work queue now: the task itself, or a worker that waited.
    pub worker: Option<TaskId>,
    /// Whether a task that was cancelled ends here: it has waited, or might have had to.
    pub ends_cancelled: bool,
}

impl Asked {
    fn now(answer: u32) -> Self {
        Asked {
            flow: Flow::Continue,
            answer: Answer::Is(answer),
            sent: None,
            received: None,
            worker: None,
            ends_cancelled: false,
        }
    }
}

impl<O: Observer> Scheduler<O> {
    /// The running task asks for something.
    ///
    /// # Errors
    /// As the function that the request names. A task that has ended is no error to cancel or
    /// stop.
    pub fn handle_request(&mut self, request: &Request) -> Result<Asked, Refusal> {
        Ok(match *request {
            Request::Cancel(whom) => Asked::now(self.ask_all(whom, Self::request_cancel)?),
            Request::Stop(whom) => Asked::now(self.ask_all(whom, Self::request_stop)?),
            Request::StopRequested => Asked::now(u32::from(self.stop_requested(self.current()))),
            Request::StartAt { task, due_us } => {
                self.start_at(task, due_us)?;
                Asked::now(0)
            }
            Request::StartBackground(task) => {
                self.start_background(task)?;
                Asked::now(0)
            }
            Request::Enter { task, group } => {
                self.set_group(task, group)?;
                Asked::now(0)
            }
            Request::Try(wait) => match self.try_take(wait)? {
                Some(taken) => self.taken(taken, wait, Answer::Is(1)),
                None => Asked::now(0),
            },
            Request::Wait { wait, until_us } => self.wait_for(wait, until_us)?,
            Request::Select { ref arms, until_us } => self.select(arms, until_us)?,
            Request::CompleteAll(event) => Asked::now(self.handle_complete_all(event)?),
            Request::Reinit(event) => {
                self.reinit(event)?;
                Asked::now(0)
            }
            Request::IsDone(event) => Asked::now(u32::from(self.is_done(event))),
            Request::WakeOne(queue) => {
                Asked::now(u32::from(self.handle_wake_one(queue)?.is_some()))
            }
            Request::WakeAll(queue) => Asked::now(self.handle_wake_all(queue)?),
            Request::Submit(work) => {
                let worker = self.handle_submit(work)?;
                Asked {
                    worker,
                    ..Asked::now(0)
                }
            }
            Request::WorkDone(work) => {
                self.handle_work_done(work)?;
                Asked::now(0)
            }
        })
    }

    /// What a task's last request is answered, now that its wait, if there was one, is over.
    pub fn answer(&self, task: TaskId, answer: Answer) -> u32 {
        match (answer, self.outcome(task)) {
            (Answer::Is(answer), _) => answer,
            (Answer::InTime, outcome) => u32::from(outcome == Outcome::Granted),
            (Answer::Arm(_), Outcome::Arm(arm)) => arm,
            (Answer::Arm(arms), _) => arms,
        }
    }

    /// Every mutex that a task holds goes to the first that waits for it: what becomes of those of
    /// a task that ends cancelled, as its guards are dropped. In the order of their numbers.
    pub fn hand_over_all(&mut self, task: TaskId) {
        for mutex in self.mutex_ids() {
            if self.mutex_owner(mutex) == Some(task) {
                self.hand_over(mutex).expect("the mutex exists");
            }
        }
    }

    fn ask_all(
        &mut self,
        whom: Whom,
        ask: impl Fn(&mut Self, TaskId) -> Result<(), Refusal>,
    ) -> Result<u32, Refusal> {
        let tasks = match whom {
            Whom::Task(task) => alloc::vec![task],
            Whom::Group(group) => self.members(group),
        };
        let mut asked = 0;
        for task in tasks {
            match ask(self, task) {
                Ok(()) => asked += 1,
                Err(Refusal::Finished) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(asked)
    }

    /// What was taken at once goes where it belongs.
    fn taken(&self, taken: Selected, wait: Wait, answer: Answer) -> Asked {
        let Selected::Now { sent, received, .. } = taken else {
            unreachable!("what was taken did not make the task wait")
        };
        let takes_work = matches!(wait, Wait::Work(_));
        Asked {
            answer,
            sent,
            received,
            worker: takes_work.then(|| self.current()),
            ..Asked::now(0)
        }
    }

    fn wait_for(&mut self, wait: Wait, until_us: Option<u64>) -> Result<Asked, Refusal> {
        if let Wait::Until { due_us } = wait {
            let flow = self.handle_sleep(due_us);
            return Ok(Asked {
                flow,
                ends_cancelled: true,
                ..Asked::now(1)
            });
        }
        self.check_arm(wait)?;
        if let Some(taken) = self.try_take(wait)? {
            let is_channel = matches!(wait, Wait::Send(_) | Wait::Receive(_));
            return Ok(Asked {
                // A value must not be lost.
                ends_cancelled: !is_channel,
                ..self.taken(taken, wait, Answer::Is(1))
            });
        }
        if let Wait::Group(group) = wait
            && self.group(self.current()) == Some(group)
        {
            return Err(Refusal::WouldDeadlockOnSelf);
        }
        let task = self.current();
        self.enter_queue(task.index, wait);
        let flow = self.block(wait);
        Ok(self.waits(task, flow, Answer::InTime, until_us))
    }

    fn select(&mut self, arms: &[Wait], until_us: Option<u64>) -> Result<Asked, Refusal> {
        let task = self.current();
        Ok(match self.handle_select(arms)? {
            Selected::Waits(flow) => {
                self.waits(task, flow, Answer::Arm(arms.len() as u32), until_us)
            }
            taken @ Selected::Now { arm, .. } => Asked {
                ends_cancelled: true,
                ..self.taken(taken, arms[arm as usize], Answer::Is(arm))
            },
        })
    }

    fn waits(&mut self, task: TaskId, flow: Flow, answer: Answer, until_us: Option<u64>) -> Asked {
        if let Some(until_us) = until_us {
            self.limit_wait(task, until_us).expect("the task waits");
        }
        Asked {
            flow,
            answer,
            ends_cancelled: true,
            ..Asked::now(0)
        }
    }
}
