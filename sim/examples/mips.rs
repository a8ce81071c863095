//! How fast the simulator is, checkers on and everything recorded.
//!
//! `cargo run --release -p costack-sim --example mips`, with the name of one scenario to measure
//! only that one.
//!
//! Times are those that the CPU has spent on this thread, where the system tells (not on Windows), so that
//! who else is at work matters less. A round trip of corosensei, measured in between, says how fast
//! the machine is at the moment; `scaled` is what the figure before it would be if that took
//! 3.5 ns.
//!
//! The first figure is of the first million steps, whose log touches all of its memory for the
//! first time; `later` is of a million steps once the log has reached its limit.

mod speed;

use corosensei::{Coroutine, CoroutineResult};

use costack_sim::program::Isa;
use speed::{scenarios, seconds, session};

const STEPS: u64 = 1_000_000;
const ROUNDS: usize = 4;
/// Steps after which the log has reached its limit.
const LATER: u64 = 5_000_000;

/// Nanoseconds of a round trip of corosensei, the best of a few.
fn corosensei_ns() -> f64 {
    const TRIPS: u32 = 1_000_000;
    let mut coroutine = Coroutine::new(|yielder, mut more: bool| {
        while more {
            more = yielder.suspend(());
        }
    });
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = seconds();
        for _ in 0..TRIPS {
            assert!(matches!(coroutine.resume(true), CoroutineResult::Yield(())));
        }
        best = best.min(seconds() - start);
    }
    assert!(matches!(
        coroutine.resume(false),
        CoroutineResult::Return(())
    ));
    best * 1e9 / f64::from(TRIPS)
}

/// The best times of a scenario, and what else is told about it.
struct Best {
    /// A million steps, back over them, over them again, and a million later on.
    times: [f64; 4],
    corosensei: f64,
    log_bytes: u64,
}

impl Best {
    const NONE: Self = Best {
        times: [f64::MAX; 4],
        corosensei: f64::MAX,
        log_bytes: 0,
    };

    /// Runs the scenario once more.
    fn measure(&mut self, text: &str, isa: Isa, warm: u64) {
        let mut session = session(text, isa);
        session.run(warm);
        let mut go = |position| {
            let start = seconds();
            session.jump(position);
            seconds() - start
        };
        let [run, back, again] = [warm + STEPS, warm, warm + STEPS].map(&mut go);
        // By then the log fills memory again that it has filled before.
        go(warm + LATER);
        let times = [run, back, again, go(warm + LATER + STEPS)];
        assert_eq!(session.fault().map(|fault| fault.kind.to_string()), None);
        self.times = std::array::from_fn(|i| self.times[i].min(times[i]));
        self.corosensei = self.corosensei.min(corosensei_ns());
        self.log_bytes = session.log_bytes();
    }

    fn print(&self, name: &str, isa: Isa) {
        let [run, back, again, later] = self.times;
        let Best {
            corosensei,
            log_bytes,
            ..
        } = *self;
        println!(
            "{name:<14} {:<8} {:>6.1} million steps/s, scaled {:>6.1}, later {:>6.1}, scaled {:>6.1} (corosensei {corosensei:.1} ns), {:>4.0} MB of log, back {:>5.1} ms, forward {:>5.1} ms",
            isa.name(),
            STEPS as f64 / run / 1e6,
            STEPS as f64 / run / 1e6 * corosensei / 3.5,
            STEPS as f64 / later / 1e6,
            STEPS as f64 / later / 1e6 * corosensei / 3.5,
            log_bytes as f64 / 1e6,
            back * 1e3,
            again * 1e3,
        );
    }
}

/// All scenarios take turns, over and over, so that the best time of each says what the machine can do
/// and not who else is at work on it.
fn main() {
    let only = std::env::args().nth(1);
    let mut scenarios = Vec::from(scenarios());
    scenarios.retain(|(name, ..)| only.as_ref().is_none_or(|only| only == name));
    for isa in Isa::ALL {
        let mut best: Vec<_> = scenarios.iter().map(|_| Best::NONE).collect();
        for _ in 0..ROUNDS {
            for (best, (_, text, warm)) in best.iter_mut().zip(&scenarios) {
                best.measure(text, isa, *warm);
            }
        }
        for (best, (name, ..)) in best.iter().zip(&scenarios) {
            best.print(name, isa);
        }
    }
}
