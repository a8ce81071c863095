//! Coroutines that borrow, and closures on other stacks.
#![cfg(feature = "unwind")]
#![expect(
    clippy::forget_non_drop,
    reason = "that forgetting a handle does nothing is what is tested"
)]

mod support;

use costack::stack::GuardedStack;
use costack::{Builder, Coroutine, SharedStack, State, Yielder, on_stack};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

/// Appends to a borrowed list when dropped.
struct Bell<'a>(&'a RefCell<Vec<u32>>, u32);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

fn rings<'a>(list: &'a RefCell<Vec<u32>>) -> impl FnOnce(&Yielder<(), u32>, ()) + 'a {
    move |yielder, ()| {
        let _bell = Bell(list, 1);
        for number in 0.. {
            yielder.suspend(number);
        }
    }
}

#[test]
fn one_borrows_from_around_and_is_unwound_at_the_end_of_its_scope() {
    let list = RefCell::new(Vec::new());
    let sum = Coroutine::scope(rings(&list), |mut co| {
        let numbers = (0..3).map(|_| co.resume(()).yielded().unwrap());
        numbers.sum::<u32>()
    });
    assert_eq!(sum.unwrap(), 3);
    assert_eq!(*list.borrow(), [1]);
}

#[test]
fn a_forgotten_handle_does_not_keep_it_from_being_unwound() {
    let list = RefCell::new(Vec::new());
    Coroutine::scope(rings(&list), |mut co| {
        co.resume(());
        std::mem::forget(co);
    })
    .unwrap();
    assert_eq!(*list.borrow(), [1]);
}

#[test]
fn what_is_swapped_is_not_the_coroutine() {
    // The handles of two scopes have different types (a doctest shows it), so they can only be
    // swapped within one; both ends of that are the same coroutine.
    let list = RefCell::new(Vec::new());
    Coroutine::scope(rings(&list), |co| {
        let (mut slot, mut other) = (Some(co), None);
        std::mem::swap(&mut slot, &mut other);
        std::mem::forget(slot);
        other.as_mut().unwrap().resume(());
        std::mem::forget(other);
    })
    .unwrap();
    assert_eq!(*list.borrow(), [1]);
}

#[test]
fn a_panic_of_the_scope_unwinds_it_first() {
    let list = RefCell::new(Vec::new());
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _outside = Bell(&list, 2);
        let _ = Coroutine::scope(rings(&list), |mut co| {
            co.resume(());
            panic_any(7u8);
        });
    }));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&7u8));
    assert_eq!(*list.borrow(), [1, 2]);
}

#[test]
fn the_stack_may_be_borrowed_as_well() {
    let mut stack = GuardedStack::new(64 * 1024).unwrap();
    for round in 0..3 {
        let double = |_: &Yielder<u32, ()>, number| number * 2;
        let result = Builder::new().scope_on(&mut stack, double, |mut co| co.resume(round));
        assert_eq!(result.unwrap(), State::Returned(round * 2));
    }
}

#[test]
fn one_on_a_shared_stack_is_brought_back_at_the_end() {
    let list = RefCell::new(Vec::new());
    let stack = SharedStack::new(64 * 1024).unwrap();
    // SAFETY: no pointer into the coroutines' frames leaves them.
    unsafe {
        Builder::new().scope_shared(&stack, rings(&list), |mut co| {
            co.resume(());
            let mut other = Coroutine::new_shared(&stack, |_: &Yielder<(), ()>, ()| 4).unwrap();
            assert_eq!(other.resume(()), State::Returned(4));
        })
    }
    .unwrap();
    assert_eq!(*list.borrow(), [1]);
    assert_eq!(stack.live(), 0);
}

#[test]
fn one_that_cannot_be_unwound_ends_the_process() {
    let output = support::run_ignored("always_catches");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        printed.contains("coroutine 1 cannot be unwound at the end of its scope"),
        "{printed}"
    );
}

#[test]
#[ignore = "ends the process"]
fn always_catches() {
    let function = |yielder: &Yielder<(), ()>, ()| loop {
        let _ = catch_unwind(AssertUnwindSafe(|| yielder.suspend(())));
    };
    let _: Result<State<(), ()>, _> = Coroutine::scope(function, |mut co| co.resume(()));
}

#[test]
fn one_may_suspend_the_coroutine_around_it_which_unwinds_through_it() {
    let list = std::rc::Rc::new(RefCell::new(Vec::new()));
    let inside = std::rc::Rc::clone(&list);
    let mut outer = Coroutine::new(move |outer: &Yielder<(), u32>, ()| {
        let _outer_bell = Bell(&inside, 1);
        let function = |_: &Yielder<(), ()>, ()| {
            let _inner_bell = Bell(&inside, 2);
            outer.suspend(10);
            outer.suspend(11);
        };
        let _ = Coroutine::scope(function, |mut inner| inner.resume(()));
    })
    .unwrap();
    assert_eq!(outer.resume(()), State::Yielded(10));
    assert_eq!(outer.resume(()), State::Yielded(11));
    drop(outer);
    assert_eq!(*list.borrow(), [2, 1]);
}

#[test]
fn the_unwinding_of_one_does_not_end_another_that_rethrows_it() {
    thread_local! {
        static KEPT: Cell<Option<Box<dyn std::any::Any + Send>>> = const { Cell::new(None) };
    }
    let mut first = Coroutine::new(|yielder: &Yielder<(), ()>, ()| {
        let caught = catch_unwind(AssertUnwindSafe(|| yielder.suspend(())));
        KEPT.set(caught.err());
    })
    .unwrap();
    first.resume(());
    drop(first);
    // It lies where the first one was, and gets its payload.
    let mut second = Coroutine::new(|_: &Yielder<(), ()>, ()| {
        std::panic::resume_unwind(KEPT.take().unwrap());
    })
    .unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| second.resume(()))).is_err());
    assert!(second.is_finished());
}

#[test]
fn a_closure_runs_on_another_stack() {
    let mut stack = GuardedStack::new(256 * 1024).unwrap();
    let bounds = {
        use costack::stack::StackMemory;
        stack.bottom()..stack.top()
    };
    let text = String::from("borrowed");
    let (address, len) = on_stack(&mut stack, || {
        let local = std::hint::black_box(text.len());
        ((&raw const local).addr(), local)
    })
    .unwrap();
    assert!(bounds.contains(&address));
    assert_eq!(len, text.len());
}

#[test]
fn a_panic_on_another_stack_goes_on_in_the_caller() {
    let stack = GuardedStack::new(64 * 1024).unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| on_stack(stack, || panic_any(5u8))));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&5u8));
}

#[test]
fn a_closure_on_another_stack_yields_for_the_coroutine_that_runs_it() {
    let mut co = Coroutine::new(|yielder: &Yielder<u32, u32>, first| {
        let stack = GuardedStack::new(64 * 1024).unwrap();
        on_stack(stack, || yielder.suspend(first + 1)).unwrap() * 2
    })
    .unwrap();
    assert_eq!(co.resume(1), State::Yielded(2));
    assert_eq!(co.resume(21), State::Returned(42));
}
