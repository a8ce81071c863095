//! What a host may do to the machine. All of it is logged and can be undone.

use std::ops::Range;

use super::memory::{PAGE, Run};
use super::records::{Did, Records};
use super::segments::SegmentKind;
use super::shadow::{Cell, MAPPED, Shadow, WRITTEN};
use super::{Field, Machine};
use crate::fault::{Access, FaultKind, StackNumber, TaskNumber};
use crate::isa::{Reg, registers};
use crate::program::Isa;
use crate::view::{StackKind, StepKind};

/// Names a register of the machine; [`Register::named`] finds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Register(pub(crate) Reg);

impl Register {
    /// The register of this name: `rax`, `esp`, `x19`, `d8`, `mxcsr`, … Only the widest name of
    /// each is known.
    pub fn named(isa: Isa, name: &str) -> Option<Register> {
        let info = registers(isa).iter().find(|info| info.name == name)?;
        Some(Register(info.reg))
    }
}

/// The machine as a host sees it during one step.
///
/// Reads are checked: memory outside a segment, bytes or registers that nothing has written. The
/// errors are what the step should end with, so `?` is the way to use them. Accesses of the host
/// are not checked for stale pointers: it is the one that moves images.
#[derive(Debug)]
pub struct Context<'a> {
    machine: &'a mut Machine,
    records: &'a mut Records,
}

impl<'a> Context<'a> {
    pub(crate) fn new(machine: &'a mut Machine, records: &'a mut Records) -> Self {
        Context { machine, records }
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.machine.isa
    }

    /// The number of this step.
    pub fn step(&self) -> u64 {
        (self.machine.log.steps.len() as u64).saturating_sub(1)
    }

