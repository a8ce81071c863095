//! aarch64 on symbolic values: one handler per kind of instruction.
//!
//! Source: Arm Architecture Reference Manual for A-profile (DDI 0487), part C. There is no
//! direction flag and no register stack. The flags are followed where both operands are numbers, as
//! on x86.

use super::machine::{Flags, Flow, Machine, Stop};
use super::report::Id;
use super::value::{Bitwise, Byte, Value};
use crate::isa::aarch64::registers::{FPCR, LR, SP, ZR};
use crate::isa::aarch64::{Address, Alu, Condition, Inst, Mode, Shift, Source, WideMove};
use crate::isa::{Reg, Width};

/// Executes an instruction.
pub(crate) fn execute(inst: &Inst, machine: &mut Machine<'_>) -> Result<Flow, Stop> {
    let mut cpu = Cpu { machine };
    match *inst {
        Inst::MoveWide {
            op,
            width,
            target,
            value,
            shift,
        } => cpu.move_wide(op, width, target, value, shift),
        Inst::Move {
            width,
            target,
            source,
        } => {
            let value = cpu.get(source, width);
            cpu.put(target, &value);
        }
        Inst::Alu {
            op,
            flags,
            width,
            target,
            left,
            right,
        } => cpu.alu(op, flags, width, target, left, right),
        Inst::ShiftBy {
            op,
            width,
            target,
            source,
            amount,
        } => cpu.shift_by(op, width, target, source, amount),
        Inst::Multiply { width, target, .. } | Inst::Divide { width, target, .. } => {
            let result = cpu.machine.unknown("the result", width);
            cpu.put(target, &result);
        }
        Inst::Select {
            width,
            target,
            yes,
            no,
            condition,
        } => cpu.select(width, target, yes, no, condition),
        Inst::Adr { target, to } => {
            let address = cpu.machine.code(to);
            cpu.put(target, &address);
        }
        Inst::Transfer {
            load: true,
            width,
            signed,
            reg,
            address,
        } => cpu.load(width, signed, reg, address)?,
        Inst::Transfer {
            width,
            reg,
            address,
            ..
        } => cpu.store(&[(reg, width)], address)?,
        Inst::Pair {
            load: true,
            width,
            first,
            second,
            address,
        } => cpu.load_pair(width, first, second, address)?,
        Inst::Pair {
            width,
            first,
            second,
            address,
            ..
        } => cpu.store(&[(first, width), (second, width)], address)?,
        Inst::FMov { target, source } => {
            let value = cpu.get(source, Width::Double);
            cpu.put(target, &value);
        }
        Inst::Fpcr { read: true, reg } => {
            let value = cpu.get(FPCR, Width::Double);
            cpu.put(reg, &value);
        }
        Inst::Fpcr { reg, .. } => {
            // The upper half is reserved, and 0.
            let value = cpu.get(reg, Width::Word);
            cpu.machine.set_register(FPCR, value);
        }
        Inst::Jump { to } => return Ok(Flow::Label(to)),
        Inst::Call { to } => {
            cpu.link();
            return Ok(Flow::Label(to));
        }
        Inst::JumpIndirect { target } | Inst::Ret { target } => return Ok(cpu.go_to(target)),
        Inst::CallIndirect { target } => {
            let flow = cpu.go_to(target);
            cpu.link();
            return Ok(flow);
        }
        Inst::Branch { condition, to } => return branch(cpu.holds(condition), to),
        Inst::CompareBranch {
            nonzero,
            width,
            reg,
            to,
        } => {
            let value = cpu.get(reg, width).number();
            return branch(value.map(|value| (value != 0) == nonzero), to);
        }
        Inst::Nop => {}
        Inst::Undefined => return Err(Stop("it raises an exception".to_owned())),
        Inst::Host { .. } => {
            return Err(Stop(
                "not supported in a proof: a call of the runtime".to_owned(),
            ));
        }
    }
    Ok(Flow::Next)
}

fn branch(holds: Option<bool>, to: u32) -> Result<Flow, Stop> {
    match holds {
        Some(true) => Ok(Flow::Label(to)),
        Some(false) => Ok(Flow::Next),
        None => Err(Stop(
            "not supported in a proof: a jump on a condition that depends on the values: this is \
             no straight-line code"
                .to_owned(),
        )),
    }
}

struct Cpu<'m, 'p> {
    machine: &'m mut Machine<'p>,
}

impl Cpu<'_, '_> {
    /// What a register's low bytes hold; zr is 0.
    fn get(&self, reg: Reg, width: Width) -> Value {
        match reg {
            ZR => Value::known(0, width),
            _ => self.machine.register(reg).low(width),
        }
    }

    /// Replaces a register: a write of four bytes clears the upper half, and one to zr is lost.
    fn put(&mut self, reg: Reg, value: &Value) {
        if reg != ZR {
            self.machine.set_register(reg, value.low(Width::Double));
        }
    }

