//! The example programs of the five designs, run, and their output checked.
//!
//! Each runs in a process of its own, which is this one started again for one ignored test, so
//! that its output can be read.
#![cfg(feature = "io")]

#[path = "../examples/boot_overlap.rs"]
mod boot_overlap;
#[path = "../examples/coop.rs"]
mod coop;
#[path = "../examples/echo_server.rs"]
mod echo_server;
#[path = "../examples/libaco.rs"]
mod libaco;
#[path = "../examples/pollers.rs"]
mod pollers;
#[path = "../examples/round_robin.rs"]
mod round_robin;
mod support;

/// What an example prints.
#[track_caller]
fn output(name: &str) -> String {
    let output = support::run_ignored(name);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// Checks that an example prints these lines, in this order, and maybe others between them.
#[track_caller]
fn check(name: &str, lines: &[&str]) {
    let text = output(name);
    let mut rest = text.lines();
    for line in lines {
        assert!(
            rest.any(|found| found.trim_end() == *line),
            "`{line}` is missing, or not in its place:\n{text}"
        );
    }
}

#[test]
#[ignore = "run by the test of its output"]
fn run_boot_overlap() {
    boot_overlap::main().unwrap();
}

#[test]
#[ignore = "run by the test of its output"]
fn run_coop() {
    coop::main().unwrap();
}

#[test]
#[ignore = "run by the test of its output"]
fn run_echo_server() {
    echo_server::main().unwrap();
}

#[test]
#[ignore = "run by the test of its output"]
fn run_libaco() {
    libaco::main().unwrap();
}

#[test]
#[ignore = "run by the test of its output"]
fn run_pollers() {
    pollers::main().unwrap();
}

#[test]
#[ignore = "run by the test of its output"]
fn run_round_robin() {
    round_robin::main().unwrap();
}

#[test]
fn a_boot_takes_as_long_as_its_longest_part() {
    check(
        "run_boot_overlap",
        &[
            "disk 0   |########################################",
            "disk 1   |##############################",
            "one after the other: 220 ms",
            "overlapped:          80 ms",
        ],
    );
}

#[test]
fn two_functions_run_on_stacks_of_their_callers() {
    let comes_back = "a stack of 4096 bytes comes back to its owner";
    check(
        "run_coop",
        &[
            comes_back, comes_back, "ping 1", "pong 1", "ping 2", "pong 2", "ping 3",
        ],
    );
}

#[test]
fn the_synopsis_prints_what_the_documentation_shows() {
    check(
        "run_libaco",
        &[
            "main_co: yield to co: 0",
            "co: entry: 0",
            "co: yield to main_co: 0",
            "main_co: yield to co: 1",
            "co: yield to main_co: 1",
            "main_co: yield to co: 6",
            "co: exit to main_co: 6",
            "main_co: destroy and exit",
            "shared, shared, own: [100, 200, 300]",
            "shared, shared, own: [102, 202, 302]",
            "thread 1 counted to 1000",
            "thread 3 counted to 3000",
            "10000 lives were lived",
        ],
    );
}

#[test]
fn pollers_may_yield_anywhere() {
    check(
        "run_pollers",
        &[
            "in time: true",
            "the worker made 9 rounds until it was stopped",
        ],
    );
    assert!(output("run_pollers").contains("often enough"));
}

#[test]
fn a_task_that_accepts_does_not_freeze_the_rest() {
    let round = [
        "a 1", "b 1", "c 1", "a 2", "b 2", "c 2", "a 5", "b 5", "c 5",
    ];
    let mut lines = vec!["round 1"];
    lines.extend(round);
    lines.push("round 2");
    lines.extend(round);
    lines.push("with a server that accepts");
    lines.extend(round);
    lines.push("the server got: hello");
    check("run_round_robin", &lines);
}

#[test]
fn every_byte_of_many_connections_is_echoed() {
    let text = output("run_echo_server");
    assert!(text.contains("bytes echoed"), "{text}");
    assert!(text.contains("resident bytes per connection"), "{text}");
}
