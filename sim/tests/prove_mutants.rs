//! The prover refutes every single change to a switch text that matters.
//!
//! Each instruction is deleted, duplicated and exchanged with every other; each register is
//! replaced by every other and by parts of itself; each offset, constant and mnemonic is changed.
//! What is still proven has to be listed here with the reason why it is the same switch; what is
//! listed has to be proven.

mod prove_common;

use std::collections::{BTreeMap, BTreeSet};

use costack_sim::program::{Isa, Part};
use costack_sim::prove::{Contract, Form, Words, prove};
use prove_common::{joined, lines, mutants, part, texts, title};

/// A change that changes nothing.
struct Equivalent {
    isa: Isa,
    what: &'static str,
    why: &'static str,
}

const fn on(isa: Isa, what: &'static str, why: &'static str) -> Equivalent {
    Equivalent { isa, what, why }
}

const SAME_STORE: &str = "the second one stores the same in the same place";
const SAME_LOAD: &str = "the second one loads the same from the same place";
const SAME_MOVE: &str = "the second one moves the same to the same register";
const NOT_REACHED: &str = "the second one is never reached";
const OLD_SP_UNUSED: &str =
    "the register that now holds the source's sp is overwritten before anything reads it";
const SP_IS_X1: &str = "sp is what x1 is by then";
const X19_IS_SP: &str = "x19 is a copy of sp by then";
const LINK_CLOBBERED: &str = "it writes x30 besides, which is declared clobbered";
const A_HINT: &str = "the same jump; it only tells the predictor that it is a return";

const X9_IS_OLD_SP: &str = "x9 is a copy of the source's sp, whatever sp is by then";
const FPCR_HAS_32_BITS: &str = "the upper half of FPCR is reserved, and 0";
const SAME_BITS: &str = "the second one puts in what is there already";
const BITS_APART: &str = "no bit is in both";
const UPPER_HALF: &str = "the upper half is masked out before anything uses it";
const SAME_WORD: &str = "the word read next is the same, and sp is replaced after that";
const OWN_PLACES: &str = "each writes places that the other neither reads nor writes";
const RED_ZONE: &str = "what is loaded below sp lies in its red zone";
const SAME_ADDRESS: &str = "both registers hold the same address by then";

const X64: Isa = Isa::X86_64;
const X32: Isa = Isa::I386;
const A64: Isa = Isa::Aarch64;

