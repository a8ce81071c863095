//! The simulated machine: registers, memory, execution.

mod context;

pub use context::{Context, Register, SegmentKind};
