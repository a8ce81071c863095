//! Buttons that move through the run.

use costack_sim::view::{Granularity, Intervention};
use yew::prelude::*;

use crate::model::{speed::Speed, state::Action, text::count, timeline::Row};

/// What the bar shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whether steps are made by themselves.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// What the step buttons step over.
    pub unit: Granularity,
    /// Steps made on the way to the end, and how many they will be at most, while that is under way.
    pub hurrying: Option<(u64, u64)>,
    /// Whether the position is the first one.
    pub at_start: bool,
    /// Whether the program has ended here.
    pub at_end: bool,
    /// Whether it is a recorded trace, to which no signal can be sent.
    #[prop_or_default]
    pub of_trace: bool,
    /// How many things have been done from outside, to be undone.
    #[prop_or_default]
    pub branches: usize,
    /// Something was pressed.
    pub on_action: Callback<Action>,
}

/// The units that the step buttons know, and their names.
const UNITS: [(Granularity, &str); 6] = [
    (Granularity::Instruction, "instruction"),
    (Granularity::Statement, "statement"),
    (Granularity::RuntimeCall, "call"),
    (Granularity::Switch, "switch"),
    (Granularity::Ownership, "owner"),
    (Granularity::Fault, "fault"),
];

/// The same for a recorded trace, which knows of nothing smaller than an event.
const UNITS_OF_TRACE: [(Granularity, &str); 4] = [
    (Granularity::Instruction, "event"),
    (Granularity::Switch, "switch"),
    (Granularity::Ownership, "owner"),
    (Granularity::Fault, "fault"),
];

/// Buttons that move through the run.
#[component]
pub fn Controls(props: &Props) -> Html {
    let act = |action: Action| props.on_action.reform(move |_: MouseEvent| action.clone());
    let unit = props.unit;
    let known = match props.of_trace {
        true => &UNITS_OF_TRACE[..],
        false => &UNITS,
    };
    // Of a unit that a trace does not know, a step is an event.
    let chosen = known.iter().find(|(known, _)| *known == unit);
    let chosen = chosen.map_or(Granularity::Instruction, |(unit, _)| *unit);
    let units = known.iter().map(|&(unit, name)| {
        html! {
            <button type="button" onclick={act(Action::SetUnit(unit))}
                aria-pressed={(unit == chosen).to_string()}>{ name }</button>
        }
    });
    let on_speed = props.on_action.reform(|event: Event| {
        let select: web_sys::HtmlSelectElement = event.target_unchecked_into();
        Action::SetSpeed(Speed::ALL[select.selected_index().max(0) as usize % Speed::ALL.len()])
    });
    let play = if props.playing {
        ("❚❚", "Pause")
    } else {
        ("▶▶", "Run")
    };
    html! {
        <div class="controls">
            <div class="moves" role="group" aria-label="Move through the run">
                <Move label="First" sign="|◀" key_name="Home" icon=true disabled={props.at_start}
                    onclick={act(Action::jump(0))} />
                <Move label="Back" sign="◀" key_name="←" disabled={props.at_start}
                    onclick={act(Action::backward(unit))} />
                <Move label="Step" sign="▶" key_name="→" primary=true disabled={props.at_end}
                    onclick={act(Action::forward(unit))} />
                <Move label="Next switch" sign="⇄" key_name="⇧→" disabled={props.at_end}
                    onclick={act(Action::forward(Granularity::Switch))} />
                <Move label="Last" sign="▶|" key_name="End" icon=true disabled={props.at_end}
                    onclick={act(Action::JumpToEnd)} />
                <Move label={play.1} sign={play.0} key_name="Space" disabled={props.at_end && !props.playing}
                    onclick={act(Action::TogglePlaying)} />
                <select class="select" aria-label="Speed" onchange={on_speed}>
                    { for Speed::ALL.iter().map(|speed| html! {
                        <option selected={*speed == props.speed}>{ speed.name() }</option>
                    }) }
                </select>
            </div>
            if !props.of_trace {
                <div class="moves outside" role="group" aria-label="From outside">
                    <button type="button" class="button" disabled={props.at_end} aria-label="Signal" title="A signal arrives before the next instruction"
                        onclick={act(Action::Intervene(Intervention::Signal))}>
                        <span class="sign" aria-hidden="true">{ "⚡" }</span><span class="name">{ "Signal" }</span>
                    </button>
                    // Always there, so that nothing moves when it is needed.
                    <button type="button" class={classes!("button", (props.branches > 0).then_some("undo"))}
                        disabled={props.branches == 0} onclick={act(Action::Undo)} aria-label="Undo"
                        title={format!("Take back what was done by hand (U): {} so far", props.branches)}>
                        <span class="sign" aria-hidden="true">{ "↶" }</span><span class="name">{ "Undo" }</span>
                    </button>
                </div>
            }
            <div class="segments units" role="group" aria-label="A step is one">{ for units }</div>
            if let Some((made, most)) = props.hurrying {
                <div class="progress" role="status">
                    <progress aria-label="On the way to the end" max={most.to_string()} value={made.to_string()}></progress>
                    <span data-testid="progress">{ format!("{} of at most {} steps", count(made), count(most)) }</span>
                    <button type="button" class="button small" onclick={act(Action::StopHurrying)}>{ "Cancel" }</button>
                </div>
            } else {
                <Legend />
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct MoveProps {
    label: AttrValue,
    sign: AttrValue,
    #[prop_or_default]
    key_name: Option<AttrValue>,
    #[prop_or_default]
    primary: bool,
    /// Whether the sign alone says enough.
    #[prop_or_default]
    icon: bool,
    disabled: bool,
    onclick: Callback<MouseEvent>,
}

#[component]
fn Move(props: &MoveProps) -> Html {
    html! {
        <button type="button" class={classes!("button", props.primary.then_some("primary"))}
            onclick={props.onclick.clone()} disabled={props.disabled} aria-label={props.label.clone()}
            title={props.icon.then(|| format!("{} ({})", props.label, props.key_name.as_deref().unwrap_or_default()))}>
            <span class="sign" aria-hidden="true">{ &props.sign }</span>
            if !props.icon { <span class="name">{ &props.label }</span> }
            if let Some(key) = props.key_name.as_ref().filter(|_| !props.icon) { <kbd data-key={key}></kbd> }
        </button>
    }
}

/// What the colours of the timeline mean.
#[component]
fn Legend() -> Html {
    html! {
        <ul class="legend" aria-label="Rows of the timeline, from the top">
            { for Row::ALL.iter().map(|row| html! { <li class={row.name()}>{ row.name() }</li> }) }
        </ul>
    }
}
