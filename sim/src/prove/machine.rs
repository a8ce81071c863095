//! The symbolic machine: what the instructions of every ISA are made of.
//!
//! An ISA's module turns an instruction into calls of these few operations: read and write a
//! register, load, store, add, combine bits, go on elsewhere. The machine keeps a record of the run
//! from which [`check`](super::check) judges.

use super::contract::{Contract, Form, Given, Holds, Words};
use super::memory::Memory;
use super::report::Id;
use super::show::Show;
use super::text::{Inst, Text};
use super::value::{Bitwise, Region, Side, Symbol, Value};
use super::{aarch64, x86};
use crate::isa::aarch64::registers::LR;
use crate::isa::{Reg, Width, registers};
use crate::program::Isa;

/// More steps than this are no switch. A text is straight-line code, so it is a limit on its
/// length and on `2: jmp 2b`.
const STEP_LIMIT: usize = 4096;

/// The run cannot go on: what comes after is not known.
#[derive(Clone, Debug)]
pub(crate) struct Stop(pub String);

/// How a handler goes on.
pub(crate) enum Flow {
    Next,
    /// At a label of the text.
    Label(u32),
    /// At an address.
    Address(Box<Value>),
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) enum Exit {
    /// Behind the last instruction, in the copy of the text that this task runs.
    End(Side),
    /// Behind the call of this task's C function.
    Return(Side),
    /// Where a fresh task begins.
    Entry,
    /// Somewhere else, by this step.
    Elsewhere(Box<Value>),
    /// It cannot be told.
    Stopped(Stop),
}

/// A place that is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Register(Reg),
    Memory(Region, i64),
}

/// An executed instruction.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its number in the text.
    pub instruction: usize,
    /// sp before it.
    pub sp: Value,
    pub writes: Vec<(Place, Value)>,
}

/// Bytes of memory that a step read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub step: usize,
    pub region: Region,
    pub offset: i64,
    /// The step that had written the byte.
    pub written: Option<usize>,
}

/// Something that a step must not do.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub id: Id,
    pub step: usize,
    pub reason: String,
}

/// The flags that conditions are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags {
    pub carry: bool,
    pub zero: bool,
    pub sign: bool,
    pub overflow: bool,
}

/// The tasks of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    /// Who runs the text.
    pub source: Side,
    /// Whom it switches to.
    pub target: Side,
}

/// One symbolic run of a text.
#[derive(Clone, Debug)]
pub(crate) struct Machine<'p> {
    pub contract: &'p Contract,
    pub text: &'p Text,
    pub roles: Roles,
    /// The target has not run yet.
    pub fresh: bool,
    /// The lowest byte of the target's image, from the sp that it goes on with.
    pub image_low: i64,
    pub word: Width,
    registers: Vec<Value>,
    writers: Vec<Option<usize>>,
    pub memory: Memory,
    pub steps: Vec<Step>,
    pub loads: Vec<Load>,
    pub violations: Vec<Violation>,
    /// What the unknown values are.
    pub unknowns: Vec<String>,
    /// The flags after an operation on numbers; unknown after all others.
    pub flags: Option<Flags>,
    /// The instruction that runs and whose copy of the text it is in.
    index: usize,
    copy: Side,
}

impl<'p> Machine<'p> {
    /// The machine at the entry of the text, with a target that has not run yet.
    pub fn with_fresh_target(contract: &'p Contract, text: &'p Text, roles: Roles) -> Self {
        let mut machine = Self::new(contract, text, roles, -contract.first_frame_bytes());
        machine.fresh = true;
        let (stack, block) = (Region::Stack(roles.target), Region::Block(roles.target));
        let frame = contract.first_frame.iter();
        let frame = frame.map(|slot| (stack, machine.image_low, slot));
        let beside = contract.first_block.iter().map(|slot| (block, 0, slot));
        for ((region, base, slot), index) in frame.chain(beside).zip(0..) {
            let first = Symbol::First(roles.target, index).plus(0);
            let value = Value::of(first, width_of(slot.bytes));
            let offset = base + slot.offset;
            machine.memory.write(region, offset, &value, None);
        }
        machine.leave_words_in_image();
        machine
    }

    /// The machine at the entry of the text, with a target that has yielded: `past` is the run of
    /// the text in which it did, `low` the sp that it stored, counted from the sp at its entry.
    pub fn with_yielded_target(past: &Machine<'p>, low: i64, source: Side) -> Self {
        let target = past.roles.source;
        let roles = Roles { source, target };
        let mut machine = Self::new(past.contract, past.text, roles, low);
        machine.unknowns.clone_from(&past.unknowns);
        let stack = Region::Stack(target);
        machine.memory.take_over(&past.memory, stack, low);
        let block = Region::Block(target);
        machine.memory.take_over(&past.memory, block, i64::MIN);
        machine.leave_words_in_image();
        machine
    }

