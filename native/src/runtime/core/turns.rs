//! Turns: main's loop, which gives the CPU to one task after the other, and how a task begins, goes on to
//! the next one, and ends.

use std::any::Any;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::rc::Rc;

use costack_engine::sched::{Next, TaskId};

use super::{AwayUnwinding, Core, Left, Order, of_thread};
use crate::arch::Word;
use crate::head::left_with;
use crate::runtime::deadlock::Deadlock;
use crate::runtime::task::{JoinError, TaskYielder};
use crate::value::unpack;

impl Core {
    /// Main gives way: runs whom the scheduler names, until it is main's turn again.
    ///
    /// # Errors
    /// When nobody can run any more.
    pub(super) fn dispatch(&self) -> Result<(), Deadlock> {
        let _main = MainAgain;
        // As the runtime is dropped by a panic of main, say.
        let unwinds = std::thread::panicking() && self.away_unwinding.get() == 0;
        let _away = unwinds.then(|| AwayUnwinding::new(self));
        loop {
            self.reset_countdown();
            let is_traced = self.tracer.is_on();
            let task = match self.poll() {
                Next::Main => return Ok(()),
                Next::Resume(task) => task,
                Next::Idle { until_us } => {
                    self.idle(until_us);
                    continue;
                }
                Next::Deadlock => {
                    let deadlock = Deadlock::of(self);
                    self.scheduler(|s| s.give_up());
                    return Err(deadlock);
                }
            };
            if is_traced {
                self.countdown.set(self.countdown.get() - 1);
                self.resume_traced(task);
                self.settle_panic();
                continue;
            }
            // While nobody has to look at the clock or the world outside, this is all there is.
            // A cancellation ends the countdown, so only the first task can be a cancelled one.
            let mut left = self.resume(task);
            loop {
                let countdown = self.countdown.get() - 1;
                self.countdown.set(countdown);
                let next = match left {
                    Some(Left::Yielded) if countdown > 0 => {
                        self.scheduler(|s| s.handle_yield_and_poll())
                    }
                    Some(Left::Yielded) => {
                        let _main = self.scheduler(|s| s.handle_yield());
                        break;
                    }
                    _ if countdown > 0 => self.scheduler(|s| s.poll_ready()),
                    _ => break,
                };
                match next {
                    Next::Resume(next) => left = self.resume_with(next, Order::Go),
                    Next::Main => {
                        self.settle_panic();
                        return Ok(());
                    }
                    Next::Idle { .. } | Next::Deadlock => break,
                }
            }
            self.settle_panic();
        }
    }

    fn reset_countdown(&self) {
        // What was counted down since the last time are the switches.
        self.switches.set(self.switches());
        self.counted_from.set(u32::MAX);
        self.countdown.set(u32::MAX);
        let attends = self.scheduler(|s| s.next_timer_us().is_some() || s.external_waits() > 0);
        if attends || self.cancels.get() > 0 || self.tracer.is_on() {
            self.attend();
        }
    }

    /// Looks at the clock and the world outside, then asks who is next.
    fn poll(&self) -> Next {
        if self.scheduler(|s| s.external_waits() > 0) {
            self.look_outside();
        }
        let now_us = match self.scheduler(|s| s.next_timer_us()) {
            Some(_) => self.now_us(),
            None => 0,
        };
        let next = self.scheduler(|s| s.poll(now_us));
        if self.tracer.is_on() {
            self.trace_wakes();
        }
        next
    }

    /// Takes in what has come from other threads and from files, without waiting.
    fn look_outside(&self) {
        for (task, token) in self.doorbell.take() {
            self.scheduler(|s| s.handle_external(task, token));
        }
        #[cfg(feature = "io")]
        self.reactor.turn(self, Some(std::time::Duration::ZERO));
    }

    /// Waits until the clock shows `until_us` or something comes from outside.
    fn idle(&self, until_us: u64) {
        if self.scheduler(|s| s.external_waits() > 0) && self.doorbell.was_rung() {
            return;
        }
        let Some(timeout) = self.clock.idle(until_us) else {
            return;
        };
        #[cfg(feature = "io")]
        if self.reactor.is_in_use() {
            self.reactor.turn(self, timeout);
            return;
        }
        self.doorbell.wait(timeout);
    }