    /// The task whose sp is in use.
    pub fn task(&self) -> Option<TaskNumber> {
        self.machine.task()
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> u64 {
        self.machine.code.address_of(self.machine.pc)
    }

    /// sp, whatever it points to.
    pub fn sp(&self) -> u64 {
        self.machine.sp()
    }

    /// The frame pointer (rbp, ebp, x29), whatever it points to.
    pub fn fp(&self) -> u64 {
        self.machine.values[self.machine.fp_reg().index()]
    }

    /// The address of a label.
    pub fn label(&self, name: &str) -> Option<u64> {
        self.machine.code.label(name)
    }

    /// What a register holds; on i386 its 32 bits.
    ///
    /// # Errors
    /// [`FaultKind::UninitialisedRegister`].
    pub fn register(&self, register: Register) -> Result<u64, FaultKind> {
        let (value, _) = self.machine.read_register(register.0, self.machine.word)?;
        Ok(value)
    }

    /// Writes a register.
    pub fn set_register(&mut self, register: Register, value: u64) {
        self.write(register.0, value, Shadow::PLAIN);
    }

    /// Writes a register with a pointer made from a task's sp.
    pub fn set_pointer(&mut self, register: Register, value: u64, task: TaskNumber) {
        self.write(register.0, value, Shadow::pointer(task));
    }

    fn write(&mut self, reg: Reg, value: u64, shadow: Shadow) {
        let value = value & self.machine.word.mask();
        self.machine.log.settle();
        self.machine.write_register(reg, value, shadow);
    }

    /// Argument `index` (from 0) of a call, at the entry of the function called: the stub's first
    /// instruction, before it has pushed anything. rdi, rsi, rdx, rcx, r8, r9; x0 to x7; on i386
    /// the words above the return address, sign-extended.
    ///
    /// # Errors
    /// If nothing has written it.
    pub fn argument(&mut self, index: u32) -> Result<u64, FaultKind> {
        let word = u64::from(self.machine.word.bytes());
        let in_registers = self.machine.argument_registers();
        if let Some(reg) = in_registers.get(index as usize) {
            return Ok(self.machine.read_register(*reg, self.machine.word)?.0);
        }
        let above = u64::from(index) - in_registers.len() as u64;
        let return_address = match self.machine.isa {
            Isa::Aarch64 => 0,
            Isa::X86_64 | Isa::I386 => 1,
        };
        self.load(self.sp().wrapping_add((above + return_address) * word))
    }

    /// Writes the register in which a function returns its result.
    pub fn set_result(&mut self, value: u64) {
        // ax, and x0, are the first of their register files.
        self.write(Reg(0), value, Shadow::PLAIN);
    }

    /// The word at an address, sign-extended on i386.
    ///
    /// # Errors
    /// What an instruction would get.
    pub fn load(&mut self, address: u64) -> Result<u64, FaultKind> {
        let word = self.machine.word;
        let (value, shadow) = self.machine.load(address, word, Shadow::NONE)?;
        match shadow.0 & word.byte_mask() == word.byte_mask() {
            true => Ok(word.sign_extend(value) as u64),
            false => Err(FaultKind::UninitialisedMemory { address }),
        }
    }

    /// Writes the word at an address.
    ///
    /// # Errors
    /// What an instruction would get.
    pub fn store(&mut self, address: u64, value: u64) -> Result<(), FaultKind> {
        let word = self.machine.word;
        self.machine.log.settle();
        Ok(self
            .machine
            .store(address, word, value, Shadow::PLAIN, Shadow::NONE)?)
    }

    /// Writes a pointer made from a task's sp.
    ///
    /// # Errors
    /// What an instruction would get.
    pub fn store_pointer(
        &mut self,
        address: u64,
        value: u64,
        task: TaskNumber,
    ) -> Result<(), FaultKind> {
        let word = self.machine.word;
        let shadow = Shadow::pointer(task);
        self.machine.log.settle();
        Ok(self
            .machine
            .store(address, word, value, shadow, Shadow::NONE)?)
    }

    /// Copies bytes with all that is known about them: whether they were written, and which of
    /// them are pointers into frames. The ranges do not overlap. Pointers are kept where addresses
    /// and length are multiples of four (i386) or eight bytes.
    ///
    /// # Errors
    /// If either range is not in memory.
    pub fn copy(&mut self, from: u64, to: u64, bytes: u64) -> Result<(), FaultKind> {
        let machine = &mut *self.machine;
        machine.check_range(from, bytes, Access::Read)?;
        machine.check_range(to, bytes, Access::Write)?;
        if bytes == 0 {
            return Ok(());
        }
        machine.keep_cells(to, bytes)?;
        if (from | to | bytes) & 7 == 0 {
            machine.copy_cells(from, to, bytes);
        } else if (from | to | bytes) & 3 == 0 {
            machine.copy_halves(from, to, bytes);
        } else {
            machine.copy_bytes(from, to, bytes);
        }
        Ok(())
    }

    /// A checksum over bytes and over which of them were written.
    ///
    /// # Errors
    /// If the range is not in memory.
    pub fn checksum(&mut self, range: Range<u64>) -> Result<u64, FaultKind> {
        let bytes = range.end.saturating_sub(range.start);
        self.machine.check_range(range.start, bytes, Access::Read)?;
        let mut words = Words::default();
        let mut at = range.start;
        while at < range.end {
            let cells = match self.machine.memory.run(at) {
                Run::Cells(cells) => cells,
                Run::Untouched(_) => &[],
                Run::Absent => break,
            };
            // Words that are whole cells, or lie across two, as most do.
            let whole = ((range.end - at) / 8) as usize;
            let added = match (at & 7, words.bytes) {
                (0, 0) => words.add_cells(&cells[..cells.len().min(whole)]),
                (4, 0) => words.add_across(&cells[..cells.len().min(whole + 1)]),
                _ => 0,
            };
            if added > 0 {
                at += 8 * added as u64;
                continue;
            }
            let cell = cells.first().copied().unwrap_or_default();
            let len = (8 - (at & 7)).min(range.end - at);
            let mask = u64::MAX >> (64 - 8 * len);
            let value = cell.value >> (8 * (at & 7)) & mask;
            let written = (cell.shadow & WRITTEN) >> (at & 7) & ((1 << len) - 1);
            words.add(value, written, len as u32);
            at += len;
        }
        Ok(words.finish())
    }

    /// Makes bytes uninitialised, as at the declaration of an array.
    ///
    /// # Errors
    /// If the range is not in memory.
    pub fn forget(&mut self, range: Range<u64>) -> Result<(), FaultKind> {
        let bytes = range.end.saturating_sub(range.start);
        self.machine
            .check_range(range.start, bytes, Access::Write)?;
        self.machine.forget(range.start, range.end);
        Ok(())
    }

    /// Allocates a piece of the heap, aligned to 16, uninitialised. The names of the words of a
    /// control block are shown in the page.
    ///
    /// # Errors
    /// [`FaultKind::OutOfMemory`].
    pub fn allocate(
        &mut self,
        kind: SegmentKind,
        bytes: u64,
        fields: &'static [&'static str],
    ) -> Result<u64, FaultKind> {
        self.machine.allocate(kind, bytes, fields)
    }

