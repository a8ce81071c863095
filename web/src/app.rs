//! The root component.

use yew::prelude::*;

/// The whole page.
#[component]
pub fn App() -> Html {
    html! {
        <main>
            <h1>{ "Costack" }</h1>
            <p>{ "Stack-sharing coroutines: see them, check them, run them." }</p>
        </main>
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::App;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    async fn shows_its_name() {
        let host = gloo::utils::document()
            .create_element("div")
            .expect("an element");
        yew::Renderer::<App>::with_root(host.clone()).render();
        // Rendering is scheduled, so the test lets the scheduler run first.
        gloo::timers::future::TimeoutFuture::new(0).await;
        let heading = host
            .query_selector("h1")
            .expect("a valid selector")
            .expect("a heading");
        assert_eq!(heading.text_content().as_deref(), Some("Costack"));
    }
}
