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
    /// Whether it shows a mistake, and ends in a fault where the simulator notices it.
    pub fn is_pitfall(&self) -> bool {
        self.name.starts_with("pitfalls/") && !self.name.ends_with("_fixed")
    }

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

/// Those that any backend runs, in the order in which they are best read.
pub const SCENARIOS: &[Scenario] = scenarios![
    "libaco_synopsis",
    "two_tasks_shared",
    "two_tasks_own",
    "deep_and_shallow",
    "designs/boot_overlap",
    "designs/round_robin",
    "designs/coop",
    "designs/pollers",
    "designs/libaco_lives",
    "designs/echo_server",
    "designs/waiting",
];

/// Other styles of switching: scenarios with a `switch` text, which only the simulator runs.
pub const STYLES: &[Scenario] = scenarios![
    "styles/ours",
    "styles/pushed",
    "styles/control_block",
    "styles/setjmp",
    "styles/frame_pointer",
];

/// Mistakes, each followed by its correction. They are the simulator's: a real CPU would not
/// notice, or worse.
pub const PITFALLS: &[Scenario] = scenarios![
    "pitfalls/register_forgotten",
    "pitfalls/register_forgotten_fixed",
    "pitfalls/vector_registers_forgotten",
    "pitfalls/vector_registers_forgotten_fixed",
    "pitfalls/resume_address_outside",
    "pitfalls/resume_address_outside_fixed",
    "pitfalls/topmost_word_lost",
    "pitfalls/topmost_word_lost_fixed",
    "pitfalls/rounding_leaks",
    "pitfalls/rounding_leaks_fixed",
    "pitfalls/freeing_the_occupant",
    "pitfalls/freeing_the_occupant_fixed",
    "pitfalls/entry_misaligned",
    "pitfalls/entry_misaligned_fixed",
    "pitfalls/restore_on_its_own_stack",
    "pitfalls/restore_on_its_own_stack_fixed",
    "pitfalls/sp_in_the_heap",
    "pitfalls/sp_in_the_heap_fixed",
];

/// The whole gallery.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(STYLES).chain(PITFALLS)
}
