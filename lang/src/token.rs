//! Text to tokens.
//!
//! The whole text is cut at once, so that the parser can look at the shape of the file (lines,
//! braces) before it parses anything. Cutting also bounds nesting, which is why nothing after
//! this has to fear it.

use std::borrow::Cow;

use logos::{Lexer, Logos};

use crate::MAX_NESTING;
use crate::diagnostic::{Diagnostic, Kind};
use crate::raw_text;
use crate::source::Span;

/// The value of an integer or character literal, and whether it was written in decimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Int {
    pub(crate) value: u64,
    pub(crate) decimal: bool,
}

/// Why a piece of text is no token.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) enum LexError {
    #[default]
    Unknown,
    Known(Kind),
}

// The patterns come in as `tt`: a `literal` fragment would reach the derive macro in an invisible
// group that it does not look into.
macro_rules! tokens {
    (
        reserved { $($reserved:ident = $reserved_text:tt,)* }
        contextual { $($contextual:ident = $contextual_text:tt,)* }
        signs { $($sign:ident = $sign_text:tt,)* }
    ) => {
        /// A token.
        #[derive(Logos, Clone, PartialEq, Debug)]
        #[logos(skip r"[ \t\r\f]+", error = LexError)]
        pub(crate) enum Token<'a> {
            /// The end of a line; the grammar never sees it.
            #[regex(r"#[^\n]*", logos::skip, allow_greedy = true)]
            #[token("\n")]
            Newline,
            #[regex("[A-Za-z_][A-Za-z0-9_]*")]
            Name(&'a str),
            #[regex("[0-9][0-9A-Za-z_]*", integer)]
            #[regex(r"'([^'\\\n]|\\[^\n])*'?", character)]
            Int(Int),
            #[regex(r#""([^"\\\n]|\\[^\n]|\\\n)*"?"#, string)]
            Str(Cow<'a, str>),
            /// What stands between the braces of a `switch`, without them.
            Raw(Span),
            /// What is no token, operators of other languages among it; reported already.
            #[token("&&", |_| foreign("write `and`"))]
            #[token("||", |_| foreign("write `or`"))]
            #[token("!", |_| foreign("write `not`"))]
            #[token("~", |_| foreign("write `-1 ^ x`"))]
            #[regex(r"([+\-*/%|&\^]|<<|>>)=", |_| foreign("write it in full, as in `x = x + 1`"))]
            #[token("++", |_| foreign("write it in full, as in `x = x + 1`"))]
            #[regex("//[^\n]*", |_| foreign_comment(), allow_greedy = true)]
            Bad(()),
            $(#[token($reserved_text)] $reserved,)*
            $(#[token($contextual_text)] $contextual,)*
            $(#[token($sign_text)] $sign,)*
        }

        impl Token<'_> {
            /// Whether it is a word that cannot be a name.
            pub(crate) fn is_reserved(&self) -> bool {
                matches!(self, $(Self::$reserved)|*)
            }

            /// Whether it is a word that can be a name.
            pub(crate) fn is_contextual(&self) -> bool {
                matches!(self, $(Self::$contextual)|*)
            }
        }

        /// Words that cannot be names.
        pub(crate) const RESERVED: &[&str] = &[$($reserved_text),*];
        /// Words with a meaning in one place only; elsewhere they can be names.
        pub(crate) const CONTEXTUAL: &[&str] = &[$($contextual_text),*];
    };
}

tokens! {
    reserved {
        Scenario = "scenario",
        About = "about",
        Stack = "stack",
        Task = "task",
        Global = "global",
        Mutex = "mutex",
        Event = "event",
        Channel = "channel",
        Fn = "fn",
        Main = "main",
        Switch = "switch",
        Let = "let",
        If = "if",
        Else = "else",
        While = "while",
        Break = "break",
        Continue = "continue",
        Return = "return",
        Print = "print",
        Assert = "assert",
        Yield = "yield",
        Exit = "exit",
        Sleep = "sleep",
        Lock = "lock",
        Unlock = "unlock",
        Wait = "wait",
        Complete = "complete",
        Send = "send",
        Recv = "recv",
        Join = "join",
        Resume = "resume",
        Start = "start",
        Run = "run",
        Spawn = "spawn",
        FpMode = "fpmode",
        Alive = "alive",
        Now = "now",
        SelfTask = "self",
        And = "and",
        Or = "or",
        Not = "not",
    }
    contextual {
        Shared = "shared",
        Own = "own",
        On = "on",
        Fp = "fp",
        Us = "us",
        Ms = "ms",
        Nearest = "nearest",
        Up = "up",
        Down = "down",
        Zero = "zero",
        Queue = "queue",
        Group = "group",
        Work = "work",
    }
    signs {
        OpenParen = "(",
        CloseParen = ")",
        OpenBracket = "[",
        CloseBracket = "]",
        OpenBrace = "{",
        CloseBrace = "}",
        Comma = ",",
        Semicolon = ";",
        Assign = "=",
        Plus = "+",
        Minus = "-",
        Star = "*",
        Slash = "/",
        Percent = "%",
        Ampersand = "&",
        Bar = "|",
        Caret = "^",
        Shl = "<<",
        Shr = ">>",
        Eq = "==",
        Ne = "!=",
        Lt = "<",
        Le = "<=",
        Gt = ">",
        Ge = ">=",
    }
}

impl Token<'_> {
    /// Whether a declaration begins with it.
    pub(crate) fn begins_declaration(&self) -> bool {
        matches!(
            self,
            Self::Scenario
                | Self::About
                | Self::Stack
                | Self::Task
                | Self::Global
                | Self::Mutex
                | Self::Event
                | Self::Channel
                | Self::Fn
                | Self::Main
                | Self::Switch
        )
    }

    /// Whether it, with what follows, begins a declaration: some words do so only before a name,
    /// and are names elsewhere.
    pub(crate) fn begins_declaration_before(&self, next: Option<&Self>) -> bool {
        let names =
            || next.is_some_and(|next| matches!(next, Self::Name(_)) || next.is_contextual());
        self.begins_declaration()
            || (matches!(self, Self::Queue | Self::Group | Self::Work) && names())
    }

    /// Whether it begins a declaration or a statement and stands nowhere else.
    pub(crate) fn only_begins_line(&self) -> bool {
        self.is_reserved()
            && !matches!(
                self,
                Self::Recv
                    | Self::FpMode
                    | Self::Alive
                    | Self::Now
                    | Self::SelfTask
                    | Self::And
                    | Self::Or
                    | Self::Not
            )
    }
}

/// Cuts a text into tokens.
///
/// # Errors
///
/// A mistake that makes the rest of the text meaningless is returned; what can be skipped goes
/// to `mistakes`, and the tokens go on behind it.
pub(crate) fn tokenise<'a>(
    text: &'a str,
    mistakes: &mut Vec<Diagnostic>,
) -> Result<Vec<(Token<'a>, Span)>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut lexer = Token::lexer(text);
    if text.starts_with('\u{feff}') {
        lexer.bump('\u{feff}'.len_utf8());
    }
    // The body of a function is not nested yet, so its brace does not count.
    let mut open: Vec<bool> = Vec::new();
    while let Some(token) = lexer.next() {
        let span = Span::new(lexer.span().start, lexer.span().end);
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                report(error, span, text, mistakes);
                tokens.push((Token::Bad(()), span));
                continue;
            }
        };
        match token {
            Token::OpenBrace if switch_before(latest(&tokens)).is_some() => {
                let isa = switch_before(latest(&tokens)).unwrap_or_default();
                let body = raw_text::find_end(lexer.remainder(), isa)
                    .map_err(|kind| Diagnostic::new(kind, span))?;
                let inner = Span::new(lexer.span().end, lexer.span().end + body);
                // The closing brace goes with the text.
                lexer.bump(body + 1);
                tokens.push((
                    Token::Raw(inner),
                    Span::new(span.start as usize, lexer.span().end),
                ));
                continue;
            }
            Token::OpenBrace | Token::OpenParen | Token::OpenBracket => {
                open.push(token == Token::OpenBrace);
                let nesting = open.len() - usize::from(open[0]);
                if nesting > MAX_NESTING as usize {
                    return Err(Diagnostic::new(Kind::TooDeep, span));
                }
            }
            Token::CloseBrace | Token::CloseParen | Token::CloseBracket => {
                open.pop();
            }
            _ => {}
        }
        tokens.push((token, span));
    }
    Ok(tokens)
}

