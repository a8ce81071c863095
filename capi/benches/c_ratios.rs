//! Prints how round trips through the C functions compare with corosensei's root round trip, in
//! interleaved rounds: both run once per round, so that whatever slows the machine down slows both.
//!
//! `cargo bench -p costack-capi --bench c_ratios`
//!
//! Each kind of round trip has a process of its own. Both functions end in a jump whose target a CPU
//! predicts sooner while it has only ever been one; with all kinds in one process
//! (`-- --together`), each disturbs the next.

mod support;

use std::process::Command;
use std::time::Instant;
use support::{Runner, all, corosensei_root};

const ROUNDS: usize = 101;
const TRIPS: u64 = 20_000;

/// Names the kind that a process is to measure.
const KIND: &str = "COSTACK_ROUND_TRIP";

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if has("--test") { 1 } else { ROUNDS };
    let kind = std::env::var(KIND).ok();
    if kind.is_none() {
        println!(
            "{:48} {:>8} {:>12} {:>6}",
            "round trip", "ns", "corosensei's", "ratio"
        );
    }
    let mut kinds = all();
    match kind {
        Some(kind) => kinds.retain(|(name, _)| *name == kind),
        None if has("--together") => {}
        None => {
            let names = kinds.into_iter().map(|(name, _)| name);
            return names.for_each(|name| in_a_process_of_its_own(&name));
        }
    }
    measure(kinds, rounds);
}

fn in_a_process_of_its_own(kind: &str) {
    let program = std::env::current_exe().expect("it is known");
    let status = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(KIND, kind)
        .status()
        .expect("it can be started once more");
    assert!(status.success(), "{kind}: {status}");
}

fn measure(kinds: Vec<(String, Runner)>, rounds: usize) {
    let mut runners = vec![(String::new(), corosensei_root())];
    runners.extend(kinds);
    let mut times = vec![Vec::new(); runners.len()];
    for round in 0..=rounds {
        for ((_, run), times) in runners.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run(TRIPS);
            // The first round warms up.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e9 / TRIPS as f64);
            }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    for ((name, _), ns) in runners.iter().zip(&medians).skip(1) {
        println!(
            "{name:48} {ns:8.2} {:12.2} {:6.2}",
            medians[0],
            ns / medians[0]
        );
    }
}
