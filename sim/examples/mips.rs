//! How fast the simulator is, checkers on and everything recorded.
//!
//! `cargo run --release -p costack-sim --example mips`, with the name of one scenario to measure
//! only that one.

use std::sync::Arc;
use std::time::Instant;

use costack_sim::program::Isa;
use costack_sim::{Options, Session, runtime};

const STEPS: u64 = 1_000_000;
const ROUNDS: usize = 5;

const COMPUTE: &str = r#"scenario "compute"
stack S shared 65536
task A on S = work(100000000)
fn work(n) {
    let i = 0
    let sum = 0
    let a[8]
    while i < n {
        a[i & 7] = i
        sum = sum + mix(a[i & 7], i)
        i = i + 1
    }
}
fn mix(x, y) { return x * 3 + y - (x >> 2) }
main { resume A }
"#;

const SWITCH: &str = r#"scenario "switch"
stack S shared 65536
task A on S = work(100000000)
task B on S = work(100000000)
fn work(n) {
    let i = 0
    let pad[4]
    while i < n {
        pad[i & 3] = i
        yield
        i = i + 1
    }
}
main { run }
"#;

/// As [`SWITCH`], with so many tasks.
fn crowd(tasks: usize) -> String {
    format!(
        "{}\nfn many(n) {{ let k = 0\n while k < {tasks} {{ spawn W on S = work(n)\n k = k + 1 }} }}\n",
        SWITCH.replace("main { run }", "main { many(1000000)\n run }")
    )
}

fn session(text: &str, isa: Isa) -> Option<Session> {
    let program = costack_lang::parse("mips.costack", text).ok()?;
    let options = Options {
        memory_limit: 1 << 30,
        ..Options::default()
    };
    match runtime::load(Arc::new(program), isa, options) {
        Ok(session) => Some(session),
        Err(error) => {
            eprintln!("{isa:?}: {error}");
            None
        }
    }
}

/// Runs a scenario over and over, so that the best time says what the machine can do and not who
/// else is at work on it.
fn measure(name: &str, text: &str, isa: Isa, warm: u64) {
    let mut best = [f64::MAX; 3];
    let mut log_bytes = 0;
    for _ in 0..ROUNDS {
        let Some(mut session) = session(text, isa) else {
            return;
        };
        session.run(warm);
        let times = [warm + STEPS, warm, warm + STEPS].map(|position| {
            let start = Instant::now();
            session.jump(position);
            start.elapsed().as_secs_f64()
        });
        assert_eq!(session.fault().map(|fault| fault.kind.to_string()), None);
        best = std::array::from_fn(|i| best[i].min(times[i]));
        log_bytes = session.log_bytes();
    }
    let [run, back, again] = best;
    println!(
        "{name:<14} {:<8} {:>6.1} million steps/s, {:>4.0} MB of log, back {:>5.1} ms, forward {:>5.1} ms",
        isa.name(),
        STEPS as f64 / run / 1e6,
        log_bytes as f64 / 1e6,
        back * 1e3,
        again * 1e3,
    );
}

fn main() {
    let only = std::env::args().nth(1);
    let scenarios = [
        ("compute", COMPUTE.to_owned(), 1000),
        ("switch", SWITCH.to_owned(), 1000),
        ("100 tasks", crowd(100), 10_000),
        ("10,000 tasks", crowd(10_000), 1_000_000),
    ];
    for isa in Isa::ALL {
        for (name, text, warm) in &scenarios {
            if only.as_ref().is_none_or(|only| only == name) {
                measure(name, text, isa, *warm);
            }
        }
    }
}
