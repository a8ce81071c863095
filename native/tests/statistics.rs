//! What is counted, of a coroutine and of a stack.

use costack::{Builder, Coroutine, Event, SharedStack, Statistics, Yielder};
use std::cell::Cell;
use std::rc::Rc;

fn stack() -> SharedStack {
    SharedStack::new(64 * 1024).unwrap()
}

/// Yields for ever with `WORDS` words on its stack.
fn add<const WORDS: usize>(stack: &SharedStack) -> Coroutine<(), (), ()> {
    let function = |yielder: &Yielder<(), ()>, ()| loop {
        let frame = std::hint::black_box([1usize; WORDS]);
        yielder.suspend(());
        std::hint::black_box(frame);
    };
    // SAFETY: no pointer into the coroutine's frames leaves it.
    unsafe { Coroutine::new_shared(stack, function) }.unwrap()
}

#[test]
fn nothing_is_counted_before_it_is_asked_for() {
    let stack = stack();
    let mut co = add::<1>(&stack);
    co.resume(());
    assert_eq!((stack.statistics(), co.statistics()), (None, None));
    stack.count();
    assert_eq!(co.statistics(), Some(Statistics::default()));
    stack.stop_counting();
    assert_eq!((stack.statistics(), co.statistics()), (None, None));
}

#[test]
fn a_stack_counts_what_all_its_coroutines_do_and_each_counts_its_own() {
    let stack = stack();
    stack.count();
    let (mut small, mut large) = (add::<1>(&stack), add::<100>(&stack));
    for _ in 0..5 {
        small.resume(());
        large.resume(());
        large.resume(());
    }
    let (all, small, large) = (
        stack.statistics().unwrap(),
        small.statistics().unwrap(),
        large.statistics().unwrap(),
    );
    assert_eq!((small.resumes, large.resumes, all.resumes), (5, 10, 15));
    assert_eq!((small.saves, small.restores), (5, 5));
    assert_eq!((large.saves, large.restores), (4, 5));
    assert_eq!(all.saves, small.saves + large.saves);
    assert_eq!(all.saved_bytes, small.saved_bytes + large.saved_bytes);
    assert_eq!(
        all.restored_bytes,
        small.restored_bytes + large.restored_bytes
    );
    assert_eq!(small.saved_bytes, 5 * small.largest_image);
    assert!(large.largest_image > small.largest_image + 90 * size_of::<usize>() as u64);
    assert_eq!(all.largest_image, large.largest_image);
}

#[test]
fn the_counts_agree_with_the_events() {
    let stack = stack();
    stack.count();
    let seen = Rc::new(Cell::new(Statistics::default()));
    let sink = Rc::clone(&seen);
    stack.observe(move |event| {
        let mut counts = sink.get();
        match event {
            Event::Save { bytes, .. } => {
                counts.saves += 1;
                counts.saved_bytes += u64::from(bytes);
                counts.largest_image = counts.largest_image.max(bytes.into());
            }
            Event::Restore { bytes, .. } => {
                counts.restores += 1;
                counts.restored_bytes += u64::from(bytes);
            }
            _ => {}
        }
        sink.set(counts);
    });
    let mut tasks: Vec<_> = (0..5).map(|_| add::<3>(&stack)).collect();
    for step in 0..100 {
        tasks[(step * step) % 5].resume(());
    }
    let expected = Statistics {
        resumes: 100,
        ..seen.get()
    };
    assert_eq!(stack.statistics(), Some(expected));
    // Counting goes on when nobody observes any more, and the other way round.
    stack.stop_observing();
    tasks[0].resume(());
    assert_eq!(stack.statistics().unwrap().resumes, 101);
}

#[test]
fn one_on_its_own_stack_counts_resumes_and_its_depth() {
    for fp in [false, true] {
        let mut co = Builder::new()
            .count(true)
            .keep_fp(fp)
            .build(|yielder: &Yielder<(), ()>, ()| {
                yielder.suspend(());
                let frame = std::hint::black_box([1usize; 500]);
                yielder.suspend(());
                std::hint::black_box(frame);
            })
            .unwrap();
        for _ in 0..3 {
            co.resume(());
        }
        let counts = co.statistics().unwrap();
        assert_eq!((counts.resumes, counts.saves), (3, 0));
        let bytes = 500 * size_of::<usize>() as u64;
        assert!(counts.largest_image > bytes && counts.largest_image < 10 * bytes);
    }
    let co = Coroutine::new(|_: &Yielder<(), ()>, ()| ()).unwrap();
    assert_eq!(co.statistics(), None);
}

#[test]
fn a_counted_one_is_unwound_like_any_other() {
    let dropped = Rc::new(());
    let inside = Rc::clone(&dropped);
    let mut co = Builder::new()
        .count(true)
        .build(move |yielder: &Yielder<(), ()>, ()| {
            let _inside = inside;
            yielder.suspend(());
        })
        .unwrap();
    co.resume(());
    drop(co);
    assert_eq!(Rc::strong_count(&dropped), 1);
}
