//! Reading operands.

use super::registers::general;
use super::{Mem, Operand};
use crate::asm::cursor::{Cursor, Parsed, Problem};
use crate::asm::lex::TokenKind;
use crate::isa::{Reg, Width};

/// An operand with what its text says about its width.
#[derive(Clone, Copy)]
pub(super) struct Sized {
    pub operand: Operand,
    pub width: Option<Width>,
    /// For messages.
    pub mark: usize,
}

/// The operands of one instruction.
pub(super) struct Operands<'c, 't> {
    pub cursor: &'c mut Cursor<'t>,
    pub long_mode: bool,
    pub name: &'c str,
}

impl Operands<'_, '_> {
    fn word(&self) -> Width {
        match self.long_mode {
            true => Width::Double,
            false => Width::Word,
        }
    }

    pub(super) fn long_mode_only(&self) -> Parsed<()> {
        match self.long_mode {
            true => Ok(()),
            false => Err(Problem {
                start: 0,
                end: self.name.len(),
                found: format!("`{}` on i386", self.name),
                expected: "an instruction of i386".to_owned(),
            }),
        }
    }

    /// A register's name, taken if it is one.
    fn try_register(&mut self) -> Option<(Reg, Width)> {
        let TokenKind::Word(name) = self.cursor.peek()?.kind else {
            return None;
        };
        let register = general(name, self.long_mode)?;
        self.cursor.advance();
        Some(register)
    }

    pub(super) fn register(&mut self) -> Parsed<(Reg, Width)> {
        self.try_register()
            .ok_or_else(|| self.cursor.unexpected("a register"))
    }

