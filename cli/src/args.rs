//! The command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use costack_sim::program::Isa;
use costack_sim::prove::{Flavour, Form};

use crate::backend::{Backend, HOST_ISA};

/// The version, with the commit it was built from.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("COSTACK_COMMIT"));

/// Runs, checks and proves coroutines that share stacks.
#[derive(Debug, Parser)]
#[command(name = "costack", version = VERSION, max_term_width = 100, after_help = "\
Examples:
  costack run two_tasks_shared                      a scenario of the gallery
  costack run my.costack --backend native           the same program on the real CPU
  costack compare my.costack                        all backends, and whether they agree
  costack prove                                     the switch texts, proven

Exit codes: 0 all is well; 1 a fault, a difference or a refutation was found; 2 bad input.")]
pub struct Costack {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a scenario and prints what it prints, then a summary on standard error
    #[command(after_help = "\
Examples:
  costack run two_tasks_shared
  costack run my.costack --backend native
  costack run my.costack --isa i386 --steps 1000
  costack examples two_tasks_own | costack run -")]
    Run(Run),
    /// Writes what happens in a scenario as a trace; or converts a trace
    #[command(after_help = "\
A trace is one JSON object per line, each with a checksum; docs/cli.md has the format. A FILE that
is a trace itself is read, checked and written again: one that was cut or altered is refused.

Examples:
  costack trace two_tasks_shared -o run.jsonl
  costack trace run.jsonl --format perfetto -o run.json     to be opened at https://ui.perfetto.dev")]
    Trace(Trace),
    /// Runs scenarios on all backends and shows the first difference
    #[command(after_help = "\
Examples:
  costack compare my.costack two_tasks_shared
  costack compare --random 2000                     a new seed each time; it is printed
  costack compare --random 1 --seed 12345           one of them again, with its text")]
    Compare(Compare),
    /// Proves switch texts: that they preserve all that they must
    #[command(after_help = "\
Examples:
  costack prove                                     the built-in texts, on every ISA
  costack prove styles/setjmp                       the text in a scenario
  costack prove my_switch.s --isa aarch64 --flavour fp --format json
  costack prove my_function.s --isa x86_64 --form call")]
    Prove(Prove),
    /// Shows what other numbers of shared stacks would copy
    #[command(after_help = "\
Examples:
  costack tune designs/pollers
  costack tune my.costack --stacks 1..8
  costack tune run.jsonl                            a trace, also one of a native program")]
    Tune(Tune),
    /// Reads and checks scenarios without running them
    #[command(after_help = "\
Examples:
  costack check *.costack
  costack check run.jsonl                           also traces")]
    Check(Check),
    /// Lists the gallery, or prints one of its scenarios
    #[command(after_help = "\
Examples:
  costack examples --list
  costack examples two_tasks_shared > mine.costack")]
    Examples(Examples),
    /// Shows what the last `cargo bench` measured
    #[command(after_help = "\
Examples:
  costack bench-report
  costack bench-report target/bench-report/bench.json")]
    BenchReport(BenchReport),
    /// Prints a script that completes this program's arguments in a shell
    #[command(after_help = "\
Examples:
  costack completions bash > ~/.local/share/bash-completion/completions/costack
  costack completions fish > ~/.config/fish/completions/costack.fish")]
    Completions(Completions),
}

/// The module for the backend `wasm`.
#[derive(Debug, Args)]
pub struct ModuleArg {
    /// The simulator's wasm module; looked for beside this program unless told
    #[arg(
        long,
        value_name = "FILE",
        env = crate::host::VARIABLE,
        hide_env_values = true
    )]
    pub module: Option<PathBuf>,
}

/// Where and how a scenario runs.
#[derive(Debug, Args)]
pub struct How {
    /// Where it runs; `sim` unless told
    #[arg(long, value_enum)]
    pub backend: Option<Backend>,
    /// The instruction set that is simulated; this machine's unless told
    #[arg(long, value_enum)]
    pub isa: Option<IsaArg>,
    /// Stop after so many steps (statements, on native)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Run a scenario natively though it uses pointers, which may then do harm
    #[arg(long)]
    pub trust_pointers: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub module: ModuleArg,
}

impl How {
    /// Where it runs.
    pub fn backend(&self) -> Backend {
        self.backend.unwrap_or(Backend::Sim)
    }

    /// The instruction set that it is read and run for.
    ///
    /// # Errors
    /// When it is to run on the real CPU, and that is another one.
    pub fn isa(&self) -> Result<Isa> {
        let isa = self.isa.map_or(HOST_ISA, Isa::from);
        if self.backend() == Backend::Native && isa != HOST_ISA {
            bail!(
                "native is this machine's CPU, {}: {} needs the backend sim or wasm",
                HOST_ISA.name(),
                isa.name()
            );
        }
        Ok(isa)
    }

    /// An argument that was given, though there is nothing to run.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--backend", self.backend.is_some()),
            ("--isa", self.isa.is_some()),
            ("--steps", self.steps.is_some()),
            ("--trust-pointers", self.trust_pointers),
        ];
        given.iter().find(|(_, is)| *is).map(|(name, _)| *name)
    }
}

/// `costack run`.
#[derive(Debug, Args)]
pub struct Run {
    /// A scenario: a file, `-` for standard input, or a name of the gallery
    pub file: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub how: How,
}

