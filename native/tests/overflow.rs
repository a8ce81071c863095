//! A stack that is too small: what is said, to whom, and what is not taken for an overflow.

mod support;

use costack::stack::{Guard, GuardedStack, StackMemory, set_last_words};
use costack::{Builder, Coroutine, SharedStack, Yielder};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;

/// What the system ends a process with.
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// Runs the ignored test of this name; returns how it ended and what it said.
#[track_caller]
fn ended(name: &str, signal: i32) -> String {
    let output = support::run_ignored(name);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.signal(),
        Some(signal),
        "{:?}: {printed}",
        output.status
    );
    printed
}

/// The addresses in a line, in order.
fn addresses(line: &str) -> Vec<usize> {
    line.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| usize::from_str_radix(word.strip_prefix("0x")?, 16).ok())
        .collect()
}

#[track_caller]
fn check_overflow(name: &str, whose: &str, bytes: usize) {
    let printed = ended(name, SIGABRT);
    let start = format!("costack: stack overflow in {whose}: its stack is ");
    let line = printed
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("no `{start}` in: {printed}"));
    let [bottom, top, accessed] = addresses(line)[..] else {
        panic!("three addresses in: {line}")
    };
    assert!(top - bottom >= bytes, "{line}");
    assert!(
        line.contains(&format!("({} bytes)", top - bottom)),
        "{line}"
    );
    assert!(accessed < bottom && bottom - accessed <= 4096, "{line}");
    // The hook was called with the same.
    let words = format!("last words of {whose} at {accessed:x}");
    assert!(printed.contains(&words), "no `{words}` in: {printed}");
}

/// Says what it got.
fn say_last_words() {
    set_last_words(Some(|overflow| {
        let id = overflow.id().expect("it was a coroutine");
        let name = overflow.name().map(|name| format!(" \"{name}\""));
        eprintln!(
            "last words of coroutine {id}{} at {:x}",
            name.unwrap_or_default(),
            overflow.address()
        );
    }));
}

#[inline(never)]
fn descend(depth: usize) -> usize {
    let frame = black_box([depth; 20]);
    if depth == usize::MAX {
        return 0;
    }
    descend(depth + 1) + frame[7]
}

#[test]
fn the_message_names_the_coroutine_its_stack_and_the_access() {
    check_overflow("own_stack", "coroutine 2 \"deep\"", 64 * 1024);
}

#[test]
#[ignore = "ends the process"]
fn own_stack() {
    say_last_words();
    let mut first = Coroutine::new(|_: &Yielder<(), ()>, ()| descend(usize::MAX)).unwrap();
    first.resume(());
    let mut co = Builder::new()
        .name("deep")
        .stack_bytes(64 * 1024)
        .build(|_: &Yielder<(), ()>, ()| descend(0))
        .unwrap();
    co.resume(());
}

#[test]
fn on_a_shared_stack_it_is_the_owner() {
    check_overflow("shared_stack", "coroutine 2 \"deep\"", 32 * 1024);
}

#[test]
#[ignore = "ends the process"]
fn shared_stack() {
    say_last_words();
    let stack = SharedStack::new(32 * 1024).unwrap();
    let function = |yielder: &Yielder<usize, ()>, first| {
        yielder.suspend(());
        descend(first)
    };
    // SAFETY: no pointer into the coroutines' frames leaves them.
    let (mut a, mut b) = unsafe {
        (
            Coroutine::new_shared(&stack, function).unwrap(),
            Builder::new()
                .name("deep")
                .build_shared(&stack, function)
                .unwrap(),
        )
    };
    a.resume(usize::MAX);
    b.resume(0);
    a.resume(0);
    b.resume(0);
}

#[test]
fn a_thread_of_its_own_reports_its_coroutines() {
    check_overflow("in_thread", "coroutine 1", 16 * 1024);
}

#[test]
#[ignore = "ends the process"]
fn in_thread() {
    say_last_words();
    let thread = std::thread::spawn(|| {
        let mut co = Builder::new()
            .stack_bytes(16 * 1024)
            .build(|_: &Yielder<(), ()>, ()| descend(0))
            .unwrap();
        co.resume(());
    });
    let _ = thread.join();
}

/// Memory of one's own with a guard that is made known.
struct Mine {
    inner: GuardedStack,
    guard: Guard,
}

// SAFETY: all of it is the inner stack's.
unsafe impl StackMemory for Mine {
    fn bottom(&self) -> usize {
        self.inner.bottom()
    }
    fn top(&self) -> usize {
        self.inner.top()
    }
    fn guard(&self) -> Option<&Guard> {
        Some(&self.guard)
    }
}

#[test]
fn memory_of_ones_own_can_have_the_same_report() {
    check_overflow("own_memory", "coroutine 1", 16 * 1024);
}

#[test]
#[ignore = "ends the process"]
fn own_memory() {
    say_last_words();
    let inner = GuardedStack::new(16 * 1024).unwrap();
    let bottom = inner.bottom();
    let guard = Guard::new(bottom - 4096..bottom, inner.top()).unwrap();
    let function = |_: &Yielder<(), ()>, ()| descend(0);
    Coroutine::with_stack(Mine { inner, guard }, function)
        .unwrap()
        .resume(());
}

#[track_caller]
fn check_not_claimed(name: &str, signal: i32) -> String {
    let printed = ended(name, signal);
    assert!(!printed.contains("costack"), "{printed}");
    assert!(!printed.contains("last words"), "{printed}");
    printed
}

#[test]
fn an_ordinary_fault_is_not_an_overflow() {
    check_not_claimed("wild_access", SIGSEGV);
}

#[test]
#[ignore = "ends the process"]
fn wild_access() {
    say_last_words();
    let mut co = Coroutine::new(|_: &Yielder<(), ()>, ()| {
        // SAFETY: none: this is what the test is about. The page at zero is never mapped.
        unsafe { black_box(64 as *mut u8).write_volatile(1) };
    })
    .unwrap();
    co.resume(());
}

#[test]
fn an_access_to_the_guard_of_another_stack_is_not_an_overflow() {
    check_not_claimed("wild_access_to_a_guard", SIGSEGV);
}

#[test]
#[ignore = "ends the process"]
fn wild_access_to_a_guard() {
    say_last_words();
    let other = Coroutine::new(|_: &Yielder<(), ()>, ()| ()).unwrap();
    let below = other.stack_bounds().start - 8;
    let mut co = Coroutine::new(move |_: &Yielder<(), ()>, ()| {
        // SAFETY: none: this is what the test is about. The guard page cannot be written.
        unsafe { (below as *mut u8).write_volatile(1) };
    })
    .unwrap();
    co.resume(());
}

#[test]
fn a_thread_that_overflows_its_own_stack_is_reported_by_the_runtime() {
    let printed = check_not_claimed("own_thread", SIGABRT);
    assert!(printed.contains("has overflowed its stack"), "{printed}");
}

#[test]
#[ignore = "ends the process"]
fn own_thread() {
    say_last_words();
    let _co = Coroutine::new(|_: &Yielder<(), ()>, ()| ()).unwrap();
    descend(0);
}
