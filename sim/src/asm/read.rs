//! Objects to placed instructions: parts are read, lengths add up to addresses, labels are
//! resolved.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::AsmError;
use super::cursor::{Cursor, Label, Parsed, Problem, Reference};
use super::dialect::Dialect;
use super::lex::{self, Comments, Token, TokenKind};
use crate::program::{Object, Part, Rights};
use crate::view::AsmLine;

/// Finds the number of a service of the host.
pub(crate) type Services<'s> = &'s dyn Fn(&str) -> Option<u16>;

/// The largest text, in bytes of instructions. Everything lies below 2³¹.
const MAX_BYTES: u32 = 64 << 20;

/// All instructions, placed.
pub(crate) struct Assembly<I> {
    pub placed: Vec<Placed<I>>,
    /// Labels that every object sees, with their addresses.
    pub labels: HashMap<String, u32>,
    /// One past the last instruction.
    pub end: u32,
}

/// An instruction in memory.
pub(crate) struct Placed<I> {
    pub inst: I,
    pub address: u32,
    /// Its line, counted through all parts of all objects.
    pub line: u32,
    /// What it may do, as its part says.
    pub rights: Rights,
}

/// What a line says, wherever it comes to lie.
pub(crate) struct Line<I>(Vec<Item<I>>);

/// A label, an instruction or a mistake, and where in its line it stands.
struct Item<I> {
    /// Bytes of the line: the label, or the mnemonic.
    start: usize,
    end: usize,
    /// Its statement, counted in the line. What comes after a mistake in one is left out.
    statement: u32,
    kind: ItemKind<I>,
}

enum ItemKind<I> {
    /// A label that every object sees.
    Global(Rc<str>),
    /// A `.L` label.
    Local(Rc<str>),
    /// A label such as `2:`.
    Numeric(u32),
    Inst(I, Option<Reference>),
    /// A call of the service of this name, which stands there.
    Host(Parsed<(Rc<str>, Range<usize>)>),
    Mistake(Problem),
}

/// The lines of a text, in order.
type Lines<I> = Rc<Vec<Rc<Line<I>>>>;

/// What was read before.
pub(crate) struct Known<I> {
    /// Compiled code says the same again and again, so few lines have to be understood anew.
    lines: HashMap<Box<str>, Rc<Line<I>>, RandomState>,
    /// Texts that are part of the program, the runtime's stubs among them, by where they are: they
    /// are the same in every scenario, and stay there for good.
    texts: HashMap<*const str, Lines<I>, RandomState>,
}

impl<I> Default for Known<I> {
    fn default() -> Self {
        Known {
            lines: HashMap::default(),
            texts: HashMap::default(),
        }
    }
}

/// So many lines are remembered, of at most so many bytes each.
const KNOWN_LINES: usize = 1 << 14;
const KNOWN_LINE_BYTES: usize = 80;
/// And so many texts: there are fewer, unless somebody makes some and gives them away for good.
const KNOWN_TEXTS: usize = 1 << 6;

/// Reads objects and places their instructions from `base` on. `data` gives the address of each
/// further label, once it knows where the text ends.
pub(crate) fn read<D: Dialect>(
    dialect: &D,
    objects: &[Object],
    base: u32,
    services: Services<'_>,
    data: impl FnOnce(u32) -> Vec<(String, u32)>,
) -> Result<Assembly<D::Inst>, Vec<AsmError>> {
    let mut parts = Vec::new();
    for (number, object) in (0..).zip(objects) {
        for part in &object.parts {
            parts.push((number, part.rights, read_part(dialect, part)));
        }
    }
    let lines: usize = parts.iter().map(|(_, _, lines)| lines.len()).sum();
    let mut placer = Placer {
        dialect,
        services,
        address: base,
        placed: Vec::with_capacity(lines),
        fixes: Vec::new(),
        globals: HashMap::default(),
        locals: HashMap::default(),
        numeric: HashMap::new(),
        mistakes: Vec::new(),
        object: 0,
    };
    let mut number = 0;
    for (object, rights, lines) in &parts {
        placer.object = *object;
        for line in lines.iter() {
            placer.line(line, number, *rights);
            number += 1;
        }
    }
    let end = placer.address;
    let data = data(end);
    for (name, address) in &data {
        placer.globals.entry(name).or_insert(*address);
    }
    placer.resolve();
    if !placer.mistakes.is_empty() {
        placer.mistakes.truncate(100);
        let listing = list(dialect.comments(), objects);
        let errors = placer.mistakes.iter();
        return Err(errors
            .map(|(line, problem)| error(&listing[*line as usize], problem))
            .collect());
    }
    let labels = placer.globals.iter();
    Ok(Assembly {
        labels: labels
            .map(|(name, address)| ((*name).to_owned(), *address))
            .collect(),
        placed: placer.placed,
        end,
    })
}

