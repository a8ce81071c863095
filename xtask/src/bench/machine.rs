//! What measured: the machine, the compiler, the commit. What cannot be found out is left empty.

use std::{fs, path::Path};

use costack_bench_schema::Machine;

use crate::command::{capture, command};

/// This machine.
pub fn machine() -> Machine {
    Machine {
        cpu: cpu().unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        kernel: capture(command("uname").arg("-r")).unwrap_or_default(),
    }
}

/// The compiler that builds in this folder.
pub fn rustc(root: &Path) -> String {
    capture(command("rustc").arg("--version").current_dir(root)).unwrap_or_default()
}

/// The commit of the work tree.
pub fn commit(root: &Path) -> String {
    let mut git = command("git");
    git.args([
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty",
        "--exclude=*",
    ])
    .current_dir(root);
    capture(&mut git).unwrap_or_default()
}

fn cpu() -> Option<String> {
    if cfg!(target_os = "macos") {
        return capture(command("sysctl").args(["-n", "machdep.cpu.brand_string"])).ok();
    }
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    model_in(&text).map(str::to_owned)
}

fn model_in(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::model_in;

    #[test]
    fn reads_the_processor_model() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu\n";
        assert_eq!(model_in(text), Some("Some CPU @ 2.00GHz"));
        assert_eq!(model_in("processor\t: 0\n"), None);
    }
}
