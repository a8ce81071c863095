//! What is measured: the same shapes for Costack and for corosensei.
//!
//! A *round trip* is one resume and one yield. The shapes of a round trip on own stacks:
//!
//! - `root_yields`: the coroutine's function itself yields, in a loop.
//! - `helper_yields`: it calls a helper that yields and returns, as `sleep`, `lock` or `read` do.
//! - `four_deep`: four nested calls, the innermost yields, all return.
//! - `resume_not_inlined`: the root yields, and the resumer calls a function that resumes.
//!
//! Every shape passes a `usize` each way. Coroutines are made outside of what is measured.

pub mod corosensei_shapes;
pub mod costack_shapes;
pub mod shared;

/// The names of the shapes, in the order of [`Shapes`].
pub const SHAPES: [&str; 4] = [
    "root_yields",
    "helper_yields",
    "four_deep",
    "resume_not_inlined",
];

/// Something that makes a number of round trips.
pub type Runner = Box<dyn FnMut(u64)>;

/// One runner per shape.
pub type Shapes = [Runner; 4];
