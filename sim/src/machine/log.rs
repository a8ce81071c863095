//! What every step wrote.
//!
//! An entry holds a location and *the other value*: while the step has been made, what was there
//! before; after going back over it, what will be there again. Going either way exchanges it with
//! what is there, so one value serves both directions.

use super::shadow::Cell;

/// Where an entry's value belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// A register, with what is known about it.
    Register(u8),
    /// The cell at this address.
    Cell(u64),
    /// The cells of a copy: an index into [`Log::copies`].
    Cells(u32),
    /// A word that the machine keeps: see [`super::Field`].
    Field(u32),
    /// Who owns this stack.
    Owner(u32),
    /// The innermost call of this task.
    Head(u32),
    /// A piece of the heap came into being, or was given back: its index.
    Block(u32),
}

/// An entry. `at` is packed: the kind in the highest four bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    at: u64,
    pub value: u64,
    pub shadow: u64,
}

const KIND_SHIFT: u32 = 60;
const REGISTER: u64 = 0 << KIND_SHIFT;
const CELL: u64 = 1 << KIND_SHIFT;
const CELLS: u64 = 2 << KIND_SHIFT;
const FIELD: u64 = 3 << KIND_SHIFT;
const OWNER: u64 = 4 << KIND_SHIFT;
const HEAD: u64 = 5 << KIND_SHIFT;
const BLOCK: u64 = 6 << KIND_SHIFT;
const KIND: u64 = 15 << KIND_SHIFT;

impl Entry {
    #[inline(always)]
    pub fn at(&self) -> At {
        let index = self.at as u32;
        match self.at & KIND {
            REGISTER => At::Register(index as u8),
            CELL => At::Cell(self.at & !KIND),
            CELLS => At::Cells(index),
            FIELD => At::Field(index),
            OWNER => At::Owner(index),
            HEAD => At::Head(index),
            _ => At::Block(index),
        }
    }
}

/// Who made a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Maker {
    /// An instruction.
    Cpu = 0,
    /// The host, at its instruction.
    Service = 1,
    /// The host, with an action that it had left pending.
    Micro = 2,
}

/// A step: where its entries begin, and the instruction that was next when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub first: u32,
    /// The highest two bits are the maker.
    pc: u32,
}

const MAKER_SHIFT: u32 = 30;

impl Step {
    #[inline(always)]
    pub fn new(first: u32, pc: u32, maker: Maker) -> Self {
        Step {
            first,
            pc: pc | (maker as u32) << MAKER_SHIFT,
        }
    }

    /// The instruction that was next.
    #[inline(always)]
    pub fn pc(self) -> u32 {
        self.pc & ((1 << MAKER_SHIFT) - 1)
    }

    /// Whether the host made the step.
    #[inline(always)]
    pub fn is_host(self) -> bool {
        self.pc >> MAKER_SHIFT != Maker::Cpu as u32
    }

    /// Whether the host made it without an instruction of its own.
    pub fn is_micro(self) -> bool {
        self.pc >> MAKER_SHIFT == Maker::Micro as u32
    }
}

/// Cells that a copy replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copied {
    pub address: u64,
    pub first: usize,
    pub count: u32,
}

/// All entries of all steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub steps: Vec<Step>,
    pub entries: Vec<Entry>,
    pub copies: Vec<Copied>,
    pub cells: Vec<Cell>,
}

impl Log {
    #[inline(always)]
    pub fn register(&mut self, index: u8, value: u64, shadow: u64) {
        self.push(REGISTER | u64::from(index), value, shadow);
    }

    #[inline(always)]
    pub fn cell(&mut self, address: u64, cell: Cell) {
        self.push(CELL | address & !7, cell.value, cell.shadow);
    }

    pub fn field(&mut self, index: u32, value: u64) {
        self.push(FIELD | u64::from(index), value, 0);
    }

    pub fn owner(&mut self, stack: u32, value: u64) {
        self.push(OWNER | u64::from(stack), value, 0);
    }

    #[inline(always)]
    pub fn head(&mut self, task: u32, value: u64) {
        self.push(HEAD | u64::from(task), value, 0);
    }

    pub fn block(&mut self, index: u32) {
        self.push(BLOCK | u64::from(index), 0, 0);
    }

    /// Begins to keep the cells of a copy; they are pushed to `cells` next.
    pub fn copy(&mut self, address: u64, count: u32) {
        self.push(CELLS | self.copies.len() as u64, 0, 0);
        self.copies.push(Copied {
            address,
            first: self.cells.len(),
            count,
        });
    }

    #[inline(always)]
    fn push(&mut self, at: u64, value: u64, shadow: u64) {
        self.entries.push(Entry { at, value, shadow });
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Log::default();
    }

    /// The entries of a step.
    pub fn range(&self, step: usize) -> std::ops::Range<usize> {
        let end = self
            .steps
            .get(step + 1)
            .map_or(self.entries.len(), |s| s.first as usize);
        self.steps[step].first as usize..end
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.steps.len() * size_of::<Step>()
            + self.entries.len() * size_of::<Entry>()
            + self.copies.len() * size_of::<Copied>()
            + self.cells.len() * size_of::<Cell>()
    }
}
