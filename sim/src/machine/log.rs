//! What every step wrote.
//!
//! An entry holds a location and *the other value*: while the step has been made, what was there
//! before; after going back over it, what will be there again. Going either way exchanges it with
//! what is there, so one value serves both directions.

use super::pieces::Pieces;
use super::pool;
use super::shadow::Cell;

/// Where an entry's value belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// A register, with what is known about it.
    Register(u8),
    /// The cell at this address; [`Entry::bytes`] says which of its bytes were written.
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
/// Which bytes of a cell were written, above its address.
const BYTES_SHIFT: u32 = 48;
const ADDRESS: u64 = (1 << BYTES_SHIFT) - 1;

impl Entry {
    #[inline(always)]
    pub fn at(&self) -> At {
        let index = self.at as u32;
        match self.at & KIND {
            REGISTER => At::Register(index as u8),
            CELL => At::Cell(self.at & ADDRESS),
            CELLS => At::Cells(index),
            FIELD => At::Field(index),
            OWNER => At::Owner(index),
            HEAD => At::Head(index),
            _ => At::Block(index),
        }
    }

    /// Of a cell, a bit for each byte that was written, the lowest first.
    pub fn bytes(&self) -> u8 {
        (self.at >> BYTES_SHIFT) as u8
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
    /// Neither: a signal came or its handler returned, or somebody changed something by hand.
    Outside = 3,
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
        let maker = self.pc >> MAKER_SHIFT;
        maker == Maker::Service as u32 || maker == Maker::Micro as u32
    }

    /// Whether it was made from outside.
    pub fn is_outside(self) -> bool {
        self.pc >> MAKER_SHIFT == Maker::Outside as u32
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
    /// The bytes that were copied, which may begin and end within a cell.
    pub target: u64,
    pub bytes: u64,
    /// Where they are in the log's cells.
    first: u64,
}

impl Copied {
    /// One past the last byte of the last cell.
    pub fn end(&self) -> u64 {
        self.address + 8 * u64::from(self.count)
    }

    /// Whether this byte was copied.
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.target) < self.bytes
    }
}

/// All steps, and the entries of the latest ones.
///
/// Steps are kept forever, eight bytes each. When the entries take more than the limit, the older
/// half of them is dropped; the session goes back beyond that by executing again from the start.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub steps: Steps,
    /// The first step whose entries are kept.
    pub kept_from: usize,
    pub(super) entries: Entries,
    copies: Pieces<Copied, 16>,
    cells: Cells,
    limit: usize,
    /// No further steps can be counted.
    pub is_full: bool,
}

const PIECE_SHIFT: u32 = 13;

pub(super) type Entries = Pieces<Entry, PIECE_SHIFT>;

/// Steps, counted from 0.
#[derive(Clone, Debug)]
pub(crate) struct Steps(Pieces<Step, 15>);

impl Steps {
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.0.end()
    }

    #[inline(always)]
    pub fn get(&self, step: usize) -> Option<Step> {
        self.0.get(step).copied()
    }

    /// Makes a step another one.
    pub fn set(&mut self, step: usize, to: Step) {
        if let Some(step) = self.0.get_mut(step) {
            *step = to;
        }
    }
}

impl std::ops::Index<usize> for Steps {
    type Output = Step;

    /// # Panics
    /// If so many steps have not been made.
    fn index(&self, step: usize) -> &Step {
        self.0.get(step).expect("a step that was made")
    }
}

/// Cells of copies: those of one copy lie in one vector.
#[derive(Clone, Debug)]
struct Cells {
    pieces: Vec<Vec<Cell>>,
    dropped: usize,
}

impl Cells {
    const EMPTY: Self = Cells {
        pieces: Vec::new(),
        dropped: 0,
    };
    const SIZE: usize = 1 << 13;
    const SHIFT: u32 = 32;

