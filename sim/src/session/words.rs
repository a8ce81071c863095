//! Words of memory with what they mean.

use std::ops::Range;

use super::Session;
use super::frames::{Frame, Home};
use crate::fault::{StackNumber, TaskNumber};
use crate::machine::SegmentKind;
use crate::machine::shadow::{Cell, Shadow, WRITTEN};
use crate::machine::signal;
use crate::program::{Slot, SlotKind};
use crate::view::{FrameView, Meaning, Value, WordView};

/// What is known about the owner of a stretch of words.
struct Living {
    task: TaskNumber,
    frames: Vec<Frame>,
    /// The lowest live byte, as an address on the stack.
    low: u64,
}

impl Session {
    /// The words of a stack in a range of addresses, the lowest first.
    pub fn stack_words(&self, stack: StackNumber, range: Range<u64>) -> Vec<WordView> {
        let Some(&on) = self.machine.stacks.get(stack as usize) else {
            return Vec::new();
        };
        let living = self.living_on(stack as usize);
        let range = range.start.max(on.guard)..range.end.min(on.top);
        let guard = |address| (address < on.base).then_some(Meaning::Guard);
        self.words_with(range, living.as_ref(), |address| address, guard)
    }

    /// The words of a task's image in its save stack, and its unused rest, the lowest first. The
    /// addresses are those in the save stack.
    pub fn image_words(&self, task: TaskNumber) -> Vec<WordView> {
        let Some(view) = self.host.task(task) else {
            return Vec::new();
        };
        let Some(save) = view.save else {
            return Vec::new();
        };
        let range = save.address..save.address + u64::from(save.capacity);
        let frames = self.frames_in_image(task);
        let living = (save.used > 0).then_some(Living {
            task,
            frames,
            low: save.image_low,
        });
        let end = save.address + u64::from(save.used);
        let dead = |address| (address >= end).then_some(Meaning::Dead);
        let on_stack = |address: u64| address - save.address + save.image_low;
        self.words_with(range, living.as_ref(), on_stack, dead)
    }

    /// The frames in a task's image, the innermost first, addressed as on the stack.
    pub fn image_frames(&self, task: TaskNumber) -> Vec<FrameView> {
        let frames = self.frames_in_image(task);
        frames.into_iter().map(|frame| frame.view).collect()
    }

    fn frames_in_image(&self, task: TaskNumber) -> Vec<Frame> {
        let Some(view) = self.host.task(task) else {
            return Vec::new();
        };
        let (home @ Home::Image { low, bytes, .. }, Some(start)) =
            (self.home_of(&view), self.start_of(task))
        else {
            return Vec::new();
        };
        self.walk(task, start, home, low + bytes, usize::MAX)
    }

    /// The words of any memory.
    pub fn words(&self, range: Range<u64>) -> Vec<WordView> {
        if let Some(stack) = self.machine.stack_at(range.start) {
            return self.stack_words(stack as StackNumber, range);
        }
        self.words_with(range, None, |address| address, |_| None)
    }

    /// The frames of the task whose bytes are on a stack.
    pub(super) fn frames_on(&self, stack: usize) -> Vec<FrameView> {
        let living = self.living_on(stack);
        let frames = living.map(|living| living.frames).unwrap_or_default();
        frames.into_iter().map(|frame| frame.view).collect()
    }

    fn living_on(&self, stack: usize) -> Option<Living> {
        let on = self.machine.stacks.get(stack)?;
        let runs_here = self.machine.stack_of_sp(self.machine.sp()) == Some(stack);
        let task = match self.machine.task().filter(|_| runs_here) {
            Some(task) => task,
            None => (self.machine.owners[stack] as u32).checked_sub(1)?,
        };
        let start = match runs_here {
            true => Some(self.here()),
            false => self.start_of(task),
        };
        let Some(start) = start else {
            // Made and not resumed yet: its first frame is there, and nothing to walk.
            return Some(Living {
                task,
                frames: Vec::new(),
                low: self.stored_sp(task).unwrap_or(on.base),
            });
        };
        Some(Living {
            task,
            frames: self.walk(task, start, Home::Stack, on.top, usize::MAX),
            low: start.low.min(start.sp),
        })
    }

