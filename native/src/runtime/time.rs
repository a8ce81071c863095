//! Time, and requests to stop.

use std::time::Duration;

use costack_engine::sched::{Interval, Outcome};

use super::clock::to_us;
use super::core::{Core, current};

/// Time since the runtime was made, by its clock.
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn now() -> Duration {
    Duration::from_micros(current().now_us())
}

/// Waits for so long; others run meanwhile.
///
/// # Panics
/// If the thread has no runtime.
pub fn sleep(time: Duration) {
    let core = current();
    sleep_until_us(&core, core.now_us().saturating_add(to_us(time)));
}

/// Waits until so long after the runtime was made.
///
/// # Panics
/// If the thread has no runtime.
pub fn sleep_until(time: Duration) {
    sleep_until_us(&current(), to_us(time));
}

fn sleep_until_us(core: &Core, due_us: u64) {
    core.wait(|s| Ok(s.handle_sleep(due_us)))
        .expect("sleeping is never refused");
    core.check_cancel();
}

/// Waits for so many microseconds, precisely: others run while any is ready, and the thread sleeps
/// only if nobody is and the wait is long.
///
/// # Panics
/// If the thread has no runtime.
pub fn delay_us(time_us: u64) {
    /// Below this, to sleep takes the system longer than the wait.
    const SPIN_US: u64 = 100;
    let core = current();
    let due_us = core.now_us().saturating_add(time_us);
    loop {
        let left_us = due_us.saturating_sub(core.now_us());
        if left_us == 0 {
            return;
        }
        if core.scheduler(|s| s.peek().is_some()) {
            super::yield_now();
        } else if core.clock.is_virtual() || left_us > SPIN_US {
            sleep_until_us(&core, due_us);
        } else {
            std::hint::spin_loop();
        }
    }
}

/// Something that happens every so often; see [`every`].
#[derive(Debug)]
pub struct Ticker {
    interval: Interval,
}

/// Ticks every so often, from now on, without drift: ticks that were missed are left out.
///
/// ```
/// use std::time::Duration;
///
/// let mut rt = costack::Runtime::builder()
///     .clock(costack::runtime::Clock::virtual_time())
///     .build();
/// let poller = rt.spawn(|| {
///     let mut ticks = costack::every(Duration::from_millis(10));
///     while !costack::stop_requested() {
///         ticks.tick();
///     }
///     costack::runtime::now()
/// });
/// costack::sleep(Duration::from_millis(25));
/// poller.stop();
/// assert_eq!(poller.join().unwrap(), Duration::from_millis(30));
/// ```
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn every(period: Duration) -> Ticker {
    Ticker {
        interval: Interval::new(current().now_us(), to_us(period)),
    }
}

impl Ticker {
    /// Waits for the next tick.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn tick(&mut self) {
        let core = current();
        let due_us = self.interval.next_due_us(core.now_us());
        sleep_until_us(&core, due_us);
    }
}

/// Whether the running task was asked to stop.
///
/// # Panics
/// If the thread has no runtime.
#[must_use]
pub fn stop_requested() -> bool {
    let core = current();
    let running = core.running();
    core.scheduler(|s| s.stop_requested(running))
}

/// Waits until the running task is asked to stop, or for so long at most; says whether it was.
///
/// # Panics
/// If the thread has no runtime.
pub fn wait_stop(time: Duration) -> bool {
    let core = current();
    let due_us = core.now_us().saturating_add(to_us(time));
    let outcome = core.wait_until(Some(due_us), |s| Ok(s.handle_wait_stop()));
    core.check_cancel();
    outcome == Ok(Outcome::Granted)
}
