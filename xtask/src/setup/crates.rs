//! The crates of Cargo.lock.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Step;
use crate::{
    command::{command, run, succeeds},
    context::Context,
};

/// Downloads the crates of every target, so that later builds need no network.
pub struct Crates;

impl Step for Crates {
    fn name(&self) -> String {
        "crates of Cargo.lock".into()
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(15)
    }

    fn is_done(&self, context: &Context) -> bool {
        // Offline, cargo describes the dependencies only when all of them are there.
        let mut metadata = command("cargo");
        metadata
            .args(["metadata", "--offline", "--format-version=1"])
            .current_dir(&context.root);
        succeeds(&mut metadata)
    }

    fn perform(&self, context: &Context) -> Result<()> {
        let mut fetch = command("cargo");
        fetch.arg("fetch").current_dir(&context.root);
        run(&mut fetch)
            .context("the crates could not be downloaded: check the network, run it again")
    }
}
