//! Registers of x86-64 and i386, numbered as in their encoding.

use crate::isa::{Reg, RegisterInfo, Width};
use crate::view::RegisterClass::{self, CalleeSaved, CallerSaved, Control, Flags, StackPointer};

/// The accumulator.
pub const AX: Reg = Reg(0);
/// The counter; its low byte counts shifts.
pub const CX: Reg = Reg(1);
/// The upper half of a dividend.
pub const DX: Reg = Reg(2);
/// Callee-saved.
pub const BX: Reg = Reg(3);
/// The stack pointer.
pub const SP: Reg = Reg(4);
/// The frame pointer.
pub const BP: Reg = Reg(5);
/// Second argument on x86-64, callee-saved on i386.
pub const SI: Reg = Reg(6);
/// First argument on x86-64, callee-saved on i386.
pub const DI: Reg = Reg(7);
/// The flags: CF 0, ZF 6, SF 7, OF 11, as in RFLAGS.
pub const FLAGS: Reg = Reg(16);
/// The control and status word of SSE.
pub const MXCSR: Reg = Reg(17);
/// The control word of the x87.
pub const FPCW: Reg = Reg(18);

/// The first four by their old names, and what each width of all sixteen is called.
const NAMES: [[&str; 4]; 16] = [
    ["rax", "eax", "ax", "al"],
    ["rcx", "ecx", "cx", "cl"],
    ["rdx", "edx", "dx", "dl"],
    ["rbx", "ebx", "bx", "bl"],
    ["rsp", "esp", "sp", "spl"],
    ["rbp", "ebp", "bp", "bpl"],
    ["rsi", "esi", "si", "sil"],
    ["rdi", "edi", "di", "dil"],
    ["r8", "r8d", "r8w", "r8b"],
    ["r9", "r9d", "r9w", "r9b"],
    ["r10", "r10d", "r10w", "r10b"],
    ["r11", "r11d", "r11w", "r11b"],
    ["r12", "r12d", "r12w", "r12b"],
    ["r13", "r13d", "r13w", "r13b"],
    ["r14", "r14d", "r14w", "r14b"],
    ["r15", "r15d", "r15w", "r15b"],
];

const WIDTHS: [Width; 4] = [Width::Double, Width::Word, Width::Half, Width::Byte];

/// The general register of a name and the width that the name stands for. On i386 there are eight
/// of them, without the 64-bit names, and only four have a byte name.
pub fn general(name: &str, long_mode: bool) -> Option<(Reg, Width)> {
    if !(2..=4).contains(&name.len()) {
        return None;
    }
    for (index, names) in NAMES.iter().enumerate() {
        for (column, candidate) in names.iter().enumerate() {
            if candidate.eq_ignore_ascii_case(name) {
                let exists = long_mode || index < 8 && column > 0 && (column < 3 || index < 4);
                return exists.then_some((Reg(index as u8), WIDTHS[column]));
            }
        }
    }
    None
}

const fn general_info(index: u8, class: RegisterClass, long_mode: bool) -> RegisterInfo {
    RegisterInfo {
        name: NAMES[index as usize][if long_mode { 0 } else { 1 }],
        reg: Reg(index),
        class,
        bytes: if long_mode { 8 } else { 4 },
    }
}

const fn special(name: &'static str, reg: Reg, class: RegisterClass, bytes: u32) -> RegisterInfo {
    RegisterInfo {
        name,
        reg,
        class,
        bytes,
    }
}

/// x86-64: AMD64 ABI, figure 3.4 "Register Usage".
pub const X86_64: [RegisterInfo; 19] = [
    general_info(0, CallerSaved, true),
    general_info(3, CalleeSaved, true),
    general_info(1, CallerSaved, true),
    general_info(2, CallerSaved, true),
    general_info(6, CallerSaved, true),
    general_info(7, CallerSaved, true),
    general_info(5, CalleeSaved, true),
    general_info(4, StackPointer, true),
    general_info(8, CallerSaved, true),
    general_info(9, CallerSaved, true),
    general_info(10, CallerSaved, true),
    general_info(11, CallerSaved, true),
    general_info(12, CalleeSaved, true),
    general_info(13, CalleeSaved, true),
    general_info(14, CalleeSaved, true),
    general_info(15, CalleeSaved, true),
    special("rflags", FLAGS, Flags, 4),
    special("mxcsr", MXCSR, Control, 4),
    special("fpcw", FPCW, Control, 2),
];

/// i386: System V ABI, Intel386 supplement, "Registers".
pub const I386: [RegisterInfo; 11] = [
    general_info(0, CallerSaved, false),
    general_info(3, CalleeSaved, false),
    general_info(1, CallerSaved, false),
    general_info(2, CallerSaved, false),
    general_info(6, CalleeSaved, false),
    general_info(7, CalleeSaved, false),
    general_info(5, CalleeSaved, false),
    general_info(4, StackPointer, false),
    special("eflags", FLAGS, Flags, 4),
    special("mxcsr", MXCSR, Control, 4),
    special("fpcw", FPCW, Control, 2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_width_name_their_register() {
        assert_eq!(general("RBX", true), Some((BX, Width::Double)));
        assert_eq!(general("r12d", true), Some((Reg(12), Width::Word)));
        assert_eq!(general("cl", false), Some((CX, Width::Byte)));
        assert_eq!(general("rax", false), None);
        assert_eq!(general("sil", false), None);
        assert_eq!(general("xmm0", true), None);
    }
}
