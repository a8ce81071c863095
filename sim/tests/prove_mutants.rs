//! The prover refutes every single change to a switch text that matters.
//!
//! Each instruction is deleted, duplicated and exchanged with every other; each register is
//! replaced by every other; each offset and constant is changed. What is still proven has to be
//! listed here with the reason why it is the same switch.

mod prove_common;

use std::collections::BTreeSet;

use costack_sim::program::Isa;
use costack_sim::prove::{Contract, Flavour, prove};
use prove_common::{joined, lines, mutants, part, texts};

/// A change that changes nothing.
struct Equivalent {
    isa: Isa,
    flavour: Flavour,
    what: &'static str,
    why: &'static str,
}

const EQUIVALENT: &[Equivalent] = &[];

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
                    let listed = EQUIVALENT.iter().position(|listed| {
                        (listed.isa, listed.flavour, listed.what) == (isa, flavour, &mutant.what)
                    });
                    match listed {
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
    for (index, listed) in EQUIVALENT.iter().enumerate() {
        assert!(seen.contains(&index), "not proven, or no mutant: {} ({})", listed.what, listed.why);
    }
}
