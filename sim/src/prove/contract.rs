//! What a switch text promises, as data: one contract per ISA and flavour.
//!
//! The heads of the texts in `asm/` say the same in words. A scenario's own `switch` text stands
//! in the place of the integer flavour's and is held to the same contract. The contracts of the
//! texts that end a C function are in `call`.

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

/// How a text is entered and left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// It stands in line: the task goes on behind its last instruction.
    Inline,
    /// It is the end of a C function: the task goes on behind the call of that function, whose
    /// return address is where the ABI has it.
    Call,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Inline => "inline",
            Form::Call => "call",
        })
    }
}

/// Where a text finds the words that a switch left at the target's sp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Words {
    /// On the target's stack.
    OnStack,
    /// At the start of the target's image in its save stack.
    InImage {
        /// Bytes of them that have not been copied back to the stack and never will be.
        left_out: u32,
    },
}

/// Nothing where it goes without saying.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Words::OnStack => Ok(()),
            Words::InImage { .. } => f.write_str(", its words in its image"),
        }
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
    /// The address of what the target's switch left at its sp; see [`Words`].
    TargetWords,
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
    /// How the text is entered and left.
    pub form: Form,
    /// Where the target's words are.
    pub words: Words,
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

    /// Bytes of a return address that lie on the stack when the text is entered, and are gone when it
    /// has been left.
    pub fn return_address_bytes(&self) -> i64 {
        match (self.form, self.isa) {
            (Form::Inline, _) | (_, Isa::Aarch64) => 0,
            (Form::Call, Isa::X86_64 | Isa::I386) => self.isa.word_bytes().into(),
        }
    }

    /// Bytes of the target's image, from its lowest one up, that are not on its stack.
    pub(super) fn left_out(&self) -> i64 {
        match self.words {
            Words::OnStack => 0,
            Words::InImage { left_out } => left_out.into(),
        }
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
        form: Form::Inline,
        words: Words::OnStack,
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
        form: Form::Inline,
        words: Words::OnStack,
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
        form: Form::Inline,
        words: Words::OnStack,
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

    /// What the right column of a drawing has at an offset, such as `| rbx: for the entry | sp+16`.
    fn drawn(text: &str) -> impl Iterator<Item = (i64, &str)> {
        text.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("//")?.rsplit('|').map(str::trim);
            let (place, cell) = (cells.next()?, cells.next()?);
            let offset = match place.strip_prefix("sp")? {
                "" => 0,
                further => further.strip_prefix('+')?.parse().ok()?,
            };
            Some((offset, cell))
        })
    }

    /// Whether a slot is what a cell of a drawing says.
    fn fits(contract: &Contract, slot: &Slot, cell: &str) -> bool {
        match slot.holds {
            Holds::Nothing => cell == "not used",
            Holds::Entry => cell == "address of the entry",
            Holds::ForEntry => cell.ends_with(": what the entry calls"),
            Holds::Register(reg) => match register_name(contract.isa, reg) {
                "fpcw" => cell == "x87 control word",
                "mxcsr" => cell == "MXCSR",
                "fpcr" => cell == "FPCR",
                name => cell.starts_with(name),
            },
        }
    }

    /// The drawing at the head of a text against the contract.
    #[track_caller]
    fn check_drawing(contract: &Contract, text: &str) {
        let integer = |offset| {
            let of = Contract::of_call(contract.isa, Flavour::Integer);
            let slots = of.into_iter().flat_map(|contract| contract.first_frame);
            slots.into_iter().find(|slot: &Slot| slot.offset == offset)
        };
        let mut rows = 0;
        for (offset, cell) in drawn(text) {
            let mut slots = contract.first_frame.iter();
            let slot = slots.find(|slot| slot.offset == offset);
            let slot = slot.unwrap_or_else(|| panic!("no slot at sp+{offset} for {cell}"));
            let right = match cell {
                "as in call.s" => integer(0).is_some_and(|other| other.holds == slot.holds),
                cell => fits(contract, slot, cell),
            };
            assert!(
                right,
                "{cell} is drawn at sp+{offset}, and there is {slot:?}"
            );
            rows += 1;
        }
        assert!(rows >= 2, "no drawing");
        let end = format!("sp+{}", contract.first_frame_bytes());
        let mut lines = text.lines();
        assert!(
            lines.any(|line| line.ends_with(&format!("{end}, 16-byte aligned"))
                || line.ends_with(&format!("{end},"))),
            "no first frame up to {end}"
        );
    }

    #[test]
    fn first_frames_are_those_that_the_texts_draw() {
        for isa in Isa::ALL {
            for flavour in [Flavour::Integer, Flavour::Fp] {
                for (contract, text) in crate::prove::all_built_in(isa, flavour) {
                    check_drawing(&contract, &text.text);
                }
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
