//! Operands and the handlers of the table's forms: tokens to [`Inst`].

use super::registers::{LR, SP, ZR, is_float, register};
use super::{Address, Alu, Condition, Inst, Mode, Shift, Source, WideMove};
use crate::asm::cursor::{Cursor, Parsed};
use crate::asm::lex::TokenKind;
use crate::isa::{Reg, Width};

/// Parses one instruction after its mnemonic. `None` if there is no such mnemonic.
pub(crate) fn parse(mnemonic: &str, cursor: &mut Cursor<'_>) -> Option<Parsed<Inst>> {
    let name = mnemonic.to_ascii_lowercase();
    let form = super::FORMS
        .iter()
        .find(|form| form.mnemonics.contains(&name.as_str()))?;
    let mut operands = Operands {
        cursor,
        name: &name,
    };
    let inst = (form.parse)(&mut operands);
    Some(inst.and_then(|inst| cursor.expect_end().map(|()| inst)))
}

/// The operands of one instruction.
pub(super) struct Operands<'c, 't> {
    cursor: &'c mut Cursor<'t>,
    name: &'c str,
}

/// A register that is not shifted.
fn plain(reg: Reg) -> Source {
    Source::Reg {
        reg,
        shift: Shift::Lsl,
        amount: 0,
    }
}

/// `mov target, source`.
pub(super) fn mov(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.general()?;
    o.comma()?;
    if o.is_constant() {
        let mark = o.cursor.mark();
        let value = o.constant()?;
        return wide_move_of(value as u64 & width.mask(), width, target).ok_or_else(|| {
            let expected = "a constant that movz, movn or a bitmask can make";
            o.cursor
                .wrong_since(mark, "a constant out of range", expected)
        });
    }
    let source = o.of_width(width)?;
    Ok(Inst::Move {
        width,
        target,
        source,
    })
}

/// The one instruction that makes a constant.
fn wide_move_of(value: u64, width: Width, target: Reg) -> Option<Inst> {
    let halves = width.bits() / 16;
    for (op, value) in [
        (WideMove::Zero, value),
        (WideMove::Not, !value & width.mask()),
    ] {
        for half in 0..halves {
            let shift = 16 * half;
            if value & !(0xffff << shift) == 0 {
                return Some(Inst::MoveWide {
                    op,
                    width,
                    target,
                    value: (value >> shift) as u16,
                    shift: shift as u8,
                });
            }
        }
    }
    is_bitmask(value, width).then_some(Inst::Alu {
        op: Alu::Orr,
        flags: false,
        width,
        target,
        left: ZR,
        right: Source::Imm(value as i64),
    })
}

/// Whether a constant can be encoded in a logical instruction: a run of ones, rotated, in
/// elements of 2, 4, 8, 16, 32 or 64 bits that are all equal (Arm ARM, DecodeBitMasks).
fn is_bitmask(value: u64, width: Width) -> bool {
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

/// `movz`, `movn`, `movk`.
pub(super) fn move_wide(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "movz" => WideMove::Zero,
        "movn" => WideMove::Not,
        _ => WideMove::Keep,
    };
    let (target, width) = o.general()?;
    o.comma()?;
    let value = o.constant_in(0, 0xffff)? as u16;
    let mut shift = 0;
    if o.cursor.eat(',') {
        if !o.cursor.eat_word("lsl") {
            return Err(o.cursor.unexpected("`lsl`"));
        }
        let mark = o.cursor.mark();
        shift = o.constant_in(0, i64::from(width.bits()) - 16)? as u8;
        if shift % 16 != 0 {
            return Err(o
                .cursor
                .wrong_since(mark, "another shift", "a multiple of 16"));
        }
    }
    Ok(Inst::MoveWide {
        op,
        width,
        target,
        value,
        shift,
    })
}

/// `add target, left, right` and its kin.
pub(super) fn alu(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (op, flags) = match o.name {
        "add" => (Alu::Add, false),
        "adds" => (Alu::Add, true),
        "sub" => (Alu::Sub, false),
        "subs" => (Alu::Sub, true),
        "and" => (Alu::And, false),
        "ands" => (Alu::And, true),
        "orr" => (Alu::Orr, false),
        "bic" => (Alu::Bic, false),
        "orn" => (Alu::Orn, false),
        _ => (Alu::Eor, false),
    };
    let (target, width) = o.general()?;
    o.comma()?;
    let left = o.of_width(width)?;
    o.comma()?;
    let right = o.source(op, width)?;
    Ok(Inst::Alu {
        op,
        flags,
        width,
        target,
        left,
        right,
    })
}

/// `cmp left, right`, `cmn`, `tst`.
pub(super) fn compare(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "cmp" => Alu::Sub,
        "cmn" => Alu::Add,
        _ => Alu::And,
    };
    let (left, width) = o.general()?;
    o.comma()?;
    let right = o.source(op, width)?;
    Ok(Inst::Alu {
        op,
        flags: true,
        width,
        target: ZR,
        left,
        right,
    })
}

