//! aarch64, AAPCS64. The texts are in `asm/aarch64/`; each draws the stack at its top.

use super::at;
use crate::raw::{Control, Entry};
use core::arch::{asm, naked_asm};

/// Words that an image has at least, moved one by one. `call.s` stores pairs, which are moved as
/// they were stored.
pub(crate) const FRESH_WORDS: usize = 4;

/// Words that `call.s` takes from an image.
pub(crate) const TAKEN_WORDS: usize = 0;

/// The body of a C function that resumes; see [`raw::resume`](crate::raw::resume).
///
/// `values`: its arguments are a control block, a value and where to put one. `plain`: a control
/// block, and no values are passed. `$strict`: whether an error ends the process, 0 or 1.
#[doc(hidden)]
#[macro_export]
macro_rules! __resume {
    (values, $strict:literal) => {
        $crate::__resume!(
            $strict,
            "str x2, [x0, #{out}]\n\
             ldr x12, [x0, #{received}]\n\
             cbz x12, 6f\n\
             str x1, [x12]\n\
             6:"
        )
    };
    (plain, $strict:literal) => {
        $crate::__resume!($strict, "")
    };
    ($strict:literal, $values:literal) => {
        ::core::arch::naked_asm!(
            "cbz x0, 8f",
            "ldr x8, [x0, #{sp}]",
            "cbz x8, 8f",
            // Here: x0 control block, x1 value, x2 out, x8 sp of the coroutine.
            "7:",
            "mrs x9, tpidr_el0",
            "adrp x10, :gottprel:costack_running_control",
            "ldr x10, [x10, #:gottprel_lo12:costack_running_control]",
            "ldr x11, [x9, x10]",
            "str x0, [x9, x10]",
            "str x11, [x0, #{previous}]",
            "str xzr, [x0, #{sp}]",
            $values,
            "mov x1, x8",
            "add x2, x0, #{resumer_sp}",
            "ldrb w9, [x0, #{fp}]",
            "mov x0, #0",
            "cbnz w9, 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/aarch64/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/aarch64/call_fp.s")),
            // Its bytes are not in place, or it may not be resumed.
            "8:",
            "stp x29, x30, [sp, #-48]!",
            "mov x29, sp",
            "stp x0, x1, [sp, #16]",
            "str x2, [sp, #32]",
            concat!("mov w1, #", $strict),
            "bl {prepare}",
            "mov x8, x0",
            "ldr x2, [sp, #32]",
            "ldp x0, x1, [sp, #16]",
            "ldp x29, x30, [sp], #48",
            "cmn x8, #4095",
            "b.lo 7b",
            "mov x0, x8",
            "ret",
            "/* {received} {out} */",
            sp = const $crate::raw::at::SP,
            received = const $crate::raw::at::RECEIVED,
            previous = const $crate::raw::at::PREVIOUS,
            out = const $crate::raw::at::OUT,
            fp = const $crate::raw::at::FP,
            resumer_sp = const $crate::raw::at::RESUMER_SP,
            prepare = sym $crate::raw::prepare,
        )
    };
}

/// The body of a C function that suspends; see [`raw::suspend`](crate::raw::suspend).
///
/// `values`: its arguments are a value and where to put one. `plain`: it has none. `$strict`: as
/// for `__resume`.
#[doc(hidden)]
#[macro_export]
macro_rules! __suspend {
    (values, $strict:literal) => {
        $crate::__suspend!(
            $strict,
            "str x1, [x8, #{received}]\n\
             ldr x13, [x8, #{out}]\n\
             cbz x13, 6f\n\
             str x0, [x13]\n\
             6:"
        )
    };
    (plain, $strict:literal) => {
        $crate::__suspend!($strict, "")
    };
    ($strict:literal, $values:literal) => {
        ::core::arch::naked_asm!(
            "mrs x9, tpidr_el0",
            "adrp x10, :gottprel:costack_running_control",
            "ldr x10, [x10, #:gottprel_lo12:costack_running_control]",
            "ldr x8, [x9, x10]",
            "cbz x8, 8f",
            "ldr x11, [x8, #{resumer_sp}]",
            "cbz x11, 8f",
            "ldr x12, [x8, #{previous}]",
            "str x12, [x9, x10]",
            $values,
            "mov x0, #0",
            "mov x1, x11",
            "mov x2, x8",
            "ldrb w9, [x8, #{fp}]",
            "cbnz w9, 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/aarch64/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/aarch64/call_fp.s")),
            "8:",
            concat!("mov w0, #", $strict),
            "b {refuse}",
            "/* {received} {out} */",
            resumer_sp = const $crate::raw::at::RESUMER_SP,
            previous = const $crate::raw::at::PREVIOUS,
            received = const $crate::raw::at::RECEIVED,
            out = const $crate::raw::at::OUT,
            fp = const $crate::raw::at::FP,
            refuse = sym $crate::raw::refuse_suspend,
        )
    };
}

/// Switches to the resumer for the last time; its `resume` returns `status`.
///
/// # Safety
/// The coroutine is the running one and has been marked as ended.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave(control: *const Control, status: i32) -> ! {
    naked_asm!(
        "add x2, x0, #{received}",
        "ldrb w9, [x0, #{fp}]",
        "ldr x8, [x0, #{resumer_sp}]",
        "mov w0, w1",
        "mov x1, x8",
        "cbnz w9, 5f",
        include_str!("../../../asm/aarch64/call.s"),
        "5:",
        include_str!("../../../asm/aarch64/call_fp.s"),
        resumer_sp = const at::RESUMER_SP,
        fp = const at::FP,
        received = const at::RECEIVED,
    )
}

/// What `call.s` finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CallFrame {
    x29: usize,
    resume_address: unsafe extern "C" fn(),
    x19: *mut Control,
    x20: Entry,
    x21: crate::raw::Returned,
    x22_to_x28: [usize; 7],
    d8_to_d15: [f64; 8],
}

impl CallFrame {
    /// A frame that calls `function` with the first value, then `returned`.
    pub(crate) fn new(
        control: *mut Control,
        function: Entry,
        returned: crate::raw::Returned,
    ) -> Self {
        CallFrame {
            x29: 0,
            resume_address: entry,
            x19: control,
            x20: function,
            x21: returned,
            x22_to_x28: [0; 7],
            d8_to_d15: [0.0; 8],
        }
    }
}

/// What `call_fp.s` finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CallFrameFp {
    integer: CallFrame,
    words: ControlWords,
    unused: usize,
}

impl CallFrameFp {
    /// As [`CallFrame::new`], with these control words.
    pub(crate) fn new(integer: CallFrame, words: ControlWords) -> Self {
        CallFrameFp {
            integer,
            words,
            unused: 0,
        }
    }
}

/// Floating-point control words: FPCR.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlWords {
    fpcr: usize,
}

impl ControlWords {
    /// Those that are in force now.
    #[must_use]
    pub fn now() -> Self {
        let fpcr;
        // SAFETY: reads a register that every process may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
        ControlWords { fpcr }
    }
}

/// Where a stack starts to run: notes that it has begun (`Stage::Begun`, 1), calls the function, then
/// what comes after it. Unwinders are told that nothing called it: an exception that
/// nobody in the coroutine catches must not go on into the resumer.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "mov w0, #1",
        "strb w0, [x19, #{stage}]",
        "ldr x0, [x19, #{first}]",
        "blr x20",
        "mov x1, x0",
        "mov x0, x19",
        "blr x21",
        "brk #1",
        ".cfi_endproc",
        stage = const at::STAGE,
        first = const at::FIRST,
    )
}
