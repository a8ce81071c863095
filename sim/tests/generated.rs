//! Random programs print in the simulator what they mean.

mod common;
#[path = "../../lang/tests/reference/mod.rs"]
mod reference;

use std::sync::Arc;

use common::{ISAS, LIMIT, finish, load, parse};
use costack_lang::generate::{Options, generate};
use costack_lang::syntax::Word;
use costack_sim::program::Isa;
use costack_sim::runtime;
use costack_sim::view::Intervention;

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

/// By way of snapshots, however near to each other, one comes to the same states as by undoing every
/// step, and hears the same about them; also when history takes another branch in between.
#[test]
fn jumps_by_way_of_snapshots_end_where_steps_do() {
    for (seed, &isa) in (0..9).zip(ISAS.iter().cycle()) {
        let program = Arc::new(parse(&generate(seed, &Options::default())));
        let open = |snapshot_steps| {
            let options = costack_sim::Options {
                snapshot_steps,
                ..costack_sim::Options::default()
            };
            runtime::load(Arc::clone(&program), isa, options).expect("it loads")
        };
        for apart in [1, 40, 700] {
            let (mut near, mut never) = (open(apart), open(u64::MAX));
            let mut random = seed + apart;
            for round in 0..40_u64 {
                for session in [&mut near, &mut never] {
                    // The end comes to be further and further away.
                    session.jump(round * 200);
                }
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let target = (random >> 33) % (never.recorded_len() + 1);
                let seen = [&mut near, &mut never].map(|session| {
                    session.jump(target);
                    let jumped = (session.state_hash(), session.last_step());
                    session.step();
                    let stepped = session.state_hash();
                    session.back();
                    session.back();
                    let intervened =
                        round % 8 == 7 && session.intervene(Intervention::Signal).is_ok();
                    (jumped, stepped, session.state_hash(), intervened)
                });
                let [one, other] = seen;
                assert_eq!(one, other, "seed {seed} at {target}, {apart} steps apart");
            }
        }
    }
}
