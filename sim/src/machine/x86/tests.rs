//! One test per handler.

use crate::fault::{Access, FaultKind};
use crate::isa::x86::FORMS;
use crate::machine::testing::{self, run};
use crate::program::Isa;

const MINUS_1: u64 = u64::MAX;

#[track_caller]
fn check(text: &str, expect: &[(&str, u64)]) {
    testing::check(Isa::X86_64, text, expect);
}

#[track_caller]
fn check_32(text: &str, expect: &[(&str, u64)]) {
    testing::check(Isa::I386, text, expect);
}

#[track_caller]
fn fault(text: &str) -> FaultKind {
    testing::fault(Isa::X86_64, text)
}

/// A label for the examples to go to, and nothing that runs.
#[test]
fn every_form_has_an_example_that_both_isas_understand() {
    for form in FORMS {
        // Unreachable code is assembled all the same.
        let text = format!("jmp 2f\n{}\n2: nop", form.example);
        let text = text.replace("jmp edi", "jmp 2f");
        run(Isa::I386, &text);
        let text = ["ax", "cx", "bp", "sp"].iter().fold(text, |text, name| {
            text.replace(&format!("e{name}"), &format!("r{name}"))
        });
        run(Isa::X86_64, &text);
        assert!(!form.effect.is_empty() && !form.mnemonics.is_empty());
    }
}

#[test]
fn mov() {
    check("mov rax, -1\nmov eax, 5", &[("rax", 5)]);
    check("mov rax, -1\nmov ax, 5", &[("rax", MINUS_1 << 16 | 5)]);
    check("mov rax, -1\nmov al, 5", &[("rax", MINUS_1 << 8 | 5)]);
    check(
        "mov rax, 0x123456789abcdef0",
        &[("rax", 0x1234_5678_9abc_def0)],
    );
    check(
        "mov qword ptr [rip + first], -2\nmov rbx, [rip + first]\nmov cl, byte ptr [rip + second]",
        &[("rbx", MINUS_1 - 1)],
    );
    check(
        "mov rcx, 2\nmov qword ptr [rsp - 64], 7\nmov rax, [rsp + rcx*8 - 80]",
        &[("rax", 7)],
    );
    check_32(
        "mov eax, -1\nmov [first], eax\nmov bx, [first]\nmovzx ebx, bx",
        &[("ebx", 0xffff)],
    );
}

#[test]
fn movzx_movsx_movsxd() {
    check("mov rcx, -2\nmovzx eax, cl", &[("rax", 0xfe)]);
    check("mov rcx, -2\nmovsx rax, cl", &[("rax", MINUS_1 - 1)]);
    check("mov rcx, -2\nmovsx eax, cx", &[("rax", 0xffff_fffe)]);
    check("mov ecx, -2\nmovsxd rax, ecx", &[("rax", MINUS_1 - 1)]);
    check("movzx eax, word ptr [rip + second]", &[("rax", 2)]);
}

#[test]
fn lea() {
    check(
        "mov rax, 5\nmov rcx, 3\nlea rdx, [rax + rcx*4 - 1]",
        &[("rdx", 16)],
    );
    check("mov rax, -1\nlea eax, [rax + 1]", &[("rax", 0)]);
    let ran = run(Isa::X86_64, "lea rax, [rip + 2f]\n2: nop");
    assert_eq!(ran.register("rax"), ran.machine.code.address_of(1));
}

#[test]
fn xchg() {
    check(
        "mov rax, 1\nmov rcx, 2\nxchg rax, rcx",
        &[("rax", 2), ("rcx", 1)],
    );
    check(
        "mov rax, 9\nxchg [rip + first], rax\nmov rcx, [rip + first]",
        &[("rax", 1), ("rcx", 9)],
    );
}

