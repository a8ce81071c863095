//! C and C++ programs that use the library, compiled by two compilers for three architectures.
//!
//! The programs are those of `capi/tests/c`. Their comments at the top say what is expected of them:
//!
//! - `// case NAME: abort: TEXT`: run with NAME as its argument, it ends by SIGABRT and says TEXT on
//!   its standard error. There may be many. A program without any is run once, succeeds and says `ok`.
//! - `// valgrind`: it is run under valgrind as well, with an argument, and with `ACO_USE_VALGRIND`.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    command::{capture, command, run_aloud, shown},
    context::Context,
    install::{self, SYSTEM_LIBRARIES},
    progress::say,
    setup::{Isa, RustTarget},
};

/// How long a program may run; none takes more than some seconds, emulated.
const LIMIT: Duration = Duration::from_secs(120);

/// The macros with which every program is compiled.
const FLAVOURS: [&str; 2] = ["", "-DACO_CONFIG_SHARE_FPU_MXCSR_ENV"];

/// The machine that programs are compiled for and run on.
pub struct Machine {
    /// `None`: this machine.
    isa: Option<Isa>,
    library: PathBuf,
}

/// What a program is expected to do.
struct Program {
    source: PathBuf,
    cases: Vec<Case>,
    valgrind: bool,
}

/// One run of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Case {
    name: String,
    message: String,
}

impl Machine {
    /// Builds the library for this machine, or another architecture.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn new(context: &Context, isa: Option<Isa>) -> Result<Self> {
        let mut folder = context.target.clone();
        let mut build = match isa {
            None => {
                let mut cargo = command("cargo");
                cargo.current_dir(&context.root);
                cargo
            }
            Some(isa) => {
                let target = RustTarget::linux(isa);
                let compiler = target
                    .compiler(context)
                    .context("no compiler has this target")?;
                let mut cargo = compiler.cargo(context, Vec::new())?;
                let variable = target.triple().to_uppercase().replace('-', "_");
                cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), isa.linker());
                folder.push(target.triple());
                cargo
            }
        };
        build.args(["build", "--package", "costack-capi"]);
        if let Some(isa) = isa {
            build.args(["--target", RustTarget::linux(isa).triple()]);
        }
        run_aloud(&mut build)?;
        Ok(Self {
            isa,
            library: folder.join("debug/libcostack_capi.a"),
        })
    }

    /// The compilers, as commands with what makes them compile for the machine.
    fn compilers(&self, cpp: bool) -> Vec<Vec<String>> {
        let gcc = match (self.isa, cpp) {
            (None, false) => "gcc".to_owned(),
            (None, true) => "g++".to_owned(),
            (Some(isa), false) => isa.linker().to_owned(),
            (Some(isa), true) => isa.linker().replace("-gcc", "-g++"),
        };
        let clang = if cpp { "clang++" } else { "clang" };
        let mut clang = vec![clang.to_owned()];
        if let Some(isa) = self.isa {
            let triple = isa.linker().trim_end_matches("-gcc");
            clang.push(format!("--target={triple}"));
        }
        vec![vec![gcc], clang]
    }

    /// What runs a program of the machine.
    fn runner(&self, program: &Path) -> Command {
        let mut words = self.isa.map_or("", Isa::runner).split_whitespace();
        match words.next() {
            Some(first) => {
                let mut runner = command(first);
                runner.args(words).arg(program);
                runner
            }
            None => command(program),
        }
    }

    fn name(&self) -> &'static str {
        self.isa.map_or("this machine", Isa::name)
    }
}

/// Compiles and runs all programs whose name contains `filter`.
///
/// # Errors
/// When one does not do what is expected.
pub fn programs(context: &Context, machine: &Machine, filter: Option<&str>) -> Result<()> {
    let started = Instant::now();
    let folder = context.root.join("capi/tests/c");
    let output = context.target.join("capi-tests").join(match machine.isa {
        None => "host",
        Some(isa) => isa.name(),
    });
    std::fs::create_dir_all(&output)?;
    let name_of = |program: &Program| {
        let name = program.source.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let mut programs = all_programs(&folder)?;
    programs.retain(|program| filter.is_none_or(|filter| name_of(program).contains(filter)));
    // As many at a time as there are processors; most of the time goes into compiling.
    let next = AtomicUsize::new(0);
    let work = || -> Result<usize> {
        let mut runs = 0;
        while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            runs += run_program(context, machine, program, &output)?;
            say(format!("{}: as expected", name_of(program)));
        }
        Ok(runs)
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runs: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join());
        let ended = results.map(|result| result.unwrap_or_else(|_| bail!("a worker panicked")));
        ended.sum::<Result<usize>>()
    })?;
    say(format!(
        "{runs} runs of C and C++ programs on {} in {}",
        machine.name(),
        crate::progress::spoken(started.elapsed())
    ));
    ensure!(runs > 0 || filter.is_some(), "there are no programs");
    Ok(())
}

