//! What an instruction does to the frame.

use super::registers::{AARCH64, FP, LR, SP};
use super::{Alu, Inst, Mode, Source};
use crate::isa::unwind::{Abi, Effect, Unwind, follow};
use crate::isa::{Reg, Width};

/// The rules of a text. `index_of` finds the instruction at an address.
pub(crate) fn unwind(
    insts: &[Inst],
    index_of: impl Fn(u32) -> u32,
    entry: impl Fn(usize) -> bool,
) -> Unwind {
    let abi = Abi {
        word: 8,
        fp: FP.0,
        link: Some(LR.0),
        register_name: |index| {
            let info = AARCH64.iter().find(|info| info.reg.0 == index);
            info.map_or("?", |info| info.name)
        },
    };
    follow(
        insts.len(),
        &abi,
        |index| effect(&insts[index], &index_of),
        entry,
    )
}

fn effect(inst: &Inst, index_of: impl Fn(u32) -> u32) -> Effect {
    match *inst {
        Inst::Alu {
            op,
            target: SP,
            left,
            right: Source::Imm(by),
            ..
        } => {
            let by = match op {
                Alu::Add => by as i32,
                Alu::Sub => (by as i32).wrapping_neg(),
                _ => return Effect::Lost,
            };
            match left {
                SP => Effect::MoveSp(by),
                FP => Effect::SpFromFp(by),
                _ => Effect::Lost,
            }
        }
        Inst::Alu { target: SP, .. } => Effect::Lost,
        Inst::Alu {
            op: Alu::Add,
            target: FP,
            left: SP,
            right: Source::Imm(by),
            ..
        } => Effect::SetFp(by as i32),
        Inst::Move {
            target: FP,
            source: SP,
            ..
        } => Effect::SetFp(0),
        Inst::Move {
            target: SP,
            source: FP,
            ..
        } => Effect::SpFromFp(0),
        Inst::Move { target: SP, .. } => Effect::Exchange,
        Inst::Adr { target, to } if index_of(to) != crate::code::NONE => {
            Effect::CodeAddress(target.0)
        }
        Inst::Transfer {
            load,
            width: Width::Double,
            reg,
            address,
            ..
        } if address.base == SP => transfer(load, reg, None, address.mode),
        Inst::Pair {
            load,
            width: Width::Double,
            first,
            second,
            address,
        } if address.base == SP => transfer(load, first, Some(second), address.mode),
        Inst::Jump { to } => Effect::Jump(index_of(to)),
        Inst::Branch { to, .. } | Inst::CompareBranch { to, .. } => Effect::Branch(index_of(to)),
        Inst::Ret { .. } | Inst::Undefined => Effect::Return,
        _ => Effect::None,
    }
}

/// One or two registers to or from sp + something.
fn transfer(load: bool, first: Reg, second: Option<Reg>, mode: Mode) -> Effect {
    let (first, second) = (first.0, second.map(|reg| reg.0));
    let (offset, moved) = match (mode, load) {
        (Mode::Offset(offset), _) => (offset, 0),
        (Mode::Pre(by), false) => (0, by),
        (Mode::Post(by), true) => (0, by),
        (Mode::Pre(by), true) => (by, by),
        // A store before sp moves: afterwards, it lies as much lower.
        (Mode::Post(by), false) => (by.wrapping_neg(), by),
        (Mode::Index { .. }, _) => return Effect::None,
    };
    match load {
        true => Effect::Load {
            first,
            second,
            offset,
            moved,
        },
        false => Effect::Store {
            first,
            second,
            offset,
            moved,
        },
    }
}
