//! The page's head: which scenario, on which instruction set.

use std::rc::Rc;

use costack_sim::{program::Isa, variant::Stacks};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::task::{task_class, task_style};
use crate::{
    hooks::{Theme, load_chosen},
    model::{scenario::Group, state::Action},
};

/// What the head shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All scenarios.
    pub groups: Rc<Vec<Group>>,
    /// Which one is shown.
    pub chosen: Option<usize>,
    /// The file's name, shown where it is none of the gallery.
    pub file: AttrValue,
    /// The instruction sets there are.
    pub isas: Vec<Isa>,
    /// Which one is used.
    pub isa: Isa,
    /// Which stacks the tasks are put on.
    pub stacks: Stacks,
    /// The trace that is shown in the place of a run; empty if none is.
    pub replay: AttrValue,
    /// The page's colours.
    pub theme: Theme,
    /// Something was chosen.
    pub on_action: Callback<Action>,
    /// Other colours are wanted.
    pub on_theme: Callback<()>,
    /// A comparison is wanted.
    pub on_compare: Callback<()>,
    /// A link is wanted.
    pub on_share: Callback<()>,
    /// Help is wanted.
    pub on_help: Callback<()>,
}

/// The kinds of stacks to choose from, and their names.
pub const STACKS: [(Stacks, &str); 5] = [
    (Stacks::AsWritten, "as written"),
    (Stacks::Shared(1), "shared"),
    (Stacks::Shared(2), "×2"),
    (Stacks::Shared(4), "×4"),
    (Stacks::Own, "own"),
];

/// Stacks in words.
pub fn spoken(stacks: Stacks) -> String {
    match stacks {
        Stacks::AsWritten => "the stacks that the scenario says".to_owned(),
        Stacks::Shared(1) => "all tasks on one shared stack".to_owned(),
        Stacks::Shared(count) => format!("the tasks on {count} shared stacks, in turns"),
        Stacks::Own => "each task on a stack of its own".to_owned(),
    }
}

/// The page's head: which scenario, on which instruction set.
#[component]
pub fn Header(props: &Props) -> Html {
    // A list that was opened with the pointer gives the keys back to the page.
    let by_key = use_mut_ref(|| false);
    let onkeydown = {
        let by_key = by_key.clone();
        Callback::from(move |_: KeyboardEvent| *by_key.borrow_mut() = true)
    };
    let onpointerdown = {
        let by_key = by_key.clone();
        Callback::from(move |_: PointerEvent| *by_key.borrow_mut() = false)
    };
    let on_pick = props.on_action.reform(move |event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        if !*by_key.borrow() {
            // An element that has the focus can lose it.
            let _ = select.blur();
        }
        Action::Pick(select.value().parse().unwrap_or(0))
    });
    let groups = props.groups.iter().map(|group| {
        let options = group.scenarios.iter().map(|(index, title)| {
            html! { <option value={index.to_string()} selected={Some(*index) == props.chosen}>{ title }</option> }
        });
        html! { <optgroup label={group.name}>{ for options }</optgroup> }
    });
    let isas = props.isas.iter().map(|&isa| {
        let onclick = props
            .on_action
            .reform(move |_: MouseEvent| Action::SetIsa(isa));
        html! {
            <button type="button" {onclick} aria-pressed={(isa == props.isa).to_string()}>
                { isa_name(isa) }
            </button>
        }
    });
    let stacks = STACKS.into_iter().map(|(stacks, name)| {
        let onclick = props
            .on_action
            .reform(move |_: MouseEvent| Action::SetStacks(stacks));
        html! {
            <button type="button" {onclick} aria-pressed={(stacks == props.stacks).to_string()}
                title={spoken(stacks)}>{ name }</button>
        }
    });
    let on_file = {
        let on_action = props.on_action.clone();
        Callback::from(move |event: Event| load_chosen(event, on_action.clone()))
    };
    let (sign, theme) = match props.theme {
        Theme::System => ("◐", "as the system has it"),
        Theme::Light => ("☀", "light"),
        Theme::Dark => ("☾", "dark"),
    };
    let on_theme = props.on_theme.reform(|_: MouseEvent| ());
    html! {
        <header class="top">
            <h1>
                <span class="brand" aria-hidden="true">
                    <i class={task_class(1)} style={task_style(1)}></i>
                    <i class={task_class(2)} style={task_style(2)}></i>
                </span>
                { "Costack" }
            </h1>
            <label><span class="word">{ "Scenario" }</span>
                <select class="select" data-testid="scenario" aria-label="Scenario" onchange={on_pick} {onkeydown} {onpointerdown}>
                    if props.chosen.is_none() {
                        <option selected=true disabled=true>{ format!("{} (your own)", props.file) }</option>
                    }
                    { for groups }
                </select>
            </label>
            if props.replay.is_empty() {
                <div class="segments" role="group" aria-label="Instruction set">{ for isas }</div>
                <div class="segments" role="group" aria-label="Stacks">{ for stacks }</div>
            } else {
                <span class="recorded" data-testid="recorded">{ "recorded: " }<b>{ &props.replay }</b></span>
                <button type="button" class="button" onclick={props.on_action.reform(|_: MouseEvent| Action::CloseReplay)}>
                    { "Back to the scenario" }</button>
            }
            <span class="space"></span>
            <label class="button open" title="A scenario, or a trace of a native run">{ "Open" }
                <input type="file" accept=".costack,.jsonl,.json,text/plain" class="visually-hidden"
                    aria-label="Open a scenario or a trace" data-testid="open" onchange={on_file} />
            </label>
            <button type="button" class="button comparing" disabled={!props.replay.is_empty()} onclick={props.on_compare.reform(|_: MouseEvent| ())}>{ "Compare" }</button>
            <button type="button" class="button" onclick={props.on_share.reform(|_: MouseEvent| ())}>{ "Share" }</button>
            <button type="button" class="button icon" onclick={on_theme}
                aria-label={format!("Colours: {theme}")} title={format!("Colours: {theme}")}>{ sign }</button>
            <button type="button" class="button icon" aria-label="Help: keys and marks" title="Keys and marks"
                onclick={props.on_help.reform(|_: MouseEvent| ())}>{ "?" }</button>
        </header>
    }
}

/// The name as people write it.
pub fn isa_name(isa: Isa) -> &'static str {
    match isa {
        Isa::X86_64 => "x86-64",
        Isa::I386 => "i386",
        Isa::Aarch64 => "aarch64",
    }
}
