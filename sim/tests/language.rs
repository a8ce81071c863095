//! Every statement and expression of the language, compiled and run.

mod common;

use common::{check, check_main};

/// One expression and the number it has.
#[track_caller]
fn value(expr: &str, expected: i64) {
    check_main(&format!("print {expr}"), &[&expected.to_string()]);
}

/// The same with operands that the compiler does not know.
#[track_caller]
fn computed(left: i64, operator: &str, right: i64, expected: i64) {
    let expected = expected.to_string();
    // Both in registers, both in memory, the right one a number, both results of calls.
    check(
        &format!(
            "scenario \"t\"\nglobal g = {left}\nglobal h = {right}\n\
             fn left() {{ return g }}\nfn right() {{ return h }}\n\
             fn leaf(a, b) {{ return a {operator} b }}\n\
             main {{\n let a = g\n let b = h\n print a {operator} b\n print g {operator} h\n\
             print a {operator} ({right})\n print left() {operator} right()\n\
             print leaf(a, b)\n print (a {operator} b) + 0 * (b {operator} b)\n }}"
        ),
        &[&expected; 6].map(|text| text.as_str()),
    );
}

#[test]
fn numbers() {
    value("0", 0);
    value("0x7fff", 0x7fff);
    value("'a'", 97);
    value("-5", -5);
    value("2147483647", 2_147_483_647);
    value("-2147483647 - 1", -2_147_483_648);
}

#[test]
fn arithmetic() {
    for (left, right) in [
        (7, 3),
        (-7, 3),
        (7, -3),
        (-7, -3),
        (100, 1),
        (-1, -1),
        (0, 5),
    ] {
        computed(left, "+", right, left + right);
        computed(left, "-", right, left - right);
        computed(left, "*", right, left * right);
        computed(left, "/", right, left / right);
        computed(left, "%", right, left % right);
        computed(left, "&", right, left & right);
        computed(left, "|", right, left | right);
        computed(left, "^", right, left ^ right);
    }
}

#[test]
fn comparisons() {
    for (left, right) in [(1, 2), (2, 1), (3, 3), (-1, 1), (1, -1), (-2, -2)] {
        computed(left, "==", right, i64::from(left == right));
        computed(left, "!=", right, i64::from(left != right));
        computed(left, "<", right, i64::from(left < right));
        computed(left, "<=", right, i64::from(left <= right));
        computed(left, ">", right, i64::from(left > right));
        computed(left, ">=", right, i64::from(left >= right));
    }
}

#[test]
fn shifts_keep_the_sign() {
    computed(3, "<<", 4, 48);
    computed(-64, ">>", 2, -16);
    computed(5, "<<", 0, 5);
    // 64 is 0 modulo the width of a word everywhere.
    computed(5, "<<", 64, 5);
    computed(-9, ">>", 64, -9);
}

#[test]
fn the_smallest_number_divided_by_minus_one_wraps() {
    check_main(
        "let min = 1\nwhile min > 0 { min = min << 1 }\nlet m = -1\nprint min / m == min, min % m",
        &["1 0"],
    );
    check_main(
        "let min = 1\nwhile min > 0 { min = min << 1 }\nprint min / -1 == min, min % -1",
        &["1 0"],
    );
}

#[test]
fn large_constants() {
    check_main("let a = 1\nprint (a + 0x12345678) - 0x12345678", &["1"]);
    check_main("let a = 0x1234567812345678\nprint a & 0xffff", &["22136"]);
    check_main("let a = -70000\nprint a", &["-70000"]);
}

#[test]
fn unary_operators() {
    check_main(
        "let a = 5\nprint -a, not a, not (a - 5), --a, not not a",
        &["-5 0 1 5 1"],
    );
}

#[test]
fn logic_short_circuits() {
    let text = "scenario \"t\"\nglobal calls = 0\n\
        fn yes() { calls = calls + 1; return 7 }\nfn no() { calls = calls + 1; return 0 }\n\
        main {\n\
        print no() and yes(), calls\n\
        print yes() and no(), calls\n\
        print yes() or no(), calls\n\
        print no() or yes(), calls\n\
        print no() or no(), calls\n\
        if yes() and not no() { print \"then\", calls }\n\
        if not (yes() or no()) { print \"never\" } else { print \"else\", calls }\n\
        while no() or calls < 12 { }\n\
        print calls\n\
        }";
    check(
        text,
        &[
            "0 1", "0 3", "1 4", "1 6", "0 8", "then 10", "else 11", "12",
        ],
    );
}

#[test]
fn operands_are_evaluated_left_to_right() {
    let text = "scenario \"t\"\nglobal g = 1\n\
        fn bump() { g = g * 10; return g }\n\
        fn three(a, b, c) { print a, b, c }\n\
        main {\n print g + bump() + g\n three(g, bump(), g)\n print bump() - g, g\n\
        let x = 5\n let p = &x\n print x + set(p) + x\n }\n\
        fn set(p) { *p = 7; return 0 }";
    check(text, &["21", "10 100 100", "0 1000", "12"]);
}

