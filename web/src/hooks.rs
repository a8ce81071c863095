//! What the page's parts ask of the browser.

mod address;
mod bench;
mod columns;
mod download;
mod file;
mod keys;
mod pulse;
mod stored;
mod view;

pub use self::{
    address::{base, copy_text, fragment, use_address, use_fragment},
    bench::{Fetched, use_bench},
    columns::{Columns, WIDTHS, use_columns},
    download::download,
    file::load_chosen,
    keys::{Chord, use_keys},
    pulse::use_pulse,
    stored::{Theme, use_stored_flag, use_theme},
    view::use_keep_in_view,
};
