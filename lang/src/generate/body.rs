//! Random statements and expressions.

mod expr;

use std::fmt::Write;

use fastrand::Rng;

use super::{GLOBALS, Options};

/// Lines of a program, indented.
#[derive(Default)]
pub(super) struct Text {
    pub(super) lines: String,
    depth: usize,
}

impl Text {
    pub(super) fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let indent = (self.depth + 1) * 4;
        // Writing to a string cannot fail.
        let _ = writeln!(self.lines, "{:indent$}{line}", "");
    }
}

/// What a function may do, and whoever calls it has to be allowed as well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) yields: bool,
    pub(super) exits: bool,
    pub(super) prints: bool,
    pub(super) globals: bool,
    /// Whether it is the function of a task: it may not return early.
    pub(super) task: bool,
}

impl Allowed {
    pub(super) const ALL: Self = Self {
        yields: true,
        exits: true,
        prints: true,
        globals: true,
        task: true,
    };
    pub(super) const NO_EXIT: Self = Self {
        exits: false,
        ..Self::ALL
    };
    /// Nothing that another task could notice.
    pub(super) const QUIET: Self = Self {
        yields: true,
        exits: false,
        prints: false,
        globals: false,
        task: true,
    };

    fn covers(self, callee: Self) -> bool {
        self.yields >= callee.yields
            && self.exits >= callee.exits
            && self.prints >= callee.prints
            && self.globals >= callee.globals
    }
}

/// A function that others may call.
pub(super) struct Helper {
    pub(super) name: String,
    pub(super) params: usize,
    /// Whether the first argument is how often it calls itself.
    pub(super) recursive: bool,
    /// Whether the first argument is a pointer to a word.
    pub(super) by_pointer: bool,
    pub(super) allowed: Allowed,
    /// How many statements a call runs at most.
    pub(super) cost: u64,
}

/// The magnitude of values that variables hold is smaller than this.
const BOUND: i64 = 1000;
/// No value along the way reaches this: 32 bits hold it with its sign.
const LIMIT: i64 = 1 << 30;
/// How many statements a function may run.
const COST: u64 = 1500;
/// How often a recursive function calls itself at most.
const RECURSION: u64 = 5;

#[derive(Default)]
struct Scope {
    words: Vec<String>,
    /// Readable only: counters of loops and parameters that bound recursion.
    fixed: Vec<String>,
    arrays: Vec<(String, u32)>,
    pointers: Vec<String>,
}

/// Writes one function.
pub(super) struct Writer<'g> {
    rng: &'g mut Rng,
    options: &'g Options,
    helpers: &'g [Helper],
    allowed: Allowed,
    text: Text,
    scope: Scope,
    names: u32,
    loops: u32,
    /// How often the current block can run.
    times: u64,
    cost: u64,
    /// The rounding mode that an `fp` task has set.
    mode: Option<u32>,
}

impl<'g> Writer<'g> {
    pub(super) fn new(
        rng: &'g mut Rng,
        options: &'g Options,
        helpers: &'g [Helper],
        allowed: Allowed,
    ) -> Self {
        Self {
            rng,
            options,
            helpers,
            allowed,
            text: Text::default(),
            scope: Scope::default(),
            names: 0,
            loops: 0,
            times: 1,
            cost: 1,
            mode: None,
        }
    }

    pub(super) fn finish(self) -> (u64, String) {
        (self.cost, self.text.lines)
    }

