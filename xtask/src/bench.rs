//! Running the benches, and gathering their results.
//!
//! `cargo xtask bench` runs `cargo bench` and writes `target/bench-report/bench.json`. The same file
//! comes about when `cargo bench` was run by hand: Trunk's hook calls `cargo xtask gather`, which
//! gathers whatever Criterion left, or takes the committed reference where nothing was measured.
//! [`report`] documents the file.

mod criterion;
mod machine;
mod report;

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use self::report::Report;
use crate::{
    command::{command, run_aloud},
    context::Context,
    flags::Bench,
    progress::say,
};

/// Where measured results go, inside the build folder.
const MEASURED: &str = "bench-report/bench.json";
/// The committed results, inside the repository.
const REFERENCE: &str = "benches/reference.json";

/// Runs the benches and gathers their results.
pub fn bench(context: &Context, flags: &Bench) -> Result<()> {
    if !flags.no_run {
        let mut bench = command("cargo");
        bench
            .arg("bench")
            .current_dir(&context.root)
            .args(&flags.filter);
        run_aloud(&mut bench)?;
    }
    let Some(report) = measured(context)? else {
        bail!(
            "Criterion left no results in {}",
            context.target.join("criterion").display()
        );
    };
    say(format!(
        "{} results in {}",
        report.results.len(),
        context.target.join(MEASURED).display()
    ));
    if flags.save_reference {
        let reference = Report {
            reference: true,
            ..report
        };
        reference.write(&context.root.join(REFERENCE))?;
        say(format!("kept as the reference: {REFERENCE}"));
    }
    Ok(())
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
        schema: report::SCHEMA.to_owned(),
        reference: false,
        measured_at: humantime::format_rfc3339_seconds(newest).to_string(),
        commit: machine::commit(&context.root),
        rustc: machine::rustc(&context.root),
        machine: machine::machine(),
        results: found.into_iter().map(|found| found.result).collect(),
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
