//! The parts of the page. A panel gets data and callbacks and keeps no state of the run.

mod assembly;
mod board;
mod chart;
mod controls;
mod header;
mod native;
mod output;
mod panel;
mod registers;
mod saves;
mod sentence;
mod source;
mod stack;
mod task;
mod timeline;
mod word;

pub use self::{board::Board, header::Header};
