//! Symbolic values: what a register or a byte of memory holds, for all runs at once.
//!
//! A value is a row of bytes. Each byte is known, or it is one byte of a [`Term`]: a symbol plus a
//! constant, such as "sp of the source - 24". So a control word of two bytes that is stored between
//! two words, an overlapping store and a register that was written in parts need no rules of their
//! own: what does not fit together again is equal to nothing but itself.

use crate::isa::{Reg, Width};

/// A task, as seen from one switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The task that gives up the CPU.
    Source,
    /// The task that gets it.
    Target,
    /// The task that the target had given the CPU to, when it ran the text itself.
    Third,
}

/// Memory that a text can know of. Two regions never overlap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Region {
    /// A task's stack. Offsets count from the sp with which the task's own code runs: when it
    /// enters the text, and when the text comes back to it or begins it.
    Stack(Side),
    /// The word that receives a task's sp, and the control block around it.
    Block(Side),
    /// A task's image in its save stack, from its lowest byte up.
    Image(Side),
    /// The task's copy of the text: it is inlined in many places, each at an address of its own.
    Text(Side),
}

/// A value that nothing is known of but where it came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Symbol {
    /// The address at which a region's offsets count from 0.
    Base(Region),
    /// What a register held when a task entered the text.
    Register(Side, Reg),
    /// The return address of the C function whose end the text is.
    Return(Side),
    /// What a task's first frame holds: the index of a slot of the contract.
    First(Side, usize),
    /// A byte of memory that the text has not written.
    Memory(Region, i64),
    /// The result of a computation that the prover does not follow, by number.
    Unknown(usize),
}

/// A symbol plus a constant; wraps around at the machine's word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Term {
    pub symbol: Symbol,
    pub offset: i64,
}

/// A byte of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Byte {
    Known(u8),
    /// The byte of this index, the lowest first.
    Part(Term, u8),
    /// Some bits of one such byte, or of two, and zeros.
    Bits(Bits, Option<Bits>),
}

/// Some bits of a byte of a term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Bits {
    pub term: Term,
    pub index: u8,
    /// Not all, and not none.
    pub mask: u8,
}

/// The widest value, in bytes.
const WIDEST: usize = 8;

/// Up to eight bytes, the lowest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    bytes: [Byte; WIDEST],
    len: usize,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Symbol {
    pub fn plus(self, offset: i64) -> Term {
        Term {
            symbol: self,
            offset,
        }
    }
}

impl Value {
    /// A number.
    pub fn known(number: u64, width: Width) -> Self {
        let bytes = number.to_le_bytes().map(Byte::Known);
        let len = width.bytes() as usize;
        Value { bytes, len }
    }

    /// All bytes of a term.
    pub fn of(term: Term, width: Width) -> Self {
        Self::from_bytes(width, |index| Byte::Part(term, index as u8))
    }

    pub fn from_bytes(width: Width, mut byte: impl FnMut(usize) -> Byte) -> Self {
        let mut bytes = [Byte::Known(0); WIDEST];
        let len = width.bytes() as usize;
        for (index, place) in bytes[..len].iter_mut().enumerate() {
            *place = byte(index);
        }
        Value { bytes, len }
    }

    pub fn bytes(&self) -> &[Byte] {
        &self.bytes[..self.len]
    }

    pub fn width(&self) -> Width {
        match self.len {
            1 => Width::Byte,
            2 => Width::Half,
            4 => Width::Word,
            _ => Width::Double,
        }
    }

    /// The number, if every byte is known.
    pub fn number(&self) -> Option<u64> {
        let mut number = [0; WIDEST];
        for (place, byte) in number.iter_mut().zip(self.bytes()) {
            match byte {
                Byte::Known(byte) => *place = *byte,
                Byte::Part(..) | Byte::Bits(..) => return None,
            }
        }
        Some(u64::from_le_bytes(number))
    }

    /// The term, if the bytes are its bytes in order, from the lowest one on.
    pub fn term(&self) -> Option<Term> {
        let Byte::Part(term, 0) = self.bytes[0] else {
            return None;
        };
        let whole = Value::of(term, self.width());
        (*self == whole).then_some(term)
    }

    /// The low bytes.
    pub fn low(&self, width: Width) -> Self {
        Self::from_bytes(width, |index| self.byte(index))
    }

