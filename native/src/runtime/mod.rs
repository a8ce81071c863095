//! Tasks, and all that they wait for, on the thread that makes a [`Runtime`].
//!
//! ```
//! use std::time::Duration;
//!
//! let mut rt = costack::Runtime::new();
//! let worker = rt.spawn(|| {
//!     costack::sleep(Duration::from_millis(5));
//!     42
//! });
//! rt.run()?;
//! assert_eq!(worker.join().unwrap(), 42);
//! # Ok::<(), costack::runtime::Deadlock>(())
//! ```
//!
//! A runtime belongs to one thread, and a thread has one at most; functions like [`sleep`] mean
//! that one. The code that made it is a task too, *main*: it may sleep, lock and join as any task
//! may, and the others run meanwhile. Who runs next is decided by [`costack_engine::sched`], as in
//! the simulator.
//!
//! A task that panics ends, and whoever joins it gets the panic; the others go on, unless
//! [`RuntimeBuilder::propagate_panics`] says otherwise.

mod blocking;
mod clock;
mod core;
mod deadlock;
pub(crate) mod doorbell;
mod group;
mod pool;
mod remote;
mod task;
mod time;
mod trace;

pub use self::blocking::spawn_blocking;
pub use self::clock::Clock;
pub use self::deadlock::{Deadlock, Waiting};
pub use self::group::Group;
pub use self::pool::StackPool;
pub use self::remote::{RemoteReceiver, RemoteSender, remote_channel};
pub use self::task::{JoinError, JoinHandle, SharedTask, TaskBuilder};
pub use self::time::{Ticker, delay_us, every, now, sleep, sleep_until, stop_requested, wait_stop};
pub use self::trace::Recording;
pub use costack_engine::sched::{TaskId, Wait};
pub use costack_engine::trace::Record;
pub use costack_engine::tune::Copied;

pub(crate) use self::clock::to_us;
pub(crate) use self::core::{Core, current};

use std::marker::PhantomData;
use std::rc::Rc;

/// Runs tasks on the thread that makes it.
///
/// Dropping it cancels every task, waits until their destructors have run, and gives all stacks
/// back. A task whose destructors wait for what never comes is left as it is, with its stack.
pub struct Runtime {
    core: Rc<Core>,
    /// It stays on its thread, for so does everything in it.
    marker: PhantomData<*const ()>,
}

/// Says more about a runtime than [`Runtime::new`] does.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct RuntimeBuilder {
    clock: Clock,
    propagate_panics: bool,
}

impl Default for RuntimeBuilder {
    fn default() -> Self {
        RuntimeBuilder {
            clock: Clock::real(),
            propagate_panics: false,
        }
    }
}

impl RuntimeBuilder {
    /// Where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Whether a task's panic goes on in main, wherever main waits, rather than in whoever joins
    /// the task.
    pub fn propagate_panics(mut self, propagate: bool) -> Self {
        self.propagate_panics = propagate;
        self
    }

    /// The runtime.
    ///
    /// # Panics
    /// If the thread has one already.
    pub fn build(self) -> Runtime {
        let core = Core::new(self.clock, self.propagate_panics);
        core::enter(&core);
        Runtime {
            core,
            marker: PhantomData,
        }
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime {
    /// A runtime with the real clock.
    ///
    /// # Panics
    /// If the thread has one already.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Says more about a runtime.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// Makes a task on a stack of its own. It gets its turn when main gives way.
    pub fn spawn<T: 'static>(&self, function: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
        self.task().spawn(function)
    }

    /// Says more about a task, then makes it.
    pub fn task(&self) -> TaskBuilder {
        TaskBuilder::new(Rc::clone(&self.core))
    }

    /// Waits until every task has ended, but for those in the background.
    ///
    /// # Errors
    /// When nothing can run any more and nothing will wake anybody: who waits for what.
    pub fn run(&mut self) -> Result<(), Deadlock> {
        let flow = self.core.scheduler(|s| s.handle_run());
        self.core.give_way(flow, None).map(drop)
    }

    /// Calls `observer` for everything that happens. Costs nothing while there is none. It must
    /// not panic, and what it causes itself it is not told.
    pub fn observe(&self, observer: impl FnMut(&Record) + 'static) {
        self.core.trace(Box::new(observer));
    }

    /// Ends [`observe`](Self::observe) and [`record`](Self::record).
    pub fn stop_observing(&self) {
        self.core.stop_tracing();
    }

    /// Records everything that happens.
    #[must_use]
    pub fn record(&self) -> Recording {
        let recording = Recording::default();
        let records = recording.clone();
        self.observe(move |record| records.push(record));
        recording
    }

    /// What was done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let live = self.core.scheduler(|s| s.live_tasks().count());
        Statistics {
            switches: self.core.switches(),
            spawned: u64::from(self.core.spawned.get()),
            live: live as u64 - 1,
            timers: self.core.scheduler(|s| s.timers()) as u64,
        }
    }
}

/// What a runtime has done. What its shared stacks have copied, [`StackPool::copied`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// How often a task was resumed.
    pub switches: u64,
    /// Tasks made.
    pub spawned: u64,
    /// Tasks that have not ended, without main.
    pub live: u64,
    /// Timers that are set.
    pub timers: u64,
}

impl Drop for Runtime {
    fn drop(&mut self) {
        assert_eq!(
            self.core.running(),
            TaskId::MAIN,
            "a task dropped its own runtime"
        );
        self.core.stop_tracing();
        self.core.cancel_all();
        self.core.blocking.close();
        self.core.clear();
        core::leave();
    }
}

/// Makes a task on a stack of its own, of the thread's runtime. It gets its turn when the task that
/// runs gives way.
///
/// # Panics
/// If the thread has no runtime.
pub fn spawn<T: 'static>(function: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    task().spawn(function)
}

/// Says more about a task, then makes it.
///
/// # Panics
/// If the thread has no runtime.
pub fn task() -> TaskBuilder {
    TaskBuilder::new(current())
}

/// Gives way to every other task that is ready.
///
/// # Panics
/// If the thread has no runtime.
#[inline(always)]
pub fn yield_now() {
    core::yield_now();
}

/// The task that runs: [`TaskId::MAIN`] for main.
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn running() -> TaskId {
    current().running()
}
