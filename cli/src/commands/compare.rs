//! `costack compare`.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use costack_lang::generate;
use costack_lang::syntax::Program;
use costack_sim::program::Isa;

use crate::agree::{Comparer, Finding};
use crate::backend::{HOST_ISA, Module, Refused};
use crate::host::{Host, HostError};
use crate::show::{self, BAD, DIM, GOOD, styled, thousands};
use crate::{Verdict, args, input};

/// Compares files, or random scenarios.
pub(super) fn compare(args: &args::Compare) -> Result<Verdict> {
    let module = Module::new(args.module.module.clone());
    let host = show::working("compiling the module", || module.host())?;
    let isas: Vec<Isa> = match args.isa.is_empty() {
        true => Isa::ALL.to_vec(),
        false => args.isa.iter().map(|isa| (*isa).into()).collect(),
    };
    match args.random {
        Some(count) => random(host, &isas, count, args.seed, args.quiet),
        None => files(host, &isas, &args.files, args.quiet),
    }
}

fn files(host: &Host, isas: &[Isa], files: &[String], quiet: bool) -> Result<Verdict> {
    let mut comparer = Comparer::new(host, isas.to_vec())?;
    let mut verdict = Verdict::Good;
    let mut wrong = 0;
    let mut compare = |file: &str| -> Result<(String, bool)> {
        let program = input::read(file)?.scenario(HOST_ISA)?;
        let name = program.source.file().to_owned();
        let finding = show::working(&name, || comparer.compare(&program));
        let finding = finding.map_err(|refused| super::refused_in(&program, refused))?;
        Ok(told(&name, &finding))
    };
    for file in files {
        let (text, agrees) = match compare(file) {
            Ok(told) => told,
            Err(error) => {
                wrong += 1;
                super::tell(&error);
                continue;
            }
        };
        if !agrees {
            verdict = Verdict::Bad;
        }
        if !(agrees && quiet) {
            write!(anstream::stdout(), "{text}")?;
        }
    }
    super::all_used(wrong, files.len()).map(|()| verdict)
}

/// One line about a scenario, and the difference; and whether all agree.
fn told(name: &str, finding: &Finding) -> (String, bool) {
    match finding {
        Finding::Agree {
            records,
            fault,
            without_native,
        } => {
            let records = show::count(*records as u64, "record");
            let mut line = format!("{} {name}: {records}", styled(GOOD, "agree"));
            if let Some(fault) = fault {
                line += &format!(", then the fault: {fault}");
            }
            if let Some(why) = without_native {
                line += &styled(DIM, format!(" (not run on native: {why})"));
            }
            (line + "\n", true)
        }
        Finding::Differ(difference) => {
            let line = format!(
                "{} {name}: - {} and + {} differ\n{}",
                styled(BAD, "DIFFER"),
                difference.one,
                difference.other,
                difference.context
            );
            (line, false)
        }
    }
}

/// Scenarios that a thread takes at once, and that are then told in order.
const BATCH: u64 = 32;

/// What came of one random scenario.
struct Outcome {
    text: String,
    agrees: bool,
}

fn random(
    host: &Host,
    isas: &[Isa],
    count: u64,
    seed: Option<u64>,
    quiet: bool,
) -> Result<Verdict> {
    let first = seed.unwrap_or_else(new_seed);
    writeln!(
        anstream::stdout(),
        "seed {first}: `costack compare --random {count} --seed {first}` repeats this"
    )?;
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut differ = 0;
    let mut failed = None;
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            let worker = move || {
                let mut comparer = match Comparer::new(host, isas.to_vec()) {
                    Ok(comparer) => comparer,
                    Err(error) => {
                        let _ = sender.send((0, Err(error.into())));
                        return;
                    }
                };
                loop {
                    let start = next.fetch_add(BATCH, Ordering::Relaxed);
                    if start >= count {
                        return;
                    }
                    let batch = (start..count.min(start + BATCH))
                        .map(|index| one(&mut comparer, first.wrapping_add(index)))
                        .collect::<Result<Vec<_>>>();
                    let is_error = batch.is_err();
                    // Nobody listens any more after another thread's error.
                    if sender.send((start, batch)).is_err() || is_error {
                        return;
                    }
                }
            };
            // The walk of a scenario's main on native may take a MiB of its caller's stack.
            let builder = std::thread::Builder::new().stack_size(16 << 20);
            builder.spawn_scoped(scope, worker)?;
        }
        drop(sender);
        let bar = show::progress(count, "scenarios");
        let mut out = show::out();
        let mut early = std::collections::BTreeMap::new();
        let mut due = 0;
        for (start, batch) in receiver {
            early.insert(
                start,
                batch.inspect_err(|_| next.store(count, Ordering::Relaxed)),
            );
            while let Some(batch) = early.remove(&due) {
                match batch {
                    Ok(batch) => {
                        show::advance(&bar, batch.len() as u64);
                        for outcome in batch {
                            differ += u64::from(!outcome.agrees);
                            if !(outcome.agrees && quiet) {
                                out.write_all(outcome.text.as_bytes())?;
                            }
                        }
                    }
                    Err(error) => failed = Some(error),
                }
                due += BATCH;
            }
        }
        let left = early.into_values().find_map(Result::err);
        failed = failed.take().or(left);
        out.flush()?;
        bar.finish_and_clear();
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let names: Vec<&str> = isas.iter().map(|isa| isa.name()).collect();
    let took = show::time(started.elapsed().as_nanos() as f64);
    let on = format!(
        "on sim and wasm ({}) and native, in {took}",
        names.join(", ")
    );
    match differ {
        0 => {
            let count = show::count(count, "scenario");
            writeln!(
                anstream::stdout(),
                "{} all {count} {on}",
                styled(GOOD, "agree")
            )?;
            Ok(Verdict::Good)
        }
        _ => {
            let (differ, count) = (thousands(differ), thousands(count));
            writeln!(
                anstream::stdout(),
                "{} {differ} of {count} scenarios {on}",
                styled(BAD, "DIFFER")
            )?;
            Ok(Verdict::Bad)
        }
    }
}

/// Generates the scenario of a seed and compares it. One that differs is told with its text.
fn one(comparer: &mut Comparer<'_>, seed: u64) -> Result<Outcome> {
    let text = generate::draft(seed, &generate::Options::default());
    let name = format!("seed {seed}");
    let program: Program = costack_lang::parse(&name, &text)
        .map_err(|mistakes| anyhow!("the generator wrote a program with mistakes:\n{mistakes}"))?;
    let finding = match comparer.compare(&Arc::new(program)) {
        Ok(finding) => finding,
        // Stopped within its limits, so it is about this scenario alone.
        Err(Refused::Host(error @ (HostError::Trap { .. } | HostError::OutOfFuel { .. }))) => {
            let text = format!("{} {name}: wasm: {error}\n{text}\n", styled(BAD, "DIFFER"));
            return Ok(Outcome {
                text,
                agrees: false,
            });
        }
        Err(refused) => return Err(anyhow!("{name}: {refused}")),
    };
    let (mut told, agrees) = told(&name, &finding);
    if !agrees {
        told += &format!("The scenario (`costack compare --random 1 --seed {seed}`):\n{text}\n");
    }
    Ok(Outcome { text: told, agrees })
}

fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Short enough to be typed.
    now.map_or(0, |now| now.as_nanos() as u64 % 1_000_000_007)
}
