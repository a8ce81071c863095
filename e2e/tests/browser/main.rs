//! The browser tests. Each file has a list of its own; `costack_e2e` tells how to write one.

mod asking;
mod changing;
mod checking;
mod explorer;
mod files;
mod measuring;
mod running;
mod smoke;
mod views;

use std::process::ExitCode;

fn main() -> ExitCode {
    costack_e2e::main(&[
        smoke::TESTS,
        explorer::TESTS,
        asking::TESTS,
        changing::TESTS,
        checking::TESTS,
        files::TESTS,
        measuring::TESTS,
        running::TESTS,
        views::TESTS,
    ])
}
