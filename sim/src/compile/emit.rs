//! What the lowering asks of an ISA: a small set of operations on an accumulator.
//!
//! The lowering evaluates every expression into the *accumulator*, the register in which a
//! function returns its result. A binary operation takes its right side from an [`Operand`]; when
//! that side needs code of its own, its value goes to the *second* register. Nothing else is
//! assumed about an ISA, so [`Isa`] is all that a port has to write.

use costack_lang::syntax::{BinaryOp, StmtId};

/// Where a word lives for the whole time its function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A callee-saved register.
    Register(&'static str),
    /// A word of the frame, so many bytes from the frame pointer.
    Slot(i32),
}

/// A word that can be had without changing the accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand<'a> {
    /// What the accumulator holds.
    Accumulator,
    /// What the second register holds.
    Second,
    /// A constant; its low bits where the word is narrower.
    Const(i64),
    /// What a place holds.
    Place(Place),
    /// What a global holds, by its symbol.
    Global(&'a str),
    /// The address of a word of the frame.
    SlotAddress(i32),
    /// The address of a global.
    GlobalAddress(&'a str),
}

/// Where a word can be stored without further ado.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A register or a word of the frame.
    Place(Place),
    /// A global, by its symbol.
    Global(&'a str),
}

/// A signed comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// An operation that leaves a new value in the accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// What a binary operator is to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It computes a value.
    Compute(Arithmetic),
    /// It sets flags.
    Compare(Condition),
}

impl Operation {
    /// The operation that an operator stands for.
    pub fn of(op: BinaryOp) -> Self {
        match op {
            BinaryOp::Add => Operation::Compute(Arithmetic::Add),
            BinaryOp::Sub => Operation::Compute(Arithmetic::Sub),
            BinaryOp::Mul => Operation::Compute(Arithmetic::Mul),
            BinaryOp::Div => Operation::Compute(Arithmetic::Div),
            BinaryOp::Rem => Operation::Compute(Arithmetic::Rem),
            BinaryOp::BitAnd => Operation::Compute(Arithmetic::And),
            BinaryOp::BitOr => Operation::Compute(Arithmetic::Or),
            BinaryOp::BitXor => Operation::Compute(Arithmetic::Xor),
            BinaryOp::Shl => Operation::Compute(Arithmetic::Shl),
            BinaryOp::Shr => Operation::Compute(Arithmetic::Shr),
            BinaryOp::Eq => Operation::Compare(Condition::Eq),
            BinaryOp::Ne => Operation::Compare(Condition::Ne),
            BinaryOp::Lt => Operation::Compare(Condition::Lt),
            BinaryOp::Le => Operation::Compare(Condition::Le),
            BinaryOp::Gt => Operation::Compare(Condition::Gt),
            BinaryOp::Ge => Operation::Compare(Condition::Ge),
        }
    }
}

impl Condition {
    /// The one that holds when this one does not.
    pub fn inverse(self) -> Self {
        match self {
            Condition::Eq => Condition::Ne,
            Condition::Ne => Condition::Eq,
            Condition::Lt => Condition::Ge,
            Condition::Le => Condition::Gt,
            Condition::Gt => Condition::Le,
            Condition::Ge => Condition::Lt,
        }
    }
}

/// A place in the text, unique in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(pub u32);

/// A piece of an instruction. Instructions are put together of pieces and not formatted, because
/// formatting took more than half of the compiler's time.
pub trait Piece {
    /// Writes it.
    fn put(&self, into: &mut String);
}

impl Piece for str {
    #[inline]
    fn put(&self, into: &mut String) {
        into.push_str(self);
    }
}

impl<P: Piece + ?Sized> Piece for &P {
    #[inline]
    fn put(&self, into: &mut String) {
        (**self).put(into);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Piece for $number {
            fn put(&self, into: &mut String) {
                into.push_str(itoa::Buffer::new().format(*self));
            }
        }
    )*};
}

numbers!(u16, i32, u32, i64);

impl Piece for Label {
    fn put(&self, into: &mut String) {
        into.push_str(".L");
        self.0.put(into);
    }
}

/// Assembly text while it is being written.
#[derive(Debug, Default)]
pub struct Text {
    /// What has been written: instructions and labels, a line each.
    pub lines: String,
    /// For each line the statement it was made for; `None` in a function's prologue and epilogue.
    pub stmts: Vec<Option<StmtId>>,
    /// The statement that lines are being written for.
    pub stmt: Option<StmtId>,
    labels: u32,
}

impl Text {
    /// An empty text whose labels begin after the first `labels`.
    pub fn after(labels: u32) -> Self {
        Text {
            labels,
            ..Text::default()
        }
    }

    /// How many labels there are.
    pub fn labels(&self) -> u32 {
        self.labels
    }

    /// A label that nothing else uses.
    pub fn new_label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    /// Puts a label here.
    pub fn label(&mut self, label: impl Piece) {
        label.put(&mut self.lines);
        self.lines.push(':');
        self.end_line();
    }

