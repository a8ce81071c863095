//! The contract of a scenario's own switch text.
//!
//! Such a text may follow a style of its own and says so in its comments, as the runtime's
//! `style` module describes: `keeps:`, `first frame:`, `first block:`, `mistake:`. What it does not
//! say is as in `asm/<isa>/switch.s`.

use super::contract::{Contract, Flavour, Given, Holds, Slot};
use crate::isa::Reg;
use crate::program::Isa;
use crate::runtime::style::BLOCK_WORDS;

impl Contract {
    /// The contract of a text in a `switch` block.
    pub fn of_text(isa: Isa, text: &str) -> Contract {
        let mut contract = Contract::of(isa, Flavour::Integer);
        let target_word = contract.register(target_word(isa));
        if let Some(reg) = target_word {
            // The runtime's values travel elsewhere; this register is used up.
            contract.passes.retain(|passed| *passed != reg);
            contract.given.push((reg, Given::TargetWord));
        }
        for line in text.lines() {
            let Some((_, comment)) = line.split_once("//") else {
                continue;
            };
            if let Some((key, words)) = comment.split_once(':') {
                contract.read(key.trim(), words.trim());
            }
        }
        contract
    }

    /// Takes one line of the comments; what is no line of these is left alone.
    fn read(&mut self, key: &str, value: &str) {
        let word = i64::from(self.isa.word_bytes());
        let words = || value.split_whitespace();
        match key {
            "keeps" => {
                let kept: Vec<Reg> = words().filter_map(|name| self.register(name)).collect();
                let saved = self.callee_saved.iter().chain(&self.callee_saved_vector);
                self.clobbered = saved.copied().filter(|reg| !kept.contains(reg)).collect();
            }
            "first frame" => {
                let below = match value.contains('|') {
                    true => words().take_while(|name| *name != "|").count() as i64,
                    false => 0,
                };
                let names = words().filter(|name| *name != "|");
                let for_entry = self.entry_sp / word;
                self.first_frame = self.slots(names, -below * word);
                // What the entry pops itself is no register's yet.
                let top = self
                    .first_frame
                    .len()
                    .saturating_add_signed(for_entry as isize);
                for slot in self.first_frame.iter_mut().skip(top) {
                    slot.holds = Holds::ForEntry;
                }
            }
            "first block" => {
                self.first_block = self.slots(words().take(BLOCK_WORDS), word);
                self.block = 0..word * (1 + BLOCK_WORDS as i64);
            }
            "mistake" => match value {
                "begins one word too low" => self.entry_offset = -word,
                "loses the topmost word" => self.top_lost = word,
                // That a stack keeps a dead owner is not the switch's business.
                _ => {}
            },
            _ => {}
        }
    }

    /// A row of words from an offset up.
    fn slots<'t>(&self, names: impl Iterator<Item = &'t str>, from: i64) -> Vec<Slot> {
        let bytes = self.isa.word_bytes();
        let offsets = (0..).map(|index: i64| from + index * i64::from(bytes));
        let slots = names.zip(offsets).map(|(name, offset)| Slot {
            offset,
            bytes,
            holds: match name {
                "entry" => Holds::Entry,
                _ => self.register(name).map_or(Holds::Nothing, Holds::Register),
            },
        });
        slots.collect()
    }
}

/// The register in which the runtime hands over the address of the word that holds the target's
/// sp: for scenarios only, the texts of `asm/` do without.
const fn target_word(isa: Isa) -> &'static str {
    match isa {
        Isa::X86_64 => "r8",
        Isa::I386 => "edx",
        Isa::Aarch64 => "x5",
    }
}
