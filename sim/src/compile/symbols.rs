//! Labels for functions and globals: their names, unless an assembler would misread them.

use std::collections::HashSet;

use costack_lang::syntax::{FnId, GlobalId, MAIN, Program};

/// The label of every function and global of a program.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    functions: Vec<String>,
    globals: Vec<String>,
}

impl Symbols {
    /// Chooses labels. A name that an assembler reads as something else, or that is taken, gets a
    /// suffix that no name of a scenario can have.
    pub fn new(program: &Program) -> Self {
        let mut taken = HashSet::new();
        let functions = (0..program.functions.len())
            .map(|index| match FnId(index as u32) {
                MAIN => choose("main", "fn", &mut taken),
                id => choose(&program[id].name.text, "fn", &mut taken),
            })
            .collect();
        let globals = program
            .globals
            .iter()
            .map(|global| choose(&global.name.text, "var", &mut taken))
            .collect();
        Symbols { functions, globals }
    }

    /// The label of a function.
    pub fn function(&self, id: FnId) -> &str {
        &self.functions[id.index()]
    }

    /// The label of a global.
    pub fn global(&self, id: GlobalId) -> &str {
        &self.globals[id.index()]
    }

    /// The labels of all globals, in order.
    pub fn globals(&self) -> &[String] {
        &self.globals
    }
}

fn choose(name: &str, suffix: &str, taken: &mut HashSet<String>) -> String {
    let mut label = match is_reserved(name) {
        true => format!("{name}.{suffix}"),
        false => name.to_owned(),
    };
    while !taken.insert(label.clone()) {
        label = format!("{label}.{suffix}");
    }
    label
}

/// Whether an assembler of any of the ISAs may read the name as something else than a label, or
/// the runtime uses it.
fn is_reserved(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "ptr", "byte", "word", "dword", "qword", "offset", "short", "st", "mm", "rip", "eip",
        "not", "and", "or", "xor", "mod", "shl", "shr", "eq", "ne", "lt", "le", "gt", "ge", "lsl",
        "lsr", "asr", "ror", "uxtw", "sxtw", "uxtx", "sxtx", "fpcr", "fpsr", "nzcv", "sp", "wsp",
        "pc", "lr", "fp", "xzr", "wzr", "rsp", "rbp", "esp", "ebp", "sil", "dil", "spl", "bpl",
        "flat", "near", "far", "host",
    ];
    const LEGACY: &[&str] = &["ax", "bx", "cx", "dx", "si", "di", "sp", "bp"];
    let lower = name.to_ascii_lowercase();
    let numbered = |prefixes: &[&str]| {
        prefixes.iter().any(|prefix| {
            lower.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty()
                    && rest
                        .trim_end_matches(['b', 'w', 'd'])
                        .bytes()
                        .all(|b| b.is_ascii_digit())
            })
        })
    };
    let legacy = LEGACY.iter().any(|register| {
        lower
            .strip_suffix(register)
            .is_some_and(|rest| matches!(rest, "" | "r" | "e"))
    });
    let halves = matches!(
        lower.as_bytes(),
        [b'a'..=b'd', b'l' | b'h'] | [b'c' | b'd' | b'e' | b'f' | b'g' | b's', b's']
    );
    WORDS.contains(&lower.as_str())
        || legacy
        || halves
        || lower.starts_with("rt_")
        || numbered(&[
            "r", "x", "w", "d", "s", "q", "v", "b", "h", "xmm", "ymm", "zmm", "mm", "cr", "dr",
        ])
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn registers_are_reserved_and_words_are_not() {
        for name in [
            "rax", "eax", "al", "r12", "r8d", "x0", "w30", "d8", "cs", "SP", "rsp", "rt_yield",
            "xmm3", "ptr",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "worker", "step", "x", "i", "n", "counter", "all", "d8x", "r",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
