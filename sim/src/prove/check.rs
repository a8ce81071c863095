//! The obligations, judged from a run.

use super::contract::{Flavour, Form};
use super::machine::{Exit, Machine};
use super::report::{At, Id, Status, Transition};
use super::show::name;
use super::value::{Bitwise, Region, Side, Symbol, Value};
use crate::isa::x86::registers::MXCSR;
use crate::isa::{Reg, register_name};
use crate::program::Isa;

/// The bits of MXCSR that control something, and those that tell what has happened.
const MXCSR_CONTROL: u64 = 0xffc0;
const MXCSR_STATUS: u64 = 0x3f;

/// What is wrong, and the step at fault.
pub(super) struct Wrong {
    step: Option<usize>,
    reason: String,
}

/// How it is right, or what is wrong.
pub(super) type Judged = Result<String, Wrong>;

/// A run that has ended, and what it was meant to be.
pub(super) struct Check<'m, 'p> {
    pub machine: &'m Machine<'p>,
    pub exit: &'m Exit,
    pub transition: Transition,
    /// The run in which the target, then the source, left the image that this run found.
    pub past: Option<&'m Machine<'p>>,
}

impl Check<'_, '_> {
    /// Whether an obligation holds.
    pub fn status(&self, id: Id) -> Status {
        if let Some(why) = not_applicable(self.machine, self.transition, id) {
            return Status::NotApplicable { why };
        }
        let violation = self.machine.violations.iter().find(|found| found.id == id);
        let judged = match (violation, self.exit) {
            (Some(found), _) => wrong(Some(found.step), found.reason.clone()),
            (None, Exit::Stopped(stop)) => wrong(
                self.last_step(),
                format!("nothing is known from here on: {}", stop.0),
            ),
            (None, _) => self.judge(id),
        };
        match judged {
            Ok(how) => Status::Proven { how },
            Err(Wrong { step, reason }) => Status::Refuted {
                at: step.and_then(|step| self.at(step)),
                reason,
            },
        }
    }

    fn judge(&self, id: Id) -> Judged {
        let contract = self.machine.contract;
        match id {
            Id::P1 => self.kept(&contract.callee_saved),
            Id::P2 => self.sp_restored(),
            Id::P3 => self.continues(),
            Id::P4 => self.control(),
            Id::P5 => self.kept(&contract.callee_saved_vector),
            Id::P6 => self.signal_safe(),
            Id::P7 => self.image(),
            Id::P8 => self.aligned(),
            Id::P9 => Ok("no instruction of the run touches them".to_owned()),
            Id::P10 => Ok(
                "every store goes to the source's stack below its sp, or to the word \
                           that receives sp"
                    .to_owned(),
            ),
            Id::P11 => self.arrived(),
        }
    }

    pub(super) fn last_step(&self) -> Option<usize> {
        self.machine.steps.len().checked_sub(1)
    }

    fn at(&self, step: usize) -> Option<At> {
        let instruction = self.machine.steps.get(step)?.instruction;
        let placed = self.machine.text.placed.get(instruction)?;
        Some(placed.at.clone())
    }

    pub(super) fn shown(&self, value: &Value) -> String {
        self.machine.show().value(value)
    }

    fn target(&self) -> Side {
        self.machine.roles.target
    }

    /// What the target expects to find in a register; `None` if nothing.
    fn expected(&self, reg: Reg) -> Option<Value> {
        let width = self.machine.register(reg).width();
        let symbol = match self.transition {
            Transition::Yielded => Symbol::Register(self.target(), reg),
            Transition::Fresh => {
                Symbol::First(self.target(), self.machine.contract.first_slot(reg)?)
            }
        };
        Some(Value::of(symbol.plus(0), width))
    }

    fn holds(&self, reg: Reg, expected: &Value) -> Result<(), Wrong> {
        let held = self.machine.register(reg);
        if held == *expected {
            return Ok(());
        }
        let reason = format!(
            "{} ends up with {}, not with {}",
            register_name(self.machine.contract.isa, reg),
            self.shown(&held),
            self.shown(expected),
        );
        Err(Wrong {
            step: self.machine.writer(reg).or(self.last_step()),
            reason,
        })
    }

