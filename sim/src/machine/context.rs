//! What a host may do to the machine. All of it is logged and can be undone.

use std::marker::PhantomData;
use std::ops::Range;

use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::program::Isa;
use crate::view::{StackKind, StepKind};

/// Names a register of the machine; `Register::named` finds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Register(pub(crate) u8);

impl Register {
    /// The register of this name (`rax`, `esp`, `x19`, `d8`, `mxcsr`, …).
    pub fn named(_isa: Isa, _name: &str) -> Option<Register> {
        unimplemented!()
    }
}

/// What a piece of the heap is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SegmentKind {
    /// A task's control block.
    ControlBlock {
        /// Whose.
        task: TaskNumber,
    },
    /// A task's save stack.
    SaveStack {
        /// Whose.
        task: TaskNumber,
    },
    /// Something else.
    Other,
}

/// The machine as a host sees it during one step.
///
/// Reads are checked: memory outside a segment, bytes or registers that nothing has written. The
/// errors are what the step should end with, so `?` is the way to use them.
#[derive(Debug)]
pub struct Context<'a>(PhantomData<&'a mut ()>);

#[allow(unused_variables)]
impl Context<'_> {
    /// The instruction set.
    pub fn isa(&self) -> Isa {
        unimplemented!()
    }

    /// The number of this step.
    pub fn step(&self) -> u64 {
        unimplemented!()
    }

    /// The task whose sp is in use.
    pub fn task(&self) -> Option<TaskNumber> {
        unimplemented!()
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> u64 {
        unimplemented!()
    }

    /// sp, whatever it points to.
    pub fn sp(&self) -> u64 {
        unimplemented!()
    }

    /// The frame pointer (rbp, ebp, x29), whatever it points to.
    pub fn fp(&self) -> u64 {
        unimplemented!()
    }

    /// The address of a label.
    pub fn label(&self, name: &str) -> Option<u64> {
        unimplemented!()
    }

    /// What a register holds.
    ///
    /// # Errors
    /// [`FaultKind::UninitialisedRegister`].
    pub fn register(&self, register: Register) -> Result<u64, FaultKind> {
        unimplemented!()
    }

    /// Writes a register.
    pub fn set_register(&mut self, register: Register, value: u64) {
        unimplemented!()
    }

    /// Writes a register with a pointer made from a task's sp.
    pub fn set_pointer(&mut self, register: Register, value: u64, task: TaskNumber) {
        unimplemented!()
    }

    /// Argument `index` (from 0) of a call, at the entry of the function called: the stub's first
    /// instruction, before it has pushed anything. rdi, rsi, rdx, rcx, r8, r9; x0 to x7; on i386
    /// the words above the return address.
    ///
    /// # Errors
    /// If nothing has written it.
    pub fn argument(&mut self, index: u32) -> Result<u64, FaultKind> {
        unimplemented!()
    }

    /// Writes the register in which a function returns its result.
    pub fn set_result(&mut self, value: u64) {
        unimplemented!()
    }

    /// The word at an address, sign-extended on i386.
    ///
    /// # Errors
    /// What an instruction would get.
    pub fn load(&mut self, address: u64) -> Result<u64, FaultKind> {
        unimplemented!()
    }

    /// Writes the word at an address.
    ///
    /// # Errors
    /// What an instruction would get.
    pub fn store(&mut self, address: u64, value: u64) -> Result<(), FaultKind> {
        unimplemented!()
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
        unimplemented!()
    }

    /// Copies bytes with all that is known about them: whether they were written, and which of
    /// them are pointers into frames. The ranges do not overlap; addresses and length are
    /// multiples of the word size, or the copy is made byte by byte and forgets pointers.
    ///
    /// # Errors
    /// If either range is not in memory.
    pub fn copy(&mut self, from: u64, to: u64, bytes: u64) -> Result<(), FaultKind> {
        unimplemented!()
    }

    /// A checksum over bytes and over which of them were written.
    ///
    /// # Errors
    /// If the range is not in memory.
    pub fn checksum(&mut self, range: Range<u64>) -> Result<u64, FaultKind> {
        unimplemented!()
    }

    /// Makes bytes uninitialised, as at the declaration of an array.
    ///
    /// # Errors
    /// If the range is not in memory.
    pub fn forget(&mut self, range: Range<u64>) -> Result<(), FaultKind> {
        unimplemented!()
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
        unimplemented!()
    }

    /// Gives a piece of the heap back: an access to it is a fault from now on.
    ///
    /// # Errors
    /// [`FaultKind::Unmapped`] if no piece begins at this address.
    pub fn free(&mut self, address: u64) -> Result<(), FaultKind> {
        unimplemented!()
    }

    /// Makes a stack with a guard page below it. It belongs to nobody.
    ///
    /// # Errors
    /// [`FaultKind::OutOfMemory`].
    pub fn add_stack(&mut self, kind: StackKind, bytes: u32) -> Result<StackNumber, FaultKind> {
        unimplemented!()
    }

    /// The bytes of a stack; `end` is its top. Empty if there is no such stack.
    pub fn stack(&self, stack: StackNumber) -> Range<u64> {
        unimplemented!()
    }

    /// Whose bytes are on a stack.
    pub fn owner(&self, stack: StackNumber) -> Option<TaskNumber> {
        unimplemented!()
    }

    /// Says whose bytes are on a stack, for the checkers and the page.
    pub fn set_owner(&mut self, stack: StackNumber, owner: Option<TaskNumber>) {
        unimplemented!()
    }

    /// Prints a line.
    pub fn print(&mut self, line: &str) {
        unimplemented!()
    }

    /// Says what this step did; without it, a service step is what [`Host::describe`] says.
    ///
    /// [`Host::describe`]: crate::host::Host::describe
    pub fn did(&mut self, kind: StepKind) {
        unimplemented!()
    }
}
