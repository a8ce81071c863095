//! The state of the machine at one moment, to be brought back without undoing the steps in between.

use super::memory::Memory;
use super::shadow::Shadow;
use super::{FIELDS, Machine, REGISTERS};

/// All that going over steps changes, and nothing of the log.
#[derive(Debug)]
pub(crate) struct State {
    values: [u64; REGISTERS],
    shadows: [Shadow; REGISTERS],
    fields: [u64; FIELDS],
    owners: Vec<u64>,
    heads: Vec<u64>,
    /// By piece of the heap, whether it is there.
    live: Vec<bool>,
    memory: Memory,
}

impl State {
    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.memory.bytes() + 8 * (self.owners.len() + self.heads.len())
    }
}

impl Machine {
    /// The state now.
    pub fn state(&self) -> State {
        State {
            values: self.values,
            shadows: self.shadows,
            fields: self.fields,
            owners: self.owners.clone(),
            heads: self.calls.heads.clone(),
            live: self.blocks.iter().map(|block| block.live).collect(),
            memory: self.memory.clone(),
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
        // What was made later is not there, and undoing would have left it where it is.
        let live = state.live.iter().copied().chain(std::iter::repeat(false));
        for (block, live) in self.blocks.iter_mut().zip(live) {
            block.live = live;
        }
        self.memory.bring_back(&state.memory);
    }
}

/// Lists grow and are not shortened by going back; what was added later is 0.
fn bring_back(now: &mut [u64], then: &[u64]) {
    let then = then.iter().copied().chain(std::iter::repeat(0));
    for (now, then) in now.iter_mut().zip(then) {
        *now = then;
    }
}
