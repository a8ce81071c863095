//! The texts of the runtime's stubs, with the switch of the ISA in its places.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use costack_lang::syntax::{self, ExprKind, Program, Request, Service, StmtKind};

use super::style::Style;
use crate::program::{FunctionInfo, Isa, Object, Part, Rights};

/// The texts of one ISA.
struct Texts {
    file: &'static str,
    stubs: &'static str,
    /// For a scenario without a switch text, which does not and which does cancel tasks.
    usual: [Usual; 2],
    /// A file's name and its text.
    entry: (&'static str, &'static str),
    switch: (&'static str, &'static str),
    switch_fp: (&'static str, &'static str),
}

/// The stubs' text and the object that it makes. The object says where the text is rather than having
/// it, so that the assembler sees that it is the same one in every scenario.
struct Usual {
    text: OnceLock<String>,
    object: OnceLock<Object>,
}

impl Usual {
    const fn new() -> Self {
        Usual {
            text: OnceLock::new(),
            object: OnceLock::new(),
        }
    }
}

macro_rules! texts {
    ($isa:literal) => {
        Texts {
            file: concat!("sim/src/runtime/", $isa, ".s"),
            stubs: include_str!(concat!($isa, ".s")),
            usual: [const { Usual::new() }; 2],
            entry: (
                concat!("asm/", $isa, "/entry.s"),
                include_str!(concat!("../../../asm/", $isa, "/entry.s")),
            ),
            switch: (
                concat!("asm/", $isa, "/switch.s"),
                include_str!(concat!("../../../asm/", $isa, "/switch.s")),
            ),
            switch_fp: (
                concat!("asm/", $isa, "/switch_fp.s"),
                include_str!(concat!("../../../asm/", $isa, "/switch_fp.s")),
            ),
        }
    };
}

static X86_64: Texts = texts!("x86_64");
static I386: Texts = texts!("i386");
static AARCH64: Texts = texts!("aarch64");

fn texts(isa: Isa) -> &'static Texts {
    match isa {
        Isa::X86_64 => &X86_64,
        Isa::I386 => &I386,
        Isa::Aarch64 => &AARCH64,
    }
}

/// The stubs as an object. A scenario's own `switch` text takes the place of the integer
/// flavour's.
pub fn stubs(program: &Program, isa: Isa) -> Object {
    let cancels = cancels(program);
    let texts = texts(isa);
    let own = program
        .switches
        .iter()
        .find(|switch| isa_of(switch.isa) == isa);
    let Some(own) = own else {
        let usual = &texts.usual[usize::from(cancels)];
        let object = usual.object.get_or_init(|| {
            let make = || leave_out_cancelling(texts.stubs, cancels);
            let stubs = usual.text.get_or_init(make);
            let part = |range: Range<usize>| Cow::Borrowed(&stubs[range]);
            put_together(texts, stubs, part, &included(texts.switch))
        });
        return object.clone();
    };
    let switch = Part {
        file: Cow::Owned(program.source.file().to_owned()),
        first_line: own.first_line,
        text: Cow::Owned(own.text.clone()),
        rights: Rights::Plain,
        statements: Vec::new(),
    };
    let stubs = leave_to_the_text(texts.stubs, &Style::of(program, isa));
    let stubs = leave_out_cancelling(&stubs, cancels);
    let part = |range: Range<usize>| Cow::Owned(stubs[range].to_owned());
    put_together(texts, &stubs, part, &switch)
}

/// A text of `asm/` as a part.
fn included((file, text): (&'static str, &'static str)) -> Part {
    Part {
        file: Cow::Borrowed(file),
        first_line: 1,
        text: Cow::Borrowed(text),
        rights: Rights::Plain,
        statements: Vec::new(),
    }
}

