//! Every mnemonic of both tables, executed: what it leaves in registers. A mnemonic without a line
//! here fails the test, and so does a line without a mnemonic.

use std::collections::{BTreeMap, BTreeSet};

use super::testing::{self, run};
use crate::fault::FaultKind;
use crate::isa::{aarch64, x86};
use crate::program::Isa;

/// A mnemonic, a text that depends on it, a register, and what that holds then.
type Line = (&'static str, &'static str, &'static str, u64);

const X86_64: &[Line] = &[
    ("mov", "mov rax, 5", "rax", 5),
    ("movzx", "mov rcx, -2; movzx eax, cl", "rax", 0xfe),
    ("movsx", "mov ecx, 0x80; movsx eax, cl", "rax", 0xffff_ff80),
    (
        "movsxd",
        "mov ecx, -3; movsxd rax, ecx",
        "rax",
        -3_i64 as u64,
    ),
    ("lea", "mov rcx, 3; lea rax, [rcx + rcx*8 + 1]", "rax", 28),
    ("xchg", "mov rax, 1; mov rcx, 2; xchg rax, rcx", "rax", 2),
    ("push", "push 7; mov rax, [rsp]", "rax", 7),
    ("pop", "push 7; pop rax", "rax", 7),
    ("add", "mov rax, 7; add rax, 8", "rax", 15),
    ("sub", "mov rax, 7; sub rax, 8", "rax", u64::MAX),
    ("cmp", "mov rax, 7; cmp rax, 8", "rflags", 1 | 1 << 7),
    ("and", "mov rax, 12; and rax, 10", "rax", 8),
    ("test", "mov rax, 12; test rax, 3", "rflags", 1 << 6),
    ("or", "mov rax, 12; or rax, 10", "rax", 14),
    ("xor", "mov rax, 12; xor rax, 10", "rax", 6),
    ("inc", "mov rax, 12; inc rax", "rax", 13),
    ("dec", "mov rax, 12; dec rax", "rax", 11),
    ("neg", "mov rax, 12; neg rax", "rax", -12_i64 as u64),
    ("not", "mov rax, 12; not rax", "rax", !12),
    (
        "imul",
        "mov rax, -3; imul rax, rax, 5",
        "rax",
        -15_i64 as u64,
    ),
    (
        "idiv",
        "mov rax, -17; cqo; mov rcx, 5; idiv rcx",
        "rdx",
        -2_i64 as u64,
    ),
    ("cdq", "mov eax, -1; cdq", "rdx", 0xffff_ffff),
    ("cqo", "mov rax, -1; cqo", "rdx", u64::MAX),
    ("shl", "mov rax, 3; shl rax, 4", "rax", 48),
    ("sal", "mov rax, 3; mov ecx, 5; sal rax, cl", "rax", 96),
    ("shr", "mov rax, -1; shr rax, 60", "rax", 15),
    ("sar", "mov rax, -64; sar rax, 4", "rax", -4_i64 as u64),
    ("jmp", "mov rax, 1; jmp 2f; mov rax, 2; 2: nop", "rax", 1),
    (
        "call",
        "call 2f; 2: pop rax; lea rcx, [rip + 2b]; sub rax, rcx",
        "rax",
        0,
    ),
    (
        "ret",
        "lea rax, [rip + 2f]; push rax; ret; mov rax, 0; 2: mov rax, 9",
        "rax",
        9,
    ),
    (
        "leave",
        "mov rax, rsp; push 4; mov rbp, rsp; push 5; leave; sub rax, rsp",
        "rbp",
        4,
    ),
    (
        "stmxcsr",
        "stmxcsr [rsp - 8]; mov eax, [rsp - 8]",
        "rax",
        0x1f80,
    ),
    (
        "ldmxcsr",
        "mov dword ptr [rsp - 8], 0x7f80; ldmxcsr [rsp - 8]",
        "mxcsr",
        0x7f80,
    ),
    (
        "fnstcw",
        "fnstcw [rsp - 8]; movzx eax, word ptr [rsp - 8]",
        "rax",
        0x37f,
    ),
    (
        "fldcw",
        "mov dword ptr [rsp - 8], 0xf7f; fldcw [rsp - 8]",
        "fpcw",
        0xf7f,
    ),
    ("nop", "mov rax, 1; nop", "rax", 1),
    ("endbr64", "mov rax, 1; endbr64", "rax", 1),
    ("endbr32", "mov rax, 1; endbr32", "rax", 1),
];

const AARCH64: &[Line] = &[
    ("mov", "mov x0, #5", "x0", 5),
    ("movz", "movz x0, #5, lsl #16", "x0", 5 << 16),
    ("movn", "movn x0, #5", "x0", !5),
    (
        "movk",
        "mov x0, #-1; movk x0, #5, lsl #48",
        "x0",
        0x0005_ffff_ffff_ffff,
    ),
    ("add", "mov x0, #5; add x0, x0, #6", "x0", 11),
    ("adds", "mov x0, #-1; adds x0, x0, #1", "nzcv", 0b0110 << 28),
    ("sub", "mov x0, #5; sub x0, x0, #6", "x0", u64::MAX),
    ("subs", "mov x0, #5; subs x0, x0, #5", "nzcv", 0b0110 << 28),
    ("and", "mov x0, #12; and x0, x0, #6", "x0", 4),
    ("ands", "mov x0, #12; ands x0, x0, #3", "nzcv", 0b0100 << 28),
    ("orr", "mov x0, #12; orr x0, x0, #6", "x0", 14),
    ("eor", "mov x0, #12; eor x0, x0, #6", "x0", 10),
    ("bic", "mov x0, #12; mov x1, #8; bic x0, x0, x1", "x0", 4),
    ("orn", "mov x0, #12; orn x0, xzr, x0", "x0", !12),
    ("cmp", "mov x0, #5; cmp x0, #6", "nzcv", 0b1000 << 28),
    ("cmn", "mov x0, #-6; cmn x0, #6", "nzcv", 0b0110 << 28),
    ("tst", "mov x0, #5; tst x0, #2", "nzcv", 0b0100 << 28),
    ("neg", "mov x0, #5; neg x0, x0", "x0", -5_i64 as u64),
    ("mvn", "mov x0, #5; mvn x0, x0", "x0", !5),
    ("lsl", "mov x0, #5; lsl x0, x0, #3", "x0", 40),
    ("lsr", "mov x0, #-1; lsr x0, x0, #60", "x0", 15),
    ("asr", "mov x0, #-64; asr x0, x0, #3", "x0", -8_i64 as u64),
    ("mul", "mov x0, #-5; mul x0, x0, x0", "x0", 25),
    ("mneg", "mov x0, #5; mneg x0, x0, x0", "x0", -25_i64 as u64),
    (
        "madd",
        "mov x0, #5; mov x1, #3; madd x0, x0, x0, x1",
        "x0",
        28,
    ),
    (
        "msub",
        "mov x0, #5; mov x1, #3; msub x0, x0, x0, x1",
        "x0",
        -22_i64 as u64,
    ),
    (
        "sdiv",
        "mov x0, #-17; mov x1, #5; sdiv x0, x0, x1",
        "x0",
        -3_i64 as u64,
    ),
    (
        "udiv",
        "mov x0, #-1; mov x1, #16; udiv x0, x0, x1",
        "x0",
        u64::MAX >> 4,
    ),
    ("cset", "mov x0, #5; cmp x0, #5; cset x0, eq", "x0", 1),
    (
        "csel",
        "mov x0, #5; cmp x0, #6; csel x0, x0, xzr, lt",
        "x0",
        5,
    ),
    ("adr", "adr x0, 2f; adr x1, 2f; 2: sub x0, x0, x1", "x0", 0),
    ("ldr", "adr x9, second; ldr x0, [x9]", "x0", 2),
    (
        "str",
        "mov x0, #7; str x0, [sp, #-16]!; ldr x1, [sp]",
        "x1",
        7,
    ),
    ("ldur", "adr x9, second; ldur x0, [x9, #-8]", "x0", 1),
    (
        "stur",
        "mov x0, #7; stur x0, [sp, #-8]; ldur x1, [sp, #-8]",
        "x1",
        7,
    ),
    (
        "ldrb",
        "mov x0, #-2; str x0, [sp, #-16]!; ldrb w1, [sp]",
        "x1",
        0xfe,
    ),
    (
        "strb",
        "adr x9, first; mov x0, #-2; strb w0, [x9]; ldr x1, [x9]",
        "x1",
        0xfe,
    ),
    (
        "ldrh",
        "mov x0, #-2; str x0, [sp, #-16]!; ldrh w1, [sp]",
        "x1",
        0xfffe,
    ),
    (
        "strh",
        "adr x9, first; mov x0, #-2; strh w0, [x9]; ldr x1, [x9]",
        "x1",
        0xfffe,
    ),
    (
        "ldrsb",
        "mov x0, #0x80; str x0, [sp, #-16]!; ldrsb x1, [sp]",
        "x1",
        -128_i64 as u64,
    ),
    (
        "ldrsh",
        "mov x0, #0x8000; str x0, [sp, #-16]!; ldrsh x1, [sp]",
        "x1",
        -32768_i64 as u64,
    ),
    (
        "ldrsw",
        "mov w0, #-2; str x0, [sp, #-16]!; ldrsw x1, [sp]",
        "x1",
        -2_i64 as u64,
    ),
    (
        "stp",
        "mov x0, #7; stp x0, xzr, [sp, #-16]!; ldr x1, [sp], #16",
        "x1",
        7,
    ),
    (
        "ldp",
        "mov x0, #7; stp xzr, x0, [sp, #-16]!; ldp x1, x2, [sp], #16",
        "x2",
        7,
    ),
    ("fmov", "mov x0, #7; fmov d8, x0; fmov x1, d8", "x1", 7),
    ("mrs", "mrs x0, fpcr", "x0", 0),
    ("msr", "mov x0, #0x400000; msr fpcr, x0", "fpcr", 0x40_0000),
    ("b", "mov x0, #1; b 2f; mov x0, #2; 2: nop", "x0", 1),
    ("bl", "bl 2f; 2: adr x0, 2b; sub x0, x30, x0", "x0", 0),
    (
        "br",
        "adr x9, 2f; mov x0, #1; br x9; mov x0, #2; 2: nop",
        "x0",
        1,
    ),
    (
        "blr",
        "adr x9, 2f; blr x9; mov x0, #2; 2: sub x0, x9, x30",
        "x0",
        4,
    ),
    (
        "ret",
        "adr x30, 2f; mov x0, #1; ret; mov x0, #2; 2: nop",
        "x0",
        1,
    ),
    ("cbz", "mov x0, #0; cbz x0, 2f; mov x0, #2; 2: nop", "x0", 0),
    (
        "cbnz",
        "mov x0, #1; cbnz x0, 2f; mov x0, #2; 2: nop",
        "x0",
        1,
    ),
    ("nop", "mov x0, #1; nop", "x0", 1),
    ("bti", "mov x0, #1; bti c", "x0", 1),
];

/// Those that end in a fault whatever comes before.
const UNDEFINED: [(Isa, &[&str]); 2] = [
    (Isa::X86_64, &["ud2"]),
    (Isa::Aarch64, &["brk #1", "udf #0"]),
];

/// The names of a condition, and when it holds.
type Condition = (&'static [&'static str], fn([bool; 4]) -> bool);

