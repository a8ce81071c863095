//! The file of benchmark results: what the suite writes, the report shows, and the explorer reads as
//! `bench.json`.
//!
//! # Schema `costack-bench/1`
//!
//! One JSON object. Times are nanoseconds for one operation, as numbers with a fraction. A reader must
//! refuse a `schema` whose number it does not know, and ignore members that it does not know; the
//! number grows when a member changes its meaning or goes away. Members marked with + may be missing:
//! only the suite (`cargo xtask bench`) writes them, not what was gathered from a plain `cargo bench`.
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
//! | `results` | array | [`Outcome`]: one object for each bench, in the order of `id` |
//! | `suite` + | object | [`Suite`]: how it was measured |
//! | `groups` + | array | [`Group`]: what the results of one group are about, in the report's order |
//! | `bars` + | array | [`Bar`]: what is promised, what was measured, whether it holds |
//! | `fits` + | array | [`Fit`]: lines fitted through the results, with their slopes |
//! | `memory` + | array | [`Stage`]: resident bytes at each stage of making many tasks |
//! | `instructions` + | array | [`Instructions`]: what callgrind counts for each switch path |
//! | `echo` + | array | [`Echo`]: requests per second of the echo servers |
//! | `skipped` + | array | [`Skipped`]: what could not be measured here, and why |
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
//! | `median`, `mean` | object | `estimate`, and the 95 % confidence interval from `low` to `high` |
//! | `std_dev` | number | the standard deviation |
//! | `quartiles` + | object | `low` and `high`: the middle half of the rounds lies between |
//! | `ratio` + | object | [`Spread`]: to the yardstick of the same round; see [`Suite::yardstick`] |
//! | `rounds` + | number | how many rounds it was measured in |
//! | `facts` + | object | further numbers by name, such as `hit_ratio` |
//!
//! The members of the others are documented with their types here; the file has them under the same
//! names.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

/// The schema that this package writes and reads.
pub const SCHEMA: &str = "costack-bench/1";

/// All results with where they come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Whether these are the committed results of another machine.
    pub reference: bool,
    /// When the newest was measured, RFC 3339; empty without results.
    pub measured_at: String,
    /// The commit measured; may be empty.
    pub commit: String,
    /// What `rustc --version` says; may be empty.
    pub rustc: String,
    /// What measured.
    pub machine: Machine,
    /// How it was measured, where the suite did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// What is promised, and whether it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bars: Vec<Bar>,
    /// What the results of a group are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// One for each bench.
    pub results: Vec<Outcome>,
    /// Lines fitted through results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<Fit>,
    /// Resident memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<Stage>,
    /// Instructions of the switch paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<Instructions>,
    /// The echo servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub echo: Vec<Echo>,
    /// What could not be measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
}

/// What measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model; may be empty.
    pub cpu: String,
    /// How many threads of it there are to use.
    pub cores: usize,
    /// As Rust names it.
    pub os: String,
    /// As Rust names it.
    pub arch: String,
    /// The kernel's release; may be empty.
    pub kernel: String,
}

/// How the suite measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// `smoke`, `quick` or `full`.
    pub mode: String,
    /// How long all of it took.
    pub seconds: f64,
    /// The result that every [`Outcome::ratio`] is to: it runs once in each round beside the others.
    pub yardstick: String,
    /// The commands that repeat this.
    pub commands: Vec<String>,
}

/// What the results of one group are about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// As in [`Outcome::group`].
    pub id: String,
    /// A heading.
    pub title: String,
    /// What is done, in a sentence or two.
    pub about: String,
    /// What one operation is: `round trip`.
    pub per: String,
    /// What the parameter counts, where there is one: `bytes of the image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axis: Option<String>,
    /// Peers that cannot do this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<Skipped>,
}

/// Something that was not measured, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What or who.
    pub what: String,
    /// Why, as a sentence without its full stop.
    pub why: String,
}

/// The result of one bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Group, function and parameter, with `/` between.
    pub id: String,
    /// The group.
    pub group: String,
    /// Who is measured.
    pub function: Option<String>,
    /// What with, such as an image's size.
    pub parameter: Option<String>,
    /// How much one iteration does.
    pub throughput: Option<Throughput>,
    /// When.
    pub measured_at: String,
    /// Nanoseconds of one operation.
    pub median: Estimate,
    /// Nanoseconds of one operation.
    pub mean: Estimate,
    /// Nanoseconds.
    pub std_dev: f64,
    /// Nanoseconds: the middle half of the rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quartiles: Option<Quartiles>,
    /// To the yardstick in the same round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Spread>,
    /// How many rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<usize>,
    /// Further numbers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, f64>,
}

