//! i386, after the System V ABI, "Intel386 Architecture Processor Supplement", section 3, with
//! the stack aligned to 16 bytes at calls as GCC and LLVM have it.
//!
//! ```text
//! higher addresses
//! +--------------------------+
//! | argument 1, 2, …         | ebp+8
//! | return address           | ebp+4
//! | caller's ebp             | ebp        (8 above a multiple of 16)
//! | saved ebx, esi, edi      | ebp-4 …
//! | locals, arrays           |
//! | temporaries              |
//! | outgoing arguments       | esp        (a multiple of 16 at every call)
//! +--------------------------+
//! ```

use super::emit::{Arithmetic, Condition, Frame, Isa, Label, Operand, Place, Target, Text, op};
use super::x86::InFrame;

/// The instruction set.
pub enum I386 {}

impl Isa for I386 {
    const WORD: i32 = 4;
    const LOCALS: &'static [&'static str] = &["ebx", "esi", "edi"];
    const REGISTER_ARGUMENTS: usize = 0;
    const RED_ZONE: i32 = crate::program::Isa::I386.red_zone_bytes() as i32;
    const FRAME_SKEW: i32 = 8;
    const VALUES: [&'static str; 3] = ["eax", "ecx", "edx"];
    const FRAME_POINTER: &'static str = "ebp";

    fn saved_slots(saved: &[&'static str]) -> (Vec<i32>, i32) {
        let slots = (1..=saved.len() as i32).map(|n| -n * Self::WORD).collect();
        (slots, saved.len() as i32 * Self::WORD)
    }

    fn prologue(text: &mut Text, frame: &Frame) {
        op!(text, "push ebp");
        op!(text, "mov ebp, esp");
        for register in &frame.saved {
            op!(text, "push ", register);
        }
        if frame.body > 0 {
            op!(text, "sub esp, ", frame.body);
        }
    }

    fn epilogue(text: &mut Text, frame: &Frame) {
        if frame.body > 0 {
            op!(text, "add esp, ", frame.body);
        }
        for register in frame.saved.iter().rev() {
            op!(text, "pop ", register);
        }
        op!(text, "pop ebp");
        op!(text, "ret");
    }

    fn parameter(text: &mut Text, index: usize, place: Place) {
        // All of them come on the stack.
        load_into(
            text,
            "eax",
            Operand::Place(Place::Slot(Self::stack_argument(index))),
        );
        Self::store(text, Target::Place(place));
    }

    fn argument(text: &mut Text, index: usize, value: Operand<'_>) {
        load_into(text, "eax", value);
        op!(text, "mov [esp + ", index as i32 * Self::WORD, "], eax");
    }

    fn call(text: &mut Text, symbol: &str) {
        op!(text, "call ", symbol);
    }

    fn host(text: &mut Text, service: &str) {
        op!(text, "host ", service);
    }

    fn load(text: &mut Text, value: Operand<'_>) {
        load_into(text, "eax", value);
    }

    fn load_second(text: &mut Text, value: Operand<'_>) {
        load_into(text, "ecx", value);
    }

    fn load_third(text: &mut Text, value: i64) {
        op!(text, "mov edx, ", value);
    }

    fn store(text: &mut Text, target: Target<'_>) {
        match target {
            Target::Place(Place::Register(register)) => op!(text, "mov ", register, ", eax"),
            Target::Place(Place::Slot(at)) => op!(text, "mov ", slot(at), ", eax"),
            Target::Global(symbol) => op!(text, "mov [", symbol, "], eax"),
        }
    }

    fn assign(text: &mut Text, register: &'static str, value: Operand<'_>) {
        load_into(text, register, value);
    }

    fn update(text: &mut Text, register: &'static str, op: Arithmetic, right: Operand<'_>) -> bool {
        match simple_mnemonic(op) {
            Some(mnemonic) => combine(text, mnemonic, register, right),
            None => return false,
        }
        true
    }

    fn load_indirect(text: &mut Text) {
        op!(text, "mov eax, [eax]");
    }

    fn store_indirect(text: &mut Text, address: Operand<'_>) {
        load_into(text, "ecx", address);
        op!(text, "mov [ecx], eax");
    }

    fn load_element(text: &mut Text, array: i32) {
        op!(text, "mov eax, ", element("eax", array));
    }

    fn store_element(text: &mut Text, array: i32, index: Operand<'_>) {
        load_into(text, "ecx", index);
        op!(text, "mov ", element("ecx", array), ", eax");
    }

    fn element_address(text: &mut Text, array: i32) {
        op!(text, "lea eax, ", element("eax", array));
    }

    fn compute(text: &mut Text, op: Arithmetic, right: Operand<'_>) {
        if let Some(mnemonic) = simple_mnemonic(op) {
            return combine(text, mnemonic, "eax", right);
        }
        match op {
            Arithmetic::Mul => {
                load_into(text, "ecx", right);
                op!(text, "imul eax, ecx");
            }
            Arithmetic::Shl => shift(text, "shl", right),
            Arithmetic::Shr => shift(text, "sar", right),
            _ => divide(text, op, right),
        }
    }

    fn negate(text: &mut Text) {
        op!(text, "neg eax");
    }

    fn compare(text: &mut Text, right: Operand<'_>) {
        match right {
            Operand::Const(0) => op!(text, "test eax, eax"),
            _ => combine(text, "cmp", "eax", right),
        }
    }

    fn set(text: &mut Text, condition: Condition) {
        op!(text, "set", suffix(condition), " al");
        op!(text, "movzx eax, al");
    }

    fn branch(text: &mut Text, condition: Condition, to: Label) {
        op!(text, "j", suffix(condition), " ", to);
    }

    fn jump(text: &mut Text, to: Label) {
        op!(text, "jmp ", to);
    }
}

fn slot(at: i32) -> InFrame<'static> {
    InFrame {
        pointer: "ebp",
        index: None,
        at,
    }
}

