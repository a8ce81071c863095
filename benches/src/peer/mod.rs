//! Costack and its peers, each doing the same.
//!
//! A *round trip* is one resume and one yield. The shapes of a round trip on own stacks:
//!
//! - `root_yields`: the coroutine's function itself yields, in a loop.
//! - `helper_yields`: it calls a helper that yields and returns, as `sleep`, `lock` or `read` do.
//! - `four_deep`: four nested calls, the innermost yields, all return.
//! - `resume_not_inlined`: the root yields, and the resumer calls a function that resumes.
//!
//! Every shape passes a `usize` each way. Coroutines are made outside of what is measured.

use crate::case::Runner;

#[cfg(boost_context)]
pub mod boost;
pub mod corosensei;
pub mod costack;
pub mod future;
#[cfg(feature = "peers")]
pub mod generator;
#[cfg(feature = "peers")]
pub mod may;
pub mod plain;
pub mod thread;

/// The names of the shapes, in the order of [`Shapes`].
pub const SHAPES: [&str; 4] = [
    "root_yields",
    "helper_yields",
    "four_deep",
    "resume_not_inlined",
];

/// One runner per shape.
pub type Shapes = [Runner; 4];
