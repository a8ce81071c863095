//! A value that can be asked about: pressed, it offers what can be done with it.

use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

use super::word;
use crate::model::{
    map::Pointer,
    snapshot::Word,
    state::Subject,
    text::{hex_parts, meaning},
};

/// A pressed cell.
#[derive(Clone, PartialEq, Debug)]
pub struct Pressed {
    /// What it shows.
    pub subject: Subject,
    /// Its value, as it can be typed.
    pub value: AttrValue,
    /// Where it is in the window: left and bottom edge.
    pub at: (f64, f64),
}

/// What a cell shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What it is the value of.
    pub subject: Subject,
    /// What it is the value of, for those who hear it.
    pub label: AttrValue,
    /// The value.
    pub value: u64,
    /// Bytes of the value.
    pub width: u32,
    /// What stands in the place of a value that has not been written, or not all of it.
    pub unset: Option<AttrValue>,
    /// Whether the last step wrote it.
    pub changed: bool,
    /// If it is a pointer into a frame.
    pub pointer: Option<Pointer>,
    /// It was pressed.
    pub on_press: Callback<Pressed>,
}

/// A value that can be asked about.
///
/// There are hundreds of them, and every step changes some: a cell is one button with its text and
/// nothing else. What is only heard is in its name, and the dot of a changed value is the style's.
#[component]
pub fn Cell(props: &Props) -> Html {
    let onclick = {
        let (subject, value) = (props.subject.clone(), props.value);
        props.on_press.reform(move |event: MouseEvent| {
            // The listener is the page's own, so the event's current target is the page.
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok())
                .and_then(|target| target.closest(".cell").ok().flatten());
            let at = target.map_or((0.0, 0.0), |element| {
                let place = element.get_bounding_client_rect();
                (place.left(), place.bottom())
            });
            Pressed {
                subject: subject.clone(),
                value: format!("{value:#x}").into(),
                at,
            }
        })
    };
    let class = classes!(
        "cell",
        "hex",
        props.unset.is_some().then_some("unset"),
        props.changed.then_some("changed"),
        props.pointer.map(|pointer| if pointer.is_out {
            "pointer-out"
        } else {
            "pointer"
        }),
    );
    let pointer = props.pointer.map(|pointer| format!("{:x}", pointer.to));
    let out = match props.pointer {
        Some(Pointer { is_out: true, .. }) => ", points into a frame that is swapped out",
        _ => "",
    };
    let (zeros, digits) = match &props.unset {
        Some(text) => (String::new(), text.to_string()),
        None => hex_parts(props.value, props.width),
    };
    let changed = if props.changed { ", changed" } else { "" };
    let label = format!("{}: {zeros}{digits}{out}{changed}", props.label);
    html! {
        <button type="button" {class} {onclick} tabindex="-1" aria-label={label}
            title={props.unset.as_ref().map(|_| "not written yet")}
            aria-haspopup="menu" data-pointer={pointer}>
            if !zeros.is_empty() { <span class="zeros">{ zeros }</span> }
            { digits }
        </button>
    }
}

/// The cell of a word in memory.
pub fn memory_cell(view: &Word, word_bytes: u32, on_press: &Callback<Pressed>) -> Html {
    let subject = Subject::Memory(view.address..view.address + u64::from(word_bytes));
    let what = meaning(&view.meaning);
    let label = match what.is_empty() {
        true => format!("{:#x}", view.address),
        false => format!("{what} at {:#x}", view.address),
    };
    html! {
        <Cell {subject} {label} pointer={view.pointer} value={view.value} width={word_bytes}
            unset={word::unset(view.value, view.initialised, word_bytes)}
            changed={view.changed_from.is_some()} {on_press} />
    }
}
