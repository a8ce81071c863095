//! Loads and stores of instructions, with every check that belongs to them.

use super::memory::{PAGE, Place};
use super::shadow::{CARRIED, CARRIED_BOTH, Cell, MAPPED, Shadow, TAG, TAG_HIGH, WRITTEN};
use super::{Machine, Trap};
use crate::fault::{Access, FaultKind};
use crate::isa::{Reg, Width};
use crate::view::StackKind;

impl Machine {
    /// A register's value for use in a computation, an address or a decision.
    #[inline(always)]
    pub fn read_register(&self, reg: Reg, width: Width) -> Result<(u64, Shadow), Trap> {
        let index = reg.index() % super::REGISTERS;
        let shadow = self.shadows[index];
        let need = width.byte_mask();
        if shadow.0 & need != need {
            return Err(self.unwritten_register(reg));
        }
        Ok((self.values[index] & width.mask(), shadow))
    }

    #[cold]
    fn unwritten_register(&self, reg: Reg) -> Trap {
        let register = crate::isa::register_name(self.isa, reg);
        FaultKind::UninitialisedRegister { register }.into()
    }

    /// An access through a pointer that was made from the sp of another task than the one that
    /// runs: is that task's frame still there?
    #[cold]
    #[inline(never)]
    fn check_pointer(&self, pointer: Shadow, address: u64, access: Access) -> Result<(), Trap> {
        let (Some(stack), Some(made_by)) = (self.stack_at(address), pointer.task()) else {
            return Ok(());
        };
        let owner = self.owners.get(stack).copied().unwrap_or(0);
        if self.stacks[stack].kind == StackKind::Main || owner == u64::from(made_by) + 1 {
            return Ok(());
        }
        Err(FaultKind::StalePointer {
            address,
            made_by,
            stack: stack as u32,
            owner: (owner as u32).checked_sub(1),
            access,
        }
        .into())
    }

    /// Whether a pointer is none into another task's frames.
    #[inline(always)]
    fn is_own(&self, pointer: Shadow) -> bool {
        let tag = pointer.tag();
        tag == 0 || tag == self.sp_shadow().tag()
    }

    /// Loads through a pointer.
    #[inline(always)]
    pub fn load(&self, address: u64, width: Width, pointer: Shadow) -> Result<(u64, Shadow), Trap> {
        if self.is_own(pointer)
            && (address & 7) as u32 + width.bytes() <= 8
            && let Some(place) = self.memory.find(address)
            && let Some(loaded) = self.load_from(self.memory.cell(place), address, width)
        {
            return Ok(loaded);
        }
        self.load_slowly(address, width, pointer)
    }

    /// What is in a cell that the whole access lies in, unless there is something to report.
    #[inline(always)]
    fn load_from(&self, cell: Cell, address: u64, width: Width) -> Option<(u64, Shadow)> {
        let byte = (address & 7) as u32;
        let need = width.byte_mask() << byte | MAPPED;
        if cell.shadow & need == need {
            let value = cell.value >> (8 * byte) & width.mask();
            return Some((value, Shadow::with_tag(self.tag_of(cell, byte, width))));
        }
        // Carried words are common: callee-saved registers that nobody uses are pushed and
        // popped all the same.
        let carried = MAPPED | CARRIED_BOTH;
        if width == Width::Double && byte == 0 && cell.shadow & carried == carried {
            return Some((cell.value, Shadow(cell.shadow & WRITTEN)));
        }
        None
    }

    /// The tag of a word in a cell. Only whole machine words are pointers.
    #[inline(always)]
    fn tag_of(&self, cell: Cell, byte: u32, width: Width) -> u64 {
        if width != self.word {
            return 0;
        }
        match byte {
            0 => cell.shadow & TAG,
            4 => (cell.shadow & TAG_HIGH) >> (TAG_HIGH.trailing_zeros() - TAG.trailing_zeros()),
            _ => 0,
        }
    }