/// `costack trace`.
#[derive(Debug, Args)]
pub struct Trace {
    /// A scenario or a trace
    pub file: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub how: How,
    /// What to write
    #[arg(long, value_enum, default_value_t = TraceFormat::Jsonl)]
    pub format: TraceFormat,
    /// Where to; standard output unless told
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `costack compare`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["files", "random"]))]
pub struct Compare {
    /// Scenarios
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// So many random scenarios instead, which use all of the language
    #[arg(long, value_name = "N", conflicts_with = "files",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub random: Option<u64>,
    /// The first one's seed; a new one each time unless told
    #[arg(long, value_name = "S", requires = "random", conflicts_with = "files")]
    pub seed: Option<u64>,
    /// Simulate only these instruction sets; all unless told
    #[arg(long, value_enum)]
    pub isa: Vec<IsaArg>,
    /// Print the summary, and of scenarios only those that differ
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub module: ModuleArg,
}

/// `costack prove`.
#[derive(Debug, Args)]
pub struct Prove {
    /// A scenario with a `switch` text, or assembly; the built-in texts unless told
    pub file: Option<String>,
    /// Only this instruction set; for assembly, the one it is for
    #[arg(long, value_enum)]
    pub isa: Option<IsaArg>,
    /// Only this flavour; for assembly, what it must preserve (integer unless told)
    #[arg(long, value_enum)]
    pub flavour: Option<FlavourArg>,
    /// Only this form; for assembly, how it is entered and left (in line unless told)
    #[arg(long, value_enum)]
    pub form: Option<FormArg>,
    /// What to print
    #[arg(long, value_enum, default_value_t = ProofFormat::Text)]
    pub format: ProofFormat,
}

/// `costack tune`.
#[derive(Debug, Args)]
pub struct Tune {
    /// A scenario or a trace
    pub file: String,
    /// How many shared stacks to look at
    #[arg(long, value_name = "FROM..TO", default_value = "1..64", value_parser = stacks)]
    pub stacks: Stacks,
    /// The instruction set that is simulated; this machine's unless told
    #[arg(long, value_enum)]
    pub isa: Option<IsaArg>,
}

/// `costack check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Scenarios, or traces
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
}

/// `costack examples`.
#[derive(Debug, Args)]
pub struct Examples {
    /// List the scenarios with their titles, as without a name
    #[arg(long, conflicts_with = "name")]
    pub list: bool,
    /// The scenario to print
    pub name: Option<String>,
}

/// `costack bench-report`.
#[derive(Debug, Args)]
pub struct BenchReport {
    /// A report; the last one of this repository unless told
    pub file: Option<PathBuf>,
}

/// `costack completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// An instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[allow(missing_docs)]
pub enum IsaArg {
    #[value(name = "x86_64", alias = "x86-64")]
    X86_64,
    #[value(name = "i386")]
    I386,
    #[value(name = "aarch64")]
    Aarch64,
}

impl From<IsaArg> for Isa {
    fn from(isa: IsaArg) -> Isa {
        match isa {
            IsaArg::X86_64 => Isa::X86_64,
            IsaArg::I386 => Isa::I386,
            IsaArg::Aarch64 => Isa::Aarch64,
        }
    }
}

/// A flavour of the switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[allow(missing_docs)]
pub enum FlavourArg {
    Integer,
    Fp,
}

impl From<FlavourArg> for Flavour {
    fn from(flavour: FlavourArg) -> Flavour {
        match flavour {
            FlavourArg::Integer => Flavour::Integer,
            FlavourArg::Fp => Flavour::Fp,
        }
    }
}

/// How a switch text is entered and left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum FormArg {
    /// In line: the task goes on behind the text
    Inline,
    /// The end of a C function: the task goes on where that returns to
    Call,
}

impl From<FormArg> for Form {
    fn from(form: FormArg) -> Form {
        match form {
            FormArg::Inline => Form::Inline,
            FormArg::Call => Form::Call,
        }
    }
}

/// What a trace is written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TraceFormat {
    /// One JSON object per line
    Jsonl,
    /// For <https://ui.perfetto.dev>
    Perfetto,
}

/// What a proof is printed as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ProofFormat {
    /// A table
    Text,
    /// A JSON array of proofs
    Json,
}

/// Numbers of stacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stacks(pub RangeInclusive<u32>);

/// The most stacks to look at.
const MAX_STACKS: u32 = 4096;

fn stacks(text: &str) -> std::result::Result<Stacks, String> {
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (from, to.trim_start_matches('=')),
        None => (text, text),
    };
    let number = |text: &str| {
        let number = text.trim().parse::<u32>().ok();
        number.filter(|number| (1..=MAX_STACKS).contains(number))
    };
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => Ok(Stacks(from..=to)),
        _ => Err(format!(
            "wanted one number or two with `..` between, from 1 to {MAX_STACKS}, such as 1..64"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        use clap::CommandFactory as _;
        Costack::command().debug_assert();
    }

    #[test]
    fn stacks_are_a_number_or_a_range() {
        assert_eq!(stacks("1..64"), Ok(Stacks(1..=64)));
        assert_eq!(stacks("2..=3"), Ok(Stacks(2..=3)));
        assert_eq!(stacks("8"), Ok(Stacks(8..=8)));
        for wrong in ["", "0..3", "5..2", "a..b", "1..5000", "-1"] {
            assert!(stacks(wrong).is_err(), "{wrong}");
        }
    }
}
