//! Values: in hexadecimal, with what has changed marked by colour and by a dot.

use costack_sim::view::Value;
use yew::prelude::*;

use crate::model::text::hex_parts;

/// A word with its leading zeros dimmed.
pub fn hex(value: u64, word_bytes: u32) -> Html {
    let (zeros, digits) = hex_parts(value, word_bytes);
    html! { <span class="hex"><span class="zeros">{ zeros }</span>{ digits }</span> }
}

/// A word of which some bytes have never been written: those read `··`.
pub fn partial_hex(value: u64, initialised: u8, word_bytes: u32) -> Html {
    let all = if word_bytes == 8 {
        u8::MAX
    } else {
        (1 << word_bytes) - 1
    };
    if initialised & all == all {
        return hex(value, word_bytes);
    }
    let digits: String = (0..word_bytes)
        .rev()
        .map(|byte| match initialised >> byte & 1 {
            1 => format!("{:02x}", value >> (8 * byte) & 0xff),
            _ => "··".to_owned(),
        })
        .collect();
    html! { <span class="hex unset" title="not written yet">{ digits }</span> }
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

/// The mark of a changed cell.
pub fn dot() -> Html {
    html! {
        <><span class="dot" aria-hidden="true">{ "●" }</span>
        <span class="visually-hidden">{ "changed" }</span></>
    }
}
