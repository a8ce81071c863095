//! A titled part of the screen that folds.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::hooks::use_stored_flag;

/// What a panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its name, also that under which the page remembers that it is folded.
    pub title: AttrValue,
    /// More styles: `fill` takes the room that others leave.
    #[prop_or_default]
    pub class: Classes,
    /// Beside the title.
    #[prop_or_default]
    pub detail: Html,
    /// For tests and links; made of the title where there is none.
    #[prop_or_default]
    pub id: Option<AttrValue>,
    /// The part that scrolls.
    #[prop_or_default]
    pub body: NodeRef,
    /// What is in it.
    pub children: Html,
}

/// A titled part of the screen that folds.
#[component]
pub fn Panel(props: &Props) -> Html {
    let id = props
        .id
        .clone()
        .unwrap_or_else(|| props.title.to_lowercase().into());
    let folded = use_stored_flag(&format!("fold.{id}"));
    let toggle = {
        let folded = folded.clone();
        Callback::from(move |_: MouseEvent| folded.toggle())
    };
    let label = if folded.is_set() { "Unfold" } else { "Fold" };
    html! {
        <section class={classes!("panel", props.class.clone(), folded.is_set().then_some("folded"))}
            aria-label={props.title.clone()} data-testid={id}>
            <header>
                <h2>{ &props.title }</h2>
                <div class="detail">{ props.detail.clone() }</div>
                <button type="button" class="fold" onclick={toggle}
                    aria-expanded={(!folded.is_set()).to_string()}
                    aria-label={format!("{label} {}", props.title)}>
                    { if folded.is_set() { "▸" } else { "▾" } }
                </button>
            </header>
            if !folded.is_set() {
                // Focusable, so that it scrolls with the keyboard.
                <div class="body" ref={props.body.clone()} tabindex="0" role="group" onkeydown={walk}
                    aria-label={format!("{}, content", props.title)}>
                    { props.children.clone() }
                </div>
            }
        </section>
    }
}

/// With the keys up and down, the focus goes from value to value; a panel without values scrolls.
fn walk(event: KeyboardEvent) {
    let by = match event.key().as_str() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    // The listener is the page's own, so the event's current target is the page.
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let Some(body) = target.and_then(|target| target.closest(".body").ok().flatten()) else {
        return;
    };
    let Ok(found) = body.query_selector_all(".cell") else {
        return;
    };
    let cells: Vec<HtmlElement> = (0..found.length())
        .filter_map(|index| found.get(index)?.dyn_into().ok())
        .collect();
    let focused = gloo::utils::document().active_element();
    let index = cells
        .iter()
        .position(|cell| focused.as_deref() == Some(cell));
    let next = match index {
        Some(index) => index.checked_add_signed(by),
        None => Some(0),
    };
    if let Some(cell) = next.and_then(|next| cells.get(next)) {
        event.prevent_default();
        // An element on the screen takes the focus.
        let _ = cell.focus();
    }
}
