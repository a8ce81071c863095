//! What the loader takes: assembly text with its line information, beside each other.
//!
//! The compiler of scenarios and the runtime's stubs produce [`Object`]s; the assembler reads
//! them. An object is text in one or several [`Part`]s that are assembled as if they stood in one
//! file, so that a stub can have `asm/<isa>/switch.s` in its middle and the listing still shows
//! that file and its own line numbers.
//!
//! **Labels.** `name:` is visible in all objects; `.Lname:` in its own object; `2:` is numeric and
//! used as `2f` (the next one) or `2b` (the last one). The label before a function's first
//! instruction is the function's name. A function reaches from its label to the next label that
//! is listed in [`Object::functions`], or to the end of the object.

use std::borrow::Cow;

/// An instruction set of the simulated machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Isa {
    /// x86-64, System V ABI.
    X86_64,
    /// i386, System V ABI (cdecl).
    I386,
    /// aarch64, AAPCS64.
    Aarch64,
}

impl Isa {
    /// Every one of them.
    pub const ALL: [Isa; 3] = [Isa::X86_64, Isa::I386, Isa::Aarch64];

    /// As in `asm/<name>/`.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::X86_64 => "x86_64",
            Isa::I386 => "i386",
            Isa::Aarch64 => "aarch64",
        }
    }

    /// Bytes in a machine word: 8 or 4.
    pub const fn word_bytes(self) -> u32 {
        match self {
            Isa::X86_64 | Isa::Aarch64 => 8,
            Isa::I386 => 4,
        }
    }

    /// Bytes below sp that a signal handler leaves alone: AMD64 ABI, section 3.2.2 "The Stack
    /// Frame". The other ABIs have no red zone.
    pub const fn red_zone_bytes(self) -> u32 {
        match self {
            Isa::X86_64 => 128,
            Isa::I386 | Isa::Aarch64 => 0,
        }
    }
}

/// A statement of the scenario that an instruction belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StmtRef {
    /// The statement's id, `costack_lang::syntax::StmtId`.
    pub statement: u32,
    /// The line of the scenario's text, from 1.
    pub line: u32,
    /// First byte of the statement in the scenario's text.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

/// What the instructions of a part may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rights {
    /// Real instructions only: compiled functions and switch texts.
    Plain,
    /// `host NAME` as well: the runtime's stubs.
    Host,
}

/// Text of an object that comes from one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The file to show, such as `asm/x86_64/switch.s`.
    pub file: Cow<'static, str>,
    /// The line of that file on which the text begins, from 1.
    pub first_line: u32,
    /// The assembly text.
    pub text: Cow<'static, str>,
    /// What its instructions may do.
    pub rights: Rights,
    /// For each line of the text the statement it was compiled from. Lines past the end have
    /// none, so a switch text has an empty list here.
    pub statements: Vec<Option<StmtRef>>,
}

/// What a place in a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SlotKind {
    /// A parameter.
    Parameter,
    /// A local word.
    Local,
    /// A local array.
    Array,
    /// A callee-saved register of the caller; the name is the register's.
    SavedRegister,
    /// A value in the middle of an expression.
    Temporary,
    /// Only there for alignment.
    Padding,
}

/// A place in a function's frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The lowest byte, relative to the *frame's top*: the sp before the call, which is the
    /// address above the return address on x86. Negative, except for arguments that the caller
    /// has put on the stack.
    pub offset: i32,
    /// How many machine words.
    pub words: u32,
    /// As in the scenario: `x`, `pad`; empty if it has none.
    pub name: String,
    /// What it is for.
    pub kind: SlotKind,
}

/// What people should know about a function's frame. Return addresses and pushed registers need
/// no slot: the loader finds them in the instructions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FunctionInfo {
    /// Its label.
    pub label: String,
    /// The name to show.
    pub name: String,
    /// Places in its frame.
    pub slots: Vec<Slot>,
    /// Whether it is part of the runtime (a stub), not of the scenario.
    pub runtime: bool,
    /// Whether the callee-saved registers must hold at its return what they held at its entry.
    /// False for entry stubs, which nobody returns from.
    pub preserves_registers: bool,
}

/// Assembly text that is assembled as one piece.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Object {
    /// A name for messages.
    pub name: String,
    /// Its text, in order.
    pub parts: Vec<Part>,
    /// The functions in it.
    pub functions: Vec<FunctionInfo>,
}

/// All that is loaded into a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The instruction set of all its texts.
    pub isa: Isa,
    /// In the order in which they lie in memory.
    pub objects: Vec<Object>,
    /// The label at which main's context begins.
    pub entry: String,
    /// Names and first values of the global words, in order. Each name is also a label, for
    /// `lea rax, [rip + name]` and the like.
    pub globals: Vec<(String, i64)>,
    /// Bytes of main's stack.
    pub main_stack_bytes: u32,
}
