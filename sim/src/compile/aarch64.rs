//! aarch64, after AAPCS64, "Procedure Call Standard for the Arm 64-bit Architecture", section 6.
//!
//! ```text
//! higher addresses
//! +--------------------------+
//! | argument 9, 10, …        | x29+16
//! | return address (x30)     | x29+8
//! | caller's x29             | x29        (a multiple of 16, as sp always is)
//! | saved x19, x20, …        | x29-16 …, in pairs
//! | saved d8, d9, …          |
//! | locals, arrays           |
//! | temporaries              |
//! | outgoing stack arguments | sp
//! +--------------------------+
//! ```
//!
//! The accumulator is x0, the second register x9; x10 and x11 are scratch. Every third local that
//! gets a register gets one of d8 to d15, whose low halves are callee-saved like x19 to x28, so
//! that a switch which forgets them is found out.

use super::emit::{Arithmetic, Condition, Frame, Isa, Label, Operand, Place, Target, Text, op};

/// The instruction set.
pub enum Aarch64 {}

const ARGUMENTS: [&str; 8] = ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"];

impl Isa for Aarch64 {
    const WORD: i32 = 8;
    const LOCALS: &'static [&'static str] = &["x19", "x20", "d8", "x21", "x22", "d9"];
    const REGISTER_ARGUMENTS: usize = ARGUMENTS.len();
    const RED_ZONE: i32 = crate::program::Isa::Aarch64.red_zone_bytes() as i32;
    const FRAME_SKEW: i32 = 0;
    const VALUES: [&'static str; 3] = ["x0", "x9", "x10"];
    const FRAME_POINTER: &'static str = "x29";

    fn saved_slots(saved: &[&'static str]) -> (Vec<i32>, i32) {
        let mut slots = vec![0; saved.len()];
        let mut bytes = 0;
        for pair in pairs(saved) {
            bytes += 16;
            for (n, register) in pair.into_iter().flatten().enumerate() {
                if let Some(at) = saved.iter().position(|known| *known == register) {
                    slots[at] = -bytes + 8 * n as i32;
                }
            }
        }
        (slots, bytes)
    }

    fn prologue(text: &mut Text, frame: &Frame) {
        op!(text, "stp x29, x30, [sp, #-16]!");
        op!(text, "mov x29, sp");
        for pair in pairs(&frame.saved) {
            match pair {
                [Some(low), Some(high)] => op!(text, "stp ", low, ", ", high, ", [sp, #-16]!"),
                [Some(low), None] => op!(text, "str ", low, ", [sp, #-16]!"),
                _ => {}
            }
        }
        move_sp(text, "sub", frame.body);
    }

    fn epilogue(text: &mut Text, frame: &Frame) {
        move_sp(text, "add", frame.body);
        for pair in pairs(&frame.saved).into_iter().rev() {
            match pair {
                [Some(low), Some(high)] => op!(text, "ldp ", low, ", ", high, ", [sp], #16"),
                [Some(low), None] => op!(text, "ldr ", low, ", [sp], #16"),
                _ => {}
            }
        }
        op!(text, "ldp x29, x30, [sp], #16");
        op!(text, "ret");
    }

    fn parameter(text: &mut Text, index: usize, place: Place) {
        let register = ARGUMENTS[index];
        match place {
            Place::Register(local) => move_between(text, local, register),
            Place::Slot(at) => at_slot(text, "str", register, at),
        }
    }

    fn argument(text: &mut Text, index: usize, value: Operand<'_>) {
        match ARGUMENTS.get(index) {
            Some(register) => load_into(text, register, value),
            None => {
                // Not through the accumulator, which is the first argument as well.
                load_into(text, "x9", value);
                let at = (index - ARGUMENTS.len()) as i32 * Self::WORD;
                op!(text, "str x9, [sp, #", at, "]");
            }
        }
    }

    fn call(text: &mut Text, symbol: &str) {
        op!(text, "bl ", symbol);
    }

    fn host(text: &mut Text, service: &str) {
        op!(text, "host ", service);
    }

    fn load(text: &mut Text, value: Operand<'_>) {
        load_into(text, "x0", value);
    }

    fn load_second(text: &mut Text, value: Operand<'_>) {
        load_into(text, "x9", value);
    }

    fn load_third(text: &mut Text, value: i64) {
        constant(text, "x10", value);
    }

    fn store(text: &mut Text, target: Target<'_>) {
        match target {
            Target::Place(Place::Register(register)) => move_between(text, register, "x0"),
            Target::Place(Place::Slot(at)) => at_slot(text, "str", "x0", at),
            Target::Global(symbol) => {
                op!(text, "adr x11, ", symbol);
                op!(text, "str x0, [x11]");
            }
        }
    }

    fn assign(text: &mut Text, register: &'static str, value: Operand<'_>) {
        if register.starts_with('d') {
            load_into(text, "x10", value);
            return op!(text, "fmov ", register, ", x10");
        }
        load_into(text, register, value);
    }

    fn update(text: &mut Text, register: &'static str, op: Arithmetic, right: Operand<'_>) -> bool {
        let Some(mnemonic) = simple_mnemonic(op) else {
            return false;
        };
        if register.starts_with('d') {
            return false;
        }
        combine(text, mnemonic, register, right);
        true
    }

    fn load_indirect(text: &mut Text) {
        op!(text, "ldr x0, [x0]");
    }

    fn store_indirect(text: &mut Text, address: Operand<'_>) {
        load_into(text, "x9", address);
        op!(text, "str x0, [x9]");
    }

    fn load_element(text: &mut Text, array: i32) {
        slot_address(text, "x11", array);
        op!(text, "ldr x0, [x11, x0, lsl #3]");
    }

    fn store_element(text: &mut Text, array: i32, index: Operand<'_>) {
        load_into(text, "x9", index);
        slot_address(text, "x11", array);
        op!(text, "str x0, [x11, x9, lsl #3]");
    }

    fn element_address(text: &mut Text, array: i32) {
        slot_address(text, "x11", array);
        op!(text, "add x0, x11, x0, lsl #3");
    }

    fn compute(text: &mut Text, op: Arithmetic, right: Operand<'_>) {
        if let Some(mnemonic) = simple_mnemonic(op) {
            return combine(text, mnemonic, "x0", right);
        }
        match (op, right) {
            (Arithmetic::Shl, Operand::Const(count)) => op!(text, "lsl x0, x0, #", count & 63),
            (Arithmetic::Shr, Operand::Const(count)) => op!(text, "asr x0, x0, #", count & 63),
            _ => {
                let right = register_of(text, right);
                match op {
                    Arithmetic::Mul => op!(text, "mul x0, x0, ", right),
                    Arithmetic::Shl => op!(text, "lsl x0, x0, ", right),
                    Arithmetic::Shr => op!(text, "asr x0, x0, ", right),
                    _ => divide(text, op, right),
                }
            }
        }
    }

    fn negate(text: &mut Text) {
        op!(text, "neg x0, x0");
    }

    fn compare(text: &mut Text, right: Operand<'_>) {
        match right {
            Operand::Const(value @ 0..=4095) => op!(text, "cmp x0, #", value),
            _ => {
                let right = register_of(text, right);
                op!(text, "cmp x0, ", right);
            }
        }
    }

    fn set(text: &mut Text, condition: Condition) {
        op!(text, "cset x0, ", suffix(condition));
    }

    fn branch(text: &mut Text, condition: Condition, to: Label) {
        op!(text, "b.", suffix(condition), " ", to);
    }

    fn jump(text: &mut Text, to: Label) {
        op!(text, "b ", to);
    }
}

/// Registers two by two as they are saved: general ones first, then floating-point ones.
fn pairs<'a>(saved: &[&'a str]) -> Vec<[Option<&'a str>; 2]> {
    let (float, general): (Vec<&str>, Vec<&str>) =
        saved.iter().partition(|register| register.starts_with('d'));
    let pair = |two: &[&'a str]| [two.first().copied(), two.get(1).copied()];
    let general = general.chunks(2).map(pair);
    general.chain(float.chunks(2).map(pair)).collect()
}

fn suffix(condition: Condition) -> &'static str {
    match condition {
        Condition::Eq => "eq",
        Condition::Ne => "ne",
        Condition::Lt => "lt",
        Condition::Le => "le",
        Condition::Gt => "gt",
        Condition::Ge => "ge",
    }
}

