//! What lies where: stacks with their guard pages, and pieces of the heap.

use super::memory::{Area, Exhausted, PAGE, Run};
use super::shadow::{Cell, MAPPED};
use super::{Field, Machine};
use crate::fault::{Access, FaultKind, TaskNumber};
use crate::program::Isa;
use crate::view::StackKind;

/// What a piece of the heap is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SegmentKind {
    /// A task's control block.
    ControlBlock {
        /// Whose.
        task: TaskNumber,
    },
    /// A task's save stack.
    SaveStack {
        /// Whose.
        task: TaskNumber,
    },
    /// Something else.
    Other,
}

/// A stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    /// The lowest byte of what lies between it and the stack below: its guard.
    pub guard: u64,
    pub base: u64,
    pub top: u64,
    pub kind: StackKind,
}

/// A piece of the heap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub address: u64,
    pub bytes: u64,
    pub kind: SegmentKind,
    pub fields: &'static [&'static str],
    /// It is there: made, and not given back.
    pub live: bool,
}

/// Where stacks, heap and globals begin, as on Linux without position independence.
pub(super) fn bases(isa: Isa, data: u64) -> [u64; 3] {
    match isa {
        Isa::X86_64 => [0x7fff_e000_0000, 0x5555_5560_0000, data],
        Isa::I386 => [0x9000_0000, 0x1000_0000, data],
        Isa::Aarch64 => [0xffff_e000_0000, 0xaaaa_aac0_0000, data],
    }
}

/// How many bytes stacks and heap may take.
fn span(isa: Isa, area: Area) -> u64 {
    match (isa, area) {
        (Isa::I386, Area::Stacks) => 0x6000_0000,
        (Isa::I386, _) => 0x4000_0000,
        (_, Area::Stacks) => 16 << 30,
        _ => 4 << 30,
    }
}

/// Bytes between two pieces of the heap, where an allocator keeps its notes. They belong to no
/// segment.
const HEAP_GAP: u64 = 16;

impl Machine {
    /// Makes a stack of at least this many bytes above a guard page.
    pub fn add_stack(&mut self, kind: StackKind, bytes: u64) -> Result<usize, FaultKind> {
        let index = self.field(Field::Stacks) as usize;
        let size = bytes.next_multiple_of(16);
        let full = || FaultKind::OutOfMemory { bytes };
        let start = self.memory.base(Area::Stacks);
        let guard = index
            .checked_sub(1)
            .map_or(start, |below| self.stacks[below].top);
        let pages = size.next_multiple_of(PAGE);
        let top = guard + PAGE + pages;
        if bytes > span(self.isa, Area::Stacks) || top - start > span(self.isa, Area::Stacks) {
            return Err(full());
        }
        let stack = Stack {
            guard,
            base: top - size,
            top,
            kind,
        };
        self.memory.extend(Area::Stacks, top - start);
        let whole = stack.base.next_multiple_of(PAGE);
        self.memory.map_pages(Area::Stacks, whole, top - whole);
        if whole != stack.base {
            let commit = self.memory.commit_range(stack.base, whole - stack.base);
            commit.map_err(|Exhausted| full())?;
            self.memory.set_mapped(stack.base, whole - stack.base, true);
        }
        // After going back, the same stack is made again at the same place.
        self.stacks.truncate(index);
        self.stacks.push(stack);
        if self.owners.len() <= index {
            self.owners.push(0);
        }
        self.set_field(Field::Stacks, index as u64 + 1);
        Ok(index)
    }

