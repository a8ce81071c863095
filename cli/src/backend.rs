//! A scenario on any of the three backends; one shape of result for all.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use costack::scenario::{self, Clock};
use costack_engine::trace::{self, Header, Record, What};
use costack_lang::syntax::Program;
use costack_sim::program::Isa;
use costack_sim_module::{Refusal, Simulator, Status};

use crate::host::{self, Host, HostError, Hosted, Limits};

/// Where a scenario runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, clap::ValueEnum)]
pub enum Backend {
    /// The real CPU.
    Native,
    /// The simulator, built into this program.
    Sim,
    /// The simulator as a wasm module, as the browser runs it, in wasmtime.
    Wasm,
}

impl Backend {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Native => "native",
            Backend::Sim => "sim",
            Backend::Wasm => "wasm",
        }
    }
}

/// Steps that a simulator makes before it is stopped, unless told otherwise.
pub const STEPS: u64 = 20_000_000;
/// Statements that run natively before they are stopped, unless told otherwise.
pub const STATEMENTS: u64 = 100_000_000;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What happened, in order, the printed lines and a fault among it.
    pub records: Vec<Record>,
    /// What ended it before its end.
    pub fault: Option<Fault>,
    /// The header of its trace.
    pub header: Header,
    /// Instructions of the simulator, or statements on native.
    pub steps: u64,
}

/// What ended a run before its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The task's name.
    pub task: String,
    /// The line of the scenario, from 1; 0 if none is known.
    pub line: u32,
    /// What happened, in words.
    pub reason: String,
    /// The instruction and its function, where they are known.
    pub instruction: Option<(String, String)>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.task, self.reason),
            line => write!(f, "{}, line {line}: {}", self.task, self.reason),
        }
    }
}

/// Why a backend does not run a scenario.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The real CPU is not to run it.
    Unfit(scenario::Unfit),
    /// The simulator does not take it.
    Simulator(Refusal),
    /// The hosted simulator does not work.
    Host(HostError),
    /// The trace that the hosted simulator gave is none.
    Trace(trace::Mistake),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Unfit(unfit) => unfit.fmt(f),
            Refused::Simulator(refusal) => f.write_str(refusal.message.trim_end()),
            Refused::Host(error) => error.fmt(f),
            Refused::Trace(mistake) => write!(f, "the module's trace: {mistake}"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Refused::Simulator(refusal)
    }
}

impl From<HostError> for Refused {
    fn from(error: HostError) -> Self {
        Refused::Host(error)
    }
}

/// The number of an ISA in the module's interface.
pub fn isa_number(isa: Isa) -> u32 {
    let place = costack_sim_module::ISAS.iter().position(|i| *i == isa);
    place.unwrap_or(0) as u32
}

/// The simulated ISA that is like this machine.
pub const HOST_ISA: Isa = if cfg!(target_arch = "aarch64") {
    Isa::Aarch64
} else if cfg!(target_pointer_width = "32") {
    Isa::I386
} else {
    Isa::X86_64
};

/// The module, found and compiled when it is first asked for.
#[derive(Default)]
pub struct Module {
    file: Option<PathBuf>,
    host: OnceLock<Host>,
}

impl Module {
    /// The module in a file; without one, it is looked for.
    pub fn new(file: Option<PathBuf>) -> Self {
        Module {
            file,
            host: OnceLock::new(),
        }
    }

    /// The module, compiled.
    ///
    /// # Errors
    /// When there is none, or it is none of ours.
    pub fn host(&self) -> Result<&Host, HostError> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let file = match &self.file {
            Some(file) => file.clone(),
            None => host::find()?,
        };
        let host = Host::open(&file, Limits::default())?;
        Ok(self.host.get_or_init(|| host))
    }
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Where.
    pub backend: Backend,
    /// The ISA that is simulated.
    pub isa: Isa,
    /// Steps of a simulator, or statements on native, before it is stopped; 0 for the usual number.
    pub steps: u64,
    /// What time is to native.
    pub clock: Clock,
    /// Run natively what uses pointers.
    pub trust_pointers: bool,
}

impl How {
    /// On the real CPU, for whoever compares it with a simulator that has found no fault.
    pub const COMPARED: How = How {
        backend: Backend::Native,
        isa: HOST_ISA,
        steps: 0,
        clock: Clock::Virtual,
        // The simulator has found that no pointer is used when its frame is away.
        trust_pointers: true,
    };
}

/// Runs a scenario.
///
/// # Errors
/// When the backend does not run it. A fault of the program is none: see [`Run::fault`].
pub fn run(program: &Arc<Program>, how: &How, module: &Module) -> Result<Run, Refused> {
    let limit = match how.steps {
        0 => STEPS,
        steps => steps,
    };
    match how.backend {
        Backend::Native => native(program, how),
        Backend::Sim => {
            let mut simulator = Simulator::default();
            simulate(&mut simulator, program, how.isa, limit)
        }
        Backend::Wasm => {
            let mut hosted = module.host()?.instance()?;
            hosted_run(&mut hosted, program, how.isa, limit).map(|(run, _)| run)
        }
    }
}

