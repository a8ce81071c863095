//! Endings that end the process, each seen from outside.

mod support;

use costack::{Coroutine, Yielder};
#[track_caller]
fn check_aborts(name: &str, message: &str) {
    let output = support::run_ignored(name);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it survived: {printed}");
    assert!(printed.contains(message), "no `{message}` in: {printed}");
}

/// Yields in its destructor.
struct YieldsOnDrop<'a>(&'a Yielder<(), ()>);

impl Drop for YieldsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.suspend(());
    }
}

#[test]
fn a_destructor_that_yields_while_its_coroutine_is_dropped_ends_the_process() {
    check_aborts(
        "destructor_yields",
        "a destructor yielded while coroutine 1 was being dropped",
    );
}

#[test]
#[ignore = "ends the process"]
fn destructor_yields() {
    let mut co: Coroutine<(), (), ()> = Coroutine::new(|yielder, ()| {
        let _yields = YieldsOnDrop(yielder);
        yielder.suspend(());
    })
    .unwrap();
    co.resume(());
    drop(co);
}

#[test]
fn a_destructor_that_yields_during_a_panic_does_yield() {
    let mut co: Coroutine<(), (), ()> = Coroutine::new(|yielder, ()| {
        let _yields = YieldsOnDrop(yielder);
        std::panic::panic_any(1u8);
    })
    .unwrap();
    co.resume(());
    assert!(
        std::thread::panicking(),
        "the coroutine's panic is under way"
    );
    let again = std::panic::AssertUnwindSafe(|| co.resume(()));
    assert_eq!(
        std::panic::catch_unwind(again).unwrap_err().downcast_ref(),
        Some(&1u8)
    );
    assert!(!std::thread::panicking());
}

#[test]
fn one_yielding_in_a_destructor_during_a_panic_cannot_be_dropped() {
    check_aborts(
        "dropped_in_destructor",
        "panic in a destructor during cleanup",
    );
}

#[test]
#[ignore = "ends the process"]
fn dropped_in_destructor() {
    let mut co: Coroutine<(), (), ()> = Coroutine::new(|yielder, ()| {
        let _yields = YieldsOnDrop(yielder);
        std::panic::panic_any(1u8);
    })
    .unwrap();
    co.resume(());
    drop(co);
}