    fn go_to(&self, target: Reg) -> Flow {
        Flow::Address(Box::new(self.get(target, Width::Double)))
    }

    fn link(&mut self) {
        let next = self.machine.next_address();
        self.put(LR, &next);
    }

    fn move_wide(&mut self, op: WideMove, width: Width, target: Reg, value: u16, shift: u8) {
        let bits = u64::from(value) << (shift % 64);
        let value = match op {
            WideMove::Zero => Value::known(bits & width.mask(), width),
            WideMove::Not => Value::known(!bits & width.mask(), width),
            WideMove::Keep => {
                let old = self.get(target, width);
                let (new, at) = (Value::known(bits, width), usize::from(shift / 8));
                Value::from_bytes(width, |index| match index {
                    _ if index == at || index == at + 1 => new.byte(index),
                    _ => old.byte(index),
                })
            }
        };
        self.put(target, &value);
    }

    fn shifted(&mut self, op: Shift, value: &Value, amount: u32) -> Value {
        let width = value.width();
        let result = match (op, value.number()) {
            (_, _) if amount == 0 => Some(*value),
            (Shift::Lsl, Some(number)) => Some(Value::known(
                number.wrapping_shl(amount) & width.mask(),
                width,
            )),
            (Shift::Lsr, Some(number)) => Some(Value::known(number.wrapping_shr(amount), width)),
            (Shift::Lsl | Shift::Lsr, None) if amount.is_multiple_of(8) => {
                let bytes = (amount / 8) as usize;
                Some(Value::from_bytes(width, |index| match op {
                    Shift::Lsl if index < bytes => Byte::Known(0),
                    Shift::Lsl => value.byte(index - bytes),
                    _ => value.byte(index + bytes),
                }))
            }
            _ => None,
        };
        self.machine.or_unknown(result, width)
    }

    fn source(&mut self, source: Source, width: Width) -> Value {
        match source {
            Source::Imm(value) => Value::known(value as u64 & width.mask(), width),
            Source::Reg { reg, shift, amount } => {
                let value = self.get(reg, width);
                self.shifted(shift, &value, amount.into())
            }
        }
    }

    fn alu(&mut self, op: Alu, flags: bool, width: Width, target: Reg, left: Reg, right: Source) {
        let left = self.get(left, width);
        let right = self.source(right, width);
        let result = match op {
            Alu::Add => self.machine.add(&left, &right),
            Alu::Sub => self.machine.sub(&left, &right),
            Alu::And => self.machine.bitwise(Bitwise::And, &left, &right),
            Alu::Orr => self.machine.bitwise(Bitwise::Or, &left, &right),
            Alu::Eor => self.machine.bitwise(Bitwise::Xor, &left, &right),
            Alu::Bic | Alu::Orn => {
                let not = right
                    .number()
                    .map(|number| Value::known(!number & width.mask(), width));
                let not = self.machine.or_unknown(not, width);
                let op = if op == Alu::Bic {
                    Bitwise::And
                } else {
                    Bitwise::Or
                };
                self.machine.bitwise(op, &left, &not)
            }
        };
        if flags {
            self.machine.flags = nzcv(op, &left, &right, &result);
        }
        self.put(target, &result);
    }

    fn shift_by(&mut self, op: Shift, width: Width, target: Reg, source: Reg, amount: Reg) {
        let value = self.get(source, width);
        let result = match self.get(amount, width).number() {
            Some(amount) => self.shifted(op, &value, (amount % u64::from(width.bits())) as u32),
            None => self.machine.unknown("the result", width),
        };
        self.put(target, &result);
    }

    fn select(&mut self, width: Width, target: Reg, yes: Source, no: Source, when: Condition) {
        let value = match self.holds(when) {
            Some(true) => self.source(yes, width),
            Some(false) => self.source(no, width),
            None => self.machine.unknown("the result", width),
        };
        self.put(target, &value);
    }

    /// Whether a condition holds, if that is known.
    fn holds(&self, condition: Condition) -> Option<bool> {
        let Flags {
            carry,
            zero,
            sign,
            overflow,
        } = self.machine.flags?;
        Some(match condition {
            Condition::Eq => zero,
            Condition::Ne => !zero,
            Condition::Hs => carry,
            Condition::Lo => !carry,
            Condition::Mi => sign,
            Condition::Pl => !sign,
            Condition::Vs => overflow,
            Condition::Vc => !overflow,
            Condition::Hi => carry && !zero,
            Condition::Ls => !carry || zero,
            Condition::Ge => sign == overflow,
            Condition::Lt => sign != overflow,
            Condition::Gt => !zero && sign == overflow,
            Condition::Le => zero || sign != overflow,
        })
    }

