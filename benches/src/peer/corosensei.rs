//! The shapes on corosensei.

use super::Shapes;
use crate::case::timed;
use ::corosensei::stack::DefaultStack;
use ::corosensei::{Coroutine, CoroutineResult, Yielder};
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
        timed(move |trips| drive(&mut root, trips)),
        timed(move |trips| drive(&mut helped, trips)),
        timed(move |trips| drive(&mut deep, trips)),
        timed(move |trips| drive_by_call(&mut called, trips)),
    ]
}

fn make(function: impl FnOnce(&Give, usize) -> usize + 'static) -> Co {
    Coroutine::new(function)
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
fn drive(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        let (CoroutineResult::Yield(next) | CoroutineResult::Return(next)) = co.resume(value);
        value = next;
    }
    black_box(value);
}

#[inline(never)]
fn resume(co: &mut Co, value: usize) -> usize {
    let (CoroutineResult::Yield(next) | CoroutineResult::Return(next)) = co.resume(value);
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

/// A stack to be used again and again.
#[must_use]
pub fn stack() -> DefaultStack {
    DefaultStack::new(::costack::stack::DEFAULT_STACK_BYTES).expect("memory for a stack")
}

/// Makes a coroutine on the given stack, runs it to its end and takes the stack back.
#[inline(never)]
#[must_use]
pub fn create_run_drop(stack: DefaultStack, value: usize) -> (DefaultStack, usize) {
    let mut co = Coroutine::with_stack(stack, |_: &Give, value: usize| value + 1);
    let CoroutineResult::Return(value) = co.resume(value) else {
        unreachable!("it returns at once")
    };
    (co.into_stack(), value)
}
