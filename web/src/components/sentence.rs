//! What the last step did, in one sentence.

use costack_sim::view::Statistics;
use yew::prelude::*;

use super::task::Chip;
use crate::model::{
    present::Saying,
    text::{bytes, count},
};

/// What is said.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is said.
    pub saying: Saying,
    /// An answer to a question; empty if none was asked.
    pub note: AttrValue,
    /// Steps made up to here.
    pub position: u64,
    /// Steps from end to end, and whether that is the end of the program.
    pub steps: u64,
    /// Counts up to here.
    pub statistics: Statistics,
    /// Whether it is announced; not while running.
    pub polite: bool,
    /// Whether it is about a fault.
    pub is_fault: bool,
}

/// What the last step did, in one sentence.
#[component]
pub fn Sentence(props: &Props) -> Html {
    let Saying {
        code,
        text,
        task,
        place,
    } = &props.saying;
    // A sentence begins with a capital letter, unless it begins with a name.
    let first = text.split_whitespace().next().unwrap_or_default();
    let plain = code.is_empty() && first.chars().all(char::is_alphabetic);
    let live = if props.polite { "polite" } else { "off" };
    html! {
        <div class={classes!("sentence", props.is_fault.then_some("fault"))}>
            if let Some((task, name)) = task { <Chip task={*task} name={name.clone()} /> }
            <p class={classes!(plain.then_some("plain"))} aria-live={live}
                data-testid="sentence">
                if !code.is_empty() { <code>{ code }</code> }
                { text }
                if !props.note.is_empty() { <span class="note" data-testid="note">{ &props.note }</span> }
            </p>
            <div class="where">
                <p>
                    if !place.is_empty() { <span class="mono">{ place }</span>{ " · " } }
                    <b data-testid="position">
                        { format!("step {} of {}", count(props.position), count(props.steps)) }
                    </b>
                </p>
                <Counts statistics={props.statistics} />
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct CountsProps {
    statistics: Statistics,
}

#[component]
fn Counts(props: &CountsProps) -> Html {
    let Statistics {
        saves,
        restores,
        saved_bytes,
        restored_bytes,
        switches,
        memory_bytes,
        ..
    } = props.statistics;
    let item = |name: &str, value: String, id: &'static str| {
        html! { <span>{ name.to_owned() }{ " " }<b data-testid={id}>{ value }</b></span> }
    };
    html! {
        <p class="counts">
            { item("switches", count(switches), "switches") }
            { item("saves", count(saves), "saved-images") }
            { item("restores", count(restores), "restored-images") }
            { item("copied", bytes(saved_bytes + restored_bytes), "copied-bytes") }
            if memory_bytes > 0 { { item("memory", bytes(memory_bytes), "memory-bytes") } }
        </p>
    }
}
