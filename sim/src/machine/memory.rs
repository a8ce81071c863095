//! Memory: regions of pages that are touched when they are needed.
//!
//! A page that nobody has written to costs four bytes. There are three regions: stacks, heap,
//! globals; the instructions lie elsewhere ([`crate::code`]). Which bytes of a page belong to a
//! segment is in the shadow of its cells.

use super::shadow::{Cell, MAPPED};

pub(crate) const PAGE: u64 = 4096;
const CELLS: usize = PAGE as usize / 8;

/// A page's entry: not there, there but not touched, or where its cells are.
const ABSENT: u32 = 0;
const UNTOUCHED: u32 = 1;
const FIRST: u32 = 2;

type Frame = [Cell; CELLS];

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
    /// How many pages may be touched.
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
            limit: limit.min((u32::MAX - FIRST) as usize),
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

    /// The cell of an address, if its page has been touched.
    #[inline(always)]
    pub fn find(&self, address: u64) -> Option<Place> {
        let frame = self.page(address).checked_sub(FIRST)?;
        Some(Place {
            frame: frame as usize,
            cell: (address / 8) as usize % CELLS,
        })
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
            _ => self.find(address).map(|place| self.cell(place)),
        }
    }

    /// The cells from an address on to the end of its page, if that has been touched.
    pub fn cells_from(&self, address: u64) -> Option<&[Cell]> {
        let place = self.find(address)?;
        Some(&self.frames[place.frame][place.cell..])
    }

    /// The cells from an address on to the end of its page, touched or not.
    pub fn run(&self, address: u64) -> Run<'_> {
        match self.page(address) {
            ABSENT => Run::Absent,
            UNTOUCHED => Run::Untouched(CELLS - (address / 8) as usize % CELLS),
            _ => Run::Cells(self.cells_from(address).unwrap_or(&[])),
        }
    }

    /// Copies cells that lie in one page each. The target's page is touched.
    pub fn copy_run(&mut self, from: u64, to: u64, count: usize) {
        let Some(target) = self.find(to) else {
            return;
        };
        let into = target.cell..target.cell + count;
        let Some(source) = self.find(from) else {
            self.frames[target.frame][into].fill(Cell {
                value: 0,
                shadow: MAPPED,
            });
            return;
        };
        let out_of = source.cell..source.cell + count;
        match self.frames.get_disjoint_mut([source.frame, target.frame]) {
            Ok([source, target]) => target[into].copy_from_slice(&source[out_of]),
            // Both are the same page.
            Err(_) => self.frames[target.frame].copy_within(out_of, into.start),
        }
    }

    /// As [`cells_from`](Self::cells_from), to be written.
    pub fn cells_from_mut(&mut self, address: u64) -> Option<&mut [Cell]> {
        let place = self.find(address)?;
        Some(&mut self.frames[place.frame][place.cell..])
    }

    /// The cell of an address whose page is there; the page is touched.
    pub fn touch(&mut self, address: u64) -> Result<Option<Place>, Exhausted> {
        if self.page(address) == UNTOUCHED {
            self.commit(address, MAPPED)?;
        }
        Ok(self.find(address))
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
        if self.frames.len() >= self.limit {
            return Err(Exhausted);
        }
        let entry = self.frames.len() as u32 + FIRST;
        for region in &mut self.regions {
            let page = address.wrapping_sub(region.base) / PAGE;
            if page < region.pages.len() as u64 {
                region.pages[page as usize] = entry;
                self.frames
                    .push(Box::new([Cell { value: 0, shadow }; CELLS]));
                break;
            }
        }
        Ok(())
    }

    /// Says of every cell of a range whether it belongs to a segment. The pages are touched.
    pub fn set_mapped(&mut self, address: u64, bytes: u64, mapped: bool) {
        for address in (address..address + bytes).step_by(8) {
            if let Some(place) = self.find(address) {
                let cell = self.cell_mut(place);
                cell.shadow = cell.shadow & !MAPPED | if mapped { MAPPED } else { 0 };
            }
        }
    }

    /// Bytes that its pages take.
    pub fn bytes(&self) -> usize {
        self.frames.len() * size_of::<Frame>()
    }

    /// Makes every page what it was at another moment of the same run. One that was not touched yet
    /// then is as if nothing had been written to it, and stays: steps that are made again find it.
    pub fn bring_back(&mut self, then: &Memory) {
        for (number, (now, then_region)) in self.regions.iter().zip(&then.regions).enumerate() {
            // That a cell belongs to a stack is for good.
            let for_good = if number == Area::Stacks as usize {
                MAPPED
            } else {
                0
            };
            for (page, entry) in now.pages.iter().enumerate() {
                let Some(frame) = entry.checked_sub(FIRST) else {
                    continue;
                };
                let cells = &mut self.frames[frame as usize][..];
                let entry = then_region.pages.get(page);
                match entry.and_then(|entry| entry.checked_sub(FIRST)) {
                    Some(frame) => cells.copy_from_slice(&then.frames[frame as usize][..]),
                    None => cells.iter_mut().for_each(|cell| {
                        *cell = Cell {
                            value: 0,
                            shadow: cell.shadow & for_good,
                        };
                    }),
                }
            }
        }
    }

    /// Calls a function with the address and the cells of every touched page, in a fixed order.
    pub fn for_each_page(&self, mut f: impl FnMut(u64, &[Cell])) {
        for region in &self.regions {
            for (number, page) in region.pages.iter().enumerate() {
                if let Some(frame) = page.checked_sub(FIRST) {
                    let address = region.base + number as u64 * PAGE;
                    f(address, &self.frames[frame as usize][..]);
                }
            }
        }
    }
}
