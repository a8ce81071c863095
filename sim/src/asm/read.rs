//! Objects to placed instructions: statements are read, lengths add up to addresses, labels are
//! resolved.

use std::collections::HashMap;

use super::AsmError;
use super::cursor::{Cursor, Label, Problem, Reference};
use super::dialect::Dialect;
use super::lex::{self, Token, TokenKind};
use crate::program::{Object, Part, Rights};
use crate::view::AsmLine;

/// Finds the number of a service of the host.
pub(crate) type Services<'s> = &'s dyn Fn(&str) -> Option<u16>;

/// The largest text, in bytes of instructions. Everything lies below 2³¹.
const MAX_BYTES: u32 = 64 << 20;

/// All instructions, placed.
pub(crate) struct Assembly<I> {
    pub placed: Vec<Placed<I>>,
    pub listing: Vec<AsmLine>,
    /// Labels that every object sees, with their addresses.
    pub labels: HashMap<String, u32>,
    /// One past the last instruction.
    pub end: u32,
}

/// An instruction in memory.
pub(crate) struct Placed<I> {
    pub inst: I,
    pub address: u32,
    /// Its line in the listing.
    pub line: u32,
    /// What it may do, as its part says.
    pub rights: Rights,
}

/// Reads objects and places their instructions from `base` on. `data` gives the address of each
/// further label, once it knows where the text ends.
pub(crate) fn read<D: Dialect>(
    dialect: &D,
    objects: &[Object],
    base: u32,
    services: Services<'_>,
    data: impl FnOnce(u32) -> Vec<(String, u32)>,
) -> Result<Assembly<D::Inst>, Vec<AsmError>> {
    let mut reader = Reader {
        dialect,
        services,
        address: base,
        placed: Vec::new(),
        fixes: Vec::new(),
        listing: Vec::new(),
        globals: HashMap::new(),
        locals: HashMap::new(),
        numeric: HashMap::new(),
        errors: Vec::new(),
        object: 0,
    };
    for (number, object) in objects.iter().enumerate() {
        reader.object = number as u32;
        for part in &object.parts {
            reader.part(part);
        }
    }
    let end = reader.address;
    for (name, address) in data(end) {
        reader.globals.entry(name).or_insert(address);
    }
    reader.resolve();
    reader.errors.truncate(100);
    match reader.errors.is_empty() {
        false => Err(reader.errors),
        true => Ok(Assembly {
            placed: reader.placed,
            listing: reader.listing,
            labels: reader.globals,
            end,
        }),
    }
}

/// A reference that waits for its label.
struct Fix {
    placed: usize,
    object: u32,
    reference: Reference,
}

struct Reader<'d, D: Dialect> {
    dialect: &'d D,
    services: Services<'d>,
    address: u32,
    placed: Vec<Placed<D::Inst>>,
    fixes: Vec<Fix>,
    listing: Vec<AsmLine>,
    globals: HashMap<String, u32>,
    /// `.L` labels, by object.
    locals: HashMap<(u32, String), u32>,
    /// Numeric labels by object and number: the index of the instruction that each stands
    /// before, and its address, in order.
    numeric: HashMap<(u32, u32), Vec<(usize, u32)>>,
    errors: Vec<AsmError>,
    object: u32,
}