#[test]
fn locals_arrays_and_pointers() {
    let text = "scenario \"t\"\nglobal g = 3\n\
        fn add(p, n) { *p = *p + n }\n\
        main {\n\
        let a[4]\n let i = 0\n\
        while i < 4 { a[i] = i * i; i = i + 1 }\n\
        print a[0], a[1], a[2], a[3]\n\
        let p = &a[1]\n *p = 50\n print a[1], *(&a[2]), &a[3] - &a[1] == &a[1] - &a[0] + (&a[1] - &a[0])\n\
        add(&a[3], 5)\n print a[3]\n\
        let x = 1\n add(&x, 41)\n print x\n\
        add(&g, g)\n print g\n\
        *(&a[i - 4]) = 9\n print a[0], a[a[0] - 8]\n\
        a[i - 3] = a[0] + a[i - 1]\n print a[1]\n\
        }";
    check(text, &["0 1 4 9", "50 4 1", "14", "42", "6", "9 50", "23"]);
}

#[test]
fn leaf_functions_keep_locals_below_sp() {
    let text = "scenario \"t\"\n\
        fn leaf(n) {\n let a[3]\n a[0] = n\n a[1] = a[0] + 1\n a[2] = a[1] * a[0]\n\
        let x = a[2]\n let p = &x\n *p = *p + 1\n return (x + a[0]) * (a[1] - a[2])\n }\n\
        main { print leaf(3), leaf(leaf(2)) }";
    let leaf = |n: i64| {
        let (a1, a2) = (n + 1, (n + 1) * n);
        (a2 + 1 + n) * (a1 - a2)
    };
    check(text, &[&format!("{} {}", leaf(3), leaf(leaf(2)))]);
}

#[test]
fn many_parameters_travel_on_the_stack() {
    let text = "scenario \"t\"\n\
        fn many(a, b, c, d, e, f, g, h, i, j) {\n\
        print a, b, c, d, e, f, g, h, i, j\n\
        g = g + 1\n return g * 100 + j\n }\n\
        fn leaf(a, b, c, d, e, f, g, h, i) { return a - i * h + g }\n\
        main {\n let x = 1\n\
        print many(x, x + 1, 3, 4, 5, 6, leaf(1, 2, 3, 4, 5, 6, 7, 8, 9), 8, 9, x * 10)\n }";
    check(text, &["1 2 3 4 5 6 -64 8 9 10", "-6290"]);
}

#[test]
fn more_locals_than_registers() {
    let mut text = String::from("let sum = 0\n");
    for n in 0..20 {
        text.push_str(&format!("let v{n} = {n} * {n}\n"));
    }
    text.push_str("print v0, v1, v19\n");
    for n in 0..20 {
        text.push_str(&format!("sum = sum + v{n}\n"));
    }
    text.push_str("print sum");
    check_main(&text, &["0 1 361", "2470"]);
}

#[test]
fn deep_expressions() {
    let mut expr = String::from("x");
    let mut expected = 1_i64;
    for n in 1..40 {
        expr = format!("({n} - {expr} * (x + 0 * one()))");
        expected = n - expected;
    }
    let text =
        format!("scenario \"t\"\nfn one() {{ return 1 }}\nmain {{ let x = 1\nprint {expr} }}");
    check(&text, &[&expected.to_string()]);
}

#[test]
fn control_flow() {
    check_main(
        "let i = 0\nwhile 1 {\n i = i + 1\n if i == 3 { continue }\n if i > 5 { break }\n print i\n}\n\
         if i == 1 { print 1 } else if i == 6 { print \"six\" } else { print \"other\" }",
        &["1", "2", "4", "5", "six"],
    );
    check_main("while 0 { print 1 }\nprint 2", &["2"]);
    check_main("print 1\nreturn\nprint 2", &["1"]);
    check_main("print 1\nexit\nprint 2", &["1"]);
}

#[test]
fn functions_return_values_and_recurse() {
    let text = "scenario \"t\"\n\
        fn fib(n) { if n < 2 { return n }\n return fib(n - 1) + fib(n - 2) }\n\
        fn nothing() { }\n fn early(n) { while 1 { if n > 3 { return n } n = n + 1 } }\n\
        main { print fib(12), nothing(), early(0), early(9)\n fib(3) }";
    check(text, &["144 0 4 9"]);
}

#[test]
fn shadowing_locals_are_different_ones() {
    check_main(
        "let x = 1\nif 1 { let x = x + 1\n print x }\nlet y = x\nlet x = 5\nprint x, y",
        &["2", "5 1"],
    );
}

