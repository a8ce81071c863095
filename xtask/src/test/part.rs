//! The parts of the test suite: what each needs and what it runs.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{capi, tools};
use crate::{
    bench,
    command::{command, run_aloud},
    context::Context,
    module,
    page::{self, Mode},
    setup::{self, Isa, RustTarget, Steps},
};

/// A part that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Formatting and lints.
    Lint,
    /// All tests on the host.
    Host,
    /// Documentation and its examples.
    Docs,
    /// The library under the tools that it knows of.
    Tools,
    /// The crates that promise to do without an operating system.
    Bare,
    /// The page's own unit tests.
    Wasm,
    /// The built page under remote control.
    Browser,
    /// C and C++ programs that use the library.
    Capi,
    /// Real switching on another architecture.
    Native(Isa),
    /// The suite of benches, and the instructions of the switch paths.
    Bench,
}

impl Part {
    /// All of them, the quickest to fail first.
    pub const ALL: [Self; 11] = [
        Self::Lint,
        Self::Host,
        Self::Docs,
        Self::Bare,
        Self::Tools,
        Self::Native(Isa::I386),
        Self::Native(Isa::Aarch64),
        Self::Capi,
        Self::Bench,
        Self::Wasm,
        Self::Browser,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Host => "host",
            Self::Docs => "docs",
            Self::Bare => "bare",
            Self::Tools => "tools",
            Self::Wasm => "wasm",
            Self::Browser => "browser",
            Self::Capi => "capi",
            Self::Native(isa) => isa.name(),
            Self::Bench => "bench",
        }
    }

    /// What it checks.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Lint => "formatting and lints of every package",
            Self::Host => "unit and integration tests on this machine",
            Self::Docs => "examples in the documentation, and the documentation itself",
            Self::Bare => "building without an operating system",
            Self::Tools => "switching under Valgrind and AddressSanitizer, and without unwinding",
            Self::Wasm => "tests of the page's components, as wasm in a browser",
            Self::Browser => "the built page, used as a person would, in a browser",
            Self::Capi => "C and C++ programs, by two compilers, on all architectures",
            Self::Bench => "every bench runs, and no switch path takes more instructions",
            Self::Native(Isa::I386) => "switching on i386",
            Self::Native(Isa::Aarch64) => "switching on aarch64, emulated",
        }
    }

    /// What must be installed.
    pub fn needs(self, context: &Context) -> Result<Steps> {
        Ok(match self {
            Self::Lint | Self::Docs => Steps::new(),
            Self::Host => {
                let mut steps = setup::host();
                // The simulator's module is built as well.
                steps.extend(setup::module());
                steps
            }
            Self::Bare => setup::bare(),
            Self::Tools => setup::tools(),
            Self::Wasm => {
                let mut steps = setup::browser();
                steps.extend(setup::page(context)?);
                steps
            }
            Self::Browser => {
                let mut steps = Self::Wasm.needs(context)?;
                steps.extend(setup::shrinking());
                steps.extend(setup::accessibility());
                steps
            }
            Self::Capi => setup::capi(&other_machines()),
            Self::Native(isa) => setup::cross(isa),
            Self::Bench => setup::counting(),
        })
    }

    /// Why it cannot run on this machine, whatever gets installed.
    pub fn obstacle(self) -> Option<String> {
        let name = match self {
            Self::Native(isa) => isa.name(),
            Self::Tools => "this",
            _ => return None,
        };
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let runs = (os, arch) == ("linux", "x86_64");
        (!runs).then(|| format!("{name} is tested on x86-64 Linux only, not on {arch} {os}"))
    }

    /// Runs it; `filter` is a part of the names of the tests to run.
    ///
    /// # Errors
    /// When a test fails, or cannot be run.
    pub fn run(self, context: &Context, filter: Option<&str>) -> Result<()> {
        match self {
            Self::Lint => lint(context),
            Self::Host => host(context, filter),
            Self::Docs => docs(context, filter),
            Self::Bare => bare(context),
            Self::Tools => tools::run(context),
            Self::Wasm => wasm(context, filter),
            Self::Browser => browser(context, filter),
            Self::Capi => c_programs(context, filter),
            Self::Native(isa) => native(context, isa, filter),
            Self::Bench => bench::check(context),
        }
    }
}

pub(super) fn cargo(context: &Context) -> Command {
    let mut cargo = command("cargo");
    cargo.current_dir(&context.root);
    cargo
}

fn lint(context: &Context) -> Result<()> {
    run_aloud(cargo(context).args(["fmt", "--all", "--check"]))?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    run_aloud(cargo(context).args(clippy))
}

fn host(context: &Context, filter: Option<&str>) -> Result<()> {
    // The command line hosts the simulator's module.
    let module = module::build(context)?;
    let mut test = cargo(context);
    test.env("COSTACK_MODULE", module);
    test.args([
        "test",
        "--workspace",
        "--all-features",
        "--lib",
        "--bins",
        "--tests",
        "--examples",
    ]);
    run_aloud(test.args(filter))
}

