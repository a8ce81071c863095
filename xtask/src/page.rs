//! Building the page with Trunk.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};

use crate::{
    context::Context,
    progress::say,
    setup::{self, Compiler, Step, WasmOpt},
};

/// How the page is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Optimised by the compiler.
    Optimised,
    /// Optimised, then shrunk with wasm-opt where that can be had.
    Release,
    /// Built quickly; the simulator runs slowly.
    Dev,
}

/// Installs what building in this mode needs.
pub fn prepare(context: &Context, mode: Mode) -> Result<()> {
    let mut steps = setup::page(context)?;
    if mode == Mode::Release {
        steps.extend(setup::shrinking());
    }
    setup::ensure(context, &steps)
}

/// `trunk <verb>` with everything it needs on PATH.
///
/// Trunk never goes to the network here: what it would download has been installed before.
pub fn trunk(context: &Context, verb: &str, mode: Mode) -> Result<Command> {
    let mut folders = setup::tool_folders(context)?;
    folders.push(WasmOpt::folder(context));
    let compiler = wasm_compiler(context)?;
    let mut trunk = crate::command::command("trunk");
    compiler.apply(&mut trunk, context, folders)?;
    trunk.current_dir(&context.root).args([verb, "--offline"]);
    // Trunk reads NO_COLOR as a boolean and refuses the usual value 1.
    trunk.env_remove("NO_COLOR");
    // Trunk's hook calls this program back instead of building it once more.
    let own = std::env::current_exe().context("this program does not know where it is")?;
    trunk.env("COSTACK_XTASK", own);
    match mode {
        Mode::Dev => {
            trunk.args(["--cargo-profile", "dev"]);
        }
        Mode::Optimised => {}
        Mode::Release if WasmOpt.is_done(context) => {
            trunk.arg("--release");
        }
        Mode::Release => say("without wasm-opt: the page works alike and is larger"),
    }
    Ok(trunk)
}

/// Builds the page into a folder.
pub fn build(context: &Context, mode: Mode, folder: &Path) -> Result<()> {
    let mut trunk = trunk(context, "build", mode)?;
    trunk.arg("--dist").arg(folder);
    crate::command::run_aloud(&mut trunk)
}

/// The compiler that has the page's target.
pub fn wasm_compiler(context: &Context) -> Result<Compiler> {
    setup::RustTarget::wasm()
        .compiler(context)
        .context("no compiler has wasm32-unknown-unknown")
}
