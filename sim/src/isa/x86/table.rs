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
    /// What may follow: `r` a register, `m` memory, `i` a constant.
    pub operands: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// One of them in full.
    pub example: &'static str,
    pub(super) parse: fn(&mut Operands<'_, '_>) -> Parsed<Inst>,
}

/// The subset of x86-64 and i386, in Intel syntax as `llvm-mc` and `gas` with `noprefix` read it.
///
/// Operands: general registers of all widths (not `ah` and the like); constants; memory
/// `[base + index*scale + displacement]`, with `byte ptr`, `word ptr`, `dword ptr` or `qword ptr`
/// before it where no register tells the width; `[rip + label]` on x86-64, `[label]` on i386.
pub const FORMS: &[Form] = &[
    Form {
        mnemonics: &["mov"],
        operands: "r, r/m/i · m, r/i",
        effect: "target = source",
        example: "mov eax, [esp + 4]",
        parse: parse::mov,
    },
    Form {
        mnemonics: &["movzx", "movsx", "movsxd"],
        operands: "r, r/m",
        effect: "target = source, widened with zeros or with its sign",
        example: "movzx eax, cl",
        parse: parse::widen,
    },
    Form {
        mnemonics: &["lea"],
        operands: "r, m",
        effect: "target = address of the memory operand",
        example: "lea eax, [ebp + ecx*4 - 40]",
        parse: parse::lea,
    },
    Form {
        mnemonics: &["xchg"],
        operands: "r, r/m · m, r",
        effect: "target and source change places",
        example: "xchg eax, ecx",
        parse: parse::xchg,
    },
    Form {
        mnemonics: &["push"],
        operands: "r/m/i",
        effect: "sp = sp - word; memory at sp = source",
        example: "push ebp",
        parse: parse::push,
    },
    Form {
        mnemonics: &["pop"],
        operands: "r/m",
        effect: "target = memory at sp; sp = sp + word",
        example: "pop ebp",
        parse: parse::pop,
    },
    Form {
        mnemonics: &["add", "sub", "cmp", "and", "test", "or", "xor"],
        operands: "r, r/m/i · m, r/i",
        effect: "target = target op source (cmp, test: nothing); CF, ZF, SF, OF",
        example: "sub esp, 40",
        parse: parse::alu,
    },
    Form {
        mnemonics: &["inc", "dec", "neg", "not"],
        operands: "r/m",
        effect: "target = target + 1, target - 1, -target, all bits changed; ZF, SF, OF (neg: CF; not: none)",
        example: "neg eax",
        parse: parse::unary,
    },
    Form {
        mnemonics: &["imul"],
        operands: "r, r/m · r, r/m, i",
        effect: "target = target * source, or source * constant; CF and OF if that does not fit",
        example: "imul eax, ecx",
        parse: parse::imul,
    },
    Form {
        mnemonics: &["idiv"],
        operands: "r/m",
        effect: "ax = dx:ax / source, dx = remainder; a fault if source is 0 or the quotient does not fit",
        example: "idiv ecx",
        parse: parse::idiv,
    },
    Form {
        mnemonics: &["cdq", "cqo"],
        operands: "",
        effect: "dx = sign of ax in every bit",
        example: "cdq",
        parse: parse::sign_to_dx,
    },
    Form {
        mnemonics: &["shl", "sal", "shr", "sar"],
        operands: "r/m, i · r/m, cl",
        effect: "target = target shifted; CF, ZF, SF if the count is not 0",
        example: "sar eax, cl",
        parse: parse::shift,
    },
    Form {
        mnemonics: &[
            "seto", "setno", "setb", "setc", "setnae", "setae", "setnc", "setnb", "sete", "setz",
            "setne", "setnz", "setbe", "setna", "seta", "setnbe", "sets", "setns", "setl",
            "setnge", "setge", "setnl", "setle", "setng", "setg", "setnle",
        ],
        operands: "r/m",
        effect: "byte target = 1 if the condition holds, otherwise 0",
        example: "sete al",
        parse: parse::set,
    },
    Form {
        mnemonics: &[
            "jo", "jno", "jb", "jc", "jnae", "jae", "jnc", "jnb", "je", "jz", "jne", "jnz", "jbe",
            "jna", "ja", "jnbe", "js", "jns", "jl", "jnge", "jge", "jnl", "jle", "jng", "jg",
            "jnle",
        ],
        operands: "label",
        effect: "goes on at the label if the condition holds",
        example: "jne 2f",
        parse: parse::branch,
    },
    Form {
        mnemonics: &["jmp", "call"],
        operands: "label · r/m",
        effect: "goes on there; call: pushes the address of the next instruction first",
        example: "jmp edi",
        parse: parse::jump,
    },
    Form {
        mnemonics: &["ret"],
        operands: "nothing · i",
        effect: "pops the address to go on at; then sp = sp + constant",
        example: "ret",
        parse: parse::ret,
    },
    Form {
        mnemonics: &["leave"],
        operands: "",
        effect: "sp = bp; pop bp",
        example: "leave",
        parse: parse::leave,
    },
    Form {
        mnemonics: &["stmxcsr", "ldmxcsr", "fnstcw", "fldcw"],
        operands: "m",
        effect: "memory = control word (st), control word = memory (ld): MXCSR four bytes, x87 two",
        example: "ldmxcsr [esp]",
        parse: parse::control,
    },
    Form {
        mnemonics: &["nop", "endbr64", "endbr32"],
        operands: "",
        effect: "nothing",
        example: "nop",
        parse: parse::nop,
    },
    Form {
        mnemonics: &["ud2"],
        operands: "",
        effect: "a fault: execution must never come here",
        example: "ud2",
        parse: parse::undefined,
    },
];
