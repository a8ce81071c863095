//! A signal may arrive between any two instructions and changes nothing but what lies below sp.

mod common;

use std::sync::Arc;

use common::{ISAS, LIMIT, load, parse};
use costack_lang::generate;
use costack_sim::gallery::{PITFALLS, SCENARIOS, STYLES};
use costack_sim::program::Isa;
use costack_sim::view::{
    Fault, FaultKind, Granularity, Intervention, Location, Meaning, RefusedIntervention,
    RegisterView, RunOutcome, StepKind, StepOutcome, TickKind,
};
use costack_sim::{Options, Session, Signals, runtime};

fn load_with(text: &str, isa: Isa, signals: Signals) -> Session {
    let options = Options {
        signals,
        ..Options::default()
    };
    runtime::load(Arc::new(parse(text)), isa, options).unwrap_or_else(|error| panic!("{error}"))
}

/// What a run prints and does, and how many signals came.
fn run(session: &mut Session) -> (Vec<String>, Option<Fault>, usize) {
    assert_ne!(
        session.run(20 * LIMIT),
        RunOutcome::Limit,
        "it does not end"
    );
    let output = session.output().into_iter().map(str::to_owned).collect();
    let ticks = session.ticks().iter();
    let signals = ticks.filter(|tick| tick.kind == TickKind::Signal).count();
    (output, session.fault().cloned(), signals)
}

/// Everything that people see of registers but where execution is and what has just changed.
fn values(session: &Session) -> Vec<(&'static str, u64, bool, Option<u32>)> {
    let view = |r: RegisterView| (r.name, r.value, r.initialised, r.points_into);
    session.registers().into_iter().map(view).collect()
}

/// Runs with a signal before every instruction, of scenarios, stubs, switches and entries.
#[track_caller]
fn check_storm(name: &str, text: &str, isa: Isa) {
    let mut calm = load(text, isa);
    let (expected, fault, own) = run(&mut calm);
    assert_eq!(fault, None, "{name}");
    let mut stormy = load_with(text, isa, Signals::Everywhere);
    let (output, fault, signals) = run(&mut stormy);
    assert_eq!(fault, None, "{name} on {}", isa.name());
    assert_eq!(output, expected, "{name} on {}", isa.name());
    // Of a scenario that brings its own signals, the handlers are among the instructions.
    let instructions = calm.statistics().instructions;
    assert!(
        own > 0 || signals as u64 >= instructions,
        "{name}: {signals}"
    );
    // Every register, flags and control words among them, is as it would have been.
    assert_eq!(values(&stormy), values(&calm), "{name} on {}", isa.name());
    let events = |session: &Session| session.host().events();
    assert_eq!(events(&stormy), events(&calm), "{name} on {}", isa.name());
}

#[test]
fn a_signal_before_every_instruction_changes_nothing() {
    for scenario in SCENARIOS {
        for &isa in ISAS {
            check_storm(scenario.name, scenario.text, isa);
        }
    }
    let twins = PITFALLS.iter().filter(|scenario| !scenario.is_pitfall());
    // Time passes with every step, so what these two print is theirs alone.
    for scenario in STYLES.iter().chain(twins) {
        check_storm(scenario.name, scenario.text, Isa::X86_64);
    }
}

/// What an entry reads of the words that a task was made with must not lie below sp by then.
#[test]
fn a_signal_at_the_entry_of_a_task_leaves_its_arguments_alone() {
    let text = "scenario \"t\"\nstack S shared 2048\ntask A on S = f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)\n\
        fn f(a, b, c, d, e, f, g, h, i, j) { print a, b, c, d, e, f, g, h, i, j }\nmain { run }";
    for &isa in ISAS {
        check_storm("arguments", text, isa);
    }
}

#[test]
fn random_programs_do_not_notice_signals() {
    let mut options = generate::Options::default();
    options.statements = 6;
    for seed in 300..308 {
        let text = generate::generate(seed, &options);
        for &isa in ISAS {
            check_storm(&format!("seed {seed}"), &text, isa);
        }
    }
}

/// One by one, at every instruction of a run that switches, saves and restores: the handler runs,
/// and all that it leaves is below sp.
#[test]
fn a_signal_at_any_instruction_gives_every_register_back() {
    let text = "scenario \"t\"\nstack S shared 2048\ntask A on S = f(1)\ntask B on S = f(2)\n\
        fn f(n) { let a[2]\n a[0] = n\n yield\n print a[0] + n }\nmain { run }";
    for &isa in ISAS {
        let mut session = load(text, isa);
        session.run(LIMIT);
        let len = session.position();
        let expected: Vec<String> = session.output().into_iter().map(str::to_owned).collect();
        for position in 0..len - 1 {
            let mut session = load(text, isa);
            session.jump(position);
            let before = values(&session);
            session.intervene(Intervention::Signal).expect("a signal");
            let kind = session.last_step().expect("a step").kind;
            assert!(matches!(kind, StepKind::Signal { .. }), "{kind:?}");
            assert_eq!(
                session.intervene(Intervention::Signal),
                Err(RefusedIntervention::SignalBlocked)
            );
            loop {
                assert_eq!(
                    session.step(),
                    StepOutcome::Stepped,
                    "{:?}",
                    session.fault()
                );
                let step = session.last_step().expect("a step");
                assert!(!step.sentence.is_empty());
                if matches!(step.kind, StepKind::SignalReturn { .. }) {
                    break;
                }
            }
            assert_eq!(values(&session), before, "{} at {position}", isa.name());
            assert_eq!(
                run(&mut session),
                (expected.clone(), None, 1),
                "at {position}"
            );
        }
    }
}

