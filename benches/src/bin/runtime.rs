//! Prints what the runtime costs, in round trips of corosensei's root shape, measured in
//! interleaved rounds: each candidate runs once per round, so that whatever slows the machine down
//! slows all of them.
//!
//! `cargo run -p costack-benches --release --bin runtime [rounds] [tasks]`

use corosensei::{Coroutine, CoroutineResult};
use costack::{Runtime, StackPool, yield_now};
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

/// Switches per measurement.
const SWITCHES: u64 = 20_000;

/// Words that each of the many tasks has live beside what it needs to run.
const LIVE_WORDS: usize = 2;

struct Line {
    what: String,
    at_most: f64,
    run: Box<dyn FnMut() -> f64>,
    samples: Vec<f64>,
}

fn per(count: u64, start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / count as f64
}

/// Nanoseconds of one round trip of corosensei, its root function yielding.
fn corosensei_round_trip() -> Box<dyn FnMut() -> f64> {
    let mut coroutine = Coroutine::<usize, usize, ()>::new(|yielder, mut value| {
        loop {
            value = yielder.suspend(value);
        }
    });
    Box::new(move || {
        let start = Instant::now();
        for value in 0..SWITCHES as usize {
            match coroutine.resume(value) {
                CoroutineResult::Yield(value) => black_box(value),
                CoroutineResult::Return(()) => unreachable!("it yields forever"),
            };
        }
        per(SWITCHES, start)
    })
}

/// Two tasks on own stacks take turns while main sleeps on a completion.
fn two_own(rounds: &Rc<Cell<u64>>, runtime: &Rc<Runtime>) -> Box<dyn FnMut() -> f64> {
    let (rounds, runtime) = (Rc::clone(rounds), Rc::clone(runtime));
    Box::new(move || {
        rounds.set(SWITCHES);
        let turns = |rounds: Rc<Cell<u64>>| {
            move || {
                while rounds.get() > 0 {
                    rounds.set(rounds.get() - 1);
                    yield_now();
                }
            }
        };
        let a = runtime.spawn(turns(Rc::clone(&rounds)));
        let b = runtime.spawn(turns(Rc::clone(&rounds)));
        let start = Instant::now();
        a.join().expect("it ends");
        b.join().expect("it ends");
        per(SWITCHES, start)
    })
}

/// Makes, runs and joins an empty task.
fn spawn_and_join(runtime: &Rc<Runtime>) -> Box<dyn FnMut() -> f64> {
    const TASKS: u64 = SWITCHES / 10;
    let runtime = Rc::clone(runtime);
    Box::new(move || {
        let start = Instant::now();
        for number in 0..TASKS {
            let task = runtime.spawn(move || number);
            black_box(task.join().expect("it ends"));
        }
        per(TASKS, start)
    })
}

/// Many tasks on one shared stack take turns. Each of main's yields is one round.
fn many_shared(runtime: &Rc<Runtime>, tasks: u64, stacks: usize) -> Box<dyn FnMut() -> f64> {
    let pool = StackPool::new(stacks, 64 * 1024).expect("memory for stacks");
    for number in 0..tasks {
        let task = runtime.task().background().shared(&pool);
        // SAFETY: no pointer into the task's frames leaves it.
        let task = unsafe {
            task.spawn(move || -> () {
                let mut live = [number; LIVE_WORDS];
                loop {
                    for word in &mut live {
                        *word = black_box(*word + 1);
                    }
                    yield_now();
                }
            })
        };
        task.detach();
    }
    // All of them begin, and are evicted once.
    yield_now();
    yield_now();
    pool.count_copies(true);
    yield_now();
    pool.count_copies(false);
    let copied = pool.copied();
    println!(
        "{tasks} tasks on {stacks} shared stack(s): images of {} bytes",
        copied.saved_bytes / copied.saves.max(1)
    );
    Box::new(move || {
        let start = Instant::now();
        yield_now();
        per(tasks, start)
    })
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .map_while(|text| text.parse::<u64>().ok());
    let rounds = args.next().unwrap_or(51) as usize;
    let tasks = args.next().unwrap_or(1_000_000);

    let line = |what: &str, at_most, run| Line {
        what: what.to_owned(),
        at_most,
        run,
        samples: Vec::new(),
    };
    let counter = Rc::new(Cell::new(0));
    let runtime = Rc::new(Runtime::new());
    // Measured apart from the many below: a yield would wait for all of them.
    let mut lines = vec![
        line("corosensei, root yields", 1.0, corosensei_round_trip()),
        line(
            "yield_now, two on own stacks",
            2.5,
            two_own(&counter, &runtime),
        ),
        line("spawn + run + join", 25.0, spawn_and_join(&runtime)),
    ];
    measure(&mut lines, rounds);
    drop(lines);
    drop(runtime);

    let runtime = Rc::new(Runtime::new());
    let mut lines = vec![
        line("corosensei, root yields", 1.0, corosensei_round_trip()),
        line(
            "yield_now, many on a shared stack",
            8.0,
            many_shared(&runtime, tasks, 1),
        ),
    ];
    measure(&mut lines, rounds.min(15));
    // A million tasks need not be unwound one by one.
    std::process::exit(0);
}

/// Measures all in turns and prints their medians, each against the first.
fn measure(lines: &mut [Line], rounds: usize) {
    for _ in 0..rounds {
        for line in &mut *lines {
            let sample = (line.run)();
            line.samples.push(sample);
        }
    }
    let base = median(&lines[0].samples);
    for line in lines {
        let time = median(&line.samples);
        let ratio = time / base;
        let verdict = if ratio <= line.at_most {
            "holds"
        } else {
            "MISSED"
        };
        println!(
            "{:<36} {time:8.2} ns  {ratio:6.2} x  (at most {}) {verdict}",
            line.what, line.at_most
        );
    }
}
