//! What the switch costs on a real CPU.

use std::rc::Rc;

use yew::prelude::*;

use super::{chart::Chart, panel::Panel};
use crate::{
    hooks::Fetched,
    model::{
        bench::{Report, Situation, is_ours},
        text::{count, nanoseconds},
    },
};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The results, when they are there.
    pub report: Fetched,
    /// Bytes of the image that is marked on the curve.
    pub image: Option<u32>,
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
        Some(Ok(report)) => results(report, props.image),
    };
    html! { <Panel title="Native numbers" id="native" class="native" {detail}>{ body }</Panel> }
}

fn results(report: &Rc<Report>, image: Option<u32>) -> Html {
    let curves = report.curves();
    let situations = report.situations();
    let this = image.and_then(|image| {
        let ours = curves.iter().find(|curve| is_ours(&curve.name))?;
        Some((image, ours.at(image.into())?))
    });
    html! {
        <>
            <p class={classes!("origin", report.reference.then_some("reference"))} data-testid="bench-origin">
                if report.reference { <b>{ "reference, not measured here: " }</b> }
                { report.origin() }
            </p>
            if !curves.is_empty() { <Chart curves={Rc::<[_]>::from(curves)} {this} /> }
            if let Some((image, time)) = this {
                <p class="this">{ format!("an image of {} B: about {} ns", count(image.into()), nanoseconds(time)) }</p>
            }
            if !situations.is_empty() { { table(&situations) } }
        </>
    }
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
