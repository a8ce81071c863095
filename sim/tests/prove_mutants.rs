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

const fn on_x86_64(what: &'static str, why: &'static str) -> Equivalent {
    Equivalent {
        isa: Isa::X86_64,
        what,
        why,
    }
}

const EQUIVALENT: &[Equivalent] = &[
    on_x86_64(
        "duplicate: lea rbx, [rip + 2f]",
        "the second one gives rbx the same address",
    ),
    on_x86_64(
        "duplicate: mov [rdi], rsp",
        "the second one stores the same sp in the same word",
    ),
    on_x86_64(
        "duplicate: mov rdi, rsp",
        "the second one gives rdi the same sp",
    ),
    on_x86_64(
        "duplicate: mov rsp, rsi",
        "the second one gives rsp the same sp",
    ),
    on_x86_64(
        "replace: mov rsp, rsi by xchg rsp, rsi",
        "rsi, which now holds the source's sp, is overwritten before anything reads it",
    ),
    on_x86_64("duplicate: jmp rsi", "the second one is never reached"),
    on_x86_64(
        "duplicate: stmxcsr [rsp]",
        "the second one stores the same control word in the same place",
    ),
    on_x86_64(
        "duplicate: fnstcw [rsp]",
        "the second one stores the same control word in the same place",
    ),
    on_x86_64(
        "duplicate: fldcw [rsp]",
        "the second one loads the same control word from the same place",
    ),
    on_x86_64(
        "duplicate: ldmxcsr [rsp]",
        "the second one loads the same control word from the same place",
    ),
];

#[test]
fn every_mutant_is_refuted_or_listed_as_equivalent() {
    let mut seen = BTreeSet::new();
    let mut unexpected = Vec::new();
    for (isa, flavour, text) in texts() {
        let contract = Contract::of(isa, flavour).expect("a text has a contract");
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
