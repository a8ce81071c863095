//! Instructions of the switch paths, counted by callgrind. They repeat exactly, so one more is seen.
//!
//! `suite count PATH TRIPS` makes that many round trips; two such runs under callgrind differ by the
//! instructions of the trips between them. What a compiler makes of the paths is recorded in
//! `benches/instructions.json`, by its version.

use crate::case::Runner;
use crate::peer::{self, SHAPES};
use crate::ring::{How, PADDINGS, Ring};
use anyhow::{Context as _, Result, bail, ensure};
use costack_bench_schema::Instructions;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// A path, and what makes its round trips.
type PathOf = (&'static str, fn() -> Runner);

/// All paths. Above 256 B an image is copied by the C library, whose instructions depend on the CPU.
pub const PATHS: &[PathOf] = &[
    ("root_yields", || shape(false, 0)),
    ("helper_yields", || shape(false, 1)),
    ("four_deep", || shape(false, 2)),
    ("resume_not_inlined", || shape(false, 3)),
    ("root_yields_fp", || shape(true, 0)),
    ("shared_smallest_image", || ring(PADDINGS[0], false)),
    ("shared_smallest_image_fp", || ring(PADDINGS[0], true)),
    ("shared_medium_image", || ring(PADDINGS[3], false)),
];

/// The first path with one instruction added to each trip: whoever counts must see it.
pub const PLANTED: PathOf = ("root_yields_and_one", peer::costack::root_and_one);

fn shape(fp: bool, at: usize) -> Runner {
    debug_assert!(at < SHAPES.len());
    let mut shapes: Vec<Runner> = peer::costack::shapes(fp).into();
    shapes.swap_remove(at)
}

fn ring(padding: usize, fp: bool) -> Runner {
    let mut ring = Ring::new(4, padding, fp, How::PLAIN);
    crate::case::timed(move |trips| ring.turn(trips))
}

/// Makes round trips, for callgrind to count.
///
/// # Errors
/// When there is no such path.
pub fn run(path: &str, trips: u64) -> Result<()> {
    let mut paths = PATHS.iter().chain([&PLANTED]);
    let (_, make) = paths
        .find(|(name, _)| *name == path)
        .with_context(|| format!("there is no path {path}"))?;
    let mut run = make();
    // Whatever is done once is done now.
    run(16);
    run(trips);
    Ok(())
}

/// Round trips of the shorter run, and of the longer one.
const TRIPS: [u64; 2] = [1000, 3000];

/// Counts all paths; `folder` is for callgrind's files.
///
/// # Errors
/// When callgrind is missing, when counts do not repeat, or when an instruction that was added is
/// not seen.
pub fn count(program: &Path, folder: &Path) -> Result<Vec<Instructions>> {
    ensure!(
        !cfg!(debug_assertions),
        "instructions are counted in a release build only"
    );
    std::fs::create_dir_all(folder)?;
    let recorded = recorded()?;
    let mut all = Vec::new();
    for (path, _) in PATHS {
        all.push(Instructions {
            path: (*path).to_owned(),
            instructions: per_trip(program, folder, path)?,
            recorded: recorded.get(*path).copied(),
        });
    }
    let planted = per_trip(program, folder, PLANTED.0)?;
    ensure!(
        planted == all[0].instructions + 1,
        "an instruction was added to {}, and {planted} were counted after {}",
        all[0].path,
        all[0].instructions
    );
    Ok(all)
}

fn per_trip(program: &Path, folder: &Path, path: &str) -> Result<u64> {
    let mut totals = Vec::new();
    for trips in TRIPS {
        totals.push(total(program, folder, path, trips)?);
    }
    let (trips, more) = (TRIPS[1] - TRIPS[0], totals[1] - totals[0]);
    let whole = more / trips;
    // A few instructions differ with the number itself, such as those that parse it.
    ensure!(
        more % trips < trips / 20 || more % trips > trips - trips / 20,
        "{path} takes {more} instructions for {trips} trips: they are not all alike"
    );
    Ok(if more % trips > trips / 2 {
        whole + 1
    } else {
        whole
    })
}

fn total(program: &Path, folder: &Path, path: &str, trips: u64) -> Result<u64> {
    let file = folder.join(format!("callgrind.{path}.{trips}"));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["count", path, &trips.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("valgrind could not be started (Debian: apt-get install valgrind)")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("callgrind ended with {}: {}", output.status, said.trim());
    }
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("callgrind has not written {}", file.display()))?;
    total_in(&text).with_context(|| format!("{} has no total", file.display()))
}

