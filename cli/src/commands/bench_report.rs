//! `costack bench-report`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use costack_bench_schema::{Estimate, Machine, Report, Throughput};

use crate::show::{DIM, lines, out, styled, table, time};
use crate::{Verdict, args};

/// Shows a report as a table.
pub(super) fn bench_report(args: &args::BenchReport) -> Result<Verdict> {
    let report = match &args.file {
        Some(file) => {
            let read = Report::read(file);
            read.with_context(|| format!("{} is no report of benches", file.display()))?
        }
        None => gather()?,
    };
    if report.results.is_empty() {
        bail!("nothing has been measured yet: run `cargo bench`");
    }
    let mut out = out();
    write!(out, "{}", in_words(&report))?;
    out.flush()?;
    Ok(Verdict::Good)
}

/// The last results of this repository: `cargo xtask gather` puts together what the benches left.
fn gather() -> Result<Report> {
    let root = repository().context(
        "this is not the repository of Costack, so no `cargo bench` was run here: name a report",
    )?;
    let file = std::env::temp_dir().join(format!("costack-bench-{}.json", std::process::id()));
    let gathered = Command::new("cargo")
        .current_dir(&root)
        .args([
            "run",
            "--quiet",
            "--package",
            "xtask",
            "--",
            "gather",
            "--to",
        ])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .context("cargo cannot be started")?;
    if !gathered.status.success() {
        let said = String::from_utf8_lossy(&gathered.stderr);
        bail!("`cargo xtask gather` failed: {}", said.trim());
    }
    let report = Report::read(&file).context("`cargo xtask gather` wrote no report");
    let _ = std::fs::remove_file(&file);
    report
}

/// The folder above this one that holds Costack.
fn repository() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut folders = here.ancestors();
    let is_root = |folder: &&Path| folder.join("xtask/src/bench.rs").is_file();
    folders.find(is_root).map(Path::to_owned)
}

fn in_words(report: &Report) -> String {
    let kind = match report.reference {
        true => "reference results of another machine, not measured here",
        false => "measured on this machine",
    };
    let known = |text: &str| match text {
        "" => "unknown".to_owned(),
        text => text.to_owned(),
    };
    let Machine { cpu, os, arch, .. } = &report.machine;
    let head = [
        format!("{kind}, {}", known(&report.measured_at)),
        format!(
            "commit {}, {}, {}, {os} {arch}",
            known(&report.commit),
            known(&report.rustc),
            known(cpu)
        ),
    ];
    let mut text: String = head.iter().map(|line| styled(DIM, line) + "\n").collect();
    let mut table = table(["bench", "median", "95 % between", "throughput"]);
    for outcome in &report.results {
        let Estimate {
            estimate,
            low,
            high,
        } = outcome.median;
        table.add_row([
            outcome.id.clone(),
            time(estimate),
            format!("{} and {}", time(low), time(high)),
            outcome
                .throughput
                .as_ref()
                .map_or(String::new(), |through| rate(through, estimate)),
        ]);
    }
    text += &lines(&table);
    text
}

/// How much is done in a second.
fn rate(throughput: &Throughput, ns: f64) -> String {
    let per_second = throughput.per_iteration as f64 * 1e9 / ns;
    let (number, prefix) = match per_second {
        1e9.. => (per_second / 1e9, "G"),
        1e6.. => (per_second / 1e6, "M"),
        1e3.. => (per_second / 1e3, "k"),
        _ => (per_second, ""),
    };
    let unit = match throughput.unit.as_str() {
        "bytes" => "B",
        "elements" => "elements",
        other => other,
    };
    format!("{number:.2} {prefix}{unit}/s")
}
