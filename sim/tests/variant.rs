//! The same scenario on other stacks prints the same and copies less or more.

mod common;

use std::sync::Arc;

use common::{LIMIT, finish, parse};
use costack_sim::gallery::SCENARIOS;
use costack_sim::program::Isa;
use costack_sim::variant::{Stacks, with_stacks};
use costack_sim::{Options, Session, runtime};

fn load(name: &str, stacks: Stacks) -> Option<Session> {
    let scenario = SCENARIOS.iter().find(|s| s.name == name).expect("listed");
    let program = with_stacks(&parse(scenario.text), stacks)?;
    let session = runtime::load(Arc::new(program), Isa::X86_64, Options::default());
    Some(session.expect("it fits"))
}

#[test]
fn prints_the_same_on_any_stacks() {
    for name in ["two_tasks_shared", "two_tasks_own", "deep_and_shallow"] {
        let expected = finish(&mut load(name, Stacks::AsWritten).expect("as it is"));
        for stacks in [
            Stacks::Shared(1),
            Stacks::Shared(2),
            Stacks::Shared(4),
            Stacks::Own,
        ] {
            let found = finish(&mut load(name, stacks).expect("it declares its tasks"));
            assert_eq!(found, expected, "{name} on {stacks:?}");
        }
    }
}

#[test]
fn only_tasks_of_one_stack_evict_each_other() {
    let saves = |stacks| {
        let mut session = load("two_tasks_own", stacks).expect("it declares its tasks");
        session.run(LIMIT);
        session.statistics().saves
    };
    assert!(saves(Stacks::Shared(1)) > 0);
    assert_eq!(saves(Stacks::Shared(2)), 0);
    assert_eq!(saves(Stacks::Own), 0);
}

#[test]
fn tasks_made_on_the_way_are_not_moved() {
    let text = "scenario \"x\"\nstack S shared 4096\nfn f() { yield }\n\
                main { if 1 { spawn A on S = f() }\nrun }";
    assert_eq!(with_stacks(&parse(text), Stacks::Own), None);
}