#[test]
fn push_and_pop() {
    check("push -5\npush 6\npop rax", &[("rax", 6), ("used", 8)]);
    check(
        "push qword ptr [rip + second]\npop rcx",
        &[("rcx", 2), ("used", 0)],
    );
    check(
        "mov rax, 3\npush rax\npop qword ptr [rip + first]\nmov rcx, [rip + first]",
        &[("rcx", 3)],
    );
    // The source of `push rsp` is read before sp moves, and `pop rsp` is a move.
    check(
        "mov rax, rsp\npush rsp\npop rsp\nsub rax, rsp",
        &[("rax", 0)],
    );
    check_32(
        "push 7\npush 8\npop eax\npop ecx",
        &[("eax", 8), ("ecx", 7), ("used", 0)],
    );
}

#[test]
fn alu() {
    check("mov rax, 7\nadd rax, 8", &[("rax", 15)]);
    check("mov rax, 7\nsub rax, 8", &[("rax", MINUS_1)]);
    check("mov rax, 0xf0f\nand rax, 0xff", &[("rax", 0xf)]);
    check("mov rax, 0xf0f\nor eax, 0xff", &[("rax", 0xfff)]);
    check("mov rax, 0xf0f\nxor rax, 0xff", &[("rax", 0xff0)]);
    check(
        "xor eax, eax\nsub rcx, rcx",
        &[("rax", 0), ("rcx", 0), ("rflags", 1 << 6)],
    );
    check(
        "add qword ptr [rip + first], 5\nmov rax, [rip + first]",
        &[("rax", 6)],
    );
    check(
        "mov rax, 1\ncmp rax, 2\ntest rax, rax",
        &[("rax", 1), ("rflags", 0)],
    );
    check_32(
        "mov eax, -1\nadd eax, 1",
        &[("eax", 0), ("eflags", 1 << 6 | 1)],
    );
}

#[test]
fn flags_and_conditions() {
    // left, right, then what seta, setb, setg, setl, sete, seto and sets say about left - right.
    for (left, right, expect) in [
        (1_i64, 2_i64, [0, 1, 0, 1, 0, 0, 1]),
        (2, 1, [1, 0, 1, 0, 0, 0, 0]),
        (-1, 1, [1, 0, 0, 1, 0, 0, 1]),
        (1, -1, [0, 1, 1, 0, 0, 0, 0]),
        (5, 5, [0, 0, 0, 0, 1, 0, 0]),
        (i64::MIN, 1, [1, 0, 0, 1, 0, 1, 0]),
    ] {
        let names = ["a", "b", "g", "l", "e", "o", "s"];
        let inverse = ["be", "ae", "le", "ge", "ne", "no", "ns"];
        for ((name, inverse), holds) in names.iter().zip(inverse).zip(expect) {
            let text = format!(
                "mov rax, {left}\nmov rcx, {right}\nxor edx, edx\nxor ebx, ebx\ncmp rax, rcx\n\
                 set{name} dl\nset{inverse} bl\nmov esi, 0\nj{inverse} 2f\nmov esi, 1\n2: nop"
            );
            check(&text, &[("rdx", holds), ("rbx", 1 - holds), ("rsi", holds)]);
        }
    }
}

#[test]
fn inc_and_dec_leave_carry_alone() {
    check(
        "mov rax, 1\nsub rax, 2\ninc rax",
        &[("rax", 0), ("rflags", 1 << 6 | 1)],
    );
    check(
        "mov rax, 1\ntest rax, rax\ndec rax",
        &[("rax", 0), ("rflags", 1 << 6)],
    );
}

#[test]
fn neg_and_not() {
    check(
        "mov rax, 5\nneg rax",
        &[("rax", MINUS_1 - 4), ("rflags", 1 << 7 | 1)],
    );
    check("mov rax, 5\nnot rax", &[("rax", MINUS_1 - 5)]);
}

/// CF is the last bit that was shifted out.
#[test]
fn carries_of_shifts() {
    for (text, carry) in [
        ("mov rax, 3\nshr rax, 1", 1),
        ("mov rax, 2\nshr rax, 1", 0),
        ("mov rax, -2\nsar rax, 2", 1),
        ("mov rax, 5\nsar rax, 2", 0),
        ("mov rax, 2\nshl rax, 63", 1),
        ("mov rax, 1\nshl rax, 63", 0),
        ("mov eax, 1\nshl eax, 31", 0),
        ("mov eax, 2\nshl eax, 31", 1),
        ("mov al, 1\nshl al, 8", 1),
        ("mov al, 1\nshl al, 9", 0),
        ("mov al, 0x80\nsar al, 9", 1),
    ] {
        check(
            &format!("{text}\nsetc cl\nmovzx ecx, cl"),
            &[("rcx", carry)],
        );
    }
}

