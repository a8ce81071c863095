//! The parts of the page. A panel gets data and callbacks and keeps no state of the run.

mod assembly;
mod board;
mod cell;
mod cell_menu;
mod chart;
mod checks;
mod compare;
mod controls;
mod dialog;
mod editor;
mod header;
mod help;
mod native;
mod output;
mod overlay;
mod panel;
mod proof;
mod registers;
mod replay;
mod saves;
mod sentence;
mod share;
mod source;
mod splitter;
mod stack;
mod task;
mod timeline;
mod word;

pub use self::{
    board::Board,
    compare::Compare,
    editor::problem,
    header::{Header, isa_name, spoken},
    help::Help,
    proof::Proof,
    replay::Replay,
    share::{Export, Share},
};