    /// The target was out, and its words are still there.
    fn leave_words_in_image(&mut self) {
        if self.contract.words != Words::OnStack {
            let (stack, image) = (
                Region::Stack(self.roles.target),
                Region::Image(self.roles.target),
            );
            let (words, gone) = (self.contract.first_frame_bytes(), self.contract.left_out());
            let low = self.image_low;
            self.memory.move_out(stack, low, words, gone, image);
        }
    }

    fn new(contract: &'p Contract, text: &'p Text, roles: Roles, image_low: i64) -> Self {
        let word = width_of(contract.isa.word_bytes());
        let zero = Value::known(0, word);
        let mut machine = Machine {
            contract,
            text,
            roles,
            fresh: false,
            image_low,
            word,
            registers: Vec::new(),
            writers: Vec::new(),
            memory: Memory::default(),
            steps: Vec::new(),
            loads: Vec::new(),
            violations: Vec::new(),
            unknowns: Vec::new(),
            flags: None,
            index: 0,
            copy: roles.source,
        };
        for info in registers(contract.isa) {
            let index = info.reg.index();
            if machine.registers.len() <= index {
                machine.registers.resize(index + 1, zero);
                machine.writers.resize(index + 1, None);
            }
            let held = Symbol::Register(roles.source, info.reg).plus(0);
            machine.registers[index] = Value::of(held, width_of(info.bytes));
        }
        machine.enter();
        for (reg, given) in &contract.given {
            let term = match given {
                Given::SaveWord => Symbol::Base(Region::Block(roles.source)).plus(0),
                Given::TargetWord => Symbol::Base(Region::Block(roles.target)).plus(0),
                Given::TargetWords if contract.words != Words::OnStack => {
                    Symbol::Base(Region::Image(roles.target)).plus(0)
                }
                Given::TargetSp | Given::TargetWords => {
                    Symbol::Base(Region::Stack(roles.target)).plus(image_low)
                }
            };
            machine.put(*reg, Value::of(term, word));
        }
        let target_sp = Symbol::Base(Region::Stack(roles.target)).plus(image_low);
        let target_sp = Value::of(target_sp, word);
        let block = Region::Block(roles.target);
        machine.memory.write(block, 0, &target_sp, None);
        machine
    }

    /// sp, and the return address where there is one.
    fn enter(&mut self) {
        let (contract, word) = (self.contract, self.word);
        let stack = Region::Stack(self.roles.source);
        let sp = Symbol::Base(stack).plus(-contract.return_address_bytes());
        self.put(contract.sp(), Value::of(sp, word));
        if contract.form == Form::Call {
            let address = Value::of(Symbol::Return(self.roles.source).plus(0), word);
            match contract.isa {
                Isa::X86_64 | Isa::I386 => self.memory.write(stack, sp.offset, &address, None),
                Isa::Aarch64 => self.put(LR, address),
            }
        }
    }

    fn put(&mut self, reg: Reg, value: Value) {
        if let Some(place) = self.registers.get_mut(reg.index()) {
            *place = value;
        }
    }

    /// Runs the text until it leaves.
    pub fn run(&mut self) -> Exit {
        while let Some(placed) = self.text.placed.get(self.index) {
            if self.steps.len() >= STEP_LIMIT {
                return Exit::Stopped(Stop(format!("it does not leave within {STEP_LIMIT} steps")));
            }
            self.steps.push(Step {
                instruction: self.index,
                sp: self.sp(),
                writes: Vec::new(),
            });
            let flow = match &placed.inst {
                Inst::X86(inst) => x86::execute(inst, placed.has_label, self),
                Inst::Aarch64(inst) => aarch64::execute(inst, self),
            };
            let exit = match flow {
                Ok(Flow::Next) => {
                    self.index += 1;
                    None
                }
                Ok(Flow::Label(address)) => {
                    let code = self.code(address);
                    self.go_to(code)
                }
                Ok(Flow::Address(address)) => self.go_to(*address),
                Err(stop) => Some(Exit::Stopped(stop)),
            };
            if let Some(exit) = exit {
                return exit;
            }
        }
        Exit::End(self.copy)
    }

    fn go_to(&mut self, address: Value) -> Option<Exit> {
        let Some(term) = address.term() else {
            return Some(Exit::Elsewhere(Box::new(address)));
        };
        match term.symbol {
            Symbol::Base(Region::Text(copy)) => match self.text.index_of(term.offset) {
                Some(index) => {
                    self.index = index;
                    self.copy = copy;
                    None
                }
                None => Some(Exit::Elsewhere(Box::new(address))),
            },
            Symbol::Return(side) if term.offset == 0 => Some(Exit::Return(side)),
            Symbol::First(side, slot) if side == self.roles.target && term.offset == 0 => {
                let holds = self.contract.slot(slot).map(|slot| slot.holds);
                match holds {
                    Some(Holds::Entry) => Some(Exit::Entry),
                    _ => Some(Exit::Elsewhere(Box::new(address))),
                }
            }
            _ => Some(Exit::Elsewhere(Box::new(address))),
        }
    }

