//! The text of a trace: written, read, and refused when it was cut or altered.
#![cfg(feature = "json")]

use costack_engine::trace::{Header, Kind, Record, StackKind, What, Why, perfetto, read, write};
use proptest::prelude::*;

fn records() -> Vec<Record> {
    let whats = [
        What::Task {
            task: 1,
            name: Some("A".into()),
            group: None,
            stack: StackKind::Shared,
        },
        What::Resume { task: 1, by: 0 },
        What::Restore {
            task: 1,
            bytes: 64,
            stack: 0,
        },
        What::Owner {
            stack: 0,
            from: None,
            to: Some(1),
        },
        What::Print {
            task: 1,
            text: "\"quoted\" ünïcode \n line".into(),
        },
        What::Block {
            task: 1,
            on: "lock m".into(),
        },
        What::Wake {
            task: 1,
            why: Why::Granted,
        },
        What::Save {
            task: 1,
            bytes: 96,
            stack: 0,
        },
        What::Yield { task: 1 },
        What::End { task: 1 },
        What::Fault {
            task: 0,
            line: 7,
            reason: "division by zero".into(),
        },
    ];
    let numbered = (0..).zip(whats);
    numbered
        .map(|(at_ns, what)| Record { at_ns, what })
        .collect()
}

fn text() -> String {
    write(&Header::new("sim"), &records())
}

#[track_caller]
fn check(text: &str, line: u32, message: &str) {
    let mistake = read(text).expect_err("it is refused");
    assert_eq!(mistake.line, line, "{mistake}");
    assert!(mistake.to_string().contains(message), "{mistake}");
}

#[test]
fn what_is_written_is_read_again() {
    let trace = read(&text()).unwrap();
    assert_eq!(trace.header, Header::new("sim"));
    assert_eq!(trace.records, records());
}

#[test]
fn every_kind_of_record_is_known_to_the_reader() {
    // A record that is damaged inside, but whose sum is right, must not pass for a future kind.
    for record in records() {
        let line = serde_json::to_value(&record).unwrap();
        let word = line["do"].as_str().unwrap();
        let bad = serde_json::json!({"at_ns": 0, "do": word, "task": "x"});
        let text = write_lines(&[bad.to_string()]);
        assert!(
            matches!(read(&text).unwrap_err().kind, Kind::Syntax { .. }),
            "{word}"
        );
    }
}

/// A trace with these lines, and sums that are right.
fn write_lines(bodies: &[String]) -> String {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    let mut text = String::new();
    let header = serde_json::to_string(&Header::new("sim")).unwrap();
    let close = format!("{{\"do\":\"close\",\"records\":{}}}", bodies.len());
    for body in [&header].into_iter().chain(bodies).chain([&close]) {
        for byte in body.bytes().chain([b'\n']) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let digits = (sum ^ (sum >> 32)) as u32;
        let body = body.strip_suffix('}').unwrap();
        text += &format!("{body},\"sum\":\"{digits:08x}\"}}\n");
    }
    text
}

#[test]
fn a_line_of_a_later_version_is_skipped() {
    let known = r#"{"at_ns":1,"do":"yield","task":3}"#.to_owned();
    let unknown = r#"{"at_ns":1,"do":"migrate","task":3,"to":"elsewhere"}"#.to_owned();
    let trace = read(&write_lines(&[unknown, known])).unwrap();
    let what = What::Yield { task: 3 };
    assert_eq!(trace.records, [Record { at_ns: 1, what }]);
}

#[test]
fn a_cut_trace_is_refused_with_the_line() {
    let whole = text();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    check(&lines[..4].concat(), 4, "cut after this line");
    let inside = lines[..4].concat() + &lines[4][..10];
    check(&inside, 5, "cut in the middle of this line");
    check(lines[0], 1, "cut after this line");
    check(whole.trim_end(), lines.len() as u32, "cut in the middle");
    check("", 1, "no trace");
}

#[test]
fn an_altered_trace_is_refused_with_the_line() {
    let whole = text();
    check(&whole.replace("\"bytes\":96", "\"bytes\":97"), 9, "altered");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without = [&lines[..3], &lines[4..]].concat().concat();
    check(&without, 4, "left out");
    let mut swapped = lines.clone();
    swapped.swap(5, 6);
    check(&swapped.concat(), 6, "moved");
    check(
        &(whole.clone() + lines[2]),
        lines.len() as u32 + 1,
        "follows",
    );
    check(&whole.replace('\n', "\r\n"), 1, "altered");
    check(&whole.replace(",\"sum\":", ",\"som\":"), 1, "checksum");
}

#[test]
fn other_files_and_versions_are_called_so() {
    check("scenario \"hello\"\n", 1, "no trace");
    check("[{\"ph\":\"M\"}]", 1, "no trace");
    let later = text().replace("\"costack_trace\":1", "\"costack_trace\":2");
    check(&later, 1, "version 2");
}

#[test]
fn perfetto_gets_valid_json_with_balanced_turns() {
    let text = perfetto(&records());
    let events: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let owners = |phase: &str| {
        let wanted = |event: &&serde_json::Value| event["ph"] == phase && event["pid"] == 2;
        events.iter().filter(wanted).count()
    };
    assert_eq!(owners("B"), owners("E"), "every ownership ends");
    assert_eq!(owners("X"), 2, "two copies");
    let empty: Vec<serde_json::Value> = serde_json::from_str(&perfetto(&[])).unwrap();
    assert_eq!(empty.len(), 2);
}

proptest! {
    /// Whatever happens to a trace's bytes, it is refused, or it is what it was.
    #[test]
    fn a_damaged_trace_never_passes(
        at in 0usize..1_400, insert in proptest::collection::vec(any::<u8>(), 0..4), delete in 0usize..4,
    ) {
        let whole = text();
        let mut bytes = whole.clone().into_bytes();
        let at = at.min(bytes.len());
        let to = (at + delete).min(bytes.len());
        bytes.splice(at..to, insert);
        if let Ok(damaged) = String::from_utf8(bytes) {
            prop_assert!(damaged == whole || read(&damaged).is_err(), "{}", damaged);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("{{\"costack_trace\":1{text}\n{text}\n"));
    }
}