const EQUIVALENT: &[Equivalent] = &[
    on(X64, "duplicate: lea rbx, [rip + 2f]", SAME_MOVE),
    on(X64, "duplicate: mov [rdi], rsp", SAME_STORE),
    on(X64, "duplicate: mov rdi, rsp", SAME_MOVE),
    on(X64, "duplicate: mov rsp, rsi", SAME_MOVE),
    on(X64, "replace: mov rsp, rsi by xchg rsp, rsi", OLD_SP_UNUSED),
    on(X64, "duplicate: jmp rsi", NOT_REACHED),
    on(X64, "duplicate: stmxcsr [rsp]", SAME_STORE),
    on(X64, "duplicate: fnstcw [rsp]", SAME_STORE),
    on(X64, "duplicate: fldcw [rsp]", SAME_LOAD),
    on(X64, "duplicate: ldmxcsr [rsp]", SAME_LOAD),
    on(X32, "duplicate: jmp 3f", NOT_REACHED),
    on(X32, "duplicate: mov [edi], esp", SAME_STORE),
    on(X32, "duplicate: mov edi, esp", SAME_MOVE),
    on(X32, "duplicate: mov esp, ecx", SAME_MOVE),
    on(X32, "replace: mov esp, ecx by xchg esp, ecx", OLD_SP_UNUSED),
    on(X32, "duplicate: jmp ecx", NOT_REACHED),
    on(X32, "duplicate: stmxcsr [esp]", SAME_STORE),
    on(X32, "duplicate: fnstcw [esp]", SAME_STORE),
    on(X32, "duplicate: fldcw [esp]", SAME_LOAD),
    on(X32, "duplicate: ldmxcsr [esp]", SAME_LOAD),
    on(A64, "duplicate: adr x4, 2f", SAME_MOVE),
    on(A64, "duplicate: str x19, [sp, #16]", SAME_STORE),
    on(A64, "duplicate: stp x19, x4, [sp, #16]", SAME_STORE),
    on(A64, "duplicate: mrs x4, fpcr", SAME_MOVE),
    on(A64, "duplicate: mov x19, sp", SAME_MOVE),
    on(A64, "duplicate: str x19, [x0]", SAME_STORE),
    on(A64, "duplicate: mov x0, sp", SAME_MOVE),
    on(A64, "replace: mov x0, sp by mov x0, x19", X19_IS_SP),
    on(A64, "duplicate: mov sp, x1", SAME_MOVE),
    on(A64, "duplicate: ldr x19, [sp, #16]", SAME_LOAD),
    on(
        A64,
        "replace: ldr x19, [sp, #16] by ldr x19, [x1, #16]",
        SP_IS_X1,
    ),
    on(A64, "duplicate: ldp x19, x4, [sp, #16]", SAME_LOAD),
    on(
        A64,
        "replace: ldp x19, x4, [sp, #16] by ldp x19, x4, [x1, #16]",
        SP_IS_X1,
    ),
    on(A64, "duplicate: msr fpcr, x4", SAME_MOVE),
    on(A64, "duplicate: br x4", NOT_REACHED),
    on(A64, "replace: br x4 by blr x4", LINK_CLOBBERED),
    on(A64, "replace: br x4 by ret x4", A_HINT),
    on(X64, "duplicate: lea rsp, [rdx + 56]", SAME_MOVE),
    on(X64, "duplicate: lea rsp, [rdx + 64]", SAME_MOVE),
    on(X64, "duplicate: jmp rcx", NOT_REACHED),
    on(X64, "duplicate: or r9d, r8d", SAME_BITS),
    on(X64, "replace: or r9d, r8d by xor r9d, r8d", BITS_APART),
    on(X64, "duplicate: push r9", SAME_WORD),
    on(X32, "duplicate: fldcw [esp + 4]", SAME_LOAD),
    on(X32, "replace: mov ecx, [esp] by mov cx, [esp]", UPPER_HALF),
    on(X32, "replace: mov ebx, [edx] by mov bx, [edx]", UPPER_HALF),
    on(X32, "duplicate: or ebx, ecx", SAME_BITS),
    on(X32, "replace: or ebx, ecx by or bx, cx", UPPER_HALF),
    on(X32, "replace: or ebx, ecx by xor ebx, ecx", BITS_APART),
    on(X32, "duplicate: push ebx", SAME_WORD),
    on(X32, "duplicate: mov [ecx], esp", SAME_STORE),
    on(X32, "duplicate: mov esp, edx", SAME_MOVE),
    on(X32, "replace: mov esp, edx by xchg esp, edx", OLD_SP_UNUSED),
    on(A64, "duplicate: mrs x9, fpcr", SAME_MOVE),
    on(A64, "duplicate: str x9, [sp, #160]", SAME_STORE),
    on(A64, "duplicate: mov x9, sp", SAME_MOVE),
    on(A64, "duplicate: str x9, [x2]", SAME_STORE),
    on(A64, "duplicate: ldr x9, [sp, #160]", SAME_LOAD),
    on(
        A64,
        "replace: ldr x9, [sp, #160] by ldr w9, [sp, #160]",
        FPCR_HAS_32_BITS,
    ),
    on(A64, "duplicate: msr fpcr, x9", SAME_MOVE),
    on(A64, "duplicate: ret", NOT_REACHED),
];

