//! The prover against the machine: what it proves of a text holds in concrete runs.
//!
//! A text runs twice, at two places: a first task gives the CPU to a fresh one, which gives it back.
//! All registers and all memory around hold random values, and a signal comes between any two
//! instructions. Of texts and of all their single changes: what is proven must hold, and what is
//! refuted must go wrong.

#[path = "prove_common/bench.rs"]
mod bench;
mod prove_common;

use costack_sim::program::Isa;
use costack_sim::prove::{Contract, prove};
use prove_common::{joined, lines, mutants, part, texts};

/// How many runs with other values.
const SEEDS: u64 = 3;

/// Changes that are wrong and go well here, with the reason.
const HIDDEN: &[(Isa, &str, &str)] = &[
    (
        Isa::X86_64,
        "replace: lea rbx, [rip + 2f] by lea ebx, [rip + 2f]",
        "all code of the simulated machine lies below 4 GiB",
    ),
    (
        Isa::I386,
        "replace: mov esp, ecx by mov sp, cx",
        "both stacks lie in the same 64 KiB",
    ),
    (
        Isa::I386,
        "replace: lea esp, [esp - 4] by lea sp, [esp - 4]",
        "no 64 KiB end within the frame",
    ),
    (
        Isa::I386,
        "replace: lea esp, [esp + 4] by lea sp, [esp + 4]",
        "no 64 KiB end within the frame",
    ),
];

/// The first thing that goes wrong in any run.
fn concrete(contract: &Contract, lines: &[String]) -> Result<(), String> {
    (0..SEEDS).try_for_each(|seed| bench::run(contract, lines, seed))
}

#[test]
fn the_texts_do_what_is_proven() {
    for (isa, flavour, text) in texts() {
        let contract = Contract::of(isa, flavour);
        if let Err(problem) = concrete(&contract, &lines(&text)) {
            panic!("{}: {problem}", text.file);
        }
    }
}

#[test]
fn changed_texts_go_wrong_where_they_are_refuted_and_only_there() {
    for (isa, flavour, text) in texts() {
        let contract = Contract::of(isa, flavour);
        let (mut right, mut wrong, mut hidden) = (0, 0, 0);
        for mutant in mutants(isa, &lines(&text)) {
            let Ok(reports) = prove(&contract, &part(&joined(&mutant.lines))) else {
                continue;
            };
            let refuted: Vec<_> = reports.iter().flat_map(|report| report.refuted()).collect();
            match (concrete(&contract, &mutant.lines), refuted.as_slice()) {
                (Ok(()), []) => right += 1,
                (Err(_), [_, ..]) => wrong += 1,
                (Err(problem), []) => {
                    panic!("{}, {}: proven, but {problem}", text.file, mutant.what)
                }
                (Ok(()), refuted) => {
                    hidden += 1;
                    let mut list = HIDDEN.iter();
                    assert!(
                        list.any(|(of, what, _)| *of == isa && *what == mutant.what),
                        "{}, {}: goes well, but {} {}",
                        text.file,
                        mutant.what,
                        refuted[0].id,
                        refuted[0].status
                    );
                }
            }
        }
        println!(
            "{}: {right} right, {wrong} wrong, {hidden} with hidden dangers",
            text.file
        );
    }
}
