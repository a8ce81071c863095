//! What the page's parts ask of the browser.

mod bench;
mod keys;
mod pulse;
mod stored;
mod view;

pub use self::{
    bench::{Fetched, use_bench},
    keys::{Chord, use_keys},
    pulse::use_pulse,
    stored::{Theme, use_stored_flag, use_theme},
    view::use_keep_in_view,
};
