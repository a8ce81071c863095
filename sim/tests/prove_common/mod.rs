//! What the tests of the prover share: texts and their mutants.
#![allow(dead_code)]

use std::borrow::Cow;

use costack_sim::isa::registers;
use costack_sim::program::{Isa, Part, Rights};
use costack_sim::prove::{Contract, Flavour, all_built_in};

/// Both flavours.
pub const FLAVOURS: [Flavour; 2] = [Flavour::Integer, Flavour::Fp];

/// A text as a part.
pub fn part(text: &str) -> Part {
    Part {
        file: Cow::Borrowed("test.s"),
        first_line: 1,
        text: Cow::Owned(text.to_owned()),
        rights: Rights::Plain,
        statements: Vec::new(),
    }
}

/// Every switch of `asm/` and what it promises.
pub fn texts() -> Vec<(Contract, Part)> {
    let all = Isa::ALL
        .into_iter()
        .flat_map(|isa| FLAVOURS.map(|flavour| (isa, flavour)));
    all.flat_map(|(isa, flavour)| all_built_in(isa, flavour))
        .collect()
}

/// A text and what it finds, in words.
pub fn title(contract: &Contract, text: &Part) -> String {
    format!("{}{}", text.file, contract.words)
}

/// The lines of a text that hold something, without comments.
pub fn lines(part: &Part) -> Vec<String> {
    let lines = part.text.lines();
    lines
        .map(|line| line.split("//").next().unwrap_or("").trim())
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Lines as a text.
pub fn joined(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// A changed text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// What was changed, such as `duplicate: mov [rdi], rsp`.
    pub what: String,
    /// The text.
    pub lines: Vec<String>,
}

/// Every single change: a line deleted, duplicated, exchanged with any other; a register replaced by any other or a part of it; an offset, constant, label or mnemonic changed.
pub fn mutants(isa: Isa, lines: &[String]) -> Vec<Mutant> {
    let mut all = Vec::new();
    let mut add = |what: String, changed: Vec<String>| {
        if changed != lines {
            all.push(Mutant {
                what,
                lines: changed,
            });
        }
    };
    for (at, line) in lines.iter().enumerate() {
        let mut changed = lines.to_vec();
        changed.remove(at);
        add(format!("delete: {line}"), changed);
        let mut changed = lines.to_vec();
        if !line.ends_with(':') {
            changed.insert(at, line.clone());
        }
        add(format!("duplicate: {line}"), changed);
        for other in at + 1..lines.len() {
            let mut changed = lines.to_vec();
            changed.swap(at, other);
            add(format!("swap: {line} with {}", lines[other]), changed);
        }
        for replacement in replacements(isa, line) {
            let mut changed = lines.to_vec();
            changed[at].clone_from(&replacement);
            add(format!("replace: {line} by {replacement}"), changed);
        }
    }
    all
}

/// An instruction with one register or one number changed.
fn replacements(isa: Isa, line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mnemonic = line.find(' ').unwrap_or(line.len());
    for (start, end) in words(line).filter(|(start, _)| *start > mnemonic) {
        let (before, word, after) = (&line[..start], &line[start..end], &line[end..]);
        let others = other_registers(isa, word);
        all.extend(others.iter().map(|other| format!("{before}{other}{after}")));
        if let Ok(number) = word.parse::<i64>() {
            let changed = [1, 2, 4, 8, 16, 32].into_iter();
            let changed = changed.flat_map(|by| [number + by, number - by]);
            let changed = changed.chain([0, number * 2, -number]);
            all.extend(
                changed
                    .filter(|changed| *changed != number)
                    .map(|changed| format!("{before}{changed}{after}")),
            );
        }
    }
    all.extend(narrower(isa, line));
    all.extend(other_mnemonics(line));
    for (label, other) in [("2f", "3f"), ("3f", "2f"), ("2f", "2b"), ("3f", "3b")] {
        all.extend(line.contains(label).then(|| line.replace(label, other)));
    }
    // An address gets a further offset.
    if let Some(close) = line.find(']') {
        let (before, after) = line.split_at(close);
        for by in [1, 2, 4, 8, 16, 24, 32] {
            let comma = if isa == Isa::Aarch64 { ", #" } else { " + " };
            let minus = if isa == Isa::Aarch64 { ", #-" } else { " - " };
            all.push(format!("{before}{comma}{by}{after}"));
            all.push(format!("{before}{minus}{by}{after}"));
        }
    }
    all.sort();
    all.dedup();
    all
}

/// An instruction with one or all of its registers by their narrower names.
fn narrower(isa: Isa, line: &str) -> Vec<String> {
    let narrow = |word: &str| match (isa, word.split_at_checked(1)) {
        (
            Isa::X86_64,
            Some(("r", rest @ ("ax" | "bx" | "cx" | "dx" | "si" | "di" | "sp" | "bp"))),
        ) => Some(format!("e{rest}")),
        (Isa::I386, Some(("e", rest))) => Some(rest.to_owned()),
        (Isa::Aarch64, Some(("x", rest))) => Some(format!("w{rest}")),
        _ => None,
    };
    let mut all = Vec::new();
    let mut every = String::new();
    let mut copied = 0;
    for (start, end) in words(line) {
        if let Some(narrow) = narrow(&line[start..end]) {
            all.push(format!("{}{narrow}{}", &line[..start], &line[end..]));
            every.push_str(&line[copied..start]);
            every.push_str(&narrow);
            copied = end;
        }
    }
    every.push_str(&line[copied..]);
    if copied > 0 {
        all.push(every);
    }
    all
}

/// Mnemonics whose operands look alike.
const ALIKE: &[&[&str]] = &[
    &["push", "pop", "inc", "dec", "neg", "not", "jmp", "call"],
    &[
        "mov", "lea", "xchg", "add", "sub", "and", "or", "xor", "cmp", "test", "imul",
    ],
    &["stmxcsr", "ldmxcsr"],
    &["fnstcw", "fldcw"],
    &["stp", "ldp"],
    &["str", "ldr"],
    &["add", "sub"],
    &["msr", "mrs"],
    &["br", "blr", "ret"],
];

/// An instruction with another mnemonic.
fn other_mnemonics(line: &str) -> Vec<String> {
    let (mnemonic, operands) = line.split_once(' ').unwrap_or((line, ""));
    let kinds = ALIKE.iter().filter(|kind| kind.contains(&mnemonic));
    let others = kinds.flat_map(|kind| kind.iter().filter(|other| **other != mnemonic));
    others.map(|other| format!("{other} {operands}")).collect()
}

/// Where the words of a line are.
fn words(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = at + line[at..].find(is_word)?;
        let rest = &line[start..];
        let end = start + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        at = end;
        Some((start, end))
    })
}

