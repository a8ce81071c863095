//! The prover refutes every single change to a switch text that matters.
//!
//! Each instruction is deleted, duplicated and exchanged with every other; each register is
//! replaced by every other and by parts of itself; each offset, constant and mnemonic is changed.
//! What is still proven has to be listed here with the reason why it is the same switch.

mod prove_common;

use std::collections::BTreeSet;

use costack_sim::program::Isa;
use costack_sim::prove::{Contract, prove};
use prove_common::{joined, lines, mutants, part, texts};

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
];

#[test]
fn every_mutant_is_refuted_or_listed_as_equivalent() {
    let mut seen = BTreeSet::new();
    let mut unexpected = Vec::new();
    for (isa, flavour, text) in texts() {
        let contract = Contract::of(isa, flavour);
        let (mut refused, mut refuted, mut proven) = (0, 0, 0);
        for mutant in mutants(isa, &lines(&text)) {
            match prove(&contract, &part(&joined(&mutant.lines))) {
                Err(_) => refused += 1,
                Ok(reports) if !reports.iter().all(|report| report.is_proven()) => refuted += 1,
                Ok(_) => {
                    proven += 1;
                    let mut list = EQUIVALENT.iter();
                    match list.position(|one| one.isa == isa && one.what == mutant.what) {
                        Some(index) => {
                            seen.insert(index);
                        }
                        None => unexpected.push(format!("{}: {}", text.file, mutant.what)),
                    }
                }
            }
        }
        println!(
            "{}: {} mutants, {refuted} refuted, {refused} do not assemble, {proven} equivalent",
            text.file,
            refuted + refused + proven
        );
    }
    assert!(unexpected.is_empty(), "proven:\n{}", unexpected.join("\n"));
    for (index, Equivalent { what, why, .. }) in EQUIVALENT.iter().enumerate() {
        assert!(
            seen.contains(&index),
            "not proven, or no mutant: {what} ({why})"
        );
    }
}

/// Deleting one instruction, or exchanging two that are not the same, is never equivalent.
#[test]
fn nothing_can_be_left_out_or_moved() {
    let listed = EQUIVALENT.iter().map(|equivalent| equivalent.what);
    for what in listed {
        assert!(
            !what.starts_with("delete") && !what.starts_with("swap"),
            "{what}"
        );
    }
}
