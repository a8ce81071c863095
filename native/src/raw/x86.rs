//! i386, System V. The texts are in `asm/i386/`; each draws the stack at its top.

use super::at;
use crate::raw::{Control, Entry, prepare, refuse_suspend};
use core::arch::{asm, naked_asm};
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

/// Words that are stored one by one right before an image is saved: what `call.s` pushes, and the
/// return address.
pub(crate) const FRESH_WORDS: usize = 5;

/// Resumes a coroutine; see [`resume`](super::super::resume).
///
/// # Safety
/// As there.
#[unsafe(naked)]
pub unsafe extern "C" fn resume(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
    strict: i32,
) -> i32 {
    naked_asm!(
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
        "mov edx, [esp + 16]",
        "mov [ecx + {out}], edx",
        "mov eax, [ecx + {received}]",
        "test eax, eax",
        "jz 6f",
        "mov edx, [esp + 12]",
        "mov [eax], edx",
        "6:",
        "pop edx",
        "xor eax, eax",
        "mov [ecx + {sp}], eax",
        "cmp byte ptr [ecx + {fp}], al",
        "lea ecx, [ecx + {resumer_sp}]",
        "jne 5f",
        include_str!("../../../asm/i386/call.s"),
        "5:",
        include_str!("../../../asm/i386/call_fp.s"),
        // Its bytes are not in place, or it may not be resumed. Two arguments and one word that
        // aligns esp for the call.
        "8:",
        "mov eax, [esp + 16]",
        "sub esp, 4",
        "push eax",
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
        sp = const at::SP,
        received = const at::RECEIVED,
        previous = const at::PREVIOUS,
        out = const at::OUT,
        fp = const at::FP,
        resumer_sp = const at::RESUMER_SP,
        prepare = sym prepare,
        current_cell = sym current_address,
    )
}

/// Gives control back to the resumer; see [`suspend`](super::super::suspend).
///
/// # Safety
/// As there.
#[unsafe(naked)]
pub unsafe extern "C" fn suspend(
    value: *mut c_void,
    received: *mut *mut c_void,
    strict: i32,
) -> i32 {
    naked_asm!(
        "call {current_cell}",
        "mov ecx, [eax]",
        "test ecx, ecx",
        "jz 8f",
        "cmp dword ptr [ecx + {resumer_sp}], 0",
        "je 8f",
        "mov edx, [ecx + {previous}]",
        "mov [eax], edx",
        "mov edx, [esp + 8]",
        "mov [ecx + {received}], edx",
        "mov eax, [ecx + {out}]",
        "test eax, eax",
        "jz 6f",
        "mov edx, [esp + 4]",
        "mov [eax], edx",
        "6:",
        "xor eax, eax",
        "mov edx, [ecx + {resumer_sp}]",
        "cmp byte ptr [ecx + {fp}], al",
        "jne 5f",
        include_str!("../../../asm/i386/call.s"),
        "5:",
        include_str!("../../../asm/i386/call_fp.s"),
        // One argument and two words that align esp for the call.
        "8:",
        "mov eax, [esp + 12]",
        "sub esp, 8",
        "push eax",
        "call {refuse}",
        "add esp, 12",
        "ret",
        resumer_sp = const at::RESUMER_SP,
        previous = const at::PREVIOUS,
        received = const at::RECEIVED,
        out = const at::OUT,
        fp = const at::FP,
        refuse = sym refuse_suspend,
        current_cell = sym current_address,
    )
}

/// As [`resume`], strict, for coroutines that neither yield a value nor want one.
///
/// # Safety
/// As for [`resume`](super::super::resume).
pub unsafe extern "C" fn resume_plain(control: *mut Control) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { resume(control, ptr::null_mut(), ptr::null_mut(), 1) }
}

/// As [`suspend`], strict, for coroutines that neither yield a value nor want one.
///
/// # Safety
/// As for [`suspend`](super::super::suspend).
pub unsafe extern "C" fn suspend_plain() -> i32 {
    // SAFETY: the caller's promise.
    unsafe { suspend(ptr::null_mut(), ptr::null_mut(), 1) }
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

/// Where the thread's running coroutine is noted.
#[inline(always)]
pub(crate) fn current_cell() -> *const Cell<*mut Control> {
    // SAFETY: it takes no arguments and has no effect.
    unsafe { current_address() }
}

/// As [`current_cell`]; keeps every register but eax and the flags.
#[unsafe(naked)]
unsafe extern "C" fn current_address() -> *const Cell<*mut Control> {
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
