//! Keeping the element that matters in view.

use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// Scrolls a container, and nothing else, so that the element within it that the selector finds can
/// be seen. It does so when `key` has changed, and does nothing if the element can be seen already.
#[hook]
pub fn use_keep_in_view<K: PartialEq + 'static>(
    container: &NodeRef,
    selector: &'static str,
    key: K,
) {
    let container = container.clone();
    use_effect_with(key, move |_| {
        if let Some(container) = container.cast::<HtmlElement>()
            && let Ok(Some(element)) = container.query_selector(selector)
        {
            scroll(&container, &element);
        }
    });
}

fn scroll(container: &HtmlElement, element: &Element) {
    let outer = container.get_bounding_client_rect();
    let inner = element.get_bounding_client_rect();
    // A folded or hidden one has no height.
    if outer.height() == 0.0 {
        return;
    }
    let margin = (inner.height() * 2.0).min(outer.height() / 3.0);
    let too_high = inner.top() < outer.top() + margin.min(inner.height());
    let too_low = inner.bottom() > outer.bottom() - margin;
    if too_high || too_low {
        let middle = inner.top() - outer.top() - (outer.height() - inner.height()) / 2.0;
        let target = f64::from(container.scroll_top()) + middle;
        container.set_scroll_top(target.round() as i32);
    }
}
