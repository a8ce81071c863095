//! Where the time of `costack compare --random` goes: each part of comparing one scenario, per
//! scenario, on one thread.
//!
//! `cargo xtask module && cargo run --release -p costack-cli --example compare_cost [COUNT]`
//!
//! With `ONLY_SIM` in the environment it leaves wasm out, for a profiler that cannot see into it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use costack_cli::backend::{self, How, Module};
use costack_lang::generate;
use costack_sim_module::{ISAS, Simulator};

const STEPS: u64 = 20_000_000;

/// Adds what a call takes to a part's time.
fn timed<T>(
    times: &mut BTreeMap<&'static str, Duration>,
    part: &'static str,
    call: impl FnOnce() -> T,
) -> T {
    let started = Instant::now();
    let result = call();
    *times.entry(part).or_default() += started.elapsed();
    result
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(500), |count| count.parse())?;
    let module = Module::default();
    let mut hosted = match std::env::var_os("ONLY_SIM") {
        None => Some(module.host()?.instance()?),
        Some(_) => None,
    };
    let mut simulator = Simulator::default();
    let mut times = BTreeMap::new();
    let mut steps = 0;
    for seed in 0..count {
        let text = timed(&mut times, "generate", || {
            generate::draft(seed, &generate::Options::default())
        });
        let name = format!("seed {seed}");
        let program = timed(&mut times, "parse", || costack_lang::parse(&name, &text));
        let program = Arc::new(program.map_err(|mistakes| mistakes.to_string())?);
        for isa in ISAS {
            timed(&mut times, "sim: load", || {
                simulator.load_program(Arc::clone(&program), isa, 0)
            })?;
            timed(&mut times, "sim: run", || simulator.run(STEPS))?;
            timed(&mut times, "sim: trace", || simulator.trace())?;
            steps += simulator
                .session()
                .map_or(0, costack_sim::Session::position);
            let Some(hosted) = &mut hosted else {
                continue;
            };
            let number = backend::isa_number(isa);
            timed(&mut times, "wasm: load", || {
                hosted.load(&name, text.as_bytes(), number)
            })?;
            timed(&mut times, "wasm: run", || hosted.run(STEPS))?;
            timed(&mut times, "wasm: trace", || hosted.trace())?;
        }
        timed(&mut times, "native", || {
            backend::native(&program, &How::COMPARED)
        })?;
    }
    for (part, time) in &times {
        println!(
            "{part:<12} {:>8.1} us",
            time.as_secs_f64() * 1e6 / count as f64
        );
    }
    let total: Duration = times.values().sum();
    println!(
        "{:<12} {:>8.1} us; {} steps of a simulator on all ISAs",
        "in all",
        total.as_secs_f64() * 1e6 / count as f64,
        steps / count
    );
    Ok(())
}
