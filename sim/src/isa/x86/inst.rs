//! The instruction type.

use crate::isa::{Reg, Width};

/// A memory operand: `[base + index * scale + disp]`. An address relative to rip is resolved when
/// the text is assembled and has neither base nor index.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mem {
    /// Added.
    pub base: Option<Reg>,
    /// Multiplied by `scale` and added; never sp.
    pub index: Option<Reg>,
    /// 1, 2, 4 or 8.
    pub scale: u8,
    /// Added. All labels are below 2³¹.
    pub disp: i32,
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// A general register.
    Reg(Reg),
    /// A constant.
    Imm(i64),
    /// Memory.
    Mem(Mem),
}

/// An operation of two operands that sets flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    /// Target plus source.
    Add,
    /// Target minus source.
    Sub,
    /// Target minus source, for the flags only.
    Cmp,
    /// Bitwise and.
    And,
    /// Bitwise and, for the flags only.
    Test,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
}

/// A shift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    /// Left.
    Shl,
    /// Right, zeros come in.
    Shr,
    /// Right, the sign comes in.
    Sar,
}

/// A condition on the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `o`: OF.
    Overflow,
    /// `no`.
    NotOverflow,
    /// `b`, `c`, `nae`: CF.
    Below,
    /// `ae`, `nc`, `nb`.
    AboveOrEqual,
    /// `e`, `z`: ZF.
    Equal,
    /// `ne`, `nz`.
    NotEqual,
    /// `be`, `na`: CF or ZF.
    BelowOrEqual,
    /// `a`, `nbe`.
    Above,
    /// `s`: SF.
    Sign,
    /// `ns`.
    NotSign,
    /// `l`, `nge`: SF ≠ OF.
    Less,
    /// `ge`, `nl`.
    GreaterOrEqual,
    /// `le`, `ng`: ZF or SF ≠ OF.
    LessOrEqual,
    /// `g`, `nle`.
    Greater,
}