/// Installs the library and uses it as others would: the README's example by way of pkg-config, and
/// the one for CMake.
///
/// # Errors
/// When one of them cannot be built or does not work.
pub fn installed(context: &Context) -> Result<()> {
    let folder = context.target.join("capi-tests/installed");
    let prefix = folder.join("prefix");
    install::install(context, &prefix, true)?;
    // Installing again over what is there works as well.
    install::install(context, &prefix, true)?;

    let pkg_config = |arguments: &[&str]| {
        let mut pkg_config = command("pkg-config");
        pkg_config.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
        capture(pkg_config.args(arguments).arg("costack"))
    };
    let version = pkg_config(&["--modversion"])?;
    ensure!(
        version == context.locked_version("costack-capi")?,
        "costack.pc has another version"
    );
    let readme = std::fs::read_to_string(context.root.join("README.md"))?;
    let source = folder.join("readme.c");
    std::fs::write(
        &source,
        c_example(&readme).context("the README has no example in C")?,
    )?;
    for compiler in ["gcc", "clang"] {
        for is_static in [false, true] {
            let binary = folder.join(format!("readme-{compiler}-{is_static}"));
            let kind: &[&str] = if is_static { &["--static"] } else { &[] };
            let words = pkg_config(&[&["--cflags", "--libs"], kind].concat())?;
            let mut compile = command(compiler);
            compile
                .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
                .arg(&source)
                .arg("-o")
                .arg(&binary);
            if is_static {
                compile.arg("-Wl,-Bstatic").args(
                    words
                        .split_whitespace()
                        .take_while(|it| !it.starts_with("-lgcc")),
                );
                compile.arg("-Wl,-Bdynamic").args(SYSTEM_LIBRARIES);
            } else {
                compile.args(words.split_whitespace());
                compile.arg(format!("-Wl,-rpath,{}", prefix.join("lib").display()));
            }
            run_aloud(&mut compile)?;
            run_aloud(&mut command(&binary))?;
        }
    }

    let build = folder.join("cmake");
    let mut configure = command("cmake");
    configure
        .arg("-S")
        .arg(context.root.join("capi/examples/cmake"))
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    run_aloud(&mut configure)?;
    run_aloud(command("cmake").arg("--build").arg(&build))?;
    for program in ["generator", "generator_static"] {
        let said = capture(&mut command(build.join(program)))?;
        let expected = "0\n1\n1\n2\n3\n5\n8\n13\n21\n34\n55\n89";
        ensure!(said == expected, "{program} says: {said}");
    }
    say("the installed library works by way of pkg-config and of CMake");
    Ok(())
}

/// The first example in C.
fn c_example(markdown: &str) -> Option<&str> {
    let (_, rest) = markdown.split_once("\n```c\n")?;
    Some(rest.split_once("\n```")?.0)
}

/// Returns how many runs there were.
fn run_program(
    context: &Context,
    machine: &Machine,
    program: &Program,
    output: &Path,
) -> Result<usize> {
    let cpp = program.source.extension().is_some_and(|it| it == "cpp");
    let stem = program.source.file_stem().unwrap_or_default();
    let mut runs = 0;
    for compiler in machine.compilers(cpp) {
        for (number, flavour) in FLAVOURS.into_iter().enumerate() {
            // How a program ends does not depend on the flavour.
            if number > 0 && !program.cases.is_empty() {
                continue;
            }
            let stem = stem.to_string_lossy();
            let binary = output.join(format!("{stem}-{}-{number}", compiler[0]));
            let flags: Vec<&str> = Some(flavour)
                .filter(|it| !it.is_empty())
                .into_iter()
                .collect();
            compile(
                context,
                machine,
                &compiler,
                &program.source,
                &flags,
                &binary,
            )?;
            let under = |arguments: &[&str]| {
                let mut run = machine.runner(&binary);
                run.args(arguments);
                run
            };
            if program.cases.is_empty() {
                succeeds(&mut under(&[]))?;
                runs += 1;
            }
            for case in &program.cases {
                aborts(&mut under(&[&case.name]), &case.message)?;
                runs += 1;
            }
        }
        if program.valgrind && machine.isa.is_none() {
            let binary = output.join(format!(
                "{}-{}-valgrind",
                stem.to_string_lossy(),
                compiler[0]
            ));
            let flags = ["-DACO_USE_VALGRIND"];
            compile(
                context,
                machine,
                &compiler,
                &program.source,
                &flags,
                &binary,
            )?;
            let mut valgrind = command("valgrind");
            valgrind.args([
                "--quiet",
                "--error-exitcode=9",
                "--leak-check=full",
                "--errors-for-leak-kinds=definite",
            ]);
            succeeds(valgrind.arg(&binary).arg("valgrind"))?;
            runs += 1;
        }
    }
    Ok(runs)
}

