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
    model::{highlight::Piece, present::At, scenario::Text, text::count},
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
    let lines = props.text.lines.iter().zip(1..).map(|(pieces, number)| {
        let at: Vec<At> = props
            .at
            .iter()
            .filter(|at| at.line == number)
            .cloned()
            .collect();
        let breakpoint = props.breakpoints.contains(&number);
        html! {
            <Line key={number} {number} {pieces} {at} {breakpoint}
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

/// Tasks that are named beside a line; of more, the others are counted.
const CHIPS: usize = 6;

#[derive(Properties, PartialEq)]
struct LineProps {
    number: u32,
    pieces: Rc<[Piece]>,
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
    let is_about = props
        .pieces
        .first()
        .is_some_and(|(_, word)| word == "about");
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
    let waiting = || props.at.iter().filter(|at| !at.runs);
    let chips = waiting().take(CHIPS).map(|at| {
        html! { <Chip key={at.task} task={at.task} name={at.name.clone()} /> }
    });
    let others = waiting().count().saturating_sub(CHIPS);
    html! {
        <li {class} {style} aria-current={running.map(|_| "step")} data-line={number.to_string()}>
            <button type="button" class="number" {onclick} aria-pressed={props.breakpoint.to_string()}
                aria-label={format!("{verb} line {number}")} tabindex="-1">{ number }</button>
            <span class="text">{ for props.pieces.iter().map(piece) }</span>
            if props.at.iter().any(|at| !at.runs) {
                <span class="who">
                    { for chips }
                    if others > 0 { <span class="dim">{ format!("+{}", count(others as u64)) }</span> }
                </span>
            }
        </li>
    }
}

fn piece((class, text): &Piece) -> Html {
    match style_of(*class) {
        None => html! { { text } },
        style => html! { <span class={style}>{ text }</span> },
    }
}
