//! The shapes as `async` functions: state machines that the compiler makes, polled by hand. What
//! users of async runtimes have, without the runtime.

use super::Shapes;
use crate::case::timed;
use std::cell::Cell;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Where values go in and out: a future has no other way.
type Slot = Rc<Cell<usize>>;

/// A future of any kind, as executors hold them.
pub type Task = Pin<Box<dyn Future<Output = usize>>>;

/// Pending once, then ready.
struct Suspend {
    waits: bool,
}

impl Future for Suspend {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.waits) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[inline]
async fn suspend(slot: &Slot, value: usize) -> usize {
    slot.set(value);
    Suspend { waits: true }.await;
    slot.get()
}

async fn root(slot: Slot) -> usize {
    let mut value = slot.get();
    loop {
        value = suspend(&slot, value).await;
    }
}

async fn helped(slot: Slot) -> usize {
    let mut value = slot.get();
    loop {
        value = helper(&slot, value).await;
    }
}

async fn helper(slot: &Slot, value: usize) -> usize {
    black_box(suspend(slot, value).await) + 1
}

async fn deep(slot: Slot) -> usize {
    let mut value = slot.get();
    loop {
        value = first(&slot, value).await;
    }
}

async fn first(slot: &Slot, value: usize) -> usize {
    black_box(second(slot, value).await) + 1
}

async fn second(slot: &Slot, value: usize) -> usize {
    black_box(third(slot, value).await) + 1
}

async fn third(slot: &Slot, value: usize) -> usize {
    black_box(suspend(slot, value).await) + 1
}

/// One runner per shape.
#[must_use]
pub fn shapes() -> Shapes {
    let slot = Slot::default();
    let mut tasks: [Task; 4] = [
        Box::pin(root(Rc::clone(&slot))),
        Box::pin(helped(Rc::clone(&slot))),
        Box::pin(deep(Rc::clone(&slot))),
        Box::pin(root(Rc::clone(&slot))),
    ];
    for task in &mut tasks {
        black_box(poll(task).is_ready());
    }
    let [mut root, mut helped, mut deep, mut called] = tasks;
    let slots = [(); 4].map(|()| Rc::clone(&slot));
    let [a, b, c, d] = slots;
    [
        timed(move |trips| drive(&mut root, &a, trips)),
        timed(move |trips| drive(&mut helped, &b, trips)),
        timed(move |trips| drive(&mut deep, &c, trips)),
        timed(move |trips| drive_by_call(&mut called, &d, trips)),
    ]
}

/// Polls once.
#[inline]
pub fn poll(task: &mut Task) -> Poll<usize> {
    task.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[inline]
fn step(task: &mut Task, slot: &Slot, value: usize) -> usize {
    slot.set(value);
    black_box(poll(task).is_ready());
    slot.get()
}

#[inline(never)]
fn drive(task: &mut Task, slot: &Slot, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = step(task, slot, value);
    }
    black_box(value);
}

#[inline(never)]
fn call(task: &mut Task, slot: &Slot, value: usize) -> usize {
    step(task, slot, value)
}

#[inline(never)]
fn drive_by_call(task: &mut Task, slot: &Slot, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = call(task, slot, value);
    }
    black_box(value);
}

/// Makes a future on the heap, polls it to its end and drops it.
#[inline(never)]
#[must_use]
pub fn create_run_drop(value: usize) -> usize {
    let mut task: Task = Box::pin(async move { black_box(value) + 1 });
    match poll(&mut task) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}

/// A suspended future with `WORDS` words of its own that it works on each time it is polled.
#[must_use]
pub fn padded<const WORDS: usize>() -> Task {
    let mut task: Task = Box::pin(async {
        let mut words = [1; WORDS];
        loop {
            for word in words.iter_mut().take(1) {
                *word += 1;
            }
            black_box(&mut words);
            Suspend { waits: true }.await;
        }
    });
    black_box(poll(&mut task).is_ready());
    task
}

/// A suspended future that owns what `make` makes.
pub fn suspended<T: 'static>(make: impl FnOnce() -> T + 'static) -> Task {
    let mut task: Task = Box::pin(async move {
        let kept = make();
        Suspend { waits: true }.await;
        black_box(&kept);
        0
    });
    black_box(poll(&mut task).is_ready());
    task
}
