//! Coroutines that share a stack.

use costack::{Builder, Coroutine, Event, Id, Refusal, SharedStack, State, Yielder};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

type Log = Rc<RefCell<Vec<Event<Id>>>>;

fn stack() -> SharedStack {
    SharedStack::new(64 * 1024).expect("a small stack")
}

fn observed() -> (SharedStack, Log) {
    let (stack, log) = (stack(), Log::default());
    let sink = Rc::clone(&log);
    stack.observe(move |event| sink.borrow_mut().push(event));
    (stack, log)
}

/// A coroutine that lets no pointer into its frames out.
fn add<Input: 'static, Yield: 'static, Return: 'static>(
    stack: &SharedStack,
    function: impl FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
) -> Coroutine<Input, Yield, Return> {
    // SAFETY: no function in this file yields or stores a pointer into its frames.
    unsafe { Coroutine::new_shared(stack, function) }.expect("memory for a save stack")
}

/// Yields `from`, `from + 1`, … from a frame with `WORDS` words in it.
fn counter<const WORDS: usize>(from: u64) -> impl FnOnce(&Yielder<(), u64>, ()) {
    move |yielder, ()| {
        for number in from.. {
            let frame = std::hint::black_box([number; WORDS]);
            yielder.suspend(number);
            assert_eq!(frame, [number; WORDS]);
        }
    }
}

#[derive(Clone)]
struct Bell(Rc<RefCell<Vec<u32>>>, u32);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[track_caller]
fn check_sequence(mut tasks: Vec<Coroutine<(), u64, ()>>, order: &[usize]) {
    let mut expect: Vec<u64> = (0..tasks.len() as u64).map(|task| task * 1000).collect();
    for &task in order {
        assert_eq!(tasks[task].resume(()), State::Yielded(expect[task]));
        expect[task] += 1;
    }
}

#[test]
fn coroutines_take_turns_on_one_stack() {
    let stack = stack();
    let tasks = (0..10)
        .map(|task| add(&stack, counter::<4>(task * 1000)))
        .collect();
    let order: Vec<usize> = (0..1000).map(|step| (step * 7 + step / 13) % 10).collect();
    check_sequence(tasks, &order);
}

#[test]
fn deep_and_shallow_ones_take_turns() {
    let stack = stack();
    let tasks = vec![
        add(&stack, counter::<1>(0)),
        add(&stack, counter::<500>(1000)),
        add(&stack, counter::<20>(2000)),
    ];
    check_sequence(tasks, &[0, 1, 2, 1, 0, 2, 2, 0, 1, 1, 1, 0, 2, 0, 1]);
}

#[test]
fn the_owner_is_resumed_without_a_copy() {
    let (stack, log) = observed();
    let mut co = add(&stack, counter::<4>(0));
    co.resume(());
    log.borrow_mut().clear();
    for _ in 0..10 {
        co.resume(());
    }
    assert!(log.borrow().is_empty());
    assert_eq!(stack.owner(), Some(co.id()));
}

#[test]
fn evicts_the_owner_before_it_restores() {
    let (stack, log) = observed();
    let (mut a, mut b) = (add(&stack, counter::<4>(0)), add(&stack, counter::<4>(0)));
    a.resume(());
    log.borrow_mut().clear();
    b.resume(());
    let events = log.borrow();
    assert!(
        matches!(events[0], Event::Save { task, .. } if task == a.id()),
        "{events:?}"
    );
    assert!(
        matches!(events[1], Event::Restore { task, .. } if task == b.id()),
        "{events:?}"
    );
    let owner = Event::Owner {
        stack: stack.number(),
        from: Some(a.id()),
        to: Some(b.id()),
    };
    assert_eq!(events[2], owner);
}

#[test]
fn what_is_saved_is_what_is_restored() {
    let (stack, log) = observed();
    let mut tasks: Vec<_> = (0..3).map(|task| add(&stack, counter::<9>(task))).collect();
    for step in 0..30 {
        tasks[step % 3].resume(());
    }
    let mut saved = std::collections::HashMap::new();
    for event in log.borrow().iter() {
        match *event {
            Event::Save { task, bytes } => drop(saved.insert(task, bytes)),
            Event::Restore { task, bytes } => {
                assert_eq!(saved.remove(&task).unwrap_or(bytes), bytes);
            }
            _ => {}
        }
    }
}