/// Lines of a text of which any two may be exchanged.
struct AnyOrder {
    file: &'static str,
    /// In the order in which they stand there.
    lines: &'static [&'static [&'static str]],
    why: &'static str,
}

const fn any_order(
    file: &'static str,
    lines: &'static [&'static [&'static str]],
    why: &'static str,
) -> AnyOrder {
    AnyOrder { file, lines, why }
}

const X64_LOADS: &[&str] = &[
    "mov r15, [rsi]",
    "mov r14, [rsi + 8]",
    "mov r13, [rsi + 16]",
    "mov r12, [rsi + 24]",
    "mov rbx, [rsi + 32]",
    "mov rbp, [rsi + 40]",
    "mov rcx, [rsi + 48]",
];
const X64_FP_LOADS: &[&str] = &[
    "fldcw [rsi + 4]",
    "mov r15, [rsi + 8]",
    "mov r14, [rsi + 16]",
    "mov r13, [rsi + 24]",
    "mov r12, [rsi + 32]",
    "mov rbx, [rsi + 40]",
    "mov rbp, [rsi + 48]",
    "mov rcx, [rsi + 56]",
];
const A64_STORES: &[&str] = &[
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
];
const A64_LOADS: &[&str] = &[
    "ldp x19, x20, [sp, #16]",
    "ldp x21, x22, [sp, #32]",
    "ldp x23, x24, [sp, #48]",
    "ldp x25, x26, [sp, #64]",
    "ldp x27, x28, [sp, #80]",
    "ldp d8, d9, [sp, #96]",
    "ldp d10, d11, [sp, #112]",
    "ldp d12, d13, [sp, #128]",
    "ldp d14, d15, [sp, #144]",
];
const A64_MOVES_SP: &[&str] = &["str x9, [x2]", "mov sp, x1"];

const X64_CALL: &str = "asm/x86_64/call.s";
const X64_CALL_FP: &str = "asm/x86_64/call_fp.s";
const X32_CALL_FP: &str = "asm/i386/call_fp.s";
const A64_CALL: &str = "asm/aarch64/call.s";
const A64_CALL_FP: &str = "asm/aarch64/call_fp.s";

const ANY_ORDER: &[AnyOrder] = &[
    any_order(X64_CALL, &[&["mov [rdi], rsp"], X64_LOADS], OWN_PLACES),
    any_order(X64_CALL, &[X64_LOADS, &["lea rsp, [rdx + 56]"]], RED_ZONE),
    any_order(
        X64_CALL_FP,
        &[X64_FP_LOADS, &["lea rsp, [rdx + 64]"]],
        RED_ZONE,
    ),
    any_order(
        X64_CALL_FP,
        &[&["stmxcsr [rsp]", "fnstcw [rsp + 4]", "mov [rdi], rsp"]],
        OWN_PLACES,
    ),
    any_order(X64_CALL_FP, &[&["ldmxcsr [rsp]"], X64_FP_LOADS], OWN_PLACES),
    any_order(
        X64_CALL_FP,
        &[&["fnstcw [rsp + 4]", "mov r8d, [rsp]", "mov r9d, [rsi]"]],
        OWN_PLACES,
    ),
    any_order(
        X64_CALL_FP,
        &[&["mov [rdi], rsp", "mov r8d, [rsp]", "mov r9d, [rsi]"]],
        OWN_PLACES,
    ),
    any_order(
        X64_CALL_FP,
        &[&["mov r9d, [rsi]", "and r8d, 0x3f"]],
        OWN_PLACES,
    ),
    any_order(
        X64_CALL_FP,
        &[&["and r8d, 0x3f", "and r9d, 0xffc0"]],
        OWN_PLACES,
    ),
    any_order(
        X32_CALL_FP,
        &[&["stmxcsr [esp]", "fnstcw [esp + 4]", "mov [ecx], esp"]],
        OWN_PLACES,
    ),
    any_order(
        X32_CALL_FP,
        &[&["fnstcw [esp + 4]", "mov ebx, [edx]"]],
        OWN_PLACES,
    ),
    any_order(
        X32_CALL_FP,
        &[&["mov ecx, [esp]", "mov ebx, [edx]"]],
        OWN_PLACES,
    ),
    any_order(
        X32_CALL_FP,
        &[&["mov ebx, [edx]", "and ecx, 0x3f"]],
        OWN_PLACES,
    ),
    any_order(
        X32_CALL_FP,
        &[&["and ecx, 0x3f", "and ebx, 0xffc0"]],
        OWN_PLACES,
    ),
    any_order(A64_CALL, &[A64_STORES, &["mov x9, sp"]], OWN_PLACES),
    any_order(A64_CALL, &[A64_MOVES_SP], X9_IS_OLD_SP),
    any_order(A64_CALL, &[A64_LOADS], OWN_PLACES),
    any_order(A64_CALL_FP, &[A64_STORES, &["mrs x9, fpcr"]], OWN_PLACES),
    any_order(A64_CALL_FP, &[A64_MOVES_SP], X9_IS_OLD_SP),
    any_order(A64_CALL_FP, &[&["msr fpcr, x9"], A64_LOADS], OWN_PLACES),
];

#[test]
fn every_mutant_is_refuted_or_listed_as_equivalent() {
    let mut seen = BTreeSet::new();
    let mut unexpected = Vec::new();
    let mut missing = Vec::new();
    for (contract, text) in texts() {
        let (isa, title) = (contract.isa, title(&contract, &text));
        let lines = lines(&text);
        let same_here = same_here(&contract, &text, &lines);
        let mut proven = BTreeSet::new();
        let (mut refused, mut refuted) = (0, 0);
        for mutant in mutants(isa, &lines) {
            match prove(&contract, &part(&joined(&mutant.lines))) {
                Err(_) => refused += 1,
                Ok(reports) if !reports.iter().all(|report| report.is_proven()) => refuted += 1,
                Ok(_) => {
                    let mut list = EQUIVALENT.iter();
                    let listed = list.position(|one| one.isa == isa && one.what == mutant.what);
                    seen.extend(listed);
                    if listed.is_none() && !same_here.contains_key(&mutant.what) {
                        unexpected.push(format!("{title}: {}", mutant.what));
                    }
                    proven.insert(mutant.what);
                }
            }
        }
        let not_proven = same_here.iter().filter(|(what, _)| !proven.contains(*what));
        missing.extend(not_proven.map(|(what, why)| format!("{title}: {what} ({why})")));
        println!(
            "{title}: {} mutants, {refuted} refuted, {refused} do not assemble, {} equivalent",
            refuted + refused + proven.len(),
            proven.len()
        );
    }
    let listed = EQUIVALENT.iter().enumerate();
    let not_seen = listed.filter(|(index, _)| !seen.contains(index));
    missing.extend(not_seen.map(|(_, one)| format!("{} ({})", one.what, one.why)));
    assert!(unexpected.is_empty(), "proven:\n{}", unexpected.join("\n"));
    assert!(
        missing.is_empty(),
        "not proven, or no mutant:\n{}",
        missing.join("\n")
    );
}

/// What is equivalent in this text: the exchanges within [`ANY_ORDER`], what each of these twice
/// means, and another register that holds the same address.
fn same_here(contract: &Contract, text: &Part, lines: &[String]) -> BTreeMap<String, &'static str> {
    let mut all = BTreeMap::new();
    let groups = ANY_ORDER.iter().filter(|group| group.file == text.file);
    for AnyOrder {
        lines: members,
        why,
        ..
    } in groups
    {
        let members = members.concat();
        for (index, line) in members.iter().enumerate() {
            if *why == OWN_PLACES {
                all.insert(format!("duplicate: {line}"), *why);
            }
            for other in &members[index + 1..] {
                all.insert(format!("swap: {line} with {other}"), *why);
            }
        }
    }
    for (line, other) in same_address(contract, lines) {
        all.insert(format!("replace: {line} by {other}"), SAME_ADDRESS);
    }
    all
}

/// Lines of a text that ends a C function, and what they are with the other register that holds
/// the address.
fn same_address(contract: &Contract, lines: &[String]) -> Vec<(String, String)> {
    if contract.form == Form::Inline {
        return Vec::new();
    }
    let with = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        let lines = lines.iter().filter(|line| line.contains(&from));
        let pairs = lines.map(|line| (line.clone(), line.replace(&from, &to)));
        pairs.collect::<Vec<_>>()
    };
    match (contract.isa, contract.words) {
        (Isa::X86_64, Words::OnStack) => [with("[rsi", "[rdx"), with("[rdx", "[rsi")].concat(),
        // What is not left out is on the stack as well.
        (Isa::X86_64, Words::InImage { left_out }) => {
            let offset = format!(" + {left_out}]");
            let mut first = with("[rsi", "[rdx");
            first.retain(|(line, _)| line.contains(&offset));
            first
        }
        (Isa::I386, _) => {
            let mut all = with("[esp", "[edx");
            all.retain(|(line, _)| line.contains("fldcw") || line.ends_with("[esp + 8]"));
            all
        }
        (Isa::Aarch64, _) => {
            let mut all = with("[sp, ", "[x1, ");
            all.retain(|(line, _)| line.starts_with("ld"));
            all
        }
    }
}

/// Deleting one instruction is never equivalent, and exchanging two that are not the same only
/// within what [`ANY_ORDER`] lists.
#[test]
fn nothing_else_can_be_left_out_or_moved() {
    let listed = EQUIVALENT.iter().map(|equivalent| equivalent.what);
    for what in listed {
        assert!(
            !what.starts_with("delete") && !what.starts_with("swap"),
            "{what}"
        );
    }
}
