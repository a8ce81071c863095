//! Ways out of the page and into it: links, embedding, files.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::Dialog;
use crate::{hooks::copy_text, model::state::Action};

/// What can be saved as a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Export {
    /// The scenario's text.
    Scenario,
    /// The current state as SVG.
    Picture,
    /// What has happened up to here, one JSON object per line.
    Trace,
    /// The same for Perfetto.
    Perfetto,
}

/// What the dialog shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The whole address of what is shown.
    pub address: AttrValue,
    /// Whether a recorded trace is shown: that has no address.
    pub is_replay: bool,
    /// A file is wanted.
    pub on_export: Callback<Export>,
    /// Something is to be told.
    pub on_action: Callback<Action>,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// The panels that an embedded page can show.
pub const PANELS: [(&str, &str); 7] = [
    ("source", "source"),
    ("assembly", "assembly"),
    ("stacks", "stacks"),
    ("tasks", "tasks and save stacks"),
    ("registers", "registers"),
    ("checks", "checks"),
    ("native", "native numbers"),
];

/// Ways out of the page.
#[component]
pub fn Share(props: &Props) -> Html {
    let panels = use_state(|| vec!["source", "stacks", "tasks"]);
    let frame = format!(
        "<iframe src=\"{}&embed={}\" width=\"960\" height=\"600\" title=\"Costack\"></iframe>",
        props.address.replace('&', "&amp;"),
        panels.join(",")
    );
    let boxes = PANELS.iter().map(|&(panel, name)| {
        let checked = panels.contains(&panel);
        let onchange = {
            let panels = panels.clone();
            Callback::from(move |_: Event| {
                // In the order of the page, whatever the order of the clicks.
                let chosen = PANELS.iter().map(|(panel, _)| *panel);
                let now = chosen.filter(|other| (*other == panel) != panels.contains(other));
                panels.set(now.collect());
            })
        };
        html! { <label><input type="checkbox" {checked} {onchange} />{ name }</label> }
    });
    let copy = |text: AttrValue, what: &'static str| {
        let told = props.on_action.reform(Action::Tell);
        let on_close = props.on_close.clone();
        Callback::from(move |_: MouseEvent| {
            copy_text(&text, what, told.clone());
            on_close.emit(());
        })
    };
    let save = |export: Export| {
        let (on_export, on_close) = (props.on_export.clone(), props.on_close.clone());
        Callback::from(move |_: MouseEvent| {
            on_export.emit(export);
            on_close.emit(());
        })
    };
    let select = Callback::from(|event: FocusEvent| {
        let input: HtmlInputElement = event.target_unchecked_into();
        input.select();
    });
    html! {
        <Dialog title="Share" class="share" on_close={&props.on_close}>
            if !props.is_replay {
                <section>
                    <h3>{ "A link to this step" }</h3>
                    <p class="dim">{ "It holds the scenario, also a changed one, the instruction set, the stacks, the step \
                        and what was done by hand." }</p>
                    <div class="line">
                        <input class="field mono" readonly=true value={&props.address} aria-label="Link"
                            data-testid="link" onfocus={select.clone()} />
                        <button type="button" class="button" onclick={copy(props.address.clone(), "link")}>{ "Copy link" }</button>
                    </div>
                </section>
                <section>
                    <h3>{ "A part of another page" }</h3>
                    <fieldset class="boxes"><legend class="visually-hidden">{ "Panels" }</legend>{ for boxes }</fieldset>
                    <div class="line">
                        <input class="field mono" readonly=true value={frame.clone()} aria-label="HTML to embed"
                            data-testid="frame" onfocus={select} />
                        <button type="button" class="button" disabled={panels.is_empty()}
                            onclick={copy(frame.into(), "HTML")}>{ "Copy HTML" }</button>
                    </div>
                </section>
            }
            <section>
                <h3>{ "Files" }</h3>
                <div class="line">
                    if !props.is_replay {
                        <button type="button" class="button" onclick={save(Export::Scenario)}>{ "Scenario" }</button>
                        <button type="button" class="button" onclick={save(Export::Picture)}>{ "Picture (SVG)" }</button>
                    }
                    <button type="button" class="button" onclick={save(Export::Trace)}>{ "Trace (JSON)" }</button>
                    <button type="button" class="button" onclick={save(Export::Perfetto)}>{ "Trace for Perfetto" }</button>
                </div>
                <p class="dim">{ "A trace holds what happened up to this step: resumes, saves, restores, owners. \
                    The same format comes from native runs; Open shows it." }</p>
            </section>
        </Dialog>
    }
}
