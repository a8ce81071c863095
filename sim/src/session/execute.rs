//! Steps at the end of what is recorded: instructions, and calls of the host.

use std::rc::Rc;

use super::Session;
use crate::code::Insts;
use crate::fault::{Fault, FaultKind, TaskNumber};
use crate::host::Then;
use crate::isa::{aarch64, x86};
use crate::machine::log::{At, Maker, Step};
use crate::machine::shadow::Shadow;
use crate::machine::signal::SIGRETURN;
use crate::machine::{Context, Did, Field, Machine, Trap};
use crate::view::{StepKind, StepOutcome, Tick, TickKind};

/// An instruction of an ISA, for the loop that executes them.
trait Execute: Copy {
    fn service(&self) -> Option<u16>;
    fn execute(&self, machine: &mut Machine) -> Result<(), Trap>;
}

impl Execute for x86::Inst {
    #[inline(always)]
    fn service(&self) -> Option<u16> {
        match self {
            x86::Inst::Host { service } => Some(*service),
            _ => None,
        }
    }

    #[inline(always)]
    fn execute(&self, machine: &mut Machine) -> Result<(), Trap> {
        machine.execute_x86(self)
    }
}

impl Execute for aarch64::Inst {
    #[inline(always)]
    fn service(&self) -> Option<u16> {
        match self {
            aarch64::Inst::Host { service } => Some(*service),
            _ => None,
        }
    }

    #[inline(always)]
    fn execute(&self, machine: &mut Machine) -> Result<(), Trap> {
        machine.execute_aarch64(self)
    }
}

impl Session {
    /// Makes up to `limit` steps at the end of what is recorded.
    pub(super) fn execute(&mut self, limit: u64) -> StepOutcome {
        debug_assert_eq!(self.position, self.machine.log.steps.len());
        let mut left = limit;
        let outcome = loop {
            let now = self.machine.log.steps.len() as u64;
            let next = self.next_intervention(now).cloned();
            if let Some((step, what)) = &next
                && *step == now
                && left > 0
                && !self.is_over()
            {
                self.step_from_outside(what);
                self.position = self.machine.log.steps.len();
                left -= 1;
                if left == 0 {
                    break StepOutcome::Stepped;
                }
                continue;
            }
            let until = next.map_or(left, |(step, _)| left.min(step - now));
            let due = self.snapshots.due_in(now as usize);
            let until = until.min(due.max(1) as u64);
            let outcome = self.execute_undisturbed(until);
            self.position = self.machine.log.steps.len();
            if self.snapshots.due_in(self.position) == 0 {
                self.snapshots.take(self.position, &mut self.machine);
            }
            let made = self.position as u64 - now;
            left -= made;
            if made < until || left == 0 {
                break outcome;
            }
        };
        self.position = self.machine.log.steps.len();
        self.undone = self.position;
        self.end_pc = self.machine.pc;
        self.furthest = self.recorded_len();
        outcome
    }

    /// Steps with nothing done from outside.
    fn execute_undisturbed(&mut self, limit: u64) -> StepOutcome {
        let code = Rc::clone(&self.code);
        match (&code.insts, self.signal_points.is_empty()) {
            (Insts::X86(insts), true) => self.execute_insts::<_, false>(insts, limit),
            (Insts::X86(insts), false) => self.execute_insts::<_, true>(insts, limit),
            (Insts::Aarch64(insts), true) => self.execute_insts::<_, false>(insts, limit),
            (Insts::Aarch64(insts), false) => self.execute_insts::<_, true>(insts, limit),
        }
    }

    /// `SIGNALS` says whether signals arrive by themselves.
    fn execute_insts<I: Execute, const SIGNALS: bool>(
        &mut self,
        insts: &[I],
        limit: u64,
    ) -> StepOutcome {
        if self.has_ended() {
            return StepOutcome::Ended;
        }
        if self.fault().is_some() {
            return StepOutcome::Faulted;
        }
        let mut left = limit;
        let mut pending = self.machine.field(Field::Pending) != 0;
        while left > 0 {
            left -= 1;
            let pc = self.machine.pc;
            if self.machine.log.is_full {
                self.machine.log.begin(pc, Maker::Cpu);
                let message = "the session is too long to be recorded".to_owned();
                self.stop(pc, FaultKind::Runtime { message });
                break;
            }
            if pending {
                self.host_step(pc, None);
                pending = self.machine.field(Field::Pending) != 0;
            } else if SIGNALS && self.is_signal_due(pc) {
                self.signal_step(pc);
            } else if let Some(inst) = insts.get(pc as usize) {
                if let Some(service) = inst.service() {
                    if service == SIGRETURN {
                        self.signal_return_step(pc);
                        pending = self.machine.field(Field::Pending) != 0;
                        if self.has_stopped() {
                            break;
                        }
                        continue;
                    }
                    self.host_step(pc, Some(service));
                    pending = self.machine.field(Field::Pending) != 0;
                } else {
                    let machine = &mut self.machine;
                    machine.log.begin(pc, Maker::Cpu);
                    machine.pc = pc + 1;
                    if SIGNALS && machine.field(Field::Signalled) != 0 {
                        machine.set_field(Field::Signalled, 0);
                    }
                    let result = inst.execute(machine);
                    if machine.switched {
                        self.note_switch();
                    }
                    match result {
                        Ok(()) => continue,
                        Err(trap) => self.stop(pc, trap.into()),
                    }
                }
            } else {
                self.machine.log.begin(pc, Maker::Cpu);
                self.stop(pc, FaultKind::RanOff);
            }
            if self.has_stopped() {
                break;
            }
        }
        self.machine.log.settle();
        StepOutcome::Stepped
    }