fn move_sp(text: &mut Text, mnemonic: &str, bytes: i32) {
    match bytes {
        0 => {}
        1..=4095 => op!(text, mnemonic, " sp, sp, #", bytes),
        _ => {
            constant(text, "x11", bytes.into());
            op!(text, mnemonic, " sp, sp, x11");
        }
    }
}

/// Moves between a general register and a register of either kind.
fn move_between(text: &mut Text, to: &str, from: &str) {
    match to.starts_with('d') || from.starts_with('d') {
        true => op!(text, "fmov ", to, ", ", from),
        false if to == from => {}
        false => op!(text, "mov ", to, ", ", from),
    }
}

/// Any 64-bit constant, sixteen bits at a time.
fn constant(text: &mut Text, register: &str, value: i64) {
    let halves = |value: i64| [0, 16, 32, 48].map(|shift| (value >> shift) as u16);
    let inverted = value < 0;
    let background = if inverted { 0xffff } else { 0 };
    let mut first = true;
    let shifts = ["", ", lsl #16", ", lsl #32", ", lsl #48"];
    for (half, shift) in halves(value).into_iter().zip(shifts) {
        if half == background {
            continue;
        }
        match (first, inverted) {
            (true, false) => op!(text, "movz ", register, ", #", half, shift),
            (true, true) => op!(text, "movn ", register, ", #", !half, shift),
            (false, _) => op!(text, "movk ", register, ", #", half, shift),
        }
        first = false;
    }
    if first {
        match inverted {
            true => op!(text, "movn ", register, ", #0"),
            false => op!(text, "movz ", register, ", #0"),
        }
    }
}

