//! What a switch text promises, as data: one contract per ISA and flavour.
//!
//! The heads of the texts in `asm/` say the same in words. A scenario's own `switch` text stands
//! in the place of the integer flavour's and is held to the same contract.

use std::fmt;
use std::ops::Range;

use crate::isa::x86::registers as x86;
use crate::isa::{Reg, RegisterInfo, registers};
use crate::program::Isa;
use crate::view::RegisterClass;

/// What a switch keeps per task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Flavour {
    /// Integer state; the control words are shared by all tasks.
    Integer,
    /// The floating-point control words as well.
    Fp,
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flavour::Integer => "integer",
            Flavour::Fp => "fp",
        })
    }
}

/// What a register holds when the text is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    /// The address of the word that receives the source's sp.
    SaveWord,
    /// The target's sp: what that word of the target holds.
    TargetSp,
    /// The address of that word of the target. For texts that keep registers beside it.
    TargetWord,
}

/// What a slot of a first frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// The first contents of a register.
    Register(Reg),
    /// Where a fresh task begins.
    Entry,
    /// Nothing.
    Nothing,
}

/// Some bytes of what a fresh task finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Its distance from the target's sp as it is stored; in a control block, from the word that
    /// holds sp.
    pub offset: i64,
    /// How many bytes.
    pub bytes: u32,
    /// What they are for.
    pub holds: Holds,
}

/// What a text promises, and what it may rely on.
///
/// Beside these, a text may rely on: the word that receives sp, the control block around it, the
/// two stacks and the text itself do not overlap; a target's bytes from its stored sp up are in
/// place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// The instruction set.
    pub isa: Isa,
    /// The flavour.
    pub flavour: Flavour,
    /// Registers with a meaning at the entry.
    pub given: Vec<(Reg, Given)>,
    /// Registers whose contents go from the source to the target.
    pub passes: Vec<Reg>,
    /// The register that tells the target the source's sp, as it was stored.
    pub tells_sp: Option<Reg>,
    /// Registers that the ABI has a function preserve, sp aside.
    pub callee_saved: Vec<Reg>,
    /// Those of them that the text declares clobbered: whoever uses it keeps them.
    pub clobbered: Vec<Reg>,
    /// Vector registers that the ABI has a function preserve; clobbered ones as above.
    pub callee_saved_vector: Vec<Reg>,
    /// Floating-point control words.
    pub control: Vec<Reg>,
    /// A fresh task's stack around the stored sp.
    pub first_frame: Vec<Slot>,
    /// A fresh task's control block beside the word that holds sp.
    pub first_block: Vec<Slot>,
    /// The bytes of a control block, counted from the word that receives sp, which the text may
    /// use to keep the source's registers. Just that word in all texts of `asm/`.
    pub block: Range<i64>,
    /// Bytes below sp that a signal handler leaves alone.
    pub red_zone: i64,
    /// sp is a multiple of this where a fresh task begins.
    pub entry_alignment: i64,
    /// How far from such a multiple the first frame ends. 0 unless the runtime is made to err.
    pub entry_offset: i64,
    /// Bytes below a stack's top that images do not hold. 0 unless the runtime is made to err.
    pub top_lost: i64,
    /// sp is a multiple of this at every access through it; 1 where the CPU does not care.
    pub access_alignment: i64,
    /// Bytes below the source's sp that are sure to be there.
    pub room: i64,
}

impl Contract {
    /// The contract of an ISA's switch; `None` if there is no switch for it.
    pub fn of(isa: Isa, flavour: Flavour) -> Option<Contract> {
        match isa {
            Isa::X86_64 => Some(x86_64(flavour)),
            Isa::I386 | Isa::Aarch64 => None,
        }
    }

    /// The register of a name of this ISA, such as `rbx`.
    pub fn register(&self, name: &str) -> Option<Reg> {
        let info = registers(self.isa).iter().find(|info| info.name == name)?;
        Some(info.reg)
    }

    /// Bytes of a first frame from the stored sp up.
    pub fn first_frame_bytes(&self) -> i64 {
        let slots = self.first_frame.iter();
        let ends = slots.map(|slot| slot.offset + i64::from(slot.bytes));
        ends.max().unwrap_or(0).max(0)
    }

