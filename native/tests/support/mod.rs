//! Running a test of this program in a process of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Cargo's variable for what runs this target's programs where the system cannot do so itself.
const RUNNER: &str = if cfg!(target_arch = "aarch64") {
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"
} else if cfg!(target_arch = "x86") {
    "CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUNNER"
} else {
    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"
};

/// A command that runs a program of this target.
#[allow(dead_code, reason = "not all run another program")]
pub fn command(program: &Path) -> Command {
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsStr::new);
    match words.next() {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.args(words).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Runs the ignored test of this name and returns what it printed. Quietly, for otherwise its first
/// line follows its own name.
#[allow(dead_code, reason = "not all run themselves again")]
pub fn run_ignored(name: &str) -> Output {
    let program = std::env::args_os().next().expect("the program's own name");
    command(Path::new(&program))
        .args([
            "--exact",
            name,
            "--ignored",
            "--nocapture",
            "--quiet",
            "--test-threads=1",
        ])
        .output()
        .expect("this program runs")
}
