//! Moves.

use super::Done;
use crate::isa::x86::registers::{BP, FPCW, MXCSR, SP};
use crate::isa::x86::{Mem, Operand};
use crate::isa::{Reg, Width};
use crate::machine::shadow::Shadow;
use crate::machine::{Machine, REGISTERS};

impl Machine {
    /// `mov target, source`: target = source, with all that is known about it.
    #[inline(always)]
    pub(super) fn x86_mov(&mut self, width: Width, target: Operand, source: Operand) -> Done {
        let (value, shadow) = self.x86_get(source, width)?;
        self.x86_put(target, width, value, shadow)
    }

    /// `movzx`, `movsx`, `movsxd`: target = source, widened.
    pub(super) fn x86_widen(
        &mut self,
        signed: bool,
        width: Width,
        from: Width,
        target: Reg,
        source: Operand,
    ) -> Done {
        let (value, _) = self.x86_use(source, from)?;
        let value = match signed {
            true => from.sign_extend(value) as u64 & width.mask(),
            false => value,
        };
        self.x86_put_register(target, width, value, Shadow::PLAIN)
    }

    /// `lea target, [address]`: the address, as a pointer made from the same sp as its base.
    pub(super) fn x86_lea(&mut self, width: Width, target: Reg, address: Mem) -> Done {
        let (address, pointer) = self.x86_address(address)?;
        let tag = if width == self.word { pointer.tag() } else { 0 };
        self.x86_put_register(target, width, address & width.mask(), Shadow::with_tag(tag))
    }

    /// `xchg target, source`.
    pub(super) fn x86_xchg(&mut self, width: Width, target: Operand, source: Reg) -> Done {
        let (old, old_shadow) = self.x86_get(target, width)?;
        let (new, new_shadow) = self.x86_get(Operand::Reg(source), width)?;
        self.x86_put(target, width, new, new_shadow)?;
        self.x86_put_register(source, width, old, old_shadow)
    }

    /// `push source`: the source is read before sp moves.
    #[inline(always)]
    pub(super) fn x86_push(&mut self, source: Operand) -> Done {
        let (value, shadow) = self.x86_get(source, self.word)?;
        self.x86_push_word(value, shadow)
    }

    /// `pop target`: sp is raised before the target is written, so `pop rsp` is a move, and an
    /// address through rsp counts from the new one.
    #[inline(always)]
    pub(super) fn x86_pop(&mut self, target: Operand) -> Done {
        let (value, shadow) = self.x86_pop_word()?;
        self.x86_put(target, self.word, value, shadow)
    }

    /// `leave`: sp = bp, then pops bp.
    pub(super) fn x86_leave(&mut self) -> Done {
        let (bp, shadow) = self.read_register(BP, self.word)?;
        self.x86_put_register(SP, self.word, bp, Shadow::with_tag(shadow.tag()))?;
        self.x86_pop(Operand::Reg(BP))
    }

    /// `stmxcsr [address]`, `ldmxcsr [address]`.
    pub(super) fn x86_mxcsr(&mut self, store: bool, address: Mem) -> Done {
        self.x86_control(MXCSR, Width::Word, store, address)
    }

    /// `fnstcw [address]`, `fldcw [address]`.
    pub(super) fn x86_fpcw(&mut self, store: bool, address: Mem) -> Done {
        self.x86_control(FPCW, Width::Half, store, address)
    }

    fn x86_control(&mut self, reg: Reg, width: Width, store: bool, address: Mem) -> Done {
        let memory = Operand::Mem(address);
        if store {
            let value = self.values[reg.index() % REGISTERS];
            return self.x86_put(memory, width, value, Shadow::PLAIN);
        }
        let (value, _) = self.x86_use(memory, width)?;
        self.write_register(reg, value, Shadow::PLAIN);
        Ok(())
    }
}
