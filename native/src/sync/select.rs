use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{Outcome, Received, Selected, Sent, TaskId, Wait};

use super::channel::Shared;
use super::{Completion, Event, Mutex, MutexGuard, Receiver, SendError, Sender, WaitQueue};
use crate::JoinHandle;
use crate::runtime::{Core, current};

/// How an arm ended.
enum Ended {
    /// It could be had at once.
    Now(Option<Sent>, Option<Received>),
    /// It came while the task waited.
    Later,
    /// Another arm was served, or none.
    Not,
}

/// One arm: what is waited for, and what becomes of it.
struct Arm<'a, R> {
    wait: Wait,
    /// Called right before the task waits.
    begin: Option<Box<dyn FnOnce(TaskId) + 'a>>,
    /// Called once, however the arm ends; a result when it was served.
    end: Box<dyn FnOnce(TaskId, Ended) -> Option<R> + 'a>,
}

/// Waits for the first of several things, each with a function that makes something of it.
///
/// When more than one can be had, the one that was named first is served. The others stay as they
/// are: nothing is taken from a channel, no mutex is locked.
///
/// ```
/// use std::time::Duration;
/// use costack::sync::{Completion, Select, channel};
///
/// let mut rt = costack::Runtime::new();
/// let (sender, receiver) = channel(1);
/// let stop = Completion::new();
/// sender.send(7).unwrap();
/// let got = Select::new()
///     .recv(&receiver, |number| number)
///     .completion(&stop, || None)
///     .timeout(Duration::from_secs(1), || None)
///     .wait();
/// assert_eq!(got, Some(7));
/// ```
#[must_use = "a select does nothing until `wait` is called"]
pub struct Select<'a, R> {
    core: Rc<Core>,
    arms: Vec<Arm<'a, R>>,
    timeout: Option<(u64, Box<dyn FnOnce() -> R + 'a>)>,
}

