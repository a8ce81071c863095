//! The instruction type.

use crate::isa::{Reg, Width};

/// A shift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    /// Left.
    Lsl,
    /// Right, zeros come in.
    Lsr,
    /// Right, the sign comes in.
    Asr,
}

/// The last operand of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A constant.
    Imm(i64),
    /// A register, shifted.
    Reg {
        /// The register.
        reg: Reg,
        /// How it is shifted.
        shift: Shift,
        /// By how much.
        amount: u8,
    },
}

/// An operation of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    /// Left plus right.
    Add,
    /// Left minus right.
    Sub,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Orr,
    /// Bitwise exclusive or.
    Eor,
    /// Bitwise and with the right side's bits changed.
    Bic,
    /// Bitwise or with the right side's bits changed: `mvn`.
    Orn,
}

/// How a 16-bit constant gets into a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WideMove {
    /// `movz`: the rest is 0.
    Zero,
    /// `movn`: then all bits are changed.
    Not,
    /// `movk`: the rest stays.
    Keep,
}

/// How the address of a load or store is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `[base, #offset]`.
    Offset(i32),
    /// `[base, #offset]!`: the base becomes the address.
    Pre(i32),
    /// `[base], #offset`: the base is the address, and is moved afterwards.
    Post(i32),
    /// `[base, index, lsl #shift]`.
    Index {
        /// The register that is added.
        index: Reg,
        /// How far it is shifted to the left.
        shift: u8,
    },
}

/// The address of a load or store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// A register or sp.
    pub base: Reg,
    /// What is added to it, and when.
    pub mode: Mode,
}

/// A condition on the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Z.
    Eq,
    /// Not Z.
    Ne,
    /// `hs`, `cs`: C.
    Hs,
    /// `lo`, `cc`: not C.
    Lo,
    /// N.
    Mi,
    /// Not N.
    Pl,
    /// V.
    Vs,
    /// Not V.
    Vc,
    /// C and not Z.
    Hi,
    /// Not C, or Z.
    Ls,
    /// N = V.
    Ge,
    /// N ≠ V.
    Lt,
    /// Not Z, and N = V.
    Gt,
    /// Z, or N ≠ V.
    Le,
}

/// One instruction. `width` is [`Width::Word`] for `w` registers, whose upper half a write
/// clears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inst {
    /// `movz`, `movn`, `movk`, and `mov` of a constant that these can make.
    MoveWide {
        /// Which.
        op: WideMove,
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// The constant.
        value: u16,
        /// How far it is shifted to the left: 0, 16, 32 or 48.
        shift: u8,
    },
    /// `mov target, source`: between registers, sp and zr.
    Move {
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// The source.
        source: Reg,
    },
    /// `add`, `sub`, `and`, `orr`, `eor`, `mvn`, `neg`, `cmp`, `cmn`, `tst` and those that set
    /// flags.
    Alu {
        /// Which.
        op: Alu,
        /// Whether it sets the flags.
        flags: bool,
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// The left operand.
        left: Reg,
        /// The right operand.
        right: Source,
    },
    /// `lsl`, `lsr`, `asr` by a register's value modulo the width.
    ShiftBy {
        /// Which.
        op: Shift,
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// What is shifted.
        source: Reg,
        /// By how much.
        amount: Reg,
    },
    /// `madd`, `msub`, `mul`, `mneg`: addend ± left * right.
    Multiply {
        /// Whether it is the difference.
        subtract: bool,
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// A factor.
        left: Reg,
        /// The other.
        right: Reg,
        /// What the product is added to.
        addend: Reg,
    },
    /// `sdiv`, `udiv`: rounded towards zero; by zero it is 0, and no fault.
    Divide {
        /// Whether it is `sdiv`.
        signed: bool,
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// The dividend.
        left: Reg,
        /// The divisor.
        right: Reg,
    },
    /// `csel target, yes, no, condition`; `cset target, condition` is 1 or 0.
    Select {
        /// Four or eight bytes.
        width: Width,
        /// The target.
        target: Reg,
        /// If the condition holds.
        yes: Source,
        /// If it does not.
        no: Source,
        /// The condition.
        condition: Condition,
    },
    /// `adr target, label`.
    Adr {
        /// The target.
        target: Reg,
        /// The label's address.
        to: u32,
    },
    /// `ldr`, `str` and their kin.
    Transfer {
        /// Whether it loads.
        load: bool,
        /// Bytes of memory.
        width: Width,
        /// A load that brings its sign: into so many bytes of the register.
        signed: Option<Width>,
        /// Loaded or stored.
        reg: Reg,
        /// Where.
        address: Address,
    },
    /// `ldp`, `stp`.
    Pair {
        /// Whether it loads.
        load: bool,
        /// Bytes of each: four or eight.
        width: Width,
        /// At the lower address.
        first: Reg,
        /// At the higher one.
        second: Reg,
        /// Where.
        address: Address,
    },
    /// `fmov target, source`: 64 bits between `d` and `x` registers.
    FMov {
        /// The target.
        target: Reg,
        /// The source.
        source: Reg,
    },
    /// `mrs target, fpcr`, `msr fpcr, source`.
    Fpcr {
        /// Whether it reads FPCR.
        read: bool,
        /// The general register.
        reg: Reg,
    },
    /// `b label`.
    Jump {
        /// An address.
        to: u32,
    },
    /// `bl label`: x30 is the address of the next instruction.
    Call {
        /// An address.
        to: u32,
    },
    /// `br target`.
    JumpIndirect {
        /// Holds the address.
        target: Reg,
    },
    /// `blr target`.
    CallIndirect {
        /// Holds the address.
        target: Reg,
    },
    /// `ret`, `ret target`.
    Ret {
        /// Holds the address: x30 if none is named.
        target: Reg,
    },
    /// `b.cond label`.
    Branch {
        /// When it jumps.
        condition: Condition,
        /// An address.
        to: u32,
    },
    /// `cbz reg, label`, `cbnz reg, label`.
    CompareBranch {
        /// Whether it jumps if the register is not 0.
        nonzero: bool,
        /// Four or eight bytes.
        width: Width,
        /// The register.
        reg: Reg,
        /// An address.
        to: u32,
    },
    /// `nop`, `bti`.
    Nop,
    /// `brk`, `udf`: raises an exception, where execution must never come.
    Undefined,
    /// `host NAME`: the runtime's turn; not an instruction of any CPU.
    Host {
        /// The service's number.
        service: u16,
    },
}

impl Inst {
    /// Fills in the address of the label that the instruction refers to.
    pub(crate) fn resolve(&mut self, address: u32) {
        match self {
            Inst::Adr { to, .. }
            | Inst::Jump { to }
            | Inst::Call { to }
            | Inst::Branch { to, .. }
            | Inst::CompareBranch { to, .. } => *to = address,
            _ => {}
        }
    }
}
