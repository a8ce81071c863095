//! Turns while somebody watches: each is told.

use std::rc::Weak;

use costack_engine::event::Event;
use costack_engine::sched::{TaskId, TaskState};
use costack_engine::trace::{OVER, Record};

use super::{Core, Left};
use crate::runtime::task::Place;
use crate::runtime::trace::Sink;

impl Core {
    /// As [`resume`](Self::resume), and tells of it.
    #[cold]
    #[inline(never)]
    pub(super) fn resume_traced(&self, task: TaskId) {
        let number = self.rest(task, |rest| rest.number);
        let tell = |event| self.tracer.tell(self.clock.now_ns(), event, String::new, 0);
        tell(Event::Resume {
            task: number,
            by: 0,
        });
        match self.resume(task) {
            Some(Left::Yielded) => {
                let _main = self.scheduler(|s| s.handle_yield());
                tell(Event::Yield { task: number });
            }
            Some(Left::Blocked) => {
                let state = self.scheduler(|s| s.state(task));
                let on = match state {
                    Ok(TaskState::Blocked(wait)) => wait.to_string(),
                    _ => OVER.to_owned(),
                };
                let event = Event::Block { task: number };
                self.tracer.tell(self.clock.now_ns(), event, || on, 0);
            }
            None => tell(Event::End { task: number }),
        }
        self.trace_wakes();
    }

    /// Tells of those who were woken since the last time.
    pub(super) fn trace_wakes(&self) {
        let woken = self.scheduler(|s| std::mem::take(&mut s.observer().woken));
        for (task, outcome) in woken {
            let number = self.slots(|slots| slots[task.index()].rest.number);
            self.tracer.tell_wake(self.clock.now_ns(), number, outcome);
        }
    }

    /// Begins to trace: tells of the tasks that there are.
    pub(in crate::runtime) fn trace(&self, observer: Box<dyn FnMut(&Record)>) {
        self.tracer.start(observer);
        self.scheduler(|s| s.observer().is_on = true);
        let at_ns = self.clock.now_ns();
        for task in self.scheduler(|s| s.live_tasks().collect::<Vec<_>>()) {
            let (number, name, is_shared, id) = self.slots(|slots| {
                let slot = &slots[task.index()];
                let rest = &slot.rest;
                let place_is_shared = rest.place.as_ref().is_some_and(Place::is_shared);
                let is_shared = rest.bound.is_some() || place_is_shared;
                let id = slot.coroutine.as_ref().map(|coroutine| coroutine.id());
                (rest.number, rest.name.clone(), is_shared, id)
            });
            if let Some(id) = id {
                self.tracer.knows(id, number);
            }
            self.tracer
                .tell_task(at_ns, number, name.as_deref(), is_shared);
        }
        for pool in self.pools.borrow().iter().filter_map(Weak::upgrade) {
            pool.observe();
        }
        self.attend();
    }

    pub(in crate::runtime) fn stop_tracing(&self) {
        self.scheduler(|s| *s.observer() = Sink::default());
        self.tracer.stop();
        for pool in self.pools.borrow().iter().filter_map(Weak::upgrade) {
            pool.stop_observing();
        }
    }
}
