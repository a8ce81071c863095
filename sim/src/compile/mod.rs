//! The compiler: a checked scenario becomes assembly text of one ISA.
//!
//! Functions are compiled as a plain C compiler would: frames chained through the frame pointer,
//! arguments where the ABI wants them, locals in callee-saved registers and in the frame. Nothing
//! of it knows about switching. What is about tasks, waiting, time and output is a call of a
//! runtime stub, `rt_…`.
//!
//! [`lower`] walks the tree and is the same for all ISAs; what it needs of one is [`emit::Isa`].

mod aarch64;
mod emit;
mod expr;
mod frame;
mod i386;
mod lower;
mod symbols;
mod x86;
mod x86_64;

use std::borrow::Cow;

use costack_lang::syntax::{FnId, Launch, Program, Service, StmtId, Subject, TaskId, Word};

use crate::program::{FunctionInfo, Isa, Object, Part, Rights, StmtRef};

use emit::Text;

/// What the compiler makes of a scenario.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// All functions, `main` first.
    pub object: Object,
    /// Labels and first values of the globals.
    pub globals: Vec<(String, i64)>,
    /// What the runtime looks up while the program runs.
    pub tables: Tables,
    /// By [`FnId`], the label of each function.
    pub labels: Vec<String>,
    /// By [`FnId`], which register holds which parameter or local.
    pub registers: Vec<Vec<(&'static str, String)>>,
}

/// What compiled code refers to by number.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// First argument of `rt_print`.
    pub templates: Vec<Template>,
    /// First argument of `rt_spawn`.
    pub spawns: Vec<SpawnSite>,
    /// First argument of `rt_request`.
    pub requests: Vec<RequestSite>,
    /// By the number that a failing `assert` hands over.
    pub asserts: Vec<AssertSite>,
}

/// The items of a `print`: a text, or `None` for the next value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// In order.
    pub items: Vec<Option<String>>,
}

impl Template {
    /// How many values it takes.
    pub fn values(&self) -> usize {
        self.items.iter().filter(|item| item.is_none()).count()
    }
}

/// What a `spawn` statement makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnSite {
    /// The name that refers to the new task.
    pub name: TaskId,
    /// Where it runs.
    pub stack: costack_lang::syntax::StackId,
    /// Whether it keeps its own control word.
    pub fp: bool,
    /// What it runs.
    pub function: FnId,
    /// How many arguments follow.
    pub arguments: usize,
}

/// What a request is about; its words follow as arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSite {
    /// What is asked for.
    pub service: Service,
    /// The things it is about.
    pub subjects: Vec<Subject>,
    /// How many words follow.
    pub words: usize,
    /// As written.
    pub text: String,
}

/// What an `assert` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertSite {
    /// The expression as written.
    pub text: String,
    /// The sign of the comparison that it is, if it is one.
    pub comparison: Option<&'static str>,
}

impl Tables {
    fn template(&mut self, template: Template) -> i64 {
        self.templates.push(template);
        self.templates.len() as i64 - 1
    }

    fn spawn(&mut self, name: TaskId, launch: &Launch) -> i64 {
        self.spawns.push(SpawnSite {
            name,
            stack: launch.stack,
            fp: launch.fp,
            function: launch.call.function,
            arguments: launch.call.args.len(),
        });
        self.spawns.len() as i64 - 1
    }

    fn request(&mut self, site: RequestSite) -> i64 {
        self.requests.push(site);
        self.requests.len() as i64 - 1
    }

    fn assert(&mut self, site: AssertSite) -> i64 {
        self.asserts.push(site);
        self.asserts.len() as i64 - 1
    }
}

/// One compiled function.
struct FunctionCode {
    text: Text,
    info: FunctionInfo,
    registers: Vec<(&'static str, String)>,
}

/// The registers in which compiled code hands values to a `host` instruction that stands in a
/// function: the accumulator, the second and the third register.
pub fn value_registers(isa: Isa) -> [&'static str; 3] {
    match isa {
        Isa::X86_64 => <x86_64::X86_64 as emit::Isa>::VALUES,
        Isa::I386 => <i386::I386 as emit::Isa>::VALUES,
        Isa::Aarch64 => <aarch64::Aarch64 as emit::Isa>::VALUES,
    }
}

/// Compiles a scenario for an ISA.
pub fn compile(program: &Program, isa: Isa) -> Compiled {
    match isa {
        Isa::X86_64 => compile_for::<x86_64::X86_64>(program, isa),
        Isa::I386 => compile_for::<i386::I386>(program, isa),
        Isa::Aarch64 => compile_for::<aarch64::Aarch64>(program, isa),
    }
}

fn compile_for<I: emit::Isa>(program: &Program, isa: Isa) -> Compiled {
    let symbols = symbols::Symbols::new(program);
    let word = match isa.word_bytes() {
        4 => Word::Bits32,
        _ => Word::Bits64,
    };
    let mut tables = Tables::default();
    let mut labels = 0;
    let mut text = String::new();
    let mut statements = Vec::new();
    let mut functions = Vec::with_capacity(program.functions.len());
    let mut registers = Vec::with_capacity(program.functions.len());
    for index in 0..program.functions.len() {
        let id = FnId(index as u32);
        let code = lower::lower::<I>(program, id, &symbols, &mut tables, &mut labels);
        text.push_str(&code.text.lines);
        let stmts = code.text.stmts.into_iter();
        statements.extend(stmts.map(|id| id.map(|id| statement(program, id))));
        functions.push(code.info);
        registers.push(code.registers);
    }
    let globals = symbols
        .globals()
        .iter()
        .zip(&program.globals)
        .map(|(label, global)| (label.clone(), global.init.constant(word).unwrap_or(0)))
        .collect();
    Compiled {
        object: object(program, text, statements, functions),
        globals,
        tables,
        labels: (0..program.functions.len())
            .map(|index| symbols.function(FnId(index as u32)).to_owned())
            .collect(),
        registers,
    }
}

fn object(
    program: &Program,
    text: String,
    statements: Vec<Option<StmtRef>>,
    functions: Vec<FunctionInfo>,
) -> Object {
    let name = program.source.file();
    let stem = name.strip_suffix(".costack").unwrap_or(name);
    Object {
        name: name.to_owned(),
        parts: vec![Part {
            file: Cow::Owned(format!("{stem}.s")),
            first_line: 1,
            text: Cow::Owned(text),
            // `host uninit` and `host assert_failed` stand in the functions themselves: a call
            // would overwrite the red zone that a leaf function keeps its locals in.
            rights: Rights::Host,
            statements,
        }],
        functions,
    }
}

fn statement(program: &Program, id: StmtId) -> StmtRef {
    let info = &program[id];
    StmtRef {
        statement: id.0,
        line: info.line,
        start: info.span.start,
        end: info.span.end,
    }
}
