//! What can be done with a pressed cell.

use costack_sim::view::Breakpoint;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::cell::Pressed;
use crate::model::{
    run::Move,
    state::{Action, Subject},
};

/// What the menu is about.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The cell.
    pub pressed: Pressed,
    /// Breakpoints that are set.
    pub breakpoints: Vec<Breakpoint>,
    /// Something was chosen.
    pub on_action: Callback<Action>,
    /// The menu is no longer wanted.
    pub on_close: Callback<()>,
}

/// What can be done with a pressed cell.
#[component]
pub fn CellMenu(props: &Props) -> Html {
    let menu = use_node_ref();
    {
        let menu = menu.clone();
        use_effect_with(props.pressed.clone(), move |_| focus_first(&menu));
    }
    let close = props.on_close.clone();
    let act = |action: Action| {
        let (on_action, close) = (props.on_action.clone(), close.clone());
        Callback::from(move |_: MouseEvent| {
            on_action.emit(action.clone());
            close.emit(());
        })
    };
    let breakpoint = match &props.pressed.subject {
        Subject::Register(name) => Breakpoint::RegisterWrite(name),
        Subject::Memory(range) => Breakpoint::MemoryWrite(range.clone()),
    };
    let is_set = props.breakpoints.contains(&breakpoint);
    let name = match &props.pressed.subject {
        Subject::Register(name) => (*name).to_owned(),
        Subject::Memory(range) => format!("{:#x}", range.start),
    };
    let onkeydown = {
        let (menu, close) = (menu.clone(), close.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" | "Tab" => close.emit(()),
            "ArrowDown" => move_focus(&menu, 1, &event),
            "ArrowUp" => move_focus(&menu, -1, &event),
            _ => {}
        })
    };
    let (left, top) = props.pressed.at;
    html! {
        <>
            <div class="menu-ground" onclick={close.reform(|_: MouseEvent| ())}></div>
            <div class="menu" role="menu" aria-label={format!("About {name}")} ref={menu} {onkeydown}
                style={format!("left:min({left:.0}px, 100vw - 236px);top:min({top:.0}px, 100vh - 120px)")}>
                <p>{ name }</p>
                <button type="button" role="menuitem" onclick={act(Action::Go(Move::JumpToWriter(props.pressed.subject.clone())))}>
                    { "Who wrote this?" }
                </button>
                <button type="button" role="menuitem" onclick={act(Action::ToggleBreakpoint(breakpoint))}>
                    { if is_set { "Do not stop when it is written" } else { "Stop when it is written" } }
                </button>
            </div>
        </>
    }
}

fn items(menu: &NodeRef) -> Vec<HtmlElement> {
    let Some(menu) = menu.cast::<HtmlElement>() else {
        return Vec::new();
    };
    let Ok(found) = menu.query_selector_all("[role=menuitem]") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.get(index)?.dyn_into().ok())
        .collect()
}

fn focus_first(menu: &NodeRef) {
    if let Some(first) = items(menu).first() {
        // An element on the screen takes the focus.
        let _ = first.focus();
    }
}

fn move_focus(menu: &NodeRef, by: isize, event: &KeyboardEvent) {
    event.prevent_default();
    let items = items(menu);
    let focused = gloo::utils::document().active_element();
    let index = items.iter().position(|item| focused.as_ref() == Some(item));
    let count = items.len() as isize;
    let next = index.map_or(0, |index| (index as isize + by).rem_euclid(count.max(1)));
    if let Some(item) = items.get(next as usize) {
        let _ = item.focus();
    }
}
