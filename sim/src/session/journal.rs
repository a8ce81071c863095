//! A state that commands are applied to, brought back to any moment by replaying them.

use crate::machine::pieces::Pieces;

/// A state machine whose history can be replayed.
pub trait Replay: Clone {
    /// What changes it.
    type Command: Clone + 'static;
    /// What comes back.
    type Reply;

    /// Applies a command. It depends on nothing but the state and the command.
    fn apply(&mut self, command: &Self::Command) -> Self::Reply;

    /// How many things a clone copies, about.
    fn weight(&self) -> u64 {
        0
    }
}

/// A state, the commands that led to it, and a clone of it every so often.
///
/// Going to another moment costs at most one clone and the commands of [`EVERY`](Self::EVERY)
/// moments, whatever the size of the history. A state of great [weight](Replay::weight) is cloned
/// the more seldom, so that clones take a share of the time and a memory for each moment that do
/// not depend on its size.
#[derive(Clone, Debug)]
pub struct Journal<S: Replay> {
    state: S,
    /// How many of the commands have been applied.
    moment: u64,
    /// Whether commands of the current moment have been applied.
    unfinished: bool,
    /// What was applied between two marks, in order: `(moment, command)`.
    commands: Pieces<(u64, S::Command), 11>,
    /// The number of `commands` and the state, at moments further and further on.
    snapshots: Vec<(u64, usize, S)>,
}

impl<S: Replay> Journal<S> {
    /// Moments between two clones of a light state.
    pub const EVERY: u64 = 1024;

    /// Moments between two clones for each thing that one copies.
    const EVERY_PER_WEIGHT: u64 = 8;

    /// Begins with a state at moment 0.
    pub fn new(state: S) -> Self {
        Journal {
            snapshots: vec![(0, 0, state.clone())],
            state,
            moment: 0,
            unfinished: false,
            commands: Pieces::EMPTY,
        }
    }

    /// The state now.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The moment now: how many times [`advance`](Self::advance) was called.
    pub fn moment(&self) -> u64 {
        self.moment
    }

    /// Applies a command and remembers it as part of the moment that the next
    /// [`advance`](Self::advance) ends. Any number of commands make a moment. After a
    /// [`seek`](Self::seek) back, [`truncate`](Self::truncate) comes first.
    #[inline(always)]
    pub fn apply(&mut self, command: S::Command) -> S::Reply {
        self.unfinished = true;
        let (_, command) = self.commands.push_mut((self.moment, command));
        self.state.apply(command)
    }

    /// Ends a moment.
    #[inline]
    pub fn advance(&mut self) {
        self.unfinished = false;
        self.moment += 1;
        let last = self.snapshots.last().map_or(0, |snapshot| snapshot.0);
        let apart = Self::EVERY.max(Self::EVERY_PER_WEIGHT * self.state.weight());
        if self.moment >= last + apart {
            self.keep();
        }
    }

    #[cold]
    fn keep(&mut self) {
        let commands = self.commands.end();
        self.snapshots
            .push((self.moment, commands, self.state.clone()));
    }

    /// Brings the state to what it was at a moment that was reached before. Commands applied since the last [`advance`](Self::advance) are lost.
    pub fn seek(&mut self, moment: u64) {
        let at = self.snapshots.partition_point(|s| s.0 <= moment) - 1;
        let (from, first, state) = &self.snapshots[at];
        let near = self.moment <= moment && self.moment >= *from && !self.unfinished;
        let mut next = match near {
            true => self.commands.partition_point(|c| c.0 < self.moment),
            false => {
                self.state = state.clone();
                *first
            }
        };
        while let Some((_, command)) = self.commands.get(next).filter(|c| c.0 < moment) {
            self.state.apply(command);
            next += 1;
        }
        self.moment = moment;
        self.unfinished = false;
    }

    /// Forgets all that comes after the current moment.
    pub fn truncate(&mut self) {
        let moment = self.moment;
        self.commands
            .truncate(self.commands.partition_point(|c| c.0 < moment));
        self.snapshots
            .truncate(self.snapshots.partition_point(|s| s.0 <= moment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Sum(Vec<i64>);

    impl Replay for Sum {
        type Command = i64;
        type Reply = usize;

        fn apply(&mut self, command: &i64) -> usize {
            self.0.push(*command);
            self.0.len()
        }
    }

    #[test]
    fn seeks_back_and_forth_over_snapshots() {
        let mut journal = Journal::new(Sum(Vec::new()));
        for i in 0..3000 {
            journal.apply(i);
            journal.advance();
        }
        for moment in [2999_u64, 3, 1024, 1025, 0, 2048, 2047, 3000] {
            journal.seek(moment);
            assert_eq!(journal.state().0.len() as u64, moment);
            assert_eq!(journal.moment(), moment);
        }
    }

    /// As many numbers as are in it make its weight.
    #[derive(Clone)]
    struct Heavy(Sum);

    impl Replay for Heavy {
        type Command = i64;
        type Reply = usize;

        fn apply(&mut self, command: &i64) -> usize {
            self.0.apply(command)
        }

        fn weight(&self) -> u64 {
            self.0.0.len() as u64
        }
    }

    #[test]
    fn a_heavy_state_is_cloned_seldom() {
        let mut journal = Journal::new(Heavy(Sum(Vec::new())));
        for i in 0..100_000 {
            journal.apply(i);
            journal.advance();
        }
        let copied: u64 = journal.snapshots.iter().map(|s| s.2.weight()).sum();
        assert!(copied < 100_000, "{copied} copied for 100000 moments");
        for moment in [99_999, 12_345, 1] {
            journal.seek(moment);
            assert_eq!(journal.state().weight(), moment);
        }
    }

    #[test]
    fn unfinished_commands_are_lost_by_seek_and_truncate() {
        let mut journal = Journal::new(Sum(Vec::new()));
        journal.apply(1);
        journal.advance();
        journal.apply(2);
        journal.seek(1);
        journal.truncate();
        assert_eq!(journal.state().0, [1]);
        journal.apply(3);
        journal.advance();
        journal.seek(0);
        journal.seek(2);
        assert_eq!(journal.state().0, [1, 3]);
    }
}
