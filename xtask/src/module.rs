//! Building the simulator's wasm module, by the same set-up as the page: the same compiler and
//! target. Its profile is its own: the page has to be small, the module has to be fast.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{
    command::run_aloud,
    context::Context,
    page,
    progress::say,
    setup::{self, RustTarget},
};

/// Where it goes, inside the build folder.
const FILE: &str = "module/costack-sim.wasm";

/// What cargo calls it.
const BUILT: &str = "wasm/costack_sim_module.wasm";

/// Installs what building needs, then builds.
pub fn prepare_and_build(context: &Context) -> Result<()> {
    setup::ensure(context, &setup::module())?;
    let file = build(context)?;
    say(format!("the module is {}", file.display()));
    Ok(())
}

/// Builds the module; returns its file.
///
/// # Errors
/// When no compiler has the target, or the build fails.
pub fn build(context: &Context) -> Result<PathBuf> {
    let target = RustTarget::wasm().triple();
    let mut cargo = page::wasm_compiler(context)?.cargo(context, Vec::new())?;
    cargo.args(["build", "--package", "costack-sim-module", "--lib"]);
    cargo.args(["--profile", "wasm", "--target", target]);
    // A caller's folder would be found by cargo itself; this is said for what comes after.
    cargo.arg("--target-dir").arg(&context.target);
    run_aloud(&mut cargo)?;
    let built = context.target.join(target).join(BUILT);
    let file = context.target.join(FILE);
    let same = || Some(std::fs::read(&built).ok()? == std::fs::read(&file).ok()?);
    if same() == Some(true) {
        return Ok(file);
    }
    // Under another name first: a program that runs meanwhile never sees a part of it.
    let partial = file.with_extension(format!("partial-{}", std::process::id()));
    let folder = file.parent().context("the module needs a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    std::fs::copy(&built, &partial)
        .with_context(|| format!("could not copy {}", built.display()))?;
    std::fs::rename(&partial, &file)
        .with_context(|| format!("could not rename {}", partial.display()))?;
    Ok(file)
}
