//! Where a runtime has its time from.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A runtime's clock.
#[derive(Debug)]
pub struct Clock {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Real { start: Instant },
    Virtual { now_us: Cell<u64> },
}

impl Clock {
    /// Time passes as it does outside.
    #[must_use]
    pub fn real() -> Self {
        Clock {
            kind: Kind::Real {
                start: Instant::now(),
            },
        }
    }

    /// Time stands still while anything can run, and jumps to the next timer when nothing can: a
    /// run takes no longer than its work, and is the same each time.
    #[must_use]
    pub fn virtual_time() -> Self {
        Clock {
            kind: Kind::Virtual {
                now_us: Cell::new(0),
            },
        }
    }

    pub(super) fn is_virtual(&self) -> bool {
        matches!(self.kind, Kind::Virtual { .. })
    }

    pub(super) fn now_us(&self) -> u64 {
        match &self.kind {
            Kind::Real { start } => start.elapsed().as_micros() as u64,
            Kind::Virtual { now_us } => now_us.get(),
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        match &self.kind {
            Kind::Real { start } => start.elapsed().as_nanos() as u64,
            Kind::Virtual { now_us } => now_us.get().saturating_mul(1000),
        }
    }

    /// Nothing is to be done until a time, or [`u64::MAX`]. `None` when it is that time now;
    /// otherwise how long there is to wait, at most.
    pub(super) fn idle(&self, until_us: u64) -> Option<Option<Duration>> {
        if until_us == u64::MAX {
            return Some(None);
        }
        match &self.kind {
            Kind::Real { .. } => {
                let left_us = until_us.saturating_sub(self.now_us());
                (left_us > 0).then(|| Some(Duration::from_micros(left_us)))
            }
            Kind::Virtual { now_us } => {
                now_us.set(now_us.get().max(until_us));
                None
            }
        }
    }
}

/// Microseconds, rounded up.
pub(crate) fn to_us(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)
}
