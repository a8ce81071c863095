//! Each command as a process: output, messages, exit code.

use crate::support::{check, costack, costack_with_module, file, said};

const TWO: &str = "two_tasks_shared.costack";

#[test]
fn run_prints_the_output_and_then_a_summary() {
    let done = check(costack(&["run", TWO]), 0, "step", "evictions");
    let (stdout, stderr) = said(&done);
    assert!(!stdout.contains("evictions"), "the summary is no output");
    assert!(stderr.starts_with("sim: "), "{stderr}");
    assert!(stderr.contains("0 faults"), "{stderr}");
    assert!(stderr.contains("largest image"), "{stderr}");
}

#[test]
fn every_backend_prints_the_same() {
    let output = |command| said(&check(command, 0, "", "0 faults")).0;
    let sim = output(costack(&["run", TWO]));
    assert_eq!(output(costack(&["run", TWO, "--backend", "native"])), sim);
    let wasm = &["run", TWO, "--backend", "wasm"];
    assert_eq!(output(costack_with_module(wasm)), sim);
    for isa in ["x86_64", "i386", "aarch64"] {
        assert_eq!(output(costack(&["run", TWO, "--isa", isa])), sim, "{isa}");
    }
}

#[test]
fn standard_input_is_read() {
    let mut command = assert_cmd::Command::from_std(costack(&["run", "-"]));
    let done = command.write_stdin("scenario \"s\"\nmain { print 6 * 7 }");
    assert_eq!(done.assert().code(0).get_output().stdout, b"42\n");
    let mut command = assert_cmd::Command::from_std(costack(&["run", "-"]));
    let done = command
        .write_stdin("scenario \"s\"\nmain { print x }")
        .assert();
    let (_, stderr) = said(&done.code(2));
    assert!(stderr.contains("<stdin>:2:14"), "{stderr}");
}

#[test]
fn a_fault_names_task_line_and_reason() {
    let text = "scenario \"f\"\nstack S shared 4096\ntask A on S = f(0)\nfn f(x) {\n yield\n print 1 / x\n}\nmain { run }";
    let (_folder, path) = file("f.costack", text);
    for backend in ["sim", "native", "wasm"] {
        let done = check(
            costack_with_module(&["run", &path, "--backend", backend]),
            1,
            "",
            "A, line 6: division by zero",
        );
        let (_, stderr) = said(&done);
        assert!(stderr.contains(&format!("{path}:6: ")), "{stderr}");
        assert!(stderr.contains("1 fault"), "{stderr}");
    }
    let done = check(costack(&["run", &path]), 1, "", "at `");
    assert!(said(&done).1.contains(" in f"), "the instruction too");
}

#[test]
fn bad_input_names_file_line_and_column() {
    let (_folder, path) = file("bad.costack", "scenario \"b\"\nmain { prnt 1 }\n");
    check(costack(&["run", &path]), 2, "", &format!("{path}:2:"));
    check(costack(&["check", &path]), 2, "", &format!("{path}:2:"));
    check(costack(&["trace", &path]), 2, "", &format!("{path}:2:"));
    check(costack(&["tune", &path]), 2, "", &format!("{path}:2:"));
    check(
        costack_with_module(&["compare", &path]),
        2,
        "",
        &format!("{path}:2:"),
    );
    check(
        costack(&["run", "nowhere.costack"]),
        2,
        "",
        "cannot be read",
    );
    check(costack(&["run"]), 2, "", "Usage");
    check(costack(&["run", TWO, "--isa", "mips"]), 2, "", "aarch64");
    check(costack(&["run", TWO, "--steps", "0"]), 2, "", "--steps");
    let (_folder, path) = file("b.costack", "\u{0}\u{1}");
    check(costack(&["run", &path]), 2, "", "error");
}

#[test]
fn a_name_that_the_gallery_almost_has_is_told() {
    let likely = "did you mean `two_tasks_shared`?";
    check(costack(&["run", "two_task_shared"]), 2, "", likely);
    check(costack(&["examples", "two_task_shared"]), 2, "", likely);
    let all = "`costack examples --list` shows all";
    check(costack(&["examples", "wholly_other"]), 2, "", all);
}

#[test]
fn native_is_no_other_instruction_set_than_the_machine() {
    let on = |isa| costack(&["run", TWO, "--backend", "native", "--isa", isa]);
    let own = costack_cli::backend::HOST_ISA.name();
    check(on(own), 0, "", "native: ");
    for other in ["x86_64", "i386", "aarch64"] {
        if other != own {
            check(on(other), 2, "", "needs the backend sim or wasm");
        }
    }
}

