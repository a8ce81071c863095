//! Execution of aarch64: one handler per kind of instruction.

mod arithmetic;
mod data;
mod flow;
mod operands;
#[cfg(test)]
mod tests;

use super::{Machine, Trap};
use crate::fault::FaultKind;
use crate::isa::aarch64::Inst;

/// What a handler returns: how execution goes on is in [`Machine::pc`].
type Done = Result<(), Trap>;

impl Machine {
    /// Executes one instruction; `pc` is already behind it.
    #[inline(always)]
    pub(crate) fn execute_aarch64(&mut self, inst: &Inst) -> Done {
        match *inst {
            Inst::MoveWide {
                op,
                width,
                target,
                value,
                shift,
            } => self.a64_move_wide(op, width, target, value, shift),
            Inst::Move {
                width,
                target,
                source,
            } => self.a64_move(width, target, source),
            Inst::Alu {
                op,
                flags,
                width,
                target,
                left,
                right,
            } => self.a64_alu(op, flags, width, target, left, right),
            Inst::ShiftBy {
                op,
                width,
                target,
                source,
                amount,
            } => self.a64_shift_by(op, width, target, source, amount),
            Inst::Multiply {
                subtract,
                width,
                target,
                left,
                right,
                addend,
            } => self.a64_multiply(subtract, width, target, [left, right, addend]),
            Inst::Divide {
                signed,
                width,
                target,
                left,
                right,
            } => self.a64_divide(signed, width, target, left, right),
            Inst::Select {
                width,
                target,
                yes,
                no,
                condition,
            } => self.a64_select(width, target, yes, no, condition),
            Inst::Adr { target, to } => self.a64_adr(target, to),
            Inst::Transfer {
                load,
                width,
                signed,
                reg,
                address,
            } => match load {
                true => self.a64_load(width, signed, reg, address),
                false => self.a64_store(width, reg, address),
            },
            Inst::Pair {
                load,
                width,
                first,
                second,
                address,
            } => match load {
                true => self.a64_load_pair(width, first, second, address),
                false => self.a64_store_pair(width, first, second, address),
            },
            Inst::FMov { target, source } => self.a64_fmov(target, source),
            Inst::Fpcr { read, reg } => self.a64_fpcr(read, reg),
            Inst::Jump { to } => self.go_to(u64::from(to)),
            Inst::Call { to } => self.a64_call(u64::from(to)),
            Inst::JumpIndirect { target } => self.a64_jump_indirect(target),
            Inst::CallIndirect { target } => self.a64_call_indirect(target),
            Inst::Ret { target } => self.a64_ret(target),
            Inst::Branch { condition, to } => self.a64_branch(condition, to),
            Inst::CompareBranch {
                nonzero,
                width,
                reg,
                to,
            } => self.a64_compare_branch(nonzero, width, reg, to),
            Inst::Undefined => Err(FaultKind::Undefined.into()),
            // A host call is the session's business; it never gets here.
            Inst::Nop | Inst::Host { .. } => Ok(()),
        }
    }
}
