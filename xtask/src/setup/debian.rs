//! Debian's packages.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    command::{capture, command, find, run_logged},
    context::Context,
    progress::say,
};

/// How long apt may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// Installs packages.
///
/// # Errors
/// Where there is no apt, the message says what to install by hand (`otherwise`); where the user is
/// not root, it is the command to run; where a package cannot be had, it is what apt said.
pub fn install(context: &Context, packages: &[&str], otherwise: &str) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("this is no Debian system, so it must be installed by hand: {otherwise}");
    }
    // apt with -y would remove what conflicts, such as gcc-multilib; that is the user's to decide.
    let arguments = ["install", "-y", "--no-install-recommends", "--no-remove"];
    let line = format!("apt-get {} {}", arguments.join(" "), packages.join(" "));
    if !is_root() {
        bail!(
            "it needs root. Run this, then the same cargo xtask command again:\n\n    sudo {line}\n"
        );
    }
    say(format!("$ {line}"));
    let log = context.log("apt");
    let apt = |arguments: &[&str], packages: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(arguments)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run_logged(&mut apt, "apt-get", &log, LIMIT)
    };
    let first = apt(&arguments, packages);
    if first.is_err() {
        // A new machine has no package list, or one whose packages are gone.
        say("$ apt-get update");
        apt(&["update"], &[]).context("the package list could not be had: check the network")?;
        apt(&arguments, packages).with_context(|| {
            format!("these packages could not be installed; what is needed is: {otherwise}")
        })?;
    }
    Ok(())
}

fn is_root() -> bool {
    capture(command("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// Whether packages that other steps rely on can be had here at all.
pub fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}
