//! A machine for the tests of single instructions: a stack, two global words, and a text.

use std::rc::Rc;

use super::Records;
use super::memory::Area;
use super::{Machine, Register};
use crate::asm::AsmError;
use crate::code::{Code, Insts};
use crate::fault::FaultKind;
use crate::isa::Reg;
use crate::machine::Context;
use crate::program::{FunctionInfo, Image, Isa, Object, Part, Rights};
use crate::view::StackKind;

/// A machine that has run a text to its end, or to the fault.
pub(super) struct Ran {
    pub machine: Machine,
    pub fault: Option<FaultKind>,
}

/// Assembles a text. `function:` is a function whose calls are checked; `first` and `second` are
/// global words.
pub(super) fn assemble(isa: Isa, text: &str) -> Result<Rc<Code>, Vec<AsmError>> {
    let part = Part {
        file: "test.s".into(),
        first_line: 1,
        text: text.to_owned().into(),
        rights: Rights::Plain,
        statements: Vec::new(),
    };
    let function = FunctionInfo {
        label: "function".to_owned(),
        name: "function".to_owned(),
        preserves_registers: true,
        ..FunctionInfo::default()
    };
    let image = Image {
        isa,
        objects: vec![Object {
            name: "test".to_owned(),
            parts: vec![part],
            functions: vec![function],
        }],
        entry: String::new(),
        globals: vec![("first".to_owned(), 1), ("second".to_owned(), 2)],
        main_stack_bytes: 4096,
    };
    Code::assemble(Rc::new(image), &|_| None).map(Rc::new)
}

/// A machine before its first instruction. The global words hold 1 and 2.
pub(super) fn machine(code: &Rc<Code>) -> Machine {
    let mut machine = Machine::new(Rc::clone(code), 1 << 20, 1 << 20);
    let stack = machine.add_stack(StackKind::Main, 4096).expect("a stack");
    let top = machine.stacks[stack].top;
    let data = machine.memory.base(Area::Data);
    machine.memory.extend(Area::Data, 16);
    machine.memory.commit_range(data, 16).expect("memory");
    let word = u64::from(code.isa.word_bytes());
    machine.memory.set_mapped(data, 2 * word, true);
    let sp = Register(machine.sp_reg());
    let mut records = Records::EMPTY;
    let mut context = Context::new(&mut machine, &mut records);
    context.set_pointer(sp, top, 0);
    context.store(data, 1).expect("a global");
    context.store(data + word, 2).expect("a global");
    machine
}

/// Runs a text from its first line until execution passes its last.
#[track_caller]
pub(super) fn run(isa: Isa, text: &str) -> Ran {
    let code = assemble(isa, text).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut machine = machine(&code);
    let mut fault = None;
    for _ in 0..1000 {
        let pc = machine.pc as usize;
        machine.pc += 1;
        let result = match &code.insts {
            Insts::X86(insts) => insts.get(pc).map(|inst| machine.execute_x86(inst)),
            Insts::Aarch64(insts) => insts.get(pc).map(|inst| machine.execute_aarch64(inst)),
        };
        match result {
            None => break,
            Some(Ok(())) => {}
            Some(Err(trap)) => {
                fault = Some(trap.into());
                break;
            }
        }
    }
    Ran { machine, fault }
}

impl Ran {
    /// A register by its widest name; `sp` counts down from the stack's top.
    #[track_caller]
    pub fn register(&self, name: &str) -> u64 {
        let machine = &self.machine;
        if name == "used" {
            return machine.stacks[0].top - machine.sp();
        }
        let Register(Reg(index)) = Register::named(machine.isa, name)
            .unwrap_or_else(|| panic!("there is no register {name}"));
        machine.values[index as usize]
    }
}

/// Runs a text and compares registers. `used` is the bytes of the stack in use.
#[track_caller]
pub(super) fn check(isa: Isa, text: &str, expect: &[(&str, u64)]) {
    let ran = run(isa, text);
    assert_eq!(ran.fault, None, "{text}");
    for (name, value) in expect {
        let found = ran.register(name);
        assert_eq!(found, *value, "{name} is {found:#x} after {text}");
    }
}

/// Runs a text that ends in a fault.
#[track_caller]
pub(super) fn fault(isa: Isa, text: &str) -> FaultKind {
    run(isa, text)
        .fault
        .unwrap_or_else(|| panic!("no fault in {text}"))
}
