//! What the tests share: the module, the program, files for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use assert_cmd::assert::{Assert, OutputAssertExt as _};
use costack_cli::host::{Host, Limits, VARIABLE};

/// The module, freshly built. `cargo xtask test` has built it already and says where it is.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        if let Some(file) = std::env::var_os(VARIABLE) {
            return file.into();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .current_dir(&root)
            .args(["run", "--quiet", "--package", "xtask", "--", "module"]);
        let built = build.output().expect("cargo starts");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "the module is not built: {said}");
        let said = String::from_utf8_lossy(&built.stdout).into_owned() + &said;
        let path = said
            .lines()
            .find_map(|line| Some(line.split_once("the module is ")?.1));
        path.unwrap_or_else(|| panic!("it says where: {said}"))
            .into()
    })
}

/// A place for what wasmtime compiles, so that nothing is left in the user's own.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// The module in wasmtime.
pub fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        let host = Host::open(module(), Limits::default());
        host.unwrap_or_else(|error| panic!("{error}"))
    })
}

/// The program with arguments.
pub fn costack(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_costack"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios"))
        .env("COSTACK_CACHE", cache())
        .env_remove(VARIABLE)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("NO_COLOR");
    command
}

/// The same where the module is needed.
pub fn costack_with_module(arguments: &[&str]) -> Command {
    let mut command = costack(arguments);
    command.env(VARIABLE, module());
    command
}

/// Runs, and checks the exit code and what standard output and standard error hold.
#[track_caller]
pub fn check(mut command: Command, code: i32, out: &str, err: &str) -> Assert {
    let done = command.assert().code(code);
    let (stdout, stderr) = said(&done);
    assert!(stdout.contains(out), "no {out:?} in\n{stdout}\n{stderr}");
    assert!(stderr.contains(err), "no {err:?} in\n{stderr}\n{stdout}");
    done
}

/// Standard output and standard error.
pub fn said(done: &Assert) -> (String, String) {
    let output = done.get_output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A file with this text in a folder that goes away with it.
pub fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

/// Tells what a run did, also when its test passes: the macros' output would be kept back.
pub fn tell(text: &str) {
    use std::io::Write as _;
    let written = std::io::stderr().write_all(text.as_bytes());
    written.expect("standard error can be written to");
}

/// A seed that is new each time, or the one that `COSTACK_SEED` names. It is printed.
pub fn seed() -> u64 {
    let named = std::env::var("COSTACK_SEED").ok();
    let seed = named.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as u64 % 1_000_000_007)
    });
    tell(&format!("COSTACK_SEED={seed} repeats this run\n"));
    seed
}
