//! aarch64, AAPCS64. The texts are in `asm/aarch64/`; each draws the stack at its top.

use super::{Arrived, Word};
use crate::head::{Begin, Link};
use core::arch::{asm, naked_asm};

/// The stack pointer is a multiple of this whenever it is used (AAPCS64, section 6.4.5).
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
    // SAFETY: the text keeps sp, x19 and x29 and leaves x18 alone; all else is declared clobbered,
    // d8 to d15 among them. The caller answers for `save` and `target_sp`. Without `nostack` the
    // compiler keeps nothing below sp.
    unsafe {
        asm!(
            include_str!("../../../asm/aarch64/switch.s"),
            inlateout("x0") save => source_sp,
            inlateout("x1") target_sp => _,
            inlateout("x2") value,
            inlateout("x3") tag,
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _,
            lateout("x24") _, lateout("x25") _, lateout("x26") _, lateout("x27") _,
            lateout("x28") _, lateout("x30") _,
            lateout("v8") _, lateout("v9") _, lateout("v10") _, lateout("v11") _,
            lateout("v12") _, lateout("v13") _, lateout("v14") _, lateout("v15") _,
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

/// As [`switch`]: floating-point flavour, which keeps FPCR per stack.
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
    // SAFETY: as in `switch`; the text keeps FPCR besides.
    unsafe {
        asm!(
            include_str!("../../../asm/aarch64/switch_fp.s"),
            inlateout("x0") save => source_sp,
            inlateout("x1") target_sp => _,
            inlateout("x2") value,
            inlateout("x3") tag,
            lateout("x20") _, lateout("x21") _, lateout("x22") _, lateout("x23") _,
            lateout("x24") _, lateout("x25") _, lateout("x26") _, lateout("x27") _,
            lateout("x28") _, lateout("x30") _,
            lateout("v8") _, lateout("v9") _, lateout("v10") _, lateout("v11") _,
            lateout("v12") _, lateout("v13") _, lateout("v14") _, lateout("v15") _,
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
    x29: *const Link,
    resume_address: unsafe extern "C" fn(),
    x19: Begin,
    unused: usize,
}

impl InitialFrame {
    /// A frame that makes [`entry`] call `begin`. The closure to run lies right above it.
    pub(crate) fn new(begin: Begin, link: *const Link) -> Self {
        InitialFrame {
            x29: link,
            resume_address: entry,
            x19: begin,
            unused: 0,
        }
    }
}

/// What [`switch_fp`] finds at the stack pointer of a stack that has not run yet.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct InitialFrameFp {
    x29: *const Link,
    resume_address: unsafe extern "C" fn(),
    x19: Begin,
    fpcr: usize,
}

impl InitialFrameFp {
    /// As [`InitialFrame::new`]; the control register is that of the creator, now.
    pub(crate) fn new(begin: Begin, link: *const Link) -> Self {
        let fpcr;
        // SAFETY: reads a register that every process may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
        InitialFrameFp {
            x29: link,
            resume_address: entry,
            x19: begin,
            fpcr,
        }
    }
}

/// The code address that completes a frame record whose first word is a resumer's sp.
pub(crate) const ENTRY_ADDRESS: unsafe extern "C" fn() = entry;

/// Where a stack of either flavour starts to run; see `entry.s`.
///
/// What a debugger is told at every instruction of it (DWARF 5, section 6.4): x29 points to the
/// word that holds the resumer's sp, so the canonical frame address is `*x29 + 32`, and the switch
/// has left x19, the resume address and x29 right at that sp. It counts as a signal frame, because
/// the next frame is on another stack, at a lower address or a higher one.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_signal_frame",
        // DW_CFA_def_cfa_expression, 5 bytes: DW_OP_breg29 (x29) 0, DW_OP_deref,
        // DW_OP_plus_uconst 32.
        ".cfi_escape 0x0f, 5, 0x8d, 0, 0x06, 0x23, 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        ".cfi_offset x19, -16",
        include_str!("../../../asm/aarch64/entry.s"),
        ".cfi_endproc",
        options(raw),
    )
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
                "mrs {0}, tpidr_el0",
                concat!("adrp {1}, :gottprel:", $symbol),
                concat!("ldr {1}, [{1}, #:gottprel_lo12:", $symbol, "]"),
                "add {0}, {0}, {1}",
                out(reg) address,
                out(reg) _,
                options(nostack, readonly, preserves_flags),
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
        Some(context.uc_mcontext.sp as usize)
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
            include_str!("../../../asm/aarch64/switch.s"),
            size_of::<InitialFrame>(),
        );
        check_frame(
            include_str!("../../../asm/aarch64/switch_fp.s"),
            size_of::<InitialFrameFp>(),
        );
    }
}
