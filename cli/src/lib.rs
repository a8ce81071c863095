//! The command line of Costack: runs scenarios on three backends and shows that they agree.
//!
//! - [`host`]: the simulator's wasm module in wasmtime, within limits that hold for a hostile one.
//! - [`backend`]: a scenario on the real CPU, in the simulator, or in the hosted simulator; one
//!   shape of result for all.
//! - [`agree`]: whether the backends agree about a scenario, and where they do not.
//! - [`args`], [`commands`]: the commands, one file each.
//! - [`input`], [`show`]: what is read, and how results look.
//!
//! Exit codes: 0; 1 for what a command found (a fault, a difference, a refuted obligation); 2 for
//! what it was given and cannot use.
// But for the measurement of `tune`, which needs two coroutines on one stack.
#![deny(unsafe_code)]

pub mod agree;
pub mod args;
pub mod backend;
pub mod commands;
pub mod host;
pub mod input;
pub mod show;

use std::process::ExitCode;

/// What a command found, once it has run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing to complain about.
    Good,
    /// A fault in the program, a difference between backends, a refuted obligation.
    Bad,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Good => ExitCode::SUCCESS,
            Verdict::Bad => ExitCode::from(1),
        }
    }
}
