//! Operands and the handlers of the table's forms: tokens to [`Inst`].

use super::registers::general;
use super::{Alu, Condition, Inst, Mem, Operand, Shift};
use crate::asm::cursor::{Cursor, Parsed, Problem};
use crate::asm::lex::TokenKind;
use crate::isa::{Reg, Width};

/// Parses one instruction after its mnemonic. `None` if there is no such mnemonic.
pub(crate) fn parse(
    mnemonic: &str,
    cursor: &mut Cursor<'_>,
    long_mode: bool,
) -> Option<Parsed<Inst>> {
    let name = mnemonic.to_ascii_lowercase();
    let form = super::FORMS
        .iter()
        .find(|form| form.mnemonics.contains(&name.as_str()))?;
    let mut operands = Operands {
        cursor,
        long_mode,
        name: &name,
    };
    let inst = (form.parse)(&mut operands);
    Some(inst.and_then(|inst| cursor.expect_end().map(|()| inst)))
}

/// An operand with what its text says about its width.
#[derive(Clone, Copy)]
struct Sized {
    operand: Operand,
    width: Option<Width>,
    /// For messages.
    mark: usize,
}

/// The operands of one instruction.
pub(super) struct Operands<'c, 't> {
    cursor: &'c mut Cursor<'t>,
    long_mode: bool,
    name: &'c str,
}

/// `mov target, source`.
pub(super) fn mov(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, source, width) = o.target_and_source()?;
    if matches!(target, Operand::Mem(_)) || width != Width::Double {
        o.check_constant(source, width)?;
    }
    Ok(Inst::Mov {
        width,
        target,
        source,
    })
}

/// `movzx target, source`, `movsx target, source`, `movsxd target, source`.
pub(super) fn widen(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.register()?;
    o.cursor.expect(',')?;
    let source = o.place()?;
    let Some(from) = source.width.filter(|from| *from < width) else {
        return Err(o.cursor.wrong_since(
            source.mark,
            "a source that is not narrower",
            "a narrower register, or memory with its size, such as `byte ptr`",
        ));
    };
    Ok(Inst::Widen {
        signed: o.name != "movzx",
        width,
        from,
        target,
        source: source.operand,
    })
}

/// `lea target, [address]`.
pub(super) fn lea(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.register()?;
    o.cursor.expect(',')?;
    let address = o.memory()?;
    Ok(Inst::Lea {
        width,
        target,
        address,
    })
}

/// `xchg target, source`.
pub(super) fn xchg(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let mark = o.cursor.mark();
    let (target, source, width) = o.target_and_source()?;
    let (target, source) = match (target, source) {
        (target, Operand::Reg(source)) => (target, source),
        (Operand::Reg(target), source @ Operand::Mem(_)) => (source, target),
        _ => {
            return Err(o.cursor.wrong_since(
                mark,
                "a constant",
                "two registers, or one and memory",
            ));
        }
    };
    Ok(Inst::Xchg {
        width,
        target,
        source,
    })
}

/// `push source`.
pub(super) fn push(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let source = o.operand()?;
    o.check_word(source)?;
    o.check_constant(source.operand, Width::Word)?;
    Ok(Inst::Push {
        source: source.operand,
    })
}

/// `pop target`.
pub(super) fn pop(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let target = o.place()?;
    o.check_word(target)?;
    Ok(Inst::Pop {
        target: target.operand,
    })
}

/// `add target, source` and its kin.
pub(super) fn alu(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "add" => Alu::Add,
        "sub" => Alu::Sub,
        "cmp" => Alu::Cmp,
        "and" => Alu::And,
        "test" => Alu::Test,
        "or" => Alu::Or,
        _ => Alu::Xor,
    };
    let (target, source, width) = o.target_and_source()?;
    o.check_constant(source, width)?;
    Ok(Inst::Alu {
        op,
        width,
        target,
        source,
    })
}

