//! The explorer: Costack's simulator, step by step, in the browser.
fn main() {}
