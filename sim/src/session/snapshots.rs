//! Whole states at some distance from each other, so that a jump goes over a part of the way only.
//!
//! An entry of the log holds the value that is *not* in the machine: before the position what was
//! there before the step, and what the step has made where it has been undone. Bringing back a state
//! changes the machine and no entry. So nothing may be undone when that is done, and the state has to
//! be one from which the way goes back:
//!
//! ```text
//!              target    snapshot          position   undone       end
//! ----------------|----------|----------------|----------|----------|
//!                 <----------                  ---------->
//!               3. undo them  2. bring it back  1. make them again
//! ```
//!
//! From then on, what is undone ends at the snapshot: [`Session::undone`] says where that is.

use super::Session;
use crate::machine::Machine;
use crate::machine::state::State;

/// Bytes that all snapshots of a session take at most.
const LIMIT: usize = 64 << 20;

/// A snapshot copies at most so many bytes for each step that lies between two.
const BYTES_PER_STEP: usize = 32;

#[derive(Debug)]
struct Snapshot {
    step: usize,
    state: State,
}

/// The snapshots of a session.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// In the order of their steps.
    list: Vec<Snapshot>,
    /// Steps between two, at least.
    apart: usize,
}

impl Snapshots {
    pub fn new(apart: u64) -> Self {
        Snapshots {
            list: Vec::new(),
            apart: usize::try_from(apart).unwrap_or(usize::MAX).max(1),
        }
    }

    /// Forgets those after a step.
    pub fn cut(&mut self, step: usize) {
        self.list.retain(|snapshot| snapshot.step <= step);
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        let bytes = self.list.iter().map(|snapshot| snapshot.state.bytes());
        bytes.sum()
    }

    /// Steps until the next one is due.
    pub fn due_in(&self, step: usize, machine: &Machine) -> usize {
        let apart = self.apart.max(machine.memory.bytes() / BYTES_PER_STEP);
        let last = self.list.last().map_or(0, |snapshot| snapshot.step);
        last.saturating_add(apart).saturating_sub(step)
    }

    /// Whether a state is small enough to be kept at all.
    fn fits(machine: &Machine) -> bool {
        machine.memory.bytes() <= LIMIT / 2
    }

    /// Keeps the state at a step that is the furthest, unless it is too large.
    pub fn take(&mut self, step: usize, machine: &Machine) {
        if self.list.last().is_some_and(|last| last.step >= step) || !Self::fits(machine) {
            return;
        }
        // One that was taken at an end from which the run has gone on is in nobody's way but
        // between two that are near enough.
        if let [.., before, last] = &self.list[..]
            && step - before.step <= self.apart
            && last.step < step
        {
            self.list.pop();
        }
        // Nobody goes back by executing from where the log does not reach.
        let kept_from = machine.log.kept_from;
        self.list.retain(|snapshot| snapshot.step >= kept_from);
        let state = machine.state();
        while !self.list.is_empty() && self.bytes() + state.bytes() > LIMIT {
            // Every other one, and not the last: there will be one after it.
            let mut keep = !self.list.len().is_multiple_of(2);
            self.list.retain(|_| {
                keep = !keep;
                keep
            });
            self.apart = self.apart.saturating_mul(2);
        }
        self.list.push(Snapshot { step, state });
    }

    /// The first one at or after a step.
    fn after(&self, step: usize) -> Option<&Snapshot> {
        let at = self.list.partition_point(|snapshot| snapshot.step < step);
        self.list.get(at)
    }
}

impl Session {
    /// Goes to a position that is recorded and whose way back is kept.
    pub(super) fn approach(&mut self, target: usize) {
        let end = self.machine.log.steps.len();
        let near = match target < self.position {
            true => {
                let alone = self.undone == end && !Snapshots::fits(&self.machine);
                alone || self.undone - target <= self.snapshots.apart
            }
            false => target <= self.undone,
        };
        if !near {
            self.go_over(self.undone);
            if self.undone == end {
                // So that one can come back here.
                self.snapshots.take(self.undone, &self.machine);
            }
            if let Some(snapshot) = self.snapshots.after(target)
                && snapshot.step != self.position
            {
                self.machine.bring_back(&snapshot.state);
                (self.position, self.undone) = (snapshot.step, snapshot.step);
            }
        }
        self.go_over(target);
    }

    /// Undoes or makes again all steps up to a position.
    fn go_over(&mut self, target: usize) {
        let machine = &mut self.machine;
        let back = target < self.position;
        let steps = target.min(self.position)..target.max(self.position);
        machine.exchange(machine.log.range_of(steps), back);
        self.position = target;
    }
}
