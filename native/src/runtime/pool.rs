//! Shared stacks that tasks are bound to when they first run.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use costack_engine::event::Event;
use costack_engine::tune::{Binding, Copied};

use super::core::{Core, current};
use crate::stack::GuardedStack;
use crate::{Error, SharedStack};

/// Some shared stacks. Each task that shares one is bound, when it first runs, to the stack with
/// the fewest live tasks, so that tasks that take turns evict each other as seldom as can be.
///
/// Cloning it gives another handle to the same stacks.
#[derive(Clone)]
pub struct StackPool {
    state: Rc<PoolState>,
}

pub(crate) struct PoolState {
    stacks: Vec<SharedStack>,
    binding: RefCell<Binding>,
    copied: Rc<Cell<Copied>>,
    counts: Cell<bool>,
    core: Weak<Core>,
}

impl StackPool {
    /// `count` shared stacks, at least one, of so many usable bytes each, for the thread's runtime.
    ///
    /// # Errors
    /// As [`SharedStack::new`].
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn new(count: usize, bytes: usize) -> Result<Self, Error> {
        let core = current();
        let stacks: Vec<_> = (0..count.max(1))
            .map(|_| SharedStack::with_memory(GuardedStack::new(bytes)?))
            .collect::<Result<_, Error>>()?;
        let state = Rc::new(PoolState {
            binding: RefCell::new(Binding::new(stacks.len() as u32)),
            copied: Rc::default(),
            counts: Cell::new(false),
            stacks,
            core: Rc::downgrade(&core),
        });
        let mut pools = core.pools.borrow_mut();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Rc::downgrade(&state));
        if core.tracer.is_on() {
            state.observe();
        }
        Ok(StackPool { state })
    }

    /// How many stacks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.stacks.len()
    }

    /// Never: there is at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes of all save stacks and control blocks.
    #[must_use]
    pub fn save_bytes(&self) -> usize {
        self.state.stacks.iter().map(SharedStack::save_bytes).sum()
    }

    /// Begins to count what is copied, or ends that. It costs some nanoseconds per copy.
    pub fn count_copies(&self, count: bool) {
        self.state.counts.set(count);
        let is_traced = self
            .state
            .core
            .upgrade()
            .is_some_and(|core| core.tracer.is_on());
        if count {
            self.state.observe();
        } else if !is_traced {
            self.state.stop_observing();
        }
    }

    /// What was copied since [`count_copies`](Self::count_copies), or since a trace began.
    #[must_use]
    pub fn copied(&self) -> Copied {
        Copied {
            stacks: self.state.stacks.len() as u32,
            ..self.state.copied.get()
        }
    }

    /// Binds one more task.
    pub(super) fn bind(&self) -> Bound {
        let stack = self.state.binding.borrow_mut().bind();
        Bound {
            pool: Rc::clone(&self.state),
            stack,
        }
    }
}

impl PoolState {
    pub(super) fn observe(&self) {
        for stack in &self.stacks {
            let copied = Rc::clone(&self.copied);
            let core = Weak::clone(&self.core);
            let number = stack.number();
            stack.observe(move |event| {
                let mut counts = copied.get();
                match event {
                    Event::Save { bytes, .. } => {
                        counts.saves += 1;
                        counts.saved_bytes += u64::from(bytes);
                    }
                    Event::Restore { bytes, .. } => {
                        counts.restores += 1;
                        counts.restored_bytes += u64::from(bytes);
                    }
                    _ => {}
                }
                copied.set(counts);
                if let Some(core) = core.upgrade()
                    && core.tracer.is_on()
                {
                    core.tracer.tell_copy(core.clock.now_ns(), event, number);
                }
            });
        }
    }

    pub(super) fn stop_observing(&self) {
        if !self.counts.get() {
            self.stacks.iter().for_each(SharedStack::stop_observing);
        }
    }
}

/// One task's place on one stack of a pool.
pub(crate) struct Bound {
    pool: Rc<PoolState>,
    stack: usize,
}

impl Bound {
    pub(super) fn stack(&self) -> &SharedStack {
        &self.pool.stacks[self.stack]
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.pool.binding.borrow_mut().unbind(self.stack);
    }
}
