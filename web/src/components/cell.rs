//! A value that can be asked about: pressed, it offers what can be done with it.

use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

use super::word;
use crate::model::{map::Pointer, snapshot::Word, state::Subject, text::meaning};

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
    /// The value as shown.
    pub children: Html,
    /// The value.
    pub value: u64,
    /// Whether the last step wrote it.
    pub changed: bool,
    /// If it is a pointer into a frame.
    pub pointer: Option<Pointer>,
    /// It was pressed.
    pub on_press: Callback<Pressed>,
}

/// A value that can be asked about.
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
    html! {
        <button type="button" {class} {onclick} tabindex="-1"
            aria-haspopup="menu" data-pointer={pointer}>
            <span class="visually-hidden">{ &props.label }{ ": " }</span>
            { props.children.clone() }
            <span class="visually-hidden">{ out }</span>
            if props.changed { { word::dot() } }
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
        <Cell {subject} {label} pointer={view.pointer} value={view.value} changed={view.changed_from.is_some()} {on_press}>
            { word::partial_hex(view.value, view.initialised, word_bytes) }
        </Cell>
    }
}
