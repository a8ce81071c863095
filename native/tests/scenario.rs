//! Scenarios on the real CPU: what each statement does, and what each fault says.
#![cfg(feature = "scenario")]

use costack::scenario::{Clock, Options, Report, Unfit, run};

fn options() -> Options {
    Options {
        clock: Clock::Virtual,
        statement_limit: 100_000,
        trust_pointers: true,
    }
}

#[track_caller]
fn report(text: &str) -> Report {
    let text = format!("scenario \"test\"\n{text}");
    let program = costack_lang::parse("test.costack", &text)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    run(program, &options()).expect("fit to be run")
}

#[track_caller]
fn check(text: &str, output: &[&str]) {
    let report = report(text);
    assert_eq!(report.fault.as_ref().map(ToString::to_string), None);
    assert_eq!(report.output, output);
}

#[track_caller]
fn check_fault(text: &str, fault: &str) {
    let report = report(text);
    assert_eq!(report.fault.expect("a fault").to_string(), fault);
}

const TWO_ON_ONE: &str = "
    stack S shared 4096
    task A on S = worker(6)
    task B on S = worker(3)
    fn worker(n) {
        let i = 0
        while i < n { step(i); i = i + 1 }
    }
    fn step(x) {
        let pad[40]
        let i = 0
        while i < 40 { pad[i] = x * 100 + i + self() * 100000; i = i + 1 }
        yield
        i = 0
        while i < 40 { assert pad[i] == x * 100 + i + self() * 100000; i = i + 1 }
        print \"step\", self(), x
    }
";

#[test]
fn locals_and_arrays_survive_evictions() {
    check(
        &format!(
            "{TWO_ON_ONE} main {{ while alive(A) or alive(B) {{ if alive(A) {{ resume A }} if alive(B) {{ resume B }} }} }}"
        ),
        &[
            "step 1 0", "step 2 0", "step 1 1", "step 2 1", "step 1 2", "step 2 2", "step 1 3",
            "step 1 4", "step 1 5",
        ],
    );
}

#[test]
fn events_tell_saves_restores_and_owners() {
    use costack::Event::*;
    let report = report(
        "stack S shared 4096
         task A on S = f()
         task B on S = f()
         fn f() { yield }
         main { resume A; resume B; resume A }",
    );
    let shape: Vec<String> = report
        .events
        .iter()
        .map(|event| match event {
            Resume { task, by } => format!("resume {} by {}", task.index(), by.index()),
            Save { task, .. } => format!("save {}", task.index()),
            Restore { task, .. } => format!("restore {}", task.index()),
            Owner { stack, from, to } => format!(
                "owner of {stack}: {:?} to {:?}",
                from.map(|t| t.index()),
                to.map(|t| t.index())
            ),
            Yield { task } => format!("yield {}", task.index()),
            Block { task } => format!("block {}", task.index()),
            End { task } => format!("end {}", task.index()),
        })
        .collect();
    assert_eq!(
        shape,
        [
            "resume 1 by 0",
            "restore 1",
            "owner of 0: None to Some(1)",
            "yield 1",
            "resume 2 by 0",
            "save 1",
            "restore 2",
            "owner of 0: Some(1) to Some(2)",
            "yield 2",
            "resume 1 by 0",
            "save 2",
            "restore 1",
            "owner of 0: Some(2) to Some(1)",
            "end 1",
            "owner of 0: Some(1) to None",
        ]
    );
}