    /// Loads through another task's pointers, from pages that are shared, that cross two cells, that
    /// read what a register had not written, and those that fault.
    #[cold]
    #[inline(never)]
    fn load_slowly(
        &self,
        address: u64,
        width: Width,
        pointer: Shadow,
    ) -> Result<(u64, Shadow), Trap> {
        if !self.is_own(pointer) {
            self.check_pointer(pointer, address, Access::Read)?;
        }
        let bytes = u64::from(width.bytes());
        if (address & 7) + bytes <= 8
            && let Some([cell, ..]) = self.memory.cells_from(address)
            && let Some(loaded) = self.load_from(*cell, address, width)
        {
            return Ok(loaded);
        }
        if let Some(at) = self.first_unmapped(address, bytes) {
            return Err(self.unmapped(at, Access::Read).into());
        }
        let mut value = 0;
        let mut written = 0;
        for offset in 0..bytes {
            let at = address.wrapping_add(offset);
            let cell = self.memory.read(at).unwrap_or_default();
            let byte = (at & 7) as u32;
            value |= (cell.value >> (8 * byte) & 0xff) << (8 * offset);
            written |= (cell.shadow >> byte & 1) << offset;
        }
        if written == width.byte_mask() {
            return Ok((value, Shadow::PLAIN));
        }
        // A whole word that a push or a spill has stored from a register that held nothing: it
        // may go back to where it came from.
        let cell = self.memory.read(address).unwrap_or_default();
        let carried = match (width, address & 7) {
            (Width::Double, 0) => cell.shadow & CARRIED_BOTH == CARRIED_BOTH,
            (Width::Word, 0) => cell.shadow & CARRIED != 0,
            (Width::Word, 4) => cell.shadow & CARRIED << 1 != 0,
            _ => false,
        };
        if carried {
            return Ok((value, Shadow(written)));
        }
        let address = address + u64::from((!written).trailing_zeros());
        Err(FaultKind::UninitialisedMemory { address }.into())
    }

    /// Stores through a pointer.
    #[inline(always)]
    pub fn store(
        &mut self,
        address: u64,
        width: Width,
        value: u64,
        shadow: Shadow,
        pointer: Shadow,
    ) -> Result<(), Trap> {
        if self.is_own(pointer)
            && is_whole(address, width)
            && let Some(place) = self.memory.find(address)
            && self.memory.cell(place).shadow & MAPPED != 0
        {
            self.store_whole(place, address, width, value, shadow);
            return Ok(());
        }
        self.store_slowly(address, width, value, shadow, pointer)
    }

    /// Stores a word, or two, at its natural alignment.
    #[inline(always)]
    fn store_whole(
        &mut self,
        place: Place,
        address: u64,
        width: Width,
        value: u64,
        shadow: Shadow,
    ) {
        let mut cell = self.memory.cell(place);
        let all = shadow.0 & width.byte_mask() == width.byte_mask();
        if width == Width::Double {
            self.log.cell(address, 0xff, cell);
            let carried = if all { 0 } else { CARRIED_BOTH };
            let shadow = MAPPED | carried | shadow.0 & (WRITTEN | TAG);
            *self.memory.cell_mut(place) = Cell { value, shadow };
            return;
        }
        let written = shadow.0 & 0x0f;
        let upper = (address & 4) as u32 / 4;
        self.log.cell(address, 0x0f << (4 * upper), cell);
        match upper {
            0 => cell.set_bytes(value, 0x0f, written),
            _ => cell.set_bytes(value << 32, 0xf0, written << 4),
        }
        if !all {
            cell.shadow |= CARRIED << upper;
        }
        if width == self.word {
            let shift = TAG_HIGH.trailing_zeros() - TAG.trailing_zeros();
            cell.shadow |= shadow.tag() << (shift * upper);
        }
        *self.memory.cell_mut(place) = cell;
    }