/// `inc target`, `dec target`, `neg target`, `not target`.
pub(super) fn unary(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let place = o.place()?;
    let (target, width) = (place.operand, o.width_of(place)?);
    Ok(match o.name {
        "neg" => Inst::Neg { width, target },
        "not" => Inst::Not { width, target },
        name => Inst::Step {
            down: name == "dec",
            width,
            target,
        },
    })
}

/// `imul target, source` and `imul target, source, constant`.
pub(super) fn imul(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let mark = o.cursor.mark();
    let (target, width) = o.register()?;
    if width == Width::Byte {
        return Err(o
            .cursor
            .wrong_since(mark, "a byte register", "a wider register"));
    }
    o.cursor.expect(',')?;
    let source = o.place()?;
    o.same_width(width, source)?;
    let mut constant = None;
    if o.cursor.eat(',') {
        let mark = o.cursor.mark();
        let value = o.cursor.number()?;
        constant = Some(i32::try_from(value).map_err(|_| {
            o.cursor
                .wrong_since(mark, "a constant out of range", "a 32-bit constant")
        })?);
    }
    Ok(Inst::Imul {
        width,
        target,
        source: source.operand,
        constant,
    })
}

/// `idiv source`.
pub(super) fn idiv(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let source = o.place()?;
    let width = o.width_of(source)?;
    if width < Width::Word {
        return Err(o
            .cursor
            .wrong_since(source.mark, "a narrow divisor", "four or eight bytes"));
    }
    Ok(Inst::Idiv {
        width,
        source: source.operand,
    })
}

/// `cdq`, `cqo`.
pub(super) fn sign_to_dx(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let width = match o.name {
        "cdq" => Width::Word,
        _ => {
            o.long_mode_only()?;
            Width::Double
        }
    };
    Ok(Inst::SignToDx { width })
}

/// `shl target, count` and its kin.
pub(super) fn shift(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "shl" | "sal" => Shift::Shl,
        "shr" => Shift::Shr,
        _ => Shift::Sar,
    };
    let place = o.place()?;
    let (target, width) = (place.operand, o.width_of(place)?);
    o.cursor.expect(',')?;
    let mark = o.cursor.mark();
    let count = if o.cursor.eat_word("cl") {
        None
    } else {
        let count = o.cursor.number()?;
        Some(u8::try_from(count).map_err(|_| {
            o.cursor
                .wrong_since(mark, "a count out of range", "cl or a count below 256")
        })?)
    };
    Ok(Inst::Shift {
        op,
        width,
        target,
        count,
    })
}

/// `setcc target`.
pub(super) fn set(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let target = o.place()?;
    o.same_width(Width::Byte, target)?;
    Ok(Inst::Set {
        condition: condition(&o.name["set".len()..]),
        target: target.operand,
    })
}

/// `jcc label`.
pub(super) fn branch(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    o.cursor.label()?;
    Ok(Inst::Branch {
        condition: condition(&o.name["j".len()..]),
        to: 0,
    })
}

/// `jmp label`, `jmp target`, `call label`, `call target`.
pub(super) fn jump(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let call = o.name == "call";
    if o.names_label() {
        o.cursor.label()?;
        return Ok(match call {
            true => Inst::Call { to: 0 },
            false => Inst::Jump { to: 0 },
        });
    }
    let place = o.place()?;
    o.check_word(place)?;
    let target = place.operand;
    Ok(match call {
        true => Inst::CallIndirect { target },
        false => Inst::JumpIndirect { target },
    })
}

/// `ret`, `ret n`.
pub(super) fn ret(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    if o.cursor.peek().is_none() {
        return Ok(Inst::Ret { drop: 0 });
    }
    let mark = o.cursor.mark();
    let drop = u16::try_from(o.cursor.number()?).map_err(|_| {
        o.cursor
            .wrong_since(mark, "a number out of range", "at most 65535")
    })?;
    Ok(Inst::Ret { drop })
}

