//! What each piece of a text is, for whoever shows it in colours.
//!
//! The words come from the tokens that the parser sees, so that what is coloured is what means
//! something. A text with mistakes has pieces as well.

use std::ops::Range;

use logos::Logos as _;

use crate::raw_text;
use crate::request::Service;
use crate::source::Span;
use crate::token::{Token, switch_before};

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// A word that declares something: `stack`, `task`, `fn`, and `shared` or `on` behind those.
    Declaration,
    /// A word that does something: `yield`, `while`, `and`, `ms`.
    Keyword,
    /// The name of a request, before its parenthesis: `cancel`, `wait_for`.
    Request,
    /// A literal number or character.
    Number,
    /// A literal string.
    Text,
    /// From the sign that begins it to the end of its line, or to the one that ends it.
    Comment,
    /// Names, signs, blanks, assembly, and what is no token.
    Plain,
}

/// Cuts a text into pieces, in order; together they are the text, and none is empty.
///
/// ```
/// use costack_lang::colour::{Class, pieces};
///
/// let text = "event e\nmain { wait e } # once";
/// let coloured: Vec<_> = pieces(text)
///     .into_iter()
///     .filter(|(class, _)| *class != Class::Plain)
///     .map(|(class, range)| (class, &text[range]))
///     .collect();
/// assert_eq!(
///     coloured,
///     [
///         (Class::Declaration, "event"),
///         (Class::Declaration, "main"),
///         (Class::Keyword, "wait"),
///         (Class::Comment, "# once"),
///     ]
/// );
/// ```
pub fn pieces(text: &str) -> Vec<(Class, Range<usize>)> {
    let tokens = tokens(text);
    let mut pieces = Pieces {
        text,
        found: Vec::new(),
        end: 0,
    };
    // Where the statement begins that is under way.
    let mut start = 0;
    for (index, (token, span)) in tokens.iter().enumerate() {
        let range = span.range();
        pieces.skip_to(range.start);
        match token {
            Some(Token::Raw(inner)) => {
                let isa = switch_before(known(&tokens[..index])).unwrap_or_default();
                pieces.assembly(inner.range(), isa);
                pieces.push(Class::Plain, range.end);
            }
            Some(token) => {
                let place = Place {
                    statement: &tokens[start..index],
                    next: tokens.get(index + 1),
                };
                pieces.push(place.class(token, &text[range.clone()]), range.end);
                if ends_statement(token) {
                    start = index + 1;
                }
            }
            None => pieces.push(class_of_mistake(&text[range.clone()]), range.end),
        }
    }
    pieces.skip_to(text.len());
    pieces.found
}

/// A token, or nothing where there is none, and its place.
type Found<'a> = (Option<Token<'a>>, Span);

/// All tokens, as the parser gets them; what makes it give up is passed over here.
fn tokens(text: &str) -> Vec<Found<'_>> {
    let mut lexer = Token::lexer(text);
    let mut tokens: Vec<Found<'_>> = Vec::new();
    while let Some(token) = lexer.next() {
        let span = lexer.span();
        let opens = token == Ok(Token::OpenBrace);
        let isa = opens.then(|| switch_before(known(&tokens))).flatten();
        let Some(isa) = isa else {
            tokens.push((token.ok(), Span::new(span.start, span.end)));
            continue;
        };
        let rest = lexer.remainder();
        // Without its end, all that follows is meant to be assembly.
        let body = raw_text::find_end(rest, isa).unwrap_or(rest.len());
        lexer.bump(rest.len().min(body + 1));
        let inner = Span::new(span.end, span.end + body);
        tokens.push((
            Some(Token::Raw(inner)),
            Span::new(span.start, lexer.span().end),
        ));
    }
    tokens
}

/// The tokens, the last one first.
fn known<'t, 'a>(tokens: &'t [Found<'a>]) -> impl Iterator<Item = &'t Token<'a>> {
    let mistake = &Token::Bad(());
    let tokens = tokens.iter().rev();
    tokens.map(move |(token, _)| token.as_ref().unwrap_or(mistake))
}

fn ends_statement(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Newline | Token::Semicolon | Token::OpenBrace | Token::CloseBrace
    )
}

/// Where a token stands: some words mean something in one place only.
struct Place<'t, 'a> {
    /// What comes before it in its statement.
    statement: &'t [Found<'a>],
    next: Option<&'t Found<'a>>,
}

impl Place<'_, '_> {
    fn class(&self, token: &Token<'_>, text: &str) -> Class {
        let next = self.next.and_then(|(token, _)| token.as_ref());
        let mut before = known(self.statement);
        let (last, second) = (before.next(), before.next());
        let is_name = |token: Option<&Token<'_>>| {
            token.is_some_and(|token| matches!(token, Token::Name(_)) || token.is_contextual())
        };
        match token {
            Token::Str(_) => Class::Text,
            Token::Int(_) => Class::Number,
            Token::Name(_) => {
                let asks = next == Some(&Token::OpenParen) && last != Some(&Token::Fn);
                let services = || Service::ALL.iter().map(|service| service.name());
                match asks && services().any(|name| name == text) {
                    true => Class::Request,
                    false => Class::Plain,
                }
            }
            Token::Queue | Token::Group | Token::Work => {
                let declares = last.is_none() && token.begins_declaration_before(next);
                if_so(declares, Class::Declaration)
            }
            Token::Shared | Token::Own => {
                let declares = is_name(last) && second == Some(&Token::Stack);
                if_so(declares, Class::Declaration)
            }
            Token::On => {
                let declares = matches!(second, Some(Token::Task | Token::Spawn));
                if_so(declares && is_name(last), Class::Declaration)
            }
            Token::Fp => {
                let declares = is_name(last) && second == Some(&Token::On);
                if_so(declares, Class::Declaration)
            }
            Token::Us | Token::Ms => {
                let first = self.statement.first().and_then(|(token, _)| token.as_ref());
                let sleeps = first == Some(&Token::Sleep) && self.statement.len() > 1;
                if_so(sleeps && next.is_none_or(ends_statement), Class::Keyword)
            }
            Token::Nearest | Token::Up | Token::Down | Token::Zero => {
                if_so(last == Some(&Token::FpMode), Class::Keyword)
            }
            token if token.begins_declaration() => Class::Declaration,
            token => if_so(token.is_reserved(), Class::Keyword),
        }
    }
}

