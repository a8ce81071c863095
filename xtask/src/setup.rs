//! Installing what serving and testing need, step by step.
//!
//! A step is one small type: its name, how long it takes, a check that tries the installed thing, and
//! the installation. [`ensure`] runs the steps of a list that are not done. Adding a step: a file in
//! `setup/` with a type that implements [`Step`], and its place in one of the lists below.
//!
//! Whatever is installed into the tool folder is made under another name and renamed when complete,
//! so what has its final name is whole. A lock file keeps two concurrent runs apart.

mod boost;
mod browser;
mod cargo_tool;
mod crates;
mod debian;
mod linux;
mod npm;
mod program;
mod rust_target;
mod sysroot;
mod wasm_opt;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use self::{browser::Browser, cargo_tool::CargoTool, crates::Crates, linux::LinuxCross};
pub use self::{
    browser::driver as browser_driver, browser::program as browser_program,
    cargo_tool::folders as tool_folders, npm::Axe, program::Program, rust_target::Compiler,
    rust_target::RustTarget, wasm_opt::WasmOpt,
};
use crate::{
    context::Context,
    progress::{say, spoken},
};

/// Something that must be there before serving or testing.
pub trait Step {
    /// What gets installed, as the user reads it.
    fn name(&self) -> String;

    /// How long the installation takes on two cores and a usual network.
    fn expected(&self) -> Duration;

    /// Whether it is there, found out by trying it; takes milliseconds.
    fn is_done(&self, context: &Context) -> bool;

    /// Installs it. What was installed before under an older version stays.
    ///
    /// # Errors
    /// When that fails; the message tells the user what to do.
    fn perform(&self, context: &Context) -> Result<()>;

    /// The system's packages it installs, for which one must be root.
    fn packages(&self) -> &'static [&'static str] {
        &[]
    }

    /// Why the work goes on when the installation fails, for a step that one can do without.
    fn excuse(&self) -> Option<&'static str> {
        None
    }
}

/// A list of steps, in the order they are taken.
pub type Steps = Vec<Box<dyn Step>>;

/// The architectures on which the native tests run besides the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 32-bit x86.
    I386,
    /// 64-bit Arm.
    Aarch64,
}

/// What building and serving the page needs.
pub fn page(context: &Context) -> Result<Steps> {
    Ok(vec![
        Box::new(Crates),
        Box::new(RustTarget::wasm()),
        Box::new(CargoTool::trunk()),
        Box::new(CargoTool::wasm_bindgen(context)?),
    ])
}

/// What building the simulator's module needs.
pub fn module() -> Steps {
    vec![Box::new(Crates), Box::new(RustTarget::wasm())]
}

/// What a page made for publishing needs besides [`page`].
pub fn shrinking() -> Steps {
    vec![Box::new(WasmOpt)]
}

/// What the tests in a browser put into the page.
pub fn accessibility() -> Steps {
    vec![Box::new(Axe)]
}

/// A browser under remote control.
pub fn browser() -> Steps {
    vec![Box::new(Browser)]
}

/// What the tests on this machine call besides the workspace's own programs.
pub fn host() -> Steps {
    vec![Box::new(Program::new("gdb", &["gdb"]))]
}

/// What a brief run of the suite needs: the simulator's module, and what counts instructions.
pub fn counting() -> Steps {
    let mut steps = module();
    steps.push(Box::new(valgrind()));
    steps
}

/// Valgrind, and what memcheck must know of the C library.
fn valgrind() -> Program {
    Program::new("valgrind", &["valgrind", "libc6-dbg"])
}

/// What the whole of the measuring needs; without any of it, the rest is measured.
pub fn measuring() -> Steps {
    let valgrind = valgrind().excused("the report says that no instructions were counted");
    let mut steps = module();
    steps.push(Box::new(valgrind));
    steps.push(Box::new(boost::BoostContext));
    steps
}