/// An element of an array of the frame.
fn element(index: &str, array: i32) -> InFrame<'_> {
    InFrame {
        pointer: "ebp",
        index: Some((index, "*4")),
        at: array,
    }
}

fn suffix(condition: Condition) -> &'static str {
    match condition {
        Condition::Eq => "e",
        Condition::Ne => "ne",
        Condition::Lt => "l",
        Condition::Le => "le",
        Condition::Gt => "g",
        Condition::Ge => "ge",
    }
}

fn load_into(text: &mut Text, register: &str, value: Operand<'_>) {
    match value {
        Operand::Accumulator if register == "eax" => {}
        Operand::Accumulator => op!(text, "mov ", register, ", eax"),
        Operand::Second if register == "ecx" => {}
        Operand::Second => op!(text, "mov ", register, ", ecx"),
        Operand::Const(value) => op!(text, "mov ", register, ", ", value),
        Operand::Place(Place::Register(from)) => op!(text, "mov ", register, ", ", from),
        Operand::Place(Place::Slot(at)) => op!(text, "mov ", register, ", ", slot(at)),
        Operand::Global(symbol) => op!(text, "mov ", register, ", [", symbol, "]"),
        Operand::SlotAddress(at) => op!(text, "lea ", register, ", ", slot(at)),
        Operand::GlobalAddress(symbol) => op!(text, "lea ", register, ", [", symbol, "]"),
    }
}

/// The mnemonic of an operation that takes all kinds of operands.
fn simple_mnemonic(op: Arithmetic) -> Option<&'static str> {
    Some(match op {
        Arithmetic::Add => "add",
        Arithmetic::Sub => "sub",
        Arithmetic::And => "and",
        Arithmetic::Or => "or",
        Arithmetic::Xor => "xor",
        _ => return None,
    })
}

/// `mnemonic left, right`, with the right side in ecx when it has no operand form.
fn combine(text: &mut Text, mnemonic: &str, left: &str, right: Operand<'_>) {
    match right {
        Operand::Const(value) => op!(text, mnemonic, " ", left, ", ", value),
        Operand::Place(Place::Register(register)) => op!(text, mnemonic, " ", left, ", ", register),
        Operand::Place(Place::Slot(at)) => op!(text, mnemonic, " ", left, ", ", slot(at)),
        Operand::Global(symbol) => op!(text, mnemonic, " ", left, ", [", symbol, "]"),
        _ => {
            load_into(text, "ecx", right);
            op!(text, mnemonic, " ", left, ", ecx");
        }
    }
}

fn shift(text: &mut Text, mnemonic: &str, right: Operand<'_>) {
    match right {
        Operand::Const(count) => op!(text, mnemonic, " eax, ", count & 31),
        _ => {
            load_into(text, "ecx", right);
            op!(text, mnemonic, " eax, cl");
        }
    }
}

/// idiv faults when the quotient does not fit, and MIN / -1 is the one case; the language says
/// that it wraps, so a divisor of -1 takes a way of its own.
fn divide(text: &mut Text, op: Arithmetic, right: Operand<'_>) {
    let minus_one = text.new_label();
    let done = text.new_label();
    let may_be_minus_one = !matches!(right, Operand::Const(value) if value != -1);
    load_into(text, "ecx", right);
    if may_be_minus_one {
        op!(text, "cmp ecx, -1");
        op!(text, "je ", minus_one);
    }
    op!(text, "cdq");
    op!(text, "idiv ecx");
    if op == Arithmetic::Rem {
        op!(text, "mov eax, edx");
    }
    if may_be_minus_one {
        op!(text, "jmp ", done);
        text.label(minus_one);
        match op {
            Arithmetic::Rem => op!(text, "mov eax, 0"),
            _ => op!(text, "neg eax"),
        }
        text.label(done);
    }
}
