//! Texts made to break the parser: it answers, within a small stack and in linear time.

use std::time::{Duration, Instant};

use costack_lang::diagnostic::{Diagnostics, Kind};
use costack_lang::syntax::Program;
use costack_lang::{MAX_FILE_BYTES, format, parse, parse_bytes};

/// What wasm and embedded threads may have; debug builds use the most of it.
const STACK_BYTES: usize = 512 << 10;

/// Parses on a small stack, and does there everything else that walks the tree.
fn on_small_stack(text: String) -> Result<Program, Diagnostics> {
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let result = parse("a.costack", &text);
            match &result {
                Ok(program) => {
                    assert!(parse("a.costack", &format(program)).is_ok());
                    let mut exprs = 0;
                    program.for_each_expr(|_| exprs += 1);
                    assert!(exprs > 0);
                }
                Err(mistakes) => drop(mistakes.render(true)),
            }
            result
        })
        .unwrap()
        .join()
        .expect("the stack is too small")
}

fn in_main(stmts: &str) -> String {
    format!("scenario \"x\"\nfn f(x) {{ }}\nmain {{\nlet x = 1\n{stmts}\n}}\n")
}

/// `make(n)` nests n deep: 200 is accepted, 201 is refused at `place`.
#[track_caller]
fn check_depth(make: impl Fn(usize) -> String, place: (u32, u32)) {
    if let Err(mistakes) = on_small_stack(in_main(&make(200))) {
        panic!("{mistakes}");
    }
    for depth in [201, 202, 1000, 20_000] {
        let mistakes = on_small_stack(in_main(&make(depth))).unwrap_err();
        let mistake = mistakes
            .iter()
            .find(|mistake| *mistake.kind() == Kind::TooDeep)
            .unwrap_or_else(|| panic!("{mistakes}"));
        assert_eq!((mistake.line(), mistake.column()), place, "{depth}");
    }
}

#[test]
fn parentheses() {
    let make = |n| format!("x = {}1{}", "(".repeat(n), ")".repeat(n));
    check_depth(make, (5, 205));
}

#[test]
fn indices() {
    let make = |n| format!("let a[1]\nx = {}0{}", "a[".repeat(n), "]".repeat(n));
    check_depth(make, (6, 406));
}

#[test]
fn calls() {
    let make = |n| format!("x = {}0{}", "f(".repeat(n), ")".repeat(n));
    check_depth(make, (5, 406));
}

#[test]
fn sums() {
    // They group to the left: the operator that is too much is the 201st.
    check_depth(|n| format!("x = 1{}", "+1".repeat(n)), (5, 406));
}

#[test]
fn blocks() {
    let make = |n| format!("{}{}", "if 1 {\n".repeat(n), "}\n".repeat(n));
    check_depth(make, (205, 6));
}

#[test]
fn blocks_and_parentheses_together() {
    let make = |n: usize| {
        let half = n / 2;
        format!(
            "{}x = {}1{}{}",
            "while 1 {\n".repeat(half),
            "(".repeat(n - half),
            ")".repeat(n - half),
            "}".repeat(half)
        )
    };
    assert!(on_small_stack(in_main(&make(200))).is_ok());
    assert!(on_small_stack(in_main(&make(202))).is_err());
}

#[test]
fn blocks_and_operators_together() {
    let make = |n: usize| {
        let half = n / 2;
        format!(
            "{}x = {}x{}",
            "while 1 {\n".repeat(half),
            "-".repeat(n - half),
            "}".repeat(half)
        )
    };
    assert!(on_small_stack(in_main(&make(200))).is_ok());
    let mistakes = on_small_stack(in_main(&make(202))).unwrap_err();
    assert!(mistakes.iter().any(|m| *m.kind() == Kind::TooDeep));
}

#[test]
fn chains_of_else_if() {
    let make = |n| format!("if 1 {{ }}{}", "\nelse if 1 { }".repeat(n - 1));
    check_depth(make, (205, 1));
}

