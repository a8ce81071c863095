//! Going forward, back and anywhere, with compiled scenarios.

mod common;

use common::{ISAS, LIMIT, load};
use costack_sim::Session;
use costack_sim::gallery::{SCENARIOS, all};
use costack_sim::program::Isa;
use costack_sim::view::{StepKind, StepOutcome};

/// All of the gallery on one ISA, and on the others what runs everywhere.
fn gallery() -> impl Iterator<Item = (&'static str, Isa, Session)> {
    let first = all().map(|scenario| (scenario, Isa::X86_64));
    let rest = ISAS[1..]
        .iter()
        .flat_map(|&isa| SCENARIOS.iter().map(move |scenario| (scenario, isa)));
    first
        .chain(rest)
        .map(|(scenario, isa)| (scenario.name, isa, load(scenario.text, isa)))
}

fn text_of(name: &str) -> &'static str {
    all().find(|s| s.name == name).expect("listed").text
}

#[test]
fn one_go_and_single_steps_end_in_the_same_state() {
    for (name, isa, mut single) in gallery() {
        while single.step() == StepOutcome::Stepped {}
        let mut run = load(text_of(name), isa);
        let _ = run.run(LIMIT);
        assert_eq!(single.position(), run.position(), "{name}");
        assert_eq!(single.state_hash(), run.state_hash(), "{name}");
        assert_eq!(single.output(), run.output(), "{name}");
        assert_eq!(single.host().events(), run.host().events(), "{name}");
    }
}

/// Steps of a run whose every state is compared; of a longer run, as many are, evenly spaced. A
/// hash goes over all memory.
const STATES: u64 = 1500;

/// Runs to the end; some of the positions, the first and the last among them, and the hashes of
/// their states.
fn states(session: &mut Session) -> Vec<(u64, u64)> {
    let _ = session.run(LIMIT);
    let len = session.position();
    let apart = len.div_ceil(STATES).max(1);
    let positions = (0..len).step_by(apart as usize).chain([len]);
    session.jump(0);
    positions
        .map(|position| {
            session.jump(position);
            (position, session.state_hash())
        })
        .collect()
}

#[test]
fn back_restores_every_state() {
    for (name, isa, mut session) in gallery() {
        // What is told of the states is told by going forward, by steps, in a session of its own.
        let states = states(&mut load(text_of(name), isa));
        let check = |session: &Session| {
            let at = states.binary_search_by_key(&session.position(), |(position, _)| *position);
            if let Ok(at) = at {
                assert_eq!(
                    session.state_hash(),
                    states[at].1,
                    "{name} at {}",
                    states[at].0
                );
            }
        };
        check(&session);
        while session.step() == StepOutcome::Stepped {
            check(&session);
        }
        assert_eq!(
            Some(session.position()),
            states.last().map(|(position, _)| *position)
        );
        while session.back() {
            check(&session);
        }
        assert_eq!(session.position(), 0);
        // And forward again, over what is recorded.
        while session.step() == StepOutcome::Stepped {
            check(&session);
        }
    }
}

#[test]
fn jumps_reach_any_state() {
    let mut random = 1_u64;
    for (name, _, mut session) in gallery() {
        let states = states(&mut session);
        let output = session.output().len();
        for _ in 0..200 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (position, hash) = states[(random >> 33) as usize % states.len()];
            assert_eq!(session.jump(position), position, "{name}");
            assert_eq!(session.state_hash(), hash, "{name} at {position}");
        }
        session.jump(u64::MAX);
        assert_eq!(session.output().len(), output, "{name}");
    }
}

#[test]
fn every_step_has_a_sentence() {
    for (name, isa, mut session) in gallery() {
        while session.step() == StepOutcome::Stepped {
            let step = session.last_step().expect("a step was made");
            assert!(
                !step.sentence.is_empty(),
                "{name} on {}: {:?}",
                isa.name(),
                step.kind
            );
        }
    }
}

#[test]
fn sentences_say_what_was_copied() {
    let text = text_of("two_tasks_shared");
    let mut session = load(text, Isa::X86_64);
    let mut seen = Vec::new();
    while session.step() == StepOutcome::Stepped {
        let step = session.last_step().expect("a step was made");
        match &step.kind {
            StepKind::Save { bytes, range, .. } => {
                assert_eq!(
                    step.sentence.split(" into").next(),
                    Some(
                        format!("saved {bytes} B of A, {:#x}–{:#x},", range.start, range.end)
                            .as_str()
                    )
                );
                seen.push("save");
            }
            StepKind::Restore { .. } => {
                assert!(step.sentence.starts_with("restored "), "{}", step.sentence);
                seen.push("restore");
            }
            StepKind::Owner { from: Some(1), .. } => {
                assert_eq!(step.sentence, "owner of S: A → B");
                break;
            }
            _ => {}
        }
    }
    assert_eq!(seen, ["restore", "save", "restore"]);
}

#[test]
fn sentences_tell_what_a_switch_does_on_every_isa() {
    for &isa in ISAS {
        let mut session = load(text_of("two_tasks_shared"), isa);
        let mut told = Vec::new();
        for _ in 0..200 {
            session.step();
            let sentence = session.last_step().expect("a step was made").sentence;
            for part in [
                "leaves its stack pointer behind",
                "on the stack of",
                "goes on at rt_",
            ] {
                if sentence.contains(part) && sentence.contains(": ") {
                    told.push((
                        part,
                        sentence.contains("main leaves"),
                        sentence.contains("of A"),
                    ));
                }
            }
            if told.len() == 3 {
                break;
            }
        }
        let expected = [
            ("leaves its stack pointer behind", true, false),
            ("on the stack of", false, true),
            ("goes on at rt_", false, false),
        ];
        assert_eq!(told, expected, "{}", isa.name());
    }
}
