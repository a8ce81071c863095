//! A sysroot for other targets, built from Debian's compiler and its source.
//!
//! It is keyed by the compiler's version, as libraries of one do not fit another:
//!
//! ```text
//! sysroot-1.96.0-ac68faa20/
//!   bin/rustc, rustdoc       the system's, told to use this sysroot
//!   bin/cargo                link to the system's
//!   lib/rustlib/<host>/lib   link to the system's
//!   lib/rustlib/<host>/bin/rust-lld   link to rustup's: Debian packages it without its library
//!   lib/rustlib/<target>/lib built here, one target after the other
//! ```

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{debian, install};
use crate::{
    command::{capture, command, run_logged, succeeds},
    context::Context,
    progress::{say, spoken},
};

/// The system's compiler, its source, and what cargo needs beside them.
const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];
const SYSTEM_RUSTC: &str = "/usr/bin/rustc";
const SYSTEM_RUSTDOC: &str = "/usr/bin/rustdoc";
const SYSTEM_CARGO: &str = "/usr/bin/cargo";
/// Only the system's folders: a rustup proxy must not be found before the system's compiler.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// The oldest compiler that builds this workspace.
const OLDEST: (u32, u32) = (1, 95);

/// Where the sysroot of the system's compiler is or will be; `None` without such a compiler.
pub fn folder(context: &Context) -> Option<PathBuf> {
    if !Path::new(SYSTEM_RUSTC).exists() {
        return None;
    }
    let said = system_version()?;
    let mut words = said.split_whitespace().skip(1);
    let version = words.next()?;
    let commit = words.next().unwrap_or_default().trim_matches(['(', ')']);
    Some(context.tools.join(format!("sysroot-{version}-{commit}")))
}

/// Where a sysroot has its linker, for the targets without an operating system.
pub fn linker(sysroot: &Path) -> PathBuf {
    sysroot
        .join("lib/rustlib")
        .join(host())
        .join("bin/rust-lld")
}

/// Builds one target's library and puts it into the sysroot.
pub fn add(context: &Context, target: &str, has_std: bool) -> Result<()> {
    if !has_source() {
        debian::install(
            context,
            PACKAGES,
            &format!("run `rustup target add {target}`"),
        )?;
    }
    let sysroot = folder(context).context("the system has no working compiler")?;
    check_age()?;
    skeleton(context, &sysroot)?;
    say(format!(
        "building the library for {target}, about {}",
        spoken(Duration::from_secs(35))
    ));
    let started = Instant::now();
    let destination = sysroot.join("lib/rustlib").join(target);
    install(context, &destination, |folder| {
        build(context, target, has_std, folder)
    })?;
    say(format!("built in {}", spoken(started.elapsed())));
    link_toolchain(&sysroot);
    Ok(())
}

/// The folders and links that all targets share; made anew each time, as what they point to moves.
fn skeleton(context: &Context, sysroot: &Path) -> Result<()> {
    let rustlib = sysroot.join("lib/rustlib");
    let host = host();
    std::fs::create_dir_all(sysroot.join("bin"))?;
    std::fs::create_dir_all(rustlib.join(&host).join("bin"))?;
    for (name, system) in [("rustc", SYSTEM_RUSTC), ("rustdoc", SYSTEM_RUSTDOC)] {
        let wrapper = sysroot.join("bin").join(name);
        let fresh = sysroot.join("bin").join(format!(".{name}"));
        let place = sysroot
            .to_str()
            .context("the tool folder's name is not text")?;
        std::fs::write(
            &fresh,
            format!("#!/bin/sh\nexec {system} --sysroot '{place}' \"$@\"\n"),
        )?;
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&fresh, &wrapper)?;
    }
    let system = PathBuf::from(capture(command(SYSTEM_RUSTC).args(["--print", "sysroot"]))?);
    let mut print = command("rustc");
    print
        .args(["--print", "sysroot"])
        .current_dir(&context.root);
    let usual = PathBuf::from(capture(&mut print)?);
    let lld = usual.join("lib/rustlib").join(&host).join("bin/rust-lld");
    link(Path::new(SYSTEM_CARGO), &sysroot.join("bin/cargo"))?;
    link(
        &system.join("lib/rustlib").join(&host).join("lib"),
        &rustlib.join(&host).join("lib"),
    )?;
    link(&system.join("lib/rustlib/src"), &rustlib.join("src"))?;
    link(&lld, &linker(sysroot))
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if at.is_symlink() {
        std::fs::remove_file(at)?;
    }
    symlink(to, at).with_context(|| format!("could not link {}", at.display()))
}

