//! Symbolic values in words.

use super::contract::{Contract, Holds};
use super::machine::Place;
use super::text::Text;
use super::value::{Bits, Byte, Region, Side, Symbol, Term, Value};
use crate::isa::{Width, register_name};

/// What is needed to say what a value is.
pub(crate) struct Show<'s> {
    pub contract: &'s Contract,
    pub text: &'s Text,
    /// What the unknown values are.
    pub unknowns: &'s [String],
}

impl Show<'_> {
    /// Such as `sp of the source - 24`.
    pub fn value(&self, value: &Value) -> String {
        if let Some(number) = value.number() {
            return number_in_words(number, value.width());
        }
        if let Some(term) = value.term() {
            return self.term(term);
        }
        let mut parts: Vec<String> = Vec::new();
        let mut rest = value.bytes();
        while !rest.is_empty() {
            let len = run_length(rest);
            parts.push(self.run(&rest[..len]));
            rest = &rest[len..];
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => format!("a mixture ({})", parts.join("; ")),
        }
    }

    /// Bytes that belong together.
    fn run(&self, bytes: &[Byte]) -> String {
        match bytes[0] {
            Byte::Known(_) => {
                let known = bytes.iter().map(|byte| match byte {
                    Byte::Known(byte) => format!("{byte:02x}"),
                    Byte::Part(..) | Byte::Bits(..) => String::new(),
                });
                format!("bytes {}", known.collect::<Vec<_>>().join(" "))
            }
            Byte::Part(term, _) if matches!(term.symbol, Symbol::Memory(..)) => self.term(term),
            Byte::Bits(first, second) => {
                let bits = [Some(first), second].into_iter().flatten();
                let bits = bits.map(|Bits { term, index, mask }| {
                    format!("bits {mask:#x} of byte {index} of {}", self.term(term))
                });
                bits.collect::<Vec<_>>().join(" with ")
            }
            Byte::Part(term, first) => {
                let last = usize::from(first) + bytes.len() - 1;
                format!("bytes {first} to {last} of {}", self.term(term))
            }
        }
    }

    fn term(&self, term: Term) -> String {
        let base = match term.symbol {
            Symbol::Base(Region::Text(side)) => return self.code(side, term.offset),
            Symbol::Base(region) => region_base(region),
            Symbol::Register(side, reg) => {
                format!(
                    "{} of {}",
                    register_name(self.contract.isa, reg),
                    name(side)
                )
            }
            Symbol::Return(side) => format!("the return address of {}", name(side)),
            Symbol::First(side, slot) => match self.contract.slot(slot).map(|slot| slot.holds) {
                Some(Holds::Entry) => format!("the entry of {}", name(side)),
                Some(Holds::Register(reg)) => {
                    let register = register_name(self.contract.isa, reg);
                    format!("first {register} of {}", name(side))
                }
                _ => format!("a part of the first frame of {}", name(side)),
            },
            Symbol::Memory(region, offset) => {
                format!("what was at {}", with_offset(region_base(region), offset))
            }
            Symbol::Unknown(number) => self
                .unknowns
                .get(number)
                .map_or_else(|| "an unknown value".to_owned(), String::clone),
        };
        with_offset(base, term.offset)
    }

    fn code(&self, side: Side, offset: i64) -> String {
        let whose = match side {
            Side::Source => "where the source goes on",
            Side::Target => "where the target goes on",
            Side::Third => "where a third task goes on",
        };
        match self.text.index_of(offset) {
            Some(index) if index == self.text.placed.len() => format!("{whose} after the text"),
            Some(index) => format!("{whose} at line {}", self.text.placed[index].at.line),
            None => with_offset(format!("{whose} from the text's start"), offset),
        }
    }

    /// A place that is written.
    pub fn place(&self, place: Place) -> String {
        match place {
            Place::Register(reg) => register_name(self.contract.isa, reg).to_owned(),
            Place::Memory(region @ Region::Block(_), 0) => {
                region_base(region).replacen("address of ", "", 1)
            }
            Place::Memory(region, offset) => {
                format!("[{}]", with_offset(region_base(region), offset))
            }
        }
    }
}

/// How many bytes belong together: known ones, parts of one term, a row of memory.
fn run_length(bytes: &[Byte]) -> usize {
    let follows = |pair: &[Byte]| match (pair[0], pair[1]) {
        (Byte::Known(_), Byte::Known(_)) => true,
        (Byte::Part(a, i), Byte::Part(b, j)) => match (a.symbol, b.symbol) {
            (Symbol::Memory(one, low), Symbol::Memory(other, high)) => {
                one == other && low.wrapping_add(1) == high
            }
            _ => a == b && i + 1 == j,
        },
        _ => false,
    };
    1 + bytes.windows(2).take_while(|pair| follows(pair)).count()
}

fn region_base(region: Region) -> String {
    match region {
        Region::Stack(side) => format!("sp of {}", name(side)),
        Region::Block(side) => format!("address of the word for sp of {}", name(side)),
        Region::Image(side) => format!("address of the image of {}", name(side)),
        Region::Text(side) => format!("the text of {}", name(side)),
    }
}

/// A task in words.
pub(crate) fn name(side: Side) -> &'static str {
    match side {
        Side::Source => "the source",
        Side::Target => "the target",
        Side::Third => "a third task",
    }
}

fn with_offset(base: String, offset: i64) -> String {
    match offset {
        0 => base,
        1.. => format!("{base} + {offset}"),
        _ => format!("{base} - {}", offset.unsigned_abs()),
    }
}

fn number_in_words(number: u64, width: Width) -> String {
    match width.sign_extend(number) {
        small @ -255..=255 => format!("{small}"),
        _ => format!("{number:#x}"),
    }
}