/// The conditions of x86 by their names, on the flags CF, ZF, SF, OF.
const X86_CONDITIONS: &[Condition] = &[
    (&["o"], |[_, _, _, o]| o),
    (&["no"], |[_, _, _, o]| !o),
    (&["b", "c", "nae"], |[c, ..]| c),
    (&["ae", "nc", "nb"], |[c, ..]| !c),
    (&["e", "z"], |[_, z, ..]| z),
    (&["ne", "nz"], |[_, z, ..]| !z),
    (&["be", "na"], |[c, z, ..]| c || z),
    (&["a", "nbe"], |[c, z, ..]| !c && !z),
    (&["s"], |[_, _, s, _]| s),
    (&["ns"], |[_, _, s, _]| !s),
    (&["l", "nge"], |[_, _, s, o]| s != o),
    (&["ge", "nl"], |[_, _, s, o]| s == o),
    (&["le", "ng"], |[_, z, s, o]| z || s != o),
    (&["g", "nle"], |[_, z, s, o]| !z && s == o),
];

/// Those of aarch64, on N, Z, C, V.
const A64_CONDITIONS: &[Condition] = &[
    (&["eq"], |[_, z, ..]| z),
    (&["ne"], |[_, z, ..]| !z),
    (&["hs", "cs"], |[_, _, c, _]| c),
    (&["lo", "cc"], |[_, _, c, _]| !c),
    (&["mi"], |[n, ..]| n),
    (&["pl"], |[n, ..]| !n),
    (&["vs"], |[_, _, _, v]| v),
    (&["vc"], |[_, _, _, v]| !v),
    (&["hi"], |[_, z, c, _]| c && !z),
    (&["ls"], |[_, z, c, _]| !c || z),
    (&["ge"], |[n, _, _, v]| n == v),
    (&["lt"], |[n, _, _, v]| n != v),
    (&["gt"], |[n, z, _, v]| !z && n == v),
    (&["le"], |[n, z, _, v]| z || n != v),
];

