//! The prover's table for the switch texts in use.

use std::rc::Rc;

use costack_sim::prove::{Report, Status};
use yew::prelude::*;

use super::dialog::Dialog;
use crate::model::checks::{Mark, Proof as Model};

/// What the dialog shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// One for each text.
    pub proofs: Rc<[Model]>,
    /// The instruction set.
    pub isa: AttrValue,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// The prover's table for the switch texts in use.
#[component]
pub fn Proof(props: &Props) -> Html {
    html! {
        <Dialog title={format!("What is proven of the switch, {}", props.isa)} class="proof" on_close={&props.on_close}>
            <p class="dim">
                { "The text runs once on symbols instead of values, which stands for the runs on all values: \
                   from a running task to a fresh one, and to one that has yielded. Together these are an \
                   induction over all switches of a program." }
            </p>
            <div class="scroll" tabindex="0" role="group" aria-label="Proofs">
                { for props.proofs.iter().map(text) }
            </div>
        </Dialog>
    }
}

fn text(proof: &Model) -> Html {
    let body = match &proof.reports {
        Ok(reports) => table(reports),
        Err(mistakes) => html! { <pre class="problem">{ mistakes }</pre> },
    };
    let flavour = proof.flavour.to_string();
    html! {
        <section>
            <h3><span class="mono">{ &proof.file }</span>{ format!(" · {flavour} flavour") }</h3>
            { body }
        </section>
    }
}

fn table(reports: &[Report]) -> Html {
    let Some(first) = reports.first() else {
        return Html::default();
    };
    let heads = reports
        .iter()
        .map(|report| html! { <th scope="col">{ report.transition.to_string() }</th> });
    let rows = first.obligations.iter().enumerate().map(|(index, obligation)| {
        let cells = reports
            .iter()
            .filter_map(|report| report.obligations.get(index))
            .map(|obligation| status(&obligation.status))
            .zip(reports)
            .map(|((class, said), report)| {
                // On a small screen, where there is no head.
                let label = report.transition.to_string();
                html! { <td {class} data-label={label}>{ said }</td> }
            });
        html! {
            <tr data-proof={obligation.id.to_string()}>
                <th scope="row"><b>{ obligation.id.to_string() }</b>{ " " }{ obligation.title() }</th>
                { for cells }
            </tr>
        }
    });
    html! {
        <table>
            <thead><tr><th scope="col">{ "obligation" }</th>{ for heads }</tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}

/// The style of a cell, and what is in it.
fn status(status: &Status) -> (&'static str, Html) {
    let (mark, word, at, text) = match status {
        Status::Proven { how } => (Mark::Held, "proven", None, how),
        Status::Refuted { at, reason } => (Mark::Broken, "refuted", at.as_ref(), reason),
        Status::NotApplicable { why } => (Mark::None, "nothing to show", None, why),
    };
    let said = html! {
        <>
            <b><span aria-hidden="true">{ mark.sign() }{ " " }</span>{ word }</b>
            if let Some(at) = at {
                { format!(" at line {}, ", at.line) }<code>{ at.text.trim().to_owned() }</code>
            }
            { ": " }{ text }
        </>
    };
    (mark.word(), said)
}
