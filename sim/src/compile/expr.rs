//! Expressions: every one ends up in the accumulator, left before right.

use costack_lang::syntax::{
    Expr, ExprKind, LocalId, LocalKind, LogicalOp, Place as SyntaxPlace, UnaryOp,
};

use super::emit::{Condition, Isa, Label, Operand, Operation, Place};
use super::lower::Lower;

impl<'a, I: Isa> Lower<'a, I> {
    /// accumulator = the value of the expression.
    pub(super) fn eval(&mut self, expr: &'a Expr) {
        if let Some(operand) = self.simple(expr) {
            return I::load(&mut self.text, operand);
        }
        match &expr.kind {
            ExprKind::Int(value) => I::load(&mut self.text, Operand::Const(wrap::<I>(*value))),
            ExprKind::Load(place) => match place {
                SyntaxPlace::Element { array, index } => {
                    self.eval(index);
                    let offset = self.array(*array);
                    I::load_element(&mut self.text, offset);
                }
                SyntaxPlace::Deref(address) => {
                    self.eval(address);
                    I::load_indirect(&mut self.text);
                }
                SyntaxPlace::Local(local) => {
                    let place = self.layout.places[local.index()];
                    I::load(&mut self.text, Operand::Place(place));
                }
                SyntaxPlace::Global(global) => {
                    let symbol = self.symbols.global(*global);
                    I::load(&mut self.text, Operand::Global(symbol));
                }
            },
            ExprKind::Address(place) => match place {
                SyntaxPlace::Element { array, index } => {
                    self.eval(index);
                    let offset = self.array(*array);
                    I::element_address(&mut self.text, offset);
                }
                SyntaxPlace::Deref(address) => self.eval(address),
                SyntaxPlace::Local(local) => {
                    let offset = self.array(*local);
                    I::load(&mut self.text, Operand::SlotAddress(offset));
                }
                SyntaxPlace::Global(global) => {
                    let symbol = self.symbols.global(*global);
                    I::load(&mut self.text, Operand::GlobalAddress(symbol));
                }
            },
            ExprKind::Unary(UnaryOp::Neg, operand) => {
                self.eval(operand);
                I::negate(&mut self.text);
            }
            ExprKind::Unary(UnaryOp::Not, operand) => {
                self.eval(operand);
                I::compare(&mut self.text, Operand::Const(0));
                I::set(&mut self.text, Condition::Eq);
            }
            ExprKind::Binary(op, left, right) => {
                let right = self.pair(left, right);
                match Operation::of(*op) {
                    Operation::Compute(op) => I::compute(&mut self.text, op, right),
                    Operation::Compare(condition) => {
                        I::compare(&mut self.text, right);
                        I::set(&mut self.text, condition);
                    }
                }
            }
            ExprKind::Logical(..) => {
                let no = self.text.new_label();
                let end = self.text.new_label();
                self.branch(expr, no, false);
                I::load(&mut self.text, Operand::Const(1));
                I::jump(&mut self.text, end);
                self.text.label(no);
                I::load(&mut self.text, Operand::Const(0));
                self.text.label(end);
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::Request(request) => self.request(request),
            ExprKind::Recv(channel) => self.service_on("rt_recv", channel.0),
            ExprKind::Alive(task) => self.service_on("rt_alive", task.0),
            ExprKind::Now => self.service("rt_now", &[]),
            ExprKind::SelfTask => self.service("rt_self", &[]),
            ExprKind::FpMode => self.service("rt_fpmode", &[]),
        }
    }

    /// Jumps to `to` if the expression's truth is `when`, and goes on otherwise.
    pub(super) fn branch(&mut self, expr: &'a Expr, to: Label, when: bool) {
        match &expr.kind {
            ExprKind::Unary(UnaryOp::Not, operand) => self.branch(operand, to, !when),
            ExprKind::Logical(op, left, right) => {
                // `and` is settled by a false left side, `or` by a true one.
                let settles = *op == LogicalOp::Or;
                if settles == when {
                    self.branch(left, to, when);
                    self.branch(right, to, when);
                } else {
                    let skip = self.text.new_label();
                    self.branch(left, skip, settles);
                    self.branch(right, to, when);
                    self.text.label(skip);
                }
            }
            ExprKind::Binary(op, left, right) => match Operation::of(*op) {
                Operation::Compare(condition) => {
                    let right = self.pair(left, right);
                    I::compare(&mut self.text, right);
                    self.branch_on(condition, to, when);
                }
                Operation::Compute(_) => self.branch_on_value(expr, to, when),
            },
            ExprKind::Int(value) => {
                if (wrap::<I>(*value) != 0) == when {
                    I::jump(&mut self.text, to);
                }
            }
            _ => self.branch_on_value(expr, to, when),
        }
    }

    fn branch_on_value(&mut self, expr: &'a Expr, to: Label, when: bool) {
        self.eval(expr);
        I::compare(&mut self.text, Operand::Const(0));
        self.branch_on(Condition::Ne, to, when);
    }

    fn branch_on(&mut self, condition: Condition, to: Label, when: bool) {
        let condition = match when {
            true => condition,
            false => condition.inverse(),
        };
        I::branch(&mut self.text, condition, to);
    }

    /// Evaluates two expressions, left first. The accumulator holds the left value, and the
    /// operand that is returned the right one.
    pub(super) fn pair(&mut self, left: &'a Expr, right: &'a Expr) -> Operand<'a> {
        if let Some(operand) = self.simple(right) {
            self.eval(left);
            return operand;
        }
        let left = self.keep(left);
        self.eval(right);
        I::load_second(&mut self.text, Operand::Accumulator);
        I::load(&mut self.text, left.operand);
        self.drop_kept(left);
        Operand::Second
    }