/// `stmxcsr`, `ldmxcsr`, `fnstcw`, `fldcw`.
pub(super) fn control(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let needed = match o.name {
        "stmxcsr" | "ldmxcsr" => Width::Word,
        _ => Width::Half,
    };
    let place = o.place()?;
    o.same_width(needed, place)?;
    let Operand::Mem(address) = place.operand else {
        return Err(o
            .cursor
            .wrong_since(place.mark, "a register", "memory in brackets"));
    };
    Ok(match o.name {
        "stmxcsr" | "ldmxcsr" => Inst::Mxcsr {
            store: o.name == "stmxcsr",
            address,
        },
        name => Inst::Fpcw {
            store: name == "fnstcw",
            address,
        },
    })
}

/// `leave`.
pub(super) fn leave(_: &mut Operands<'_, '_>) -> Parsed<Inst> {
    Ok(Inst::Leave)
}

/// `nop`, `endbr64`, `endbr32`.
pub(super) fn nop(_: &mut Operands<'_, '_>) -> Parsed<Inst> {
    Ok(Inst::Nop)
}

/// `ud2`.
pub(super) fn undefined(_: &mut Operands<'_, '_>) -> Parsed<Inst> {
    Ok(Inst::Undefined)
}

/// The condition of a `jcc` or `setcc`; the table lists only those that there are.
fn condition(suffix: &str) -> Condition {
    match suffix {
        "o" => Condition::Overflow,
        "no" => Condition::NotOverflow,
        "b" | "c" | "nae" => Condition::Below,
        "ae" | "nc" | "nb" => Condition::AboveOrEqual,
        "ne" | "nz" => Condition::NotEqual,
        "be" | "na" => Condition::BelowOrEqual,
        "a" | "nbe" => Condition::Above,
        "s" => Condition::Sign,
        "ns" => Condition::NotSign,
        "l" | "nge" => Condition::Less,
        "ge" | "nl" => Condition::GreaterOrEqual,
        "le" | "ng" => Condition::LessOrEqual,
        "g" | "nle" => Condition::Greater,
        _ => Condition::Equal,
    }
}

impl Operands<'_, '_> {
    fn word(&self) -> Width {
        match self.long_mode {
            true => Width::Double,
            false => Width::Word,
        }
    }

    fn long_mode_only(&self) -> Parsed<()> {
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

    fn register(&mut self) -> Parsed<(Reg, Width)> {
        self.try_register()
            .ok_or_else(|| self.cursor.unexpected("a register"))
    }

    /// Whether a label comes next, rather than a register or memory.
    fn names_label(&self) -> bool {
        match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Numeric { .. }) => true,
            Some(TokenKind::Word(name)) => {
                general(name, self.long_mode).is_none() && size(name).is_none()
            }
            _ => false,
        }
    }

    /// A register, a constant or memory.
    fn operand(&mut self) -> Parsed<Sized> {
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
    fn place(&mut self) -> Parsed<Sized> {
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
    fn memory(&mut self) -> Parsed<Mem> {
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
    fn target_and_source(&mut self) -> Parsed<(Operand, Operand, Width)> {
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
    fn width_of(&self, place: Sized) -> Parsed<Width> {
        place.width.ok_or_else(|| {
            let expected = "its size, such as `qword ptr`";
            self.cursor
                .wrong_since(place.mark, "memory of unknown size", expected)
        })
    }

    /// A place must be of this width, if its text says anything about that.
    fn same_width(&self, width: Width, place: Sized) -> Parsed<()> {
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

    fn check_word(&self, place: Sized) -> Parsed<()> {
        self.same_width(self.word(), place)
    }

    /// A constant must fit the width, signed or unsigned; wider than four bytes, it must be a
    /// signed 32-bit number.
    fn check_constant(&self, source: Operand, width: Width) -> Parsed<()> {
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
