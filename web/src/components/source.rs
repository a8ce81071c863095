//! The scenario's text: which line is next, and which task is at which line.

use std::rc::Rc;

use yew::prelude::*;

use super::{
    editor::style_of,
    panel::Panel,
    task::{Chip, task_class, task_style},
};
use crate::{
    hooks::use_keep_in_view,
    model::{
        highlight::{Class, pieces},
        present::At,
        scenario::Text,
    },
};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The scenario.
    pub text: Rc<Text>,
    /// Who is where.
    pub at: Vec<At>,
    /// Whether nothing has run yet: what the scenario is about is shown then.
    pub at_start: bool,
    /// Lines with a breakpoint.
    pub breakpoints: Vec<u32>,
    /// A line's number was clicked.
    pub on_line: Callback<u32>,
    /// The text is to be changed.
    pub on_edit: Callback<()>,
}

/// The scenario's text: which line is next, and which task is at which line.
#[component]
pub fn Source(props: &Props) -> Html {
    let body = use_node_ref();
    let running = props.at.iter().find(|at| at.runs);
    use_keep_in_view(&body, "[aria-current]", running.map(|at| at.line));
    let detail = html! {
        <>
            if let Some(at) = running {
                <Chip task={at.task} name={at.name.clone()}>
                    <span data-testid="current-line">{ format!("line {}", at.line) }</span>
                </Chip>
            }
            <button type="button" class="button small right" onclick={props.on_edit.reform(|_: MouseEvent| ())}>
                { "Edit" }
            </button>
        </>
    };
    let lines = props.text.lines.iter().zip(1..).map(|(line, number)| {
        let at: Vec<At> = props
            .at
            .iter()
            .filter(|at| at.line == number)
            .cloned()
            .collect();
        let breakpoint = props.breakpoints.contains(&number);
        html! {
            <Line key={number} {number} text={line.clone()} {at} {breakpoint}
                on_line={&props.on_line} />
        }
    });
    html! {
        <Panel title="Source" class="fill source" {detail} {body}>
            if !props.text.about.is_empty() {
                <details class="about" open={props.at_start}>
                    <summary>{ "About this scenario" }</summary>
                    <p>{ &props.text.about }</p>
                </details>
            }
            <ol class="code">{ for lines }</ol>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    number: u32,
    text: AttrValue,
    at: Vec<At>,
    breakpoint: bool,
    on_line: Callback<u32>,
}

/// One line; drawn again only when somebody comes to it or leaves it.
#[component]
fn Line(props: &LineProps) -> Html {
    let number = props.number;
    let running = props.at.iter().find(|at| at.runs);
    let onclick = props.on_line.reform(move |_: MouseEvent| number);
    let style = running.map(|at| task_style(at.task));
    // Its text stands above the code already.
    let is_about = props.text.starts_with("about ");
    let class = classes!(
        "line",
        is_about.then_some("about-line"),
        running.map(|at| task_class(at.task))
    );
    let verb = if props.breakpoint {
        "Remove breakpoint from"
    } else {
        "Stop at"
    };
    let waiting = props.at.iter().filter(|at| !at.runs).map(|at| {
        html! { <Chip task={at.task} name={at.name.clone()} /> }
    });
    html! {
        <li {class} {style} aria-current={running.map(|_| "step")} data-line={number.to_string()}>
            <button type="button" class="number" {onclick} aria-pressed={props.breakpoint.to_string()}
                aria-label={format!("{verb} line {number}")} tabindex="-1">{ number }</button>
            <span class="mark" aria-hidden="true">{ if running.is_some() { "▶" } else { "" } }</span>
            <span class="text">{ for pieces(&props.text).into_iter().map(piece) }</span>
            <span class="who">{ for waiting }</span>
        </li>
    }
}

fn piece((class, text): (Class, &str)) -> Html {
    html! { <span class={style_of(class)}>{ text.to_owned() }</span> }
}
