//! The shapes on Costack.

use super::Shapes;
use crate::case::{Runner, timed};
use ::costack::{Builder, Coroutine, State, Yielder};
use std::hint::black_box;

type Co = Coroutine<usize, usize, usize>;
type Give = Yielder<usize, usize>;

/// One runner per shape, with floating-point words of the coroutine's own or without.
#[must_use]
pub fn shapes(fp: bool) -> Shapes {
    let mut root = make(fp, |yielder, mut value| {
        loop {
            value = yielder.suspend(value);
        }
    });
    let mut helped = make(fp, |yielder, mut value| {
        loop {
            value = helper(yielder, value);
        }
    });
    let mut deep = make(fp, |yielder, mut value| {
        loop {
            value = descend(yielder, value, 3);
        }
    });
    let mut called = make(fp, |yielder, mut value| {
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

fn make(fp: bool, function: impl FnOnce(&Give, usize) -> usize + 'static) -> Co {
    Builder::new()
        .keep_fp(fp)
        .build(function)
        .expect("memory for a stack")
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

/// The first shape with one instruction added to each round trip.
#[must_use]
pub fn root_and_one() -> Runner {
    let mut root = make(false, |yielder, mut value| {
        loop {
            value = yielder.suspend(value);
        }
    });
    timed(move |trips| drive_and_one(&mut root, trips))
}

#[inline(never)]
fn drive(co: &mut Co, trips: u64) {
    drive_with::<false>(co, trips);
}

#[inline(never)]
fn drive_and_one(co: &mut Co, trips: u64) {
    drive_with::<true>(co, trips);
}

/// Round trips with `resume` inlined into the loop.
#[inline(always)]
fn drive_with<const ONE_MORE: bool>(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        if ONE_MORE {
            // SAFETY: it does nothing.
            unsafe { core::arch::asm!("nop", options(nomem, nostack, preserves_flags)) };
        }
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
    let mut co = Co::new(|_, value| value + 1).expect("memory for a stack");
    co.resume(value).returned().expect("it returns at once")
}
