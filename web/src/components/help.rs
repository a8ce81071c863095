//! The keys, and what the marks mean.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// When the dialog is shown.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whether it is.
    pub open: bool,
    /// It was closed.
    pub on_close: Callback<()>,
}

const KEYS: [(&str, &str); 15] = [
    ("→  ←", "one step forward, back"),
    ("Shift →  ←", "to the next, the previous switch"),
    ("Ctrl →  ←", "to the next, the previous statement"),
    (
        "Ctrl Shift →  ←",
        "to the next, the previous change of a stack's owner",
    ),
    ("Home  End", "to the start, to the end"),
    ("Space", "run, pause"),
    ("F", "to the fault, or to the end"),
    ("E", "edit the scenario"),
    ("C", "compare with other stacks, instruction sets, switches"),
    ("P", "what is proven of the switch"),
    ("S", "share: links, pictures, traces"),
    ("U", "undo what was done by hand"),
    (
        "↑  ↓",
        "in a panel: from value to value; Enter asks about it",
    ),
    ("?", "this help"),
    ("Esc", "close what is open"),
];

/// The keys, and what the marks mean.
#[component]
pub fn Help(props: &Props) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with(props.open, move |&open| {
            let Some(dialog) = dialog.cast::<HtmlDialogElement>() else {
                return;
            };
            if open && !dialog.open() {
                // It is in the document and closed, so it can be shown.
                let _ = dialog.show_modal();
            } else if !open {
                dialog.close();
            }
        });
    }
    let close = props.on_close.reform(|_: MouseEvent| ());
    html! {
        <dialog class="help" ref={dialog} aria-labelledby="help-title"
            onclose={props.on_close.reform(|_: Event| ())}>
            <header><h2 id="help-title">{ "Keys and marks" }</h2>
                <button type="button" class="button" onclick={close}>{ "Close" }</button></header>
            <dl>{ for KEYS.iter().map(|(keys, what)| html! {
                <><dt>{ for keys.split("  ").map(|key| html! { <kbd>{ key.to_owned() }</kbd> }) }</dt>
                <dd>{ *what }</dd></>
            }) }</dl>
            <h3>{ "Marks" }</h3>
            <dl>
                <dt><span class="changed sample">{ "2a" }</span></dt>
                <dd>{ "the last step wrote it; beside it is what was there before" }</dd>
                <dt>{ "✓ ▶" }</dt><dd>{ "executed last, next" }</dd>
                <dt>{ "··" }</dt><dd>{ "a byte that nothing has written yet" }</dd>
                <dt>{ "◀" }</dt><dd>{ "the lowest live word: sp of the task on this stack" }</dd>
                <dt>{ "dead" }</dt><dd>{ "below sp: left behind, may be overwritten at any time" }</dd>
            </dl>
            <p class="dim">
                { "Hold the pointer over a value that is a pointer: an arrow shows where it leads, red \
                   when it leads into a frame that is swapped out. Press a value to ask who wrote it. \
                   Press a line's number to stop there. Change a value or send a signal, and history branches \
                   there: ▴ on the timeline marks where, Undo leads back." }
            </p>
        </dialog>
    }
}
