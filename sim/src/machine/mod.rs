//! The simulated machine: registers, memory, execution.
//!
//! Everything that instructions and the host write goes through [`Machine`], which notes it in the
//! [`log`]. What is known about every byte beside its value is in its [`shadow`].

mod aarch64;
mod access;
mod calls;
mod context;
pub(crate) mod log;
pub(crate) mod memory;
#[cfg(test)]
mod mnemonics;
pub(crate) mod pieces;
mod pool;
#[cfg(test)]
mod random;
mod records;
mod segments;
pub(crate) mod shadow;
pub(crate) mod signal;
pub(crate) mod state;
#[cfg(test)]
mod testing;
mod x86;

use std::rc::Rc;

use crate::code::Code;
use crate::fault::{FaultKind, TaskNumber};
use crate::isa::aarch64::registers as aarch64_registers;
use crate::isa::x86::registers as x86_registers;
use crate::isa::{Reg, Width};
use crate::program::Isa;
use calls::Calls;
use log::{At, Entry, Log};
use memory::Memory;
use shadow::Shadow;

pub(crate) use context::Hash;
pub use context::{Context, Register};
pub(crate) use records::{Did, Records};
pub use segments::SegmentKind;
pub(crate) use segments::{Block, Stack};

/// Places in a register file; a power of two, so that an index is cut to size for free.
pub(crate) const REGISTERS: usize = 128;

/// A fault on its way out. Boxed, as it is rare and the results of all instructions carry it.
#[derive(Debug)]
pub(crate) struct Trap(pub Box<FaultKind>);

impl From<FaultKind> for Trap {
    #[cold]
    fn from(kind: FaultKind) -> Self {
        Trap(Box::new(kind))
    }
}

impl From<Trap> for FaultKind {
    fn from(trap: Trap) -> Self {
        *trap.0
    }
}

/// Words that the machine keeps beside memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Field {
    /// Lines printed.
    Output,
    /// Where the next piece of the heap begins.
    HeapNext,
    /// Pieces of the heap ever made.
    Blocks,
    /// Stacks made.
    Stacks,
    /// The program has ended.
    Ended,
    /// Steps that the host has made.
    HostSteps,
    /// The host has micro-steps to make.
    Pending,
    /// A signal's handler runs: 1 more than what [`Pending`](Self::Pending) was before.
    Handling,
    /// A signal's handler has returned to the next instruction, which has not run since.
    Signalled,
    /// Steps that neither an instruction nor the host has made.
    OutsideSteps,
}

const FIELDS: usize = 10;

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub code: Rc<Code>,
    pub isa: Isa,
    /// Bytes in a machine word, as a width.
    pub word: Width,
    pub values: [u64; REGISTERS],
    pub shadows: [Shadow; REGISTERS],
    pub memory: Memory,
    pub log: Log,
    /// The next instruction.
    pub pc: u32,
    pub fields: [u64; FIELDS],
    /// Whose bytes are on each stack; as a tag's index, 0 for nobody.
    pub owners: Vec<u64>,
    pub calls: Calls,
    pub stacks: Vec<Stack>,
    pub blocks: Vec<Block>,
    pub output: Vec<String>,
    /// sp has moved to another task in this step.
    pub switched: bool,
    sp: Reg,
}

impl Machine {
    pub fn new(code: Rc<Code>, memory_limit: u64, log_limit: u64) -> Self {
        let isa = code.isa;
        let bases = segments::bases(isa, u64::from(code.data_base));
        let mut machine = Machine {
            isa,
            word: match isa.word_bytes() {
                4 => Width::Word,
                _ => Width::Double,
            },
            values: [0; REGISTERS],
            shadows: [Shadow::NONE; REGISTERS],
            memory: Memory::new(bases, memory_limit),
            log: Log::new(log_limit),
            pc: 0,
            fields: [0; FIELDS],
            owners: Vec::new(),
            calls: Calls::new(isa),
            stacks: Vec::new(),
            blocks: Vec::new(),
            output: Vec::new(),
            switched: false,
            sp: match isa {
                Isa::X86_64 | Isa::I386 => x86_registers::SP,
                Isa::Aarch64 => aarch64_registers::SP,
            },
            code,
        };
        machine.fields[Field::HeapNext as usize] = bases[memory::Area::Heap as usize];
        machine.reset_control();
        machine
    }

    /// Control words as the ABIs want them at the start of a process.
    fn reset_control(&mut self) {
        let control: &[_] = match self.isa {
            Isa::Aarch64 => &[(aarch64_registers::FPCR, 0)],
            Isa::X86_64 | Isa::I386 => &[
                (x86_registers::MXCSR, 0x1f80),
                (x86_registers::FPCW, 0x037f),
            ],
        };
        for (reg, value) in control {
            self.values[reg.index()] = *value;
            self.shadows[reg.index()] = Shadow::PLAIN;
        }
    }

