//! What goes wrong is named with task, line and reason.

mod common;

use common::{LIMIT, check_fault, load, main_of};
use costack_sim::program::Isa;
use costack_sim::view::RunOutcome;

#[test]
fn a_failed_assertion_shows_both_sides() {
    check_fault(
        &main_of("let x = 3\nassert x == 4"),
        0,
        4,
        "assertion failed: x == 4, that is 3 == 4",
    );
    check_fault(
        &main_of("let x = 3\nassert x == 4 or x < 0"),
        0,
        4,
        "assertion failed: x == 4 or x < 0 is 0",
    );
    let leaf = "scenario \"t\"\nfn leaf(a, b) {\n assert a * 2 > b + 1\n return 0 }\nmain { leaf(1, -5)\n leaf(2, 9) }";
    check_fault(
        leaf,
        0,
        3,
        "assertion failed: a * 2 > b + 1, that is 4 > 10",
    );
}

#[test]
fn recursion_ends_in_the_guard_page() {
    let text = "scenario \"t\"\nstack S shared 1024\ntask A on S = f(0)\n\
        fn f(n) {\n let a[4]\n a[0] = n\n f(n + 1)\n return a[0] }\nmain { resume A }";
    let mut session = load(text, Isa::X86_64);
    assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
    let fault = session.fault().cloned().expect("a fault");
    assert!(
        fault.kind.to_string().starts_with("stack overflow"),
        "{}",
        fault.kind
    );
    assert_eq!(fault.task, Some(1));
    assert_eq!(fault.function, "f");
}

#[test]
fn a_frame_larger_than_the_stack_is_an_overflow() {
    let text = "scenario \"t\"\nstack S shared 1024\nstack T own 65536\ntask A on S = f(1)\n\
        fn f(n) {\n let a[4000]\n a[0] = n\n print a[0] }\nmain { resume A }";
    let mut session = load(text, Isa::X86_64);
    assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
    let fault = session.fault().cloned().expect("a fault");
    assert!(
        fault.kind.to_string().starts_with("stack overflow"),
        "{}",
        fault.kind
    );
    assert_eq!(fault.task, Some(1));
}

#[test]
fn reading_what_nobody_wrote() {
    check_fault(
        &main_of("let a[2]\na[0] = 1\nprint a[1]"),
        0,
        5,
        "read at 0x",
    );
    // Each round of a loop begins with nothing in the array.
    check_fault(
        &main_of(
            "let i = 0\nwhile i < 2 {\nlet a[1]\nif i == 0 { a[0] = 1 }\nlet x = a[0]\ni = i + 1 }",
        ),
        0,
        7,
        "read at 0x",
    );
}

#[test]
fn division_by_zero() {
    check_fault(&main_of("let z = 0\nprint 5 / z"), 0, 4, "division by zero");
    check_fault(&main_of("let z = 0\nprint 5 % z"), 0, 4, "division by zero");
    check_fault(&main_of("print 5 / 0"), 0, 3, "division by zero");
}

#[test]
fn a_broken_return_address_leads_astray() {
    let text =
        "scenario \"t\"\nfn smash(v) {\n let a[1]\n a[0] = v\n a[3] = v\n}\nmain { smash(0x1234) }";
    let mut session = load(text, Isa::X86_64);
    assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
    let fault = session.fault().cloned().expect("a fault");
    assert!(
        fault.kind.to_string().starts_with("jump to 0x1234"),
        "{}",
        fault.kind
    );
    assert_eq!(fault.function, "smash");
}

const TASK: &str = "stack S shared 4096\nstack T shared 4096\n";

#[test]
fn resume_of_a_task_that_may_not_be_resumed() {
    let text = format!(
        "scenario \"t\"\n{TASK}task A on S = f()\nfn f() {{ }}\nmain {{\n resume A\n resume A\n}}"
    );
    check_fault(
        &text,
        0,
        8,
        "resume A: it has finished and cannot be resumed",
    );
    let text = format!(
        "scenario \"t\"\n{TASK}task A on S = f()\nfn f() {{\n resume A\n}}\nmain {{ resume A }}"
    );
    check_fault(&text, 1, 6, "resume A: it is running already");
    let text = format!(
        "scenario \"t\"\n{TASK}task A on S = f()\ntask B on S = g()\nfn f() {{\n resume B\n}}\nfn g() {{ }}\nmain {{ resume A }}"
    );
    check_fault(&text, 1, 7, "resume B: its stack is in use");
    let text = format!(
        "scenario \"t\"\n{TASK}event e\ntask A on S = f()\nfn f() {{ wait e }}\nmain {{\n resume A\n resume A\n}}"
    );
    check_fault(&text, 0, 9, "resume A: it waits for something");
}

#[test]
fn names_without_a_task() {
    let text = format!(
        "scenario \"t\"\n{TASK}fn f() {{ }}\nmain {{\n if 0 {{ spawn W on S = f() }}\n join W\n}}"
    );
    check_fault(
        &text,
        0,
        7,
        "join W: no task has been made under this name yet",
    );
}

#[test]
fn an_own_stack_takes_one_task() {
    let text = "scenario \"t\"\nstack T own 4096\nfn f() { yield }\nmain {\n let i = 0\n while i < 2 {\n  spawn W on T = f()\n  i = i + 1 }\n}";
    check_fault(
        text,
        0,
        7,
        "spawn W on T: an own stack takes one coroutine only",
    );
}

#[test]
fn deadlock_says_who_waits_for_what() {
    let text = format!(
        "scenario \"t\"\n{TASK}mutex m\nmutex n\ntask A on S = f()\ntask B on S = g()\n\
         fn f() {{ lock m; yield; lock n }}\nfn g() {{ lock n; yield; lock m }}\nmain {{\n run\n}}"
    );
    check_fault(
        &text,
        0,
        11,
        "deadlock: main waits for run; A waits for lock n, held by B; B waits for lock m, held by A",
    );
}

#[test]
fn mutexes_have_owners() {
    let text = format!("scenario \"t\"\n{TASK}mutex m\nmain {{\n unlock m\n}}");
    check_fault(
        &text,
        0,
        6,
        "unlock m: the mutex is held by another task, or by none",
    );
    let text = format!("scenario \"t\"\n{TASK}mutex m\nmain {{\n lock m\n lock m\n}}");
    check_fault(&text, 0, 7, "lock m: it holds this mutex already");
}

#[test]
fn a_pointer_into_a_frame_that_is_out() {
    let text = "scenario \"t\"\nstack S shared 4096\nglobal p = 0\n\
        task A on S = publish()\ntask B on S = write()\n\
        fn publish() {\n let x = 1\n p = &x\n yield\n print x }\n\
        fn write() {\n let y = 2\n *p = 9\n print y }\n\
        main { resume A\n resume B\n resume A }";
    check_fault(text, 2, 13, "stale pointer: write at 0x");
}

#[test]
fn an_endless_loop_meets_the_limit() {
    let mut session = load(&main_of("while 1 { }"), Isa::X86_64);
    assert_eq!(session.run(10_000), RunOutcome::Limit);
}
