//! Execution of x86-64 and i386: one handler per kind of instruction.

mod arithmetic;
mod data;
mod flags;
mod flow;
mod operands;
#[cfg(test)]
mod tests;

use super::{Machine, Trap};
use crate::fault::FaultKind;
use crate::isa::x86::Inst;

/// What a handler returns: how execution goes on is in [`Machine::pc`].
type Done = Result<(), Trap>;

impl Machine {
    /// Executes one instruction; `pc` is already behind it.
    #[inline(always)]
    pub(crate) fn execute_x86(&mut self, inst: &Inst) -> Done {
        match *inst {
            Inst::Mov {
                width,
                target,
                source,
            } => self.x86_mov(width, target, source),
            Inst::Widen {
                signed,
                width,
                from,
                target,
                source,
            } => self.x86_widen(signed, width, from, target, source),
            Inst::Lea {
                width,
                target,
                address,
            } => self.x86_lea(width, target, address),
            Inst::Xchg {
                width,
                target,
                source,
            } => self.x86_xchg(width, target, source),
            Inst::Push { source } => self.x86_push(source),
            Inst::Pop { target } => self.x86_pop(target),
            Inst::Alu {
                op,
                width,
                target,
                source,
            } => self.x86_alu(op, width, target, source),
            Inst::Step {
                down,
                width,
                target,
            } => self.x86_step(down, width, target),
            Inst::Neg { width, target } => self.x86_neg(width, target),
            Inst::Not { width, target } => self.x86_not(width, target),
            Inst::Imul {
                width,
                target,
                source,
                constant,
            } => self.x86_imul(width, target, source, constant),
            Inst::Idiv { width, source } => self.x86_idiv(width, source),
            Inst::SignToDx { width } => self.x86_sign_to_dx(width),
            Inst::Shift {
                op,
                width,
                target,
                count,
            } => self.x86_shift(op, width, target, count),
            Inst::Set { condition, target } => self.x86_set(condition, target),
            Inst::Branch { condition, to } => self.x86_branch(condition, to),
            Inst::Jump { to } => self.go_to(u64::from(to)),
            Inst::JumpIndirect { target } => self.x86_jump_indirect(target),
            Inst::Call { to } => self.x86_call(u64::from(to)),
            Inst::CallIndirect { target } => self.x86_call_indirect(target),
            Inst::Ret { drop } => self.x86_ret(drop),
            Inst::Leave => self.x86_leave(),
            Inst::Mxcsr { store, address } => self.x86_mxcsr(store, address),
            Inst::Fpcw { store, address } => self.x86_fpcw(store, address),
            Inst::Undefined => Err(FaultKind::Undefined.into()),
            // A host call is the session's business; it never gets here.
            Inst::Nop | Inst::Host { .. } => Ok(()),
        }
    }
}