    /// What the target expects to find in a control word. A text that ends a C function leaves the
    /// status bits of MXCSR as they are, which are not callee-saved (System V x86-64, section 3.2.1).
    fn expected_control(&self, reg: Reg) -> Option<Value> {
        let expected = self.expected(reg)?;
        if reg != MXCSR || !self.keeps_status() {
            return Some(expected);
        }
        let width = expected.width();
        let own = Symbol::Register(self.machine.roles.source, reg).plus(0);
        let bits = |value: Value, mask| value.bitwise(&Value::known(mask, width), Bitwise::And);
        let status = bits(Value::of(own, width), MXCSR_STATUS)?;
        bits(expected, MXCSR_CONTROL)?.bitwise(&status, Bitwise::Or)
    }

    fn keeps_status(&self) -> bool {
        let contract = self.machine.contract;
        contract.form == Form::Call && contract.isa != Isa::Aarch64
    }

    fn names(&self, registers: &[Reg]) -> String {
        let isa = self.machine.contract.isa;
        let names = registers.iter().map(|reg| register_name(isa, *reg));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Registers and what they do, the verb for one of them or for several.
    fn registers_do(&self, registers: &[Reg], one: &str, several: &str) -> String {
        let verb = if registers.len() == 1 { one } else { several };
        format!("{} {verb}", self.names(registers))
    }

    fn registers_hold(&self, registers: &[Reg]) -> String {
        self.registers_do(registers, "holds", "hold")
    }

    /// P1, P5.
    fn kept(&self, registers: &[Reg]) -> Judged {
        let declared = &self.machine.contract.clobbered;
        let (clobbered, kept): (Vec<Reg>, Vec<Reg>) =
            registers.iter().partition(|reg| declared.contains(reg));
        let mut held = Vec::new();
        for reg in kept {
            if let Some(expected) = self.expected(reg) {
                self.holds(reg, &expected)?;
                held.push(reg);
            }
        }
        let mut how = Vec::new();
        if !held.is_empty() {
            let what = match self.transition {
                Transition::Yielded => "what was there when the target gave up the CPU",
                Transition::Fresh => "what the first frame has for them",
            };
            how.push(format!("{} {what}", self.registers_hold(&held)));
        }
        if !clobbered.is_empty() {
            let are = self.registers_do(&clobbered, "is", "are");
            how.push(format!("{are} declared clobbered"));
        }
        Ok(how.join("; "))
    }

    /// P2.
    fn sp_restored(&self) -> Judged {
        let sp = self.machine.contract.sp();
        let offset = self.machine.final_offset();
        let base = Symbol::Base(Region::Stack(self.target())).plus(offset);
        self.holds(sp, &Value::of(base, self.machine.word))?;
        Ok(match self.transition {
            Transition::Yielded => match self.machine.contract.form {
                Form::Inline => "sp is what it was when the target entered the text",
                Form::Call => "sp is what it was before the target's call",
            },
            Transition::Fresh if offset != 0 => "sp is where the entry expects its own part",
            Transition::Fresh => "sp is right above the first frame",
        }
        .to_owned())
    }

    /// P3.
    fn continues(&self) -> Judged {
        let form = self.machine.contract.form;
        let right = match (self.exit, self.transition, form) {
            (Exit::End(side), Transition::Yielded, Form::Inline)
            | (Exit::Return(side), Transition::Yielded, Form::Call)
                if *side == self.target() =>
            {
                Some(match form {
                    Form::Inline => "goes on after the target's own copy of the text",
                    Form::Call => "goes on where the target's C function returns to",
                })
            }
            (Exit::Entry, Transition::Fresh, _) => {
                Some("goes on at the entry that the first frame names")
            }
            _ => None,
        };
        if let Some(how) = right {
            return Ok(how.to_owned());
        }
        let reason = match self.exit {
            Exit::End(side) => format!("goes on after the text where {} entered it", name(*side)),
            Exit::Return(side) => {
                format!("goes on where the C function of {} returns to", name(*side))
            }
            Exit::Entry => "goes on at an entry".to_owned(),
            Exit::Elsewhere(address) => format!("goes on at {}", self.shown(address)),
            Exit::Stopped(stop) => stop.0.clone(),
        };
        wrong(self.last_step(), reason)
    }

    /// P4.
    fn control(&self) -> Judged {
        let contract = self.machine.contract;
        if contract.flavour == Flavour::Fp {
            for reg in &contract.control {
                if let Some(expected) = self.expected_control(*reg) {
                    self.holds(*reg, &expected)?;
                }
            }
            let control = self.registers_do(&contract.control, "controls", "control");
            let as_when = match self.transition {
                Transition::Yielded => "as when the target gave up the CPU",
                Transition::Fresh => "as the first frame says",
            };
            let status = match self.keeps_status() {
                true => "; the status bits of mxcsr stay as they are",
                false => "",
            };
            return Ok(format!("{control} {as_when}{status}"));
        }
        for reg in &contract.control {
            let width = self.machine.register(*reg).width();
            let own = Symbol::Register(self.machine.roles.source, *reg).plus(0);
            self.holds(*reg, &Value::of(own, width))?;
        }
        let are = self.registers_do(&contract.control, "is", "are");
        Ok(format!("{are} unchanged"))
    }

    /// P8.
    fn aligned(&self) -> Judged {
        let contract = self.machine.contract;
        if self.transition == Transition::Yielded {
            return Ok("sp is aligned at every access".to_owned());
        }
        let alignment = contract.entry_alignment;
        if contract.entry_offset % alignment != 0 {
            let reason = format!(
                "the runtime has the first frame end {} bytes beside a multiple of {alignment}",
                contract.entry_offset.unsigned_abs()
            );
            return wrong(None, reason);
        }
        // The first frame ends at an aligned address.
        let sp = self.machine.sp();
        let base = Symbol::Base(Region::Stack(self.target()));
        match sp.term().filter(|term| term.symbol == base) {
            Some(term) if (term.offset - contract.entry_sp) % alignment == 0 => {
                Ok(match contract.entry_sp {
                    0 => format!("sp is a multiple of {alignment} at the entry"),
                    off => format!(
                        "sp is {} bytes beside a multiple of {alignment} at the entry, as it \
                         expects",
                        off.unsigned_abs()
                    ),
                })
            }
            _ => wrong(
                self.machine.writer(contract.sp()).or(self.last_step()),
                format!(
                    "sp is {} at the entry, not known to be a multiple of {alignment}",
                    self.shown(&sp)
                ),
            ),
        }
    }

    /// P11.
    fn arrived(&self) -> Judged {
        let contract = self.machine.contract;
        let source = self.machine.roles.source;
        for reg in &contract.passes {
            let width = self.machine.register(*reg).width();
            let own = Symbol::Register(source, *reg).plus(0);
            self.holds(*reg, &Value::of(own, width))?;
        }
        let hold = self.registers_hold(&contract.passes);
        let mut how = format!("{hold} what the source put there");
        if let Some(reg) = contract.tells_sp {
            self.holds(reg, &self.machine.stored_sp())?;
            how.push_str(&format!("; {} the sp that was stored", self.names(&[reg])));
        }
        Ok(how)
    }
}

fn not_applicable(machine: &Machine<'_>, transition: Transition, id: Id) -> Option<String> {
    let contract = machine.contract;
    match id {
        Id::P4 if contract.control.is_empty() => Some("there are no control words".to_owned()),
        Id::P5 if contract.callee_saved_vector.is_empty() => Some(format!(
            "the ABI of {} has no callee-saved vector register",
            contract.isa.name()
        )),
        Id::P8 if transition == Transition::Yielded && contract.access_alignment == 1 => {
            Some("the target has begun to run already".to_owned())
        }
        Id::P9 if contract.isa == Isa::Aarch64 => {
            Some("aarch64 has no direction flag and no x87 stack".to_owned())
        }
        _ => None,
    }
}

pub(super) fn wrong(step: Option<usize>, reason: String) -> Judged {
    Err(Wrong { step, reason })
}
