//! Channels from other threads into a runtime.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use costack_engine::sched::TaskId;

use super::core::current;
use super::doorbell::Doorbell;

struct State<T> {
    values: VecDeque<T>,
    senders: usize,
    /// Nobody will receive any more.
    is_closed: bool,
    /// The task that waits for a value, and its wait.
    waiter: Option<(TaskId, u32)>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    doorbell: Arc<Doorbell>,
}

impl<T> Shared<T> {
    fn with<R>(&self, act: impl FnOnce(&mut State<T>) -> R) -> R {
        // Nothing that panics runs under this lock.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wake(&self, waiter: Option<(TaskId, u32)>) {
        if let Some((task, token)) = waiter {
            self.doorbell.ring(task, token);
        }
    }
}

/// The end of a [`remote_channel`] that may go to other threads.
pub struct RemoteSender<T> {
    shared: Arc<Shared<T>>,
}

/// The end of a [`remote_channel`] that stays with its runtime.
pub struct RemoteReceiver<T> {
    shared: Arc<Shared<T>>,
    /// It stays on its thread.
    marker: std::marker::PhantomData<*const ()>,
}

/// A channel from any thread into the thread's runtime, which it wakes. It keeps as many values as
/// are sent.
///
/// ```
/// let mut rt = costack::Runtime::new();
/// let (sender, receiver) = costack::runtime::remote_channel();
/// let thread = std::thread::spawn(move || sender.send(42));
/// let task = rt.spawn(move || receiver.recv());
/// rt.run()?;
/// assert_eq!(task.join().unwrap(), Some(42));
/// thread.join().unwrap().unwrap();
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn remote_channel<T: Send>() -> (RemoteSender<T>, RemoteReceiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            values: VecDeque::new(),
            senders: 1,
            is_closed: false,
            waiter: None,
        }),
        doorbell: Arc::clone(&current().doorbell),
    });
    let sender = RemoteSender {
        shared: Arc::clone(&shared),
    };
    let receiver = RemoteReceiver {
        shared,
        marker: std::marker::PhantomData,
    };
    (sender, receiver)
}

impl<T: Send> RemoteSender<T> {
    /// Sends a value; never waits.
    ///
    /// # Errors
    /// The value, when the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), T> {
        let waiter = self.shared.with(|state| {
            if state.is_closed {
                return Err(value);
            }
            state.values.push_back(value);
            Ok(state.waiter.take())
        })?;
        self.shared.wake(waiter);
        Ok(())
    }
}

impl<T> Clone for RemoteSender<T> {
    fn clone(&self) -> Self {
        self.shared.with(|state| state.senders += 1);
        RemoteSender {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for RemoteSender<T> {
    fn drop(&mut self) {
        let waiter = self.shared.with(|state| {
            state.senders -= 1;
            match state.senders {
                0 => state.waiter.take(),
                _ => None,
            }
        });
        self.shared.wake(waiter);
    }
}

impl<T> RemoteReceiver<T> {
    /// Takes the next value, waiting for one. `None` when all senders are gone.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn recv(&self) -> Option<T> {
        let core = current();
        loop {
            let (task, token) = (core.running(), core.token());
            let now = self.shared.with(|state| match state.values.pop_front() {
                Some(value) => Some(Some(value)),
                None if state.senders == 0 => Some(None),
                None => {
                    state.waiter = Some((task, token));
                    None
                }
            });
            if let Some(value) = now {
                return value;
            }
            // Woken, or cancelled: either way the wait is over.
            let _outcome = core.wait(|s| Ok(s.handle_wait_external(token)));
            core.check_cancel();
        }
    }

    /// Takes the next value if there is one.
    #[must_use]
    pub fn try_recv(&self) -> Option<T> {
        self.shared.with(|state| state.values.pop_front())
    }
}

impl<T> Drop for RemoteReceiver<T> {
    fn drop(&mut self) {
        let values = self.shared.with(|state| {
            state.is_closed = true;
            std::mem::take(&mut state.values)
        });
        drop(values);
    }
}