fn latest<'t, 'a>(tokens: &'t [(Token<'a>, Span)]) -> impl Iterator<Item = &'t Token<'a>> {
    tokens.iter().rev().map(|(token, _)| token)
}

/// The ISA of the assembly text that the next `{` opens, empty if it is left out; `before` are the
/// tokens before it, the last one first.
pub(crate) fn switch_before<'t, 'a: 't>(
    mut before: impl Iterator<Item = &'t Token<'a>>,
) -> Option<&'a str> {
    match before.find(|token| **token != Token::Newline)? {
        Token::Switch => Some(""),
        Token::Name(isa) => (before.next() == Some(&Token::Switch)).then_some(isa),
        _ => None,
    }
}

fn report(error: LexError, span: Span, text: &str, mistakes: &mut Vec<Diagnostic>) {
    let kind = match error {
        LexError::Known(kind) => kind,
        LexError::Unknown => {
            let character = text[span.range()].chars().next().unwrap_or('\u{fffd}');
            // A run of foreign characters is one mistake, not one for each.
            if let Some(last) = mistakes.last_mut()
                && last.span().end == span.start
                && matches!(last.kind(), Kind::UnknownCharacter { .. })
            {
                last.extend_to(span);
                return;
            }
            Kind::UnknownCharacter { character }
        }
    };
    mistakes.push(Diagnostic::new(kind, span));
}

