//! The same scenario on other stacks, side by side.

use costack_sim::variant::Stacks;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

use super::header::spoken;
use crate::model::{
    compare::{Counts, Outcome},
    state::Action,
    text::{bytes, count, nanoseconds},
};

/// What the dialog shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// One row for each kind of stacks.
    pub outcomes: Vec<Outcome>,
    /// The one that the page shows.
    pub shown: Stacks,
    /// Where the times were measured.
    pub origin: AttrValue,
    /// Another one is to be shown.
    pub on_action: Callback<Action>,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// The same scenario on other stacks, side by side.
#[component]
pub fn Compare(props: &Props) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with((), move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                // It is in the document and closed, so it can be shown.
                let _ = dialog.show_modal();
            }
        });
    }
    let most = props
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.counts.as_ref().ok());
    let most_copied = most
        .clone()
        .map(|counts| counts.copied_bytes)
        .max()
        .unwrap_or(0);
    let most_memory = most.map(|counts| counts.memory_bytes).max().unwrap_or(0);
    let rows = props.outcomes.iter().map(|outcome| {
        let name = spoken(outcome.stacks);
        let onclick = {
            let (on_action, on_close, stacks) = (
                props.on_action.clone(),
                props.on_close.clone(),
                outcome.stacks,
            );
            Callback::from(move |_: MouseEvent| {
                on_action.emit(Action::SetStacks(stacks));
                on_close.emit(());
            })
        };
        let is_shown = outcome.stacks == props.shown;
        html! {
            <tr class={classes!(is_shown.then_some("shown"))}>
                <th scope="row">{ name.clone() }</th>
                { cells(outcome, most_copied, most_memory) }
                <td>
                    if outcome.counts.is_ok() && !is_shown {
                        <button type="button" class="button small" {onclick}
                            aria-label={format!("Show: {name}")}>{ "Show" }</button>
                    } else if is_shown {
                        <span class="dim">{ "shown" }</span>
                    }
                </td>
            </tr>
        }
    });
    html! {
        <dialog class="compare" ref={dialog} aria-labelledby="compare-title"
            onclose={props.on_close.reform(|_: Event| ())}>
            <header><h2 id="compare-title">{ "The same scenario on other stacks" }</h2>
                <button type="button" class="button" onclick={props.on_close.reform(|_: MouseEvent| ())}>
                    { "Close" }</button></header>
            <div class="scroll" tabindex="0" role="group" aria-label="Comparison">
                <table>
                    <thead><tr>
                        <th scope="col">{ "stacks" }</th><th scope="col">{ "switches" }</th>
                        <th scope="col">{ "evictions" }</th><th scope="col">{ "bytes copied" }</th>
                        <th scope="col">{ "memory" }</th><th scope="col">{ "time of all resumes" }</th>
                        <th><span class="visually-hidden">{ "show" }</span></th>
                    </tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
            <p class="dim">
                { "Each is run to its end. The time is that of the native round trips as measured, \
                   with an eviction where the simulator made one, without what the tasks do besides: " }
                { &props.origin }
            </p>
        </dialog>
    }
}

fn cells(outcome: &Outcome, most_copied: u64, most_memory: u64) -> Html {
    let counts = match &outcome.counts {
        Ok(counts) => counts,
        Err(problem) => return html! { <td colspan="5" class="dim">{ problem }</td> },
    };
    let Counts {
        switches,
        saves,
        copied_bytes,
        memory_bytes,
        time,
        ended,
    } = counts;
    let bar = |value: u64, most: u64| {
        let share = 100.0 * value as f64 / most.max(1) as f64;
        html! { <i class="bar" style={format!("width:{share:.1}%")}></i> }
    };
    let time = match time {
        Ok(time) => format!("{} ns", nanoseconds(*time)),
        Err(reason) => (*reason).to_owned(),
    };
    html! {
        <>
            <td>{ count(*switches) }{ if *ended { "" } else { " …" } }</td>
            <td>{ count(*saves) }</td>
            <td>{ bytes(*copied_bytes) }{ bar(*copied_bytes, most_copied) }</td>
            <td>{ bytes(*memory_bytes) }{ bar(*memory_bytes, most_memory) }</td>
            <td>{ time }</td>
        </>
    }
}
