//! Where things are: the workspace, its build folder, the tool folder.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::command::{capture, command};

/// What every command needs to know.
pub struct Context {
    /// The repository's top level.
    pub root: PathBuf,
    /// Cargo's build folder, wherever the user's configuration puts it.
    pub target: PathBuf,
    /// The user's folder of tools for Costack, keyed by version inside.
    pub tools: PathBuf,
    /// Whether installing and downloading are forbidden.
    pub offline: bool,
}

impl Context {
    /// Finds the folders.
    ///
    /// # Errors
    /// When cargo cannot tell the build folder, or no home for the tools is known.
    pub fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("no top level")?;
        Ok(Self {
            root: root.to_owned(),
            target: target_folder(root)?,
            tools: tool_folder()?,
            offline: false,
        })
    }

    /// The version of a package in Cargo.lock.
    ///
    /// # Errors
    /// When Cargo.lock cannot be read or has no such package.
    pub fn locked_version(&self, package: &str) -> Result<String> {
        let lock = self.root.join("Cargo.lock");
        let text = std::fs::read_to_string(&lock)
            .with_context(|| format!("could not read {}", lock.display()))?;
        match version_in_lock(&text, package) {
            Some(version) => Ok(version.to_owned()),
            None => bail!("{} has no package {package}", lock.display()),
        }
    }

    /// Where the output of a quiet installation goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.tools.join("logs").join(format!("{name}.log"))
    }

    /// PATH with the given folders in front.
    ///
    /// # Errors
    /// When a folder's name holds the separator of PATH.
    pub fn path_with(&self, folders: impl IntoIterator<Item = PathBuf>) -> Result<OsString> {
        let present = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&present)))
            .context("a folder's name holds the separator of PATH")
    }
}

/// Asks cargo only where the environment does not say: the answer takes cargo a tenth of a second.
fn target_folder(root: &Path) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        return Ok(root.join(folder));
    }
    let mut metadata = command("cargo");
    metadata
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(root);
    let answer: serde_json::Value = serde_json::from_str(&capture(&mut metadata)?)?;
    let folder = answer["target_directory"]
        .as_str()
        .context("cargo metadata names no build folder")?;
    Ok(folder.into())
}

fn tool_folder() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = if let Some(folder) = variable("COSTACK_TOOLS") {
        PathBuf::from(folder)
    } else if let Some(cache) = variable("XDG_CACHE_HOME") {
        Path::new(&cache).join("costack")
    } else {
        let home = std::env::home_dir().context("no home folder is known: set COSTACK_TOOLS")?;
        home.join(".cache/costack")
    };
    std::path::absolute(&folder).with_context(|| format!("not a folder: {}", folder.display()))
}

/// Cargo.lock names each package on one line and its version on the next.
fn version_in_lock<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_version_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "trunk"), None);
    }
}
