//! The prover: runs a switch text on symbolic register values and judges what it does.
//!
//! A switch is straight-line code, so one run on symbols stands for the runs on all values. That
//! every switch of a program is right is an induction over its switches, and each of its two cases
//! is one run:
//!
//! 1. **Running task to fresh one.** The target's stack holds the first frame of the
//!    [`Contract`].
//! 2. **Running task to yielded one.** The target's stack holds what this same text left there:
//!    the text is run once with the target in the role of the source, and whatever that leaves from
//!    the stored sp up is the image that the second run finds. What lies below is forgotten, as a
//!    save and a restore would.
//!
//! Either run follows the instructions from the first one up to an indirect jump, across it, and on
//! in the target's copy of the text up to its end.
//!
//! ```
//! use costack_sim::program::Isa;
//! use costack_sim::prove::{Contract, Flavour, built_in, prove};
//!
//! let contract = Contract::of(Isa::Aarch64, Flavour::Integer);
//! let text = built_in(Isa::Aarch64, Flavour::Integer);
//! for report in prove(&contract, &text).expect("the text assembles") {
//!     assert!(report.is_proven(), "{report}");
//! }
//! ```
//!
//! What cannot be told (where a store goes, what an unsupported instruction does) refutes, with the
//! reason; it is never assumed to be harmless.

mod aarch64;
mod access;
mod call;
mod check;
mod contract;
mod live;
mod machine;
mod memory;
mod report;
mod show;
mod style;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod x86;

use std::borrow::Cow;

pub use contract::{Contract, Flavour, Form, Given, Holds, Slot, Words};
pub use report::{At, Id, Obligation, Report, Status, Step, Transition};

use costack_lang::syntax::Program;

use crate::asm::AsmError;
use crate::program::{Isa, Part, Rights};
use crate::runtime::isa_of;
use check::Check;
use machine::{Exit, Machine, Roles};
use text::Text;
use value::{Region, Side, Symbol};

/// Proves a text, at both transitions.
///
/// # Errors
/// Mistakes in the text.
pub fn prove(contract: &Contract, part: &Part) -> Result<Vec<Report>, Vec<AsmError>> {
    let text = Text::assemble(contract.isa, part)?;
    let transitions = Transition::ALL.iter();
    Ok(transitions
        .map(|transition| prove_transition(contract, &text, *transition))
        .collect())
}

/// The switch in `asm/` of an ISA and flavour that stands in line.
pub fn built_in(isa: Isa, flavour: Flavour) -> Part {
    built_in_of(isa, flavour, Form::Inline)
}

/// Every switch in `asm/` of an ISA and flavour, with what it promises. A text that finds the
/// target's words in one place or another is there once for each.
pub fn all_built_in(isa: Isa, flavour: Flavour) -> Vec<(Contract, Part)> {
    let mut contracts = vec![Contract::of(isa, flavour)];
    contracts.extend(Contract::of_call(isa, flavour));
    let with_text = |contract: Contract| {
        let text = built_in_of(isa, flavour, contract.form);
        (contract, text)
    };
    contracts.into_iter().map(with_text).collect()
}

fn built_in_of(isa: Isa, flavour: Flavour, form: Form) -> Part {
    macro_rules! texts {
        ($isa:literal) => {
            match (form, flavour) {
                (Form::Inline, Flavour::Integer) => text!($isa, "switch.s"),
                (Form::Inline, Flavour::Fp) => text!($isa, "switch_fp.s"),
                (Form::Call, Flavour::Integer) => text!($isa, "call.s"),
                (Form::Call, Flavour::Fp) => text!($isa, "call_fp.s"),
            }
        };
    }
    macro_rules! text {
        ($isa:literal, $name:literal) => {
            (
                concat!("asm/", $isa, "/", $name),
                include_str!(concat!("../../../asm/", $isa, "/", $name)),
            )
        };
    }
    let (file, text) = match isa {
        Isa::X86_64 => texts!("x86_64"),
        Isa::I386 => texts!("i386"),
        Isa::Aarch64 => texts!("aarch64"),
    };
    Part {
        file: Cow::Borrowed(file),
        first_line: 1,
        text: Cow::Borrowed(text),
        rights: Rights::Plain,
        statements: Vec::new(),
    }
}

/// A scenario's own text for an ISA, which takes the place of the integer flavour's, and its
/// contract; `None` if it has none.
pub fn own_text(program: &Program, isa: Isa) -> Option<(Contract, Part)> {
    let mut switches = program.switches.iter();
    let own = switches.find(|switch| isa_of(switch.isa) == isa)?;
    let part = Part {
        file: Cow::Owned(program.source.file().to_owned()),
        first_line: own.first_line,
        text: Cow::Owned(own.text.clone()),
        rights: Rights::Plain,
        statements: Vec::new(),
    };
    Some((Contract::of_text(isa, &own.text), part))
}

fn prove_transition(contract: &Contract, text: &Text, transition: Transition) -> Report {
    match transition {
        Transition::Fresh => {
            let roles = Roles {
                source: Side::Source,
                target: Side::Target,
            };
            let machine = Machine::with_fresh_target(contract, text, roles);
            run_and_check(machine, transition, None)
        }
        Transition::Yielded => prove_yielded(contract, text),
    }
}

/// First the target's own run as a source, which leaves its image; then the run back to it.
fn prove_yielded(contract: &Contract, text: &Text) -> Report {
    let roles = Roles {
        source: Side::Target,
        target: Side::Third,
    };
    let mut past = Machine::with_fresh_target(contract, text, roles);
    let exit = past.run();
    let stored = past.stored_sp();
    let low = stored.term().filter(|term| {
        term.symbol == Symbol::Base(Region::Stack(Side::Target)) && term.offset >= -contract.room
    });
    let problem = match (exit, low) {
        (Exit::Stopped(stop), _) => stop.0,
        // Wherever it went from there, this is what it left behind.
        (_, Some(low)) => {
            let machine = Machine::with_yielded_target(&past, low.offset, Side::Source);
            return run_and_check(machine, Transition::Yielded, Some(&past));
        }
        (_, None) => format!(
            "the word for its sp was left with {}",
            past.show().value(&stored)
        ),
    };
    let exit = Exit::Stopped(machine::Stop(format!(
        "when the target gave up the CPU with this text, {problem}"
    )));
    report(&past, &exit, Transition::Yielded, None)
}

fn run_and_check(
    mut machine: Machine<'_>,
    transition: Transition,
    past: Option<&Machine<'_>>,
) -> Report {
    let exit = machine.run();
    report(&machine, &exit, transition, past)
}

fn report(
    machine: &Machine<'_>,
    exit: &Exit,
    transition: Transition,
    past: Option<&Machine<'_>>,
) -> Report {
    let check = Check {
        machine,
        exit,
        transition,
        past,
    };
    let show = machine.show();
    let steps = machine.steps.iter().filter_map(|step| {
        let placed = machine.text.placed.get(step.instruction)?;
        let writes = step.writes.iter();
        Some(Step {
            at: placed.at.clone(),
            sp: show.value(&step.sp),
            writes: writes
                .map(|(place, value)| (show.place(*place), show.value(value)))
                .collect(),
        })
    });
    Report {
        isa: machine.contract.isa,
        flavour: machine.contract.flavour,
        form: machine.contract.form,
        words: machine.contract.words,
        transition,
        obligations: Id::ALL
            .iter()
            .map(|id| Obligation {
                id: *id,
                status: check.status(*id),
            })
            .collect(),
        steps: steps.collect(),
    }
}
