//! The same scenario on the real CPU and in the simulator: the same lines are printed, and the
//! same events happen in the same order (byte counts aside, because frames differ).
#![cfg(feature = "scenario")]

use std::sync::Arc;

use costack::scenario::{self, Clock};
use costack_engine::event::Event;
use costack_engine::sched::TaskId;
use costack_lang::generate::{self, generate};
use costack_lang::syntax::Program;
use costack_sim::gallery::SCENARIOS;
use costack_sim::program::Isa;
use costack_sim::view::RunOutcome;
use costack_sim::{Options, runtime};

/// The simulated ISA whose words are as wide as this machine's.
#[cfg(target_arch = "x86_64")]
const ISA: Isa = Isa::X86_64;
#[cfg(target_arch = "x86")]
const ISA: Isa = Isa::I386;
#[cfg(target_arch = "aarch64")]
const ISA: Isa = Isa::Aarch64;

/// What can be compared of a run.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    output: Vec<String>,
    fault: Option<String>,
    events: Vec<Event<TaskId>>,
}

impl Run {
    fn new(output: Vec<String>, fault: Option<String>, events: &[Event<TaskId>]) -> Self {
        Run {
            output,
            fault,
            events: events.iter().map(|event| event.shape()).collect(),
        }
    }
}

fn simulated(program: &Arc<Program>) -> Run {
    let loaded = runtime::load(Arc::clone(program), ISA, Options::default());
    let mut session = loaded.expect("the simulator takes it");
    assert_ne!(session.run(20_000_000), RunOutcome::Limit, "it ends");
    Run::new(
        session.output().iter().map(ToString::to_string).collect(),
        session.fault().map(|fault| fault.kind.to_string()),
        &session.host().events(),
    )
}

/// Runs natively what has been found to be free of stale pointers.
fn native(program: &Program) -> Run {
    let options = scenario::Options {
        clock: Clock::Virtual,
        trust_pointers: true,
        ..scenario::Options::default()
    };
    let report = scenario::run(program.clone(), &options).expect("fit to be run");
    Run::new(
        report.output,
        report.fault.map(|fault| fault.kind.to_string()),
        &report.events,
    )
}

/// Compares the two, and shows the first difference with what came before it.
#[track_caller]
fn check(file: &str, text: &str) {
    let program = costack_lang::parse(file, text).unwrap_or_else(|errors| panic!("{errors}"));
    let program = Arc::new(program);
    let (simulated, native) = (simulated(&program), native(&program));
    assert_eq!(native.output, simulated.output, "{file}: output\n{text}");
    assert_eq!(native.fault, simulated.fault, "{file}: fault\n{text}");
    let pairs = simulated.events.iter().zip(&native.events);
    if let Some(at) = pairs.into_iter().position(|(s, n)| s != n) {
        panic!(
            "{file}: event {at} differs\nsimulated: {:?}\nnative:    {:?}\nbefore: {:#?}\n{text}",
            simulated.events[at],
            native.events[at],
            &native.events[at.saturating_sub(6)..at],
        );
    }
    assert_eq!(
        native.events.len(),
        simulated.events.len(),
        "{file}: number of events\n{text}"
    );
}

#[test]
fn gallery_scenarios_agree() {
    for scenario in SCENARIOS {
        check(&scenario.file(), scenario.text);
    }
}

#[test]
fn gallery_scenarios_save_and_restore_where_they_say_so() {
    let saves = |name: &str| {
        let scenario = SCENARIOS
            .iter()
            .find(|s| s.name == name)
            .expect("in the gallery");
        let program = costack_lang::parse(name, scenario.text).expect("valid");
        let events = native(&program).events;
        events
            .iter()
            .filter(|e| matches!(e, Event::Save { .. }))
            .count()
    };
    assert!(saves("two_tasks_shared") > 0);
    assert!(saves("deep_and_shallow") > 0);
    assert_eq!(saves("two_tasks_own"), 0);
    assert_eq!(saves("libaco_synopsis"), 0, "nobody else wants the stack");
}

#[test]
fn faults_agree() {
    let stack = "stack S shared 8192\n";
    for (name, text) in [
        (
            "failed assertion",
            "task A on S = f(4)\nfn f(x) { yield; assert x * 2 == 9 }\nmain { run }",
        ),
        (
            "failed assertion without comparison",
            "main { let x = 0; assert x }",
        ),
        (
            "division by zero",
            "task A on S = f(0)\nfn f(x) { yield; print 1 / x }\nmain { run }",
        ),
        (
            "resume of a finished task",
            "task A on S = f()\nfn f() { }\nmain { resume A; resume A }",
        ),
        (
            "resume of a task on the resumer's stack",
            "task A on S = f()\ntask B on S = g()\nfn f() { resume B }\nfn g() { }\nmain { resume A }",
        ),
        (
            "resume of a blocked task",
            "mutex m\ntask A on S = f()\nfn f() { lock m }\nmain { lock m; resume A; resume A }",
        ),
        (
            "deadlock",
            "mutex m\ntask A on S = f()\ntask B on S = f()\nfn f() { lock m }\nmain { run }",
        ),
        ("unlock by another", "mutex m\nmain { unlock m }"),
        ("lock twice", "mutex m\nmain { lock m; lock m }"),
        (
            "name without a task",
            "fn f() { }\nmain { if 0 { spawn W on S = f() } resume W }",
        ),
    ] {
        check(name, &format!("scenario \"fault\"\n{stack}{text}"));
    }
}

/// What is cancelled while it runs ends at its next wait, whoever cancels it.
#[test]
fn self_cancelled_tasks_agree() {
    let things = "stack S shared 8192\nevent e\nmutex m\nchannel c 1\nqueue q\ngroup g\nwork w\n";
    let waits = [
        "wait e",
        "lock m",
        "let x = recv c",
        "send c, 1; send c, 2",
        "park(q)",
        "let x = take(w)",
        "join B",
        "sleep 5 us",
        "let x = select(e, q)",
        "let x = wait_for(e, 5)",
        "yield",
    ];
    for wait in waits {
        let tasks = "task A on S = f()\ntask B on S = b()\nfn b() { park(q) }\n";
        let body = format!("fn f() {{ print cancel(A); {wait}; print \"not reached\" }}");
        let main = "main { lock m; start B; start A; join A; print alive(A); cancel(B); join B }";
        let text = format!("scenario \"self\"\n{things}{tasks}{body}\n{main}");
        check(wait, &text);
        let program = costack_lang::parse(wait, &text).expect("valid");
        let run = native(&program);
        assert_eq!(run.fault, None, "{wait}");
        assert_eq!(run.output, ["1", "0"], "{wait}");
    }
}

/// Programs of the generator, a new seed in every run.
#[test]
fn random_scenarios_agree() {
    let seed = std::env::var("COSTACK_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as u64 & 0xffff_ffff)
    });
    println!("COSTACK_SEED={seed} repeats this run");
    for seed in seed..seed + 300 {
        let text = generate(seed, &generate::Options::default());
        check(&format!("seed {seed}"), &text);
    }
}
