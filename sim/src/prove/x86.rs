//! x86-64 and i386 on symbolic values: one handler per kind of instruction.
//!
//! Source: Intel SDM volume 2. No instruction of the subset writes the direction flag or moves the
//! x87 stack; `fnstcw` and `fldcw` touch the control word alone. The other flags are nobody's. They
//! are followed where both operands are numbers, which is enough for the one branch that a switch
//! may have: setjmp's, on whether it returns 0 or 1.

use super::machine::{Flags, Flow, Machine, Stop};
use super::value::{Bitwise, Value};
use crate::isa::x86::registers::{AX, BP, DX, FPCW, MXCSR, SP};
use crate::isa::x86::{Alu, Condition, Inst, Mem, Operand, Shift};
use crate::isa::{Reg, Width};

/// Executes an instruction. `has_label` says that there is the address of a label in it.
pub(crate) fn execute(
    inst: &Inst,
    has_label: bool,
    machine: &mut Machine<'_>,
) -> Result<Flow, Stop> {
    let mut cpu = Cpu { machine, has_label };
    match *inst {
        Inst::Mov {
            width,
            target,
            source,
        } => cpu.mov(width, target, source)?,
        Inst::Widen {
            signed,
            width,
            from,
            target,
            source,
        } => cpu.widen(signed, width, from, target, source),
        Inst::Lea {
            width,
            target,
            address,
        } => cpu.lea(width, target, address),
        Inst::Xchg {
            width,
            target,
            source,
        } => cpu.xchg(width, target, source)?,
        Inst::Push { source } => cpu.push(source)?,
        Inst::Pop { target } => cpu.pop(target)?,
        Inst::Alu {
            op,
            width,
            target,
            source,
        } => cpu.alu(op, width, target, source)?,
        Inst::Step {
            down,
            width,
            target,
        } => cpu.step(down, width, target)?,
        Inst::Neg { width, target } => cpu.unary(width, target, u64::wrapping_neg)?,
        Inst::Not { width, target } => cpu.unary(width, target, |value| !value)?,
        Inst::Imul {
            width,
            target,
            source,
            constant,
        } => cpu.imul(width, target, source, constant),
        Inst::SignToDx { width } => cpu.sign_to_dx(width),
        Inst::Shift {
            op,
            width,
            target,
            count,
        } => cpu.shift(op, width, target, count)?,
        Inst::Set { condition, target } => cpu.set(condition, target)?,
        Inst::Branch { condition, to } => {
            return match cpu.holds(condition) {
                Some(true) => Ok(Flow::Label(to)),
                Some(false) => Ok(Flow::Next),
                None => Err(unsupported(
                    "a jump on a condition that depends on the values: this is no straight-line code",
                )),
            };
        }
        Inst::Jump { to } => return Ok(Flow::Label(to)),
        Inst::JumpIndirect { target } => return Ok(Flow::Address(Box::new(cpu.get_word(target)))),
        Inst::Call { to } => {
            cpu.push_next()?;
            return Ok(Flow::Label(to));
        }
        Inst::CallIndirect { target } => {
            let address = cpu.get_word(target);
            cpu.push_next()?;
            return Ok(Flow::Address(Box::new(address)));
        }
        Inst::Ret { drop } => return Ok(Flow::Address(Box::new(cpu.ret(drop)))),
        Inst::Leave => cpu.leave()?,
        Inst::Mxcsr { store, address } => cpu.control(MXCSR, Width::Word, store, address)?,
        Inst::Fpcw { store, address } => cpu.control(FPCW, Width::Half, store, address)?,
        Inst::Nop => {}
        Inst::Idiv { .. } => {
            return Err(unsupported("a division, which may raise an exception"));
        }
        Inst::Undefined => return Err(Stop("it raises an exception".to_owned())),
        Inst::Host { .. } => return Err(unsupported("a call of the runtime")),
    }
    Ok(Flow::Next)
}

fn unsupported(what: &str) -> Stop {
    Stop(format!("not supported in a proof: {what}"))
}

struct Cpu<'m, 'p> {
    machine: &'m mut Machine<'p>,
    has_label: bool,
}

impl Cpu<'_, '_> {
    fn word(&self) -> Width {
        self.machine.word
    }

    /// What a register's low bytes hold.
    fn register(&self, reg: Reg, width: Width) -> Value {
        self.machine.register(reg).low(width)
    }

    /// The address of a memory operand.
    fn address(&mut self, mem: Mem) -> Value {
        let word = self.word();
        let number = |value: i32| Value::known(value as i64 as u64 & word.mask(), word);
        let mut address = match (self.has_label, mem.base, mem.index) {
            (true, None, None) => return self.machine.code(mem.disp as u32),
            (true, ..) => return self.machine.unknown("an address", word),
            (false, Some(base), _) => self.register(base, word),
            (false, None, _) => number(0),
        };
        if let Some(index) = mem.index {
            let index = self.register(index, word);
            let scaled = match (mem.scale, index.number()) {
                (0 | 1, _) => index,
                (scale, Some(number)) => {
                    let product = number.wrapping_mul(scale.into()) & word.mask();
                    Value::known(product, word)
                }
                _ => self.machine.unknown("the index", word),
            };
            address = self.machine.add(&address, &scaled);
        }
        self.machine.add(&address, &number(mem.disp))
    }