    /// Evaluates the address or index of a store and then its value. The accumulator holds the
    /// value, and the operand that is returned the address or index.
    pub(super) fn pair_for_store(&mut self, place: &'a Expr, value: &'a Expr) -> Operand<'a> {
        if let Some(value) = self.simple(value) {
            if let Some(place) = self.simple(place) {
                I::load(&mut self.text, value);
                return place;
            }
            self.eval(place);
            I::load_second(&mut self.text, Operand::Accumulator);
            I::load(&mut self.text, value);
            return Operand::Second;
        }
        let place = self.keep(place);
        self.eval(value);
        let operand = place.operand;
        self.drop_kept(place);
        operand
    }

    /// Evaluates an expression whose value must outlast the evaluation of another.
    fn keep(&mut self, expr: &'a Expr) -> Kept<'a> {
        if let (Some(operand), true) = (self.simple(expr), self.stable(expr)) {
            return Kept {
                operand,
                temporary: false,
            };
        }
        self.eval(expr);
        Kept {
            operand: self.spill(),
            temporary: true,
        }
    }

    fn drop_kept(&mut self, kept: Kept<'a>) {
        if kept.temporary {
            self.release();
        }
    }

    /// The operand that an expression is, if it needs no code.
    pub(super) fn simple(&self, expr: &Expr) -> Option<Operand<'a>> {
        match &expr.kind {
            ExprKind::Int(value) => Some(Operand::Const(wrap::<I>(*value))),
            ExprKind::Unary(UnaryOp::Neg, operand) => match operand.kind {
                ExprKind::Int(value) => Some(Operand::Const(wrap::<I>(value.wrapping_neg()))),
                _ => None,
            },
            ExprKind::Load(place) => match place {
                SyntaxPlace::Local(local) => {
                    Some(Operand::Place(self.layout.places[local.index()]))
                }
                SyntaxPlace::Global(global) => Some(Operand::Global(self.symbols.global(*global))),
                SyntaxPlace::Element { array, index } => {
                    let offset = self.element(*array, index)?;
                    Some(Operand::Place(Place::Slot(offset)))
                }
                SyntaxPlace::Deref(_) => None,
            },
            ExprKind::Address(place) => match place {
                SyntaxPlace::Local(local) => Some(Operand::SlotAddress(self.array(*local))),
                SyntaxPlace::Global(global) => {
                    Some(Operand::GlobalAddress(self.symbols.global(*global)))
                }
                SyntaxPlace::Element { array, index } => {
                    self.element(*array, index).map(Operand::SlotAddress)
                }
                SyntaxPlace::Deref(address) => self.simple(address),
            },
            _ => None,
        }
    }

    /// Whether a simple operand keeps its value whatever is called in between.
    pub(super) fn stable(&self, expr: &Expr) -> bool {
        let private = |local: LocalId| !self.function[local].address_taken;
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Unary(..) => true,
            ExprKind::Load(place) => match place {
                SyntaxPlace::Local(local) => private(*local),
                // Through a pointer or past the end of another array anything may be reached, but
                // then the program has no defined meaning anyway.
                SyntaxPlace::Element { array, .. } => private(*array),
                SyntaxPlace::Global(_) | SyntaxPlace::Deref(_) => false,
            },
            ExprKind::Address(place) => match place {
                SyntaxPlace::Deref(address) => self.stable(address),
                _ => true,
            },
            _ => false,
        }
    }

    /// The place of an element whose index is a number within the array.
    pub(super) fn element(&self, array: LocalId, index: &Expr) -> Option<i32> {
        let ExprKind::Int(index) = index.kind else {
            return None;
        };
        let LocalKind::Array(words) = self.function[array].kind else {
            return None;
        };
        match (0..i64::from(words)).contains(&index) {
            true => Some(
                self.array(array)
                    .wrapping_add((index as i32).wrapping_mul(I::WORD)),
            ),
            false => None,
        }
    }
}

/// An evaluated expression that waits for its partner.
struct Kept<'a> {
    operand: Operand<'a>,
    temporary: bool,
}

/// The constant as the ISA's word holds it.
fn wrap<I: Isa>(value: i64) -> i64 {
    match I::WORD {
        4 => i64::from(value as i32),
        _ => value,
    }
}
