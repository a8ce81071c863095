//! The arithmetic of the language, once, for constants and for backends that interpret.

use crate::syntax::{BinaryOp, Expr, ExprKind, LogicalOp, UnaryOp, Word};

impl Word {
    /// Bits in a word.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// Bytes in a word.
    pub fn bytes(self) -> u32 {
        self.bits() / 8
    }

    /// The word with the low bits of `value`, its sign extended.
    pub fn wrap(self, value: i64) -> i64 {
        match self {
            Self::Bits32 => i64::from(value as i32),
            Self::Bits64 => value,
        }
    }
}

/// A division or remainder by zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DivisionByZero;

impl std::fmt::Display for DivisionByZero {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("division by zero")
    }
}

impl std::error::Error for DivisionByZero {}

impl UnaryOp {
    /// Applies the operator to a word.
    pub fn apply(self, word: Word, operand: i64) -> i64 {
        word.wrap(match self {
            Self::Neg => operand.wrapping_neg(),
            Self::Not => i64::from(word.wrap(operand) == 0),
        })
    }
}

impl BinaryOp {
    /// Applies the operator to two words.
    ///
    /// # Errors
    ///
    /// [`DivisionByZero`] for `/` and `%` when the right operand is 0.
    pub fn apply(self, word: Word, left: i64, right: i64) -> Result<i64, DivisionByZero> {
        let (left, right) = (word.wrap(left), word.wrap(right));
        let count = right as u32 % word.bits();
        Ok(word.wrap(match self {
            Self::Add => left.wrapping_add(right),
            Self::Sub => left.wrapping_sub(right),
            Self::Mul => left.wrapping_mul(right),
            Self::Div | Self::Rem if right == 0 => return Err(DivisionByZero),
            Self::Div => left.wrapping_div(right),
            Self::Rem => left.wrapping_rem(right),
            Self::BitAnd => left & right,
            Self::BitOr => left | right,
            Self::BitXor => left ^ right,
            Self::Shl => left.wrapping_shl(count),
            Self::Shr => left.wrapping_shr(count),
            Self::Eq => i64::from(left == right),
            Self::Ne => i64::from(left != right),
            Self::Lt => i64::from(left < right),
            Self::Le => i64::from(left <= right),
            Self::Gt => i64::from(left > right),
            Self::Ge => i64::from(left >= right),
        }))
    }
}

impl Expr {
    /// The value of a constant expression at a word's width; `None` if it is not constant or
    /// divides by zero. Global values and the arguments of declared tasks are always constant.
    pub fn constant(&self, word: Word) -> Option<i64> {
        Some(match &self.kind {
            ExprKind::Int(value) => word.wrap(*value),
            ExprKind::Unary(op, operand) => op.apply(word, operand.constant(word)?),
            ExprKind::Binary(op, left, right) => op
                .apply(word, left.constant(word)?, right.constant(word)?)
                .ok()?,
            ExprKind::Logical(op, left, right) => {
                let left = left.constant(word)? != 0;
                let decided = match op {
                    LogicalOp::And => !left,
                    LogicalOp::Or => left,
                };
                i64::from(if decided {
                    left
                } else {
                    right.constant(word)? != 0
                })
            }
            _ => return None,
        })
    }
}
