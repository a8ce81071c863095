//! Random programs for comparing backends.
//!
//! A generated program is valid, ends, faults nowhere and prints the same on every backend and
//! at every word width. That rests on a few rules, kept while it is written:
//!
//! - A variable holds a value of at most three digits, and every expression carries a bound on
//!   its value, so that none overflows 32 bits. Where overflow is wanted, only the low 16 bits
//!   are kept, which are the same at every width.
//! - Loops count to small constants, a function calls only those before it (itself only with a
//!   smaller first argument), and each function knows how many statements it can run.
//! - A task waits only for tasks before it. One that receives does that first, so a sender that
//!   waits for room is waited for by nobody it waits for.
//! - Whoever sleeps neither prints nor touches what others see; `main` prints its result in the
//!   end. Real time then cannot change the order of the lines. With [`Options::requests`] it can,
//!   where tasks wait for a time: backends agree under a clock that only goes on while all wait.
//! - No address, time or uninitialised word reaches `print`. Pointers are used while what they
//!   point to lives, by the task that it belongs to.

mod body;
mod requests;

use std::fmt::Write;

use body::{Allowed, Helper, Text};
use fastrand::Rng;

/// What a generated program may hold. A backend that lacks something leaves it out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Stacks that several tasks share.
    pub shared_stacks: bool,
    /// Stacks of one task only. With both kinds off, stacks are own.
    pub own_stacks: bool,
    /// Functions that call themselves.
    pub recursion: bool,
    /// `let a[N]`.
    pub arrays: bool,
    /// `&x`, `&a[i]`, `*p`.
    pub pointers: bool,
    /// `yield` in functions called by a task, not only in the task's own.
    pub deep_yields: bool,
    /// `exit` from within functions.
    pub exits: bool,
    /// `resume` by a task of a task on another stack.
    pub nested_resumes: bool,
    /// `start`, also by tasks, and `run`; without it, the features below that wait are off too.
    pub scheduler: bool,
    /// `lock` and `unlock`.
    pub mutexes: bool,
    /// `wait` and `complete`.
    pub events: bool,
    /// `send` and `recv`.
    pub channels: bool,
    /// `sleep` and `now()`.
    pub sleeps: bool,
    /// `join`.
    pub joins: bool,
    /// `spawn`.
    pub spawns: bool,
    /// Tasks marked `fp` that set their rounding mode and check that it stays.
    pub fp: bool,
    /// Requests of the runtime by a call (`wait_for(e, 500)`, `select(e, c)`, `cancel(A)`, …), in
    /// programs that may have all that these are about: the scheduler, mutexes, events, channels,
    /// sleeps, joins and spawns.
    pub requests: bool,
    /// `self()`.
    pub task_numbers: bool,
    /// The most tasks, `spawn` not counted; at least 1.
    pub max_tasks: u32,
    /// About how many statements a function has.
    pub statements: u32,
    /// The size of each stack.
    pub stack_bytes: u32,
}

impl Default for Options {
    /// Everything, in programs of a page or two.
    fn default() -> Self {
        Self {
            shared_stacks: true,
            own_stacks: true,
            recursion: true,
            arrays: true,
            pointers: true,
            deep_yields: true,
            exits: true,
            nested_resumes: true,
            scheduler: true,
            mutexes: true,
            events: true,
            channels: true,
            sleeps: true,
            joins: true,
            spawns: true,
            fp: true,
            requests: true,
            task_numbers: true,
            max_tasks: 8,
            statements: 8,
            stack_bytes: 65_536,
        }
    }
}

impl Options {
    fn has_requests(&self) -> bool {
        let Self {
            requests,
            scheduler,
            mutexes,
            events,
            channels,
            sleeps,
            joins,
            spawns,
            ..
        } = *self;
        requests && scheduler && mutexes && events && channels && sleeps && joins && spawns
    }
}

/// Writes a program. Equal seeds and options give equal programs.
pub fn generate(seed: u64, options: &Options) -> String {
    let text = draft(seed, options);
    // The formatter leaves out the parentheses that are not needed.
    match crate::parse("generated", &text) {
        Ok(program) => crate::format(&program),
        Err(_) => text,
    }
}

/// The program that [`generate`] writes, with more parentheses than it needs, in a quarter of the
/// time: for whoever runs it and does not look at it.
pub fn draft(seed: u64, options: &Options) -> String {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        options,
        declarations: String::new(),
        functions: String::new(),
        main: Text::default(),
        helpers: Vec::new(),
        stacks: Vec::new(),
        tasks: 0,
        results: 0,
    };
    generator.program(seed)
}

/// A stack, and what may still go on it.
struct StackInfo {
    name: String,
    shared: bool,
}

