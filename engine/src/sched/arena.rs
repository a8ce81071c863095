//! Numbered things that come and go.

use alloc::vec::Vec;

use crate::Refusal;

/// Mutexes, events, … by number. A number that is given back is used again.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Arena {
            items: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, item: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.items[number as usize] = Some(item);
            return number;
        }
        self.items.push(Some(item));
        self.items.len() as u32 - 1
    }

    pub(super) fn get(&self, number: u32) -> Result<&T, Refusal> {
        let item = self.items.get(number as usize).and_then(Option::as_ref);
        item.ok_or(Refusal::Foreign)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut T, Refusal> {
        let item = self.items.get_mut(number as usize).and_then(Option::as_mut);
        item.ok_or(Refusal::Foreign)
    }

    /// All numbers that were ever given out.
    pub(super) fn numbers(&self) -> core::ops::Range<u32> {
        0..self.items.len() as u32
    }

    /// Takes out what nobody uses.
    pub(super) fn remove(
        &mut self,
        number: u32,
        is_unused: impl FnOnce(&T) -> bool,
    ) -> Result<(), Refusal> {
        if !is_unused(self.get(number)?) {
            return Err(Refusal::InUse);
        }
        self.items[number as usize] = None;
        self.free.push(number);
        Ok(())
    }
}
