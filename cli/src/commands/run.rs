//! `costack run`.

use std::io::Write as _;

use anyhow::Result;

use crate::args;
use crate::backend::{Backend, Run};
use crate::show::{BAD, DIM, bytes, count, count_as, out, styled};
use crate::{Verdict, input};

/// Prints what the scenario prints, then a summary on standard error.
pub(super) fn run(args: &args::Run) -> Result<Verdict> {
    let input = input::read(&args.file)?;
    let run = super::run_input(&input, &args.how)?;
    let mut out = out();
    for line in run.output() {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    drop(out);
    summarise(&input.name, args.how.backend(), &run);
    Ok(match run.fault {
        None => Verdict::Good,
        Some(_) => Verdict::Bad,
    })
}

fn summarise(name: &str, backend: Backend, run: &Run) {
    if let Some(fault) = &run.fault {
        let place = match fault.line {
            0 => name.to_owned(),
            line => format!("{name}:{line}"),
        };
        anstream::eprintln!("{} {place}: {fault}", styled(BAD, "fault:"));
        if let Some((instruction, function)) = &fault.instruction
            && !instruction.is_empty()
        {
            anstream::eprintln!("       at `{instruction}` in {function}");
        }
    }
    let summary = run.summary();
    let made = match backend {
        Backend::Native => format!("{} on the real CPU", count(run.steps, "statement")),
        _ => {
            let isa = run.header.isa.as_deref().unwrap_or("");
            format!("{} on {isa}", count(run.steps, "step"))
        }
    };
    let line = format!(
        "{}: {made}; {}, {}, {} copied, largest image {}, {}",
        backend.name(),
        count_as(summary.switches, "switch", "switches"),
        count(summary.evictions, "eviction"),
        bytes(summary.copied_bytes),
        bytes(summary.largest_image.into()),
        count(summary.faults.into(), "fault"),
    );
    anstream::eprintln!("{}", styled(DIM, line));
}