/// All other registers, for a register; most kinds cannot stand in its place, and are refused.
fn other_registers(isa: Isa, word: &str) -> Vec<String> {
    let zero = (isa == Isa::Aarch64).then_some("xzr");
    let names = registers(isa).iter().map(|info| info.name).chain(zero);
    let names: Vec<&str> = names.collect();
    if !names.contains(&word) {
        return Vec::new();
    }
    let others = names.into_iter().filter(|name| *name != word);
    others.map(str::to_owned).collect()
}

/// Instructions that may or may not do harm, depending on where they stand.
pub fn extra(isa: Isa) -> &'static [&'static str] {
    match isa {
        Isa::X86_64 => &[
            "mov r8, rbx",
            "mov rbx, r8",
            "mov r9, rsp",
            "mov rsp, r9",
            "mov r10, rdi",
            "mov [r10], rsp",
            "mov r11, [rsp]",
            "mov [rsp], r11",
            "mov r8, [rsi + 8]",
            "mov [rsp - 8], r8",
            "xchg rbx, r8",
            "push r8",
            "pop r8",
            "lea rsp, [rsp - 8]",
            "lea rsp, [rsp + 8]",
            "add rbx, 8",
            "sub rbx, 8",
            "xor r8, r8",
            "xor rsi, rsi",
        ],
        Isa::I386 => &[
            "mov ebx, esi",
            "mov esi, ebx",
            "mov ebx, esp",
            "mov esp, ebx",
            "mov [ebx], esp",
            "mov ebx, [esp]",
            "mov [esp], ebx",
            "mov ebx, [ecx + 4]",
            "mov [esp - 4], ebx",
            "xchg esi, ebx",
            "push ebx",
            "pop ebx",
            "lea esp, [esp - 4]",
            "lea esp, [esp + 4]",
            "add esi, 4",
            "sub esi, 4",
            "xor ebx, ebx",
            "xor ecx, ecx",
        ],
        Isa::Aarch64 => &[
            "mov x9, x19",
            "mov x19, x9",
            "mov x10, sp",
            "mov sp, x10",
            "mov x11, x0",
            "str x10, [x11]",
            "ldr x9, [sp]",
            "str x9, [sp]",
            "ldr x9, [x1, #8]",
            "str x9, [sp, #-8]",
            "str x9, [sp, #-16]!",
            "ldr x9, [sp], #16",
            "sub sp, sp, #16",
            "add sp, sp, #16",
            "add x19, x19, #8",
            "sub x19, x19, #8",
            "mov x30, #0",
            "mov x18, #0",
            "fmov d8, x9",
        ],
    }
}
