//! What is seen in the browser is what the CPU does.

use std::sync::Arc;

use costack_cli::agree::{Comparer, Finding};
use costack_cli::backend::{self, isa_number};
use costack_sim::gallery::{self, SCENARIOS};
use costack_sim::program::Isa;
use costack_sim_module::Simulator;

use crate::support::{check, costack_with_module, host, said, seed, tell};

const STEPS: u64 = 20_000_000;

#[test]
fn sim_and_wasm_write_the_same_trace_of_every_gallery_scenario_on_every_isa() {
    let mut simulator = Simulator::default();
    let mut hosted = host().instance().expect("it works");
    for scenario in gallery::all() {
        for isa in Isa::ALL {
            let number = isa_number(isa);
            let (name, text) = (scenario.file(), scenario.text.as_bytes());
            simulator.load(&name, text, number, 0).expect("it loads");
            hosted.load(&name, text, number).expect("it loads");
            let ends = (simulator.run(STEPS), hosted.run(STEPS));
            assert_eq!(ends.0.expect("it runs"), ends.1.expect("it runs"));
            let traces = (simulator.trace().unwrap(), hosted.trace().unwrap());
            assert_eq!(traces.0, traces.1, "{name} on {}", isa.name());
            assert!(traces.0.lines().count() > 4, "{name}: something happens");
            // The last state too: every register, stack and byte of memory, by its hash.
            let states = (simulator.state().unwrap(), hosted.state().unwrap());
            assert_eq!(states.0, states.1, "{name} on {}", isa.name());
        }
    }
}

#[test]
fn native_does_the_same_in_every_scenario_that_it_runs() {
    let mut comparer = Comparer::new(host(), Isa::ALL.to_vec()).expect("it works");
    for scenario in gallery::all() {
        let program = costack_lang::parse(&scenario.file(), scenario.text).expect("valid");
        match comparer.compare(&Arc::new(program)).expect("it runs") {
            Finding::Agree { without_native, .. } => {
                // Of the pitfalls and styles native takes those without a text of their own.
                let must = SCENARIOS.contains(scenario);
                assert!(without_native.is_none() || !must, "{}", scenario.name);
            }
            Finding::Differ(difference) => panic!("{}: {difference:#?}", scenario.name),
        }
    }
}

#[test]
fn two_thousand_random_scenarios_agree() {
    let seed = seed().to_string();
    let compare = ["compare", "--random", "2000", "--seed", &seed, "--quiet"];
    let done = check(
        costack_with_module(&compare),
        0,
        "agree all 2 000 scenarios",
        "",
    );
    tell(&said(&done).0);
}

#[test]
fn a_difference_is_told_with_its_place() {
    // Two scenarios that print different things stand for two backends that do.
    let run = |line: &str| {
        let text = format!("scenario \"d\"\nmain {{\n print 1\n print {line}\n}}");
        let program = Arc::new(costack_lang::parse("d", &text).expect("valid"));
        let mut simulator = Simulator::default();
        let isa = Isa::X86_64;
        let run = backend::simulate(&mut simulator, &program, isa, STEPS);
        run.expect("it runs").trace()
    };
    let (one, other) = (run("2"), run("3"));
    assert_ne!(one, other);
    let at = one.lines().zip(other.lines()).position(|(a, b)| a != b);
    assert_eq!(at, Some(2), "after the header and the first line");
}

#[test]
fn steps_back_in_the_module_bring_the_state_back() {
    let mut hosted = host().instance().expect("it works");
    let scenario = &SCENARIOS[1];
    let text = scenario.text.as_bytes();
    hosted.load(scenario.name, text, 2).expect("it loads");
    hosted.step(200).expect("it steps");
    let before = hosted.state().expect("a state");
    assert_eq!(before.position, 200);
    hosted.step(150).expect("it steps");
    assert_ne!(hosted.state().expect("a state").hash, before.hash);
    hosted.step(-150).expect("it steps back");
    assert_eq!(hosted.state().expect("a state"), before);
    hosted.step(i64::MIN).expect("it steps back to the start");
    assert_eq!(hosted.state().expect("a state").position, 0);
}
