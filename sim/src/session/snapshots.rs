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

/// Pages are copied when they are written to after a snapshot: at most so many bytes for each step that
/// lies between two, about.
const BYTES_PER_STEP: usize = 32;

#[derive(Debug)]
struct Snapshot {
    step: usize,
    state: State,
    /// Bytes that it takes beside those that it shares with the one before it.
    bytes: usize,
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
        self.list.iter().map(|snapshot| snapshot.bytes).sum()
    }

    /// Steps until the next one is due.
    pub fn due_in(&self, step: usize) -> usize {
        let last = self.list.last();
        let (last, bytes) = last.map_or((0, 0), |last| (last.step, last.bytes));
        let apart = self.apart.max(bytes / BYTES_PER_STEP);
        last.saturating_add(apart).saturating_sub(step)
    }

    /// Whether a state is small enough to be kept at all.
    fn fits(machine: &Machine) -> bool {
        machine.memory.bytes() <= LIMIT / 2
    }

    /// Keeps the state at a step that is the furthest, unless it is too large.
    pub fn take(&mut self, step: usize, machine: &mut Machine) {
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
        let dropped = self
            .list
            .partition_point(|snapshot| snapshot.step < kept_from);
        if dropped > 0 {
            self.list.drain(..dropped);
            self.count_bytes(0);
        }
        let state = machine.state();
        self.list.push(Snapshot {
            step,
            state,
            bytes: 0,
        });
        self.count_bytes(self.list.len() - 1);
        while self.list.len() > 1 && self.bytes() > LIMIT {
            // Every other one, and not the last.
            let mut keep = self.list.len().is_multiple_of(2);
            self.list.retain(|_| {
                keep = !keep;
                keep
            });
            self.apart = self.apart.saturating_mul(2);
            self.count_bytes(0);
        }
    }

    /// Counts what each takes, from one on.
    fn count_bytes(&mut self, from: usize) {
        for at in from..self.list.len() {
            let before = at.checked_sub(1).map(|before| &self.list[before].state);
            self.list[at].bytes = self.list[at].state.bytes_beside(before);
        }
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
                self.snapshots.take(self.undone, &mut self.machine);
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
