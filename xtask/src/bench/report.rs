//! The file of benchmark results: what the explorer reads as `bench.json`.
//!
//! # Schema `costack-bench/1`
//!
//! One JSON object. Times are nanoseconds for one iteration, as numbers with a fraction. A reader must
//! refuse a `schema` whose number it does not know, and ignore members that it does not know; the
//! number grows when a member changes its meaning or goes away.
//!
//! | member | type | meaning |
//! |---|---|---|
//! | `schema` | string | `costack-bench/1` |
//! | `reference` | boolean | true: the committed results of another machine, not measured here |
//! | `measured_at` | string | RFC 3339, UTC: when the newest result was measured; empty without results |
//! | `commit` | string | the commit measured, `-dirty` behind it if files were changed; may be empty |
//! | `rustc` | string | what `rustc --version` says; may be empty |
//! | `machine.cpu` | string | the processor's model; may be empty |
//! | `machine.cores` | number | how many threads of it there are to use |
//! | `machine.os`, `machine.arch` | string | as Rust names them: `linux`, `x86_64` |
//! | `machine.kernel` | string | the kernel's release; may be empty |
//! | `results` | array | one object for each bench, in the order of `id` |
//!
//! Each result:
//!
//! | member | type | meaning |
//! |---|---|---|
//! | `id` | string | Criterion's full name: group, function and parameter, with `/` between |
//! | `group` | string | the group |
//! | `function` | string or null | the function within it: here, who is measured |
//! | `parameter` | string or null | what it was measured with, such as an image's size |
//! | `throughput` | object or null | `unit` (`bytes` or `elements`) and `per_iteration` |
//! | `measured_at` | string | when this one was measured |
//! | `median`, `mean` | object | `estimate`, and the confidence interval from `low` to `high` |
//! | `std_dev` | number | the standard deviation |

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// The schema that this module writes and reads.
pub const SCHEMA: &str = "costack-bench/1";

/// All results with where they come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub reference: bool,
    pub measured_at: String,
    pub commit: String,
    pub rustc: String,
    pub machine: Machine,
    pub results: Vec<Outcome>,
}

/// What measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub os: String,
    pub arch: String,
    pub kernel: String,
}

/// The result of one bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub id: String,
    pub group: String,
    pub function: Option<String>,
    pub parameter: Option<String>,
    pub throughput: Option<Throughput>,
    pub measured_at: String,
    pub median: Estimate,
    pub mean: Estimate,
    pub std_dev: f64,
}

/// How much one iteration does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    pub unit: String,
    pub per_iteration: u64,
}

/// A time with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

impl Report {
    /// The report where nothing was measured and no reference is committed.
    pub fn empty() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            reference: true,
            ..Self::default()
        }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// When the file is none, or of another schema.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        let report: Self = serde_json::from_str(&text)?;
        ensure!(
            report.schema == SCHEMA,
            "its schema is {}, not {SCHEMA}",
            report.schema
        );
        Ok(report)
    }

    /// Writes the report under another name first, so that a reader never sees a part of it.
    pub fn write(&self, file: &Path) -> Result<()> {
        let folder = file.parent().context("a report needs a folder")?;
        fs::create_dir_all(folder)?;
        let partial = file.with_extension("json.partial");
        fs::write(&partial, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("could not write {}", partial.display()))?;
        Ok(fs::rename(&partial, file)?)
    }
}