fn slot_address(text: &mut Text, register: &str, at: i32) {
    match at {
        0..=4095 => op!(text, "add ", register, ", x29, #", at),
        -4095..=-1 => op!(text, "sub ", register, ", x29, #", -at),
        _ => {
            constant(text, register, at.into());
            op!(text, "add ", register, ", x29, ", register);
        }
    }
}

/// `ldr` or `str` of a word of the frame; offsets beyond the signed nine bits go through x11.
fn at_slot(text: &mut Text, mnemonic: &str, register: &str, at: i32) {
    match at {
        -256..=255 => op!(text, mnemonic, " ", register, ", [x29, #", at, "]"),
        _ => {
            slot_address(text, "x11", at);
            op!(text, mnemonic, " ", register, ", [x11]");
        }
    }
}

fn load_into(text: &mut Text, register: &str, value: Operand<'_>) {
    match value {
        Operand::Accumulator => move_between(text, register, "x0"),
        Operand::Second => move_between(text, register, "x9"),
        Operand::Const(value) => constant(text, register, value),
        Operand::Place(Place::Register(from)) => move_between(text, register, from),
        Operand::Place(Place::Slot(at)) => at_slot(text, "ldr", register, at),
        Operand::Global(symbol) => {
            op!(text, "adr x11, ", symbol);
            op!(text, "ldr ", register, ", [x11]");
        }
        Operand::SlotAddress(at) => slot_address(text, register, at),
        Operand::GlobalAddress(symbol) => op!(text, "adr ", register, ", ", symbol),
    }
}

/// The general register that holds an operand: its own, or x9.
fn register_of<'a>(text: &mut Text, value: Operand<'a>) -> &'a str {
    match value {
        Operand::Accumulator => "x0",
        Operand::Second => "x9",
        Operand::Place(Place::Register(register)) if register.starts_with('x') => register,
        _ => {
            load_into(text, "x9", value);
            "x9"
        }
    }
}

/// The mnemonic of an operation that takes all kinds of operands.
fn simple_mnemonic(op: Arithmetic) -> Option<&'static str> {
    Some(match op {
        Arithmetic::Add => "add",
        Arithmetic::Sub => "sub",
        Arithmetic::And => "and",
        Arithmetic::Or => "orr",
        Arithmetic::Xor => "eor",
        _ => return None,
    })
}

/// `mnemonic left, left, right`, with the right side in x9 when it has no operand form.
fn combine(text: &mut Text, mnemonic: &str, left: &str, right: Operand<'_>) {
    match right {
        Operand::Const(value @ 0..=4095) if matches!(mnemonic, "add" | "sub") => {
            op!(text, mnemonic, " ", left, ", ", left, ", #", value);
        }
        _ => {
            let right = register_of(text, right);
            op!(text, mnemonic, " ", left, ", ", left, ", ", right);
        }
    }
}

/// sdiv gives 0 for a divisor of 0 and wraps MIN / -1, so only the first needs care.
fn divide(text: &mut Text, op: Arithmetic, right: &str) {
    let divisible = text.new_label();
    op!(text, "cbnz ", right, ", ", divisible);
    op!(text, "host division_by_zero");
    text.label(divisible);
    op!(text, "sdiv x10, x0, ", right);
    match op {
        Arithmetic::Rem => op!(text, "msub x0, x10, ", right, ", x0"),
        _ => op!(text, "mov x0, x10"),
    }
}
