//! Who wrote this: from the log, backwards, and through copies to where the value was made.

use super::Session;
use crate::isa::registers;
use crate::machine::log::At;
use crate::view::{Origin, StepKind};

impl Session {
    /// The step that last wrote the word at an address, before the current position. A copy is
    /// followed to what it copied. `None` if nothing has written it, as far as the log reaches.
    pub fn writer_of_memory(&self, address: u64) -> Option<Origin> {
        let mut address = address;
        let mut copies = Vec::new();
        let mut end = self.position;
        loop {
            let step = self.last_step_that_wrote(address & !7, end)?;
            let Some(source) = self.copied_from(step, address) else {
                return Some(Origin {
                    step: step as u64,
                    copies,
                });
            };
            copies.push(step as u64);
            let Some(_) = self.last_step_that_wrote(source & !7, step) else {
                // It was there before the first step: the copy is all that can be told.
                copies.pop();
                return Some(Origin {
                    step: step as u64,
                    copies,
                });
            };
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
            let mut entries = log.entries_of(step).iter();
            entries.any(|entry| entry.at() == At::Register(index))
        })?;
        Some(Origin {
            step: step as u64,
            copies: Vec::new(),
        })
    }

    fn last_step_that_wrote(&self, cell: u64, end: usize) -> Option<usize> {
        let log = &self.machine.log;
        (0..end).rev().find(|&step| {
            let mut entries = log.entries_of(step).iter();
            entries.any(|entry| match entry.at() {
                At::Cell(address) => address == cell,
                At::Cells(index) => {
                    let copy = log.copied(index);
                    (copy.address..copy.end()).contains(&cell)
                }
                _ => false,
            })
        })
    }

    /// Where the byte that a save or a restore has written came from.
    fn copied_from(&self, step: usize, address: u64) -> Option<u64> {
        let (source, target, bytes) = match self.record_of_step(step as u64)? {
            StepKind::Save {
                range, to, bytes, ..
            } => (range.start, *to, *bytes),
            StepKind::Restore {
                range, from, bytes, ..
            } => (*from, range.start, *bytes),
            _ => return None,
        };
        let offset = address.wrapping_sub(target);
        (offset < u64::from(bytes)).then(|| source + offset)
    }
}
