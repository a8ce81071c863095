//! The program `costack`.

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use costack_cli::args::Costack;
use costack_cli::{commands, show};

fn main() -> ExitCode {
    // Usage errors end with 2 here already.
    let args = Costack::parse();
    match commands::dispatch(args.command) {
        Ok(verdict) => verdict.into(),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            show::error(&error);
            ExitCode::from(2)
        }
    }
}

/// Whoever reads the output, such as `head`, has seen enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
