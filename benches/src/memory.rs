//! Resident memory: many suspended tasks, each kind in a process of its own.
//!
//! `suite memory KIND COUNT` is such a process. It prints one stage per line, as JSON.

use crate::case::Size;
use crate::peer::future;
use crate::ring::{How, Ring};
use crate::sets::{IMAGE_AT_LEAST, padding};
use anyhow::{Context as _, Result, bail};
use costack::{Coroutine, Event, SharedStack, Yielder};
use costack_bench_schema::{Skipped, Stage};
use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

/// Whose memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Coroutines on one shared stack.
    Shared,
    /// Coroutines on stacks of their own, as many as fit.
    Own,
    /// corosensei's, as many as fit.
    Corosensei,
    /// Boxed futures.
    Future,
    /// A thousand coroutines whose images grow.
    Growth,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [
        Kind::Shared,
        Kind::Own,
        Kind::Corosensei,
        Kind::Future,
        Kind::Growth,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Shared => "shared",
            Kind::Own => "own",
            Kind::Corosensei => "corosensei",
            Kind::Future => "future",
            Kind::Growth => "growth",
        }
    }

    /// As the report names it.
    #[must_use]
    pub fn who(self) -> &'static str {
        match self {
            Kind::Shared => "costack, shared stack",
            Kind::Own => "costack, own stacks",
            Kind::Corosensei => "corosensei, own stacks",
            Kind::Future => "boxed futures",
            Kind::Growth => "costack, growing images",
        }
    }

    /// How many tasks, at the most; own stacks end earlier by themselves.
    #[must_use]
    pub fn count(self, size: Size) -> usize {
        match self {
            Kind::Shared | Kind::Future => size.pick(1000, 2_000_000, 10_000_000),
            Kind::Own | Kind::Corosensei => size.pick(100, 100_000, 1_000_000),
            Kind::Growth => 1,
        }
    }
}

/// All stages of all processes.
#[derive(Debug, Default)]
pub struct Stages {
    /// In the order of [`Kind::ALL`] and of time.
    pub all: Vec<Stage>,
    /// What could not be measured.
    pub skipped: Vec<Skipped>,
}

impl Stages {
    /// Measures all kinds, each in a process that `program` is.
    #[must_use]
    pub fn measure(program: &Path, size: Size, mut tell: impl FnMut(Kind)) -> Self {
        let mut stages = Stages::default();
        for kind in Kind::ALL {
            tell(kind);
            match process(program, kind, kind.count(size)) {
                Ok(more) => stages.all.extend(more),
                Err(error) => stages.skipped.push(Skipped {
                    what: format!("memory: {}", kind.who()),
                    why: format!("{error:#}"),
                }),
            }
        }
        stages
    }

    /// The last stage of the most tasks that share a stack.
    #[must_use]
    pub fn most_shared(&self) -> Option<&Stage> {
        let shared = self
            .all
            .iter()
            .filter(|stage| stage.who == Kind::Shared.who() && stage.tasks > 1);
        shared.max_by_key(|stage| stage.resident_bytes)
    }

    /// Tasks and resident bytes of whoever was measured at several numbers of tasks.
    #[must_use]
    pub fn growth(&self) -> Vec<(String, Vec<(f64, f64)>)> {
        let mut growth = Vec::new();
        for kind in Kind::ALL {
            let points: Vec<(f64, f64)> = self
                .all
                .iter()
                .filter(|stage| stage.who == kind.who() && stage.stage.starts_with(MADE))
                .map(|stage| (stage.tasks as f64, stage.resident_bytes as f64))
                .collect();
            if points.len() > 1 {
                growth.push((kind.who().to_owned(), points));
            }
        }
        growth
    }
}

/// How the stages begin that make more tasks.
const MADE: &str = "made and suspended";

/// Parts of all tasks after which a stage is printed.
const STEPS: usize = 4;

fn process(program: &Path, kind: Kind, count: usize) -> Result<Vec<Stage>> {
    let output = Command::new(program)
        .args(["memory", kind.name(), &count.to_string()])
        .output()
        .context("it could not be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("it ended with {}: {}", output.status, said.trim());
    }
    let text = String::from_utf8(output.stdout)?;
    let stages: Vec<Stage> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    if stages.is_empty() {
        bail!("it measured nothing");
    }
    Ok(stages)
}

/// What such a process does.
///
/// # Errors
/// When memory cannot be read off, as on systems other than Linux.
pub fn run(kind: Kind, count: usize) -> Result<()> {
    let teller = Teller {
        kind,
        before: resident_bytes()?,
    };
    match kind {
        Kind::Shared => shared(&teller, count)?,
        Kind::Own => own(&teller, count)?,
        Kind::Corosensei => corosensei_own(&teller, count)?,
        Kind::Future => futures(&teller, count)?,
        Kind::Growth => growth(&teller)?,
    }
    // Nobody needs them unwound one by one.
    std::process::exit(0);
}

struct Teller {
    kind: Kind,
    before: u64,
}

impl Teller {
    fn stage(&self, stage: &str, tasks: usize, image_bytes: usize) -> Result<()> {
        let resident_bytes = resident_bytes()?.saturating_sub(self.before);
        self.print(stage, tasks, image_bytes, resident_bytes)
    }