#[test]
fn the_end_of_the_owner_frees_the_stack() {
    let (stack, log) = observed();
    let mut a = add(&stack, |_: &Yielder<(), ()>, ()| 5);
    assert_eq!(a.resume(()), State::Returned(5));
    assert_eq!(stack.owner(), None);
    log.borrow_mut().clear();
    add(&stack, counter::<1>(0)).resume(());
    assert!(
        !log.borrow()
            .iter()
            .any(|event| matches!(event, Event::Save { .. }))
    );
}

#[test]
fn one_cannot_resume_another_of_its_own_stack() {
    let stack = stack();
    let mut inner = add(&stack, |_: &Yielder<u8, ()>, _| ());
    let mut outer = add(&stack, move |_: &Yielder<(), ()>, ()| {
        let refused = inner.try_resume(3).unwrap_err();
        assert_eq!(refused.value, 3);
        refused.error.refusal()
    });
    assert_eq!(outer.resume(()), State::Returned(Some(Refusal::StackInUse)));
}

#[test]
fn one_may_resume_those_of_other_stacks() {
    let (first, second) = (stack(), stack());
    let mut inner = add(&second, counter::<8>(100));
    let mut outer = add(&first, move |yielder: &Yielder<(), u64>, ()| {
        loop {
            let State::Yielded(number) = inner.resume(()) else {
                unreachable!()
            };
            yielder.suspend(number);
        }
    });
    let mut other: Coroutine<(), u64, ()> = add(&first, counter::<8>(0));
    for step in 0..5 {
        assert_eq!(outer.resume(()), State::<_, ()>::Yielded(100 + step));
        assert_eq!(other.resume(()), State::Yielded(step));
    }
}

#[test]
fn values_of_any_size_pass() {
    let stack = stack();
    let echo = |yielder: &Yielder<[u64; 50], [u64; 50]>, mut value: [u64; 50]| {
        loop {
            value = yielder.suspend(value.map(|word| word + 1));
        }
    };
    let mut a: Coroutine<_, _, ()> = add(&stack, echo);
    let mut b: Coroutine<_, _, ()> = add(&stack, echo);
    for round in 0..5 {
        assert_eq!(a.resume([round; 50]), State::Yielded([round + 1; 50]));
        assert_eq!(
            b.resume([round * 2; 50]),
            State::Yielded([round * 2 + 1; 50])
        );
    }
}

#[test]
fn dropping_one_that_is_out_brings_it_back_and_unwinds_it() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let (stack, log) = observed();
    let bells = Rc::clone(&rung);
    let mut a: Coroutine<(), (), ()> = add(&stack, move |yielder, ()| {
        let _first = Bell(Rc::clone(&bells), 1);
        let _second = Bell(bells, 2);
        yielder.suspend(());
    });
    let mut b = add(&stack, counter::<30>(0));
    a.resume(());
    b.resume(());
    log.borrow_mut().clear();
    let id = a.id();
    drop(a);
    assert_eq!(*rung.borrow(), [2, 1]);
    assert!(
        log.borrow()
            .iter()
            .any(|event| matches!(event, Event::Restore { task, .. } if *task == id))
    );
    assert_eq!(b.resume(()), State::Yielded(1));
}

#[test]
fn dropping_the_occupant_frees_the_stack() {
    let (stack, log) = observed();
    let (mut a, mut b) = (add(&stack, counter::<4>(0)), add(&stack, counter::<4>(0)));
    a.resume(());
    drop(a);
    assert_eq!(stack.owner(), None);
    log.borrow_mut().clear();
    b.resume(());
    assert!(
        !log.borrow()
            .iter()
            .any(|event| matches!(event, Event::Save { .. }))
    );
}