/// What watches the library's programs.
pub fn tools() -> Steps {
    vec![Box::new(valgrind())]
}

/// What building and running tests of another architecture needs.
pub fn cross(isa: Isa) -> Steps {
    vec![
        Box::new(LinuxCross::new(isa)),
        Box::new(RustTarget::linux(isa)),
    ]
}

/// What compiling and running C and C++ programs needs, on this machine and these others.
pub fn capi(others: &[Isa]) -> Steps {
    let mut steps: Steps = vec![
        Box::new(Program::new("gcc", &["gcc", "libc6-dev"])),
        Box::new(Program::new("g++", &["g++"])),
        Box::new(Program::new("clang++", &["clang"])),
        Box::new(Program::new("valgrind", &["valgrind", "libc6-dbg"])),
        Box::new(Program::new("pkg-config", &["pkg-config"])),
        Box::new(Program::new("cmake", &["cmake"])),
        Box::new(Program::new("make", &["make"])),
    ];
    for isa in others {
        steps.extend(cross(*isa));
        steps.push(match isa {
            Isa::I386 => Box::new(Program::new("i686-linux-gnu-g++", &["g++-i686-linux-gnu"])),
            Isa::Aarch64 => Box::new(Program::new(
                "aarch64-linux-gnu-g++",
                &["g++-aarch64-linux-gnu"],
            )),
        });
    }
    steps
}

/// What building for machines without an operating system needs.
pub fn bare() -> Steps {
    RustTarget::bare()
        .into_iter()
        .map(|target| Box::new(target) as Box<dyn Step>)
        .collect()
}

/// Installs everything.
pub fn everything(context: &Context) -> Result<()> {
    let parts = crate::test::Part::ALL;
    let mut steps = Steps::new();
    for part in parts {
        if part.obstacle().is_none() {
            steps.extend(part.needs(context)?);
        }
    }
    ensure(context, &steps)
}

/// Takes the steps that are not done yet; of several with the same name only the first counts.
///
/// # Errors
/// When a step fails that has no excuse, or installing is forbidden and something is missing.
pub fn ensure(context: &Context, steps: &[Box<dyn Step>]) -> Result<()> {
    let started = Instant::now();
    let mut names: Vec<String> = Vec::new();
    let mut open: Vec<&dyn Step> = Vec::new();
    for step in steps {
        let name = step.name();
        if names.contains(&name) {
            continue;
        }
        names.push(name);
        if !step.is_done(context) {
            open.push(step.as_ref());
        }
    }
    let done = names.len() - open.len();
    if open.is_empty() {
        say(format!(
            "set-up: all {done} steps done before (checked in {})",
            spoken(started.elapsed())
        ));
        return Ok(());
    }
    let missing: Vec<String> = open.iter().map(|step| step.name()).collect();
    say(format!(
        "set-up: {done} of {} steps done, missing: {}",
        names.len(),
        missing.join("; ")
    ));
    if context.offline {
        let needed = open.iter().filter(|step| step.excuse().is_none()).count();
        if needed == 0 {
            return Ok(());
        }
        bail!("something is missing and --offline forbids to install it: run without --offline");
    }
    let packages: Vec<&str> = open
        .iter()
        .flat_map(|step| step.packages())
        .copied()
        .collect();
    debian::check_right_to_install(&packages)?;
    let _lock = lock(context)?;
    for step in open {
        // Another run may have installed it while this one waited for the lock.
        if step.is_done(context) {
            say(format!(
                "{}: installed meanwhile by another run",
                step.name()
            ));
        } else {
            take(context, step)?;
        }
    }
    say(format!(
        "set-up: complete after {}",
        spoken(started.elapsed())
    ));
    Ok(())
}

