//! The parts of the page. A panel gets data and callbacks and keeps no state of the run.

mod assembly;
mod board;
mod cell;
mod cell_menu;
mod chart;
mod compare;
mod controls;
mod editor;
mod header;
mod help;
mod native;
mod output;
mod overlay;
mod panel;
mod registers;
mod saves;
mod sentence;
mod source;
mod splitter;
mod stack;
mod task;
mod timeline;
mod word;

pub use self::{board::Board, compare::Compare, editor::problem, header::Header, help::Help};
