//! What is refused, and how that reads.
//!
//! What each test expects is a file in `errors/`; `UPDATE_EXPECT=1 cargo test` writes them anew.

use std::fmt::Write;

use costack_lang::{parse, parse_bytes};
use expect_test::{Expect, ExpectFile, expect, expect_file};

/// Checks the rendered mistakes of some texts.
#[track_caller]
fn check(texts: &[&str], expect: &ExpectFile) {
    let mut all = String::new();
    for text in texts {
        let mistakes = parse("a.costack", text)
            .err()
            .unwrap_or_else(|| panic!("accepted:\n{text}"));
        let line = "=".repeat(40);
        writeln!(all, "{line}\n{text}\n{line}\n{}", mistakes.render(false)).unwrap();
    }
    expect.assert_eq(&all);
}

/// Checks the rendered mistakes of statements of `main`; they begin on the fourth line.
#[track_caller]
fn check_stmts(stmts: &[&str], expect: &ExpectFile) {
    let around = |stmts| format!("scenario \"x\"\nfn f(x) {{ }}\nmain {{\n{stmts}\n}}");
    let texts: Vec<String> = stmts.iter().map(around).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check(&texts, expect);
}

/// Checks the rendered mistakes of declarations; they begin on the second line.
#[track_caller]
fn check_items(items: &[&str], expect: &ExpectFile) {
    let around = |items| format!("scenario \"x\"\n{items}\nfn f(x) {{ }}\nmain {{ }}");
    let texts: Vec<String> = items.iter().map(around).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check(&texts, expect);
}

#[test]
fn an_empty_file() {
    check(&[""], &expect_file!["errors/an_empty_file.txt"]);
}

#[test]
fn what_is_missing() {
    check(
        &["scenario \"x\"\nmutex m", "main { }"],
        &expect_file!["errors/what_is_missing.txt"],
    );
}

#[test]
fn titles() {
    check(
        &[
            "mutex m\nscenario \"x\"\nmain { }",
            "main { }\nscenario \"x\"",
            "scenario \"x\"\nscenario \"y\"\nmain { }",
            "scenario \"x\"\nabout \"a\"\nabout \"b\"\nmain { }",
            "scenario x\nmain { }",
        ],
        &expect_file!["errors/titles.txt"],
    );
}

#[test]
fn a_second_main() {
    check(
        &["scenario \"x\"\nmain { }\nmain { }"],
        &expect_file!["errors/a_second_main.txt"],
    );
}

#[test]
fn characters() {
    check_stmts(
        &[
            "print 1 €§ 2",
            "print \"a",
            "print 'ab'",
            "print ''",
            "print \"\\q\"",
            "print \"\\u{110000}\"",
            "let x = 1 // no",
            "print @",
        ],
        &expect_file!["errors/characters.txt"],
    );
}

#[test]
fn numbers() {
    check_stmts(
        &[
            "print 12ab",
            "print 0x",
            "print 9223372036854775808",
            "print -9223372036854775809",
            "print 99999999999999999999",
            "print 0x1_0000_0000_0000_0000",
        ],
        &expect_file!["errors/numbers.txt"],
    );
}

#[test]
fn operators_of_other_languages() {
    check_stmts(
        &[
            "if 1 && 2 { }",
            "if 1 || 2 { }",
            "if !1 { }",
            "print ~1",
            "let x = 1; x += 1",
            "let x = 1; x++",
        ],
        &expect_file!["errors/operators_of_other_languages.txt"],
    );
}

#[test]
fn missing_parts_of_statements() {
    check_stmts(
        &[
            "let x =",
            "let x",
            "let",
            "x",
            "x =",
            "if { }",
            "if 1",
            "while { }",
            "f(1",
            "f(1,",
            "sleep 3",
            "sleep 3 s",
            "send c",
            "assert",
            "print",
            "print 1,",
            "lock",
            "fpmode",
            "fpmode nearst",
            "spawn A",
            "spawn A on",
            "spawn A on S f()",
            "resume",
            "wait 1",
        ],
        &expect_file!["errors/missing_parts_of_statements.txt"],
    );
}

#[test]
fn surplus_parts_of_statements() {
    check_stmts(
        &[
            "yield 1",
            "print 1 2",
            "break 1",
            "let x = 1 2",
            "f(1) 2",
            "resume A B",
            "let a[1] = 2",
        ],
        &expect_file!["errors/surplus_parts_of_statements.txt"],
    );
}

#[test]
fn mistyped_words() {
    check_stmts(
        &["whle 1 { }", "yeild", "pritn 1", "brek", "retrun 1"],
        &expect_file!["errors/mistyped_words.txt"],
    );
}

#[test]
fn mistyped_declarations() {
    check_items(
        &[
            "stak S shared 4096",
            "stack S shred 4096",
            "stack S 4096",
            "task A in S = f(1)",
            "task A on S = f",
            "globl g = 1",
            "channel c",
            "switch x86_64",
            "foo",
        ],
        &expect_file!["errors/mistyped_declarations.txt"],
    );
}

