//! Files that the user picks.

use costack_lang::MAX_FILE_BYTES;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use yew::prelude::*;

/// Reads a text file: its name and text, or in words why not.
pub fn read_file(file: File, done: Callback<Result<(String, String), String>>) {
    yew::platform::spawn_local(async move { done.emit(read(&file).await) });
}

async fn read(file: &File) -> Result<(String, String), String> {
    let name = file.name();
    // Before its bytes are asked for: a film would fill the memory.
    if file.size() > MAX_FILE_BYTES as f64 {
        return Err(format!(
            "{name} is too large for a scenario: it may have 1 MiB."
        ));
    }
    let bytes = JsFuture::from(file.array_buffer()).await;
    let bytes = bytes.map_err(|_| format!("{name} cannot be read."))?;
    let bytes = js_sys::Uint8Array::new(&bytes).to_vec();
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is no text in UTF-8."))?;
    Ok((name, text))
}
