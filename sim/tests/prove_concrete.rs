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
use prove_common::{extra, joined, lines, mutants, part, texts, title};

/// How many runs with other values.
const SEEDS: u64 = 5;

/// Changes that are wrong and go well here, with the reason. A `*` stands for anything.
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
        "replace: lea esp, [esp - *] by lea sp, [esp - *]",
        "no 64 KiB end within the frame",
    ),
    (
        Isa::I386,
        "replace: lea esp, [esp + *] by lea sp, [esp + *]",
        "no 64 KiB end within the frame",
    ),
    (
        Isa::X86_64,
        "replace: mov rcx, [rsi + *] by mov ecx, [rsi + *]",
        "all code of the simulated machine lies below 4 GiB",
    ),
    (
        Isa::X86_64,
        "replace: mov *, [r*] by xchg *, [r*]",
        "nobody reads again what it overwrites: the target's stack below its sp, or its image",
    ),
    (
        Isa::I386,
        "replace: mov *, [edx] by xchg *, [edx]",
        "nobody reads again what it overwrites: the target's stack below its sp",
    ),
    (
        Isa::X86_64,
        "replace: or r9d, r8d by add r9d, r8d",
        "no bit is in both, so the sum is the same; the prover does not follow sums of bits",
    ),
    (
        Isa::I386,
        "replace: or ebx, ecx by add ebx, ecx",
        "no bit is in both, so the sum is the same; the prover does not follow sums of bits",
    ),
    (
        Isa::I386,
        "replace: and ecx, 0x3f by and cx, 0x3f",
        "the upper half of MXCSR is reserved, and 0",
    ),
    (
        Isa::I386,
        "replace: and ebx, 0xffc0 by and bx, 0xffc0",
        "the upper half of MXCSR is reserved, and 0",
    ),
    (
        Isa::I386,
        "replace: mov esp, edx by mov sp, dx",
        "both stacks lie in the same 64 KiB",
    ),
];

/// Whether a text is a pattern's parts, with anything between them.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let at = match parts.peek() {
            Some(_) => rest.find(part).map(|at| at + part.len()),
            None => rest.ends_with(part).then_some(rest.len()),
        };
        let Some(at) = at else { return false };
        rest = &rest[at..];
    }
    rest.is_empty()
}

/// The first thing that goes wrong in any run.
fn concrete(contract: &Contract, lines: &[String]) -> Result<(), String> {
    (0..SEEDS).try_for_each(|seed| bench::run(contract, lines, seed))
}

#[test]
fn the_texts_do_what_is_proven() {
    for (contract, text) in texts() {
        if let Err(problem) = concrete(&contract, &lines(&text)) {
            panic!("{}: {problem}", title(&contract, &text));
        }
    }
}

#[test]
fn changed_texts_go_wrong_where_they_are_refuted_and_only_there() {
    let mut unexpected = Vec::new();
    for (contract, text) in texts() {
        let (isa, title) = (contract.isa, title(&contract, &text));
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
                    panic!("{}, {}: proven, but {problem}", title, mutant.what)
                }
                (Ok(()), refuted) => {
                    hidden += 1;
                    let mut list = HIDDEN.iter();
                    if !list.any(|(of, what, _)| *of == isa && fits(what, &mutant.what)) {
                        unexpected.push(format!(
                            "{title}, {}: goes well, but {} {}",
                            mutant.what, refuted[0].id, refuted[0].status
                        ));
                    }
                }
            }
        }
        println!(
            "{}: {right} right, {wrong} wrong, {hidden} with hidden dangers",
            title
        );
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
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
    for (mut contract, text) in texts() {
        let (isa, title) = (contract.isa, title(&contract, &text));
        // The machine takes what comes to lie above sp again for lost, red zone or not.
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
                panic!("{}: proven, but {problem}:\n{}", title, joined(&lines));
            }
        }
        println!(
            "{}: several changes: {proven} proven, {refuted} refuted",
            title
        );
        assert!(proven > 50 && refuted > 500, "{}", title);
    }
}
