//! What a program can ask the runtime for by a call: `cancel(A)`, `wait_for(e, 500)`, …
//!
//! The table here is all there is to know of each: its name, what it takes, what the engine is
//! asked. A function of the program's own with the same name hides it.

use costack_engine::sched::{self, Interval, Wait, Whom};

use crate::kind::Sort;
use crate::source::Span;
use crate::syntax::{ChannelId, EventId, Expr, GroupId, MutexId, QueueId, TaskId, WorkId};

/// `NAME(…)`, where the runtime is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// What is asked for.
    pub service: Service,
    /// The things it is about, in the order of the text.
    pub subjects: Vec<Subject>,
    /// The words among its arguments, in the order of the text.
    pub args: Vec<Expr>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// A thing that a request is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// A task, by its name.
    Task(TaskId),
    /// A mutex.
    Mutex(MutexId),
    /// An event.
    Event(EventId),
    /// A channel.
    Channel(ChannelId),
    /// A wait queue.
    Queue(QueueId),
    /// A group of tasks.
    Group(GroupId),
    /// A work queue.
    Work(WorkId),
}

/// What a request takes at one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Param {
    /// A thing of one of these sorts.
    Thing(&'static [Sort]),
    /// A word: a time in microseconds, or a value.
    Word,
    /// Any number of things of these sorts, at least one; always the last.
    Things(&'static [Sort]),
}

const TASKS: Param = Param::Thing(&[Sort::Task, Sort::Group]);
const TASK: Param = Param::Thing(&[Sort::Task]);
const GROUP: Param = Param::Thing(&[Sort::Group]);
const MUTEX: Param = Param::Thing(&[Sort::Mutex]);
const EVENT: Param = Param::Thing(&[Sort::Event]);
const CHANNEL: Param = Param::Thing(&[Sort::Channel]);
const QUEUE: Param = Param::Thing(&[Sort::Queue]);
const WORK: Param = Param::Thing(&[Sort::Work]);
const ANY: Param = Param::Things(&[
    Sort::Event,
    Sort::Channel,
    Sort::Mutex,
    Sort::Task,
    Sort::Group,
    Sort::Queue,
    Sort::Work,
]);
const WORD: Param = Param::Word;

macro_rules! services {
    ($($(#[doc = $doc:literal])* $name:ident $text:literal ($($param:ident),*);)*) => {
        /// What the runtime can be asked for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Service {
            $($(#[doc = $doc])* $name,)*
        }

        impl Service {
            /// All of them.
            pub const ALL: &'static [Service] = &[$(Service::$name),*];

            /// Its name in the language.
            pub fn name(self) -> &'static str {
                match self { $(Service::$name => $text),* }
            }

            /// What it takes.
            pub fn params(self) -> &'static [Param] {
                match self { $(Service::$name => &[$($param),*]),* }
            }
        }
    };
}

services! {
    /// `cancel(A)`: A, or every task of a group, ends in the wait that it is in, or in its next.
    Cancel "cancel" (TASKS);
    /// `stop(A)`: asks A, or every task of a group, to stop; when is its own business.
    Stop "stop" (TASKS);
    /// `stop_requested()`: whether the running task was asked to.
    StopRequested "stop_requested" ();
    /// `wait_stop(US)`: waits until the running task is asked to; whether it was in time.
    WaitStop "wait_stop" (WORD);
    /// `start_after(A, US)`: starts a task that has not run after so long.
    StartAfter "start_after" (TASK, WORD);
    /// `start_background(A)`: starts a task that `run` does not wait for.
    StartBackground "start_background" (TASK);
    /// `enter(A, G)`: puts a task into a group.
    Enter "enter" (TASK, GROUP);
    /// `join_all(G)`: waits until all tasks of a group have ended.
    JoinAll "join_all" (GROUP);
    /// `join_for(A, US)`: as `join`, for so long at most; whether it ended in time.
    JoinFor "join_for" (TASKS, WORD);
    /// `sleep_until(US)`: sleeps until the clock shows this.
    SleepUntil "sleep_until" (WORD);
    /// `every(US)`: sleeps until the clock shows the next multiple of this.
    Every "every" (WORD);
    /// `try_lock(m)`: locks a mutex if nobody holds it; whether it did.
    TryLock "try_lock" (MUTEX);
    /// `lock_for(m, US)`: as `lock`, for so long at most; whether it did.
    LockFor "lock_for" (MUTEX, WORD);
    /// `try_wait(e)`: uses up an event if it is pending; whether it was.
    TryWait "try_wait" (EVENT);
    /// `wait_for(e, US)`: as `wait`, for so long at most; whether it came.
    WaitFor "wait_for" (EVENT, WORD);
    /// `complete_all(e)`: wakes all that wait, and lets all later waits pass.
    CompleteAll "complete_all" (EVENT);
    /// `reinit(e)`: makes an event one that nobody has completed.
    Reinit "reinit" (EVENT);
    /// `done(e)`: whether a wait would pass.
    Done "done" (EVENT);
    /// `try_send(c, WORD)`: sends if there is room; whether it did.
    TrySend "try_send" (CHANNEL, WORD);
    /// `send_for(c, WORD, US)`: as `send`, for so long at most; whether it did.
    SendFor "send_for" (CHANNEL, WORD, WORD);
    /// `try_recv(c)`: takes a word if there is one; whether it did. `received()` is the word.
    TryRecv "try_recv" (CHANNEL);
    /// `recv_for(c, US)`: as `recv`, for so long at most; whether it did.
    RecvFor "recv_for" (CHANNEL, WORD);
    /// `received()`: the word that the running task has received last, in whatever way.
    Received "received" ();
    /// `park(q)`: waits until somebody wakes the queue.
    Park "park" (QUEUE);
    /// `park_for(q, US)`: as `park`, for so long at most; whether it was woken.
    ParkFor "park_for" (QUEUE, WORD);
    /// `wake(q)`: wakes the first that waits; how many were woken.
    Wake "wake" (QUEUE);
    /// `wake_all(q)`: wakes all that wait; how many were woken.
    WakeAll "wake_all" (QUEUE);
    /// `submit(w, WORD)`: adds something to do.
    Submit "submit" (WORK, WORD);
    /// `take(w)`: waits for something to do, which `received()` is then; always 1.
    Take "take" (WORK);
    /// `work_done(w)`: what the running task took is done.
    WorkDone "work_done" (WORK);
    /// `flush(w)`: waits until all that there is to do is done.
    Flush "flush" (WORK);
    /// `select(x, y, …)`: waits for the first of several things; its place in the list, from 0.
    Select "select" (ANY);
    /// `select_for(US, x, y, …)`: as `select`, for so long at most; how many things there are
    /// when none has come in time.
    SelectFor "select_for" (WORD, ANY);
}

impl Request {
    /// The thing that an answer at once is about: the first, but for a select the chosen one.
    pub fn chosen(&self, answer: sched::Answer) -> Option<Subject> {
        chosen(self.service, &self.subjects, answer)
    }
}

/// As [`Request::chosen`].
pub fn chosen(service: Service, subjects: &[Subject], answer: sched::Answer) -> Option<Subject> {
    let at = match (service, answer) {
        (Service::Select | Service::SelectFor, sched::Answer::Is(arm)) => arm as usize,
        _ => 0,
    };
    subjects.get(at).copied()
}

impl Service {
    /// Whether it sends its first word to a channel.
    pub fn sends(self) -> bool {
        matches!(self, Service::TrySend | Service::SendFor)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|s| s.name() == name)
    }

    /// What the engine is asked; `None` for [`Service::Received`], which backends know themselves.
    ///
    /// `words` are the values of the words among the arguments; `now_us` is the backend's clock;
    /// `task_of` says what a name refers to. The engine numbers things as the program does.
    ///
    /// # Errors
    /// The name that refers to no task yet.
    ///
    /// # Panics
    /// If subjects or words are too few: the parser takes no such request.
    pub fn ask(
        self,
        subjects: &[Subject],
        words: &[i64],
        now_us: u64,
        task_of: impl Fn(TaskId) -> Option<sched::TaskId>,
    ) -> Result<Option<sched::Request>, TaskId> {
        use sched::Request as Ask;
        let wait_of = |subject: Subject| wait_of(subject, &task_of);
        let wait = || wait_of(subjects[0]);
        let task = || match subjects[0] {
            Subject::Task(name) => task_of(name).ok_or(name),
            _ => unreachable!("the parser has seen to it that this is a task"),
        };
        let whom = || match subjects[0] {
            Subject::Group(group) => Ok(Whom::Group(sched::GroupId(group.0))),
            _ => task().map(Whom::Task),
        };
        let later = |us: i64| now_us.saturating_add(u64::try_from(us).unwrap_or(0));
        let limit = || words.last().map(|&us| later(us));
        let number = || match subjects.last() {
            Some(
                Subject::Event(EventId(number))
                | Subject::Group(GroupId(number))
                | Subject::Queue(QueueId(number))
                | Subject::Work(WorkId(number)),
            ) => *number,
            _ => unreachable!("the parser has seen to the sort"),
        };
        let until = |due_us| Ask::Wait {
            wait: Wait::Until { due_us },
            until_us: None,
        };
        let arms = || {
            subjects
                .iter()
                .map(|&s| wait_of(s))
                .collect::<Result<_, _>>()
        };
        Ok(Some(match self {
            Service::Received => return Ok(None),
            Service::Cancel => Ask::Cancel(whom()?),
            Service::Stop => Ask::Stop(whom()?),
            Service::StopRequested => Ask::StopRequested,
            Service::WaitStop => Ask::Wait {
                wait: Wait::Stop,
                until_us: limit(),
            },
            Service::StartAfter => Ask::StartAt {
                task: task()?,
                due_us: later(words[0]),
            },
            Service::StartBackground => Ask::StartBackground(task()?),
            Service::Enter => Ask::Enter {
                task: task()?,
                group: sched::GroupId(number()),
            },
            Service::SleepUntil => until(u64::try_from(words[0]).unwrap_or(0)),
            Service::Every => {
                let period_us = u64::try_from(words[0]).unwrap_or(0);
                until(Interval::new(0, period_us).next_due_us(now_us))
            }
            Service::TryLock | Service::TryWait | Service::TryRecv => Ask::Try(wait()?),
            Service::TrySend => Ask::Try(send_to(wait()?)),
            Service::SendFor => Ask::Wait {
                wait: send_to(wait()?),
                until_us: limit(),
            },
            Service::LockFor
            | Service::WaitFor
            | Service::RecvFor
            | Service::JoinFor
            | Service::ParkFor => Ask::Wait {
                wait: wait()?,
                until_us: limit(),
            },
            Service::JoinAll | Service::Park | Service::Take => Ask::Wait {
                wait: wait()?,
                until_us: None,
            },
            Service::Flush => Ask::Wait {
                wait: Wait::Flush(sched::WorkId(number())),
                until_us: None,
            },
            Service::CompleteAll => Ask::CompleteAll(sched::EventId(number())),
            Service::Reinit => Ask::Reinit(sched::EventId(number())),
            Service::Done => Ask::IsDone(sched::EventId(number())),
            Service::Wake => Ask::WakeOne(sched::QueueId(number())),
            Service::WakeAll => Ask::WakeAll(sched::QueueId(number())),
            Service::Submit => Ask::Submit(sched::WorkId(number())),
            Service::WorkDone => Ask::WorkDone(sched::WorkId(number())),
            Service::Select => Ask::Select {
                arms: arms()?,
                until_us: None,
            },
            Service::SelectFor => Ask::Select {
                arms: arms()?,
                until_us: limit(),
            },
        }))
    }
}

/// What waiting for a thing is, in the engine's words.
fn wait_of(
    subject: Subject,
    task_of: impl Fn(TaskId) -> Option<sched::TaskId>,
) -> Result<Wait, TaskId> {
    Ok(match subject {
        Subject::Task(name) => Wait::Join(task_of(name).ok_or(name)?),
        Subject::Mutex(id) => Wait::Mutex(sched::MutexId(id.0)),
        Subject::Event(id) => Wait::Event(sched::EventId(id.0)),
        Subject::Channel(id) => Wait::Receive(sched::ChannelId(id.0)),
        Subject::Queue(id) => Wait::Queue(sched::QueueId(id.0)),
        Subject::Group(id) => Wait::Group(sched::GroupId(id.0)),
        Subject::Work(id) => Wait::Work(sched::WorkId(id.0)),
    })
}

/// The other end of a channel.
fn send_to(wait: Wait) -> Wait {
    match wait {
        Wait::Receive(channel) => Wait::Send(channel),
        wait => wait,
    }
}

impl crate::Program {
    /// The name of a thing that a request is about.
    pub fn name_of(&self, subject: Subject) -> &str {
        let name = match subject {
            Subject::Task(id) => &self[id].name,
            Subject::Mutex(id) => &self[id].name,
            Subject::Event(id) => &self[id].name,
            Subject::Channel(id) => &self[id].name,
            Subject::Queue(id) => &self[id].name,
            Subject::Group(id) => &self[id].name,
            Subject::Work(id) => &self[id].name,
        };
        &name.text
    }
}
