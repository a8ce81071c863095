//! i386, System V. The texts are in `asm/i386/`; each draws the stack at its top.

use super::{Arrived, Word};
use crate::head::{Begin, Link};
use core::arch::{asm, naked_asm};

/// The stack pointer is a multiple of this at every call (System V i386, section 2.2.2).
pub(crate) const STACK_ALIGN: usize = 16;

/// Gives the CPU to the stack whose stack pointer is `target_sp`: integer flavour.
///
/// The source's stack pointer is stored in `*save` before anything of the target runs. Returns
/// when something switches back.
///
/// # Safety
/// - `save` can be written.
/// - `target_sp` is what the same flavour stored when it left that stack, or the address of an
///   [`InitialFrame`]; nothing has run on that stack since, and its bytes from `target_sp` up are
///   in place.
/// - `value` and `tag` are what the code that the target goes on with expects.
#[inline(always)]
pub(crate) unsafe fn switch(
    save: *mut usize,
    target_sp: usize,
    mut value: Word,
    mut tag: usize,
) -> Arrived {
    let source_sp;
    // SAFETY: the text keeps esp, esi and ebp and all else is declared clobbered; the caller
    // answers for `save` and `target_sp`. Without `nostack` the compiler keeps nothing below esp.
    unsafe {
        asm!(
            include_str!("../../../asm/i386/switch.s"),
            inlateout("edi") save => source_sp,
            inlateout("ecx") target_sp => _,
            inlateout("edx") value,
            inlateout("eax") tag,
            lateout("ebx") _,
            clobber_abi("C"),
            options(raw),
        );
    }
    Arrived {
        source_sp,
        value,
        tag,
    }
}

/// As [`switch`]: floating-point flavour, which keeps MXCSR and the x87 control word per stack.
///
/// # Safety
/// As for [`switch`], with [`InitialFrameFp`].
#[inline(always)]
pub(crate) unsafe fn switch_fp(
    save: *mut usize,
    target_sp: usize,
    mut value: Word,
    mut tag: usize,
) -> Arrived {
    let source_sp;
    // SAFETY: as in `switch`; the text keeps MXCSR and the x87 control word besides.
    unsafe {
        asm!(
            include_str!("../../../asm/i386/switch_fp.s"),
            inlateout("edi") save => source_sp,
            inlateout("ecx") target_sp => _,
            inlateout("edx") value,
            inlateout("eax") tag,
            lateout("ebx") _,
            clobber_abi("C"),
            options(raw),
        );
    }
    Arrived {
        source_sp,
        value,
        tag,
    }
}

/// What [`switch`] finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct InitialFrame {
    ebp: *const Link,
    resume_address: unsafe extern "C" fn(),
    esi: Begin,
}

impl InitialFrame {
    /// A frame that makes [`entry`] call `begin`. The closure to run lies right above it.
    pub(crate) fn new(begin: Begin, link: *const Link) -> Self {
        InitialFrame {
            ebp: link,
            resume_address: entry,
            esi: begin,
        }
    }
}

/// What [`switch_fp`] finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct InitialFrameFp {
    ebp: *const Link,
    resume_address: unsafe extern "C" fn(),
    x87_control_word: u32,
    mxcsr: u32,
    esi: Begin,
}

impl InitialFrameFp {
    /// As [`InitialFrame::new`]; the control words are those of the creator, now.
    pub(crate) fn new(begin: Begin, link: *const Link) -> Self {
        let (mut mxcsr, mut x87_control_word) = (0u32, 0u32);
        // SAFETY: the two instructions write four and two bytes to the two locals.
        unsafe {
            asm!(
                "stmxcsr [{mxcsr}]",
                "fnstcw [{x87}]",
                mxcsr = in(reg) &raw mut mxcsr,
                x87 = in(reg) &raw mut x87_control_word,
                options(nostack, preserves_flags),
            );
        }
        InitialFrameFp {
            ebp: link,
            resume_address: entry_fp,
            x87_control_word,
            mxcsr,
            esi: begin,
        }
    }
}

/// The code address that completes a frame record whose first word is a resumer's sp.
pub(crate) const ENTRY_ADDRESS: unsafe extern "C" fn() = entry;

/// Defines an entry whose resumer's frame, as the flavour's switch left it, has `$frame` bytes.
///
/// What a debugger is told at every instruction of it (DWARF 5, section 6.4): ebp points to the
/// word that holds the resumer's sp, so the canonical frame address is `*ebp + $frame`, and the
/// switch has left esi, the resume address and ebp right at that sp. It counts as a signal frame,
/// because the next frame is on another stack, at a lower address or a higher one.
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident, $frame:literal) => {
        $(#[$doc])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                ".cfi_signal_frame",
                // DW_CFA_def_cfa_expression, 5 bytes: DW_OP_breg5 (ebp) 0, DW_OP_deref,
                // DW_OP_plus_uconst.
                concat!(".cfi_escape 0x0f, 5, 0x75, 0, 0x06, 0x23, ", $frame),
                concat!(".cfi_offset ebp, -", $frame),
                concat!(".cfi_offset eip, 4 -", $frame),
                ".cfi_offset esi, -4",
                include_str!("../../../asm/i386/entry.s"),
                ".cfi_endproc",
                options(raw),
            )
        }
    };
}

entry! {
    /// Where an integer-flavour stack starts to run; see `entry.s`.
    entry, 12
}

entry! {
    /// Where a floating-point-flavour stack starts to run; see `entry.s`.
    entry_fp, 20
}

/// The address of a variable that `define_thread_variable` has defined.
///
/// It is worked out anew each time. An address that was kept across a switch has to be read from the
/// stack of the one that goes on, and what is done with it then waits for that.
#[cfg(any(feature = "raw", all(feature = "runtime", target_os = "linux")))]
macro_rules! thread_variable {
    ($symbol:expr) => {{
        let address;
        // SAFETY: reads the thread pointer and the variable's place behind it.
        unsafe {
            core::arch::asm!(
                "call 2f",
                "2:",
                "popl {0}",
                "addl $_GLOBAL_OFFSET_TABLE_+(.-2b), {0}",
                concat!("movl ", $symbol, "@GOTNTPOFF({0}), {0}"),
                "addl %gs:0, {0}",
                out(reg) address,
                options(att_syntax, readonly),
            );
        }
        address
    }};
}
#[cfg(any(feature = "raw", all(feature = "runtime", target_os = "linux")))]
pub(crate) use thread_variable;

/// The stack pointer of what a signal has interrupted; `None` on systems where it is not known
/// where they keep it.
///
/// # Safety
/// `context` is the third argument of a signal handler, inside that handler.
#[cfg(feature = "std")]
pub(crate) unsafe fn interrupted_sp(context: *const core::ffi::c_void) -> Option<usize> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: on Linux it points to such a context.
        let context = unsafe { &*context.cast::<libc::ucontext_t>() };
        Some(context.uc_mcontext.gregs[libc::REG_ESP as usize] as usize)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = context;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets that a text's drawing gives, as `sp+N` at the end of a line.
    #[track_caller]
    fn check_frame(text: &str, size: usize) {
        let top = format!("sp+{size}, 16-byte aligned");
        assert!(
            text.contains(&top),
            "the text does not draw a first frame of {size} bytes"
        );
    }

    #[test]
    fn initial_frames_have_the_size_that_the_texts_draw() {
        check_frame(
            include_str!("../../../asm/i386/switch.s"),
            size_of::<InitialFrame>(),
        );
        check_frame(
            include_str!("../../../asm/i386/switch_fp.s"),
            size_of::<InitialFrameFp>(),
        );
    }
}
