//! Random instructions, and those that do most harm.

use crate::program::Isa;

/// Xorshift.
#[derive(Clone, Copy)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Numbers that matter more often than others.
    fn number(&mut self) -> i64 {
        let any = self.next() as i32 as i64;
        self.pick(&[0, 1, -1, 2, 8, 127, 255, 256, 0x7fff_ffff, any])
    }
}

/// What is added in an address.
fn plus(offset: i64) -> String {
    match offset {
        0.. => format!("+ {offset}"),
        _ => format!("- {}", -offset),
    }
}

/// Registers by their names of each width, the widest first.
fn x86_register(random: &mut Random, isa: Isa, bytes: u32) -> String {
    let letter = random.pick(&["a", "b", "c", "d"]);
    let other = random.pick(&["si", "di", "bp"]);
    let choice = random.below(3);
    match (bytes, choice) {
        (8, 0) => format!("r{other}"),
        (8, 1) => random.pick(&["r8", "r12"]).to_owned(),
        (8, _) => format!("r{letter}x"),
        (4, 0) => format!("e{other}"),
        (4, 1) if isa == Isa::X86_64 => random.pick(&["r8d", "r12d"]).to_owned(),
        (4, _) => format!("e{letter}x"),
        (2, 0) => other.to_owned(),
        (2, _) => format!("{letter}x"),
        (_, _) => format!("{letter}l"),
    }
}

pub fn x86_line(random: &mut Random, isa: Isa) -> String {
    let word = isa.word_bytes();
    let sp = if isa == Isa::X86_64 { "rsp" } else { "esp" };
    let bytes = random.pick(&[word, word, word, 4, 2, 1]);
    let wide = bytes.max(2);
    let r = x86_register(random, isa, bytes);
    let s = x86_register(random, isa, bytes);
    let w = x86_register(random, isa, word);
    let (a, b) = (
        x86_register(random, isa, wide),
        x86_register(random, isa, wide),
    );
    let at = format!("[{sp} {}]", plus(random.below(20) as i64 * 4 - 40));
    let number = random.number();
    let small = match bytes {
        1 => number as i8 as i64,
        2 => number as i16 as i64,
        _ => number,
    };
    let alu = random.pick(&["mov", "add", "sub", "and", "or", "xor", "cmp", "test"]);
    let condition = random.pick(&[
        "e", "ne", "b", "ae", "be", "a", "l", "ge", "le", "g", "s", "o",
    ]);
    let count = random.pick(&[0, 1, 8, 16, 24, 7, 33]);
    let size = random.pick(&["byte", "word"]);
    let narrow = x86_register(random, isa, if size == "byte" { 1 } else { 2 });
    let target = x86_register(random, isa, word);
    match random.below(22) {
        0..=2 => format!("{alu} {r}, {s}"),
        3 | 4 => format!("{alu} {r}, {small}"),
        5 => format!("{alu} {r}, {at}"),
        6 => format!("{alu} {at}, {r}"),
        7 => format!("lea {w}, [{target} {}]", plus(number / 2)),
        8 => {
            let scale = random.pick(&[1, 2, 4, 8]);
            format!("lea {w}, [{target} + {w}*{scale} - 4]")
        }
        9 => format!("{} {r}", random.pick(&["inc", "dec", "neg", "not"])),
        10 => format!("imul {a}, {b}"),
        11 => format!("{} {r}, {count}", random.pick(&["shl", "shr", "sar"])),
        12 => format!("xchg {r}, {s}"),
        13 => format!("xchg {at}, {r}"),
        14 => format!("push {w}"),
        15 => format!("pop {w}"),
        16 => format!("{} {target}, {narrow}", random.pick(&["movzx", "movsx"])),
        17 => format!("set{condition} {}", x86_register(random, isa, 1)),
        18 => format!("mov {w}, {sp}"),
        19 => random.pick(&["cdq", "nop"]).to_owned(),
        20 => format!("lea {sp}, [{sp} {}]", plus(random.pick(&[8, -8, 16, -16]))),
        _ => {
            let jump = format!("cmp {r}, {small}; j{condition} 1f; not {w}; 1:");
            let control = random.pick(&["stmxcsr", "fnstcw", "fldcw", "ldmxcsr"]);
            match random.below(2) {
                0 => jump,
                _ => format!("{control} {at}"),
            }
        }
    }
}

