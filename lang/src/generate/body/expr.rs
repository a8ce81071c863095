//! Random expressions, each with a bound on its value.

use super::{BOUND, LIMIT, Writer};
use crate::generate::GLOBALS;

impl Writer<'_> {
    /// An expression whose value a variable may hold.
    pub(super) fn stored(&mut self, depth: u32) -> String {
        match self.expr(depth) {
            (value, bound) if bound < BOUND => value,
            (value, _) => format!("({value}) % {BOUND}"),
        }
    }

    /// An expression that binds tighter than every operator with two operands, and a bound on its
    /// magnitude.
    pub(super) fn expr(&mut self, depth: u32) -> (String, i64) {
        if depth == 0 {
            return self.operand();
        }
        match self.rng.u32(0..12) {
            0..=5 => self.arithmetic(depth),
            6 => {
                let (left, right) = (self.expr(depth - 1).0, self.expr(depth - 1).0);
                let op = ["==", "!=", "<", "<=", ">", ">="][self.rng.usize(0..6)];
                (format!("({left} {op} {right})"), 1)
            }
            7 => {
                let (left, right) = (self.expr(depth - 1).0, self.expr(depth - 1).0);
                let op = ["and", "or"][self.rng.usize(0..2)];
                (format!("({left} {op} {right})"), 1)
            }
            8 => {
                let (value, bound) = self.expr(depth - 1);
                match self.rng.bool() {
                    true => (format!("-{value}"), bound),
                    false => (format!("(not {value})"), 1),
                }
            }
            9 => (self.wrapping(), 0xffff),
            10 => match self.any_call() {
                Some(call) => (call, BOUND - 1),
                None => self.operand(),
            },
            _ => self.operand(),
        }
    }

    fn arithmetic(&mut self, depth: u32) -> (String, i64) {
        let (left, a) = self.expr(depth - 1);
        let (right, b) = self.expr(depth - 1);
        // A mask of all bits that either has.
        let bits = (a.max(b) + 1).next_power_of_two_signed();
        let small = self.rng.u32(0..8);
        let (op, bound) = match self.rng.usize(0..10) {
            0 => ("+", a + b),
            1 => ("-", a + b),
            2 => ("*", a.saturating_mul(b)),
            3 => ("&", bits),
            4 => ("|", bits),
            5 => ("^", bits),
            6 => ("<<", a << small),
            7 => (">>", a),
            8 => ("/", a),
            _ => ("%", 7),
        };
        if bound >= LIMIT {
            return (left, a);
        }
        let value = match op {
            "<<" | ">>" => format!("({left} {op} {small})"),
            // Neither zero nor negative.
            "/" | "%" => format!("({left} {op} (({right} & 7) + 1))"),
            _ => format!("({left} {op} {right})"),
        };
        (value, bound)
    }

    /// Arithmetic that overflows, of which only the low bits are kept.
    fn wrapping(&mut self) -> String {
        let mut value = self.operand().0;
        for _ in 0..self.rng.u32(1..=3) {
            let op = ["+", "-", "*", "^", "|", "&"][self.rng.usize(0..6)];
            let constant = self.rng.u32(0..=i32::MAX as u32);
            value = match self.rng.u32(0..4) {
                0 => format!("({value} << {})", self.rng.u32(0..16)),
                _ => format!("({value} {op} {constant:#x})"),
            };
        }
        format!("({value} & 0xffff)")
    }

    fn operand(&mut self) -> (String, i64) {
        match self.rng.u32(0..10) {
            0..=3 if !self.scope.words.is_empty() => (self.any_word(), BOUND - 1),
            4 if !self.scope.fixed.is_empty() => {
                let which = self.rng.usize(0..self.scope.fixed.len());
                (self.scope.fixed[which].clone(), BOUND - 1)
            }
            5 => match self.any_element() {
                Some(element) => (element, BOUND - 1),
                None => self.literal(),
            },
            6 => match self.any_pointer() {
                Some(pointer) => (format!("*{pointer}"), BOUND - 1),
                None => self.literal(),
            },
            7 if self.allowed.globals => (format!("g{}", self.rng.u32(0..GLOBALS)), BOUND - 1),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> (String, i64) {
        let value = self.rng.u32(0..100);
        let text = match self.rng.u32(0..6) {
            0 => format!("{value:#x}"),
            1 => return (format!("'{}'", self.rng.lowercase()), 127),
            _ => value.to_string(),
        };
        (text, i64::from(value))
    }
}

/// Rounding up for numbers that have a sign but are not negative.
trait PowerOfTwo {
    fn next_power_of_two_signed(self) -> i64;
}

impl PowerOfTwo for i64 {
    fn next_power_of_two_signed(self) -> i64 {
        self.unsigned_abs().next_power_of_two() as Self
    }
}
