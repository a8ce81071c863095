//! What another number of shared stacks would have copied.
//!
//! Several shared stacks act like a cache: tasks that are bound to different stacks never evict
//! each other. [`tune`] replays the order in which tasks were resumed, which a trace has recorded,
//! against the same rules of ownership that every backend follows, with any number of stacks.
//!
//! ```
//! use costack_engine::tune::{Run, tune};
//!
//! // Two tasks take turns, with 100 and 60 bytes in use.
//! let runs: Vec<_> = (0..10)
//!     .map(|turn| Run { task: turn % 2, bytes: Some(if turn % 2 == 0 { 100 } else { 60 }) })
//!     .chain((0..2).map(|task| Run { task, bytes: None }))
//!     .collect();
//! let [one, two] = [tune(&runs, 1), tune(&runs, 2)];
//! assert_eq!(one.saves, 10);
//! assert_eq!(two.saves, 0);
//! ```

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::share::{Coroutine, Plan, Stack};
use crate::trace::{Record, StackKind, What};

/// One turn of a task: it was resumed, and gave way again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which task.
    pub task: u32,
    /// How many bytes were in use when it gave way; `None` when it ended.
    pub bytes: Option<u32>,
}

/// The turns of a trace's tasks that share stacks. How many bytes were in use at the end of a turn is known from
/// the save that followed; where none did, the nearest one of the same task stands in for it.
pub fn runs<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<Run> {
    let mut shared = BTreeMap::new();
    let mut runs: Vec<Run> = Vec::new();
    // Of each task: its last turn.
    let mut last: BTreeMap<u32, usize> = BTreeMap::new();
    let mut known: BTreeMap<u32, u32> = BTreeMap::new();
    let mut guessed: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for record in records {
        match record.what {
            What::Task { task, stack, .. } => {
                shared.insert(task, stack == StackKind::Shared);
            }
            What::Resume { task, .. } if shared.get(&task) == Some(&true) => {
                last.insert(task, runs.len());
                guessed.entry(task).or_default().push(runs.len());
                let bytes = Some(known.get(&task).copied().unwrap_or(0));
                runs.push(Run { task, bytes });
            }
            What::Save { task, bytes, .. } => {
                known.insert(task, bytes);
                if let Some(&turn) = last.get(&task) {
                    runs[turn].bytes = Some(bytes);
                    for earlier in guessed.remove(&task).unwrap_or_default() {
                        if runs[earlier].bytes == Some(0) {
                            runs[earlier].bytes = Some(bytes);
                        }
                    }
                }
            }
            What::End { task } => {
                if let Some(turn) = last.remove(&task) {
                    runs[turn].bytes = None;
                }
            }
            _ => {}
        }
    }
    runs
}

/// What was copied, or would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many stacks there were.
    pub stacks: u32,
    /// Images copied out.
    pub saves: u64,
    /// Images copied back.
    pub restores: u64,
    /// Bytes copied out.
    pub saved_bytes: u64,
    /// Bytes copied back.
    pub restored_bytes: u64,
    /// Bytes in save stacks: for each task that was ever saved, its largest image.
    pub save_stack_bytes: u64,
}

impl Copied {
    /// Bytes copied both ways.
    pub const fn bytes(&self) -> u64 {
        self.saved_bytes + self.restored_bytes
    }
}

/// Bytes of the image that a task has before it runs for the first time. A backend's own differs
/// by some words, and counts once per task only.
pub const FRESH_BYTES: u32 = 64;

/// Binds tasks to stacks, each when it first runs: to the stack with the fewest live tasks, and
/// among those to the one with the lowest number.
#[derive(Clone, Debug)]
pub struct Binding {
    live: Vec<u32>,
}

impl Binding {
    /// No task is bound. There is at least one stack.
    pub fn new(stacks: u32) -> Self {
        Binding {
            live: alloc::vec![0; stacks.max(1) as usize],
        }
    }

    /// The stack for one more task.
    pub fn bind(&mut self) -> usize {
        let (stack, live) = self
            .live
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, live)| **live)
            .expect("there is a stack");
        *live += 1;
        stack
    }

    /// A task of this stack has ended.
    pub fn unbind(&mut self, stack: usize) {
        self.live[stack] = self.live[stack].saturating_sub(1);
    }
}

/// Replays `runs` with so many shared stacks.
pub fn tune(runs: &[Run], stacks: u32) -> Copied {
    let mut copied = Copied {
        stacks: stacks.max(1),
        ..Copied::default()
    };
    let mut binding = Binding::new(stacks);
    let mut states: Vec<Stack<u32>> = (0..stacks.max(1)).map(|_| Stack::shared()).collect();
    let mut tasks: BTreeMap<u32, (usize, Coroutine)> = BTreeMap::new();
    let mut largest: BTreeMap<u32, u32> = BTreeMap::new();
    for run in runs {
        let (stack, mut coroutine) = tasks.remove(&run.task).unwrap_or_else(|| {
            let stack = binding.bind();
            states[stack].bind(run.task);
            (stack, Coroutine::out(FRESH_BYTES))
        });
        let state = &mut states[stack];
        let Ok(plan) = state.plan_resume(run.task, &coroutine) else {
            continue;
        };
        let mut evicted = None;
        if let Plan::Exchange { evict, restore } = plan {
            if let Some((owner, bytes)) = evict {
                copied.saves += 1;
                copied.saved_bytes += u64::from(bytes);
                let largest = largest.entry(owner).or_insert(0);
                *largest = bytes.max(*largest);
                evicted = tasks.get_mut(&owner);
            }
            copied.restores += 1;
            copied.restored_bytes += u64::from(restore);
        }
        state.resumed(
            run.task,
            &mut coroutine,
            evicted.map(|(_, coroutine)| coroutine),
        );
        match run.bytes {
            Some(bytes) => {
                state.yielded(&mut coroutine, bytes);
                tasks.insert(run.task, (stack, coroutine));
            }
            None => {
                state.finished(&mut coroutine);
                binding.unbind(stack);
            }
        }
    }
    copied.save_stack_bytes = largest.into_values().map(u64::from).sum();
    copied
}
