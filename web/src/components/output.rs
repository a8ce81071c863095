//! What the scenario has printed.

use std::rc::Rc;

use yew::prelude::*;

use super::panel::Panel;
use crate::{hooks::use_keep_in_view, model::text::count};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All lines up to here.
    pub lines: Rc<[String]>,
    /// What went wrong, if something did.
    pub fault: Option<AttrValue>,
}

/// Lines that are drawn; with more, the first ones are left out.
const SHOWN: usize = 200;

/// What the scenario has printed.
#[component]
pub fn Output(props: &Props) -> Html {
    let body = use_node_ref();
    use_keep_in_view(&body, "li:last-child", Some(props.lines.len()));
    let lines = props.lines.len();
    let skipped = lines.saturating_sub(SHOWN);
    let unit = if lines == 1 { "line" } else { "lines" };
    let detail = html! { <span>{ format!("{} {unit}", count(lines as u64)) }</span> };
    html! {
        <Panel title="Output" class="output" {detail} {body}>
            if lines == 0 && props.fault.is_none() {
                <p class="empty">{ "nothing printed yet" }</p>
            }
            if skipped > 0 { <p class="empty">{ format!("{} lines above", count(skipped as u64)) }</p> }
            <ol class="lines mono" data-testid="output-lines">
                { for props.lines.iter().skip(skipped).map(|line| html! { <li>{ line }</li> }) }
            </ol>
            if let Some(fault) = &props.fault { <p class="fault" role="alert">{ fault }</p> }
        </Panel>
    }
}