/// Callgrind's files end with `totals: N`.
fn total_in(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .rev()
        .find(|line| line.starts_with("totals:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Who compiled this: `1.95.0 x86_64`. Another compiler makes other instructions.
#[must_use]
pub fn compiler() -> String {
    format!("{} {}", env!("COSTACK_RUSTC"), std::env::consts::ARCH)
}

type Recorded = BTreeMap<String, BTreeMap<String, u64>>;

fn all_recorded() -> Result<Recorded> {
    serde_json::from_str(include_str!("../instructions.json"))
        .context("benches/instructions.json is damaged")
}

/// What is recorded for this compiler; empty where nothing is.
///
/// # Errors
/// When the file is damaged.
pub fn recorded() -> Result<BTreeMap<String, u64>> {
    Ok(all_recorded()?.remove(&compiler()).unwrap_or_default())
}

/// Records what was counted, in place of what was recorded for this compiler before.
///
/// # Errors
/// When the file is damaged or cannot be written.
pub fn record(counted: &[Instructions], file: &Path) -> Result<()> {
    let mut all = all_recorded()?;
    let counts = counted
        .iter()
        .map(|path| (path.path.clone(), path.instructions))
        .collect();
    all.insert(compiler(), counts);
    std::fs::write(file, serde_json::to_string_pretty(&all)? + "\n")
        .with_context(|| format!("could not write {}", file.display()))
}

/// What is wrong with the counts, in words: more instructions than recorded, or fewer, which must be
/// recorded to be kept.
#[must_use]
pub fn complaints(counted: &[Instructions]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Instructions {
        path,
        instructions,
        recorded,
    } in counted
    {
        if let Some(recorded) = recorded
            && instructions > recorded
        {
            complaints.push(format!(
                "{path} takes {instructions} instructions; {recorded} are recorded"
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(instructions: u64, recorded: Option<u64>) -> Vec<Instructions> {
        vec![Instructions {
            path: "root_yields".to_owned(),
            instructions,
            recorded,
        }]
    }

    #[test]
    fn one_instruction_more_is_a_complaint() {
        assert_eq!(complaints(&counted(17, Some(17))), [""; 0]);
        assert_eq!(complaints(&counted(16, Some(17))), [""; 0]);
        assert_eq!(complaints(&counted(18, None)), [""; 0]);
        let complaints = complaints(&counted(18, Some(17)));
        assert!(complaints[0].contains("18") && complaints[0].contains("17"));
    }

    #[test]
    fn every_path_makes_its_round_trips() {
        for (path, _) in PATHS {
            run(path, 10).unwrap();
        }
        run(PLANTED.0, 10).unwrap();
        assert!(run("nothing", 1).is_err());
    }

    #[test]
    fn reads_the_total_that_callgrind_writes() {
        assert_eq!(
            total_in("events: Ir\nfn=(1) main\n5 9\ntotals: 1234\n"),
            Some(1234)
        );
        assert_eq!(total_in("events: Ir\n"), None);
    }

    #[test]
    fn what_is_recorded_is_whole() {
        for counts in all_recorded().unwrap().values() {
            for (path, _) in PATHS {
                assert!(counts.contains_key(*path), "{path} is not recorded");
            }
        }
    }
}
