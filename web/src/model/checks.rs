//! The obligations of a switch: what the prover says of its text, and what the last one kept.

use std::rc::Rc;

use costack_lang::syntax::Program;
use costack_sim::{
    program::{Isa, Part},
    prove::{Contract, Flavour, Id, Report, Status, built_in, own_text, prove},
    view::{SwitchCheck, Verdict},
};

use super::{snapshot::Snapshot, text::count};

/// What is proven of one switch text.
#[derive(Clone, PartialEq, Debug)]
pub struct Proof {
    /// The file that the text stands in.
    pub file: String,
    /// Integer or fp.
    pub flavour: Flavour,
    /// One for each transition; or why the text cannot be judged.
    pub reports: Result<Vec<Report>, String>,
}

/// Proves all switch texts that a program uses on an instruction set; the one of most tasks first.
pub fn proofs(program: &Program, isa: Isa) -> Rc<[Proof]> {
    let own = own_text(program, isa);
    let integer = own.unwrap_or_else(|| {
        (
            Contract::of(isa, Flavour::Integer),
            built_in(isa, Flavour::Integer),
        )
    });
    let uses_fp = program
        .tasks
        .iter()
        .any(|task| task.declared.as_ref().is_some_and(|launch| launch.fp));
    let fp = uses_fp.then(|| (Contract::of(isa, Flavour::Fp), built_in(isa, Flavour::Fp)));
    [Some(integer), fp]
        .into_iter()
        .flatten()
        .map(|(contract, part)| proof(&contract, &part))
        .collect()
}

fn proof(contract: &Contract, part: &Part) -> Proof {
    let reports = prove(contract, part);
    Proof {
        file: part.file.to_string(),
        flavour: contract.flavour,
        reports: reports.map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }),
    }
}

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It holds.
    Held,
    /// It does not.
    Broken,
    /// It is not decided yet, or no longer.
    Open,
    /// There is nothing to decide.
    None,
}

impl Mark {
    /// As a sign.
    pub fn sign(self) -> &'static str {
        match self {
            Mark::Held => "✓",
            Mark::Broken => "✗",
            Mark::Open => "…",
            Mark::None => "–",
        }
    }

    /// As a word, also of its style.
    pub fn word(self) -> &'static str {
        match self {
            Mark::Held => "holds",
            Mark::Broken => "broken",
            Mark::Open => "open",
            Mark::None => "nothing-to-show",
        }
    }
}

/// One obligation, as the panel shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which.
    pub id: Id,
    /// What the prover says of the text.
    pub proven: (Mark, String),
    /// What the last switch shows.
    pub now: (Mark, String),
}

/// The obligation in two or three words.
pub fn short_title(id: Id) -> &'static str {
    match id {
        Id::P1 => "callee-saved",
        Id::P2 => "sp restored",
        Id::P3 => "right address",
        Id::P4 => "control words",
        Id::P5 => "vector regs",
        Id::P6 => "signal-safe",
        Id::P7 => "image whole",
        Id::P8 => "alignment",
        Id::P9 => "flags, x87",
        Id::P10 => "other memory",
        Id::P11 => "values arrive",
    }
}

/// All obligations at a position.
pub fn rows(now: &Snapshot, proofs: &[Proof]) -> Vec<Row> {
    let checks = now.checks.as_deref().map(|checks| &*checks.checks);
    Id::ALL
        .into_iter()
        .map(|id| Row {
            id,
            proven: proven(id, proofs),
            now: checks
                .and_then(|checks| checks.iter().find(|check| check.id == id))
                .map_or((Mark::Open, "no switch yet".to_owned()), verdict),
        })
        .collect()
}

/// What all proofs come to; the first that is refuted counts.
fn proven(id: Id, proofs: &[Proof]) -> (Mark, String) {
    let mut result = (Mark::None, String::new());
    for proof in proofs {
        let Ok(reports) = &proof.reports else {
            return (Mark::Broken, "the text cannot be judged".to_owned());
        };
        for status in reports.iter().filter_map(|report| report.status(id)) {
            match status {
                Status::Refuted { .. } => return (Mark::Broken, status.to_string()),
                Status::Proven { .. } => result = (Mark::Held, status.to_string()),
                Status::NotApplicable { why } if result.1.is_empty() => result.1.clone_from(why),
                Status::NotApplicable { .. } => {}
            }
        }
    }
    result
}

fn verdict(check: &SwitchCheck) -> (Mark, String) {
    match &check.verdict {
        Verdict::Holds(how) => (Mark::Held, how.to_string()),
        Verdict::Broken(why) => (Mark::Broken, why.clone()),
        Verdict::Pending(why) | Verdict::Unknown(why) => (Mark::Open, why.to_string()),
        Verdict::NotApplicable(why) => (Mark::None, why.to_string()),
    }
}

/// Which switch the marks are about: `main → A, step 131`.
pub fn switch_in_words(now: &Snapshot) -> String {
    match now.checks.as_deref() {
        Some(checks) => format!(
            "{} → {}, step {}",
            now.task_name(checks.source),
            now.task_name(checks.target),
            count(checks.step)
        ),
        None => "no switch yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        costack_lang::parse("x.costack", text).expect("no mistakes")
    }

    fn gallery(name: &str) -> Program {
        let scenario = costack_sim::gallery::all().find(|scenario| scenario.name == name);
        program(scenario.expect("it is in the gallery").text)
    }

    #[test]
    fn our_texts_are_proven_on_every_isa() {
        let program = gallery("two_tasks_shared");
        for isa in Isa::ALL {
            let proofs = proofs(&program, isa);
            assert_eq!(proofs.len(), 1);
            for id in Id::ALL {
                let (mark, why) = proven(id, &proofs);
                assert_ne!(mark, Mark::Broken, "{id}: {why}");
            }
        }
    }

    #[test]
    fn a_pitfalls_own_text_is_judged() {
        let proofs = proofs(&gallery("pitfalls/register_forgotten"), Isa::X86_64);
        let (mark, why) = proven(Id::P1, &proofs);
        assert_eq!(mark, Mark::Broken);
        assert!(why.contains("r13"), "{why}");
    }

    #[test]
    fn tasks_with_control_words_bring_the_fp_text() {
        let text = "scenario \"x\"\nstack S shared 4096\ntask A on S fp = f()\nfn f() { yield }\nmain { run }\n";
        let proofs = proofs(&program(text), Isa::X86_64);
        let flavours: Vec<_> = proofs.iter().map(|proof| proof.flavour).collect();
        assert_eq!(flavours, [Flavour::Integer, Flavour::Fp]);
    }
}
