//! What is measured: round trips through the C functions, as a C program calls them, and
//! corosensei's beside them. A *round trip* is one resume and one yield. Coroutines are made outside
//! of what is measured.

use corosensei::CoroutineResult;
use costack_capi::aco::{
    Aco, AcoCofuncp, aco_create, aco_create_sharing_fpu, aco_resume, aco_share_stack_new,
    aco_thread_init, aco_yield,
};
use costack_capi::coroutine::{
    costack_coroutine, costack_create, costack_options, costack_resume, costack_yield,
};
use costack_capi::stack::costack_stack_new;
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

/// Something that makes a number of round trips.
pub type Runner = Box<dyn FnMut(u64)>;

/// Coroutines of a ring on one shared stack: each resume evicts another one.
const RING: usize = 16;

unsafe extern "C" fn aco_root() {
    loop {
        // SAFETY: it is called as a coroutine's function.
        unsafe { aco_yield() };
    }
}

#[inline(never)]
fn helper() {
    // SAFETY: called by a coroutine's function.
    unsafe { aco_yield() };
    black_box(());
}

unsafe extern "C" fn aco_helped() {
    loop {
        helper();
    }
}

unsafe extern "C" fn costack_root(mut value: *mut c_void) -> *mut c_void {
    loop {
        // SAFETY: it is called as a coroutine's function.
        unsafe { costack_yield(value, &raw mut value) };
    }
}

#[inline(never)]
fn drive_aco(cos: &[*mut Aco], trips: u64) {
    let mut next = 0;
    for _ in 0..trips {
        // SAFETY: they are alive, and of this thread.
        unsafe { aco_resume(cos[next]) };
        next += 1;
        if next == cos.len() {
            next = 0;
        }
    }
}

#[inline(never)]
fn drive_costack(cos: &[*mut costack_coroutine], trips: u64) {
    let (mut next, mut value) = (0, ptr::null_mut());
    for _ in 0..trips {
        // SAFETY: as above; `value` is a local variable.
        unsafe { costack_resume(cos[next], value, &raw mut value) };
        next += 1;
        if next == cos.len() {
            next = 0;
        }
    }
    black_box(value);
}

#[inline(never)]
fn drive_corosensei(co: &mut corosensei::Coroutine<usize, usize, usize>, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        let (CoroutineResult::Yield(next) | CoroutineResult::Return(next)) = co.resume(value);
        value = next;
    }
    black_box(value);
}

/// corosensei's coroutine whose root function yields: the yardstick.
pub fn corosensei_root() -> Runner {
    let mut co =
        corosensei::Coroutine::new(|yielder: &corosensei::Yielder<usize, usize>, mut value| {
            loop {
                value = yielder.suspend(value);
            }
        });
    Box::new(move |trips| drive_corosensei(&mut co, trips))
}

/// What is measured, each with its name and the bytes of its image if that is copied.
pub fn all() -> Vec<(String, Runner)> {
    aco_thread_init(None);
    let mut all: Vec<(String, Runner)> = Vec::new();
    // SAFETY: what is made here is never destroyed, and used on this thread only; nobody points into
    // the frames of the functions above.
    unsafe {
        let main = aco_create(ptr::null_mut(), ptr::null_mut(), 0, None, ptr::null_mut());
        let make = |count: usize, fp: bool, function: AcoCofuncp| {
            let stack = aco_share_stack_new(0);
            let create = if fp {
                aco_create
            } else {
                aco_create_sharing_fpu
            };
            let one = || create(main, stack, 0, Some(function), ptr::null_mut());
            let cos: Vec<_> = (0..count).map(|_| one()).collect();
            // The first turn brings each to its yield, the second shows the size of the images.
            drive_aco(&cos, 2 * count as u64);
            cos
        };
        for (what, fp, function) in [
            ("aco, own stack", false, aco_root as AcoCofuncp),
            ("aco, own stack, keeps control words", true, aco_root),
            ("aco, own stack, a helper yields", false, aco_helped),
        ] {
            let cos = make(1, fp, function);
            all.push((what.into(), Box::new(move |trips| drive_aco(&cos, trips))));
        }
        for (words, fp) in [("", false), (", keeps control words", true)] {
            let cos = make(RING, fp, aco_root);
            let bytes = (*cos[0].cast::<costack::raw::Control>()).save_stack().bytes;
            let name = format!("aco, shared stack, evicts {bytes} B{words}");
            all.push((name, Box::new(move |trips| drive_aco(&cos, trips))));
        }

        let mut stack = ptr::null_mut();
        costack_stack_new(0, &raw mut stack);
        for (what, count, stack) in [
            ("costack, own stack", 1, ptr::null_mut()),
            ("costack, shared stack", RING, stack),
        ] {
            let options = costack_options {
                stack,
                stack_bytes: 0,
                save_bytes: 0,
                keep_fp: 0,
                name: ptr::null(),
            };
            let cos: Vec<_> = (0..count)
                .map(|_| {
                    let mut co = ptr::null_mut();
                    costack_create(Some(costack_root), ptr::null_mut(), &options, &raw mut co);
                    co
                })
                .collect();
            drive_costack(&cos, 2 * count as u64);
            let bytes = (*cos[0].cast::<costack::raw::Control>()).save_stack().bytes;
            let name = match bytes {
                0 => what.into(),
                bytes => format!("{what}, evicts {bytes} B"),
            };
            all.push((name, Box::new(move |trips| drive_costack(&cos, trips))));
        }
    }
    all
}
