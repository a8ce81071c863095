//! Reading and writing operands.

use super::Done;
use crate::isa::x86::registers::SP;
use crate::isa::x86::{Mem, Operand};
use crate::isa::{Reg, Width};
use crate::machine::shadow::{Shadow, TAG, WRITTEN};
use crate::machine::{Machine, REGISTERS, Trap};

impl Machine {
    /// The address of a memory operand, and the pointer that it was made from: the base, or else
    /// the index.
    #[inline(always)]
    pub(super) fn x86_address(&self, mem: Mem) -> Result<(u64, Shadow), Trap> {
        let mut address = mem.disp as i64 as u64;
        let mut tag = 0;
        if let Some(base) = mem.base {
            let (value, shadow) = self.read_register(base, self.word)?;
            address = address.wrapping_add(value);
            tag = shadow.tag();
        }
        if let Some(index) = mem.index {
            let (value, shadow) = self.read_register(index, self.word)?;
            address = address.wrapping_add(value.wrapping_mul(u64::from(mem.scale)));
            if tag == 0 {
                tag = shadow.tag();
            }
        }
        Ok((address & self.word.mask(), Shadow::with_tag(tag)))
    }

    /// What an operand holds, for a move: a register that nothing has written may be moved.
    #[inline(always)]
    pub(super) fn x86_get(&self, operand: Operand, width: Width) -> Result<(u64, Shadow), Trap> {
        match operand {
            Operand::Reg(reg) => {
                let index = reg.index() % REGISTERS;
                let shadow = self.shadows[index].0;
                let tag = if width == self.word { shadow & TAG } else { 0 };
                let written = shadow & width.byte_mask();
                let all = written == width.byte_mask();
                let written = if all { WRITTEN } else { written };
                Ok((self.values[index] & width.mask(), Shadow(written | tag)))
            }
            Operand::Imm(value) => Ok((value as u64 & width.mask(), Shadow::PLAIN)),
            Operand::Mem(mem) => {
                let (address, pointer) = self.x86_address(mem)?;
                self.load(address, width, pointer)
            }
        }
    }

    /// What an operand holds, for use.
    #[inline(always)]
    pub(super) fn x86_use(&self, operand: Operand, width: Width) -> Result<(u64, Shadow), Trap> {
        match operand {
            Operand::Reg(reg) => {
                let (value, shadow) = self.read_register(reg, width)?;
                let tag = if width == self.word { shadow.tag() } else { 0 };
                Ok((value, Shadow::with_tag(tag)))
            }
            Operand::Imm(value) => Ok((value as u64 & width.mask(), Shadow::PLAIN)),
            Operand::Mem(mem) => {
                let (address, pointer) = self.x86_address(mem)?;
                let (value, shadow) = self.load(address, width, pointer)?;
                if shadow.0 & width.byte_mask() != width.byte_mask() {
                    return Err(crate::fault::FaultKind::UninitialisedMemory { address }.into());
                }
                Ok((value, shadow))
            }
        }
    }

    /// Replaces what an operand holds.
    #[inline(always)]
    pub(super) fn x86_put(
        &mut self,
        operand: Operand,
        width: Width,
        value: u64,
        shadow: Shadow,
    ) -> Done {
        match operand {
            Operand::Reg(reg) => self.x86_put_register(reg, width, value, shadow),
            Operand::Mem(mem) => {
                let (address, pointer) = self.x86_address(mem)?;
                self.store(address, width, value, shadow, pointer)
            }
            // The parser makes no constant a target.
            Operand::Imm(_) => Ok(()),
        }
    }

    /// Replaces a register: a write of four bytes clears the upper half, narrower ones leave the
    /// rest alone.
    #[inline(always)]
    pub(super) fn x86_put_register(
        &mut self,
        reg: Reg,
        width: Width,
        value: u64,
        shadow: Shadow,
    ) -> Done {
        let (value, shadow) = match width {
            Width::Double => (value, shadow),
            Width::Word => {
                // The upper half is zero on x86-64; on i386 there is none.
                let written = shadow.0 | WRITTEN & !Width::Word.byte_mask();
                (value & Width::Word.mask(), Shadow(written))
            }
            Width::Half | Width::Byte => {
                let (old, old_shadow) = (
                    self.values[reg.index() % REGISTERS],
                    self.shadows[reg.index() % REGISTERS],
                );
                let bytes = width.byte_mask();
                let written = old_shadow.0 & WRITTEN & !bytes | shadow.0 & bytes;
                (old & !width.mask() | value & width.mask(), Shadow(written))
            }
        };
        if reg == SP {
            return self.move_sp(value, shadow);
        }
        self.write_register(reg, value, shadow);
        Ok(())
    }

    /// Replaces sp in a push, pop, call or return: same stack, same task.
    #[inline(always)]
    pub(super) fn x86_set_sp(&mut self, value: u64) {
        let shadow = self.shadows[SP.index()];
        self.write_register(SP, value & self.word.mask(), shadow);
    }

    /// Pushes a word.
    #[inline(always)]
    pub(super) fn x86_push_word(&mut self, value: u64, shadow: Shadow) -> Done {
        let (sp, pointer) = self.read_register(SP, self.word)?;
        let sp = sp.wrapping_sub(u64::from(self.word.bytes())) & self.word.mask();
        self.x86_set_sp(sp);
        self.store(sp, self.word, value, shadow, pointer)
    }

    /// Pops a word.
    #[inline(always)]
    pub(super) fn x86_pop_word(&mut self) -> Result<(u64, Shadow), Trap> {
        let (sp, pointer) = self.read_register(SP, self.word)?;
        let popped = self.load(sp, self.word, pointer)?;
        self.x86_set_sp(sp.wrapping_add(u64::from(self.word.bytes())));
        Ok(popped)
    }
}
