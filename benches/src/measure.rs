//! Interleaved rounds: in each, every case of a batch runs once, and the yardstick beside them, in an
//! order that changes from round to round. In an order that stays, a scheduler that interrupts every
//! so often hits the same case each time.

use crate::case::{Group, Runner, Size};
use crate::peer;
use crate::ring::Chance;
use crate::statistics;
use costack_bench_schema::{self as schema, Outcome};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What every ratio is to: corosensei's round trip, its root yielding.
pub const YARDSTICK: &str = "corosensei, root yields";

/// How long one case runs in one round, and how many rounds there are. Many short samples are better
/// than a few long ones: most of them then fall between two interruptions, and the median is one of
/// these.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// For each case in each round.
    pub sample: Duration,
    /// At least five, so that a median says something.
    pub rounds: usize,
    /// After so long no further round begins, except the first [`ROUNDS_AT_LEAST`].
    pub limit: Duration,
}

/// So many rounds there are, however long they take.
pub const ROUNDS_AT_LEAST: usize = 5;

impl Effort {
    /// What fits the time that this size may take.
    #[must_use]
    pub fn of(size: Size) -> Self {
        Effort {
            sample: size.pick(
                Duration::from_micros(20),
                Duration::from_micros(250),
                Duration::from_micros(500),
            ),
            rounds: size.pick(5, 61, 401),
            limit: Duration::from_secs(size.pick(1, 3, 25)),
        }
    }
}

/// All samples of one case.
pub struct Measured {
    /// Its group.
    pub group: String,
    /// Who.
    pub who: &'static str,
    /// What with.
    pub parameter: Option<u64>,
    /// Whether it is there to be compared with only.
    pub companion: bool,
    /// What else is known.
    pub facts: BTreeMap<String, f64>,
    /// Nanoseconds of one operation, round by round.
    pub samples: Vec<f64>,
    /// The yardstick's, in the same rounds.
    pub yardstick: Rc<[f64]>,
}

/// A run that seems long enough is tried so often before it is believed: it may have been interrupted.
/// A case that then ran too seldom in each sample would be measured with cold caches, in every round.
const PROBES: usize = 3;

/// How much longer a run may take than what is measured of it.
const OUTSIDE: f64 = 4.0;

/// A case that is being measured.
struct Running {
    run: Runner,
    times: u64,
    samples: Vec<f64>,
}

impl Running {
    /// Finds out how often it must run for a sample, which also warms it up. What is made outside
    /// of the measured part may take some times as long as that, and no longer.
    fn new(mut run: Runner, sample: Duration) -> Self {
        let mut times = 1;
        loop {
            let mut part = f64::INFINITY;
            for _ in 0..PROBES {
                let start = Instant::now();
                let took = run(times).as_secs_f64();
                let all = took.max(start.elapsed().as_secs_f64() / OUTSIDE);
                part = part.min(all.max(1e-9) / sample.as_secs_f64());
                if part < 0.5 {
                    break;
                }
            }
            if part >= 0.5 || times >= 1 << 40 {
                times = ((times as f64 / part) as u64).max(1);
                break;
            }
            times *= 2;
        }
        Running {
            run,
            times,
            samples: Vec::new(),
        }
    }

    fn sample(&mut self) {
        let took = (self.run)(self.times).max(Duration::from_nanos(1));
        self.samples
            .push(took.as_secs_f64() * 1e9 / self.times as f64);
    }
}

/// Measures all cases of a group. `tell` is called before each batch.
pub fn measure(group: Group, effort: Effort, mut tell: impl FnMut()) -> Vec<Measured> {
    let mut all = Vec::new();
    for batch in group.batches {
        tell();
        let mut cases = Vec::new();
        let mut running = vec![Running::new(yardstick(), effort.sample)];
        for case in batch {
            let made = (case.make)();
            running.push(Running::new(made.run, effort.sample));
            cases.push((case.who, case.parameter, case.companion, made.facts));
        }
        let mut order = Chance::new();
        let start = Instant::now();
        for round in 0..effort.rounds {
            if round >= ROUNDS_AT_LEAST && start.elapsed() > effort.limit {
                break;
            }
            for at in order.shuffled(running.len()) {
                running[at as usize].sample();
            }
        }
        let mut samples = running.into_iter().map(|running| running.samples);
        let yardstick: Rc<[f64]> = samples.next().expect("the yardstick is first").into();
        for ((who, parameter, companion, facts), samples) in cases.into_iter().zip(samples) {
            all.push(Measured {
                group: group.id.clone(),
                who,
                parameter,
                companion,
                facts,
                samples,
                yardstick: Rc::clone(&yardstick),
            });
        }
    }
    all
}

