//! Jumps, calls, returns.

use super::Done;
use crate::isa::Width;
use crate::isa::x86::{Condition, Operand};
use crate::machine::Machine;
use crate::machine::shadow::Shadow;

impl Machine {
    /// `jcc label`.
    #[inline(always)]
    pub(super) fn x86_branch(&mut self, condition: Condition, to: u32) -> Done {
        match self.x86_holds(condition)? {
            true => self.go_to(u64::from(to)),
            false => Ok(()),
        }
    }

    /// `jmp target`.
    pub(super) fn x86_jump_indirect(&mut self, target: Operand) -> Done {
        let (address, _) = self.x86_use(target, self.word)?;
        self.go_to(address)
    }

    /// `call label`.
    #[inline(always)]
    pub(super) fn x86_call(&mut self, to: u64) -> Done {
        let next = self.pc;
        self.x86_push_word(self.code.address_of(next), Shadow::PLAIN)?;
        self.go_to(to)?;
        // `call 1f; 1: pop ebx` asks for its own address and never returns.
        match self.pc == next {
            true => Ok(()),
            false => self.enter(self.pc, u64::from(self.word.bytes())),
        }
    }

    /// `call target`: the target is read before anything is pushed.
    pub(super) fn x86_call_indirect(&mut self, target: Operand) -> Done {
        let (address, _) = self.x86_use(target, self.word)?;
        self.x86_call(address)
    }

    /// `ret`, `ret n`.
    #[inline(always)]
    pub(super) fn x86_ret(&mut self, drop: u16) -> Done {
        self.leave()?;
        let (address, shadow) = self.x86_pop_word()?;
        if shadow.0 & Width::Word.byte_mask() != Width::Word.byte_mask() {
            let address = self.sp().wrapping_sub(u64::from(self.word.bytes()));
            return Err(crate::fault::FaultKind::UninitialisedMemory { address }.into());
        }
        self.go_to(address)?;
        if drop != 0 {
            self.x86_set_sp(self.sp().wrapping_add(u64::from(drop)));
        }
        Ok(())
    }
}
