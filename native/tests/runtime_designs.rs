//! The scenarios of the five designs on the real CPU. The simulator's gallery tests run the same
//! files.
#![cfg(feature = "scenario")]

use costack::scenario::{Clock, Options, run};

/// Runs a scenario and checks that it prints these lines, in this order, maybe with others between.
#[track_caller]
fn check(text: &str, lines: &[&str]) {
    let program = costack_lang::parse("design.costack", text)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let options = Options {
        clock: Clock::Virtual,
        statement_limit: 100_000,
        trust_pointers: true,
    };
    let report = run(program, &options).expect("fit to be run");
    assert_eq!(report.fault.as_ref().map(ToString::to_string), None);
    let mut rest = report.output.iter();
    for line in lines {
        assert!(
            rest.any(|found| found == line),
            "`{line}`: {:#?}",
            report.output
        );
    }
}

#[test]
fn libaco_resumes_a_coroutine_seven_times() {
    check(
        include_str!("../../scenarios/libaco_synopsis.costack"),
        &[
            "co: entry: 0",
            "main_co: yield to co: 6",
            "main_co: destroy and exit",
        ],
    );
}

#[test]
fn a_boot_takes_as_long_as_its_longest_part() {
    check(
        include_str!("../../scenarios/designs/boot_overlap.costack"),
        &[
            "tpm is ready after 120 polls",
            "disk 1 is ready at 70 ms",
            "disk 0 is ready at 90 ms",
            "booted after 90 ms",
        ],
    );
}

#[test]
fn three_tasks_print_five_times_each_twice_over() {
    let turns = [
        "task 1 count 1",
        "task 2 count 1",
        "task 3 count 1",
        "task 1 count 5",
        "task 2 count 5",
        "task 3 count 5",
    ];
    let mut lines = turns.to_vec();
    lines.push("once more, and b waits");
    lines.extend([
        "task 2 count 2",
        "task 1 count 5",
        "task 3 count 5",
        "task 2 count 5",
    ]);
    check(
        include_str!("../../scenarios/designs/round_robin.costack"),
        &lines,
    );
}

#[test]
fn the_caller_brings_the_stacks() {
    check(
        include_str!("../../scenarios/designs/coop.costack"),
        &[
            "1 says 1",
            "2 says 1",
            "2 has finished",
            "1 has finished",
            "both stacks are free",
        ],
    );
}

#[test]
fn short_lives_share_a_stack() {
    check(
        include_str!("../../scenarios/designs/libaco_lives.costack"),
        &["shared, shared, own: 1809", "200 lives were lived"],
    );
}

#[test]
fn a_silent_connection_costs_the_others_nothing() {
    check(
        include_str!("../../scenarios/designs/echo_server.costack"),
        &[
            "55 words echoed",
            "20 connections were closed after a silence",
        ],
    );
}

#[test]
fn tasks_wait_for_all_there_is_to_wait_for() {
    check(
        include_str!("../../scenarios/designs/waiting.costack"),
        &[
            "not locked until 10",
            "locked at 50",
            "completions: 11",
            "channels: received 7",
            "woken: 3",
            "worked: 55",
            "asked to stop at 1250",
            "stopped after 3 ticks",
            "cancelled after 5 steps",
            "late at 1425",
        ],
    );
}

#[test]
fn pollers_share_a_device() {
    check(
        include_str!("../../scenarios/designs/pollers.costack"),
        &["transfer: done", "main: the transfer is done"],
    );
}