fn yardstick() -> Runner {
    let [root, ..] = peer::corosensei::shapes();
    root
}

/// The ratio of one to the sum of others, round by round; they are of one batch.
///
/// # Panics
/// When they were not measured in the same rounds.
#[must_use]
pub fn ratios(ours: &[f64], others: &[&[f64]]) -> Vec<f64> {
    assert!(others.iter().all(|other| other.len() == ours.len()));
    let ratio = |(round, time): (usize, &f64)| {
        let sum: f64 = others.iter().map(|other| other[round]).sum();
        time / sum
    };
    ours.iter().enumerate().map(ratio).collect()
}

impl Measured {
    /// As a result of the report.
    #[must_use]
    pub fn outcome(&self, measured_at: &str) -> Outcome {
        let parameter = self.parameter.map(|parameter| parameter.to_string());
        let mut id = format!("{}/{}", self.group, self.who);
        if let Some(parameter) = &parameter {
            id = format!("{id}/{parameter}");
        }
        let (mean, std_dev) = statistics::mean_estimate(&self.samples);
        let ratios = ratios(&self.samples, &[&self.yardstick]);
        Outcome {
            id,
            group: self.group.clone(),
            function: Some(self.who.to_owned()),
            parameter,
            throughput: None,
            measured_at: measured_at.to_owned(),
            median: statistics::median_estimate(&self.samples),
            mean,
            std_dev,
            quartiles: Some(statistics::quartiles(&self.samples)),
            ratio: Some(statistics::spread(&ratios)),
            rounds: Some(self.samples.len()),
            facts: self.facts.clone(),
        }
    }
}

/// What the report says about a group.
#[must_use]
pub fn described(group: &Group) -> schema::Group {
    schema::Group {
        id: group.id.clone(),
        title: group.title.to_owned(),
        about: group.about.to_owned(),
        per: group.per.to_owned(),
        axis: group.axis.map(str::to_owned),
        cannot: group.cannot.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use std::cell::RefCell;

    fn group(batches: Vec<Vec<Case>>) -> Group {
        Group {
            id: "g".to_owned(),
            title: "",
            about: "",
            per: "",
            axis: None,
            batches,
            cannot: Vec::new(),
        }
    }

    #[test]
    fn rounds_are_interleaved_and_batches_are_not() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let case = |who: &'static str| {
            let log = Rc::clone(&log);
            Case::new(who, move || {
                Box::new(move |times| {
                    log.borrow_mut().push(who);
                    Duration::from_nanos(100 * times)
                })
            })
        };
        let effort = Effort {
            sample: Duration::from_nanos(150),
            rounds: 5,
            limit: Duration::MAX,
        };
        let measured = measure(
            group(vec![vec![case("a"), case("b")], vec![case("c")]]),
            effort,
            || (),
        );
        // Three times for each to find out how often, then five rounds.
        let log = log.borrow().join("");
        assert_eq!((&log[..6], &log[16..]), ("aaabbb", "cccccccc"));
        let rounds: Vec<&str> = (3..8).map(|round| &log[2 * round..2 * round + 2]).collect();
        assert!(
            rounds.iter().all(|round| ["ab", "ba"].contains(round)),
            "{log}"
        );
        assert!(rounds.contains(&"ab") && rounds.contains(&"ba"), "{log}");
        assert_eq!(measured.len(), 3);
        for measured in measured {
            assert_eq!(measured.samples, [100.0; 5]);
            let outcome = measured.outcome("now");
            assert_eq!(outcome.median.estimate, 100.0);
            assert_eq!(outcome.rounds, Some(5));
            assert!(outcome.ratio.unwrap().median > 0.0);
        }
    }

    #[test]
    fn a_ratio_is_taken_within_its_round() {
        // The machine was half as fast in the second round: the ratio knows nothing of it.
        let ratios = ratios(&[2.0, 4.0], &[&[3.0, 6.0], &[1.0, 2.0]]);
        assert_eq!(ratios, [0.5, 0.5]);
    }
}
