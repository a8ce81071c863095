//! What has happened, as the records of a trace.

use costack_engine::trace::{Record, What};

use super::Session;
use crate::view::{StepKind, TickKind};

impl Session {
    /// What has happened up to the current position, in the format that all backends share. A step
    /// takes one nanosecond, and the virtual time that tasks sleep through counts in full.
    pub fn trace(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut happened = self.host.happened().into_iter().peekable();
        while let Some((_, what)) = happened.next_if(|(at, _)| at.is_none()) {
            records.push(Record { at_ns: 0, what });
        }
        let mut slept_ns: u64 = 0;
        let steps = 0..self.position();
        let mut said = self.records.of_steps(steps.clone()).peekable();
        let log = &self.machine.log.steps;
        let of_host = steps.filter(|step| log[*step as usize].is_host());
        for (step, number) in of_host.zip(0..) {
            let at_ns = |slept_ns: u64| step.saturating_add(slept_ns);
            while let Some((_, what)) = happened.next_if(|(at, _)| *at == Some(number)) {
                records.push(Record {
                    at_ns: at_ns(slept_ns),
                    what,
                });
            }
            match said.next_if(|(at, _)| *at == step) {
                Some((_, StepKind::Clock { to_us, .. })) => slept_ns = to_us.saturating_mul(1000),
                Some((_, StepKind::Output { line })) => records.push(Record {
                    at_ns: at_ns(slept_ns),
                    what: What::Print {
                        task: self.task_that_printed(step),
                        text: line,
                    },
                }),
                _ => {}
            }
        }
        if let Some(fault) = self.fault() {
            records.push(Record {
                at_ns: fault.step.saturating_add(slept_ns),
                what: What::Fault {
                    task: fault.task.unwrap_or(0),
                    line: fault.statement.map_or(0, |statement| statement.line),
                    reason: fault.kind.to_string(),
                },
            });
        }
        records
    }

    fn task_that_printed(&self, step: u64) -> u32 {
        let from = self.ticks.partition_point(|tick| tick.step < step);
        let mut ticks = self.ticks[from..].iter();
        let tick = ticks.find(|tick| tick.step == step && tick.kind == TickKind::Output);
        tick.map_or(0, |tick| tick.task)
    }
}
