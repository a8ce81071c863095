//! The whole of the measuring: see `suite --help`. `cargo xtask bench` builds and runs it, and adds
//! what measured.

use anyhow::{Context as _, Result, bail};
use costack_bench_schema::{self as schema, Outcome, Report, Skipped};
use costack_benches::case::{Group, Size};
use costack_benches::measure::{self, Effort};
use costack_benches::memory::{Kind, Stages};
use costack_benches::{bars, catalogue, counts, echo, fits, memory};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

mod flags {
    use std::path::PathBuf;

    xflags::xflags! {
        /// Measures Costack beside its peers.
        cmd suite {
            /// Measures everything and writes it as JSON.
            cmd run {
                /// The file to write.
                required --to file: PathBuf
                /// Two minutes instead of twenty.
                optional --quick
                /// Every bench a few times, only to see that it works.
                optional --smoke
                /// Only groups whose name contains this, in process.
                optional --only text: String
                /// No memory, servers or instructions, which take processes of their own.
                optional --in-process
            }
            /// Makes a page of results: this machine's, and others' beside it.
            cmd page {
                /// The file to write.
                required --to file: PathBuf
                /// Results, this machine's first.
                repeated files: PathBuf
            }
            /// Checks that results have every series, and no number that is none.
            cmd check {
                /// The results.
                required file: PathBuf
            }
            /// Counts instructions of the switch paths; fails when there are more than recorded.
            cmd counts {
                /// Records in this file what was counted.
                optional --record file: PathBuf
            }
            /// Makes round trips, for callgrind to count.
            cmd count {
                required path: String
                required trips: u64
            }
            /// Makes tasks and tells how much memory they take.
            cmd memory {
                required kind: String
                required count: usize
            }
            /// Serves echoes until its input ends.
            cmd echo-server {
                required who: String
            }
            /// Asks an echo server.
            cmd echo-load {
                required address: String
                required connections: u64
                required milliseconds: u64
            }
        }
    }
}

fn main() -> ExitCode {
    match dispatch(flags::Suite::from_env_or_exit().subcommand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: flags::SuiteCmd) -> Result<()> {
    use flags::SuiteCmd;
    match command {
        SuiteCmd::Run(flags) => run(&flags),
        SuiteCmd::Page(flags) => page(&flags),
        SuiteCmd::Check(flags) => check(&flags.file),
        SuiteCmd::Counts(flags) => count_instructions(flags.record.as_deref()),
        SuiteCmd::Count(flags) => counts::run(&flags.path, flags.trips),
        SuiteCmd::Memory(flags) => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == flags.kind);
            let kind = kind.with_context(|| format!("there is no kind {}", flags.kind))?;
            memory::run(kind, flags.count)
        }
        SuiteCmd::EchoServer(flags) => echo::serve(&flags.who),
        SuiteCmd::EchoLoad(flags) => {
            let time = Duration::from_millis(flags.milliseconds);
            echo::load(&flags.address, flags.connections, time)
        }
    }
}

/// What goes on, for who watches: a bar on a terminal, lines elsewhere.
struct Progress {
    bar: ProgressBar,
    last: String,
}

impl Progress {
    fn new(steps: usize) -> Self {
        let style = ProgressStyle::with_template(
            "{bar:32.cyan/blue} {percent:>3} %  {elapsed} gone, about {eta} to go  {msg}",
        );
        let bar = ProgressBar::new(steps as u64);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Progress {
            bar,
            last: String::new(),
        }
    }

    /// Says what begins now.
    fn step(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.inc(1);
        if self.last != what {
            if !std::io::stderr().is_terminal() {
                let (at, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
                eprintln!("[{at}/{of}] {what}");
            }
            self.last = what.to_owned();
        }
    }
}

/// Rounds of the servers, one to warm up among them; for the bar only.
const ECHO_STEPS: usize = 6;

fn run(flags: &flags::Run) -> Result<()> {
    let size = match (flags.smoke, flags.quick) {
        (true, _) => Size::Smoke,
        (_, true) => Size::Quick,
        _ => Size::Full,
    };
    let started = Instant::now();
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let all_of_it = flags.only.is_none() && !flags.in_process;
    let wanted = |group: &Group| {
        let only = flags.only.as_deref();
        only.is_none_or(|text| group.id.contains(text))
    };
    let groups: Vec<Group> = catalogue(size).into_iter().filter(wanted).collect();
    if groups.is_empty() {
        bail!("there is no such group");
    }
    let batches: usize = groups.iter().map(|group| group.batches.len()).sum();
    let beside = if all_of_it {
        Kind::ALL.len() + ECHO_STEPS + 1
    } else {
        0
    };
    let mut progress = Progress::new(batches + beside);
    let described = groups.iter().map(measure::described).collect();
    let mut measured = Vec::new();
    for group in groups {
        let what = group.id.clone();
        measured.extend(measure::measure(group, Effort::of(size), || {
            progress.step(&what);
        }));
    }
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let mut results: Vec<Outcome> = measured
        .iter()
        .filter(|case| !case.companion)
        .map(|case| case.outcome(&now))
        .collect();
    results.sort_by(|a, b| a.id.cmp(&b.id));

    let mut stages = Stages::default();
    let (mut served, mut instructions, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    if all_of_it {
        stages = Stages::measure(&own, size, |kind| {
            progress.step(&format!("memory: {}", kind.who()));
        });
        skipped.append(&mut stages.skipped);
        let (echo, missing) = echo::measure(&own, size, || progress.step("echo servers"));
        served = echo;
        skipped.extend(missing);
        progress.step("instructions");
        match instructions_of(&own, size) {
            Ok(counted) => instructions = counted,
            Err(error) => skipped.push(Skipped {
                what: "instruction counts".to_owned(),
                why: format!("{error:#}"),
            }),
        }
    } else {
        skipped.push(Skipped {
            what: "memory, echo servers, instruction counts".to_owned(),
            why: "this run was asked for a part only".to_owned(),
        });
    }
    progress.bar.finish_and_clear();

    let report = Report {
        schema: schema::SCHEMA.to_owned(),
        measured_at: now,
        suite: Some(schema::Suite {
            mode: size.name().to_owned(),
            seconds: started.elapsed().as_secs_f64(),
            yardstick: measure::YARDSTICK.to_owned(),
            commands: Vec::new(),
        }),
        bars: bars::bars(&measured, &stages, &served),
        groups: described,
        fits: fits::fits(&results, &stages),
        results,
        memory: stages.all,
        instructions,
        echo: served,
        skipped,
        ..Report::default()
    };
    report.write(&flags.to)?;
    tell(&report);
    Ok(())
}

/// In a smoke test every second counts, and the counts have a test of their own.
fn instructions_of(own: &Path, size: Size) -> Result<Vec<schema::Instructions>> {
    if size == Size::Smoke {
        bail!("left out of a smoke test");
    }
    counts::count(own, &scratch())
}

fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("costack-callgrind-{}", std::process::id()))
}