    /// Makes room for so many cells in one piece, and says where the first will be.
    fn reserve(&mut self, count: usize) -> u64 {
        let has_room = |last: &Vec<Cell>| last.capacity() - last.len() >= count;
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(pool::take(count.max(Self::SIZE)));
        }
        let len = self.pieces.last().map_or(0, Vec::len);
        ((self.dropped + self.pieces.len() - 1) as u64) << Self::SHIFT | len as u64
    }

    fn place(&self, at: u64) -> (usize, usize) {
        let piece = (at >> Self::SHIFT) as usize;
        (piece.wrapping_sub(self.dropped), at as u32 as usize)
    }

    fn slice(&self, at: u64, count: usize) -> &[Cell] {
        let (piece, first) = self.place(at);
        let piece = self.pieces.get(piece);
        piece
            .and_then(|cells| cells.get(first..first + count))
            .unwrap_or(&[])
    }

    fn slice_mut(&mut self, at: u64, count: usize) -> &mut [Cell] {
        let (piece, first) = self.place(at);
        let piece = self.pieces.get_mut(piece);
        piece
            .and_then(|cells| cells.get_mut(first..first + count))
            .unwrap_or(&mut [])
    }

    fn truncate(&mut self, at: u64) {
        let (piece, first) = self.place(at);
        for piece in self
            .pieces
            .drain(self.pieces.len().min(piece.saturating_add(1))..)
        {
            pool::give(piece, Self::SIZE);
        }
        if let Some(last) = self.pieces.get_mut(piece) {
            last.truncate(first);
        }
    }

    /// Drops what comes before a place, as far as that is whole pieces.
    fn drop_before(&mut self, at: Option<u64>) {
        let count = at.map_or(self.pieces.len(), |at| {
            self.place(at).0.min(self.pieces.len())
        });
        for piece in self.pieces.drain(..count) {
            pool::give(piece, Self::SIZE);
        }
        self.dropped += count;
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().map(Vec::capacity).sum::<usize>() * size_of::<Cell>()
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        for piece in self.pieces.drain(..) {
            pool::give(piece, Self::SIZE);
        }
    }
}

/// The most pieces of entries: steps count entries with 32 bits.
const MAX_PIECES: usize = (1 << (32 - PIECE_SHIFT)) - 16;

impl Log {
    /// A log that keeps entries of about so many bytes.
    pub fn new(limit: u64) -> Self {
        Log {
            steps: Steps(Pieces::EMPTY),
            kept_from: 0,
            entries: Pieces::EMPTY,
            copies: Pieces::EMPTY,
            cells: Cells::EMPTY,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            is_full: false,
        }
    }

    /// Forgets everything, and keeps the memory of what is written most.
    pub fn clear(&mut self) {
        let mut next = Log::new(self.limit as u64);
        std::mem::swap(&mut next.entries, &mut self.entries);
        std::mem::swap(&mut next.steps, &mut self.steps);
        next.entries.clear();
        next.steps.0.clear();
        *self = next;
    }

    #[inline(always)]
    pub fn register(&mut self, index: u8, value: u64, shadow: u64) {
        self.push(REGISTER | u64::from(index), value, shadow);
    }

    /// A cell before some of its bytes are written: a bit for each, the lowest first.
    #[inline(always)]
    pub fn cell(&mut self, address: u64, bytes: u64, cell: Cell) {
        let at = CELL | (bytes & 0xff) << BYTES_SHIFT | address & (ADDRESS & !7);
        self.push(at, cell.value, cell.shadow);
    }

    pub fn field(&mut self, index: u32, value: u64) {
        self.settle();
        self.push(FIELD | u64::from(index), value, 0);
    }

    pub fn owner(&mut self, stack: u32, value: u64) {
        self.settle();
        self.push(OWNER | u64::from(stack), value, 0);
    }

    #[inline(always)]
    pub fn head(&mut self, task: u32, value: u64) {
        self.push(HEAD | u64::from(task), value, 0);
    }

    pub fn block(&mut self, index: u32) {
        self.settle();
        self.push(BLOCK | u64::from(index), 0, 0);
    }

    /// Begins to keep the cells from an address on that a copy to `target` is about to replace:
    /// [`keep`](Self::keep) takes them next.
    pub fn copy(&mut self, address: u64, count: u32, target: u64, bytes: u64) {
        self.settle();
        self.push(CELLS | self.copies.end() as u64, 0, 0);
        let first = self.cells.reserve(count as usize);
        self.copies.push(Copied {
            address,
            count,
            target,
            bytes,
            first,
        });
    }

    /// Keeps cells of the copy begun last.
    pub fn keep(&mut self, cells: &[Cell]) {
        if let Some(last) = self.cells.pieces.last_mut() {
            last.extend_from_slice(cells);
        }
    }

    #[inline(always)]
    fn push(&mut self, at: u64, value: u64, shadow: u64) {
        self.entries.push_in_slack(Entry { at, value, shadow });
    }