/// Compiles and links a program, with all warnings as errors.
fn compile(
    context: &Context,
    machine: &Machine,
    compiler: &[String],
    source: &Path,
    flags: &[&str],
    binary: &Path,
) -> Result<()> {
    let cpp = source.extension().is_some_and(|it| it == "cpp");
    let mut compile = command(&compiler[0]);
    compile
        .args(&compiler[1..])
        .arg(if cpp { "-std=c++17" } else { "-std=c11" })
        .args(["-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg("-I")
        .arg(context.root.join("capi/include"))
        .arg("-I")
        .arg(context.root.join("capi/tests/c"))
        .arg(source)
        .arg(&machine.library)
        .args(SYSTEM_LIBRARIES)
        .arg("-o")
        .arg(binary);
    let output = finish(&mut compile)?;
    if !output.status.success() {
        bail!(
            "this command failed: {}\n{}",
            shown(&compile),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Runs a program that is to end well and to say so.
fn succeeds(run: &mut Command) -> Result<()> {
    let output = finish(run)?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || said.lines().last() != Some("ok") {
        bail!(
            "{} ended with {} and said:\n{said}{}",
            shown(run),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Runs a program that is to end by SIGABRT and to say why.
fn aborts(run: &mut Command, message: &str) -> Result<()> {
    let output = finish(run)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !ended_by_abort(&output) || !said.contains(message) {
        bail!(
            "{} is to abort and say \"{message}\"; it ended with {} and said:\n{}",
            shown(run),
            output.status,
            said.trim()
        );
    }
    Ok(())
}

fn ended_by_abort(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    output.status.signal() == Some(SIGABRT)
}

/// Runs a command to its end, or ends it when it takes too long.
fn finish(run: &mut Command) -> Result<Output> {
    run.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = run
        .spawn()
        .with_context(|| format!("could not start: {}", shown(run)))?;
    let id = child.id();
    let (tell, told) = std::sync::mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let output = child.wait_with_output();
        // Nobody listens when the time was up.
        let _ = tell.send(());
        output
    });
    if told.recv_timeout(LIMIT).is_err() {
        let _ = command("kill").args(["-9", &id.to_string()]).status();
        bail!("no end after {} s: {}", LIMIT.as_secs(), shown(run));
    }
    let output = waiter.join().ok().context("the waiting thread panicked")?;
    output.with_context(|| format!("could not run: {}", shown(run)))
}

fn all_programs(folder: &Path) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let source = entry?.path();
        if source
            .extension()
            .is_some_and(|it| it == "c" || it == "cpp")
        {
            let text = std::fs::read_to_string(&source)?;
            let (cases, valgrind) =
                expectations(&text).with_context(|| format!("in {}", source.display()))?;
            programs.push(Program {
                source,
                cases,
                valgrind,
            });
        }
    }
    programs.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(programs)
}

/// What the comments at the top of a program say.
fn expectations(text: &str) -> Result<(Vec<Case>, bool)> {
    let mut cases = Vec::new();
    let mut valgrind = false;
    for line in text.lines().map_while(|line| line.strip_prefix("// ")) {
        if let Some(case) = line.strip_prefix("case ") {
            let (name, message) = case
                .split_once(": abort: ")
                .with_context(|| format!("not `case NAME: abort: TEXT`: {case}"))?;
            cases.push(Case {
                name: name.to_owned(),
                message: message.to_owned(),
            });
        }
        valgrind |= line == "valgrind";
    }
    Ok((cases, valgrind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_expected_of_a_program() {
        let text = "// What it is.\n// valgrind\n// case a: abort: no: b\n#include <stdio.h>\n\
                    // case c: abort: not at the top\n";
        let case = Case {
            name: "a".into(),
            message: "no: b".into(),
        };
        assert_eq!(expectations(text).unwrap(), (vec![case], true));
        assert!(expectations("// case a: exit: 1\n").is_err());
    }

    #[test]
    fn finds_the_example_in_c() {
        let text = "a\n```rust\nb\n```\n```c\nint c;\nint d;\n```\ne\n";
        assert_eq!(c_example(text), Some("int c;\nint d;"));
        assert_eq!(c_example("```rust\n```"), None);
    }

    #[test]
    fn a_program_that_does_not_do_what_is_expected_is_an_error() {
        let sh = |script: &str| {
            let mut sh = command("sh");
            sh.args(["-c", script]);
            sh
        };
        assert!(succeeds(&mut sh("echo ok")).is_ok());
        assert!(succeeds(&mut sh("echo no")).is_err());
        assert!(succeeds(&mut sh("echo ok; exit 1")).is_err());
        assert!(aborts(&mut sh("echo because >&2; kill -ABRT $$"), "because").is_ok());
        assert!(aborts(&mut sh("echo because >&2; exit 134"), "because").is_err());
        assert!(aborts(&mut sh("kill -ABRT $$"), "because").is_err());
    }
}
