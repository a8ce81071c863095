//! The same scenario on other stacks, run to its end, side by side.

use costack_engine::event::Event;
use costack_sim::{program::Isa, variant::Stacks};

use super::{bench::Report, run::Run, scenario::Text};

/// Steps after which a run is given up.
const STEPS: u64 = 500_000;

/// What one run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The stacks.
    pub stacks: Stacks,
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
    /// Bytes of all stacks, save stacks and control blocks.
    pub memory_bytes: u64,
    /// What the resumes would take on the CPU that was measured, in nanoseconds, or why that
    /// cannot be told.
    pub time: Result<f64, &'static str>,
    /// Whether the run came to its end.
    pub ended: bool,
}

/// Runs a scenario on stacks of each kind.
pub fn compare(text: &Text, isa: Isa, report: Option<&Report>) -> Vec<Outcome> {
    let kinds = [
        Stacks::AsWritten,
        Stacks::Shared(1),
        Stacks::Shared(2),
        Stacks::Shared(4),
        Stacks::Own,
    ];
    kinds
        .into_iter()
        .map(|stacks| outcome(text, isa, stacks, report))
        .collect()
}

fn outcome(text: &Text, isa: Isa, stacks: Stacks, report: Option<&Report>) -> Outcome {
    let counts = match Run::open(text, isa, stacks) {
        Ok(mut run) => {
            let ended = !run.hurry(STEPS);
            run.look();
            let counted = run.now.statistics;
            Ok(Counts {
                switches: counted.switches,
                saves: counted.saves,
                copied_bytes: counted.saved_bytes + counted.restored_bytes,
                memory_bytes: counted.memory_bytes,
                time: report.map_or(Err("nothing measured"), |report| {
                    time(&run.events(), report)
                }),
                ended,
            })
        }
        Err(problems) => Err(problems
            .first()
            .map(|problem| problem.message.clone())
            .unwrap_or_default()),
    };
    Outcome { stacks, counts }
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
