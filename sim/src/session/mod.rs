//! A run that can go back: every step records what it wrote.
//!
//! Position `n` is the state after `n` steps. Going back over a step exchanges what its log
//! entries hold with what is there; going forward over it again does the same the other way. Only
//! at the end of what is recorded are instructions executed.

mod execute;
mod frames;
mod intervene;
mod journal;
mod navigate;
mod snapshots;
mod step_view;
mod switch_checks;
#[cfg(test)]
mod tests;
mod trace;
mod views;
mod words;
mod writers;

use std::rc::Rc;

use crate::asm::AsmError;
use crate::code::Code;
use crate::fault::{Fault, FaultKind};
use crate::host::Host;
use crate::machine::memory::Area;
use crate::machine::signal;
use crate::machine::{Context, Field, Machine, Records, Register};
use crate::program::{Image, Isa};
use crate::view::{Breakpoint, Intervention, StackKind, Tick};

pub use journal::{Journal, Replay};
use snapshots::Snapshots;

/// What a session may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Simulated memory that may be touched, in bytes, with what is known about it.
    pub memory_limit: u64,
    /// Bytes of log that are kept, about. Going back further than they reach executes again from
    /// the start.
    pub log_limit: u64,
    /// Steps between two snapshots of the whole state, at least. A jump goes over no more than two
    /// times as many steps, or thereabouts.
    pub snapshot_steps: u64,
    /// Where signals arrive by themselves.
    pub signals: Signals,
}

/// Where signals arrive by themselves, each before an instruction, which runs when the signal's
/// handler has returned. Others come by [`Session::intervene`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Signals {
    /// Nowhere.
    #[default]
    None,
    /// Before every instruction of a switch or an entry.
    InSwitches,
    /// Before every instruction that is not a handler's.
    Everywhere,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            memory_limit: 256 << 20,
            log_limit: 128 << 20,
            snapshot_steps: 1 << 17,
            signals: Signals::None,
        }
    }
}

