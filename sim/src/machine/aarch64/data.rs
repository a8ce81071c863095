//! Moves, loads and stores.

use super::Done;
use crate::fault::FaultKind;
use crate::isa::aarch64::registers::FPCR;
use crate::isa::aarch64::{Address, WideMove};
use crate::isa::{Reg, Width};
use crate::machine::shadow::Shadow;
use crate::machine::{Machine, REGISTERS};

impl Machine {
    /// `movz`, `movn`, `movk`.
    pub(super) fn a64_move_wide(
        &mut self,
        op: WideMove,
        width: Width,
        target: Reg,
        value: u16,
        shift: u8,
    ) -> Done {
        let value = u64::from(value) << (shift % 64);
        let value = match op {
            WideMove::Zero => value,
            WideMove::Not => !value,
            WideMove::Keep => {
                let (old, _) = self.a64_use(target, width)?;
                old & !(0xffff << (shift % 64)) | value
            }
        };
        self.a64_put(target, width, value, Shadow::PLAIN)
    }

    /// `mov target, source`: with all that is known about it.
    pub(super) fn a64_move(&mut self, width: Width, target: Reg, source: Reg) -> Done {
        let (value, shadow) = self.a64_get(source, width);
        self.a64_put(target, width, value, shadow)
    }

    /// `adr target, label`.
    pub(super) fn a64_adr(&mut self, target: Reg, to: u32) -> Done {
        self.a64_put(target, Width::Double, u64::from(to), Shadow::PLAIN)
    }

    /// `ldr` and its kin: the memory is read before the base moves.
    #[inline(always)]
    pub(super) fn a64_load(
        &mut self,
        width: Width,
        signed: Option<Width>,
        reg: Reg,
        address: Address,
    ) -> Done {
        let (at, pointer, moved) = self.a64_address(address)?;
        let (value, shadow) = self.load(at, width, pointer)?;
        self.a64_move_base(address.base, moved)?;
        match width {
            Width::Double => self.a64_put(reg, width, value, shadow),
            Width::Word if signed.is_none() => self.a64_put(reg, width, value, shadow),
            _ => {
                if shadow.0 & width.byte_mask() != width.byte_mask() {
                    return Err(FaultKind::UninitialisedMemory { address: at }.into());
                }
                // Without a sign, and into a w register, the upper bits are 0.
                let (value, into) = match signed {
                    Some(into) => (width.sign_extend(value) as u64, into),
                    None => (value, Width::Word),
                };
                self.a64_put(reg, Width::Double, value & into.mask(), Shadow::PLAIN)
            }
        }
    }

    /// `str` and its kin: sp moves before anything is written below it.
    #[inline(always)]
    pub(super) fn a64_store(&mut self, width: Width, reg: Reg, address: Address) -> Done {
        let (at, pointer, moved) = self.a64_address(address)?;
        let (value, shadow) = self.a64_get(reg, width);
        self.a64_move_base(address.base, moved)?;
        self.store(at, width, value, shadow, pointer)
    }

    /// `ldp first, second, address`.
    #[inline(always)]
    pub(super) fn a64_load_pair(
        &mut self,
        width: Width,
        first: Reg,
        second: Reg,
        address: Address,
    ) -> Done {
        let (at, pointer, moved) = self.a64_address(address)?;
        let low = self.load(at, width, pointer)?;
        let high = self.load(at.wrapping_add(u64::from(width.bytes())), width, pointer)?;
        self.a64_move_base(address.base, moved)?;
        self.a64_put(first, width, low.0, low.1)?;
        self.a64_put(second, width, high.0, high.1)
    }

    /// `stp first, second, address`.
    #[inline(always)]
    pub(super) fn a64_store_pair(
        &mut self,
        width: Width,
        first: Reg,
        second: Reg,
        address: Address,
    ) -> Done {
        let (at, pointer, moved) = self.a64_address(address)?;
        let (low, high) = (self.a64_get(first, width), self.a64_get(second, width));
        self.a64_move_base_to_store(address.base, moved, at, 2 * width.bytes())?;
        self.store(at, width, low.0, low.1, pointer)?;
        let above = at.wrapping_add(u64::from(width.bytes()));
        self.store(above, width, high.0, high.1, pointer)
    }

    /// `fmov target, source`.
    pub(super) fn a64_fmov(&mut self, target: Reg, source: Reg) -> Done {
        let (value, shadow) = self.a64_get(source, Width::Double);
        self.a64_put(target, Width::Double, value, shadow)
    }

    /// `mrs reg, fpcr`, `msr fpcr, reg`.
    pub(super) fn a64_fpcr(&mut self, read: bool, reg: Reg) -> Done {
        if read {
            let value = self.values[FPCR.index() % REGISTERS];
            return self.a64_put(reg, Width::Double, value, Shadow::PLAIN);
        }
        let (value, _) = self.a64_use(reg, Width::Double)?;
        self.write_register(FPCR, value, Shadow::PLAIN);
        Ok(())
    }
}