    fn print(
        &self,
        stage: &str,
        tasks: usize,
        image_bytes: usize,
        resident_bytes: u64,
    ) -> Result<()> {
        let stage = Stage {
            who: self.kind.who().to_owned(),
            stage: stage.to_owned(),
            tasks: tasks as u64,
            image_bytes: image_bytes as u64,
            resident_bytes,
        };
        println!("{}", serde_json::to_string(&stage)?);
        Ok(())
    }
}

fn shared(teller: &Teller, count: usize) -> Result<()> {
    let mut ring = Ring::new(0, padding(), false, How::PLAIN);
    let image = ring.image_bytes;
    ring.reserve(count);
    teller.stage("room for their handles", 0, image)?;
    for step in 1..=STEPS {
        ring.grow(count * step / STEPS);
        teller.stage(MADE, count * step / STEPS, image)?;
    }
    ring.turn(count as u64);
    teller.stage("each resumed once more", count, image)?;
    ring.leave();
    Ok(())
}

fn own(teller: &Teller, count: usize) -> Result<()> {
    let mut all = Vec::with_capacity(count);
    let mut next = count.min(1000);
    while all.len() < count {
        let made = Coroutine::<usize, usize, usize>::new(|yielder, mut value| {
            let mut words = [value; IMAGE_AT_LEAST / size_of::<usize>()];
            loop {
                words[0] += value;
                std::hint::black_box(&mut words);
                value = yielder.suspend(value);
            }
        });
        // This is the end: no more areas of address space, or no memory.
        let Ok(mut co) = made else { break };
        co.resume(0);
        all.push(co);
        if all.len() == next {
            teller.stage(MADE, all.len(), 0)?;
            next *= 4;
        }
    }
    let len = all.len();
    for co in &mut all {
        co.resume(1);
    }
    teller.stage("each resumed once more", len, 0)?;
    std::mem::forget(all);
    Ok(())
}

fn corosensei_own(teller: &Teller, count: usize) -> Result<()> {
    let mut all = Vec::with_capacity(count);
    let mut next = count.min(1000);
    while all.len() < count {
        let stack = corosensei::stack::DefaultStack::new(costack::stack::DEFAULT_STACK_BYTES);
        let Ok(stack) = stack else { break };
        let mut co = corosensei::Coroutine::<usize, usize, usize>::with_stack(
            stack,
            |yielder, mut value| {
                let mut words = [value; IMAGE_AT_LEAST / size_of::<usize>()];
                loop {
                    words[0] += value;
                    std::hint::black_box(&mut words);
                    value = yielder.suspend(value);
                }
            },
        );
        co.resume(0);
        all.push(co);
        if all.len() == next {
            teller.stage(MADE, all.len(), 0)?;
            next *= 4;
        }
    }
    let len = all.len();
    for co in &mut all {
        co.resume(1);
    }
    teller.stage("each resumed once more", len, 0)?;
    std::mem::forget(all);
    Ok(())
}

fn futures(teller: &Teller, count: usize) -> Result<()> {
    const WORDS: usize = IMAGE_AT_LEAST / size_of::<usize>();
    let mut all = Vec::with_capacity(count);
    for step in 1..=STEPS {
        all.resize_with(count * step / STEPS, future::padded::<WORDS>);
        teller.stage(MADE, all.len(), IMAGE_AT_LEAST)?;
    }
    std::mem::forget(all);
    Ok(())
}

/// Coroutines whose images grow together.
const GROWING: usize = 1000;

/// Depths of calls at which a stage is printed.
const DEPTHS: [usize; 6] = [1, 4, 16, 64, 128, 200];

/// Each resume calls one function deeper, so each save needs a larger save stack.
fn growth(teller: &Teller) -> Result<()> {
    fn dig(yielder: &Yielder<(), ()>, calls: usize) {
        let mut words = [calls; 32];
        yielder.suspend(());
        if calls > 0 {
            dig(yielder, calls - 1);
        }
        std::hint::black_box(&mut words);
    }
    let stack = SharedStack::new(256 * 1024)?;
    let image = Rc::new(Cell::new(0));
    let sink = Rc::clone(&image);
    stack.observe(move |event| {
        if let Event::Save { bytes, .. } = event {
            sink.set(bytes as usize);
        }
    });
    let mut all: Vec<Coroutine<(), (), ()>> = Vec::with_capacity(GROWING);
    for _ in 0..GROWING {
        // SAFETY: no pointer into its frames leaves it.
        all.push(unsafe { Coroutine::new_shared(&stack, |yielder, ()| dig(yielder, usize::MAX)) }?);
    }
    for depth in 1..=DEPTHS[DEPTHS.len() - 1] {
        for co in &mut all {
            co.resume(());
        }
        if DEPTHS.contains(&depth) {
            let saved = stack.save_bytes() / GROWING;
            let stage = format!("{depth} calls deep, {saved} B of save stack and control block");
            teller.stage(&stage, GROWING, image.get())?;
        }
    }
    let peak = peak_bytes()?.saturating_sub(teller.before);
    teller.print("the peak on the way", GROWING, image.get(), peak)?;
    std::mem::forget(all);
    Ok(())
}

/// The most physical memory that this process ever had, in bytes.
fn peak_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("status has VmHWM")?.parse::<u64>()? * 1024)
}

/// Bytes of physical memory that this process has now.
fn resident_bytes() -> Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")
        .context("only Linux says how much memory is resident")?;
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .context("statm has a second number")?
        .parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}