fn docs(context: &Context, filter: Option<&str>) -> Result<()> {
    run_aloud(
        cargo(context)
            .args(["test", "--workspace", "--all-features", "--doc"])
            .args(filter),
    )?;
    let mut doc = cargo(context);
    doc.args([
        "doc",
        "--workspace",
        "--all-features",
        "--no-deps",
        "--document-private-items",
    ]);
    run_aloud(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// The packages that promise `no_std`, each with the arguments that leave the standard library out.
const BARE: &[&[&str]] = &[
    &["--package", "costack-engine", "--no-default-features"],
    &["--package", "costack", "--no-default-features"],
];

fn bare(context: &Context) -> Result<()> {
    for target in RustTarget::bare() {
        let compiler = target
            .compiler(context)
            .context("no compiler has this target")?;
        for package in BARE {
            let mut build = compiler.cargo(context, Vec::new())?;
            run_aloud(
                build
                    .args(["build", "--target", target.triple()])
                    .args(*package),
            )?;
        }
    }
    Ok(())
}

/// Cargo, so that it builds for another architecture and runs what it has built.
fn cross(context: &Context, isa: Isa, arguments: &[&str]) -> Result<Command> {
    let target = RustTarget::linux(isa);
    let compiler = target
        .compiler(context)
        .context("no compiler has this target")?;
    let mut cargo = compiler.cargo(context, Vec::new())?;
    let variable = target.triple().to_uppercase().replace('-', "_");
    cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), isa.linker());
    cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), isa.runner());
    cargo.args(arguments).args(["--target", target.triple()]);
    Ok(cargo)
}

fn native(context: &Context, isa: Isa, filter: Option<&str>) -> Result<()> {
    let arguments = [
        "test",
        "--package",
        "costack",
        "--all-features",
        "--lib",
        "--tests",
    ];
    run_aloud(cross(context, isa, &arguments)?.args(filter))?;
    benches(context, isa)
}

/// Every bench runs there a few times. The peers beside corosensei stay away: what they do on this
/// architecture is theirs to test.
fn benches(context: &Context, isa: Isa) -> Result<()> {
    let arguments = [
        "run",
        "--package",
        "costack-benches",
        "--no-default-features",
        "--bin",
        "suite",
    ];
    let file = context
        .target
        .join(format!("bench-report/{}.json", isa.name()));
    let mut run = cross(context, isa, &arguments)?;
    run.args(["--", "run", "--smoke", "--in-process", "--to"])
        .arg(&file);
    run_aloud(&mut run)
}

/// The architectures whose C programs this machine can run besides its own.
fn other_machines() -> Vec<Isa> {
    let all = [Isa::I386, Isa::Aarch64];
    let can_run = |isa: &Isa| Part::Native(*isa).obstacle().is_none();
    all.into_iter().filter(can_run).collect()
}

fn c_programs(context: &Context, filter: Option<&str>) -> Result<()> {
    for isa in [Isa::I386, Isa::Aarch64] {
        if let Some(reason) = Part::Native(isa).obstacle() {
            crate::progress::say(format!("C programs for {}: skipped: {reason}", isa.name()));
        }
    }
    let machines = other_machines().into_iter().map(Some);
    for isa in std::iter::once(None).chain(machines) {
        capi::programs(context, &capi::Machine::new(context, isa)?, filter)?;
    }
    match filter {
        Some(filter) if !"installed".contains(filter) => Ok(()),
        _ => capi::installed(context),
    }
}

fn wasm(context: &Context, filter: Option<&str>) -> Result<()> {
    let compiler = page::wasm_compiler(context)?;
    let mut test = compiler.cargo(context, setup::tool_folders(context)?)?;
    // The variables go to the runner of wasm-bindgen, which starts the browser by its driver.
    test.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "wasm-bindgen-test-runner",
    );
    test.env(
        "CHROMEDRIVER",
        setup::browser_driver().context("there is no chromedriver")?,
    );
    test.args([
        "test",
        "--package",
        "costack-web",
        "--target",
        RustTarget::wasm().triple(),
    ]);
    run_aloud(test.args(filter))
}

fn browser(context: &Context, filter: Option<&str>) -> Result<()> {
    let page = context.target.join("e2e-page");
    page::build(context, Mode::Release, &page)?;
    let mut test = cargo(context);
    test.env("COSTACK_E2E_PAGE", &page);
    test.env(
        "COSTACK_E2E_SCREENSHOTS",
        context.target.join("screenshots"),
    );
    test.env(
        "CHROMEDRIVER",
        setup::browser_driver().context("there is no chromedriver")?,
    );
    let axe = setup::Axe::script(context);
    if axe.is_file() {
        test.env("COSTACK_AXE", axe);
    }
    test.args(["test", "--package", "costack-e2e", "--test", "browser"]);
    run_aloud(test.args(filter))
}
