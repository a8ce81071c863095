//! The assembly text of a `switch` block, kept as it is: only its end has to be found.

use std::ops::Range;

use crate::diagnostic::Kind;

/// Finds the brace that closes a `switch` block, in the text behind the one that opens it.
///
/// Braces in comments and strings do not count; the others have to be balanced. Comments are
/// `//`, `/* */` and `#`. On aarch64 `#` also begins an immediate, so there it begins a comment
/// only as the first sign of a line.
///
/// # Errors
///
/// [`Kind::UnterminatedSwitch`] or [`Kind::UnterminatedComment`] if the text ends first.
pub(crate) fn find_end(text: &str, isa: &str) -> Result<usize, Kind> {
    let mut depth = 0_u32;
    for (part, range) in Parts::new(text, isa) {
        match part {
            Part::Open => depth += 1,
            Part::Close if depth == 0 => return Ok(range.start),
            Part::Close => depth -= 1,
            Part::EndlessComment => return Err(Kind::UnterminatedComment),
            Part::Comment | Part::Other => {}
        }
    }
    Err(Kind::UnterminatedSwitch)
}

/// The comments of an assembly text, from left to right.
pub(crate) fn comments<'a>(text: &'a str, isa: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_comment = |part: &Part| matches!(part, Part::Comment | Part::EndlessComment);
    Parts::new(text, isa).filter_map(move |(part, range)| is_comment(&part).then_some(range))
}

/// What matters in an assembly text.
enum Part {
    Open,
    Close,
    Comment,
    /// A comment that the text's end ends.
    EndlessComment,
    /// A string, or a byte of anything else.
    Other,
}

/// An assembly text, part by part.
struct Parts<'a> {
    bytes: &'a [u8],
    isa: &'a str,
    line_is_blank: bool,
    at: usize,
}

impl<'a> Parts<'a> {
    fn new(text: &'a str, isa: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            isa,
            line_is_blank: true,
            at: 0,
        }
    }
}

impl Iterator for Parts<'_> {
    type Item = (Part, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        let byte = *rest.first()?;
        let (part, length) = match byte {
            b'{' => (Part::Open, 1),
            b'}' => (Part::Close, 1),
            b'#' if self.line_is_blank || self.isa != "aarch64" => {
                (Part::Comment, to_line_end(rest))
            }
            b'/' if rest.starts_with(b"//") => (Part::Comment, to_line_end(rest)),
            b'/' if rest.starts_with(b"/*") => {
                match rest[2..].windows(2).position(|pair| pair == b"*/") {
                    Some(end) => (Part::Comment, end + 4),
                    None => (Part::EndlessComment, rest.len()),
                }
            }
            b'"' => (Part::Other, string_length(rest)),
            _ => (Part::Other, 1),
        };
        self.line_is_blank = match byte {
            b'\n' => true,
            b' ' | b'\t' | b'\r' => self.line_is_blank,
            _ => false,
        };
        let start = self.at;
        self.at += length;
        Some((part, start..self.at))
    }
}

fn to_line_end(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    end.unwrap_or(bytes.len())
}

/// The length of the string that begins here; it ends with its line at the latest.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(isa: &str, text: &str, expect: Option<&str>) {
        let found = find_end(text, isa).ok().map(|end| &text[..end]);
        assert_eq!(found, expect);
    }

    #[test]
    fn ends_at_the_balancing_brace() {
        check("x86_64", " ret } }", Some(" ret "));
        check("x86_64", " {a} } }", Some(" {a} "));
        check("x86_64", " {a }", None);
    }

    #[test]
    fn braces_in_comments_and_strings_do_not_count() {
        check("x86_64", "ret # }\n}", Some("ret # }\n"));
        check("i386", "ret // }\n}", Some("ret // }\n"));
        check("i386", "/* } */}", Some("/* } */"));
        check("i386", "/* }", None);
        check("i386", r#"".}\"}" }"#, Some(r#"".}\"}" "#));
        check("i386", "\"\\", None);
    }

    #[test]
    fn an_immediate_of_aarch64_is_no_comment() {
        check("aarch64", "add sp, sp, #16 }", Some("add sp, sp, #16 "));
        check("aarch64", "  # } comment\n}", Some("  # } comment\n"));
    }
}