/// Takes one step, telling before and after how long it takes.
fn take(context: &Context, step: &dyn Step) -> Result<()> {
    let name = step.name();
    say(format!(
        "{name}: installing, about {}",
        spoken(step.expected())
    ));
    let started = Instant::now();
    let mut outcome = step.perform(context);
    if outcome.is_ok() && !step.is_done(context) {
        outcome = Err(anyhow::anyhow!("it was installed, and does not work"));
    }
    match (outcome, step.excuse()) {
        (Ok(()), _) => say(format!(
            "{name}: installed in {}",
            spoken(started.elapsed())
        )),
        (Err(error), Some(excuse)) => say(format!("{name}: not installed: {error:#}\n  {excuse}")),
        (Err(error), None) => return Err(error.context(format!("could not install {name}"))),
    }
    Ok(())
}

/// Waits until no other run installs; the lock lasts until the file is dropped.
fn lock(context: &Context) -> Result<File> {
    std::fs::create_dir_all(&context.tools)
        .with_context(|| format!("could not make {}", context.tools.display()))?;
    let path = context.tools.join("lock");
    let file =
        File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say(format!(
                "another run is installing; waiting for it ({})",
                path.display()
            ));
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // Only a run that was interrupted leaves these behind.
    let _ = std::fs::remove_dir_all(context.tools.join("partial"));
    Ok(file)
}

/// Fills a new folder and gives it its final name once that has succeeded.
fn install(
    context: &Context,
    destination: &Path,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let name = destination
        .file_name()
        .context("a destination needs a name")?;
    let partial: PathBuf = context.tools.join("partial").join(name);
    if partial.exists() {
        std::fs::remove_dir_all(&partial)?;
    }
    std::fs::create_dir_all(&partial)
        .with_context(|| format!("could not make {}", partial.display()))?;
    fill(&partial)?;
    if destination.exists() {
        // It is there and the check refused it.
        std::fs::remove_dir_all(destination)?;
    }
    if let Some(parent) = destination.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::rename(&partial, destination)
        .with_context(|| format!("could not rename {} to its final name", partial.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> Context {
        let folder = std::env::temp_dir().join(format!("costack-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Context {
            root: folder.clone(),
            target: folder.clone(),
            tools: folder,
            offline: false,
        }
    }

    #[test]
    fn an_interrupted_installation_leaves_nothing_that_looks_complete() {
        let context = scratch("interrupted");
        let destination = context.tools.join("thing-1");
        let outcome = install(&context, &destination, |folder| {
            std::fs::write(folder.join("half"), "of it")?;
            bail!("the network went away")
        });
        assert!(outcome.is_err());
        assert!(!destination.exists());
        install(&context, &destination, |folder| {
            Ok(std::fs::write(folder.join("all"), "of it")?)
        })
        .unwrap();
        assert!(destination.join("all").exists());
        assert!(!destination.join("half").exists());
        std::fs::remove_dir_all(&context.tools).unwrap();
    }

    #[test]
    fn a_second_run_finds_the_lock_taken() {
        let context = scratch("lock");
        let held = lock(&context).unwrap();
        let second = File::create(context.tools.join("lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(second.try_lock().is_ok());
        std::fs::remove_dir_all(&context.tools).unwrap();
    }

    struct Missing;

    impl Step for Missing {
        fn name(&self) -> String {
            "a thing".into()
        }
        fn expected(&self) -> Duration {
            Duration::ZERO
        }
        fn is_done(&self, _: &Context) -> bool {
            false
        }
        fn perform(&self, _: &Context) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_step_that_does_not_work_afterwards_is_an_error() {
        let context = scratch("broken");
        let error = ensure(&context, &[Box::new(Missing)]).unwrap_err();
        assert!(format!("{error:#}").contains("does not work"), "{error:#}");
        std::fs::remove_dir_all(&context.tools).unwrap();
    }

    #[test]
    fn offline_installs_nothing() {
        let context = Context {
            offline: true,
            ..scratch("offline")
        };
        assert!(ensure(&context, &[Box::new(Missing)]).is_err());
        assert!(!context.tools.exists());
    }
}
