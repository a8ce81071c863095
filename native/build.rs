//! Finds out whether the program is built with AddressSanitizer, which stable Rust does not tell.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(costack_asan)");
    let wanted = env::var_os("CARGO_FEATURE_SANITIZER").is_some();
    let sanitizers = env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    let built_with = sanitizers.split(',').any(|one| one == "address");
    let known = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if wanted && built_with && known {
        println!("cargo::rustc-cfg=costack_asan");
    }
}