impl<D: Dialect> Reader<'_, D> {
    fn part(&mut self, part: &Part) {
        let mut in_block = false;
        for (number, text) in part.text.lines().enumerate() {
            let stripped = lex::strip(text, self.dialect.comments(), &mut in_block);
            self.listing.push(AsmLine {
                address: None,
                text: stripped.code.trim_end().to_owned(),
                comment: stripped.comment,
                file: part.file.clone(),
                line: part.first_line.saturating_add(number as u32),
                function: None,
                statement: part.statements.get(number).copied().flatten(),
            });
            let tokens = lex::tokens(&stripped.code);
            for statement in tokens.split(|token| token.kind == TokenKind::Sign(';')) {
                if let Err(problem) = self.statement(statement, part.rights) {
                    let line = self.listing.len() - 1;
                    self.error(line, &problem);
                }
            }
        }
    }

    /// Labels, then at most one instruction.
    fn statement(&mut self, mut tokens: &[Token<'_>], rights: Rights) -> Result<(), Problem> {
        while let [label, colon, rest @ ..] = tokens {
            if colon.kind != TokenKind::Sign(':') {
                break;
            }
            self.define(*label)?;
            tokens = rest;
        }
        let Some(first) = tokens.first() else {
            return Ok(());
        };
        let mut cursor = Cursor::new(tokens);
        let TokenKind::Word(mnemonic) = first.kind else {
            return Err(cursor.unexpected("an instruction or a label"));
        };
        cursor.advance();
        let inst = match (mnemonic, rights) {
            ("host", Rights::Host) => self.host(&mut cursor)?,
            _ => match self.dialect.parse(mnemonic, &mut cursor) {
                Some(inst) => inst?,
                None => {
                    return Err(Problem {
                        start: first.start,
                        end: first.end,
                        found: format!("unknown instruction `{mnemonic}`"),
                        expected: "an instruction of the documented subset".to_owned(),
                    });
                }
            },
        };
        self.place(inst, cursor.reference, rights);
        if self.address > MAX_BYTES {
            return Err(Problem {
                start: first.start,
                end: first.end,
                found: "too many instructions".to_owned(),
                expected: format!("at most {MAX_BYTES} bytes of them"),
            });
        }
        Ok(())
    }

    fn host(&self, cursor: &mut Cursor<'_>) -> Result<D::Inst, Problem> {
        let service = match cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Word(name)) => (self.services)(name),
            _ => None,
        };
        let service = service.ok_or_else(|| cursor.unexpected("a service of the runtime"))?;
        cursor.advance();
        cursor.expect_end()?;
        Ok(self.dialect.host(service))
    }

    fn place(&mut self, inst: D::Inst, reference: Option<Reference>, rights: Rights) {
        if let Some(reference) = reference {
            self.fixes.push(Fix {
                placed: self.placed.len(),
                object: self.object,
                reference,
            });
        }
        let line = self.listing.len() - 1;
        self.listing[line]
            .address
            .get_or_insert(u64::from(self.address));
        self.placed.push(Placed {
            inst,
            address: self.address,
            line: line as u32,
            rights,
        });
        self.address = self.address.saturating_add(self.dialect.length(&inst));
    }

    fn define(&mut self, label: Token<'_>) -> Result<(), Problem> {
        let twice = |found: String| Problem {
            start: label.start,
            end: label.end,
            found,
            expected: "a name that is not taken".to_owned(),
        };
        let (here, object) = (self.address, self.object);
        let old = match label.kind {
            TokenKind::Number(number) if u32::try_from(number).is_ok() => {
                let labels = self.numeric.entry((object, number as u32)).or_default();
                labels.push((self.placed.len(), here));
                None
            }
            TokenKind::Word(name) if name.starts_with(".L") => {
                self.locals.insert((object, name.to_owned()), here)
            }
            TokenKind::Word(name) => self.globals.insert(name.to_owned(), here),
            kind => {
                return Err(Problem {
                    expected: "a label".to_owned(),
                    ..twice(super::cursor::describe(kind))
                });
            }
        };
        match (old, label.kind) {
            (Some(_), TokenKind::Word(name)) => Err(twice(format!("a second label `{name}`"))),
            _ => Ok(()),
        }
    }

    fn resolve(&mut self) {
        for fix in std::mem::take(&mut self.fixes) {
            let Reference {
                label,
                addend,
                memory,
                start,
                end,
            } = &fix.reference;
            let found = match label {
                Label::Named(name) => self
                    .locals
                    .get(&(fix.object, name.clone()))
                    .or_else(|| self.globals.get(name))
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
                    self.error(self.placed[fix.placed].line as usize, &problem);
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

    fn error(&mut self, line: usize, problem: &Problem) {
        let line = &self.listing[line];
        let chars = |end: usize| {
            let until = line.text.char_indices().take_while(|(at, _)| *at < end);
            let past = end.saturating_sub(line.text.len());
            (until.count() + past) as u32
        };
        let start = chars(problem.start);
        self.errors.push(AsmError {
            file: line.file.clone(),
            line: line.line,
            column: start + 1,
            width: chars(problem.end).saturating_sub(start).max(1),
            text: line.text.clone(),
            found: problem.found.clone(),
            expected: problem.expected.clone(),
        });
    }
}
