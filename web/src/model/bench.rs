//! Native benchmark results: `bench.json`, beside the page.
//!
//! The file's schema is documented with its writer, `costack-bench-schema`. Members that are not
//! shown here are not read; of the results, the page shows round trips and whole lives.

use serde::Deserialize;

/// What this page can read.
pub const SCHEMA: &str = "costack-bench/1";

/// The group whose results are curves: round trips on a shared stack, by the bytes of the image.
const CURVES: &str = "shared_round_trip";

/// The groups whose results are rows.
const ROWS: [&str; 2] = ["own_round_trip/", "life/create_run_drop"];

/// Who has a column in the rows: as many as there is room for. The report has all.
const COLUMNS: [&str; 3] = ["costack", "corosensei", "generator"];

/// All results with where they come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Report {
    schema: String,
    /// Whether these are the committed results of another machine.
    pub reference: bool,
    /// When the newest was measured, RFC 3339; empty without results.
    #[serde(default)]
    pub measured_at: String,
    /// The commit measured; may be empty.
    #[serde(default)]
    pub commit: String,
    /// What measured.
    #[serde(default)]
    pub machine: Machine,
    /// One for each bench.
    pub results: Vec<Outcome>,
}

/// JSON has no number that differs from itself, so a report equals itself: comparing one behind a
/// counted reference is comparing addresses.
impl Eq for Report {}

/// What measured.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Machine {
    /// The processor's model; may be empty.
    #[serde(default)]
    pub cpu: String,
}

/// The result of one bench.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Outcome {
    /// The group.
    pub group: String,
    /// Who is measured.
    pub function: Option<String>,
    /// What with, such as an image's size.
    pub parameter: Option<String>,
    /// Nanoseconds for one iteration.
    pub median: Estimate,
}

/// A time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub estimate: f64,
}

/// A line of the chart: time over image size.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Who is measured.
    pub name: String,
    /// Bytes and nanoseconds, the fewest bytes first.
    pub points: Vec<(f64, f64)>,
}

/// A row of the table: one situation, a time for each who was measured in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    /// What was measured.
    pub name: String,
    /// Who, and nanoseconds.
    pub times: Vec<(String, f64)>,
}

