//! x86-64, System V. The texts are in `asm/x86_64/`; each draws the stack at its top.

use super::at;
use crate::raw::{Control, Entry, prepare, refuse_suspend};
use core::arch::{asm, naked_asm};
use core::cell::Cell;
use core::ffi::c_void;

/// Words that are stored one by one right before an image is saved: what `call.s` pushes, and the
/// return address.
pub(crate) const FRESH_WORDS: usize = 7;

/// Defines a function that resumes. Its first argument is a control block, its last, in `$strict`,
/// says whether an error ends the process. `$values` uses what else there is, and `$keep` and
/// `$put_back` save that on the stack around a call.
macro_rules! resume {
    (
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*),
        $strict:literal, $values:expr, $keep:expr, $put_back:expr
    ) => {
        $(#[$doc])*
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> i32 {
            naked_asm!(
                "test rdi, rdi",
                "jz 8f",
                "mov r8, [rdi + {sp}]",
                "test r8, r8",
                "jz 8f",
                "mov qword ptr [rdi + {sp}], 0",
                // Here: rdi control block, r8 sp of the coroutine, the other arguments.
                "7:",
                $values,
                "mov rax, qword ptr [rip + costack_running_control@GOTTPOFF]",
                "mov r9, fs:[rax]",
                "mov fs:[rax], rdi",
                "mov [rdi + {previous}], r9",
                "mov rsi, r8",
                "xor eax, eax",
                "cmp byte ptr [rdi + {fp}], al",
                "lea rdi, [rdi + {resumer_sp}]",
                "jne 5f",
                include_str!("../../../asm/x86_64/call.s"),
                "5:",
                include_str!("../../../asm/x86_64/call_fp.s"),
                // Its bytes are not in place, or it may not be resumed. On top of the return
                // address an odd number of words, so that rsp is aligned for the call.
                "8:",
                "push rdi",
                $keep,
                $strict,
                "call {prepare}",
                $put_back,
                "pop rdi",
                "mov r8, rax",
                "cmp rax, -4096",
                "jbe 7b",
                "ret",
                "/* {received} {out} */",
                sp = const at::SP,
                received = const at::RECEIVED,
                previous = const at::PREVIOUS,
                out = const at::OUT,
                fp = const at::FP,
                resumer_sp = const at::RESUMER_SP,
                prepare = sym prepare,
            )
        }
    };
}

resume! {
    /// Resumes a coroutine; see [`fn@resume`](super::super::resume).
    ///
    /// # Safety
    /// As there.
    resume(control: *mut Control, value: *mut c_void, out: *mut *mut c_void, strict: i32),
    "mov esi, ecx",
    concat!(
        "mov r9, [rdi + {received}]\n",
        "mov [rdi + {out}], rdx\n",
        "test r9, r9\n",
        "jz 6f\n",
        "mov [r9], rsi\n",
        "6:",
    ),
    "push rsi\npush rdx",
    "pop rdx\npop rsi"
}

resume! {
    /// As [`fn@resume`], strict, for coroutines that neither yield a value nor want one.
    ///
    /// # Safety
    /// As for [`fn@resume`](super::super::resume).
    resume_plain(control: *mut Control),
    "mov esi, 1", "", "", ""
}

/// Defines a function that suspends; as for `resume!`.
macro_rules! suspend {
    (
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*),
        $strict:literal, $values:expr
    ) => {
        $(#[$doc])*
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> i32 {
            naked_asm!(
                "mov rax, qword ptr [rip + costack_running_control@GOTTPOFF]",
                "mov r8, fs:[rax]",
                "test r8, r8",
                "jz 8f",
                "mov r10, [r8 + {resumer_sp}]",
                "test r10, r10",
                "jz 8f",
                $values,
                "mov r9, [r8 + {previous}]",
                "mov fs:[rax], r9",
                "mov rsi, r10",
                "mov rdi, r8",
                "xor eax, eax",
                "cmp byte ptr [r8 + {fp}], al",
                "jne 5f",
                include_str!("../../../asm/x86_64/call.s"),
                "5:",
                include_str!("../../../asm/x86_64/call_fp.s"),
                "8:",
                $strict,
                "jmp {refuse}",
                "/* {received} {out} */",
                resumer_sp = const at::RESUMER_SP,
                previous = const at::PREVIOUS,
                received = const at::RECEIVED,
                out = const at::OUT,
                fp = const at::FP,
                refuse = sym refuse_suspend,
            )
        }
    };
}

