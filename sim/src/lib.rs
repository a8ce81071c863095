//! The simulator of Costack: the same scheduler and the same assembly on a simulated machine.
