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

/// As [`steps`], by the simulator's module in wasmtime, as the command line hosts it.
#[cfg(feature = "hosted")]
fn hosted_steps(file: &std::path::Path, text: &'static str, isa: Isa) -> Runner {
    use costack_cli::host::{Host, Hosted, Limits};

    let host = Host::open(file, Limits::default()).expect("the simulator's module");
    let isa = costack_sim_module::ISAS
        .iter()
        .position(|known| *known == isa)
        .expect("the module knows all of them") as u32;
    // One instance for all sessions: natively as well, the memory of one serves the next.
    let mut current = host.instance().expect("a module of these sources");
    let load = move |hosted: &mut Hosted| {
        let loaded = hosted.load("bench.costack", text.as_bytes(), isa);
        loaded.expect("it is checked by the tests");
    };
    load(&mut current);
    let mut made = 0;
    Box::new(move |times| {
        let (mut total, mut left) = (Duration::ZERO, times);
        while left > 0 {
            if made >= STEPS {
                load(&mut current);
                made = 0;
            }
            let steps = left.min(STEPS);
            let start = Instant::now();
            let status = current.run(steps).expect("it goes on for ever");
            total += start.elapsed();
            assert_eq!(status, costack_sim_module::Status::Done);
            made += steps;
            left -= steps;
        }
        total
    })
}

/// The cases in wasmtime, or why there are none.
#[cfg(feature = "hosted")]
fn hosted(text: &'static str) -> Result<Vec<Case>, &'static str> {
    let file = costack_cli::host::find()
        .map_err(|_| "the module is not built: `cargo xtask module` does that")?;
    let cases = [
        ("x86_64 in wasmtime", Isa::X86_64),
        ("i386 in wasmtime", Isa::I386),
        ("aarch64 in wasmtime", Isa::Aarch64),
    ];
    let case = |(who, isa)| {
        let file: std::path::PathBuf = file.clone();
        Case::new(who, move || hosted_steps(&file, text, isa))
    };
    Ok(cases.into_iter().map(case).collect())
}

#[cfg(not(feature = "hosted"))]
fn hosted(_: &str) -> Result<Vec<Case>, &'static str> {
    Err("was left out when this was built (feature `hosted`)")
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
        .map(|(id, title, about, text)| {
            let mut cases: Vec<Case> = isas
                .into_iter()
                .map(|(who, isa)| Case::new(who, move || steps(text, isa)))
                .collect();
            let mut absent = vec![cannot("other simulators", "have no stacks to share")];
            match hosted(text) {
                Ok(more) => cases.extend(more),
                Err(why) => absent.push(cannot("in wasmtime", why)),
            }
            Group {
                id: id.to_owned(),
                title,
                about,
                per: "step",
                axis: None,
                batches: vec![cases],
                cannot: absent,
            }
        })
        .collect()
}