#[test]
fn the_frame_lies_below_the_red_zone_and_names_its_words() {
    let text = "scenario \"t\"\nfn leaf(a) { let b[3]\n b[0] = a\n b[1] = a\n return b[0] + b[1] }\n\
        main { print leaf(4) }";
    for &isa in ISAS {
        let mut session = load(text, isa);
        let in_leaf = |session: &Session| {
            let stack = &session.stacks()[0];
            stack
                .frames
                .first()
                .is_some_and(|frame| frame.function == "leaf")
        };
        while !in_leaf(&session) {
            session.step();
        }
        session.next(Granularity::Statement, LIMIT);
        let sp = session.stacks()[0].sp.expect("it is in use");
        session.intervene(Intervention::Signal).expect("a signal");
        let step = session.last_step().expect("a step");
        let ends = step
            .writes
            .iter()
            .filter_map(|write| match &write.location {
                Location::Memory(range) => Some(range.end),
                _ => None,
            });
        let highest = ends.max().expect("the frame");
        let red_zone = u64::from(isa.red_zone_bytes());
        assert!(highest <= sp - red_zone, "{} of {sp:#x}", isa.name());
        assert!(highest > sp - red_zone - 32, "{} of {sp:#x}", isa.name());

        let stack = session.stacks().swap_remove(0);
        let functions: Vec<_> = stack.frames.iter().map(|f| f.function.as_str()).collect();
        assert_eq!(
            functions[..4],
            ["rt_signal", "signal frame", "leaf", "main"]
        );
        let words = session.stack_words(0, stack.frames[1].low..stack.frames[1].high);
        let registers = words
            .iter()
            .filter(|word| matches!(word.meaning, Meaning::SavedRegister { .. }));
        assert_eq!(registers.count(), session.registers().len() - 1);
        assert!(matches!(
            words
                .iter()
                .find(|w| w.address == stack.frames[1].high - signal_bytes(&session))
                .expect("the first word")
                .meaning,
            Meaning::ResumeAddress { .. }
        ));
        let (output, fault, _) = run(&mut session);
        assert_eq!((output, fault), (vec!["8".to_owned()], None));
    }
}

/// A word for each register and the program counter, in whole sixteens of bytes.
fn signal_bytes(session: &Session) -> u64 {
    let words = session.registers().len() as u64;
    (words * u64::from(session.isa().word_bytes())).next_multiple_of(16)
}

#[test]
fn a_signal_without_room_overflows_the_stack() {
    let text = "scenario \"t\"\nstack S shared 512\ntask A on S = f(20)\n\
        fn f(n) { if n > 0 { f(n - 1) }\n yield }\nmain { resume A }";
    let mut session = load_with(text, Isa::Aarch64, Signals::Everywhere);
    let (_, fault, _) = run(&mut session);
    let fault = fault.expect("a frame takes more than 512 bytes");
    assert!(
        matches!(fault.kind, FaultKind::Overflow { stack: 1, .. }),
        "{:?}",
        fault.kind
    );
    assert_eq!(fault.task, Some(1));
}

#[test]
fn signals_can_be_gone_back_over_and_made_again() {
    for &isa in ISAS {
        let mut options = Options {
            signals: Signals::InSwitches,
            ..Options::default()
        };
        let text = SCENARIOS[1].text;
        let open = |options| runtime::load(Arc::new(parse(text)), isa, options).expect("it loads");
        let mut session = open(options);
        // A log that is dropped has to be made again, signals and all.
        options.log_limit = 1000;
        let mut small = open(options);
        for session in [&mut session, &mut small] {
            session.jump(40);
            while session.intervene(Intervention::Signal).is_err() {
                session.step();
            }
        }
        let mut hashes = vec![];
        session.jump(0);
        hashes.push(session.state_hash());
        while session.step() == StepOutcome::Stepped {
            hashes.push(session.state_hash());
        }
        small.run(LIMIT);
        for position in (0..hashes.len()).rev().step_by(97) {
            for session in [&mut session, &mut small] {
                session.jump(position as u64);
                assert_eq!(session.state_hash(), hashes[position], "at {position}");
            }
            assert_eq!(session.last_step(), small.last_step(), "at {position}");
        }
    }
}
