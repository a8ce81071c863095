//! How a switch text wants its tasks to begin, and what it leaves to others.
//!
//! The texts in `asm/` all follow one convention per ISA. A scenario's own `switch` text may be
//! written in another style, and says so in its comments, one line each:
//!
//! ```text
//! // first frame: rbp entry rbx       the words of a stack that has not run yet, from sp up
//! // first block: . entry rbx         the words beside sp in a control block, likewise
//! // keeps: rbx rbp r12 r13 r14 r15   the callee-saved registers that the text preserves; its
//! //                                  stubs save the others
//! // signals: between any two instructions
//! // mistake: loses the topmost word
//! // mistake: keeps the dead
//! // mistake: begins one word too low
//! ```
//!
//! A word is a register that finds its first contents there, `entry` (where a task begins), or
//! `.`, which is nothing. `|` in a first frame marks where sp points, when that is not its lowest
//! word. With signals, one arrives before each instruction of the text, as one may at any time.
//! The mistakes are the runtime's, not the text's: images without their topmost word, a
//! stack whose owner has ended but stays its owner, and a first frame that is not aligned.

use costack_lang::syntax::Program;

use crate::program::Isa;

use super::memory::{Convention, convention};
use super::stubs::isa_of;

/// What a task finds in a word before it has ever run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// 0: nothing that matters.
    Nothing,
    /// Where a task begins.
    Entry,
    /// What the entry calls.
    Called,
    /// The floating-point control words, as a process finds them.
    Control,
}

/// A style of switching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// A fresh stack, from its lowest word up.
    pub frame: Vec<First>,
    /// Words of `frame` that are below sp.
    pub below_sp: usize,
    /// A fresh control block, from the word behind sp up.
    pub block: Vec<First>,
    /// Callee-saved registers that the text preserves.
    pub keeps: Vec<String>,
    /// Words below a stack's top that are left out of images.
    pub words_lost: u32,
    /// Words that are left out between a first frame and the top of its stack.
    pub words_too_low: usize,
    /// Whether a task that has ended stays the owner of its stack.
    pub keeps_the_dead: bool,
    /// Whether a signal arrives before each instruction of a switch.
    pub signals: bool,
    /// Whether the scenario brings its own text.
    pub own: bool,
}

impl Style {
    /// The style of the texts in `asm/`.
    pub fn usual(convention: &Convention) -> Self {
        Style {
            frame: convention.frame.to_vec(),
            below_sp: 0,
            block: Vec::new(),
            keeps: convention.kept.iter().map(|&name| name.into()).collect(),
            words_lost: 0,
            words_too_low: 0,
            keeps_the_dead: false,
            signals: false,
            own: false,
        }
    }

    /// The style of a scenario on an ISA.
    pub fn of(program: &Program, isa: Isa) -> Self {
        let convention = convention(isa);
        let mut style = Style::usual(convention);
        let own = program
            .switches
            .iter()
            .find(|switch| isa_of(switch.isa) == isa);
        let Some(own) = own else {
            return style;
        };
        style.own = true;
        for line in own.text.lines() {
            let Some((_, comment)) = line.split_once("//") else {
                continue;
            };
            let Some((key, words)) = comment.split_once(':') else {
                continue;
            };
            style.read(key.trim(), words.trim(), convention);
        }
        style
    }

    /// Takes one line of the text's comments; what is no line of these is left alone.
    fn read(&mut self, key: &str, value: &str, convention: &Convention) {
        let words = value.split_whitespace();
        let first = |word: &str| match word {
            "entry" => First::Entry,
            _ if word == convention.called => First::Called,
            _ => First::Nothing,
        };
        match key {
            "first frame" => {
                self.below_sp = words.clone().take_while(|&word| word != "|").count();
                if !value.contains('|') {
                    self.below_sp = 0;
                }
                self.frame = words.filter(|&word| word != "|").map(first).collect();
            }
            "first block" => self.block = words.map(first).take(BLOCK_WORDS).collect(),
            "keeps" => self.keeps = words.map(str::to_owned).collect(),
            "signals" => self.signals = value == "between any two instructions",
            "mistake" => match value {
                "keeps the dead" => self.keeps_the_dead = true,
                "begins one word too low" => self.words_too_low = 1,
                "loses the topmost word" => self.words_lost = 1,
                _ => {}
            },
            _ => {}
        }
    }
}

/// Words of a control block, behind sp, that a text of another style may keep registers in.
pub const BLOCK_WORDS: usize = 16;
