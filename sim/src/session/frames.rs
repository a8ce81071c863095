//! Walking the frames of a task, on its stack or in its image.

use super::Session;
use crate::fault::TaskNumber;
use crate::isa::unwind::Rule;
use crate::machine::signal;
use crate::program::{Isa, StmtRef};
use crate::view::{FrameView, TaskStatus, TaskView};

/// The deepest recursion that is shown.
const MAX_FRAMES: usize = 10_000;

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The instruction.
    pub pc: u32,
    pub sp: u64,
    pub fp: u64,
    /// The lowest live byte, which may be below sp.
    pub low: u64,
}

/// Where the bytes of a task are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
    /// On its stack.
    Stack,
    /// In its save stack.
    Image {
        /// The first byte of the image.
        address: u64,
        /// The address on the stack that it belongs to.
        low: u64,
        bytes: u64,
    },
}

impl Home {
    /// Where the byte is that belongs at an address of the stack.
    pub fn locate(self, address: u64) -> Option<u64> {
        match self {
            Home::Stack => Some(address),
            Home::Image {
                address: base,
                low,
                bytes,
            } => {
                let offset = address.wrapping_sub(low);
                (offset < bytes).then(|| base + offset)
            }
        }
    }
}

/// A frame with what a view of its words needs.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub view: FrameView,
    /// The instruction that execution is at in it.
    pub pc: u32,
    /// Where its return address is, relative to its top.
    pub return_address: Option<i32>,
}

impl Session {
    /// Where the running task is.
    pub(super) fn here(&self) -> Start {
        let machine = &self.machine;
        Start {
            pc: machine.pc,
            sp: machine.sp(),
            fp: machine.values[machine.fp_reg().index()],
            low: machine.sp(),
        }
    }

    /// Where a task is: at the machine's registers if it runs, otherwise where the host says.
    pub(super) fn start_of(&self, task: TaskNumber) -> Option<Start> {
        if self.machine.task() == Some(task) {
            return Some(self.here());
        }
        let anchor = self.host.anchor(task)?;
        let pc = self.code.index_of(anchor.address);
        (pc != crate::code::NONE).then_some(Start {
            pc,
            sp: anchor.sp,
            fp: anchor.fp,
            low: anchor.low,
        })
    }

    /// Where a task's bytes are.
    pub(super) fn home_of(&self, task: &TaskView) -> Home {
        match task.save {
            Some(save) if save.used > 0 => Home::Image {
                address: save.address,
                low: save.image_low,
                bytes: u64::from(save.used),
            },
            _ => Home::Stack,
        }
    }

