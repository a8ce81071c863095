//! Selects the architecture. Every file exports the same items in the same order:
//!
//! - [`FRESH_WORDS`]: what a switch leaves at the low end of an image; [`TAKEN_WORDS`]: what it
//!   takes from there when its target was out.
//! - `__resume`, `__suspend`: the bodies of C functions. [`leave`]: the last switch.
//! - [`CallFrame`], [`CallFrameFp`]: what a switch finds on a stack that has not run yet.
//! - [`ControlWords`]: what the floating-point flavour keeps.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod isa;

#[cfg(target_arch = "x86")]
#[path = "x86.rs"]
mod isa;

#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod isa;

pub use isa::ControlWords;
#[cfg(target_arch = "x86")]
#[doc(hidden)]
pub use isa::current_address;
pub(super) use isa::{CallFrame, CallFrameFp, FRESH_WORDS, TAKEN_WORDS, leave};

use super::Control;
use core::cell::Cell;
use core::mem::offset_of;

// The thread's running coroutine.
crate::arch::define_thread_variable!("costack_running_control", 8);

/// Where that is noted for this thread.
#[inline(always)]
pub(super) fn current_cell() -> *const Cell<*mut Control> {
    crate::arch::thread_variable!("costack_running_control")
}

/// Where things are in a control block, in bytes, for the assembly.
pub mod at {
    use super::{Control, offset_of};
    use crate::head::{Head, Link};

    /// The coroutine's stack pointer. The head is the first field of the first field.
    pub const SP: usize = offset_of!(Head, sp);
    /// Its resumer's.
    pub const RESUMER_SP: usize = offset_of!(Head, link) + offset_of!(Link, sp);
    /// The flavour.
    pub const FP: usize = Head::FP_OFFSET;
    pub(crate) const STAGE: usize = offset_of!(Head, stage);
    /// Where the resumer wants the value that comes back.
    pub const OUT: usize = offset_of!(Control, out);
    /// Where the coroutine wants the value that it is resumed with.
    pub const RECEIVED: usize = offset_of!(Control, received);
    pub(crate) const FIRST: usize = offset_of!(Control, first);
    /// Who ran when it was resumed.
    pub const PREVIOUS: usize = offset_of!(Control, previous);
}

#[cfg(test)]
mod tests {
    use super::*;

    use costack_sim::program::Isa;
    use costack_sim::prove::{Contract, Flavour, Words};

    #[cfg(target_arch = "aarch64")]
    const ISA: Isa = Isa::Aarch64;
    #[cfg(target_arch = "x86")]
    const ISA: Isa = Isa::I386;
    #[cfg(target_arch = "x86_64")]
    const ISA: Isa = Isa::X86_64;

    /// What the prover takes for granted about a first frame, and about what is copied back of an
    /// image, is what is done here.
    #[test]
    fn the_contracts_of_the_texts_are_kept() {
        let word = size_of::<usize>();
        for (flavour, size) in [
            (Flavour::Integer, size_of::<CallFrame>()),
            (Flavour::Fp, size_of::<CallFrameFp>()),
        ] {
            let contracts = Contract::of_call(ISA, flavour);
            let left_out = contracts.iter().map(|contract| match contract.words {
                Words::OnStack => 0,
                Words::InImage { left_out } => left_out as usize,
            });
            assert_eq!(left_out.max(), Some(TAKEN_WORDS * word));
            for contract in &contracts {
                assert_eq!(contract.first_frame_bytes() as usize, size);
            }
        }
    }
}
