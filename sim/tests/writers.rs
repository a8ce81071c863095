//! "Who wrote this?" leads to the instruction that made the value, however often it was copied.

mod common;

use common::{LIMIT, load};
use costack_sim::gallery::SCENARIOS;
use costack_sim::program::Isa;
use costack_sim::view::{Granularity, Meaning, StepKind, WordView};
use costack_sim::{Session, view};

fn two_tasks() -> Session {
    let scenario = SCENARIOS.iter().find(|s| s.name == "two_tasks_shared");
    load(scenario.expect("in the gallery").text, Isa::X86_64)
}

/// Moves on until the stack has changed hands so many times.
fn change_owner(session: &mut Session, times: usize) {
    for _ in 0..times {
        session.next(Granularity::Ownership, LIMIT);
    }
}

fn pad0(session: &Session) -> WordView {
    let stack = &session.stacks()[1];
    let words = session.stack_words(stack.number, stack.base..stack.top);
    let is_pad = |word: &WordView| matches!(&word.meaning, Meaning::Element { name, index: 0 } if name == "pad");
    words.into_iter().find(is_pad).expect("A is in `step`")
}

#[test]
fn follows_a_value_through_save_and_restore() {
    let mut session = two_tasks();
    // To A, to B, and back to A: its bytes have been out once.
    change_owner(&mut session, 3);
    let word = pad0(&session);
    assert_eq!(word.value, 100);
    let origin = session
        .writer_of_memory(word.address)
        .expect("it is written");
    assert_eq!(origin.copies.len(), 2, "a restore and a save: {origin:?}");
    for &copy in &origin.copies {
        session.jump(copy + 1);
        let kind = session.last_step().expect("a step").kind;
        assert!(matches!(
            kind,
            StepKind::Save { task: 1, .. } | StepKind::Restore { task: 1, .. }
        ));
    }
    session.jump(origin.step + 1);
    let step = session.last_step().expect("a step");
    assert!(
        matches!(step.kind, StepKind::Instruction { .. }),
        "{step:?}"
    );
    let writes_it = |write: &view::Write| {
        write.location == view::Location::Memory(word.address..word.address + 8)
            && write.new == view::Value::Word(100)
    };
    assert!(step.writes.iter().any(writes_it), "{step:?}");
}

#[test]
fn finds_the_last_write_of_a_register() {
    let mut session = two_tasks();
    change_owner(&mut session, 2);
    let origin = session.writer_of_register("rsp").expect("it is written");
    session.jump(origin.step + 1);
    let step = session.last_step().expect("a step");
    let writes_it = |write: &view::Write| write.location == view::Location::Register("rsp");
    assert!(step.writes.iter().any(writes_it), "{step:?}");
    assert_eq!(session.writer_of_register("no such register"), None);
}

#[test]
fn what_nothing_has_written_has_no_writer() {
    let session = two_tasks();
    let stack = &session.stacks()[1];
    assert_eq!(session.writer_of_memory(stack.base), None);
    assert_eq!(session.writer_of_register("rbx"), None);
}

/// Neighbours in the same eight bytes of memory have writers of their own.
#[test]
fn tells_bytes_apart_that_lie_side_by_side() {
    let text = "scenario \"t\"\nmain { let a[4]\n a[0] = 1\n a[1] = 2\n a[2] = 3\n a[3] = 4\n print a[0] }";
    let mut session = load(text, Isa::I386);
    let elements = |session: &Session| {
        let stack = session.stacks().swap_remove(0);
        let words = session.stack_words(0, stack.base..stack.top);
        let is_written = |word: &WordView| matches!(word.meaning, Meaning::Element { index, .. } if word.value == u64::from(index) + 1);
        words.into_iter().filter(is_written).collect::<Vec<_>>()
    };
    let all = (0..LIMIT).find_map(|_| {
        session.step();
        Some(elements(&session)).filter(|words| words.len() == 4)
    });
    let mut seen = Vec::new();
    for word in all.expect("all are written") {
        let Meaning::Element { index, .. } = word.meaning else {
            continue;
        };
        let origins: Vec<_> = (word.address..word.address + 4)
            .map(|byte| session.writer_of_memory(byte).expect("it is written").step)
            .collect();
        assert_eq!(origins, [origins[0]; 4]);
        seen.push((origins[0], index));
    }
    seen.sort_unstable();
    let order: Vec<u32> = seen.iter().map(|(_, index)| *index).collect();
    assert_eq!(order, [0, 1, 2, 3]);
    for (step, index) in seen {
        session.jump(step + 1);
        let writes = session.last_step().expect("a step").writes;
        let new = view::Value::Word(u64::from(index) + 1);
        assert!(writes.iter().any(|write| write.new == new), "{writes:?}");
    }
}