/// Pairs whose differences set every combination of flags that there is.
fn pairs() -> impl Iterator<Item = (i64, i64)> {
    let values = [0, 1, -1, 2, -2, i64::MAX, i64::MIN, i64::MIN + 1, 1 << 40];
    values
        .into_iter()
        .flat_map(move |left| values.map(|right| (left, right)))
}

/// The flags of a subtraction: borrow, zero, sign, overflow.
fn flags(left: i64, right: i64) -> [bool; 4] {
    let (difference, overflow) = left.overflowing_sub(right);
    let borrow = (left as u64) < right as u64;
    [borrow, difference == 0, difference < 0, overflow]
}

fn check_all(isa: Isa, lines: &[Line], conditional: BTreeSet<String>, table: BTreeSet<&str>) {
    for (mnemonic, text, register, value) in lines {
        assert!(text.contains(mnemonic), "{mnemonic} is not in {text}");
        testing::check(isa, &text.replace("; ", "\n"), &[(register, *value)]);
    }
    let mut tested: BTreeMap<&str, usize> = BTreeMap::new();
    let undefined = UNDEFINED.iter().filter(|(of, _)| *of == isa);
    for text in undefined.flat_map(|(_, texts)| *texts) {
        assert_eq!(testing::fault(isa, text), FaultKind::Undefined, "{text}");
        let mnemonic = text.split(' ').next().unwrap_or(text);
        *tested.entry(mnemonic).or_default() += 1;
    }
    for mnemonic in lines
        .iter()
        .map(|line| line.0)
        .chain(conditional.iter().map(String::as_str))
    {
        *tested.entry(mnemonic).or_default() += 1;
    }
    assert!(
        tested.values().all(|times| *times == 1),
        "tested twice: {tested:?}"
    );
    let tested: BTreeSet<&str> = tested.into_keys().collect();
    assert_eq!(tested, table, "left: tested here, right: in the table");
}

