//! Tokens to the tree as written.
//!
//! The text is taken line by line: a line goes to its end, to `;`, up to `}`, or up to and with
//! the `{` that opens a block. Each is parsed by the grammar alone, so a mistake costs one line
//! and never confuses the next. Blocks are put together here, on a stack of our own.

use std::collections::BTreeSet;

use lalrpop_util::ParseError;

use crate::MAX_NESTING;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::expected;
use crate::names;
use crate::raw::{
    Arm, Block, Builder, Function, Header, Ident, Item, Line, Node, Refused, Stmt, StmtKind,
};
use crate::source::Span;
use crate::token::{RESERVED, Token};

#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unused_qualifications,
    reason = "the code is generated"
)]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/grammar.rs"));
}

/// A file as written.
#[derive(Debug, Default)]
pub(crate) struct File<'a> {
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
    pub(crate) mains: Vec<(Span, Block<'a>)>,
    /// Names that stand in lines that could not be parsed: not knowing them is no mistake.
    pub(crate) doubtful: BTreeSet<&'a str>,
    /// Words that such lines begin with: that there is no `main` then is no further mistake.
    pub(crate) broken: Vec<Token<'a>>,
}

/// What opened a block.
enum Opener<'a> {
    Header(Header<'a>),
    /// A header that could not be parsed; the statements are still checked.
    Bad,
    /// A function inside another; where its statements belong is not known.
    Lost,
}

/// A block that is not closed yet.
struct Open<'a> {
    opener: Opener<'a>,
    /// The header without the brace.
    header: Span,
    brace: Span,
    /// How deep its statements stand.
    level: u32,
    stmts: Vec<Stmt<'a>>,
}

type Tokens<'t, 'a> = &'t [(Token<'a>, Span)];

/// After so many mistakes a file is no scenario, and finding more would take long.
pub(crate) const GIVE_UP: usize = 4 * Diagnostics::MAX_SHOWN;

/// Puts a file together.
///
/// # Errors
///
/// Mistakes go to `mistakes`; what can be understood in spite of them is returned.
pub(crate) fn parse<'a>(
    text: &'a str,
    tokens: Tokens<'_, 'a>,
    mistakes: &mut Vec<Diagnostic>,
) -> File<'a> {
    let mut parser = Parser {
        text,
        tokens,
        mistakes,
        file: File::default(),
        open: Vec::new(),
    };
    parser.file();
    parser.file
}

struct Parser<'t, 'a> {
    text: &'a str,
    tokens: Tokens<'t, 'a>,
    mistakes: &'t mut Vec<Diagnostic>,
    file: File<'a>,
    open: Vec<Open<'a>>,
}

