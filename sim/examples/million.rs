//! What a session of one million steps takes: memory, and time to reach any step.
//!
//! `cargo run --release -p costack-sim --example million`. Each session has a process of its own,
//! so that the most memory it ever had is its own. Times are those that the CPU has spent.

mod speed;

use costack_sim::program::Isa;
use speed::{scenarios, seconds, session};
use std::process::Command;

const STEPS: u64 = 1_000_000;

/// Positions that are gone to, far from each other.
const JUMPS: u64 = 200;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let (Some(isa), Some(name)) = (arguments.next(), arguments.next()) {
        return measure(&isa, &name);
    }
    let this = std::env::current_exe().expect("this program");
    for isa in Isa::ALL {
        for (name, _, _) in scenarios() {
            let mut child = Command::new(&this);
            let status = child.args([isa.name(), name]).status().expect("it runs");
            assert!(status.success());
        }
    }
}

fn measure(isa: &str, name: &str) {
    let isa = Isa::ALL
        .into_iter()
        .find(|one| one.name() == isa)
        .expect("an ISA");
    let all = scenarios();
    let (_, text, _) = all.iter().find(|one| one.0 == name).expect("a scenario");
    let mut session = session(text, isa);
    let empty = peak_mb();
    session.run(STEPS);
    assert_eq!(session.position(), STEPS, "{:?}", session.fault());
    let full = peak_mb();
    let (mut worst, mut random) = (0.0_f64, 1_u64);
    for _ in 0..JUMPS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // From one end to the other is furthest.
        for position in [0, STEPS, (random >> 33) % STEPS] {
            let start = seconds();
            assert_eq!(session.jump(position), position);
            worst = worst.max(seconds() - start);
        }
    }
    println!(
        "{name:<14} {:<8} {full:>5.0} MB after {STEPS} steps ({empty:.0} MB before them, {:.0} MB of log); the slowest of {} jumps {:>5.1} ms, in the end {:.0} MB",
        isa.name(),
        session.log_bytes() as f64 / 1e6,
        3 * JUMPS,
        worst * 1e3,
        peak_mb(),
    );
}

/// The most memory that this process has had, in megabytes; 0 where that cannot be told.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1.024e-3
}