#[test]
fn names_that_assemblers_know() {
    let text = "scenario \"t\"\nglobal rax = 1\nglobal counter = 2\nglobal x0 = 3\n\
        fn rsp(rdi) { return rdi + rax }\n fn ret(d8) { return d8 * x0 }\n fn sp() { return counter }\n\
        fn rt_yield() { return 5 }\n fn ptr(eax, esi) { return eax - esi }\n\
        main { print rsp(4), ret(5), sp(), rt_yield(), ptr(9, 4) }";
    check(text, &["5 15 2 5 5"]);
}

#[test]
fn print_takes_anything() {
    check_main("print \"\"", &[""]);
    check_main(
        "print \"a\", 1, \"b\", 2, 3, 4, 5, 6, 7, \"c\", 8",
        &["a 1 b 2 3 4 5 6 7 c 8"],
    );
    let text = "scenario \"t\"\nfn say(x) { print \"in\", x; return x }\n\
        main { print say(1), \"and\", say(2) }";
    check(text, &["in 1", "in 2", "1 and 2"]);
}

#[test]
fn asserts_that_hold() {
    check_main(
        "let x = 3\nassert x == 3\nassert x < 4 and x > 2\nassert x\nassert not (x - 3)\nprint \"ok\"",
        &["ok"],
    );
}

// Tasks.

const COUNT: &str =
    "fn count(n) {\n let i = 0\n while i < n { print self(), i; yield; i = i + 1 }\n}\n";

#[test]
fn resume_and_yield_on_every_kind_of_stack() {
    for stacks in [
        "stack S shared 4096\nstack T shared 4096",
        "stack S own 4096\nstack T own 4096",
    ] {
        for second in ["S", "T"] {
            if second == "S" && stacks.contains("own") {
                continue;
            }
            for fp in ["", " fp"] {
                let text = format!(
                    "scenario \"t\"\n{stacks}\ntask A on S{fp} = count(2)\ntask B on {second} = count(1)\n{COUNT}\
                     main {{ while alive(A) or alive(B) {{ if alive(A) {{ resume A }} if alive(B) {{ resume B }} }} }}"
                );
                check(&text, &["1 0", "2 0", "1 1"]);
            }
        }
    }
}

#[test]
fn arguments_reach_a_task() {
    let text = "scenario \"t\"\nstack S shared 4096\nstack T own 4096\n\
        task A on S = f(1, -2, 3, 4, 5, 6, 7, 8, 9)\ntask B on T = f(9, 8, 7, 6, 5, 4, 3, 2, 1)\n\
        fn f(a, b, c, d, e, f, g, h, i) { yield; print a, b, c, d, e, f, g, h, i }\n\
        main { run }";
    check(text, &["1 -2 3 4 5 6 7 8 9", "9 8 7 6 5 4 3 2 1"]);
}

#[test]
fn registers_and_frames_survive_an_eviction() {
    let text = "scenario \"t\"\nstack S shared 4096\n\
        task A on S = f(10)\ntask B on S = f(20)\ntask C on S = f(30)\n\
        fn f(n) {\n let a = n\n let b = n + 1\n let c = n + 2\n let d = n + 3\n let e = n + 4\n\
        let i = 0\n let arr[3]\n arr[0] = a\n arr[2] = c\n\
        while i < 3 { g(a + i)\n assert a + 1 == b\n assert b + 1 == c\n assert c + 1 == d\n\
        assert d + 1 == e\n assert arr[0] == a and arr[2] == c\n i = i + 1 }\n print a, b, c, d, e\n }\n\
        fn g(x) { let y = x * 2\n yield\n assert y == x * 2\n }\n\
        main { run\n print \"end\" }";
    check(
        text,
        &["10 11 12 13 14", "20 21 22 23 24", "30 31 32 33 34", "end"],
    );
}

#[test]
fn exit_ends_a_task_from_any_depth() {
    let text = "scenario \"t\"\nstack S shared 4096\ntask A on S = f(3)\n\
        fn f(n) { if n == 0 { exit }\n f(n - 1)\n print \"never\" }\n\
        main { assert alive(A)\n resume A\n print alive(A) }";
    check(text, &["0"]);
}

#[test]
fn a_task_resumes_another() {
    let text = "scenario \"t\"\nstack S shared 4096\nstack T shared 4096\n\
        task A on S = outer()\ntask B on T = inner()\n\
        fn outer() { print \"A1\"; resume B; print \"A2\"; yield; resume B; print \"A3\", alive(B) }\n\
        fn inner() { print \"B1\"; yield; print \"B2\" }\n\
        main { resume A; print \"main\"; resume A; print alive(A) }";
    check(text, &["A1", "B1", "A2", "main", "B2", "A3 0", "0"]);
}