    /// Gives a piece of the heap back: an access to it is a fault from now on.
    ///
    /// # Errors
    /// [`FaultKind::Unmapped`] if no piece begins at this address.
    pub fn free(&mut self, address: u64) -> Result<(), FaultKind> {
        self.machine.free(address)
    }

    /// Makes a stack with a guard page below it. It belongs to nobody.
    ///
    /// # Errors
    /// [`FaultKind::OutOfMemory`].
    pub fn add_stack(&mut self, kind: StackKind, bytes: u32) -> Result<StackNumber, FaultKind> {
        let stack = self.machine.add_stack(kind, u64::from(bytes))?;
        Ok(stack as StackNumber)
    }

    /// The bytes of a stack; `end` is its top. Empty if there is no such stack.
    pub fn stack(&self, stack: StackNumber) -> Range<u64> {
        let stack = self.machine.stacks.get(stack as usize);
        stack.map_or(0..0, |stack| stack.base..stack.top)
    }

    /// Whose bytes are on a stack.
    pub fn owner(&self, stack: StackNumber) -> Option<TaskNumber> {
        let owner = self.machine.owners.get(stack as usize)?;
        (*owner as u32).checked_sub(1)
    }

    /// Says whose bytes are on a stack, for the checkers and the page.
    pub fn set_owner(&mut self, stack: StackNumber, owner: Option<TaskNumber>) {
        let owner = owner.map_or(0, |task| u64::from(task) + 1);
        self.machine.set_owner(stack as usize, owner);
    }

    /// Prints a line.
    pub fn print(&mut self, line: &str) {
        let count = self.machine.field(Field::Output);
        self.machine.output.truncate(count as usize);
        self.machine.output.push(line.to_owned());
        self.machine.set_field(Field::Output, count + 1);
    }

    /// Says what this step did, once; without it, a service step is what [`Host::describe`] says.
    ///
    /// [`Host::describe`]: crate::host::Host::describe
    pub fn did(&mut self, kind: StepKind) {
        self.records.push_other(self.step(), kind);
    }

    /// As [`did`](Self::did), of what a run is full of.
    #[inline(always)]
    pub(crate) fn did_often(&mut self, did: Did) {
        self.records.push(self.step(), did);
    }
}

impl Machine {
    /// Notes the cells of a range, all of which belong to segments. Their pages are touched.
    fn keep_cells(&mut self, address: u64, bytes: u64) -> Result<(), FaultKind> {
        let first = address & !7;
        let count = (address + bytes).div_ceil(8) - first / 8;
        self.log.copy(first, count as u32, address, bytes);
        let mut at = first;
        let end = first + 8 * count;
        while at < end {
            self.place(at)?;
            let cells = self.memory.cells_from(at).unwrap_or(&[]);
            let cells = &cells[..cells.len().min(((end - at) / 8) as usize)];
            self.log.keep(cells);
            at += 8 * cells.len().max(1) as u64;
        }
        Ok(())
    }

