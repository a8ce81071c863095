//! Installing the C library: headers, a static and a shared library, and what pkg-config and CMake
//! need to find them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    command::{command, run_aloud},
    context::Context,
    flags,
    progress::say,
};

/// What a program that is linked with the static library needs from the system; `rustc --print
/// native-static-libs` names it.
pub const SYSTEM_LIBRARIES: [&str; 6] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

const HEADERS: [&str; 4] = [
    "costack.h",
    "aco.h",
    "aco_assert_override.h",
    "costack_uboot.h",
];

/// `cargo xtask install-capi`.
pub fn install_capi(context: &Context, flags: &flags::InstallCapi) -> Result<()> {
    install(context, &flags.prefix, flags.debug)?;
    let prefix = std::path::absolute(&flags.prefix)?;
    say(format!(
        "installed; PKG_CONFIG_PATH={}/lib/pkgconfig pkg-config --cflags --libs costack",
        prefix.display()
    ));
    Ok(())
}

/// Builds the libraries and installs everything below `prefix`, which is made if need be.
///
/// # Errors
/// When they cannot be built, or a file cannot be written.
pub fn install(context: &Context, prefix: &Path, debug: bool) -> Result<()> {
    let prefix = std::path::absolute(prefix)?;
    let version = package_version(context)?;
    let (major, _) = version.split_once('.').context("a version has dots")?;
    let soname = format!("libcostack.so.{major}");
    for kind in ["staticlib", "cdylib"] {
        let mut build = command("cargo");
        build
            .current_dir(&context.root)
            .args(["rustc", "--package", "costack-capi", "--lib"]);
        if !debug {
            build.arg("--release");
        }
        build.args(["--crate-type", kind]);
        if kind == "cdylib" {
            build.args(["--", "-C", &format!("link-arg=-Wl,-soname,{soname}")]);
        }
        run_aloud(&mut build)?;
    }
    let built = context.target.join(if debug { "debug" } else { "release" });

    let include = folder(&prefix, "include")?;
    for header in HEADERS {
        copy(
            &context.root.join("capi/include").join(header),
            &include.join(header),
        )?;
    }
    let lib = folder(&prefix, "lib")?;
    copy(&built.join("libcostack_capi.a"), &lib.join("libcostack.a"))?;
    let real = format!("libcostack.so.{version}");
    copy(&built.join("libcostack_capi.so"), &lib.join(&real))?;
    link(&real, &lib.join(&soname))?;
    link(&soname, &lib.join("libcostack.so"))?;

    let libraries = SYSTEM_LIBRARIES;
    let fill = |text: String, separator: &str| {
        text.replace("@PREFIX@", &prefix.to_string_lossy())
            .replace("@VERSION@", &version)
            .replace("@MAJOR@", major)
            .replace("@SYSTEM_LIBRARIES@", &libraries.join(separator))
    };
    let templates = [
        ("costack.pc.in", "lib/pkgconfig", "costack.pc", " "),
        (
            "costack-config.cmake",
            "lib/cmake/costack",
            "costack-config.cmake",
            ";",
        ),
        (
            "costack-config-version.cmake",
            "lib/cmake/costack",
            "costack-config-version.cmake",
            ";",
        ),
    ];
    for (template, place, name, separator) in templates {
        let source = context.root.join("capi/pkg").join(template);
        let text = fs::read_to_string(&source)
            .with_context(|| format!("could not read {}", source.display()))?;
        let file = folder(&prefix, place)?.join(name);
        fs::write(&file, fill(text, separator))
            .with_context(|| format!("could not write {}", file.display()))?;
    }
    Ok(())
}

/// The workspace's version, which the package has.
fn package_version(context: &Context) -> Result<String> {
    context.locked_version("costack-capi")
}

fn folder(prefix: &Path, name: &str) -> Result<PathBuf> {
    let folder = prefix.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    // Over a file that a program has open, a copy would change what that program runs.
    if to.exists() {
        fs::remove_file(to).with_context(|| format!("could not replace {}", to.display()))?;
    }
    fs::copy(from, to)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn link(target: &str, at: &Path) -> Result<()> {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at).with_context(|| format!("could not replace {}", at.display()))?;
    }
    std::os::unix::fs::symlink(target, at)
        .with_context(|| format!("could not link {}", at.display()))
}
