//! Keys that work on the whole page.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

/// A key as the page's shortcuts know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chord {
    /// Its name in browsers: `ArrowLeft`, ` `, `?`.
    pub key: String,
    /// Whether shift is down.
    pub shift: bool,
    /// Whether control is down.
    pub control: bool,
}

/// Offers every key pressed on the page to `handle`, which says whether it was one of its own; that
/// one then does nothing else. Keys that an input field, a list or a pressed button wants are not
/// offered.
#[hook]
pub fn use_keys(handle: Callback<Chord, bool>) {
    use_effect_with(handle, |handle| {
        let handle = handle.clone();
        let options = EventListenerOptions::enable_prevent_default();
        let window = gloo::utils::window();
        let listener = EventListener::new_with_options(&window, "keydown", options, move |event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            if event.alt_key() || event.meta_key() || event.default_prevented() || is_wanted(event)
            {
                return;
            }
            let chord = Chord {
                key: event.key(),
                shift: event.shift_key(),
                control: event.ctrl_key(),
            };
            if handle.emit(chord) {
                event.prevent_default();
            }
        });
        move || drop(listener)
    });
}

/// Whether the focused element has a use of its own for the key.
fn is_wanted(event: &KeyboardEvent) -> bool {
    let Some(element) = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
    else {
        return false;
    };
    let matches = |selector: &str| element.closest(selector).is_ok_and(|found| found.is_some());
    if matches("textarea, select, [contenteditable], input:not([type=range]), dialog") {
        return true;
    }
    // The timeline's slider moves by itself; a button or a link is pressed with these.
    if matches("[role=separator], [role=menu]") {
        return true;
    }
    match event.key().as_str() {
        "ArrowLeft" | "ArrowRight" | "Home" | "End" => {
            matches("input[type=range]") && !event.shift_key() && !event.ctrl_key()
        }
        " " | "Enter" => matches("button, a[href], summary"),
        _ => false,
    }
}
