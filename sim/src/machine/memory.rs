//! Memory: regions of pages that are touched when they are needed.
//!
//! A page that nobody has written to costs four bytes. There are three regions: stacks, heap,
//! globals; the instructions lie elsewhere ([`crate::code`]). Which bytes of a page belong to a
//! segment is in the shadow of its cells.
//!
//! Memory can be [kept](Memory::share) as it is at a moment. Its pages are shared from then on, and a
//! page is copied when it is written to. The machine finds pages of its own at once; that one is
//! shared is seen where one that was never touched is seen as well.

use std::rc::Rc;

use super::shadow::{Cell, MAPPED};

pub(crate) const PAGE: u64 = 4096;
const CELLS: usize = PAGE as usize / 8;

/// A page's entry: not there, there but not touched, where its cells are, or where they are among those
/// that are shared.
const ABSENT: u32 = 0;
const UNTOUCHED: u32 = 1;
const FIRST: u32 = 2;
const SHARED: u32 = 1 << 31;

type Frame = [Cell; CELLS];

/// A page that is shared. The box is not opened: to move it here copies no cell.
type SharedFrame = Rc<Box<Frame>>;

/// The part of the address space that a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Area {
    Stacks,
    Heap,
    Data,
}

#[derive(Clone, Debug)]
struct Region {
    base: u64,
    pages: Vec<u32>,
}

/// All memory that programs can write.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    regions: [Region; 3],
    frames: Vec<Box<Frame>>,
    /// Pages that are those of another moment as well. One that is not any more may stay here.
    shared: Vec<SharedFrame>,
    /// How many pages were touched.
    touched: usize,
    /// How many may be.
    limit: usize,
}

/// The cell of an address: the page's frame and the cell in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    frame: usize,
    cell: usize,
}

/// Cells up to the end of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'m> {
    /// The page is not there.
    Absent,
    /// So many cells that nobody has written to.
    Untouched(usize),
    /// These.
    Cells(&'m [Cell]),
}

/// The memory limit is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exhausted;

impl Memory {
    pub fn new(bases: [u64; 3], limit_bytes: u64) -> Self {
        let region = |base| Region {
            base,
            pages: Vec::new(),
        };
        // A page takes its bytes twice: once for what is known about them.
        let limit = usize::try_from(limit_bytes / (2 * PAGE)).unwrap_or(usize::MAX);
        Memory {
            regions: bases.map(region),
            frames: Vec::new(),
            shared: Vec::new(),
            touched: 0,
            limit: limit.min((SHARED - FIRST) as usize),
        }
    }

    /// Where the pages of an area begin.
    pub fn base(&self, area: Area) -> u64 {
        self.regions[area as usize].base
    }

    /// Lengthens an area to this many bytes. The new pages are not there yet.
    pub fn extend(&mut self, area: Area, bytes: u64) {
        let pages = &mut self.regions[area as usize].pages;
        let count = bytes.div_ceil(PAGE) as usize;
        if pages.len() < count {
            pages.resize(count, ABSENT);
        }
    }

    /// Puts pages there that belong to a segment throughout, without touching them.
    pub fn map_pages(&mut self, area: Area, address: u64, bytes: u64) {
        let region = &mut self.regions[area as usize];
        let first = ((address - region.base) / PAGE) as usize;
        let last = first + (bytes / PAGE) as usize;
        for page in &mut region.pages[first..last] {
            if *page == ABSENT {
                *page = UNTOUCHED;
            }
        }
    }

    /// The entry of an address's page.
    #[inline(always)]
    fn page(&self, address: u64) -> u32 {
        for region in &self.regions {
            let page = address.wrapping_sub(region.base) / PAGE;
            if page < region.pages.len() as u64 {
                return region.pages[page as usize];
            }
        }
        ABSENT
    }

    /// The cell of an address, if its page has been touched and is not shared.
    #[inline(always)]
    pub fn find(&self, address: u64) -> Option<Place> {
        // Every other entry becomes more than there can be of them.
        let frame = self.page(address).wrapping_sub(FIRST) as usize;
        if frame < self.frames.len() {
            let cell = (address / 8) as usize % CELLS;
            return Some(Place { frame, cell });
        }
        None
    }

    /// The cells of a page, if it has been touched.
    #[inline(always)]
    fn frame(&self, page: u32) -> Option<&Frame> {
        match page {
            ABSENT | UNTOUCHED => None,
            SHARED.. => Some(&self.shared[(page - SHARED) as usize]),
            _ => Some(&self.frames[(page - FIRST) as usize]),
        }
    }

    #[inline(always)]
    pub fn cell(&self, place: Place) -> Cell {
        self.frames[place.frame][place.cell]
    }

    #[inline(always)]
    pub fn cell_mut(&mut self, place: Place) -> &mut Cell {
        &mut self.frames[place.frame][place.cell]
    }

    /// What is at an address, touched or not; `None` if its page is not there.
    pub fn read(&self, address: u64) -> Option<Cell> {
        match self.page(address) {
            ABSENT => None,
            UNTOUCHED => Some(Cell {
                value: 0,
                shadow: MAPPED,
            }),
            page => Some(self.frame(page)?[(address / 8) as usize % CELLS]),
        }
    }

