//! Running the benches, and gathering their results.
//!
//! `cargo xtask bench` runs the suite of `benches/`, which measures in interleaved rounds, and writes
//! `target/bench-report/bench.json` and a page about it, `index.html`. Plain `cargo bench` runs the
//! same benches by Criterion; Trunk's hook calls `cargo xtask gather`, which takes what is newest of
//! both, or the committed reference where nothing was measured. [`costack_bench_schema`] documents
//! the file.

mod criterion;
mod machine;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use costack_bench_schema::{self as schema, Report};

use crate::{
    command::{command, run_aloud},
    context::Context,
    flags::Bench,
    module,
    progress::say,
    setup,
};

/// Where measured results go, inside the build folder.
const MEASURED: &str = "bench-report/bench.json";
/// The page about them.
const PAGE: &str = "bench-report/index.html";
/// The committed results, inside the repository.
const REFERENCE: &str = "benches/reference.json";

/// Builds the suite's program in release mode.
pub fn suite(context: &Context) -> Result<PathBuf> {
    let mut build = command("cargo");
    build.current_dir(&context.root).args([
        "build",
        "--release",
        "--package",
        "costack-benches",
        "--features",
        "boost",
        "--bin",
        "suite",
    ]);
    run_aloud(&mut build)?;
    Ok(context.target.join("release/suite"))
}

/// The suite that measures, the simulator's module among it.
fn measure(suite: &Path, context: &Context) -> Result<Command> {
    let mut run = run_suite(suite, context);
    run.env("COSTACK_MODULE", module::build(context)?);
    run.arg("run");
    Ok(run)
}

/// The suite, to be given a command.
pub fn run_suite(suite: &Path, context: &Context) -> Command {
    let mut run = Command::new(suite);
    run.current_dir(&context.root);
    run
}

/// Measures everything, and makes the report.
pub fn bench(context: &Context, flags: &Bench) -> Result<()> {
    setup::ensure(context, &setup::measuring())?;
    let suite = suite(context)?;
    let kept = context.target.join(MEASURED);
    if !flags.no_run {
        let partial = context.target.join("bench-report/partial.json");
        fs::create_dir_all(context.target.join("bench-report"))?;
        let mut run = measure(&suite, context)?;
        run.arg("--to").arg(&partial);
        if flags.quick {
            run.arg("--quick");
        }
        if let Some(text) = &flags.filter {
            run.args(["--only", text]);
        }
        run_aloud(&mut run)?;
        let own = if flags.quick { " --quick" } else { "" };
        let report = signed(context, Report::read(&partial)?, own)?;
        report.write(&kept)?;
        fs::remove_file(&partial)?;
    }
    let report = Report::read(&kept)
        .with_context(|| format!("{} cannot be read: run cargo xtask bench", kept.display()))?;
    let mut page = run_suite(&suite, context);
    page.args(["page", "--to"]).arg(context.target.join(PAGE));
    page.arg(&kept).args(&flags.beside);
    run_aloud(&mut page)?;
    say(format!(
        "{} results in {}",
        report.results.len(),
        kept.display()
    ));
    say(format!(
        "the report: {}",
        context.target.join(PAGE).display()
    ));
    if flags.save_reference {
        ensure!(
            flags.filter.is_none(),
            "a part of the results is no reference: leave out the name"
        );
        let reference = Report {
            reference: true,
            ..report
        };
        reference.write(&context.root.join(REFERENCE))?;
        say(format!("kept as the reference: {REFERENCE}"));
    }
    Ok(())
}

/// The report with what the suite does not know: which machine, which commit, which commands.
fn signed(context: &Context, report: Report, how: &str) -> Result<Report> {
    let suite = report.suite.context("the suite says how it measured")?;
    Ok(Report {
        commit: machine::commit(&context.root),
        rustc: machine::rustc(&context.root),
        machine: machine::machine(),
        suite: Some(schema::Suite {
            commands: vec![
                format!("cargo xtask bench{how}"),
                "cargo bench --package costack-benches".to_owned(),
                "cargo xtask test --only bench".to_owned(),
            ],
            ..suite
        }),
        ..report
    })
}

