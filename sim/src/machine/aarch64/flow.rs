//! Jumps, calls, returns.

use super::Done;
use crate::isa::aarch64::Condition;
use crate::isa::aarch64::registers::LR;
use crate::isa::{Reg, Width};
use crate::machine::Machine;
use crate::machine::shadow::Shadow;

impl Machine {
    /// `b.cond label`.
    #[inline(always)]
    pub(super) fn a64_branch(&mut self, condition: Condition, to: u32) -> Done {
        match self.a64_holds(condition)? {
            true => self.go_to(u64::from(to)),
            false => Ok(()),
        }
    }

    /// `cbz reg, label`, `cbnz reg, label`.
    #[inline(always)]
    pub(super) fn a64_compare_branch(
        &mut self,
        nonzero: bool,
        width: Width,
        reg: Reg,
        to: u32,
    ) -> Done {
        let (value, _) = self.a64_use(reg, width)?;
        match (value != 0) == nonzero {
            true => self.go_to(u64::from(to)),
            false => Ok(()),
        }
    }

    /// `br target`.
    pub(super) fn a64_jump_indirect(&mut self, target: Reg) -> Done {
        let (address, _) = self.a64_use(target, Width::Double)?;
        self.go_to(address)
    }

    /// `bl label`.
    #[inline(always)]
    pub(super) fn a64_call(&mut self, to: u64) -> Done {
        let next = self.pc;
        self.write_register(LR, self.code.address_of(next), Shadow::PLAIN);
        self.go_to(to)?;
        self.enter(self.pc, 0)
    }

    /// `blr target`: the target is read before x30 is written.
    pub(super) fn a64_call_indirect(&mut self, target: Reg) -> Done {
        let (address, _) = self.a64_use(target, Width::Double)?;
        self.a64_call(address)
    }

    /// `ret`, `ret target`.
    #[inline(always)]
    pub(super) fn a64_ret(&mut self, target: Reg) -> Done {
        self.leave()?;
        let (address, _) = self.a64_use(target, Width::Double)?;
        self.go_to(address)
    }
}