    /// Makes a piece of the heap.
    pub fn allocate(
        &mut self,
        kind: SegmentKind,
        bytes: u64,
        fields: &'static [&'static str],
    ) -> Result<u64, FaultKind> {
        let full = FaultKind::OutOfMemory { bytes };
        let limit = span(self.isa, Area::Heap);
        let start = self.memory.base(Area::Heap);
        let address = self.field(Field::HeapNext) + HEAP_GAP;
        if bytes > limit || address + bytes - start > limit {
            return Err(full);
        }
        let size = bytes.max(1).next_multiple_of(16);
        self.memory.extend(Area::Heap, address + size - start);
        if self.memory.commit_range(address, size).is_err() {
            return Err(full);
        }
        let index = self.field(Field::Blocks) as usize;
        self.blocks.truncate(index);
        self.blocks.push(Block {
            address,
            bytes: size,
            kind,
            fields,
            live: false,
        });
        self.set_field(Field::HeapNext, address + size);
        self.set_field(Field::Blocks, index as u64 + 1);
        self.log.block(index as u32);
        self.exchange_block(index);
        Ok(address)
    }

    /// Gives a piece of the heap back. Its address is never used again, so that every later
    /// access is noticed.
    pub fn free(&mut self, address: u64) -> Result<(), FaultKind> {
        match self.block_at(address) {
            Some(index) if self.blocks[index].address == address => {
                self.log.block(index as u32);
                self.exchange_block(index);
                Ok(())
            }
            _ => Err(FaultKind::Unmapped {
                address,
                access: Access::Write,
            }),
        }
    }

    /// Makes a piece of the heap be there, or not.
    pub fn exchange_block(&mut self, index: usize) {
        let block = &mut self.blocks[index];
        block.live = !block.live;
        let Block {
            address,
            bytes,
            live,
            ..
        } = *block;
        self.memory.set_mapped(address, bytes, live);
    }

    /// The piece of the heap that an address lies in.
    pub fn block_at(&self, address: u64) -> Option<usize> {
        let blocks = &self.blocks[..(self.field(Field::Blocks) as usize).min(self.blocks.len())];
        let after = blocks.partition_point(|block| block.address <= address);
        let index = after.checked_sub(1)?;
        let block = &blocks[index];
        (block.live && address < block.address + block.bytes).then_some(index)
    }

    /// The stack that an address lies in; its guard counts. Its top does not.
    pub fn stack_at(&self, address: u64) -> Option<usize> {
        let count = (self.field(Field::Stacks) as usize).min(self.stacks.len());
        let index = self.stacks[..count].partition_point(|stack| stack.top <= address);
        (index < count && self.stacks[index].guard <= address).then_some(index)
    }

    /// The stack that an sp points into: an empty stack's sp is its top.
    pub fn stack_of_sp(&self, sp: u64) -> Option<usize> {
        self.stack_at(sp.wrapping_sub(1))
    }

    /// Why a byte cannot be accessed.
    #[cold]
    pub fn unmapped(&self, address: u64, access: Access) -> FaultKind {
        if (u64::from(self.code.base)..u64::from(self.code.end)).contains(&address) {
            return FaultKind::TextAccess { address, access };
        }
        match self.stack_at(address) {
            Some(stack) if address < self.stacks[stack].base => FaultKind::Overflow {
                stack: stack as u32,
                address,
                beyond: self.stacks[stack].base - address,
                access,
            },
            _ => FaultKind::Unmapped { address, access },
        }
    }

    /// The first byte of a range that belongs to no segment.
    pub fn first_unmapped(&self, address: u64, bytes: u64) -> Option<u64> {
        let Some(end) = address.checked_add(bytes) else {
            return Some(address);
        };
        let mut at = address;
        while at < end {
            let first = at & !7;
            let wanted = (end - first).div_ceil(8) as usize;
            let mapped = match self.memory.run(at) {
                Run::Absent => 0,
                Run::Untouched(count) => count,
                Run::Cells(cells) => {
                    let cells = &cells[..cells.len().min(wanted)];
                    // Mostly there is none, and to see that takes no branch for each cell.
                    let all = cells.iter().fold(MAPPED, |all, cell| all & cell.shadow);
                    let has_gap = |cell: &Cell| cell.shadow & MAPPED == 0;
                    let gap = match all {
                        0 => cells.iter().position(has_gap),
                        _ => None,
                    };
                    match gap {
                        Some(0) => 0,
                        Some(gap) => return Some(first + 8 * gap as u64).filter(|at| *at < end),
                        None => cells.len(),
                    }
                }
            };
            if mapped == 0 {
                return Some(at);
            }
            at = first + 8 * mapped as u64;
        }
        None
    }
}