impl<'a> Parser<'_, 'a> {
    fn mistake(&mut self, kind: Kind, span: Span) {
        self.mistakes.push(Diagnostic::new(kind, span));
    }

    fn file(&mut self) {
        let mut at = 0;
        while let Some((token, span)) = self.tokens.get(at) {
            if self.mistakes.len() > GIVE_UP {
                return;
            }
            match token {
                Token::Newline | Token::Semicolon => at += 1,
                Token::CloseBrace => {
                    self.close(*span);
                    at += 1;
                }
                _ => {
                    let end = self.line_end(at);
                    self.line(at, end);
                    at = end;
                }
            }
        }
        if let Some(open) = self.open.last() {
            let brace = open.brace;
            self.mistake(Kind::Unclosed { delimiter: '{' }, brace);
        }
        let end = Span::new(self.text.len(), self.text.len());
        while !self.open.is_empty() {
            self.close(end);
        }
    }

    /// Where the line that begins at `from` ends; reports a bracket it leaves open.
    fn line_end(&mut self, from: usize) -> usize {
        let mut brackets: Vec<(char, Span)> = Vec::new();
        let mut at = from;
        while let Some((token, span)) = self.tokens.get(at) {
            match token {
                Token::Newline => {
                    let next = self.tokens[at..]
                        .iter()
                        .map(|(token, _)| token)
                        .find(|token| !matches!(token, Token::Newline));
                    let goes_on = match next {
                        Some(Token::OpenBrace | Token::Raw(_)) => true,
                        // A word that only begins a line shows that the bracket was forgotten.
                        Some(next) => !brackets.is_empty() && !next.only_begins_line(),
                        None => false,
                    };
                    if !goes_on {
                        break;
                    }
                }
                Token::OpenParen => brackets.push(('(', *span)),
                Token::OpenBracket => brackets.push(('[', *span)),
                Token::CloseParen | Token::CloseBracket => {
                    brackets.pop();
                }
                Token::Semicolon | Token::CloseBrace => break,
                Token::OpenBrace => {
                    at += 1;
                    break;
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(&(delimiter, span)) = brackets.last() {
            self.mistake(Kind::Unclosed { delimiter }, span);
        }
        at
    }

    fn level(&self) -> u32 {
        self.open.last().map_or(0, |open| open.level)
    }

    fn line(&mut self, from: usize, end: usize) {
        let tokens = &self.tokens[from..end];
        let (Some((first, first_span)), Some((last, last_span))) = (tokens.first(), tokens.last())
        else {
            return;
        };
        let opens = matches!(last, Token::OpenBrace);
        let header_end = match tokens {
            [.., (_, before), _] if opens => *before,
            _ => *last_span,
        };
        let span = first_span.to(header_end);

        let next = tokens.get(1).map(|(token, _)| token);
        let declares = first.begins_declaration_before(next);
        if declares && !self.open.is_empty() {
            self.declaration_in_block(first, *first_span);
        }
        if self.open.is_empty() && !declares {
            if *first != Token::Bad(()) {
                let text = self.text.get(first_span.range()).unwrap_or("");
                self.mistake(expected::outside(first, text), *first_span);
            }
            if opens {
                self.push(Opener::Bad, span, *last_span, 0);
            }
            return;
        }

        let line = self.parse_line(tokens);
        match line {
            Some(line) => self.understood(line, span, *last_span),
            None => {
                self.file.doubtful.extend(names_in(tokens));
                self.file.broken.push(first.clone());
                if opens {
                    self.push(Opener::Bad, span, *last_span, self.level() + 1);
                }
            }
        }
    }

    /// Parses one line; `None` if it is mistaken, which is then reported.
    fn parse_line(&mut self, tokens: Tokens<'_, 'a>) -> Option<Line<'a>> {
        // A bracket left open was reported when the line's end was looked for.
        let mut open = 0_usize;
        for (token, _) in tokens {
            match token {
                Token::OpenParen | Token::OpenBracket => open += 1,
                Token::CloseParen | Token::CloseBracket => open = open.saturating_sub(1),
                _ => {}
            }
        }
        // So was what is no token.
        if open > 0 || tokens.iter().any(|(token, _)| *token == Token::Bad(())) {
            return None;
        }
        let builder = Builder {
            budget: MAX_NESTING - self.level().min(MAX_NESTING),
        };
        let error = match run_grammar(builder, tokens) {
            Ok(line) => return Some(line),
            Err(error) => error,
        };
        let diagnostic = match error {
            ParseError::User { error } => *error,
            ParseError::UnrecognizedToken {
                token: (start, found, end),
                expected,
            } => {
                let span = Span { start, end };
                let before = tokens.iter().take_while(|(_, span)| span.start < start);
                let before: Vec<_> = before.cloned().collect();
                let complete = run_grammar(builder, &before).is_ok();
                let text = self.text.get(span.range()).unwrap_or("");
                let first = tokens.first().map(|(token, _)| token);
                let kind = expected::unexpected(Some((&found, text)), &expected, complete, first);
                Diagnostic::new(kind, span)
            }
            ParseError::UnrecognizedEof { location, expected } => {
                let at = Span::new(location as usize, location as usize);
                let first = tokens.first().map(|(token, _)| token);
                Diagnostic::new(expected::unexpected(None, &expected, false, first), at)
            }
            ParseError::InvalidToken { location } => {
                let at = Span::new(location as usize, location as usize);
                Diagnostic::new(expected::unexpected(None, &[], false, None), at)
            }
            ParseError::ExtraToken {
                token: (start, found, end),
            } => {
                let span = Span { start, end };
                let text = self.text.get(span.range()).unwrap_or("");
                let kind = expected::unexpected(Some((&found, text)), &[], true, None);
                Diagnostic::new(kind, span)
            }
        };
        self.mistakes.push(diagnostic);
        None
    }

    /// A declaration inside braces: at the left margin it shows that a `}` was forgotten.
    fn declaration_in_block(&mut self, first: &Token<'a>, span: Span) {
        let margin =
            span.start == 0 || self.text.as_bytes().get(span.start as usize - 1) == Some(&b'\n');
        if !margin {
            self.mistake(Kind::DeclarationInBlock, span);
            // As a broken line it is not missed anywhere.
            self.file.broken.push(first.clone());
            return;
        }
        if let Some(open) = self.open.last() {
            let brace = open.brace;
            self.mistakes.push(
                Diagnostic::new(Kind::Unclosed { delimiter: '{' }, brace)
                    .note(span, "a declaration begins before it is closed"),
            );
        }
        while !self.open.is_empty() {
            self.close(span);
        }
    }

    fn push(&mut self, opener: Opener<'a>, header: Span, brace: Span, level: u32) {
        self.open.push(Open {
            opener,
            header,
            brace,
            level,
            stmts: Vec::new(),
        });
    }

    fn understood(&mut self, line: Line<'a>, span: Span, last: Span) {
        let level = self.level();
        match line {
            Line::Item(kind) if self.open.is_empty() => self.file.items.push(Item { kind, span }),
            // Reported by `declaration_in_block`.
            Line::Item(_) => {}
            Line::Header(header @ (Header::Main(_) | Header::Fn { .. })) => {
                let opener = if self.open.is_empty() {
                    Opener::Header(header)
                } else {
                    if let Header::Fn { name, .. } = &header {
                        self.file.doubtful.insert(name.text);
                    }
                    Opener::Lost
                };
                self.push(opener, span, last, level);
            }
            Line::Header(header @ (Header::If(_) | Header::While(_))) => {
                self.push(Opener::Header(header), span, last, level + 1);
            }
            Line::Header(header @ (Header::Else | Header::ElseIf(_))) => {
                let previous = self.open.last().and_then(|open| open.stmts.last());
                let (opener, arms) = match previous.map(|stmt| &stmt.kind) {
                    Some(StmtKind::If(arms, None)) => (Opener::Header(header), arms.len()),
                    Some(StmtKind::Bad(_)) => (Opener::Bad, 0),
                    _ => {
                        self.mistake(Kind::ElseWithoutIf, span);
                        (Opener::Bad, 0)
                    }
                };
                // An `else if` is an `if` in the block of an `else`, and counts like one.
                let level = level + 1 + arms as u32;
                if level > MAX_NESTING {
                    self.mistake(Kind::TooDeep, span);
                    self.push(Opener::Bad, span, last, 0);
                } else {
                    self.push(opener, span, last, level);
                }
            }
            Line::Stmt(kind) => {
                let kind = match kind {
                    StmtKind::Expr(expr) => match self.checked_statement(expr) {
                        Some(kind) => kind,
                        None => return,
                    },
                    kind => kind,
                };
                self.stmt(Stmt { kind, span });
            }
        }
    }

    /// An expression that stands alone has to be a call or `recv`.
    fn checked_statement(&mut self, expr: Node<'a>) -> Option<StmtKind<'a>> {
        use crate::raw::ExprKind;
        use crate::syntax::BinaryOp;
        let comparison = match &expr.kind {
            ExprKind::Call(_) | ExprKind::Recv(_) => return Some(StmtKind::Expr(expr)),
            ExprKind::Binary(BinaryOp::Eq, left, _) => matches!(
                left.kind,
                ExprKind::Name(_) | ExprKind::Index(..) | ExprKind::Deref(_)
            ),
            _ => false,
        };
        let suggestion = match expr.kind {
            ExprKind::Name(name) => {
                self.file.doubtful.insert(name);
                names::closest(name, RESERVED.iter().copied())
            }
            _ => None,
        };
        let kind = Kind::UnusedValue {
            comparison,
            suggestion,
        };
        self.mistake(kind, expr.span);
        None
    }

    fn stmt(&mut self, stmt: Stmt<'a>) {
        if let Some(open) = self.open.last_mut() {
            open.stmts.push(stmt);
        }
    }

    /// Closes the innermost block.
    fn close(&mut self, brace: Span) {
        let Some(open) = self.open.pop() else {
            self.mistake(Kind::Unmatched, brace);
            return;
        };
        let span = open.header;
        let block = Block {
            stmts: open.stmts,
            span: open.brace.to(brace),
        };
        let whole = span.to(brace);
        let kind = match open.opener {
            Opener::Header(Header::Main(word)) => {
                self.file.mains.push((word.to(brace), block));
                return;
            }
            Opener::Header(Header::Fn { name, params }) => {
                self.file.functions.push(Function {
                    name,
                    params,
                    body: block,
                    span: whole,
                });
                return;
            }
            Opener::Header(Header::If(condition)) => {
                let arm = Arm {
                    condition,
                    block,
                    span,
                };
                StmtKind::If(vec![arm], None)
            }
            Opener::Header(Header::ElseIf(condition)) => {
                if let Some((arms, _)) = self.last_if() {
                    // The word `else` belongs to no statement.
                    let start = condition.span.start.saturating_sub(3).max(span.start);
                    let span = Span { start, ..span };
                    arms.push(Arm {
                        condition,
                        block,
                        span,
                    });
                }
                return;
            }
            Opener::Header(Header::Else) => {
                if let Some((_, otherwise)) = self.last_if() {
                    *otherwise = Some(block);
                }
                return;
            }
            Opener::Header(Header::While(condition)) => StmtKind::While(condition, block),
            Opener::Bad => StmtKind::Bad(block),
            Opener::Lost => return,
        };
        self.stmt(Stmt { kind, span });
    }

    /// The `if` that an `else` belongs to: the last statement of the innermost block.
    fn last_if(&mut self) -> Option<(&mut Vec<Arm<'a>>, &mut Option<Block<'a>>)> {
        match &mut self.open.last_mut()?.stmts.last_mut()?.kind {
            StmtKind::If(arms, otherwise) => Some((arms, otherwise)),
            _ => None,
        }
    }
}

fn run_grammar<'a>(builder: Builder, tokens: Tokens<'_, 'a>) -> Result<Line<'a>, Refused<'a>> {
    let tokens = tokens
        .iter()
        .filter(|(token, _)| !matches!(token, Token::Newline))
        .map(|(token, span)| Ok((span.start, token.clone(), span.end)));
    grammar::LineParser::new().parse(builder, tokens)
}

fn names_in<'a>(tokens: Tokens<'_, 'a>) -> impl Iterator<Item = &'a str> {
    tokens.iter().filter_map(|(token, _)| match token {
        Token::Name(name) => Some(*name),
        _ => None,
    })
}

/// The identifier of `main`, for the table of functions.
pub(crate) fn main_name<'a>(span: Span) -> Ident<'a> {
    Ident { text: "main", span }
}
