//! Random programs print in the simulator what they mean.

mod common;
#[path = "../../lang/tests/reference/mod.rs"]
mod reference;

use common::{ISAS, LIMIT, finish, load, parse};
use costack_lang::generate::{Options, generate};
use costack_lang::syntax::Word;
use costack_sim::program::Isa;

/// Runs a generated program on every ISA and compares it with its meaning, and the ISAs with each
/// other. The reference takes turns in an order of its own, so what a program prints that leaves
/// the order to the scheduler is compared between ISAs only (and with native, in its tests).
#[track_caller]
fn check(seed: u64, options: &Options) {
    let text = generate(seed, options);
    let mut first: Option<Vec<String>> = None;
    for &isa in ISAS {
        let (output, fault) = finish(&mut load(&text, isa));
        if let Some(fault) = fault {
            panic!("seed {seed} on {}: {fault:?}\n{text}", isa.name());
        }
        match &first {
            Some(first) => assert_eq!(output, *first, "seed {seed} on {}\n{text}", isa.name()),
            None => first = Some(output),
        }
    }
    if !options.scheduler {
        let meant = reference::run(parse(&text), Word::Bits64).expect("it has no fault");
        assert_eq!(first, Some(meant), "seed {seed}\n{text}");
    }
}

#[test]
fn end_without_a_fault_and_print_the_same_everywhere() {
    for seed in 0..30 {
        check(seed, &Options::default());
    }
}

#[test]
fn print_the_same_without_the_fp_flavour_too() {
    let mut options = Options::default();
    options.fp = false;
    for seed in 2000..2020 {
        check(seed, &options);
    }
}

#[test]
fn print_what_they_mean() {
    let mut options = Options::default();
    options.scheduler = false;
    options.fp = false;
    options.max_tasks = 12;
    for seed in 1000..1030 {
        check(seed, &options);
    }
}

/// Going back over a whole run, and to places in it, brings back equal states.
#[test]
fn can_be_gone_back_over() {
    let mut options = Options::default();
    options.statements = 6;
    for seed in 0..8 {
        let text = generate(seed, &options);
        let mut session = load(&text, Isa::X86_64);
        let start = session.state_hash();
        let _ = session.run(LIMIT);
        let (end, len) = (session.state_hash(), session.position());
        for part in [1, 2, 3, 5, 7] {
            let position = len * part / 8;
            session.jump(position);
            let hash = session.state_hash();
            session.back();
            session.back();
            session.jump(position);
            assert_eq!(session.state_hash(), hash, "seed {seed} at {position}");
        }
        session.jump(0);
        assert_eq!(session.state_hash(), start, "seed {seed}");
        session.jump(len);
        assert_eq!(session.state_hash(), end, "seed {seed}");
    }
}
