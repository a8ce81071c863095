//! Criterion benches of Costack beside its peers.