/// The table of promises, in the terminal.
fn tell(report: &Report) {
    println!(
        "{:>9} {:>9} {:>17}  {:7} promised by, what",
        "bar", "measured", "quartiles", "holds"
    );
    for bar in &report.bars {
        let bound = match (bar.at_most, bar.at_least) {
            (Some(most), _) => format!("≤ {most:.2}"),
            (_, Some(least)) => format!("≥ {least:.2}"),
            _ => String::new(),
        };
        let holds = match bar.holds() {
            Some(true) => "holds",
            Some(false) => "MISSED",
            None => "-",
        };
        let (median, quartiles) = match bar.measured {
            Some(spread) => (
                format!("{:.2}", spread.median),
                format!("{:.2} to {:.2}", spread.low, spread.high),
            ),
            None => ("-".to_owned(), String::new()),
        };
        let (source, what) = (&bar.source, &bar.what);
        println!("{bound:>9} {median:>9} {quartiles:>17}  {holds:7} {source}: {what}");
    }
    for skipped in &report.skipped {
        println!("left out: {}: {}", skipped.what, skipped.why);
    }
}

fn page(flags: &flags::Page) -> Result<()> {
    #[cfg(feature = "page")]
    {
        let reports = flags
            .files
            .iter()
            .map(|file| Report::read(file).with_context(|| format!("in {}", file.display())))
            .collect::<Result<Vec<_>>>()?;
        let Some((own, others)) = reports.split_first() else {
            bail!("a page needs results: name a bench.json");
        };
        let page = costack_benches::page::page(own, others);
        std::fs::write(&flags.to, page)
            .with_context(|| format!("could not write {}", flags.to.display()))
    }
    #[cfg(not(feature = "page"))]
    bail!("{}: built without its feature", flags.to.display());
}

fn check(file: &Path) -> Result<()> {
    let report = Report::read(file).with_context(|| format!("in {}", file.display()))?;
    let mut faults = report.faults();
    let size = match report.suite.as_ref().map(|suite| &*suite.mode) {
        Some("smoke") => Size::Smoke,
        Some("quick") => Size::Quick,
        _ => Size::Full,
    };
    // What is in the catalogue must be in the file.
    for group in catalogue(size) {
        for case in group
            .batches
            .iter()
            .flatten()
            .filter(|case| !case.companion)
        {
            let id = format!("{}/{}", group.id, case.name());
            if !report.results.iter().any(|result| result.id == id) {
                faults.push(format!("{id} is missing"));
            }
        }
    }
    if faults.is_empty() {
        println!("{} results, and no fault", report.results.len());
        return Ok(());
    }
    bail!("{}", faults.join("\n"))
}

fn count_instructions(record: Option<&Path>) -> Result<()> {
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let folder = scratch();
    let counted = counts::count(&own, &folder)?;
    let _ = std::fs::remove_dir_all(&folder);
    println!("instructions of a round trip, {}", counts::compiler());
    for path in &counted {
        let recorded = match path.recorded {
            Some(recorded) => format!("{recorded} recorded"),
            None => "none recorded for this compiler".to_owned(),
        };
        println!("  {:26} {:5}  ({recorded})", path.path, path.instructions);
    }
    if let Some(file) = record {
        return counts::record(&counted, file);
    }
    if counts::recorded()?.is_empty() {
        println!(
            "nothing is recorded for {}, so nothing is compared; to record: \
             cargo run --release -p costack-benches --bin suite -- counts --record \
             benches/instructions.json",
            counts::compiler()
        );
    }
    let complaints = counts::complaints(&counted);
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}", complaints.join("\n"))
}