    /// Runs a task until it gives way. `None` when it has ended.
    pub(super) fn resume(&self, task: TaskId) -> Option<Left> {
        let order = match self.cancels.get() {
            0 => Order::Go,
            _ => self.order(task),
        };
        self.resume_with(task, order)
    }

    #[inline(always)]
    fn resume_with(&self, task: TaskId, order: Order) -> Option<Left> {
        if self.shares.get() {
            self.prefetch();
        }
        // SAFETY: the borrow ends before the switch.
        let slot = unsafe { &mut (&mut *self.slots.get())[task.index()] };
        let Some(coroutine) = &slot.coroutine else {
            return self.resume_fresh(task, order);
        };
        of_thread(|current| current.yielder.set(slot.yielder));
        // SAFETY: a second handle to the coroutine, while that in the slot is not used: nobody but
        // this function, `resume_fresh` and `ended` does, each for tasks that the scheduler has
        // just named, and a task that runs is not named again. So there is one `&mut` at a time,
        // and `ManuallyDrop` leaves dropping to the slot's handle.
        let mut coroutine = ManuallyDrop::new(unsafe { std::ptr::read(coroutine) });
        match coroutine.resume_any(order) {
            Ok(came) => self.came_back(came),
            Err(error) => self.cannot_resume(task, error),
        }
    }

    /// How the task that has come back, which need not be the one that was resumed, gave way.
    #[inline(always)]
    fn came_back(&self, (value, tag): (Word, usize)) -> Option<Left> {
        if tag == left_with::YIELDED {
            // SAFETY: the tag says that this is what a task has yielded, not read yet.
            return Some(unsafe { unpack(value) });
        }
        self.has_ended((value, tag));
        None
    }

    /// A task has returned: the one that the scheduler has running.
    #[inline(never)]
    fn has_ended(&self, came: (Word, usize)) {
        let task = self.running();
        let (coroutine, body) = self.slots(|slots| {
            let slot = &mut slots[task.index()];
            (slot.coroutine.take(), slot.rest.body.take())
        });
        let mut left = None;
        if let (Some(coroutine), Some(body)) = (&coroutine, body) {
            // SAFETY: it came from this one: it was the last that ran.
            if let Err(payload) = unsafe { coroutine.came_to_its_end(came) } {
                let carries = body.failed(payload, self);
                left = (carries && Rc::strong_count(&body) == 1).then_some(body);
            }
        }
        drop(coroutine);
        if let Some(body) = left {
            // What the panic carries may wait as it is dropped, which only a task can do here.
            crate::runtime::spawn(move || drop(body)).detach();
        }
        self.note_end(task);
    }