/// How a task of the scheduled part waits for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Sends that many words to a channel.
    Send(u32, u32),
    /// Receives that many words from a channel.
    Receive(u32, u32),
    Complete(u32),
    Wait(u32),
    Lock(u32),
    Join(u32),
}

struct Generator<'o> {
    rng: Rng,
    options: &'o Options,
    declarations: String,
    functions: String,
    main: Text,
    helpers: Vec<Helper>,
    stacks: Vec<StackInfo>,
    /// How many tasks are declared, to name the next.
    tasks: u32,
    /// How many globals hold the result of a sleeper.
    results: u32,
}

/// Globals that anybody but a sleeper may use.
const GLOBALS: u32 = 3;

impl Generator<'_> {
    fn program(&mut self, seed: u64) -> String {
        let most = self.options.max_tasks.max(1);
        let count = self.rng.u32(1..=most);
        let scheduled = if self.options.scheduler {
            self.rng.u32(0..=count)
        } else {
            0
        };
        if self.options.shared_stacks {
            for _ in 0..self.rng.u32(1..=2) {
                self.add_stack(true);
            }
        }
        for index in 0..GLOBALS {
            let value = self.rng.u32(0..100);
            self.declare(format_args!("global g{index} = {value}"));
        }
        for _ in 0..self.rng.u32(2..=5) {
            self.helper();
        }
        self.main_statements();
        self.manual(count - scheduled);
        self.scheduled(scheduled);
        self.requests();
        for index in 0..GLOBALS {
            self.main.line(format_args!("print \"g{index}\", g{index}"));
        }
        for index in 0..self.results {
            self.main.line(format_args!("print \"r{index}\", r{index}"));
        }
        if self.options.exits && self.rng.u32(0..8) == 0 {
            self.main.line(format_args!(
                "if g0 == g0 {{ exit }}\n    print \"not reached\""
            ));
        }
        format!(
            "scenario \"generated {seed}\"\n{}{}\nmain {{\n{}}}\n",
            self.declarations, self.functions, self.main.lines
        )
    }

    fn declare(&mut self, declaration: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.declarations, "{declaration}");
    }

    fn add_stack(&mut self, shared: bool) -> usize {
        let index = self.stacks.len();
        let (kind, bytes) = (
            if shared { "shared" } else { "own" },
            self.options.stack_bytes,
        );
        self.declare(format_args!("stack S{index} {kind} {bytes}"));
        self.stacks.push(StackInfo {
            name: format!("S{index}"),
            shared,
        });
        index
    }

    /// A stack for one more task, none of `taken`.
    fn pick_stack(&mut self, taken: &[usize]) -> usize {
        let shared: Vec<usize> = (0..self.stacks.len())
            .filter(|index| self.stacks[*index].shared && !taken.contains(index))
            .collect();
        let wants_own = self.options.own_stacks && self.rng.u32(0..3) == 0;
        match shared.len() {
            0 => self.add_stack(self.options.shared_stacks && !self.options.own_stacks),
            _ if wants_own => self.add_stack(false),
            count => shared[self.rng.usize(0..count)],
        }
    }

    fn writer<'g>(&'g mut self, allowed: Allowed) -> body::Writer<'g> {
        body::Writer::new(&mut self.rng, self.options, &self.helpers, allowed)
    }

    fn add_function(&mut self, header: &str, body: &str) {
        let _ = write!(self.functions, "\nfn {header} {{\n{body}}}\n");
    }

    /// A function for others to call.
    fn helper(&mut self) {
        let index = self.helpers.len();
        let recursive = self.options.recursion && self.rng.u32(0..3) == 0;
        let by_pointer = !recursive && self.options.pointers && self.rng.u32(0..3) == 0;
        let allowed = Allowed {
            yields: self.options.deep_yields && self.rng.bool(),
            exits: self.options.exits && self.rng.u32(0..6) == 0,
            prints: self.rng.bool(),
            globals: self.rng.bool(),
            task: false,
        };
        let statements = self.options.statements;
        let name = format!("f{index}");
        let mut writer = self.writer(allowed);
        let params = writer.function(&name, recursive, by_pointer, statements);
        let (cost, lines) = writer.finish();
        self.add_function(&format!("{name}({})", params.join(", ")), &lines);
        self.helpers.push(Helper {
            name,
            params: params.len(),
            recursive,
            by_pointer,
            allowed,
            cost,
        });
    }

    fn add_task(&mut self, stack: usize, fp: bool, function: &str, args: &[u32]) -> String {
        let name = format!("T{}", self.tasks);
        self.tasks += 1;
        let args: Vec<String> = args.iter().map(u32::to_string).collect();
        let (fp, args) = (if fp { " fp" } else { "" }, args.join(", "));
        let stack = self.stacks[stack].name.clone();
        self.declare(format_args!(
            "task {name} on {stack}{fp} = {function}({args})"
        ));
        name
    }

    /// A task function without a role; returns its name.
    fn plain_task(&mut self, fp: bool, allowed: Allowed, prelude: &[String]) -> String {
        let name = format!("t{}", self.functions.matches("\nfn t").count());
        let statements = self.options.statements;
        let mut writer = self.writer(allowed);
        writer.task(fp, prelude, &[], statements);
        let (_, lines) = writer.finish();
        self.add_function(&format!("{name}(a, b)"), &lines);
        name
    }

    /// What `main` does before there are tasks.
    fn main_statements(&mut self) {
        let allowed = Allowed {
            yields: false,
            ..Allowed::NO_EXIT
        };
        let count = self.rng.u32(0..4);
        let mut writer = self.writer(allowed);
        writer.main(count);
        let (_, lines) = writer.finish();
        self.main.lines.push_str(&lines);
    }

    /// Tasks that `main` and other tasks resume by hand.
    fn manual(&mut self, count: u32) {
        let mut names = Vec::new();
        let mut left = count;
        while left > 0 {
            left -= 1;
            let fp = self.options.fp && self.rng.u32(0..4) == 0;
            let stack = self.pick_stack(&[]);
            let nested = self.options.nested_resumes && left > 0 && self.rng.u32(0..3) == 0;
            let mut prelude = Vec::new();
            if nested {
                left -= 1;
                // Not on the resumer's stack: that one is in use.
                let inner_stack = self.pick_stack(&[stack]);
                let inner = self.plain_task(false, Allowed::ALL, &[]);
                let args = [self.rng.u32(0..100), self.rng.u32(0..100)];
                let inner = self.add_task(inner_stack, false, &inner, &args);
                prelude.push(format!("while alive({inner}) {{"));
                prelude.push(format!("    resume {inner}"));
                if self.rng.bool() {
                    prelude.push("    yield".into());
                }
                prelude.push("}".into());
            }
            // The inner task would be left over if its resumer exits first.
            let function = self.plain_task(fp, Allowed::ALL, &prelude);
            let args = [self.rng.u32(0..100), self.rng.u32(0..100)];
            names.push(self.add_task(stack, fp, &function, &args));
        }
        if names.is_empty() {
            return;
        }
        let alive: Vec<String> = names.iter().map(|name| format!("alive({name})")).collect();
        let mut order = names.clone();
        self.rng.shuffle(&mut order);
        self.main
            .line(format_args!("while {} {{", alive.join(" or ")));
        for name in order {
            self.main
                .line(format_args!("    if alive({name}) {{ resume {name} }}"));
        }
        self.main.line(format_args!("}}"));
    }

    /// Tasks that the scheduler runs.
    fn scheduled(&mut self, count: u32) {
        if count == 0 {
            return;
        }
        let roles = self.roles(count);
        let first = self.tasks;
        let sleeps: Vec<bool> = roles
            .iter()
            .map(|roles| roles.is_empty() && self.options.sleeps && self.rng.u32(0..3) == 0)
            .collect();
        // Some tasks are started by an earlier one, as the first thing it does: whoever waits for
        // them waits for no more than that.
        let starters: Vec<Option<usize>> = (0..roles.len())
            .map(|later| {
                let earlier = self.rng.usize(0..=later);
                let fits = earlier < later && !sleeps[earlier] && self.rng.u32(0..3) == 0;
                fits.then_some(earlier)
            })
            .collect();
        let mut names = Vec::new();
        for (index, roles) in roles.iter().enumerate() {
            let stack = self.pick_stack(&[]);
            let fp = !sleeps[index] && self.options.fp && self.rng.u32(0..4) == 0;
            let function = if sleeps[index] {
                self.sleeper()
            } else {
                let prelude: Vec<String> = (0_u32..)
                    .zip(&starters)
                    .filter(|(_, starter)| **starter == Some(index))
                    .map(|(later, _)| format!("start T{}", first + later))
                    .collect();
                self.role_task(index, fp, &prelude, roles, first)
            };
            let args = [self.rng.u32(0..100), self.rng.u32(0..100)];
            let name = self.add_task(stack, fp, &function, &args);
            if starters[index].is_none() {
                names.push(name);
            }
        }
        self.rng.shuffle(&mut names);
        for name in names {
            self.main.line(format_args!("start {name}"));
        }
        self.main.line(format_args!("run"));
    }

    /// Who waits for whom: always the later task for the earlier one.
    fn roles(&mut self, count: u32) -> Vec<Vec<Role>> {
        let mut roles: Vec<Vec<Role>> = vec![Vec::new(); count as usize];
        let (mut channels, mut events) = (0, 0);
        let mutexes = if self.options.mutexes {
            self.rng.u32(0..=2)
        } else {
            0
        };
        for index in 0..mutexes {
            self.declare(format_args!("mutex m{index}"));
        }
        for later in 0..count {
            if mutexes > 0 && self.rng.bool() {
                let mutex = self.rng.u32(0..mutexes);
                roles[later as usize].push(Role::Lock(mutex));
            }
            if later == 0 || self.rng.u32(0..3) == 0 {
                continue;
            }
            let earlier = self.rng.u32(0..later);
            match self.rng.u32(0..3) {
                0 if self.options.channels => {
                    let (capacity, words) = (self.rng.u32(1..=3), self.rng.u32(1..=6));
                    self.declare(format_args!("channel c{channels} {capacity}"));
                    // Before everything else the later one may wait for.
                    roles[later as usize].insert(0, Role::Receive(channels, words));
                    roles[earlier as usize].push(Role::Send(channels, words));
                    channels += 1;
                }
                1 if self.options.events => {
                    self.declare(format_args!("event e{events}"));
                    roles[earlier as usize].push(Role::Complete(events));
                    roles[later as usize].push(Role::Wait(events));
                    events += 1;
                }
                _ if self.options.joins => roles[later as usize].push(Role::Join(earlier)),
                _ => {}
            }
        }
        roles
    }

    /// A task that sleeps and leaves its result to `main`.
    fn sleeper(&mut self) -> String {
        let result = self.results;
        self.results += 1;
        self.declare(format_args!("global r{result} = 0"));
        let micros = self.rng.u32(0..300);
        let unit = if self.rng.u32(0..8) == 0 {
            "1 ms".into()
        } else {
            format!("{micros} us")
        };
        let ending = vec![
            "let t = now()".into(),
            format!("sleep {unit}"),
            "assert now() >= t".into(),
            format!("r{result} = r{result} + a - b"),
        ];
        self.plain_task(false, Allowed::QUIET, &ending)
    }

    fn role_task(
        &mut self,
        index: usize,
        fp: bool,
        prelude: &[String],
        roles: &[Role],
        first: u32,
    ) -> String {
        let mut steps = Vec::new();
        for role in roles {
            let step = match *role {
                Role::Receive(channel, words) => format!(
                    "let i = 0\nwhile i < {words} {{\n    i = i + 1\n    print \"received\", recv c{channel}\n}}"
                ),
                Role::Send(channel, words) => {
                    let offset = self.rng.u32(0..100);
                    format!(
                        "let i = 0\nwhile i < {words} {{\n    i = i + 1\n    send c{channel}, i * 7 + {offset}\n}}"
                    )
                }
                Role::Complete(event) => format!("complete e{event}"),
                Role::Wait(event) => format!("wait e{event}\nprint \"woken\", a"),
                Role::Lock(mutex) => {
                    let global = self.rng.u32(0..GLOBALS);
                    format!(
                        "lock m{mutex}\nlet before = g{global}\nyield\ng{global} = (before + a) % 1000\nunlock m{mutex}"
                    )
                }
                Role::Join(earlier) => {
                    let task = first + earlier;
                    format!("join T{task}\nassert not alive(T{task})\nprint \"joined\", {task}")
                }
            };
            steps.push(step);
        }
        if self.options.spawns && self.rng.u32(0..3) == 0 {
            steps.push(self.spawning(index));
        }
        let name = format!("s{index}");
        let statements = self.options.statements;
        let mut writer = self.writer(Allowed::NO_EXIT);
        writer.task(fp, prelude, &steps, statements);
        let (_, lines) = writer.finish();
        self.add_function(&format!("{name}(a, b)"), &lines);
        name
    }

    /// A step that makes a task and may wait for it.
    fn spawning(&mut self, index: usize) -> String {
        let child = self.plain_task(false, Allowed::NO_EXIT, &[]);
        let stack = self.pick_stack(&[]);
        let stack = &self.stacks[stack];
        let join = self.options.joins && self.rng.bool();
        let spawn = format!("spawn N{index} on {} = {child}(a, {index})", stack.name);
        let end = if join {
            format!("join N{index}\nassert alive(N{index}) == 0")
        } else {
            format!("print \"spawned\", {index}")
        };
        if stack.shared && self.rng.bool() {
            // The name refers to the newest of them.
            let (spawn, end) = (spawn, end.replace('\n', "\n    "));
            return format!("let k = 0\nwhile k < 2 {{\n    k = k + 1\n    {spawn}\n    {end}\n}}");
        }
        format!("{spawn}\n{end}")
    }
}
