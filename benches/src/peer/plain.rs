//! Limits: what cannot be cheaper.

use std::hint::black_box;

/// Calls of a function that is not inlined.
#[inline(never)]
pub fn calls(times: u64) {
    let mut value = 1;
    for _ in 0..times {
        value = called(value);
    }
    black_box(value);
}

#[inline(never)]
fn called(value: usize) -> usize {
    black_box(value) + 1
}

/// Panics that are caught right away, each with a destructor to run.
pub fn panics(times: u64) {
    for _ in 0..times {
        let caught = std::panic::catch_unwind(|| {
            let _kept = Destructor;
            // Unlike `panic!`, this calls no hook, which would print.
            std::panic::resume_unwind(Box::new(()));
        });
        black_box(caught.is_err());
    }
}

/// Something with a destructor that the compiler must run.
pub struct Destructor;

impl Drop for Destructor {
    fn drop(&mut self) {
        black_box(&*self);
    }
}