/// The lines of all parts, without what is known only once they are placed.
pub(crate) fn list(comments: Comments, objects: &[Object]) -> Vec<AsmLine> {
    let mut listing = Vec::new();
    for part in objects.iter().flat_map(|object| &object.parts) {
        let mut in_block = false;
        for (number, text) in part.text.lines().enumerate() {
            let stripped = lex::strip(text, comments, &mut in_block);
            listing.push(AsmLine {
                address: None,
                text: stripped.code.trim_end().to_owned(),
                comment: stripped.comment,
                file: part.file.clone(),
                line: part.first_line.saturating_add(number as u32),
                function: None,
                statement: part.statements.get(number).copied().flatten(),
            });
        }
    }
    listing
}

fn read_part<D: Dialect>(dialect: &D, part: &Part) -> Lines<D::Inst> {
    dialect.known().with_borrow_mut(|known| match part.text {
        Cow::Borrowed(text) => known.text(dialect, text),
        Cow::Owned(ref text) => Rc::new(known.all_lines(dialect, text)),
    })
}

impl<I: Copy> Known<I> {
    /// Reads a text that never goes away, unless it is known.
    fn text<D>(&mut self, dialect: &D, text: &'static str) -> Lines<I>
    where
        D: Dialect<Inst = I>,
    {
        if let Some(known) = self.texts.get(&std::ptr::from_ref(text)) {
            return Rc::clone(known);
        }
        let lines = Rc::new(self.all_lines(dialect, text));
        if self.texts.len() >= KNOWN_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(text, Rc::clone(&lines));
        lines
    }

    fn all_lines<D>(&mut self, dialect: &D, text: &str) -> Vec<Rc<Line<I>>>
    where
        D: Dialect<Inst = I>,
    {
        let mut in_block = false;
        // About: compiled lines have some twenty bytes.
        let mut lines = Vec::with_capacity(text.len() / 16);
        let mut rest = text;
        // `str::lines` looks for a sign in long texts; these lines are too short for that to pay.
        while !rest.is_empty() {
            let end = rest.bytes().position(|byte| byte == b'\n');
            let (line, after) = match end {
                Some(end) => {
                    let line = &rest[..end];
                    (line.strip_suffix('\r').unwrap_or(line), &rest[end + 1..])
                }
                None => (rest, ""),
            };
            lines.push(self.line(dialect, line, &mut in_block));
            rest = after;
        }
        lines
    }

    /// Reads a line, unless it is known.
    fn line<D>(&mut self, dialect: &D, line: &str, in_block: &mut bool) -> Rc<Line<I>>
    where
        D: Dialect<Inst = I>,
    {
        let was_in_block = *in_block;
        if !was_in_block && let Some(known) = self.lines.get(line) {
            return Rc::clone(known);
        }
        let stripped = lex::strip(line, dialect.comments(), in_block);
        let mut reader = Reader {
            dialect,
            items: Vec::new(),
            statement: 0,
        };
        let tokens = lex::tokens(&stripped.code);
        for statement in tokens.split(|token| token.kind == TokenKind::Sign(';')) {
            reader.statement(statement);
            reader.statement += 1;
        }
        let read = Rc::new(Line(reader.items));
        if !was_in_block && !*in_block && line.len() <= KNOWN_LINE_BYTES {
            if self.lines.len() >= KNOWN_LINES {
                self.lines.clear();
            }
            self.lines.insert(line.into(), Rc::clone(&read));
        }
        read
    }
}

struct Reader<'d, D: Dialect> {
    dialect: &'d D,
    items: Vec<Item<D::Inst>>,
    statement: u32,
}

