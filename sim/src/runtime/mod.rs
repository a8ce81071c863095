//! The runtime of a simulated scenario: the scheduler's services on a simulated machine.
//!
//! - `<isa>.s`: the stubs, real code around the switch of `asm/<isa>/`, put together by
//!   [`stubs`].
//! - [`command`], [`core`]: what the engine decides; `Core::execute` interprets its plans. [`values`]:
//!   what is sent and received.
//! - [`host`], [`services`]: what a `host` instruction does, one handler per service; [`micro`]: what is
//!   left to be done after it; [`make`]: new tasks.
//! - [`memory`]: control blocks, save stacks and first frames in simulated memory.
//! - [`style`]: what a scenario's own switch text wants to be different.
//! - [`said`]: what a service was about.
//! - [`explain`]: a sentence for each step.

mod command;
mod core;
mod explain;
mod host;
mod make;
mod memory;
mod micro;
mod names;
mod said;
mod services;
mod stubs;
pub(crate) mod style;
mod values;

use std::sync::Arc;

use costack_lang::syntax::Program;

use crate::compile::{self, Compiled};
use crate::program::{Image, Isa};
use crate::session::{LoadError, Options, Session, Signals};

pub use host::Runtime;
pub use stubs::isa_of;

/// Bytes of main's stack.
const MAIN_STACK_BYTES: u32 = 64 << 10;

/// Compiles a scenario for an ISA and begins a session with it.
///
/// # Errors
/// [`LoadError::Assembly`] for mistakes in the scenario's own `switch` text, [`LoadError::Start`]
/// when its stacks and tasks do not fit the simulated memory.
pub fn load(program: Arc<Program>, isa: Isa, options: Options) -> Result<Session, LoadError> {
    let mut options = options;
    if style::Style::of(&program, isa).signals {
        options.signals = options.signals.max(Signals::InSwitches);
    }
    let compiled = compile::compile(&program, isa);
    let image = image(&program, isa, &compiled);
    let runtime = Runtime::new(program, isa, compiled);
    Session::begin(image, Box::new(runtime), options)
}

/// All texts of a scenario on an ISA: its functions, then the runtime's stubs with the switch.
pub fn image(program: &Program, isa: Isa, compiled: &Compiled) -> Image {
    Image {
        isa,
        objects: vec![compiled.object.clone(), stubs::stubs(program, isa)],
        entry: "rt_main".to_owned(),
        globals: compiled.globals.clone(),
        main_stack_bytes: MAIN_STACK_BYTES,
    }
}
