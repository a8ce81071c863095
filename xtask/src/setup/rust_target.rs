//! Rust's standard library for other targets than the host.
//!
//! rustup has it for everyone who reaches its server. Where that fails, a Debian system has the
//! source of the standard library among its packages, and a sysroot is built from it
//! ([`super::sysroot`]). Which of the two it is gets found out by trying, in this order: what the
//! user's own compiler has, what was built before, `rustup target add`, a new sysroot.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::{Isa, Step, debian, sysroot};
use crate::{
    command::{command, find, run_logged, succeeds},
    context::Context,
    progress::say,
};

/// Set to `sysroot`, it skips rustup, to try the other way on a machine where rustup works.
const CHOICE: &str = "COSTACK_TARGETS";

/// How long `rustup target add` may take before the other way is taken.
const LIMIT: Duration = Duration::from_secs(240);

/// One target.
#[derive(Clone, Copy)]
pub struct RustTarget {
    triple: &'static str,
    has_std: bool,
}

/// The compiler that has a target.
pub enum Compiler {
    /// The one that `cargo` runs anyhow.
    Usual,
    /// The system's, with the sysroot at this place.
    Sysroot(PathBuf),
}

impl RustTarget {
    /// The page's.
    pub fn wasm() -> Self {
        Self {
            triple: "wasm32-unknown-unknown",
            has_std: true,
        }
    }

    /// The one of another architecture's Linux.
    pub fn linux(isa: Isa) -> Self {
        Self {
            triple: isa.linux_target(),
            has_std: true,
        }
    }

    /// Those without an operating system.
    pub fn bare() -> [Self; 2] {
        ["x86_64-unknown-none", "aarch64-unknown-none"].map(|triple| Self {
            triple,
            has_std: false,
        })
    }

    /// Its name.
    pub fn triple(self) -> &'static str {
        self.triple
    }

    /// The compiler that has it; `None` where none does.
    pub fn compiler(self, context: &Context) -> Option<Compiler> {
        if !skips_rustup() && self.compiles_with(command("rustc")) {
            return Some(Compiler::Usual);
        }
        let sysroot = sysroot::folder(context)?;
        let works = self.compiles_with(command(sysroot.join("bin/rustc")))
            && sysroot::linker(&sysroot).exists();
        works.then_some(Compiler::Sysroot(sysroot))
    }

    /// Whether an empty library compiles, which it does only with the target's library there.
    fn compiles_with(self, mut rustc: Command) -> bool {
        let folder = std::env::temp_dir().join(format!("costack-probe-{}", std::process::id()));
        if std::fs::create_dir_all(&folder).is_err() {
            return false;
        }
        let source = folder.join("probe.rs");
        let text = if self.has_std {
            ""
        } else {
            "#![no_std] extern crate alloc;"
        };
        let compiles = std::fs::write(&source, text).is_ok()
            && succeeds(
                rustc
                    .args([
                        "--crate-type=lib",
                        "--emit=metadata",
                        "--target",
                        self.triple,
                    ])
                    .arg("--out-dir")
                    .arg(&folder)
                    .arg(&source),
            );
        let _ = std::fs::remove_dir_all(&folder);
        compiles
    }

    fn add_with_rustup(self, context: &Context) -> Result<()> {
        let mut rustup = command("rustup");
        rustup.args(["target", "add", self.triple]);
        run_logged(&mut rustup, "rustup", &context.log("rustup"), LIMIT)
    }
}

fn skips_rustup() -> bool {
    std::env::var_os(CHOICE).is_some_and(|choice| choice == "sysroot")
}

impl Step for RustTarget {
    fn name(&self) -> String {
        format!("Rust's library for {}", self.triple)
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn is_done(&self, context: &Context) -> bool {
        self.compiler(context).is_some()
    }

    fn perform(&self, context: &Context) -> Result<()> {
        let reason = if skips_rustup() {
            format!("{CHOICE}=sysroot is set")
        } else if find("rustup").is_none() {
            "there is no rustup".to_owned()
        } else {
            say(format!("$ rustup target add {}", self.triple));
            match self.add_with_rustup(context) {
                Ok(()) => return Ok(()),
                Err(error) => last_line(&format!("{error:#}")),
            }
        };
        say(format!(
            "rustup does not give it ({reason}): taking the system's source instead"
        ));
        if !debian::is_debian() {
            anyhow::bail!(
                "this is no Debian system, where it could be built from the system's source: check \
                 the network and run `rustup target add {}`",
                self.triple
            );
        }
        sysroot::add(context, self.triple, self.has_std).with_context(|| {
            format!(
                "neither rustup nor the system's compiler gives {}",
                self.triple
            )
        })
    }
}

/// The last line in which a program says what went wrong, as far as it fits into one of ours.
fn last_line(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = lines().rfind(|line| line.starts_with("error"));
    let line = said.or_else(|| lines().next_back()).unwrap_or("it failed");
    match line.char_indices().nth(90) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

impl Compiler {
    /// Lets a command that runs cargo use this compiler; `folders` come before the rest of PATH.
    ///
    /// # Errors
    /// When PATH cannot be put together.
    pub fn apply(
        &self,
        cargo: &mut Command,
        context: &Context,
        folders: Vec<PathBuf>,
    ) -> Result<()> {
        let mut path = folders;
        if let Self::Sysroot(sysroot) = self {
            path.insert(0, sysroot.join("bin"));
            // These would lead past the compiler on PATH.
            for variable in ["RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC"] {
                cargo.env_remove(variable);
            }
        }
        cargo.env("PATH", context.path_with(path)?);
        Ok(())
    }

    /// A cargo that uses this compiler.
    ///
    /// # Errors
    /// When PATH cannot be put together.
    pub fn cargo(&self, context: &Context, folders: Vec<PathBuf>) -> Result<Command> {
        let mut cargo = command("cargo");
        self.apply(&mut cargo, context, folders)?;
        cargo.current_dir(&context.root);
        Ok(cargo)
    }
}
