//! Lines into tokens.

use std::borrow::Cow;

/// A token and where it stands in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token<'t> {
    pub kind: TokenKind<'t>,
    /// Byte offset in the line.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind<'t> {
    /// A mnemonic, a register, a label: letters, digits, `_`, `.`, `$`, `@`.
    Word(&'t str),
    /// Digits; wide enough for every sum of 64-bit numbers.
    Number(i128),
    /// `2f` or `2b`.
    Numeric { label: u32, forward: bool },
    /// Any other character.
    Sign(char),
}

/// What the comments of a text begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Comments {
    /// Whether `#` begins one; on aarch64 it marks constants.
    pub hash: bool,
}

/// A line without its comments.
pub(crate) struct Stripped<'l> {
    /// The line with comments replaced by spaces, so that offsets stay.
    pub code: Cow<'l, str>,
    /// The comments.
    pub comment: String,
}

/// Takes the comments out of a line. `in_block` says whether a `/* */` comment is open, and is
/// kept up to date.
pub(crate) fn strip<'l>(line: &'l str, style: Comments, in_block: &mut bool) -> Stripped<'l> {
    let begins = |byte: u8| byte == b'/' || (style.hash && byte == b'#');
    if !*in_block && !line.bytes().any(begins) {
        return Stripped {
            code: Cow::Borrowed(line),
            comment: String::new(),
        };
    }
    let mut code = String::with_capacity(line.len());
    let mut comment = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let taken = if *in_block {
            match rest.find("*/") {
                Some(at) => {
                    *in_block = false;
                    at + 2
                }
                None => rest.len(),
            }
        } else if rest.starts_with("/*") {
            *in_block = true;
            2
        } else if rest.starts_with("//") || (style.hash && first == '#') {
            rest.len()
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        comment.push_str(&rest[..taken]);
        code.extend(std::iter::repeat_n(' ', taken));
        rest = &rest[taken..];
    }
    Stripped {
        code: Cow::Owned(code),
        comment,
    }
}

/// The tokens of a line. A character that begins nothing becomes a sign, for the parser to
/// refuse.
pub(crate) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(line.len() / 3);
    let mut at = 0;
    while let Some(first) = line[at..].chars().next() {
        let rest = &line[at..];
        let (kind, len) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if first.is_ascii_digit() {
            number(rest)
        } else if is_word(first) {
            let len = word_len(rest);
            (TokenKind::Word(&rest[..len]), len)
        } else {
            (TokenKind::Sign(first), first.len_utf8())
        };
        tokens.push(Token {
            kind,
            start: at,
            end: at + len,
        });
        at += len;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '@')
}

/// Bytes of the word, or of the number, that a text begins with: they are all ASCII.
fn word_len(text: &str) -> usize {
    let ends = |byte: u8| !is_word(char::from(byte));
    text.bytes().position(ends).unwrap_or(text.len())
}

/// A number or a numeric label; digits that make no number become a word.
fn number(rest: &str) -> (TokenKind<'_>, usize) {
    let len = word_len(rest);
    let text = &rest[..len];
    let numeric = |digits: &str, forward| {
        Some(TokenKind::Numeric {
            label: digits.parse().ok()?,
            forward,
        })
    };
    let value = match text.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => {
            i128::from_str_radix(&text[2..], 16)
        }
        [b'0', b'b', digits @ ..] if !digits.is_empty() => i128::from_str_radix(&text[2..], 2),
        _ => text.parse(),
    };
    let kind = value
        .ok()
        .filter(|value| *value <= i128::from(u64::MAX))
        .map(TokenKind::Number)
        .or_else(|| numeric(text.strip_suffix('f')?, true))
        .or_else(|| numeric(text.strip_suffix('b')?, false));
    (kind.unwrap_or(TokenKind::Word(text)), len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str) -> Vec<TokenKind<'_>> {
        tokens(line).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn tells_numbers_from_numeric_labels() {
        use TokenKind::{Number, Numeric, Word};
        assert_eq!(
            kinds("0x1f 2f 2b 10 0b11 0b 12x"),
            [
                Number(0x1f),
                Numeric {
                    label: 2,
                    forward: true
                },
                Numeric {
                    label: 2,
                    forward: false
                },
                Number(10),
                Number(3),
                Numeric {
                    label: 0,
                    forward: false
                },
                Word("12x"),
            ]
        );
    }

    #[test]
    fn comments_are_taken_out_and_kept() {
        let mut open = false;
        let x86 = Comments { hash: true };
        let line = strip("push rbp /* a */ # b", x86, &mut open);
        assert_eq!(line.code.trim_end(), "push rbp");
        assert_eq!(line.comment, "/* a */# b");
        let line = strip("mov x0, #1 // é", Comments { hash: false }, &mut open);
        assert_eq!(line.code.trim_end(), "mov x0, #1");
        strip("nop /* open", x86, &mut open);
        assert!(open);
        let line = strip("still */ ret", x86, &mut open);
        assert_eq!(line.code, "         ret");
        assert!(!open);
    }
}
