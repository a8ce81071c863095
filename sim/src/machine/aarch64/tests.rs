//! One test per handler.

use crate::fault::FaultKind;
use crate::isa::aarch64::FORMS;
use crate::machine::testing::{self, run};
use crate::program::Isa;

const MINUS_1: u64 = u64::MAX;

#[track_caller]
fn check(text: &str, expect: &[(&str, u64)]) {
    testing::check(Isa::Aarch64, text, expect);
}

#[track_caller]
fn fault(text: &str) -> FaultKind {
    testing::fault(Isa::Aarch64, text)
}

#[test]
fn every_form_has_an_example_that_is_understood() {
    for form in FORMS {
        run(Isa::Aarch64, &format!("b 1f\n{}\n1: nop", form.example));
        assert!(!form.effect.is_empty() && !form.mnemonics.is_empty());
    }
}

#[test]
fn constants() {
    check(
        "mov x0, #5\nmov x1, -2\nmov w2, #-2",
        &[("x0", 5), ("x1", MINUS_1 - 1), ("x2", 0xffff_fffe)],
    );
    check(
        "movz x0, #0x12, lsl #48\nmovk x0, #0x34",
        &[("x0", 0x12 << 48 | 0x34)],
    );
    check("movn x0, #0x5", &[("x0", MINUS_1 - 5)]);
    check(
        "mov x0, #0xff00ff00ff00ff00",
        &[("x0", 0xff00_ff00_ff00_ff00)],
    );
}

#[test]
fn moves() {
    check(
        "mov x0, #7\nmov x1, x0\nmov w2, w1\nmov x3, xzr",
        &[("x1", 7), ("x2", 7), ("x3", 0)],
    );
    check("mov x29, sp\nsub sp, sp, #32\nmov sp, x29", &[("used", 0)]);
    check(
        "mov x9, #3\nfmov d8, x9\nfmov d9, d8\nfmov x1, d9",
        &[("d8", 3), ("x1", 3)],
    );
    check(
        "mov x0, #0x400000\nmsr fpcr, x0\nmrs x1, fpcr",
        &[("fpcr", 0x40_0000), ("x1", 0x40_0000)],
    );
}

#[test]
fn arithmetic() {
    check(
        "mov x0, #7\nadd x1, x0, #8\nsub x2, x0, x1\nneg x3, x0",
        &[("x1", 15), ("x2", MINUS_1 - 7), ("x3", MINUS_1 - 6)],
    );
    check(
        "mov x0, #3\nmov x11, #100\nadd x0, x11, x0, lsl #3",
        &[("x0", 124)],
    );
    check(
        "mov x0, #0xff0\nand x1, x0, #0xff\norr x2, x0, #0xf\neor x3, x0, #0xff\nmvn x4, x0\nmov x9, #0xf00\nbic x5, x0, x9\norn x6, xzr, x9",
        &[
            ("x1", 0xf0),
            ("x2", 0xfff),
            ("x3", 0xf0f),
            ("x4", !0xff0),
            ("x5", 0xf0),
            ("x6", !0xf00),
        ],
    );
    check("mov w0, #1\nsub w0, w0, #2", &[("x0", 0xffff_ffff)]);
}

#[test]
fn shifts() {
    check(
        "mov x0, #-8\nasr x1, x0, #1\nlsr x2, x0, #60\nlsl x3, x0, #1",
        &[
            ("x1", (-4_i64) as u64),
            ("x2", 15),
            ("x3", (-16_i64) as u64),
        ],
    );
    check("mov x0, #1\nmov x1, #65\nlsl x2, x0, x1", &[("x2", 2)]);
    check("mov w0, #-8\nasr w1, w0, #1", &[("x1", 0xffff_fffc)]);
}

#[test]
fn multiply_and_divide() {
    check(
        "mov x0, #6\nmov x1, #7\nmul x2, x0, x1\nmneg x3, x0, x1",
        &[("x2", 42), ("x3", (-42_i64) as u64)],
    );
    check(
        "mov x0, #-7\nmov x1, #2\nsdiv x2, x0, x1\nmsub x3, x2, x1, x0",
        &[("x2", (-3_i64) as u64), ("x3", MINUS_1)],
    );
    check(
        "mov x0, #7\nsdiv x1, x0, xzr\nudiv x2, x0, xzr",
        &[("x1", 0), ("x2", 0)],
    );
    check(
        "mov x0, #0x8000000000000000\nmov x1, #-1\nsdiv x2, x0, x1",
        &[("x2", 1 << 63)],
    );
}

#[test]
fn conditions() {
    for (left, right, expect) in [
        (1_i64, 2_i64, [0, 1, 0, 0, 1, 1, 0]),
        (2, 1, [0, 0, 1, 1, 0, 0, 0]),
        (-1, 1, [0, 1, 0, 1, 1, 0, 0]),
        (5, 5, [1, 0, 0, 1, 0, 0, 0]),
        (i64::MIN, 1, [0, 1, 0, 1, 0, 0, 1]),
    ] {
        let names = ["eq", "lt", "gt", "hs", "mi", "lo", "vs"];
        let inverse = ["ne", "ge", "le", "lo", "pl", "hs", "vc"];
        for ((name, inverse), holds) in names.iter().zip(inverse).zip(expect) {
            let text = format!(
                "mov x0, #{left}\nmov x1, #{right}\ncmp x0, x1\ncset x2, {name}\ncset x3, {inverse}\n\
                 csel x4, x0, x1, {name}\nmov x5, #0\nb.{inverse} 1f\nmov x5, #1\n1: nop"
            );
            let chosen = if holds == 1 { left } else { right };
            check(
                &text,
                &[
                    ("x2", holds),
                    ("x3", 1 - holds),
                    ("x4", chosen as u64),
                    ("x5", holds),
                ],
            );
        }
    }
    check(
        "mov x0, #1\ntst x0, #2\ncset x1, eq\ncmn x0, #1\ncset x2, eq",
        &[("x1", 1), ("x2", 0)],
    );
    check("adds x0, xzr, #0\ncset x1, eq", &[("x1", 1)]);
}

