//! What the runtime keeps in simulated memory: control blocks, save stacks and first frames.

use crate::fault::FaultKind;
use crate::host::{Context, Register};
use crate::program::Isa;

/// The words of a control block, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// sp while the task does not run; the switch writes and reads it.
    Sp = 0,
    /// Address of its save stack.
    Save = 1,
    /// Bytes of its save stack.
    Capacity = 2,
    /// Bytes of the image in it.
    Image = 3,
    /// What it has received from a channel.
    Received = 4,
}

/// The names of a control block's words.
pub const FIELDS: &[&str] = &["sp", "save stack", "capacity", "image", "received"];

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
    /// What the switch keeps, the stack pointer aside; it declares all else clobbered.
    pub kept: &'static [&'static str],
    /// Arguments that travel in registers.
    pub arguments: usize,
    /// Arguments on the stack come in groups of this many words, so that sp stays aligned.
    pub group: usize,
    /// The switch's part of a first frame, from sp up.
    first: fn(entry: u64, first: u64, fp: bool) -> Vec<u64>,
}

/// MXCSR and the x87 control word as a process finds them at its start: System V ABI, figure 3.4.
const MXCSR: u64 = 0x1f80;
const X87: u64 = 0x037f;

/// The convention of an ISA.
pub fn convention(isa: Isa) -> &'static Convention {
    match isa {
        Isa::X86_64 | Isa::I386 | Isa::Aarch64 => &Convention {
            switch: ["rdi", "rsi"],
            kept: &["rbx", "rbp", "rsp", "rip", "mxcsr", "fpcw"],
            arguments: 6,
            group: 2,
            // As drawn in asm/x86_64/switch.s and switch_fp.s.
            first: |entry, first, fp| match fp {
                false => vec![0, entry, first],
                true => vec![0, entry, first, MXCSR << 32 | X87],
            },
        },
    }
}

impl Convention {
    /// The first frame of a task, word for word from sp up to the stack's top.
    pub fn first_frame(
        &self,
        entry: u64,
        first: u64,
        function: u64,
        arguments: &[u64],
        fp: bool,
    ) -> Vec<u64> {
        let mut words = (self.first)(entry, first, fp);
        let in_registers = arguments.len().min(self.arguments);
        let on_stack = &arguments[in_registers..];
        let padded = on_stack.len().next_multiple_of(self.group);
        words.push(function);
        words.push(padded as u64);
        words.extend(&arguments[..in_registers]);
        words.extend(std::iter::repeat_n(0, self.arguments - in_registers));
        words.extend(on_stack);
        words.extend(std::iter::repeat_n(0, padded - on_stack.len()));
        words
    }
}

/// Bytes of a first frame with so many arguments.
pub fn first_frame_bytes(isa: Isa, arguments: usize, fp: bool) -> u32 {
    let convention = convention(isa);
    let words = convention.first_frame(0, 0, 0, &vec![0; arguments], fp);
    words.len() as u32 * isa.word_bytes()
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
