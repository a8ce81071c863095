//! What must hold of the assembler, the prover and the machine for any text.
#![allow(dead_code)]

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use costack_lang::syntax;
use costack_sim::asm::AsmError;
use costack_sim::program::{Isa, Part, Rights};
use costack_sim::prove::{Contract, prove};
use costack_sim::view::RunOutcome;
use costack_sim::{LoadError, Options, Session, runtime};

/// Steps that a text may run for.
const STEPS: u64 = 2000;

/// Where a text takes the place of the switch.
static SCENARIO: LazyLock<syntax::Program> = LazyLock::new(|| {
    let text = "scenario \"x\"\nstack S shared 2048\ntask A on S = f(1)\ntask B on S = f(2)\n\
        fn f(n) { let a[2]\n a[0] = n\n yield\n print a[0] + n }\nmain { run }";
    costack_lang::parse("fuzz.costack", text).expect("it has no mistakes")
});

/// Any bytes are answered on every ISA. What is no UTF-8 is taken for the nearest text.
pub fn check_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for isa in [Isa::X86_64, Isa::I386, Isa::Aarch64] {
        check_text(isa, &text);
    }
}

/// A text has mistakes, or it is proven or refuted, and does something when it runs, which can
/// be taken back.
pub fn check_text(isa: Isa, text: &str) {
    let part = Part {
        file: Cow::Borrowed("fuzz.s"),
        first_line: 1,
        text: Cow::Owned(text.to_owned()),
        rights: Rights::Plain,
        statements: Vec::new(),
    };
    match prove(&Contract::of_text(isa, text), &part) {
        Err(errors) => check_mistakes(text, &errors),
        Ok(reports) => reports.iter().for_each(|report| drop(report.to_string())),
    }
    match runtime::load(Arc::new(with_switch(isa, text)), isa, options()) {
        Err(LoadError::Assembly(errors)) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| drop(error.to_string()));
        }
        Err(error) => drop(error.to_string()),
        Ok(session) => check_session(session),
    }
}

fn options() -> Options {
    Options {
        memory_limit: 16 << 20,
        log_limit: 16 << 20,
        ..Options::default()
    }
}

fn with_switch(isa: Isa, text: &str) -> syntax::Program {
    let mut program = SCENARIO.clone();
    program.switches = vec![syntax::SwitchText {
        isa: match isa {
            Isa::X86_64 => syntax::Isa::X86_64,
            Isa::I386 => syntax::Isa::I386,
            Isa::Aarch64 => syntax::Isa::Aarch64,
        },
        text: text.to_owned(),
        text_span: syntax::Span { start: 0, end: 0 },
        first_line: 1,
        span: syntax::Span { start: 0, end: 0 },
    }];
    program
}

/// Each mistake is in the text, and says what was expected.
fn check_mistakes(text: &str, errors: &[AsmError]) {
    assert!(!errors.is_empty());
    let lines = text.lines().count();
    for error in errors {
        assert!(
            (1..=lines.max(1)).contains(&(error.line as usize)),
            "{error}"
        );
        let width = error.text.chars().count() as u32;
        assert!(error.column >= 1 && error.column <= width + 1, "{error}");
        assert!(
            !error.found.is_empty() && !error.expected.is_empty(),
            "{error}"
        );
    }
}

fn check_session(mut session: Session) {
    let start = session.state_hash();
    let outcome = session.run(STEPS);
    if outcome == RunOutcome::Faulted {
        let fault = session.fault().expect("it has faulted");
        assert!(!fault.kind.to_string().is_empty());
    }
    drop((session.last_step(), session.stacks(), session.tasks()));
    let (end, position) = (session.state_hash(), session.position());
    session.jump(0);
    assert_eq!(session.state_hash(), start, "going back is not exact");
    session.jump(position);
    assert_eq!(session.state_hash(), end, "going forward is not exact");
}
