//! The symbolic machine against the concrete one: random instructions, random values. What the
//! symbolic run ends with, its symbols replaced by the values at the start, is what the concrete run
//! ends with; bytes that the prover does not follow aside.

mod lines;

use std::cell::RefCell;
use std::rc::Rc;

use lines::{FAR, Random, aarch64_line, x86_line};

use super::machine::{Exit, Machine, Roles};
use super::text::Text;
use super::value::{Bits, Byte, Region, Side, Symbol};
use super::{Contract, Flavour};
use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::host::{Anchor, Context, Host, Register, Then};
use crate::isa::registers;
use crate::program::{Image, Isa, Object, Part, Rights};
use crate::view::{RegisterClass, RunOutcome, StackKind, Statistics, StepView, TaskView};
use crate::{Options, Session};

/// Bytes of stack on either side of sp that are looked at.
const AROUND: u64 = 256;

/// Registers, and the bytes around the first sp; `None` for bytes that nothing has written.
#[derive(Clone, Default)]
struct State {
    sp: u64,
    registers: Vec<u64>,
    stack: Vec<Option<u8>>,
}

/// Sets everything up, and looks at the end.
struct Probe {
    isa: Isa,
    random: Random,
    first: Rc<RefCell<State>>,
    last: Rc<RefCell<State>>,
}

impl Probe {
    fn state(&self, context: &mut Context<'_>, sp: u64) -> State {
        let names = registers(self.isa).iter().map(|info| info.name);
        let all = names.filter_map(|name| Register::named(self.isa, name));
        let word = u64::from(self.isa.word_bytes());
        let words = (0..2 * AROUND / word).map(|index| sp - AROUND + index * word);
        let mut stack = Vec::new();
        let registers = all.map(|register| context.register(register).unwrap_or(0));
        let registers = registers.collect();
        for address in words {
            let value = context.load(address).ok();
            let bytes = value.map(u64::to_le_bytes);
            stack.extend((0..word as usize).map(|index| bytes.map(|bytes| bytes[index])));
        }
        State {
            sp,
            registers,
            stack,
        }
    }

    fn set(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind> {
        let stack = context.add_stack(StackKind::Own, 4096)?;
        context.set_owner(stack, Some(1));
        let sp = context.stack(stack).end - 2048;
        for info in registers(self.isa) {
            let register = Register(info.reg);
            let value = self.random.next() & (u64::MAX >> (64 - 8 * info.bytes));
            match info.class {
                RegisterClass::StackPointer => context.set_pointer(register, sp, 1),
                _ => context.set_register(register, value),
            }
        }
        for index in 0..2 * AROUND / 4 {
            let value = self.random.next();
            context.store(sp - AROUND + index * 4, value)?;
        }
        *self.first.borrow_mut() = self.state(context, sp);
        Ok(())
    }
}

impl Host for Probe {
    fn service(&self, name: &str) -> Option<u16> {
        ["set", "get"]
            .iter()
            .position(|one| *one == name)
            .map(|at| at as u16)
    }

    fn service_name(&self, _: u16) -> &'static str {
        "probe"
    }

    fn start(&mut self, _: &mut Context<'_>) -> Result<(), FaultKind> {
        Ok(())
    }

    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        if service == 0 {
            self.set(context)?;
            return Ok(Then::Continue);
        }
        let sp = self.first.borrow().sp;
        *self.last.borrow_mut() = self.state(context, sp);
        Ok(Then::End)
    }

    fn micro_step(&mut self, _: &mut Context<'_>) -> Result<Then, FaultKind> {
        Ok(Then::Continue)
    }

    fn seek(&mut self, _: u64) {}

    fn truncate(&mut self, _: u64) {}

    fn state_hash(&self) -> u64 {
        0
    }

    fn task_count(&self) -> u32 {
        2
    }

    fn task(&self, _: TaskNumber) -> Option<TaskView> {
        None
    }

    fn anchor(&self, _: TaskNumber) -> Option<Anchor> {
        None
    }

    fn stack_name(&self, stack: StackNumber) -> String {
        stack.to_string()
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn explain(&self, _: &StepView, _: &Session) -> String {
        String::new()
    }
}

fn part(text: String, rights: Rights) -> Part {
    Part {
        file: "random.s".into(),
        first_line: 1,
        text: text.into(),
        rights,
        statements: Vec::new(),
    }
}

/// The states before and after a concrete run; `None` if it faults.
fn concrete(isa: Isa, text: &str, seed: u64) -> Option<(State, State)> {
    let (first, last) = (Rc::default(), Rc::default());
    let probe = Probe {
        isa,
        random: Random(seed | 1),
        first: Rc::clone(&first),
        last: Rc::clone(&last),
    };
    let image = Image {
        isa,
        objects: vec![Object {
            name: "random".to_owned(),
            parts: vec![
                part("begin: host set\n".to_owned(), Rights::Host),
                part(text.to_owned(), Rights::Plain),
                part("host get\n".to_owned(), Rights::Host),
            ],
            functions: Vec::new(),
        }],
        entry: "begin".to_owned(),
        globals: Vec::new(),
        main_stack_bytes: 4096,
    };
    let mut session = Session::load(&image, Box::new(probe), Options::default()).expect("loads");
    let ended = session.run(1000) == RunOutcome::Ended;
    let states = (first.borrow().clone(), last.borrow().clone());
    ended.then_some(states)
}

