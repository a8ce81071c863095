//! x86-64, after the System V ABI, "AMD64 Architecture Processor Supplement", section 3.2.
//!
//! ```text
//! higher addresses
//! +--------------------------+
//! | argument 7, 8, …         | rbp+16
//! | return address           | rbp+8
//! | caller's rbp             | rbp        (a multiple of 16)
//! | saved rbx, r12, …        | rbp-8 …
//! | locals, arrays           |
//! | temporaries              |
//! | outgoing stack arguments | rsp        (a multiple of 16 at every call)
//! +--------------------------+
//! ```
//!
//! A leaf function leaves rsp at rbp and keeps its locals in the red zone, the 128 bytes below.

use super::emit::{Arithmetic, Condition, Frame, Isa, Label, Operand, Place, Target, Text, op};
use super::x86::InFrame;

/// The instruction set.
pub enum X86_64 {}

const ARGUMENTS: [&str; 6] = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];

impl Isa for X86_64 {
    const WORD: i32 = 8;
    const LOCALS: &'static [&'static str] = &["rbx", "r12", "r13", "r14", "r15"];
    const REGISTER_ARGUMENTS: usize = ARGUMENTS.len();
    const RED_ZONE: i32 = crate::program::Isa::X86_64.red_zone_bytes() as i32;
    const FRAME_SKEW: i32 = 0;
    const VALUES: [&'static str; 3] = ["rax", "rcx", "rdx"];
    const FRAME_POINTER: &'static str = "rbp";

    fn saved_slots(saved: &[&'static str]) -> (Vec<i32>, i32) {
        let slots = (1..=saved.len() as i32).map(|n| -n * Self::WORD).collect();
        (slots, saved.len() as i32 * Self::WORD)
    }

    fn prologue(text: &mut Text, frame: &Frame) {
        op!(text, "push rbp");
        op!(text, "mov rbp, rsp");
        for register in &frame.saved {
            op!(text, "push ", register);
        }
        if frame.body > 0 {
            op!(text, "sub rsp, ", frame.body);
        }
    }

    fn epilogue(text: &mut Text, frame: &Frame) {
        if frame.body > 0 {
            op!(text, "add rsp, ", frame.body);
        }
        for register in frame.saved.iter().rev() {
            op!(text, "pop ", register);
        }
        op!(text, "pop rbp");
        op!(text, "ret");
    }

    fn parameter(text: &mut Text, index: usize, place: Place) {
        let register = ARGUMENTS[index];
        match place {
            Place::Register(local) => op!(text, "mov ", local, ", ", register),
            Place::Slot(at) => op!(text, "mov ", slot(at), ", ", register),
        }
    }

    fn argument(text: &mut Text, index: usize, value: Operand<'_>) {
        match ARGUMENTS.get(index) {
            Some(register) => load_into(text, register, value),
            None => {
                load_into(text, "rax", value);
                let at = (index - ARGUMENTS.len()) as i32 * Self::WORD;
                op!(text, "mov [rsp + ", at, "], rax");
            }
        }
    }

    fn call(text: &mut Text, symbol: &str) {
        op!(text, "call ", symbol);
    }

    fn host(text: &mut Text, service: &str) {
        op!(text, "host ", service);
    }

    fn load(text: &mut Text, value: Operand<'_>) {
        load_into(text, "rax", value);
    }

    fn load_second(text: &mut Text, value: Operand<'_>) {
        load_into(text, "rcx", value);
    }

    fn load_third(text: &mut Text, value: i64) {
        op!(text, "mov rdx, ", value);
    }

    fn store(text: &mut Text, target: Target<'_>) {
        match target {
            Target::Place(Place::Register(register)) => op!(text, "mov ", register, ", rax"),
            Target::Place(Place::Slot(at)) => op!(text, "mov ", slot(at), ", rax"),
            Target::Global(symbol) => op!(text, "mov [rip + ", symbol, "], rax"),
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
        op!(text, "mov rax, [rax]");
    }

    fn store_indirect(text: &mut Text, address: Operand<'_>) {
        load_into(text, "rcx", address);
        op!(text, "mov [rcx], rax");
    }

    fn load_element(text: &mut Text, array: i32) {
        op!(text, "mov rax, ", element("rax", array));
    }

    fn store_element(text: &mut Text, array: i32, index: Operand<'_>) {
        load_into(text, "rcx", index);
        op!(text, "mov ", element("rcx", array), ", rax");
    }

    fn element_address(text: &mut Text, array: i32) {
        op!(text, "lea rax, ", element("rax", array));
    }

    fn compute(text: &mut Text, op: Arithmetic, right: Operand<'_>) {
        if let Some(mnemonic) = simple_mnemonic(op) {
            return combine(text, mnemonic, "rax", right);
        }
        match op {
            Arithmetic::Mul => {
                load_into(text, "rcx", right);
                op!(text, "imul rax, rcx");
            }
            Arithmetic::Shl => shift(text, "shl", right),
            Arithmetic::Shr => shift(text, "sar", right),
            _ => divide(text, op, right),
        }
    }

    fn negate(text: &mut Text) {
        op!(text, "neg rax");
    }

    fn compare(text: &mut Text, right: Operand<'_>) {
        match right {
            Operand::Const(0) => op!(text, "test rax, rax"),
            _ => combine(text, "cmp", "rax", right),
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
        pointer: "rbp",
        index: None,
        at,
    }
}

/// An element of an array of the frame.
fn element(index: &str, array: i32) -> InFrame<'_> {
    InFrame {
        pointer: "rbp",
        index: Some((index, "*8")),
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
        Operand::Accumulator if register == "rax" => {}
        Operand::Accumulator => op!(text, "mov ", register, ", rax"),
        Operand::Second if register == "rcx" => {}
        Operand::Second => op!(text, "mov ", register, ", rcx"),
        Operand::Const(value) => op!(text, "mov ", register, ", ", value),
        Operand::Place(Place::Register(from)) => op!(text, "mov ", register, ", ", from),
        Operand::Place(Place::Slot(at)) => op!(text, "mov ", register, ", ", slot(at)),
        Operand::Global(symbol) => op!(text, "mov ", register, ", [rip + ", symbol, "]"),
        Operand::SlotAddress(at) => op!(text, "lea ", register, ", ", slot(at)),
        Operand::GlobalAddress(symbol) => op!(text, "lea ", register, ", [rip + ", symbol, "]"),
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

/// `mnemonic left, right`, with the right side in rcx when it has no operand form.
fn combine(text: &mut Text, mnemonic: &str, left: &str, right: Operand<'_>) {
    match right {
        Operand::Const(value) if i32::try_from(value).is_ok() => {
            op!(text, mnemonic, " ", left, ", ", value);
        }
        Operand::Place(Place::Register(register)) => op!(text, mnemonic, " ", left, ", ", register),
        Operand::Place(Place::Slot(at)) => op!(text, mnemonic, " ", left, ", ", slot(at)),
        Operand::Global(symbol) => op!(text, mnemonic, " ", left, ", [rip + ", symbol, "]"),
        _ => {
            load_into(text, "rcx", right);
            op!(text, mnemonic, " ", left, ", rcx");
        }
    }
}

fn shift(text: &mut Text, mnemonic: &str, right: Operand<'_>) {
    match right {
        Operand::Const(count) => op!(text, mnemonic, " rax, ", count & 63),
        _ => {
            load_into(text, "rcx", right);
            op!(text, mnemonic, " rax, cl");
        }
    }
}

/// idiv faults when the quotient does not fit, and MIN / -1 is the one case; the language says
/// that it wraps, so a divisor of -1 takes a way of its own.
fn divide(text: &mut Text, op: Arithmetic, right: Operand<'_>) {
    let minus_one = text.new_label();
    let done = text.new_label();
    let may_be_minus_one = !matches!(right, Operand::Const(value) if value != -1);
    load_into(text, "rcx", right);
    if may_be_minus_one {
        op!(text, "cmp rcx, -1");
        op!(text, "je ", minus_one);
    }
    op!(text, "cqo");
    op!(text, "idiv rcx");
    if op == Arithmetic::Rem {
        op!(text, "mov rax, rdx");
    }
    if may_be_minus_one {
        op!(text, "jmp ", done);
        text.label(minus_one);
        match op {
            Arithmetic::Rem => op!(text, "mov rax, 0"),
            _ => op!(text, "neg rax"),
        }
        text.label(done);
    }
}