    fn get(&mut self, operand: Operand, width: Width) -> Value {
        match operand {
            Operand::Reg(reg) => self.register(reg, width),
            Operand::Imm(address) if self.has_label => self.machine.code(address as u32).low(width),
            Operand::Imm(value) => Value::known(value as u64 & width.mask(), width),
            Operand::Mem(mem) => {
                let address = self.address(mem);
                self.machine.load(&address, width)
            }
        }
    }

    fn get_word(&mut self, operand: Operand) -> Value {
        let word = self.word();
        self.get(operand, word)
    }

    fn put(&mut self, operand: Operand, value: &Value) -> Result<(), Stop> {
        match operand {
            Operand::Reg(reg) => {
                self.put_register(reg, value);
                Ok(())
            }
            Operand::Mem(mem) => {
                let address = self.address(mem);
                self.machine.store(&address, value)
            }
            // The parser makes no constant a target.
            Operand::Imm(_) => Err(unsupported("a constant as a target")),
        }
    }

    /// A write of four bytes clears the upper half, narrower ones leave the rest alone.
    fn put_register(&mut self, reg: Reg, value: &Value) {
        let word = self.word();
        let value = match value.width() {
            Width::Double | Width::Word => value.low(word),
            Width::Half | Width::Byte => self.machine.register(reg).with_low(value),
        };
        self.machine.set_register(reg, value);
    }

    fn mov(&mut self, width: Width, target: Operand, source: Operand) -> Result<(), Stop> {
        // A label's address belongs to memory, if there is any.
        let value = match (target, source) {
            (Operand::Mem(_), Operand::Imm(value)) => {
                Value::known(value as u64 & width.mask(), width)
            }
            _ => self.get(source, width),
        };
        self.put(target, &value)
    }

    fn widen(&mut self, signed: bool, width: Width, from: Width, target: Reg, source: Operand) {
        let narrow = self.get(source, from);
        let wide = match (signed, narrow.number()) {
            (false, _) => narrow.low(width),
            (true, Some(number)) => {
                Value::known(from.sign_extend(number) as u64 & width.mask(), width)
            }
            (true, None) => self.machine.unknown("the result", width),
        };
        self.put_register(target, &wide);
    }

    fn lea(&mut self, width: Width, target: Reg, address: Mem) {
        let address = self.address(address);
        self.put_register(target, &address.low(width));
    }

    fn xchg(&mut self, width: Width, target: Operand, source: Reg) -> Result<(), Stop> {
        let old = self.get(target, width);
        let new = self.register(source, width);
        self.put(target, &new)?;
        self.put_register(source, &old);
        Ok(())
    }

    fn move_sp(&mut self, by: i64) {
        let word = self.word();
        let sp = self.machine.sp();
        let by = Value::known(by as u64 & word.mask(), word);
        let moved = self.machine.add(&sp, &by);
        self.machine.set_register(SP, moved);
    }

    fn push_value(&mut self, value: &Value) -> Result<(), Stop> {
        self.move_sp(-i64::from(self.word().bytes()));
        let sp = self.machine.sp();
        self.machine.store(&sp, value)
    }

    fn pop_value(&mut self) -> Value {
        let word = self.word();
        let sp = self.machine.sp();
        let value = self.machine.load(&sp, word);
        self.move_sp(word.bytes().into());
        value
    }

    /// The source is read before sp moves.
    fn push(&mut self, source: Operand) -> Result<(), Stop> {
        let value = self.get_word(source);
        self.push_value(&value)
    }

    /// sp is raised before the target is written.
    fn pop(&mut self, target: Operand) -> Result<(), Stop> {
        let value = self.pop_value();
        self.put(target, &value)
    }

    fn push_next(&mut self) -> Result<(), Stop> {
        let next = self.machine.next_address();
        self.push_value(&next)
    }

    fn ret(&mut self, drop: u16) -> Value {
        let address = self.pop_value();
        if drop != 0 {
            self.move_sp(drop.into());
        }
        address
    }

    fn leave(&mut self) -> Result<(), Stop> {
        let bp = self.register(BP, self.word());
        self.machine.set_register(SP, bp);
        self.pop(Operand::Reg(BP))
    }