#[test]
fn every_wait_is_served() {
    check(
        "mutex m
         event e
         channel c 3
         global turn = 0
         stack S shared 8192
         stack T own 8192
         task A on S = first()
         task B on S = second()
         task C on T = third()
         fn first() { lock m; sleep 5 ms; turn = 1; unlock m; wait e; print \"first\", now() }
         fn second() { lock m; print \"turn\", turn; unlock m; send c, 7; send c, 8; send c, 9 }
         fn third() { join B; print recv c, recv c, recv c; complete e }
         main { run; print \"all\", alive(A), alive(B), alive(C) }",
        &["turn 1", "7 8 9", "first 5000", "all 0 0 0"],
    );
}

#[test]
fn a_full_channel_blocks_its_sender_until_there_is_room() {
    check(
        "channel c 1
         stack S shared 8192
         task P on S = produce()
         task Q on S = consume()
         fn produce() { let i = 0; while i < 4 { send c, i * i; i = i + 1 } }
         fn consume() { let i = 0; while i < 4 { print recv c; i = i + 1 } }
         main { run }",
        &["0", "1", "4", "9"],
    );
}

#[test]
fn a_spawned_name_means_the_newest_task() {
    check(
        "stack S shared 8192
         fn f(n) { print \"f\", n; yield; print \"g\", n }
         main { let i = 0; while i < 3 { spawn W on S = f(i); i = i + 1 } join W; print alive(W) }",
        &["f 0", "f 1", "f 2", "g 0", "g 1", "g 2", "0"],
    );
}

#[test]
fn pointers_reach_locals_and_globals() {
    check(
        "global g = 5
         stack S own 8192
         task A on S = f()
         fn f() { let x = 1; bump(&x); let a[3]; a[0] = 1; a[1] = 2; a[2] = 3; bump(&a[1]); bump(&g); yield; print x, a[1], g }
         fn bump(p) { *p = *p + 10 }
         main { resume A; resume A }",
        &["11 12 15"],
    );
}

#[test]
fn exit_ends_a_task_from_any_depth() {
    check(
        "stack S shared 8192
         task A on S = f(3)
         fn f(n) { if n == 0 { exit } f(n - 1); print \"never\" }
         main { resume A; print alive(A) }",
        &["0"],
    );
}

#[test]
fn a_rounding_mode_is_kept_per_fp_task() {
    check(
        "stack S shared 8192
         task A on S fp = up()
         task B on S fp = look()
         fn up() { fpmode up; yield; print \"A\", fpmode() }
         fn look() { print \"B\", fpmode(); fpmode zero; yield; print \"B\", fpmode() }
         main { resume A; print \"main\", fpmode(); resume B; resume A; resume B; print \"main\", fpmode() }",
        &["main 0", "B 0", "A 2", "B 3", "main 0"],
    );
}

#[test]
fn a_task_of_the_same_stack_cannot_be_resumed() {
    check_fault(
        "stack S shared 8192
         task A on S = f()
         task B on S = g()
         fn f() { resume B }
         fn g() { yield }
         main { resume A }",
        "A, line 5: resume B: its stack is in use by the coroutine that resumes it, or by one further up",
    );
}

#[test]
fn faults_name_task_line_and_reason() {
    check_fault(
        "stack S shared 8192
         task A on S = f(4)
         fn f(x) { yield; assert x == 5 }
         main { resume A; resume A }",
        "A, line 4: assertion failed: x == 5, that is 4 == 5",
    );
    check_fault(
        "stack S own 8192
         task A on S = f(0)
         fn f(x) { print 1 / x }
         main { resume A }",
        "A, line 4: division by zero",
    );
    check_fault(
        "stack S own 8192
         task A on S = f(0)
         fn f(x) { f(x + 1) }
         main { resume A }",
        "A, line 4: stack overflow: S has no room for another call",
    );
    check_fault(
        "stack S own 8192
         task A on S = f()
         fn f() { }
         main { resume A; resume A }",
        "main, line 5: resume A: it has finished and cannot be resumed",
    );
    check_fault(
        "mutex m
         stack S shared 8192
         task A on S = f()
         task B on S = f()
         fn f() { lock m }
         main { run }",
        "main, line 7: deadlock: main waits for run; B waits for lock m, held by A",
    );
    check_fault(
        "main { while 1 { } }",
        "main, line 2: stopped after 100000 statements, the step limit",
    );
    check_fault(
        "main { let a[2]; a[2] = 1 }",
        "main, line 2: index 2 is outside the array of 2 words; the simulator shows what it hits",
    );
    check_fault(
        "main { print *64 }",
        "main, line 2: 0x40 points at no word of the program; the simulator shows what it hits",
    );
}

#[test]
fn tasks_left_behind_are_dropped() {
    check(&format!("{TWO_ON_ONE} main {{ resume A; resume B }}"), &[]);
}

#[test]
fn what_only_the_simulator_can_run_is_refused() {
    let refused = |text: &str| {
        let program = costack_lang::parse("test.costack", text).expect("a valid program");
        run(program, &Options::default()).expect_err("refused")
    };
    let pointer = "scenario \"p\"\nmain {\n let x = 1\n print *&x }";
    assert_eq!(refused(pointer), Unfit::Pointer { line: 4 });
    let switch = "scenario \"s\"\nswitch x86_64 {\n nop\n}\nmain { }";
    assert_eq!(refused(switch), Unfit::SwitchText { line: 2 });
}

#[test]
fn a_run_does_not_find_the_rounding_mode_of_the_one_before() {
    let leaves_one = "main { print fpmode(); fpmode up }";
    check(leaves_one, &["0"]);
    check(leaves_one, &["0"]);
}
