//! What the tests of whole scenarios share.
#![allow(dead_code)]

use std::sync::Arc;

use costack_lang::syntax::Program;
use costack_sim::program::Isa;
use costack_sim::runtime;
use costack_sim::view::{Fault, RunOutcome};
use costack_sim::{Options, Session};

/// No test runs longer than this.
pub const LIMIT: u64 = 5_000_000;

/// The ISAs that scenarios run on.
pub const ISAS: &[Isa] = &[Isa::X86_64, Isa::I386, Isa::Aarch64];

/// Parses a scenario that has no mistakes.
#[track_caller]
pub fn parse(text: &str) -> Program {
    costack_lang::parse("test.costack", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Begins a session.
#[track_caller]
pub fn load(text: &str, isa: Isa) -> Session {
    runtime::load(Arc::new(parse(text)), isa, Options::default())
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// What a run to its end has printed, and what went wrong.
pub fn finish(session: &mut Session) -> (Vec<String>, Option<Fault>) {
    let outcome = session.run(LIMIT);
    assert_ne!(outcome, RunOutcome::Limit, "the scenario does not end");
    let output = session.output();
    let output = output.into_iter().map(str::to_owned).collect();
    (output, session.fault().cloned())
}

/// A scenario around the statements of main.
pub fn main_of(statements: &str) -> String {
    format!("scenario \"test\"\nmain {{\n{statements}\n}}\n")
}

/// Runs a scenario on every ISA and compares what it prints.
#[track_caller]
pub fn check(text: &str, expected: &[&str]) {
    for &isa in ISAS {
        let mut session = load(text, isa);
        let (output, fault) = finish(&mut session);
        if let Some(fault) = &fault {
            panic!(
                "{}: {} in `{}` of {}",
                isa.name(),
                fault.kind,
                fault.instruction,
                fault.function
            );
        }
        assert_eq!(output, expected, "on {}", isa.name());
    }
}

/// As [`check`], of statements of main.
#[track_caller]
pub fn check_main(statements: &str, expected: &[&str]) {
    check(&main_of(statements), expected);
}

/// Runs a scenario on every ISA to its fault. `expected` is where it happens and what the message
/// begins with.
#[track_caller]
pub fn check_fault(text: &str, task: u32, line: u32, expected: &str) {
    for &isa in ISAS {
        let mut session = load(text, isa);
        let (output, fault) = finish(&mut session);
        let Some(fault) = fault else {
            panic!("no fault on {}; printed {output:?}", isa.name());
        };
        let message = fault.kind.to_string();
        assert!(
            message.starts_with(expected),
            "on {}: {message}",
            isa.name()
        );
        assert_eq!(fault.task, Some(task), "on {}: {message}", isa.name());
        let at = fault.statement.map(|statement| statement.line);
        assert_eq!(at, Some(line), "on {}: {message}", isa.name());
    }
}