pub fn aarch64_line(random: &mut Random) -> String {
    let kind = random.pick(&["x", "x", "w"]);
    let mut name = |kind: &str| format!("{kind}{}", random.pick(&[0, 1, 2, 9, 18, 19, 29, 30]));
    let (r, s, t) = (name(kind), name(kind), name(kind));
    let (x, y, z) = (name("x"), name("x"), name("x"));
    let alu = random.pick(&["add", "sub", "adds", "subs", "and", "ands", "orr", "eor"]);
    let plain = random.pick(&["add", "sub", "adds", "subs"]);
    let condition = random.pick(&[
        "eq", "ne", "hs", "lo", "hi", "ls", "ge", "lt", "gt", "le", "mi",
    ]);
    let shift = random.pick(&["lsl", "lsr", "asr"]);
    let count = random.pick(&[0, 1, 8, 16, 24, 7]);
    let number = random.below(4096);
    let (d, e) = (random.below(32), random.below(32));
    let at = random.below(10) as i64 * 8 - 40;
    let pair = random.below(10) as i64 * 8 - 40;
    let step = random.pick(&[16, -16, 32, -32]);
    match random.below(24) {
        0 | 1 => format!("{alu} {r}, {s}, {t}"),
        2 => format!("{alu} {r}, {s}, {t}, {shift} #{count}"),
        3 => format!("{plain} {r}, {s}, #{number}"),
        4 => format!("mov {r}, {s}"),
        5 => format!("{} {r}, #{number}", random.pick(&["movz", "movn", "movk"])),
        6 => format!(
            "{} {x}, #{number}, lsl #16",
            random.pick(&["movz", "movn", "movk"])
        ),
        7 => format!("{shift} {r}, {s}, #{count}"),
        8 => format!("{shift} {r}, {s}, {t}"),
        9 => format!("{} {r}, {s}", random.pick(&["neg", "mvn"])),
        10 => format!("mul {r}, {s}, {t}"),
        11 => format!("{} {r}, {s}", random.pick(&["cmp", "tst"])),
        12 => format!("csel {r}, {s}, {t}, {condition}"),
        13 => format!("cset {r}, {condition}"),
        14 => format!("ldr {x}, [sp, #{}]", at.max(0)),
        15 => format!("str {x}, [sp, #{}]", at.max(0)),
        16 => format!("stp {x}, {y}, [sp, #{pair}]"),
        17 if x != y => format!("ldp {x}, {y}, [sp, #{pair}]"),
        18 => format!("stp {x}, {y}, [sp, #{step}]!"),
        19 => format!("str d{d}, [sp], #{step}"),
        20 => format!("fmov d{d}, {x}; fmov {y}, d{e}"),
        21 => format!("mov {x}, sp; str w9, [{x}, #{}]", number % 16 * 4),
        22 => format!("cmp {r}, #{number}; b.{condition} 1f; mvn {z}, {z}; 1:"),
        _ => format!("cbz {r}, 1f; mvn {z}, {z}; 1: mrs {x}, fpcr"),
    }
}

/// Lines that move sp and the stored sp far away.
pub const FAR: [&[&str]; 3] = [
    &[
        "mov rax, 0x7fffffffffffffff",
        "add rsp, rax",
        "sub rsp, rax",
        "mov [rdi], rax",
        "mov [rdi], rsi",
        "lea r9, [rsp - 0x7fffffff]; mov [rdi], r9",
        "mov r10, rdi",
        "mov [r10], rsp",
        "mov [rsp + rax], rbx",
        "call 2f",
        "ret",
        "leave",
    ],
    &[
        "mov eax, 0x7fffffff",
        "add esp, eax",
        "sub esp, eax",
        "mov [edi], eax",
        "mov [edi], ecx",
        "lea ebx, [esp - 0x7fffffff]; mov [edi], ebx",
        "mov ebx, edi",
        "mov [ebx], esp",
        "mov [esp + eax], ebx",
        "call 3f",
        "ret",
        "leave",
    ],
    &[
        "movn x9, #0x8000, lsl #48",
        "add x9, x9, x1",
        "mov sp, x9",
        "str x9, [x0]",
        "mov x10, x0",
        "str x9, [x10]",
        "str x9, [x9]",
        "ldp x4, x4, [sp], #16",
        "stp x19, x4, [x9, #-512]!",
        "bl 2f",
        "ret",
        "blr x4",
    ],
];
