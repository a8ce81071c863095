//! Colours for the scenario's text: what is a keyword, a number, a string, a comment.
//!
//! This is for the eye only. What the text means is `costack-lang`'s business.

use std::ops::Range;

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Declares something: `stack`, `task`, `fn`.
    Declaration,
    /// Does something: `yield`, `while`.
    Keyword,
    /// A literal number or character.
    Number,
    /// A literal string.
    Text,
    /// From `#` to the end of the line.
    Comment,
    /// Everything else.
    Plain,
}

const DECLARATIONS: &[&str] = &[
    "scenario", "about", "stack", "shared", "own", "task", "on", "fp", "global", "mutex", "event",
    "channel", "fn", "main", "switch",
];

const KEYWORDS: &[&str] = &[
    "let", "if", "else", "while", "break", "continue", "return", "print", "assert", "yield",
    "exit", "sleep", "us", "ms", "lock", "unlock", "wait", "complete", "send", "recv", "join",
    "resume", "start", "run", "spawn", "fpmode", "alive", "now", "self", "and", "or", "not",
];

/// Splits one line into pieces; together they are the line.
pub fn pieces(line: &str) -> Vec<(Class, &str)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '#' => (Class::Comment, rest.len()),
            '"' => (Class::Text, quoted(rest, '"')),
            '\'' => (Class::Number, quoted(rest, '\'')),
            c if c.is_ascii_digit() => (Class::Number, while_true(rest, is_word)),
            c if is_word(c) => {
                let length = while_true(rest, is_word);
                (word(&rest[..length]), length)
            }
            _ => {
                let other = |c: char| !is_word(c) && !matches!(c, '#' | '"' | '\'');
                (Class::Plain, while_true(rest, other))
            }
        };
        let (piece, behind) = rest.split_at(length);
        pieces.push((class, piece));
        rest = behind;
    }
    pieces
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> Class {
    if DECLARATIONS.contains(&text) {
        Class::Declaration
    } else if KEYWORDS.contains(&text) {
        Class::Keyword
    } else {
        Class::Plain
    }
}

/// Bytes from the start for which the test holds.
fn while_true(text: &str, test: impl Fn(char) -> bool) -> usize {
    text.find(|c| !test(c)).unwrap_or(text.len())
}

/// Bytes of a literal with its quotes; to the end of the line if it is not closed.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// As [`pieces`], with the parts that are wrong told apart: `wrong` are bytes of the line.
pub fn marked<'a>(line: &'a str, wrong: &[Range<usize>]) -> Vec<(Class, bool, &'a str)> {
    let mut marked = Vec::new();
    let mut start = 0;
    for (class, text) in pieces(line) {
        let end = start + text.len();
        let edges = wrong.iter().flat_map(|range| [range.start, range.end]);
        let mut cuts: Vec<usize> = edges.filter(|edge| (start..end).contains(edge)).collect();
        cuts.extend([start, end]);
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts.windows(2) {
            let is_wrong = wrong
                .iter()
                .any(|range| range.start <= cut[0] && cut[1] <= range.end);
            // A range that ends within a character is not one of this text.
            if let Some(piece) = line.get(cut[0]..cut[1]) {
                marked.push((class, is_wrong, piece));
            }
        }
        start = end;
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &[(Class, &str)]) {
        let found = pieces(line);
        assert_eq!(
            found.iter().map(|(_, text)| *text).collect::<String>(),
            line
        );
        let coloured: Vec<_> = found
            .into_iter()
            .filter(|(class, _)| *class != Class::Plain)
            .collect();
        assert_eq!(coloured, expect);
    }

    #[test]
    fn colours_declarations_and_numbers() {
        check(
            "stack S shared 4096 # bytes",
            &[
                (Class::Declaration, "stack"),
                (Class::Declaration, "shared"),
                (Class::Number, "4096"),
                (Class::Comment, "# bytes"),
            ],
        );
    }

    #[test]
    fn keeps_signs_inside_strings() {
        check(
            r#"print "a # \" b", x"#,
            &[(Class::Keyword, "print"), (Class::Text, r#""a # \" b""#)],
        );
    }

    #[test]
    fn tells_wrong_parts_apart() {
        let found = marked("let x = yy", &[4..5, 8..10]);
        let wrong: Vec<_> = found
            .iter()
            .filter(|(_, wrong, _)| *wrong)
            .map(|(_, _, text)| *text)
            .collect();
        assert_eq!(wrong, ["x", "yy"]);
        assert_eq!(
            found.iter().map(|(_, _, text)| *text).collect::<String>(),
            "let x = yy"
        );
    }

    #[test]
    fn survives_what_is_not_closed() {
        check("'", &[(Class::Number, "'")]);
        check(
            "print \"é",
            &[(Class::Keyword, "print"), (Class::Text, "\"é")],
        );
        check("", &[]);
    }
}
