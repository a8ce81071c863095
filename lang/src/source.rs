//! Places in the text: byte ranges, lines and columns.

use std::fmt;
use std::ops::Range;

/// A range of bytes in the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to and without `end`.
    pub fn new(start: usize, end: usize) -> Self {
        // Texts over 1 MiB are refused before anything is located in them.
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// The span as a range for slicing.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters (Unicode scalar values).
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A text, its display name and its lines.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Source {
    file: String,
    text: String,
    /// Where each line begins; the first is 0.
    line_starts: Vec<u32>,
}

impl Source {
    /// Takes a text and finds its lines. A line ends at `\n`.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .map(|at| u32::try_from(at).unwrap_or(u32::MAX))
            .collect();
        Self {
            file: file.into(),
            text,
            line_starts,
        }
    }

    /// The name to show for it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in a span; empty if the span is not in this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// How many lines there are; an empty text has one.
    pub fn lines(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// The line a byte is on, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset) as u32
    }

    /// The line and column a byte is on.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset).max(1);
        let start = self
            .line_starts
            .get(line as usize - 1)
            .map_or(0, |&start| start as usize);
        let end = (offset as usize).min(self.text.len());
        let before = self.text.get(start..end).unwrap_or("");
        Position {
            line,
            column: before.chars().count() as u32 + 1,
        }
    }

    /// A line, from 1, without its line end; empty past the last.
    pub fn line_text(&self, line: u32) -> &str {
        let span = self.line_span(line);
        self.slice(span).trim_end_matches(['\n', '\r'])
    }

    /// The bytes of a line, from 1, with its line end; empty past the last.
    pub fn line_span(&self, line: u32) -> Span {
        let end = self.text.len() as u32;
        let at = |line: usize| self.line_starts.get(line).copied().unwrap_or(end);
        let index = (line as usize).saturating_sub(1);
        Span {
            start: at(index),
            end: at(index + 1),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The whole text would drown every tree that is printed.
        write!(f, "Source({:?}, {} lines)", self.file, self.lines())
    }
}
