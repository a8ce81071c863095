//! The stacks of a scenario, and coroutines on them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use costack_engine::Refusal;
use costack_engine::event::Event;
use costack_engine::sched::TaskId;
use costack_lang::syntax::{Launch, Program, StackId, StackKind};

use super::log::Log;
use crate::stack::{GuardedStack, StackMemory};
use crate::{Builder, Coroutine, Error, Id, SharedStack, Yielder};

/// A task's own end, as its code sees it: nothing is passed either way.
pub(super) type TaskYielder = Yielder<(), ()>;
/// A task, as its resumer sees it.
pub(super) type TaskCoroutine = Coroutine<(), (), ()>;

/// What must be left of a stack at a call: room for the walk of the deepest expression that the
/// language allows, in a build without optimisation.
pub(super) const CALL_RESERVE_BYTES: usize = 192 * 1024;

/// How much larger a stack is here than its declaration says. The declaration counts in frames of
/// compiled code; the frames of a walk through the tree take tens of times as much.
const WALK_FACTOR: usize = 64;

/// The stacks of one run.
pub(super) struct Stacks {
    stacks: Vec<Stack>,
    /// Which task a coroutine of the library is.
    tasks: Rc<RefCell<HashMap<Id, TaskId>>>,
}

struct Stack {
    bytes: usize,
    /// The usable addresses; of an own stack, those of its last task.
    bounds: Cell<Range<usize>>,
    place: Place,
}

enum Place {
    Shared(SharedStack),
    /// Whether a live task has it.
    Own(Rc<Cell<bool>>),
}

/// Frees an own stack for the next task when the code of this one is done with.
struct Lease(Rc<Cell<bool>>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Stacks {
    pub(super) fn new(program: &Program, log: &Rc<Log>) -> Result<Self, Error> {
        let tasks: Rc<RefCell<HashMap<Id, TaskId>>> = Rc::default();
        let stacks = program.stacks.iter().enumerate().map(|(number, stack)| {
            let bytes = stack.bytes as usize * WALK_FACTOR + 2 * CALL_RESERVE_BYTES;
            let mut bounds = 0..0;
            let place = match stack.kind {
                StackKind::Own => Place::Own(Rc::default()),
                StackKind::Shared => {
                    let memory = GuardedStack::new(bytes)?;
                    bounds = memory.bottom()..memory.top();
                    let shared = SharedStack::with_memory(memory)?;
                    let (tasks, log) = (Rc::clone(&tasks), Rc::clone(log));
                    shared.observe(move |event| {
                        let mut event = event.map(|id| tasks.borrow()[&id]);
                        // The library numbers stacks its own way.
                        if let Event::Owner { stack, .. } = &mut event {
                            *stack = number as u32;
                        }
                        log.event(event, number as u32, String::new());
                    });
                    Place::Shared(shared)
                }
            };
            Ok(Stack {
                bytes,
                bounds: Cell::new(bounds),
                place,
            })
        });
        Ok(Stacks {
            stacks: stacks.collect::<Result<_, Error>>()?,
            tasks,
        })
    }

    /// Makes a task's coroutine. `body` is told its yielder and the bounds of its stack.
    pub(super) fn make(
        &self,
        launch: &Launch,
        task: TaskId,
        name: &str,
        body: impl FnOnce(&TaskYielder, Range<usize>) + 'static,
    ) -> Result<TaskCoroutine, Error> {
        let stack = &self.stacks[launch.stack.index()];
        let builder = Builder::new().name(name).keep_fp(launch.fp);
        let coroutine = match &stack.place {
            Place::Shared(shared) => {
                let bounds = stack.bounds();
                // SAFETY: the frames hold words of the program and what the walk needs. Pointers
                // of the program into them are its own affair: it may use one only while the
                // frame is in place, and is refused unless its author vouches for that.
                unsafe {
                    builder.build_shared(shared, move |yielder: &TaskYielder, ()| {
                        body(yielder, bounds);
                    })?
                }
            }
            Place::Own(taken) => {
                if taken.replace(true) {
                    return Err(Refusal::OwnStackTaken.into());
                }
                let lease = Lease(Rc::clone(taken));
                let memory = GuardedStack::new(stack.bytes)?;
                let bounds = memory.bottom()..memory.top();
                stack.bounds.set(bounds.clone());
                builder.build_on(memory, move |yielder: &TaskYielder, ()| {
                    let _lease = lease;
                    body(yielder, bounds);
                })?
            }
        };
        self.tasks.borrow_mut().insert(coroutine.id(), task);
        Ok(coroutine)
    }

    /// Whether an address lies on one of the stacks.
    pub(super) fn contains(&self, address: usize) -> bool {
        self.stacks
            .iter()
            .any(|stack| stack.bounds().contains(&address))
    }

    /// The stack that ends at an address.
    pub(super) fn ending_at(&self, top: usize) -> Option<StackId> {
        let stack = self
            .stacks
            .iter()
            .position(|stack| stack.bounds().end == top)?;
        Some(StackId(stack as u32))
    }
}

impl Stack {
    fn bounds(&self) -> Range<usize> {
        let bounds = self.bounds.take();
        self.bounds.set(bounds.clone());
        bounds
    }
}
