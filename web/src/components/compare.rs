//! The same scenario in other ways, side by side.

use yew::prelude::*;

use super::{
    dialog::Dialog,
    header::{isa_name, spoken},
};
use crate::model::{
    compare::{Counts, Outcome, Section, Way},
    state::Action,
    text::{bytes, count, nanoseconds},
};

/// What the dialog shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// A table for each thing that ways differ in.
    pub sections: Vec<Section>,
    /// Where the times were measured.
    pub origin: AttrValue,
    /// Another way is to be shown.
    pub on_action: Callback<Action>,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// What is counted; on a small screen, each number bears the name of its column.
const COLUMNS: [&str; 7] = [
    "switches",
    "evictions",
    "bytes copied",
    "largest image",
    "memory",
    "instructions",
    "time of all resumes",
];

/// The same scenario in other ways, side by side.
#[component]
pub fn Compare(props: &Props) -> Html {
    let most = |value: fn(&Counts) -> u64| {
        let outcomes = props.sections.iter().flat_map(|section| &section.outcomes);
        let counts = outcomes.filter_map(|outcome| outcome.counts.as_ref().ok());
        counts.map(value).max().unwrap_or(0)
    };
    let most = Most {
        copied: most(|counts| counts.copied_bytes),
        memory: most(|counts| counts.memory_bytes),
        instructions: most(|counts| counts.instructions),
    };
    html! {
        <Dialog title="The same scenario in other ways" class="compare" on_close={&props.on_close}>
            <div class="scroll" tabindex="0" role="group" aria-label="Comparison">
                <table>
                    <thead><tr>
                        <th scope="col">{ "what differs" }</th>
                        { for COLUMNS.map(|name| html! { <th scope="col">{ name }</th> }) }
                        <th><span class="visually-hidden">{ "show" }</span></th>
                    </tr></thead>
                    { for props.sections.iter().map(|section| section_rows(section, &most, props)) }
                </table>
            </div>
            <p class="dim">
                { "Each is run to its end in the simulator. The time is that of the native round trips as \
                   measured, with an eviction where the simulator made one, without what the tasks do \
                   besides: " }
                { if props.origin.is_empty() { "nothing measured" } else { &props.origin } }
            </p>
        </Dialog>
    }
}

/// The largest of all, which bars are drawn against.
struct Most {
    copied: u64,
    memory: u64,
    instructions: u64,
}

fn section_rows(section: &Section, most: &Most, props: &Props) -> Html {
    html! {
        <tbody data-section={section.name}>
            <tr class="section"><th colspan="9" scope="rowgroup">{ section.name }</th></tr>
            { for section.outcomes.iter().map(|outcome| row(outcome, most, props)) }
        </tbody>
    }
}

fn row(outcome: &Outcome, most: &Most, props: &Props) -> Html {
    let (name, action) = match &outcome.way {
        Way::Stacks(stacks) => (spoken(*stacks), Action::SetStacks(*stacks)),
        Way::Isa(isa) => (isa_name(*isa).to_owned(), Action::SetIsa(*isa)),
        Way::Style { name, text } => (
            name.clone(),
            Action::Load(text.file.to_string(), text.whole.to_string()),
        ),
    };
    let onclick = {
        let (on_action, on_close) = (props.on_action.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_action.emit(action.clone());
            on_close.emit(());
        })
    };
    html! {
        <tr class={classes!(outcome.is_shown.then_some("shown"))}>
            <th scope="row">{ name.clone() }</th>
            { cells(outcome, most) }
            <td>
                if outcome.is_shown {
                    <span class="dim">{ "shown" }</span>
                } else if outcome.counts.is_ok() {
                    <button type="button" class="button small" {onclick}
                        aria-label={format!("Show: {name}")}>{ "Show" }</button>
                }
            </td>
        </tr>
    }
}

fn cells(outcome: &Outcome, most: &Most) -> Html {
    let counts = match &outcome.counts {
        Ok(counts) => counts,
        Err(problem) => return html! { <td colspan="7" class="dim why">{ problem }</td> },
    };
    let Counts {
        switches,
        saves,
        copied_bytes,
        largest_image,
        instructions,
        memory_bytes,
        time,
        ended,
    } = counts;
    let bar = |value: u64, most: u64| {
        let share = 100.0 * value as f64 / most.max(1) as f64;
        html! { <i class="bar" style={format!("width:{share:.1}%")}></i> }
    };
    let more = if *ended { "" } else { " …" };
    let values = [
        html! { { format!("{}{more}", count(*switches)) } },
        html! { { count(*saves) } },
        html! { <>{ bytes(*copied_bytes) }{ bar(*copied_bytes, most.copied) }</> },
        html! { { bytes(u64::from(*largest_image)) } },
        html! { <>{ bytes(*memory_bytes) }{ bar(*memory_bytes, most.memory) }</> },
        html! { <>{ count(*instructions) }{ bar(*instructions, most.instructions) }</> },
        match time {
            Ok(time) => html! { { format!("{} ns", nanoseconds(*time)) } },
            Err(reason) => html! { <span class="dim">{ *reason }</span> },
        },
    ];
    let cells = COLUMNS.into_iter().zip(values);
    html! { { for cells.map(|(name, value)| html! { <td data-label={name}>{ value }</td> }) } }
}
