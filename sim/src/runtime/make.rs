//! How tasks come into being.

use costack_lang::syntax::{self, FnId};

use crate::fault::{FaultKind, TaskNumber};
use crate::host::{Context, SegmentKind};
use crate::view::SaveStack;

use super::command::{Command, Reply};
use super::host::Runtime;
use super::memory::{self, Beginning, FIELDS, FIELDS_AND_REGISTERS, Field};
use super::names;

/// How a new task is to be made.
pub(super) struct NewTask<'a> {
    pub(super) name: u32,
    pub(super) stack: syntax::StackId,
    pub(super) fp: bool,
    pub(super) function: FnId,
    pub(super) arguments: &'a [u64],
}

impl Runtime {
    /// Makes a task: its control block, its first frame, and on a shared stack a save stack that
    /// holds it.
    pub(super) fn make(
        &mut self,
        context: &mut Context<'_>,
        new: &NewTask<'_>,
    ) -> Result<TaskNumber, FaultKind> {
        let stack = new.stack.0 + 1;
        let convention = memory::convention(self.isa);
        let (frame, below_sp) = match new.fp {
            true => (convention.frame_fp, 0),
            false => (self.style.frame.as_slice(), self.style.below_sp),
        };
        let beginning = Beginning {
            entry: memory::label(context, "rt_entry")?,
            called: memory::label(context, "rt_first")?,
            function: memory::label(context, &self.labels[new.function.index()])?,
            arguments: new.arguments,
        };
        let mut words = convention.first_frame(frame, &beginning);
        words.extend(std::iter::repeat_n(0, self.style.words_too_low));
        let block_words = convention.words(&self.style.block, &beginning);
        let word_bytes = self.isa.word_bytes();
        let image = words.len() as u32 * word_bytes;
        let sp_above_low = below_sp as u64 * u64::from(word_bytes);
        let reply = self.apply(Command::Make {
            name: new.name,
            stack,
            fp: new.fp,
            image,
        });
        let task = match reply {
            Reply::Made(task) => task,
            other => {
                let name = names::task_name(&self.program, new.name);
                let stack = names::stack(&self.program, stack);
                return Err(self.refused(format!("spawn {name} on {stack}"), other));
            }
        };
        let range = context.stack(stack);
        let low = range.end.saturating_sub(image.into());
        if low < range.start {
            return Err(FaultKind::Runtime {
                message: format!(
                    "the first frame of {} takes {image} bytes, more than its stack has",
                    self.task_name(task)
                ),
            });
        }
        let own = self.state().stacks[stack as usize].is_own();
        self.made(task);
        let block = self.allocate_block(context, task)?;
        let mut save = SaveStack::default();
        if own {
            context.set_owner(stack, Some(task));
            self.write_words(context, low, &words)?;
        } else {
            save.capacity = memory::save_capacity(image);
            save.address =
                context.allocate(SegmentKind::SaveStack { task }, save.capacity.into(), &[])?;
            self.write_words(context, save.address, &words)?;
            let bytes = save.address..save.address + u64::from(image);
            save.used = image;
            save.image_low = low;
            save.checksum = Some(context.checksum(bytes)?);
        }
        let sp_word = Field::Sp.at(block, self.isa);
        context.store_pointer(sp_word, low + sp_above_low, task)?;
        self.write_words(context, sp_word + u64::from(word_bytes), &block_words)?;
        context.store(Field::Save.at(block, self.isa), save.address)?;
        context.store(Field::Capacity.at(block, self.isa), save.capacity.into())?;
        context.store(Field::Image.at(block, self.isa), save.used.into())?;
        let _ = self.apply(Command::Place {
            task,
            control_block: block,
            save,
        });
        Ok(task)
    }

    pub(super) fn allocate_block(
        &self,
        context: &mut Context<'_>,
        task: TaskNumber,
    ) -> Result<u64, FaultKind> {
        let fields = match self.style.own {
            true => FIELDS_AND_REGISTERS,
            false => FIELDS,
        };
        let bytes = fields.len() as u64 * u64::from(self.isa.word_bytes());
        context.allocate(SegmentKind::ControlBlock { task }, bytes, fields)
    }

    fn write_words(
        &self,
        context: &mut Context<'_>,
        at: u64,
        words: &[u64],
    ) -> Result<(), FaultKind> {
        let mut address = at;
        for word in words {
            context.store(address, *word)?;
            address += u64::from(self.isa.word_bytes());
        }
        Ok(())
    }
}
