//! Proofs as data.

use serde::{Deserialize, Serialize};

/// What is to be proven.
pub enum What {
    /// The texts in `asm/` of a flavour.
    BuiltIn(costack_sim::prove::Flavour),
    /// A scenario's own text.
    Scenario(Box<costack_lang::syntax::Program>),
    /// Some assembly.
    Text {
        /// Its file's name.
        name: String,
        /// The text.
        text: String,
        /// What it must preserve.
        flavour: costack_sim::prove::Flavour,
        /// How it is entered and left.
        form: costack_sim::prove::Form,
    },
}

/// What was shown of a text at one transition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The text's file.
    pub file: String,
    /// The instruction set.
    pub isa: String,
    /// The flavour.
    pub flavour: String,
    /// How the text is entered and left: `inline` or `call`.
    pub form: String,
    /// What the target of the switch is.
    pub transition: String,
    /// Whether its words are in its image instead of on its stack.
    pub words_in_image: bool,
    /// Whether nothing is refuted.
    pub is_proven: bool,
    /// All obligations.
    pub obligations: Vec<Obligation>,
}

/// One obligation of one transition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Obligation {
    /// Which: `P1` and so on.
    pub id: String,
    /// What has to be shown.
    pub title: String,
    /// Whether it was.
    pub found: Found,
    /// How it holds, why it does not, or why there is nothing to show.
    pub reason: String,
    /// The line of the instruction at fault, from 1.
    pub line: Option<u32>,
    /// The instruction at fault.
    pub instruction: Option<String>,
}

/// What was found of an obligation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It holds for all values.
    Proven,
    /// It does not, or that cannot be told.
    Refuted,
    /// There is nothing to show.
    NotApplicable,
}

/// Making proofs.
pub mod proofs {
    use std::borrow::Cow;

    use costack_sim::program::{Isa, Part, Rights};
    use costack_sim::prove::{
        Contract, Flavour, Form, Report, Status, Words, all_built_in, own_text, prove as run,
    };

    use super::{Found, Obligation, Proof, What};
    use crate::Refusal;
    use crate::Status as CallStatus;

    /// The flavour that a number stands for.
    ///
    /// # Errors
    /// [`CallStatus::BadArgument`] for other numbers than 0 and 1.
    pub fn flavour_numbered(number: u32) -> Result<Flavour, Refusal> {
        match number {
            0 => Ok(Flavour::Integer),
            1 => Ok(Flavour::Fp),
            _ => {
                let message = format!("there is no flavour with the number {number}");
                Err(Refusal::new(CallStatus::BadArgument, message))
            }
        }
    }

    /// Proves a text on an ISA, at both transitions; of the built-in ones each in turn.
    ///
    /// # Errors
    /// [`CallStatus::Mistakes`] in the text; [`CallStatus::Unfit`] for a scenario without a text
    /// for this ISA.
    pub fn prove(what: &What, isa: Isa) -> Result<Vec<Proof>, Refusal> {
        let texts = match what {
            What::BuiltIn(flavour) => all_built_in(isa, *flavour),
            What::Scenario(program) => {
                let own = own_text(program, isa).ok_or_else(|| {
                    let message = format!(
                        "{} has no switch text of its own for {}",
                        program.source.file(),
                        isa.name()
                    );
                    Refusal::new(CallStatus::Unfit, message)
                })?;
                vec![own]
            }
            What::Text {
                name,
                text,
                flavour,
                form,
            } => {
                let part = Part {
                    file: Cow::Owned(name.clone()),
                    first_line: 1,
                    text: Cow::Owned(text.clone()),
                    rights: Rights::Plain,
                    statements: Vec::new(),
                };
                let contracts = match form {
                    Form::Inline if has_a_style(text) => vec![Contract::of_text(isa, text)],
                    Form::Inline => vec![Contract::of(isa, *flavour)],
                    Form::Call => Contract::of_call(isa, *flavour),
                };
                let texts = contracts.into_iter();
                texts.map(|contract| (contract, part.clone())).collect()
            }
        };
        let mut proofs = Vec::new();
        for (contract, part) in &texts {
            let reports = run(contract, part).map_err(|errors| {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Refusal::new(CallStatus::Mistakes, lines.join("\n"))
            })?;
            proofs.extend(reports.iter().map(|report| proof(&part.file, report)));
        }
        Ok(proofs)
    }

    /// Whether a text says in its comments that it follows a contract of its own, as one in a
    /// scenario may.
    fn has_a_style(text: &str) -> bool {
        const KEYS: [&str; 4] = ["keeps", "first frame", "first block", "mistake"];
        let comments = text.lines().filter_map(|line| line.split_once("//"));
        let mut keys = comments.filter_map(|(_, comment)| comment.split_once(':'));
        keys.any(|(key, _)| KEYS.contains(&key.trim()))
    }

    fn proof(file: &str, report: &Report) -> Proof {
        let obligations = report.obligations.iter().map(|obligation| {
            let (found, reason, at) = match &obligation.status {
                Status::Proven { how } => (Found::Proven, how, None),
                Status::Refuted { at, reason } => (Found::Refuted, reason, at.as_ref()),
                Status::NotApplicable { why } => (Found::NotApplicable, why, None),
            };
            Obligation {
                id: obligation.id.to_string(),
                title: obligation.title().to_owned(),
                found,
                reason: reason.clone(),
                line: at.map(|at| at.line),
                instruction: at.map(|at| at.text.trim().to_owned()),
            }
        });
        Proof {
            file: file.to_owned(),
            isa: report.isa.name().to_owned(),
            flavour: report.flavour.to_string(),
            form: report.form.to_string(),
            transition: report.transition.to_string(),
            words_in_image: report.words != Words::OnStack,
            is_proven: report.is_proven(),
            obligations: obligations.collect(),
        }
    }
}
