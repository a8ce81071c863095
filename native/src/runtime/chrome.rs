//! Traces for Chrome and Perfetto: the "Trace Event Format", JSON array form, times in
//! microseconds.

use std::collections::BTreeMap;
use std::io::{self, Write};

use costack_engine::trace::{Record, What};
use serde_json::{Value, json};

/// The process whose lanes are tasks, and the one whose lanes are stacks.
const TASKS: u32 = 1;
const STACKS: u32 = 2;

pub(super) fn write(records: &[Record], mut target: impl Write) -> io::Result<()> {
    let mut lines = Lines {
        target: &mut target,
        is_first: true,
    };
    lines.target.write_all(b"[")?;
    lines.name(TASKS, None, "tasks")?;
    lines.name(STACKS, None, "stacks")?;
    let mut stacks = BTreeMap::new();
    for record in records {
        lines.record(record, &mut stacks)?;
    }
    let end_ns = records.last().map_or(0, |record| record.at_ns);
    for (stack, owner) in stacks {
        if owner.is_some() {
            lines.event("E", STACKS, stack, end_ns, "", json!({}))?;
        }
    }
    lines.target.write_all(b"\n]\n")?;
    target.flush()
}

struct Lines<'a, W> {
    target: &'a mut W,
    is_first: bool,
}

impl<W: Write> Lines<'_, W> {
    fn put(&mut self, event: &Value) -> io::Result<()> {
        let comma = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        self.target.write_all(comma.as_bytes())?;
        serde_json::to_writer(&mut *self.target, event)?;
        Ok(())
    }

    fn name(&mut self, process: u32, lane: Option<u32>, name: &str) -> io::Result<()> {
        let what = match lane {
            Some(_) => "thread_name",
            None => "process_name",
        };
        let args = json!({ "name": name });
        self.put(&json!({"ph": "M", "pid": process, "tid": lane, "name": what, "args": args}))
    }

    fn event(
        &mut self,
        phase: &str,
        process: u32,
        lane: u32,
        at_ns: u64,
        name: &str,
        args: Value,
    ) -> io::Result<()> {
        let at_us = at_ns as f64 / 1000.0;
        self.put(&json!({
            "ph": phase, "pid": process, "tid": lane, "ts": at_us, "name": name, "args": args,
        }))
    }

    fn record(
        &mut self,
        record: &Record,
        stacks: &mut BTreeMap<u32, Option<u32>>,
    ) -> io::Result<()> {
        let at_ns = record.at_ns;
        match &record.what {
            What::Task { task, name, .. } => {
                let name = name.clone().unwrap_or_else(|| format!("task {task}"));
                self.name(TASKS, Some(*task), &name)
            }
            What::Resume { task, .. } => self.event("B", TASKS, *task, at_ns, "runs", json!({})),
            What::Yield { task } => {
                self.event("E", TASKS, *task, at_ns, "", json!({"then": "yields"}))
            }
            What::Block { task, on } => {
                self.event("E", TASKS, *task, at_ns, "", json!({"then": on}))
            }
            What::End { task } => self.event("E", TASKS, *task, at_ns, "", json!({"then": "ends"})),
            What::Wake { task, why } => {
                let name = format!("woken: {why:?}");
                self.event("i", TASKS, *task, at_ns, &name, json!({}))
            }
            What::Save { task, bytes, stack } => self.copy("save", *task, *bytes, *stack, at_ns),
            What::Restore { task, bytes, stack } => {
                self.copy("restore", *task, *bytes, *stack, at_ns)
            }
            What::Owner { stack, to, .. } => {
                let seen = stacks.insert(*stack, *to);
                match seen {
                    None => self.name(STACKS, Some(*stack), &format!("stack {stack}"))?,
                    Some(Some(_)) => self.event("E", STACKS, *stack, at_ns, "", json!({}))?,
                    Some(None) => {}
                }
                match to {
                    Some(task) => {
                        let name = format!("task {task}");
                        self.event("B", STACKS, *stack, at_ns, &name, json!({}))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn copy(
        &mut self,
        what: &str,
        task: u32,
        bytes: u32,
        stack: u32,
        at_ns: u64,
    ) -> io::Result<()> {
        let name = format!("{what} task {task}: {bytes} bytes");
        let at_us = at_ns as f64 / 1000.0;
        let args = json!({ "bytes": bytes, "task": task });
        self.put(&json!({
            "ph": "X", "pid": STACKS, "tid": stack, "ts": at_us, "dur": 0.001,
            "name": name, "args": args,
        }))
    }
}
