//! Runs scenarios on the real CPU.
//!
//! A scenario's text becomes a checked program in `costack-lang`. Here the program's syntax tree
//! is walked inside real coroutines: one per task, each on the stack that the scenario says, with
//! the scenario's variables as words in real frames on that stack. What is saved and restored are
//! these frames, so a wrong copy shows as a wrong result. Who runs next is decided by the engine's
//! scheduler, as in the simulator, and what happened is told in the same [`Event`]s.
//!
//! A walk needs far more stack than compiled code: every stack is larger here than declared, in
//! the same proportion, and images are larger as well.
//!
//! ```
//! use costack::scenario::{Options, run};
//!
//! let program = costack_lang::parse("hello.costack", r#"
//!     scenario "Hello"
//!     stack S shared 4096
//!     task A on S = greet(2)
//!     fn greet(n) { while n > 0 { print "hello", n; yield; n = n - 1 } }
//!     main { run }
//! "#).unwrap();
//! let report = run(program, &Options::default()).unwrap();
//! assert_eq!(report.output, ["hello 2", "hello 1"]);
//! assert_eq!(report.fault, None);
//! ```

mod fault;
mod fp;
mod log;
mod run;
mod stacks;
mod walk;

use std::fmt;
use std::rc::Rc;

use costack_engine::event::Event;
use costack_engine::sched::TaskId;
use costack_engine::trace::Record;
use costack_lang::syntax::Program;

pub use fault::{Fault, FaultKind};

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What `sleep` and `now` mean.
    pub clock: Clock,
    /// Stop after so many statements.
    pub statement_limit: u64,
    /// Run programs that use pointers. On the real CPU, nothing notices a pointer into a frame
    /// that has been copied out: such a program writes into another task's frames. Set this for
    /// programs that are known to use their pointers only while the frame is in place, for
    /// example because they run in the simulator without a fault.
    pub trust_pointers: bool,
}

impl Default for Options {
    /// Real time, a hundred million statements, no pointers.
    fn default() -> Self {
        Options {
            clock: Clock::Real,
            statement_limit: 100_000_000,
            trust_pointers: false,
        }
    }
}

/// What time is to a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The system's monotonic clock.
    Real,
    /// A clock that stands still while anything can run and then jumps to the next timer, as in
    /// the simulator.
    Virtual,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The printed lines.
    pub output: Vec<String>,
    /// What happened, in order.
    pub events: Vec<Event<TaskId>>,
    /// The same as the records of a trace, with the tasks, the printed lines and the fault.
    pub records: Vec<Record>,
    /// What ended the run before its end.
    pub fault: Option<Fault>,
    /// How many statements have run.
    pub statements: u64,
}

/// Why a program is not run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfit {
    /// It uses a pointer, and [`Options::trust_pointers`] is not set.
    Pointer {
        /// The line of the first use, from 1.
        line: u32,
    },
    /// It brings its own switch text, which only the simulator can run.
    SwitchText {
        /// The line it begins on, from 1.
        line: u32,
    },
    /// A stack could not be had.
    Stack(crate::Error),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Pointer { line } => write!(
                f,
                "line {line} uses a pointer, and the real CPU does not notice when its frame is \
                 gone; run it in the simulator first, and natively once that finds no fault"
            ),
            Unfit::SwitchText { line } => write!(
                f,
                "line {line} replaces the switch, which only the simulator can do"
            ),
            Unfit::Stack(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unfit {}

/// Runs a scenario to its end, or to its first fault.
///
/// Its main runs on the caller's stack, of which it may use one MiB.
///
/// # Errors
/// When the program is not fit to be run here; nothing has run then. A fault of the program is no
/// error of this function: see [`Report::fault`].
pub fn run(program: Program, options: &Options) -> Result<Report, Unfit> {
    if let Some(switch) = program.switches.first() {
        let line = program.source.line(switch.span.start);
        return Err(Unfit::SwitchText { line });
    }
    if !options.trust_pointers
        && let Some(line) = walk::first_pointer(&program)
    {
        return Err(Unfit::Pointer { line });
    }
    let _rounding = fp::Apart::begin();
    run::run(Rc::new(program), options.clone()).map_err(Unfit::Stack)
}
