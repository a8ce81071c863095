//! The text of a loaded image: instructions, where they are, and what they belong to.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::asm::{Aarch64, AsmError, Assembly, Dialect, Services, X86, list, read};
use crate::isa::unwind::Unwind;
use crate::isa::{aarch64, x86};
use crate::machine::signal;
use crate::program::{FunctionInfo, Image, Isa, Rights, StmtRef};
use crate::session::Signals;
use crate::view::AsmLine;

/// Where the text begins, as in a program that is not position-independent.
const TEXT_BASE: u32 = 0x40_1000;

/// No instruction, or no function.
pub(crate) const NONE: u32 = u32::MAX;

/// The instructions of an ISA.
#[derive(Debug)]
pub(crate) enum Insts {
    X86(Vec<x86::Inst>),
    Aarch64(Vec<aarch64::Inst>),
}

/// What is known about an instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstInfo {
    pub address: u32,
    /// Its line in the listing.
    pub line: u32,
    /// Its function, or [`NONE`].
    pub function: u32,
    /// What it may do.
    pub rights: Rights,
}

/// A function of the text.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub start: u32,
    pub end: u32,
    pub info: FunctionInfo,
}

/// All that is known about the text. It never changes.
#[derive(Debug)]
pub(crate) struct Code {
    pub isa: Isa,
    pub insts: Insts,
    pub info: Vec<InstInfo>,
    pub functions: Vec<Function>,
    /// Made when somebody looks.
    listing: OnceCell<Vec<AsmLine>>,
    image: Rc<Image>,
    pub base: u32,
    pub end: u32,
    pub data_base: u32,
    /// The instruction that begins at each byte from `base` on, or [`NONE`].
    starts: Vec<u32>,
    /// The function that begins at each instruction, or [`NONE`].
    entries: Vec<u32>,
    labels: HashMap<String, u32>,
    /// Made when somebody looks.
    unwind: OnceCell<Unwind>,
}

impl Code {
    pub fn assemble(image: Rc<Image>, services: Services<'_>) -> Result<Self, Vec<AsmError>> {
        let word = image.isa.word_bytes();
        let data = |end: u32| {
            let base = data_base(end);
            let names = image.globals.iter().map(|(name, _)| name.clone());
            names.zip((0..).map(|i| base + i * word)).collect()
        };
        let long_mode = image.isa == Isa::X86_64;
        match image.isa {
            Isa::X86_64 | Isa::I386 => {
                let dialect = X86 { long_mode };
                let assembly = read(&dialect, &image.objects, TEXT_BASE, services, data)?;
                Ok(Self::new(Rc::clone(&image), assembly, Insts::X86))
            }
            Isa::Aarch64 => {
                let assembly = read(&Aarch64, &image.objects, TEXT_BASE, services, data)?;
                Ok(Self::new(Rc::clone(&image), assembly, Insts::Aarch64))
            }
        }
    }

    fn new<I>(image: Rc<Image>, assembly: Assembly<I>, insts: impl Fn(Vec<I>) -> Insts) -> Self {
        let Assembly {
            placed,
            labels,
            end,
        } = assembly;
        let functions = functions(&image, &labels, end);
        let mut starts = vec![NONE; (end - TEXT_BASE) as usize];
        let mut entries = vec![NONE; placed.len()];
        let mut info = Vec::with_capacity(placed.len());
        // Both are in the order of their addresses.
        let mut next = 0;
        for (index, inst) in placed.iter().enumerate() {
            starts[(inst.address - TEXT_BASE) as usize] = index as u32;
            while functions
                .get(next)
                .is_some_and(|function| function.start <= inst.address)
            {
                next += 1;
            }
            let function = next
                .checked_sub(1)
                .filter(|last| inst.address < functions[*last].end);
            if let Some(function) = function
                && functions[function].start == inst.address
            {
                entries[index] = function as u32;
            }
            info.push(InstInfo {
                address: inst.address,
                line: inst.line,
                function: function.map_or(NONE, |function| function as u32),
                rights: inst.rights,
            });
        }
        Code {
            isa: image.isa,
            insts: insts(placed.into_iter().map(|placed| placed.inst).collect()),
            unwind: OnceCell::new(),
            info,
            functions,
            listing: OnceCell::new(),
            base: TEXT_BASE,
            end,
            data_base: data_base(end),
            starts,
            entries,
            labels,
            image,
        }
    }

    /// Where the callers' frames are, instruction by instruction.
    pub fn unwind(&self) -> &Unwind {
        self.unwind.get_or_init(|| self.find_rules())
    }

    fn find_rules(&self) -> Unwind {
        let entry = |index: usize| self.entries[index] != NONE;
        let index_of = |address: u32| self.index_of(u64::from(address));
        match &self.insts {
            Insts::Aarch64(insts) => aarch64::unwind(insts, index_of, entry),
            Insts::X86(insts) => x86::unwind(insts, self.isa == Isa::X86_64, index_of, entry),
        }
    }

    /// The instruction that begins at an address, or [`NONE`].
    #[inline(always)]
    pub fn index_of(&self, address: u64) -> u32 {
        let offset = address.wrapping_sub(u64::from(self.base));
        match usize::try_from(offset)
            .ok()
            .and_then(|offset| self.starts.get(offset))
        {
            Some(index) => *index,
            None => NONE,
        }
    }