/// Lets cargo build the library beside an empty crate, and keeps the library.
fn build(context: &Context, target: &str, has_std: bool, folder: &Path) -> Result<()> {
    let krate = context
        .tools
        .join("partial")
        .join(format!("empty-{target}"));
    std::fs::create_dir_all(krate.join("src"))?;
    std::fs::write(krate.join("src/lib.rs"), "#![no_std]\n")?;
    std::fs::write(
        krate.join("Cargo.toml"),
        "[package]\nname = \"costack-empty\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    let parts = if has_std {
        "std,panic_abort,test"
    } else {
        "core,alloc"
    };
    let mut cargo = command(SYSTEM_CARGO);
    cargo
        .args([
            "build",
            "--release",
            "--target",
            target,
            &format!("-Zbuild-std={parts}"),
        ])
        .current_dir(&krate)
        .env("PATH", SYSTEM_PATH)
        .env("RUSTC_BOOTSTRAP", "1")
        // Link-time optimisation, as the page's profile has it, reads the library's bitcode.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", krate.join("target"));
    for variable in [
        "RUSTUP_TOOLCHAIN",
        "RUSTC",
        "RUSTC_WRAPPER",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        cargo.env_remove(variable);
    }
    let log = context.log(&format!("sysroot-{target}"));
    run_logged(&mut cargo, "the library", &log, Duration::from_secs(1200))?;
    let lib = folder.join("lib");
    std::fs::create_dir_all(&lib)?;
    let built = krate.join("target").join(target).join("release/deps");
    for entry in std::fs::read_dir(&built)? {
        let file = entry?.path();
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.ends_with(".rlib") && !name.starts_with("libcostack_empty") {
            std::fs::copy(&file, lib.join(name))?;
        }
    }
    std::fs::remove_dir_all(&krate)?;
    Ok(())
}

/// Lets people say `cargo +costack-cross build --target …`. Nothing here depends on it, so a toolchain of
/// that name that works already is left alone.
fn link_toolchain(sysroot: &Path) {
    let mut present = command("rustc");
    present.args(["+costack-cross", "--version"]);
    if !succeeds(&mut present) {
        let mut rustup = command("rustup");
        rustup
            .args(["toolchain", "link", "costack-cross"])
            .arg(sysroot);
        succeeds(&mut rustup);
    }
}

fn has_source() -> bool {
    let Ok(system) = capture(command(SYSTEM_RUSTC).args(["--print", "sysroot"])) else {
        return false;
    };
    let source = Path::new(&system).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    source.exists() && Path::new(SYSTEM_CARGO).exists()
}

fn check_age() -> Result<()> {
    let said = system_version().context("the system's compiler does not answer")?;
    let number = |index: usize| {
        said.split_whitespace()
            .nth(1)?
            .split('.')
            .nth(index)?
            .parse::<u32>()
            .ok()
    };
    let (Some(major), Some(minor)) = (number(0), number(1)) else {
        bail!("the system's compiler has a version that is none: {said}");
    };
    if (major, minor) < OLDEST {
        bail!(
            "the system's compiler is too old: {said}; {}.{} is needed",
            OLDEST.0,
            OLDEST.1
        );
    }
    Ok(())
}

fn system_version() -> Option<String> {
    capture(
        command(SYSTEM_RUSTC)
            .arg("--version")
            .env_remove("RUSTUP_TOOLCHAIN"),
    )
    .ok()
}

/// The machine's own triple; that of the system's compiler, as only that one uses the sysroot.
fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
