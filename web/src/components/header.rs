//! The page's head: which scenario, on which instruction set.

use std::rc::Rc;

use costack_sim::program::Isa;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::task::{task_class, task_style};
use crate::{hooks::Theme, model::state::Action};

/// What the head shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Titles of all scenarios.
    pub titles: Rc<Vec<AttrValue>>,
    /// Which one is shown.
    pub chosen: usize,
    /// The instruction sets there are.
    pub isas: Vec<Isa>,
    /// Which one is used.
    pub isa: Isa,
    /// The page's colours.
    pub theme: Theme,
    /// Something was chosen.
    pub on_action: Callback<Action>,
    /// Other colours are wanted.
    pub on_theme: Callback<()>,
}

/// The page's head: which scenario, on which instruction set.
#[component]
pub fn Header(props: &Props) -> Html {
    let on_pick = props.on_action.reform(|event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        Action::Pick(usize::try_from(select.selected_index()).unwrap_or(0))
    });
    let options = props.titles.iter().enumerate().map(|(index, title)| {
        html! { <option selected={index == props.chosen}>{ title }</option> }
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
            <label>{ "Scenario" }
                <select class="select" data-testid="scenario" onchange={on_pick}>{ for options }</select>
            </label>
            <div class="segments" role="group" aria-label="Instruction set">{ for isas }</div>
            <span class="space"></span>
            <button type="button" class="button icon" onclick={on_theme}
                aria-label={format!("Colours: {theme}")} title={format!("Colours: {theme}")}>{ sign }</button>
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
