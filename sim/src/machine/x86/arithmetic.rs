//! Arithmetic and logic.

use super::Done;
use super::flags::{CF, OF, ZF, of_difference, of_result, of_sum};
use crate::fault::FaultKind;
use crate::isa::x86::registers::{AX, CX, DX, FLAGS};
use crate::isa::x86::{Alu, Condition, Operand, Shift};
use crate::isa::{Reg, Width};
use crate::machine::Machine;
use crate::machine::shadow::Shadow;

impl Machine {
    /// `add`, `sub`, `cmp`, `and`, `test`, `or`, `xor`.
    #[inline(always)]
    pub(super) fn x86_alu(
        &mut self,
        op: Alu,
        width: Width,
        target: Operand,
        source: Operand,
    ) -> Done {
        if target == source
            && matches!(op, Alu::Xor | Alu::Sub)
            && matches!(target, Operand::Reg(_))
        {
            // The usual way to write 0: what the register held does not matter.
            self.x86_set_flags(ZF);
            return self.x86_put(target, width, 0, Shadow::PLAIN);
        }
        let (a, left) = self.x86_use(target, width)?;
        let (b, right) = self.x86_use(source, width)?;
        let (left, right) = (left.tag(), right.tag());
        let mask = width.mask();
        let (result, flags, tag) = match op {
            Alu::Add => {
                let sum = a.wrapping_add(b) & mask;
                // Pointer plus number is a pointer; of two pointers, nobody knows.
                let tag = if left != 0 && right != 0 {
                    0
                } else {
                    left | right
                };
                (sum, of_sum(width, a, b, sum), tag)
            }
            Alu::Sub | Alu::Cmp => {
                let difference = a.wrapping_sub(b) & mask;
                let tag = if right == 0 { left } else { 0 };
                (difference, of_difference(width, a, b, difference), tag)
            }
            Alu::And | Alu::Test => (a & b, of_result(width, a & b), alone(left, right)),
            Alu::Or => (a | b, of_result(width, a | b), alone(left, right)),
            Alu::Xor => (a ^ b, of_result(width, a ^ b), 0),
        };
        self.x86_set_flags(flags);
        match op {
            Alu::Cmp | Alu::Test => Ok(()),
            _ => self.x86_put(target, width, result, Shadow::with_tag(tag)),
        }
    }

    /// `inc target`, `dec target`: CF stays.
    pub(super) fn x86_step(&mut self, down: bool, width: Width, target: Operand) -> Done {
        let (a, shadow) = self.x86_use(target, width)?;
        let (result, flags) = match down {
            false => {
                let sum = a.wrapping_add(1) & width.mask();
                (sum, of_sum(width, a, 1, sum))
            }
            true => {
                let difference = a.wrapping_sub(1) & width.mask();
                (difference, of_difference(width, a, 1, difference))
            }
        };
        let carry = self.values[FLAGS.index()] & CF;
        self.x86_set_flags(flags & !CF | carry);
        self.x86_put(target, width, result, Shadow::with_tag(shadow.tag()))
    }

    /// `neg target`: 0 - target.
    pub(super) fn x86_neg(&mut self, width: Width, target: Operand) -> Done {
        let (a, _) = self.x86_use(target, width)?;
        let result = a.wrapping_neg() & width.mask();
        self.x86_set_flags(of_difference(width, 0, a, result));
        self.x86_put(target, width, result, Shadow::PLAIN)
    }

    /// `not target`: leaves the flags alone.
    pub(super) fn x86_not(&mut self, width: Width, target: Operand) -> Done {
        let (a, _) = self.x86_use(target, width)?;
        self.x86_put(target, width, !a & width.mask(), Shadow::PLAIN)
    }

    /// `imul target, source[, constant]`: CF and OF say that the product does not fit; ZF and SF
    /// are undefined and get those of the product.
    pub(super) fn x86_imul(
        &mut self,
        width: Width,
        target: Reg,
        source: Operand,
        constant: Option<i32>,
    ) -> Done {
        let (a, _) = self.x86_use(source, width)?;
        let b = match constant {
            Some(constant) => i64::from(constant),
            None => width.sign_extend(self.x86_use(Operand::Reg(target), width)?.0),
        };
        let (product, is_whole) = multiply(width.sign_extend(a), b);
        let result = product as u64 & width.mask();
        let fits = is_whole && width.sign_extend(result) == product;
        let flags = of_result(width, result) | if fits { 0 } else { CF | OF };
        self.x86_set_flags(flags);
        self.x86_put_register(target, width, result, Shadow::PLAIN)
    }