    pub(super) fn sp(&self) -> Reg {
        self.of_class(RegisterClass::StackPointer)
            .next()
            .map_or(Reg(0), |info| info.reg)
    }

    fn of_class(&self, class: RegisterClass) -> impl Iterator<Item = &'static RegisterInfo> {
        let all = registers(self.isa).iter();
        all.filter(move |info| info.class == class)
    }

    /// The slot for which a fresh task finds a register's first contents.
    pub(super) fn first_slot(&self, reg: Reg) -> Option<usize> {
        let slots = self.first_frame.iter().chain(&self.first_block);
        slots
            .into_iter()
            .position(|slot| slot.holds == Holds::Register(reg))
    }

    /// A slot by its number: those of the frame, then those of the block.
    pub(super) fn slot(&self, index: usize) -> Option<&Slot> {
        self.first_frame.iter().chain(&self.first_block).nth(index)
    }
}

/// `asm/x86_64/`; "AMD64 Architecture Processor Supplement": registers 3.2.1, red zone and
/// alignment 3.2.2.
fn x86_64(flavour: Flavour) -> Contract {
    let slot = |offset, bytes, holds| Slot {
        offset,
        bytes,
        holds,
    };
    let mut first_frame = vec![
        slot(0, 8, Holds::Register(x86::BP)),
        slot(8, 8, Holds::Entry),
        slot(16, 8, Holds::Register(x86::BX)),
    ];
    if flavour == Flavour::Fp {
        first_frame.extend([
            slot(24, 2, Holds::Register(x86::FPCW)),
            slot(26, 2, Holds::Nothing),
            slot(28, 4, Holds::Register(x86::MXCSR)),
        ]);
    }
    let r12_to_r15 = (12..16).map(Reg);
    Contract {
        isa: Isa::X86_64,
        flavour,
        given: vec![(x86::DI, Given::SaveWord), (x86::SI, Given::TargetSp)],
        passes: vec![x86::DX, x86::CX],
        tells_sp: Some(x86::DI),
        callee_saved: [x86::BX, x86::BP]
            .into_iter()
            .chain(r12_to_r15.clone())
            .collect(),
        clobbered: r12_to_r15.collect(),
        callee_saved_vector: Vec::new(),
        control: vec![x86::MXCSR, x86::FPCW],
        first_frame,
        first_block: Vec::new(),
        block: 0..8,
        red_zone: 128,
        entry_alignment: 16,
        entry_offset: 0,
        top_lost: 0,
        access_alignment: 1,
        room: ROOM,
    }
}

/// The guard page: whoever pushes less than that cannot step over it.
const ROOM: i64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::register_name;

    /// The drawing at the head of a text: `| rbx | sp+16 |` in the right column.
    #[track_caller]
    fn check_drawing(isa: Isa, flavour: Flavour, text: &str) {
        let contract = Contract::of(isa, flavour).unwrap();
        for slot in &contract.first_frame {
            let place = match slot.offset {
                0 => "| sp".to_owned(),
                offset => format!("| sp+{offset}"),
            };
            let content = match slot.holds {
                Holds::Nothing => continue,
                Holds::Entry => "address of the entry".to_owned(),
                Holds::Register(x86::FPCW) => "x87 control word".to_owned(),
                Holds::Register(x86::MXCSR) => "MXCSR".to_owned(),
                Holds::Register(reg) => format!("{}: ", register_name(isa, reg)),
            };
            let drawn = text.lines().any(|line| {
                let line = line.trim_end();
                let cell = line
                    .strip_suffix(&place)
                    .and_then(|line| line.rsplit("| ").next());
                cell.is_some_and(|cell| cell.starts_with(&content))
            });
            assert!(drawn, "{content} is not drawn at {place}");
        }
        let top = format!("sp+{}, 16-byte aligned", contract.first_frame_bytes());
        assert!(text.contains(&top), "no first frame up to {top}");
    }

    #[test]
    fn first_frames_are_those_that_the_texts_draw() {
        let integer = include_str!("../../../asm/x86_64/switch.s");
        check_drawing(Isa::X86_64, Flavour::Integer, integer);
        let fp = include_str!("../../../asm/x86_64/switch_fp.s");
        check_drawing(Isa::X86_64, Flavour::Fp, fp);
    }
}
