//! What somebody does to a run from outside: a signal at this instruction, another value in a
//! register or in memory. Each is a step of its own, and what was recorded after it is forgotten:
//! history takes another branch from there.
//!
//! A run is deterministic but for these, so the list of them is the whole difference between one
//! branch and another: [`Session::branch`] tells it, [`Session::take_branch`] goes back to it.

use super::Session;
use crate::isa::{Width, registers};
use crate::machine::log::Maker;
use crate::machine::shadow::Shadow;
use crate::machine::{Field, Machine, Register, Trap};
use crate::view::{Intervention, RefusedIntervention, StepKind, TickKind};

/// Bytes that are set at once, at most.
const MAX_BYTES: usize = 4096;

impl Session {
    /// Does this at the current position, as the next step. What was recorded after it is
    /// forgotten. A signal that cannot be delivered is a fault, which ends the run.
    ///
    /// # Errors
    /// [`RefusedIntervention`]; nothing has changed then.
    pub fn intervene(&mut self, what: Intervention) -> Result<(), RefusedIntervention> {
        self.check(&what)?;
        self.cut();
        self.interventions.push((self.position(), what));
        self.execute(1);
        Ok(())
    }

    /// All that was done from outside up to the furthest step, with the numbers of its steps.
    pub fn branch(&self) -> &[(u64, Intervention)] {
        &self.interventions
    }

    /// Makes history what it is with exactly this done from outside, as [`branch`](Self::branch)
    /// tells it. What both branches have in common is kept. The position is where the branches
    /// part, or, if they do not, where it was.
    ///
    /// # Errors
    /// The number of the first entry that cannot be done, and why. What comes before it has been.
    pub fn take_branch(
        &mut self,
        branch: &[(u64, Intervention)],
    ) -> Result<(), (usize, RefusedIntervention)> {
        let pairs = self.interventions.iter().zip(branch);
        let common = pairs.take_while(|(now, then)| now == then).count();
        let steps = [self.interventions.get(common), branch.get(common)];
        let Some(parting) = steps.into_iter().flatten().map(|(step, _)| *step).min() else {
            return Ok(());
        };
        self.jump(parting);
        self.cut();
        for (number, (step, what)) in branch.iter().enumerate().skip(common) {
            if self.jump(*step) != *step {
                return Err((number, RefusedIntervention::Over));
            }
            self.intervene(what.clone())
                .map_err(|refused| (number, refused))?;
        }
        self.jump(parting);
        Ok(())
    }

    /// Whether this can be done now.
    fn check(&self, what: &Intervention) -> Result<(), RefusedIntervention> {
        if self.is_over() {
            return Err(RefusedIntervention::Over);
        }
        match what {
            Intervention::Signal if self.machine.field(Field::Handling) != 0 => {
                Err(RefusedIntervention::SignalBlocked)
            }
            Intervention::Signal => Ok(()),
            Intervention::SetRegister { register, value } => self.check_register(register, *value),
            Intervention::SetBytes { address, bytes } => {
                if bytes.is_empty() || bytes.len() > MAX_BYTES {
                    return Err(RefusedIntervention::Bytes { limit: MAX_BYTES });
                }
                let len = bytes.len() as u64;
                match self.machine.first_unmapped(*address, len) {
                    Some(address) => Err(RefusedIntervention::NoMemory { address }),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_register(&self, name: &str, value: u64) -> Result<(), RefusedIntervention> {
        if name == self.pc_name() {
            return match self.machine.is_code(value) {
                true => Ok(()),
                false => Err(RefusedIntervention::NoCode { address: value }),
            };
        }
        let mut all = registers(self.isa()).iter();
        let Some(info) = all.find(|info| info.name == name) else {
            return Err(RefusedIntervention::NoRegister {
                register: name.to_owned(),
            });
        };
        match value > u64::MAX >> (64 - 8 * info.bytes) {
            true => Err(RefusedIntervention::TooLarge {
                register: info.name,
                bytes: info.bytes,
            }),
            false => Ok(()),
        }
    }

    /// Forgets all that comes after the current position.
    fn cut(&mut self) {
        let position = self.position();
        self.machine.log.cut(self.position);
        self.snapshots.cut(self.position);
        self.undone = self.position;
        self.end_pc = self.machine.pc;
        if self.furthest > position {
            let host_steps = self.machine.field(Field::HostSteps);
            self.host.seek(host_steps);
            self.host.truncate(host_steps);
            self.records.cut(position);
            let ticks = self.ticks.partition_point(|tick| tick.step < position);
            self.ticks.truncate(ticks);
            self.fault = None;
            self.furthest = position;
        }
        let interventions = self
            .interventions
            .partition_point(|(step, _)| *step < position);
        self.interventions.truncate(interventions);
    }

    /// What is to be done from outside at or after a step.
    pub(super) fn next_intervention(&self, step: u64) -> Option<&(u64, Intervention)> {
        let at = self.interventions.partition_point(|(at, _)| *at < step);
        self.interventions.get(at)
    }

    /// The step that somebody has asked for.
    pub(super) fn step_from_outside(&mut self, what: &Intervention) {
        let pc = self.machine.pc;
        self.outside_step(pc, |machine| match what {
            Intervention::Signal => machine.deliver_signal().map(|_| ()),
            Intervention::SetRegister { register, value } => {
                match Register::named(machine.isa, register) {
                    Some(register) => machine.edit_register(register, *value),
                    // The program counter, which is in no register file.
                    None => machine.go_to(*value)?,
                }
                Ok(())
            }
            Intervention::SetBytes { address, bytes } => {
                for (at, byte) in (*address..).zip(bytes) {
                    let (value, none) = (u64::from(*byte), Shadow::NONE);
                    machine.log.settle();
                    machine.store(at, Width::Byte, value, Shadow::PLAIN, none)?;
                }
                Ok(())
            }
        });
        if *what == Intervention::Signal && self.has_not_failed() {
            self.tick(TickKind::Signal);
        }
    }

    /// A signal arrives because it was asked for at every instruction.
    pub(super) fn signal_step(&mut self, pc: u32) {
        self.outside_step(pc, |machine| machine.deliver_signal().map(|_| ()));
        if self.has_not_failed() {
            self.tick(TickKind::Signal);
        }
    }

    /// `host sigreturn`.
    pub(super) fn signal_return_step(&mut self, pc: u32) {
        self.outside_step(pc, |machine| machine.return_from_signal().map(|_| ()));
    }

    fn outside_step(&mut self, pc: u32, act: impl FnOnce(&mut Machine) -> Result<(), Trap>) {
        self.machine.log.begin(pc, Maker::Outside);
        let steps = self.machine.field(Field::OutsideSteps);
        self.machine.set_field(Field::OutsideSteps, steps + 1);
        if let Err(trap) = act(&mut self.machine) {
            self.stop(pc, trap.into());
        }
    }

    fn has_not_failed(&self) -> bool {
        let steps = self.machine.log.steps.len() as u64;
        self.fault.as_ref().is_none_or(|f| f.step + 1 != steps)
    }

    /// What a step from outside did, of the step before the current position.
    pub(super) fn kind_from_outside(&self, step: u64, pc: u32) -> StepKind {
        let asked = self.next_intervention(step).filter(|(at, _)| *at == step);
        let sp = self.machine.sp();
        match asked {
            Some((_, Intervention::SetRegister { .. } | Intervention::SetBytes { .. })) => {
                StepKind::Edit
            }
            None if self.code.is_sigreturn(pc) => StepKind::SignalReturn { sp },
            Some((_, Intervention::Signal)) | None => StepKind::Signal { frame: sp },
        }
    }
}
