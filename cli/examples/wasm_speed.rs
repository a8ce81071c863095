//! How fast the hosted simulator is, beside the one built natively, in the same run.
//!
//! `cargo xtask module && cargo run --release -p costack-cli --example wasm_speed`

use std::time::Instant;

use costack_cli::host::{self, Host, Limits};
use costack_sim_module::{Simulator, Status};

const STEPS: u64 = 2_000_000;
const ROUNDS: usize = 7;

const SCENARIOS: [(&str, &str); 2] = [
    (
        "compute",
        "scenario \"compute\"
stack S shared 65536
task A on S = work(100000000)
fn work(n) {
    let i = 0
    let sum = 0
    let a[8]
    while i < n { a[i & 7] = i; sum = sum + mix(a[i & 7], i); i = i + 1 }
}
fn mix(x, y) { return x * 3 + y - (x >> 2) }
main { resume A }",
    ),
    (
        "switch",
        "scenario \"switch\"
stack S shared 65536
task A on S = work(100000000)
task B on S = work(100000000)
fn work(n) {
    let i = 0
    let pad[4]
    while i < n { pad[i & 3] = i; yield; i = i + 1 }
}
main { run }",
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let host = Host::open(&host::find()?, Limits::default())?;
    println!("module ready after {} ms", started.elapsed().as_millis());
    for (name, text) in SCENARIOS {
        for (isa, isa_name) in [(0, "x86_64"), (1, "i386"), (2, "aarch64")] {
            let mut best = [f64::INFINITY; 2];
            // One instance for all rounds: natively as well, the memory of one session serves the next.
            let mut hosted = host.instance()?;
            // One after the other, so that both see the same machine.
            for _ in 0..ROUNDS {
                let mut simulator = Simulator::default();
                simulator.load(name, text.as_bytes(), isa, 0)?;
                let started = Instant::now();
                assert_eq!(simulator.run(STEPS)?, Status::Done);
                best[0] = best[0].min(started.elapsed().as_secs_f64());
                drop(simulator);

                hosted.load(name, text.as_bytes(), isa)?;
                let started = Instant::now();
                assert_eq!(hosted.run(STEPS)?, Status::Done);
                best[1] = best[1].min(started.elapsed().as_secs_f64());
            }
            let [native, wasm] = best.map(|seconds| STEPS as f64 / seconds / 1e6);
            println!(
                "{name:<8} {isa_name:<8} native {native:>5.1}, wasm {wasm:>5.1} million steps/s: {:.2} times",
                wasm / native
            );
        }
    }
    Ok(())
}
