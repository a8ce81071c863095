//! How many bytes an instruction takes, so that addresses look as they do in a debugger.

use super::{Inst, Mem, Operand};
use crate::isa::{Reg, Width};

/// The length of the usual encoding, with jumps and calls to a label of 32-bit displacement.
/// Nothing depends on its being exact.
pub fn length(inst: &Inst, long_mode: bool) -> u32 {
    let size = Size { long_mode };
    match *inst {
        Inst::Mov {
            width,
            target,
            source,
        } => match (target, source) {
            (Operand::Reg(reg), Operand::Imm(value)) => match width {
                Width::Double if i32::try_from(value).is_err() => 10,
                Width::Double => 7,
                _ => size.prefix(width, Some(reg)) + 1 + width.bytes().min(4),
            },
            (target, Operand::Imm(_)) => 1 + size.operand(width, target) + width.bytes().min(4),
            (Operand::Mem(_), source) => 1 + size.pair(width, target, source),
            (target, source) => 1 + size.pair(width, source, target),
        },
        Inst::Widen {
            width,
            source,
            target,
            ..
        } => 2 + size.pair(width, source, Operand::Reg(target)),
        Inst::Lea {
            width,
            target,
            address,
        } => 1 + size.pair(width, Operand::Mem(address), Operand::Reg(target)),
        Inst::Xchg {
            width,
            target,
            source,
        } => 1 + size.pair(width, target, Operand::Reg(source)),
        Inst::Push { source } => match source {
            Operand::Reg(reg) => 1 + size.prefix(Width::Word, Some(reg)),
            Operand::Imm(value) => 2 + 3 * u32::from(i8::try_from(value).is_err()),
            Operand::Mem(_) => 1 + size.operand(Width::Word, source),
        },
        Inst::Pop { target } => match target {
            Operand::Reg(reg) => 1 + size.prefix(Width::Word, Some(reg)),
            target => 1 + size.operand(Width::Word, target),
        },
        Inst::Alu {
            width,
            target,
            source,
            ..
        } => match source {
            Operand::Imm(value) => {
                let constant = match i8::try_from(value) {
                    Ok(_) => 1,
                    Err(_) => width.bytes().min(4),
                };
                1 + size.operand(width, target) + constant
            }
            Operand::Mem(_) => 1 + size.pair(width, source, target),
            Operand::Reg(_) => 1 + size.pair(width, target, source),
        },
        Inst::Step { width, target, .. }
        | Inst::Neg { width, target }
        | Inst::Not { width, target } => 1 + size.operand(width, target),
        Inst::Imul {
            width,
            target,
            source,
            constant,
        } => 2 + size.pair(width, source, Operand::Reg(target)) + constant.map_or(0, |_| 3),
        Inst::Idiv { width, source } => 1 + size.operand(width, source),
        Inst::SignToDx { width } => 1 + u32::from(width == Width::Double),
        Inst::Shift {
            width,
            target,
            count,
            ..
        } => 1 + size.operand(width, target) + u32::from(count.is_some()),
        Inst::Set { target, .. } => 2 + size.operand(Width::Byte, target),
        Inst::Branch { .. } => 6,
        Inst::Jump { .. } | Inst::Call { .. } => 5,
        Inst::JumpIndirect { target } | Inst::CallIndirect { target } => {
            1 + size.operand(Width::Word, target)
        }
        Inst::Ret { drop } => 1 + 2 * u32::from(drop != 0),
        Inst::Leave | Inst::Nop => 1,
        Inst::Mxcsr { address, .. } => 2 + size.operand(Width::Word, Operand::Mem(address)),
        Inst::Fpcw { address, .. } => 1 + size.operand(Width::Word, Operand::Mem(address)),
        Inst::Host { .. } | Inst::Undefined => 2,
    }
}

struct Size {
    long_mode: bool,
}

impl Size {
    /// The prefixes: 66 for two bytes, REX for eight or for the upper eight registers.
    fn prefix(&self, width: Width, reg: Option<Reg>) -> u32 {
        let rex = self.long_mode && (width == Width::Double || reg.is_some_and(|r| r.0 >= 8));
        u32::from(width == Width::Half) + u32::from(rex)
    }

    /// Prefixes and the bytes that name one operand.
    fn operand(&self, width: Width, operand: Operand) -> u32 {
        self.pair(width, operand, Operand::Imm(0))
    }

    /// Prefixes and the bytes that name two operands, at most the first of which is memory.
    fn pair(&self, width: Width, first: Operand, second: Operand) -> u32 {
        let high = |operand: Operand| match operand {
            Operand::Reg(reg) => reg.0 >= 8,
            Operand::Mem(mem) => [mem.base, mem.index].iter().flatten().any(|r| r.0 >= 8),
            Operand::Imm(_) => false,
        };
        let rex = self.long_mode && (width == Width::Double || high(first) || high(second));
        let named = match first {
            Operand::Mem(mem) => mem_bytes(mem),
            _ => 1,
        };
        u32::from(width == Width::Half) + u32::from(rex) + named
    }
}

/// ModRM, SIB and displacement.
fn mem_bytes(mem: Mem) -> u32 {
    let sib = mem.index.is_some() || mem.base.is_some_and(|base| base.0 & 7 == 4);
    let disp = match (mem.base, mem.disp) {
        (None, _) => 4,
        (Some(base), 0) if base.0 & 7 != 5 => 0,
        (Some(_), disp) if i8::try_from(disp).is_ok() => 1,
        (Some(_), _) => 4,
    };
    1 + u32::from(sib) + disp
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::x86::registers::{AX, BP, BX, DI, SP};

    #[track_caller]
    fn check(inst: Inst, expect: u32) {
        assert_eq!(length(&inst, true), expect, "{inst:?}");
    }

    #[test]
    fn common_forms_have_the_length_of_their_encoding() {
        let at = |base, disp| Mem {
            base: Some(base),
            index: None,
            scale: 1,
            disp,
        };
        let (reg, mem) = (Operand::Reg, Operand::Mem);
        let width = Width::Double;
        check(Inst::Push { source: reg(BP) }, 1);
        check(
            Inst::Push {
                source: reg(Reg(12)),
            },
            2,
        );
        check(
            Inst::Mov {
                width,
                target: reg(BP),
                source: reg(SP),
            },
            3,
        );
        check(
            Inst::Mov {
                width,
                target: mem(at(DI, 0)),
                source: reg(SP),
            },
            3,
        );
        check(
            Inst::Mov {
                width,
                target: reg(AX),
                source: mem(at(BP, -8)),
            },
            4,
        );
        check(
            Inst::Mov {
                width,
                target: reg(AX),
                source: mem(at(SP, 8)),
            },
            5,
        );
        check(
            Inst::Lea {
                width,
                target: BX,
                address: Mem {
                    disp: 0x40_1000,
                    ..Mem::default()
                },
            },
            7,
        );
        check(Inst::JumpIndirect { target: reg(DI) }, 2);
        check(
            Inst::Alu {
                op: crate::isa::x86::Alu::Sub,
                width,
                target: reg(SP),
                source: Operand::Imm(40),
            },
            4,
        );
        check(Inst::Ret { drop: 0 }, 1);
    }
}