/// Runs the suite briefly and checks that its results are whole; counts instructions.
pub fn check(context: &Context) -> Result<()> {
    let suite = suite(context)?;
    let file = context.target.join("bench-report/check.json");
    let mut run = measure(&suite, context)?;
    run_aloud(run.args(["--quick", "--to"]).arg(&file))?;
    run_aloud(run_suite(&suite, context).arg("check").arg(&file))?;
    run_aloud(run_suite(&suite, context).arg("counts"))
}

/// Writes the results that the page shows: measured ones, else the reference, else none.
pub fn gather_to(context: &Context, file: &Path) -> Result<()> {
    let report = match measured(context)? {
        Some(report) => report,
        None => reference(&context.root.join(REFERENCE))?,
    };
    report.write(file)
}

/// What Criterion left, as a report that is also kept in the build folder.
///
/// A report that is newer than all results is taken as it is: gathered later, it would name a commit
/// and perhaps a compiler that did not measure.
fn measured(context: &Context) -> Result<Option<Report>> {
    let found = criterion::results(&context.target.join("criterion"))?;
    let Some(newest) = found.iter().map(|result| result.measured).max() else {
        return Ok(None);
    };
    let kept = context.target.join(MEASURED);
    let written = kept.metadata().and_then(|data| data.modified());
    if written.is_ok_and(|written| written >= newest) {
        // One of an older schema, or damaged, is gathered anew.
        if let Ok(report) = Report::read(&kept) {
            return Ok(Some(report));
        }
    }
    let report = Report {
        schema: schema::SCHEMA.to_owned(),
        reference: false,
        measured_at: humantime::format_rfc3339_seconds(newest).to_string(),
        commit: machine::commit(&context.root),
        rustc: machine::rustc(&context.root),
        machine: machine::machine(),
        results: found.into_iter().map(|found| found.result).collect(),
        ..Report::default()
    };
    report.write(&kept)?;
    Ok(Some(report))
}

/// The committed results, marked as such whatever the file says.
fn reference(file: &Path) -> Result<Report> {
    if !fs::exists(file)? {
        return Ok(Report::empty());
    }
    let report = Report::read(file).with_context(|| format!("{} is damaged", file.display()))?;
    Ok(Report {
        reference: true,
        ..report
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> Context {
        let root =
            std::env::temp_dir().join(format!("costack-bench-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("benches")).unwrap();
        Context {
            target: root.join("target"),
            tools: root.join("tools"),
            root,
            offline: true,
        }
    }

    fn measure(context: &Context, nanoseconds: f64) {
        criterion::tests::write_result(&context.target.join("criterion"), nanoseconds);
    }

    fn gathered(context: &Context) -> Report {
        let file = context.root.join("page/bench.json");
        gather_to(context, &file).unwrap();
        Report::read(&file).unwrap()
    }

    #[test]
    fn shows_the_reference_until_something_is_measured() {
        let context = scratch("reference");
        assert_eq!(gathered(&context), Report::empty());

        let committed = Report {
            reference: false,
            commit: "abc".into(),
            ..Report::empty()
        };
        committed.write(&context.root.join(REFERENCE)).unwrap();
        let shown = gathered(&context);
        assert!(shown.reference, "the reference is labelled as one");
        assert_eq!(shown.commit, "abc");

        measure(&context, 3.1);
        let shown = gathered(&context);
        assert!(!shown.reference);
        assert_eq!(shown.results[0].median.estimate, 3.1);
        fs::remove_dir_all(&context.root).unwrap();
    }

    #[test]
    fn gathers_anew_only_after_a_new_measurement() {
        let context = scratch("anew");
        measure(&context, 3.1);
        let first = gathered(&context);
        let kept = context.target.join(MEASURED);
        Report {
            commit: "of the measurement".into(),
            ..first
        }
        .write(&kept)
        .unwrap();
        assert_eq!(gathered(&context).commit, "of the measurement");

        // File systems round times, so the new measurement is clearly later.
        std::thread::sleep(std::time::Duration::from_millis(20));
        measure(&context, 4.2);
        let second = gathered(&context);
        assert_ne!(second.commit, "of the measurement");
        assert_eq!(second.results[0].median.estimate, 4.2);
        fs::remove_dir_all(&context.root).unwrap();
    }
}
