//! `costack trace`.

use std::io::Write as _;

use anyhow::{Context as _, Result, anyhow};
use costack_engine::trace::{self, Trace};

use crate::args::{self, TraceFormat};
use crate::input::Input;
use crate::show::{BAD, styled};
use crate::{Verdict, input};

/// Writes a trace.
pub(super) fn trace(args: &args::Trace) -> Result<Verdict> {
    let input = input::read(&args.file)?;
    let (trace, fault) = match input.is_trace() {
        true => {
            if let Some(argument) = args.how.given() {
                return Err(input.not_run_again(argument));
            }
            (read(&input)?, None)
        }
        false => {
            let run = super::run_input(&input, &args.how)?;
            let trace = Trace {
                header: run.header,
                records: run.records,
            };
            (trace, run.fault)
        }
    };
    let text = match args.format {
        TraceFormat::Jsonl => trace::write(&trace.header, &trace.records),
        TraceFormat::Perfetto => trace::perfetto(&trace.records),
    };
    match &args.output {
        Some(file) => std::fs::write(file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(match fault {
        None => Verdict::Good,
        Some(fault) => {
            anstream::eprintln!("{} {}: {fault}", styled(BAD, "fault:"), input.name);
            Verdict::Bad
        }
    })
}

/// Reads a trace.
pub(super) fn read(input: &Input) -> Result<Trace> {
    trace::read(input.text()?)
        .map_err(|mistake| anyhow!("{}:{}: {}", input.name, mistake.line, mistake.kind))
}