#[test]
fn imul() {
    check(
        "mov rax, -3\nmov rcx, 7\nimul rax, rcx",
        &[("rax", (-21_i64) as u64)],
    );
    check(
        "mov rcx, 6\nimul rax, rcx, -7",
        &[("rax", (-42_i64) as u64)],
    );
    check(
        "mov eax, 0x10000\nimul eax, eax\nseto cl\nmovzx ecx, cl",
        &[("rax", 0), ("rcx", 1)],
    );
}

#[test]
fn idiv_and_sign_to_dx() {
    check(
        "mov rax, -7\ncqo\nmov rcx, 2\nidiv rcx",
        &[("rax", (-3_i64) as u64), ("rdx", MINUS_1)],
    );
    check(
        "mov eax, 7\ncdq\nmov ecx, -2\nidiv ecx",
        &[("rax", 0xffff_fffd), ("rdx", 1)],
    );
    assert_eq!(
        fault("mov rax, 7\ncqo\nmov rcx, 0\nidiv rcx"),
        FaultKind::DivisionByZero
    );
    let overflow = "mov rax, 0x8000000000000000\ncqo\nmov rcx, -1\nidiv rcx";
    assert_eq!(fault(overflow), FaultKind::DivisionByZero);
}

#[test]
fn shifts() {
    check("mov rax, 5\nshl rax, 2", &[("rax", 20)]);
    check("mov rax, -8\nsar rax, 1", &[("rax", (-4_i64) as u64)]);
    check("mov rax, -8\nshr rax, 60", &[("rax", 15)]);
    check("mov rax, 1\nmov rcx, 65\nshl rax, cl", &[("rax", 2)]);
    check("mov eax, 1\nmov ecx, 33\nshl eax, cl", &[("rax", 2)]);
    check(
        "mov rax, 3\nshr rax, 1\nsetc cl\nmovzx ecx, cl",
        &[("rcx", 1)],
    );
    check("mov eax, 1\nsub eax, 1\nshl eax, 0", &[("rflags", 1 << 6)]);
    check("mov al, 0x80\nshl al, 12\nmovzx eax, al", &[("rax", 0)]);
}

#[test]
fn jumps_calls_and_returns() {
    check("jmp 2f\nmov rax, 1\n2: mov rcx, 2", &[("rcx", 2)]);
    check(
        "mov rax, 3\ncall function\njmp 9f\nfunction:\npush rbx\nmov rbx, rax\nadd rax, rbx\npop rbx\nret\n9: nop",
        &[("rax", 6), ("used", 0)],
    );
    check(
        "lea rcx, [rip + function]\nsub rsp, 16\npush 1\npush 2\ncall rcx\njmp 9f\nfunction: ret 16\n9: nop",
        &[("used", 16)],
    );
    check(
        "lea rax, [rip + 2f]\njmp rax\nmov rcx, 1\n2: mov rdx, 1",
        &[("rdx", 1)],
    );
    // The idiom that asks for its own address.
    let ran = run(Isa::I386, "call 1f\n1: pop ebx");
    assert_eq!(ran.register("ebx"), ran.machine.code.address_of(1));
}

#[test]
fn leave() {
    check(
        "mov rax, rsp\npush rbp\nmov rbp, rsp\nsub rsp, 40\nleave",
        &[("used", 0)],
    );
}

#[test]
fn control_words() {
    check(
        "stmxcsr [rsp - 8]\nmov eax, [rsp - 8]\nor eax, 0x6000\nmov [rsp - 8], eax\nldmxcsr [rsp - 8]",
        &[("rax", 0x7f80), ("mxcsr", 0x7f80)],
    );
    check(
        "fnstcw [rsp - 8]\nmovzx eax, word ptr [rsp - 8]\nor eax, 0xc00\nmov [rsp - 8], ax\nfldcw [rsp - 8]",
        &[("rax", 0xf7f), ("fpcw", 0xf7f)],
    );
}

