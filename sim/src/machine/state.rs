//! The state of the machine at one moment, to be brought back without undoing the steps in between.

use super::memory::Memory;
use super::shadow::{MAPPED, Shadow};
use super::{FIELDS, Machine, REGISTERS};

/// All that going over steps changes, and nothing of the log.
#[derive(Debug)]
pub(crate) struct State {
    values: [u64; REGISTERS],
    shadows: [Shadow; REGISTERS],
    fields: [u64; FIELDS],
    owners: Vec<u64>,
    heads: Vec<u64>,
    memory: Memory,
}

impl State {
    /// Bytes that it takes, about, beside those that it shares with another one.
    pub fn bytes_beside(&self, other: Option<&State>) -> usize {
        let pages = match other {
            Some(other) => self.memory.bytes_beside(&other.memory),
            None => self.memory.bytes(),
        };
        size_of::<Self>() + pages + 8 * (self.owners.len() + self.heads.len())
    }
}

impl Machine {
    /// The state now. Pages are copied when they are written to.
    pub fn state(&mut self) -> State {
        State {
            values: self.values,
            shadows: self.shadows,
            fields: self.fields,
            owners: self.owners.clone(),
            heads: self.calls.heads.clone(),
            memory: self.memory.share(),
        }
    }

    /// Brings back a state of the same run, earlier or later. The next instruction, which the log
    /// has, is left to the caller.
    pub fn bring_back(&mut self, state: &State) {
        self.values = state.values;
        self.shadows = state.shadows;
        self.fields = state.fields;
        bring_back(&mut self.owners, &state.owners);
        bring_back(&mut self.calls.heads, &state.heads);
        self.memory.bring_back(&state.memory);
        // What was made later is not there, and undoing would have left it where it is.
        for block in &mut self.blocks {
            let cell = self.memory.read(block.address);
            block.live = cell.is_some_and(|cell| cell.shadow & MAPPED != 0);
        }
    }
}

/// Lists grow and are not shortened by going back; what was added later is 0.
fn bring_back(now: &mut [u64], then: &[u64]) {
    let then = then.iter().copied().chain(std::iter::repeat(0));
    for (now, then) in now.iter_mut().zip(then) {
        *now = then;
    }
}
