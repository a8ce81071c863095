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
use prove_common::{extra, joined, lines, mutants, part, texts};

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

/// Several changes at once, at random: where these do no harm or cancel each other out, the prover
/// has to see it.
#[test]
fn what_is_proven_of_texts_with_several_changes_holds() {
    let mut random = 0x0dd5_eed5_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 20) as usize % limit
    };
    for (isa, flavour, text) in texts() {
        // The machine takes what comes to lie above sp again for lost, red zone or not.
        let mut contract = Contract::of(isa, flavour);
        contract.red_zone = 0;
        let original = lines(&text);
        let changed = mutants(isa, &original);
        let (mut proven, mut refuted) = (0, 0);
        for _ in 0..1000 {
            let mut lines = match below(4) {
                0 => changed[below(changed.len())].lines.clone(),
                _ => original.clone(),
            };
            for _ in 0..1 + below(3) {
                let line = extra(isa)[below(extra(isa).len())];
                lines.insert(below(lines.len() + 1), line.to_owned());
            }
            match prove(&contract, &part(&joined(&lines))) {
                Ok(reports) if reports.iter().all(|report| report.is_proven()) => proven += 1,
                Ok(_) => {
                    refuted += 1;
                    continue;
                }
                Err(_) => continue,
            }
            if let Err(problem) = concrete(&contract, &lines) {
                panic!("{}: proven, but {problem}:\n{}", text.file, joined(&lines));
            }
        }
        println!(
            "{}: several changes: {proven} proven, {refuted} refuted",
            text.file
        );
        assert!(proven > 50 && refuted > 500, "{}", text.file);
    }
}
