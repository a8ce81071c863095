//! Builds the shim for Boost.Context, where its feature is on and the library is there.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(boost_context)");
    println!("cargo::rerun-if-changed=shim/boost.c");
    println!("cargo::rustc-env=COSTACK_RUSTC={}", rustc());
    #[cfg(feature = "boost")]
    boost();
}

/// The compiler's version: `1.95.0`.
fn rustc() -> String {
    let rustc = std::env::var_os("RUSTC").expect("cargo sets it");
    let output = std::process::Command::new(rustc).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text
        .ok()
        .and_then(|text| Some(text.split(' ').nth(1)?.trim().to_owned()));
    version.unwrap_or_else(|| "unknown".to_owned())
}

/// Tries to compile and to link the shim: the library is a system's package, not ours to build.
#[cfg(feature = "boost")]
fn boost() {
    let compiler = match cc::Build::new().try_get_compiler() {
        Ok(compiler) => compiler,
        Err(error) => return missing(&format!("there is no C compiler: {error}")),
    };
    let folder = std::env::var("OUT_DIR").expect("cargo sets it");
    let mut linking = compiler.to_command();
    linking
        .args(["shim/boost.c", "-DCOSTACK_TRY", "-o"])
        .arg(format!("{folder}/try"))
        .arg("-lboost_context");
    if !linking.output().is_ok_and(|output| output.status.success()) {
        return missing("libboost_context cannot be linked; Debian has it in libboost-context-dev");
    }
    cc::Build::new()
        .file("shim/boost.c")
        .compile("costack_boost");
    println!("cargo::rustc-link-lib=boost_context");
    println!("cargo::rustc-cfg=boost_context");
}

#[cfg(feature = "boost")]
fn missing(why: &str) {
    println!("cargo::warning=Boost.Context is left out: {why}");
    // A file that is never there: the next build looks again, for it may have been installed.
    println!("cargo::rerun-if-changed=shim/look-again");
}
