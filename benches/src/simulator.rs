//! How fast the simulator is: checkers on, everything recorded.

use crate::case::{Case, Group, Runner, cannot};
use costack_sim::program::Isa;
use costack_sim::{Options, Session, runtime};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Two tasks that evict each other, and compute a little in between.
const SWITCHING: &str = r#"scenario "switching"
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

/// One task that computes.
const COMPUTING: &str = r#"scenario "computing"
stack S own 65536
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

/// Steps after which a session is begun anew, so that its log stays small.
const STEPS: u64 = 100_000;

fn session(text: &str, isa: Isa) -> Session {
    let program = costack_lang::parse("bench.costack", text).expect("it is checked by the tests");
    runtime::load(Arc::new(program), isa, Options::default()).expect("it loads")
}

fn steps(text: &'static str, isa: Isa) -> Runner {
    let mut current = session(text, isa);
    Box::new(move |times| {
        let (mut total, mut left) = (Duration::ZERO, times);
        while left > 0 {
            if current.position() >= STEPS {
                current = session(text, isa);
            }
            let from = current.position();
            let start = Instant::now();
            let to = current.jump(from + left.min(STEPS));
            total += start.elapsed();
            assert!(to > from, "{:?}", current.fault());
            left -= (to - from).min(left);
        }
        total
    })
}

/// Steps on each instruction set.
pub fn groups() -> Vec<Group> {
    let scenarios = [
        (
            "simulator/computing",
            "Simulator, computing",
            "One instruction of a loop that computes, checkers on and every step recorded.",
            COMPUTING,
        ),
        (
            "simulator/switching",
            "Simulator, switching",
            "One step of two tasks that evict each other at every yield.",
            SWITCHING,
        ),
    ];
    let isas = [
        ("x86_64", Isa::X86_64),
        ("i386", Isa::I386),
        ("aarch64", Isa::Aarch64),
    ];
    scenarios
        .into_iter()
        .map(|(id, title, about, text)| Group {
            id: id.to_owned(),
            title,
            about,
            per: "step",
            axis: None,
            batches: vec![
                isas.into_iter()
                    .map(|(who, isa)| Case::new(who, move || steps(text, isa)))
                    .collect(),
            ],
            cannot: vec![cannot("other simulators", "have no stacks to share")],
        })
        .collect()
}