#[test]
fn nop_and_ud2() {
    check("nop\nendbr64\nmov rax, 1", &[("rax", 1)]);
    assert_eq!(fault("ud2"), FaultKind::Undefined);
}

#[test]
fn what_nothing_has_written_may_be_moved_and_not_used() {
    // Callee-saved registers are pushed and popped whether they hold anything or not.
    check(
        "push r12\nmov rax, r13\nmov [rsp - 8], rax\npop r12",
        &[("used", 0)],
    );
    let register = FaultKind::UninitialisedRegister { register: "r12" };
    assert_eq!(fault("push r12\npop r12\nadd r12, 1"), register);
    assert_eq!(fault("mov rax, [r12]"), register);
    assert!(matches!(
        fault("mov rax, [rsp - 8]"),
        FaultKind::UninitialisedMemory { .. }
    ));
    let ran = run(
        Isa::X86_64,
        "mov dword ptr [rsp - 8], 1\nmov rax, [rsp - 8]",
    );
    let address = ran.machine.sp() - 4;
    assert_eq!(ran.fault, Some(FaultKind::UninitialisedMemory { address }));
}

#[test]
fn a_frame_begins_with_nothing_in_it() {
    let text = "push 5\npop rax\nsub rsp, 8\nmov rcx, [rsp]";
    assert!(matches!(fault(text), FaultKind::UninitialisedMemory { .. }));
}

#[test]
fn accesses_that_cross_two_words() {
    check(
        "mov qword ptr [rsp - 16], 0\nmov qword ptr [rsp - 8], 0\nmov rax, 0x1122334455667788\n\
         mov [rsp - 11], rax\nmov rcx, [rsp - 11]\nmov rdx, [rsp - 8]",
        &[("rcx", 0x1122_3344_5566_7788), ("rdx", 0x11_2233_4455)],
    );
}

#[test]
fn addresses_outside_fault() {
    assert!(matches!(
        fault("mov rax, 0x10\nmov rcx, [rax]"),
        FaultKind::Unmapped {
            address: 0x10,
            access: Access::Read
        }
    ));
    assert!(matches!(
        fault("mov qword ptr [rsp], 1"),
        FaultKind::Unmapped {
            access: Access::Write,
            ..
        }
    ));
    assert!(matches!(
        fault("lea rax, [rip + 2f]\n2: mov rcx, [rax]"),
        FaultKind::TextAccess { .. }
    ));
    let overflow = fault("mov rax, rsp\nsub rax, 4100\nmov byte ptr [rax], 1");
    assert!(
        matches!(
            overflow,
            FaultKind::Overflow {
                stack: 0,
                beyond: 4,
                ..
            }
        ),
        "{overflow:?}"
    );
    assert_eq!(
        fault("mov rax, 0x1234\njmp rax"),
        FaultKind::NotCode { address: 0x1234 }
    );
    assert_eq!(
        fault("push 0x1234\nret"),
        FaultKind::NotCode { address: 0x1234 }
    );
}

#[test]
fn functions_keep_their_promises() {
    let clobbers = "mov rbx, 1\ncall function\nnop\nfunction: mov rbx, 2\nret";
    assert_eq!(
        fault(clobbers),
        FaultKind::RegisterClobbered {
            register: "rbx",
            expected: 1,
            found: 2,
            function: "function".to_owned(),
        }
    );
    assert!(matches!(
        fault("push 1\ncall function\nnop\nfunction: ret"),
        FaultKind::MisalignedSp { alignment: 16, .. }
    ));
    testing::check(
        Isa::I386,
        "call function\njmp 9f\nfunction: ret\n9: nop",
        &[("used", 0)],
    );
    assert!(matches!(
        testing::fault(Isa::I386, "push 1\ncall function\nnop\nfunction: ret"),
        FaultKind::MisalignedSp { .. }
    ));
}
