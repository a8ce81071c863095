//! The explorer: Costack's simulator, step by step, in the browser.
//!
//! - [`model`]: what is shown and how it changes: one state, one set of actions, no elements;
//! - [`components`]: one panel each, told everything through their properties;
//! - [`hooks`]: what the panels ask of the browser;
//! - [`app`]: ties them together.
//!
//! Invariants: nothing is simulated here, and no value is shown that the simulator or a measurement
//! did not give; the reducer is the only one that moves a session.

mod app;
mod components;
mod hooks;
mod model;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
