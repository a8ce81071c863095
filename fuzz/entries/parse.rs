//! What must hold of the scenario language for any bytes.
#![allow(dead_code)]

use costack_lang::diagnostic::Diagnostics;
use costack_lang::syntax::Program;
use costack_lang::{format, parse, parse_bytes};

/// Any bytes are answered.
pub fn check_bytes(bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => check_text(text),
        Err(_) => {
            let mistakes = parse_bytes("a.costack", bytes).expect_err("it is no UTF-8");
            assert!(mistakes.iter().count() > 0);
            drop(mistakes.render(true));
        }
    }
}

/// A text is a program, or has mistakes.
pub fn check_text(text: &str) {
    match parse("a.costack", text) {
        Ok(program) => check_program(&program),
        Err(mistakes) => check_mistakes(text, &mistakes),
    }
}

/// What a reader of mistakes relies on.
pub fn check_mistakes(text: &str, mistakes: &Diagnostics) {
    let text = text.as_bytes();
    assert!(mistakes.iter().count() > 0);
    let mut before = 0;
    for mistake in mistakes {
        let span = mistake.span();
        assert!(span.start <= span.end && span.end as usize <= text.len());
        assert!(before <= span.start, "not in order");
        before = span.start;
        let ahead = &text[..span.start as usize];
        let line = ahead.iter().filter(|&&byte| byte == b'\n').count() + 1;
        assert_eq!(mistake.line() as usize, line);
        let start = ahead.iter().rposition(|&byte| byte == b'\n');
        let start = start.map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&ahead[start..]).chars().count() + 1;
        assert_eq!(mistake.column() as usize, column);
        assert!(!mistake.message().is_empty());
    }
    let rendered = mistakes.render(false);
    let first = mistakes.iter().next().map(|mistake| mistake.position());
    let place = first.map(|place| format!("a.costack:{place}"));
    assert!(rendered.contains(&place.unwrap_or_default()), "{rendered}");
    assert!(!rendered.contains('\x1b'), "an escape in {rendered:?}");
}

/// What holds for every program: it can be written down and reads the same again.
pub fn check_program(program: &Program) {
    let text = format(program);
    let again = parse("a.costack", &text).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    assert_eq!(again.without_places(), program.without_places());
    assert_eq!(format(&again), text);

    let mut ids = 0;
    program.for_each_stmt(|function, stmt| {
        assert_eq!(stmt.id.index(), ids);
        assert_eq!(program[stmt.id].function, function);
        assert_eq!(stmt.line, program.source.line(stmt.span.start));
        ids += 1;
    });
    assert_eq!(ids, program.statements.len());
    program.for_each_expr(|expr| assert!(!program.source.slice(expr.span).is_empty()));
}
