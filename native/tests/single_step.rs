//! A signal between any two instructions. A child makes a round trip, instruction by instruction;
//! before each of them it is copied, a signal comes to the copy, which then goes on to the end, and
//! what comes of that is compared with the undisturbed run. The handler uses the stack that it
//! finds, and a good deal of it; and everything below sp that the ABI does not reserve is spoilt.
#![cfg(all(target_os = "linux", any(target_arch = "x86", target_arch = "x86_64")))]

#[path = "support/canaried.rs"]
mod canaried;
#[path = "support/traced.rs"]
mod traced;

use canaried::{Canaried, canaries_live};
use costack::stack::StackMemory;
use costack::{Builder, Coroutine, SharedStack, State, Yielder};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::ffi::c_int;
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use traced::{Traced, breakpoint, pc};

const STACK_BYTES: usize = 32 * 1024;

/// What a run has seen: the values that came out of the round trips, in order.
type Outcome = [u64; 6];

/// What parent and child both see.
struct Report {
    outcome: [AtomicU64; 6],
    canaries: AtomicU32,
    handled: AtomicU32,
}

static REPORT: OnceLock<&Report> = OnceLock::new();

/// Leaves a mess in its frame and below.
extern "C" fn on_signal(_: c_int) {
    black_box(&mut [0xa5u8; 1500]);
    REPORT.get().unwrap().handled.fetch_add(1, SeqCst);
}

type Co = Coroutine<u64, u64, u64>;

/// Has something live in registers, in its frame, in floating-point numbers and in how they are
/// rounded.
#[inline(never)]
fn worker(up: bool) -> impl FnOnce(&Yielder<u64, u64>, u64) -> u64 {
    move |yielder, first| {
        if up {
            set_rounding(2);
        }
        let frame = black_box([first; 3]);
        let third = black_box(1.0f64) / black_box(3.0);
        let second = yielder.suspend(first * 3 + u64::from(rounding()));
        let third_time = yielder.suspend((frame[1] ^ second) + third.to_bits());
        let frame_sum: u64 = frame.iter().sum();
        frame_sum + third_time * 7 + u64::from(rounding())
    }
}

/// The rounding field of MXCSR.
fn rounding() -> u32 {
    let mut mxcsr = 0u32;
    // SAFETY: writes four bytes to the local.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr) };
    mxcsr >> 13 & 3
}

fn set_rounding(mode: u32) {
    let mxcsr = 0x1f80 | mode << 13;
    // SAFETY: a valid control word, with all exceptions masked.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr) };
}

fn value(state: State<u64, u64>) -> u64 {
    let (State::Yielded(value) | State::Returned(value)) = state;
    value
}

/// A round trip of a coroutine on its own stack.
fn own(fp: bool) -> (Outcome, bool) {
    let memory = Canaried::new(STACK_BYTES);
    let top = memory.top();
    let mut co: Co = Builder::new()
        .keep_fp(fp)
        .build_on(memory, worker(fp))
        .unwrap();
    let first = value(co.resume(5));
    breakpoint();
    let second = co.resume(black_box(17));
    breakpoint();
    let last = value(co.resume(black_box(4)));
    let outcome = [
        first,
        value(second),
        last,
        rounding().into(),
        co.is_finished().into(),
        0,
    ];
    (outcome, canaries_live(top, STACK_BYTES))
}

/// A round trip of one that shares its stack: the owner is saved, it is brought back, and runs.
fn evicting(fp: bool) -> (Outcome, bool) {
    let memory = Canaried::new(STACK_BYTES);
    let top = memory.top();
    let stack = SharedStack::with_memory(memory).unwrap();
    let build = || {
        let builder = Builder::new().keep_fp(fp);
        // SAFETY: no pointer into the coroutine's frames leaves it.
        unsafe { builder.build_shared(&stack, worker(fp)) }.unwrap()
    };
    let (mut a, mut b): (Co, Co) = (build(), build());
    let firsts = value(a.resume(5)) + value(b.resume(1000));
    breakpoint();
    let second = a.resume(black_box(17));
    breakpoint();
    let other = value(b.resume(black_box(19)));
    let lasts = [value(a.resume(black_box(4))), value(b.resume(black_box(6)))];
    let outcome = [
        firsts,
        value(second),
        other,
        lasts[0],
        lasts[1],
        rounding().into(),
    ];
    (outcome, canaries_live(top, STACK_BYTES))
}

