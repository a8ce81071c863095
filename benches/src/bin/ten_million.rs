//! Ten million coroutines on one shared stack: resident memory of each, all told, and what a round
//! trip over all of them costs against one over a thousand.
//!
//! `cargo run -p costack-benches --release --bin ten_million [count]`

use costack::{Coroutine, Event, SharedStack, State, Yielder};
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

type Co = Coroutine<usize, usize, usize>;

/// What is promised.
const IMAGE_AT_LEAST: usize = 120;
const RESIDENT_AT_MOST: f64 = 200.0;
const SLOWER_AT_MOST: f64 = 2.0;

/// Coroutines of the small ring.
const FEW: usize = 1000;

/// How far ahead the next ones are fetched.
const AHEAD: usize = 4;

fn main() {
    let count = argument(1).unwrap_or(10_000_000);
    let stack = SharedStack::new(256 * 1024).expect("memory for a stack");
    let image = image_bytes(&stack);
    let few = round_trip_ns(&mut make(&stack, FEW), count / FEW);

    let before = resident_bytes();
    let start = Instant::now();
    let mut all = make(&stack, count);
    let made_ns = start.elapsed().as_secs_f64() * 1e9 / count as f64;
    let many = round_trip_ns(&mut all, 2);
    let each = (resident_bytes() - before) as f64 / count as f64;

    println!("{count} coroutines, image of each: {image} B");
    println!("made and run to its first yield: {made_ns:.1} ns each");
    line("resident", each, "B each", RESIDENT_AT_MOST);
    println!("round trip over {FEW}: {few:.1} ns");
    println!("round trip over all: {many:.1} ns");
    line("ratio", many / few, "", SLOWER_AT_MOST);
    assert!(
        image >= IMAGE_AT_LEAST,
        "the image is too small for the promise"
    );
    // The system takes ten million freed pieces back faster at once.
    std::process::exit(0);
}

fn argument(at: usize) -> Option<usize> {
    std::env::args().nth(at).and_then(|text| text.parse().ok())
}

fn line(what: &str, value: f64, unit: &str, at_most: f64) {
    let verdict = if value <= at_most { "holds" } else { "MISSES" };
    println!("{what}: {value:.2} {unit} (at most {at_most}: {verdict})");
}

/// A coroutine with four words of its own, suspended.
fn add(stack: &SharedStack) -> Co {
    // SAFETY: it yields numbers only, so no pointer into its frames gets out.
    let mut co = unsafe {
        Coroutine::new_shared(stack, |yielder: &Yielder<usize, usize>, mut value| {
            let mut words = [value; 4];
            loop {
                words[value % 4] += value;
                black_box(&mut words);
                value = yielder.suspend(value);
            }
        })
    }
    .expect("memory for a save stack");
    co.resume(0);
    co
}

fn make(stack: &SharedStack, count: usize) -> Vec<Co> {
    let mut all = Vec::with_capacity(count);
    all.extend((0..count).map(|_| add(stack)));
    all
}

/// Resumes all of them in order, that often; nanoseconds of each resume.
fn round_trip_ns(all: &mut [Co], rounds: usize) -> f64 {
    let start = Instant::now();
    let mut value = 1;
    for _ in 0..rounds {
        for at in 0..all.len() {
            if let Some(ahead) = all.get(at + AHEAD) {
                ahead.prefetch();
            }
            let (State::Yielded(next) | State::Returned(next)) = all[at].resume(value);
            value = next;
        }
    }
    black_box(value);
    start.elapsed().as_secs_f64() * 1e9 / (rounds * all.len()) as f64
}

/// Lets one coroutine evict another and reads off how much is saved.
fn image_bytes(stack: &SharedStack) -> usize {
    let seen = Rc::new(Cell::new(0));
    let sink = Rc::clone(&seen);
    stack.observe(move |event| {
        if let Event::Save { bytes, .. } = event {
            sink.set(bytes as usize);
        }
    });
    let pair = [add(stack), add(stack)];
    drop(pair);
    stack.stop_observing();
    seen.get()
}

/// Bytes of physical memory that this process has now.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse::<usize>().ok());
    pages.expect("the second number of statm") * 4096
}
