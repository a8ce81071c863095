//! Ten seconds of switching under a timer whose signal comes every fifty microseconds, with its
//! handler on whatever stack it finds and canaries on every stack.
#![cfg(target_os = "linux")]

#[path = "support/canaried.rs"]
mod canaried;

use canaried::{Canaried, canaries_live};
use costack::stack::StackMemory;
use costack::{Builder, Coroutine, SharedStack, State, Yielder};
use nix::sys::signal::SigevNotify::SigevThreadId;
use nix::sys::signal::{SaFlags, SigAction, SigEvent, SigHandler, SigSet, Signal, sigaction};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use std::ffi::c_int;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_micros(50);
const FOR: Duration = Duration::from_secs(10);
const STACK_BYTES: usize = 64 * 1024;

static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Leaves a mess in its frame and below.
extern "C" fn on_signal(_: c_int) {
    black_box(&mut [0xa5u8; 1500]);
    HANDLED.fetch_add(1, Relaxed);
}

type Co = Coroutine<u64, u64, ()>;

#[inline(never)]
fn descend(yielder: &Yielder<u64, u64>, depth: u64, sum: u64) -> u64 {
    let frame = black_box([sum ^ depth; 4]);
    let input = match depth {
        0 => yielder.suspend(sum),
        _ => descend(yielder, depth - 1, sum),
    };
    assert_eq!(frame, [sum ^ depth; 4], "a frame has changed");
    input
}

/// Yields the sum of its inputs from changing depths.
fn sums(yielder: &Yielder<u64, u64>, first: u64) {
    let mut sum = first;
    loop {
        sum = sum.wrapping_add(descend(yielder, sum % 7, sum));
    }
}

#[test]
fn a_timer_every_fifty_microseconds_does_no_damage() {
    let action = SigAction::new(
        SigHandler::Handler(on_signal),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    // SAFETY: the handler touches its own frame and an atomic.
    unsafe { sigaction(Signal::SIGALRM, &action) }.unwrap();
    let event = SigEvent::new(SigevThreadId {
        signal: Signal::SIGALRM,
        thread_id: nix::unistd::gettid().as_raw(),
        si_value: 0,
    });
    let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, event).unwrap();

    let mut tops = Vec::new();
    let mut memory = || {
        let memory = Canaried::new(STACK_BYTES);
        tops.push(memory.top());
        memory
    };
    let stacks: Vec<_> = (0..2)
        .map(|_| SharedStack::with_memory(memory()).unwrap())
        .collect();
    let mut tasks: Vec<Co> = Vec::new();
    for number in 0..12 {
        let builder = Builder::new().keep_fp(number % 4 == 0);
        tasks.push(match number % 3 {
            0 => builder.build_on(memory(), sums).unwrap(),
            // SAFETY: no pointer into the coroutines' frames leaves them.
            at => unsafe { builder.build_shared(&stacks[at - 1], sums) }.unwrap(),
        });
    }

    timer
        .set(
            Expiration::Interval(EVERY.into()),
            TimerSetTimeFlags::empty(),
        )
        .unwrap();
    let mut model = vec![0u64; tasks.len()];
    let (mut resumes, mut input) = (0u64, 1u64);
    let start = Instant::now();
    while start.elapsed() < FOR {
        for _ in 0..1000 {
            input = input
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (input >> 33) as usize % tasks.len();
            model[at] = model[at].wrapping_add(input >> 40);
            let State::Yielded(sum) = tasks[at].resume(input >> 40) else {
                panic!("it never returns")
            };
            assert_eq!(sum, model[at], "after {resumes} resumes");
            resumes += 1;
        }
        for top in &tops {
            assert!(canaries_live(*top, STACK_BYTES), "after {resumes} resumes");
        }
    }
    drop(timer);
    drop(tasks);
    let handled = HANDLED.load(Relaxed);
    println!("{handled} signals during {resumes} resumes");
    assert!(handled > 100, "only {handled} signals came");
}