/// The first resume of a coroutine, which ends it as well.
fn whole_life(fp: bool) -> (Outcome, bool) {
    let memory = Canaried::new(STACK_BYTES);
    let top = memory.top();
    let mut co: Co = Builder::new()
        .keep_fp(fp)
        .build_on(memory, |_: &Yielder<u64, u64>, input| input * 9)
        .unwrap();
    breakpoint();
    let only = co.resume(black_box(17));
    breakpoint();
    let outcome = [
        value(only),
        co.is_finished().into(),
        rounding().into(),
        0,
        0,
        0,
    ];
    (outcome, canaries_live(top, STACK_BYTES))
}

fn serve(report: &'static Report, round_trip: fn(bool) -> (Outcome, bool), fp: bool) {
    let _ = REPORT.set(report);
    let handler = SigHandler::Handler(on_signal);
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler touches its own frame and atomics.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    loop {
        let (outcome, canaries) = round_trip(fp);
        for (slot, value) in report.outcome.iter().zip(outcome) {
            slot.store(value, SeqCst);
        }
        report.canaries.store(canaries.into(), SeqCst);
        breakpoint();
    }
}

#[track_caller]
fn check(round_trip: fn(bool) -> (Outcome, bool), fp: bool) {
    let report: &Report = traced::shared();
    let child = Traced::start(|| serve(report, round_trip, fp));
    let outcome = || -> Vec<u64> {
        let slots = report.outcome.iter();
        slots.map(|slot| slot.load(SeqCst)).collect()
    };
    // Once to warm up. The breakpoints: before and after the round trip, and when the outcome is
    // there.
    child.begin();
    child.run(None);
    child.run(None);
    let expected = outcome();
    assert_ne!(expected, [0; 6]);
    assert_eq!(report.canaries.load(SeqCst), 1);

    child.run(None);
    let undisturbed = child.copy();
    undisturbed.run(None);
    let registers = undisturbed.registers();
    drop(undisturbed);
    let mut instructions = 0;
    while !child.at_breakpoint() {
        let copy = child.copy();
        let at = pc(&copy.registers());
        copy.spoil_below_sp();
        report.canaries.store(0, SeqCst);
        instructions += 1;
        let what = format!("a signal before instruction {instructions}, at {at:#x}");
        copy.run(Some(Signal::SIGUSR1));
        // Whether or not the compiler has something in them.
        assert_eq!(copy.registers(), registers, "{what}: registers");
        copy.run(None);
        assert_eq!(report.handled.load(SeqCst), instructions, "{what}: handled");
        assert_eq!(outcome(), expected, "{what}");
        assert_eq!(report.canaries.load(SeqCst), 1, "{what}: a canary");
        drop(copy);
        child.step();
    }
    assert!(instructions > 20, "only {instructions} instructions");
    println!("{instructions} instructions, a signal at each");
}

#[test]
fn a_signal_at_any_instruction_of_a_round_trip_does_no_harm() {
    check(own, false);
}

#[test]
fn a_signal_at_any_instruction_does_no_harm_to_control_words() {
    check(own, true);
}

#[test]
fn a_signal_at_any_instruction_of_an_eviction_does_no_harm() {
    check(evicting, false);
}

#[test]
fn a_signal_at_any_instruction_of_an_eviction_does_no_harm_to_control_words() {
    check(evicting, true);
}

#[test]
fn a_signal_at_any_instruction_of_a_beginning_and_end_does_no_harm() {
    check(whole_life, false);
}