    /// The stack pointer's place in the register file.
    #[inline(always)]
    pub fn sp_reg(&self) -> Reg {
        self.sp
    }

    /// The frame pointer's.
    pub fn fp_reg(&self) -> Reg {
        match self.isa {
            Isa::X86_64 | Isa::I386 => x86_registers::BP,
            Isa::Aarch64 => aarch64_registers::FP,
        }
    }

    /// The registers that the first arguments of a call travel in.
    pub fn argument_registers(&self) -> &'static [Reg] {
        match self.isa {
            Isa::X86_64 => &[Reg(7), Reg(6), Reg(2), Reg(1), Reg(8), Reg(9)],
            Isa::I386 => &[],
            Isa::Aarch64 => &[
                Reg(0),
                Reg(1),
                Reg(2),
                Reg(3),
                Reg(4),
                Reg(5),
                Reg(6),
                Reg(7),
            ],
        }
    }

    #[inline(always)]
    pub fn sp(&self) -> u64 {
        self.values[self.sp.index() % REGISTERS]
    }

    #[inline(always)]
    pub fn sp_shadow(&self) -> Shadow {
        self.shadows[self.sp.index() % REGISTERS]
    }

    /// The task whose sp is in use.
    pub fn task(&self) -> Option<TaskNumber> {
        self.sp_shadow().task()
    }

    #[inline(always)]
    pub fn field(&self, field: Field) -> u64 {
        self.fields[field as usize]
    }

    pub fn set_field(&mut self, field: Field, value: u64) {
        let old = std::mem::replace(&mut self.fields[field as usize], value);
        self.log.field(field as u32, old);
    }

    pub fn set_owner(&mut self, stack: usize, owner: u64) {
        if let Some(slot) = self.owners.get_mut(stack) {
            let old = std::mem::replace(slot, owner);
            self.log.owner(stack as u32, old);
        }
    }

    /// Notes a register's old contents and replaces them.
    #[inline(always)]
    pub fn write_register(&mut self, reg: Reg, value: u64, shadow: Shadow) {
        let index = reg.index() % REGISTERS;
        self.log
            .register(reg.0, self.values[index], self.shadows[index].0);
        self.values[index] = value;
        self.shadows[index] = shadow;
    }

    /// Goes over entries, forward or back: exchanges what each holds with what is there.
    pub fn exchange(&mut self, entries: std::ops::Range<usize>, backward: bool) {
        // Copies and their cells stay in the log, which is not changed meanwhile.
        let mut all = std::mem::replace(&mut self.log.entries, log::Entries::EMPTY);
        all.for_each_piece_mut(entries, backward, |entries| match backward {
            true => entries.iter_mut().rev().for_each(|e| self.exchange_one(e)),
            false => entries.iter_mut().for_each(|e| self.exchange_one(e)),
        });
        self.log.entries = all;
    }

    #[inline(always)]
    fn exchange_one(&mut self, entry: &mut Entry) {
        match entry.at() {
            At::Register(index) => {
                let index = index as usize % REGISTERS;
                std::mem::swap(&mut entry.value, &mut self.values[index]);
                std::mem::swap(&mut entry.shadow, &mut self.shadows[index].0);
            }
            At::Cell(address) => {
                let place = self.memory.find(address);
                if let Some(place) = place.or_else(|| self.memory.own(address)) {
                    let cell = self.memory.cell_mut(place);
                    std::mem::swap(&mut entry.value, &mut cell.value);
                    std::mem::swap(&mut entry.shadow, &mut cell.shadow);
                }
            }
            at => self.exchange_other(at, entry),
        }
    }

    /// What is neither a register nor a cell: few of the entries.
    #[inline(never)]
    fn exchange_other(&mut self, at: At, entry: &mut Entry) {
        match at {
            At::Register(_) | At::Cell(_) => {}
            At::Cells(index) => self.exchange_cells(index),
            At::Field(index) => {
                let index = index as usize % FIELDS;
                std::mem::swap(&mut entry.value, &mut self.fields[index]);
            }
            At::Owner(stack) => {
                std::mem::swap(&mut entry.value, &mut self.owners[stack as usize]);
            }
            At::Head(task) => {
                std::mem::swap(&mut entry.value, &mut self.calls.heads[task as usize]);
            }
            At::Block(index) => self.exchange_block(index as usize),
        }
    }

    fn exchange_cells(&mut self, index: u32) {
        let copied = self.log.copied(index);
        let mut kept = self.log.cells_of_mut(copied);
        let mut at = copied.address;
        while let Some(cells) = self.memory.cells_from_mut(at)
            && !kept.is_empty()
        {
            let count = cells.len().min(kept.len());
            let (now, rest) = kept.split_at_mut(count);
            now.swap_with_slice(&mut cells[..count]);
            kept = rest;
            at += 8 * count as u64;
        }
    }
}
