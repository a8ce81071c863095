//! Who wrote this: from the log, backwards, and through copies to where the value was made.

use super::Session;
use crate::isa::registers;
use crate::machine::log::At;
use crate::view::{Origin, StepKind};

impl Session {
    /// The step that last wrote the byte at an address, before the current position. A save or a
    /// restore is followed to what it copied. `None` if nothing has written the byte, as far as
    /// the log reaches.
    pub fn writer_of_memory(&self, address: u64) -> Option<Origin> {
        let mut address = address;
        let mut copies = Vec::new();
        let mut end = self.position;
        loop {
            let step = self.last_step_that_wrote(address, end)?;
            let Some(source) = self.copied_from(step, address) else {
                return Some(Origin {
                    step: step as u64,
                    copies,
                });
            };
            if self.last_step_that_wrote(source, step).is_none() {
                // It was there before the first step: the copy is all that can be told.
                return Some(Origin {
                    step: step as u64,
                    copies,
                });
            }
            copies.push(step as u64);
            (address, end) = (source, step);
        }
    }

    /// The step that last wrote a register, before the current position. `None` if nothing has
    /// written it, or if there is no such register.
    pub fn writer_of_register(&self, name: &str) -> Option<Origin> {
        let info = registers(self.isa())
            .iter()
            .find(|info| info.name == name)?;
        let index = info.reg.index() as u8;
        let log = &self.machine.log;
        let step = (0..self.position).rev().find(|&step| {
            let mut entries = log.entries_of(step);
            entries.any(|entry| entry.at() == At::Register(index))
        })?;
        Some(Origin {
            step: step as u64,
            copies: Vec::new(),
        })
    }

    fn last_step_that_wrote(&self, byte: u64, end: usize) -> Option<usize> {
        let log = &self.machine.log;
        (log.kept_from..end).rev().find(|&step| {
            let mut entries = log.entries_of(step);
            entries.any(|entry| match entry.at() {
                At::Cell(cell) => cell == byte & !7 && entry.bytes() >> (byte & 7) & 1 != 0,
                At::Cells(index) => log.copied(index).contains(byte),
                _ => false,
            })
        })
    }

    /// Where the byte that a save or a restore has written came from.
    fn copied_from(&self, step: usize, address: u64) -> Option<u64> {
        let (source, target, bytes) = match self.records.of(step as u64)? {
            StepKind::Save {
                range, to, bytes, ..
            } => (range.start, to, bytes),
            StepKind::Restore {
                range, from, bytes, ..
            } => (from, range.start, bytes),
            _ => return None,
        };
        let offset = address.wrapping_sub(target);
        (offset < u64::from(bytes)).then(|| source + offset)
    }
}