impl Outcome {
    /// The parameter as a number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.parameter.as_ref()?.parse().ok()
    }

    /// Who is measured; empty where nothing says so.
    #[must_use]
    pub fn who(&self) -> &str {
        self.function.as_deref().unwrap_or_default()
    }
}

/// How much one iteration does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// `bytes` or `elements`.
    pub unit: String,
    /// How many.
    pub per_iteration: u64,
}

/// A time with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub estimate: f64,
    /// Where the 95 % confidence interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// The first and the third quartile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// A quarter of the values is not above.
    pub low: f64,
    /// A quarter of the values is not below.
    pub high: f64,
}

/// A median with its quartiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The first quartile.
    pub low: f64,
    /// The third quartile.
    pub high: f64,
}

/// What is promised, and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// `design`, `native engine` or `runtime`: who promises it.
    pub source: String,
    /// What is compared with what.
    pub what: String,
    /// What the number is: `ratio` or `bytes`.
    pub unit: String,
    /// The most that the promise allows, where it sets an upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// The least that the promise allows, where it sets a lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The median over all rounds, with quartiles; none where it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Spread>,
    /// Why there is no measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

impl Bar {
    /// Whether the promise holds; `None` where it was not measured.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        let value = self.measured?.median;
        Some(
            self.at_most.is_none_or(|most| value <= most)
                && self.at_least.is_none_or(|least| value >= least),
        )
    }
}

/// A line through results: `y = at + slope · x`, or over the logarithm of x to the base ten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The group of the results, or `memory`.
    pub group: String,
    /// Who.
    pub who: String,
    /// What the slope means: `ns per byte`.
    pub unit: String,
    /// Whether x is the logarithm to the base ten of the parameter.
    pub logarithmic: bool,
    /// The median of the slopes between all pairs of points (Theil and Sen).
    pub slope: f64,
    /// The median of what is left of y.
    pub at: f64,
    /// The largest distance of a point from the line, as a part of the point's value.
    pub off_by: f64,
}

/// Resident memory of a process at one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Who: `costack, shared stack`.
    pub who: String,
    /// What has just been done.
    pub stage: String,
    /// How many tasks there are.
    pub tasks: u64,
    /// Bytes of a suspended task's image, where it has one.
    pub image_bytes: u64,
    /// Resident bytes of the whole process beyond those before the first task.
    pub resident_bytes: u64,
}

impl Stage {
    /// Resident bytes of each task.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.resident_bytes as f64 / self.tasks.max(1) as f64
    }
}

/// Instructions of one operation, as callgrind counts them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instructions {
    /// The switch path.
    pub path: String,
    /// Of one round trip.
    pub instructions: u64,
    /// What is recorded for this compiler, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<u64>,
}

/// One echo server under load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// Who serves.
    pub who: String,
    /// Connections open at the same time.
    pub connections: u64,
    /// Requests answered in a second, over the rounds.
    pub per_second: Spread,
    /// Requests answered in a second, round by round; the servers take turns within a round.
    pub rounds: Vec<f64>,
    /// Microseconds within which 99 of 100 requests were answered; the median over the rounds.
    pub p99_us: f64,
}

