//! The handlers of the table's forms: tokens to [`Inst`].

use super::operands::{Operands, condition, is_bitmask, plain};
use super::registers::{LR, SP, ZR, is_float};
use super::{Alu, Condition, Inst, Shift, Source, WideMove};
use crate::asm::cursor::{Cursor, Parsed};
use crate::asm::lex::TokenKind;
use crate::isa::{Reg, Width};

/// Parses one instruction after its mnemonic. `None` if there is no such mnemonic.
pub(crate) fn parse(mnemonic: &str, cursor: &mut Cursor<'_>) -> Option<Parsed<Inst>> {
    let mut named = super::FORMS.iter().filter_map(|form| {
        let mut names = form.mnemonics.iter();
        Some((
            form,
            *names.find(|name| name.eq_ignore_ascii_case(mnemonic))?,
        ))
    });
    let (form, name) = named.next()?;
    let mut operands = Operands { cursor, name };
    let inst = (form.parse)(&mut operands);
    Some(inst.and_then(|inst| cursor.expect_end().map(|()| inst)))
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
