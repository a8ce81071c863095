//! The same scenario in other ways, each run to its end, side by side.

use costack_engine::event::Event;
use costack_sim::{
    gallery::{self, Scenario},
    program::Isa,
    variant::Stacks,
};

use super::{
    bench::Report,
    run::Run,
    scenario::{Text, title},
};

/// Steps after which a run is given up.
const STEPS: u64 = 500_000;

/// In which way a scenario is run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// On these stacks.
    Stacks(Stacks),
    /// On this instruction set.
    Isa(Isa),
    /// With the switch text of this style: the scenario's text with it.
    Style {
        /// What the style is called.
        name: String,
        /// The scenario, and behind it the style's text.
        text: Text,
    },
}

/// Ways that differ in one thing.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// What they differ in.
    pub name: &'static str,
    /// Each with what it came to.
    pub outcomes: Vec<Outcome>,
}

/// What one run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// How it was run.
    pub way: Way,
    /// Whether the page shows it in this way.
    pub is_shown: bool,
    /// What was counted, or why it cannot run.
    pub counts: Result<Counts, String>,
}

/// What a run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Counts {
    /// Times that sp moved to another task.
    pub switches: u64,
    /// Images copied out.
    pub saves: u64,
    /// Bytes copied, both ways.
    pub copied_bytes: u64,
    /// The largest image.
    pub largest_image: u32,
    /// Instructions executed.
    pub instructions: u64,
    /// Bytes of all stacks, save stacks and control blocks.
    pub memory_bytes: u64,
    /// What the resumes would take on the CPU that was measured, in nanoseconds, or why that
    /// cannot be told.
    pub time: Result<f64, &'static str>,
    /// Whether the run came to its end.
    pub ended: bool,
}

/// Runs a scenario on stacks of each kind, on each instruction set, and with each style's switch.
pub fn compare(text: &Text, isa: Isa, stacks: Stacks, report: Option<&Report>) -> Vec<Section> {
    let time = |events: &[Event<_>]| report.map_or(Err("nothing measured"), |r| time(events, r));
    let kinds = [
        Stacks::AsWritten,
        Stacks::Shared(1),
        Stacks::Shared(2),
        Stacks::Shared(4),
        Stacks::Own,
    ];
    let kinds = kinds.map(|kind| Outcome {
        way: Way::Stacks(kind),
        is_shown: kind == stacks,
        counts: counts(text, isa, kind, time),
    });
    let isas = Isa::ALL.map(|other| Outcome {
        way: Way::Isa(other),
        is_shown: other == isa,
        counts: counts(text, other, stacks, |events| match other {
            Isa::X86_64 => time(events),
            Isa::I386 | Isa::Aarch64 => Err("measured on x86-64 only"),
        }),
    });
    let brings_its_own = text.has_switch();
    let styles = gallery::STYLES.iter().filter(|_| !brings_its_own);
    let styles = styles
        .filter_map(|style| with_style(text, style))
        .map(|way| {
            let text = match &way {
                Way::Style { text, .. } => text,
                Way::Stacks(_) | Way::Isa(_) => text,
            };
            let counts = counts(text, isa, stacks, |_| Err("not measured"));
            Outcome {
                is_shown: false,
                counts,
                way,
            }
        });
    let mut sections = vec![
        Section {
            name: "stacks",
            outcomes: kinds.to_vec(),
        },
        Section {
            name: "instruction set",
            outcomes: isas.to_vec(),
        },
        Section {
            name: "style of the switch",
            outcomes: styles.collect(),
        },
    ];
    sections.retain(|section| !section.outcomes.is_empty());
    sections
}

/// The scenario with a style's switch texts behind it; `None` if the style has none.
fn with_style(text: &Text, style: &Scenario) -> Option<Way> {
    // The texts stand last in the styles' files.
    let start = style.text.find("\nswitch ")?;
    let whole = format!("{}\n{}", text.whole.trim_end(), &style.text[start..]);
    let short = style.name.rsplit('/').next().unwrap_or(style.name);
    let file = text.file.trim_end_matches(".costack");
    Some(Way::Style {
        name: title(style).trim_start_matches("Style: ").to_owned(),
        text: Text::new(&format!("{file}+{short}.costack"), &whole),
    })
}

fn counts(
    text: &Text,
    isa: Isa,
    stacks: Stacks,
    time: impl Fn(&[Event<costack_engine::sched::TaskId>]) -> Result<f64, &'static str>,
) -> Result<Counts, String> {
    let opened = Run::open(text, isa, stacks);
    let mut run = opened.map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(String::new, |problem| problem.message)
    })?;
    let ended = !run.hurry(STEPS);
    run.look();
    let counted = run.now.statistics;
    Ok(Counts {
        switches: counted.switches,
        saves: counted.saves,
        copied_bytes: counted.saved_bytes + counted.restored_bytes,
        largest_image: counted.largest_image,
        instructions: counted.instructions,
        memory_bytes: counted.memory_bytes,
        time: time(&run.events()),
        ended,
    })
}

/// The round trips as measured: one with an eviction for each save, one without for the others.
fn time<K: Copy>(events: &[Event<K>], report: &Report) -> Result<f64, &'static str> {
    let own = report.our_round_trip().ok_or("no round trip measured")?;
    let curve = report.our_curve().ok_or("no copies measured")?;
    let mut total = 0.0;
    let mut saved = None;
    for event in events {
        match event {
            Event::Save { bytes, .. } => saved = Some(*bytes),
            Event::Resume { .. } => {
                total += match saved.take() {
                    Some(bytes) => curve
                        .at(bytes.into())
                        .ok_or("images of other sizes than measured")?,
                    None => own,
                };
            }
            _ => {}
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(name: &str) -> Vec<Section> {
        let scenario = gallery::all().find(|scenario| scenario.name == name);
        let scenario = scenario.expect("it is in the gallery");
        let text = Text::new(&scenario.file(), scenario.text);
        compare(&text, Isa::X86_64, Stacks::AsWritten, None)
    }

    #[test]
    fn all_ways_switch_alike() {
        let sections = sections("two_tasks_shared");
        assert_eq!(sections.len(), 3);
        let all: Vec<_> = sections.iter().flat_map(|s| &s.outcomes).collect();
        let count = |outcome: &Outcome| outcome.counts.as_ref().ok().map(|counts| counts.switches);
        for outcome in &all {
            assert_eq!(count(outcome), count(all[0]), "{:?}", outcome.way);
            assert!(outcome.counts.as_ref().is_ok_and(|counts| counts.ended));
        }
    }

    #[test]
    fn own_stacks_copy_nothing() {
        let sections = sections("two_tasks_shared");
        let own = &sections[0].outcomes[4];
        let counts = own.counts.as_ref().expect("it runs");
        assert_eq!((counts.saves, counts.copied_bytes), (0, 0));
        let shared = sections[0].outcomes[0].counts.as_ref().expect("it runs");
        assert!(shared.copied_bytes > 0 && shared.memory_bytes < counts.memory_bytes);
    }

    #[test]
    fn a_scenario_with_a_switch_of_its_own_keeps_it() {
        let sections = sections("styles/pushed");
        assert!(
            sections
                .iter()
                .all(|section| section.name != "style of the switch")
        );
    }
}
