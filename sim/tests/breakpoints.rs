//! A run stops at each kind of breakpoint, right where it says, forward over what is recorded too.

mod common;

use common::{ISAS, LIMIT, load};
use costack_sim::Session;
use costack_sim::view::{Breakpoint, Granularity, Location, RunOutcome, StepKind, StepView};

const TEXT: &str = "scenario \"t\"\nstack S shared 4096\nglobal g = 7\n\
    task A on S = f(1)\ntask B on S = f(2)\n\
    fn f(n) {\n yield\n g = g + n\n assert g < 10\n}\nmain {\n run\n}";

fn step(session: &Session) -> StepView {
    session.last_step().expect("a step was made")
}

/// Runs to a breakpoint so many times, then the same again over what is recorded. `here` says
/// whether a position is one to stop at.
#[track_caller]
fn check(breakpoint: &Breakpoint, times: usize, here: impl Fn(&Session) -> bool) {
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        let number = session.add_breakpoint(breakpoint.clone());
        let mut stops = Vec::new();
        for recorded in [false, true] {
            for time in 0..times {
                let outcome = session.run(LIMIT);
                assert_eq!(outcome, RunOutcome::Breakpoint(number), "{}", isa.name());
                assert!(here(&session), "{breakpoint:?} on {}", isa.name());
                match recorded {
                    false => stops.push(session.position()),
                    true => assert_eq!(session.position(), stops[time]),
                }
            }
            if !recorded {
                session.run(LIMIT);
                session.jump(0);
            }
        }
        // Without it nothing stops but the fault.
        session.remove_breakpoint(number);
        assert_eq!(session.breakpoints(), []);
        assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
    }
}

#[test]
fn stops_before_a_line() {
    check(&Breakpoint::Line(8), 2, |session| {
        session.source_line() == Some(8)
    });
}

#[test]
fn stops_before_an_address() {
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        session.next(Granularity::Switch, LIMIT);
        session.step();
        let address = session
            .registers()
            .last()
            .expect("the program counter")
            .value;
        session.jump(0);
        session.add_breakpoint(Breakpoint::Address(address));
        assert_eq!(session.run(LIMIT), RunOutcome::Breakpoint(0));
        let pc = session
            .registers()
            .last()
            .expect("the program counter")
            .value;
        assert_eq!(pc, address);
    }
}

#[test]
fn stops_after_a_write_to_a_register() {
    for (isa, name) in ISAS.iter().zip(["rbp", "ebp", "x29"]) {
        let mut session = load(TEXT, *isa);
        session.add_breakpoint(Breakpoint::RegisterWrite(name));
        for _ in 0..3 {
            assert_eq!(session.run(LIMIT), RunOutcome::Breakpoint(0));
            let writes = step(&session).writes;
            let is_it = |location: &Location| *location == Location::Register(name);
            assert!(
                writes.iter().any(|write| is_it(&write.location)),
                "{writes:?}"
            );
        }
    }
}

#[test]
fn stops_after_a_write_to_memory() {
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        let word = u64::from(isa.word_bytes());
        let symbol = session
            .words(0x40_0000..0x40_8000)
            .into_iter()
            .find(|word| {
                let name = "g".to_owned();
                word.meaning == costack_sim::view::Meaning::Global { name }
            });
        let address = symbol.expect("a global").address;
        // Its last byte is written with the rest of it; what lies beside it never is.
        session.add_breakpoint(Breakpoint::MemoryWrite(address + word - 1..address + word));
        session.add_breakpoint(Breakpoint::MemoryWrite(address + word..address + word + 4));
        for expected in [8, 10] {
            assert_eq!(session.run(LIMIT), RunOutcome::Breakpoint(0));
            assert_eq!(session.words(address..address + word)[0].value, expected);
            assert_eq!(
                step(&session).statement.map(|statement| statement.line),
                Some(8)
            );
        }
        assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
    }
}

#[test]
fn stops_after_a_save_or_a_restore() {
    let of_b = |session: &Session| {
        matches!(
            step(session).kind,
            StepKind::Save { task: 2, .. } | StepKind::Restore { task: 2, .. }
        )
    };
    check(&Breakpoint::Copy(Some(2)), 3, of_b);
    let of_any = |session: &Session| {
        matches!(
            step(session).kind,
            StepKind::Save { .. } | StepKind::Restore { .. }
        )
    };
    check(&Breakpoint::Copy(None), 5, of_any);
}

#[test]
fn stops_after_a_change_of_ownership() {
    let changed =
        |session: &Session| matches!(step(session).kind, StepKind::Owner { stack: 1, .. });
    check(&Breakpoint::Ownership(Some(1)), 3, changed);
    check(&Breakpoint::Ownership(None), 3, changed);
}

#[test]
fn stops_at_a_fault_and_says_so() {
    check(&Breakpoint::Fault, 1, |session| session.fault().is_some());
}
