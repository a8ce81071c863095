//! Files that the user picks.

use costack_lang::MAX_FILE_BYTES;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;

use crate::model::{replay, state::Action};

/// Reads the file that was chosen in a field, and loads it or tells why not.
pub fn load_chosen(event: Event, act: Callback<Action>) {
    let input: HtmlInputElement = event.target_unchecked_into();
    let file = input.files().and_then(|files| files.get(0));
    // The same file can be chosen again.
    input.set_value("");
    let Some(file) = file else { return };
    yew::platform::spawn_local(async move {
        act.emit(match read(&file).await {
            Ok((name, text)) => Action::Load(name, text),
            Err(problem) => Action::Tell(problem),
        });
    });
}

/// Reads a text file: its name and text, or in words why not.
async fn read(file: &File) -> Result<(String, String), String> {
    let name = file.name();
    // Before its bytes are asked for: a film would fill the memory.
    if file.size() > MAX_FILE_BYTES as f64 {
        if !begins_as_trace(file).await {
            return Err(format!(
                "{name} is too large for a scenario: it may have 1 MiB."
            ));
        }
        if file.size() > replay::MAX_BYTES as f64 {
            return Err(format!(
                "{name} is too large for this page: a trace may have {} MiB.",
                replay::MAX_BYTES >> 20
            ));
        }
    }
    let bytes = JsFuture::from(file.array_buffer()).await;
    let bytes = bytes.map_err(|_| format!("{name} cannot be read."))?;
    let bytes = js_sys::Uint8Array::new(&bytes).to_vec();
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is no text in UTF-8."))?;
    Ok((name, text))
}

async fn begins_as_trace(file: &File) -> bool {
    let Ok(start) = file.slice_with_f64_and_f64(0.0, 64.0) else {
        return false;
    };
    let text = JsFuture::from(start.text()).await;
    text.is_ok_and(|text| text.as_string().is_some_and(|text| replay::is_trace(&text)))
}
