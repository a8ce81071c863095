//! The shapes on the `generator` crate.

use super::Shapes;
use crate::case::timed;
use ::generator::{Generator, Gn, Scope};
use std::hint::black_box;

type Co = Generator<'static, usize, usize>;
type Give<'a> = Scope<'a, 'static, usize, usize>;

/// One runner per shape.
#[must_use]
pub fn shapes() -> Shapes {
    let mut root = make(|scope, mut value| {
        loop {
            value = give(scope, value);
        }
    });
    let mut helped = make(|scope, mut value| {
        loop {
            value = helper(scope, value);
        }
    });
    let mut deep = make(|scope, mut value| {
        loop {
            value = descend(scope, value, 3);
        }
    });
    let mut called = make(|scope, mut value| {
        loop {
            value = give(scope, value);
        }
    });
    [
        timed(move |trips| drive(&mut root, trips)),
        timed(move |trips| drive(&mut helped, trips)),
        timed(move |trips| drive(&mut deep, trips)),
        timed(move |trips| drive_by_call(&mut called, trips)),
    ]
}

/// A suspended generator: it has yielded once.
fn make(mut function: impl FnMut(&mut Give<'_>, usize) -> usize + Send + 'static) -> Co {
    let mut co = Gn::<usize>::new_scoped_opt(WORDS, move |mut scope: Give<'_>| {
        let first = give(&mut scope, 0);
        function(&mut scope, first)
    });
    // It begins without a value.
    co.resume();
    co
}

/// Words of a stack, as many as the others have.
const WORDS: usize = ::costack::stack::DEFAULT_STACK_BYTES / size_of::<usize>();

#[inline(always)]
fn give(scope: &mut Give<'_>, value: usize) -> usize {
    scope.yield_(value).expect("every resume sends a value")
}

#[inline(never)]
fn helper(scope: &mut Give<'_>, value: usize) -> usize {
    give(scope, value) + 1
}

#[inline(never)]
fn descend(scope: &mut Give<'_>, value: usize, depth: usize) -> usize {
    match depth {
        0 => give(scope, value),
        _ => black_box(descend(scope, value, depth - 1)) + 1,
    }
}

/// Round trips with `send` inlined into the loop.
#[inline(never)]
fn drive(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = co.send(value);
    }
    black_box(value);
}

#[inline(never)]
fn resume(co: &mut Co, value: usize) -> usize {
    co.send(value)
}

#[inline(never)]
fn drive_by_call(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = resume(co, value);
    }
    black_box(value);
}

/// Makes a generator, runs it to its end and drops it. Its stack is from the system each time.
#[inline(never)]
#[must_use]
pub fn create_run_drop(value: usize) -> usize {
    let mut co: Co = Gn::<usize>::new_scoped_opt(WORDS, move |_: Give<'_>| value + 1);
    co.resume().expect("it returns at once")
}

/// A suspended generator that owns what `make` makes.
pub fn suspended<T: 'static>(make: impl FnOnce() -> T + Send + 'static) -> impl Sized {
    let mut co: Co = Gn::<usize>::new_scoped_opt(WORDS, move |mut scope: Give<'_>| {
        let kept = make();
        give(&mut scope, 0);
        black_box(&kept);
        0
    });
    co.resume();
    co
}
