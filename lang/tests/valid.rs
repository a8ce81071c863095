//! What is accepted, and what it means.

use costack_lang::syntax::*;
use costack_lang::{format, parse, parse_bytes};
use expect_test::{Expect, expect};

#[track_caller]
fn program(text: &str) -> Program {
    parse("a.costack", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A function `t` with these statements, run by a task, and something of everything declared.
#[track_caller]
fn with_stmts(stmts: &str) -> Program {
    program(&format!(
        "scenario \"x\"\nstack S shared 4096\nglobal g = 1\nmutex m\nevent e\nchannel c 2\n\
         task A on S = t()\nfn f(x, y) {{ }}\nmain {{ }}\nfn t() {{\n{stmts}\n}}"
    ))
}

fn body_of(program: &Program) -> &Function {
    program.functions.last().unwrap()
}

/// Checks statements as the formatter writes them.
#[track_caller]
fn check(stmts: &str, expect: &Expect) {
    let text = format(&with_stmts(stmts));
    let (_, body) = text.split_once("fn t() {\n").unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let lines: Vec<&str> = body.lines().map(|line| &line[4..]).collect();
    expect.assert_eq(&lines.join("\n"));
}

/// Checks how an expression is grouped: every operator in parentheses.
#[track_caller]
fn check_groups(expr: &str, expect: &str) {
    let program = with_stmts(&format!("let x = 1; let y = 2; let a[4]; assert {expr}"));
    let function = body_of(&program);
    let StmtKind::Assert(expr) = &function.body.stmts[3].kind else {
        panic!("not an assertion");
    };
    assert_eq!(groups(&program, function, expr), expect);
}

fn groups(program: &Program, function: &Function, expr: &Expr) -> String {
    let part = |expr: &Expr| groups(program, function, expr);
    let place = |place: &Place| match place {
        Place::Local(id) => function[*id].name.to_string(),
        Place::Global(id) => program[*id].name.to_string(),
        Place::Element { array, index } => format!("{}[{}]", function[*array].name, part(index)),
        Place::Deref(pointer) => format!("(*{})", part(pointer)),
    };
    match &expr.kind {
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Load(from) => place(from),
        ExprKind::Address(of) => format!("(&{})", place(of)),
        ExprKind::Unary(UnaryOp::Neg, operand) => format!("(-{})", part(operand)),
        ExprKind::Unary(UnaryOp::Not, operand) => format!("(not {})", part(operand)),
        ExprKind::Binary(op, left, right) => {
            format!("({} {} {})", part(left), op.sign(), part(right))
        }
        ExprKind::Logical(op, left, right) => {
            let op = match op {
                LogicalOp::And => "and",
                LogicalOp::Or => "or",
            };
            format!("({} {op} {})", part(left), part(right))
        }
        ExprKind::Call(call) => {
            let args: Vec<String> = call.args.iter().map(part).collect();
            format!("{}({})", program[call.function].name, args.join(", "))
        }
        ExprKind::Request(request) => format!("{}(…)", request.service.name()),
        ExprKind::Recv(channel) => format!("(recv {})", program[*channel].name),
        ExprKind::Alive(task) => format!("alive({})", program[*task].name),
        ExprKind::Now => "now()".into(),
        ExprKind::SelfTask => "self()".into(),
        ExprKind::FpMode => "fpmode()".into(),
    }
}

#[test]
fn the_example_of_the_contract() {
    let text = include_str!("scenarios/synopsis.costack");
    let program = program(text);
    assert_eq!(program.title, "libaco synopsis");
    let names: Vec<&str> = program.functions.iter().map(|f| &*f.name.text).collect();
    assert_eq!(names, ["main", "worker", "step"]);
    let fp: Vec<bool> = program
        .tasks
        .iter()
        .map(|task| task.declared.as_ref().unwrap().fp)
        .collect();
    assert_eq!(fp, [false, true]);
    assert_eq!(program.channels[0].capacity, 4);
    assert_eq!(program.stacks[1].kind, StackKind::Own);
    assert_eq!(program.stacks[1].bytes, 16384);
}

#[test]
fn every_statement() {
    check(
        "let x = 1\nlet a[2]\nx = 2\na[0] = 3\n*&x = 4\ng = 5\nf(x, 1)\nrecv c\nreturn\nreturn x",
        &expect![[r#"
                let x = 1
                let a[2]
                x = 2
                a[0] = 3
                *&x = 4
                g = 5
                f(x, 1)
                recv c
                return
                return x"#]],
    );
    check(
        "print \"a\", 1, \"b\"\nassert 1\nyield\nexit\nsleep 1 us\nsleep 2 + 3 ms",
        &expect![[r#"
                print "a", 1, "b"
                assert 1
                yield
                exit
                sleep 1 us
                sleep 2 + 3 ms"#]],
    );
    check(
        "lock m\nunlock m\nwait e\ncomplete e\nsend c, 1\njoin A\nresume A\nstart A",
        &expect![[r#"
                lock m
                unlock m
                wait e
                complete e
                send c, 1
                join A
                resume A
                start A"#]],
    );
    check(
        "spawn N on S = f(1, 2)\nspawn N on S fp = f(g, 2)\njoin N\n\
         fpmode nearest\nfpmode up\nfpmode down\nfpmode zero",
        &expect![[r#"
                spawn N on S = f(1, 2)
                spawn N on S fp = f(g, 2)
                join N
                fpmode nearest
                fpmode up
                fpmode down
                fpmode zero"#]],
    );
    check(
        "if 1 { yield } else if 2 { exit } else { }\nwhile 1 { if 2 { break } else { continue } }",
        &expect![[r#"
                if 1 {
                    yield
                } else if 2 {
                    exit
                } else {
                }
                while 1 {
                    if 2 {
                        break
                    } else {
                        continue
                    }
                }"#]],
    );
    program("scenario \"x\"\nmain { run }");
}

#[test]
fn every_expression() {
    check_groups(
        "1 + 0x10 + 'a' + '\\n' + 1_000",
        "((((1 + 16) + 97) + 10) + 1000)",
    );
    check_groups("x + g + a[x] + *&x", "(((x + g) + a[x]) + (*(&x)))");
    check_groups("&a[1] + &g + &*x", "(((&a[1]) + (&g)) + (&(*x)))");
    check_groups(
        "f(x, 1) + recv c + alive(A) + now() + self() + fpmode()",
        "(((((f(x, 1) + (recv c)) + alive(A)) + now()) + self()) + fpmode())",
    );
}

#[test]
fn operators_bind_as_in_rust() {
    check_groups("1 or 2 and 3", "(1 or (2 and 3))");
    check_groups("1 and 2 == 3", "(1 and (2 == 3))");
    check_groups("1 == 2 | 3", "(1 == (2 | 3))");
    check_groups("1 | 2 ^ 3", "(1 | (2 ^ 3))");
    check_groups("1 ^ 2 & 3", "(1 ^ (2 & 3))");
    check_groups("1 & 2 << 3", "(1 & (2 << 3))");
    check_groups("1 << 2 + 3", "(1 << (2 + 3))");
    check_groups("1 + 2 * 3", "(1 + (2 * 3))");
    check_groups("1 * -2", "(1 * (-2))");
    check_groups("not x == y", "((not x) == y)");
    check_groups("- - x", "(-(-x))");
    check_groups("**x", "(*(*x))");
    check_groups("-*x", "(-(*x))");
    check_groups("1 - 2 - 3", "((1 - 2) - 3)");
    check_groups("1 / 2 % 3 * 4", "(((1 / 2) % 3) * 4)");
    check_groups("(1 + 2) * 3", "((1 + 2) * 3)");
    check_groups(
        "x < y and y <= x or x > y and x >= y",
        "(((x < y) and (y <= x)) or ((x > y) and (x >= y)))",
    );
    check_groups("(x < y) != (y < x)", "((x < y) != (y < x))");
    check_groups("x & &y", "(x & (&y))");
}

#[test]
fn integers_are_patterns_of_64_bits() {
    check_groups("0xffff_ffff_ffff_ffff", "-1");
    check_groups("9223372036854775807", &i64::MAX.to_string());
    check_groups("-9223372036854775808", &format!("(-{})", i64::MIN));
    check_groups("'é' + '\\'' + '\\u{1f600}'", "((233 + 39) + 128512)");
}

#[test]
fn layout() {
    let plain = format(&with_stmts(
        "if g {\nprint 1, 2\nf(1, 2)\n}\nelse {\nyield\n}",
    ));
    for stmts in [
        "if g { print 1, 2; f(1, 2) } else { yield }",
        "if g { print 1, 2; f(1, 2); }; else { yield; };",
        "if g {;; print 1, 2\n\n;f(1,\n2) }\n\n else\n{\nyield }",
        "if (g\n) {\r\n\tprint 1, 2 # one } \" two\r\n f(\n1, # one\n2\n)\r\n} # three\nelse { yield } # four",
        "if g\n{\n print 1, 2 ; f(1,2)\n}\nelse\n{ yield }",
    ] {
        assert_eq!(format(&with_stmts(stmts)), plain, "{stmts}");
    }
}

#[test]
fn a_statement_may_follow_a_brace() {
    check(
        "if 1 { } while 2 { } exit",
        &expect![[r#"
            if 1 {
            }
            while 2 {
            }
            exit"#]],
    );
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let bytes = b"\xef\xbb\xbfscenario \"x\"\nmain { }";
    assert!(parse_bytes("a.costack", bytes).is_ok());
}

#[test]
fn words_of_one_place_are_names_elsewhere() {
    let program = program(
        "scenario \"x\"\nstack shared shared 512\ntask on on shared fp = fp(1)\n\
         fn fp(us) { let own = us; let up = own; sleep up us; resume on }\nmain { }",
    );
    assert!(program.tasks[0].declared.as_ref().unwrap().fp);
}

#[test]
fn strings() {
    let program =
        program("scenario \"a\\\"\\\\\\'\\n\\t\\u{e4}\"\nabout \"one \\\n    two\"\nmain { }");
    assert_eq!(program.title, "a\"\\'\n\tä");
    assert_eq!(program.about.as_deref(), Some("one two"));
}

#[test]
fn each_let_is_a_local_of_its_own() {
    let program = program(
        "scenario \"x\"\nmain { }\nfn f(x) {\n let x = x + 1\n if x { let x[3]; x[0] = 1 }\n x = 2\n}",
    );
    let function = &program.functions[1];
    let kinds: Vec<LocalKind> = function.locals.iter().map(|local| local.kind).collect();
    assert_eq!(
        kinds,
        [LocalKind::Word, LocalKind::Word, LocalKind::Array(3)]
    );
    assert_eq!(function.params, 1);
    assert_eq!(function.frame_words(), 5);
    let StmtKind::Let { local, value } = &function.body.stmts[0].kind else {
        panic!("not a let");
    };
    assert_eq!(*local, LocalId(1));
    let ExprKind::Binary(_, left, _) = &value.kind else {
        panic!("not a sum");
    };
    assert_eq!(left.kind, ExprKind::Load(Place::Local(LocalId(0))));
    let StmtKind::Assign { place, .. } = &function.body.stmts[2].kind else {
        panic!("not an assignment");
    };
    assert_eq!(*place, Place::Local(LocalId(1)));
}

#[test]
fn locals_hide_globals() {
    let program = with_stmts("g = 1\nlet g = 2\ng = 3");
    let places: Vec<&Place> = body_of(&program)
        .body
        .stmts
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Assign { place, .. } => Some(place),
            _ => None,
        })
        .collect();
    assert_eq!(
        places,
        [&Place::Global(GlobalId(0)), &Place::Local(LocalId(0))]
    );
}

#[test]
fn statements_are_numbered_with_their_lines() {
    let program = program(
        "scenario \"x\"\nfn f() {\n if 1 {\n  yield\n } else if 2 {\n  exit; exit\n }\n}\nmain {\n run\n}",
    );
    let lines: Vec<(FnId, u32, &str)> = program
        .statements
        .iter()
        .map(|info| (info.function, info.line, program.source.slice(info.span)))
        .collect();
    let f = FnId(1);
    assert_eq!(
        lines,
        [
            (MAIN, 10, "run"),
            (f, 3, "if 1"),
            (f, 4, "yield"),
            (f, 5, "if 2"),
            (f, 6, "exit"),
            (f, 6, "exit"),
        ]
    );
    let mut seen = Vec::new();
    program.for_each_stmt(|function, stmt| {
        assert_eq!(program[stmt.id].function, function);
        assert_eq!(
            (program[stmt.id].line, program[stmt.id].span),
            (stmt.line, stmt.span)
        );
        seen.push(stmt.id);
    });
    let all: Vec<StmtId> = (0..6).map(StmtId).collect();
    assert_eq!(seen, all);
    let on_line: Vec<StmtId> = program.stmts_on_line(6).collect();
    assert_eq!(on_line, [StmtId(4), StmtId(5)]);
}

#[test]
fn spans_cover_what_they_name() {
    let program = with_stmts("assert f((g + 1), -2) == *&g");
    let mut seen = Vec::new();
    program.for_each_expr(|expr| seen.push(program.source.slice(expr.span)));
    assert_eq!(
        seen,
        [
            "1",
            "f((g + 1), -2) == *&g",
            "f((g + 1), -2)",
            "(g + 1)",
            "g",
            "1",
            "-2",
            "2",
            "*&g",
            "&g"
        ]
    );
}

#[test]
fn functions_know_what_they_need() {
    #[track_caller]
    fn check(stmts: &str, calls: bool, uses_runtime: bool, depth: u32) {
        let program = with_stmts(stmts);
        let function = body_of(&program);
        assert_eq!(
            (function.calls, function.uses_runtime, function.expr_depth),
            (calls, uses_runtime, depth)
        );
        assert_eq!(function.is_leaf(), !calls && !uses_runtime);
    }
    check("", false, false, 0);
    check("let x = 1; x = x + 1; assert x / 2", false, false, 2);
    check("f(1, 2 * (3 + g))", true, false, 4);
    check("print \"a\"", false, true, 0);
    check("let x = alive(A)", false, true, 1);
    check("let x = now() + fpmode()", false, true, 2);
    check("let a[2]; a[g + 1] = 2", false, false, 3);
    check("let x = 0; *(x + 1) = 2", false, false, 3);
    check("spawn N on S = f(1, 2)", false, true, 1);
}

#[test]
fn addresses_are_noted() {
    let program = with_stmts("let x = 1; let y = &x; let a[2]; let b[2]; y = &b[1]; *y = a[0]");
    let taken: Vec<bool> = body_of(&program)
        .locals
        .iter()
        .map(|local| local.address_taken)
        .collect();
    assert_eq!(taken, [true, false, false, true]);
}

#[test]
fn spawned_names_are_known_everywhere() {
    let program = with_stmts(
        "while alive(N) { yield }\nif g { spawn N on S = f(1, 2) }\nspawn N on S = f(3, 4)",
    );
    let names: Vec<&str> = program.tasks.iter().map(|task| &*task.name.text).collect();
    assert_eq!(names, ["A", "N"]);
    assert!(program.tasks[0].declared.is_some());
    assert!(program.tasks[1].declared.is_none());
}

#[test]
fn switch_texts_are_kept_as_they_are() {
    let program = program(
        "scenario \"x\"\nswitch x86_64\n{\n    mov rax, 1 # }\n    ret\n}\nswitch aarch64 { add sp, sp, #16 }\nmain { }",
    );
    let [first, second] = &program.switches[..] else {
        panic!("not two texts");
    };
    assert_eq!(first.isa, Isa::X86_64);
    assert_eq!(first.text, "\n    mov rax, 1 # }\n    ret\n");
    assert_eq!(first.first_line, 3);
    assert_eq!(program.source.slice(first.text_span), first.text);
    assert_eq!(
        (second.isa, &*second.text),
        (Isa::Aarch64, " add sp, sp, #16 ")
    );
}

#[test]
fn constants_are_computed_at_the_width_of_the_machine() {
    #[track_caller]
    fn check(expr: &str, narrow: i64, wide: i64) {
        let program = program(&format!("scenario \"x\"\nglobal g = {expr}\nmain {{ }}"));
        let init = &program.globals[0].init;
        assert_eq!(init.constant(Word::Bits32), Some(narrow));
        assert_eq!(init.constant(Word::Bits64), Some(wide));
    }
    check("-5", -5, -5);
    check("2 * 3 + 'a'", 103, 103);
    check("0xffff_ffff", -1, 0xffff_ffff);
    check("0x7fff_ffff + 1", i32::MIN.into(), 0x8000_0000);
    check("1 << 33", 2, 1 << 33);
    check("-1 >> 1", -1, -1);
    check("-7 / 2", -3, -3);
    check("-7 % 2", -1, -1);
    check("-9223372036854775808 / -1", 0, i64::MIN);
    check("-2147483648 / -1", i32::MIN.into(), 1 << 31);
    check("-2147483648 % -1", 0, 0);
    check("0 and 1 / 0", 0, 0);
    check("5 or 1 / 0", 1, 1);
    check("not 7 + 1", 1, 1);
    check(
        "1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 != 2 and 1 == 1",
        1,
        1,
    );
    check("6 & 3 | 8 ^ 1", 11, 11);
}

#[test]
fn equal_but_for_places() {
    let first = program("scenario \"x\"\nmain { print 1 + 2 }");
    let second = program("scenario \"x\" # y\n\nmain {\n  print (1 + 2)\n}");
    assert_ne!(first, second);
    assert_eq!(first.without_places(), second.without_places());
}
