//! Symbolic memory: bytes by region and offset.

use std::collections::BTreeMap;

use super::value::{Byte, Region, Symbol, Value};
use crate::isa::Width;

/// A byte that is known to have been put there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub byte: Byte,
    /// The step of the run that wrote it; `None` if it was there before.
    pub step: Option<usize>,
}

/// What memory holds. A byte that nothing is known of is a symbol of its own.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memory {
    cells: BTreeMap<(Region, i64), Cell>,
}

impl Memory {
    pub fn read(&self, region: Region, offset: i64, width: Width) -> Value {
        Value::from_bytes(width, |index| {
            self.byte(region, offset.wrapping_add(index as i64))
        })
    }

    pub fn byte(&self, region: Region, offset: i64) -> Byte {
        match self.cells.get(&(region, offset)) {
            Some(cell) => cell.byte,
            None => Byte::Part(Symbol::Memory(region, offset).plus(0), 0),
        }
    }

    pub fn write(&mut self, region: Region, offset: i64, value: &Value, step: Option<usize>) {
        for (byte, index) in value.bytes().iter().zip(0..) {
            let at = offset.wrapping_add(index);
            self.cells.insert((region, at), Cell { byte: *byte, step });
        }
    }

    /// Whether something is known of a byte.
    pub fn is_known(&self, region: Region, offset: i64) -> bool {
        self.cells.contains_key(&(region, offset))
    }

    /// The step that wrote a byte last.
    pub fn writer(&self, region: Region, offset: i64) -> Option<usize> {
        self.cells.get(&(region, offset))?.step
    }

    /// The known bytes of a region, by offset.
    pub fn bytes(&self, region: Region) -> impl Iterator<Item = (i64, Cell)> {
        let cells = self.cells.range((region, i64::MIN)..=(region, i64::MAX));
        cells.map(|((_, offset), cell)| (*offset, *cell))
    }

    /// Copies bytes to the start of another region; the lowest of them are gone where they were.
    pub fn move_out(&mut self, from: Region, low: i64, bytes: i64, gone: i64, to: Region) {
        for index in 0..bytes {
            let place = (from, low + index);
            let cell = match index < gone {
                true => self.cells.remove(&place),
                false => self.cells.get(&place).copied(),
            };
            if let Some(cell) = cell {
                self.cells.insert((to, index), cell);
            }
        }
    }

    /// Takes a region over from another run, from an offset up.
    pub fn take_over(&mut self, from: &Memory, region: Region, low: i64) {
        for (offset, cell) in from.bytes(region) {
            if offset >= low {
                let cell = Cell { step: None, ..cell };
                self.cells.insert((region, offset), cell);
            }
        }
    }
}
