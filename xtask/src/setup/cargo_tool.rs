//! Tools that cargo builds from the crate registry.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};

use super::{Step, install};
use crate::{
    command::{capture, command, run},
    context::Context,
    progress::{Heartbeat, say},
};

/// The version of Trunk; newer ones want a newer compiler than this workspace does.
const TRUNK: &str = "0.21.14";

/// One crate with programs in it.
///
/// They are built with as little optimisation as they can do with: that takes a third of the time that
/// their own profiles take, and a new user waits for it before the page is there.
pub struct CargoTool {
    krate: &'static str,
    version: String,
    programs: &'static [&'static str],
    /// Further arguments for `cargo install`.
    arguments: &'static [&'static str],
    /// The packages in it that work hard enough to be worth optimising.
    hard_working: &'static [&'static str],
    expected: Duration,
}

impl CargoTool {
    /// Trunk, which builds and serves the page.
    ///
    /// It is built without TLS, because it is never asked to download anything.
    pub fn trunk() -> Self {
        Self {
            krate: "trunk",
            version: TRUNK.to_owned(),
            programs: &["trunk"],
            arguments: &["--no-default-features"],
            hard_working: &[],
            expected: Duration::from_secs(180),
        }
    }

    /// wasm-bindgen's programs, of exactly the version that the page links.
    ///
    /// # Errors
    /// When Cargo.lock does not tell that version.
    pub fn wasm_bindgen(context: &Context) -> Result<Self> {
        Ok(Self {
            krate: "wasm-bindgen-cli",
            version: context.locked_version("wasm-bindgen")?,
            programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
            arguments: &["--bin=wasm-bindgen", "--bin=wasm-bindgen-test-runner"],
            hard_working: &[
                "walrus",
                "wasmparser",
                "wasm-encoder",
                "wasm-bindgen-cli-support",
            ],
            expected: Duration::from_secs(80),
        })
    }

    /// Where its programs are once it is installed here.
    pub fn folder(&self, context: &Context) -> PathBuf {
        context
            .tools
            .join(format!("{}-{}", self.krate, self.version))
            .join("bin")
    }

    /// Every program answers with the wanted version.
    fn answers(&self, program: impl Fn(&str) -> Command) -> bool {
        self.programs.iter().all(|name| {
            capture(program(name).arg("--version"))
                .is_ok_and(|said| said.split_whitespace().any(|word| word == self.version))
        })
    }

    fn build(&self, root: &std::path::Path, work: &std::path::Path, locked: bool) -> Command {
        let mut cargo = command("cargo");
        cargo.args([
            "install",
            "--force",
            &format!("{}@{}", self.krate, self.version),
        ]);
        cargo.args(self.arguments);
        if locked {
            cargo.arg("--locked");
        }
        cargo.arg("--root").arg(root).arg("--target-dir").arg(work);
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        for package in self.hard_working {
            cargo.arg(format!(
                "--config=profile.release.package.{package}.opt-level=1"
            ));
        }
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
        cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        // Trunk asks for panics that abort; a panic of its watcher would end its server.
        cargo.env("CARGO_PROFILE_RELEASE_PANIC", "unwind");
        cargo
    }
}

impl Step for CargoTool {
    fn name(&self) -> String {
        format!("{} {}", self.krate, self.version)
    }

    fn expected(&self) -> Duration {
        self.expected
    }

    fn is_done(&self, context: &Context) -> bool {
        let folder = self.folder(context);
        self.answers(|name| command(folder.join(name))) || self.answers(|name| command(name))
    }

    fn perform(&self, context: &Context) -> Result<()> {
        // Its build folder survives an interruption, so a second try goes on where the first ended.
        let work = context
            .tools
            .join("build")
            .join(format!("{}-{}", self.krate, self.version));
        let folder = self.folder(context);
        let destination = folder.parent().context("a tool needs a folder")?;
        let _heartbeat = Heartbeat::start(self.name(), Duration::from_secs(60));
        install(context, destination, |root| {
            // From another folder than the workspace, whose configuration is not meant for tools.
            run(self.build(root, &work, true).current_dir(root)).or_else(|_| {
                // A lock file can name a crate that a registry's mirror does not have yet.
                say(format!(
                    "{}: not with its own lock file; trying without it",
                    self.name()
                ));
                run(self.build(root, &work, false).current_dir(root))
            })
        })
        .with_context(|| {
            format!(
                "{} could not be built: check the network, run it again; or install it yourself \
                 (cargo install {}@{}) and put it on PATH",
                self.krate, self.krate, self.version
            )
        })?;
        let _ = std::fs::remove_dir_all(&work);
        Ok(())
    }
}

/// The folders of these tools that exist, to be put on PATH.
pub fn folders(context: &Context) -> Result<Vec<PathBuf>> {
    let tools = [CargoTool::trunk(), CargoTool::wasm_bindgen(context)?];
    Ok(tools
        .iter()
        .map(|tool| tool.folder(context))
        .filter(|folder| folder.is_dir())
        .collect())
}