    /// A byte; zero past the end.
    pub fn byte(&self, index: usize) -> Byte {
        self.bytes().get(index).copied().unwrap_or(Byte::Known(0))
    }

    /// The value with its low bytes replaced.
    pub fn with_low(&self, low: &Value) -> Self {
        Self::from_bytes(self.width(), |index| match index < low.len {
            true => low.bytes[index],
            false => self.byte(index),
        })
    }

    /// The sum with a number, where that is a number or a term.
    pub fn plus(&self, number: i64, word: Width) -> Option<Self> {
        let width = self.width();
        if let Some(own) = self.number() {
            let sum = own.wrapping_add(number as u64) & width.mask();
            return Some(Value::known(sum, width));
        }
        let term = self.term()?;
        if number == 0 {
            return Some(*self);
        }
        // The bytes of a narrower value would need the carry.
        if width != word {
            return None;
        }
        let offset = word.sign_extend(term.offset.wrapping_add(number) as u64);
        Some(Value::of(term.symbol.plus(offset), width))
    }

    /// Bits chosen byte by byte, where every byte has a known result.
    pub fn bitwise(&self, other: &Value, op: Bitwise) -> Option<Self> {
        let mut all = true;
        let value = Self::from_bytes(self.width(), |index| {
            let pair = (self.byte(index), other.byte(index));
            op.byte(pair.0, pair.1).unwrap_or_else(|| {
                all = false;
                Byte::Known(0)
            })
        });
        all.then_some(value)
    }
}

/// An operation on bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bitwise {
    And,
    Or,
    Xor,
}

impl Bitwise {
    fn byte(self, left: Byte, right: Byte) -> Option<Byte> {
        use Byte::Known;
        Some(match (self, left, right) {
            (Bitwise::And, Known(a), Known(b)) => Known(a & b),
            (Bitwise::Or, Known(a), Known(b)) => Known(a | b),
            (Bitwise::Xor, Known(a), Known(b)) => Known(a ^ b),
            (Bitwise::And | Bitwise::Or, a, b) if a == b => a,
            (Bitwise::Xor, a, b) if a == b => Known(0),
            (Bitwise::And, Known(0), _) | (Bitwise::And, _, Known(0)) => Known(0),
            (Bitwise::Or, Known(0xff), _) | (Bitwise::Or, _, Known(0xff)) => Known(0xff),
            (Bitwise::And, Known(0xff), other) | (Bitwise::And, other, Known(0xff)) => other,
            (Bitwise::And, Known(mask), other) | (Bitwise::And, other, Known(mask)) => {
                other.masked(mask)
            }
            (_, Known(0), other) | (_, other, Known(0)) => other,
            (Bitwise::Or, a, b) => return a.beside(b.without(a)),
            (Bitwise::Xor, a, b) => return a.beside(b),
            _ => return None,
        })
    }
}

impl Byte {
    /// The bits that it is made of: at most two pieces; none for a known byte.
    pub fn pieces(self) -> [Option<Bits>; 2] {
        match self {
            Byte::Known(_) => [None, None],
            Byte::Part(term, index) => {
                let mask = 0xff;
                [Some(Bits { term, index, mask }), None]
            }
            Byte::Bits(first, second) => [Some(first), second],
        }
    }

    /// A byte of pieces, in one order; `None` if there are too many.
    pub fn of(pieces: impl Iterator<Item = Bits>) -> Option<Byte> {
        let mut pieces: Vec<Bits> = pieces.filter(|piece| piece.mask != 0).collect();
        pieces.sort_unstable();
        Some(match pieces[..] {
            [] => Byte::Known(0),
            [
                Bits {
                    term,
                    index,
                    mask: 0xff,
                },
            ] => Byte::Part(term, index),
            [only] => Byte::Bits(only, None),
            [one, other] if (one.term, one.index) == (other.term, other.index) => {
                let mask = one.mask | other.mask;
                return Byte::of([Bits { mask, ..one }].into_iter());
            }
            [one, other] => Byte::Bits(one, Some(other)),
            _ => return None,
        })
    }

