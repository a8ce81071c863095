//! Signals: what a kernel does between two instructions of a program.
//!
//! A frame with all registers is written below sp (below the red zone, where the ABI has one), and
//! a handler runs on that stack: real instructions, in `signal/<isa>.s`. Its return leads to
//! `host sigreturn`, which loads the registers from the frame again, whatever is in it by then.
//!
//! Linux writes larger frames, with room for vector registers that there are none of here. What
//! this one keeps of Linux's is where it lies, how it is aligned, and that the program's own
//! memory is all there is to keep it in.

use std::borrow::Cow;

use super::shadow::Shadow;
use super::{Field, Machine, Register, Trap};
use crate::code::NONE;
use crate::fault::{Access, FaultKind};
use crate::isa::aarch64::registers::LR;
use crate::isa::{Reg, RegisterInfo, registers};
use crate::program::{FunctionInfo, Isa, Object, Part, Rights};
use crate::view::StackKind;

/// The service that ends a handler. No host has as many of its own.
pub(crate) const SIGRETURN: u16 = u16::MAX;

/// The number that a handler is told: SIGUSR1 of Linux.
const NUMBER: u64 = 10;

macro_rules! folder {
    () => {
        "sim/src/machine/signal/"
    };
}

/// Where the texts of the handlers lie: who comes from there runs within a signal.
pub(crate) const FOLDER: &str = folder!();

/// Where a handler begins.
const HANDLER: &str = "rt_signal";

/// Where it returns to.
const RESTORER: &str = "rt_sigreturn";

/// The handler of an ISA, to be loaded after all that is a program's.
pub(crate) fn object(isa: Isa) -> Object {
    macro_rules! text {
        ($isa:literal) => {
            (
                concat!(folder!(), $isa, ".s"),
                include_str!(concat!("signal/", $isa, ".s")),
            )
        };
    }
    let (file, text) = match isa {
        Isa::X86_64 => text!("x86_64"),
        Isa::I386 => text!("i386"),
        Isa::Aarch64 => text!("aarch64"),
    };
    let function = |label: &str| FunctionInfo {
        label: label.to_owned(),
        name: label.to_owned(),
        runtime: true,
        ..FunctionInfo::default()
    };
    Object {
        name: "signals".to_owned(),
        parts: vec![Part {
            file: Cow::Borrowed(file),
            first_line: 1,
            text: Cow::Borrowed(text),
            rights: Rights::Host,
            statements: Vec::new(),
        }],
        functions: vec![function(HANDLER), function(RESTORER)],
    }
}

/// Whether a function is the handler, or what it returns to.
pub(crate) fn is_handler(function: &FunctionInfo) -> bool {
    function.runtime && [HANDLER, RESTORER].contains(&function.label.as_str())
}

/// A signal's frame in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Its lowest byte: where the program counter is kept, then the registers in their order.
    pub low: u64,
    isa: Isa,
}

impl Frame {
    /// The frame of a signal that arrives at this sp.
    fn below(isa: Isa, sp: u64) -> Frame {
        let bytes = Frame::bytes(isa);
        let low = sp.wrapping_sub(u64::from(isa.red_zone_bytes()) + bytes) & !15;
        Frame { low, isa }
    }

    /// The frame that a handler returns to, by sp at `host sigreturn`.
    pub fn at_return(isa: Isa, sp: u64) -> Frame {
        let low = sp.wrapping_add(above_return(isa));
        Frame { low, isa }
    }

    /// The frame whose lowest byte this is.
    pub fn at(isa: Isa, low: u64) -> Frame {
        Frame { low, isa }
    }

    /// How many bytes it takes.
    pub fn bytes(isa: Isa) -> u64 {
        let words = registers(isa).len() as u64 + 1;
        (words * u64::from(isa.word_bytes())).next_multiple_of(16)
    }

    /// One past its highest byte.
    pub fn high(self) -> u64 {
        self.low.wrapping_add(Frame::bytes(self.isa))
    }

    /// Where the program counter is kept.
    pub fn pc(self) -> u64 {
        self.low
    }

    /// Where a register is kept.
    pub fn register(self, reg: Reg) -> Option<u64> {
        let mut all = registers(self.isa).iter();
        let index = all.position(|info| info.reg == reg)?;
        Some(self.word(index))
    }

    fn word(self, index: usize) -> u64 {
        let word = u64::from(self.isa.word_bytes());
        self.low.wrapping_add((index as u64 + 1) * word)
    }

    /// The register that is kept at an address; `None` if none is.
    pub fn register_at(self, address: u64) -> Option<&'static RegisterInfo> {
        let offset = address.wrapping_sub(self.low);
        let index = (offset / u64::from(self.isa.word_bytes())).checked_sub(1)?;
        registers(self.isa).get(usize::try_from(index).ok()?)
    }
}

/// Bytes between sp at `host sigreturn` and the frame.
const fn above_return(isa: Isa) -> u64 {
    match isa {
        // The argument, which cdecl leaves to the caller to take away, and what aligns it.
        Isa::I386 => 16,
        Isa::X86_64 | Isa::Aarch64 => 0,
    }
}