    /// `idiv source`: the quotient is rounded towards zero; the flags are undefined and stay.
    pub(super) fn x86_idiv(&mut self, width: Width, source: Operand) -> Done {
        let (divisor, _) = self.x86_use(source, width)?;
        let (low, _) = self.read_register(AX, width)?;
        let (high, _) = self.read_register(DX, width)?;
        let divisor = i128::from(width.sign_extend(divisor));
        let high = i128::from(width.sign_extend(high));
        let dividend = high << width.bits() | i128::from(low);
        // A quotient that does not fit raises the same exception as a division by zero.
        let (Some(quotient), Some(remainder)) =
            (dividend.checked_div(divisor), dividend.checked_rem(divisor))
        else {
            return Err(FaultKind::DivisionByZero.into());
        };
        let quotient_bits = quotient as u64 & width.mask();
        if i128::from(width.sign_extend(quotient_bits)) != quotient {
            return Err(FaultKind::DivisionByZero.into());
        }
        self.x86_put_register(AX, width, quotient_bits, Shadow::PLAIN)?;
        self.x86_put_register(DX, width, remainder as u64 & width.mask(), Shadow::PLAIN)
    }

    /// `cdq`, `cqo`.
    pub(super) fn x86_sign_to_dx(&mut self, width: Width) -> Done {
        let (value, _) = self.read_register(AX, width)?;
        let sign = (width.sign_extend(value) >> 63) as u64;
        self.x86_put_register(DX, width, sign & width.mask(), Shadow::PLAIN)
    }

    /// `shl`, `shr`, `sar`: the count is taken modulo 64, or 32 for narrower operands. A count of
    /// 0 leaves the flags alone; OF, which is defined for a count of 1 only, follows that rule for
    /// all counts.
    pub(super) fn x86_shift(
        &mut self,
        op: Shift,
        width: Width,
        target: Operand,
        count: Option<u8>,
    ) -> Done {
        let count = match count {
            Some(count) => u32::from(count),
            None => self.read_register(CX, Width::Byte)?.0 as u32,
        };
        let count = count & if width == Width::Double { 63 } else { 31 };
        let (a, _) = self.x86_use(target, width)?;
        if count == 0 {
            return self.x86_put(target, width, a, Shadow::PLAIN);
        }
        let signed = width.sign_extend(a);
        // The last bit that is shifted out; a count beyond the width leaves none.
        let (result, carry) = match op {
            Shift::Shl => {
                let out = width.bits().wrapping_sub(count);
                (a << count, a.checked_shr(out).unwrap_or(0) & 1)
            }
            Shift::Shr => (a >> count, a >> (count - 1) & 1),
            Shift::Sar => ((signed >> count) as u64, (signed >> (count - 1)) as u64 & 1),
        };
        let result = result & width.mask();
        let sign = |value: u64| value >> (width.bits() - 1) & 1;
        let overflow = match op {
            Shift::Shl => sign(result) ^ carry,
            Shift::Shr => sign(a),
            Shift::Sar => 0,
        };
        let carry = if carry != 0 { CF } else { 0 };
        let overflow = if overflow != 0 { OF } else { 0 };
        self.x86_set_flags(of_result(width, result) | carry | overflow);
        self.x86_put(target, width, result, Shadow::PLAIN)
    }

    /// `setcc target`.
    pub(super) fn x86_set(&mut self, condition: Condition, target: Operand) -> Done {
        let value = u64::from(self.x86_holds(condition)?);
        self.x86_put(target, Width::Byte, value, Shadow::PLAIN)
    }
}

/// The low 64 bits of a product, and whether they are all of it.
///
/// Factors of 32 bits need no wider product, which is a call in WebAssembly.
#[inline(always)]
fn multiply(a: i64, b: i64) -> (i64, bool) {
    match (i32::try_from(a), i32::try_from(b)) {
        (Ok(_), Ok(_)) => (a * b, true),
        _ => {
            let (product, overflows) = a.overflowing_mul(b);
            (product, !overflows)
        }
    }
}

/// The tag of a pointer that a mask was applied to, if only one side is a pointer.
#[inline(always)]
fn alone(left: u64, right: u64) -> u64 {
    if left != 0 && right != 0 {
        0
    } else {
        left | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_told_from_its_low_half() {
        let near = |value: i64| [value - 1, value, value + 1];
        let factors = [
            0,
            1 << 31,
            1 << 32,
            -(1 << 31),
            -(1 << 32),
            i64::MAX - 1,
            i64::MIN + 1,
        ];
        for a in factors.into_iter().flat_map(near) {
            for b in factors.into_iter().flat_map(near) {
                let whole = i128::from(a) * i128::from(b);
                let (low, is_whole) = multiply(a, b);
                assert_eq!(low, whole as i64, "{a} * {b}");
                assert_eq!(is_whole, i128::from(low) == whole, "{a} * {b}");
            }
        }
    }
}