#[test]
fn numbers_too_wide_for_i386_are_refused_there() {
    let (_folder, path) = file("w.costack", "scenario \"w\"\nmain { print 0x123456789 }");
    check(costack(&["run", &path]), 0, "4886718345", "");
    check(costack(&["run", &path, "--isa", "i386"]), 2, "", ":2:14");
    check(costack(&["check", &path]), 0, "not for i386", "");
}

#[test]
fn an_endless_scenario_is_stopped_on_every_backend() {
    let text = "scenario \"e\"\nmain {\n while 1 { }\n}";
    let (_folder, path) = file("e.costack", text);
    for backend in ["sim", "native", "wasm"] {
        let command = costack_with_module(&["run", &path, "--steps", "5000", "--backend", backend]);
        check(command, 1, "", "line 3: stopped after 5000 st");
    }
}

#[test]
fn native_refuses_pointers_unless_they_are_trusted() {
    let text = "scenario \"p\"\nmain {\n let x = 1\n print *&x\n}";
    let (_folder, path) = file("p.costack", text);
    let run = ["run", &path, "--backend", "native"];
    check(costack(&run), 2, "", "line 4 uses a pointer");
    check(
        costack(&[&run[..], &["--trust-pointers"]].concat()),
        0,
        "1",
        "",
    );
}

#[test]
fn a_missing_module_is_said_to_be_missing() {
    let run = ["run", TWO, "--backend", "wasm", "--module", "nowhere.wasm"];
    check(costack(&run), 2, "", "nowhere.wasm cannot be read");
    let (_folder, path) = file("none.wasm", "not wasm at all");
    let run = ["run", TWO, "--backend", "wasm", "--module", &path];
    check(costack(&run), 2, "", "no module to be hosted");
}

#[test]
fn compare_tells_one_line_each_and_that_all_agree() {
    let pitfall = "pitfalls/register_forgotten";
    let done = check(
        costack_with_module(&["compare", TWO, pitfall, "styles/ours"]),
        0,
        "agree two_tasks_shared.costack: ",
        "",
    );
    let (stdout, _) = said(&done);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    assert!(stdout.contains("then the fault: "), "{stdout}");
    assert!(stdout.contains("not run on native: line"), "{stdout}");
}

#[test]
fn compare_tells_of_every_file_also_behind_one_that_cannot_be_used() {
    let (_folder, bad) = file("bad.costack", "scenario \"b\"\nmain { prnt 1 }\n");
    let files = ["compare", "nowhere", &bad, TWO];
    let done = check(
        costack_with_module(&files),
        2,
        "agree two_tasks_shared.costack: ",
        "2 of 3 files cannot be used",
    );
    let (_, stderr) = said(&done);
    assert!(stderr.contains("nowhere cannot be read"), "{stderr}");
    assert!(stderr.contains(&format!("{bad}:2:13")), "{stderr}");
}

#[test]
fn compare_repeats_random_scenarios_by_their_seed() {
    let compare = || {
        let command = costack_with_module(&[
            "compare", "--random", "3", "--seed", "77", "--isa", "x86_64",
        ]);
        said(&check(command, 0, "seed 79: ", "")).0
    };
    let lines = |text: String| -> Vec<String> { text.lines().take(4).map(Into::into).collect() };
    let first = lines(compare());
    assert_eq!(first.len(), 4);
    assert_eq!(lines(compare()), first);
    check(costack(&["compare"]), 2, "", "required");
    check(costack(&["compare", "--seed", "3"]), 2, "", "--random");
    check(costack(&["compare", "--seed", "3", TWO]), 2, "", "--seed");
}

#[test]
fn prove_shows_every_obligation_of_every_text() {
    let done = check(costack(&["prove"]), 0, "asm/aarch64/switch_fp.s", "");
    let (stdout, _) = said(&done);
    // Three ISAs, two flavours, two forms; on x86-64 the second finds its words in two places.
    assert_eq!(stdout.matches("P10").count(), 14, "{stdout}");
    assert!(!stdout.contains("REFUTED"), "{stdout}");
    let one = ["prove", "--isa", "i386", "--flavour", "fp"];
    let (stdout, _) = said(&check(costack(&one), 0, "asm/i386/switch_fp.s", ""));
    assert_eq!(stdout.matches("P10").count(), 2, "{stdout}");
    let calls = ["prove", "--form", "call"];
    let (stdout, _) = said(&check(costack(&calls), 0, "the end of a C function", ""));
    assert_eq!(stdout.matches("P10").count(), 8, "{stdout}");
    assert!(!stdout.contains("switch"), "{stdout}");
}