impl Machine {
    /// A signal arrives before the next instruction. Returns where its frame is.
    pub fn deliver_signal(&mut self) -> Result<u64, Trap> {
        let isa = self.isa;
        let (sp, shadow) = (self.sp(), self.sp_shadow());
        self.check_sp_for_signal(sp)?;
        let pending = self.field(Field::Pending);
        let frame = Frame::below(isa, sp);
        // From the top down, so that what does not fit is noticed at the stack's end.
        for (index, info) in registers(isa).iter().enumerate().rev() {
            let at = info.reg.index() % super::REGISTERS;
            let (value, known) = (self.values[at], self.shadows[at]);
            self.log.settle();
            self.store(frame.word(index), self.word, value, known, shadow)?;
        }
        let pc = self.code.address_of(self.pc);
        self.store(frame.pc(), self.word, pc, Shadow::PLAIN, shadow)?;

        let code = &self.code;
        let (Some(handler), Some(restorer)) = (code.label(HANDLER), code.label(RESTORER)) else {
            return Err(FaultKind::RanOff.into());
        };
        let word = u64::from(self.word.bytes());
        let mut entry = frame.low.wrapping_sub(above_return(isa));
        match isa {
            Isa::Aarch64 => {
                self.write_register(Reg(0), NUMBER, Shadow::PLAIN);
                self.write_register(LR, restorer, Shadow::PLAIN);
            }
            Isa::X86_64 | Isa::I386 => {
                match isa {
                    Isa::I386 => self.store(entry, self.word, NUMBER, Shadow::PLAIN, shadow)?,
                    _ => self.write_register(crate::isa::x86::registers::DI, NUMBER, Shadow::PLAIN),
                }
                entry = entry.wrapping_sub(word);
                self.store(entry, self.word, restorer, Shadow::PLAIN, shadow)?;
            }
        }
        self.write_register(self.sp_reg(), entry, shadow);
        // What the host was in the middle of waits until the handler has returned.
        self.set_field(Field::Handling, 1 + pending);
        if pending != 0 {
            self.set_field(Field::Pending, 0);
        }
        self.go_to(handler)?;
        Ok(frame.low)
    }

    /// The handler has returned: the interrupted registers come back from the frame. Returns where
    /// that is.
    pub fn return_from_signal(&mut self) -> Result<u64, Trap> {
        let handling = self.field(Field::Handling);
        if handling == 0 {
            let message = "return from a signal that has not arrived".to_owned();
            return Err(FaultKind::Runtime { message }.into());
        }
        let frame = Frame::at_return(self.isa, self.sp());
        let pointer = self.sp_shadow();
        for (index, info) in registers(self.isa).iter().enumerate() {
            let (value, shadow) = self.load(frame.word(index), self.word, pointer)?;
            self.log.settle();
            self.write_register(info.reg, value, shadow);
        }
        let (pc, _) = self.load(frame.pc(), self.word, pointer)?;
        self.set_field(Field::Handling, 0);
        self.set_field(Field::Signalled, 1);
        if handling > 1 {
            self.set_field(Field::Pending, handling - 1);
        }
        self.go_to(pc)?;
        Ok(frame.low)
    }

    /// A kernel writes the frame wherever sp points; that is right on a stack only, and on a
    /// shared one only while it is the running task's.
    fn check_sp_for_signal(&self, sp: u64) -> Result<(), Trap> {
        let Some(stack) = self
            .stack_of_sp(sp)
            .filter(|stack| sp > self.stacks[*stack].base)
        else {
            let red_zone = u64::from(self.isa.red_zone_bytes());
            let hits = sp.wrapping_sub(red_zone + 1);
            return Err(match self.unmapped(hits, Access::Write) {
                overflow @ FaultKind::Overflow { .. } => overflow,
                _ => FaultKind::SignalOffStack {
                    sp,
                    block: self
                        .block_at(sp.wrapping_sub(1))
                        .map(|at| self.blocks[at].kind),
                },
            }
            .into());
        };
        let owner = (self.owners.get(stack).copied().unwrap_or(0) as u32).checked_sub(1);
        match self.task() {
            Some(task) if self.stacks[stack].kind == StackKind::Shared && owner != Some(task) => {
                Err(FaultKind::NotOwner {
                    stack: stack as u32,
                    task,
                    owner,
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    /// A register gets another value by hand. A pointer into a frame stays one as long as it
    /// points into the same stack; sp always does.
    pub fn edit_register(&mut self, Register(reg): Register, value: u64) {
        let index = reg.index() % super::REGISTERS;
        let (old, shadow) = (self.values[index], self.shadows[index]);
        let stays = reg == self.sp_reg() || self.stack_at(old) == self.stack_at(value);
        let tag = if stays { shadow.tag() } else { 0 };
        self.write_register(reg, value, Shadow::with_tag(tag));
    }

    /// Whether an instruction begins at an address.
    pub fn is_code(&self, address: u64) -> bool {
        self.code.index_of(address) != NONE
    }
}
