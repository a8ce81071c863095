//! The obligations of a switch, each ticked or crossed: proven of its text, kept by the last one.

use std::rc::Rc;

use yew::prelude::*;

use super::panel::Panel;
use crate::model::checks::{Mark, Row, short_title};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All obligations.
    pub rows: Rc<[Row]>,
    /// Which switch the marks are about.
    pub switch: AttrValue,
    /// The prover's table is wanted.
    pub on_proof: Callback<()>,
}

/// The obligations of a switch, each ticked or crossed.
#[component]
pub fn Checks(props: &Props) -> Html {
    let broken = || {
        let rows = props.rows.iter();
        rows.filter(|row| row.proven.0 == Mark::Broken || row.now.0 == Mark::Broken)
    };
    let count = broken().count();
    let detail = html! {
        <>
            <span data-testid="checked-switch">{ &props.switch }</span>
            <button type="button" class="button small right" onclick={props.on_proof.reform(|_: MouseEvent| ())}>
                { "Proof" }
            </button>
        </>
    };
    let item = |row: &Row| {
        let is_broken = row.proven.0 == Mark::Broken || row.now.0 == Mark::Broken;
        let title = format!(
            "{}: {}. Text: {}. This switch: {}.",
            row.id,
            row.id.title(),
            row.proven.1,
            row.now.1
        );
        html! {
            <tr class={classes!(is_broken.then_some("broken"))} data-obligation={row.id.to_string()} {title}>
                <th scope="row">{ short_title(row.id) }</th>
                <td>{ sign(row.proven.0) }</td>
                <td>{ sign(row.now.0) }</td>
            </tr>
        }
    };
    let half = props.rows.len().div_ceil(2);
    let table = |rows: &[Row]| {
        html! {
            <table>
                <thead><tr>
                    <th scope="col"><span class="visually-hidden">{ "obligation" }</span></th>
                    <th scope="col" title="What the prover says of the switch text, for all values">{ "proof" }</th>
                    <th scope="col" title="What the last switch has kept">{ "now" }</th>
                </tr></thead>
                <tbody>{ for rows.iter().map(item) }</tbody>
            </table>
        }
    };
    html! {
        <Panel title="Checks" class="checks" {detail}>
            <div class="halves">
                { table(&props.rows[..half]) }
                { table(&props.rows[half..]) }
            </div>
            if count > 0 {
                <ul class="reasons" aria-label="What does not hold" data-testid="broken">
                    { for broken().map(reason) }
                </ul>
            }
        </Panel>
    }
}

fn sign(mark: Mark) -> Html {
    html! {
        <span class={classes!("mark", mark.word())}>
            <span aria-hidden="true">{ mark.sign() }</span>
            <span class="visually-hidden">{ mark.word().replace('-', " ") }</span>
        </span>
    }
}

fn reason(row: &Row) -> Html {
    let text = match (row.now.0, row.proven.0) {
        (Mark::Broken, _) => format!("this switch: {}", row.now.1),
        _ => row.proven.1.clone(),
    };
    html! { <li><b>{ short_title(row.id) }</b>{ " " }{ text }</li> }
}
