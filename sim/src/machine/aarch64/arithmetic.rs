//! Arithmetic, logic, flags and the conditions on them.

use super::Done;
use super::operands::shifted;
use crate::isa::aarch64::registers::NZCV;
use crate::isa::aarch64::{Alu, Condition, Shift, Source};
use crate::isa::{Reg, Width};
use crate::machine::shadow::Shadow;
use crate::machine::{Machine, Trap};

const N: u64 = 1 << 31;
const Z: u64 = 1 << 30;
const C: u64 = 1 << 29;
const V: u64 = 1 << 28;

impl Machine {
    /// `add`, `sub`, `and`, `orr`, `eor` and all that is written with them.
    #[inline(always)]
    pub(super) fn a64_alu(
        &mut self,
        op: Alu,
        flags: bool,
        width: Width,
        target: Reg,
        left: Reg,
        right: Source,
    ) -> Done {
        let (a, left) = self.a64_use(left, width)?;
        let (b, right) = self.a64_source(right, width)?;
        let (left, right) = (left.tag(), right.tag());
        // Of two pointers, nobody knows; of one, the result is a pointer.
        let one = if left != 0 && right != 0 {
            0
        } else {
            left | right
        };
        let (result, tag) = match op {
            Alu::Add => (a.wrapping_add(b), one),
            Alu::Sub => (a.wrapping_sub(b), if right == 0 { left } else { 0 }),
            Alu::And => (a & b, one),
            Alu::Orr => (a | b, one),
            Alu::Eor => (a ^ b, 0),
            Alu::Bic => (a & !b, one),
            Alu::Orn => (a | !b, 0),
        };
        let result = result & width.mask();
        if flags {
            self.write_register(NZCV, nzcv(op, width, a, b, result), Shadow::PLAIN);
        }
        self.a64_put(target, width, result, Shadow::with_tag(tag))
    }

    /// `lsl`, `lsr`, `asr` by a register.
    pub(super) fn a64_shift_by(
        &mut self,
        op: Shift,
        width: Width,
        target: Reg,
        source: Reg,
        amount: Reg,
    ) -> Done {
        let (value, _) = self.a64_use(source, width)?;
        let (amount, _) = self.a64_use(amount, width)?;
        let amount = (amount % u64::from(width.bits())) as u32;
        self.a64_put(
            target,
            width,
            shifted(op, width, value, amount),
            Shadow::PLAIN,
        )
    }

    /// `madd`, `msub`, `mul`, `mneg`.
    pub(super) fn a64_multiply(
        &mut self,
        subtract: bool,
        width: Width,
        target: Reg,
        [left, right, addend]: [Reg; 3],
    ) -> Done {
        let (left, _) = self.a64_use(left, width)?;
        let (right, _) = self.a64_use(right, width)?;
        let (addend, _) = self.a64_use(addend, width)?;
        let product = left.wrapping_mul(right);
        let result = match subtract {
            true => addend.wrapping_sub(product),
            false => addend.wrapping_add(product),
        };
        self.a64_put(target, width, result, Shadow::PLAIN)
    }

    /// `sdiv`, `udiv`: by zero it is 0; the smallest number by -1 is itself.
    pub(super) fn a64_divide(
        &mut self,
        signed: bool,
        width: Width,
        target: Reg,
        left: Reg,
        right: Reg,
    ) -> Done {
        let (left, _) = self.a64_use(left, width)?;
        let (right, _) = self.a64_use(right, width)?;
        let result = match (right, signed) {
            (0, _) => 0,
            (_, false) => left / right,
            (_, true) => width
                .sign_extend(left)
                .wrapping_div(width.sign_extend(right)) as u64,
        };
        self.a64_put(target, width, result, Shadow::PLAIN)
    }

    /// `csel`, `cset`.
    pub(super) fn a64_select(
        &mut self,
        width: Width,
        target: Reg,
        yes: Source,
        no: Source,
        condition: Condition,
    ) -> Done {
        let source = if self.a64_holds(condition)? { yes } else { no };
        let (value, shadow) = self.a64_source(source, width)?;
        self.a64_put(target, width, value, shadow)
    }

    /// Whether a condition holds.
    #[inline(always)]
    pub(super) fn a64_holds(&self, condition: Condition) -> Result<bool, Trap> {
        let (flags, _) = self.read_register(NZCV, Width::Word)?;
        let is = |flag| flags & flag != 0;
        let less = is(N) != is(V);
        Ok(match condition {
            Condition::Eq => is(Z),
            Condition::Ne => !is(Z),
            Condition::Hs => is(C),
            Condition::Lo => !is(C),
            Condition::Mi => is(N),
            Condition::Pl => !is(N),
            Condition::Vs => is(V),
            Condition::Vc => !is(V),
            Condition::Hi => is(C) && !is(Z),
            Condition::Ls => !is(C) || is(Z),
            Condition::Ge => !less,
            Condition::Lt => less,
            Condition::Gt => !less && !is(Z),
            Condition::Le => less || is(Z),
        })
    }
}

/// The flags of a result. A difference sets C if nothing is borrowed; a logical operation clears
/// C and V.
#[inline(always)]
fn nzcv(op: Alu, width: Width, a: u64, b: u64, result: u64) -> u64 {
    let top = |value: u64| value >> (width.bits() - 1) & 1 != 0;
    let (carry, overflow) = match op {
        Alu::Add => (result < a, top((a ^ result) & (b ^ result))),
        Alu::Sub => (a >= b, top((a ^ b) & (a ^ result))),
        _ => (false, false),
    };
    let flag = |set: bool, flag: u64| if set { flag } else { 0 };
    flag(top(result), N) | flag(result == 0, Z) | flag(carry, C) | flag(overflow, V)
}
