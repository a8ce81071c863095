//! Traces for Perfetto and Chrome: the "Trace Event Format", JSON array form, times in
//! microseconds.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use serde_json::{Value, json};

use super::{Record, What};

/// The process whose lanes are tasks, and the one whose lanes are stacks.
const TASKS: u32 = 1;
const STACKS: u32 = 2;

/// The trace as Perfetto (<https://ui.perfetto.dev>) and Chrome read it. A lane per task shows when
/// it ran; a lane per stack shows who owned it and what was copied.
pub fn perfetto<'r>(records: impl IntoIterator<Item = &'r Record>) -> String {
    let mut events = Events {
        text: "[".into(),
        owners: BTreeMap::new(),
    };
    events.name(TASKS, None, "tasks");
    events.name(STACKS, None, "stacks");
    let mut end_ns = 0;
    for record in records {
        events.record(record);
        end_ns = record.at_ns;
    }
    for (stack, owner) in core::mem::take(&mut events.owners) {
        if owner.is_some() {
            events.event("E", STACKS, stack, end_ns, "", json!({}));
        }
    }
    events.text.push_str("\n]\n");
    events.text
}

struct Events {
    text: String,
    /// Of each stack seen, who owns it.
    owners: BTreeMap<u32, Option<u32>>,
}

impl Events {
    fn put(&mut self, event: &Value) {
        let comma = if self.text.len() == 1 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{comma}\n{event}");
    }

    fn name(&mut self, process: u32, lane: Option<u32>, name: &str) {
        let what = match lane {
            Some(_) => "thread_name",
            None => "process_name",
        };
        let args = json!({ "name": name });
        self.put(&json!({"ph": "M", "pid": process, "tid": lane, "name": what, "args": args}));
    }

    fn event(&mut self, phase: &str, process: u32, lane: u32, at_ns: u64, name: &str, args: Value) {
        let at_us = at_ns as f64 / 1000.0;
        self.put(&json!({
            "ph": phase, "pid": process, "tid": lane, "ts": at_us, "name": name, "args": args,
        }));
    }

    fn record(&mut self, record: &Record) {
        let at_ns = record.at_ns;
        match &record.what {
            What::Task { task, name, .. } => {
                let name = name.clone().unwrap_or_else(|| format!("task {task}"));
                self.name(TASKS, Some(*task), &name);
            }
            What::Resume { task, .. } => self.event("B", TASKS, *task, at_ns, "runs", json!({})),
            What::Yield { task } => {
                self.event("E", TASKS, *task, at_ns, "", json!({"then": "yields"}));
            }
            What::Block { task, on } => {
                self.event("E", TASKS, *task, at_ns, "", json!({"then": on}));
            }
            What::End { task } => self.event("E", TASKS, *task, at_ns, "", json!({"then": "ends"})),
            What::Wake { task, why } => {
                self.instant(*task, at_ns, &format!("woken: {why:?}"));
            }
            What::Save { task, bytes, stack } => self.copy("save", *task, *bytes, *stack, at_ns),
            What::Restore { task, bytes, stack } => {
                self.copy("restore", *task, *bytes, *stack, at_ns);
            }
            What::Owner { stack, to, .. } => {
                match self.owners.insert(*stack, *to) {
                    None => self.name(STACKS, Some(*stack), &format!("stack {stack}")),
                    Some(Some(_)) => self.event("E", STACKS, *stack, at_ns, "", json!({})),
                    Some(None) => {}
                }
                if let Some(task) = to {
                    let name = format!("task {task}");
                    self.event("B", STACKS, *stack, at_ns, &name, json!({}));
                }
            }
            What::Print { task, text } => self.instant(*task, at_ns, &format!("prints: {text}")),
            What::Fault { task, line, reason } => {
                self.instant(*task, at_ns, &format!("fault in line {line}: {reason}"));
            }
        }
    }

    fn instant(&mut self, task: u32, at_ns: u64, name: &str) {
        self.event("i", TASKS, task, at_ns, name, json!({}));
    }

    fn copy(&mut self, what: &str, task: u32, bytes: u32, stack: u32, at_ns: u64) {
        let name = format!("{what} task {task}: {bytes} bytes");
        let at_us = at_ns as f64 / 1000.0;
        let args = json!({ "bytes": bytes, "task": task });
        self.put(&json!({
            "ph": "X", "pid": STACKS, "tid": stack, "ts": at_us, "dur": 0.001,
            "name": name, "args": args,
        }));
    }
}
