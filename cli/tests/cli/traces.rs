//! Traces: written, read back, refused when they were cut or altered.

use costack_engine::trace::{Trace, What, read};
use proptest::prelude::*;

use crate::support::{check, costack, costack_with_module, file, said};

const TWO: &str = "two_tasks_shared";

fn trace_of(arguments: &[&str]) -> String {
    let command = costack_with_module(&[&["trace", TWO], arguments].concat());
    said(&check(command, 0, "costack_trace", "")).0
}

fn shapes(trace: &Trace) -> Vec<What> {
    let whats = trace.records.iter().map(|record| record.what.clone());
    whats.map(What::shape).collect()
}

#[test]
fn sim_and_wasm_write_the_same_bytes_and_native_the_same_events() {
    for isa in ["x86_64", "i386", "aarch64"] {
        let sim = trace_of(&["--isa", isa]);
        assert_eq!(trace_of(&["--isa", isa, "--backend", "wasm"]), sim);
        let native = read(&trace_of(&["--backend", "native"])).expect("a trace");
        let sim = read(&sim).expect("a trace");
        assert_eq!(shapes(&native), shapes(&sim));
        assert_eq!(sim.header.isa.as_deref(), Some(isa));
        assert_eq!(native.header.backend, "native");
    }
}

#[test]
fn times_do_not_go_back() {
    for backend in ["sim", "native"] {
        let trace = read(&trace_of(&["--backend", backend])).expect("a trace");
        let times: Vec<u64> = trace.records.iter().map(|record| record.at_ns).collect();
        assert!(times.is_sorted(), "{backend}: {times:?}");
        assert!(times.last() > times.first(), "{backend}");
    }
}

#[test]
fn a_trace_is_written_to_a_file_and_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl");
    let path = path.to_str().expect("UTF-8");
    check(costack(&["trace", TWO, "-o", path]), 0, "", "");
    let text = std::fs::read_to_string(path).expect("it is there");
    assert_eq!(text, trace_of(&[]));
    check(costack(&["check", path]), 0, "a trace with", "");
    let again = said(&check(costack(&["trace", path]), 0, "", "")).0;
    assert_eq!(again, text, "a trace that is read is written the same");
    check(costack(&["tune", path]), 0, "recommended", "");
    let missing = ["trace", TWO, "-o", "/nowhere/run.jsonl"];
    check(costack(&missing), 2, "", "cannot be written");
}

#[test]
fn perfetto_gets_json() {
    let done = check(costack(&["trace", TWO, "--format", "perfetto"]), 0, "", "");
    let events: Vec<serde_json::Value> = serde_json::from_str(&said(&done).0).expect("JSON");
    let named = |name: &str| events.iter().any(|event| event["args"]["name"] == name);
    assert!(named("tasks") && named("stacks") && named("A"));
}

#[test]
fn a_fault_is_the_last_record() {
    let command = costack(&["trace", "pitfalls/register_forgotten"]);
    let done = check(command, 1, "\"do\":\"fault\"", "fault:");
    let trace = read(&said(&done).0).expect("a trace all the same");
    let last = &trace.records.last().expect("records").what;
    assert!(matches!(last, What::Fault { task: 1, .. }), "{last:?}");
}

#[test]
fn a_cut_trace_is_refused_with_its_place() {
    let text = trace_of(&[]);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (_folder, path) = file("cut.jsonl", &lines[..7].concat());
    let told = format!("{path}:7: the trace was cut after this line");
    for command in ["trace", "tune", "check"] {
        check(costack(&[command, &path]), 2, "", &told);
    }
    let (_folder, path) = file("cut.jsonl", &text[..text.len() - 20]);
    let told = format!("{path}:{}: the trace was cut in the middle", lines.len());
    check(costack(&["trace", &path]), 2, "", &told);
}

#[test]
fn an_altered_trace_is_refused_with_its_place() {
    let text = trace_of(&[]);
    let line = 1 + text
        .lines()
        .position(|l| l.contains("\"save\""))
        .expect("a save");
    let altered = text.replacen("\"bytes\":", "\"bytes\":1", 2);
    let (_folder, path) = file("altered.jsonl", &altered);
    let done = check(costack(&["trace", &path]), 2, "", "the line was altered");
    let (_, stderr) = said(&done);
    let place = stderr
        .split(':')
        .nth(2)
        .and_then(|n| n.parse::<usize>().ok());
    assert!(place.is_some_and(|place| place <= line), "{stderr}");
}

#[test]
fn a_trace_without_its_beginning_is_refused_as_a_trace() {
    let text = trace_of(&[]);
    let (_, behind) = text.split_once('\n').expect("a header");
    let altered = text.replacen("costack_trace", "costack_trac", 1);
    for (text, name) in [(behind, "behind.jsonl"), (&altered, "altered.jsonl")] {
        let (_folder, path) = file(name, text);
        let told = format!("{path}:1: this is no trace");
        for command in ["trace", "tune", "check"] {
            check(costack(&[command, &path]), 2, "", &told);
        }
    }
}

#[test]
fn a_trace_is_not_taken_for_a_scenario() {
    let (_folder, path) = file("run.jsonl", &trace_of(&[]));
    for command in ["run", "compare", "prove"] {
        let done = check(
            costack_with_module(&[command, &path]),
            2,
            "",
            "it begins like a trace: `costack check`",
        );
        let (_, stderr) = said(&done);
        assert!(stderr.lines().count() <= 2, "{stderr}");
    }
    // It has been run already, so nothing says how to.
    for (command, argument) in [
        ("trace", ["--isa", "i386"]),
        ("trace", ["--backend", "sim"]),
        ("trace", ["--steps", "9"]),
        ("tune", ["--isa", "i386"]),
    ] {
        let told = format!("{} is for scenarios", argument[0]);
        let done = costack(&[&[command, &path], &argument[..]].concat());
        check(done, 2, "", &told);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The reader is given anything, and real traces with anything done to them.
    #[test]
    fn the_reader_takes_no_damaged_trace(
        cut in any::<prop::sample::Index>(), put in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        use std::sync::OnceLock;
        static REAL: OnceLock<String> = OnceLock::new();
        let real = REAL.get_or_init(|| trace_of(&[]));
        let mut bytes = real.clone().into_bytes();
        let at = cut.index(bytes.len());
        let to = (at + put.len()).min(bytes.len());
        bytes.splice(at..to, put.iter().copied());
        let damaged = String::from_utf8_lossy(&bytes);
        prop_assert!(damaged == *real || read(&damaged).is_err());
        prop_assert!(read(&real[..at.min(real.len() - 1)]).is_err() || at == 0);
        prop_assert!(read(&String::from_utf8_lossy(&put)).is_err());
    }
}
