//! `costack check`.

use std::io::Write as _;

use anyhow::Result;
use costack_lang::syntax::Word;

use crate::args;
use crate::backend::HOST_ISA;
use crate::input::{self, Input};
use crate::show::{GOOD, styled};
use crate::{Verdict, show};

/// Reads all files, and tells what is wrong with each.
pub(super) fn check(args: &args::Check) -> Result<Verdict> {
    let mut wrong = 0;
    for file in &args.files {
        match input::read(file).and_then(|input| check_one(&input)) {
            Ok(line) => writeln!(anstream::stdout(), "{} {line}", styled(GOOD, "ok"))?,
            Err(error) => {
                wrong += 1;
                super::tell(&error);
            }
        }
    }
    super::all_used(wrong, args.files.len()).map(|()| Verdict::Good)
}

fn check_one(input: &Input) -> Result<String> {
    let name = &input.name;
    if input.is_trace() {
        let trace = super::trace::read(input)?;
        let records = show::count(trace.records.len() as u64, "record");
        return Ok(format!("{name}: a trace with {records}"));
    }
    let program = input.scenario(HOST_ISA)?;
    let narrow = match program.check_literals(Word::Bits32) {
        Ok(()) => "",
        Err(_) => "; not for i386, whose words are too narrow for its numbers",
    };
    Ok(format!(
        "{name}: \"{}\", {}, {}{narrow}",
        program.title,
        show::count(program.stacks.len() as u64, "stack"),
        show::count(program.tasks.len() as u64, "task"),
    ))
}
