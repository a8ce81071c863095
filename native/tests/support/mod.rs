//! Running a test of this program in a process of its own.

use std::process::{Command, Output};

/// Cargo's variable for what runs this target's programs where the system cannot do so itself.
const RUNNER: &str = if cfg!(target_arch = "aarch64") {
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"
} else if cfg!(target_arch = "x86") {
    "CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUNNER"
} else {
    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"
};

/// Runs the ignored test of this name and returns what it printed. Quietly, for otherwise its first
/// line follows its own name.
pub fn run_ignored(name: &str) -> Output {
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let program = std::env::args().next().expect("the program's own name");
    let mut words = runner.split_whitespace().chain([&*program]);
    Command::new(words.next().expect("the program at least"))
        .args(words)
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