    /// Whether a signal is to arrive before this instruction, and has not yet.
    fn is_signal_due(&self, pc: u32) -> bool {
        let here = self.signal_points.get(pc as usize).copied();
        here == Some(true) && self.machine.field(Field::Signalled) == 0
    }

    #[cold]
    fn note_switch(&mut self) {
        self.machine.switched = false;
        self.tick(TickKind::Switch);
    }

    /// Whether the step just made has ended the run.
    fn has_stopped(&self) -> bool {
        let steps = self.machine.log.steps.len() as u64;
        let faulted = self
            .fault
            .as_ref()
            .is_some_and(|fault| fault.step + 1 == steps);
        faulted || self.has_ended()
    }

    pub(super) fn tick(&mut self, kind: TickKind) {
        let step = self.machine.log.steps.len() as u64 - 1;
        // What is executed again after starting again is known.
        if step >= self.furthest {
            self.ticks.push(Tick {
                step,
                kind,
                task: self.machine.task().unwrap_or(0),
            });
        }
    }

    /// One step of the host: a service, or the next of its pending actions.
    fn host_step(&mut self, pc: u32, service: Option<u16>) {
        match service {
            Some(_) => {
                self.machine.log.begin(pc, Maker::Service);
                self.machine.pc = pc + 1;
            }
            None => self.machine.log.begin(pc, Maker::Micro),
        }
        let step = self.machine.log.steps.len() as u64 - 1;
        let mut context = Context::new(&mut self.machine, &mut self.records);
        let result = match service {
            Some(service) => self.host.call(service, &mut context),
            None => self.host.micro_step(&mut context),
        };
        let then = match result {
            Ok(then) => then,
            Err(kind) => return self.stop(pc, kind),
        };
        let machine = &mut self.machine;
        for (field, value) in [
            (Field::Signalled, 0),
            (Field::HostSteps, machine.field(Field::HostSteps) + 1),
            (Field::Pending, u64::from(then == Then::More)),
            (Field::Ended, u64::from(then == Then::End)),
        ] {
            if machine.field(field) != value {
                machine.set_field(field, value);
            }
        }
        // What is executed again has said so before, and has its ticks.
        let tick = match self.records.of_last(step) {
            Some(Did::Save { .. }) => Some(TickKind::Save),
            Some(Did::Restore { .. }) => Some(TickKind::Restore),
            Some(Did::Owner { .. }) => Some(TickKind::Owner),
            Some(other) => self.records.kind(other).as_ref().and_then(tick_of),
            None => Some(TickKind::Service),
        };
        if let Some(tick) = tick {
            self.tick(tick);
        }
        if then == Then::End && tick != Some(TickKind::End) {
            self.tick(TickKind::End);
        }
    }

    /// The task whose sp was in use before sp came to point elsewhere.
    fn last_known_task(&self) -> Option<TaskNumber> {
        let sp = self.machine.sp_reg().index() as u8;
        let log = &self.machine.log;
        (log.kept_from..log.steps.len()).rev().find_map(|step| {
            let mut olds = log.entries_of(step).rev();
            olds.find_map(|entry| match entry.at() == At::Register(sp) {
                true => Shadow(entry.shadow).task(),
                false => None,
            })
        })
    }

    /// The step that has begun has failed: what it wrote is taken back, and it becomes the step
    /// that reports the fault.
    #[cold]
    pub(super) fn stop(&mut self, pc: u32, kind: FaultKind) {
        let step = self.machine.log.steps.len() - 1;
        let task = self.machine.task();
        self.machine.log.settle();
        let failed = self.machine.log.steps.get(step);
        let was_host = failed.is_some_and(Step::is_host);
        let entries = self.machine.log.range(step);
        self.machine.exchange(entries, true);
        let first = failed.map_or(0, |step| step.first);
        self.machine.log.truncate(first as usize);
        self.machine
            .log
            .steps
            .set(step, Step::new(first, pc, Maker::Cpu));
        self.machine.pc = pc;
        self.machine.switched = false;
        let printed = self.machine.field(Field::Output) as usize;
        self.machine.output.truncate(printed);
        if was_host {
            self.records.cut(step as u64);
            let host_steps = self.machine.field(Field::HostSteps);
            self.host.seek(host_steps);
            self.host.truncate(host_steps);
        }
        let line = self.code.line_of(pc);
        let fault = Fault {
            kind,
            step: step as u64,
            address: self.code.address_of(pc),
            instruction: line.map_or(String::new(), |line| line.text.trim().to_owned()),
            function: self
                .code
                .function_of(pc)
                .map_or(String::new(), |function| function.info.name.clone()),
            task: self
                .machine
                .task()
                .or(task)
                .or_else(|| self.last_known_task()),
            statement: self.statement_here(),
        };
        self.fault = Some(Box::new(fault));
        self.tick(TickKind::Fault);
    }
}

/// How a step of the host stands out.
fn tick_of(kind: &StepKind) -> Option<TickKind> {
    Some(match kind {
        StepKind::Service { .. } => TickKind::Service,
        StepKind::Save { .. } => TickKind::Save,
        StepKind::Restore { .. } => TickKind::Restore,
        StepKind::Owner { .. } => TickKind::Owner,
        StepKind::Output { .. } => TickKind::Output,
        StepKind::Signal { .. } => TickKind::Signal,
        StepKind::End => TickKind::End,
        _ => return None,
    })
}
