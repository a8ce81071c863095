//! What the grammar would have taken, in words for people.

use crate::diagnostic::Kind;
use crate::names;
use crate::token::{CONTEXTUAL, RESERVED, Token};

/// What begins an expression, as the grammar names it.
const OPERANDS: &[&str] = &[
    "name", "integer", "(", "-", "*", "&", "not", "alive", "now", "self", "fpmode", "recv",
];
/// What may follow an operand.
const OPERATORS: &[&str] = &[
    "or", "and", "==", "!=", "<", "<=", ">", ">=", "|", "^", "&", "<<", ">>", "+", "-", "*", "/",
    "%",
];

/// The mistake of a line outside all functions that declares nothing.
pub(crate) fn outside(first: &Token<'_>, text: &str) -> Kind {
    match first {
        Token::Else => Kind::ElseWithoutIf,
        token if token.is_reserved() => Kind::StatementOutsideFunction,
        token => Kind::Unexpected {
            found: describe(token, text),
            expected: vec!["a declaration".into()],
            suggestion: suggest(first, &[]),
        },
    }
}

/// A word like the one that is there.
fn suggest(token: &Token<'_>, instead: &[&str]) -> Option<String> {
    let Token::Name(name) = token else {
        return None;
    };
    let words = instead.iter().filter(|word| CONTEXTUAL.contains(word));
    names::closest(name, words.copied()).or_else(|| names::closest(name, RESERVED.iter().copied()))
}

/// The mistake of a token that the grammar does not take, or of a line's end (`None`).
///
/// `expected` are the terminals the grammar would take instead; `complete` says whether the line
/// could have ended before.
pub(crate) fn unexpected(
    found: Option<(&Token<'_>, &str)>,
    expected: &[String],
    complete: bool,
    first: Option<&Token<'_>>,
) -> Kind {
    let mut terminals: Vec<&str> = expected.iter().map(|word| word.trim_matches('"')).collect();
    let has = |terminals: &[&str], word: &str| terminals.contains(&word);
    let mut words: Vec<String> = Vec::new();
    let operand = has(&terminals, "integer") && has(&terminals, "(");
    let name = has(&terminals, "name");

    if let Some((token, text)) = found {
        if name && !operand && token.is_reserved() {
            return Kind::ReservedWord {
                word: text.into(),
                declared: first.is_some_and(declares),
            };
        }
        if is_comparison(token) && complete {
            return Kind::ChainedComparison;
        }
    }
    if has(&terminals, "scenario") {
        // Whatever can begin a line.
        terminals.clear();
        words.push("a statement".into());
    }
    if name {
        terminals.retain(|word| !CONTEXTUAL.contains(word));
    }
    // The first word of a line may have been meant for one of the language, and so may any word
    // where one of few is expected.
    let here = found.and_then(|(token, _)| {
        suggest(token, &terminals).filter(|word| terminals.contains(&word.as_str()))
    });
    let suggestion = here.or_else(|| suggest(first?, &[]));
    if has(&terminals, "nearest") {
        // `fpmode()` is no statement.
        terminals.retain(|&word| word != "(");
    }
    if operand && has(&terminals, "integer") {
        terminals.retain(|word| !OPERANDS.contains(word));
        words.push("an expression".into());
        if has(&terminals, "string") {
            terminals.retain(|&word| word != "string");
            words.insert(0, "a string".into());
        }
    } else if name && has(&terminals, "name") {
        terminals.retain(|&word| word != "name");
        words.push("a name".into());
    }
    if has(&terminals, "*") && has(&terminals, "+") {
        terminals.retain(|word| !OPERATORS.contains(word));
        words.push("an operator".into());
        // What else may follow a name matters only if it is the line's first word.
        if first.is_none_or(|first| !matches!(first, Token::Name(_))) {
            terminals.retain(|word| !["(", "[", "="].contains(word));
        }
    }
    for terminal in terminals {
        words.push(match terminal {
            "integer" => "a number".into(),
            "string" => "a string".into(),
            "assembly text" => "`{` and assembly text".into(),
            word => format!("`{word}`"),
        });
    }
    if complete {
        words.push("the end of the line".into());
    }
    Kind::Unexpected {
        found: match found {
            None => "end of the line".into(),
            Some((token, text)) => describe(token, text),
        },
        expected: words,
        suggestion,
    }
}

/// Whether a line that begins so introduces a name.
fn declares(first: &Token<'_>) -> bool {
    matches!(first, Token::Let | Token::Spawn) || first.begins_declaration()
}

fn is_comparison(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Eq | Token::Ne | Token::Lt | Token::Le | Token::Gt | Token::Ge
    )
}

fn describe(token: &Token<'_>, text: &str) -> String {
    match token {
        Token::Str(_) => "string".into(),
        Token::Raw(_) => "assembly text".into(),
        _ => format!("`{}`", names::shown(text)),
    }
}
