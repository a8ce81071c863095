//! Costack beside its peers: what is measured, how, and how it is shown.
//!
//! The [`catalogue`] lists the benches in groups: who does the same thing, and who cannot. Two
//! programs run it:
//!
//! - `cargo bench`: Criterion, one bench after the other;
//! - the `suite` (`cargo xtask bench`): all of a group in interleaved rounds, so that whatever slows
//!   the machine down slows all of them, with corosensei's round trip as the yardstick in every
//!   round. Beside it memory, instruction counts and echo servers, each in processes of their own.
//!
//! What comes out is a [report](costack_bench_schema), and a page that shows it.
//!
//! Invariants: what is made for a bench is made outside of what is measured; a claim is the median
//! of ratios within rounds, never the ratio of two runs; a bench has no result that it did not
//! measure, and who cannot do a thing is named with the reason.

use crate::case::{Group, Size};

pub mod bare;
pub mod bars;
pub mod case;
pub mod counts;
pub mod echo;
pub mod fits;
pub mod life;
pub mod measure;
pub mod memory;
#[cfg(feature = "page")]
pub mod page;
pub mod peer;
pub mod ring;
pub mod sets;
pub mod simulator;
pub mod statistics;
pub mod tasks;
pub mod trips;

/// Why a peer is missing in a build without them.
pub const NOT_BUILT: &str = "was left out when this was built (feature `peers`)";

/// Why Boost.Context is missing.
#[must_use]
pub fn boost_is_missing() -> &'static str {
    if cfg!(feature = "boost") {
        "its library is not on this machine; Debian has it in libboost-context-dev"
    } else {
        "was left out when this was built (feature `boost`)"
    }
}

/// All benches, group by group.
#[must_use]
pub fn catalogue(size: Size) -> Vec<Group> {
    let mut groups = trips::groups(size);
    groups.extend(life::groups());
    groups.extend(sets::groups(size));
    groups.extend(tasks::groups(size));
    groups.extend(simulator::groups());
    groups
}
