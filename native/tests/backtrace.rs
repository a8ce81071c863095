//! Backtraces go on from a coroutine into its resumer.

use costack::{Builder, Coroutine, SharedStack, Yielder};
use std::backtrace::Backtrace;
use std::hint::black_box;
use std::process::Command;

type Co = Coroutine<(), (), String>;

/// What is looked for in a backtrace, from the innermost frame outwards.
const FRAMES: [&str; 5] = [
    "innermost_frame",
    "frame_in_coroutine",
    "entry",
    "resuming_frame",
    "outermost_frame",
];

#[inline(never)]
fn innermost_frame() -> String {
    black_box(Backtrace::force_capture().to_string())
}

#[inline(never)]
fn frame_in_coroutine(yielder: &Yielder<(), ()>, (): ()) -> String {
    yielder.suspend(());
    let trace = innermost_frame();
    black_box(trace)
}

#[inline(never)]
fn resuming_frame(co: &mut Co) -> String {
    black_box(
        co.resume(())
            .returned()
            .expect("it returns at the second resume"),
    )
}

#[inline(never)]
fn outermost_frame(co: &mut Co) -> String {
    co.resume(());
    black_box(resuming_frame(co))
}

#[track_caller]
fn check_order(trace: &str) {
    let mut rest = trace;
    for frame in FRAMES {
        let at = rest
            .find(frame)
            .unwrap_or_else(|| panic!("no `{frame}` in order in:\n{trace}"));
        rest = &rest[at + frame.len()..];
    }
}

#[test]
fn std_sees_the_resumer_of_a_coroutine_on_its_own_stack() {
    check_order(&outermost_frame(
        &mut Coroutine::new(frame_in_coroutine).unwrap(),
    ));
}

#[test]
fn std_sees_the_resumer_of_one_that_keeps_its_control_words() {
    let mut co = Builder::new()
        .keep_fp(true)
        .build(frame_in_coroutine)
        .unwrap();
    check_order(&outermost_frame(&mut co));
}

#[test]
fn std_sees_the_resumer_of_one_that_was_brought_back() {
    let stack = SharedStack::new(256 * 1024).unwrap();
    // SAFETY: no pointer into the coroutines' frames leaves them.
    let (mut co, mut other) = unsafe {
        let co: Co = Coroutine::new_shared(&stack, frame_in_coroutine).unwrap();
        (
            co,
            Coroutine::new_shared(&stack, |_: &Yielder<(), ()>, ()| ()).unwrap(),
        )
    };
    co.resume(());
    other.resume(());
    check_order(&resuming_frame_and_outermost(&mut co));
}

/// As `outermost_frame`, for a coroutine that has yielded already.
#[inline(never)]
fn resuming_frame_and_outermost(co: &mut Co) -> String {
    let trace = resuming_frame(co);
    black_box(trace.replace("resuming_frame_and_outermost", "outermost_frame"))
}

/// Where gdb stops.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn costack_test_stop_here() {
    black_box(());
}

#[inline(never)]
fn stops(yielder: &Yielder<(), ()>, (): ()) -> String {
    yielder.suspend(());
    costack_test_stop_here();
    String::new()
}

/// Not a test of its own: what runs under gdb.
#[test]
fn stop_in_coroutine() {
    outermost_frame(&mut Coroutine::new(stops).unwrap());
}

#[test]
#[cfg_attr(
    not(target_arch = "x86_64"),
    ignore = "gdb on the host reads the host's programs"
)]
fn gdb_sees_the_resumer() {
    let output = Command::new("gdb")
        .args(["--batch", "-nx", "-ex", "set debuginfod enabled off"])
        .args([
            "-ex",
            "break costack_test_stop_here",
            "-ex",
            "run",
            "-ex",
            "bt",
        ])
        .arg("--args")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "stop_in_coroutine", "--test-threads=1"])
        .output()
        .expect("gdb is installed: apt-get install gdb");
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut rest = &*printed;
    for frame in [
        "costack_test_stop_here",
        "stops",
        "resuming_frame",
        "outermost_frame",
    ] {
        let at = rest
            .find(frame)
            .unwrap_or_else(|| panic!("no `{frame}` in order in:\n{printed}"));
        rest = &rest[at + frame.len()..];
    }
    assert!(!printed.contains("corrupt stack"), "{printed}");
}
