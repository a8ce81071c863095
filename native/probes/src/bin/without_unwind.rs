//! What the library promises without its feature `unwind`: a panic in a coroutine ends the process,
//! and dropping a suspended one leaks its stack and runs no destructor.

use costack::stack::StackMemory;
use costack::{Coroutine, SharedStack, State, Yielder};
use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;

fn main() {
    if std::env::args().nth(1).is_some() {
        panic_inside();
    }
    returns_and_is_dropped_fresh();
    a_suspended_one_is_leaked();
    a_suspended_one_on_a_shared_stack_is_forgotten();
    runs_on_another_stack();
    a_panic_ends_the_process();
    println!("without_unwind: 5 passed, 0 failed");
}

/// Memory that tells when it is given back.
struct Told(costack::stack::GuardedStack, Rc<Cell<u32>>);

// SAFETY: all of it is the inner stack's.
unsafe impl StackMemory for Told {
    fn bottom(&self) -> usize {
        self.0.bottom()
    }
    fn top(&self) -> usize {
        self.0.top()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.1.set(self.1.get() + 1);
    }
}

fn told(given_back: &Rc<Cell<u32>>) -> Told {
    let stack = costack::stack::GuardedStack::new(64 * 1024).expect("a stack");
    Told(stack, Rc::clone(given_back))
}

fn returns_and_is_dropped_fresh() {
    let given_back = Rc::new(Cell::new(0));
    let double = |_: &Yielder<u32, ()>, number| number * 2;
    let mut co = Coroutine::with_stack(told(&given_back), double).expect("room");
    assert_eq!(co.resume(4), State::Returned(8));
    drop(co);
    let kept = Rc::new(());
    let inside = Rc::clone(&kept);
    let fresh = Coroutine::with_stack(told(&given_back), move |_: &Yielder<(), ()>, ()| {
        drop(inside);
    });
    drop(fresh.expect("room"));
    assert_eq!(given_back.get(), 2);
    assert_eq!(Rc::strong_count(&kept), 1, "the closure was dropped");
}

fn a_suspended_one_is_leaked() {
    let given_back = Rc::new(Cell::new(0));
    let kept = Rc::new(());
    let inside = Rc::clone(&kept);
    let mut co = Coroutine::with_stack(told(&given_back), move |yielder: &Yielder<(), ()>, ()| {
        let _inside = inside;
        yielder.suspend(());
    })
    .expect("room");
    co.resume(());
    drop(co);
    assert_eq!(given_back.get(), 0, "someone may rely on the frames");
    assert_eq!(Rc::strong_count(&kept), 2, "no destructor has run");
}

fn a_suspended_one_on_a_shared_stack_is_forgotten() {
    let stack = SharedStack::new(64 * 1024).expect("a stack");
    let forever = |yielder: &Yielder<(), ()>, ()| loop {
        yielder.suspend(());
    };
    // SAFETY: no pointer into the coroutines' frames leaves them.
    let (mut a, mut b): (Coroutine<_, _, ()>, Coroutine<_, _, ()>) = unsafe {
        (
            Coroutine::new_shared(&stack, forever).expect("memory"),
            Coroutine::new_shared(&stack, forever).expect("memory"),
        )
    };
    a.resume(());
    b.resume(());
    drop(a);
    b.resume(());
    drop(b);
    assert_eq!((stack.live(), stack.save_bytes()), (0, 0));
}

fn runs_on_another_stack() {
    let mut stack = costack::stack::GuardedStack::new(64 * 1024).expect("a stack");
    let number = 4;
    assert_eq!(
        costack::on_stack(&mut stack, || number + 1).expect("room"),
        5
    );
}

fn a_panic_ends_the_process() {
    let program = std::env::current_exe().expect("the program's own name");
    let output = Command::new(program).arg("panic").output();
    let output = output.expect("this program runs");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{printed}");
    assert!(
        printed.contains("panic in a function that cannot unwind"),
        "{printed}"
    );
}

fn panic_inside() -> ! {
    let function = |_: &Yielder<(), ()>, ()| panic!("inside");
    Coroutine::new(function).expect("a stack").resume(());
    unreachable!("a panic cannot leave its coroutine")
}