impl Report {
    /// Reads the file.
    ///
    /// # Errors
    /// In words, when it is not what this page can read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let report: Self = serde_json::from_str(text)
            .map_err(|error| format!("bench.json cannot be read: {error}"))?;
        if report.schema != SCHEMA {
            return Err(format!(
                "bench.json is of schema {:?}, this page reads {SCHEMA:?}",
                report.schema
            ));
        }
        Ok(report)
    }

    /// The processor that measured.
    pub fn cpu(&self) -> &str {
        match self.machine.cpu.as_str() {
            "" => "the CPU that measured",
            cpu => cpu,
        }
    }

    /// The round trips on a shared stack by the bytes of the image: those of each name are a curve.
    pub fn curves(&self) -> Vec<Curve> {
        let mut curves: Vec<Curve> = Vec::new();
        for result in self.results.iter().filter(|result| result.group == CURVES) {
            let Some((bytes, name)) = sized(result) else {
                continue;
            };
            let point = (bytes, result.median.estimate);
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    name,
                    points: vec![point],
                }),
            }
        }
        for curve in &mut curves {
            curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        // Ours first: it gets the page's own colour.
        curves.sort_by_key(|curve| !is_ours(&curve.name));
        curves
    }

    /// The round trips on own stacks: one row for each situation.
    pub fn situations(&self) -> Vec<Situation> {
        let mut rows: Vec<Situation> = Vec::new();
        let is_row = |result: &&Outcome| {
            let who = result.function.as_deref().unwrap_or_default();
            COLUMNS.contains(&who) && ROWS.iter().any(|row| result.group.starts_with(row))
        };
        for result in self.results.iter().filter(is_row) {
            let name = match &result.parameter {
                Some(parameter) => parameter.clone(),
                None => result
                    .group
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .replace('_', " "),
            };
            let who = result.function.clone().unwrap_or_default();
            let time = (who, result.median.estimate);
            match rows.iter_mut().find(|row| row.name == name) {
                Some(row) => row.times.push(time),
                None => rows.push(Situation {
                    name,
                    times: vec![time],
                }),
            }
        }
        for row in &mut rows {
            row.times.sort_by_key(|(who, _)| !is_ours(who));
        }
        rows.sort_by(|a, b| first_time(a).total_cmp(&first_time(b)));
        rows
    }

    /// Our own curve.
    pub fn our_curve(&self) -> Option<Curve> {
        self.curves().into_iter().find(|curve| is_ours(&curve.name))
    }

    /// Our own round trip without a copy, in nanoseconds: a task's first function yields.
    pub fn our_round_trip(&self) -> Option<f64> {
        let situations = self.situations();
        let root = situations.iter().find(|row| row.name == "root yields")?;
        root.times
            .iter()
            .find(|(who, _)| is_ours(who))
            .map(|(_, time)| *time)
    }

    /// Where it was measured, when, and what: `EPYC · 2026-11-20 · 3f2c1a9`.
    pub fn origin(&self) -> String {
        let date = self.measured_at.split('T').next().unwrap_or_default();
        [self.machine.cpu.as_str(), date, self.commit.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

/// Whether this name is Costack's own.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("costack")
}

/// A result's number of bytes and the other name, whichever comes first in the file.
fn sized(result: &Outcome) -> Option<(f64, String)> {
    let (function, parameter) = (result.function.as_ref()?, result.parameter.as_ref()?);
    [(function, parameter), (parameter, function)]
        .into_iter()
        .find_map(|(bytes, name)| {
            let digits = bytes.trim_end_matches('B').trim();
            let bytes = digits.parse::<u32>().ok()?;
            Some((f64::from(bytes), name.replace('_', " ")))
        })
}

fn first_time(row: &Situation) -> f64 {
    row.times.first().map_or(0.0, |(_, time)| *time)
}

impl Curve {
    /// The time for an image of this size, between the two sizes measured next to it; `None`
    /// outside of what was measured.
    pub fn at(&self, bytes: f64) -> Option<f64> {
        let exact = self.points.iter().find(|point| point.0 == bytes);
        let between = self
            .points
            .windows(2)
            .find(|pair| pair[0].0 < bytes && bytes < pair[1].0);
        exact.map(|point| point.1).or_else(|| {
            let [(x0, y0), (x1, y1)] = between?.try_into().ok()?;
            Some(y0 + (y1 - y0) * (bytes - x0) / (x1 - x0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "schema": "costack-bench/1", "reference": true, "measured_at": "2026-11-20T10:00:00Z",
        "commit": "3f2c1a9", "rustc": "", "machine": {"cpu": "Some CPU", "cores": 2},
        "results": [
            {"id": "", "group": "shared_round_trip", "function": "libaco", "parameter": "96",
             "median": {"estimate": 40.0, "low": 39, "high": 41}},
            {"id": "", "group": "shared_round_trip", "function": "256", "parameter": "costack",
             "median": {"estimate": 20.0, "low": 19, "high": 21}},
            {"id": "", "group": "shared_round_trip", "function": "costack", "parameter": "96",
             "median": {"estimate": 10.0, "low": 9, "high": 11}},
            {"id": "", "group": "working_set/random", "function": "costack", "parameter": "1000",
             "median": {"estimate": 30.0, "low": 9, "high": 11}},
            {"id": "", "group": "runtime/yield_now", "function": "may", "parameter": null,
             "median": {"estimate": 70.0, "low": 9, "high": 11}},
            {"id": "", "group": "own_round_trip/helper_yields", "function": "corosensei", "parameter": null,
             "median": {"estimate": 17.0, "low": 9, "high": 11}},
            {"id": "", "group": "own_round_trip/helper_yields", "function": "costack", "parameter": null,
             "median": {"estimate": 5.1, "low": 9, "high": 11}}
        ]}"#;

    #[test]
    fn makes_curves_of_sized_results() {
        let curves = Report::parse(TEXT).unwrap().curves();
        assert_eq!(curves[0].name, "costack");
        assert_eq!(curves[0].points, [(96.0, 10.0), (256.0, 20.0)]);
        assert_eq!(curves[1].points, [(96.0, 40.0)]);
    }

    #[test]
    fn reads_between_measured_sizes_and_never_beyond() {
        let curve = &Report::parse(TEXT).unwrap().curves()[0];
        assert_eq!(curve.at(96.0), Some(10.0));
        assert_eq!(curve.at(176.0), Some(15.0));
        assert_eq!(curve.at(8.0), None);
        assert_eq!(curve.at(512.0), None);
    }

    #[test]
    fn makes_rows_of_the_others() {
        let rows = Report::parse(TEXT).unwrap().situations();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].name, "helper yields");
        assert_eq!(
            rows[0].times,
            [("costack".to_owned(), 5.1), ("corosensei".to_owned(), 17.0)]
        );
    }

    #[test]
    fn shows_the_committed_reference() {
        let text = include_str!("../../../benches/reference.json");
        let report = Report::parse(text).unwrap();
        assert!(
            report
                .our_curve()
                .is_some_and(|curve| curve.points.len() > 3)
        );
        assert!(report.our_round_trip().is_some());
    }

    #[test]
    fn refuses_another_schema() {
        let error = Report::parse(&TEXT.replace("bench/1", "bench/2")).unwrap_err();
        assert!(error.contains("costack-bench/2"), "{error}");
        assert!(
            Report::parse("<html>")
                .unwrap_err()
                .contains("cannot be read")
        );
    }
}
