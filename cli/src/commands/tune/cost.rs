//! What an eviction costs on this machine.

#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use costack::{Coroutine, SharedStack, Yielder};
use costack_engine::tune::Copied;

/// The time that evictions take, as a straight line: so much for each, and so much per byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// For one eviction with its restore, in nanoseconds.
    pub eviction_ns: f64,
    /// For each byte copied.
    pub byte_ns: f64,
}

/// Two sizes of frames, in words, between which images usually are.
const SMALL: usize = 8;
const LARGE: usize = 1024;

impl Cost {
    /// Measures with two coroutines that evict each other; takes some milliseconds.
    ///
    /// # Errors
    /// When there is no memory for a stack.
    pub fn measure() -> Result<Self> {
        let (small_bytes, small_ns) = evictions::<SMALL>()?;
        let (large_bytes, large_ns) = evictions::<LARGE>()?;
        // A save and a restore, of images of one size.
        let byte_ns = (large_ns - small_ns) / (2.0 * (large_bytes - small_bytes));
        let byte_ns = byte_ns.max(0.0);
        let eviction_ns = (small_ns - 2.0 * small_bytes * byte_ns).max(0.0);
        Ok(Cost {
            eviction_ns,
            byte_ns,
        })
    }

    /// What these copies would take.
    pub fn time_ns(&self, copied: &Copied) -> f64 {
        copied.saves as f64 * self.eviction_ns + copied.bytes() as f64 * self.byte_ns
    }
}

/// Rounds of one measurement, and measurements of which the fastest counts.
const ROUNDS: u32 = 2_000;
const TRIES: u32 = 5;

/// The bytes of an image, and the time for one eviction with its restore and its switches.
fn evictions<const WORDS: usize>() -> Result<(f64, f64)> {
    let stack = SharedStack::new(256 << 10)?;
    let body = |yielder: &Yielder<(), ()>, ()| {
        let mut frame = [0u64; WORDS];
        loop {
            frame[0] = frame[0].wrapping_add(1);
            black_box(&mut frame);
            yielder.suspend(());
        }
    };
    // SAFETY: no pointer into the frames of either coroutine leaves it.
    let mut one: Coroutine<(), (), ()> = unsafe { Coroutine::new_shared(&stack, body)? };
    // SAFETY: as above.
    let mut other: Coroutine<(), (), ()> = unsafe { Coroutine::new_shared(&stack, body)? };
    let mut best = f64::INFINITY;
    for _ in 0..TRIES {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            let _ = one.resume(());
            let _ = other.resume(());
        }
        let ns = started.elapsed().as_nanos() as f64;
        best = best.min(ns / f64::from(2 * ROUNDS));
    }
    // Each has a save stack that fits its image.
    Ok((stack.save_bytes() as f64 / 2.0, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_take_longer_and_nothing_is_negative() {
        let cost = Cost::measure().expect("there is memory for a stack");
        assert!(cost.eviction_ns >= 0.0 && cost.byte_ns >= 0.0, "{cost:?}");
        let copied = |saves, saved_bytes| Copied {
            saves,
            saved_bytes,
            ..Copied::default()
        };
        let (few, many) = (copied(1, 100), copied(1000, 100_000_000));
        assert!(cost.time_ns(&few) <= cost.time_ns(&many), "{cost:?}");
    }
}
