//! What does not change during a run: the scenario's text and the assembly.

use std::{ops::Range, rc::Rc};

use costack_sim::{
    gallery::{self, Scenario},
    view::AsmLine,
};
use yew::AttrValue;

use super::highlight::{Piece, lines};

/// Scenarios of the gallery that are about the same.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// What they are about.
    pub name: &'static str,
    /// Index in the whole gallery, and title.
    pub scenarios: Vec<(usize, AttrValue)>,
}

/// The gallery.
pub fn groups() -> Vec<Group> {
    let parts = [
        ("Sharing a stack", gallery::SCENARIOS),
        ("Styles of switching", gallery::STYLES),
        ("Pitfalls", gallery::PITFALLS),
    ];
    let mut index = 0..;
    let group = |(name, scenarios): (&'static str, &'static [Scenario])| Group {
        name,
        scenarios: index.by_ref().zip(scenarios.iter().map(title)).collect(),
    };
    parts.map(group).into()
}

/// A scenario's title; its name while its text has mistakes.
pub fn title(scenario: &Scenario) -> AttrValue {
    let program = costack_lang::parse(&scenario.file(), scenario.text);
    let mut title = program.map_or_else(|_| scenario.name.to_owned(), |program| program.title);
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title.into()
}

/// A scenario's text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text {
    /// The file's name.
    pub file: AttrValue,
    /// The paragraph about it; empty if there is none.
    pub about: AttrValue,
    /// All of it.
    pub whole: Rc<str>,
    /// The same, line by line, in colours.
    pub lines: Vec<Rc<[Piece]>>,
    /// Whether it brings a switch text of its own.
    own_switch: bool,
}

impl Text {
    /// Splits a text into lines.
    pub fn new(file: &str, whole: &str) -> Self {
        let program = costack_lang::parse(file, whole).ok();
        let own_switch = program
            .as_ref()
            .is_some_and(|program| !program.switches.is_empty());
        let about = program.and_then(|program| program.about);
        Text {
            own_switch,
            about: about.unwrap_or_default().into(),
            file: file.to_owned().into(),
            whole: whole.into(),
            lines: lines(whole),
        }
    }

    /// Whether it brings a switch text of its own.
    pub fn has_switch(&self) -> bool {
        self.own_switch
    }
}

/// Lines of the listing that belong together: those of one function from one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The function, or the file where there is none.
    pub title: AttrValue,
    /// The file, unless it is the title.
    pub file: AttrValue,
    /// Indices into the listing.
    pub lines: Range<usize>,
    /// Addresses of its instructions.
    pub addresses: Range<u64>,
}

/// All assembly, in blocks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// Line by line.
    pub lines: Vec<AsmLine>,
    /// All lines, in order.
    pub blocks: Vec<Block>,
}

impl Listing {
    /// Finds the blocks.
    pub fn new(lines: &[AsmLine]) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        for group in lines.chunk_by(|a, b| a.file == b.file && a.function == b.function) {
            let start = blocks.last().map_or(0, |block| block.lines.end);
            let first = &group[0];
            let file: AttrValue = first.file.clone().into_owned().into();
            let addresses = group.iter().filter_map(|line| line.address);
            let low = addresses.clone().min().unwrap_or(0);
            let high = addresses.max().map_or(0, |address| address + 1);
            blocks.push(Block {
                title: first
                    .function
                    .clone()
                    .map_or_else(|| file.clone(), AttrValue::from),
                file: if first.function.is_some() {
                    file
                } else {
                    AttrValue::default()
                },
                lines: start..start + group.len(),
                addresses: low..high,
            });
        }
        Listing {
            lines: lines.to_vec(),
            blocks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: &'static str, function: Option<&str>, address: Option<u64>) -> AsmLine {
        AsmLine {
            address,
            text: String::new(),
            comment: String::new(),
            file: file.into(),
            line: 1,
            function: function.map(str::to_owned),
            statement: None,
        }
    }

    #[test]
    fn a_block_is_one_function_from_one_file() {
        let listing = Listing::new(&[
            line("a.s", None, None),
            line("a.s", Some("f"), Some(16)),
            line("a.s", Some("f"), Some(17)),
            line("switch.s", Some("f"), Some(20)),
            line("a.s", Some("f"), Some(24)),
        ]);
        let found: Vec<_> = listing
            .blocks
            .iter()
            .map(|block| (&*block.title, block.lines.clone(), block.addresses.clone()))
            .collect();
        let expect = [
            ("a.s", 0..1, 0..0),
            ("f", 1..3, 16..18),
            ("f", 3..4, 20..21),
            ("f", 4..5, 24..25),
        ];
        assert_eq!(found, expect);
    }
}
