//! Chromium, and the program that controls it for tests.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use super::{Step, debian};
use crate::{
    command::{command, find, succeeds},
    context::Context,
};

/// Chromium with its driver.
pub struct Browser;

/// The driver: what CHROMEDRIVER names, else the one on PATH.
pub fn driver() -> Option<PathBuf> {
    std::env::var_os("CHROMEDRIVER")
        .map(PathBuf::from)
        .or_else(|| find("chromedriver"))
}

/// The browser itself.
pub fn program() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|program| find(program))
}

impl Step for Browser {
    fn name(&self) -> String {
        "Chromium and its driver".into()
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(40)
    }

    fn is_done(&self, _: &Context) -> bool {
        // The browser itself takes a second to tell its version, so only its driver is tried.
        program().is_some()
            && driver().is_some_and(|driver| succeeds(command(driver).arg("--version")))
    }

    fn packages(&self) -> &'static [&'static str] {
        &["chromium", "chromium-driver"]
    }

    fn perform(&self, context: &Context) -> Result<()> {
        debian::install(
            context,
            self.packages(),
            "Chromium or Chrome, and the chromedriver of the same version on PATH",
        )
    }
}
