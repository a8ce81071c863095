//! Debian's packages.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    command::{capture, command, find, run_logged},
    context::Context,
    progress::say,
};

/// With -y alone apt would also remove what conflicts, such as gcc-multilib; that is the user's to decide.
const ARGUMENTS: [&str; 4] = ["install", "-y", "--no-install-recommends", "--no-remove"];

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
    check_right_to_install(packages)?;
    say(format!("$ {}", line(packages)));
    let log = context.log("apt");
    let apt = |arguments: &[&str], packages: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(arguments)
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run_logged(&mut apt, "apt-get", &log, LIMIT)
    };
    let first = apt(&ARGUMENTS, packages);
    if first.is_err() {
        // A new machine has no package list, or one whose packages are gone.
        say("$ apt-get update");
        apt(&["update"], &[]).context("the package list could not be had: check the network")?;
        apt(&ARGUMENTS, packages).with_context(|| {
            format!("these packages could not be installed; what is needed is: {otherwise}")
        })?;
    }
    Ok(())
}

/// The command that installs packages, as one types it.
fn line(packages: &[&str]) -> String {
    format!("apt-get {} {}", ARGUMENTS.join(" "), packages.join(" "))
}

/// Makes sure that the user may install packages where there are some to install.
///
/// # Errors
/// When the user is not root; the message is the one command that installs all of them.
pub fn check_right_to_install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() || find("apt-get").is_none() || is_root() {
        return Ok(());
    }
    bail!(
        "installing packages needs root. Run this, then the same cargo xtask command again:\n\n    \
         sudo {}\n",
        line(packages)
    )
}

fn is_root() -> bool {
    capture(command("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// Whether packages that other steps rely on can be had here at all.
pub fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}