    /// The frames of a task from the innermost on, below `top`.
    pub(super) fn walk(
        &self,
        task: TaskNumber,
        start: Start,
        home: Home,
        top: u64,
        limit: usize,
    ) -> Vec<Frame> {
        let mut frames = Vec::new();
        let word = u64::from(self.machine.word.bytes());
        let read = |address: u64| {
            let value = self.peek(home.locate(address)?, word)?;
            Some(value)
        };
        let Start {
            mut pc,
            mut sp,
            mut fp,
            low,
        } = start;
        let mut low = low.min(sp);
        while frames.len() < limit.min(MAX_FRAMES) {
            if self.code.is_sigreturn(pc) {
                let frame = signal::Frame::at_return(self.isa(), sp);
                let machine = &self.machine;
                let register = |reg| frame.register(reg).and_then(read);
                let interrupted = read(frame.pc()).map(|address| self.code.index_of(address));
                let (Some(next), Some(next_sp), Some(next_fp)) = (
                    interrupted.filter(|next| *next != crate::code::NONE),
                    register(machine.sp_reg()),
                    register(machine.fp_reg()),
                ) else {
                    break;
                };
                let high = frame.high();
                if high < low || high > next_sp || next_sp > top {
                    break;
                }
                frames.push(Frame {
                    view: FrameView {
                        function: "signal frame".to_owned(),
                        runtime: true,
                        task,
                        low,
                        high,
                        address: self.code.address_of(pc),
                        statement: None,
                    },
                    pc,
                    return_address: None,
                });
                // The red zone belongs to whoever was interrupted.
                (pc, sp, fp, low) = (next, next_sp, next_fp, high);
                continue;
            }
            let Some(rule) = self.code.unwind().rules.get(pc as usize).copied() else {
                break;
            };
            let Some(high) = top_of(rule, sp, fp).filter(|high| *high >= low && *high <= top)
            else {
                break;
            };
            let Some(function) = self.code.function_of(pc) else {
                break;
            };
            frames.push(Frame {
                view: FrameView {
                    function: function.info.name.clone(),
                    runtime: function.info.runtime,
                    task,
                    low,
                    high,
                    address: self.code.address_of(pc),
                    // An outer frame is at its call, not at what comes after.
                    statement: match frames.is_empty() {
                        true => self.code.statement_of(pc),
                        false => self.code.statement_of(pc.saturating_sub(1)),
                    },
                },
                pc,
                return_address: rule.return_address,
            });
            let at = |offset: i32| high.wrapping_add(offset as i64 as u64);
            let return_address = match rule.return_address {
                Some(offset) => read(at(offset)),
                None if frames.len() == 1 => self.link_register(task),
                None => None,
            };
            if let Some(offset) = rule.saved_fp {
                fp = read(at(offset)).unwrap_or(0);
            }
            let Some(next) = return_address.map(|address| self.code.index_of(address)) else {
                break;
            };
            if next == crate::code::NONE || high == top {
                break;
            }
            (pc, sp, low) = (next, high, high);
        }
        frames
    }

    /// The return address of a function that has not saved it, where it is in a register.
    fn link_register(&self, task: TaskNumber) -> Option<u64> {
        let runs = self.isa() == Isa::Aarch64 && self.machine.task() == Some(task);
        runs.then(|| self.machine.values[30])
    }

    /// A word of memory, whatever is known about it.
    pub(super) fn peek(&self, address: u64, bytes: u64) -> Option<u64> {
        let mut value = 0;
        let mut offset = 0;
        while offset < bytes {
            let at = address.wrapping_add(offset);
            let cell = self.machine.memory.read(at)?;
            let skip = at & 7;
            value |= (cell.value >> (8 * skip)) << (8 * offset);
            offset += 8 - skip;
        }
        Some(value & (u64::MAX >> (64 - 8 * bytes.clamp(1, 8))))
    }

    /// The statement that is being executed: of a stub, the one that called it.
    pub(super) fn statement_here(&self) -> Option<StmtRef> {
        self.statement_from(self.here())
    }

    /// As [`statement_here`](Self::statement_here), for a task.
    pub(super) fn statement_from(&self, start: Start) -> Option<StmtRef> {
        if let Some(statement) = self.code.statement_of(start.pc) {
            return Some(statement);
        }
        let task = self.machine.task().unwrap_or(0);
        let top = self
            .machine
            .stack_of_sp(start.sp)
            .map(|stack| self.machine.stacks[stack].top)?;
        let frames = self.walk(task, start, Home::Stack, top, 8);
        frames.iter().find_map(|frame| frame.view.statement)
    }

    /// Whether a task has frames to show.
    pub(super) fn has_frames(task: &TaskView) -> bool {
        !matches!(task.status, TaskStatus::Fresh | TaskStatus::Ended)
    }
}

fn top_of(rule: Rule, sp: u64, fp: u64) -> Option<u64> {
    let from = |base: u64, offset: i32| base.checked_add_signed(i64::from(offset));
    match (rule.sp, rule.fp) {
        (Some(offset), _) => from(sp, offset),
        (None, Some(offset)) => from(fp, offset),
        (None, None) => None,
    }
}