impl<D: Dialect> Reader<'_, D> {
    fn push(&mut self, token: Token<'_>, kind: ItemKind<D::Inst>) {
        self.items.push(Item {
            start: token.start,
            end: token.end,
            statement: self.statement,
            kind,
        });
    }

    /// Labels, then at most one instruction.
    fn statement(&mut self, mut tokens: &[Token<'_>]) {
        while let [label, colon, rest @ ..] = tokens {
            if colon.kind != TokenKind::Sign(':') {
                break;
            }
            let kind = match label.kind {
                TokenKind::Number(number) if u32::try_from(number).is_ok() => {
                    ItemKind::Numeric(number as u32)
                }
                TokenKind::Word(name) if name.starts_with(".L") => ItemKind::Local(name.into()),
                TokenKind::Word(name) => ItemKind::Global(name.into()),
                kind => {
                    let problem = Problem {
                        start: label.start,
                        end: label.end,
                        found: super::cursor::describe(kind),
                        expected: "a label".to_owned(),
                    };
                    return self.push(*label, ItemKind::Mistake(problem));
                }
            };
            self.push(*label, kind);
            tokens = rest;
        }
        let Some(first) = tokens.first() else {
            return;
        };
        if let Err(problem) = self.instruction(*first, tokens) {
            self.push(*first, ItemKind::Mistake(problem));
        }
    }

    fn instruction(&mut self, first: Token<'_>, tokens: &[Token<'_>]) -> Result<(), Problem> {
        let mut cursor = Cursor::new(tokens);
        let TokenKind::Word(mnemonic) = first.kind else {
            return Err(cursor.unexpected("an instruction or a label"));
        };
        cursor.advance();
        if mnemonic == "host" {
            let service = match cursor.peek() {
                Some(Token {
                    kind: TokenKind::Word(name),
                    start,
                    end,
                }) => Ok((name.into(), start..end)),
                _ => Err(cursor.unexpected(SERVICE)),
            };
            self.push(first, ItemKind::Host(service));
            cursor.advance();
            return cursor.expect_end();
        }
        let Some(inst) = self.dialect.parse(mnemonic, &mut cursor) else {
            return Err(unknown_instruction(mnemonic, first.start, first.end));
        };
        self.push(first, ItemKind::Inst(inst?, cursor.reference));
        Ok(())
    }
}

fn unknown_instruction(mnemonic: &str, start: usize, end: usize) -> Problem {
    Problem {
        start,
        end,
        found: format!("unknown instruction `{mnemonic}`"),
        expected: "an instruction of the documented subset".to_owned(),
    }
}

/// What is expected after `host`.
const SERVICE: &str = "a service of the runtime";

/// A reference that waits for its label.
struct Fix<'p> {
    placed: usize,
    object: u32,
    reference: &'p Reference,
}

struct Placer<'d, 'p, D: Dialect> {
    dialect: &'d D,
    services: Services<'d>,
    address: u32,
    placed: Vec<Placed<D::Inst>>,
    fixes: Vec<Fix<'p>>,
    globals: HashMap<&'p str, u32, RandomState>,
    /// `.L` labels, by object.
    locals: HashMap<(u32, &'p str), u32, RandomState>,
    /// Numeric labels by object and number: the index of the instruction that each stands
    /// before, and its address, in order.
    numeric: HashMap<(u32, u32), Vec<(usize, u32)>>,
    /// By line.
    mistakes: Vec<(u32, Problem)>,
    object: u32,
}

impl<'p, D: Dialect> Placer<'_, 'p, D> {
    /// Places what a line says.
    fn line(&mut self, line: &'p Line<D::Inst>, number: u32, rights: Rights) {
        let mut wrong_statement = None;
        for item in &line.0 {
            if wrong_statement == Some(item.statement) {
                continue;
            }
            if let Err(problem) = self.item(item, number, rights) {
                wrong_statement = Some(item.statement);
                self.mistakes.push((number, problem));
            }
        }
    }

