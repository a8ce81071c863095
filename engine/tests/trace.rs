//! The trace format, written and read.
#![cfg(feature = "serde")]

use costack_engine::trace::{Header, Record, StackKind, What, Why};

#[track_caller]
fn check(record: Record, line: &str) {
    assert_eq!(serde_json::to_string(&record).unwrap(), line);
    assert_eq!(serde_json::from_str::<Record>(line).unwrap(), record);
}

#[test]
fn lines_are_what_the_documentation_shows() {
    let header = Header::new("native");
    let line = r#"{"costack_trace":1,"backend":"native"}"#;
    assert_eq!(serde_json::to_string(&header).unwrap(), line);
    let record = |at_ns, what| Record { at_ns, what };
    check(
        record(
            0,
            What::Task {
                task: 1,
                name: Some("a".into()),
                group: None,
                stack: StackKind::Shared,
            },
        ),
        r#"{"at_ns":0,"do":"task","task":1,"name":"a","stack":"shared"}"#,
    );
    check(
        record(120, What::Resume { task: 1, by: 0 }),
        r#"{"at_ns":120,"do":"resume","task":1,"by":0}"#,
    );
    check(
        record(
            180,
            What::Block {
                task: 1,
                on: "lock mutex 0".into(),
            },
        ),
        r#"{"at_ns":180,"do":"block","task":1,"on":"lock mutex 0"}"#,
    );
    check(
        record(
            900,
            What::Wake {
                task: 1,
                why: Why::Granted,
            },
        ),
        r#"{"at_ns":900,"do":"wake","task":1,"why":"granted"}"#,
    );
}