/// `neg target, source`, `mvn target, source`.
pub(super) fn negate(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "neg" => Alu::Sub,
        _ => Alu::Orn,
    };
    let (target, width) = o.general()?;
    o.comma()?;
    let right = o.shifted(width)?;
    Ok(Inst::Alu {
        op,
        flags: false,
        width,
        target,
        left: ZR,
        right,
    })
}

/// `lsl`, `lsr`, `asr`.
pub(super) fn shift(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let op = match o.name {
        "lsl" => Shift::Lsl,
        "lsr" => Shift::Lsr,
        _ => Shift::Asr,
    };
    let (target, width) = o.general()?;
    o.comma()?;
    let source = o.of_width(width)?;
    o.comma()?;
    if o.is_constant() {
        let amount = o.constant_in(0, i64::from(width.bits()) - 1)? as u8;
        // The encoding is another instruction's; what it does is a shifted move.
        return Ok(Inst::Alu {
            op: Alu::Orr,
            flags: false,
            width,
            target,
            left: ZR,
            right: Source::Reg {
                reg: source,
                shift: op,
                amount,
            },
        });
    }
    Ok(Inst::ShiftBy {
        op,
        width,
        target,
        source,
        amount: o.of_width(width)?,
    })
}

/// `mul`, `mneg`, `madd`, `msub`.
pub(super) fn multiply(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.general()?;
    o.comma()?;
    let left = o.of_width(width)?;
    o.comma()?;
    let right = o.of_width(width)?;
    let mut addend = ZR;
    if matches!(o.name, "madd" | "msub") {
        o.comma()?;
        addend = o.of_width(width)?;
    }
    Ok(Inst::Multiply {
        subtract: matches!(o.name, "msub" | "mneg"),
        width,
        target,
        left,
        right,
        addend,
    })
}

/// `sdiv`, `udiv`.
pub(super) fn divide(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.general()?;
    o.comma()?;
    let left = o.of_width(width)?;
    o.comma()?;
    Ok(Inst::Divide {
        signed: o.name == "sdiv",
        width,
        target,
        left,
        right: o.of_width(width)?,
    })
}

/// `cset target, condition`, `csel target, yes, no, condition`.
pub(super) fn select(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (target, width) = o.general()?;
    o.comma()?;
    let (mut yes, mut no) = (Source::Imm(1), Source::Imm(0));
    if o.name == "csel" {
        yes = plain(o.of_width(width)?);
        o.comma()?;
        no = plain(o.of_width(width)?);
        o.comma()?;
    }
    let condition = match o.cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Word(word)) => condition(&word.to_ascii_lowercase()),
        _ => None,
    };
    let condition = condition.ok_or_else(|| o.cursor.unexpected("a condition, such as `eq`"))?;
    o.cursor.advance();
    Ok(Inst::Select {
        width,
        target,
        yes,
        no,
        condition,
    })
}

/// `adr target, label`.
pub(super) fn adr(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let target = o.of_width(Width::Double)?;
    o.comma()?;
    o.cursor.label()?;
    Ok(Inst::Adr { target, to: 0 })
}

/// `ldr reg, address` and its kin.
pub(super) fn transfer(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let mark = o.cursor.mark();
    let (reg, of_register) = o.register()?;
    let narrow = match o.name.trim_start_matches(['l', 'd', 's', 't', 'r']) {
        "b" => Some(Width::Byte),
        "h" => Some(Width::Half),
        "w" => Some(Width::Word),
        _ => None,
    };
    let signed = matches!(o.name, "ldrsb" | "ldrsh" | "ldrsw");
    let wrong = match narrow {
        None => false,
        Some(_) if is_float(reg) => true,
        Some(Width::Word) => of_register != Width::Double,
        Some(_) if signed => false,
        Some(_) => of_register != Width::Word,
    };
    if wrong || reg == SP {
        let expected = "a register that this instruction can load or store";
        return Err(o.cursor.wrong_since(mark, "another register", expected));
    }
    o.comma()?;
    let width = narrow.unwrap_or(of_register);
    let address = o.address(width, 1)?;
    Ok(Inst::Transfer {
        load: o.name.starts_with('l'),
        width,
        signed: signed.then_some(of_register),
        reg,
        address,
    })
}

/// `ldp first, second, address`, `stp`.
pub(super) fn pair(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let mark = o.cursor.mark();
    let (first, width) = o.register()?;
    o.comma()?;
    let (second, other) = o.register()?;
    if width != other || is_float(first) != is_float(second) || first == SP || second == SP {
        let expected = "two registers of the same kind, not sp";
        return Err(o.cursor.wrong_since(mark, "another pair", expected));
    }
    o.comma()?;
    let address = o.address(width, 2)?;
    Ok(Inst::Pair {
        load: o.name == "ldp",
        width,
        first,
        second,
        address,
    })
}

