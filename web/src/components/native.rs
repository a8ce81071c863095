//! What the switch costs on a real CPU.

use std::rc::Rc;

use yew::prelude::*;

use super::{chart::Chart, panel::Panel};
use crate::{
    hooks::Fetched,
    model::{
        bench::{Report, Situation, is_ours},
        present::Eviction,
        text::{count, nanoseconds},
    },
};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The results, when they are there.
    pub report: Fetched,
    /// What the last step's change of owner copies; marked on the curve.
    pub eviction: Option<Eviction>,
}

/// What the switch costs on a real CPU.
#[component]
pub fn Native(props: &Props) -> Html {
    let detail = html! { <span>{ "ns per round trip" }</span> };
    let body = match &props.report {
        None => html! { <p class="empty">{ "on their way" }</p> },
        Some(Err(problem)) => html! { <p class="empty">{ problem }</p> },
        Some(Ok(report)) if report.results.is_empty() => html! {
            <p class="empty">{ "nothing measured yet: run cargo xtask bench" }</p>
        },
        Some(Ok(report)) => results(report, props.eviction),
    };
    html! { <Panel title="Native numbers" id="native" class="native" {detail}>{ body }</Panel> }
}

fn results(report: &Rc<Report>, eviction: Option<Eviction>) -> Html {
    let curves = report.curves();
    let situations = report.situations();
    let ours = curves.iter().find(|curve| is_ours(&curve.name));
    let copied = eviction.and_then(|eviction| eviction.out.or(eviction.back));
    let this = copied.and_then(|image| Some((image, ours?.at(image.into())?)));
    html! {
        <>
            <p class={classes!("origin", report.reference.then_some("reference"))} data-testid="bench-origin">
                if report.reference { <b>{ "reference, not measured here: " }</b> }
                { report.origin() }
            </p>
            if !curves.is_empty() { <Chart curves={Rc::<[_]>::from(curves.clone())} {this} /> }
            if let Some(eviction) = eviction {
                <p class="this" data-testid="this-eviction">{ words(eviction, this.map(|(_, time)| time), report) }</p>
            }
            if !situations.is_empty() { { table(&situations) } }
        </>
    }
}

/// `this eviction: 96 B out, 176 B in, about 12 ns on …`.
fn words(eviction: Eviction, time: Option<f64>, report: &Report) -> String {
    let part = |bytes: Option<u32>, way: &str| {
        bytes.map(|bytes| format!("{} B {way}", count(bytes.into())))
    };
    let copies = [part(eviction.out, "out"), part(eviction.back, "in")];
    let copies: Vec<String> = copies.into_iter().flatten().collect();
    let what = match eviction.out {
        Some(_) => "this eviction",
        None => "this restore",
    };
    let time = match time {
        Some(time) => format!("about {} ns on {}", nanoseconds(time), report.cpu()),
        None => "a size that was not measured".to_owned(),
    };
    format!("{what}: {}, {time}", copies.join(", "))
}

fn table(situations: &[Situation]) -> Html {
    let mut who: Vec<&str> = Vec::new();
    for (name, _) in situations.iter().flat_map(|row| &row.times) {
        if !who.contains(&name.as_str()) {
            who.push(name);
        }
    }
    let rows = situations.iter().map(|row| {
        let cells = who.iter().map(|who| {
            let time = row
                .times
                .iter()
                .find(|(name, _)| name == who)
                .map(|(_, time)| nanoseconds(*time));
            html! { <td>{ time.unwrap_or_default() }</td> }
        });
        html! { <tr><th scope="row">{ &row.name }</th>{ for cells }</tr> }
    });
    html! {
        <table class="times">
            <thead><tr>
                <th scope="col">{ "own stack" }</th>
                { for who.iter().map(|who| html! { <th scope="col">{ (*who).to_owned() }</th> }) }
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}
