//! Measuring the simulator, natively and as WebAssembly in headless Chromium.
//!
//! The same scenarios run in both. What is measured and how stands with the examples of
//! `costack-sim`: `mips.rs`, `million.rs`, `speed_wasm.rs`. The page is one file with the module in
//! it; Chromium runs it and prints what has become of it, so no server and no driver is needed.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::{
    command::{capture, command, run_aloud},
    context::Context,
    page,
    progress::say,
    setup,
};

/// The page around the module.
const PAGE: &str = include_str!("../../sim/examples/speed/page.html");

/// Installs what is needed, measures natively, then in the browser.
pub fn speed(context: &Context) -> Result<()> {
    let mut steps = setup::browser();
    steps.push(Box::new(setup::RustTarget::wasm()));
    setup::ensure(context, &steps)?;
    for example in ["mips", "million"] {
        let mut cargo = command("cargo");
        cargo.current_dir(&context.root);
        cargo.args([
            "run",
            "--release",
            "-p",
            "costack-sim",
            "--example",
            example,
        ]);
        run_aloud(&mut cargo)?;
    }
    in_browser(context)
}

fn in_browser(context: &Context) -> Result<()> {
    let compiler = page::wasm_compiler(context)?;
    let mut build = compiler.cargo(context, Vec::new())?;
    let target = setup::RustTarget::wasm().triple();
    // The profile that the page is built with.
    build.args(["build", "-p", "costack-sim", "--example", "speed_wasm"]);
    run_aloud(build.args(["--profile", "web", "--target", target]))?;
    let module = context
        .target
        .join(target)
        .join("web/examples/speed_wasm.wasm");
    let module = fs::read(&module).with_context(|| format!("no {}", module.display()))?;
    let hex: String = module.iter().map(|byte| format!("{byte:02x}")).collect();

    let folder = context.target.join("speed");
    fs::create_dir_all(&folder)?;
    let file = folder.join("page.html");
    fs::write(&file, PAGE.replace("MODULE", &hex))?;
    let profile = folder.join("profile");
    let _ = fs::remove_dir_all(&profile);
    let browser = setup::browser_program().context("there is no Chromium")?;
    let mut browser = command(browser);
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
    ]);
    browser.args(["--no-first-run", "--disable-background-networking"]);
    browser.args(["--disable-component-update", "--disable-sync", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", profile.display()));
    browser.arg(format!("file://{}", file.display()));
    say("measuring in headless Chromium");
    let page = capture(&mut browser)?;
    let shown = page
        .split_once("<pre>")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map_or("", |(shown, _)| shown);
    println!("{shown}");
    ensure!(
        shown.trim_end().ends_with("done"),
        "the page did not come to its end"
    );
    Ok(())
}