#[test]
fn prefix_operators() {
    for prefix in ["-", "not ", "*"] {
        let make = |n: usize| format!("x = {}x", prefix.repeat(n));
        assert!(on_small_stack(in_main(&make(200))).is_ok());
        for depth in [201, 300_000] {
            let text = in_main(&make(depth));
            let mistakes = on_small_stack(text[..text.len().min(MAX_FILE_BYTES)].into());
            let mistakes = mistakes.unwrap_err();
            assert!(
                mistakes.iter().any(|m| *m.kind() == Kind::TooDeep)
                    // Cut off, the text ends before it can be seen how deep it is.
                    || text.len() > MAX_FILE_BYTES
            );
        }
    }
}

#[test]
fn the_longest_file() {
    let text = in_main("print 1") + "#";
    let longest = text.clone() + &"x".repeat(MAX_FILE_BYTES - text.len());
    assert!(parse("a.costack", &longest).is_ok());
    for refused in [
        parse("a.costack", &(longest.clone() + "x")),
        parse_bytes("a.costack", (longest + "x").as_bytes()),
        parse_bytes("a.costack", &vec![0xff; MAX_FILE_BYTES + 1]),
    ] {
        let mistakes = refused.unwrap_err();
        assert_eq!(
            mistakes.iter().next().unwrap().kind(),
            &Kind::FileTooLarge {
                bytes: MAX_FILE_BYTES + 1
            }
        );
        assert_eq!(mistakes.iter().count(), 1);
        assert!(mistakes.render(false).contains("a.costack:1:1"));
    }
}

/// Checks that a file full of something takes no more than linear time.
#[track_caller]
fn check_time(before: &str, repeated: &str) {
    let text = |bytes: usize| format!("{before}{}", repeated.repeat(bytes / repeated.len()));
    let time = |bytes: usize| {
        let text = text(bytes);
        let start = Instant::now();
        if let Err(mistakes) = parse("a.costack", &text) {
            drop(mistakes.render(false));
        }
        start.elapsed()
    };
    let small = time(8 << 10);
    let large = time(128 << 10);
    // 16 times the text; the rest is for a machine with other things to do.
    let bound = small * 16 * 8 + Duration::from_secs(1);
    assert!(large < bound, "{repeated:?}: {small:?}, then {large:?}");
}

#[test]
fn long_files_of_one_thing() {
    let main = "scenario \"x\"\nfn f(x) { }\nmain {\nlet x = 1\n";
    for repeated in [
        "x = 1\n",
        "let y = x\n",
        "x = (\n",
        "x y\n",
        "x y;",
        "-",
        "(",
        "1+",
        "if 1 {",
        "if 1 { } else ",
        "}",
        "{",
        "\"",
        "\\",
        "'",
        "#",
        "é",
        "f(1,",
        "print 1,",
        ",1",
        "]",
        "[",
        "yy\n",
        "spawn N on S = f(1)\n",
        "fn f(x) { }\n",
        "main { }\n",
        "lock f\n",
        "x\u{300}",
        "\0",
        "\r",
        "&& ",
    ] {
        check_time(main, repeated);
    }
    for repeated in [
        "mutex m\n",
        "scenario \"x\"\n",
        "main { }\n",
        "about ",
        "stack S own 1\n",
    ] {
        check_time("", repeated);
    }
    for repeated in ["/*", "\"", "#", "{", "\n#", "//\n"] {
        check_time("scenario \"x\"\nswitch aarch64 {", repeated);
    }
}

#[test]
fn many_names_and_many_unknown_ones() {
    let mut text = String::from("scenario \"x\"\n");
    for index in 0..40_000 {
        text += &format!("mutex m{index}\n");
    }
    text += "main {\n";
    for index in 0..10_000 {
        text += &format!("lock n{index}\n");
    }
    text += "}\n";
    let mistakes = on_small_stack(text).unwrap_err();
    let shown = mistakes.iter().count();
    assert_eq!(shown, Diagnostics::MAX_SHOWN + 1);
    let last = mistakes.iter().last().unwrap();
    assert_eq!(last.kind(), &Kind::TooManyMistakes);
}

#[test]
fn as_many_tasks_as_fit_a_file() {
    let mut text = String::from("scenario \"x\"\nstack S shared 512\nfn f() { }\nmain { }\n");
    for index in 0..40_000 {
        text += &format!("task t{index} on S=f()\n");
    }
    assert_eq!(parse("a.costack", &text).unwrap().tasks.len(), 40_000);
}
