//! Coroutines on stacks of their own.

use costack::{Builder, Coroutine, Refusal, State, Yielder};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Resumes with each input in turn and compares what comes back.
#[track_caller]
fn check<Input, Output>(
    mut co: Coroutine<Input, Output, Output>,
    inputs: impl IntoIterator<Item = Input>,
    expect: &[State<Output, Output>],
) where
    Input: 'static,
    Output: std::fmt::Debug + PartialEq + 'static,
{
    let got: Vec<_> = inputs.into_iter().map(|input| co.resume(input)).collect();
    assert_eq!(got, expect);
}

/// Appends to a list when dropped.
struct Bell(Rc<RefCell<Vec<u32>>>, u32);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[test]
fn values_pass_both_ways() {
    let co = Coroutine::new(|yielder, first: i32| {
        let second = yielder.suspend(first + 1);
        let third = yielder.suspend(second * 2);
        first + second + third
    });
    check(
        co.unwrap(),
        [1, 10, 100],
        &[State::Yielded(2), State::Yielded(20), State::Returned(111)],
    );
}

#[test]
fn large_values_pass_both_ways() {
    let co = Coroutine::new(|yielder, first: [u64; 64]| {
        let second = yielder.suspend(first.map(|word| word + 1));
        second.map(|word| word * 2)
    });
    let expect = [State::Yielded([2; 64]), State::Returned([10; 64])];
    check(co.unwrap(), [[1; 64], [5; 64]], &expect);
}

#[test]
fn zero_sized_and_owned_values_pass() {
    let mut co = Coroutine::new(|yielder, ()| {
        yielder.suspend(String::from("first"));
        vec![String::from("last")]
    })
    .unwrap();
    assert_eq!(co.resume(()), State::Yielded(String::from("first")));
    assert_eq!(co.resume(()), State::Returned(vec![String::from("last")]));
}

#[inline(never)]
fn descend(yielder: &Yielder<u64, u64>, depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    let below = if depth == 0 {
        yielder.suspend(7)
    } else {
        descend(yielder, depth - 1)
    };
    assert_eq!(frame, [depth; 16]);
    below + frame[3]
}

#[test]
fn yields_from_any_depth() {
    let co = Coroutine::new(|yielder, _| descend(yielder, 100));
    check(
        co.unwrap(),
        [0, 1],
        &[State::Yielded(7), State::Returned(1 + 100 * 101 / 2)],
    );
}

#[test]
fn coroutines_resume_coroutines() {
    let mut outer = Coroutine::new(|outer: &Yielder<u32, u32>, first| {
        let mut inner = Coroutine::<u32, u32, ()>::new(|inner, mut value| {
            loop {
                value = inner.suspend(value + 1);
            }
        })
        .unwrap();
        let mut value: u32 = first;
        for _ in 0..3 {
            let Some(next) = inner.resume(value).yielded() else {
                break;
            };
            value = outer.suspend(next);
        }
        value
    })
    .unwrap();
    for value in [1, 5, 9] {
        assert_eq!(outer.resume(value), State::Yielded(value + 1));
    }
    assert_eq!(outer.resume(0), State::Returned(0));
}

#[test]
fn a_finished_coroutine_refuses_and_gives_the_input_back() {
    let mut co = Coroutine::<String, (), ()>::new(|_, _| ()).unwrap();
    assert!(!co.is_finished());
    co.resume(String::new());
    assert!(co.is_finished());
    let refused = co.try_resume(String::from("kept")).unwrap_err();
    assert_eq!(refused.error.refusal(), Some(Refusal::Finished));
    assert_eq!(refused.value, "kept");
    assert!(catch_unwind(AssertUnwindSafe(|| co.resume(String::new()))).is_err());
}

#[test]
fn a_panic_reaches_the_resumer_with_its_payload() {
    let mut co = Coroutine::<(), (), ()>::new(|yielder, ()| {
        yielder.suspend(());
        std::panic::panic_any(42u8);
    })
    .unwrap();
    co.resume(());
    let payload = catch_unwind(AssertUnwindSafe(|| co.resume(()))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&42u8));
    assert!(co.is_finished());
}

#[test]
fn dropping_a_suspended_one_runs_its_destructors() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bells = Rc::clone(&rung);
    let mut co = Coroutine::<(), (), ()>::new(move |yielder, ()| {
        let _first = Bell(Rc::clone(&bells), 1);
        let _second = Bell(bells, 2);
        yielder.suspend(());
        unreachable!("it is dropped instead");
    })
    .unwrap();
    co.resume(());
    assert!(rung.borrow().is_empty());
    drop(co);
    assert_eq!(*rung.borrow(), [2, 1]);
}

#[test]
fn dropping_a_fresh_one_drops_its_closure() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bell = Bell(Rc::clone(&rung), 3);
    drop(Coroutine::<(), (), ()>::new(move |_, ()| drop(bell)).unwrap());
    assert_eq!(*rung.borrow(), [3]);
}