#[test]
fn prove_takes_a_text_as_the_end_of_a_function() {
    let text = include_str!("../../../asm/x86_64/call.s");
    let (_folder, path) = file("call.s", text);
    let prove = ["prove", &path, "--isa", "x86_64", "--form"];
    let as_call = [&prove[..], &["call"]].concat();
    check(costack(&as_call), 0, "the target's words in its image", "");
    let in_line = [&prove[..], &["inline"]].concat();
    check(costack(&in_line), 1, "refuted: P", "");
}

#[test]
fn prove_names_the_instruction_that_refutes() {
    let text = include_str!("../../../asm/aarch64/switch.s");
    // It would bring back another register's value in x19.
    let broken = text.replacen("str x19, [sp, #16]", "str x20, [sp, #16]", 1);
    assert_ne!(broken, text, "the instruction to break is there");
    let (_folder, path) = file("broken.s", &broken);
    let prove = ["prove", &path, "--isa", "aarch64"];
    let done = check(costack(&prove), 1, "refuted: P", "");
    let (stdout, _) = said(&done);
    assert!(stdout.contains("REFUTED"), "{stdout}");
    assert!(stdout.contains("broken.s"), "{stdout}");
    check(costack(&["prove", &path]), 2, "", "--isa");
    // What refutes several obligations is told once.
    let (_folder, path) = file("nothing.s", "mov rax, rbx\n");
    let done = check(costack(&["prove", &path, "--isa", "x86_64"]), 1, "", "");
    let (stdout, _) = said(&done);
    let of_yielded = "running task to yielded one: ";
    let mut lines = stdout.lines().filter(|line| line.contains(of_yielded));
    let line = lines.next().expect("it is refuted");
    assert!(line.contains("P1, P2, P3, P4, P6"), "{line}");
    assert_eq!(lines.next(), None);
    let (_folder, path) = file("wrong.s", "mov rax, wibble!\n");
    check(
        costack(&["prove", &path, "--isa", "x86_64"]),
        2,
        "",
        "wrong.s",
    );
}

#[test]
fn prove_reads_the_text_of_a_scenario() {
    check(
        costack(&["prove", "styles/ours"]),
        0,
        "styles/ours.costack",
        "",
    );
    check(
        costack(&["prove", "pitfalls/register_forgotten"]),
        1,
        "refuted: P1",
        "",
    );
    check(costack(&["prove", TWO]), 2, "", "no `switch` text");
    // A text of a scenario stands in line and takes the integer flavour's place.
    let such = "no `switch` text of its own such as is asked for";
    let fp = ["prove", "styles/ours", "--flavour", "fp"];
    check(costack(&fp), 2, "", such);
    let call = ["prove", "styles/ours", "--form", "call"];
    check(costack(&call), 2, "", such);
}

#[test]
fn prove_gives_json_and_the_module_gives_the_same() {
    let prove = [
        "prove",
        "--isa",
        "x86_64",
        "--flavour",
        "fp",
        "--format",
        "json",
    ];
    let (stdout, _) = said(&check(costack(&prove), 0, "", ""));
    let proofs: Vec<costack_sim_module::Proof> = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(proofs.len(), 6, "both transitions of three");
    let mut hosted = crate::support::host().instance().expect("it works");
    let answer = hosted.prove(0, "", b"", 0, 1).expect("it proves");
    let from_module: Vec<costack_sim_module::Proof> = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(from_module, proofs);
}

#[test]
fn tune_shows_a_table_a_chart_and_a_recommendation() {
    let tune = ["tune", TWO, "--stacks", "1..4"];
    let done = check(costack(&tune), 0, "recommended: 2 shared stacks", "");
    let (stdout, _) = said(&done);
    for wanted in ["evictions", "memory", "time", "bytes copied", "█"] {
        assert!(stdout.contains(wanted), "{wanted}: {stdout}");
    }
    check(
        costack(&["tune", "two_tasks_own"]),
        2,
        "",
        "no task shares a stack",
    );
    check(costack(&["tune", TWO, "--stacks", "9..3"]), 2, "", "1..64");
    // There is nothing to choose from.
    let one = ["tune", TWO, "--stacks", "3"];
    let (stdout, _) = said(&check(costack(&one), 0, "a range", ""));
    assert!(!stdout.contains("recommended"), "{stdout}");
    check(
        costack(&["tune", "pitfalls/freeing_the_occupant"]),
        2,
        "",
        "to its end",
    );
}

