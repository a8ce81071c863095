//! The page's address: what stands behind its `#`.

use gloo::{events::EventListener, timers::callback::Timeout};
use wasm_bindgen::JsValue;
use yew::prelude::*;

/// How long nothing changes before the address follows. Browsers refuse too many changes.
const PATIENCE_MS: u32 = 400;

/// What stands behind the `#` now.
pub fn fragment() -> String {
    gloo::utils::window().location().hash().unwrap_or_default()
}

/// Calls back when the user changes the address.
#[hook]
pub fn use_fragment(changed: Callback<String>) {
    use_effect_with(changed, |changed| {
        let changed = changed.clone();
        let window = gloo::utils::window();
        let listener = EventListener::new(&window, "hashchange", move |_| changed.emit(fragment()));
        move || drop(listener)
    });
}

/// Writes to the address what `link` gives, a moment after `key` has changed for the last time.
#[hook]
pub fn use_address<K: PartialEq + 'static>(key: K, link: Callback<(), Option<String>>) {
    use_effect_with(key, move |_| {
        let timer = Timeout::new(PATIENCE_MS, move || {
            if let Some(fragment) = link.emit(()) {
                set(&fragment);
            }
        });
        move || drop(timer)
    });
}

fn set(fragment: &str) {
    let Ok(history) = gloo::utils::window().history() else {
        return;
    };
    let url = match fragment {
        "" => gloo::utils::window()
            .location()
            .pathname()
            .unwrap_or_default(),
        _ => format!("#{fragment}"),
    };
    // A page in a sandboxed frame may not do this; its address then stays as it is.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
}

/// The page's address without what stands behind the `#`.
pub fn base() -> String {
    let href = gloo::utils::window().location().href().unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// Puts a text onto the clipboard; tells how it went.
pub fn copy_text(text: &str, what: &'static str, done: Callback<String>) {
    let clipboard = gloo::utils::window().navigator().clipboard();
    let written = clipboard.write_text(text);
    yew::platform::spawn_local(async move {
        let written = wasm_bindgen_futures::JsFuture::from(written).await;
        done.emit(match written {
            Ok(_) => format!("The {what} is on the clipboard."),
            Err(_) => format!(
                "The browser keeps the clipboard to itself: copy the {what} from its field."
            ),
        });
    });
}