#[test]
fn reserved_words() {
    check_stmts(
        &[
            "let lock = 1",
            "let now = 1",
            "lock main",
            "spawn task on S = f(1)",
        ],
        &expect_file!["errors/reserved_words.txt"],
    );
}

#[test]
fn comparisons_in_chains() {
    check_stmts(
        &[
            "print 1 < 2 < 3",
            "print 1 == 2 == 3",
            "print 1 < 2 and 3 < 4 < 5",
        ],
        &expect_file!["errors/comparisons_in_chains.txt"],
    );
}

#[test]
fn delimiters() {
    check(
        &[
            "scenario \"x\"\nmain {\n  print 1\n",
            "scenario \"x\"\nmain {\n  if 1 {\n    print 1\n}\nfn f() { }\n",
            "scenario \"x\"\nmain { }\n}\n",
            "scenario \"x\"\nmain {\n  print (1\n  print 2\n}\n",
            "scenario \"x\"\nmain {\n  print (1]\n}\n",
            "scenario \"x\"\nmain {\n  print 1)\n}\n",
        ],
        &expect_file!["errors/delimiters.txt"],
    );
}

#[test]
fn else_without_if() {
    check_stmts(
        &["else { }", "if 1 { }\nyield\nelse { }"],
        &expect_file!["errors/else_without_if.txt"],
    );
}

#[test]
fn what_stands_in_the_wrong_place() {
    check(
        &[
            "scenario \"x\"\nprint 1\nmain { }",
            "scenario \"x\"\nmain {\n    mutex m\n}",
            "scenario \"x\"\nmain {\n    fn f() { yield }\n}",
            "scenario \"x\"\nif 1 { }\nmain { }",
            "scenario \"x\"\n{ }\nmain { }",
        ],
        &expect_file!["errors/what_stands_in_the_wrong_place.txt"],
    );
}

#[test]
fn values_nothing_is_done_with() {
    check_stmts(
        &["1", "f(1) == 2", "now()", "-f(1)", "let x = 1; x == 2"],
        &expect_file!["errors/values_nothing_is_done_with.txt"],
    );
}

#[test]
fn places() {
    check_stmts(
        &[
            "1 = 2",
            "f(1) = 2",
            "f = 2",
            "let a[1]; a = 1",
            "let a[1]; print a",
            "let a[1]; print &a",
            "print &1",
            "print &f(1)",
            "let x = 1; print x[0]",
            "let a[1]; a[0][0] = 1",
        ],
        &expect_file!["errors/places.txt"],
    );
}

#[test]
fn names() {
    check_stmts(
        &[
            "print cuonter",
            "let counter = 1; print cuonter",
            "print x\nlet x = 1",
            "{ }",
            "if 1 { let x = 1 }\nprint x",
            "let x = x",
            "g(1)",
            "print g(1)",
            "lock m",
            "lock f",
            "join A",
            "recv c",
            "alive(A)",
            "let f = 1; f(1)",
            "resume main",
            "print main()",
            "foo[0] = 1",
        ],
        &expect_file!["errors/names.txt"],
    );
}

#[test]
fn sorts() {
    check_items(
        &[
            "stack S shared 4096\ntask A on f = f(1)",
            "stack S shared 4096\ntask A on S = S(1)",
            "stack S shared 4096\ntask A on T = f(1)\nmutex T",
            "fn g() { print S }\nstack S own 512",
            "fn g() { S[0] = 1 }\nstack S own 512",
            "fn g() { resume S; unlock S; complete S; send S, 1; spawn B on g = S() }\nstack S own 512",
        ],
        &expect_file!["errors/sorts.txt"],
    );
}

#[test]
fn duplicate_names() {
    check_items(
        &[
            "mutex m\nevent m",
            "fn f() { }",
            "fn g(a, b, a) { }",
            "stack S shared 512\nfn g() { spawn A on S = f(1) }\ntask A on S = f(1)",
            "stack S shared 512\nfn g() { spawn S on S = f(1) }",
            "fn m() { }\nmutex m",
        ],
        &expect_file!["errors/duplicate_names.txt"],
    );
}

#[test]
fn argument_counts() {
    check_items(
        &[
            "fn g() { f(); f(1, 2); print f() }",
            "stack S shared 512\ntask A on S = f()",
            "stack S shared 512\nfn g() { spawn A on S = f(1, 2) }",
            "fn g(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) { }",
        ],
        &expect_file!["errors/argument_counts.txt"],
    );
}

#[test]
fn bounds() {
    check_items(
        &[
            "stack S shared 511",
            "stack S shared 16777217",
            "stack S own 0",
            "channel c 0",
            "channel c 65537",
            "fn g() { let a[0] }",
            "fn g() { let a[1048577] }",
            "fn g() { let a[1048576]; let b[1048576]; let c = 1 }",
        ],
        &expect_file!["errors/bounds.txt"],
    );
}

