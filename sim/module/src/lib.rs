//! The simulator of Costack as a wasm module with a small interface of its own.
//!
//! The module imports nothing: whoever can instantiate wasm can host it. `cargo xtask module`
//! builds it. Built natively, the same code is [`Simulator`], so that one can be compared with the
//! other.
//!
//! # The interface
//!
//! Version [`VERSION`]; a host asks for it first. Numbers are little-endian and unsigned unless said
//! otherwise.
//!
//! | export | what it does |
//! |---|---|
//! | `memory` | the module's memory |
//! | `version() -> i32` | the version of this interface |
//! | `sources() -> i64` | the [`SOURCES`] it was built from: a host that has the simulator itself refuses other ones |
//! | `input(len: i32) -> i32` | makes the input `len` bytes long, filled with zeros, and returns where it is; the host writes its text there. 0 when it is longer than [`MAX_INPUT_BYTES`] |
//! | `load(name_len: i32, isa: i32, memory_limit: i64) -> i32` | reads a scenario: the first `name_len` bytes of the input are its file's name, the rest is its text. `isa` is a place in [`ISAS`]; `memory_limit` bounds the simulated memory, in bytes, 0 being the usual limit |
//! | `step(count: i64) -> i32` | makes that many steps; back if the (signed) count is negative |
//! | `run(limit: i64) -> i32` | makes at most so many steps, to the end or a fault |
//! | `state() -> i32` | answers with the [`State`] as JSON |
//! | `trace() -> i32` | answers with the trace, in the format of [`costack_engine::trace`] |
//! | `prove(name_len: i32, what: i32, isa: i32, flavour: i32) -> i32` | proves a switch text and answers with [`Proof`]s as JSON. `what` is 0 for the built-in texts, 1 for that of a scenario in the input, 2 for assembly in the input that stands in line and 3 for assembly that ends a C function, laid out like `load`'s; `flavour` is 0 for integer and 1 for fp |
//! | `answer() -> i32`, `answer_len() -> i32` | where the last answer is, and how long: UTF-8. It stands until the next call but these |
//!
//! A call returns a [`Status`]. What is negative is a refusal, and the answer says why in words.
//! No call with whatever numbers harms the module; running out of memory traps.
//!
//! The input is read where the host wrote it and kept, so that no pointer is ever taken from the
//! host.

mod exports;
mod proof;
mod simulator;
mod state;

pub use proof::{Found, Obligation, Proof, What, proofs};
pub use simulator::{Refusal, Simulator};
pub use state::{Fault, Register, Stack, State, Statistics, Task};

use costack_sim::program::Isa;

/// The version of the interface.
pub const VERSION: u32 = 1;

/// A hash of the sources that this was built from.
pub const SOURCES: u64 = match u64::from_str_radix(env!("COSTACK_SOURCES"), 10) {
    Ok(hash) => hash,
    Err(_) => panic!("the build script gives a number"),
};

/// The longest input: a scenario of the longest allowed text, and the longest file name.
pub const MAX_INPUT_BYTES: usize = costack_lang::MAX_FILE_BYTES + 4096 + 1;

/// The instruction sets, by the number that stands for each.
pub const ISAS: [Isa; 3] = Isa::ALL;

/// What a call returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Status {
    /// Done; after steps: there is more to run.
    Done = 0,
    /// The program has ended.
    Ended = 1,
    /// The program has faulted; the state says how.
    Faulted = 2,
    /// The text has mistakes.
    Mistakes = -1,
    /// No scenario is loaded.
    NotLoaded = -2,
    /// A number that stands for nothing, or a length beyond the input.
    BadArgument = -3,
    /// The simulated machine could not be prepared, or the text fits no 32-bit machine.
    Unfit = -4,
}

impl Status {
    /// Every one of them.
    pub const ALL: [Status; 7] = [
        Status::Done,
        Status::Ended,
        Status::Faulted,
        Status::Mistakes,
        Status::NotLoaded,
        Status::BadArgument,
        Status::Unfit,
    ];

    /// The status that a number stands for.
    pub fn of(number: i32) -> Option<Status> {
        let mut all = Status::ALL.into_iter();
        all.find(|status| *status as i32 == number)
    }
}
