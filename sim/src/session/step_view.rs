//! What the last step did, from its log entries and what is there now.

use super::Session;
use crate::fault::TaskNumber;
use crate::isa::registers;
use crate::machine::log::{At, Entry};
use crate::machine::shadow::{Cell, Shadow, WRITTEN};
use crate::machine::{Field, REGISTERS};
use crate::program::StmtRef;
use crate::view::{Location, StepKind, StepView, Value, Write};

impl Session {
    /// The step that led here; `None` at the start.
    pub fn last_step(&self) -> Option<StepView> {
        let index = self.position.checked_sub(1)?;
        let mut view = StepView {
            index: index as u64,
            kind: self.kind_of_last_step()?,
            task: self.task_of_last_step(),
            writes: self.last_writes(),
            sentence: String::new(),
            statement: self.statement_of_last_step(),
        };
        view.sentence = self.host.explain(&view, self);
        Some(view)
    }

    fn kind_of_last_step(&self) -> Option<StepKind> {
        if let Some(fault) = self.fault() {
            return Some(StepKind::Fault(Box::new(fault.clone())));
        }
        if let Some(mut kind) = self.last_record() {
            let number = self.machine.field(Field::HostSteps) - 1;
            if let StepKind::Service { name, wanted } = &mut kind
                && let Some((service, said)) = self.host.said(number)
            {
                (*name, *wanted) = (service.into(), said);
            }
            return Some(kind);
        }
        let step = self.machine.log.steps.get(self.position.checked_sub(1)?)?;
        if step.is_outside() {
            return Some(self.kind_from_outside(self.position() - 1, step.pc()));
        }
        let address = self.code.address_of(step.pc());
        Some(StepKind::Instruction { address })
    }

    /// The task in whose name the last step was made: sp may have moved in it.
    fn task_of_last_step(&self) -> Option<TaskNumber> {
        let sp = self.machine.sp_reg().index() as u8;
        let entries = self.last_entries();
        let old = entries.iter().find(|entry| entry.at() == At::Register(sp));
        match old {
            Some(entry) => Shadow(entry.shadow).task(),
            None => self.machine.task(),
        }
    }

    fn statement_of_last_step(&self) -> Option<StmtRef> {
        let step = self.machine.log.steps.get(self.position.checked_sub(1)?)?;
        self.code
            .statement_of(step.pc())
            .or_else(|| self.statement_here())
    }

    fn last_entries(&self) -> Vec<Entry> {
        let step = self.position.checked_sub(1);
        let entries = step.map(|step| self.machine.log.entries_of(step));
        entries.into_iter().flatten().copied().collect()
    }

    /// The cells that the last step wrote, with what was there before.
    pub(super) fn changed_cells(&self) -> Vec<(u64, Cell)> {
        let mut cells = Vec::new();
        // The first entry of a cell holds what was there before the step.
        for entry in self.last_entries() {
            match entry.at() {
                At::Cell(address) => {
                    cells.push((
                        address,
                        Cell {
                            value: entry.value,
                            shadow: entry.shadow,
                        },
                    ));
                }
                At::Cells(index) => {
                    let copy = self.machine.log.copied(index);
                    let old = self.machine.log.cells_of(copy);
                    let addresses = (0..).map(|number| copy.address + 8 * number);
                    cells.extend(addresses.zip(old.iter().copied()));
                }
                _ => {}
            }
        }
        cells
    }

    /// What a register held before the last step, if that has written it.
    pub(super) fn old_register(&self, index: u8) -> Option<(u64, Shadow)> {
        let entries = self.last_entries();
        let entry = entries
            .iter()
            .find(|entry| entry.at() == At::Register(index))?;
        Some((entry.value, Shadow(entry.shadow)))
    }

