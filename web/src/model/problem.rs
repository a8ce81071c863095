//! What is wrong with a scenario's text, as the page shows it.

use std::ops::Range;

use costack_lang::diagnostic::{Diagnostic, Diagnostics};
use costack_sim::{LoadError, asm::AsmError};

use super::scenario::Text;

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line and column, from 1; `None` if it is not about one place.
    pub place: Option<(u32, u32)>,
    /// Bytes of the text to underline.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What was expected there.
    pub expected: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with no place.
    pub fn general(message: String) -> Self {
        Problem {
            place: None,
            span: 0..0,
            message,
            expected: None,
            help: None,
        }
    }
}

/// The mistakes that the language reports.
pub fn of_language(mistakes: &Diagnostics) -> Vec<Problem> {
    mistakes.iter().map(of_diagnostic).collect()
}

fn of_diagnostic(mistake: &Diagnostic) -> Problem {
    let span = mistake.span();
    Problem {
        place: Some((mistake.line(), mistake.column())),
        span: span.start as usize..span.end as usize,
        message: mistake.message(),
        expected: mistake.expected(),
        help: mistake.help(),
    }
}

/// What the simulator reports when it loads a scenario.
pub fn of_loading(error: &LoadError, text: &Text) -> Vec<Problem> {
    match error {
        LoadError::Assembly(mistakes) => mistakes
            .iter()
            .map(|mistake| of_assembly(mistake, text))
            .collect(),
        other => vec![Problem::general(other.to_string())],
    }
}

/// A mistake in a `switch` text stands in the scenario, at the line that it tells.
fn of_assembly(mistake: &AsmError, text: &Text) -> Problem {
    let here = mistake.file == text.file.as_str();
    let span = here.then(|| span_at(&text.whole, mistake)).flatten();
    let message = match here {
        true => mistake.found.clone(),
        false => format!("{}: {}", mistake.file, mistake.found),
    };
    Problem {
        place: Some((mistake.line, mistake.column)),
        span: span.unwrap_or(0..0),
        message,
        expected: Some(format!("expected {}", mistake.expected)),
        help: None,
    }
}

fn span_at(whole: &str, mistake: &AsmError) -> Option<Range<usize>> {
    let index = mistake.line.checked_sub(1)? as usize;
    let line = whole.split('\n').nth(index)?;
    // A line is a part of the text, so the distance of their beginnings is its offset.
    let start_of_line = line.as_ptr() as usize - whole.as_ptr() as usize;
    let mut characters = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    let start = characters.nth(mistake.column.checked_sub(1)? as usize)?;
    let end = characters
        .nth((mistake.width.max(1) - 1) as usize)
        .unwrap_or(line.len());
    Some(start_of_line + start..start_of_line + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underlines_what_the_language_complains_about() {
        let text = "scenario \"x\"\nmain { foo = 1 }\n";
        let mistakes = costack_lang::parse("x.costack", text).unwrap_err();
        let problem = &of_language(&mistakes)[0];
        assert_eq!(problem.place, Some((2, 8)));
        assert_eq!(&text[problem.span.clone()], "foo");
    }

    #[test]
    fn finds_assembly_in_the_scenario() {
        let text = Text::new("x.costack", "a\n é mov rax\nb");
        let mistake = AsmError {
            file: "x.costack".into(),
            line: 2,
            column: 4,
            width: 3,
            text: String::new(),
            found: "found".to_owned(),
            expected: "expected".to_owned(),
        };
        let problem = of_assembly(&mistake, &text);
        assert_eq!(&text.whole[problem.span], "mov");
    }
}