    /// Ends the line.
    pub fn end_line(&mut self) {
        self.lines.push('\n');
        self.stmts.push(self.stmt);
    }
}

/// Writes one instruction, piece by piece.
macro_rules! op {
    ($text:expr, $($piece:expr),+) => {{
        let text: &mut $crate::compile::emit::Text = $text;
        text.lines.push_str("    ");
        $($crate::compile::emit::Piece::put(&$piece, &mut text.lines);)+
        text.end_line();
    }};
}
pub(crate) use op;

/// The frame of one function below the saved frame pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Callee-saved registers the function uses, in the order in which it saves them.
    pub saved: Vec<&'static str>,
    /// Bytes below the saved registers that the stack pointer is moved by; 0 in a leaf function
    /// that keeps everything in the red zone.
    pub body: i32,
}

/// One instruction set. All functions append to the text; "clobbers" names what may change beside
/// the result.
pub trait Isa {
    /// Bytes in a word.
    const WORD: i32;
    /// Callee-saved registers that hold locals, best first. The frame pointer is not among them.
    const LOCALS: &'static [&'static str];
    /// How many arguments travel in registers.
    const REGISTER_ARGUMENTS: usize;
    /// Bytes below the stack pointer that a leaf function may use.
    const RED_ZONE: i32;
    /// The frame pointer is this many bytes above a multiple of 16.
    const FRAME_SKEW: i32;
    /// The accumulator, the second and the third register.
    const VALUES: [&'static str; 3];
    /// The frame pointer.
    const FRAME_POINTER: &'static str;

    /// Where each saved register is put, as offsets from the frame pointer in the order of
    /// `saved`, and the bytes they take.
    fn saved_slots(saved: &[&'static str]) -> (Vec<i32>, i32);
    /// Makes the frame. Leaves the arguments alone.
    fn prologue(text: &mut Text, frame: &Frame);
    /// Takes the frame down and returns. Leaves the accumulator alone.
    fn epilogue(text: &mut Text, frame: &Frame);

    /// Moves the argument `index`, counted from 0, to its place. Arguments that come on the stack
    /// are already in theirs: [`stack_argument`](Self::stack_argument).
    fn parameter(text: &mut Text, index: usize, place: Place);
    /// Where argument `index` is in the callee's frame when it comes on the stack.
    fn stack_argument(index: usize) -> i32 {
        // Above the saved frame pointer and the return address.
        (2 + index as i32 - Self::REGISTER_ARGUMENTS as i32) * Self::WORD
    }
    /// Passes argument `index`. Clobbers the accumulator only when the argument goes to the stack.
    fn argument(text: &mut Text, index: usize, value: Operand<'_>);
    /// Calls a function. The accumulator holds its result; clobbers all caller-saved registers.
    fn call(text: &mut Text, symbol: &str);
    /// Hands over to the host.
    fn host(text: &mut Text, service: &str);

    /// accumulator = value.
    fn load(text: &mut Text, value: Operand<'_>);
    /// second = value.
    fn load_second(text: &mut Text, value: Operand<'_>);
    /// third = value.
    fn load_third(text: &mut Text, value: i64);
    /// target = accumulator.
    fn store(text: &mut Text, target: Target<'_>);
    /// register = value, past the accumulator. `register` is one of [`LOCALS`](Self::LOCALS).
    fn assign(text: &mut Text, register: &'static str, value: Operand<'_>);
    /// register = register `op` right, past the accumulator. False, and nothing is written, if
    /// the ISA has no short way.
    fn update(text: &mut Text, register: &'static str, op: Arithmetic, right: Operand<'_>) -> bool;
    /// accumulator = the word at the address in the accumulator.
    fn load_indirect(text: &mut Text);
    /// The word at `address` = accumulator. Clobbers the second register.
    fn store_indirect(text: &mut Text, address: Operand<'_>);
    /// accumulator = word number accumulator of the array at `array`.
    fn load_element(text: &mut Text, array: i32);
    /// Word number `index` of the array at `array` = accumulator. Clobbers the second register.
    fn store_element(text: &mut Text, array: i32, index: Operand<'_>);
    /// accumulator = address of word number accumulator of the array at `array`.
    fn element_address(text: &mut Text, array: i32);

    /// accumulator = accumulator `op` right. Clobbers the second register.
    fn compute(text: &mut Text, op: Arithmetic, right: Operand<'_>);
    /// accumulator = −accumulator.
    fn negate(text: &mut Text);
    /// Compares the accumulator with `right`. Clobbers the second register.
    fn compare(text: &mut Text, right: Operand<'_>);
    /// accumulator = 1 if the last comparison came out as `condition`, otherwise 0.
    fn set(text: &mut Text, condition: Condition);
    /// Jumps if the last comparison came out as `condition`.
    fn branch(text: &mut Text, condition: Condition, to: Label);
    /// Jumps.
    fn jump(text: &mut Text, to: Label);
}