/// Why a session cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// Mistakes in assembly texts, all of them.
    Assembly(Vec<AsmError>),
    /// There is no such label to begin at.
    NoEntry(String),
    /// The machine could not be prepared.
    Start(FaultKind),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadError::Assembly(errors) => {
                for error in errors {
                    writeln!(f, "{error}")?;
                }
                Ok(())
            }
            LoadError::NoEntry(label) => write!(f, "there is no label `{label}` to begin at"),
            LoadError::Start(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// A machine, its runtime and the log of all steps made.
///
/// Views show the current position and are computed when they are asked for.
pub struct Session {
    code: Rc<Code>,
    machine: Machine,
    /// As it was before the first step.
    initial: Box<Machine>,
    host: Box<dyn Host>,
    /// Steps made up to here.
    position: usize,
    /// The steps from the position to here are undone in the log; those after it, which are not made
    /// here either, are not. See [`snapshots`].
    undone: usize,
    snapshots: Snapshots,
    /// Steps ever made; more than the log has after starting again.
    furthest: u64,
    /// The next instruction at the end of what is recorded.
    end_pc: u32,
    records: Records,
    ticks: Vec<Tick>,
    /// What went wrong at the last step that is recorded.
    fault: Option<Box<Fault>>,
    breakpoints: Vec<Option<Breakpoint>>,
    /// What somebody does from outside, by the steps at which it is done.
    interventions: Vec<(u64, Intervention)>,
    /// By instruction, whether a signal arrives before it by itself; empty for nowhere.
    signal_points: Rc<[bool]>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("isa", &self.isa())
            .field("position", &self.position)
            .field("recorded", &self.recorded_len())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Assembles an image and prepares the machine.
    ///
    /// # Errors
    /// Mistakes in the assembly texts, or what the machine refuses to the host.
    pub fn load(image: &Image, host: Box<dyn Host>, options: Options) -> Result<Self, LoadError> {
        Self::begin(image.clone(), host, options)
    }

    /// As [`load`](Self::load), with an image that nobody else needs.
    pub(crate) fn begin(
        mut image: Image,
        mut host: Box<dyn Host>,
        options: Options,
    ) -> Result<Self, LoadError> {
        image.objects.push(signal::object(image.isa));
        let image = Rc::new(image);
        let code = Code::assemble(Rc::clone(&image), &|name| match name {
            "sigreturn" => Some(signal::SIGRETURN),
            _ => host.service(name),
        });
        let code = Rc::new(code.map_err(LoadError::Assembly)?);
        let entry = code
            .label(&image.entry)
            .map(|address| code.index_of(address));
        let Some(entry) = entry.filter(|entry| *entry < code.len()) else {
            return Err(LoadError::NoEntry(image.entry.clone()));
        };
        let mut machine = Machine::new(code.clone(), options.memory_limit, options.log_limit);
        machine.pc = entry;
        prepare(&mut machine, &image, &mut *host).map_err(LoadError::Start)?;
        machine.log.clear();
        let mut session = Session {
            code,
            initial: Box::new(machine.clone()),
            machine,
            host,
            position: 0,
            undone: 0,
            snapshots: Snapshots::new(options.snapshot_steps),
            furthest: 0,
            end_pc: entry,
            records: Records::EMPTY,
            ticks: Vec::new(),
            fault: None,
            breakpoints: Vec::new(),
            interventions: Vec::new(),
            signal_points: Rc::from([]),
        };
        session.set_signals(options.signals);
        Ok(session)
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.code.isa
    }

    /// The runtime.
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Steps made up to here.
    pub fn position(&self) -> u64 {
        self.position as u64
    }

    /// Steps ever made.
    pub fn recorded_len(&self) -> u64 {
        self.furthest.max(self.machine.log.steps.len() as u64)
    }

    /// Whether the program has ended, or faulted, at this position.
    pub fn is_over(&self) -> bool {
        self.has_ended() || self.fault().is_some()
    }

    /// Says where signals arrive by themselves.
    fn set_signals(&mut self, signals: Signals) {
        self.signal_points = match signals {
            Signals::None => Rc::from([]),
            _ => self.code.signal_points(signals).into(),
        };
    }

    fn has_ended(&self) -> bool {
        self.machine.field(Field::Ended) != 0
    }

    /// What went wrong, if the run has reached it at this position.
    pub fn fault(&self) -> Option<&Fault> {
        let fault = self.fault.as_deref()?;
        (self.position() == fault.step + 1).then_some(fault)
    }

    /// What was printed up to here.
    pub fn output(&self) -> Vec<&str> {
        let count = self.machine.field(Field::Output) as usize;
        self.machine
            .output
            .iter()
            .take(count)
            .map(String::as_str)
            .collect()
    }

    /// The steps that stand out, of all that was recorded.
    pub fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// Bytes that the log and the snapshots take.
    pub fn log_bytes(&self) -> u64 {
        (self.machine.log.bytes() + self.machine.calls.bytes() + self.snapshots.bytes()) as u64
    }
}

/// Main's stack, the globals, and what the host wants before the first step.
fn prepare(machine: &mut Machine, image: &Image, host: &mut dyn Host) -> Result<(), FaultKind> {
    let main = machine.add_stack(StackKind::Main, u64::from(image.main_stack_bytes))?;
    let word = u64::from(image.isa.word_bytes());
    let data = machine.memory.base(Area::Data);
    let bytes = image.globals.len() as u64 * word;
    machine.memory.extend(Area::Data, bytes);
    let full = FaultKind::OutOfMemory { bytes };
    machine.memory.commit_range(data, bytes).map_err(|_| full)?;
    machine.memory.set_mapped(data, bytes, true);
    let top = machine.stacks[main].top;
    let sp = Register(machine.sp_reg());
    // Nothing of this is a step.
    let mut records = Records::EMPTY;
    let mut context = Context::new(machine, &mut records);
    for (number, (_, value)) in image.globals.iter().enumerate() {
        context.store(data + number as u64 * word, *value as u64)?;
    }
    context.set_owner(main as u32, Some(0));
    context.set_pointer(sp, top, 0);
    host.start(&mut context)
}