    /// The sp in a task's control block: what it will have when it runs.
    fn stored_sp(&self, task: TaskNumber) -> Option<u64> {
        let address = self.host.task(task)?.control_block;
        let block = &self.machine.blocks[self.machine.block_at(address)?];
        let index = block.fields.iter().position(|name| *name == "sp")?;
        let word = u64::from(self.machine.word.bytes());
        self.peek(address + index as u64 * word, word)
    }

    /// The lowest live byte of what is on a stack.
    pub(super) fn low_of(&self, stack: usize) -> Option<u64> {
        let on = self.machine.stacks.get(stack)?;
        let low = self.living_on(stack)?.low;
        (low >= on.base && low <= on.top).then_some(low)
    }

    fn words_with(
        &self,
        range: Range<u64>,
        living: Option<&Living>,
        on_stack: impl Fn(u64) -> u64,
        known: impl Fn(u64) -> Option<Meaning>,
    ) -> Vec<WordView> {
        let word = u64::from(self.machine.word.bytes());
        let changed = self.changed_cells();
        let start = range.start / word * word;
        (start..range.end)
            .step_by(word as usize)
            .map(|address| {
                let known = known(address);
                let cell = self.machine.memory.read(address).unwrap_or_default();
                let (value, shadow) = self.word_in(cell, address);
                let stack_address = on_stack(address);
                let lives =
                    known.is_none() && living.is_some_and(|living| stack_address >= living.low);
                let frame = living.filter(|_| lives).and_then(|living| {
                    living.frames.iter().position(|frame| {
                        (frame.view.low..frame.view.high).contains(&stack_address)
                    })
                });
                let meaning = match (known, living) {
                    (Some(meaning), _) => meaning,
                    (None, Some(living)) => self.meaning(living, frame, stack_address, value),
                    (None, None) => self.meaning_elsewhere(address),
                };
                let old = changed.iter().find(|(at, _)| *at == address & !7);
                WordView {
                    address,
                    value,
                    initialised: (shadow.0 & WRITTEN) as u8,
                    task: living.filter(|_| lives).map(|living| living.task),
                    meaning,
                    frame,
                    points_into: shadow.task(),
                    changed_from: old.and_then(|(_, old)| {
                        let (old, old_shadow) = self.word_in(*old, address);
                        let same = (old, old_shadow) == (value, shadow);
                        (!same).then(|| self.value_of(old, old_shadow))
                    }),
                }
            })
            .collect()
    }

    /// The word at an address, out of its cell.
    pub(super) fn word_in(&self, cell: Cell, address: u64) -> (u64, Shadow) {
        match self.machine.word.bytes() {
            4 => {
                let half = cell.half(address & 4 != 0);
                (u64::from(half.value), Shadow(half.shadow))
            }
            _ => (cell.value, Shadow(cell.shadow)),
        }
    }

    /// A word as a value for people.
    pub(super) fn value_of(&self, value: u64, shadow: Shadow) -> Value {
        match shadow.0 & self.machine.word.byte_mask() {
            0 => Value::Uninitialised,
            _ => Value::Word(value),
        }
    }