/// The stubs with the other texts in their places. `part` gives a piece of the stubs' text.
fn put_together(
    texts: &'static Texts,
    stubs: &str,
    part: impl Fn(Range<usize>) -> Cow<'static, str>,
    switch: &Part,
) -> Object {
    let stub_part = |range: Range<usize>| Part {
        file: Cow::Borrowed(texts.file),
        first_line: stubs[..range.start].matches('\n').count() as u32 + 1,
        text: part(range),
        rights: Rights::Host,
        statements: Vec::new(),
    };
    let mut parts = Vec::new();
    let mut functions = Vec::new();
    let mut begun = 0;
    let mut at = 0;
    for line in stubs.split_inclusive('\n') {
        let end = at + line.len();
        let word = line.trim();
        let put_in = match word {
            ".switch" => Some(switch.clone()),
            ".switch_fp" => Some(included(texts.switch_fp)),
            ".entry" => Some(included(texts.entry)),
            _ => None,
        };
        if let Some(put_in) = put_in {
            parts.push(stub_part(begun..at));
            parts.push(put_in);
            begun = end;
        } else if let Some(label) = word.strip_suffix(':')
            && label.starts_with("rt_")
        {
            functions.push(function(label));
        }
        at = end;
    }
    parts.push(stub_part(begun..at));
    Object {
        name: "runtime".to_owned(),
        parts,
        functions,
    }
}

/// The stubs without the instructions that save registers which the text preserves itself. Their
/// lines stay, empty, so that all lines have the numbers of the file.
fn leave_to_the_text(stubs: &str, style: &Style) -> String {
    let mut text = String::with_capacity(stubs.len());
    for line in stubs.split_inclusive('\n') {
        // `push r12`, `stp d8, d9, [sp, #-16]!`.
        let (mnemonic, operands) = line.trim().split_once(' ').unwrap_or((line, ""));
        let saves = matches!(mnemonic, "push" | "pop" | "stp" | "ldp" | "str" | "ldr");
        let registers = operands.split('[').next().unwrap_or("").split(',');
        let mut registers = registers.map(str::trim).filter(|name| !name.is_empty());
        let kept = |register: &str| style.keeps.iter().any(|kept| kept == register);
        let frame = operands.contains("bp") || operands.contains("x29");
        match style.own && saves && !frame && registers.all(kept) {
            true => text.push('\n'),
            false => text.push_str(line),
        }
    }
    text
}

/// Whether a scenario cancels tasks.
fn cancels(program: &Program) -> bool {
    let mut cancels = false;
    let is_cancel = |request: &Request| request.service == Service::Cancel;
    program.for_each_stmt(|_, stmt| {
        if let StmtKind::Request(request) = &stmt.kind {
            cancels |= is_cancel(request);
        }
    });
    program.for_each_expr(|expr| {
        if let ExprKind::Request(request) = &expr.kind {
            cancels |= is_cancel(request);
        }
    });
    cancels
}

/// The stubs without what only scenarios that cancel tasks need, so that the others have nothing
/// more to step through. Their lines stay, empty.
fn leave_out_cancelling(stubs: &str, cancels: bool) -> String {
    let mut text = String::with_capacity(stubs.len());
    let mut inside = false;
    for line in stubs.split_inclusive('\n') {
        let marks = matches!(line.trim(), ".cancels" | ".end");
        if marks {
            inside = line.trim() == ".cancels";
        }
        match marks || (inside && !cancels) {
            true => text.push('\n'),
            false => text.push_str(line),
        }
    }
    text
}

fn function(label: &str) -> FunctionInfo {
    FunctionInfo {
        label: label.to_owned(),
        name: label.to_owned(),
        slots: Vec::new(),
        runtime: true,
        // Nobody returns from these, so nobody misses a register.
        preserves_registers: !matches!(label, "rt_main" | "rt_entry" | "rt_first" | "rt_exit"),
    }
}

/// The simulator's name of an ISA that a `switch` block names.
pub fn isa_of(isa: syntax::Isa) -> Isa {
    match isa {
        syntax::Isa::X86_64 => Isa::X86_64,
        syntax::Isa::I386 => Isa::I386,
        syntax::Isa::Aarch64 => Isa::Aarch64,
    }
}
