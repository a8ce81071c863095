//! Where the module is.

use std::path::{Path, PathBuf};

use super::HostError;

/// The name of the module's file.
pub const FILE_NAME: &str = "costack-sim.wasm";

/// The variable of the environment that names the module's file.
pub const VARIABLE: &str = "COSTACK_MODULE";

/// Finds the module: what the environment says; or else beside this program, or, for a program in a
/// build folder, where `cargo xtask module` has left it, in `module/` there.
///
/// # Errors
/// [`HostError::NotFound`] with all places.
pub fn find() -> Result<PathBuf, HostError> {
    if let Some(file) = std::env::var_os(VARIABLE) {
        return Ok(file.into());
    }
    let mut looked = Vec::new();
    let own = std::env::current_exe().unwrap_or_default();
    if let Some(folder) = own.parent() {
        looked.push(folder.join(FILE_NAME));
        // target/debug/costack, or target/<triple>/debug/costack.
        let above = folder.ancestors().skip(1).take(2);
        looked.extend(above.map(|folder: &Path| folder.join("module").join(FILE_NAME)));
    }
    match looked.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(HostError::NotFound { looked }),
    }
}