    fn last_writes(&self) -> Vec<Write> {
        let entries = self.last_entries();
        let mut writes = Vec::with_capacity(entries.len());
        for (number, entry) in entries.iter().enumerate() {
            // A location that is written twice holds in between what its second entry says.
            let later = entries[number + 1..]
                .iter()
                .find(|later| later.at() == entry.at());
            let now = later.map(|later| Cell {
                value: later.value,
                shadow: later.shadow,
            });
            if let Some(write) = self.write_of(entry, now) {
                writes.push(write);
            }
        }
        writes
    }

    fn write_of(&self, entry: &Entry, later: Option<Cell>) -> Option<Write> {
        let old = Cell {
            value: entry.value,
            shadow: entry.shadow,
        };
        let (location, old, new) = match entry.at() {
            At::Register(index) => {
                let info = registers(self.isa())
                    .iter()
                    .find(|info| info.reg.index() == index as usize)?;
                let index = index as usize % REGISTERS;
                let new = later.unwrap_or(Cell {
                    value: self.machine.values[index],
                    shadow: self.machine.shadows[index].0,
                });
                let value = |cell: Cell| match info.is_written(Shadow(cell.shadow)) {
                    false => Value::Uninitialised,
                    true => Value::Word(cell.value),
                };
                (Location::Register(info.name), value(old), value(new))
            }
            At::Cell(address) => {
                let new = later.or_else(|| self.machine.memory.read(address))?;
                return Some(self.write_of_cell(address, old, new));
            }
            At::Cells(index) => {
                let copy = self.machine.log.copied(index);
                let old = self.machine.log.cells_of(copy);
                let bytes = |cells: &mut dyn Iterator<Item = u64>| {
                    Value::Bytes(cells.flat_map(u64::to_le_bytes).collect())
                };
                let end = copy.end();
                let new = (copy.address..end)
                    .step_by(8)
                    .map(|address| self.machine.memory.read(address).unwrap_or_default().value);
                (
                    Location::Copy(copy.address..end),
                    bytes(&mut old.iter().map(|cell| cell.value)),
                    bytes(&mut new.into_iter()),
                )
            }
            At::Field(field) if field == Field::Output as u32 => {
                let count = later.map_or(self.machine.field(Field::Output), |l| l.value);
                let lines = |count| Value::Text(format!("{count} lines"));
                (
                    Location::Engine("output".into()),
                    lines(entry.value),
                    lines(count),
                )
            }
            At::Owner(stack) => {
                let now = later.map_or(self.machine.owners[stack as usize], |l| l.value);
                let task = |owner: u64| Value::Task((owner as u32).checked_sub(1));
                let name = self.host.stack_name(stack);
                (
                    Location::Engine(format!("owner of {name}")),
                    task(entry.value),
                    task(now),
                )
            }
            At::Block(index) => {
                let block = &self.machine.blocks[index as usize];
                let text =
                    |live: bool| Value::Text(if live { "there" } else { "not there" }.into());
                let name = format!("{} bytes of heap at {:#x}", block.bytes, block.address);
                (Location::Engine(name), text(!block.live), text(block.live))
            }
            // How the session and its checkers keep count is no part of the machine.
            At::Field(_) | At::Head(_) => return None,
        };
        Some(Write { location, old, new })
    }

    /// A cell's write, narrowed to the words that differ; all of it if none does.
    fn write_of_cell(&self, address: u64, old: Cell, new: Cell) -> Write {
        let word = u64::from(self.machine.word.bytes());
        let differs = |at: u64| self.word_in(old, at) != self.word_in(new, at);
        let (mut start, mut end) = (address, address + 8);
        if word == 4 {
            match (differs(address), differs(address + 4)) {
                (true, false) => end = address + 4,
                (false, true) => start = address + 4,
                _ => {}
            }
        }
        let value = |cell: Cell| match end - start {
            4 => {
                let (value, shadow) = self.word_in(cell, start);
                self.value_of(value, shadow)
            }
            _ if cell.shadow & WRITTEN == 0 => Value::Uninitialised,
            _ => Value::Word(cell.value),
        };
        Write {
            location: Location::Memory(start..end),
            old: value(old),
            new: value(new),
        }
    }
}