#[test]
fn tune_counts_the_copies_that_a_run_makes() {
    let (_, stderr) = said(&check(costack(&["run", TWO]), 0, "", ""));
    let evictions = stderr
        .split(", ")
        .find_map(|part| part.strip_suffix(" evictions"));
    let (stdout, _) = said(&check(costack(&["tune", TWO, "--stacks", "1"]), 0, "", ""));
    let row = stdout
        .lines()
        .find(|line| line.trim_start().starts_with("1 "));
    let row: Vec<&str> = row.expect("a row").split_whitespace().collect();
    assert_eq!(Some(row[1]), evictions, "{stdout}\n{stderr}");
}

#[test]
fn check_reads_without_running() {
    let text = "scenario \"e\"\nmain { while 1 { } }";
    let (_folder, endless) = file("e.costack", text);
    let done = check(costack(&["check", TWO, &endless]), 0, "0 tasks", "");
    assert_eq!(said(&done).0.lines().count(), 2);
    let done = check(
        costack(&["check", TWO, "nowhere"]),
        2,
        "ok two_tasks",
        "1 of 2 files",
    );
    assert!(said(&done).1.contains("nowhere cannot be read"));
}

#[test]
fn examples_lists_and_prints_the_gallery() {
    let (list, _) = said(&check(
        costack(&["examples", "--list"]),
        0,
        "styles/setjmp",
        "",
    ));
    let all = costack_sim::gallery::all().count();
    assert_eq!(list.lines().count(), all + 1, "a header and one each");
    let text = costack_sim::gallery::all().next().expect("one").text;
    let done = check(costack(&["examples", "libaco_synopsis"]), 0, "", "");
    assert_eq!(said(&done).0, text);
    check(
        costack(&["examples", "nothing"]),
        2,
        "",
        "no scenario nothing",
    );
}

#[test]
fn bench_report_shows_a_report_as_a_table() {
    let report = r#"{"schema":"costack-bench/1","reference":false,"measured_at":"2026-01-01T00:00:00Z",
        "commit":"abc","rustc":"rustc 1.95.0","machine":{"cpu":"","cores":2,"os":"linux","arch":"x86_64","kernel":""},
        "results":[{"id":"round trip/costack/64","group":"round trip","function":"costack","parameter":"64",
        "throughput":{"unit":"bytes","per_iteration":64},"measured_at":"2026-01-01T00:00:00Z",
        "median":{"estimate":3.25,"low":3.0,"high":3.5},"mean":{"estimate":3.25,"low":3.0,"high":3.5},"std_dev":0.1}]}"#;
    let (_folder, path) = file("bench.json", report);
    let done = check(
        costack(&["bench-report", &path]),
        0,
        "round trip/costack/64",
        "",
    );
    let (stdout, _) = said(&done);
    for wanted in [
        "3.2 ns",
        "19.69 GB/s",
        "commit abc",
        "measured on this machine",
    ] {
        assert!(stdout.contains(wanted), "{wanted}: {stdout}");
    }
    let (_folder, path) = file("b.json", &report.replace("bench/1", "bench/9"));
    check(costack(&["bench-report", &path]), 2, "", "costack-bench/9");
    let (_folder, path) = file("b.json", "{}");
    check(
        costack(&["bench-report", &path]),
        2,
        "",
        "no report of benches",
    );
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        check(costack(&["completions", shell]), 0, "bench-report", "");
    }
}

#[test]
fn help_has_examples_and_the_version_has_a_commit() {
    check(costack(&["--help"]), 0, "Examples:", "");
    let commands = [
        "run",
        "trace",
        "compare",
        "prove",
        "tune",
        "check",
        "examples",
        "bench-report",
        "completions",
    ];
    for command in commands {
        check(costack(&[command, "--help"]), 0, "Examples:", "");
    }
    let (version, _) = said(&check(costack(&["--version"]), 0, "costack ", ""));
    let git = std::process::Command::new("git")
        .args(["rev-parse", "HEAD"])
        .output();
    if git.is_ok_and(|output| output.status.success()) {
        assert!(version.contains("(commit "), "{version}");
    } else {
        println!("there is no git here, so the version names no commit");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let plain = |command| {
        let (stdout, stderr) = said(&check(command, 0, "", ""));
        !(stdout + &stderr).contains('\u{1b}')
    };
    let compare = ["compare", TWO];
    assert!(
        plain(costack_with_module(&compare)),
        "no terminal, no colours"
    );
    let mut forced = costack_with_module(&compare);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(!plain(forced));
    let mut refused = costack_with_module(&compare);
    refused.env("CLICOLOR_FORCE", "0").env("NO_COLOR", "1");
    assert!(plain(refused));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    use std::process::Stdio;
    let mut command = costack(&["examples", "--list"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("panicked") && !said.contains("error"),
        "{said}"
    );
}