#[test]
fn dropping_one_from_a_coroutine_of_the_same_stack_forgets_its_frames() {
    let rung = Rc::new(RefCell::new(Vec::new()));
    let stack = stack();
    let bell = Bell(Rc::clone(&rung), 1);
    let mut a: Coroutine<(), (), ()> = add(&stack, move |yielder, ()| {
        let _bell = bell;
        yielder.suspend(());
    });
    a.resume(());
    let mut b = add(&stack, move |_: &Yielder<(), ()>, ()| drop(a));
    b.resume(());
    assert!(rung.borrow().is_empty());
    drop(b);
    assert!(stack.close().is_ok());
}

#[test]
fn a_panic_reaches_the_resumer_and_frees_the_stack() {
    let stack = stack();
    let mut a: Coroutine<(), (), ()> =
        add(&stack, |_, ()| std::panic::panic_any(String::from("why")));
    let payload = catch_unwind(AssertUnwindSafe(|| a.resume(()))).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "why");
    assert!(a.is_finished());
    assert_eq!(stack.owner(), None);
}

#[test]
fn a_stack_with_coroutines_is_not_closed() {
    let stack = stack();
    let co = add(&stack, counter::<4>(0));
    let refused = stack.close().unwrap_err();
    assert_eq!(
        refused.error.refusal(),
        Some(Refusal::StackHasCoroutines { live: 1 })
    );
    drop(co);
    assert!(refused.value.close().is_ok());
}

#[test]
fn a_dropped_stack_lives_until_its_last_coroutine() {
    let stack = stack();
    let (mut a, mut b) = (add(&stack, counter::<4>(0)), add(&stack, counter::<4>(0)));
    drop(stack);
    a.resume(());
    b.resume(());
    drop(b);
    assert_eq!(a.resume(()), State::Yielded(1));
}

#[test]
fn no_memory_for_the_owner_is_an_error_and_nothing_is_lost() {
    let stack = stack();
    let (mut a, mut b) = (
        add(&stack, counter::<200>(0)),
        add(&stack, counter::<4>(50)),
    );
    a.resume(());
    stack.limit_save_bytes(stack.save_bytes());
    let refused = b.try_resume(()).unwrap_err();
    assert!(refused.error.is_out_of_memory(), "{}", refused.error);
    assert_eq!(stack.owner(), Some(a.id()));
    assert_eq!(a.resume(()), State::Yielded(1));
    stack.limit_save_bytes(usize::MAX);
    assert_eq!(b.resume(()), State::Yielded(50));
    assert_eq!(a.resume(()), State::Yielded(2));
}

#[test]
fn no_memory_for_a_new_one_is_an_error() {
    let stack = stack();
    stack.limit_save_bytes(60);
    // SAFETY: it never runs.
    let refused = unsafe { Coroutine::new_shared(&stack, counter::<4>(0)) }.unwrap_err();
    assert!(refused.is_out_of_memory());
    assert_eq!((stack.save_bytes(), stack.live()), (0, 0));
}

#[test]
fn a_closure_larger_than_the_stack_is_an_error() {
    let stack = SharedStack::new(4096).expect("a small stack");
    let big = [1u8; 8192];
    let function = move |_: &Yielder<(), ()>, ()| usize::from(std::hint::black_box(big)[0]);
    // SAFETY: it never runs.
    assert!(unsafe { Coroutine::new_shared(&stack, function) }.is_err());
}

#[test]
fn save_stacks_fit_their_images() {
    let (stack, log) = observed();
    let mut tasks: Vec<_> = (0..100).map(|_| add(&stack, counter::<4>(0))).collect();
    for _ in 0..2 {
        for task in &mut tasks {
            task.resume(());
        }
    }
    let image = log.borrow().iter().rev().find_map(|event| match event {
        Event::Save { bytes, .. } => Some(*bytes as usize),
        _ => None,
    });
    let each = stack.save_bytes() / 100;
    assert!(
        each <= image.unwrap() + 64 + 16,
        "{each} bytes each for images of {image:?}"
    );
}

#[test]
fn names_are_kept() {
    let stack = stack();
    // SAFETY: nothing leaves it.
    let co = unsafe {
        Builder::new()
            .name("reader")
            .build_shared(&stack, counter::<1>(0))
    };
    assert_eq!(co.unwrap().name(), Some("reader"));
    assert_eq!(add(&stack, counter::<1>(0)).name(), None);
}
