//! The handlers of the table's forms: tokens to [`Inst`].

use super::operands::Operands;
use super::{Alu, Condition, Inst, Operand, Shift};
use crate::asm::cursor::{Cursor, Parsed};
use crate::isa::Width;

/// Parses one instruction after its mnemonic. `None` if there is no such mnemonic.
pub(crate) fn parse(
    mnemonic: &str,
    cursor: &mut Cursor<'_>,
    long_mode: bool,
) -> Option<Parsed<Inst>> {
    let mut named = super::FORMS.iter().filter_map(|form| {
        let mut names = form.mnemonics.iter();
        Some((
            form,
            *names.find(|name| name.eq_ignore_ascii_case(mnemonic))?,
        ))
    });
    let (form, name) = named.next()?;
    let mut operands = Operands {
        cursor,
        long_mode,
        name,
    };
    let inst = (form.parse)(&mut operands);
    Some(inst.and_then(|inst| cursor.expect_end().map(|()| inst)))
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