    /// The body of a function that others call; returns the names of its parameters.
    pub(super) fn function(
        &mut self,
        name: &str,
        recursive: bool,
        by_pointer: bool,
        statements: u32,
    ) -> Vec<String> {
        let mut params = Vec::new();
        if recursive {
            params.push("n".to_owned());
            self.scope.fixed.push("n".into());
            // Counted once for all levels.
            self.times = RECURSION + 1;
            self.text.line(format_args!("if n <= 0 {{ return 0 }}"));
        }
        if by_pointer {
            params.push("p".to_owned());
            self.scope.pointers.push("p".into());
        }
        for index in 0..self.rng.u32(1..=2) {
            params.push(format!("x{index}"));
            self.scope.words.push(format!("x{index}"));
        }
        let statements = self.rng.u32(1..=statements.max(1));
        self.statements(statements);
        if recursive {
            let args: Vec<String> = (1..params.len()).map(|_| self.stored(1)).collect();
            let args = args.join(", ");
            let value = self.expr(1).0;
            self.text.line(format_args!(
                "return ({value} + {name}(n - 1, {args})) % {BOUND}"
            ));
        } else if self.rng.u32(0..4) > 0 {
            let value = self.stored(2);
            self.text.line(format_args!("return {value}"));
        }
        params
    }

    /// The body of a task's function: `steps` in order, with random statements around them.
    pub(super) fn task(&mut self, fp: bool, prelude: &[String], steps: &[String], statements: u32) {
        self.scope.words.extend(["a".to_owned(), "b".to_owned()]);
        if fp {
            let (name, value) = self.rounding();
            self.text.line(format_args!("fpmode {name}"));
            self.mode = Some(value);
        }
        // The first step may have to come before anything else that waits, and nothing else does.
        for line in prelude {
            self.text.line(format_args!("{line}"));
        }
        let share = statements / (steps.len() as u32 + 1);
        for step in steps {
            self.text.line(format_args!("if 1 {{"));
            for line in step.lines() {
                self.text.line(format_args!("    {line}"));
            }
            self.text.line(format_args!("}}"));
            self.statements(share);
        }
        let share = self.rng.u32(1..=share.max(1));
        self.statements(share);
        if self.options.task_numbers && self.allowed.prints && self.rng.u32(0..4) == 0 {
            self.text.line(format_args!("print \"task\", self()"));
        }
    }

    /// Statements of `main`.
    pub(super) fn main(&mut self, statements: u32) {
        let value = self.stored(1);
        self.text.line(format_args!("let x = {value}"));
        self.scope.words.push("x".into());
        self.statements(statements);
    }

