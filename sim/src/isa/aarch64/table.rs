//! The subset, as one table. The parser looks mnemonics up here, so nothing that is not listed is
//! understood.

use super::Inst;
use super::operands::Operands;
use super::parse;
use crate::asm::cursor::Parsed;

/// A family of instructions with the same operands.
pub struct Form {
    /// The mnemonics.
    pub mnemonics: &'static [&'static str],
    /// What may follow: `r` a register, `i` a constant, `m` memory.
    pub operands: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// One of them in full.
    pub example: &'static str,
    pub(super) parse: fn(&mut Operands<'_, '_>) -> Parsed<Inst>,
}

/// The subset of A64.
///
/// Operands: `x0` to `x30`, `w0` to `w30`, `sp`, `xzr`, `wzr`, `lr`, `fp`, `d0` to `d31`;
/// constants with or without `#`; memory `[base]`, `[base, #i]`, `[base, #i]!`, `[base], #i`,
/// `[base, index]`, `[base, index, lsl #i]`. A constant that the instruction's encoding cannot
/// hold is refused.
pub const FORMS: &[Form] = &[
    Form {
        mnemonics: &["mov"],
        operands: "r, r · r, i",
        effect: "target = source",
        example: "mov x29, sp",
        parse: parse::mov,
    },
    Form {
        mnemonics: &["movz", "movn", "movk"],
        operands: "r, i · r, i, lsl #i",
        effect: "target = constant shifted (movn: all bits changed; movk: the other bits stay)",
        example: "movk x9, #0x1234, lsl #16",
        parse: parse::move_wide,
    },
    Form {
        mnemonics: &[
            "add", "sub", "adds", "subs", "and", "ands", "orr", "eor", "bic", "orn",
        ],
        operands: "r, r, i · r, r, r · r, r, r, lsl/lsr/asr #i",
        effect: "target = left op right (bic, orn: and, or with all bits of the right changed); those in -s set NZCV",
        example: "add x0, x11, x0, lsl #3",
        parse: parse::alu,
    },
    Form {
        mnemonics: &["cmp", "cmn", "tst"],
        operands: "r, i · r, r · r, r, lsl/lsr/asr #i",
        effect: "NZCV of left - right, left + right, left and right",
        example: "cmp x0, #5",
        parse: parse::compare,
    },
    Form {
        mnemonics: &["neg", "mvn"],
        operands: "r, r · r, r, lsl/lsr/asr #i",
        effect: "target = -source, target = source with all bits changed",
        example: "neg x0, x0",
        parse: parse::negate,
    },
    Form {
        mnemonics: &["lsl", "lsr", "asr"],
        operands: "r, r, i · r, r, r",
        effect: "target = source shifted, by the count modulo the width",
        example: "asr x0, x0, #2",
        parse: parse::shift,
    },
    Form {
        mnemonics: &["mul", "mneg", "madd", "msub"],
        operands: "r, r, r · r, r, r, r",
        effect: "target = left * right, its negative, addend + left * right, addend - left * right",
        example: "msub x0, x10, x9, x0",
        parse: parse::multiply,
    },
    Form {
        mnemonics: &["sdiv", "udiv"],
        operands: "r, r, r",
        effect: "target = left / right, rounded towards zero; 0 if right is 0",
        example: "sdiv x10, x0, x9",
        parse: parse::divide,
    },
    Form {
        mnemonics: &["cset", "csel"],
        operands: "r, condition · r, r, r, condition",
        effect: "target = 1 or 0; target = the second or the third operand",
        example: "cset x0, lt",
        parse: parse::select,
    },
    Form {
        mnemonics: &["adr"],
        operands: "r, label",
        effect: "target = address of the label",
        example: "adr x11, 1f",
        parse: parse::adr,
    },
    Form {
        mnemonics: &[
            "ldr", "str", "ldur", "stur", "ldrb", "strb", "ldrh", "strh", "ldrsb", "ldrsh", "ldrsw",
        ],
        operands: "r, m",
        effect: "register = memory, memory = register; through sp only if that is a multiple of 16",
        example: "ldr x0, [sp], #16",
        parse: parse::transfer,
    },
    Form {
        mnemonics: &["ldp", "stp"],
        operands: "r, r, m",
        effect: "two registers from or to neighbouring words",
        example: "stp x29, x30, [sp, #-16]!",
        parse: parse::pair,
    },
    Form {
        mnemonics: &["fmov"],
        operands: "r, r",
        effect: "target = source, 64 bits, at least one of them a d register",
        example: "fmov d8, x0",
        parse: parse::fmov,
    },
    Form {
        mnemonics: &["mrs"],
        operands: "r, fpcr",
        effect: "register = FPCR",
        example: "mrs x9, fpcr",
        parse: parse::mrs,
    },
    Form {
        mnemonics: &["msr"],
        operands: "fpcr, r",
        effect: "FPCR = register",
        example: "msr fpcr, x9",
        parse: parse::msr,
    },
    Form {
        mnemonics: &["b", "bl"],
        operands: "label",
        effect: "goes on at the label; bl: x30 = address of the next instruction",
        example: "b 1f",
        parse: parse::jump,
    },
    Form {
        mnemonics: &["br", "blr", "ret"],
        operands: "r (ret: x30 if there is none)",
        effect: "goes on at the register's address; blr: x30 = address of the next instruction",
        example: "br x16",
        parse: parse::jump_indirect,
    },
    Form {
        mnemonics: &[
            "b.eq", "b.ne", "b.hs", "b.cs", "b.lo", "b.cc", "b.mi", "b.pl", "b.vs", "b.vc", "b.hi",
            "b.ls", "b.ge", "b.lt", "b.gt", "b.le",
        ],
        operands: "label",
        effect: "goes on at the label if the condition holds",
        example: "b.ne 1f",
        parse: parse::branch,
    },
    Form {
        mnemonics: &["cbz", "cbnz"],
        operands: "r, label",
        effect: "goes on at the label if the register is 0, is not 0",
        example: "cbnz x9, 1f",
        parse: parse::compare_branch,
    },
    Form {
        mnemonics: &["nop"],
        operands: "",
        effect: "nothing",
        example: "nop",
        parse: parse::nop,
    },
    Form {
        mnemonics: &["bti"],
        operands: "nothing · c, j, jc",
        effect: "nothing: marks where an indirect jump may land",
        example: "bti j",
        parse: parse::bti,
    },
    Form {
        mnemonics: &["brk", "udf"],
        operands: "i",
        effect: "a fault: execution must never come here",
        example: "brk #1",
        parse: parse::undefined,
    },
];