/// `fmov target, source`.
pub(super) fn fmov(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let mark = o.cursor.mark();
    let (target, width) = o.register()?;
    o.comma()?;
    let (source, other) = o.register()?;
    let wide = width == Width::Double && other == Width::Double;
    if !wide || !(is_float(target) || is_float(source)) || target == SP || source == SP {
        let expected = "a d register and an x or d register";
        return Err(o.cursor.wrong_since(mark, "other registers", expected));
    }
    Ok(Inst::FMov { target, source })
}

/// `mrs target, fpcr`.
pub(super) fn mrs(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let reg = o.of_width(Width::Double)?;
    o.comma()?;
    o.fpcr()?;
    Ok(Inst::Fpcr { read: true, reg })
}

/// `msr fpcr, source`.
pub(super) fn msr(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    o.fpcr()?;
    o.comma()?;
    let reg = o.of_width(Width::Double)?;
    Ok(Inst::Fpcr { read: false, reg })
}

/// `b label`, `bl label`.
pub(super) fn jump(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    o.cursor.label()?;
    Ok(match o.name {
        "bl" => Inst::Call { to: 0 },
        _ => Inst::Jump { to: 0 },
    })
}

/// `br target`, `blr target`, `ret`, `ret target`.
pub(super) fn jump_indirect(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let target = match o.name {
        "ret" if o.cursor.peek().is_none() => LR,
        _ => o.of_width(Width::Double)?,
    };
    Ok(match o.name {
        "br" => Inst::JumpIndirect { target },
        "blr" => Inst::CallIndirect { target },
        _ => Inst::Ret { target },
    })
}

/// `b.cond label`.
pub(super) fn branch(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    o.cursor.label()?;
    // The table lists only conditions that there are.
    let condition = condition(&o.name["b.".len()..]).unwrap_or(Condition::Eq);
    Ok(Inst::Branch { condition, to: 0 })
}

/// `cbz reg, label`, `cbnz reg, label`.
pub(super) fn compare_branch(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let (reg, width) = o.general()?;
    o.comma()?;
    o.cursor.label()?;
    Ok(Inst::CompareBranch {
        nonzero: o.name == "cbnz",
        width,
        reg,
        to: 0,
    })
}

/// `nop`.
pub(super) fn nop(_: &mut Operands<'_, '_>) -> Parsed<Inst> {
    Ok(Inst::Nop)
}

/// `bti`, `bti c`, `bti j`, `bti jc`.
pub(super) fn bti(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    let _ = ["c", "j", "jc"].iter().any(|word| o.cursor.eat_word(word));
    Ok(Inst::Nop)
}

/// `brk #i`, `udf #i`.
pub(super) fn undefined(o: &mut Operands<'_, '_>) -> Parsed<Inst> {
    o.constant_in(0, 0xffff)?;
    Ok(Inst::Undefined)
}

fn condition(name: &str) -> Option<Condition> {
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
    fn comma(&mut self) -> Parsed<()> {
        self.cursor.expect(',')
    }

    /// Any register.
    fn register(&mut self) -> Parsed<(Reg, Width)> {
        let found = match self.cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Word(name)) => register(name),
            _ => None,
        };
        let found = found.ok_or_else(|| self.cursor.unexpected("a register"))?;
        self.cursor.advance();
        Ok(found)
    }

    /// A general register, sp or zr.
    fn general(&mut self) -> Parsed<(Reg, Width)> {
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
    fn of_width(&mut self, width: Width) -> Parsed<Reg> {
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

    fn is_constant(&self) -> bool {
        matches!(
            self.cursor.peek().map(|token| token.kind),
            Some(TokenKind::Number(_) | TokenKind::Sign('#' | '-'))
        )
    }

    /// `#123`, `123`.
    fn constant(&mut self) -> Parsed<i64> {
        self.cursor.eat('#');
        self.cursor.number()
    }

    fn constant_in(&mut self, low: i64, high: i64) -> Parsed<i64> {
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
    fn source(&mut self, op: Alu, width: Width) -> Parsed<Source> {
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
    fn shifted(&mut self, width: Width) -> Parsed<Source> {
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

    fn fpcr(&mut self) -> Parsed<()> {
        match self.cursor.eat_word("fpcr") {
            true => Ok(()),
            false => Err(self.cursor.unexpected("`fpcr`")),
        }
    }

    /// The address of a transfer of `count` registers.
    fn address(&mut self, width: Width, count: i64) -> Parsed<Address> {
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

    fn offset(&mut self) -> Parsed<i32> {
        let value = self.constant_in(i64::from(i16::MIN), 0x7fff)?;
        Ok(value as i32)
    }

    /// `index`, `index, lsl #i`.
    fn index(&mut self, width: Width, count: i64) -> Parsed<Mode> {
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
