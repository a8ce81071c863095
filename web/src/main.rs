//! The explorer: Costack's simulator, step by step, in the browser.

mod app;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
