//! Values in words: those that are not there yet, and those that were there before.

use costack_sim::view::Value;
use yew::prelude::*;

/// A word of which some bytes have never been written: those read `··`. `None` if all have been.
pub fn unset(value: u64, initialised: u8, word_bytes: u32) -> Option<AttrValue> {
    let all = if word_bytes == 8 {
        u8::MAX
    } else {
        (1 << word_bytes) - 1
    };
    if initialised & all == all {
        return None;
    }
    let byte = |byte: u32| match initialised >> byte & 1 {
        1 => format!("{:02x}", value >> (8 * byte) & 0xff),
        _ => "··".to_owned(),
    };
    let digits: String = (0..word_bytes).rev().map(byte).collect();
    Some(digits.into())
}

/// A value that was there before.
pub fn old(value: &Value) -> Html {
    let text = match value {
        Value::Word(word) => format!("{word:#x}"),
        Value::Uninitialised => return html! { <span class="old">{ "was not written" }</span> },
        Value::Bytes(bytes) if bytes.len() <= 8 => {
            let word = bytes
                .iter()
                .rev()
                .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            format!("{word:#x}")
        }
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Task(Some(task)) => format!("task {task}"),
        Value::Task(None) => "nobody".to_owned(),
        Value::Text(text) => text.clone(),
    };
    html! { <span class="old">{ "was " }<s>{ text }</s></span> }
}
