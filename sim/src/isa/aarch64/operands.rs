//! Reading operands, and whether their encoding can hold them.

use super::registers::{SP, ZR, is_float, register};
use super::{Address, Alu, Condition, Mode, Shift, Source};
use crate::asm::cursor::{Cursor, Parsed};
use crate::asm::lex::TokenKind;
use crate::isa::{Reg, Width};

/// The operands of one instruction.
pub(super) struct Operands<'c, 't> {
    pub cursor: &'c mut Cursor<'t>,
    pub name: &'c str,
}

/// A register that is not shifted.
pub(super) fn plain(reg: Reg) -> Source {
    Source::Reg {
        reg,
        shift: Shift::Lsl,
        amount: 0,
    }
}

/// Whether a constant can be encoded in a logical instruction: a run of ones, rotated, in
/// elements of 2, 4, 8, 16, 32 or 64 bits that are all equal (Arm ARM, DecodeBitMasks).
pub(super) fn is_bitmask(value: u64, width: Width) -> bool {
    [2_u32, 4, 8, 16, 32, 64]
        .into_iter()
        .filter(|size| *size <= width.bits())
        .any(|size| {
            let mask = u64::MAX >> (64 - size);
            let element = value & mask;
            let repeats = (0..width.bits() / size).all(|n| value >> (n * size) & mask == element);
            let rotated = (element >> 1 | element << (size - 1)) & mask;
            // One run of ones, seen in a circle, has two edges.
            repeats && element != 0 && element != mask && (element ^ rotated).count_ones() == 2
        })
}

/// The condition of a name.
pub(super) fn condition(name: &str) -> Option<Condition> {
    Some(match name {
        "eq" => Condition::Eq,
        "ne" => Condition::Ne,
        "hs" | "cs" => Condition::Hs,
        "lo" | "cc" => Condition::Lo,
        "mi" => Condition::Mi,
        "pl" => Condition::Pl,
        "vs" => Condition::Vs,
        "vc" => Condition::Vc,
        "hi" => Condition::Hi,
        "ls" => Condition::Ls,
        "ge" => Condition::Ge,
        "lt" => Condition::Lt,
        "gt" => Condition::Gt,
        "le" => Condition::Le,
        _ => return None,
    })
}

impl Operands<'_, '_> {
    pub(super) fn comma(&mut self) -> Parsed<()> {
        self.cursor.expect(',')
    }

