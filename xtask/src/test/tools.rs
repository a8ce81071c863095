//! The library under the tools that it knows of, and without some of its features: programs of
//! `costack-probes`, of which one does nothing wrong and others do one thing wrong each, and a test.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::part::cargo;
use crate::{
    command::{command, run_aloud, shown, succeeds},
    context::Context,
    progress::say,
};

/// What memcheck's exit code is when it has found something.
const FOUND: &str = "9";

/// Runs all of it.
pub fn run(context: &Context) -> Result<()> {
    without_unwind(context)?;
    valgrind(context)?;
    sanitizer(context)
}

fn without_unwind(context: &Context) -> Result<()> {
    let mut run = cargo(context);
    run_aloud(run.args([
        "run",
        "--package",
        "costack-probes",
        "--bin",
        "without_unwind",
    ]))
}

fn build(
    context: &Context,
    mut cargo: Command,
    features: &str,
    target: Option<&str>,
) -> Result<()> {
    cargo.current_dir(&context.root);
    cargo.args(["build", "--package", "costack-probes", "--bin", "memory"]);
    cargo.args(["--features", features, "--target-dir"]);
    cargo.arg(context.target.join("tools"));
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    run_aloud(&mut cargo)
}

fn valgrind(context: &Context) -> Result<()> {
    build(context, cargo(context), "unwind,valgrind", None)?;
    let program = context.target.join("tools/debug/memory");
    let memcheck = |word: &str| {
        let mut run = command("valgrind");
        run.arg(format!("--error-exitcode={FOUND}"));
        run.arg(&program).arg(word);
        run
    };
    nothing_found(memcheck("clean"), "ERROR SUMMARY: 0 errors")?;
    found(memcheck("uninitialised"), "depends on uninitialised value")?;
    dropped_runtimes(context)
}

/// The test that drops runtimes with tasks in every state, under memcheck: nothing of them is lost, and
/// no destructor touches what is gone.
fn dropped_runtimes(context: &Context) -> Result<()> {
    let mut test = cargo(context);
    test.env(
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
        // What the test's harness itself keeps to the end is reachable, not lost.
        format!(
            "valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect \
             --errors-for-leak-kinds=definite,indirect --error-exitcode={FOUND}"
        ),
    );
    test.args(["test", "--package", "costack", "--features", "valgrind"]);
    test.args(["--test", "runtime_leaks", "--target-dir"]);
    run_aloud(test.arg(context.target.join("tools")))
}

/// The target of the sanitizer's programs.
const HOST: &str = "x86_64-unknown-linux-gnu";

fn sanitizer(context: &Context) -> Result<()> {
    let nightly = || {
        let mut nightly = command("rustup");
        nightly.args(["run", "nightly", "cargo"]);
        nightly.env("RUSTFLAGS", "-Zsanitizer=address");
        nightly
    };
    let mut version = command("rustup");
    if !succeeds(version.args(["run", "nightly", "cargo", "--version"])) {
        let reason = "AddressSanitizer needs a nightly compiler: rustup toolchain install nightly";
        if std::env::var_os("CI").is_some() {
            bail!("{reason}");
        }
        say(format!("skipped: {reason}"));
        return Ok(());
    }
    build(context, nightly(), "unwind,sanitizer", Some(HOST))?;
    let program = context.target.join("tools").join(HOST).join("debug/memory");
    let sanitized = |word: &str| sanitized(&program, word);
    nothing_found(sanitized("clean"), "clean: at the end")?;
    for word in ["overrun-own", "overrun-shared"] {
        found(sanitized(word), "AddressSanitizer: stack-buffer-overflow")?;
    }
    // Tasks, which switch in ways of their own.
    let mut test = nightly();
    test.current_dir(&context.root);
    test.args(["test", "--package", "costack", "--features", "sanitizer"]);
    test.args(["--test", "runtime_ends", "--target", HOST, "--target-dir"]);
    run_aloud(test.arg(context.target.join("tools")))
}

fn sanitized(program: &Path, word: &str) -> Command {
    let mut run = command(program);
    run.arg(word);
    run
}

/// Runs a program; tells whether it succeeded and what it said.
fn outcome(run: &mut Command) -> Result<(bool, String)> {
    say(shown(run));
    let output = run
        .output()
        .with_context(|| format!("could not start: {}", shown(run)))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), text))
}

fn nothing_found(mut run: Command, says: &str) -> Result<()> {
    match outcome(&mut run)? {
        (true, text) if text.contains(says) => Ok(()),
        (_, text) => bail!("it was to say `{says}` and nothing else: {text}"),
    }
}

fn found(mut run: Command, says: &str) -> Result<()> {
    match outcome(&mut run)? {
        (false, text) if text.contains(says) => Ok(()),
        (_, text) => bail!("the tool was to fire with `{says}`: {text}"),
    }
}