    fn item(&mut self, item: &'p Item<D::Inst>, line: u32, rights: Rights) -> Result<(), Problem> {
        let here = self.address;
        let problem = |found: String, expected: &str| Problem {
            start: item.start,
            end: item.end,
            found,
            expected: expected.to_owned(),
        };
        let (old, name) = match &item.kind {
            ItemKind::Global(name) => (self.globals.insert(name, here), name),
            ItemKind::Local(name) => (self.locals.insert((self.object, name), here), name),
            ItemKind::Numeric(number) => {
                let labels = self.numeric.entry((self.object, *number)).or_default();
                labels.push((self.placed.len(), here));
                return Ok(());
            }
            ItemKind::Mistake(problem) => return Err(problem.clone()),
            ItemKind::Inst(inst, reference) => {
                if let Some(reference) = reference {
                    self.fixes.push(Fix {
                        placed: self.placed.len(),
                        object: self.object,
                        reference,
                    });
                }
                self.place(*inst, line, rights);
                if self.address > MAX_BYTES {
                    let expected = format!("at most {MAX_BYTES} bytes of them");
                    return Err(problem("too many instructions".to_owned(), &expected));
                }
                return Ok(());
            }
            ItemKind::Host(_) if rights == Rights::Plain => {
                return Err(unknown_instruction("host", item.start, item.end));
            }
            ItemKind::Host(service) => {
                let (name, range) = service.as_ref().map_err(Problem::clone)?;
                let service = (self.services)(name).ok_or_else(|| Problem {
                    start: range.start,
                    end: range.end,
                    found: format!("`{name}`"),
                    expected: SERVICE.to_owned(),
                })?;
                self.place(self.dialect.host(service), line, rights);
                return Ok(());
            }
        };
        match old {
            Some(_) => Err(problem(
                format!("a second label `{name}`"),
                "a name that is not taken",
            )),
            None => Ok(()),
        }
    }

    fn place(&mut self, inst: D::Inst, line: u32, rights: Rights) {
        self.placed.push(Placed {
            inst,
            address: self.address,
            line,
            rights,
        });
        self.address = self.address.saturating_add(self.dialect.length(&inst));
    }

    fn resolve(&mut self) {
        for fix in std::mem::take(&mut self.fixes) {
            let Reference {
                label,
                addend,
                memory,
                start,
                end,
            } = fix.reference;
            let found = match label {
                Label::Named(name) => self
                    .locals
                    .get(&(fix.object, name))
                    .or_else(|| self.globals.get(name.as_str()))
                    .copied(),
                Label::Numeric { label, forward } => {
                    self.numeric(fix.object, *label, *forward, fix.placed)
                }
            };
            let address = found.map(|address| i64::from(address).saturating_add(*addend));
            match address.and_then(|address| u32::try_from(address).ok()) {
                Some(address) => {
                    let inst = &mut self.placed[fix.placed].inst;
                    self.dialect.resolve(inst, address, *memory);
                }
                None => {
                    let name = match label {
                        Label::Named(name) => name.clone(),
                        Label::Numeric { label, forward } => {
                            format!("{label}{}", if *forward { 'f' } else { 'b' })
                        }
                    };
                    let problem = Problem {
                        start: *start,
                        end: *end,
                        found: format!("unknown label `{name}`"),
                        expected: "a label that is defined".to_owned(),
                    };
                    self.mistakes.push((self.placed[fix.placed].line, problem));
                }
            }
        }
    }

    /// `2f` is the next label 2 after the instruction, `2b` the last one before it or at it.
    fn numeric(&self, object: u32, label: u32, forward: bool, from: usize) -> Option<u32> {
        let labels = self.numeric.get(&(object, label))?;
        let after = labels.partition_point(|(before, _)| *before <= from);
        let index = if forward {
            after
        } else {
            after.checked_sub(1)?
        };
        labels.get(index).map(|(_, address)| *address)
    }
}

fn error(line: &AsmLine, problem: &Problem) -> AsmError {
    let chars = |end: usize| {
        let until = line.text.char_indices().take_while(|(at, _)| *at < end);
        let past = end.saturating_sub(line.text.len());
        (until.count() + past) as u32
    };
    let start = chars(problem.start);
    AsmError {
        file: line.file.clone(),
        line: line.line,
        column: start + 1,
        width: chars(problem.end).saturating_sub(start).max(1),
        text: line.text.clone(),
        found: problem.found.clone(),
        expected: problem.expected.clone(),
    }
}