#[test]
fn own_stacks() {
    check_items(
        &[
            "stack S own 512\ntask A on S = f(1)\ntask B on S = f(2)",
            "stack S own 512\ntask A on S = f(1)\nfn g() { spawn B on S = f(2) }",
        ],
        &expect_file!["errors/own_stacks.txt"],
    );
}

#[test]
fn constants() {
    check_items(
        &[
            "global g = 1\nglobal h = g",
            "global g = f(1)",
            "global g = 1 / 0",
            "global g = 1 % (2 - 2)",
            "stack S shared 512\ntask A on S = f(now())",
            "global g = 1 / (0x100000000)",
            "global g = 9223372036854775808",
        ],
        &expect_file!["errors/constants.txt"],
    );
}

#[test]
fn control() {
    check_stmts(
        &["break", "while 1 { }\ncontinue", "if 1 { break }", "yield"],
        &expect_file!["errors/control.txt"],
    );
}

#[test]
fn run_outside_main() {
    check_items(
        &["fn g() { run }"],
        &expect_file!["errors/run_outside_main.txt"],
    );
}

#[test]
fn fp_in_the_wrong_place() {
    check_items(
        &["stack S shared 512\ntask A fp on S = f(1)"],
        &expect_file!["errors/fp_in_the_wrong_place.txt"],
    );
}

#[test]
fn switch_texts() {
    check(
        &[
            "scenario \"x\"\nswitch x86_64 { ret }\nswitch x86_64 { ret }\nmain { }",
            "scenario \"x\"\nswitch riscv64 { ret }\nmain { }",
            "scenario \"x\"\nswitch i386 { ret\nmain { }",
            "scenario \"x\"\nswitch i386 { /* }\nmain { }",
            "scenario \"x\"\nswitch { ret }\nmain { }",
        ],
        &expect_file!["errors/switch_texts.txt"],
    );
}

#[test]
fn several_mistakes_at_once() {
    check(
        &[
            "scenario \"x\"\nstack S shred 4096\ntask A on S = f(1)\nfn f() {\n  let i =\n  while i < {\n    print j\n  }\n  lock S\n}\nmain { break }\n",
        ],
        &expect_file!["errors/several_mistakes_at_once.txt"],
    );
}

#[test]
fn columns_count_characters() {
    check(
        &["scenario \"x\"\nmain {\n\tprint \"äöü\", ü\n}"],
        &expect_file!["errors/columns_count_characters.txt"],
    );
}

#[test]
fn bytes_that_are_not_utf8() {
    let check = |bytes: &[u8], expect: Expect| {
        expect.assert_eq(&parse_bytes("a.costack", bytes).unwrap_err().render(false));
    };
    check(
        b"scenario \"x\"\nmain { # \xc3\xa4\xff }\n",
        expect![[r#"
        error: the text is not UTF-8 from here on
         --> a.costack:2:11
          |
        2 | main { # ä�
          |           ^
    "#]],
    );
    check(
        b"\xe4",
        expect![[r#"
        error: the text is not UTF-8 from here on
         --> a.costack:1:1
          |
        1 | �
          | ^
    "#]],
    );
    check(
        b"scenario \xf0\x9f",
        expect![[r#"
        error: the text is not UTF-8 from here on
         --> a.costack:1:10
          |
        1 | scenario �
          |          ^
    "#]],
    );
}

#[test]
fn a_literal_too_wide_for_32_bits() {
    use costack_lang::syntax::Word;
    let text = "scenario \"x\"\nglobal g = 0x1_0000_0000\nmain { print -4294967296, 0xffffffff }";
    let program = parse("a.costack", text).unwrap();
    assert!(program.check_literals(Word::Bits64).is_ok());
    let refused = program.check_literals(Word::Bits32).unwrap_err();
    expect![[r#"
        error: this number does not fit a word of 32 bits
         --> a.costack:2:12
          |
        2 | global g = 0x1_0000_0000
          |            ^^^^^^^^^^^^^

        error: this number does not fit a word of 32 bits
         --> a.costack:3:15
          |
        3 | main { print -4294967296, 0xffffffff }
          |               ^^^^^^^^^^
    "#]]
    .assert_eq(&refused.render(false));
}

#[test]
fn colour_is_escapes_around_the_same_text() {
    let refused = parse("a.costack", "scenario 1").unwrap_err();
    let coloured = refused.render(true);
    assert!(coloured.contains("\x1b["));
    let mut plain = String::new();
    for (index, part) in coloured.split("\x1b[").enumerate() {
        let end = if index == 0 {
            0
        } else {
            part.find('m').unwrap() + 1
        };
        plain.push_str(&part[end..]);
    }
    assert_eq!(plain, refused.render(false));
}
