//! What a session tells as a trace.

mod common;

use common::{ISAS, finish, load};
use costack_engine::trace::{Record, What};

const TEXT: &str = r#"scenario "trace"
mutex m
stack S shared 8192
stack T own 8192
task A on S = f(1)
task B on T = f(2)
fn f(n) {
    lock m
    sleep 5 us
    unlock m
    print "task", n
}
fn late() { print 1 / 0 }
main {
    start A
    start B
    run
    spawn W on S = late()
    run
}
"#;

fn words(record: &Record) -> String {
    match &record.what {
        What::Task { task, name, .. } => format!("task {task} {}", name.clone().unwrap()),
        What::Block { task, on } => format!("block {task} {on}"),
        What::Print { task, text } => format!("print {task} {text}"),
        What::Fault { task, line, reason } => format!("fault {task} {line} {reason}"),
        What::End { task } => format!("end {task}"),
        _ => String::new(),
    }
}

#[test]
fn tells_tasks_waits_lines_and_the_fault_in_order() {
    for isa in ISAS {
        let mut session = load(TEXT, *isa);
        let _ = finish(&mut session);
        let told: Vec<String> = session.trace().iter().map(words).collect();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let told: Vec<&&str> = told.iter().filter(|words| !words.is_empty()).collect();
        assert_eq!(
            told,
            [
                &"task 1 A",
                &"task 2 B",
                &"block 1 sleep until 5 us",
                &"block 2 lock m",
                &"print 1 task 1",
                &"end 1",
                &"block 2 sleep until 10 us",
                &"print 2 task 2",
                &"end 2",
                &"task 3 W",
                &"fault 3 13 division by zero",
            ]
        );
    }
}

#[test]
fn time_goes_on_and_counts_what_was_slept() {
    let mut session = load(TEXT, ISAS[0]);
    let _ = finish(&mut session);
    let records = session.trace();
    assert!(records.is_sorted_by_key(|record| record.at_ns));
    let steps = session.position();
    assert_eq!(records.last().map(|r| r.at_ns), Some(steps - 1 + 10_000));
}

#[test]
fn is_the_same_at_a_position_however_it_was_reached() {
    let mut session = load(TEXT, ISAS[0]);
    let _ = finish(&mut session);
    let (end, whole) = (session.position(), session.trace());
    let mut halves = Vec::new();
    for position in [end / 2, end / 3, 0, end / 3, end / 2] {
        session.jump(position);
        halves.push(session.trace());
    }
    assert_eq!(halves[0], halves[4]);
    assert_eq!(halves[1], halves[3]);
    assert_eq!(halves[2].len(), 2, "only the declared tasks");
    assert!(whole.starts_with(&halves[0]) && halves[0].starts_with(&halves[1]));
    assert!(halves[0].len() > halves[1].len());
    session.jump(end);
    assert_eq!(session.trace(), whole);
}
