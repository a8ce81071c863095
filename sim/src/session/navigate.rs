//! Moving over what is recorded, and on from there.

use super::Session;
use crate::machine::log::At;
use crate::machine::{Field, Register};
use crate::view::{Breakpoint, Granularity, RunOutcome, StepKind, StepOutcome, TickKind};

impl Session {
    /// One step forward.
    pub fn step(&mut self) -> StepOutcome {
        if self.position < self.machine.log.steps.len() {
            self.travel(self.position + 1);
            return StepOutcome::Stepped;
        }
        self.execute(1)
    }

    /// One step back. False at the start.
    pub fn back(&mut self) -> bool {
        if self.position == 0 {
            return false;
        }
        self.travel(self.position - 1);
        true
    }

    /// To any position; further than was ever run, it runs on. Returns the position reached,
    /// which is less if the program ends before.
    pub fn jump(&mut self, position: u64) -> u64 {
        let recorded = self.machine.log.steps.len();
        let target = usize::try_from(position).unwrap_or(usize::MAX);
        self.travel(target.min(recorded));
        if target > recorded {
            self.execute((target - recorded) as u64);
        }
        self.position()
    }

    /// To a position that is recorded.
    fn travel(&mut self, target: usize) {
        let kept_from = self.machine.log.kept_from;
        if target < self.position && target <= kept_from && kept_from > 0 {
            self.start_again();
            self.execute(target as u64);
            return;
        }
        if self.position == self.machine.log.steps.len() {
            self.end_pc = self.machine.pc;
        }
        let host_steps = self.machine.field(Field::HostSteps);
        self.approach(target);
        let machine = &mut self.machine;
        machine.pc = match machine.log.steps.get(target) {
            Some(step) => step.pc(),
            None => self.end_pc,
        };
        let now = machine.field(Field::HostSteps);
        if now != host_steps {
            self.host.seek(now);
        }
    }

    /// Back to the start, with an empty log. What stands out of all that was ever executed stays
    /// known: it will happen again.
    fn start_again(&mut self) {
        let mut machine = (*self.initial).clone();
        // The log's memory serves again.
        std::mem::swap(&mut machine.log, &mut self.machine.log);
        machine.log.clear();
        self.machine = machine;
        self.host.seek(0);
        self.host.truncate(0);
        (self.position, self.undone) = (0, 0);
        self.snapshots.cut(0);
        self.end_pc = self.machine.pc;
    }

    /// Forward by at most `limit` steps, to the end, a fault or a breakpoint.
    pub fn run(&mut self, limit: u64) -> RunOutcome {
        if self.breakpoints.iter().any(Option::is_some) {
            return self.run_to_breakpoint(limit);
        }
        self.jump(self.position().saturating_add(limit));
        self.run_outcome()
    }

    fn run_outcome(&self) -> RunOutcome {
        if self.has_ended() {
            RunOutcome::Ended
        } else if self.fault().is_some() {
            RunOutcome::Faulted
        } else {
            RunOutcome::Limit
        }
    }

    fn run_to_breakpoint(&mut self, limit: u64) -> RunOutcome {
        for _ in 0..limit {
            if self.step() != StepOutcome::Stepped {
                break;
            }
            if let Some(number) = self.breakpoint_hit() {
                return RunOutcome::Breakpoint(number);
            }
        }
        self.run_outcome()
    }

    /// The first breakpoint that the current position satisfies.
    fn breakpoint_hit(&self) -> Option<usize> {
        let hit = |point: &Option<Breakpoint>| point.as_ref().is_some_and(|point| self.hits(point));
        self.breakpoints.iter().position(hit)
    }

    fn hits(&self, breakpoint: &Breakpoint) -> bool {
        let entries = || {
            let entries = self.machine.log.entries_of(self.position - 1);
            entries.map(|entry| (entry.at(), entry.bytes()))
        };
        match breakpoint {
            Breakpoint::Line(line) => {
                self.begins_statement()
                    && self
                        .code
                        .statement_of(self.machine.pc)
                        .is_some_and(|statement| statement.line == *line)
            }
            Breakpoint::Address(address) => {
                self.code.address_of(self.machine.pc) == *address && !self.is_pending()
            }
            Breakpoint::RegisterWrite(name) => {
                let register = Register::named(self.isa(), name);
                register.is_some_and(|register| {
                    entries().any(|(at, _)| at == At::Register(register.0.index() as u8))
                })
            }
            Breakpoint::MemoryWrite(bytes) => entries().any(|(at, written)| match at {
                At::Cell(address) => {
                    let mut written =
                        (address..address + 8).filter(|at| written >> (at & 7) & 1 != 0);
                    written.any(|at| bytes.contains(&at))
                }
                At::Cells(index) => {
                    let copy = self.machine.log.copied(index);
                    copy.target < bytes.end && bytes.start < copy.target + copy.bytes
                }
                _ => false,
            }),
            Breakpoint::Copy(wanted) => matches!(
                self.last_record(),
                Some(StepKind::Save { task, .. } | StepKind::Restore { task, .. })
                    if wanted.is_none_or(|wanted| wanted == task)
            ),
            Breakpoint::Ownership(wanted) => matches!(
                self.last_record(),
                Some(StepKind::Owner { stack, .. })
                    if wanted.is_none_or(|wanted| wanted == stack)
            ),
            Breakpoint::Fault => self.fault().is_some(),
        }
    }

