//! The whole run at a glance, and the way to any of its steps.

use std::{collections::BTreeMap, fmt::Write as _, rc::Rc};

use costack_sim::view::TaskNumber;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::task::{task_class, task_style};
use crate::model::{
    text::count,
    timeline::{COLUMNS, Row, Timeline as Model},
};

/// What the timeline shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The run.
    pub timeline: Rc<Model>,
    /// Steps made up to here.
    pub position: u64,
    /// Steps that came from outside: history branches there.
    #[prop_or_default]
    pub interventions: Rc<[u64]>,
    /// A position was chosen.
    pub on_jump: Callback<u64>,
}

/// The whole run at a glance, and the way to any of its steps.
#[component]
pub fn Timeline(props: &Props) -> Html {
    let steps = props.timeline.steps;
    let oninput = props.on_jump.reform(|event: InputEvent| {
        let input: HtmlInputElement = event.target_unchecked_into();
        input.value_as_number() as u64
    });
    let share = 100.0 * props.position as f64 / steps.max(1) as f64;
    let spoken = format!("step {} of {}", count(props.position), count(steps));
    html! {
        <div class="timeline">
            <Picture timeline={&props.timeline} />
            { for props.interventions.iter().map(|step| {
                let share = 100.0 * *step as f64 / steps.max(1) as f64;
                html! { <span class="branch" style={format!("left:{share:.3}%")} aria-hidden="true">{ "▴" }</span> }
            }) }
            <span class="head" style={format!("left:{share:.3}%")}></span>
            <input type="range" min="0" max={steps.to_string()} step="1" value={props.position.to_string()}
                aria-label="Position in the run" aria-valuetext={spoken} {oninput} disabled={steps == 0} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PictureProps {
    timeline: Rc<Model>,
}

/// Rows of ticks above the band of who ran; drawn once for a run.
#[component]
fn Picture(props: &PictureProps) -> Html {
    const ROW: u32 = 6;
    const BAND: u32 = 4 * ROW + 1;
    let ticks = Row::ALL
        .into_iter()
        .zip(&props.timeline.ticks)
        .map(|(row, columns)| {
            let (top, height) = match row {
                Row::Fault => (0, 4 * ROW),
                row => (row as u32 * ROW, ROW),
            };
            let mut path = String::with_capacity(columns.len() * 10);
            for column in columns {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{column},{top}v{height}");
            }
            html! { <path class={row.name()} d={path} /> }
        });
    // However often a task ran, it is one shape.
    let mut shapes: BTreeMap<TaskNumber, String> = BTreeMap::new();
    for band in &props.timeline.bands {
        let width = band.end - band.start;
        let shape = shapes.entry(band.task).or_default();
        let _ = write!(shape, "M{},{BAND}h{width}v5h-{width}z", band.start);
    }
    let bands = shapes.into_iter().map(|(task, shape)| {
        let class = classes!("band", task_class(task));
        html! { <path {class} style={task_style(task)} d={shape} /> }
    });
    html! {
        <svg viewBox={format!("0 0 {COLUMNS} 30")} preserveAspectRatio="none" aria-hidden="true">
            { for bands }
            { for ticks }
        </svg>
    }
}
