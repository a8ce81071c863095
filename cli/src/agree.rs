//! Whether the backends agree about a scenario.
//!
//! On each ISA, the simulator built into this program and the hosted one must write the same trace,
//! byte for byte. The real CPU must print the same lines, make the same plans in the same order
//! (resumes, saves, restores, changes of ownership, waits) and end in the same fault as the
//! simulator of the ISA that is like it; only byte counts and times differ, because frames do.

use std::fmt::Write as _;
use std::sync::Arc;

use costack::scenario::Unfit;
use costack_engine::trace::{Record, What};
use costack_lang::syntax::{Program, Word};
use costack_sim::fault::FaultKind;
use costack_sim::program::Isa;
use costack_sim_module::Simulator;

use crate::backend::{self, HOST_ISA, How, Refused, Run, STEPS};
use crate::host::{Host, HostError, Hosted};

/// What was found about one scenario.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// All that ran agree.
    Agree {
        /// How many records each has written, of the first ISA.
        records: usize,
        /// The fault in which all ended.
        fault: Option<String>,
        /// Why native did not run.
        without_native: Option<String>,
    },
    /// Two do not.
    Differ(Box<Difference>),
}

/// Where two backends part.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// One backend, with its ISA.
    pub one: String,
    /// The other.
    pub other: String,
    /// The first record that differs, with those before it.
    pub context: String,
}

/// Compares backends, scenario after scenario.
pub struct Comparer<'h> {
    host: &'h Host,
    hosted: Hosted,
    /// How often the instance has loaded a scenario.
    loads: u32,
    simulator: Simulator,
    isas: Vec<Isa>,
}

/// A fresh instance after so many scenarios: what one leaves behind in memory is then bounded.
const LOADS_PER_INSTANCE: u32 = 500;

impl<'h> Comparer<'h> {
    /// Compares on these ISAs.
    ///
    /// # Errors
    /// When the module does not work.
    pub fn new(host: &'h Host, isas: Vec<Isa>) -> Result<Self, HostError> {
        Ok(Comparer {
            host,
            hosted: host.instance()?,
            loads: 0,
            simulator: Simulator::default(),
            isas,
        })
    }

    /// Runs a scenario on all backends.
    ///
    /// # Errors
    /// When the module does not work, or the simulator does not take the scenario.
    pub fn compare(&mut self, program: &Arc<Program>) -> Result<Finding, Refused> {
        let mut finding = Finding::Agree {
            records: 0,
            fault: None,
            without_native: Some(format!("{} is not simulated", HOST_ISA.name())),
        };
        for (number, isa) in self.isas.clone().into_iter().enumerate() {
            if isa.word_bytes() == 4 && program.check_literals(Word::Bits32).is_err() {
                continue;
            }
            let run = backend::simulate(&mut self.simulator, program, isa, STEPS)?;
            let trace = self.hosted_trace(program, isa)?;
            let own_trace = run.trace();
            if trace != own_trace {
                return Ok(Finding::Differ(Box::new(Difference {
                    one: format!("sim on {}", isa.name()),
                    other: format!("wasm on {}", isa.name()),
                    context: first_different_line(&own_trace, &trace),
                })));
            }
            let Finding::Agree {
                records,
                fault,
                without_native,
            } = &mut finding
            else {
                break;
            };
            if number == 0 {
                *records = run.records.len();
                *fault = run.fault.as_ref().map(ToString::to_string);
            }
            if isa == HOST_ISA {
                match self.native(program, &run)? {
                    Native::Agrees => *without_native = None,
                    Native::Left(why) => *without_native = Some(why),
                    Native::Differs(difference) => return Ok(Finding::Differ(difference)),
                }
            }
        }
        Ok(finding)
    }

    fn hosted_trace(&mut self, program: &Program, isa: Isa) -> Result<String, HostError> {
        if self.loads >= LOADS_PER_INSTANCE {
            self.hosted = self.host.instance()?;
            self.loads = 0;
        }
        self.loads += 1;
        let source = &program.source;
        let number = backend::isa_number(isa);
        self.hosted
            .load(source.file(), source.text().as_bytes(), number)?;
        self.hosted.run(STEPS)?;
        self.hosted.trace()
    }

    fn native(&self, program: &Arc<Program>, simulated: &Run) -> Result<Native, Refused> {
        let session = self.simulator.session();
        let kind = session.and_then(|session| session.fault()).map(|f| &f.kind);
        if let Some(why) = kind.and_then(only_simulated) {
            return Ok(Native::Left(why.to_owned()));
        }
        if simulated.fault.is_some() && kind.is_none() {
            return Ok(Native::Left("it was stopped before its end".to_owned()));
        }
        let run = match backend::native(program, &How::COMPARED) {
            Ok(run) => run,
            Err(Refused::Unfit(unfit @ Unfit::SwitchText { .. })) => {
                return Ok(Native::Left(unfit.to_string()));
            }
            Err(refused) => return Err(refused),
        };
        Ok(match first_different_record(simulated, &run) {
            None => Native::Agrees,
            Some(context) => Native::Differs(Box::new(Difference {
                one: format!("sim on {}", HOST_ISA.name()),
                other: "native".to_owned(),
                context,
            })),
        })
    }
}

