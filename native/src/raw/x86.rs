//! i386, System V. The texts are in `asm/i386/`; each draws the stack at its top.

use super::at;
use crate::raw::{Control, Entry};
use core::arch::{asm, naked_asm};
use core::cell::Cell;

/// Words that are stored one by one right before an image is saved: what `call.s` pushes, and the
/// return address.
pub(crate) const FRESH_WORDS: usize = 5;

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
            "mov edx, [esp + 16]\n\
             mov [ecx + {out}], edx\n\
             mov eax, [ecx + {received}]\n\
             test eax, eax\n\
             jz 6f\n\
             mov edx, [esp + 12]\n\
             mov [eax], edx\n\
             6:"
        )
    };
    (plain, $strict:literal) => {
        $crate::__resume!($strict, "")
    };
    ($strict:literal, $values:literal) => {
        ::core::arch::naked_asm!(
            "mov ecx, [esp + 4]",
            "test ecx, ecx",
            "jz 8f",
            "mov edx, [ecx + {sp}]",
            "test edx, edx",
            "jz 8f",
            // Here: ecx control block, edx sp of the coroutine, the arguments on the stack.
            "7:",
            "call {current_cell}",
            "push edx",
            "mov edx, [eax]",
            "mov [ecx + {previous}], edx",
            "mov [eax], ecx",
            $values,
            "pop edx",
            "xor eax, eax",
            "mov [ecx + {sp}], eax",
            "cmp byte ptr [ecx + {fp}], al",
            "lea ecx, [ecx + {resumer_sp}]",
            "jne 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/i386/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/i386/call_fp.s")),
            // Its bytes are not in place, or it may not be resumed. Two arguments and one word that
            // aligns esp for the call.
            "8:",
            "sub esp, 4",
            concat!("push ", $strict),
            "push ecx",
            "call {prepare}",
            "add esp, 12",
            "cmp eax, -4096",
            "ja 9f",
            "mov edx, eax",
            "mov ecx, [esp + 4]",
            "jmp 7b",
            "9:",
            "ret",
            "/* {received} {out} */",
            sp = const $crate::raw::at::SP,
            received = const $crate::raw::at::RECEIVED,
            previous = const $crate::raw::at::PREVIOUS,
            out = const $crate::raw::at::OUT,
            fp = const $crate::raw::at::FP,
            resumer_sp = const $crate::raw::at::RESUMER_SP,
            prepare = sym $crate::raw::prepare,
            current_cell = sym $crate::raw::current_address,
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
            "mov edx, [esp + 8]\n\
             mov [ecx + {received}], edx\n\
             mov eax, [ecx + {out}]\n\
             test eax, eax\n\
             jz 6f\n\
             mov edx, [esp + 4]\n\
             mov [eax], edx\n\
             6:"
        )
    };
    (plain, $strict:literal) => {
        $crate::__suspend!($strict, "")
    };
    ($strict:literal, $values:literal) => {
        ::core::arch::naked_asm!(
            "call {current_cell}",
            "mov ecx, [eax]",
            "test ecx, ecx",
            "jz 8f",
            "cmp dword ptr [ecx + {resumer_sp}], 0",
            "je 8f",
            "mov edx, [ecx + {previous}]",
            "mov [eax], edx",
            $values,
            "xor eax, eax",
            "mov edx, [ecx + {resumer_sp}]",
            "cmp byte ptr [ecx + {fp}], al",
            "jne 5f",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/i386/call.s")),
            "5:",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../asm/i386/call_fp.s")),
            // One argument and two words that align esp for the call.
            "8:",
            "sub esp, 8",
            concat!("push ", $strict),
            "call {refuse}",
            "add esp, 12",
            "ret",
            "/* {received} {out} */",
            resumer_sp = const $crate::raw::at::RESUMER_SP,
            previous = const $crate::raw::at::PREVIOUS,
            received = const $crate::raw::at::RECEIVED,
            out = const $crate::raw::at::OUT,
            fp = const $crate::raw::at::FP,
            refuse = sym $crate::raw::refuse_suspend,
            current_cell = sym $crate::raw::current_address,
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
        "mov ecx, [esp + 4]",
        "mov eax, [esp + 8]",
        "mov edx, [ecx + {resumer_sp}]",
        "cmp byte ptr [ecx + {fp}], 0",
        "lea ecx, [ecx + {received}]",
        "jne 5f",
        include_str!("../../../asm/i386/call.s"),
        "5:",
        include_str!("../../../asm/i386/call_fp.s"),
        resumer_sp = const at::RESUMER_SP,
        fp = const at::FP,
        received = const at::RECEIVED,
    )
}

/// What `call.s` finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CallFrame {
    edi: crate::raw::Returned,
    esi: Entry,
    ebx: *mut Control,
    ebp: usize,
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
            edi: returned,
            esi: function,
            ebx: control,
            ebp: 0,
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

/// Where the thread's running coroutine is noted; keeps every register but eax and the flags.
#[unsafe(naked)]
#[doc(hidden)]
pub unsafe extern "C" fn current_address() -> *const Cell<*mut Control> {
    naked_asm!(
        "call 2f",
        "2:",
        "popl %eax",
        "addl $_GLOBAL_OFFSET_TABLE_+(.-2b), %eax",
        "movl costack_running_control@GOTNTPOFF(%eax), %eax",
        "addl %gs:0, %eax",
        "retl",
        options(att_syntax, raw),
    )
}

/// Where a stack starts to run: notes that it has begun (`Stage::Begun`, 1), calls the function, then
/// what comes after it. Unwinders are told that nothing called it: an exception that
/// nobody in the coroutine catches must not go on into the resumer.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined eip",
        "mov byte ptr [ebx + {stage}], 1",
        "sub esp, 12",
        "push dword ptr [ebx + {first}]",
        "call esi",
        "add esp, 8",
        "push eax",
        "push ebx",
        "call edi",
        "ud2",
        ".cfi_endproc",
        stage = const at::STAGE,
        first = const at::FIRST,
    )
}