    fn rounding(&mut self) -> (&'static str, u32) {
        let modes = [("nearest", 0), ("down", 1), ("up", 2), ("zero", 3)];
        modes[self.rng.usize(0..modes.len())]
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn statements(&mut self, count: u32) {
        for _ in 0..count {
            if self.cost < COST {
                self.statement();
            }
        }
    }

    fn block(&mut self, times: u64, count: u32) {
        let scope = &self.scope;
        let outer = [
            scope.words.len(),
            scope.fixed.len(),
            scope.arrays.len(),
            scope.pointers.len(),
        ];
        self.text.depth += 1;
        self.times *= times;
        let before = self.text.lines.len();
        self.statements(count);
        if self.text.lines.len() == before {
            self.text.line(format_args!("assert 1"));
        }
        self.times /= times;
        self.text.depth -= 1;
        self.scope.words.truncate(outer[0]);
        self.scope.fixed.truncate(outer[1]);
        self.scope.arrays.truncate(outer[2]);
        self.scope.pointers.truncate(outer[3]);
    }

    fn statement(&mut self) {
        self.cost += self.times;
        let deep = self.text.depth >= 3;
        match self.rng.u32(0..20) {
            0..=2 => self.new_word(),
            3 | 4 => self.assignment(),
            5 if self.options.arrays => self.new_array(),
            6 if self.options.arrays => self.element(),
            7 if self.options.pointers => self.new_pointer(),
            8 | 9 if self.options.pointers => self.through_pointer(),
            10 if !deep => self.branch(),
            11 | 12 if !deep => self.repetition(),
            13 => self.call(),
            14 | 15 if self.allowed.yields => self.yields(),
            16 if self.allowed.globals => self.global(),
            17 => self.ending(),
            18 => self.check(),
            _ => self.print(),
        }
    }

    fn new_word(&mut self) {
        let value = self.stored(3);
        // Hiding another variable is as good as a new name.
        let name = match self.rng.u32(0..5) {
            0 if !self.scope.words.is_empty() => self.any_word(),
            _ => self.fresh(),
        };
        self.text.line(format_args!("let {name} = {value}"));
        self.scope.words.push(name);
    }

    fn any_word(&mut self) -> String {
        self.scope.words[self.rng.usize(0..self.scope.words.len())].clone()
    }

    fn assignment(&mut self) {
        if self.scope.words.is_empty() {
            return self.new_word();
        }
        let name = self.any_word();
        let value = self.stored(3);
        self.text.line(format_args!("{name} = {value}"));
    }

    fn new_array(&mut self) {
        let (name, index) = (self.fresh(), self.fresh());
        let length = self.rng.u32(1..=8);
        let factor = self.rng.u32(1..=9);
        self.text.line(format_args!("let {name}[{length}]"));
        self.text.line(format_args!("let {index} = 0"));
        self.text.line(format_args!("while {index} < {length} {{"));
        self.text
            .line(format_args!("    {name}[{index}] = {index} * {factor}"));
        self.text.line(format_args!("    {index} = {index} + 1"));
        self.text.line(format_args!("}}"));
        self.cost += self.times * u64::from(length) * 2;
        self.scope.arrays.push((name, length));
    }

    /// An element that exists, whatever the index is computed from.
    fn any_element(&mut self) -> Option<String> {
        if self.scope.arrays.is_empty() {
            return None;
        }
        let which = self.rng.usize(0..self.scope.arrays.len());
        let (name, length) = self.scope.arrays[which].clone();
        Some(match self.rng.u32(0..3) {
            0 if !self.scope.words.is_empty() => {
                let word = self.any_word();
                // The remainder has the sign of the left, so it is made positive first.
                format!("{name}[({word} + {BOUND}) % {length}]")
            }
            _ => format!("{name}[{}]", self.rng.u32(0..length)),
        })
    }

    fn element(&mut self) {
        match self.any_element() {
            None => self.new_array(),
            Some(element) => {
                let value = self.stored(2);
                self.text.line(format_args!("{element} = {value}"));
            }
        }
    }

    /// The address of a word that lives as long as the pointer's block, and longer.
    fn address(&mut self) -> Option<String> {
        match self.rng.u32(0..3) {
            0 => self.any_element().map(|element| format!("&{element}")),
            1 if self.allowed.globals => Some(format!("&g{}", self.rng.u32(0..GLOBALS))),
            _ if self.scope.words.is_empty() => None,
            _ => Some(format!("&{}", self.any_word())),
        }
    }

    fn new_pointer(&mut self) {
        let Some(address) = self.address() else {
            return self.new_word();
        };
        let name = self.fresh();
        self.text.line(format_args!("let {name} = {address}"));
        self.scope.pointers.push(name);
    }

    fn any_pointer(&mut self) -> Option<String> {
        let count = self.scope.pointers.len();
        (count > 0).then(|| self.scope.pointers[self.rng.usize(0..count)].clone())
    }

    fn through_pointer(&mut self) {
        match self.any_pointer() {
            None => self.new_pointer(),
            Some(pointer) => {
                let value = self.stored(2);
                self.text.line(format_args!("*{pointer} = {value}"));
            }
        }
    }

    fn branch(&mut self) {
        let condition = self.expr(2).0;
        self.text.line(format_args!("if {condition} {{"));
        self.block(1, 2);
        if self.rng.u32(0..3) == 0 {
            let condition = self.expr(1).0;
            self.text.line(format_args!("}} else if {condition} {{"));
            self.block(1, 2);
        }
        if self.rng.bool() {
            self.text.line(format_args!("}} else {{"));
            self.block(1, 2);
        }
        self.text.line(format_args!("}}"));
    }

    fn repetition(&mut self) {
        let counter = self.fresh();
        let rounds = self.rng.u32(1..=4);
        self.text.line(format_args!("let {counter} = 0"));
        self.text
            .line(format_args!("while {counter} < {rounds} {{"));
        // Before the body, so that `continue` passes it.
        self.text
            .line(format_args!("    {counter} = {counter} + 1"));
        self.scope.fixed.push(counter);
        self.loops += 1;
        let count = self.rng.u32(1..=3);
        self.block(u64::from(rounds), count);
        self.loops -= 1;
        self.text.line(format_args!("}}"));
    }

    /// A call of a helper that fits; its value is smaller than the bound.
    fn any_call(&mut self) -> Option<String> {
        let fitting: Vec<usize> = (0..self.helpers.len())
            .filter(|&index| {
                let helper = &self.helpers[index];
                self.allowed.covers(helper.allowed) && self.cost + self.times * helper.cost < COST
            })
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let helper = &self.helpers[fitting[self.rng.usize(0..fitting.len())]];
        let mut args = Vec::new();
        if helper.recursive {
            args.push(self.rng.u64(0..=RECURSION).to_string());
        }
        if helper.by_pointer {
            args.push(self.address()?);
        }
        while args.len() < helper.params {
            args.push(self.stored(1));
        }
        self.cost += self.times * helper.cost;
        Some(format!("{}({})", helper.name, args.join(", ")))
    }

    fn call(&mut self) {
        let Some(call) = self.any_call() else {
            return self.check();
        };
        if self.rng.bool() {
            self.text.line(format_args!("{call}"));
        } else {
            let name = self.fresh();
            self.text.line(format_args!("let {name} = {call}"));
            self.scope.words.push(name);
        }
    }

    /// A yield, with something to check afterwards.
    fn yields(&mut self) {
        let kept = self.stored(1);
        let name = self.fresh();
        self.text.line(format_args!("let {name} = {kept}"));
        let copy = self.fresh();
        self.text.line(format_args!("let {copy} = {name}"));
        self.text.line(format_args!("yield"));
        self.text.line(format_args!("assert {name} == {copy}"));
        if let Some(mode) = self.mode {
            self.text.line(format_args!("assert fpmode() == {mode}"));
        }
        self.scope.words.push(name);
    }

    fn global(&mut self) {
        let index = self.rng.u32(0..GLOBALS);
        let value = self.stored(2);
        self.text.line(format_args!("g{index} = {value}"));
    }

    /// A way out of the loop, the function or the task.
    fn ending(&mut self) {
        let condition = self.expr(1).0;
        let ending = match self.rng.u32(0..4) {
            0 | 1 if self.loops > 0 => ["break", "continue"][self.rng.usize(0..2)].to_owned(),
            2 if self.allowed.exits && self.options.exits => "exit".to_owned(),
            _ if !self.allowed.task => format!("return {}", self.stored(1)),
            _ => return self.check(),
        };
        self.text
            .line(format_args!("if {condition} {{ {ending} }}"));
    }

    /// Something that holds.
    fn check(&mut self) {
        let value = self.expr(2).0;
        match self.any_pointer() {
            Some(pointer) if self.rng.bool() => {
                self.text.line(format_args!(
                    "assert *{pointer} < {BOUND} and {pointer} != 0"
                ));
            }
            _ => {
                self.text.line(format_args!("assert {value} < {LIMIT}"));
            }
        }
    }

    fn print(&mut self) {
        if !self.allowed.prints {
            return self.check();
        }
        let mut items = vec![format!("\"{}\"", self.rng.alphabetic())];
        for _ in 0..self.rng.u32(0..3) {
            items.push(self.expr(2).0);
        }
        self.rng.shuffle(&mut items);
        self.text.line(format_args!("print {}", items.join(", ")));
    }
}