    /// What a word on a stack, or in an image, means.
    fn meaning(&self, living: &Living, frame: Option<usize>, address: u64, value: u64) -> Meaning {
        if address < living.low {
            return Meaning::Dead;
        }
        let word = self.machine.word.bytes() as i32;
        let Some(frame) = frame.and_then(|frame| living.frames.get(frame)) else {
            return self.meaning_of_value(value);
        };
        if self.code.is_sigreturn(frame.pc) {
            return self.meaning_in_signal_frame(frame, address, value);
        }
        let offset = address.wrapping_sub(frame.view.high) as i64 as i32;
        let function = self.code.function_of(frame.pc);
        let slots = function.map_or(&[][..], |function| &function.info.slots);
        if frame.return_address == Some(offset) {
            return self.return_address(value);
        }
        if let Some(meaning) = slots
            .iter()
            .find_map(|slot| meaning_of_slot(slot, offset, word))
        {
            return meaning;
        }
        // What the function's own instructions have pushed there.
        let function_start = function.map_or(0, |function| function.start);
        let pushed = self.code.unwind().saved.iter().rev().find(|saved| {
            saved.offset == offset
                && saved.index < frame.pc
                && self.code.address_of(saved.index) >= u64::from(function_start)
        });
        match pushed {
            Some(saved) if saved.resume => self.meaning_of_value(value),
            Some(saved) => Meaning::SavedRegister {
                register: saved.register.to_owned(),
            },
            None => self.meaning_of_value(value),
        }
    }

    /// What a word of a signal's frame means.
    fn meaning_in_signal_frame(&self, frame: &Frame, address: u64, value: u64) -> Meaning {
        let low = frame.view.high - signal::Frame::bytes(self.isa());
        let kept = signal::Frame::at(self.isa(), low);
        match kept.register_at(address) {
            Some(info) => Meaning::SavedRegister {
                register: info.name.to_owned(),
            },
            None if address == kept.pc() => self.meaning_of_value(value),
            None => Meaning::Padding,
        }
    }

    fn return_address(&self, value: u64) -> Meaning {
        match self.symbol(value) {
            Some((function, offset)) => Meaning::ReturnAddress {
                function: function.to_owned(),
                offset,
            },
            None => Meaning::Unknown,
        }
    }

    /// Where a task goes on, if the word is an address of the text.
    fn meaning_of_value(&self, value: u64) -> Meaning {
        match self.symbol(value) {
            Some((function, offset)) if self.code.index_of(value) != crate::code::NONE => {
                Meaning::ResumeAddress {
                    function: function.to_owned(),
                    offset,
                }
            }
            _ => Meaning::Unknown,
        }
    }

    /// What a word in the heap or among the globals means.
    fn meaning_elsewhere(&self, address: u64) -> Meaning {
        let word = u64::from(self.machine.word.bytes());
        if let Some(block) = self.machine.block_at(address) {
            let block = &self.machine.blocks[block];
            let index = ((address - block.address) / word) as usize;
            return match (block.fields.get(index), block.kind) {
                (Some(name), _) => Meaning::Field {
                    name: (*name).into(),
                },
                (None, SegmentKind::SaveStack { .. }) => Meaning::Dead,
                (None, _) => Meaning::Unknown,
            };
        }
        let global = address
            .checked_sub(u64::from(self.code.data_base))
            .and_then(|offset| self.code.globals().nth((offset / word) as usize));
        match global {
            Some(name) => Meaning::Global { name: name.into() },
            None => Meaning::Unknown,
        }
    }

    /// Like `yield+0x1c`: the function that an address belongs to, and how far in.
    pub fn symbol(&self, address: u64) -> Option<(&str, u64)> {
        let function = self.code.function_at(address)?;
        Some((&function.info.name, address - u64::from(function.start)))
    }
}

fn meaning_of_slot(slot: &Slot, offset: i32, word: i32) -> Option<Meaning> {
    let end = slot
        .offset
        .checked_add((slot.words as i32).checked_mul(word)?)?;
    if !(slot.offset..end).contains(&offset) {
        return None;
    }
    let name = slot.name.clone();
    Some(match slot.kind {
        SlotKind::Parameter => Meaning::Argument { name },
        SlotKind::Local => Meaning::Local { name },
        SlotKind::Array => Meaning::Element {
            name,
            index: ((offset - slot.offset) / word) as u32,
        },
        SlotKind::SavedRegister => Meaning::SavedRegister { register: name },
        SlotKind::Temporary => Meaning::Temporary,
        SlotKind::Padding => Meaning::Padding,
    })
}