    /// The step that runs.
    pub fn step(&self) -> usize {
        self.steps.len().saturating_sub(1)
    }

    pub fn sp(&self) -> Value {
        self.register(self.contract.sp())
    }

    /// Where the target's sp ends up, counted from the end of its first frame or from the sp with
    /// which its own code ran.
    pub fn final_offset(&self) -> i64 {
        match self.fresh {
            true => self.contract.entry_sp,
            false => 0,
        }
    }

    /// All of a register.
    pub fn register(&self, reg: Reg) -> Value {
        let found = self.registers.get(reg.index());
        found.copied().unwrap_or(Value::known(0, self.word))
    }

    pub fn set_register(&mut self, reg: Reg, value: Value) {
        let step = self.step();
        self.put(reg, value);
        if let Some(writer) = self.writers.get_mut(reg.index()) {
            *writer = Some(step);
        }
        self.wrote(Place::Register(reg), value);
    }

    pub fn wrote(&mut self, place: Place, value: Value) {
        if let Some(step) = self.steps.last_mut() {
            step.writes.push((place, value));
        }
    }

    /// The step that wrote a register last.
    pub fn writer(&self, reg: Reg) -> Option<usize> {
        self.writers.get(reg.index()).copied().flatten()
    }

    /// A code address of the text, in the copy that runs.
    pub fn code(&self, address: u32) -> Value {
        self.code_at(Text::offset_of(address))
    }

    /// The address of the next instruction.
    pub fn next_address(&self) -> Value {
        self.code_at(self.text.offset_after(self.index))
    }

    fn code_at(&self, offset: i64) -> Value {
        let base = Symbol::Base(Region::Text(self.copy));
        Value::of(base.plus(offset), self.word)
    }

    /// A value that nothing is known of.
    pub fn unknown(&mut self, what: &str, width: Width) -> Value {
        let placed = self.text.placed.get(self.index);
        let inst = placed.map_or("", |placed| placed.at.text.as_str());
        self.unknowns.push(format!("{what} of `{inst}`"));
        let symbol = Symbol::Unknown(self.unknowns.len() - 1);
        Value::of(symbol.plus(0), width)
    }

    /// A result that the prover may not be able to follow.
    pub fn or_unknown(&mut self, result: Option<Value>, width: Width) -> Value {
        result.unwrap_or_else(|| self.unknown("the result", width))
    }

    pub fn add(&mut self, left: &Value, right: &Value) -> Value {
        let word = self.word;
        let sum = match (left.number(), right.number()) {
            (_, Some(number)) => left.plus(right.width().sign_extend(number), word),
            (Some(number), None) => right.plus(left.width().sign_extend(number), word),
            (None, None) => None,
        };
        self.or_unknown(sum, left.width())
    }

    pub fn sub(&mut self, left: &Value, right: &Value) -> Value {
        let width = left.width();
        let difference = match (right.number(), left.term(), right.term()) {
            (Some(number), _, _) => left.plus(width.sign_extend(number).wrapping_neg(), self.word),
            // The distance between two places that belong to one symbol.
            (None, Some(a), Some(b)) if a.symbol == b.symbol => {
                let distance = a.offset.wrapping_sub(b.offset) as u64;
                Some(Value::known(distance & width.mask(), width))
            }
            _ => None,
        };
        self.or_unknown(difference, width)
    }

    pub fn bitwise(&mut self, op: Bitwise, left: &Value, right: &Value) -> Value {
        let result = left.bitwise(right, op);
        self.or_unknown(result, left.width())
    }

    pub fn violation(&mut self, id: Id, reason: String) {
        let step = self.step();
        self.violations.push(Violation { id, step, reason });
    }

    pub fn show(&self) -> Show<'_> {
        Show {
            contract: self.contract,
            text: self.text,
            unknowns: &self.unknowns,
        }
    }

    /// What the word for the source's sp holds.
    pub fn stored_sp(&self) -> Value {
        let block = Region::Block(self.roles.source);
        self.memory.read(block, 0, self.word)
    }
}

/// The width of so many bytes: 1, 2, 4 or 8.
pub(crate) fn width_of(bytes: u32) -> Width {
    match bytes {
        1 => Width::Byte,
        2 => Width::Half,
        4 => Width::Word,
        _ => Width::Double,
    }
}