    /// Its bits under a mask, and zeros.
    fn masked(self, mask: u8) -> Byte {
        let pieces = self.pieces().into_iter().flatten();
        let masked = pieces.map(|piece| Bits {
            mask: piece.mask & mask,
            ..piece
        });
        match self {
            Byte::Known(byte) => Byte::Known(byte & mask),
            _ => Byte::of(masked).unwrap_or(self),
        }
    }

    /// Zeros in place of the bits that are in another byte as well.
    fn without(self, other: Byte) -> Byte {
        let there = |bits: &Bits| {
            let pieces = other.pieces().into_iter().flatten();
            let same = pieces.filter(|piece| (piece.term, piece.index) == (bits.term, bits.index));
            same.fold(0, |mask, piece| mask | piece.mask)
        };
        let pieces = self.pieces().into_iter().flatten();
        let rest = pieces.map(|bits| Bits {
            mask: bits.mask & !there(&bits),
            ..bits
        });
        match self {
            Byte::Known(_) => self,
            _ => Byte::of(rest).unwrap_or(self),
        }
    }

    /// Both together, where no bit is in both.
    fn beside(self, other: Byte) -> Option<Byte> {
        let all = |byte: Byte| byte.pieces().into_iter().flatten();
        let mask = |byte: Byte| all(byte).fold(0, |mask, piece| mask | piece.mask);
        let known = [self, other]
            .iter()
            .any(|byte| matches!(byte, Byte::Known(1..)));
        match known || mask(self) & mask(other) != 0 {
            true => None,
            false => Byte::of(all(self).chain(all(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SP: Term = Term {
        symbol: Symbol::Base(Region::Stack(Side::Source)),
        offset: 0,
    };

    #[test]
    fn sums_of_a_term_and_numbers_are_terms() {
        let sp = Value::of(SP, Width::Double);
        let pushed = sp.plus(-8, Width::Double).unwrap();
        assert_ne!(pushed, sp);
        assert_eq!(pushed.term(), Some(SP.symbol.plus(-8)));
        assert_eq!(pushed.plus(8, Width::Double), Some(sp));
    }

    #[test]
    fn parts_of_a_term_have_no_sums_and_are_no_term() {
        let sp = Value::of(SP, Width::Double);
        assert_eq!(sp.low(Width::Word).plus(4, Width::Double), None);
        let torn = sp.with_low(&Value::known(0, Width::Half));
        assert_eq!((torn.term(), torn.number()), (None, None));
        assert_eq!(torn.with_low(&sp.low(Width::Half)).term(), Some(SP));
    }

    #[test]
    fn bits_follow_where_each_byte_does() {
        let sp = Value::of(SP, Width::Double);
        let low = Value::known(0xffff, Width::Double);
        let cut = sp.bitwise(&low, Bitwise::And).unwrap();
        assert_eq!(cut.low(Width::Half), sp.low(Width::Half));
        assert_eq!(cut.byte(2), Byte::Known(0));
        // Bits of two values put together, and taken apart again.
        let mask = |mask| Value::known(mask, Width::Double);
        let high = sp.bitwise(&mask(0xffc0), Bitwise::And).unwrap();
        assert_ne!(high, sp);
        let both = |other: &Value| {
            let low = other.bitwise(&mask(0x3f), Bitwise::And).unwrap();
            high.bitwise(&low, Bitwise::Or)
        };
        let other = sp.plus(8, Width::Double).unwrap();
        let joined = both(&other).unwrap();
        assert_eq!(joined.bitwise(&mask(0xffc0), Bitwise::And), Some(high));
        assert_eq!(
            both(&sp).unwrap(),
            sp.bitwise(&mask(0xffff), Bitwise::And).unwrap()
        );
        assert_eq!(joined.bitwise(&high, Bitwise::Or), Some(joined));
        assert_eq!(joined.bitwise(&high, Bitwise::Xor), None);
        assert_eq!(joined.bitwise(&sp, Bitwise::Or), None);
        let zero = sp.bitwise(&sp, Bitwise::Xor).unwrap();
        assert_eq!(zero.number(), Some(0));
    }

    #[test]
    fn a_narrow_word_wraps_around() {
        let sp = Value::of(SP, Width::Word);
        let up = sp.plus(0xffff_fffc, Width::Word).unwrap();
        assert_eq!(up.term(), Some(SP.symbol.plus(-4)));
    }
}
