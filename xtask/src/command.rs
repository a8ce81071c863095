//! Running other programs.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::progress::{Heartbeat, say};

/// A command in the environment that the user called `cargo xtask` in.
///
/// `cargo run` adds variables about this very package. Handed on, they would rebuild crates that read
/// them and lead a system compiler to the libraries of rustup's, so they are taken out.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, value) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let of_cargo_run = text == "CARGO"
            || text == "OUT_DIR"
            || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
                .iter()
                .any(|p| text.starts_with(p));
        if of_cargo_run {
            command.env_remove(&name);
        } else if text == "LD_LIBRARY_PATH" {
            let kept = std::env::split_paths(&value).filter(|path| !is_of_a_toolchain(path));
            match std::env::join_paths(kept) {
                Ok(kept) if !kept.is_empty() => command.env(&name, kept),
                _ => command.env_remove(&name),
            };
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Whether `cargo run` put this folder on the library path: a build folder's or a toolchain's.
fn is_of_a_toolchain(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "toolchains" || part.as_os_str() == "debug")
}

/// The command as one would type it, its own environment in front.
pub fn shown(command: &Command) -> String {
    let quoted = |text: &OsStr| {
        let text = text.to_string_lossy();
        if text.is_empty() || text.contains([' ', '$', '"', '\'', '*', '&']) {
            format!("'{text}'")
        } else {
            text.into_owned()
        }
    };
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        // PATH is long and says little.
        if let (Some(value), false) = (value, name == "PATH") {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(value)));
        }
    }
    words.push(quoted(command.get_program()));
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

/// Runs a command whose output goes straight to the user.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("this command failed ({status}): {}", shown(command));
    }
    Ok(())
}

/// Runs a command whose output goes straight to the user, and tells how it ended.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("could not start: {}", shown(command)))
}

/// Runs a command that talks much and matters little: its output goes to `log`, a sign of life to the
/// user, and the log's last lines into the error. It is ended when it takes longer than `limit`.
pub fn run_logged(command: &mut Command, what: &str, log: &Path, limit: Duration) -> Result<()> {
    let parent = log.parent().context("a log needs a folder")?;
    std::fs::create_dir_all(parent)
        .with_context(|| format!("could not make {}", parent.display()))?;
    let file = File::create(log).with_context(|| format!("could not write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    let heartbeat = Heartbeat::start(what, Duration::from_secs(15));
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start: {}", shown(command)))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!(
                "no end after {}: {}",
                crate::progress::spoken(limit),
                shown(command)
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(heartbeat);
    if status.success() {
        return Ok(());
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n    ");
    bail!(
        "this command failed ({status}): {}\n    {tail}\n  (all of its output: {})",
        shown(command),
        log.display()
    );
}

/// Runs a command and returns what it printed, trimmed.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("could not start: {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "this command failed ({}): {}\n{}",
            output.status,
            shown(command),
            said.trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a command starts and succeeds. It runs silently.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first program of this name on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Says which command is about to run, then runs it.
pub fn run_aloud(command: &mut Command) -> Result<()> {
    say(format!("$ {}", shown(command)));
    run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_typed() {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "a b"]).env("RUSTFLAGS", "-D warnings");
        assert_eq!(shown(&cargo), "RUSTFLAGS='-D warnings' cargo test 'a b'");
    }

    #[test]
    fn reports_the_last_lines_of_a_failed_command() {
        let log = std::env::temp_dir().join(format!("costack-xtask-{}.log", std::process::id()));
        let mut failing = command("sh");
        failing.args(["-c", "echo the reason; exit 3"]);
        let error = run_logged(&mut failing, "failing", &log, Duration::from_secs(5)).unwrap_err();
        let _ = std::fs::remove_file(&log);
        assert!(error.to_string().contains("the reason"), "{error}");
    }

    #[test]
    fn ends_a_command_that_takes_too_long() {
        let log =
            std::env::temp_dir().join(format!("costack-xtask-slow-{}.log", std::process::id()));
        let mut slow = command("sleep");
        slow.arg("30");
        let error = run_logged(&mut slow, "slow", &log, Duration::from_millis(100)).unwrap_err();
        let _ = std::fs::remove_file(&log);
        assert!(error.to_string().contains("no end after"), "{error}");
    }
}