#[test]
fn every_mnemonic_of_x86_does_what_it_should() {
    let mut conditional = BTreeSet::new();
    for (names, holds) in X86_CONDITIONS {
        for name in *names {
            for (left, right) in pairs() {
                let text = format!(
                    "mov rax, {left}\nmov rcx, {right}\nmov edx, 0\nmov esi, 0\ncmp rax, rcx\n\
                     set{name} dl\nj{name} 2f\njmp 3f\n2: mov esi, 1\n3: nop"
                );
                let expect = u64::from(holds(flags(left, right)));
                testing::check(Isa::X86_64, &text, &[("rdx", expect), ("rsi", expect)]);
            }
            conditional.insert(format!("set{name}"));
            conditional.insert(format!("j{name}"));
        }
    }
    let table = x86::FORMS.iter().flat_map(|form| form.mnemonics).copied();
    check_all(Isa::X86_64, X86_64, conditional, table.collect());
}

#[test]
fn every_mnemonic_of_aarch64_does_what_it_should() {
    let mut conditional = BTreeSet::new();
    for (names, holds) in A64_CONDITIONS {
        for name in *names {
            for (left, right) in pairs() {
                let text = format!(
                    "mov x0, #{left}\nmov x1, #{right}\nmov x3, #0\ncmp x0, x1\ncset x2, {name}\n\
                     b.{name} 2f\nb 3f\n2: mov x3, #1\n3: nop"
                );
                let [borrow, zero, negative, overflow] = flags(left, right);
                // The carry of a subtraction is what x86 calls no borrow.
                let expect = u64::from(holds([negative, zero, !borrow, overflow]));
                testing::check(Isa::Aarch64, &text, &[("x2", expect), ("x3", expect)]);
            }
            conditional.insert(format!("b.{name}"));
        }
    }
    let table = aarch64::FORMS
        .iter()
        .flat_map(|form| form.mnemonics)
        .copied();
    check_all(Isa::Aarch64, AARCH64, conditional, table.collect());
}

/// i386 has the same handlers, on words of four bytes and without what is of x86-64 alone.
#[test]
fn mnemonics_of_i386_are_those_of_x86_64_on_narrower_words() {
    let names = [
        ("rax", "eax"),
        ("rcx", "ecx"),
        ("rdx", "edx"),
        ("rsp", "esp"),
        ("rbp", "ebp"),
    ];
    let mut run_there = 0;
    for (mnemonic, text, register, value) in X86_64 {
        if ["movsxd", "cqo", "idiv", "shr"].contains(mnemonic) || text.contains("rip") {
            continue;
        }
        let narrow = |text: &str| {
            let text = names
                .iter()
                .fold(text.to_owned(), |text, (r, e)| text.replace(r, e));
            text.replace("rflags", "eflags").replace("; ", "\n")
        };
        let ran = run(Isa::I386, &narrow(text));
        assert_eq!(ran.fault, None, "{text}");
        let found = ran.register(&narrow(register));
        assert_eq!(found, value & 0xffff_ffff, "{register} after {text}");
        run_there += 1;
    }
    assert!(run_there > 25);
    testing::check(
        Isa::I386,
        "mov eax, -17\ncdq\nmov ecx, 5\nidiv ecx",
        &[("edx", 0xffff_fffe)],
    );
    testing::check(Isa::I386, "mov eax, -1\nshr eax, 28", &[("eax", 15)]);
    assert!(testing::assemble(Isa::I386, "cqo").is_err());
    assert!(testing::assemble(Isa::I386, "movsxd eax, ecx").is_err());
}