enum Native {
    Agrees,
    Left(String),
    Differs(Box<Difference>),
}

/// Why the real CPU is not asked about a fault; `None` for one that it finds as well.
fn only_simulated(kind: &FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::Assertion { .. }
        | FaultKind::DivisionByZero
        | FaultKind::Refused { .. }
        | FaultKind::Deadlock { .. }
        | FaultKind::Runtime { .. } => None,
        FaultKind::Overflow { .. } => {
            Some("how deep a stack reaches depends on the size of its frames")
        }
        _ => Some("the real CPU does not notice such a fault"),
    }
}

/// Records before the first difference that are shown.
const BEFORE: usize = 5;

/// The first records in which two runs differ, byte counts and times aside.
fn first_different_record(one: &Run, other: &Run) -> Option<String> {
    let shape = |run: &Run| -> Vec<What> {
        let whats = run
            .records
            .iter()
            .map(|record: &Record| record.what.clone());
        whats.map(What::shape).collect()
    };
    let (one, other) = (shape(one), shape(other));
    let longer = one.len().max(other.len());
    let at = (0..longer).find(|at| one.get(*at) != other.get(*at))?;
    let words = |what: &What| serde_json::to_string(what).unwrap_or_default();
    let before: Vec<String> = one[..at].iter().map(words).collect();
    let line = |whats: &[What]| whats.get(at).map(words);
    Some(context(&before, line(&one), line(&other)))
}

/// The first lines in which two traces differ.
fn first_different_line(one: &str, other: &str) -> String {
    let (one, other): (Vec<_>, Vec<_>) = (one.lines().collect(), other.lines().collect());
    let longer = one.len().max(other.len());
    let at = (0..longer).find(|at| one.get(*at) != other.get(*at));
    let at = at.unwrap_or(longer);
    let line = |lines: &[&str]| lines.get(at).map(ToString::to_string);
    let before: Vec<String> = one[..at.min(one.len())]
        .iter()
        .map(ToString::to_string)
        .collect();
    context(&before, line(&one), line(&other))
}

fn context(before: &[String], one: Option<String>, other: Option<String>) -> String {
    let first = before.len().saturating_sub(BEFORE);
    let mut text = String::new();
    for (number, line) in before.iter().enumerate().skip(first) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:>6}  {line}", number + 1);
    }
    let end = || "(nothing: it has ended)".to_owned();
    let number = before.len() + 1;
    let _ = writeln!(text, "- {number:>6}  {}", one.unwrap_or_else(end));
    let _ = writeln!(text, "+ {number:>6}  {}", other.unwrap_or_else(end));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use costack_engine::trace::Header;

    fn run(whats: &[What]) -> Run {
        let records = whats.iter().map(|what| Record {
            at_ns: 0,
            what: what.clone(),
        });
        Run {
            records: records.collect(),
            fault: None,
            header: Header::new("sim"),
            steps: 0,
        }
    }

    fn save(task: u32, bytes: u32) -> What {
        What::Save {
            task,
            bytes,
            stack: 0,
        }
    }

    #[test]
    fn byte_counts_are_no_difference() {
        let (one, other) = (run(&[save(1, 64)]), run(&[save(1, 400)]));
        assert_eq!(first_different_record(&one, &other), None);
    }

    #[test]
    fn the_first_difference_is_shown_with_what_came_before() {
        let ends = |task| What::End { task };
        let one = run(&[ends(1), ends(2), save(3, 8), ends(4)]);
        let other = run(&[ends(1), ends(2), save(5, 8), ends(4)]);
        let shown = first_different_record(&one, &other).expect("they differ");
        assert!(
            shown.contains("       2  {\"do\":\"end\",\"task\":2}"),
            "{shown}"
        );
        assert!(
            shown.contains("-      3  {\"do\":\"save\",\"task\":3"),
            "{shown}"
        );
        assert!(
            shown.contains("+      3  {\"do\":\"save\",\"task\":5"),
            "{shown}"
        );
        let shorter = run(&[ends(1)]);
        let shown = first_different_record(&one, &shorter).expect("they differ");
        assert!(
            shown.contains("+      2  (nothing: it has ended)"),
            "{shown}"
        );
    }

    #[test]
    fn traces_are_compared_by_line() {
        let shown = first_different_line("a\nb\nc\n", "a\nx\nc\n");
        assert_eq!(shown, "       1  a\n-      2  b\n+      2  x\n");
    }
}