#[test]
fn dropping_a_finished_one_drops_nothing_twice() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bell = Bell(Rc::clone(&rung), 4);
    let mut co = Coroutine::<(), (), Bell>::new(move |_, ()| bell).unwrap();
    drop(co.resume(()));
    drop(co);
    assert_eq!(*rung.borrow(), [4]);
}

#[test]
fn dropping_one_while_panicking_runs_its_destructors() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bells = Rc::clone(&rung);
    let result = catch_unwind(AssertUnwindSafe(move || {
        let mut co = Coroutine::<(), (), ()>::new(move |yielder, ()| {
            let _bell = Bell(bells, 5);
            yielder.suspend(());
        })
        .unwrap();
        co.resume(());
        std::panic::panic_any("outer");
    }));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&"outer"));
    assert_eq!(*rung.borrow(), [5]);
    assert!(!std::thread::panicking());
}

#[test]
fn a_panic_caught_inside_stays_inside() {
    let co = Coroutine::new(|yielder, _: u32| {
        let caught = catch_unwind(|| std::panic::panic_any(6u32)).unwrap_err();
        yielder.suspend(*caught.downcast::<u32>().unwrap());
        7
    });
    check(
        co.unwrap(),
        [0, 0],
        &[State::Yielded(6), State::Returned(7)],
    );
}

#[test]
fn one_that_catches_its_unwinding_once_is_unwound_at_its_next_yield() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bells = Rc::clone(&rung);
    let mut co = Coroutine::<(), (), ()>::new(move |yielder, ()| {
        let _bell = Bell(Rc::clone(&bells), 1);
        let _ = catch_unwind(AssertUnwindSafe(|| yielder.suspend(())));
        let _bell = Bell(bells, 2);
        yielder.suspend(());
        unreachable!("it is unwound at the second suspend");
    })
    .unwrap();
    co.resume(());
    drop(co);
    assert_eq!(*rung.borrow(), [2, 1]);
}

#[test]
fn one_that_always_catches_its_unwinding_is_given_up() {
    let caught = Rc::new(Cell::new(0));
    let count = Rc::clone(&caught);
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bell = Bell(Rc::clone(&rung), 1);
    let mut co = Coroutine::<(), (), ()>::new(move |yielder, ()| {
        let _bell = bell;
        loop {
            if catch_unwind(AssertUnwindSafe(|| yielder.suspend(()))).is_err() {
                count.set(count.get() + 1);
            }
        }
    })
    .unwrap();
    co.resume(());
    drop(co);
    assert!(caught.get() > 1);
    assert!(rung.borrow().is_empty(), "its destructors never run");
}

#[test]
fn one_that_catches_its_unwinding_and_returns_has_its_value_dropped() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let bell = Bell(Rc::clone(&rung), 1);
    let mut co = Coroutine::<(), (), Bell>::new(move |yielder, ()| {
        let _ = catch_unwind(AssertUnwindSafe(|| yielder.suspend(())));
        bell
    })
    .unwrap();
    co.resume(());
    drop(co);
    assert_eq!(*rung.borrow(), [1]);
}

#[test]
fn a_panic_on_the_way_out_of_a_drop_reaches_the_dropper() {
    let mut co = Coroutine::<(), (), ()>::new(move |yielder, ()| {
        let _ = catch_unwind(AssertUnwindSafe(|| yielder.suspend(())));
        std::panic::panic_any(9u16);
    })
    .unwrap();
    co.resume(());
    let payload = catch_unwind(AssertUnwindSafe(|| drop(co))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&9u16));
}

#[test]
fn closures_may_be_large_and_aligned() {
    #[repr(align(128))]
    #[derive(Clone, Copy)]
    struct Wide([u8; 128]);
    let wide = Wide([3; 128]);
    let mut co = Coroutine::<(), usize, usize>::new(move |yielder, ()| {
        let wide = std::hint::black_box(wide);
        yielder.suspend((&raw const wide).addr() % 128);
        usize::from(wide.0[127])
    })
    .unwrap();
    assert_eq!(co.resume(()), State::Yielded(0));
    assert_eq!(co.resume(()), State::Returned(3));
}

#[test]
fn a_stack_too_small_for_the_closure_is_an_error() {
    let big = [0u8; 64 * 1024];
    let result = Builder::new()
        .stack_bytes(4096)
        .build(move |_: &Yielder<(), ()>, ()| {
            std::hint::black_box(big);
        });
    assert!(result.unwrap_err().to_string().contains("are needed"));
}

#[test]
fn ids_and_names_are_kept() {
    let make = || {
        Builder::new()
            .name("worker")
            .build(|_: &Yielder<(), ()>, ()| ())
            .unwrap()
    };
    let (a, b) = (make(), make());
    assert_ne!(a.id(), b.id());
    assert_eq!(a.name(), Some("worker"));
}