    /// What the host did in the last step, if it was one of the host's.
    pub(super) fn last_record(&self) -> Option<StepKind> {
        let at = self.position.checked_sub(1)?;
        let step = self.machine.log.steps.get(at)?;
        if !step.is_host() {
            return None;
        }
        let said = self.records.of(at as u64);
        Some(
            said.unwrap_or_else(|| match self.code.service_at(step.pc()) {
                Some(service) if !step.is_micro() => self.host.describe(service),
                _ => StepKind::Service {
                    name: "runtime".into(),
                    wanted: String::new(),
                },
            }),
        )
    }

    fn is_pending(&self) -> bool {
        self.machine.field(Field::Pending) != 0
    }

    /// Whether the next instruction is the first of a statement.
    fn begins_statement(&self) -> bool {
        let pc = self.machine.pc;
        let before = pc
            .checked_sub(1)
            .and_then(|before| self.code.statement_of(before));
        match self.code.statement_of(pc) {
            Some(statement) => {
                !self.is_pending() && before.map(|b| b.statement) != Some(statement.statement)
            }
            None => false,
        }
    }

    /// Sets a breakpoint; the number names it.
    pub fn add_breakpoint(&mut self, breakpoint: Breakpoint) -> usize {
        self.breakpoints.push(Some(breakpoint));
        self.breakpoints.len() - 1
    }

    /// Takes a breakpoint away.
    pub fn remove_breakpoint(&mut self, number: usize) {
        if let Some(breakpoint) = self.breakpoints.get_mut(number) {
            *breakpoint = None;
        }
    }

    /// The breakpoints with their numbers.
    pub fn breakpoints(&self) -> Vec<(usize, Breakpoint)> {
        let numbered = self.breakpoints.iter().enumerate();
        numbered
            .filter_map(|(number, breakpoint)| Some((number, breakpoint.clone()?)))
            .collect()
    }

    /// Forward by one unit; at most `limit` steps.
    pub fn next(&mut self, granularity: Granularity, limit: u64) -> StepOutcome {
        let Some(kinds) = ticks_of(granularity) else {
            return self.next_by_step(granularity, limit);
        };
        let start = self.position();
        let mut from = self.ticks.partition_point(|tick| tick.step < start);
        loop {
            let tick = self.ticks[from..]
                .iter()
                .find(|tick| kinds.contains(&tick.kind));
            if let Some(tick) = tick {
                self.jump(tick.step + 1);
                self.finish_pending(granularity);
                return StepOutcome::Stepped;
            }
            from = self.ticks.len();
            let made = self.recorded_len().saturating_sub(start);
            let left = limit.saturating_sub(made).min(CHUNK);
            if left == 0 {
                self.jump(start.saturating_add(limit));
                return StepOutcome::Stepped;
            }
            self.jump(self.recorded_len());
            match self.execute(left) {
                StepOutcome::Stepped => {}
                over if self.position() > start => {
                    debug_assert_ne!(over, StepOutcome::Stepped);
                    return StepOutcome::Stepped;
                }
                over => return over,
            }
        }
    }

    /// A call of the runtime is over when all its actions are made.
    fn finish_pending(&mut self, granularity: Granularity) {
        while granularity == Granularity::RuntimeCall
            && self.is_pending()
            && self.step() == StepOutcome::Stepped
        {}
    }

    fn next_by_step(&mut self, granularity: Granularity, limit: u64) -> StepOutcome {
        for made in 0..limit {
            let outcome = self.step();
            if outcome != StepOutcome::Stepped {
                return if made == 0 {
                    outcome
                } else {
                    StepOutcome::Stepped
                };
            }
            if granularity == Granularity::Instruction || self.begins_statement() {
                break;
            }
        }
        StepOutcome::Stepped
    }

    /// Back by one unit. False at the start.
    pub fn previous(&mut self, granularity: Granularity) -> bool {
        let Some(kinds) = ticks_of(granularity) else {
            let moved = self.back();
            while granularity == Granularity::Statement && !self.begins_statement() && self.back() {
            }
            return moved;
        };
        let start = self.position();
        let end = self.ticks.partition_point(|tick| tick.step + 1 < start);
        let tick = self.ticks[..end]
            .iter()
            .rev()
            .find(|tick| kinds.contains(&tick.kind));
        let target = tick.map_or(0, |tick| tick.step + 1);
        self.jump(target);
        self.finish_pending_before(granularity, start);
        start > 0
    }

    /// The end of the runtime call that the position is in, unless that is where it came from.
    fn finish_pending_before(&mut self, granularity: Granularity, start: u64) {
        let target = self.position();
        self.finish_pending(granularity);
        if self.position() >= start {
            let earlier = self.ticks.partition_point(|tick| tick.step + 1 < target);
            let kinds = ticks_of(granularity).unwrap_or(&[]);
            let tick = self.ticks[..earlier]
                .iter()
                .rev()
                .find(|tick| kinds.contains(&tick.kind));
            self.jump(tick.map_or(0, |tick| tick.step + 1));
            self.finish_pending(granularity);
        }
    }
}

/// Steps made at once while looking for something.
const CHUNK: u64 = 1 << 14;

/// The ticks that end a unit; `None` if units are found step by step.
fn ticks_of(granularity: Granularity) -> Option<&'static [TickKind]> {
    Some(match granularity {
        Granularity::Instruction | Granularity::Statement => return None,
        Granularity::RuntimeCall => &[TickKind::Service],
        Granularity::Switch => &[TickKind::Switch],
        Granularity::Ownership => &[TickKind::Owner],
        Granularity::Fault => &[TickKind::Fault, TickKind::End],
    })
}
