//! Prints the ratios that the project promises, measured in interleaved rounds: each candidate
//! runs once per round, so that whatever slows the machine down slows all of them.
//!
//! `cargo run -p costack-benches --release --bin ratios [rounds]`

use costack_benches::shared::{Copies, PADDINGS, Ring};
use costack_benches::{Runner, SHAPES, corosensei_shapes, costack_shapes};
use std::time::Instant;

/// Round trips per measurement.
const TRIPS: u64 = 20_000;

/// Coroutines of a ring.
const RING: usize = 16;

/// One line of the table: ours against the sum of others.
struct Line {
    what: String,
    at_most: f64,
    ours: usize,
    peers: Vec<usize>,
}

struct Table {
    runners: Vec<Runner>,
    lines: Vec<Line>,
}

impl Table {
    fn runner(&mut self, run: impl FnMut(u64) + 'static) -> usize {
        self.runners.push(Box::new(run));
        self.runners.len() - 1
    }

    fn line(&mut self, what: impl Into<String>, at_most: f64, ours: usize, peers: Vec<usize>) {
        self.lines.push(Line {
            what: what.into(),
            at_most,
            ours,
            peers,
        });
    }
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(101);
    let mut table = Table {
        runners: Vec::new(),
        lines: Vec::new(),
    };

    let mut own_root = 0;
    let mut peer_root = 0;
    let pairs = costack_shapes::shapes()
        .into_iter()
        .zip(corosensei_shapes::shapes());
    for (at, (ours, peer)) in pairs.enumerate() {
        let (ours, peer) = (table.runner(ours), table.runner(peer));
        if at == 0 {
            (own_root, peer_root) = (ours, peer);
        }
        table.line(SHAPES[at], [0.95, 0.40, 0.60, 1.00][at], ours, vec![peer]);
    }

    let ours = table.runner(|times| {
        let mut value = 0;
        for _ in 0..times {
            value = costack_shapes::create_run_drop(value);
        }
    });
    let mut kept = Some(corosensei_shapes::stack());
    let peer = table.runner(move |times| {
        let (mut stack, mut value) = (kept.take().expect("put back below"), 0);
        for _ in 0..times {
            (stack, value) = corosensei_shapes::create_run_drop(stack, value);
        }
        kept = Some(stack);
    });
    table.line("create, run, drop", 1.00, ours, vec![peer]);

    for padding in PADDINGS {
        let mut ring = Ring::new(RING, padding);
        let bytes = ring.image_bytes;
        let ours = table.runner(move |trips| ring.turn(trips));
        if bytes < 1000 {
            let what = format!("shared, evicts {bytes} B, to corosensei's root");
            let at_most = if bytes <= 96 { 3.0 } else { f64::INFINITY };
            table.line(what, at_most, ours, vec![peer_root]);
        } else {
            let mut copies = Copies::new(RING, bytes);
            let plain = table.runner(move |trips| copies.turn(trips));
            let what = format!("shared, evicts {bytes} B, to two copies and an own trip");
            table.line(what, 1.15, ours, vec![plain, own_root]);
        }
    }
    print(&measure(&mut table.runners, rounds), &table.lines);
}

/// The median time per round trip of each runner, in nanoseconds.
fn measure(runners: &mut [Runner], rounds: usize) -> Vec<f64> {
    let mut times = vec![Vec::new(); runners.len()];
    for round in 0..=rounds {
        for (runner, times) in runners.iter_mut().zip(&mut times) {
            let start = Instant::now();
            runner(TRIPS);
            let each_ns = start.elapsed().as_secs_f64() * 1e9 / TRIPS as f64;
            // The first round warms up.
            if round > 0 {
                times.push(each_ns);
            }
        }
    }
    times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect()
}

fn print(medians: &[f64], lines: &[Line]) {
    println!(
        "{:52} {:>8} {:>8} {:>6} {:>6}",
        "shape", "ours ns", "peer ns", "ratio", "most"
    );
    for line in lines {
        let ours = medians[line.ours];
        let peers: f64 = line.peers.iter().map(|peer| medians[*peer]).sum();
        let ratio = ours / peers;
        let verdict = if line.at_most.is_infinite() {
            ""
        } else if ratio <= line.at_most {
            "holds"
        } else {
            "MISSES"
        };
        let what = &line.what;
        let at_most = line.at_most;
        println!("{what:52} {ours:8.2} {peers:8.2} {ratio:6.2} {at_most:6.2} {verdict}");
    }
}
