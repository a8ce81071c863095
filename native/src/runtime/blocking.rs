//! Calls that cannot be polled, on a few threads.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::core::current;
use super::task::JoinError;

/// The most threads of one runtime.
const MOST: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one runtime, which start when they are needed and end with it.
#[derive(Default)]
pub(crate) struct Threads {
    queue: Arc<Queue>,
    threads: RefCell<Vec<std::thread::JoinHandle<()>>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Queue {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing that panics runs under this lock.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn work(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self
                    .more
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

impl Threads {
    fn add(&self, job: Job) {
        let mut threads = self.threads.borrow_mut();
        let must_grow = self.queue.with(|state| {
            state.jobs.push_back(job);
            state.jobs.len() > state.idle
        });
        if must_grow && threads.len() < MOST {
            let queue = Arc::clone(&self.queue);
            let name = "costack blocking".to_owned();
            let thread = std::thread::Builder::new()
                .name(name)
                .spawn(move || queue.work());
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => assert!(
                    !threads.is_empty(),
                    "no thread for a blocking call: {error}"
                ),
            }
        }
        self.queue.more.notify_one();
    }

    /// Ends the threads, each after what it is at.
    pub(super) fn close(&self) {
        self.queue.with(|state| {
            state.closed = true;
            state.jobs.clear();
        });
        self.queue.more.notify_all();
        for thread in self.threads.take() {
            // What a job threw went to whoever waited for it.
            let _ = thread.join();
        }
    }
}

/// Runs a function that blocks on another thread, and parks only the task that calls this.
///
/// ```
/// let mut rt = costack::Runtime::new();
/// rt.spawn(|| {
///     let answer = costack::spawn_blocking(|| 42).unwrap();
///     assert_eq!(answer, 42);
/// });
/// rt.run()?;
/// # Ok::<(), costack::runtime::Deadlock>(())
/// ```
///
/// A task that is cancelled meanwhile does not wait for the function, which goes on by itself.
///
/// # Errors
/// When the function panics.
///
/// # Panics
/// If the thread has no runtime, or the system no thread.
pub fn spawn_blocking<T: Send + 'static>(
    function: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    type Place<T> = Arc<Mutex<Option<Result<T, Box<dyn Any + Send>>>>>;
    let core = current();
    let place: Place<T> = Arc::default();
    let (task, token) = (core.running(), core.token());
    let doorbell = Arc::clone(&core.doorbell);
    let result = Arc::clone(&place);
    core.blocking.add(Box::new(move || {
        let value = catch_unwind(AssertUnwindSafe(function));
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        doorbell.ring(task, token);
    }));
    // Cancelled, or come: either way the wait is over.
    let _outcome = core.wait(|s| Ok(s.handle_wait_external(token)));
    core.check_cancel();
    let value = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    match value {
        Some(Ok(value)) => Ok(value),
        Some(Err(payload)) => Err(JoinError::Panicked(payload)),
        None => Err(JoinError::Cancelled),
    }
}
