//! The shapes on Costack.

use crate::Shapes;
use costack::{Coroutine, State, Yielder};
use std::hint::black_box;

type Co = Coroutine<usize, usize, usize>;
type Give = Yielder<usize, usize>;

/// One runner per shape.
#[must_use]
pub fn shapes() -> Shapes {
    let mut root = make(|yielder, mut value| {
        loop {
            value = yielder.suspend(value);
        }
    });
    let mut helped = make(|yielder, mut value| {
        loop {
            value = helper(yielder, value);
        }
    });
    let mut deep = make(|yielder, mut value| {
        loop {
            value = descend(yielder, value, 3);
        }
    });
    let mut called = make(|yielder, mut value| {
        loop {
            value = yielder.suspend(value);
        }
    });
    [
        Box::new(move |trips| drive(&mut root, trips)),
        Box::new(move |trips| drive(&mut helped, trips)),
        Box::new(move |trips| drive(&mut deep, trips)),
        Box::new(move |trips| drive_by_call(&mut called, trips)),
    ]
}

fn make(function: impl FnOnce(&Give, usize) -> usize + 'static) -> Co {
    Coroutine::new(function).expect("memory for a stack")
}

#[inline(never)]
fn helper(yielder: &Give, value: usize) -> usize {
    yielder.suspend(value) + 1
}

#[inline(never)]
fn descend(yielder: &Give, value: usize, depth: usize) -> usize {
    match depth {
        0 => yielder.suspend(value),
        _ => black_box(descend(yielder, value, depth - 1)) + 1,
    }
}

/// Round trips with `resume` inlined into the loop.
#[inline(never)]
pub fn drive(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        let (State::Yielded(next) | State::Returned(next)) = co.resume(value);
        value = next;
    }
    black_box(value);
}

#[inline(never)]
fn resume(co: &mut Co, value: usize) -> usize {
    let (State::Yielded(next) | State::Returned(next)) = co.resume(value);
    next
}

#[inline(never)]
fn drive_by_call(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = resume(co, value);
    }
    black_box(value);
}

/// Makes a coroutine on a pooled stack, runs it to its end and drops it.
#[inline(never)]
pub fn create_run_drop(value: usize) -> usize {
    let mut co = make(|_, value| value + 1);
    co.resume(value).returned().expect("it returns at once")
}