    /// Makes room for as many entries as an instruction writes. Who writes more calls this in between.
    #[inline(always)]
    pub fn settle(&mut self) {
        if self.entries.is_full() {
            self.make_room();
        }
    }

    /// Begins a step, with room for the entries of an instruction.
    #[inline(always)]
    pub fn begin(&mut self, pc: u32, maker: Maker) {
        if self.entries.is_full() | self.steps.0.is_full() {
            self.make_room();
        }
        let step = Step::new(self.end() as u32, pc, maker);
        self.steps.0.push_in_slack(step);
    }

    /// Begins another piece where one is full. Of too many entries the older half goes before.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        self.steps.0.settle();
        if !self.entries.is_full() {
            return;
        }
        self.is_full = self.entries.piece() >= MAX_PIECES;
        let bytes = self.entries.bytes() + self.copies.bytes() + self.cells.bytes();
        if bytes > self.limit && !self.entries.has_spare() {
            let kept = self.entries.kept();
            self.drop_before(self.entries.piece() + 1 - kept.div_ceil(2));
        }
        self.entries.settle();
    }

    /// Drops all pieces of entries before this one.
    fn drop_before(&mut self, piece: usize) {
        self.entries.drop_before(piece);
        let first = self.entries.first();
        let is_dropped = |step: &Step| (step.first as usize) < first;
        self.kept_from = self.steps.0.partition_point(is_dropped);
        let copy = self.first_copy(first);
        let copy = copy.unwrap_or(self.copies.end());
        let cell = self.copies.get(copy).map(|copied| copied.first);
        self.copies
            .drop_before(Pieces::<Copied, 16>::piece_of(copy));
        self.cells.drop_before(cell);
    }

    /// The first copy that an entry from this one on tells of.
    fn first_copy(&self, entry: usize) -> Option<usize> {
        let mut entries = (entry..self.end()).filter_map(|entry| self.entries.get(entry));
        entries.find_map(|entry| match entry.at() {
            At::Cells(index) => Some(index as usize),
            _ => None,
        })
    }

    /// Forgets this step and all that come after it. Its entries must be kept.
    pub fn cut(&mut self, step: usize) {
        let Some(first) = self.steps.get(step).map(|step| step.first as usize) else {
            return;
        };
        let copy = self.first_copy(first);
        if let Some(copy) = copy
            && let Some(copied) = self.copies.get(copy)
        {
            self.cells.truncate(copied.first);
            self.copies.truncate(copy);
        }
        self.truncate(first);
        self.steps.0.truncate(step);
    }

    /// How many entries were ever made.
    #[inline(always)]
    pub fn end(&self) -> usize {
        self.entries.end()
    }

    /// Forgets the entries from this one on.
    pub fn truncate(&mut self, end: usize) {
        self.entries.truncate(end);
    }

    /// The numbers of a step's entries, of those that are kept.
    #[inline(always)]
    pub fn range(&self, step: usize) -> std::ops::Range<usize> {
        let end = self.end();
        let first_of = |step| self.steps.get(step).map_or(end, |step| step.first as usize);
        let dropped = self.entries.first();
        first_of(step).max(dropped)..first_of(step + 1).max(dropped)
    }

    /// The entries of a step, of those that are kept.
    #[inline(always)]
    pub fn entries_of(&self, step: usize) -> impl DoubleEndedIterator<Item = &Entry> {
        self.range(step).filter_map(|entry| self.entries.get(entry))
    }

    /// The numbers of the entries of all steps from one on to before another.
    pub fn range_of(&self, steps: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.range(steps.start).start..self.range(steps.end).start
    }

    /// A copy that is kept.
    pub fn copied(&self, index: u32) -> Copied {
        *self
            .copies
            .get(index as usize)
            .expect("a copy that is kept")
    }

    /// The other cells of a copy that is kept.
    pub fn cells_of(&self, copied: Copied) -> &[Cell] {
        self.cells.slice(copied.first, copied.count as usize)
    }

    /// As [`cells_of`](Self::cells_of).
    pub fn cells_of_mut(&mut self, copied: Copied) -> &mut [Cell] {
        self.cells.slice_mut(copied.first, copied.count as usize)
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.steps.0.bytes() + self.entries.bytes() + self.copies.bytes() + self.cells.bytes()
    }
}
