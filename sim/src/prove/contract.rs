//! What a switch text promises, as data: one contract per ISA and flavour.
//!
//! The heads of the texts in `asm/` say the same in words. A scenario's own `switch` text stands
//! in the place of the integer flavour's and is held to the same contract.

use std::fmt;
use std::ops::Range;

use crate::isa::aarch64::registers as a64;
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
    /// What the entry takes from the stack itself.
    ForEntry,
    /// Nothing that matters; it is there all the same.
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
    /// sp where a fresh task begins, counted from the end of its first frame.
    pub entry_sp: i64,
    /// The first frame ends at a multiple of this; at least 1.
    pub entry_alignment: i64,
    /// How far from such a multiple the first frame ends. 0 unless the runtime is made to err.
    pub entry_offset: i64,
    /// Bytes below a stack's top that images do not hold. 0 unless the runtime is made to err.
    pub top_lost: i64,
    /// sp is a multiple of this at every access through it; 1 where the CPU does not care. Where it
    /// does, it is so wherever a task enters the text.
    pub access_alignment: i64,
    /// Bytes below the source's sp that are sure to be there.
    pub room: i64,
}

impl Contract {
    /// The contract of an ISA's switch.
    pub fn of(isa: Isa, flavour: Flavour) -> Contract {
        match isa {
            Isa::X86_64 => x86_64(flavour),
            Isa::I386 => i386(flavour),
            Isa::Aarch64 => aarch64(flavour),
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

const fn slot(offset: i64, bytes: u32, holds: Holds) -> Slot {
    Slot {
        offset,
        bytes,
        holds,
    }
}

/// `asm/x86_64/`; "AMD64 Architecture Processor Supplement": registers 3.2.1, red zone and
/// alignment 3.2.2.
fn x86_64(flavour: Flavour) -> Contract {
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
        red_zone: Isa::X86_64.red_zone_bytes() as i64,
        entry_sp: 0,
        entry_alignment: 16,
        entry_offset: 0,
        top_lost: 0,
        access_alignment: 1,
        room: ROOM,
    }
}

/// `asm/i386/`; "Intel386 Architecture Processor Supplement", version 1.1: registers 2.2.1,
/// alignment 2.2.2. There is no red zone.
fn i386(flavour: Flavour) -> Contract {
    let mut first_frame = vec![
        slot(0, 4, Holds::Register(x86::BP)),
        slot(4, 4, Holds::Entry),
    ];
    match flavour {
        Flavour::Integer => first_frame.push(slot(8, 4, Holds::ForEntry)),
        Flavour::Fp => first_frame.extend([
            slot(8, 2, Holds::Register(x86::FPCW)),
            slot(10, 2, Holds::Nothing),
            slot(12, 4, Holds::Register(x86::MXCSR)),
            slot(16, 4, Holds::ForEntry),
        ]),
    }
    Contract {
        isa: Isa::I386,
        flavour,
        given: vec![(x86::DI, Given::SaveWord), (x86::CX, Given::TargetSp)],
        passes: vec![x86::DX, x86::AX],
        tells_sp: Some(x86::DI),
        callee_saved: vec![x86::BX, x86::SI, x86::DI, x86::BP],
        clobbered: vec![x86::BX, x86::DI],
        callee_saved_vector: Vec::new(),
        control: vec![x86::MXCSR, x86::FPCW],
        first_frame,
        first_block: Vec::new(),
        block: 0..4,
        red_zone: Isa::I386.red_zone_bytes() as i64,
        entry_sp: -4,
        entry_alignment: 16,
        entry_offset: 0,
        top_lost: 0,
        access_alignment: 1,
        room: ROOM,
    }
}

/// `asm/aarch64/`; "Procedure Call Standard for the Arm 64-bit Architecture": registers 6.1.1 and
/// 6.1.2, the stack 6.4.5. What lies below sp must not be relied on. x18 belongs to the platform:
/// it stays with the thread, whichever task runs.
fn aarch64(flavour: Flavour) -> Contract {
    let mut first_frame = vec![
        slot(0, 8, Holds::Register(a64::FP)),
        slot(8, 8, Holds::Entry),
        slot(16, 8, Holds::Register(Reg(19))),
    ];
    first_frame.push(match flavour {
        Flavour::Integer => slot(24, 8, Holds::Nothing),
        Flavour::Fp => slot(24, 8, Holds::Register(a64::FPCR)),
    });
    let d8_to_d15: Vec<Reg> = (8..16).map(|number| Reg(D0 + number)).collect();
    Contract {
        isa: Isa::Aarch64,
        flavour,
        given: vec![(Reg(0), Given::SaveWord), (Reg(1), Given::TargetSp)],
        passes: vec![Reg(2), Reg(3), Reg(18)],
        tells_sp: Some(Reg(0)),
        callee_saved: (19..30).map(Reg).collect(),
        clobbered: (20..29).map(Reg).chain(d8_to_d15.iter().copied()).collect(),
        callee_saved_vector: d8_to_d15,
        control: vec![a64::FPCR],
        first_frame,
        first_block: Vec::new(),
        block: 0..8,
        red_zone: Isa::Aarch64.red_zone_bytes() as i64,
        entry_sp: 0,
        entry_alignment: 16,
        entry_offset: 0,
        top_lost: 0,
        access_alignment: 16,
        room: ROOM,
    }
}

/// The place of d0 among the registers of aarch64.
const D0: u8 = 40;

/// The guard page: whoever pushes less than that cannot step over it.
const ROOM: i64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::register_name;

    /// The drawing at the head of a text: `| rbx | sp+16 |` in the right column.
    #[track_caller]
    fn check_drawing(isa: Isa, flavour: Flavour, text: &str) {
        let contract = Contract::of(isa, flavour);
        for slot in &contract.first_frame {
            let place = match slot.offset {
                0 => "| sp".to_owned(),
                offset => format!("| sp+{offset}"),
            };
            let content = match slot.holds {
                Holds::Nothing => continue,
                Holds::Entry => "address of the entry".to_owned(),
                Holds::ForEntry => ": what the entry calls".to_owned(),
                Holds::Register(reg) => match register_name(isa, reg) {
                    "fpcw" => "x87 control word".to_owned(),
                    "mxcsr" => "MXCSR".to_owned(),
                    "fpcr" => "FPCR".to_owned(),
                    name => format!("{name}: "),
                },
            };
            let drawn = text.lines().any(|line| {
                let line = line.trim_end();
                let cell = line
                    .strip_suffix(&place)
                    .and_then(|line| line.rsplit("| ").next());
                cell.is_some_and(|cell| cell.contains(&content))
            });
            assert!(drawn, "{content} is not drawn at {place}");
        }
        let top = format!("sp+{}, 16-byte aligned", contract.first_frame_bytes());
        assert!(text.contains(&top), "no first frame up to {top}");
    }

    #[test]
    fn first_frames_are_those_that_the_texts_draw() {
        for isa in Isa::ALL {
            for flavour in [Flavour::Integer, Flavour::Fp] {
                let text = crate::prove::built_in(isa, flavour);
                check_drawing(isa, flavour, &text.text);
            }
        }
    }

    #[test]
    fn registers_are_those_of_the_isa() {
        let contract = aarch64(Flavour::Integer);
        let names = contract.callee_saved_vector.iter();
        let names: Vec<&str> = names.map(|reg| register_name(Isa::Aarch64, *reg)).collect();
        assert_eq!(names.first(), Some(&"d8"));
        assert_eq!(names.last(), Some(&"d15"));
    }
}
