//! Flags and the conditions on them.

use crate::isa::Width;
use crate::isa::x86::Condition;
use crate::isa::x86::registers::FLAGS;
use crate::machine::shadow::Shadow;
use crate::machine::{Machine, Trap};

/// Carry.
pub(super) const CF: u64 = 1;
/// Zero.
pub(super) const ZF: u64 = 1 << 6;
/// Sign.
pub(super) const SF: u64 = 1 << 7;
/// Overflow.
pub(super) const OF: u64 = 1 << 11;

/// ZF and SF of a result.
#[inline(always)]
pub(super) fn of_result(width: Width, result: u64) -> u64 {
    let zero = u64::from(result & width.mask() == 0);
    let sign = result >> (width.bits() - 1) & 1;
    zero << ZF.trailing_zeros() | sign << SF.trailing_zeros()
}

/// All flags of `a + b`.
#[inline(always)]
pub(super) fn of_sum(width: Width, a: u64, b: u64, result: u64) -> u64 {
    let carry = u64::from(result & width.mask() < a) << CF.trailing_zeros();
    let overflow = ((a ^ result) & (b ^ result)) >> (width.bits() - 1) & 1;
    of_result(width, result) | carry | (overflow << OF.trailing_zeros())
}

/// All flags of `a - b`.
#[inline(always)]
pub(super) fn of_difference(width: Width, a: u64, b: u64, result: u64) -> u64 {
    let carry = u64::from(a < b) << CF.trailing_zeros();
    let overflow = ((a ^ b) & (a ^ result)) >> (width.bits() - 1) & 1;
    of_result(width, result) | carry | (overflow << OF.trailing_zeros())
}

impl Machine {
    #[inline(always)]
    pub(super) fn x86_set_flags(&mut self, flags: u64) {
        self.write_register(FLAGS, flags, Shadow::PLAIN);
    }

    /// Whether a condition holds.
    #[inline(always)]
    pub(super) fn x86_holds(&self, condition: Condition) -> Result<bool, Trap> {
        let (flags, _) = self.read_register(FLAGS, Width::Word)?;
        let is = |flag| flags & flag != 0;
        let less = is(SF) != is(OF);
        Ok(match condition {
            Condition::Overflow => is(OF),
            Condition::NotOverflow => !is(OF),
            Condition::Below => is(CF),
            Condition::AboveOrEqual => !is(CF),
            Condition::Equal => is(ZF),
            Condition::NotEqual => !is(ZF),
            Condition::BelowOrEqual => is(CF | ZF),
            Condition::Above => !is(CF | ZF),
            Condition::Sign => is(SF),
            Condition::NotSign => !is(SF),
            Condition::Less => less,
            Condition::GreaterOrEqual => !less,
            Condition::LessOrEqual => less || is(ZF),
            Condition::Greater => !less && !is(ZF),
        })
    }
}
