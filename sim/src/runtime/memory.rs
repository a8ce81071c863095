//! What the runtime keeps in simulated memory: control blocks, save stacks and first frames.

use crate::fault::FaultKind;
use crate::host::{Context, Register};
use crate::program::Isa;

use super::style::First;

/// The words of a control block, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Address of its save stack.
    Save = 0,
    /// Bytes of its save stack.
    Capacity = 1,
    /// Bytes of the image in it.
    Image = 2,
    /// What it has received from a channel.
    Received = 3,
    /// sp while the task does not run; the switch writes and reads it. It is the last, so that a
    /// text of another style may have the words behind it.
    Sp = 4,
}

/// The names of a control block's words.
pub const FIELDS: &[&str] = &["save stack", "capacity", "image", "received", "sp"];

/// As [`FIELDS`], with room for registers.
pub const FIELDS_AND_REGISTERS: &[&str] = &[
    "save stack",
    "capacity",
    "image",
    "received",
    "sp",
    "kept 1",
    "kept 2",
    "kept 3",
    "kept 4",
    "kept 5",
    "kept 6",
    "kept 7",
    "kept 8",
    "kept 9",
    "kept 10",
    "kept 11",
    "kept 12",
    "kept 13",
    "kept 14",
    "kept 15",
    "kept 16",
];

/// Save stacks are rounded up to this, and no further: the image is all that is worth keeping.
pub const SAVE_ROUND: u32 = 16;

impl Field {
    /// Its address in the control block at `block`.
    pub fn at(self, block: u64, isa: Isa) -> u64 {
        block + self as u64 * u64::from(isa.word_bytes())
    }
}

/// Bytes of a save stack for an image.
pub fn save_capacity(image: u32) -> u32 {
    image.div_ceil(SAVE_ROUND).saturating_mul(SAVE_ROUND)
}

/// How an ISA hands over to a switch and begins a task.
pub struct Convention {
    /// Address of the word that receives the source's sp, and sp of the target.
    pub switch: [&'static str; 2],
    /// Address of the word that holds the target's sp, for a scenario's own text.
    pub target_word: &'static str,
    /// Callee-saved registers that the switch keeps; it declares the others clobbered.
    pub kept: &'static [&'static str],
    /// Registers that no switch may clobber, besides.
    pub always_kept: &'static [&'static str],
    /// The switch's part of a first frame, from sp up: that of the integer flavour, ...
    pub frame: &'static [First],
    /// ... and that of the fp flavour.
    pub frame_fp: &'static [First],
    /// The register whose first contents are what the entry calls.
    pub called: &'static str,
    /// Floating-point control words as a process finds them at its start, in one word each.
    pub control: &'static [u64],
    /// Arguments that travel in registers.
    pub arguments: usize,
    /// Arguments on the stack come in groups of this many words, so that sp stays aligned.
    pub group: usize,
}

/// The convention of an ISA.
pub fn convention(isa: Isa) -> &'static Convention {
    // First frames are as drawn in asm/<isa>/switch.s and switch_fp.s.
    match isa {
        Isa::X86_64 => &Convention {
            switch: ["rdi", "rsi"],
            target_word: "r8",
            kept: &["rbx", "rbp"],
            always_kept: &["rsp", "rip", "mxcsr", "fpcw"],
            frame: &[First::Nothing, First::Entry, First::Called],
            frame_fp: &[First::Nothing, First::Entry, First::Called, First::Control],
            called: "rbx",
            // MXCSR above the x87 control word, as a process finds them: System V ABI, figure 3.4.
            control: &[0x1f80 << 32 | 0x037f],
            arguments: 6,
            group: 2,
        },
        Isa::I386 => &Convention {
            switch: ["edi", "ecx"],
            target_word: "edx",
            kept: &["esi", "ebp"],
            always_kept: &["esp", "eip", "mxcsr", "fpcw"],
            frame: &[First::Nothing, First::Entry, First::Called],
            frame_fp: &[First::Nothing, First::Entry, First::Control, First::Called],
            called: "esi",
            control: &[0x037f, 0x1f80],
            arguments: 0,
            group: 4,
        },
        Isa::Aarch64 => &Convention {
            switch: ["x0", "x1"],
            target_word: "x5",
            kept: &["x19", "x29"],
            always_kept: &["sp", "pc", "fpcr", "x18"],
            frame: &[First::Nothing, First::Entry, First::Called, First::Nothing],
            frame_fp: &[First::Nothing, First::Entry, First::Called, First::Control],
            called: "x19",
            control: &[0],
            arguments: 8,
            group: 2,
        },
    }
}

/// What a new task is to find.
pub struct Beginning<'a> {
    /// The address of the entry.
    pub entry: u64,
    /// The address of what the entry calls.
    pub called: u64,
    /// The address of the task's function.
    pub function: u64,
    /// Its arguments.
    pub arguments: &'a [u64],
}

impl Convention {
    /// The words that stand for a part of a first frame.
    pub fn words(&self, first: &[First], beginning: &Beginning<'_>) -> Vec<u64> {
        let mut words = Vec::with_capacity(first.len());
        for part in first {
            match part {
                First::Nothing => words.push(0),
                First::Entry => words.push(beginning.entry),
                First::Called => words.push(beginning.called),
                First::Control => words.extend(self.control),
            }
        }
        words
    }

    /// The first frame of a task, word for word from its lowest up to the stack's top.
    pub fn first_frame(&self, first: &[First], beginning: &Beginning<'_>) -> Vec<u64> {
        let arguments = beginning.arguments;
        let mut words = self.words(first, beginning);
        let in_registers = arguments.len().min(self.arguments);
        let on_stack = &arguments[in_registers..];
        let padded = on_stack.len().next_multiple_of(self.group);
        // The function, and the words that keep what follows aligned.
        words.push(beginning.function);
        let odd = (1 + self.arguments) % self.group;
        words.extend(std::iter::repeat_n(0, (self.group - odd) % self.group));
        words.extend(&arguments[..in_registers]);
        words.extend(std::iter::repeat_n(0, self.arguments - in_registers));
        words.extend(on_stack);
        words.extend(std::iter::repeat_n(0, padded - on_stack.len()));
        words
    }
}

/// A register that is known to exist.
///
/// # Errors
/// A message, if it does not.
pub fn register(isa: Isa, name: &str) -> Result<Register, FaultKind> {
    Register::named(isa, name).ok_or_else(|| FaultKind::Runtime {
        message: format!("{} has no register {name}", isa.name()),
    })
}

/// The address of one of the runtime's labels.
///
/// # Errors
/// A message, if it is missing.
pub fn label(context: &Context<'_>, name: &str) -> Result<u64, FaultKind> {
    context.label(name).ok_or_else(|| FaultKind::Runtime {
        message: format!("there is no label {name}"),
    })
}
