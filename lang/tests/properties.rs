//! What holds for every text and every program.

#[path = "../../fuzz/entries/parse.rs"]
mod entry;

use costack_lang::generate::{Options, generate};
use costack_lang::parse;
use entry::{check_bytes, check_program, check_text};
use proptest::prelude::*;

/// Pieces that texts are made of, so that a random row of them often means something.
const PIECES: &[&str] = &[
    "scenario \"x\"\n",
    "about \"y\"\n",
    "stack S shared 4096\n",
    "stack T own 4096\n",
    "task A on S = f(1)\n",
    "task B on T fp = f(2)\n",
    "global g = 1\n",
    "mutex m\n",
    "event e\n",
    "channel c 2\n",
    "fn f(x) {\n",
    "main {\n",
    "switch i386 {",
    "}\n",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "if x {",
    "else ",
    "else if 1 {",
    "while 1 {",
    "let x = 1\n",
    "let a[4]\n",
    "x = ",
    "a[0] = ",
    "*x = ",
    "f(1)\n",
    "f(",
    "return ",
    "print ",
    "\"s\"",
    ", ",
    "assert ",
    "yield\n",
    "exit\n",
    "sleep 1 us\n",
    "lock m\n",
    "unlock m\n",
    "wait e\n",
    "complete e\n",
    "send c, 1\n",
    "recv c",
    "join A\n",
    "resume A\n",
    "start A\n",
    "run\n",
    "spawn N on S = f(1)\n",
    "fpmode up\n",
    "break\n",
    "continue\n",
    "1",
    "0x1f",
    "'a'",
    "x",
    "g",
    "&x",
    "&a[1]",
    "*x",
    "not ",
    "-",
    " + ",
    " * ",
    " == ",
    " < ",
    " and ",
    " or ",
    " >> ",
    " & ",
    "alive(A)",
    "now()",
    "self()",
    "fpmode()",
    ";",
    "\n",
    " ",
    "# c\n",
    "\"",
    "'",
    "\\",
    "é",
    "\u{0}",
    "/*",
    "&&",
    "1x",
    "\r\n",
];

fn pieces() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..60)
        .prop_map(|pieces| pieces.concat())
}

/// An expression as text, of the words `x` and `g`, the array `a` and the function `f`.
fn expr() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(
        &[
            "x",
            "g",
            "a[x]",
            "1",
            "0xffffffffffffffff",
            "'a'",
            "&x",
            "&g",
            "&a[1]",
            "now()",
            "self()",
            "recv c",
            "alive(A)",
            "fpmode()",
        ][..],
    );
    leaf.prop_map(str::to_owned)
        .prop_recursive(6, 40, 2, |inner| {
            let binary = proptest::sample::select(
                &[
                    "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">",
                    ">=", "and", "or",
                ][..],
            );
            let prefix = proptest::sample::select(&["-", "not ", "*", "&*"][..]);
            prop_oneof![
                (inner.clone(), binary, inner.clone())
                    .prop_map(|(left, op, right)| format!("({left}) {op} ({right})")),
                (prefix, inner.clone()).prop_map(|(op, operand)| format!("{op}({operand})")),
                inner.clone().prop_map(|index| format!("a[{index}]")),
                (inner.clone(), inner).prop_map(|(left, right)| format!("f({left}, {right})")),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check_text(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
        check_bytes(&bytes);
    }

    #[test]
    fn any_row_of_pieces_is_answered(text in pieces()) {
        check_text(&text);
        check_text(&format!("scenario \"x\"\nfn f(x) {{\n{text}\n}}\nmain {{ }}"));
    }

    #[test]
    fn expressions_come_back_as_they_were(expr in expr()) {
        let text = format!(
            "scenario \"x\"\nglobal g = 1\nchannel c 1\nstack S shared 512\ntask A on S = f(1, 2)\n\
             fn f(x, y) {{ let a[4]; print {expr} }}\nmain {{ }}"
        );
        match parse("a.costack", &text) {
            Ok(program) => check_program(&program),
            Err(mistakes) => return Err(TestCaseError::fail(format!("{mistakes}"))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn generated_programs_come_back_as_they_were(seed in any::<u64>()) {
        let text = generate(seed, &Options::default());
        match parse("a.costack", &text) {
            Ok(program) => check_program(&program),
            Err(mistakes) => return Err(TestCaseError::fail(format!("{mistakes}"))),
        }
    }

    /// One change to a valid program: a piece cut out, doubled, moved or replaced.
    #[test]
    fn changed_programs_are_answered(
        seed in 0..50_u64,
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        to in any::<prop::sample::Index>(),
        piece in proptest::sample::select(PIECES),
        change in 0..4,
    ) {
        let text = generate(seed, &Options::default());
        let boundary = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let from = boundary(from.index(text.len()));
        let until = boundary((from + length).min(text.len()));
        let to = boundary(to.index(text.len()));
        let (before, cut, after) = (&text[..from], &text[from..until], &text[until..]);
        check_text(&match change {
            0 => format!("{before}{after}"),
            1 => format!("{before}{cut}{cut}{after}"),
            2 => format!("{before}{piece}{after}"),
            _ => format!("{}{cut}{}", &text[..to], &text[to..]),
        });
    }
}
