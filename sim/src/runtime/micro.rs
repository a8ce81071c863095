//! What the core leaves pending, done to memory one step each.

use std::ops::Range;

use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::host::{Context, SegmentKind};
use crate::machine::Did;
use crate::view::{SaveStack, StepKind};

use super::command::{Command, Micro};
use super::host::Runtime;
use super::memory::{self, Field};

impl Runtime {
    #[inline(always)]
    pub(super) fn carry_out(
        &mut self,
        context: &mut Context<'_>,
        micro: &Micro,
    ) -> Result<(), FaultKind> {
        match *micro {
            Micro::Grow { task, bytes } => self.grow(context, task, bytes),
            Micro::Save { task, bytes } => self.save(context, task, bytes),
            Micro::Owner { stack, from, to } => {
                context.set_owner(stack, to);
                context.did_often(Did::Owner { stack, from, to });
                Ok(())
            }
            Micro::Restore { task, bytes } => self.restore(context, task, bytes),
            Micro::Clock { .. } => Ok(()),
        }
    }

    fn grow(
        &mut self,
        context: &mut Context<'_>,
        task: TaskNumber,
        bytes: u32,
    ) -> Result<(), FaultKind> {
        let (_, _, old) = self.record(task);
        let capacity = memory::save_capacity(bytes);
        if old.address != 0 {
            context.free(old.address)?;
        }
        let address = context.allocate(SegmentKind::SaveStack { task }, capacity.into(), &[])?;
        context.store(self.field(task, Field::Save), address)?;
        context.store(self.field(task, Field::Capacity), capacity.into())?;
        let _ = self.apply(Command::Grown {
            task,
            address,
            capacity,
        });
        context.did(StepKind::Grow {
            task,
            from: old.capacity,
            to: capacity,
        });
        Ok(())
    }

    fn save(
        &mut self,
        context: &mut Context<'_>,
        task: TaskNumber,
        bytes: u32,
    ) -> Result<(), FaultKind> {
        let (stack, _, save) = self.record(task);
        let range = self.image_range(context, stack, bytes, false);
        let bytes = (range.end - range.start) as u32;
        let checksum = context.checksum(range.clone())?;
        context.copy(range.start, save.address, bytes.into())?;
        context.store(self.field(task, Field::Image), bytes.into())?;
        let _ = self.apply(Command::Saved {
            task,
            low: range.start,
            bytes,
            checksum,
        });
        context.did_often(Did::Save {
            task,
            stack,
            low: range.start,
            to: save.address,
            bytes,
        });
        Ok(())
    }

    fn restore(
        &mut self,
        context: &mut Context<'_>,
        task: TaskNumber,
        bytes: u32,
    ) -> Result<(), FaultKind> {
        // The core has forgotten the image's checksum already: it is no longer an image.
        let (stack, saved, save) = self.record(task);
        let range = self.image_range(context, stack, bytes, self.is_fresh(task));
        let bytes = (range.end - range.start) as u32;
        context.copy(save.address, range.start, bytes.into())?;
        context.store(self.field(task, Field::Image), 0)?;
        let found = context.checksum(range.clone())?;
        if let Some(saved) = saved
            && found != saved
        {
            return Err(FaultKind::ImageChanged { task, saved, found });
        }
        context.did_often(Did::Restore {
            task,
            stack,
            low: range.start,
            from: save.address,
            bytes,
        });
        Ok(())
    }

    /// Where on its stack an image of so many bytes lies: up to the top, unless the style loses
    /// something there. A first frame is complete.
    fn image_range(
        &self,
        context: &Context<'_>,
        stack: StackNumber,
        bytes: u32,
        fresh: bool,
    ) -> Range<u64> {
        let top = context.stack(stack).end;
        let lost = match fresh {
            true => 0,
            false => (self.style.words_lost * self.isa.word_bytes()).min(bytes),
        };
        top - u64::from(bytes)..top - u64::from(lost)
    }

    /// A task's stack, the checksum of the image being restored, and its save stack.
    fn record(&self, task: TaskNumber) -> (StackNumber, Option<u64>, SaveStack) {
        match self.state().task(task) {
            Some(task) => (task.stack, task.restoring, task.save),
            None => (0, None, SaveStack::default()),
        }
    }
}