    /// Copies whole cells.
    fn copy_cells(&mut self, from: u64, to: u64, bytes: u64) {
        let mut done = 0;
        while done < bytes {
            // At most what is left of either page.
            let left = (bytes - done)
                .min(PAGE - (from + done) % PAGE)
                .min(PAGE - (to + done) % PAGE);
            self.memory
                .copy_run(from + done, to + done, (left / 8) as usize);
            done += left;
        }
    }

    /// Copies halves of cells.
    fn copy_halves(&mut self, from: u64, to: u64, bytes: u64) {
        /// So many cells are written at once.
        const AT_ONCE: usize = 32;
        let mut done = 0;
        while done < bytes {
            let (from, to) = (from + done, to + done);
            let left = (bytes - done)
                .min(PAGE - from % PAGE)
                .min(PAGE - to % PAGE)
                .min(8 * AT_ONCE as u64);
            let mut source = [Cell::default(); AT_ONCE + 1];
            let count = ((from & 7) + left).div_ceil(8) as usize;
            match self.memory.run(from) {
                Run::Cells(cells) => source[..count].copy_from_slice(&cells[..count]),
                Run::Untouched(_) | Run::Absent => {}
            }
            if let Some(target) = self.memory.cells_from_mut(to) {
                let halves = (left / 4) as usize;
                put_halves(
                    &source,
                    (from & 7) as usize / 4,
                    target,
                    (to & 7) as usize / 4,
                    halves,
                );
            }
            done += left;
        }
    }

    /// Copies bytes, one after the other.
    fn copy_bytes(&mut self, from: u64, to: u64, bytes: u64) {
        for offset in 0..bytes {
            let (from, to) = (from + offset, to + offset);
            let source = self.memory.read(from).unwrap_or_default();
            if let Some(place) = self.memory.find(to) {
                let (at, into) = (from & 7, to & 7);
                let value = (source.value >> (8 * at)) << (8 * into);
                let written = (source.shadow >> at & 1) << into;
                self.memory
                    .cell_mut(place)
                    .set_bytes(value, 1 << into, written);
            }
        }
    }

    fn check_range(&self, address: u64, bytes: u64, access: Access) -> Result<(), FaultKind> {
        if address.checked_add(bytes).is_none() {
            return Err(FaultKind::Unmapped { address, access });
        }
        match self.first_unmapped(address, bytes) {
            Some(at) => Err(self.unmapped(at, access)),
            None => Ok(()),
        }
    }
}

/// A small hash that is the same on every host: multiply and fold, word by word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash(u64);

impl Hash {
    pub fn new() -> Self {
        Hash(0x243f_6a88_85a3_08d3)
    }

    #[inline(always)]
    pub fn add(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 29;
    }

    pub fn finish(self) -> u64 {
        self.0
    }
}

/// Puts so many halves of cells into others, from the half `first` on to the half `into`.
fn put_halves(source: &[Cell], first: usize, target: &mut [Cell], into: usize, halves: usize) {
    let half = |number: usize| source[number / 2].half(number % 2 == 1);
    let end = into + halves;
    // Half numbers of the target, and how much further on they are in the source.
    let mut at = into;
    if at % 2 == 1 && at < end {
        target[at / 2].set_half(true, half(first));
        at += 1;
    }
    let mut next = first + (at - into);
    let whole = (end - at) / 2;
    for target in &mut target[at / 2..at / 2 + whole] {
        let cell = source[next / 2];
        let copied = match next % 2 {
            0 => cell,
            _ => cell.across(source[next / 2 + 1]),
        };
        // That it belongs to a segment is said of the place.
        target.value = copied.value;
        target.shadow = target.shadow & MAPPED | copied.shadow & !MAPPED;
        next += 2;
    }
    at += 2 * whole;
    if at < end {
        target[at / 2].set_half(false, half(next));
    }
}

/// A checksum over bytes in words counted from the first byte, wherever in memory that is: on
/// i386 an image and its copy need not lie alike in words of eight bytes.
///
/// The words go to two hashes in turns, as each has to wait for what it made of the one before.
struct Words {
    hashes: [Hash; 2],
    value: u64,
    written: u64,
    bytes: u32,
}

