//! Floating-point control words: shared unless a coroutine keeps its own.

use costack::{Builder, Coroutine, SharedStack, State, Yielder};
use std::arch::asm;

/// Rounding upwards: the same two bits in MXCSR and the x87 control word, others in FPCR.
const UP: u32 = if cfg!(target_arch = "aarch64") { 1 } else { 2 };

/// The rounding field of MXCSR and of the x87 control word.
#[cfg(not(target_arch = "aarch64"))]
fn rounding() -> (u32, u32) {
    let (mut mxcsr, mut x87) = (0u32, 0u16);
    // SAFETY: the instructions write four and two bytes to the two locals.
    unsafe { asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &raw mut mxcsr, in(reg) &raw mut x87) };
    (mxcsr >> 13 & 3, u32::from(x87) >> 10 & 3)
}

#[cfg(not(target_arch = "aarch64"))]
fn set_rounding(mode: u32) {
    let (mxcsr, x87) = (0x1f80 | mode << 13, 0x037f | (mode as u16) << 10);
    // SAFETY: both are valid control words with all exceptions masked; the tests put them back.
    unsafe { asm!("ldmxcsr [{}]", "fldcw [{}]", in(reg) &raw const mxcsr, in(reg) &raw const x87) };
}

/// The rounding field of FPCR, twice.
#[cfg(target_arch = "aarch64")]
fn rounding() -> (u32, u32) {
    let fpcr: u64;
    // SAFETY: reads a register that every process may read.
    unsafe { asm!("mrs {}, fpcr", out(reg) fpcr) };
    let mode = (fpcr >> 22 & 3) as u32;
    (mode, mode)
}

#[cfg(target_arch = "aarch64")]
fn set_rounding(mode: u32) {
    // SAFETY: the rounding field may be set by every process; the tests put it back.
    unsafe { asm!("msr fpcr, {}", in(reg) u64::from(mode) << 22) };
}

/// What a coroutine sees and does: it notes the mode, sets another one, yields, notes it again.
fn changes_mode(yielder: &Yielder<(), (u32, u32)>, (): ()) -> (u32, u32) {
    yielder.suspend(rounding());
    set_rounding(UP);
    yielder.suspend(rounding());
    rounding()
}

/// Runs it with mode 0 in the resumer; returns what the coroutine saw at last, and the resumer.
#[track_caller]
fn check(mut co: Coroutine<(), (u32, u32), (u32, u32)>, inside: u32, outside: u32) {
    set_rounding(0);
    assert_eq!(co.resume(()), State::Yielded((0, 0)));
    assert_eq!(co.resume(()), State::Yielded((UP, UP)));
    let seen = rounding();
    set_rounding(0);
    let last = co.resume(());
    set_rounding(0);
    assert_eq!(seen, (outside, outside), "in the resumer");
    assert_eq!(last, State::Returned((inside, inside)), "in the coroutine");
}

#[test]
fn modes_are_kept_per_coroutine_when_asked_for() {
    check(
        Builder::new().keep_fp(true).build(changes_mode).unwrap(),
        UP,
        0,
    );
}

#[test]
fn modes_are_shared_otherwise() {
    check(Builder::new().build(changes_mode).unwrap(), 0, UP);
}

#[test]
fn modes_are_kept_on_a_shared_stack() {
    let stack = SharedStack::new(64 * 1024).unwrap();
    let build = || {
        // SAFETY: nothing leaves the coroutine's frames.
        unsafe {
            Builder::new()
                .keep_fp(true)
                .build_shared(&stack, changes_mode)
        }
        .unwrap()
    };
    let mut other = build();
    other.resume(());
    check(build(), UP, 0);
    assert_eq!(other.resume(()), State::Yielded((UP, UP)));
    assert_eq!(rounding(), (0, 0));
}

#[test]
fn both_flavours_share_one_stack() {
    let stack = SharedStack::new(64 * 1024).unwrap();
    // SAFETY: nothing leaves the coroutines' frames.
    let (mut fp, mut integer) = unsafe {
        let fp = Builder::new()
            .keep_fp(true)
            .build_shared(&stack, changes_mode)
            .unwrap();
        (fp, Coroutine::new_shared(&stack, changes_mode).unwrap())
    };
    set_rounding(0);
    assert_eq!(fp.resume(()), State::Yielded((0, 0)));
    assert_eq!(integer.resume(()), State::Yielded((0, 0)));
    assert_eq!(fp.resume(()), State::Yielded((UP, UP)));
    assert_eq!(rounding(), (0, 0));
    assert_eq!(integer.resume(()), State::Yielded((UP, UP)));
    assert_eq!(rounding(), (UP, UP));
    set_rounding(0);
    assert_eq!(fp.resume(()), State::Returned((UP, UP)));
    assert_eq!(rounding(), (0, 0));
}

#[test]
fn one_of_the_floating_point_flavour_is_unwound_and_panics_like_any_other() {
    let mut co = Builder::new()
        .keep_fp(true)
        .build(|yielder: &Yielder<bool, ()>, _| {
            if yielder.suspend(()) {
                std::panic::panic_any(3u8);
            }
        })
        .unwrap();
    co.resume(false);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| co.resume(true)));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&3u8));
    let dropped = std::rc::Rc::new(());
    let inside = std::rc::Rc::clone(&dropped);
    let mut co = Builder::new()
        .keep_fp(true)
        .build(move |yielder: &Yielder<(), ()>, ()| {
            let _inside = inside;
            yielder.suspend(());
        })
        .unwrap();
    co.resume(());
    drop(co);
    assert_eq!(std::rc::Rc::strong_count(&dropped), 1);
}