impl<R> Default for Select<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, R> Select<'a, R> {
    /// Nothing to wait for yet.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn new() -> Self {
        Select {
            core: current(),
            arms: Vec::new(),
            timeout: None,
        }
    }

    fn arm(mut self, wait: Wait, end: impl FnOnce(TaskId, Ended) -> Option<R> + 'a) -> Self {
        self.arms.push(Arm {
            wait,
            begin: None,
            end: Box::new(end),
        });
        self
    }

    fn simple(self, wait: Wait, then: impl FnOnce() -> R + 'a) -> Self {
        self.arm(wait, |_, ended| match ended {
            Ended::Not => None,
            Ended::Now(..) | Ended::Later => Some(then()),
        })
    }

    /// The next value of a channel; `None` when all senders are gone.
    pub fn recv<T>(
        self,
        receiver: &'a Receiver<T>,
        then: impl FnOnce(Option<T>) -> R + 'a,
    ) -> Self {
        let shared: &Shared<T> = receiver.shared();
        self.arm(receiver.select(), move |task, ended| match ended {
            Ended::Now(_, received) => Some(then(received.map(|from| shared.collect(from)))),
            Ended::Later => Some(then(shared.fetch(task))),
            Ended::Not => None,
        })
    }

    /// Room in a channel for a value; the value comes back when all receivers are gone, and is
    /// dropped when another arm is served.
    pub fn send<T: 'a>(
        self,
        sender: &'a Sender<T>,
        value: T,
        then: impl FnOnce(Result<(), SendError<T>>) -> R + 'a,
    ) -> Self {
        let shared: &Shared<T> = sender.shared();
        let mut select = self.arm(sender.select(), move |task, ended| {
            let value = shared.fetch(task);
            match (ended, value) {
                (Ended::Not, _) => None,
                (Ended::Now(Some(sent), _), Some(value)) => {
                    shared.deliver(sent, value);
                    Some(then(Ok(())))
                }
                (Ended::Now(..) | Ended::Later, Some(value)) => Some(then(Err(SendError(value)))),
                (Ended::Now(..) | Ended::Later, None) => Some(then(Ok(()))),
            }
        });
        if let Some(arm) = select.arms.last_mut() {
            // Kept with the task: whoever makes room while it waits fetches it.
            arm.begin = Some(Box::new(move |task| shared.keep(task, value)));
        }
        select
    }

    /// A completion, which is used up.
    pub fn completion(self, completion: &'a Completion, then: impl FnOnce() -> R + 'a) -> Self {
        self.simple(completion.select(), then)
    }

    /// An event that is set.
    pub fn event(self, event: &'a Event, then: impl FnOnce() -> R + 'a) -> Self {
        self.simple(event.select(), then)
    }

    /// Somebody who wakes a wait queue.
    pub fn queue(self, queue: &'a WaitQueue, then: impl FnOnce() -> R + 'a) -> Self {
        self.simple(queue.select(), then)
    }

    /// A mutex.
    pub fn lock<T: ?Sized>(
        self,
        mutex: &'a Mutex<T>,
        then: impl FnOnce(MutexGuard<'a, T>) -> R + 'a,
    ) -> Self {
        self.simple(mutex.wait(), move || then(mutex.selected()))
    }

    /// The end of a task, which can be joined at once then.
    pub fn ended<T>(self, task: &'a JoinHandle<T>, then: impl FnOnce() -> R + 'a) -> Self {
        self.simple(Wait::Join(task.id()), then)
    }

    /// A request to stop.
    pub fn stop(self, then: impl FnOnce() -> R + 'a) -> Self {
        self.simple(Wait::Stop, then)
    }

    /// So much time, counted from now.
    pub fn timeout(mut self, time: Duration, then: impl FnOnce() -> R + 'a) -> Self {
        let due_us = super::due_us(&self.core, time).unwrap_or(u64::MAX);
        if self
            .timeout
            .as_ref()
            .is_none_or(|(first, _)| due_us < *first)
        {
            self.timeout = Some((due_us, Box::new(then)));
        }
        self
    }

    /// Waits for the first of them, and returns what its function makes of it.
    ///
    /// # Panics
    /// With an arm that would wait forever: a mutex that the running task holds, its own end.
    pub fn wait(self) -> R {
        let Select {
            core,
            mut arms,
            timeout,
        } = self;
        let task = core.running();
        for begin in arms.iter_mut().filter_map(|arm| arm.begin.take()) {
            begin(task);
        }
        let waits: Vec<_> = arms.iter().map(|arm| arm.wait).collect();
        let mut now = None;
        let due_us = timeout.as_ref().map(|(due_us, _)| *due_us);
        let waited = core.wait_until(due_us, |s| match s.handle_select(&waits)? {
            Selected::Now {
                arm,
                sent,
                received,
            } => {
                now = Some((arm, sent, received));
                Ok(costack_engine::sched::Flow::Continue)
            }
            Selected::Waits(flow) => Ok(flow),
        });
        let served = match (&now, &waited) {
            (Some((arm, ..)), _) => Some(*arm),
            (None, Ok(Outcome::Arm(arm))) => Some(*arm),
            _ => None,
        };
        let mut result = None;
        for (number, arm) in (0..).zip(arms) {
            let ended = match now.take_if(|(served, ..)| *served == number) {
                Some((_, sent, received)) => Ended::Now(sent, received),
                None if served == Some(number) => Ended::Later,
                None => Ended::Not,
            };
            if let Some(made) = (arm.end)(task, ended) {
                result = Some(made);
            }
        }
        if let Err(refusal) = waited {
            panic!("a select that cannot be waited for: {refusal}");
        }
        core.check_cancel();
        match (result, timeout) {
            (Some(result), _) => result,
            (None, Some((_, then))) => then(),
            (None, None) => unreachable!("a select without a limit is served"),
        }
    }
}