/// A byte with the values of a concrete run in the place of symbols; `None` if it is unknown.
fn evaluate(byte: Byte, isa: Isa, first: &State) -> Option<u8> {
    if let Byte::Known(byte) = byte {
        return Some(byte);
    }
    let pieces = byte.pieces().into_iter().flatten();
    let values = pieces.map(|bits| Some(evaluate_bits(bits, isa, first)? & bits.mask));
    values.sum()
}

/// The byte of the term that some bits are taken of.
fn evaluate_bits(bits: Bits, isa: Isa, first: &State) -> Option<u8> {
    let Bits {
        term, index: part, ..
    } = bits;
    let base = match term.symbol {
        Symbol::Base(Region::Stack(Side::Source)) => first.sp,
        Symbol::Register(Side::Source, reg) => {
            let at = registers(isa).iter().position(|info| info.reg == reg)?;
            first.registers[at]
        }
        Symbol::Memory(Region::Stack(Side::Source), offset) => {
            let at = usize::try_from(offset + AROUND as i64).ok()?;
            u64::from((*first.stack.get(at)?)?)
        }
        _ => return None,
    };
    Some((base.wrapping_add(term.offset as u64) >> (8 * part)) as u8)
}

/// Runs a text both ways. Returns how many bytes could be compared, and how many were unknown;
/// `None` if either run does not get to the end.
fn compare(isa: Isa, text: &str, seed: u64) -> Option<(usize, usize)> {
    let mut contract = Contract::of(isa, Flavour::Integer);
    contract.given.clear();
    let assembled = Text::assemble(isa, &part(text.to_owned(), Rights::Plain));
    let assembled = assembled.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let roles = Roles {
        source: Side::Source,
        target: Side::Target,
    };
    let mut machine = Machine::with_fresh_target(&contract, &assembled, roles);
    let Exit::End(Side::Source) = machine.run() else {
        return None;
    };
    let (first, last) = concrete(isa, text, seed)?;
    let (mut compared, mut unknown) = (0, 0);
    let mut check = |what: &dyn Fn() -> String, symbolic: Byte, found: u8| match evaluate(
        symbolic, isa, &first,
    ) {
        Some(value) => {
            assert_eq!(value, found, "{} on {}:\n{text}", what(), isa.name());
            compared += 1;
        }
        None => unknown += 1,
    };
    for (info, found) in registers(isa).iter().zip(&last.registers) {
        if info.class == RegisterClass::Flags {
            continue;
        }
        let value = machine.register(info.reg);
        for (byte, found) in value.bytes().iter().zip(found.to_le_bytes()) {
            check(&|| info.name.to_owned(), *byte, found);
        }
    }
    let stack = Region::Stack(Side::Source);
    for (found, offset) in last.stack.iter().zip(-(AROUND as i64)..) {
        if let Some(found) = found {
            let byte = machine.memory.byte(stack, offset);
            check(&|| format!("memory at sp + {offset}"), byte, *found);
        }
    }
    Some((compared, unknown))
}

#[test]
fn symbolic_runs_end_as_concrete_ones() {
    let mut random = Random(0x5eed);
    for isa in Isa::ALL {
        let (mut texts, mut compared, mut unknown) = (0, 0, 0);
        for seed in 1..=2000 {
            let lines = (0..2 + random.below(14)).map(|_| match isa {
                Isa::Aarch64 => aarch64_line(&mut random),
                _ => x86_line(&mut random, isa),
            });
            let text = lines.collect::<Vec<_>>().join("\n") + "\n";
            if let Some((known, not)) = compare(isa, &text, seed) {
                texts += 1;
                compared += known;
                unknown += not;
            }
        }
        println!(
            "{}: {texts} texts, {compared} bytes, {unknown} unknown",
            isa.name()
        );
        assert!(texts > 500, "{}: {texts} texts", isa.name());
        assert!(unknown < compared / 10, "{}: {unknown} unknown", isa.name());
    }
}

/// Instructions of the real texts in any order, among random ones: whatever comes out, it is told
/// in words, and soon.
#[test]
fn no_text_makes_the_prover_panic() {
    let mut random = Random(0xbad);
    let mut seen = 0;
    for (isa, far) in Isa::ALL.into_iter().zip(FAR) {
        for flavour in [Flavour::Integer, Flavour::Fp] {
            let real = super::built_in(isa, flavour).text;
            let code = real.lines().filter(|line| !line.starts_with("//"));
            let code: Vec<&str> = code.map(str::trim).collect();
            for _ in 0..500 {
                let mut lines: Vec<String> = code.iter().map(|line| (*line).to_owned()).collect();
                for _ in 0..random.below(6) {
                    let at = random.below(lines.len() + 1);
                    let line = match (random.below(4), isa) {
                        (0, _) => random.pick(far).to_owned(),
                        (1, _) => random.pick(&code).to_owned(),
                        (_, Isa::Aarch64) => aarch64_line(&mut random),
                        _ => x86_line(&mut random, isa),
                    };
                    match random.below(3) {
                        0 if at < lines.len() => lines[at] = line,
                        _ => lines.insert(at, line),
                    }
                }
                let part = part(lines.join("\n"), Rights::Plain);
                let contract = Contract::of(isa, flavour);
                for report in super::prove(&contract, &part).unwrap_or_default() {
                    seen += 1;
                    assert!(!report.to_string().is_empty());
                    assert!(report.steps.len() <= 4096);
                }
            }
        }
    }
    assert!(seen > 2000, "only {seen} reports");
}
