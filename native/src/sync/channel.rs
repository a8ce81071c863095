use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::{ChannelId, Flow, Outcome, Received, Sent, TaskId, Wait};

use crate::runtime::{Core, current};

/// Nobody will receive the value, which comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all receivers of the channel are gone")
    }
}

impl<T> std::error::Error for SendError<T> {}

/// The values of a channel. The engine says where each one goes.
pub(super) struct Shared<T> {
    core: Rc<Core>,
    id: ChannelId,
    queue: RefCell<VecDeque<T>>,
    /// Values with tasks that wait: to send theirs, or that were handed one.
    parcels: RefCell<Vec<(TaskId, T)>>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
}

/// The end of a channel that sends; see [`channel`].
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

/// The end of a channel that receives; see [`channel`].
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
}

/// A channel of the thread's runtime that keeps up to `capacity` values: with 0, a sender waits for
/// its receiver.
///
/// ```
/// let mut rt = costack::Runtime::new();
/// let (sender, receiver) = costack::sync::channel(1);
/// rt.spawn(move || {
///     for number in 1..=3 {
///         sender.send(number).unwrap();
///     }
/// })
/// .detach();
/// let sum = rt.spawn(move || {
///     let mut sum = 0;
///     while let Some(number) = receiver.recv() {
///         sum += number;
///     }
///     sum
/// });
/// rt.run()?;
/// assert_eq!(sum.join().unwrap(), 6);
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn channel<T>(capacity: u32) -> (Sender<T>, Receiver<T>) {
    let core = current();
    let shared = Rc::new(Shared {
        id: core.scheduler(|s| s.add_channel(capacity)),
        core,
        queue: RefCell::default(),
        parcels: RefCell::default(),
        senders: Cell::new(1),
        receivers: Cell::new(1),
    });
    let receiver = Receiver {
        shared: Rc::clone(&shared),
    };
    (Sender { shared }, receiver)
}

impl<T> Shared<T> {
    pub(super) fn keep(&self, task: TaskId, value: T) {
        self.parcels.borrow_mut().push((task, value));
    }

    /// Takes the value of a task that waits or has waited.
    pub(super) fn fetch(&self, task: TaskId) -> Option<T> {
        let mut parcels = self.parcels.borrow_mut();
        let index = parcels.iter().position(|(owner, _)| *owner == task)?;
        Some(parcels.swap_remove(index).1)
    }

    /// A value that was sent without waiting goes where the engine says.
    pub(super) fn deliver(&self, sent: Sent, value: T) {
        match sent {
            Sent::Queued => self.queue.borrow_mut().push_back(value),
            Sent::HandedTo(receiver) => self.keep(receiver, value),
            Sent::Waits(_) => unreachable!("it does not wait"),
        }
    }

    /// Takes a value that was received without waiting.
    pub(super) fn collect(&self, received: Received) -> T {
        match received {
            Received::FromQueue { refill } => {
                let mut queue = self.queue.borrow_mut();
                let value = queue.pop_front().expect("the engine counts the values");
                if let Some(sender) = refill {
                    queue.push_back(self.fetch(sender).expect("a sender keeps its value"));
                }
                value
            }
            Received::From(sender) => self.fetch(sender).expect("a sender keeps its value"),
            Received::Waits(_) => unreachable!("it does not wait"),
        }
    }

    /// Nobody will send or nobody will receive any more.
    fn close(&self) {
        // The channel exists as long as `self`.
        let _ = self.core.scheduler(|s| s.close_channel(self.id));
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Nobody waits: that would take a reference.
        let _ = self.core.scheduler(|s| s.remove_channel(self.id));
    }
}

impl<T> Sender<T> {
    /// Sends a value, waiting for room.
    ///
    /// # Errors
    /// The value, when all receivers are gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let shared = &*self.shared;
        if shared.receivers.get() == 0 {
            return Err(SendError(value));
        }
        if let Some(sent) = self.ask_try() {
            shared.deliver(sent, value);
            return Ok(());
        }
        // Kept before the task waits: whoever makes room fetches it.
        let running = shared.core.running();
        shared.keep(running, value);
        let waited = shared.core.wait(|s| match s.handle_send(shared.id)? {
            Sent::Waits(flow) => Ok(flow),
            _ => Ok(Flow::Continue),
        });
        // Still here: it was not taken, for the channel was closed or the task cancelled.
        let left = shared.fetch(running);
        shared.core.check_cancel();
        waited.expect("the channel exists");
        match left {
            Some(value) => Err(SendError(value)),
            None => Ok(()),
        }
    }

    /// Sends a value if that can be done at once.
    ///
    /// # Errors
    /// The value, when there is no room or no receiver.
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        if self.shared.receivers.get() == 0 {
            return Err(SendError(value));
        }
        match self.ask_try() {
            Some(sent) => {
                self.shared.deliver(sent, value);
                Ok(())
            }
            None => Err(SendError(value)),
        }
    }

    fn ask_try(&self) -> Option<Sent> {
        let shared = &*self.shared;
        let sent = shared.core.scheduler(|s| s.handle_try_send(shared.id));
        sent.expect("the channel exists")
    }

    pub(super) fn shared(&self) -> &Rc<Shared<T>> {
        &self.shared
    }

    pub(super) fn select(&self) -> Wait {
        Wait::Send(self.shared.id)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let senders = &self.shared.senders;
        senders.set(senders.get() + 1);
        Sender {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let senders = &self.shared.senders;
        senders.set(senders.get() - 1);
        if senders.get() == 0 {
            self.shared.close();
        }
    }
}

impl<T> Receiver<T> {
    /// Takes the next value, waiting for one. `None` when there is none and all senders are gone.
    pub fn recv(&self) -> Option<T> {
        self.recv_until(None).ok().flatten()
    }

    /// As [`recv`](Self::recv), for so long at most.
    ///
    /// # Errors
    /// When the time is over.
    pub fn recv_timeout(&self, time: Duration) -> Result<Option<T>, TimedOut> {
        self.recv_until(super::due_us(&self.shared.core, time))
    }

    fn recv_until(&self, due_us: Option<u64>) -> Result<Option<T>, TimedOut> {
        let shared = &*self.shared;
        if let Some(value) = self.try_recv() {
            return Ok(Some(value));
        }
        if shared.senders.get() == 0 {
            return Ok(None);
        }
        let running = shared.core.running();
        let waited = shared
            .core
            .wait_until(due_us, |s| match s.handle_receive(shared.id)? {
                Received::Waits(flow) => Ok(flow),
                _ => Ok(Flow::Continue),
            });
        let value = shared.fetch(running);
        shared.core.check_cancel();
        match (value, waited.expect("the channel exists")) {
            (None, Outcome::TimedOut) => Err(TimedOut),
            (value, _) => Ok(value),
        }
    }

    /// Takes the next value if there is one.
    pub fn try_recv(&self) -> Option<T> {
        let shared = &*self.shared;
        let received = shared.core.scheduler(|s| s.handle_try_receive(shared.id));
        let received = received.expect("the channel exists")?;
        Some(shared.collect(received))
    }

    pub(super) fn shared(&self) -> &Rc<Shared<T>> {
        &self.shared
    }

    pub(super) fn select(&self) -> Wait {
        Wait::Receive(self.shared.id)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let receivers = &self.shared.receivers;
        receivers.set(receivers.get() + 1);
        Receiver {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let receivers = &self.shared.receivers;
        receivers.set(receivers.get() - 1);
        if receivers.get() == 0 {
            self.shared.close();
        }
    }
}

/// The time that a wait was given is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is over")
    }
}

impl std::error::Error for TimedOut {}
