//! Generated programs are valid, end, fault nowhere and print the same at both word widths.

mod reference;

use std::collections::BTreeMap;

use costack_lang::generate::{Options, generate};
use costack_lang::request::{Request, Service};
use costack_lang::syntax::{ExprKind, Program, StmtKind, Word};
use costack_lang::{format, parse};

#[track_caller]
fn program(seed: u64, options: &Options) -> Program {
    let text = generate(seed, options);
    parse("generated", &text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

#[track_caller]
fn check(seed: u64, options: &Options) -> Vec<String> {
    let program = program(seed, options);
    let outputs = [Word::Bits32, Word::Bits64].map(|word| {
        reference::run(program.clone(), word)
            .unwrap_or_else(|fault| panic!("seed {seed}: {fault}\n{program}"))
    });
    assert_eq!(outputs[0], outputs[1], "seed {seed}\n{program}");
    outputs[1].clone()
}

/// What the interpreter here knows: all but requests of the runtime, which need its scheduler.
/// Programs with those run where there is one: `native/tests/differential.rs`.
fn without_requests() -> Options {
    let mut options = Options::default();
    options.requests = false;
    options
}

#[test]
fn run_without_faults_and_alike_at_both_widths() {
    for seed in 0..120 {
        check(seed, &without_requests());
    }
}

#[test]
fn equal_seeds_give_equal_programs() {
    let options = Options::default();
    assert_eq!(generate(5, &options), generate(5, &options));
    assert_ne!(generate(5, &options), generate(6, &options));
}

#[test]
fn are_written_as_the_formatter_writes() {
    for seed in 0..30 {
        let program = program(seed, &Options::default());
        assert_eq!(format(&program), program.source.text());
    }
}

/// A switch for one feature, and a piece of text that shows it.
type Feature = (fn(&mut Options) -> &mut bool, &'static str);

const FEATURES: &[Feature] = &[
    (|options| &mut options.shared_stacks, " shared "),
    (|options| &mut options.own_stacks, " own "),
    (|options| &mut options.recursion, "(n - 1"),
    (|options| &mut options.arrays, "["),
    (|options| &mut options.pointers, "&"),
    (|options| &mut options.exits, "exit"),
    (|options| &mut options.nested_resumes, "    while alive"),
    (|options| &mut options.scheduler, "run"),
    (|options| &mut options.mutexes, "unlock "),
    (|options| &mut options.events, "wait "),
    (|options| &mut options.channels, "recv "),
    (|options| &mut options.sleeps, "sleep "),
    (|options| &mut options.joins, "join "),
    (|options| &mut options.spawns, "spawn "),
    (|options| &mut options.fp, "fpmode "),
    (|options| &mut options.task_numbers, "self()"),
];

#[test]
fn leave_out_what_is_switched_off() {
    for (index, (switch, text)) in FEATURES.iter().enumerate() {
        // `&` and `while alive` also stand for something else.
        if ["&", "    while alive"].contains(text) {
            continue;
        }
        let mut options = without_requests();
        *switch(&mut options) = false;
        if index == 1 {
            options.nested_resumes = false;
        }
        for seed in 0..8 {
            let program = generate(seed, &options);
            assert!(!program.contains(text), "{text:?} in\n{program}");
            check(seed, &options);
        }
    }
}

#[test]
fn requests_need_all_that_they_are_about() {
    let asks = |options: &Options| (0..30).any(|seed| generate(seed, options).contains("group qg"));
    assert!(asks(&Options::default()));
    assert!(!asks(&without_requests()));
    let needed = [
        "run", "unlock ", "wait ", "recv ", "sleep ", "join ", "spawn ",
    ];
    for (switch, text) in FEATURES {
        let mut options = Options::default();
        *switch(&mut options) = false;
        assert_eq!(asks(&options), !needed.contains(text), "{text}");
    }
}

#[test]
fn use_every_statement_of_the_language() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..120 {
        program(seed, &Options::default()).for_each_stmt(|_, stmt| {
            let name = format!("{:?}", stmt.kind);
            let end = name.find(|c: char| !c.is_alphanumeric());
            let name = name[..end.unwrap_or(name.len())].to_owned();
            *seen.entry(name).or_default() += 1;
            // No `_`: a new statement has to be thought of here.
            match stmt.kind {
                StmtKind::Let { .. }
                | StmtKind::LetArray { .. }
                | StmtKind::Assign { .. }
                | StmtKind::If { .. }
                | StmtKind::While { .. }
                | StmtKind::Break
                | StmtKind::Continue
                | StmtKind::Return(_)
                | StmtKind::Call(_)
                | StmtKind::Recv(_)
                | StmtKind::Print(_)
                | StmtKind::Assert(_)
                | StmtKind::Yield
                | StmtKind::Exit
                | StmtKind::Sleep { .. }
                | StmtKind::Lock(_)
                | StmtKind::Unlock(_)
                | StmtKind::Wait(_)
                | StmtKind::Complete(_)
                | StmtKind::Send { .. }
                | StmtKind::Join(_)
                | StmtKind::Resume(_)
                | StmtKind::Start(_)
                | StmtKind::Run
                | StmtKind::Spawn { .. }
                | StmtKind::SetFpMode(_)
                | StmtKind::Request(_) => {}
            }
        });
    }
    assert_eq!(seen.len(), 27, "{seen:#?}");
}

#[test]
fn use_every_expression_of_the_language() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..120 {
        program(seed, &Options::default()).for_each_expr(|expr| {
            // No `_`: a new expression has to be thought of here.
            let name = match &expr.kind {
                ExprKind::Int(_) => "Int".to_owned(),
                ExprKind::Load(_) => "Load".to_owned(),
                ExprKind::Address(_) => "Address".to_owned(),
                ExprKind::Unary(op, _) => format!("{op:?}"),
                ExprKind::Binary(op, ..) => format!("{op:?}"),
                ExprKind::Logical(op, ..) => format!("{op:?}"),
                ExprKind::Call(_) => "Call".to_owned(),
                ExprKind::Request(_) => "Request".to_owned(),
                ExprKind::Recv(_) => "Recv".to_owned(),
                ExprKind::Alive(_) => "Alive".to_owned(),
                ExprKind::Now => "Now".to_owned(),
                ExprKind::SelfTask => "SelfTask".to_owned(),
                ExprKind::FpMode => "FpMode".to_owned(),
            };
            *seen.entry(name).or_default() += 1;
        });
    }
    // Ten kinds and the operators: two unary, sixteen binary, two logical.
    assert_eq!(seen.len(), 10 + 2 + 16 + 2, "{seen:#?}");
}

#[test]
fn ask_for_everything_and_wait_for_things_of_every_sort() {
    let (mut asked, mut selected) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..600 {
        let program = program(seed, &Options::default());
        let mut requests: Vec<Request> = Vec::new();
        program.for_each_stmt(|_, stmt| {
            if let StmtKind::Request(request) = &stmt.kind {
                requests.push(request.clone());
            }
        });
        program.for_each_expr(|expr| {
            if let ExprKind::Request(request) = &expr.kind {
                requests.push(request.clone());
            }
        });
        for request in requests {
            *asked.entry(request.service.name()).or_insert(0) += 1;
            if matches!(request.service, Service::Select | Service::SelectFor) {
                for subject in request.subjects {
                    let sort = format!("{subject:?}");
                    let sort = sort.split('(').next().unwrap_or_default().to_owned();
                    *selected.entry(sort).or_insert(0) += 1;
                }
            }
        }
    }
    let missing = Service::ALL
        .iter()
        .filter(|s| !asked.contains_key(s.name()));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:?} in {asked:#?}");
    assert_eq!(selected.len(), 7, "every sort of thing: {selected:#?}");
}