    /// The cells from an address on to the end of its page, if that has been touched.
    pub fn cells_from(&self, address: u64) -> Option<&[Cell]> {
        let frame = self.frame(self.page(address))?;
        Some(&frame[(address / 8) as usize % CELLS..])
    }

    /// The cells from an address on to the end of its page, touched or not.
    pub fn run(&self, address: u64) -> Run<'_> {
        match self.page(address) {
            ABSENT => Run::Absent,
            UNTOUCHED => Run::Untouched(CELLS - (address / 8) as usize % CELLS),
            _ => Run::Cells(self.cells_from(address).unwrap_or(&[])),
        }
    }

    /// Copies cells that lie in one page each. The target's page is touched and not shared.
    pub fn copy_run(&mut self, from: u64, to: u64, count: usize) {
        let Some(target) = self.find(to) else {
            return;
        };
        let into = target.cell..target.cell + count;
        let at = (from / 8) as usize % CELLS;
        let out_of = at..at + count;
        if let Some(source) = self.find(from) {
            match self.frames.get_disjoint_mut([source.frame, target.frame]) {
                Ok([source, target]) => target[into].copy_from_slice(&source[out_of]),
                // Both are the same page.
                Err(_) => self.frames[target.frame].copy_within(out_of, into.start),
            }
            return;
        }
        let shared = self.page(from).checked_sub(SHARED);
        let target = &mut self.frames[target.frame][into];
        match shared {
            Some(shared) => target.copy_from_slice(&self.shared[shared as usize][out_of]),
            None => target.fill(Cell {
                value: 0,
                shadow: MAPPED,
            }),
        }
    }

    /// As [`cells_from`](Self::cells_from), to be written.
    #[inline(always)]
    pub fn cells_from_mut(&mut self, address: u64) -> Option<&mut [Cell]> {
        let place = match self.find(address) {
            Some(place) => place,
            None => self.own(address)?,
        };
        Some(&mut self.frames[place.frame][place.cell..])
    }

    /// The cell of an address, if its page has been touched. The page is copied if it is shared.
    #[cold]
    #[inline(never)]
    pub fn own(&mut self, address: u64) -> Option<Place> {
        if let Some(shared) = self.page(address).checked_sub(SHARED) {
            let frame = Box::new(**self.shared[shared as usize]);
            self.put(address, frame);
        }
        self.find(address)
    }

    /// The cell of an address whose page is there; the page is touched, and copied if it is shared.
    pub fn touch(&mut self, address: u64) -> Result<Option<Place>, Exhausted> {
        if self.page(address) == UNTOUCHED {
            self.commit(address, MAPPED)?;
        }
        Ok(self.find(address).or_else(|| self.own(address)))
    }

    /// Makes sure that the pages of a range are touched; of new ones, no byte belongs to a
    /// segment.
    pub fn commit_range(&mut self, address: u64, bytes: u64) -> Result<(), Exhausted> {
        let mut page = address / PAGE * PAGE;
        while page < address + bytes {
            if self.page(page) == ABSENT {
                self.commit(page, 0)?;
            }
            page += PAGE;
        }
        Ok(())
    }

    fn commit(&mut self, address: u64, shadow: u64) -> Result<(), Exhausted> {
        if self.touched >= self.limit {
            return Err(Exhausted);
        }
        self.touched += 1;
        self.put(address, Box::new([Cell { value: 0, shadow }; CELLS]));
        Ok(())
    }

    /// Gives the page of an address these cells.
    fn put(&mut self, address: u64, frame: Box<Frame>) {
        let entry = self.frames.len() as u32 + FIRST;
        for region in &mut self.regions {
            let page = address.wrapping_sub(region.base) / PAGE;
            if page < region.pages.len() as u64 {
                region.pages[page as usize] = entry;
                self.frames.push(frame);
                break;
            }
        }
    }

    /// Says of every cell of a range whether it belongs to a segment. The pages are touched.
    pub fn set_mapped(&mut self, address: u64, bytes: u64, mapped: bool) {
        let bit = if mapped { MAPPED } else { 0 };
        let (mut at, end) = (address, address + bytes);
        while at < end
            && let Some(cells) = self.cells_from_mut(at)
        {
            let count = cells.len().min((end - at).div_ceil(8) as usize);
            for cell in &mut cells[..count] {
                cell.shadow = cell.shadow & !MAPPED | bit;
            }
            at += 8 * count as u64;
        }
    }

    /// Bytes that its pages take.
    pub fn bytes(&self) -> usize {
        self.touched * size_of::<Frame>()
    }

    /// The memory at this moment, which stays as it is. No page is copied for that now.
    pub fn share(&mut self) -> Memory {
        let mut own: Vec<_> = self.frames.drain(..).map(Some).collect();
        let mut shared = Vec::with_capacity(self.touched);
        for page in self.regions.iter_mut().flat_map(|region| &mut region.pages) {
            let frame = match *page {
                ABSENT | UNTOUCHED => continue,
                SHARED.. => Rc::clone(&self.shared[(*page - SHARED) as usize]),
                _ => match own[(*page - FIRST) as usize].take() {
                    Some(frame) => Rc::new(frame),
                    None => continue,
                },
            };
            *page = SHARED + shared.len() as u32;
            shared.push(frame);
        }
        self.shared = shared;
        self.clone()
    }

    /// Bytes that its pages take beside those that it shares with another moment of the same run.
    pub fn bytes_beside(&self, other: &Memory) -> usize {
        let mut same = 0;
        for (region, other_region) in self.regions.iter().zip(&other.regions) {
            for (page, other_page) in region.pages.iter().zip(&other_region.pages) {
                let shared = |memory: &Memory, page: &u32| {
                    let shared = memory.shared.get(page.checked_sub(SHARED)? as usize);
                    shared.map(Rc::as_ptr)
                };
                let frame = shared(self, page);
                same += usize::from(frame.is_some() && frame == shared(other, other_page));
            }
        }
        self.bytes() - same * size_of::<Frame>()
    }

    /// Makes every page what it was at another moment of the same run, which [`share`](Self::share) has
    /// kept. One that was not touched yet then is as if nothing had been written to it, and stays: steps
    /// that are made again find it.
    pub fn bring_back(&mut self, then: &Memory) {
        let mut own = Vec::new();
        for (number, then_region) in then.regions.iter().enumerate() {
            // That a cell belongs to a stack is for good.
            let for_good = match number == Area::Stacks as usize {
                true => MAPPED,
                false => 0,
            };
            for page in 0..self.regions[number].pages.len() {
                let now = self.regions[number].pages[page];
                let entry = match then_region.pages.get(page) {
                    Some(entry) if *entry >= SHARED => *entry,
                    _ => match self.frame(now) {
                        None => continue,
                        Some(cells) => {
                            own.push(Box::new(cells.map(|cell| Cell {
                                value: 0,
                                shadow: cell.shadow & for_good,
                            })));
                            own.len() as u32 - 1 + FIRST
                        }
                    },
                };
                self.regions[number].pages[page] = entry;
            }
        }
        self.frames = own;
        self.shared.clone_from(&then.shared);
    }

    /// Calls a function with the address and the cells of every touched page, in a fixed order.
    pub fn for_each_page(&self, mut f: impl FnMut(u64, &[Cell])) {
        for region in &self.regions {
            for (number, page) in region.pages.iter().enumerate() {
                if let Some(cells) = self.frame(*page) {
                    f(region.base + number as u64 * PAGE, cells);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAP: u64 = 0x20_0000;

    fn memory() -> Memory {
        let mut memory = Memory::new([0x10_0000, HEAP, 0x30_0000], 1 << 20);
        memory.extend(Area::Heap, 3 * PAGE);
        memory.map_pages(Area::Heap, HEAP, 3 * PAGE);
        memory
    }

    fn write(memory: &mut Memory, address: u64, value: u64) {
        let place = memory.touch(address).expect("room");
        let place = place.expect("the page is there");
        memory.cell_mut(place).value = value;
    }

    #[track_caller]
    fn check(memory: &Memory, expected: [u64; 3]) {
        let value = |page| memory.read(HEAP + page * PAGE).map(|cell| cell.value);
        assert_eq!([0, 1, 2].map(value), expected.map(Some));
    }

    #[test]
    fn what_is_kept_stays_as_it_is_and_comes_back() {
        let mut memory = memory();
        write(&mut memory, HEAP, 1);
        write(&mut memory, HEAP + PAGE, 2);
        let first = memory.share();
        write(&mut memory, HEAP, 10);
        write(&mut memory, HEAP + 2 * PAGE, 30);
        let second = memory.share();
        write(&mut memory, HEAP + PAGE, 200);
        check(&first, [1, 2, 0]);
        check(&second, [10, 2, 30]);
        check(&memory, [10, 200, 30]);
        for (then, expected) in [(&first, [1, 2, 0]), (&second, [10, 2, 30])] {
            memory.bring_back(then);
            check(&memory, expected);
            write(&mut memory, HEAP + PAGE, 7);
            check(then, expected);
        }
        check(&memory, [10, 7, 30]);
    }

    #[test]
    fn only_pages_that_were_written_to_are_counted_beside() {
        let mut memory = memory();
        write(&mut memory, HEAP, 1);
        write(&mut memory, HEAP + PAGE, 2);
        let first = memory.share();
        write(&mut memory, HEAP, 10);
        let second = memory.share();
        assert_eq!(first.bytes(), 2 * size_of::<Frame>());
        assert_eq!(second.bytes_beside(&first), size_of::<Frame>());
    }

    #[test]
    fn cells_are_copied_out_of_pages_that_are_shared() {
        let mut memory = memory();
        write(&mut memory, HEAP + 8, 5);
        let kept = memory.share();
        write(&mut memory, HEAP + PAGE, 0);
        memory.copy_run(HEAP + 8, HEAP + PAGE, 1);
        check(&memory, [0, 5, 0]);
        check(&kept, [0, 0, 0]);
    }
}
