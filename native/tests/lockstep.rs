//! The CPU and the simulator read the same switch: from the same start they must get to the same
//! registers and the same memory, instruction by instruction. A text runs there and back, from
//! a first task to a fresh one and from that to the first.
//!
//! On x86-64 and i386 a child is stepped through and its registers are compared after each
//! instruction; on aarch64 the states at both arrivals are.
#![cfg(target_os = "linux")]

#[path = "lockstep/simulated.rs"]
mod simulated;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[path = "support/traced.rs"]
mod traced;

#[cfg(target_arch = "aarch64")]
#[path = "lockstep/arrivals.rs"]
mod real;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[path = "lockstep/stepped.rs"]
mod real;

use costack_sim::prove::Flavour;

#[test]
fn the_integer_flavour_does_what_the_simulator_does() {
    real::check(Flavour::Integer, 1);
    real::check(Flavour::Integer, 2);
}

#[test]
fn the_floating_point_flavour_does_what_the_simulator_does() {
    real::check(Flavour::Fp, 3);
    real::check(Flavour::Fp, 4);
}
