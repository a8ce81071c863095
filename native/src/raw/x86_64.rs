//! x86-64, System V. The texts are in `asm/x86_64/`; each draws the stack at its top.

use super::at;
use crate::raw::{Control, Entry};
use core::arch::{asm, naked_asm};

/// Words that are stored one by one right before an image is saved: what `call.s` pushes, and the
/// return address.
pub(crate) const FRESH_WORDS: usize = 7;

/// Words that `call.s` takes from the image when its target was out.
pub(crate) const TAKEN_WORDS: usize = FRESH_WORDS;

/// The body of a C function that resumes; see [`raw::resume`](crate::raw::resume).
///
/// `values`: its arguments are a control block, a value and where to put one. `plain`: a control
/// block, and no values are passed. `$strict`: whether an error ends the process, 0 or 1.
///
/// A body, and not a function, for a C function that only jumps to another one costs a jump more.
#[doc(hidden)]
#[macro_export]
macro_rules! __resume {
    (values, $strict:literal) => {
        $crate::__resume!(
            $strict,
            "mov r9, [rdi + {received}]\n\
             cmp [rdi + {out}], rdx\n\
             jne 22f\n\
             23:\n\
             test r9, r9\n\
             jz 6f\n\
             mov [r9], rsi\n\
             6:",
            "22:\nmov [rdi + {out}], rdx\njmp 23b",
            "mov ecx, ",
            $crate::raw::prepare_with_values
        )
    };
    (plain, $strict:literal) => {
        $crate::__resume!($strict, "", "", "mov esi, ", $crate::raw::prepare)
    };
    ($strict:literal, $values:literal, $store_out:literal, $say:literal, $prepare:path) => {
        ::core::arch::naked_asm!(
            "test rdi, rdi",
            "jz 8f",
            "mov r8, [rdi + {sp}]",
            "test r8, r8",
            "jz 8f",
            "mov qword ptr [rdi + {sp}], 0",
            "mov r10, r8",
            $values,
            // Here: rdi control block, r8 where its words are, r10 its sp; the value is passed.
            "7:",
            "mov rax, qword ptr [rip + costack_running_control@GOTTPOFF]",
            "mov r9, fs:[rax]",
            "mov fs:[rax], rdi",
            "cmp [rdi + {previous}], r9",
            "jne 24f",
            "25:",
            "mov rsi, r8",
            "mov rdx, r10",
            "xor eax, eax",
            "cmp byte ptr [rdi + {fp}], al",
            "lea rdi, [rdi + {resumer_sp}]",
            "jne 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/x86_64/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/x86_64/call_fp.s")),
            // Its bytes are not in place, or it may not be resumed. On top of the return
            // address one word, so that rsp is aligned for the call.
            "8:",
            "push rdi",
            concat!($say, $strict),
            "call {prepare}",
            "mov r8, rax",
            "mov r10, rdx",
            "pop rdi",
            "cmp r8, -4096",
            "jbe 7b",
            "mov eax, r8d",
            "ret",
            // What is seldom stored, as the same is there already: stores are what takes the time.
            $store_out,
            "24:",
            "mov [rdi + {previous}], r9",
            "jmp 25b",
            // Has the section of the function begin at such an address, and so the function.
            ".balign 64",
            "/* {received} {out} */",
            sp = const $crate::raw::at::SP,
            received = const $crate::raw::at::RECEIVED,
            previous = const $crate::raw::at::PREVIOUS,
            out = const $crate::raw::at::OUT,
            fp = const $crate::raw::at::FP,
            resumer_sp = const $crate::raw::at::RESUMER_SP,
            prepare = sym $prepare,
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
            "mov r11, [r8 + {out}]\n\
             cmp [r8 + {received}], rsi\n\
             jne 22f\n\
             23:\n\
             test r11, r11\n\
             jz 6f\n\
             mov [r11], rdi\n\
             6:",
            "22:\nmov [r8 + {received}], rsi\njmp 23b"
        )
    };
    (plain, $strict:literal) => {
        $crate::__suspend!($strict, "", "")
    };
    ($strict:literal, $values:literal, $store_received:literal) => {
        ::core::arch::naked_asm!(
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
            "mov rdx, r10",
            "mov rdi, r8",
            "xor eax, eax",
            "cmp byte ptr [r8 + {fp}], al",
            "jne 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/x86_64/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/x86_64/call_fp.s")),
            "8:",
            concat!("mov edi, ", $strict),
            "jmp {refuse}",
            $store_received,
            ".balign 64",
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
        "mov eax, esi",
        "mov rsi, [rdi + {resumer_sp}]",
        "mov rdx, rsi",
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
