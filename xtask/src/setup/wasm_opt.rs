//! wasm-opt, which shrinks the page. One can do without it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::{Step, install};
use crate::{
    command::{capture, command, find, run_logged},
    context::Context,
};

/// The version from npm.
const VERSION: u32 = 132;

/// The oldest one that understands what wasm-bindgen writes.
const OLDEST: u32 = 123;

/// wasm-opt from npm's binaryen, or the system's own where that is new enough.
pub struct WasmOpt;

impl WasmOpt {
    /// Where npm links the program.
    pub fn folder(context: &Context) -> PathBuf {
        context
            .tools
            .join(format!("binaryen-{VERSION}"))
            .join("node_modules/.bin")
    }
}

impl Step for WasmOpt {
    fn name(&self) -> String {
        format!("wasm-opt {VERSION}")
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn is_done(&self, context: &Context) -> bool {
        let installed = Self::folder(context).join("wasm-opt");
        [installed, "wasm-opt".into()].iter().any(|program| {
            capture(command(program).arg("--version"))
                .is_ok_and(|said| version(&said).is_some_and(|version| version >= OLDEST))
        })
    }

    fn perform(&self, context: &Context) -> Result<()> {
        if find("npm").is_none() {
            bail!("there is no npm");
        }
        let destination = context.tools.join(format!("binaryen-{VERSION}"));
        install(context, &destination, |folder| {
            // Without a package.json of its own npm would look for one further up.
            std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
            let mut npm = command("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--no-save"]);
            npm.arg(format!("binaryen@{VERSION}")).current_dir(folder);
            run_logged(
                &mut npm,
                "npm",
                &context.log("wasm-opt"),
                Duration::from_secs(300),
            )
            .context("npm could not install it")
        })
    }

    fn excuse(&self) -> Option<&'static str> {
        Some("the page is built without wasm-opt: it works alike and is larger")
    }
}

/// Reads `wasm-opt version 132 (version_132)`.
fn version(said: &str) -> Option<u32> {
    said.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn reads_both_forms_of_the_version() {
        assert_eq!(version("wasm-opt version 132 (version_132)"), Some(132));
        assert_eq!(version("wasm-opt version 108"), Some(108));
        assert_eq!(version("nonsense"), None);
    }
}