    /// Whom the running task, which yields, goes to without main in between; the scheduler has
    /// that one running then. `None` when main has to decide: when it is to look at the clock or
    /// the world outside, or when there is more to do than a switch between own stacks.
    // In a build without optimisation it would take a kilobyte of each task's stack in line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn next_to_go_to(&self) -> Option<(NonNull<TaskYielder>, usize)> {
        let countdown = self.countdown.get();
        if countdown <= 1 {
            return None;
        }
        // SAFETY: the borrow ends with this function, which calls nothing that comes back here.
        let slots = unsafe { &*self.slots.get() };
        let (next, sp) = self.scheduler(|s| {
            s.handle_yield_to(|next| {
                let next = slots.get(next)?.yielder?;
                // SAFETY: a slot's yielder is that of a live coroutine.
                Some((next, unsafe { next.as_ref() }.sp_if_own()?))
            })
        })?;
        self.countdown.set(countdown - 1);
        of_thread(|current| current.yielder.set(Some(next)));
        Some((next, sp))
    }

    /// Has fetched what the tasks of some turns ahead will need, when there are more of them than
    /// the cache holds: first the control block, then, by way of that, the save stack.
    #[inline(always)]
    fn prefetch(&self) {
        const BLOCK_AHEAD: u32 = 32;
        const IMAGE_AHEAD: u32 = 16;
        // SAFETY: the borrow ends with this function, which calls nothing that comes back here.
        let slots = unsafe { &*self.slots.get() };
        self.scheduler(|s| {
            if let Some(index) = s.peek_ahead(BLOCK_AHEAD)
                && let Some(head) = slots[index].yielder
            {
                crate::copy::prefetch(head.as_ptr().cast(), 64);
            }
            if let Some(index) = s.peek_ahead(IMAGE_AHEAD)
                && let Some(coroutine) = &slots[index].coroutine
            {
                coroutine.prefetch();
            }
        });
    }

    #[cold]
    fn order(&self, task: TaskId) -> Order {
        match self.scheduler(|s| s.cancel_requested(task)) {
            true => Order::Cancel,
            false => Order::Go,
        }
    }

    /// Gives a task its stack and runs it for the first time.
    #[inline(never)]
    fn resume_fresh(&self, task: TaskId, order: Order) -> Option<Left> {
        of_thread(|current| current.yielder.set(None));
        let (place, body, name) = self.rest(task, |rest| {
            (rest.place.take(), rest.body.clone(), rest.name.clone())
        });
        let (Some(place), Some(body)) = (place, body) else {
            unreachable!("a task that can be resumed has a coroutine, or something to do")
        };
        let (mut coroutine, bound) = match place.make(name.as_deref(), body) {
            Ok(made) => made,
            Err(error) => return self.never_runs(task, error),
        };
        if bound.is_some() {
            self.shares.set(true);
        }
        let number = self.rest(task, |rest| {
            rest.bound = bound;
            rest.number
        });
        if self.tracer.is_on() {
            self.tracer.knows(coroutine.id(), number);
        }
        let resumed = coroutine.resume_any(order);
        self.slots(|slots| slots[task.index()].coroutine = Some(coroutine));
        match resumed {
            Ok(came) => self.came_back(came),
            Err(error) => self.cannot_resume(task, error),
        }
    }

    /// There is no memory for a task to run on.
    #[cold]
    fn never_runs(&self, task: TaskId, error: crate::Error) -> Option<Left> {
        if let Some(body) = self.rest(task, |rest| rest.body.take()) {
            body.give_up(JoinError::Failed(error));
        }
        self.note_end(task);
        None
    }

    /// A task begins to run: notes its own end.
    pub(in crate::runtime) fn began(&self, yielder: &TaskYielder) {
        let yielder = Some(NonNull::from(yielder));
        of_thread(|current| current.yielder.set(yielder));
        let task = self.running();
        self.slots(|slots| slots[task.index()].yielder = yielder);
    }

    /// A task has returned.
    fn ended(&self, task: TaskId) {
        let coroutine = self.slots(|slots| slots[task.index()].coroutine.take());
        drop(coroutine);
        self.note_end(task);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn note_end(&self, task: TaskId) {
        let bound = self.slots(|slots| {
            let slot = &mut slots[task.index()];
            slot.yielder = None;
            (slot.rest.body.take(), slot.rest.bound.take())
        });
        if bound.0.is_some() || bound.1.is_some() {
            drop(bound);
        } else {
            std::mem::forget(bound);
        }
        if self.cancels.get() > 0 && self.scheduler(|s| s.cancel_requested(task)) {
            self.cancels.set(self.cancels.get() - 1);
        }
        let _main = self.scheduler(|s| s.handle_end());
    }

    /// There is no memory to bring a task in. It ends here; what its frames own is lost.
    #[cold]
    fn cannot_resume(&self, task: TaskId, error: crate::Error) -> Option<Left> {
        eprintln!("costack: task {} is given up: {error}", task.index());
        self.ended(task);
        None
    }

    /// A task has panicked, and its runtime was asked to go on with that in main.
    pub(in crate::runtime) fn note_panic(
        &self,
        payload: Box<dyn Any + Send>,
    ) -> Option<Box<dyn Any + Send>> {
        if !self.propagate_panics {
            return Some(payload);
        }
        self.panic.set(Some(payload));
        self.shorten(1);
        None
    }

    fn settle_panic(&self) {
        if self.propagate_panics
            && let Some(payload) = self.panic.take()
        {
            self.scheduler(|s| s.give_up());
            std::panic::resume_unwind(payload);
        }
    }
}

/// Main runs again when the loop is left, however that happens.
struct MainAgain;

impl Drop for MainAgain {
    fn drop(&mut self) {
        of_thread(|current| current.yielder.set(None));
    }
}
