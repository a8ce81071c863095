//! The assembly text of a `switch` block, kept as it is: only its end has to be found.

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
    let bytes = text.as_bytes();
    let mut depth = 0_u32;
    let mut line_is_blank = true;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &text.as_bytes()[at..];
        let length = match byte {
            b'{' => {
                depth += 1;
                1
            }
            b'}' if depth == 0 => return Ok(at),
            b'}' => {
                depth -= 1;
                1
            }
            b'#' if line_is_blank || isa != "aarch64" => to_line_end(rest),
            b'/' if rest.starts_with(b"//") => to_line_end(rest),
            b'/' if rest.starts_with(b"/*") => {
                let end = rest[2..].windows(2).position(|pair| pair == b"*/");
                end.ok_or(Kind::UnterminatedComment)? + 4
            }
            b'"' => string_length(rest),
            _ => 1,
        };
        line_is_blank = match byte {
            b'\n' => true,
            b' ' | b'\t' | b'\r' => line_is_blank,
            _ => false,
        };
        at += length;
    }
    Err(Kind::UnterminatedSwitch)
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