fn foreign(help: &'static str) -> Result<(), LexError> {
    Err(LexError::Known(Kind::ForeignOperator { help }))
}

fn foreign_comment() -> Result<(), LexError> {
    Err(LexError::Known(Kind::ForeignComment))
}

fn integer<'a>(lexer: &mut Lexer<'a, Token<'a>>) -> Result<Int, LexError> {
    let digits: String = lexer.slice().chars().filter(|&c| c != '_').collect();
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (digits.as_str(), 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(LexError::Known(Kind::InvalidInteger));
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) => Ok(Int {
            value,
            decimal: radix == 10,
        }),
        Err(_) => Err(LexError::Known(Kind::IntegerTooLarge)),
    }
}

fn character<'a>(lexer: &mut Lexer<'a, Token<'a>>) -> Result<Int, LexError> {
    let invalid = || LexError::Known(Kind::InvalidCharacter);
    let inner = lexer
        .slice()
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .ok_or_else(invalid)?;
    let value = unescape(inner).ok_or(LexError::Known(Kind::InvalidEscape))?;
    let mut chars = value.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Int {
            value: u64::from(u32::from(c)),
            decimal: false,
        }),
        _ => Err(invalid()),
    }
}

fn string<'a>(lexer: &mut Lexer<'a, Token<'a>>) -> Result<Cow<'a, str>, LexError> {
    let slice = lexer.slice();
    // The pattern also takes a string without an end, for one message instead of many. It cannot
    // take `"` alone for both ends, nor an escaped quote for the end.
    let inner = slice[1..]
        .strip_suffix('"')
        .filter(|inner| (inner.len() - inner.trim_end_matches('\\').len()).is_multiple_of(2))
        .ok_or(LexError::Known(Kind::UnterminatedString))?;
    unescape(inner).ok_or(LexError::Known(Kind::InvalidEscape))
}

/// Resolves escapes; `None` if one is not known.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let plain = match chars.next()? {
            'n' => '\n',
            't' => '\t',
            c @ ('\\' | '"' | '\'') => c,
            '\n' => {
                rest = chars.as_str().trim_start();
                continue;
            }
            '\r' if after.starts_with("\r\n") => {
                rest = after.trim_start();
                continue;
            }
            'u' => {
                let (digits, tail) = after.strip_prefix("u{")?.split_once('}')?;
                if digits.is_empty() || digits.len() > 6 || digits.starts_with('+') {
                    return None;
                }
                out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                rest = tail;
                continue;
            }
            _ => return None,
        };
        out.push(plain);
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}