#[test]
fn loads_and_stores() {
    check(
        "adr x9, second\nldr x0, [x9]\nldr x1, [x9, #-8]\nldur w2, [x9]",
        &[("x0", 2), ("x1", 1), ("x2", 2)],
    );
    check(
        "mov x0, #9\nstr x0, [sp, #-16]!\nldr x1, [sp]\nldr x2, [sp], #16",
        &[("x1", 9), ("x2", 9), ("used", 0)],
    );
    check(
        "adr x9, first\nmov x0, #1\nldr x1, [x9, x0, lsl #3]",
        &[("x1", 2)],
    );
    check(
        "mov x0, #-2\nadr x9, first\nstrb w0, [x9]\nldrb w1, [x9]\nldrsb x2, [x9]",
        &[("x1", 0xfe), ("x2", MINUS_1 - 1)],
    );
    check(
        "mov x0, #-2\nadr x9, first\nstrh w0, [x9]\nldrh w1, [x9]\nldrsh w2, [x9]",
        &[("x1", 0xfffe), ("x2", 0xffff_fffe)],
    );
    check(
        "mov x0, #-2\nadr x9, first\nstr w0, [x9]\nldrsw x1, [x9]",
        &[("x1", MINUS_1 - 1)],
    );
}

#[test]
fn pairs() {
    check(
        "mov x0, #1\nmov x1, #2\nstp x0, x1, [sp, #-32]!\nstp x1, x0, [sp, #16]\n\
         ldp x2, x3, [sp, #16]\nldp x4, x5, [sp], #32",
        &[("x2", 2), ("x3", 1), ("x4", 1), ("x5", 2), ("used", 0)],
    );
    check(
        "mov x0, #4\nfmov d8, x0\nstp d8, d9, [sp, #-16]!\nldp d10, d11, [sp], #16",
        &[("d10", 4)],
    );
}

#[test]
fn jumps_calls_and_returns() {
    check(
        "mov x0, #3\nbl function\nb 9f\nfunction:\nadd x0, x0, x0\nret\n9: nop",
        &[("x0", 6)],
    );
    check(
        "adr x9, function\nblr x9\nb 9f\nfunction: mov x1, #1\nret x30\n9: nop",
        &[("x1", 1)],
    );
    check("adr x9, 1f\nbr x9\nbrk #1\n1: mov x1, #1", &[("x1", 1)]);
    check(
        "mov x0, #2\n1: sub x0, x0, #1\ncbnz x0, 1b\ncbz x0, 2f\nbrk #1\n2: nop",
        &[("x0", 0)],
    );
    check("nop\nbti c\nbti", &[]);
    assert_eq!(fault("udf #0"), FaultKind::Undefined);
    assert_eq!(
        fault("mov x0, #0x1234\nbr x0"),
        FaultKind::NotCode { address: 0x1234 }
    );
}

#[test]
fn sp_must_be_aligned_to_be_a_base() {
    let misaligned = fault("sub sp, sp, #8\nstr x0, [sp]");
    assert!(
        matches!(
            misaligned,
            FaultKind::MisalignedSp {
                alignment: 16,
                function: None,
                ..
            }
        ),
        "{misaligned:?}"
    );
    assert!(matches!(
        fault("sub sp, sp, #8\nbl function\nfunction: ret"),
        FaultKind::MisalignedSp {
            function: Some(_),
            ..
        }
    ));
}

#[test]
fn callee_saved_registers_are_checked_the_d_registers_too() {
    for (set, change, register) in [
        ("mov x19, #1", "mov x19, #2", "x19"),
        ("mov x9, #1\nfmov d8, x9", "mov x9, #2\nfmov d8, x9", "d8"),
    ] {
        let text = format!("{set}\nbl function\nfunction: {change}\nret");
        assert_eq!(
            fault(&text),
            FaultKind::RegisterClobbered {
                register,
                expected: 1,
                found: 2,
                function: "function".to_owned(),
            }
        );
    }
    check(
        "mov x9, #1\nfmov d16, x9\nbl function\nb 9f\nfunction: fmov d16, xzr\nret\n9: nop",
        &[],
    );
}

#[test]
fn what_nothing_has_written_may_be_moved_and_not_used() {
    check(
        "stp x19, x20, [sp, #-16]!\nldp x19, x20, [sp], #16",
        &[("used", 0)],
    );
    assert_eq!(
        fault("add x0, x19, #1"),
        FaultKind::UninitialisedRegister { register: "x19" }
    );
    assert!(matches!(
        fault("ldr x0, [sp, #-8]"),
        FaultKind::UninitialisedMemory { .. }
    ));
}