fn if_so(means_something: bool, class: Class) -> Class {
    match means_something {
        true => class,
        false => Class::Plain,
    }
}

/// What was meant by what is no token.
fn class_of_mistake(text: &str) -> Class {
    match text.as_bytes() {
        [b'"', ..] => Class::Text,
        [b'\'' | b'0'..=b'9', ..] => Class::Number,
        [b'/', b'/', ..] => Class::Comment,
        _ => Class::Plain,
    }
}

/// The pieces found so far.
struct Pieces<'a> {
    text: &'a str,
    found: Vec<(Class, Range<usize>)>,
    /// Where they end.
    end: usize,
}

impl Pieces<'_> {
    /// The next piece goes up to here.
    fn push(&mut self, class: Class, end: usize) {
        if end <= self.end {
            return;
        }
        match self.found.last_mut() {
            Some((Class::Plain, range)) if class == Class::Plain => range.end = end,
            _ => self.found.push((class, self.end..end)),
        }
        self.end = end;
    }

    /// Between tokens there are blanks, and a comment perhaps.
    fn skip_to(&mut self, start: usize) {
        let gap = &self.text[self.end.min(start)..start];
        if let Some(sign) = gap.find('#') {
            self.push(Class::Plain, start - gap.len() + sign);
            self.push(Class::Comment, start);
        }
        self.push(Class::Plain, start);
    }

    /// The text of a switch.
    fn assembly(&mut self, range: Range<usize>, isa: &str) {
        for comment in raw_text::comments(&self.text[range.clone()], isa) {
            self.push(Class::Plain, range.start + comment.start);
            self.push(Class::Comment, range.start + comment.end);
        }
        self.push(Class::Plain, range.end);
    }
}

#[cfg(test)]
mod tests {
    use super::Class::{Comment, Declaration, Keyword, Number, Plain, Request, Text};
    use super::*;
    use crate::token::RESERVED;

    #[track_caller]
    fn check(text: &str, expect: &[(Class, &str)]) {
        let found = pieces(text);
        let whole: String = found
            .iter()
            .map(|(_, range)| &text[range.clone()])
            .collect();
        assert_eq!(whole, text);
        let coloured: Vec<_> = found
            .into_iter()
            .filter(|(class, _)| *class != Plain)
            .map(|(class, range)| (class, &text[range]))
            .collect();
        assert_eq!(coloured, expect);
    }

    #[test]
    fn every_word_that_cannot_be_a_name_is_coloured() {
        for &word in RESERVED {
            let (class, range) = pieces(word).remove(0);
            assert_eq!((range, class != Plain), (0..word.len(), true), "{word}");
        }
        assert!(pieces("wok").iter().all(|(class, _)| *class == Plain));
    }

    #[test]
    fn every_request_is_coloured_where_it_is_made() {
        for service in Service::ALL {
            let text = format!("{}(a)", service.name());
            assert_eq!(pieces(&text)[0], (Request, 0..service.name().len()));
            check(service.name(), &[]);
        }
        check("fn cancel(a) {", &[(Declaration, "fn")]);
    }

    #[test]
    fn some_words_mean_something_in_one_place_only() {
        check(
            "stack own own 4096",
            &[
                (Declaration, "stack"),
                (Declaration, "own"),
                (Number, "4096"),
            ],
        );
        check(
            "task on on S fp = work(up)",
            &[
                (Declaration, "task"),
                (Declaration, "on"),
                (Declaration, "fp"),
            ],
        );
        check("work w", &[(Declaration, "work")]);
        check("work(w)", &[]);
        check(
            "sleep us + 2 us; us = 3",
            &[
                (Keyword, "sleep"),
                (Number, "2"),
                (Keyword, "us"),
                (Number, "3"),
            ],
        );
        check(
            "fpmode up; let up = 1",
            &[
                (Keyword, "fpmode"),
                (Keyword, "up"),
                (Keyword, "let"),
                (Number, "1"),
            ],
        );
    }

    #[test]
    fn keeps_signs_inside_strings() {
        check(
            r#"print "a # \" b", x # and"#,
            &[
                (Keyword, "print"),
                (Text, r#""a # \" b""#),
                (Comment, "# and"),
            ],
        );
        check(
            "about \"a \\\n b\"",
            &[(Declaration, "about"), (Text, "\"a \\\n b\"")],
        );
    }

    #[test]
    fn assembly_has_no_words_but_comments() {
        check(
            "switch x86_64 {\n  and rax, 1 # wait\n}\nwait e",
            &[
                (Declaration, "switch"),
                (Comment, "# wait"),
                (Keyword, "wait"),
            ],
        );
        check("switch aarch64 { add x0, #1", &[(Declaration, "switch")]);
    }

    #[test]
    fn survives_what_is_not_closed() {
        check("'", &[(Number, "'")]);
        check("print \"é", &[(Keyword, "print"), (Text, "\"é")]);
        check("é // no", &[(Comment, "// no")]);
        check(&"{".repeat(100_000), &[]);
        check("", &[]);
    }
}