impl Report {
    /// The report where nothing was measured and no reference is committed.
    #[must_use]
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
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let folder = file.parent().context("a report needs a folder")?;
        fs::create_dir_all(folder)?;
        let partial = file.with_extension("json.partial");
        let value = serde_json::to_value(self)?;
        fs::write(&partial, serde_json::to_string_pretty(&value)? + "\n")
            .with_context(|| format!("could not write {}", partial.display()))?;
        Ok(fs::rename(&partial, file)?)
    }

    /// What is wrong with a report of the suite: series that are missing, empty, or hold what is no
    /// time. Empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for group in &self.groups {
            if !self.results.iter().any(|result| result.group == group.id) {
                faults.push(format!("the group {} is empty", group.id));
            }
        }
        for result in &self.results {
            if !self.groups.iter().any(|group| group.id == result.group) {
                faults.push(format!("{} is of no group", result.id));
            }
            let Some((quartiles, ratio)) = result.quartiles.zip(result.ratio) else {
                faults.push(format!("{} has no quartiles or no ratio", result.id));
                continue;
            };
            let Estimate {
                estimate,
                low,
                high,
            } = result.median;
            let ordered = low <= estimate && estimate <= high;
            let within = quartiles.low <= estimate && estimate <= quartiles.high;
            let times = [estimate, result.mean.estimate, ratio.median];
            let are_times = times.iter().all(|time| time.is_finite() && *time > 0.0);
            if !(ordered && within && are_times && result.std_dev.is_finite()) {
                faults.push(format!("{} holds what is no time", result.id));
            }
            if result.facts.values().any(|fact| !fact.is_finite()) {
                faults.push(format!("{} has a fact that is no number", result.id));
            }
        }
        for fit in &self.fits {
            if !(fit.slope.is_finite() && fit.at.is_finite() && fit.off_by.is_finite()) {
                faults.push(format!(
                    "the fit of {} in {} is no line",
                    fit.who, fit.group
                ));
            }
        }
        for bar in &self.bars {
            if bar.measured.is_none() && bar.why_not.is_none() {
                faults.push(format!(
                    "the bar {:?} says neither what nor why not",
                    bar.what
                ));
            }
            if bar
                .measured
                .is_some_and(|spread| !spread.median.is_finite())
            {
                faults.push(format!("the bar {:?} is no number", bar.what));
            }
        }
        let lists = [
            ("bars", self.bars.len()),
            ("groups", self.groups.len()),
            ("results", self.results.len()),
            ("fits", self.fits.len()),
            ("memory", self.memory.len()),
        ];
        for (name, len) in lists {
            if len == 0 {
                faults.push(format!("there are no {name}"));
            }
        }
        if self.suite.is_none() {
            faults.push("nothing says how it was measured".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(time: f64) -> Outcome {
        let estimate = Estimate {
            estimate: time,
            low: time - 1.0,
            high: time + 1.0,
        };
        Outcome {
            id: "g/costack".into(),
            group: "g".into(),
            function: Some("costack".into()),
            parameter: None,
            throughput: None,
            measured_at: String::new(),
            median: estimate,
            mean: estimate,
            std_dev: 0.1,
            quartiles: Some(Quartiles {
                low: time - 0.5,
                high: time + 0.5,
            }),
            ratio: Some(Spread {
                median: 1.0,
                low: 1.0,
                high: 1.0,
            }),
            rounds: Some(5),
            facts: BTreeMap::new(),
        }
    }

    fn whole() -> Report {
        Report {
            suite: Some(Suite::default()),
            bars: vec![Bar {
                why_not: Some("so".into()),
                ..Bar::default()
            }],
            groups: vec![Group {
                id: "g".into(),
                ..Group::default()
            }],
            results: vec![outcome(3.0)],
            fits: vec![Fit::default()],
            memory: vec![Stage::default()],
            ..Report::empty()
        }
    }

    #[track_caller]
    fn check(report: &Report, expected: &str) {
        let faults = report.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(expected), "{faults:?}");
    }

    #[test]
    fn finds_fault_with_nothing_that_is_whole() {
        assert_eq!(whole().faults(), [""; 0]);
    }

    #[test]
    fn finds_what_is_empty_missing_or_no_number() {
        let mut report = whole();
        report.results[0].median.estimate = f64::NAN;
        check(&report, "holds what is no time");

        let mut report = whole();
        report.results[0].mean.estimate = 0.0;
        check(&report, "holds what is no time");

        let mut report = whole();
        report.results[0].quartiles = None;
        check(&report, "no quartiles");

        let mut report = whole();
        report.groups.push(Group {
            id: "other".into(),
            ..Group::default()
        });
        check(&report, "the group other is empty");

        let mut report = whole();
        report.bars[0].why_not = None;
        check(&report, "neither what nor why not");

        let mut report = whole();
        report.memory.clear();
        check(&report, "there are no memory");

        let mut report = whole();
        report.fits[0].slope = f64::INFINITY;
        check(&report, "is no line");
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_not_read_back_as_one() {
        let mut report = whole();
        report.results[0].std_dev = f64::NAN;
        let file = std::env::temp_dir().join(format!("costack-schema-{}.json", std::process::id()));
        report.write(&file).unwrap();
        let read = Report::read(&file);
        let _ = fs::remove_file(&file);
        assert!(read.is_err(), "NaN is written as null, which is no number");
    }

    #[test]
    fn a_bar_holds_within_its_bounds_only() {
        let bar = |at_most, at_least, median| Bar {
            at_most,
            at_least,
            measured: Some(Spread {
                median,
                ..Spread::default()
            }),
            ..Bar::default()
        };
        assert_eq!(bar(Some(1.0), None, 1.0).holds(), Some(true));
        assert_eq!(bar(Some(1.0), None, 1.1).holds(), Some(false));
        assert_eq!(bar(None, Some(0.9), 0.8).holds(), Some(false));
        assert_eq!(bar(None, Some(0.9), 0.9).holds(), Some(true));
        assert_eq!(Bar::default().holds(), None);
    }
}
