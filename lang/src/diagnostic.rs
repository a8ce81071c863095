//! What is wrong with a text, where, and what to write instead.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

pub use crate::kind::{Kind, Sort};
use crate::source::{Position, Source, Span};

/// One mistake in a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    kind: Kind,
    span: Span,
    /// Filled in when the diagnostics are collected.
    position: Position,
    notes: Vec<Note>,
}

/// Another place that has to do with a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

impl Diagnostic {
    pub(crate) fn new(kind: Kind, span: Span) -> Self {
        Self {
            kind,
            span,
            position: Position { line: 1, column: 1 },
            notes: Vec::new(),
        }
    }

    pub(crate) fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push(Note {
            span,
            text: text.into(),
        });
        self
    }

    pub(crate) fn extend_to(&mut self, span: Span) {
        self.span = self.span.to(span);
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The bytes to underline.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The line and column where [`span`](Self::span) begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The line where it begins, from 1.
    pub fn line(&self) -> u32 {
        self.position.line
    }

    /// The column where it begins, from 1, in characters.
    pub fn column(&self) -> u32 {
        self.position.column
    }

    /// One sentence that says what is wrong.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }

    /// What was expected at [`span`](Self::span), in few words.
    pub fn expected(&self) -> Option<String> {
        self.kind.expected()
    }

    /// What to write instead, if that can be said.
    pub fn help(&self) -> Option<String> {
        self.kind.help()
    }

    /// Other places that have to do with it.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// The mistakes in a text, in the order of the text; at least one.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts, drops what was said twice and keeps the first [`MAX_SHOWN`](Self::MAX_SHOWN).
    pub(crate) fn new(source: Source, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| diagnostic.span);
        list.dedup_by(|second, first| second.span == first.span && second.kind == first.kind);
        let more = list.len().saturating_sub(Self::MAX_SHOWN);
        if more > 0 {
            let span = list[Self::MAX_SHOWN].span;
            list.truncate(Self::MAX_SHOWN);
            list.push(Diagnostic::new(Kind::TooManyMistakes { more }, span));
        }
        for diagnostic in &mut list {
            diagnostic.position = source.position(diagnostic.span.start);
        }
        Self { source, list }
    }

    /// How many mistakes are reported before the rest is only counted.
    pub const MAX_SHOWN: usize = 50;

    /// The mistakes.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// The text they are in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// All mistakes as text for a terminal: file, line, column, the text underlined, what was
    /// expected, what to write instead. With `color`, styled by ANSI escapes.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let rendered: Vec<String> = self
            .list
            .iter()
            .map(|diagnostic| self.render_one(diagnostic, &renderer))
            .collect();
        rendered.join("\n\n") + "\n"
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(diagnostic.message());
        let main = AnnotationKind::Primary;
        let label = diagnostic.expected();
        let window = self.window(diagnostic.span, main, label);
        let mut group = Group::with_title(title).element(window);
        for note in &diagnostic.notes {
            let kind = AnnotationKind::Context;
            group = group.element(self.window(note.span, kind, Some(note.text.clone())));
        }
        if let Some(help) = diagnostic.help() {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// The lines a span is on. The renderer looks at all the text it is given, so it is given no
    /// more than it shows: that keeps many mistakes in a long file fast.
    fn window(
        &self,
        span: Span,
        kind: AnnotationKind,
        label: Option<String>,
    ) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        const SHOWN_BYTES: u32 = 160;
        let line = self.source.line(span.start).max(1);
        let mut shown = self.source.line_span(line);
        // A span over several lines is shown by its first: the mistake is where it begins.
        let end = span.end.min(shown.end).max(span.start);
        let end = end.min(span.start.saturating_add(SHOWN_BYTES));
        shown.start = shown.start.max(span.start.saturating_sub(SHOWN_BYTES));
        shown.end = shown.end.min(end.saturating_add(SHOWN_BYTES));
        let text = self.source.text();
        while !text.is_char_boundary(shown.start as usize) {
            shown.start -= 1;
        }
        while !text.is_char_boundary(shown.end as usize) {
            shown.end += 1;
        }
        let lines = self.source.slice(shown).trim_end_matches(['\n', '\r']);
        let from = (span.start - shown.start) as usize;
        let mut to = ((end - shown.start) as usize).min(lines.len()).max(from);
        while !lines.is_char_boundary(to.min(lines.len())) {
            to += 1;
        }
        Snippet::source(lines)
            .path(self.source.file())
            .line_start(line as usize)
            .annotation(kind.span(from..to).label(label))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
