//! A window in front of the page.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// What the window shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its heading.
    pub title: AttrValue,
    /// Its style.
    pub class: Classes,
    /// It was closed.
    pub on_close: Callback<()>,
    /// What is in it.
    pub children: Html,
}

/// A window in front of the page, open as long as it is there.
#[component]
pub fn Dialog(props: &Props) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_effect_with((), move |()| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                // It is in the document and closed, so it can be shown.
                let _ = dialog.show_modal();
            }
        });
    }
    html! {
        <dialog class={props.class.clone()} ref={dialog} aria-labelledby="dialog-title"
            onclose={props.on_close.reform(|_: Event| ())}>
            <header><h2 id="dialog-title">{ &props.title }</h2>
                <button type="button" class="button" onclick={props.on_close.reform(|_: MouseEvent| ())}>
                    { "Close" }</button></header>
            { props.children.clone() }
        </dialog>
    }
}
