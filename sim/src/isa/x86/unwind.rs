//! What an instruction does to the frame.

use super::registers::{BP, I386, SP, X86_64};
use super::{Alu, Inst, Mem, Operand};
use crate::isa::unwind::{Abi, Effect, Unwind, follow};

/// The rules of a text. `index_of` finds the instruction at an address.
pub(crate) fn unwind(
    insts: &[Inst],
    long_mode: bool,
    index_of: impl Fn(u32) -> u32,
    entry: impl Fn(usize) -> bool,
) -> Unwind {
    let abi = Abi {
        word: if long_mode { 8 } else { 4 },
        fp: BP.0,
        link: None,
        register_name: match long_mode {
            true => |index| name(index, true),
            false => |index| name(index, false),
        },
    };
    follow(
        insts.len(),
        &abi,
        |index| effect(&insts[index], &index_of),
        entry,
    )
}

fn name(index: u8, long_mode: bool) -> &'static str {
    let registers = match long_mode {
        true => &X86_64[..],
        false => &I386[..],
    };
    let info = registers.iter().find(|info| info.reg.0 == index);
    info.map_or("?", |info| info.name)
}

fn effect(inst: &Inst, index_of: impl Fn(u32) -> u32) -> Effect {
    const TO_SP: Operand = Operand::Reg(SP);
    const TO_BP: Operand = Operand::Reg(BP);
    match *inst {
        Inst::Push { source } => Effect::Push(register(source)),
        Inst::Pop { target: TO_SP } => Effect::Exchange,
        Inst::Pop { target } => Effect::Pop(register(target)),
        Inst::Alu {
            op,
            target: TO_SP,
            source,
            ..
        } => match (op, source) {
            (Alu::Cmp | Alu::Test, _) => Effect::None,
            (Alu::Add, Operand::Imm(by)) => Effect::MoveSp(by as i32),
            (Alu::Sub, Operand::Imm(by)) => Effect::MoveSp((by as i32).wrapping_neg()),
            _ => Effect::Lost,
        },
        Inst::Lea {
            target: SP,
            address:
                Mem {
                    base: Some(SP),
                    index: None,
                    disp,
                    ..
                },
            ..
        } => Effect::MoveSp(disp),
        Inst::Lea {
            target: SP,
            address:
                Mem {
                    base: Some(BP),
                    index: None,
                    disp,
                    ..
                },
            ..
        } => Effect::SpFromFp(disp),
        Inst::Lea { target: SP, .. } => Effect::Lost,
        Inst::Lea {
            target: BP,
            address:
                Mem {
                    base: Some(SP),
                    index: None,
                    disp,
                    ..
                },
            ..
        } => Effect::SetFp(disp),
        Inst::Lea {
            target,
            address:
                Mem {
                    base: None,
                    index: None,
                    disp,
                    ..
                },
            ..
        } if index_of(disp as u32) != crate::code::NONE => Effect::CodeAddress(target.0),
        Inst::Mov {
            target: TO_BP,
            source: TO_SP,
            ..
        } => Effect::SetFp(0),
        Inst::Mov {
            target: TO_SP,
            source: TO_BP,
            ..
        } => Effect::SpFromFp(0),
        Inst::Mov { target: TO_SP, .. } | Inst::Xchg { target: TO_SP, .. } => Effect::Exchange,
        Inst::Xchg { source: SP, .. } => Effect::Exchange,
        Inst::Branch { to, .. } => Effect::Branch(index_of(to)),
        Inst::Jump { to } => Effect::Jump(index_of(to)),
        Inst::Leave => Effect::Leave,
        Inst::Ret { .. } | Inst::Undefined => Effect::Return,
        _ => Effect::None,
    }
}

fn register(operand: Operand) -> Option<u8> {
    match operand {
        Operand::Reg(reg) => Some(reg.0),
        _ => None,
    }
}
