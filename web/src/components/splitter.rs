//! The border between two columns, to be moved.

use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::hooks::Columns;

/// How far one press of a key moves it.
const STEP: f64 = 16.0;

/// Which border.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All columns.
    pub columns: Columns,
    /// The one in front of the border.
    pub column: usize,
}

/// The border between two columns, to be moved.
#[component]
pub fn Splitter(props: &Props) -> Html {
    let column = props.column;
    let last_x = use_mut_ref(|| None::<i32>);
    let onpointerdown = {
        let last_x = last_x.clone();
        Callback::from(move |event: PointerEvent| {
            let element: Element = event.target_unchecked_into();
            // The pointer is down, so it can be kept.
            let _ = element.set_pointer_capture(event.pointer_id());
            *last_x.borrow_mut() = Some(event.client_x());
        })
    };
    let onpointermove = {
        let (last_x, columns) = (last_x.clone(), props.columns.clone());
        Callback::from(move |event: PointerEvent| {
            let Some(before) = *last_x.borrow() else {
                return;
            };
            let x = event.client_x();
            let element: HtmlElement = event.target_unchecked_into();
            let board = element
                .offset_parent()
                .map_or(1440, |board| board.client_width());
            let total: f64 = crate::hooks::WIDTHS.iter().sum();
            columns.shift(
                column,
                f64::from(x - before) * total / f64::from(board.max(1)),
            );
            *last_x.borrow_mut() = Some(x);
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| *last_x.borrow_mut() = None);
    let onkeydown = {
        let columns = props.columns.clone();
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowLeft" => columns.shift(column, -STEP),
                "ArrowRight" => columns.shift(column, STEP),
                "Home" => columns.reset(),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let ondblclick = {
        let columns = props.columns.clone();
        Callback::from(move |_: MouseEvent| columns.reset())
    };
    let share = props.columns.share(column);
    html! {
        <div class="splitter" role="separator" aria-orientation="vertical" tabindex="0"
            aria-label={format!("Border behind column {}", column + 1)} aria-valuemin="0" aria-valuemax="100"
            aria-valuenow={format!("{share:.0}")} style={format!("grid-column:{}", column + 1)}
            {onpointerdown} {onpointermove} {onpointerup} {onkeydown} {ondblclick}></div>
    }
}
