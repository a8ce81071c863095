//! Set-up, serving, testing and benching of Costack.
//!
//! `cargo xtask --help` lists the commands. The code map:
//!
//! - [`setup`]: what must be installed, one small type per step, each checked by trying;
//! - [`page`] and [`serve`]: building the explorer with Trunk, and serving it;
//! - [`module`]: building the simulator's wasm module;
//! - [`mod@test`]: the parts of the test suite and what each needs;
//! - [`speed`]: measuring the simulator, natively and in a browser;
//! - [`install`]: the C library, as `make install` would do it;
//! - [`mod@bench`]: running the benches, and gathering their results into one file;
//! - [`context`], [`command`], [`progress`]: where things are, running programs, telling what goes on.
//!
//! Invariants: nothing here assumes that a tool is on PATH before a step has made sure of it; an
//! installation that was interrupted never looks complete; no process is ended that was not started
//! here.

mod bench;
mod command;
mod context;
mod flags;
mod install;
mod module;
mod page;
mod progress;
mod serve;
mod setup;
mod speed;
mod test;

use std::process::ExitCode;

use anyhow::Result;

use crate::{context::Context, flags::XtaskCmd};

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    match dispatch(flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` means that it ran and what it checked does not hold.
fn dispatch(flags: flags::Xtask) -> Result<bool> {
    if let XtaskCmd::Announce(flags) = &flags.subcommand {
        serve::announce(flags);
        return Ok(true);
    }
    let mut context = Context::new()?;
    match flags.subcommand {
        XtaskCmd::Serve(flags) => {
            context.offline = flags.offline;
            serve::serve(&context, &flags).map(|()| true)
        }
        XtaskCmd::Test(flags) => {
            context.offline = flags.offline;
            test::test(&context, &flags)
        }
        XtaskCmd::Module(flags) => {
            context.offline = flags.offline;
            module::prepare_and_build(&context).map(|()| true)
        }
        XtaskCmd::Setup(_) => setup::everything(&context).map(|()| true),
        XtaskCmd::Bench(flags) => bench::bench(&context, &flags).map(|()| true),
        XtaskCmd::Speed(_) => speed::speed(&context).map(|()| true),
        XtaskCmd::InstallCapi(flags) => install::install_capi(&context, &flags).map(|()| true),
        XtaskCmd::Gather(flags) => bench::gather_to(&context, &flags.to).map(|()| true),
        XtaskCmd::Announce(_) => unreachable!("it was run above, without a context"),
    }
}
