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
    pub count: u32,
    /// Where they are in the log's cells, counted from the first ever kept.
    first: usize,
}

impl Copied {
    /// One past the last byte.
    pub fn end(&self) -> u64 {
        self.address + 8 * u64::from(self.count)
    }
}

/// All steps, and the entries of the latest ones.
///
/// Steps are kept forever, eight bytes each. When the entries take more than the limit, the older
/// half of them is dropped; the session goes back beyond that by executing again from the start.
/// Entries, copies and cells are counted from the first ever made.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub steps: Vec<Step>,
    /// The first step whose entries are kept.
    pub kept_from: usize,
    entries: Window<Entry>,
    copies: Window<Copied>,
    cells: Window<Cell>,
    limit: usize,
}

/// The latest items of a list.
#[derive(Clone, Debug)]
struct Window<T> {
    dropped: usize,
    kept: Vec<T>,
}

impl<T> Window<T> {
    const EMPTY: Self = Window {
        dropped: 0,
        kept: Vec::new(),
    };

    #[inline(always)]
    fn end(&self) -> usize {
        self.dropped + self.kept.len()
    }

    fn bytes(&self) -> usize {
        self.kept.len() * size_of::<T>()
    }

    fn drop_before(&mut self, index: usize) {
        let count = index.saturating_sub(self.dropped).min(self.kept.len());
        self.kept.drain(..count);
        self.dropped += count;
    }
}

/// Entries that one step may need; more than any instruction writes.
const ROOM: usize = 64;

impl Log {
    /// A log that keeps entries of about so many bytes.
    pub fn new(limit: u64) -> Self {
        Log {
            steps: Vec::new(),
            kept_from: 0,
            entries: Window::EMPTY,
            copies: Window::EMPTY,
            cells: Window::EMPTY,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Log::new(self.limit as u64);
    }

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

    /// Begins to keep the cells of a copy: [`keep`](Self::keep) takes them next.
    pub fn copy(&mut self, address: u64, count: u32) {
        self.push(CELLS | self.copies.end() as u64, 0, 0);
        self.copies.kept.push(Copied {
            address,
            count,
            first: self.cells.end(),
        });
    }

    /// Keeps cells of the copy begun last.
    pub fn keep(&mut self, cells: &[Cell]) {
        self.cells.kept.extend_from_slice(cells);
    }

    #[inline(always)]
    fn push(&mut self, at: u64, value: u64, shadow: u64) {
        self.entries.kept.push(Entry { at, value, shadow });
    }

    /// Begins a step.
    #[inline(always)]
    pub fn begin(&mut self, pc: u32, maker: Maker) {
        self.steps.push(Step::new(self.end() as u32, pc, maker));
    }

    /// Makes sure that the log can hold another step. False if it never will.
    #[inline(always)]
    pub fn has_room(&mut self) -> bool {
        let entries = &self.entries.kept;
        entries.capacity() - entries.len() >= ROOM || self.make_room()
    }

    /// Makes room for more entries: a quarter more, or in the place of the older half.
    #[cold]
    fn make_room(&mut self) -> bool {
        // Steps count entries with 32 bits.
        if self.end() > (u32::MAX - (1 << 24)) as usize {
            return false;
        }
        let bytes = self.entries.bytes() + self.copies.bytes() + self.cells.bytes();
        if bytes > self.limit {
            let middle = self.entries.dropped + self.entries.kept.len() / 2;
            let from = self
                .steps
                .partition_point(|step| (step.first as usize) < middle);
            self.drop_before(from);
        } else {
            let more = self.entries.kept.len() / 4;
            self.entries.kept.reserve_exact(more.max(1 << 12));
        }
        true
    }

    /// Drops the entries of all steps before this one.
    fn drop_before(&mut self, step: usize) {
        self.kept_from = step;
        let first = self
            .steps
            .get(step)
            .map_or(self.end(), |step| step.first as usize);
        self.entries.drop_before(first);
        let copy = self.entries.kept.iter().find_map(|entry| match entry.at() {
            At::Cells(index) => Some(index as usize),
            _ => None,
        });
        self.copies.drop_before(copy.unwrap_or(self.copies.end()));
        let cell = self.copies.kept.first().map(|copied| copied.first);
        self.cells.drop_before(cell.unwrap_or(self.cells.end()));
    }

    /// How many entries were ever made.
    #[inline(always)]
    pub fn end(&self) -> usize {
        self.entries.end()
    }

    /// Forgets the entries from this one on.
    pub fn truncate(&mut self, end: usize) {
        self.entries
            .kept
            .truncate(end.saturating_sub(self.entries.dropped));
    }

    /// The numbers of a step's entries; none if they were dropped.
    #[inline(always)]
    pub fn range(&self, step: usize) -> std::ops::Range<usize> {
        let end = self
            .steps
            .get(step + 1)
            .map_or(self.end(), |next| next.first as usize);
        let first = self.steps.get(step).map_or(end, |step| step.first as usize);
        first.max(self.entries.dropped).min(end)..end.max(self.entries.dropped)
    }

    /// The entries of a step; none if they were dropped.
    #[inline(always)]
    pub fn entries_of(&self, step: usize) -> &[Entry] {
        let range = self.range(step);
        let dropped = self.entries.dropped;
        self.entries
            .kept
            .get(range.start.saturating_sub(dropped)..range.end - dropped)
            .unwrap_or(&[])
    }

    #[inline(always)]
    pub fn entry_mut(&mut self, entry: usize) -> &mut Entry {
        &mut self.entries.kept[entry - self.entries.dropped]
    }

    /// A copy that is kept.
    pub fn copied(&self, index: u32) -> Copied {
        self.copies.kept[index as usize - self.copies.dropped]
    }

    /// The other cells of a copy that is kept.
    pub fn cells_of(&self, copied: Copied) -> &[Cell] {
        &self.cells.kept[copied.first - self.cells.dropped..][..copied.count as usize]
    }

    /// As [`cells_of`](Self::cells_of).
    pub fn cells_of_mut(&mut self, copied: Copied) -> &mut [Cell] {
        &mut self.cells.kept[copied.first - self.cells.dropped..][..copied.count as usize]
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.steps.capacity() * size_of::<Step>()
            + self.entries.kept.capacity() * size_of::<Entry>()
            + self.copies.kept.capacity() * size_of::<Copied>()
            + self.cells.kept.capacity() * size_of::<Cell>()
    }
}
