//! The checker of calls: what every callee-saved register held at each function's entry.
//!
//! This is beside the simulated machine and has no influence on it: return addresses are in
//! simulated memory, and execution goes where these say. Each task has its own chain of calls;
//! a return belongs to the call whose return address lies at the same place.

use super::pieces::Pieces;
use super::{Machine, Trap};
use crate::code::NONE;
use crate::fault::FaultKind;
use crate::isa::{Reg, register_name, registers};
use crate::program::Isa;
use crate::view::RegisterClass;

/// A call that has not returned, or had not when it was made.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// sp at the function's entry.
    sp: u64,
    /// The call around it, as in `heads`.
    parent: u64,
    /// The function.
    function: u32,
    /// Where its registers are in `saved`.
    saved: usize,
}

/// All calls ever made. They only grow, so that going back needs to restore the heads only.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    calls: Pieces<Call, 12>,
    /// The callee-saved registers of each call.
    saved: Pieces<u64, 15>,
    /// The innermost call of each task by its tag's index, plus 1; 0 for none.
    pub heads: Vec<u64>,
    callee_saved: Vec<Reg>,
}

impl Calls {
    pub fn new(isa: Isa) -> Self {
        let callee_saved = registers(isa)
            .iter()
            .filter(|info| info.class == RegisterClass::CalleeSaved)
            .map(|info| info.reg)
            .collect();
        Calls {
            calls: Pieces::EMPTY,
            saved: Pieces::EMPTY,
            heads: Vec::new(),
            callee_saved,
        }
    }

    /// Makes room for a call of a task.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, task: usize) {
        self.calls.settle();
        self.saved.settle();
        if self.heads.len() <= task {
            self.heads.resize(task + 1, 0);
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.calls.bytes() + self.saved.bytes() + self.heads.len() * 8
    }
}

impl Machine {
    /// Execution goes on at an address.
    #[inline(always)]
    pub fn go_to(&mut self, address: u64) -> Result<(), Trap> {
        let index = self.code.index_of(address);
        if index == NONE {
            return Err(FaultKind::NotCode { address }.into());
        }
        self.pc = index;
        Ok(())
    }

    /// A function is entered by a call; sp is what it will be at its return, before that has
    /// popped anything. `pushed` is what the call has pushed.
    #[inline(always)]
    pub fn enter(&mut self, target: u32, pushed: u64) -> Result<(), Trap> {
        let function = self.code.entry_at(target);
        let sp = self.sp();
        if function != NONE && (sp.wrapping_add(pushed)) & 15 != 0 {
            return Err(self.misaligned_entry(function));
        }
        let task = self.sp_shadow().tag_index();
        if task == 0 {
            return Ok(());
        }
        let calls = &mut self.calls;
        if calls.calls.is_full() | calls.saved.is_full() | (calls.heads.len() <= task) {
            calls.make_room(task);
        }
        let parent = calls.heads[task];
        calls.calls.push_in_slack(Call {
            sp,
            parent,
            function,
            saved: calls.saved.end(),
        });
        for reg in &calls.callee_saved {
            calls
                .saved
                .push_in_slack(self.values[reg.index() % super::REGISTERS]);
        }
        calls.heads[task] = calls.calls.end() as u64;
        self.log.head(task as u32, parent);
        Ok(())
    }

    #[cold]
    fn misaligned_entry(&self, function: u32) -> Trap {
        FaultKind::MisalignedSp {
            sp: self.sp(),
            alignment: 16,
            function: self.function_name(function),
        }
        .into()
    }

    fn function_name(&self, function: u32) -> Option<String> {
        let function = self.code.functions.get(function as usize)?;
        Some(function.info.name.clone())
    }

    /// A function returns; sp is still what it was at its entry.
    #[inline(always)]
    pub fn leave(&mut self) -> Result<(), Trap> {
        let task = self.sp_shadow().tag_index();
        let Some(&head) = self.calls.heads.get(task) else {
            return Ok(());
        };
        let sp = self.sp();
        let mut innermost = head;
        while let Some(call) = self.call(innermost) {
            if call.sp > sp {
                break;
            }
            if call.sp == sp {
                self.compare_saved(call)?;
            }
            innermost = call.parent;
        }
        if innermost != head {
            self.calls.heads[task] = innermost;
            self.log.head(task as u32, head);
        }
        Ok(())
    }

    fn call(&self, head: u64) -> Option<Call> {
        self.calls
            .calls
            .get((head as usize).wrapping_sub(1))
            .copied()
    }

    #[inline(always)]
    fn compare_saved(&self, call: Call) -> Result<(), Trap> {
        let calls = &self.calls;
        for (number, reg) in calls.callee_saved.iter().enumerate() {
            let expected = calls.saved.get(call.saved + number).copied().unwrap_or(0);
            if self.values[reg.index() % super::REGISTERS] != expected {
                return self.clobbered(call, *reg, expected);
            }
        }
        Ok(())
    }

    #[cold]
    fn clobbered(&self, call: Call, reg: Reg, expected: u64) -> Result<(), Trap> {
        let Some(function) = self.code.functions.get(call.function as usize) else {
            return Ok(());
        };
        if !function.info.preserves_registers {
            return Ok(());
        }
        Err(FaultKind::RegisterClobbered {
            register: register_name(self.isa, reg),
            expected,
            found: self.values[reg.index()],
            function: function.info.name.clone(),
        }
        .into())
    }
}
