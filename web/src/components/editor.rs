//! The scenario's text, to be changed: coloured, with mistakes underlined as they are typed.

use std::{ops::Range, rc::Rc};

use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::panel::Panel;
use crate::{
    hooks::load_chosen,
    model::{
        highlight::{Class, marked},
        problem::Problem,
        state::{Action, Draft},
    },
};

/// What the editor shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The text.
    pub draft: Draft,
    /// Whether it is one of the gallery's, changed.
    pub can_revert: bool,
    /// Something was typed or pressed.
    pub on_action: Callback<Action>,
}

/// The scenario's text, to be changed.
#[component]
pub fn Editor(props: &Props) -> Html {
    let Draft {
        file,
        text,
        problems,
    } = &props.draft;
    let area = use_node_ref();
    let oninput = props.on_action.reform(|event: InputEvent| {
        let area: HtmlTextAreaElement = event.target_unchecked_into();
        Action::Type(area.value())
    });
    let act = |action: Action| props.on_action.reform(move |_: MouseEvent| action.clone());
    let onkeydown = {
        let on_action = props.on_action.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                on_action.emit(Action::ToggleEditor);
            }
        })
    };
    {
        let area = area.clone();
        use_effect_with((), move |()| {
            if let Some(area) = area.cast::<HtmlElement>() {
                // An element on the screen takes the focus.
                let _ = area.focus();
            }
        });
    }
    let on_file = {
        let on_action = props.on_action.clone();
        Callback::from(move |event: Event| load_chosen(event, on_action.clone()))
    };
    let encoded = js_sys::encode_uri_component(text);
    let download = format!("data:text/plain;charset=utf-8,{encoded}");
    let file_name = file.rsplit('/').next().unwrap_or_default().to_owned();
    let rows = text.split('\n').count();
    let columns = text
        .split('\n')
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let detail = html! {
        <>
            <span>{ "edit; what has no mistakes runs at once" }</span>
        </>
    };
    html! {
        <Panel title="Source" class="fill source editing" {detail}>
            <div class="tools">
                <button type="button" class="button small primary" onclick={act(Action::ToggleEditor)}>{ "Done" }</button>
                if props.can_revert {
                    <button type="button" class="button small" onclick={act(Action::Revert)}>{ "Revert" }</button>
                }
                <a class="button small" href={download} download={file_name}>{ "Save file" }</a>
                <label class="button small">{ "Open file" }
                    <input type="file" accept=".costack,.jsonl,.json,text/plain" class="visually-hidden" onchange={on_file} />
                </label>
            </div>
            <div class="editor" style={format!("--rows:{};--columns:{}", rows + 1, columns + 2)}>
                <ol class="numbers" aria-hidden="true">
                    { for (1..=rows).map(|number| html! { <li>{ number }</li> }) }
                </ol>
                <pre aria-hidden="true">{ for coloured(text, problems) }</pre>
                <textarea ref={area} aria-label="The scenario's text" spellcheck="false" autocapitalize="off"
                    autocomplete="off" wrap="off" aria-describedby="problems"
                    aria-invalid={(!problems.is_empty()).to_string()} value={text.clone()} {oninput} {onkeydown} />
            </div>
            <Problems {problems} />
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct ProblemsProps {
    problems: Rc<[Problem]>,
}

/// The mistakes in words.
#[component]
fn Problems(props: &ProblemsProps) -> Html {
    html! {
        <ul id="problems" class="problems" aria-live="polite" data-testid="problems">
            { for props.problems.iter().map(problem) }
        </ul>
    }
}

/// One mistake in words.
pub fn problem(problem: &Problem) -> Html {
    html! {
        <li>
            if let Some((line, column)) = problem.place { <b>{ format!("{line}:{column} ") }</b> }
            { &problem.message }
            if let Some(expected) = &problem.expected { <span class="dim">{ format!(" · {expected}") }</span> }
            if let Some(help) = &problem.help { <span class="dim">{ format!(" · {help}") }</span> }
        </li>
    }
}

/// The text line by line, in colours.
fn coloured<'a>(text: &'a str, problems: &'a [Problem]) -> impl Iterator<Item = Html> + 'a {
    let wrong: Vec<Range<usize>> = problems
        .iter()
        .map(|problem| problem.span.clone())
        .collect();
    let lines = marked(text, &wrong).into_iter();
    let mut start = 0;
    lines.zip(text.split('\n')).map(move |(pieces, line)| {
        let end = start + line.len();
        let pieces = pieces.into_iter().map(|(class, is_wrong, text)| {
            let class = classes!(style_of(class), is_wrong.then_some("wrong"));
            html! { <span {class}>{ text.to_owned() }</span> }
        });
        // A mistake behind the last character is shown on a space.
        let behind = wrong
            .iter()
            .any(|range| range.start == end && range.end > start);
        start = end + 1;
        html! { <>{ for pieces }if behind { <span class="wrong">{ " " }</span> }{ "\n" }</> }
    })
}

/// The style of a piece of text.
pub fn style_of(class: Class) -> Option<&'static str> {
    match class {
        Class::Plain => None,
        Class::Declaration => Some("declaration"),
        Class::Keyword | Class::Request => Some("keyword"),
        Class::Number => Some("number-literal"),
        Class::Text => Some("string"),
        Class::Comment => Some("comment"),
    }
}
