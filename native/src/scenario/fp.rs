//! The rounding field of the floating-point control words, as the language counts it: 0 nearest,
//! 1 down, 2 up, 3 towards zero (the coding of MXCSR and of the x87 control word).
//!
//! The walk computes with integers only, so a changed mode changes no result but that of
//! `fpmode()`.

/// A run of a scenario: it begins with rounding to nearest, whatever mode the thread was in, and the
/// thread gets its mode back when this is dropped.
pub(super) struct Apart(u8);

impl Apart {
    /// Begins with rounding to nearest.
    pub(super) fn begin() -> Self {
        let before = rounding();
        set_rounding(0);
        Self(before)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        set_rounding(self.0);
    }
}

/// The field in MXCSR begins at this bit (Intel SDM volume 1, section 10.2.3), in the x87 control
/// word at [`X87_SHIFT`] (section 8.1.5).
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
const MXCSR_SHIFT: u32 = 13;
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
const X87_SHIFT: u32 = 10;

/// The rounding mode that is set.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub(super) fn rounding() -> u8 {
    let mut word = 0u16;
    // SAFETY: stores the x87 control word into `word` and does nothing else.
    unsafe {
        core::arch::asm!("fnstcw [{}]", in(reg) &raw mut word, options(nostack, preserves_flags))
    };
    ((word >> X87_SHIFT) & 3) as u8
}

/// Sets the rounding mode, in MXCSR and in the x87 control word.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub(super) fn set_rounding(mode: u8) {
    let mode = mode & 3;
    let (mut mxcsr, mut word) = (0u32, 0u16);
    // SAFETY: both words are read, changed in their rounding fields only, and written back.
    unsafe {
        core::arch::asm!(
            "stmxcsr [{mxcsr}]",
            "fnstcw [{word}]",
            mxcsr = in(reg) &raw mut mxcsr,
            word = in(reg) &raw mut word,
            options(nostack, preserves_flags),
        );
        mxcsr = mxcsr & !(3 << MXCSR_SHIFT) | u32::from(mode) << MXCSR_SHIFT;
        word = word & !(3 << X87_SHIFT) | u16::from(mode) << X87_SHIFT;
        core::arch::asm!(
            "ldmxcsr [{mxcsr}]",
            "fldcw [{word}]",
            mxcsr = in(reg) &raw const mxcsr,
            word = in(reg) &raw const word,
            options(nostack, preserves_flags),
        );
    }
}

/// FPCR.RMode begins at this bit and counts nearest 0, up 1, down 2, zero 3 (Arm ARM, FPCR).
#[cfg(target_arch = "aarch64")]
const RMODE_SHIFT: u32 = 22;

/// Between the language's coding and that of FPCR: up and down change places, both ways.
#[cfg(target_arch = "aarch64")]
fn swapped(mode: u8) -> u8 {
    [0, 2, 1, 3][usize::from(mode & 3)]
}

/// The rounding mode that is set.
#[cfg(target_arch = "aarch64")]
pub(super) fn rounding() -> u8 {
    let fpcr: u64;
    // SAFETY: reads FPCR.
    unsafe {
        core::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags))
    };
    swapped((fpcr >> RMODE_SHIFT) as u8)
}

/// Sets the rounding mode.
#[cfg(target_arch = "aarch64")]
pub(super) fn set_rounding(mode: u8) {
    let fpcr: u64;
    // SAFETY: FPCR is read, changed in its rounding field only, and written back.
    unsafe {
        core::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags));
        let changed = fpcr & !(3 << RMODE_SHIFT) | u64::from(swapped(mode)) << RMODE_SHIFT;
        core::arch::asm!("msr fpcr, {}", in(reg) changed, options(nomem, nostack, preserves_flags));
    }
}
