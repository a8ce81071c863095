//! Registers of aarch64.

use crate::isa::{Reg, RegisterInfo, Width};
use crate::view::RegisterClass::{
    self, CalleeSaved, CallerSaved, Control, Flags, Float, StackPointer,
};

/// The frame pointer, x29.
pub const FP: Reg = Reg(29);
/// The link register, x30: the return address.
pub const LR: Reg = Reg(30);
/// The stack pointer.
pub const SP: Reg = Reg(31);
/// Reads as 0; writes to it are lost. It is in no register file.
pub const ZR: Reg = Reg(32);
/// The flags: N 31, Z 30, C 29, V 28, as in NZCV.
pub const NZCV: Reg = Reg(33);
/// The floating-point control register.
pub const FPCR: Reg = Reg(34);
/// d0; the others follow.
const FIRST_FLOAT: u8 = 40;

/// The register of a name and its width. `sp` and `xzr` are among them.
pub fn register(name: &str) -> Option<(Reg, Width)> {
    const NAMED: [(&str, Reg, Width); 6] = [
        ("sp", SP, Width::Double),
        ("wsp", SP, Width::Word),
        ("xzr", ZR, Width::Double),
        ("wzr", ZR, Width::Word),
        ("lr", LR, Width::Double),
        ("fp", FP, Width::Double),
    ];
    let mut named = NAMED.into_iter();
    if let Some((_, reg, width)) = named.find(|(named, ..)| named.eq_ignore_ascii_case(name)) {
        return Some((reg, width));
    }
    let (letter, digits) = name.split_at_checked(1)?;
    let canonical = digits == "0" || !digits.starts_with('0');
    if !canonical || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u8 = digits.parse().ok()?;
    match letter {
        "x" | "X" if number < 31 => Some((Reg(number), Width::Double)),
        "w" | "W" if number < 31 => Some((Reg(number), Width::Word)),
        "d" | "D" if number < 32 => Some((Reg(FIRST_FLOAT + number), Width::Double)),
        _ => None,
    }
}

/// Whether this is one of d0 to d31.
pub const fn is_float(reg: Reg) -> bool {
    reg.0 >= FIRST_FLOAT
}

const fn info(name: &'static str, reg: Reg, class: RegisterClass, bytes: u32) -> RegisterInfo {
    RegisterInfo {
        name,
        reg,
        class,
        bytes,
    }
}

/// AAPCS64, sections 6.1.1 "General-purpose registers" and 6.1.2 "SIMD and floating-point
/// registers": of d8 to d15 the lower 64 bits, which is all there is here, are preserved.
pub const AARCH64: [RegisterInfo; 66] = [
    info("x0", Reg(0), CallerSaved, 8),
    info("x1", Reg(1), CallerSaved, 8),
    info("x2", Reg(2), CallerSaved, 8),
    info("x3", Reg(3), CallerSaved, 8),
    info("x4", Reg(4), CallerSaved, 8),
    info("x5", Reg(5), CallerSaved, 8),
    info("x6", Reg(6), CallerSaved, 8),
    info("x7", Reg(7), CallerSaved, 8),
    info("x8", Reg(8), CallerSaved, 8),
    info("x9", Reg(9), CallerSaved, 8),
    info("x10", Reg(10), CallerSaved, 8),
    info("x11", Reg(11), CallerSaved, 8),
    info("x12", Reg(12), CallerSaved, 8),
    info("x13", Reg(13), CallerSaved, 8),
    info("x14", Reg(14), CallerSaved, 8),
    info("x15", Reg(15), CallerSaved, 8),
    info("x16", Reg(16), CallerSaved, 8),
    info("x17", Reg(17), CallerSaved, 8),
    info("x18", Reg(18), CallerSaved, 8),
    info("x19", Reg(19), CalleeSaved, 8),
    info("x20", Reg(20), CalleeSaved, 8),
    info("x21", Reg(21), CalleeSaved, 8),
    info("x22", Reg(22), CalleeSaved, 8),
    info("x23", Reg(23), CalleeSaved, 8),
    info("x24", Reg(24), CalleeSaved, 8),
    info("x25", Reg(25), CalleeSaved, 8),
    info("x26", Reg(26), CalleeSaved, 8),
    info("x27", Reg(27), CalleeSaved, 8),
    info("x28", Reg(28), CalleeSaved, 8),
    info("x29", Reg(29), CalleeSaved, 8),
    info("x30", Reg(30), CallerSaved, 8),
    info("sp", SP, StackPointer, 8),
    info("nzcv", NZCV, Flags, 4),
    info("fpcr", FPCR, Control, 4),
    info("d0", Reg(FIRST_FLOAT), Float, 8),
    info("d1", Reg(FIRST_FLOAT + 1), Float, 8),
    info("d2", Reg(FIRST_FLOAT + 2), Float, 8),
    info("d3", Reg(FIRST_FLOAT + 3), Float, 8),
    info("d4", Reg(FIRST_FLOAT + 4), Float, 8),
    info("d5", Reg(FIRST_FLOAT + 5), Float, 8),
    info("d6", Reg(FIRST_FLOAT + 6), Float, 8),
    info("d7", Reg(FIRST_FLOAT + 7), Float, 8),
    info("d8", Reg(FIRST_FLOAT + 8), CalleeSaved, 8),
    info("d9", Reg(FIRST_FLOAT + 9), CalleeSaved, 8),
    info("d10", Reg(FIRST_FLOAT + 10), CalleeSaved, 8),
    info("d11", Reg(FIRST_FLOAT + 11), CalleeSaved, 8),
    info("d12", Reg(FIRST_FLOAT + 12), CalleeSaved, 8),
    info("d13", Reg(FIRST_FLOAT + 13), CalleeSaved, 8),
    info("d14", Reg(FIRST_FLOAT + 14), CalleeSaved, 8),
    info("d15", Reg(FIRST_FLOAT + 15), CalleeSaved, 8),
    info("d16", Reg(FIRST_FLOAT + 16), Float, 8),
    info("d17", Reg(FIRST_FLOAT + 17), Float, 8),
    info("d18", Reg(FIRST_FLOAT + 18), Float, 8),
    info("d19", Reg(FIRST_FLOAT + 19), Float, 8),
    info("d20", Reg(FIRST_FLOAT + 20), Float, 8),
    info("d21", Reg(FIRST_FLOAT + 21), Float, 8),
    info("d22", Reg(FIRST_FLOAT + 22), Float, 8),
    info("d23", Reg(FIRST_FLOAT + 23), Float, 8),
    info("d24", Reg(FIRST_FLOAT + 24), Float, 8),
    info("d25", Reg(FIRST_FLOAT + 25), Float, 8),
    info("d26", Reg(FIRST_FLOAT + 26), Float, 8),
    info("d27", Reg(FIRST_FLOAT + 27), Float, 8),
    info("d28", Reg(FIRST_FLOAT + 28), Float, 8),
    info("d29", Reg(FIRST_FLOAT + 29), Float, 8),
    info("d30", Reg(FIRST_FLOAT + 30), Float, 8),
    info("d31", Reg(FIRST_FLOAT + 31), Float, 8),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_widths_name_their_register() {
        assert_eq!(register("x19"), Some((Reg(19), Width::Double)));
        assert_eq!(register("W3"), Some((Reg(3), Width::Word)));
        assert_eq!(register("d15"), Some((Reg(55), Width::Double)));
        assert_eq!(register("lr"), Some((LR, Width::Double)));
        assert_eq!(register("x31"), None);
        assert_eq!(register("x01"), None);
        assert_eq!(register("x+1"), None);
    }
}
