//! What is remembered from one scenario to the next, and from one step to the next, changes
//! nothing.

mod common;

use std::sync::Arc;

use common::{ISAS, load, main_of, parse};
use costack_sim::gallery::SCENARIOS;
use costack_sim::view::StepOutcome;
use costack_sim::{LoadError, Options, Session, runtime};

/// The mistakes in a scenario's switch text for x86-64, by line and column. It stands in several
/// stubs, and each says the same.
fn mistakes(switch: &str) -> Vec<(u32, u32, String)> {
    let text = main_of("") + "switch x86_64 {\n" + switch + "\n}\n";
    let isa = ISAS[0];
    match runtime::load(Arc::new(parse(&text)), isa, Options::default()) {
        Ok(_) => Vec::new(),
        Err(LoadError::Assembly(errors)) => {
            let errors = errors.into_iter();
            let mut found: Vec<_> = errors
                .map(|error| (error.line, error.column, error.found))
                .collect();
            found.dedup();
            found
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_line_that_the_stubs_may_write_is_refused_in_a_switch_text() {
    // The stubs of this thread's first session have said it, with the same spaces.
    let _ = load(&main_of("print 1"), ISAS[0]);
    let found = mistakes("    host end");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].2, "unknown instruction `host`");
}

#[test]
fn a_known_line_is_none_inside_of_a_comment() {
    let wrong = "    mov rax, 5, 6";
    let outside = mistakes(wrong);
    assert_eq!(outside.len(), 1, "{outside:?}");
    let inside = mistakes(&format!("/* begins\n{wrong}\nends */"));
    assert!(inside.is_empty(), "{inside:?}");
    // And again outside, at its own place.
    let again = mistakes(&format!("\n{wrong}"));
    let (line, column, found) = outside[0].clone();
    assert_eq!(again, [(line + 1, column, found)]);
}

fn sentence(session: &Session) -> String {
    session
        .last_step()
        .map_or(String::new(), |step| step.sentence)
}

#[test]
fn a_step_is_told_the_same_way_from_before_and_from_behind() {
    for &isa in ISAS {
        for scenario in SCENARIOS {
            let mut session = load(scenario.text, isa);
            let mut told = vec![sentence(&session)];
            while told.len() < 1500 && session.step() == StepOutcome::Stepped {
                told.push(sentence(&session));
            }
            // From behind, then forward again over what is recorded.
            for position in (0..told.len()).rev().step_by(7) {
                session.jump(position as u64);
                assert_eq!(sentence(&session), told[position], "{}", scenario.name);
            }
            session.jump(told.len() as u64 / 2);
            session.jump(told.len() as u64 - 1);
            assert_eq!(Some(&sentence(&session)), told.last(), "{}", scenario.name);
        }
    }
}