    /// Any register.
    pub(super) fn register(&mut self) -> Parsed<(Reg, Width)> {
        let found = match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Word(name)) => register(name),
            _ => None,
        };
        let found = found.ok_or_else(|| self.cursor.unexpected("a register"))?;
        self.cursor.advance();
        Ok(found)
    }

    /// A general register, sp or zr.
    pub(super) fn general(&mut self) -> Parsed<(Reg, Width)> {
        let mark = self.cursor.mark();
        let (reg, width) = self.register()?;
        match is_float(reg) {
            false => Ok((reg, width)),
            true => Err(self
                .cursor
                .wrong_since(mark, "a d register", "an x or w register")),
        }
    }

    /// A general register of this width.
    pub(super) fn of_width(&mut self, width: Width) -> Parsed<Reg> {
        let mark = self.cursor.mark();
        let (reg, found) = self.general()?;
        match found == width {
            true => Ok(reg),
            false => Err(self.cursor.wrong_since(
                mark,
                "a register of another width",
                if width == Width::Double {
                    "an x register"
                } else {
                    "a w register"
                },
            )),
        }
    }

    pub(super) fn is_constant(&self) -> bool {
        matches!(
            self.cursor.peek().map(|token| token.kind),
            Some(TokenKind::Number(_) | TokenKind::Sign('#' | '-'))
        )
    }

    /// `#123`, `123`.
    pub(super) fn constant(&mut self) -> Parsed<i64> {
        self.cursor.eat('#');
        self.cursor.number()
    }

    pub(super) fn constant_in(&mut self, low: i64, high: i64) -> Parsed<i64> {
        let mark = self.cursor.mark();
        let value = self.constant()?;
        match (low..=high).contains(&value) {
            true => Ok(value),
            false => {
                let expected = format!("a constant from {low} to {high}");
                Err(self
                    .cursor
                    .wrong_since(mark, "a constant out of range", &expected))
            }
        }
    }

    /// The right operand of an operation: a constant that can be encoded, or a register.
    pub(super) fn source(&mut self, op: Alu, width: Width) -> Parsed<Source> {
        if !self.is_constant() {
            return self.shifted(width);
        }
        let mark = self.cursor.mark();
        let value = self.constant()?;
        let fits = match op {
            Alu::Add | Alu::Sub => {
                (0..=0xfff).contains(&value) || value & 0xfff == 0 && value >> 24 == 0
            }
            _ => is_bitmask(value as u64 & width.mask(), width),
        };
        match fits {
            true => Ok(Source::Imm(value)),
            false => Err(self.cursor.wrong_since(
                mark,
                "a constant that cannot be encoded",
                "0 to 4095, or a bitmask for a logical instruction",
            )),
        }
    }

    /// `reg`, `reg, lsl #i`.
    pub(super) fn shifted(&mut self, width: Width) -> Parsed<Source> {
        let reg = self.of_width(width)?;
        if !self.cursor.eat(',') {
            return Ok(plain(reg));
        }
        let shift = if self.cursor.eat_word("lsl") {
            Shift::Lsl
        } else if self.cursor.eat_word("lsr") {
            Shift::Lsr
        } else if self.cursor.eat_word("asr") {
            Shift::Asr
        } else {
            return Err(self.cursor.unexpected("`lsl`, `lsr` or `asr`"));
        };
        let amount = self.constant_in(0, i64::from(width.bits()) - 1)? as u8;
        Ok(Source::Reg { reg, shift, amount })
    }

    pub(super) fn fpcr(&mut self) -> Parsed<()> {
        match self.cursor.eat_word("fpcr") {
            true => Ok(()),
            false => Err(self.cursor.unexpected("`fpcr`")),
        }
    }

    /// The address of a transfer of `count` registers.
    pub(super) fn address(&mut self, width: Width, count: i64) -> Parsed<Address> {
        let mark = self.cursor.mark();
        self.cursor.expect('[')?;
        let base = self.of_width(Width::Double)?;
        let mut mode = Mode::Offset(0);
        if self.cursor.eat(',') {
            if self.is_constant() {
                mode = Mode::Offset(self.offset()?);
            } else {
                mode = self.index(width, count)?;
            }
        }
        self.cursor.expect(']')?;
        if self.cursor.eat('!') {
            mode = match mode {
                Mode::Offset(offset) => Mode::Pre(offset),
                _ => {
                    return Err(self
                        .cursor
                        .wrong_since(mark, "an index with `!`", "a constant"));
                }
            };
        } else if mode == Mode::Offset(0) && self.cursor.eat(',') {
            mode = Mode::Post(self.offset()?);
        }
        match fits(mode, i64::from(width.bytes()), count) && base != ZR {
            true => Ok(Address { base, mode }),
            false => Err(self.cursor.wrong_since(
                mark,
                "an address that cannot be encoded",
                "a base and a smaller offset",
            )),
        }
    }

    pub(super) fn offset(&mut self) -> Parsed<i32> {
        let value = self.constant_in(i64::from(i16::MIN), 0x7fff)?;
        Ok(value as i32)
    }

    /// `index`, `index, lsl #i`.
    pub(super) fn index(&mut self, width: Width, count: i64) -> Parsed<Mode> {
        let mark = self.cursor.mark();
        let index = self.of_width(Width::Double)?;
        let mut shift = 0;
        if self.cursor.eat(',') {
            if !self.cursor.eat_word("lsl") {
                return Err(self.cursor.unexpected("`lsl`"));
            }
            shift = self.constant_in(0, 4)? as u8;
        }
        let scaled = 1 << shift == width.bytes() || shift == 0;
        match scaled && count == 1 && index != SP {
            true => Ok(Mode::Index { index, shift }),
            false => Err(self.cursor.wrong_since(
                mark,
                "an index that cannot be encoded",
                "a register, not shifted or by the operand's size",
            )),
        }
    }
}

/// Whether an address can be encoded for a transfer of so many registers of so many bytes.
fn fits(mode: Mode, size: i64, count: i64) -> bool {
    let offset = match mode {
        Mode::Offset(offset) | Mode::Pre(offset) | Mode::Post(offset) => i64::from(offset),
        Mode::Index { .. } => return true,
    };
    if count == 2 {
        return offset % size == 0 && (-64..64).contains(&(offset / size));
    }
    let small = (-256..256).contains(&offset);
    let scaled = offset % size == 0 && (0..4096).contains(&(offset / size));
    small || matches!(mode, Mode::Offset(_)) && scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitmasks_are_rotated_runs_of_ones() {
        for value in [
            1,
            0xff,
            0xf0,
            0x8000_0000_0000_0001,
            !1,
            0x5555_5555_5555_5555,
        ] {
            assert!(is_bitmask(value, Width::Double), "{value:#x}");
        }
        for value in [0, u64::MAX, 5, 0x1234] {
            assert!(!is_bitmask(value, Width::Double), "{value:#x}");
        }
        assert!(is_bitmask(0xffff_fff0, Width::Word));
    }
}