    /// Stores through another task's pointers, what is no word at its natural alignment, what is written to
    /// a page for the first time, and what faults.
    #[inline(never)]
    fn store_slowly(
        &mut self,
        address: u64,
        width: Width,
        value: u64,
        shadow: Shadow,
        pointer: Shadow,
    ) -> Result<(), Trap> {
        if !self.is_own(pointer) {
            self.check_pointer(pointer, address, Access::Write)?;
        }
        let bytes = width.bytes();
        if let Some(at) = self.first_unmapped(address, u64::from(bytes)) {
            return Err(self.unmapped(at, Access::Write).into());
        }
        let place = self.place(address)?;
        if is_whole(address, width) {
            self.store_whole(place, address, width, value, shadow);
            return Ok(());
        }
        let byte = (address & 7) as u32;
        let first = 8_u32.saturating_sub(byte).min(bytes);
        let written = shadow.0 & width.byte_mask();
        let mut cell = self.memory.cell(place);
        self.log.cell(address, width.byte_mask() << byte, cell);
        cell.set_bytes(
            value << (8 * byte),
            (width.byte_mask() << byte) & 0xff,
            written << byte,
        );
        *self.memory.cell_mut(place) = cell;
        if first < bytes {
            let rest = address + u64::from(first);
            let place = self.place(rest)?;
            let mut cell = self.memory.cell(place);
            let mask = width.byte_mask() >> first;
            self.log.cell(rest, mask, cell);
            cell.set_bytes(value >> (8 * first), mask, written >> first);
            *self.memory.cell_mut(place) = cell;
        }
        Ok(())
    }

    /// The place of an address that is in a segment.
    pub fn place(&mut self, address: u64) -> Result<Place, Trap> {
        match self.memory.touch(address) {
            Ok(Some(place)) => Ok(place),
            Ok(None) => Err(self.unmapped(address, Access::Write).into()),
            Err(_) => Err(FaultKind::OutOfMemory { bytes: PAGE }.into()),
        }
    }

    /// Bytes that come to lie above sp, or an array that is declared: nothing has written them
    /// yet, whatever is there.
    pub fn forget(&mut self, from: u64, to: u64) {
        let mut at = from;
        while at < to {
            let Some(cells) = self.memory.cells_from_mut(at) else {
                // Nothing has written to this page.
                at = (at / PAGE + 1) * PAGE;
                continue;
            };
            for cell in cells {
                let end = ((at | 7) + 1).min(to);
                let bytes = ((1_u64 << (end - at)) - 1) << (at & 7);
                if cell.shadow & MAPPED != 0 && cell.shadow & (bytes | CARRIED_BOTH) != 0 {
                    self.log.settle();
                    self.log.cell(at, bytes, *cell);
                    cell.set_bytes(cell.value, bytes & 0xff, 0);
                }
                at = end;
                if at == to {
                    return;
                }
            }
        }
    }

    /// sp gets a new value other than by push, pop, call and return.
    #[inline(always)]
    pub fn move_sp(&mut self, value: u64, shadow: Shadow) -> Result<(), Trap> {
        let (old, old_shadow) = (self.sp(), self.sp_shadow());
        self.write_register(self.sp_reg(), value, shadow);
        if shadow.tag() != old_shadow.tag() {
            return self.move_sp_to_task(value, shadow);
        }
        if value < old {
            self.forget_below(old, value);
        }
        Ok(())
    }

    /// sp has moved down: what lies between holds nothing, as far as the stack reaches. What lies below
    /// that faults when it is used.
    #[inline(never)]
    fn forget_below(&mut self, old: u64, sp: u64) {
        if let Some(stack) = self.stack_of_sp(old) {
            self.forget(sp.max(self.stacks[stack].base), old);
        }
    }

    /// sp has moved to another task.
    #[inline(never)]
    fn move_sp_to_task(&mut self, value: u64, shadow: Shadow) -> Result<(), Trap> {
        self.switched = true;
        let (Some(task), Some(stack)) = (shadow.task(), self.stack_of_sp(value)) else {
            return Ok(());
        };
        let owner = self.owners.get(stack).copied().unwrap_or(0);
        if self.stacks[stack].kind == StackKind::Shared && owner != u64::from(task) + 1 {
            return Err(FaultKind::NotOwner {
                stack: stack as u32,
                task,
                owner: (owner as u32).checked_sub(1),
            }
            .into());
        }
        Ok(())
    }
}

/// Whether it is one word or two, at its natural alignment.
#[inline(always)]
fn is_whole(address: u64, width: Width) -> bool {
    width >= Width::Word && address & (u64::from(width.bytes()) - 1) == 0
}
