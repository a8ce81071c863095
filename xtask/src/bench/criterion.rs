//! Reading what Criterion leaves: for each bench a folder `new` with `benchmark.json`, which names the
//! bench, and `estimates.json`, which holds its times in nanoseconds.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, Result};
use costack_bench_schema::{Estimate, Outcome, Throughput};
use serde::Deserialize;

/// A result, and when it was measured.
pub struct Found {
    pub result: Outcome,
    pub measured: SystemTime,
}

/// All results below Criterion's folder, in the order of their names; none if there is no such folder.
///
/// # Errors
/// When a result is there and cannot be read.
pub fn results(folder: &Path) -> Result<Vec<Found>> {
    let mut folders = Vec::new();
    find_results(folder, &mut folders)?;
    let mut results = folders
        .iter()
        .map(|folder| result(folder).with_context(|| format!("in {}", folder.display())))
        .collect::<Result<Vec<_>>>()?;
    results.sort_by(|a, b| a.result.id.cmp(&b.result.id));
    Ok(results)
}

fn find_results(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("new") && path.join("estimates.json").is_file() {
            found.push(path);
        } else if path.is_dir() {
            find_results(&path, found)?;
        }
    }
    Ok(())
}

fn result(folder: &Path) -> Result<Found> {
    let bench: Bench = serde_json::from_str(&fs::read_to_string(folder.join("benchmark.json"))?)?;
    let file = folder.join("estimates.json");
    let estimates: Estimates = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let measured = file.metadata()?.modified()?;
    let result = Outcome {
        id: bench.full_id,
        group: bench.group_id,
        function: bench.function_id,
        parameter: bench.value_str,
        throughput: bench.throughput.as_ref().and_then(throughput),
        measured_at: humantime::format_rfc3339_seconds(measured).to_string(),
        median: estimate(&estimates.median),
        mean: estimate(&estimates.mean),
        std_dev: estimates.std_dev.point_estimate,
        quartiles: None,
        ratio: None,
        rounds: None,
        facts: BTreeMap::new(),
    };
    Ok(Found { result, measured })
}

/// Criterion writes `{"Bytes": 64}` or `{"Elements": 1}`; other units have no place in the report.
fn throughput(value: &serde_json::Value) -> Option<Throughput> {
    [("Bytes", "bytes"), ("Elements", "elements")]
        .iter()
        .find_map(|(criterions, ours)| {
            let per_iteration = value.get(criterions)?.as_u64()?;
            Some(Throughput {
                unit: (*ours).to_owned(),
                per_iteration,
            })
        })
}

#[derive(Deserialize)]
struct Bench {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<serde_json::Value>,
    full_id: String,
}

#[derive(Deserialize)]
struct Estimates {
    mean: Criterions,
    median: Criterions,
    std_dev: Criterions,
}

#[derive(Deserialize)]
struct Criterions {
    confidence_interval: Interval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

fn estimate(theirs: &Criterions) -> Estimate {
    Estimate {
        estimate: theirs.point_estimate,
        low: theirs.confidence_interval.lower_bound,
        high: theirs.confidence_interval.upper_bound,
    }
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    /// Writes one result as Criterion 0.8 does.
    pub fn write_result(folder: &Path, nanoseconds: f64) {
        let estimate = |value: f64| {
            json!({
                "confidence_interval":
                    {"confidence_level": 0.95, "lower_bound": value - 0.5, "upper_bound": value + 0.5},
                "point_estimate": value,
                "standard_error": 0.01,
            })
        };
        let bench = json!({
            "group_id": "round trip", "function_id": "costack", "value_str": "64",
            "throughput": {"Bytes": 64}, "full_id": "round trip/costack/64",
            "directory_name": "round trip/costack/64", "title": "round trip/costack/64",
        });
        let estimates = json!({
            "mean": estimate(nanoseconds + 1.0), "median": estimate(nanoseconds),
            "median_abs_dev": estimate(0.1), "slope": null, "std_dev": estimate(0.2),
        });
        let new = folder.join("round trip/costack/64/new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("benchmark.json"), bench.to_string()).unwrap();
        fs::write(new.join("estimates.json"), estimates.to_string()).unwrap();
        // Criterion keeps the run before beside it, and a report folder without estimates.
        fs::create_dir_all(folder.join("round trip/costack/64/base")).unwrap();
        fs::create_dir_all(folder.join("report")).unwrap();
    }

    #[test]
    fn reads_what_criterion_wrote() {
        let folder = std::env::temp_dir().join(format!("costack-criterion-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        assert!(results(&folder).unwrap().is_empty());
        write_result(&folder, 3.25);
        let found = results(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let [Found { result, .. }] = &found[..] else {
            panic!("{} results", found.len())
        };
        assert_eq!(result.id, "round trip/costack/64");
        assert_eq!(
            (&*result.group, result.function.as_deref()),
            ("round trip", Some("costack"))
        );
        assert_eq!(result.parameter.as_deref(), Some("64"));
        assert_eq!(
            result
                .throughput
                .as_ref()
                .map(|t| (&*t.unit, t.per_iteration)),
            Some(("bytes", 64))
        );
        assert_eq!(
            result.median,
            Estimate {
                estimate: 3.25,
                low: 2.75,
                high: 3.75
            }
        );
        assert_eq!(result.mean.estimate, 4.25);
        assert_eq!(result.std_dev, 0.2);
    }
}