suspend! {
    /// Gives control back to the resumer; see [`fn@suspend`](super::super::suspend).
    ///
    /// # Safety
    /// As there.
    suspend(value: *mut c_void, received: *mut *mut c_void, strict: i32),
    "mov edi, edx",
    concat!(
        "mov r11, [r8 + {out}]\n",
        "mov [r8 + {received}], rsi\n",
        "test r11, r11\n",
        "jz 6f\n",
        "mov [r11], rdi\n",
        "6:",
    )
}

suspend! {
    /// As [`fn@suspend`], strict, for coroutines that neither yield a value nor want one.
    ///
    /// # Safety
    /// As for [`fn@suspend`](super::super::suspend).
    suspend_plain(),
    "mov edi, 1", ""
}

/// Switches to the resumer for the last time; its `resume` returns `status`.
///
/// # Safety
/// The coroutine is the running one and has been marked as ended.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave(control: *const Control, status: i32) -> ! {
    naked_asm!(
        "mov eax, esi",
        "mov rsi, [rdi + {resumer_sp}]",
        "cmp byte ptr [rdi + {fp}], 0",
        "lea rdi, [rdi + {received}]",
        "jne 5f",
        include_str!("../../../asm/x86_64/call.s"),
        "5:",
        include_str!("../../../asm/x86_64/call_fp.s"),
        resumer_sp = const at::RESUMER_SP,
        fp = const at::FP,
        received = const at::RECEIVED,
    )
}

/// What `call.s` finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CallFrame {
    r15: usize,
    r14: usize,
    r13: crate::raw::Returned,
    r12: Entry,
    rbx: *mut Control,
    rbp: usize,
    resume_address: unsafe extern "C" fn(),
}

impl CallFrame {
    /// A frame that calls `function` with the first value, then `returned`.
    pub(crate) fn new(
        control: *mut Control,
        function: Entry,
        returned: crate::raw::Returned,
    ) -> Self {
        CallFrame {
            r15: 0,
            r14: 0,
            r13: returned,
            r12: function,
            rbx: control,
            rbp: 0,
            resume_address: entry,
        }
    }
}

/// What `call_fp.s` finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CallFrameFp {
    words: ControlWords,
    integer: CallFrame,
}

impl CallFrameFp {
    /// As [`CallFrame::new`], with these control words.
    pub(crate) fn new(integer: CallFrame, words: ControlWords) -> Self {
        CallFrameFp { words, integer }
    }
}

/// Floating-point control words: MXCSR and the x87 control word.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlWords {
    mxcsr: u32,
    x87: u32,
}

impl ControlWords {
    /// Those that are in force now.
    #[must_use]
    pub fn now() -> Self {
        let mut words = ControlWords { mxcsr: 0, x87: 0 };
        // SAFETY: the two instructions write four and two bytes to the two words.
        unsafe {
            asm!(
                "stmxcsr [{mxcsr}]",
                "fnstcw [{x87}]",
                mxcsr = in(reg) &raw mut words.mxcsr,
                x87 = in(reg) &raw mut words.x87,
                options(nostack, preserves_flags),
            );
        }
        words
    }
}

/// Where the thread's running coroutine is noted.
#[inline(always)]
pub(crate) fn current_cell() -> *const Cell<*mut Control> {
    let address;
    // SAFETY: reads the thread pointer and the variable's place behind it.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + costack_running_control@GOTTPOFF]",
            "add {0}, fs:[0]",
            out(reg) address,
            options(nostack, pure, readonly),
        );
    }
    address
}

/// Where a stack starts to run: notes that it has begun (`Stage::Begun`, 1), calls the function, then
/// what comes after it. Unwinders are told that nothing called it: an exception that
/// nobody in the coroutine catches must not go on into the resumer.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov byte ptr [rbx + {stage}], 1",
        "mov rdi, [rbx + {first}]",
        "call r12",
        "mov rdi, rbx",
        "mov rsi, rax",
        "call r13",
        "ud2",
        ".cfi_endproc",
        stage = const at::STAGE,
        first = const at::FIRST,
    )
}
