//! wasm-opt, which shrinks the page. One can do without it.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use super::{Step, npm};
use crate::{
    command::{capture, command},
    context::Context,
};

/// The version from npm.
const VERSION: &str = "132";

/// The oldest one that understands what wasm-bindgen writes.
const OLDEST: u32 = 123;

/// wasm-opt from npm's binaryen, or the system's own where that is new enough.
pub struct WasmOpt;

impl WasmOpt {
    /// Where npm links the program.
    pub fn folder(context: &Context) -> PathBuf {
        npm::folder(context, "binaryen", VERSION).join("node_modules/.bin")
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
        npm::install_package(context, "binaryen", VERSION)
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
