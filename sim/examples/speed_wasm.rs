//! The simulator's speed as WebAssembly: a module that a page runs, with two functions.
//!
//! `cargo xtask speed` builds it, runs it in headless Chromium, and shows what
//! `examples/mips.rs` and `examples/million.rs` show of native code.

mod speed;

use costack_sim::Session;
use costack_sim::program::Isa;
use std::cell::RefCell;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Begins a session with one of the scenarios on one of the ISAs and brings it into its stride.
/// Returns how many steps that took, or 0 if there is no such scenario or ISA.
// SAFETY: no other symbol of the module has this name.
#[unsafe(no_mangle)]
pub extern "C" fn begin(scenario: u32, isa: u32) -> u32 {
    let all = speed::scenarios();
    let (Some((_, text, warm)), Some(isa)) =
        (all.get(scenario as usize), Isa::ALL.get(isa as usize))
    else {
        return 0;
    };
    // The last session's memory is there for this one.
    SESSION.set(None);
    let mut session = speed::session(text, *isa);
    session.run(*warm);
    SESSION.set(Some(session));
    *warm as u32
}

/// Goes to a position, which may not have been reached yet. Returns the one reached.
// SAFETY: no other symbol of the module has this name.
#[unsafe(no_mangle)]
pub extern "C" fn jump(position: u32) -> u32 {
    let jump = |session: &mut Session| session.jump(position.into()) as u32;
    SESSION.with_borrow_mut(|session| session.as_mut().map_or(0, jump))
}
