//! Running all tests, part by part.
//!
//! Every part runs programs whose output, their closing lines included, goes to the user as it is. A
//! part that fails does not keep the others from running; the summary at the end names it. Adding a
//! part: a variant of [`Part`], and its arm in each of its methods.

mod capi;
mod part;
mod tools;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

pub use self::part::Part;
use crate::{
    context::Context,
    flags,
    progress::{say, spoken},
    setup,
};

/// How a part ended.
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Installs what the chosen parts need, runs them, and tells whether all of them passed.
pub fn test(context: &Context, flags: &flags::Test) -> Result<bool> {
    if flags.list {
        for part in Part::ALL {
            println!("{:9} {}", part.name(), part.purpose());
        }
        return Ok(true);
    }
    let parts = chosen(&flags.only)?;
    let started = Instant::now();
    prepare(context, &parts)?;
    let mut ends: Vec<(Part, Outcome, Duration)> = Vec::new();
    for part in parts {
        let started = Instant::now();
        let outcome = match part.obstacle() {
            Some(reason) => {
                say(format!("{}: skipped: {reason}", part.name()));
                Outcome::Skipped(reason)
            }
            None => {
                say(format!("{}: {}", part.name(), part.purpose()));
                match part.run(context, flags.filter.as_deref()) {
                    Ok(()) => Outcome::Passed,
                    Err(error) => {
                        say(format!("{}: FAILED: {error:#}", part.name()));
                        Outcome::Failed(format!("{error:#}"))
                    }
                }
            }
        };
        ends.push((part, outcome, started.elapsed()));
    }
    Ok(summarise(&ends, started.elapsed()))
}

fn chosen(only: &[String]) -> Result<Vec<Part>> {
    if only.is_empty() {
        return Ok(Part::ALL.to_vec());
    }
    let part = |name: &String| {
        let names = || Part::ALL.map(Part::name).join(", ");
        let found = Part::ALL.into_iter().find(|part| part.name() == name);
        found.with_context(|| format!("there is no part {name}; there are: {}", names()))
    };
    only.iter().map(part).collect()
}

/// Installs everything before the first test runs, so that whoever must type a password or is missing
/// a network learns it at once.
fn prepare(context: &Context, parts: &[Part]) -> Result<()> {
    let mut steps = setup::Steps::new();
    for part in parts {
        if part.obstacle().is_none() {
            steps.extend(part.needs(context)?);
        }
    }
    setup::ensure(context, &steps).or_else(|error| {
        let names = Part::ALL.map(Part::name).join(", ");
        bail!("{error:#}\n  Parts that do without it can be run with --only: {names}")
    })
}

/// Prints one line for each part; tells whether none failed.
fn summarise(ends: &[(Part, Outcome, Duration)], total: Duration) -> bool {
    say("summary");
    let mut all_passed = true;
    for (part, outcome, duration) in ends {
        let word = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Skipped(reason) => format!("skipped: {reason}"),
            Outcome::Failed(reason) => {
                all_passed = false;
                format!("FAILED: {}", reason.lines().next().unwrap_or_default())
            }
        };
        say(format!(
            "  {:9} {:>12}  {word}",
            part.name(),
            spoken(*duration)
        ));
    }
    let verdict = if all_passed {
        "all parts passed"
    } else {
        "some parts FAILED"
    };
    say(format!("{verdict} in {}, set-up included", spoken(total)));
    all_passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_chosen_by_its_name() {
        for part in Part::ALL {
            assert_eq!(chosen(&[part.name().to_owned()]).unwrap(), [part]);
        }
        assert!(chosen(&["nothing".to_owned()]).is_err());
    }

    #[test]
    fn a_failed_part_fails_the_whole() {
        let end = |outcome| vec![(Part::Host, outcome, Duration::ZERO)];
        assert!(summarise(&end(Outcome::Passed), Duration::ZERO));
        assert!(!summarise(
            &end(Outcome::Failed("so".into())),
            Duration::ZERO
        ));
    }
}
