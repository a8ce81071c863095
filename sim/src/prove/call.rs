//! The contracts of `asm/<isa>/call.s` and `call_fp.s`, with which the C functions end.

use super::contract::{Contract, Flavour, Form, Given, Holds, Slot, Words};
use crate::isa::Reg;
use crate::isa::aarch64::registers as a64;
use crate::isa::x86::registers as x86;
use crate::program::Isa;

impl Contract {
    /// The contracts of the switch that is the end of a C function: one for each place where it may
    /// find the target's words, see [`Words`].
    ///
    /// What the ABI has a function preserve is preserved, nothing is declared clobbered. The source's
    /// sp is not told to the target, and what passes is the C function's result.
    pub fn of_call(isa: Isa, flavour: Flavour) -> Vec<Contract> {
        let inline = Contract::of(isa, flavour);
        let on_stack = Contract {
            form: Form::Call,
            given: given(isa),
            passes: passes(isa),
            tells_sp: None,
            clobbered: Vec::new(),
            first_frame: first_frame(isa, flavour),
            entry_sp: 0,
            ..inline
        };
        match isa {
            Isa::X86_64 => {
                let words = Words::InImage {
                    left_out: X86_64_WORDS,
                };
                let in_image = Contract {
                    words,
                    ..on_stack.clone()
                };
                vec![on_stack, in_image]
            }
            Isa::I386 | Isa::Aarch64 => vec![on_stack],
        }
    }
}

/// Bytes of an image that the integer flavour on x86-64 takes, and that are not copied back to the
/// stack then, in either flavour.
const X86_64_WORDS: u32 = 7 * 8;

fn given(isa: Isa) -> Vec<(Reg, Given)> {
    match isa {
        Isa::X86_64 => vec![
            (x86::DI, Given::SaveWord),
            (x86::SI, Given::TargetWords),
            (x86::DX, Given::TargetSp),
        ],
        Isa::I386 => vec![(x86::CX, Given::SaveWord), (x86::DX, Given::TargetSp)],
        Isa::Aarch64 => vec![(Reg(1), Given::TargetSp), (Reg(2), Given::SaveWord)],
    }
}

/// The result of the C function; on aarch64 also what belongs to the platform.
fn passes(isa: Isa) -> Vec<Reg> {
    match isa {
        Isa::X86_64 | Isa::I386 => vec![x86::AX],
        Isa::Aarch64 => vec![Reg(0), Reg(18)],
    }
}

/// What the heads of the texts draw.
fn first_frame(isa: Isa, flavour: Flavour) -> Vec<Slot> {
    let fp = flavour == Flavour::Fp;
    let mut frame = Frame {
        slots: Vec::new(),
        end: 0,
    };
    match isa {
        Isa::X86_64 | Isa::I386 => {
            let word = isa.word_bytes();
            if fp {
                frame.add(4, Holds::Register(x86::MXCSR));
                frame.add(2, Holds::Register(x86::FPCW));
                frame.add(2, Holds::Nothing);
            }
            let registers = match isa {
                Isa::X86_64 => vec![Reg(15), Reg(14), Reg(13), Reg(12), x86::BX, x86::BP],
                _ => vec![x86::DI, x86::SI, x86::BX, x86::BP],
            };
            for reg in registers {
                frame.add(word, Holds::Register(reg));
            }
            frame.add(word, Holds::Entry);
        }
        Isa::Aarch64 => {
            frame.add(8, Holds::Register(a64::FP));
            frame.add(8, Holds::Entry);
            let d8_to_d15 = Contract::of(isa, flavour).callee_saved_vector;
            for reg in (19..29).map(Reg).chain(d8_to_d15) {
                frame.add(8, Holds::Register(reg));
            }
            if fp {
                frame.add(8, Holds::Register(a64::FPCR));
                frame.add(8, Holds::Nothing);
            }
        }
    }
    frame.slots
}

/// A frame that is laid out from its lowest byte up.
struct Frame {
    slots: Vec<Slot>,
    end: i64,
}

impl Frame {
    fn add(&mut self, bytes: u32, holds: Holds) {
        self.slots.push(Slot {
            offset: self.end,
            bytes,
            holds,
        });
        self.end += i64::from(bytes);
    }
}
