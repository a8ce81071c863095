//! What a command is given: files, standard input, scenarios of the gallery.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use costack_lang::syntax::{Program, Word};
use costack_sim::gallery;
use costack_sim::program::Isa;

use crate::show;

/// The longest file that is read at all; a scenario may be far shorter, a trace may not.
const MAX_BYTES: u64 = 1 << 30;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A text and the name that messages give it.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Reads what an argument names: `-` is standard input; a name of the gallery is that scenario
/// where there is no such file.
///
/// # Errors
/// When it cannot be read.
pub fn read(argument: &str) -> Result<Input> {
    if argument == "-" {
        let bytes = read_all(io::stdin().lock(), "standard input")?;
        let name = "<stdin>".to_owned();
        return Ok(Input { name, bytes });
    }
    let name = argument.to_owned();
    let scenario = gallery::all().find(|scenario| scenario.name == argument);
    match (File::open(argument), scenario) {
        (Ok(file), _) => Ok(Input {
            bytes: read_all(file, argument)?,
            name,
        }),
        (Err(_), Some(scenario)) if !Path::new(argument).exists() => Ok(Input {
            name: scenario.file(),
            bytes: scenario.text.into(),
        }),
        (Err(error), _) => {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => {
                    format!(
                        "; nor is there such a scenario in the gallery: {}",
                        hint(argument)
                    )
                }
                _ => String::new(),
            };
            Err(anyhow!("{argument} cannot be read: {error}{hint}"))
        }
    }
}

/// What to do about a name that the gallery does not have.
pub fn hint(name: &str) -> String {
    let name = name.strip_suffix(".costack").unwrap_or(name);
    match costack_lang::closest(name, gallery::all().map(|scenario| scenario.name)) {
        Some(likely) => format!("did you mean `{likely}`?"),
        None => "`costack examples --list` shows all of them".to_owned(),
    }
}

fn read_all(source: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("{name} cannot be read"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(anyhow!("{name} is larger than {} MiB", MAX_BYTES >> 20));
    }
    Ok(bytes)
}

impl Input {
    /// Whether it is meant to be a trace: lines of JSON, which no scenario and no assembly begins
    /// with. Whether it is one, its reader tells, also when its beginning was cut off or altered.
    pub fn is_trace(&self) -> bool {
        let text = self
            .bytes
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(&self.bytes);
        text.trim_ascii_start().starts_with(b"{")
    }

    /// Refuses a trace, where a scenario is wanted.
    ///
    /// # Errors
    /// When it is meant to be a trace.
    pub fn refuse_trace(&self) -> Result<()> {
        match self.is_trace() {
            true => Err(anyhow!(
                "{} is no scenario, it begins like a trace: `costack check`, `costack trace` and \
                 `costack tune` read traces",
                self.name
            )),
            false => Ok(()),
        }
    }

    /// Why an argument that says how to run is refused beside a trace.
    pub fn not_run_again(&self, argument: &str) -> anyhow::Error {
        anyhow!(
            "{} begins like a trace, which is not run again: {argument} is for scenarios",
            self.name
        )
    }

    /// The text.
    ///
    /// # Errors
    /// When it is not UTF-8, with the place.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let before = &self.bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            anyhow!("{}:{line}: the line is not UTF-8", self.name)
        })
    }

    /// The scenario, as one for this ISA.
    ///
    /// # Errors
    /// Its mistakes, rendered; or that it is a trace.
    pub fn scenario(&self, isa: Isa) -> Result<Arc<Program>> {
        self.refuse_trace()?;
        let mistakes = |found: costack_lang::Diagnostics| {
            anyhow!(Rendered(
                found.render(show::has_colour()).trim_end().to_owned()
            ))
        };
        let parsed = costack_lang::parse_bytes(&self.name, &self.bytes);
        let program = parsed.map_err(mistakes)?;
        if isa.word_bytes() == 4 {
            program.check_literals(Word::Bits32).map_err(mistakes)?;
        }
        Ok(Arc::new(program))
    }
}

/// Mistakes that are rendered already and say themselves that they are errors.
#[derive(Debug)]
pub struct Rendered(pub String);

impl std::fmt::Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rendered {}
