//! Prints how round trips through the C functions compare with corosensei's root round trip, in
//! interleaved rounds: each runs once per round, so that whatever slows the machine down slows all.
//!
//! `cargo bench -p costack-capi --bench c_ratios`

mod support;

use std::time::Instant;
use support::{all, corosensei_root};

const ROUNDS: usize = 101;
const TRIPS: u64 = 20_000;

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = match std::env::args().any(|argument| argument == "--test") {
        true => 1,
        false => ROUNDS,
    };
    let mut runners = vec![("corosensei, root yields".to_owned(), corosensei_root())];
    runners.extend(all());
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
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect();
    println!("{:52} {:>8} {:>6}", "round trip", "ns", "ratio");
    for ((name, _), median) in runners.iter().zip(&medians) {
        println!("{name:52} {median:8.2} {:6.2}", median / medians[0]);
    }
}