impl Default for Words {
    fn default() -> Self {
        Words {
            hashes: [Hash::new(); 2],
            value: 0,
            written: 0,
            bytes: 0,
        }
    }
}

impl Words {
    /// Adds a word and which of its bytes were written.
    #[inline(always)]
    fn add_word(&mut self, value: u64, written: u64) {
        let [mut now, next] = self.hashes;
        now.add(value ^ (!written & WRITTEN).wrapping_mul(0xd1b5_4a32_d192_ed03));
        self.hashes = [next, now];
    }

    /// Adds cells, and says how many.
    fn add_cells(&mut self, cells: &[Cell]) -> usize {
        for cell in cells {
            self.add_word(cell.value, cell.shadow);
        }
        cells.len()
    }

    /// Adds words that begin in the middle of a cell and end in the middle of the next, and says how
    /// many.
    fn add_across(&mut self, cells: &[Cell]) -> usize {
        for cells in cells.windows(2) {
            let word = cells[0].across(cells[1]);
            self.add_word(word.value, word.shadow);
        }
        cells.len().saturating_sub(1)
    }

    /// Adds the next one to eight bytes.
    fn add(&mut self, value: u64, written: u64, bytes: u32) {
        self.value |= value << (8 * self.bytes);
        self.written |= written << self.bytes & WRITTEN;
        let room = 8 - self.bytes;
        if bytes < room {
            self.bytes += bytes;
            return;
        }
        self.flush();
        if bytes > room {
            self.value = value >> (8 * room);
            self.written = written >> room;
            self.bytes = bytes - room;
        }
    }

    fn flush(&mut self) {
        let value = std::mem::take(&mut self.value);
        let written = std::mem::take(&mut self.written);
        self.add_word(value, written);
        self.bytes = 0;
    }

    fn finish(mut self) -> u64 {
        if self.bytes > 0 {
            self.flush();
        }
        let [mut hash, other] = self.hashes;
        hash.add(other.finish());
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assemble, machine};
    use super::*;

    /// On i386 an image may begin in the middle of a cell and its copy at the beginning of one.
    #[test]
    fn a_copy_has_the_checksum_and_the_pointers_of_the_original() {
        let code = assemble(Isa::I386, "function:\n nop\n").unwrap_or_else(|e| panic!("{}", e[0]));
        for (from, to) in [(4, 0), (0, 4), (4, 4), (0, 0)] {
            for words in 1..20 {
                let mut machine = machine(&code);
                let mut records = Records::EMPTY;
                let mut context = Context::new(&mut machine, &mut records);
                let stack = context.stack(0);
                let (from, to) = (stack.start + 512 + from, stack.start + 1024 + to);
                for word in 0..words {
                    // One in five is not written.
                    match word % 5 {
                        3 => context.store_pointer(from + 4 * word, word, 0),
                        4 => Ok(()),
                        _ => context.store(from + 4 * word, 0x1234_5678 * (word + 1)),
                    }
                    .expect("it is on the stack");
                }
                let bytes = 4 * words;
                context
                    .copy(from, to, bytes)
                    .expect("both are on the stack");
                let sums = [from, to].map(|at| context.checksum(at..at + bytes).expect("there"));
                assert_eq!(sums[0], sums[1], "{from:#x} to {to:#x}, {words} words");
                for word in 0..words {
                    let half = |at: u64| {
                        let cell = context.machine.memory.read(at).expect("there");
                        let half = cell.half(at & 4 != 0);
                        (half.value, half.shadow)
                    };
                    assert_eq!(half(from + 4 * word), half(to + 4 * word), "word {word}");
                }
                context
                    .store(to + bytes - 4, 1)
                    .expect("it is on the stack");
                let changed = context.checksum(to..to + bytes).expect("there");
                assert_ne!(changed, sums[0], "{words} words");
            }
        }
    }
}
