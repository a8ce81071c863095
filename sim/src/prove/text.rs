//! A switch text, assembled for a proof.
//!
//! A code address is a number to the assembler, but a proof must tell it from a number: the text is
//! inlined at many addresses. So the text is assembled at two places, and where an instruction
//! differs it has the address of a label in it.

use super::report::At;
use crate::asm::{self, AsmError};
use crate::isa::{aarch64, x86};
use crate::program::{Isa, Object, Part, Rights};

/// Where the text is assembled; the second place is only there to differ.
const BASES: [u32; 2] = [0x10_0000, 0x20_0000];

/// An instruction of any ISA.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Inst {
    X86(x86::Inst),
    Aarch64(aarch64::Inst),
}

/// An instruction and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub inst: Inst,
    /// From the text's first byte.
    pub offset: i64,
    /// It has the address of a label in it.
    pub has_label: bool,
    pub at: At,
}

/// The text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub placed: Vec<Placed>,
    /// Bytes of all instructions: where the code after the text begins.
    pub end: i64,
}

impl Text {
    pub fn assemble(isa: Isa, part: &Part) -> Result<Text, Vec<AsmError>> {
        match isa {
            Isa::X86_64 | Isa::I386 => {
                let dialect = asm::X86 {
                    long_mode: isa == Isa::X86_64,
                };
                assemble(&dialect, part, Inst::X86)
            }
            Isa::Aarch64 => assemble(&asm::Aarch64, part, Inst::Aarch64),
        }
    }

    /// The offset of a label's address.
    pub fn offset_of(address: u32) -> i64 {
        i64::from(address) - i64::from(BASES[0])
    }

    /// The number of the instruction that begins at an offset; one past the last one at the end.
    pub fn index_of(&self, offset: i64) -> Option<usize> {
        if offset == self.end {
            return Some(self.placed.len());
        }
        let found = self
            .placed
            .binary_search_by_key(&offset, |placed| placed.offset);
        found.ok()
    }

    /// Where the instruction after this one begins.
    pub fn offset_after(&self, index: usize) -> i64 {
        let next = self.placed.get(index + 1);
        next.map_or(self.end, |placed| placed.offset)
    }
}

fn assemble<D: asm::Dialect>(
    dialect: &D,
    part: &Part,
    wrap: impl Fn(D::Inst) -> Inst,
) -> Result<Text, Vec<AsmError>> {
    let object = Object {
        name: "switch".to_owned(),
        parts: vec![Part {
            rights: Rights::Plain,
            ..part.clone()
        }],
        functions: Vec::new(),
    };
    let objects = [object];
    let at_base = |base| asm::read(dialect, &objects, base, &|_| None, |_| Vec::new());
    let first = at_base(BASES[0])?;
    let second = at_base(BASES[1])?;
    let listing = asm::list(dialect.comments(), &objects);
    let pairs = first.placed.iter().zip(&second.placed).zip(0..);
    let placed = pairs.map(|((placed, moved), instruction)| {
        let inst = wrap(placed.inst);
        let line = listing.get(placed.line as usize);
        Placed {
            inst,
            offset: Text::offset_of(placed.address),
            has_label: inst != wrap(moved.inst),
            at: At {
                instruction,
                line: line.map_or(0, |line| line.line),
                text: line.map_or_else(String::new, |line| line.text.trim().to_owned()),
            },
        }
    });
    Ok(Text {
        placed: placed.collect(),
        end: Text::offset_of(first.end),
    })
}
