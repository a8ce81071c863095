//! Reading and writing registers and addresses.

use super::Done;
use crate::fault::FaultKind;
use crate::isa::aarch64::registers::{SP, ZR};
use crate::isa::aarch64::{Address, Mode, Shift, Source};
use crate::isa::{Reg, Width};
use crate::machine::shadow::{Shadow, TAG, WRITTEN};
use crate::machine::{Machine, REGISTERS, Trap};

impl Machine {
    /// What a register holds, for a move: one that nothing has written may be moved.
    #[inline(always)]
    pub(super) fn a64_get(&self, reg: Reg, width: Width) -> (u64, Shadow) {
        if reg == ZR {
            return (0, Shadow::PLAIN);
        }
        let index = reg.index() % REGISTERS;
        let shadow = self.shadows[index].0;
        let tag = if width == Width::Double {
            shadow & TAG
        } else {
            0
        };
        let written = shadow & width.byte_mask();
        let all = written == width.byte_mask();
        let written = if all { WRITTEN } else { written };
        (self.values[index] & width.mask(), Shadow(written | tag))
    }

    /// What a register holds, for use.
    #[inline(always)]
    pub(super) fn a64_use(&self, reg: Reg, width: Width) -> Result<(u64, Shadow), Trap> {
        if reg == ZR {
            return Ok((0, Shadow::PLAIN));
        }
        let (value, shadow) = self.read_register(reg, width)?;
        let tag = if width == Width::Double {
            shadow.tag()
        } else {
            0
        };
        Ok((value, Shadow::with_tag(tag)))
    }

    /// The last operand of an operation.
    #[inline(always)]
    pub(super) fn a64_source(&self, source: Source, width: Width) -> Result<(u64, Shadow), Trap> {
        match source {
            Source::Imm(value) => Ok((value as u64 & width.mask(), Shadow::PLAIN)),
            Source::Reg { reg, amount: 0, .. } => self.a64_use(reg, width),
            Source::Reg { reg, shift, amount } => {
                let (value, _) = self.a64_use(reg, width)?;
                Ok((
                    shifted(shift, width, value, u32::from(amount)),
                    Shadow::PLAIN,
                ))
            }
        }
    }

    /// Replaces a register: a write of four bytes clears the upper half, and one to zr is lost.
    #[inline(always)]
    pub(super) fn a64_put(&mut self, reg: Reg, width: Width, value: u64, shadow: Shadow) -> Done {
        if reg == ZR {
            return Ok(());
        }
        let shadow = match width {
            Width::Double => shadow,
            _ => Shadow(shadow.0 | WRITTEN & !width.byte_mask()),
        };
        if reg == SP {
            return self.move_sp(value & width.mask(), shadow);
        }
        self.write_register(reg, value & width.mask(), shadow);
        Ok(())
    }

    /// The address of a transfer, the pointer it is made from, and what the base becomes.
    ///
    /// sp may only be a base while it is a multiple of 16 (Arm ARM, "SP alignment checking").
    #[inline(always)]
    pub(super) fn a64_address(&self, address: Address) -> Result<(u64, Shadow, Option<u64>), Trap> {
        let (base, shadow) = self.read_register(address.base, Width::Double)?;
        if address.base == SP && base & 15 != 0 {
            return Err(misaligned(base));
        }
        let pointer = Shadow::with_tag(shadow.tag());
        let plus = |offset: i32| base.wrapping_add(offset as i64 as u64);
        Ok(match address.mode {
            Mode::Offset(offset) => (plus(offset), pointer, None),
            Mode::Pre(offset) => (plus(offset), pointer, Some(plus(offset))),
            Mode::Post(offset) => (base, pointer, Some(plus(offset))),
            Mode::Index { index, shift } => {
                let (index, other) = self.a64_use(index, Width::Double)?;
                let pointer = if shadow.tag() == 0 { other } else { pointer };
                (base.wrapping_add(index << shift), pointer, None)
            }
        })
    }

    /// As [`a64_move_base`](Self::a64_move_base), before a store of so many bytes at the new base: when sp
    /// moves down by just as many, nothing lies between that the store does not write.
    #[inline(always)]
    pub(super) fn a64_move_base_to_store(
        &mut self,
        base: Reg,
        value: Option<u64>,
        at: u64,
        bytes: u32,
    ) -> Done {
        match value {
            Some(sp) if base == SP && sp == at && sp.wrapping_add(bytes.into()) == self.sp() => {
                self.write_register(SP, sp, self.sp_shadow());
                Ok(())
            }
            value => self.a64_move_base(base, value),
        }
    }

    /// Moves the base of a transfer, if it has that form.
    #[inline(always)]
    pub(super) fn a64_move_base(&mut self, base: Reg, value: Option<u64>) -> Done {
        match value {
            None => Ok(()),
            Some(value) => {
                let shadow = self.shadows[base.index() % REGISTERS];
                self.a64_put(base, Width::Double, value, shadow)
            }
        }
    }
}

#[cold]
fn misaligned(sp: u64) -> Trap {
    FaultKind::MisalignedSp {
        sp,
        alignment: 16,
        function: None,
    }
    .into()
}

/// A value shifted by less than its width.
#[inline(always)]
pub(super) fn shifted(shift: Shift, width: Width, value: u64, amount: u32) -> u64 {
    let amount = amount % width.bits();
    let shifted = match shift {
        Shift::Lsl => value << amount,
        Shift::Lsr => value >> amount,
        Shift::Asr => (width.sign_extend(value) >> amount) as u64,
    };
    shifted & width.mask()
}