    fn alu(&mut self, op: Alu, width: Width, target: Operand, source: Operand) -> Result<(), Stop> {
        let left = self.get(target, width);
        let right = match (target, source) {
            (Operand::Mem(_), Operand::Imm(value)) => {
                Value::known(value as u64 & width.mask(), width)
            }
            _ => self.get(source, width),
        };
        let result = match op {
            Alu::Add => self.machine.add(&left, &right),
            Alu::Sub | Alu::Cmp => self.machine.sub(&left, &right),
            Alu::And | Alu::Test => self.machine.bitwise(Bitwise::And, &left, &right),
            Alu::Or => self.machine.bitwise(Bitwise::Or, &left, &right),
            Alu::Xor => self.machine.bitwise(Bitwise::Xor, &left, &right),
        };
        self.machine.flags = flags(op, &left, &right, &result);
        match op {
            Alu::Cmp | Alu::Test => Ok(()),
            _ => self.put(target, &result),
        }
    }

    fn step(&mut self, down: bool, width: Width, target: Operand) -> Result<(), Stop> {
        let old = self.get(target, width);
        self.machine.flags = None;
        let one = Value::known(1, width);
        let new = match down {
            true => self.machine.sub(&old, &one),
            false => self.machine.add(&old, &one),
        };
        self.put(target, &new)
    }

    fn unary(&mut self, width: Width, target: Operand, op: fn(u64) -> u64) -> Result<(), Stop> {
        let old = self.get(target, width);
        let new = old
            .number()
            .map(|number| Value::known(op(number) & width.mask(), width));
        let new = self.machine.or_unknown(new, width);
        self.put(target, &new)
    }

    fn imul(&mut self, width: Width, target: Reg, source: Operand, constant: Option<i32>) {
        let left = self.get(source, width);
        let right = match constant {
            Some(constant) => Value::known(constant as i64 as u64 & width.mask(), width),
            None => self.register(target, width),
        };
        let product = left
            .number()
            .zip(right.number())
            .map(|(left, right)| Value::known(left.wrapping_mul(right) & width.mask(), width));
        let product = self.machine.or_unknown(product, width);
        self.put_register(target, &product);
    }

    fn sign_to_dx(&mut self, width: Width) {
        let ax = self.register(AX, width);
        let sign = ax.number().map(|number| {
            let sign = width.sign_extend(number) >> 63;
            Value::known(sign as u64 & width.mask(), width)
        });
        let sign = self.machine.or_unknown(sign, width);
        self.put_register(DX, &sign);
    }

    fn shift(
        &mut self,
        op: Shift,
        width: Width,
        target: Operand,
        count: Option<u8>,
    ) -> Result<(), Stop> {
        let old = self.get(target, width);
        self.machine.flags = None;
        let limit = if width == Width::Double { 63 } else { 31 };
        let new = match count.map(|count| count & limit) {
            Some(0) => Some(old),
            Some(count) if count.is_multiple_of(8) && op != Shift::Sar => {
                let bytes = usize::from(count / 8);
                Some(Value::from_bytes(width, |index| match op {
                    Shift::Shl if index < bytes => super::value::Byte::Known(0),
                    Shift::Shl => old.byte(index - bytes),
                    _ => old.byte(index + bytes),
                }))
            }
            _ => None,
        };
        let new = self.machine.or_unknown(new, width);
        self.put(target, &new)
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
            Condition::Overflow => overflow,
            Condition::NotOverflow => !overflow,
            Condition::Below => carry,
            Condition::AboveOrEqual => !carry,
            Condition::Equal => zero,
            Condition::NotEqual => !zero,
            Condition::BelowOrEqual => carry || zero,
            Condition::Above => !(carry || zero),
            Condition::Sign => sign,
            Condition::NotSign => !sign,
            Condition::Less => sign != overflow,
            Condition::GreaterOrEqual => sign == overflow,
            Condition::LessOrEqual => zero || sign != overflow,
            Condition::Greater => !zero && sign == overflow,
        })
    }

    fn set(&mut self, condition: Condition, target: Operand) -> Result<(), Stop> {
        let known = self.holds(condition);
        let known = known.map(|holds| Value::known(holds.into(), Width::Byte));
        let flag = self.machine.or_unknown(known, Width::Byte);
        self.put(target, &flag)
    }

    fn control(&mut self, reg: Reg, width: Width, store: bool, address: Mem) -> Result<(), Stop> {
        let address = self.address(address);
        if store {
            let value = self.register(reg, width);
            return self.machine.store(&address, &value);
        }
        let value = self.machine.load(&address, width);
        self.machine.set_register(reg, value);
        Ok(())
    }
}

/// The flags after an operation on two numbers.
fn flags(op: Alu, left: &Value, right: &Value, result: &Value) -> Option<Flags> {
    let width = result.width();
    let (left, right, result) = (left.number()?, right.number()?, result.number()?);
    let sign = |value: u64| width.sign_extend(value) < 0;
    let (carry, overflow) = match op {
        Alu::Add => (
            result < left,
            sign(left) == sign(right) && sign(result) != sign(left),
        ),
        Alu::Sub | Alu::Cmp => (
            left < right,
            sign(left) != sign(right) && sign(result) != sign(left),
        ),
        Alu::And | Alu::Test | Alu::Or | Alu::Xor => (false, false),
    };
    Some(Flags {
        carry,
        zero: result == 0,
        sign: sign(result),
        overflow,
    })
}
