//! Tests of Costack's explorer in a real browser.
//!
//! `cargo xtask test --only browser` builds the page, starts Chromium's driver and runs them. A plain
//! `cargo test` has no page to look at and reports them as ignored, with the reason.
//!
//! A test is a function that gets a [`Page`] and panics when something is not as it should be:
//!
//! ```ignore
//! use costack_e2e::{Page, Test, role, test, test_id};
//!
//! pub const TESTS: &[Test] = &[test!(runs_to_the_end)];
//!
//! fn runs_to_the_end(page: &Page) {
//!     page.open("/");
//!     page.click(role("button", "Run"));
//!     page.expect_text(test_id("state"), "finished");
//!     page.screenshot("finished");
//! }
//! ```
//!
//! It goes into a file in `tests/browser/`, whose `TESTS` are listed in `tests/browser/main.rs`. Each
//! test runs in a browser of its own, with an empty profile, once for each viewport: 1440×900 and
//! 1024×768 unless it says otherwise ([`Test::only_at`]). Everything that looks for an element waits
//! up to twenty seconds for it. A test also fails when the browser's console holds an error that the
//! test did not take ([`Page::take_console_errors`]). A failed test leaves a screenshot,
//! `failed-….png`, beside the others in `target/screenshots/`.
//!
//! No process is ended that was not started here.

mod driver;
mod keys;
mod page;
mod server;
mod target;
mod wire;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use self::driver::Driver;
pub use self::{
    page::{Page, Viewport},
    server::Server,
    target::{Target, css, named, role, test_id},
};

/// A large window.
pub const WIDE: Viewport = Viewport {
    width: 1440,
    height: 900,
};
/// A small window.
pub const NARROW: Viewport = Viewport {
    width: 1024,
    height: 768,
};

/// A test of the page.
#[derive(Clone, Copy)]
pub struct Test {
    name: &'static str,
    viewports: &'static [Viewport],
    needs: Option<(&'static str, &'static str)>,
    run: fn(&Page),
}

/// Makes a [`Test`] of a function, named after its module and itself.
#[macro_export]
macro_rules! test {
    ($function:ident) => {
        $crate::Test::new(
            concat!(module_path!(), "::", stringify!($function)),
            $function,
        )
    };
}

impl Test {
    /// A test in both viewports; [`test!`] finds the name.
    pub const fn new(name: &'static str, run: fn(&Page)) -> Self {
        Self {
            name,
            viewports: &[WIDE, NARROW],
            needs: None,
            run,
        }
    }

    /// The same test, reported as ignored with this reason where this environment variable is not
    /// set.
    pub const fn needs(self, variable: &'static str, reason: &'static str) -> Self {
        Self {
            needs: Some((variable, reason)),
            ..self
        }
    }

    /// The same test in these viewports only.
    pub const fn only_at(self, viewports: &'static [Viewport]) -> Self {
        Self { viewports, ..self }
    }
}

/// What all tests share: the served page, the driver, and where screenshots go.
struct Stage {
    server: Server,
    driver: Driver,
    screenshots: PathBuf,
}

/// Runs the tests as the arguments say; to be called by a test program without a harness.
pub fn main(groups: &[&[Test]]) -> ExitCode {
    let arguments = Arguments::from_args();
    let page = env::var_os("COSTACK_E2E_PAGE").map(PathBuf::from);
    let stage = match page {
        // Listing names needs no browser, and without a page the tests are ignored.
        Some(page) if !arguments.list => match Stage::new(page) {
            Ok(stage) => Some(Arc::new(stage)),
            Err(reason) => {
                eprintln!("error: the browser tests cannot run: {reason}");
                return ExitCode::FAILURE;
            }
        },
        _ => None,
    };
    let mut trials = Vec::new();
    for test in groups.iter().copied().flatten() {
        for viewport in test.viewports {
            let (test, viewport, stage) = (*test, *viewport, stage.clone());
            // The name starts with this crate's program, which says nothing.
            let name = test
                .name
                .split_once("::")
                .map_or(test.name, |(_, name)| name);
            let name = format!("{name}@{viewport}");
            let missing = test
                .needs
                .filter(|(variable, _)| env::var_os(variable).is_none());
            trials.push(Trial::ignorable_test(name.clone(), move || {
                match (&stage, missing) {
                    (Some(_), Some((_, reason))) => Ok(Completion::ignored_with(reason)),
                    (Some(stage), None) => {
                        run(test, viewport, &name, stage).map(|()| Completion::Completed)
                    }
                    (None, _) => Ok(Completion::ignored_with(
                        "needs a page: cargo xtask test --only browser",
                    )),
                }
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(stage) = stage {
        println!("screenshots: {}", stage.screenshots.display());
    }
    conclusion.exit_code()
}

impl Stage {
    fn new(page: PathBuf) -> Result<Self, String> {
        // Beside the program's folder, when nobody says where: target/screenshots.
        let screenshots = env::var_os("COSTACK_E2E_SCREENSHOTS")
            .map_or_else(|| PathBuf::from("target/screenshots"), PathBuf::from);
        std::fs::create_dir_all(&screenshots)
            .map_err(|error| format!("could not make {}: {error}", screenshots.display()))?;
        Ok(Self {
            server: Server::start(page)?,
            driver: Driver::start()?,
            screenshots,
        })
    }
}

/// Runs one test in a new browser, and reports with a screenshot if it fails.
fn run(test: Test, viewport: Viewport, name: &str, stage: &Stage) -> Result<(), Failed> {
    let file = name.replace("::", "-");
    let screenshots = stage.screenshots.clone();
    let page = Page::new(
        &stage.driver,
        &stage.server,
        viewport,
        file.clone(),
        screenshots,
    )?;
    let outcome = catch_unwind(AssertUnwindSafe(|| (test.run)(&page)));
    let errors = page.console_errors()?;
    let mut complaints = Vec::new();
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        complaints.push(text.unwrap_or_else(|| "it panicked".to_owned()));
    }
    if !errors.is_empty() {
        complaints.push(format!(
            "errors in the browser's console:\n  {}",
            errors.join("\n  ")
        ));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    if let Some(picture) = page.picture(&format!("failed-{file}")) {
        complaints.push(format!("screenshot: {}", picture.display()));
    }
    Err(complaints.join("\n").into())
}
