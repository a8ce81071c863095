//! The simulator of Costack: the same scheduler and the same assembly on a simulated machine.
//!
//! It executes the very assembly texts that the native engine assembles, instruction by
//! instruction, on simulated registers and memory, and records what every step writes, so that a
//! [`Session`] can go back and forth. It depends on no host, no clock and no thread.
//!
//! # What a front end does with it
//!
//! | to | call |
//! |---|---|
//! | open a scenario on an ISA | [`runtime::load`]; on other stacks, [`variant::with_stacks`] before |
//! | move | [`Session::step`], [`back`](Session::back), [`next`](Session::next), [`previous`](Session::previous), [`jump`](Session::jump), [`run`](Session::run) to a [breakpoint](view::Breakpoint) |
//! | show | [`Session::registers`], [`stacks`](Session::stacks), [`stack_words`](Session::stack_words), [`tasks`](Session::tasks), [`image_words`](Session::image_words), [`listing`](Session::listing), [`ticks`](Session::ticks) |
//! | explain | [`Session::last_step`]: what was written, and a sentence; [`Session::switch_checks`] |
//! | ask who wrote this | [`Session::writer_of_register`], [`writer_of_memory`](Session::writer_of_memory) |
//! | send a signal, set a register or bytes | [`Session::intervene`]: history branches there |
//! | keep a branch and come back to it | [`Session::branch`], [`take_branch`](Session::take_branch) |
//! | have signals come by themselves | [`Options::signals`] |
//! | prove a switch text | [`prove::prove`] with a [`Contract`](prove::Contract): a [`Report`](prove::Report) of plain data for each transition |
//!
//! ```
//! use std::sync::Arc;
//!
//! use costack_sim::program::Isa;
//! use costack_sim::view::{Granularity, Intervention, RunOutcome, StepKind};
//! use costack_sim::{Options, Session, runtime};
//!
//! let text = r#"scenario "two tasks"
//! stack S shared 4096
//! task A on S = work(1)
//! task B on S = work(2)
//! fn work(n) { yield; print "task", n }
//! main { run }"#;
//! let program = costack_lang::parse("two.costack", text).expect("it has no mistakes");
//! let load = || runtime::load(Arc::new(program.clone()), Isa::X86_64, Options::default());
//! let mut session: Session = load().expect("it fits the machine");
//!
//! // To the switch that brings B, and a signal in its middle: a step of its own.
//! session.next(Granularity::Switch, 10_000);
//! session.intervene(Intervention::Signal).expect("the run is not over");
//! let step = session.last_step().expect("a step was made");
//! assert!(matches!(step.kind, StepKind::Signal { .. }));
//! assert_eq!(session.run(10_000), RunOutcome::Ended);
//! assert_eq!(session.output(), ["task 1", "task 2"]);
//!
//! // The list of what was done from outside is all it takes to come to the same state again.
//! let branch = session.branch().to_vec();
//! let (end, hash) = (session.position(), session.state_hash());
//! let mut other = load().expect("it fits the machine");
//! other.take_branch(&branch).expect("it can be done");
//! other.jump(end);
//! assert_eq!(other.state_hash(), hash);
//! ```
#![forbid(unsafe_code)]
// The documentation is built with private items, for whoever works on this.
#![allow(rustdoc::private_intra_doc_links)]

pub mod asm;
mod code;
pub mod compile;
pub mod fault;
pub mod gallery;
pub mod host;
pub mod isa;
pub mod machine;
pub mod program;
pub mod prove;
pub mod runtime;
pub mod session;
pub mod variant;
pub mod view;

pub use session::{LoadError, Options, Session, Signals};
