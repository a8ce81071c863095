//! What the exports do, without pointers: the same natively as in wasm.

use std::sync::Arc;

use costack_engine::trace::{self, Header, Record};
use costack_lang::syntax::{Program, Word};
use costack_sim::program::Isa;
use costack_sim::prove::Form;
use costack_sim::view::{RunOutcome, StepOutcome};
use costack_sim::{Options, Session, runtime};

use crate::{ISAS, Proof, State, Status, What, proofs};

/// Why a call is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status of the call.
    pub status: Status,
    /// Why, in words.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Refusal {
            status,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// A session with a scenario, or none yet.
#[derive(Default)]
pub struct Simulator {
    loaded: Option<(Arc<Program>, Session)>,
    /// The scenario read last: whoever compares ISAs loads the same text for each.
    read: Option<Arc<Program>>,
}

impl Simulator {
    /// Reads a scenario and prepares the machine; what was loaded before is gone in any case.
    ///
    /// # Errors
    /// [`Status::Mistakes`] with the rendered diagnostics, [`Status::Unfit`] when the simulator does
    /// not take it, [`Status::BadArgument`] for an unknown ISA.
    pub fn load(
        &mut self,
        name: &str,
        text: &[u8],
        isa: u32,
        memory_limit: u64,
    ) -> Result<(), Refusal> {
        self.loaded = None;
        let isa = isa_numbered(isa)?;
        let is_same = |read: &Arc<Program>| {
            read.source.file() == name && read.source.text().as_bytes() == text
        };
        let program = match self.read.take().filter(is_same) {
            Some(read) => read,
            None => Arc::new(parse(name, text)?),
        };
        self.read = Some(Arc::clone(&program));
        check(&program, isa)?;
        self.load_program(program, isa, memory_limit)
    }

    /// As [`load`](Self::load), with a program that has been read already.
    ///
    /// # Errors
    /// [`Status::Unfit`] when the simulator does not take it.
    pub fn load_program(
        &mut self,
        program: Arc<Program>,
        isa: Isa,
        memory_limit: u64,
    ) -> Result<(), Refusal> {
        self.loaded = None;
        let mut options = Options::default();
        if memory_limit > 0 {
            options.memory_limit = memory_limit;
        }
        let session = runtime::load(Arc::clone(&program), isa, options);
        let session = session.map_err(|error| Refusal::new(Status::Unfit, error.to_string()))?;
        self.loaded = Some((program, session));
        Ok(())
    }

    /// The session with the scenario; `None` before one is loaded.
    pub fn session(&self) -> Option<&Session> {
        self.loaded.as_ref().map(|(_, session)| session)
    }

    fn loaded(&mut self) -> Result<&mut (Arc<Program>, Session), Refusal> {
        self.loaded
            .as_mut()
            .ok_or_else(|| Refusal::new(Status::NotLoaded, "no scenario is loaded"))
    }

    /// Makes steps, forward or back.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn step(&mut self, count: i64) -> Result<Status, Refusal> {
        let (_, session) = self.loaded()?;
        if count < 0 {
            let back = session.position().saturating_sub(count.unsigned_abs());
            session.jump(back);
        } else {
            for _ in 0..count {
                if session.step() != StepOutcome::Stepped {
                    break;
                }
            }
        }
        Ok(status(session))
    }

    /// Makes at most so many steps.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn run(&mut self, limit: u64) -> Result<Status, Refusal> {
        let (_, session) = self.loaded()?;
        Ok(match session.run(limit) {
            RunOutcome::Ended => Status::Ended,
            RunOutcome::Faulted => Status::Faulted,
            _ => Status::Done,
        })
    }

    /// The state at the current position.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn state(&mut self) -> Result<State, Refusal> {
        let (_, session) = self.loaded()?;
        Ok(State::of(session))
    }

    pub(crate) fn state_json(&mut self) -> Result<String, Refusal> {
        json(&self.state()?)
    }

    /// What has happened up to the current position.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn records(&mut self) -> Result<Vec<Record>, Refusal> {
        let (_, session) = self.loaded()?;
        Ok(session.trace())
    }

    /// The same as the text of a trace.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn trace(&mut self) -> Result<String, Refusal> {
        Ok(trace::write(&self.header()?, &self.records()?))
    }

    /// The header of a trace.
    ///
    /// # Errors
    /// [`Status::NotLoaded`].
    pub fn header(&mut self) -> Result<Header, Refusal> {
        let (program, session) = self.loaded()?;
        Ok(Header {
            isa: Some(session.isa().name().to_owned()),
            scenario: Some(program.title.clone()),
            ..Header::new("sim")
        })
    }

    /// Proves a switch text; the arguments are those of the export, the answer is JSON.
    ///
    /// # Errors
    /// [`Status::Mistakes`] in the text, [`Status::Unfit`] when a scenario has no text for the ISA,
    /// [`Status::BadArgument`].
    pub fn prove(
        what: u32,
        name: &str,
        text: &[u8],
        isa: u32,
        flavour: u32,
    ) -> Result<String, Refusal> {
        let isa = isa_numbered(isa)?;
        let flavour = proofs::flavour_numbered(flavour)?;
        let what = match what {
            0 => What::BuiltIn(flavour),
            1 => {
                let program = parse(name, text)?;
                check(&program, isa)?;
                What::Scenario(Box::new(program))
            }
            2 | 3 => {
                let text = std::str::from_utf8(text);
                let text = text
                    .map_err(|error| Refusal::new(Status::Mistakes, format!("{name}: {error}")))?;
                What::Text {
                    name: name.to_owned(),
                    text: text.to_owned(),
                    flavour,
                    form: match what {
                        2 => Form::Inline,
                        _ => Form::Call,
                    },
                }
            }
            _ => {
                let message = format!("{what} stands for nothing that can be proven");
                return Err(Refusal::new(Status::BadArgument, message));
            }
        };
        let proofs: Vec<Proof> = proofs::prove(&what, isa)?;
        json(&proofs)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    let text = serde_json::to_string(value);
    text.map_err(|error| Refusal::new(Status::Unfit, error.to_string()))
}

fn isa_numbered(number: u32) -> Result<Isa, Refusal> {
    let isa = ISAS.get(number as usize).copied();
    isa.ok_or_else(|| {
        let message = format!("there is no ISA with the number {number}");
        Refusal::new(Status::BadArgument, message)
    })
}

fn mistakes(found: costack_lang::Diagnostics) -> Refusal {
    Refusal::new(Status::Mistakes, found.render(false))
}

/// Reads a scenario.
fn parse(name: &str, text: &[u8]) -> Result<Program, Refusal> {
    costack_lang::parse_bytes(name, text).map_err(mistakes)
}

/// Checks that a scenario fits an ISA.
fn check(program: &Program, isa: Isa) -> Result<(), Refusal> {
    match isa.word_bytes() {
        4 => program.check_literals(Word::Bits32).map_err(mistakes),
        _ => Ok(()),
    }
}

fn status(session: &Session) -> Status {
    match (session.fault().is_some(), session.is_over()) {
        (true, _) => Status::Faulted,
        (false, true) => Status::Ended,
        (false, false) => Status::Done,
    }
}