#[test]
fn run_takes_turns() {
    let text = format!(
        "scenario \"t\"\nstack S shared 4096\ntask A on S = count(2)\ntask B on S = count(3)\n\
         task C on S = count(1)\n{COUNT}main {{ start B; start A; run; print alive(A), alive(B), alive(C)\n run\n print alive(C) }}"
    );
    check(
        &text,
        &["2 0", "1 0", "2 1", "1 1", "2 2", "0 0 1", "3 0", "0"],
    );
}

#[test]
fn spawn_makes_tasks() {
    let text = format!(
        "scenario \"t\"\nstack S shared 4096\nstack T own 4096\n{COUNT}\
         fn waits() {{ print \"waiting\"; yield }}\n\
         main {{ print alive(W)\n let i = 1\n while i < 4 {{ spawn W on S = count(i); i = i + 1 }}\n\
         spawn X on S fp = waits()\n print alive(W)\n run\n print alive(W)\n\
         i = 0\n while i < 2 {{ spawn V on T = waits()\n join V; i = i + 1 }} }}"
    );
    check(
        &text,
        &[
            "0", "1", "1 0", "2 0", "3 0", "waiting", "2 1", "3 1", "3 2", "0", "waiting",
            "waiting",
        ],
    );
}

#[test]
fn sleep_passes_virtual_time() {
    let text = "scenario \"t\"\nstack S shared 4096\ntask A on S = nap(30)\ntask B on S = nap(10)\n\
        fn nap(n) { sleep n ms; print self(), now(); sleep 5 us; print self(), now() }\n\
        main { run\n sleep 1 us\n print now()\n sleep -4 ms\n print now() }";
    check(
        text,
        &["2 10000", "2 10005", "1 30000", "1 30005", "30006", "30006"],
    );
}

#[test]
fn mutexes_are_handed_over_in_order() {
    let text = "scenario \"t\"\nstack S shared 4096\nmutex m\n\
        task A on S = f()\ntask B on S = f()\ntask C on S = f()\n\
        fn f() { lock m; print self(), \"in\"; yield; yield; print self(), \"out\"; unlock m }\n\
        main { run }";
    check(text, &["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]);
}

#[test]
fn events_stay_pending() {
    let text = "scenario \"t\"\nstack S shared 4096\nevent e\n\
        task A on S = waiter()\ntask B on S = waiter()\n\
        fn waiter() { wait e; print self(), \"woken\" }\n\
        main { complete e\n start A\n start B\n yield_all()\n complete e\n run }\n\
        fn yield_all() { yield }";
    check(text, &["1 woken", "2 woken"]);
}

#[test]
fn channels_carry_values() {
    let text = "scenario \"t\"\nstack S shared 4096\nchannel c 2\n\
        task P on S = produce(5)\ntask Q on S = consume(5)\n\
        fn produce(n) { let i = 0\n while i < n { send c, i * i\n print \"sent\", i\n i = i + 1 } }\n\
        fn consume(n) { let sum = 0\n let i = 0\n while i < n { let v = recv c\n sum = sum + v\n i = i + 1 }\n\
        print \"sum\", sum, 1 + tail() }\n\
        fn tail() { return 0 }\n\
        main { run }";
    check(
        text,
        &["sent 0", "sent 1", "sent 2", "sent 3", "sent 4", "sum 30 1"],
    );
    let text = "scenario \"t\"\nstack S shared 4096\nchannel c 1\ntask Q on S = consume()\n\
        fn consume() { print recv c, recv c\n recv c }\n\
        main { start Q\n send c, 1\n send c, -2\n send c, 3\n run }";
    check(text, &["1 -2"]);
}

#[test]
fn join_waits_for_an_end() {
    let text = "scenario \"t\"\nstack S shared 4096\ntask A on S = f(3)\ntask B on S = g()\n\
        fn f(n) { while n > 0 { yield; n = n - 1 } print \"A ends\" }\n\
        fn g() { join A; print \"B joined\" }\n\
        main { start A\n start B\n join A\n print \"main joined\"\n join A\n run }";
    check(text, &["A ends", "main joined", "B joined"]);
}

#[test]
fn rounding_modes_belong_to_fp_tasks() {
    let text = "scenario \"t\"\nstack S shared 4096\nstack T own 4096\n\
        task A on S fp = up()\ntask B on S fp = down()\ntask C on T fp = zero()\n\
        fn up() { fpmode up; yield; print fpmode(); yield }\n\
        fn down() { print fpmode(); fpmode down; yield; print fpmode() }\n\
        fn zero() { fpmode zero; yield; print fpmode() }\n\
        main { resume A\n resume B\n resume C\n print fpmode()\n resume A\n resume B\n resume C\n print fpmode() }";
    check(text, &["0", "0", "2", "1", "3", "0"]);
}
