//! What is wrong with a text, where, and what to write instead.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

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
        if let Some(next) = list.get(Self::MAX_SHOWN) {
            let span = next.span;
            list.truncate(Self::MAX_SHOWN);
            list.push(Diagnostic::new(Kind::TooManyMistakes, span));
        }
        for diagnostic in &mut list {
            diagnostic.position = source.position(diagnostic.span.start);
        }
        Self { source, list }
    }

    /// How many mistakes are reported; one more says that there are more.
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
        let kind = AnnotationKind::Primary;
        let label = diagnostic.expected();
        let group = Group::with_title(title);
        let mut group = self.show(group, diagnostic.span, kind, label);
        for note in &diagnostic.notes {
            let kind = AnnotationKind::Context;
            group = self.show(group, note.span, kind, Some(note.text.clone()));
        }
        if let Some(help) = diagnostic.help() {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// Adds the line that a span begins on; the mistake is where it begins.
    ///
    /// The renderer looks at all the text it is given, so of a very long line it is given only
    /// the part around the span. Many mistakes in a long line are then still shown fast.
    fn show<'s>(
        &'s self,
        group: Group<'s>,
        span: Span,
        kind: AnnotationKind,
        label: Option<String>,
    ) -> Group<'s> {
        const LONG: u32 = 2_000;
        const AROUND: u32 = 160;
        let text = self.source.text();
        let position = self.source.position(span.start);
        let mut line = self.source.line_span(position.line);
        let mut end = span.end.min(line.end).max(span.start);
        let cut = line.end - line.start > LONG;
        if cut {
            end = end.min(span.start + AROUND);
            line.start = line.start.max(span.start.saturating_sub(AROUND));
            line.end = line.end.min(end + AROUND);
            for place in [&mut line.start, &mut line.end, &mut end] {
                while !text.is_char_boundary(*place as usize) {
                    *place += 1;
                }
            }
        }
        let shown = self.source.slice(line).trim_end_matches(['\n', '\r']);
        let from = (span.start - line.start) as usize;
        let to = ((end - line.start) as usize).min(shown.len()).max(from);
        let snippet = Snippet::source(shown)
            .line_start(position.line as usize)
            .annotation(kind.span(from..to).label(label));
        if cut {
            // The snippet would count its columns from the cut.
            let origin = Origin::path(self.source.file())
                .line(position.line as usize)
                .char_column(position.column as usize);
            group.element(origin).element(snippet)
        } else {
            group.element(snippet.path(self.source.file()))
        }
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