    /// Whether a label comes next, rather than a register or memory.
    pub(super) fn names_label(&self) -> bool {
        match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Numeric { .. }) => true,
            Some(TokenKind::Word(name)) => {
                general(name, self.long_mode).is_none() && size(name).is_none()
            }
            _ => false,
        }
    }

    /// A register, a constant or memory.
    pub(super) fn operand(&mut self) -> Parsed<Sized> {
        let mark = self.cursor.mark();
        let constant = match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Number(_) | TokenKind::Sign('-')) => self.cursor.number()?,
            Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case("offset") => {
                self.cursor.advance();
                self.cursor.label()?;
                0
            }
            _ => return self.place_or("a register, a constant or memory in brackets"),
        };
        Ok(Sized {
            operand: Operand::Imm(constant),
            width: None,
            mark,
        })
    }

    /// A register or memory.
    pub(super) fn place(&mut self) -> Parsed<Sized> {
        self.place_or("a register or memory in brackets")
    }

    fn place_or(&mut self, expected: &str) -> Parsed<Sized> {
        let mark = self.cursor.mark();
        if let Some((reg, width)) = self.try_register() {
            return Ok(Sized {
                operand: Operand::Reg(reg),
                width: Some(width),
                mark,
            });
        }
        let width = match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Word(word)) => size(word),
            _ => None,
        };
        if width.is_some() {
            self.cursor.advance();
            if !self.cursor.eat_word("ptr") {
                return Err(self.cursor.unexpected("`ptr`"));
            }
        } else if self.cursor.peek().map(|token| token.kind) != Some(TokenKind::Sign('[')) {
            return Err(self.cursor.unexpected(expected));
        }
        Ok(Sized {
            operand: Operand::Mem(self.memory()?),
            width,
            mark,
        })
    }

    /// `[base + index*scale + displacement]`, in any order.
    pub(super) fn memory(&mut self) -> Parsed<Mem> {
        let mark = self.cursor.mark();
        self.cursor.expect('[')?;
        let mut terms = Terms::default();
        loop {
            self.term(&mut terms)?;
            if self.cursor.eat(']') {
                break;
            }
            match self.cursor.peek().map(|token| token.kind) {
                Some(TokenKind::Sign('+')) => self.cursor.advance(),
                Some(TokenKind::Sign('-')) => {}
                _ => return Err(self.cursor.unexpected("`+`, `-` or `]`")),
            }
        }
        self.finish(terms, mark)
    }

    /// One term of an address.
    fn term(&mut self, terms: &mut Terms) -> Parsed<()> {
        let mark = self.cursor.mark();
        if self.long_mode && self.cursor.eat_word("rip") {
            if terms.rip {
                return Err(self.cursor.wrong_since(mark, "a second rip", "a label"));
            }
            terms.rip = true;
            return Ok(());
        }
        if let Some((reg, width)) = self.try_register() {
            if width != self.word() {
                let expected = format!("a register of {} bytes", self.word().bytes());
                return Err(self
                    .cursor
                    .wrong_since(mark, "a narrow register", &expected));
            }
            let scaled = self.cursor.eat('*');
            let scale = if scaled { self.scale()? } else { 1 };
            return self.add_register(terms, reg, scale, scaled, mark);
        }
        if let (Some(TokenKind::Number(_)), Some(TokenKind::Sign('*'))) =
            (self.cursor.peek_after(0), self.cursor.peek_after(1))
        {
            let scale = self.scale()?;
            self.cursor.advance();
            let (reg, _) = self.register()?;
            return self.add_register(terms, reg, scale, true, mark);
        }
        match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Word(_) | TokenKind::Numeric { .. }) => {
                self.cursor.label()?;
                terms.label = true;
            }
            _ => {
                let value = self.cursor.number()?;
                terms.disp = terms.disp.saturating_add(value);
            }
        }
        Ok(())
    }

    fn scale(&mut self) -> Parsed<u8> {
        let mark = self.cursor.mark();
        match self.cursor.number()? {
            scale @ (1 | 2 | 4 | 8) => Ok(scale as u8),
            _ => Err(self
                .cursor
                .wrong_since(mark, "another scale", "1, 2, 4 or 8")),
        }
    }

    fn add_register(
        &self,
        terms: &mut Terms,
        reg: Reg,
        scale: u8,
        scaled: bool,
        mark: usize,
    ) -> Parsed<()> {
        let is_sp = reg == super::registers::SP;
        if !scaled && terms.base.is_none() {
            terms.base = Some(reg);
        } else if terms.index.is_none() && !is_sp {
            terms.index = Some(reg);
            terms.scale = scale;
        } else if terms.index.is_none() && scale == 1 && terms.base.is_some() {
            // sp cannot be an index, but it may stand second: `[rax + rsp]`.
            terms.index = terms.base.replace(reg);
            terms.scale = 1;
        } else {
            let found = if is_sp {
                "sp as an index"
            } else {
                "a third register"
            };
            let expected = "a base and one index, which is not sp";
            return Err(self.cursor.wrong_since(mark, found, expected));
        }
        Ok(())
    }

    /// Checks the terms of an address against each other.
    fn finish(&mut self, terms: Terms, mark: usize) -> Parsed<Mem> {
        let wrong = |found, expected| Err(self.cursor.wrong_since(mark, found, expected));
        if terms.rip && (terms.base.is_some() || terms.index.is_some()) {
            return wrong("rip with another register", "rip and a label");
        }
        if terms.rip && !terms.label {
            return wrong("rip without a label", "`[rip + label]`");
        }
        if self.long_mode && terms.label && !terms.rip {
            return wrong("a label without rip", "`[rip + label]`");
        }
        let Ok(disp) = i32::try_from(terms.disp) else {
            return wrong("a displacement out of range", "a 32-bit displacement");
        };
        let mut disp = disp;
        if terms.label
            && let Some(reference) = &mut self.cursor.reference
        {
            reference.addend = i64::from(disp);
            reference.memory = true;
            disp = 0;
        }
        Ok(Mem {
            base: terms.base,
            index: terms.index,
            scale: terms.scale.max(1),
            disp,
        })
    }

    /// Both operands and their one width.
    pub(super) fn target_and_source(&mut self) -> Parsed<(Operand, Operand, Width)> {
        let target = self.place()?;
        self.cursor.expect(',')?;
        let source = self.operand()?;
        let wrong =
            |found: &str, expected| Err(self.cursor.wrong_since(target.mark, found, expected));
        if let (Operand::Mem(_), Operand::Mem(_)) = (target.operand, source.operand) {
            return wrong("memory on both sides", "memory on one side at most");
        }
        let width = match (target.width, source.width) {
            (Some(a), Some(b)) if a != b => {
                return wrong("operands of different widths", "equal widths");
            }
            (Some(width), _) | (None, Some(width)) => width,
            (None, None) => {
                return wrong("memory of unknown size", "its size, such as `qword ptr`");
            }
        };
        Ok((target.operand, source.operand, width))
    }

    /// The width of a place that stands alone.
    pub(super) fn width_of(&self, place: Sized) -> Parsed<Width> {
        place.width.ok_or_else(|| {
            let expected = "its size, such as `qword ptr`";
            self.cursor
                .wrong_since(place.mark, "memory of unknown size", expected)
        })
    }

    /// A place must be of this width, if its text says anything about that.
    pub(super) fn same_width(&self, width: Width, place: Sized) -> Parsed<()> {
        match place.width {
            Some(other) if other != width => {
                let expected = format!("{} byte(s)", width.bytes());
                Err(self
                    .cursor
                    .wrong_since(place.mark, "an operand of another width", &expected))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_word(&self, place: Sized) -> Parsed<()> {
        self.same_width(self.word(), place)
    }

    /// A constant must fit the width, signed or unsigned; wider than four bytes, it must be a
    /// signed 32-bit number.
    pub(super) fn check_constant(&self, source: Operand, width: Width) -> Parsed<()> {
        let Operand::Imm(value) = source else {
            return Ok(());
        };
        let fits = match width {
            Width::Double => i32::try_from(value).is_ok(),
            width => {
                let bits = width.bits();
                (-(1_i64 << (bits - 1))..1_i64 << bits).contains(&value)
            }
        };
        match fits {
            true => Ok(()),
            false => {
                let mark = self.cursor.mark().saturating_sub(1);
                let expected = format!("a constant that fits {} bytes", width.bytes().min(4));
                Err(self
                    .cursor
                    .wrong_since(mark, "a constant out of range", &expected))
            }
        }
    }
}

/// What stands between the brackets.
#[derive(Default)]
struct Terms {
    base: Option<Reg>,
    index: Option<Reg>,
    scale: u8,
    disp: i64,
    rip: bool,
    label: bool,
}

/// The size that a word before `ptr` stands for.
fn size(word: &str) -> Option<Width> {
    match word.to_ascii_lowercase().as_str() {
        "byte" => Some(Width::Byte),
        "word" => Some(Width::Half),
        "dword" => Some(Width::Word),
        "qword" => Some(Width::Double),
        _ => None,
    }
}
