//! The scenario's text line by line, in pieces of one colour each.
//!
//! What a piece is, the language says; here its pieces are cut where lines end and where mistakes
//! begin and end.

use std::{ops::Range, rc::Rc};

pub use costack_lang::colour::Class;
use costack_lang::colour::pieces;
use yew::AttrValue;

/// A piece of one line.
pub type Piece = (Class, AttrValue);

/// The pieces of every line, as `str::lines` tells lines.
pub fn lines(text: &str) -> Vec<Rc<[Piece]>> {
    let mut cuts = cut_at_lines(text);
    // Behind the end of the last line there is none.
    if cuts.last().is_some_and(Vec::is_empty) {
        cuts.pop();
    }
    let piece = |(class, range): (Class, Range<usize>)| (class, text[range].to_owned().into());
    cuts.into_iter()
        .map(|line| line.into_iter().map(piece).collect())
        .collect()
}

/// The pieces of every line, without what ends it; one line more than there are line ends.
fn cut_at_lines(text: &str) -> Vec<Vec<(Class, Range<usize>)>> {
    let mut lines = vec![Vec::new()];
    for (class, range) in pieces(text) {
        let mut start = range.start;
        for (index, part) in text[range].split('\n').enumerate() {
            if index > 0 {
                lines.push(Vec::new());
            }
            let end = start + part.trim_end_matches('\r').len();
            if let Some(line) = lines.last_mut().filter(|_| start < end) {
                line.push((class, start..end));
            }
            start += part.len() + 1;
        }
    }
    lines
}

/// A piece of a line with a mark of whether it is wrong.
pub type Marked<'a> = (Class, bool, &'a str);

/// The pieces of every line, with the parts that are wrong told apart; `wrong` are bytes of the text.
pub fn marked<'a>(text: &'a str, wrong: &[Range<usize>]) -> Vec<Vec<Marked<'a>>> {
    let mark = |(class, Range { start, end }): (Class, Range<usize>)| {
        let edges = wrong.iter().flat_map(|range| [range.start, range.end]);
        let mut cuts: Vec<usize> = edges.filter(|edge| (start..end).contains(edge)).collect();
        cuts.extend([start, end]);
        cuts.sort_unstable();
        cuts.dedup();
        let pieces = cuts.windows(2).filter_map(|cut| {
            let is_wrong = wrong
                .iter()
                .any(|range| range.start <= cut[0] && cut[1] <= range.end);
            // A range that ends within a character is not one of this text.
            Some((class, is_wrong, text.get(cut[0]..cut[1])?))
        });
        pieces.collect::<Vec<_>>()
    };
    let lines = cut_at_lines(text).into_iter();
    lines
        .map(|line| line.into_iter().flat_map(mark).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let found: Vec<String> = lines(text)
            .iter()
            .map(|line| line.iter().map(|(_, piece)| piece.as_str()).collect())
            .collect();
        assert_eq!(found, text.lines().collect::<Vec<_>>());
    }

    #[test]
    fn has_the_lines_of_the_text() {
        for text in [
            "",
            "x",
            "x\n",
            "\n\nx",
            "x\r\n\r\ny # z\r\n",
            "about \"a \\\n  b\"",
        ] {
            check(text);
        }
    }

    #[test]
    fn a_string_over_two_lines_is_one_on_both() {
        let lines = lines("about \"a \\\nb\"\nwait_for(e, 5)");
        assert_eq!(&lines[1][..], [(Class::Text, "b\"".into())]);
        assert_eq!(lines[2][0], (Class::Request, "wait_for".into()));
    }

    #[test]
    fn tells_wrong_parts_apart() {
        let found = marked("x\nlet x = yy", &[6..7, 10..12]);
        let wrong: Vec<_> = found[1]
            .iter()
            .filter(|(_, wrong, _)| *wrong)
            .map(|(_, _, text)| *text)
            .collect();
        assert_eq!(wrong, ["x", "yy"]);
        let line: String = found[1].iter().map(|(_, _, text)| *text).collect();
        assert_eq!(line, "let x = yy");
    }
}
