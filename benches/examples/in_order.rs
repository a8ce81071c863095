//! Round trips in order over working sets of several sizes, by how far ahead the next ones are fetched,
//! in interleaved rounds beside corosensei's root round trip:
//!
//! ```text
//! cargo run --release -p costack-benches --no-default-features --example in_order -- \
//!     [TASKS]... [--ahead N,…] [--small-pages]
//! ```
//!
//! `--small-pages`: the system gives no huge pages, whoever asks for them.

use costack_benches::case::Size;
use costack_benches::measure::{YARDSTICK, ratios};
use costack_benches::peer;
use costack_benches::ring::{How, Ring};
use costack_benches::sets::padding;
use costack_benches::statistics::spread;
use std::time::Instant;

/// Round trips of a sample: a small part of the largest working set, and some pages of it.
const TRIPS: u64 = 20_000;

const ROUNDS: usize = 101;

fn main() {
    let mut counts: Vec<usize> = Vec::new();
    let mut aheads = vec![0, 1, 2, 4, 8, 16];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--ahead" => {
                let list = arguments.next().expect("numbers with commas between");
                aheads = list
                    .split(',')
                    .map(|n| n.parse().expect("a number"))
                    .collect();
            }
            #[cfg(target_os = "linux")]
            "--small-pages" => {
                rustix::thread::disable_transparent_huge_pages(true).expect("Linux can do so");
            }
            count => counts.push(count.parse().expect("a number of tasks")),
        }
    }
    if counts.is_empty() {
        counts = costack_benches::sets::counts(Size::Full)
            .iter()
            .map(|n| *n as usize)
            .collect();
    }
    let [mut yardstick, ..] = peer::corosensei::shapes();
    for count in counts {
        let start = Instant::now();
        let mut ring = Ring::new(count, padding(), false, How::PLAIN);
        let made = start.elapsed().as_nanos() as f64 / count as f64;
        let mut theirs = Vec::new();
        let mut ours = vec![Vec::new(); aheads.len()];
        for _ in 0..ROUNDS {
            theirs.push(per_trip(yardstick(TRIPS)));
            for (ahead, ours) in aheads.iter().zip(&mut ours) {
                ring.fetch_ahead(*ahead);
                let start = Instant::now();
                ring.turn(TRIPS);
                ours.push(per_trip(start.elapsed()));
            }
        }
        println!(
            "{count} tasks, images of {} B, made in {made:.0} ns each; {YARDSTICK}: {:.2} ns",
            ring.image_bytes,
            spread(&theirs).median
        );
        for (ahead, ours) in aheads.iter().zip(&ours) {
            let (time, ratio) = (spread(ours), spread(&ratios(ours, &[&theirs])));
            println!(
                "  {ahead:2} ahead: {:6.2} ns, ratio {:.2} ({:.2} to {:.2})",
                time.median, ratio.median, ratio.low, ratio.high
            );
        }
        ring.leave();
    }
}

fn per_trip(took: std::time::Duration) -> f64 {
    took.as_nanos() as f64 / TRIPS as f64
}
