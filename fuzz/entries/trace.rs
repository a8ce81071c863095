//! Any bytes as a trace, and as the lines of one whose checksums are right.

use costack_engine::trace::{perfetto, read, seal, write};
use costack_engine::tune::{runs, tune};

/// What is read is written and read again the same; nothing panics.
pub fn check_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check_text(&text);
    check_text(&seal(text.lines()));
    let header = r#"{"costack_trace":1,"backend":"sim"}"#;
    let records = text.lines().count();
    let close = format!(r#"{{"do":"close","records":{records}}}"#);
    check_text(&seal(
        [header]
            .into_iter()
            .chain(text.lines())
            .chain([close.as_str()]),
    ));
}

fn check_text(text: &str) {
    let Ok(trace) = read(text) else {
        return;
    };
    let again = read(&write(&trace.header, &trace.records)).expect("what was written is right");
    assert_eq!(again, trace);
    assert!(perfetto(&trace.records).ends_with("]\n"));
    let _ = tune(&runs(&trace.records), 3);
}
