//! Packages from npm, each in a folder of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{Step, install};
use crate::{
    command::{command, find, run_logged},
    context::Context,
};

/// Where a package of this version is installed.
pub fn folder(context: &Context, package: &str, version: &str) -> PathBuf {
    context.tools.join(format!("{package}-{version}"))
}

/// Installs a package.
///
/// # Errors
/// When there is no npm, or it fails.
pub fn install_package(context: &Context, package: &str, version: &str) -> Result<()> {
    if find("npm").is_none() {
        bail!("there is no npm");
    }
    install(context, &folder(context, package, version), |folder| {
        // Without a package.json of its own npm would look for one further up.
        std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
        let mut npm = command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save"]);
        npm.arg(format!("{package}@{version}")).current_dir(folder);
        let log = context.log(package);
        run_logged(&mut npm, "npm", &log, Duration::from_secs(300))
            .context("npm could not install it")
    })
}

/// axe-core, which looks at a page for what keeps people out.
pub struct Axe;

impl Axe {
    const VERSION: &str = "4.14.1";

    /// The script that goes into the page.
    pub fn script(context: &Context) -> PathBuf {
        folder(context, "axe-core", Self::VERSION)
            .join(Path::new("node_modules/axe-core/axe.min.js"))
    }
}

impl Step for Axe {
    fn name(&self) -> String {
        format!("axe-core {}", Self::VERSION)
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn is_done(&self, context: &Context) -> bool {
        Self::script(context).is_file()
    }

    fn perform(&self, context: &Context) -> Result<()> {
        install_package(context, "axe-core", Self::VERSION)
    }

    fn excuse(&self) -> Option<&'static str> {
        Some("the tests of accessibility are reported as ignored")
    }
}
