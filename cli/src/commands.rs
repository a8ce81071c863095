//! The commands.

mod bench_report;
mod check;
mod compare;
mod examples;
mod prove;
mod run;
mod trace;
mod tune;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use clap::CommandFactory as _;
use costack::scenario::Clock;
use costack_lang::syntax::Program;

use crate::args::{Command, Completions, Costack, How};
use crate::backend::{self, Module};
use crate::input::{Input, Rendered};
use crate::{Verdict, show};

/// Runs a command.
///
/// # Errors
/// What it was given and cannot use.
pub fn dispatch(command: Command) -> Result<Verdict> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Trace(args) => trace::trace(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Prove(args) => prove::prove(&args),
        Command::Tune(args) => tune::tune(&args),
        Command::Check(args) => check::check(&args),
        Command::Examples(args) => examples::examples(&args),
        Command::BenchReport(args) => bench_report::bench_report(&args),
        Command::Completions(args) => completions(&args),
    }
}

fn completions(args: &Completions) -> Result<Verdict> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Costack::command(), "costack", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Verdict::Good)
}

/// Reads a scenario and runs it as the arguments say.
fn run_input(input: &Input, how: &How) -> Result<backend::Run> {
    let isa = how.isa()?;
    let program = input.scenario(isa)?;
    let module = Module::new(how.module.module.clone());
    let how = backend::How {
        backend: how.backend(),
        isa,
        steps: how.steps.unwrap_or(0),
        clock: Clock::Real,
        trust_pointers: how.trust_pointers,
    };
    run_as(&program, &how, &module)
}

fn run_as(program: &Arc<Program>, how: &backend::How, module: &Module) -> Result<backend::Run> {
    let what = format!("{} on {}", program.source.file(), how.backend.name());
    let run = show::working(&what, || backend::run(program, how, module));
    run.map_err(|refused| refused_in(program, refused))
}

/// Tells what is wrong with one of several files.
fn tell(error: &anyhow::Error) {
    show::error(error);
    if error.is::<Rendered>() {
        // The last line of a place in a text is apart from what follows.
        anstream::eprintln!();
    }
}

/// Refuses, at the end, files of which some were wrong; what is wrong with each was said.
fn all_used(wrong: usize, files: usize) -> Result<()> {
    match wrong {
        0 => Ok(()),
        _ => Err(anyhow::anyhow!("{wrong} of {files} files cannot be used")),
    }
}

/// A refusal, with the file it is about. Rendered mistakes name it themselves.
fn refused_in(program: &Program, refused: backend::Refused) -> anyhow::Error {
    match refused {
        backend::Refused::Unfit(_) | backend::Refused::Simulator(_) => {
            anyhow::anyhow!("{}: {refused}", program.source.file())
        }
        other => other.into(),
    }
}
