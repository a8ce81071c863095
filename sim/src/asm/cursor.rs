//! What the parsers of instructions share: walking over a statement's tokens.

use super::lex::{Token, TokenKind};

/// A mistake in a line, before it is known which file and line that is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// Bytes of the line.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What was found.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

pub(crate) type Parsed<T> = Result<T, Problem>;

/// A use of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Label {
    /// `name`.
    Named(String),
    /// `2f`, `2b`.
    Numeric { label: u32, forward: bool },
}

/// A place in an instruction that takes the address of a label once it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reference {
    pub label: Label,
    pub addend: i64,
    /// The label stands in a memory operand.
    pub memory: bool,
    /// Where it stands, for messages.
    pub start: usize,
    pub end: usize,
}

/// The tokens of one statement.
pub(crate) struct Cursor<'t> {
    tokens: &'t [Token<'t>],
    next: usize,
    /// Where the statement ends.
    end: usize,
    /// The label that the instruction refers to.
    pub reference: Option<Reference>,
}

impl<'t> Cursor<'t> {
    pub fn new(tokens: &'t [Token<'t>]) -> Self {
        Cursor {
            tokens,
            next: 0,
            end: tokens.last().map_or(0, |token| token.end),
            reference: None,
        }
    }

    pub fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    pub fn peek_after(&self, skip: usize) -> Option<TokenKind<'t>> {
        self.tokens.get(self.next + skip).map(|token| token.kind)
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }

    /// Takes a sign if it comes next.
    pub fn eat(&mut self, sign: char) -> bool {
        let found = self.peek().is_some_and(|t| t.kind == TokenKind::Sign(sign));
        self.next += usize::from(found);
        found
    }

    /// Takes a word if it comes next, in any case of letters.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: TokenKind::Word(w), .. })
            if w.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    pub fn expect(&mut self, sign: char) -> Parsed<()> {
        match self.eat(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{sign}`"))),
        }
    }

    /// Nothing may follow.
    pub fn expect_end(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the instruction")),
        }
    }

    /// The next token, or the end, is not what was expected.
    pub fn unexpected(&self, expected: &str) -> Problem {
        let (start, end, found) = match self.peek() {
            None => (self.end, self.end + 1, "the instruction ends".to_owned()),
            Some(token) => (token.start, token.end, describe(token.kind)),
        };
        Problem {
            start,
            end,
            found,
            expected: expected.to_owned(),
        }
    }

    /// Something between a mark and here is wrong.
    pub fn wrong_since(&self, mark: usize, found: &str, expected: &str) -> Problem {
        let at = |index: usize| self.tokens.get(index);
        Problem {
            start: at(mark).map_or(self.end, |token| token.start),
            end: at(self.next.saturating_sub(1).max(mark)).map_or(self.end + 1, |token| token.end),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }

    /// For [`wrong_since`](Self::wrong_since).
    pub fn mark(&self) -> usize {
        self.next
    }

    /// `123`, `-0x10`.
    pub fn number(&mut self) -> Parsed<i64> {
        let mark = self.mark();
        let negative = self.eat('-');
        let Some(TokenKind::Number(value)) = self.peek().map(|token| token.kind) else {
            return Err(self.unexpected("a number"));
        };
        self.advance();
        let value = if negative { -value } else { value };
        // From -2⁶³ to 2⁶⁴-1: both ways of writing a 64-bit word.
        i64::try_from(value)
            .ok()
            .or_else(|| u64::try_from(value).ok().map(|bits| bits as i64))
            .ok_or_else(|| self.wrong_since(mark, "a number out of range", "a 64-bit number"))
    }

    /// Takes a label and remembers it as the instruction's reference.
    pub fn label(&mut self) -> Parsed<()> {
        let Some(token) = self.peek() else {
            return Err(self.unexpected("a label"));
        };
        let label = match token.kind {
            TokenKind::Word(name) => Label::Named(name.to_owned()),
            TokenKind::Numeric { label, forward } => Label::Numeric { label, forward },
            _ => return Err(self.unexpected("a label")),
        };
        if self.reference.is_some() {
            return Err(self.unexpected("no second label in one instruction"));
        }
        self.advance();
        self.reference = Some(Reference {
            label,
            addend: 0,
            memory: false,
            start: token.start,
            end: token.end,
        });
        Ok(())
    }
}

/// A token in words.
pub(crate) fn describe(kind: TokenKind<'_>) -> String {
    match kind {
        TokenKind::Word(word) => format!("`{word}`"),
        TokenKind::Number(value) => format!("`{value}`"),
        TokenKind::Numeric { label, forward } => {
            format!("`{label}{}`", if forward { 'f' } else { 'b' })
        }
        TokenKind::Sign(sign) => format!("`{}`", sign.escape_default()),
    }
}