/// Runs a scenario on the real CPU.
///
/// # Errors
/// When it is not fit to be run there.
pub fn native(program: &Arc<Program>, how: &How) -> Result<Run, Refused> {
    let options = scenario::Options {
        clock: how.clock,
        statement_limit: match how.steps {
            0 => STATEMENTS,
            steps => steps,
        },
        trust_pointers: how.trust_pointers,
    };
    let report = scenario::run(Program::clone(program), &options).map_err(Refused::Unfit)?;
    Ok(Run {
        records: report.records,
        fault: report.fault.map(|fault| Fault {
            task: fault.task,
            line: fault.line,
            reason: fault.kind.to_string(),
            instruction: None,
        }),
        header: Header {
            scenario: Some(program.title.clone()),
            ..Header::new("native")
        },
        steps: report.statements,
    })
}

/// Runs a scenario in the simulator.
///
/// # Errors
/// When the simulator does not take it.
pub fn simulate(
    simulator: &mut Simulator,
    program: &Arc<Program>,
    isa: Isa,
    limit: u64,
) -> Result<Run, Refused> {
    simulator.load_program(Arc::clone(program), isa, 0)?;
    let status = simulator.run(limit)?;
    let mut run = Run {
        records: simulator.records()?,
        fault: None,
        header: simulator.header()?,
        steps: simulator
            .session()
            .map_or(0, costack_sim::Session::position),
    };
    run.fault = match status {
        Status::Ended => None,
        Status::Faulted => simulator
            .session()
            .and_then(costack_sim_module::Fault::of)
            .map(Fault::from),
        _ => Some(Fault::of_limit(&simulator.state()?, limit)),
    };
    Ok(run)
}

/// Runs a scenario in the hosted simulator. With the run comes its trace, as the module wrote it.
///
/// # Errors
/// When the module does not work, or does not take the scenario.
pub fn hosted_run(
    hosted: &mut Hosted,
    program: &Program,
    isa: Isa,
    limit: u64,
) -> Result<(Run, String), Refused> {
    let source = &program.source;
    hosted.load(source.file(), source.text().as_bytes(), isa_number(isa))?;
    let status = hosted.run(limit)?;
    let text = hosted.trace()?;
    let state = hosted.state()?;
    let trace = trace::read(&text).map_err(Refused::Trace)?;
    let fault = match status {
        Status::Ended => None,
        Status::Faulted => state.fault.map(Fault::from),
        _ => Some(Fault::of_limit(&state, limit)),
    };
    let run = Run {
        records: trace.records,
        fault,
        header: trace.header,
        steps: state.position,
    };
    Ok((run, text))
}

impl From<costack_sim_module::Fault> for Fault {
    fn from(fault: costack_sim_module::Fault) -> Self {
        Fault {
            task: fault.task_name,
            line: fault.line,
            reason: fault.reason,
            instruction: Some((fault.instruction, fault.function)),
        }
    }
}

impl Fault {
    /// A run that was stopped.
    fn of_limit(state: &costack_sim_module::State, limit: u64) -> Self {
        let running = state.tasks.iter().find(|task| task.status == "running");
        Fault {
            task: running.map_or_else(|| "main".to_owned(), |task| task.name.clone()),
            line: state.line.unwrap_or(0),
            reason: format!("stopped after {limit} steps, the step limit"),
            instruction: None,
        }
    }
}

/// What happened in a run, counted; the same for all backends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Times that control went from one task to another.
    pub switches: u64,
    /// Images copied out, because another task needed the stack.
    pub evictions: u64,
    /// Bytes copied, both ways.
    pub copied_bytes: u64,
    /// The largest image that was copied.
    pub largest_image: u32,
    /// Faults: 0 or 1.
    pub faults: u32,
}

impl Run {
    /// The printed lines.
    pub fn output(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|record| match &record.what {
            What::Print { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }

    /// Counts what happened.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            faults: u32::from(self.fault.is_some()),
            ..Summary::default()
        };
        for record in &self.records {
            match record.what {
                What::Resume { .. }
                | What::Yield { .. }
                | What::Block { .. }
                | What::End { .. } => {
                    summary.switches += 1;
                }
                What::Save { bytes, .. } => {
                    summary.evictions += 1;
                    summary.copied_bytes += u64::from(bytes);
                    summary.largest_image = summary.largest_image.max(bytes);
                }
                What::Restore { bytes, .. } => {
                    summary.copied_bytes += u64::from(bytes);
                    summary.largest_image = summary.largest_image.max(bytes);
                }
                _ => {}
            }
        }
        summary
    }

    /// Its trace as text.
    pub fn trace(&self) -> String {
        trace::write(&self.header, &self.records)
    }
}
