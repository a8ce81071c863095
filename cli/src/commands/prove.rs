//! `costack prove`.

use std::io::Write as _;

use anyhow::{Result, anyhow, bail};
use comfy_table::{Cell, Color};
use costack_sim::program::Isa;
use costack_sim::prove::{Flavour, Form};
use costack_sim_module::{Found, Proof, Refusal, What, proofs};

use crate::args::{self, FormArg, ProofFormat};
use crate::show::{BAD, lines, out, styled, table};
use crate::{Verdict, input};

/// Proves texts and tells what was found.
pub(super) fn prove(args: &args::Prove) -> Result<Verdict> {
    let proofs = match &args.file {
        None => built_in(args)?,
        Some(file) => of_file(file, args)?,
    };
    let mut out = out();
    match args.format {
        ProofFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&proofs)?)?,
        ProofFormat::Text => {
            for of_text in proofs.chunks(2) {
                write!(out, "{}", in_words(of_text))?;
            }
        }
    }
    out.flush()?;
    Ok(match proofs.iter().all(|proof| proof.is_proven) {
        true => Verdict::Good,
        false => Verdict::Bad,
    })
}

fn isas(args: &args::Prove) -> Vec<Isa> {
    match args.isa {
        Some(isa) => vec![isa.into()],
        None => Isa::ALL.to_vec(),
    }
}

fn flavours(args: &args::Prove) -> Vec<Flavour> {
    match args.flavour {
        Some(flavour) => vec![flavour.into()],
        None => vec![Flavour::Integer, Flavour::Fp],
    }
}

/// Whether a proof is of the flavour and the form that are asked for.
fn is_wanted(args: &args::Prove, proof: &Proof) -> bool {
    let flavour = args
        .flavour
        .map(|flavour| Flavour::from(flavour).to_string());
    let form = args.form.map(|form| Form::from(form).to_string());
    flavour.is_none_or(|flavour| proof.flavour == flavour)
        && form.is_none_or(|form| proof.form == form)
}

fn built_in(args: &args::Prove) -> Result<Vec<Proof>> {
    let mut all = Vec::new();
    for isa in isas(args) {
        for flavour in flavours(args) {
            let proofs = proofs::prove(&What::BuiltIn(flavour), isa).map_err(in_text)?;
            all.extend(proofs.into_iter().filter(|proof| is_wanted(args, proof)));
        }
    }
    Ok(all)
}

fn of_file(file: &str, args: &args::Prove) -> Result<Vec<Proof>> {
    let input = input::read(file)?;
    input.refuse_trace()?;
    let is_scenario = input.name.ends_with(".costack")
        || input
            .text()?
            .lines()
            .any(|line| line.trim_start().starts_with("scenario "));
    if is_scenario {
        let program = input.scenario(crate::backend::HOST_ISA)?;
        let own: Vec<Isa> = isas(args)
            .into_iter()
            .filter(|isa| costack_sim::prove::own_text(&program, *isa).is_some())
            .collect();
        let what = What::Scenario(Box::new(program.as_ref().clone()));
        let proven = own.into_iter().map(|isa| proofs::prove(&what, isa));
        let mut proven = proven
            .collect::<Result<Vec<_>, _>>()
            .map_err(in_text)?
            .concat();
        proven.retain(|proof| is_wanted(args, proof));
        if proven.is_empty() {
            let such = match (args.isa, args.flavour, args.form) {
                (None, None, None) => "",
                _ => " such as is asked for",
            };
            bail!(
                "{}: the scenario has no `switch` text of its own{such}, so the built-in ones \
                 hold: `costack prove` without a file proves them",
                input.name
            );
        }
        return Ok(proven);
    }
    let Some(isa) = args.isa else {
        bail!(
            "{}: assembly does not say which instruction set it is for: name it with --isa",
            input.name
        );
    };
    let flavour = flavours(args)[0];
    let what = What::Text {
        name: input.name.clone(),
        text: input.text()?.to_owned(),
        flavour,
        form: args.form.unwrap_or(FormArg::Inline).into(),
    };
    proofs::prove(&what, isa.into()).map_err(in_text)
}

/// Mistakes in a text name their places themselves.
fn in_text(refusal: Refusal) -> anyhow::Error {
    anyhow!("{}", refusal.message)
}

/// A table about a text: a row for each obligation, a column for each transition; below it what
/// is refuted.
fn in_words(proofs: &[Proof]) -> String {
    let Some(first) = proofs.first() else {
        return String::new();
    };
    let mut text = format!("{}, {}, {} flavour", first.file, first.isa, first.flavour);
    if first.form == Form::Call.to_string() {
        text += ", the end of a C function";
    }
    if first.words_in_image {
        text += ", the target's words in its image";
    }
    text.push('\n');
    let mut table = table(["", "to a fresh task", "to a yielded task", "obligation"]);
    for (row, obligation) in first.obligations.iter().enumerate() {
        let mut cells = vec![Cell::new(&obligation.id)];
        cells.extend(proofs.iter().map(|proof| {
            match proof.obligations.get(row).map(|found| found.found) {
                Some(Found::Proven) => Cell::new("proven").fg(Color::Green),
                Some(Found::Refuted) => Cell::new("REFUTED").fg(Color::Red),
                Some(Found::NotApplicable) | None => Cell::new("n/a").fg(Color::Grey),
            }
        }));
        cells.push(Cell::new(&obligation.title));
        table.add_row(cells);
    }
    text += &lines(&table);
    for proof in proofs {
        text += &refuted(proof);
    }
    text + "\n"
}

/// What is refuted at one transition: a line for each reason, with all the obligations that it
/// refutes.
fn refuted(proof: &Proof) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for obligation in &proof.obligations {
        if obligation.found != Found::Refuted {
            continue;
        }
        let place = match (obligation.line, &obligation.instruction) {
            (Some(line), Some(instruction)) => format!("{}:{line}, `{instruction}`", proof.file),
            _ => proof.file.clone(),
        };
        let reason = format!("{place}: {}", obligation.reason);
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, ids)) => ids.push(&obligation.id),
            None => reasons.push((reason, vec![&obligation.id])),
        }
    }
    let line = |(reason, ids): &(String, Vec<&str>)| {
        let (head, ids) = (styled(BAD, "refuted:"), ids.join(", "));
        format!("{head} {ids}, {}: {reason}\n", proof.transition)
    };
    reasons.iter().map(line).collect()
}