    /// The function that begins at an instruction, or [`NONE`].
    #[inline(always)]
    pub fn entry_at(&self, index: u32) -> u32 {
        match self.entries.get(index as usize) {
            Some(function) => *function,
            None => NONE,
        }
    }

    /// The address of an instruction; past the last one, where the text ends.
    pub fn address_of(&self, index: u32) -> u64 {
        let info = self.info.get(index as usize);
        u64::from(info.map_or(self.end, |info| info.address))
    }

    /// The address of a label.
    pub fn label(&self, name: &str) -> Option<u64> {
        self.labels.get(name).map(|address| u64::from(*address))
    }

    /// The function that an address belongs to.
    pub fn function_at(&self, address: u64) -> Option<&Function> {
        let address = u32::try_from(address).ok()?;
        find_function(&self.functions, address).map(|index| &self.functions[index])
    }

    /// The function that an instruction belongs to.
    pub fn function_of(&self, index: u32) -> Option<&Function> {
        let function = self.info.get(index as usize)?.function;
        self.functions.get(function as usize)
    }

    /// The names of the global words, in order.
    pub fn globals(&self) -> impl Iterator<Item = &str> {
        self.image.globals.iter().map(|(name, _)| name.as_str())
    }

    /// All lines of the text.
    pub fn listing(&self) -> &[AsmLine] {
        self.listing.get_or_init(|| self.list())
    }

    fn list(&self) -> Vec<AsmLine> {
        let comments = match self.isa {
            Isa::X86_64 | Isa::I386 => X86 { long_mode: true }.comments(),
            Isa::Aarch64 => Aarch64.comments(),
        };
        let mut listing = list(comments, &self.image.objects);
        for inst in &self.info {
            if let Some(line) = listing.get_mut(inst.line as usize) {
                line.address.get_or_insert(inst.address.into());
            }
        }
        // A label stands with the instruction after it.
        let mut name = None;
        let mut next = self.info.iter().rev().peekable();
        for (number, line) in listing.iter_mut().enumerate().rev() {
            while let Some(inst) = next.next_if(|inst| inst.line as usize >= number) {
                let function = self.functions.get(inst.function as usize);
                name = function.map(|function| function.info.name.clone());
            }
            line.function.clone_from(&name);
        }
        listing
    }

    /// The line of the listing that an instruction stands on.
    pub fn line_of(&self, index: u32) -> Option<&AsmLine> {
        self.listing()
            .get(self.info.get(index as usize)?.line as usize)
    }

    /// The statement that an instruction was compiled from.
    pub fn statement_of(&self, index: u32) -> Option<StmtRef> {
        self.line_of(index)?.statement
    }

    /// The service that an instruction calls.
    pub fn service_at(&self, index: u32) -> Option<u16> {
        let index = index as usize;
        match &self.insts {
            Insts::X86(insts) => match insts.get(index)? {
                x86::Inst::Host { service } => Some(*service),
                _ => None,
            },
            Insts::Aarch64(insts) => match insts.get(index)? {
                aarch64::Inst::Host { service } => Some(*service),
                _ => None,
            },
        }
    }

    /// Whether an instruction ends a signal's handler.
    pub fn is_sigreturn(&self, index: u32) -> bool {
        self.service_at(index) == Some(signal::SIGRETURN)
    }

    /// By instruction, whether a signal is to arrive before it.
    pub fn signal_points(&self, signals: Signals) -> Vec<bool> {
        let wanted = |(index, info): (usize, &InstInfo)| {
            let function = self
                .function_of(index as u32)
                .map(|function| &function.info);
            let in_runtime = function.is_some_and(|function| function.runtime);
            match signals {
                Signals::None => false,
                // The switch and the entry are what stands in a stub and is not the stub's own.
                Signals::InSwitches => in_runtime && info.rights == Rights::Plain,
                Signals::Everywhere => !function.is_some_and(signal::is_handler),
            }
        };
        self.info.iter().enumerate().map(wanted).collect()
    }

    /// How many instructions there are.
    pub fn len(&self) -> u32 {
        self.info.len() as u32
    }
}

/// Globals begin on a page of their own after the text.
fn data_base(end: u32) -> u32 {
    end.next_multiple_of(0x1000) + 0x1000
}

/// The functions in the order of their addresses. Each ends where the next begins, or with its
/// object.
fn functions(image: &Image, labels: &HashMap<String, u32>, end: u32) -> Vec<Function> {
    let mut functions: Vec<Function> = image
        .objects
        .iter()
        .flat_map(|object| &object.functions)
        .filter_map(|info| {
            Some(Function {
                start: *labels.get(&info.label)?,
                end,
                info: info.clone(),
            })
        })
        .collect();
    functions.sort_by_key(|function| function.start);
    for index in 1..functions.len() {
        functions[index - 1].end = functions[index].start;
    }
    functions
}

fn find_function(functions: &[Function], address: u32) -> Option<usize> {
    let after = functions.partition_point(|function| function.start <= address);
    after
        .checked_sub(1)
        .filter(|index| address < functions[*index].end)
}
