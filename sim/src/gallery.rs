//! The scenarios of `scenarios/`, for everyone who shows or runs them.

/// A scenario of the gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its path below `scenarios/`, without the ending: `two_tasks_shared`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Scenario {
    /// The name of its file, below `scenarios/`.
    pub fn file(&self) -> String {
        format!("{}.costack", self.name)
    }
}

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        &[$(Scenario {
            name: $name,
            text: include_str!(concat!("../../scenarios/", $name, ".costack")),
        }),*]
    };
}

/// All of them, in the order in which they are best read.
pub const SCENARIOS: &[Scenario] = scenarios![
    "libaco_synopsis",
    "two_tasks_shared",
    "two_tasks_own",
    "deep_and_shallow",
];