    /// The address of a transfer, and what the base becomes.
    fn address(&mut self, address: Address) -> (Value, Option<Value>) {
        let base = self.get(address.base, Width::Double);
        if address.base == SP {
            self.check_alignment(&base);
        }
        match address.mode {
            Mode::Offset(offset) => (self.moved(&base, offset), None),
            Mode::Pre(offset) => {
                let moved = self.moved(&base, offset);
                (moved, Some(moved))
            }
            Mode::Post(offset) => (base, Some(self.moved(&base, offset))),
            Mode::Index { index, shift } => {
                let index = self.get(index, Width::Double);
                let index = self.shifted(Shift::Lsl, &index, shift.into());
                (self.machine.add(&base, &index), None)
            }
        }
    }

    fn moved(&mut self, base: &Value, offset: i32) -> Value {
        let offset = Value::known(offset as i64 as u64, Width::Double);
        self.machine.add(base, &offset)
    }

    /// Arm ARM, "SP alignment checking": the stacks' own offsets count from aligned addresses.
    fn check_alignment(&mut self, sp: &Value) {
        let alignment = self.machine.contract.access_alignment;
        let aligned = self.machine.stack_offset(sp);
        if aligned.is_none_or(|offset| offset % alignment != 0) {
            let shown = self.machine.show().value(sp);
            let reason =
                format!("an access through sp, which is {shown}: not a multiple of {alignment}");
            self.machine.violation(Id::P8, reason);
        }
    }

    /// With a base that moves, the register of the transfer must be another one, as must the two of
    /// a pair that is loaded (Arm ARM, "constrained unpredictable").
    fn check_registers(&self, registers: &[Reg], load: bool, address: Address) -> Result<(), Stop> {
        let moves = matches!(address.mode, Mode::Pre(_) | Mode::Post(_));
        let twice = load && matches!(registers, [first, second] if first == second);
        match twice || (moves && registers.contains(&address.base)) {
            true => Err(Stop("what it does is unpredictable".to_owned())),
            false => Ok(()),
        }
    }

    fn load(
        &mut self,
        width: Width,
        signed: Option<Width>,
        reg: Reg,
        address: Address,
    ) -> Result<(), Stop> {
        self.check_registers(&[reg], true, address)?;
        let (at, moved) = self.address(address);
        let mut value = self.machine.load(&at, width);
        if let Some(into) = signed {
            let wide = value.number().map(|number| {
                let number = width.sign_extend(number) as u64 & into.mask();
                Value::known(number, into)
            });
            value = self.machine.or_unknown(wide, into);
        }
        self.move_base(address.base, moved);
        self.put(reg, &value);
        Ok(())
    }

    fn load_pair(
        &mut self,
        width: Width,
        first: Reg,
        second: Reg,
        address: Address,
    ) -> Result<(), Stop> {
        self.check_registers(&[first, second], true, address)?;
        let (at, moved) = self.address(address);
        let low = self.machine.load(&at, width);
        let above = self.moved(&at, width.bytes() as i32);
        let high = self.machine.load(&above, width);
        self.move_base(address.base, moved);
        self.put(first, &low);
        self.put(second, &high);
        Ok(())
    }

    /// One register, or two. sp moves before anything is written below it.
    fn store(&mut self, registers: &[(Reg, Width)], address: Address) -> Result<(), Stop> {
        let names: Vec<Reg> = registers.iter().map(|(reg, _)| *reg).collect();
        self.check_registers(&names, false, address)?;
        let (mut at, moved) = self.address(address);
        let values: Vec<Value> = registers
            .iter()
            .map(|(reg, width)| self.get(*reg, *width))
            .collect();
        self.move_base(address.base, moved);
        for value in values {
            self.machine.store(&at, &value)?;
            at = self.moved(&at, value.width().bytes() as i32);
        }
        Ok(())
    }

    fn move_base(&mut self, base: Reg, moved: Option<Value>) {
        if let Some(moved) = moved {
            self.put(base, &moved);
        }
    }
}

/// The flags after an operation on two numbers: C is the carry of an addition, and the opposite of
/// a subtraction's borrow.
fn nzcv(op: Alu, left: &Value, right: &Value, result: &Value) -> Option<Flags> {
    let width = result.width();
    let (left, right, result) = (left.number()?, right.number()?, result.number()?);
    let sign = |value: u64| width.sign_extend(value) < 0;
    let (carry, overflow) = match op {
        Alu::Add => (
            result < left,
            sign(left) == sign(right) && sign(result) != sign(left),
        ),
        Alu::Sub => (
            left >= right,
            sign(left) != sign(right) && sign(result) != sign(left),
        ),
        Alu::And | Alu::Orr | Alu::Eor | Alu::Bic | Alu::Orn => (false, false),
    };
    Some(Flags {
        carry,
        zero: result == 0,
        sign: sign(result),
        overflow,
    })
}