/// One instruction.
///
/// `width` is how many bytes it works on. A write of four bytes to a register clears the upper
/// half on x86-64; narrower writes leave the rest alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inst {
    /// `mov target, source`.
    Mov {
        /// Bytes moved.
        width: Width,
        /// A register or memory.
        target: Operand,
        /// Anything; not memory if the target is.
        source: Operand,
    },
    /// `movzx target, source`, `movsx`, `movsxd`: widens.
    Widen {
        /// Whether the sign comes in rather than zeros.
        signed: bool,
        /// Bytes of the target.
        width: Width,
        /// Bytes of the source.
        from: Width,
        /// A register.
        target: Reg,
        /// A register or memory.
        source: Operand,
    },
    /// `lea target, [address]`.
    Lea {
        /// Bytes of the target.
        width: Width,
        /// A register.
        target: Reg,
        /// The address.
        address: Mem,
    },
    /// `xchg target, source`.
    Xchg {
        /// Bytes exchanged.
        width: Width,
        /// A register or memory.
        target: Operand,
        /// A register.
        source: Reg,
    },
    /// `push source`: sp is lowered first, then the word is stored.
    Push {
        /// Anything.
        source: Operand,
    },
    /// `pop target`: the word is loaded first, then sp is raised, then the target is written.
    Pop {
        /// A register or memory.
        target: Operand,
    },
    /// `add`, `sub`, `cmp`, `and`, `test`, `or`, `xor`.
    Alu {
        /// Which.
        op: Alu,
        /// Bytes.
        width: Width,
        /// A register or memory.
        target: Operand,
        /// Anything; not memory if the target is.
        source: Operand,
    },
    /// `inc target` (`dec` if `down`): leaves CF alone.
    Step {
        /// Whether it is `dec`.
        down: bool,
        /// Bytes.
        width: Width,
        /// A register or memory.
        target: Operand,
    },
    /// `neg target`.
    Neg {
        /// Bytes.
        width: Width,
        /// A register or memory.
        target: Operand,
    },
    /// `not target`: leaves the flags alone.
    Not {
        /// Bytes.
        width: Width,
        /// A register or memory.
        target: Operand,
    },
    /// `imul target, source` and `imul target, source, constant`.
    Imul {
        /// Bytes; not one.
        width: Width,
        /// A register.
        target: Reg,
        /// A register or memory.
        source: Operand,
        /// The other factor; the target itself if there is none.
        constant: Option<i32>,
    },
    /// `idiv source`: divides dx:ax, the quotient goes to ax, the remainder to dx.
    Idiv {
        /// Bytes; four or eight.
        width: Width,
        /// A register or memory.
        source: Operand,
    },
    /// `cdq`, `cqo`: the sign of ax into all of dx.
    SignToDx {
        /// Bytes; four or eight.
        width: Width,
    },
    /// `shl`, `shr`, `sar`.
    Shift {
        /// Which.
        op: Shift,
        /// Bytes.
        width: Width,
        /// A register or memory.
        target: Operand,
        /// By how much; `None` is cl.
        count: Option<u8>,
    },
    /// `setcc target`: one byte, 0 or 1.
    Set {
        /// When it is 1.
        condition: Condition,
        /// A register or memory.
        target: Operand,
    },
    /// `jcc label`.
    Branch {
        /// When it jumps.
        condition: Condition,
        /// An address.
        to: u32,
    },
    /// `jmp label`.
    Jump {
        /// An address.
        to: u32,
    },
    /// `jmp target`.
    JumpIndirect {
        /// A register or memory that holds the address.
        target: Operand,
    },
    /// `call label`: pushes the address of the next instruction.
    Call {
        /// An address.
        to: u32,
    },
    /// `call target`.
    CallIndirect {
        /// A register or memory that holds the address.
        target: Operand,
    },
    /// `ret`: pops the address to go on at. `ret n` then raises sp by n more.
    Ret {
        /// How much more.
        drop: u16,
    },
    /// `leave`: sp is bp, then bp is popped.
    Leave,
    /// `stmxcsr [address]`, `ldmxcsr [address]`.
    Mxcsr {
        /// Whether it stores.
        store: bool,
        /// Four bytes.
        address: Mem,
    },
    /// `fnstcw [address]`, `fldcw [address]`.
    Fpcw {
        /// Whether it stores.
        store: bool,
        /// Two bytes.
        address: Mem,
    },
    /// `nop`, `endbr64`, `endbr32`.
    Nop,
    /// `ud2`: raises an exception, where execution must never come.
    Undefined,
    /// `host NAME`: the runtime's turn; not an instruction of any CPU.
    Host {
        /// The service's number.
        service: u16,
    },
}

impl Inst {
    /// Fills in the address of the label that the instruction refers to: where it jumps to, the
    /// address of its memory operand, or its constant.
    pub(crate) fn resolve(&mut self, address: u32, memory: bool) {
        match self {
            Inst::Branch { to, .. } | Inst::Jump { to } | Inst::Call { to } => *to = address,
            Inst::Lea { address: mem, .. }
            | Inst::Mxcsr { address: mem, .. }
            | Inst::Fpcw { address: mem, .. } => mem.disp = address as i32,
            Inst::Mov { target, source, .. } | Inst::Alu { target, source, .. } => {
                target.resolve(address, memory);
                source.resolve(address, memory);
            }
            Inst::Widen { source, .. } | Inst::Push { source } | Inst::Idiv { source, .. } => {
                source.resolve(address, memory);
            }
            Inst::Imul { source, .. } => source.resolve(address, memory),
            Inst::Xchg { target, .. }
            | Inst::Pop { target }
            | Inst::Step { target, .. }
            | Inst::Neg { target, .. }
            | Inst::Not { target, .. }
            | Inst::Shift { target, .. }
            | Inst::Set { target, .. }
            | Inst::JumpIndirect { target }
            | Inst::CallIndirect { target } => target.resolve(address, memory),
            Inst::SignToDx { .. }
            | Inst::Ret { .. }
            | Inst::Leave
            | Inst::Nop
            | Inst::Undefined
            | Inst::Host { .. } => {}
        }
    }
}

impl Operand {
    /// Memory takes the address as its displacement, a constant becomes it.
    fn resolve(&mut self, address: u32, memory: bool) {
        match self {
            Operand::Mem(mem) if memory => mem.disp = address as i32,
            Operand::Imm(value) if !memory => *value = i64::from(address),
            _ => {}
        }
    }
}
