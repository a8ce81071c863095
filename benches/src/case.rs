//! What a bench is: a case in a group.

use costack_bench_schema::Skipped;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Does an operation that many times and tells how long the measured part took. What is made before
/// and dropped after is not in it.
pub type Runner = Box<dyn FnMut(u64) -> Duration>;

/// A runner all of which is measured.
pub fn timed(mut run: impl FnMut(u64) + 'static) -> Runner {
    Box::new(move |times| {
        let start = Instant::now();
        run(times);
        start.elapsed()
    })
}

/// A runner that is made when it is first needed, for what it needs is large.
pub type Make = Box<dyn FnOnce() -> Made>;

/// What [`Case::make`] makes.
pub struct Made {
    /// The bench.
    pub run: Runner,
    /// What is known now that it is made, such as how often a task is still on its stack.
    pub facts: BTreeMap<String, f64>,
}

impl From<Runner> for Made {
    fn from(run: Runner) -> Self {
        Made {
            run,
            facts: BTreeMap::new(),
        }
    }
}

/// One bench.
pub struct Case {
    /// Who is measured.
    pub who: &'static str,
    /// What with.
    pub parameter: Option<u64>,
    /// Makes the runner.
    pub make: Make,
    /// Whether it is there to be compared with only, and not a result of its group.
    pub companion: bool,
}

impl Case {
    /// A case without a parameter.
    pub fn new(who: &'static str, make: impl FnOnce() -> Runner + 'static) -> Self {
        Case {
            who,
            parameter: None,
            make: Box::new(move || make().into()),
            companion: false,
        }
    }

    /// A case with a parameter.
    pub fn with(
        who: &'static str,
        parameter: u64,
        make: impl FnOnce() -> Runner + 'static,
    ) -> Self {
        Case {
            parameter: Some(parameter),
            ..Case::new(who, make)
        }
    }

    /// The same, as a companion.
    pub fn companion(self) -> Self {
        Case {
            companion: true,
            ..self
        }
    }

    /// `who`, and behind a slash the parameter where there is one.
    pub fn name(&self) -> String {
        match self.parameter {
            Some(parameter) => format!("{}/{parameter}", self.who),
            None => self.who.to_owned(),
        }
    }
}

/// What those do, who can, and who cannot.
pub struct Group {
    /// As in file names: `own_round_trip/root_yields`.
    pub id: String,
    /// A heading.
    pub title: &'static str,
    /// What is done, in a sentence or two.
    pub about: &'static str,
    /// What one operation is.
    pub per: &'static str,
    /// What the parameter counts.
    pub axis: Option<&'static str>,
    /// Cases that are measured in turns: one of each in every round. What a batch makes is dropped
    /// before the next batch makes its own.
    pub batches: Vec<Vec<Case>>,
    /// Peers that cannot do it.
    pub cannot: Vec<Skipped>,
}

/// Someone who cannot do what a group does.
pub fn cannot(what: &str, why: &str) -> Skipped {
    Skipped {
        what: what.to_owned(),
        why: why.to_owned(),
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Every case a few times, to see that it works.
    Smoke,
    /// Two minutes.
    Quick,
    /// Twenty minutes.
    Full,
}

impl Size {
    /// Its name on the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Size::Smoke => "smoke",
            Size::Quick => "quick",
            Size::Full => "full",
        }
    }

    /// One of three values.
    pub fn pick<T>(self, smoke: T, quick: T, full: T) -> T {
        match self {
            Size::Smoke => smoke,
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}
