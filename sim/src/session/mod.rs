//! A run that can go back: every step records what it wrote.

mod journal;

use std::ops::Range;

use crate::asm::AsmError;
use crate::fault::{Fault, FaultKind, StackNumber, TaskNumber};
use crate::host::Host;
use crate::program::{Image, Isa};
use crate::view::{
    AsmLine, Breakpoint, FrameView, Granularity, RegisterView, RunOutcome, StackView, Statistics,
    StepOutcome, StepView, TaskView, Tick, WordView,
};

pub use journal::{Journal, Replay};

/// What a session may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Simulated memory that may be touched, in bytes.
    pub memory_limit: u64,
    /// Bytes of log that may be kept.
    pub log_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            memory_limit: 256 << 20,
            log_limit: 256 << 20,
        }
    }
}

/// Why a session cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// Mistakes in assembly texts, all of them.
    Assembly(Vec<AsmError>),
    /// The machine could not be prepared.
    Start(FaultKind),
}

/// A machine, its runtime and the log of all steps made.
///
/// Position `n` is the state after `n` steps. Views show the current position.
pub struct Session {
    #[allow(dead_code)]
    host: Box<dyn Host>,
}

#[allow(unused_variables)]
impl Session {
    /// Assembles an image and prepares the machine.
    ///
    /// # Errors
    /// Mistakes in the assembly texts, or what the machine refuses to the host.
    pub fn load(image: &Image, host: Box<dyn Host>, options: Options) -> Result<Self, LoadError> {
        unimplemented!()
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        unimplemented!()
    }

    /// The runtime.
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    // Moving.

    /// One step forward.
    pub fn step(&mut self) -> StepOutcome {
        unimplemented!()
    }

    /// One step back. False at the start.
    pub fn back(&mut self) -> bool {
        unimplemented!()
    }

    /// To any position; further than was ever run, it runs on. Returns the position reached,
    /// which is less if the program ends before.
    pub fn jump(&mut self, position: u64) -> u64 {
        unimplemented!()
    }

    /// Forward by at most `limit` steps, to the end, a fault or a breakpoint.
    pub fn run(&mut self, limit: u64) -> RunOutcome {
        unimplemented!()
    }

    /// Forward by one unit; at most `limit` steps.
    pub fn next(&mut self, granularity: Granularity, limit: u64) -> StepOutcome {
        unimplemented!()
    }

    /// Back by one unit. False at the start.
    pub fn previous(&mut self, granularity: Granularity) -> bool {
        unimplemented!()
    }

    /// Steps made up to here.
    pub fn position(&self) -> u64 {
        unimplemented!()
    }

    /// Steps ever made.
    pub fn recorded_len(&self) -> u64 {
        unimplemented!()
    }

    /// Whether the program has ended, or faulted, at this position.
    pub fn is_over(&self) -> bool {
        unimplemented!()
    }

    /// Sets a breakpoint; the number names it.
    pub fn add_breakpoint(&mut self, breakpoint: Breakpoint) -> usize {
        unimplemented!()
    }

    /// Takes a breakpoint away.
    pub fn remove_breakpoint(&mut self, number: usize) {
        unimplemented!()
    }

    /// The breakpoints with their numbers.
    pub fn breakpoints(&self) -> Vec<(usize, Breakpoint)> {
        unimplemented!()
    }

    // Looking.

    /// The step that led here; `None` at the start.
    pub fn last_step(&self) -> Option<StepView> {
        unimplemented!()
    }

    /// All registers, in the order in which they are shown.
    pub fn registers(&self) -> Vec<RegisterView> {
        unimplemented!()
    }

    /// All stacks; main's is the first.
    pub fn stacks(&self) -> Vec<StackView> {
        unimplemented!()
    }

    /// The words of a stack in a range of addresses, the lowest first.
    pub fn stack_words(&self, stack: StackNumber, range: Range<u64>) -> Vec<WordView> {
        unimplemented!()
    }

    /// The words of a task's image in its save stack, and its unused rest, the lowest first. The
    /// addresses are those in the save stack.
    pub fn image_words(&self, task: TaskNumber) -> Vec<WordView> {
        unimplemented!()
    }

    /// The frames in a task's image, the innermost first, addressed as on the stack.
    pub fn image_frames(&self, task: TaskNumber) -> Vec<FrameView> {
        unimplemented!()
    }

    /// The words of any memory.
    pub fn words(&self, range: Range<u64>) -> Vec<WordView> {
        unimplemented!()
    }

    /// How many tasks there are, main among them.
    pub fn task_count(&self) -> u32 {
        self.host.task_count()
    }

    /// A task.
    pub fn task(&self, task: TaskNumber) -> Option<TaskView> {
        self.host.task(task)
    }

    /// All tasks; with very many, ask for those to be shown with [`task`](Self::task).
    pub fn tasks(&self) -> Vec<TaskView> {
        unimplemented!()
    }

    /// The assembly of all that is loaded, line by line, the same at every position.
    pub fn listing(&self) -> &[AsmLine] {
        unimplemented!()
    }

    /// The listing's line of the instruction executed last.
    pub fn last_line(&self) -> Option<usize> {
        unimplemented!()
    }

    /// The listing's line of the next instruction.
    pub fn next_line(&self) -> Option<usize> {
        unimplemented!()
    }

    /// The line of the scenario that the next instruction belongs to; in a stub, the line that
    /// called it.
    pub fn source_line(&self) -> Option<u32> {
        unimplemented!()
    }

    /// What was printed up to here.
    pub fn output(&self) -> Vec<&str> {
        unimplemented!()
    }

    /// The steps that stand out, of all that was recorded.
    pub fn ticks(&self) -> &[Tick] {
        unimplemented!()
    }

    /// Counts up to here.
    pub fn statistics(&self) -> Statistics {
        unimplemented!()
    }

    /// What went wrong, if the run has reached it at this position.
    pub fn fault(&self) -> Option<&Fault> {
        unimplemented!()
    }

    /// Like `yield+0x1c`: the function that an address belongs to, and how far in.
    pub fn symbol(&self, address: u64) -> Option<(&str, u64)> {
        unimplemented!()
    }

    /// A hash of all state: registers, memory with what is known about it, owners, output, host.
    pub fn state_hash(&self) -> u64 {
        unimplemented!()
    }
}
