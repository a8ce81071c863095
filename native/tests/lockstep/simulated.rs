//! The simulator's run, recorded: the state after every step, in the simulator's addresses, and
//! where these are in the real memory.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use costack_sim::fault::{FaultKind, TaskNumber};
use costack_sim::host::{Anchor, Context, Host, Register, SegmentKind, Then};
use costack_sim::isa::{Reg, registers};
use costack_sim::program::{FunctionInfo, Image, Isa, Object, Part, Rights};
use costack_sim::prove::{Contract, Flavour, Given, Holds, built_in};
use costack_sim::view::{RegisterClass, StackKind, Statistics, StepOutcome, StepView, TaskView};
use costack_sim::{Options, Session};

#[cfg(target_arch = "x86_64")]
pub const ISA: Isa = Isa::X86_64;
#[cfg(target_arch = "x86")]
pub const ISA: Isa = Isa::I386;
#[cfg(target_arch = "aarch64")]
pub const ISA: Isa = Isa::Aarch64;

const WORD: u64 = size_of::<usize>() as u64;
const MASK: u64 = usize::MAX as u64;

/// Bytes of each of the two stacks.
pub const STACK_BYTES: u64 = 8192;
/// Bytes of each of the two blocks, whose first word receives sp.
pub const BLOCK_BYTES: u64 = 16;

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// An instruction of the text.
    Instruction,
    /// The registers were set, for a task that enters the text.
    SetRegisters,
    /// The first task has been reached again.
    Arrived,
}

/// The state after a step.
pub struct Snapshot {
    pub did: Did,
    /// The line that was executed.
    pub line: String,
    pub pc: u64,
    pub registers: Vec<(&'static str, u64)>,
}

/// A run from its start to the arrival.
pub struct Run {
    pub snapshots: Vec<Snapshot>,
    /// Words of the stacks and blocks that are written at the start, and at the end.
    pub start: Vec<(u64, u64)>,
    pub end: Vec<(u64, u64)>,
    pub places: Places,
}

/// Where things are in the simulated memory.
#[derive(Clone, Default)]
pub struct Places {
    pub stacks: [Range<u64>; 2],
    pub blocks: [u64; 2],
    /// The entry of the fresh task.
    pub fresh: u64,
    /// The first instructions of the first task's text and of the fresh one's.
    pub texts: [u64; 2],
}

/// Real addresses for simulated ones.
pub struct Relocation {
    pub places: Places,
    /// Two stacks, then two blocks.
    pub memory: usize,
    pub code: HashMap<u64, usize>,
}

impl Relocation {
    /// The real word for a simulated one: an address, where it is one, or itself.
    pub fn word(&self, value: u64) -> u64 {
        if let Some(address) = self.code.get(&value) {
            return *address as u64;
        }
        self.address(value).unwrap_or(value)
    }

    /// The real address for one of the stacks and blocks.
    pub fn address(&self, value: u64) -> Option<u64> {
        let mut base = self.memory as u64;
        for stack in &self.places.stacks {
            if (stack.start..=stack.end).contains(&value) {
                return Some(base + (value - stack.start));
            }
            base += STACK_BYTES;
        }
        for block in self.places.blocks {
            if (block..block + BLOCK_BYTES).contains(&value) {
                return Some(base + (value - block));
            }
            base += BLOCK_BYTES;
        }
        None
    }

    /// Writes the first contents of the real memory.
    pub fn fill(&self, words: &[(u64, u64)]) {
        for (address, value) in words {
            let place = self.address(*address).expect("a stack or a block") as usize;
            // SAFETY: the caller's memory has these bytes, aligned to words.
            unsafe { (place as *mut usize).write_volatile(self.word(*value) as usize) };
        }
    }

    /// Compares the real memory at the end.
    #[track_caller]
    pub fn check_memory(&self, words: &[(u64, u64)]) {
        assert!(words.len() > 8, "something was written");
        for (address, value) in words {
            let place = self.address(*address).expect("a stack or a block") as usize;
            // SAFETY: as in `fill`.
            let found = unsafe { (place as *const usize).read_volatile() } as u64;
            let wanted = self.word(*value);
            assert_eq!(
                found, wanted,
                "at {place:#x}: {found:#x}, and the simulator says {wanted:#x}"
            );
        }
    }
}

/// Runs a flavour's text there and back.
pub fn run(flavour: Flavour, seed: u64) -> Run {
    let part = |text: String| Part {
        file: Cow::Borrowed("switch.s"),
        first_line: 1,
        text: Cow::Owned(text),
        rights: Rights::Host,
        statements: Vec::new(),
    };
    let object = |label: &str, after: &str| Object {
        name: label.to_owned(),
        parts: vec![
            part(format!("{label}: host set_registers\n")),
            part(built_in(ISA, flavour).text.into_owned()),
            part(format!("host {after}\n")),
        ],
        functions: vec![FunctionInfo {
            label: label.to_owned(),
            name: label.to_owned(),
            ..FunctionInfo::default()
        }],
    };
    let image = Image {
        isa: ISA,
        objects: vec![object("begin", "arrived"), object("fresh", "astray")],
        entry: "begin".to_owned(),
        globals: Vec::new(),
        main_stack_bytes: 4096,
    };
    let places = Rc::new(RefCell::new(Places::default()));
    let bench = Bench {
        contract: Contract::of(ISA, flavour),
        seed,
        entered: 0,
        places: Rc::clone(&places),
    };
    let mut session = Session::load(&image, Box::new(bench), Options::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let words = |session: &Session, places: &Places| -> Vec<(u64, u64)> {
        let blocks = places.blocks.map(|block| block..block + WORD);
        let ranges = places.stacks.clone().into_iter().chain(blocks);
        let all = ranges.flat_map(|range| session.words(range));
        all.filter(|word| u64::from(word.initialised.count_ones()) == WORD)
            .map(|word| (word.address, word.value & MASK))
            .collect()
    };
    let start = words(&session, &places.borrow());
    let mut snapshots = Vec::new();
    loop {
        let outcome = session.step();
        if let Some(fault) = session.fault() {
            panic!("{}", fault.kind);
        }
        let line = session.last_line().map(|line| &session.listing()[line]);
        let line = line.map_or_else(String::new, |line| line.text.trim().to_owned());
        let did = match &*line {
            text if text.contains("host set_registers") => Did::SetRegisters,
            text if text.contains("host arrived") => Did::Arrived,
            _ => Did::Instruction,
        };
        let mut pc = 0;
        let mut registers = Vec::new();
        for view in session.registers() {
            match view.class {
                RegisterClass::ProgramCounter => pc = view.value,
                _ => registers.push((view.name, view.value)),
            }
        }
        snapshots.push(Snapshot {
            did,
            line,
            pc,
            registers,
        });
        if outcome == StepOutcome::Ended || did == Did::Arrived {
            break;
        }
        assert!(snapshots.len() < 200, "it ends");
    }
    let end = words(&session, &places.borrow());
    let places = places.borrow().clone();
    Run {
        snapshots,
        start,
        end,
        places,
    }
}

/// The host: it lays out a fresh task and sets the registers of whoever enters the text.
struct Bench {
    contract: Contract,
    seed: u64,
    entered: usize,
    places: Rc<RefCell<Places>>,
}

const SERVICES: &[&str] = &["set_registers", "arrived", "astray"];

fn info(reg: Reg) -> &'static str {
    let mut all = registers(ISA).iter();
    let found = all.find(|info| info.reg == reg);
    found.expect("a register of the ISA").name
}

fn named(name: &str) -> Register {
    Register::named(ISA, name).expect("a register of the ISA")
}

impl Bench {
    /// A value for a register, another one for each name, task and seed.
    fn value_for(&self, name: &str) -> u64 {
        let mut hash = self.seed << 8 | self.entered as u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 29;
        }
        let rounding = hash & 3;
        match name {
            "mxcsr" => 0x1f80 | rounding << 13,
            "fpcw" => 0x037f | rounding << 10,
            "fpcr" => rounding << 22,
            // Of no segment: the upper half of the address space.
            _ => (hash | 1 << (8 * WORD - 1)) & MASK,
        }
    }

    /// The sp with which a task enters the text.
    fn sp(&self, task: usize) -> u64 {
        self.places.borrow().stacks[task].end - 1024
    }
}

impl Host for Bench {
    fn service(&self, name: &str) -> Option<u16> {
        let at = SERVICES.iter().position(|service| *service == name)?;
        Some(at as u16)
    }

    fn service_name(&self, service: u16) -> &'static str {
        SERVICES[usize::from(service)]
    }

    fn start(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind> {
        for task in 0..2 {
            let number = task as TaskNumber + 1;
            let stack = context.add_stack(StackKind::Own, STACK_BYTES as u32)?;
            context.set_owner(stack, Some(number));
            let kind = SegmentKind::ControlBlock { task: number };
            let block = context.allocate(kind, BLOCK_BYTES, &[])?;
            let mut places = self.places.borrow_mut();
            places.stacks[task] = context.stack(stack);
            places.blocks[task] = block;
        }
        self.places.borrow_mut().fresh = context.label("fresh").expect("the image has it");
        self.entered = 2;
        let sp = self.sp(1) - self.contract.first_frame_bytes() as u64;
        context.store_pointer(self.places.borrow().blocks[1], sp, 2)?;
        for slot in &self.contract.first_frame {
            let value = match slot.holds {
                Holds::Entry => self.places.borrow().fresh,
                Holds::Register(reg) => self.value_for(info(reg)),
                _ => self.value_for("nothing"),
            };
            let value = value & (u64::MAX >> (64 - 8 * slot.bytes));
            // Only whole words can be stored.
            let address = sp.wrapping_add(slot.offset as u64);
            let below = address % WORD;
            let old = match below {
                0 => 0,
                _ => context.load(address - below)? & !(u64::MAX << (8 * below)),
            };
            context.store(address - below, old | value << (8 * below))?;
        }
        self.entered = 0;
        Ok(())
    }

    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        match SERVICES[usize::from(service)] {
            "set_registers" => {
                let (task, number) = (self.entered, self.entered as TaskNumber + 1);
                // The fresh task has called some functions since it began.
                let sp = self.sp(task) - 512 * task as u64;
                for register in registers(ISA) {
                    match register.class {
                        RegisterClass::StackPointer => {
                            context.set_pointer(named(register.name), sp, number);
                        }
                        RegisterClass::Flags => context.set_register(named(register.name), 0),
                        _ => {
                            let value = self.value_for(register.name);
                            context.set_register(named(register.name), value);
                        }
                    }
                }
                let blocks = self.places.borrow().blocks;
                for (reg, given) in &self.contract.given {
                    let register = named(info(*reg));
                    match given {
                        Given::SaveWord => context.set_register(register, blocks[task]),
                        Given::TargetWord => context.set_register(register, blocks[1 - task]),
                        Given::TargetSp | Given::TargetWords => {
                            let target = context.load(blocks[1 - task])? & MASK;
                            context.set_pointer(register, target, (1 - task) as TaskNumber + 1);
                        }
                    }
                }
                self.places.borrow_mut().texts[task] = context.pc();
                self.entered += 1;
                Ok(Then::Continue)
            }
            "arrived" => Ok(Then::End),
            _ => Err(FaultKind::Runtime {
                message: "the source goes on, not the target".to_owned(),
            }),
        }
    }

    fn micro_step(&mut self, _: &mut Context<'_>) -> Result<Then, FaultKind> {
        Ok(Then::Continue)
    }

    fn seek(&mut self, _: u64) {}

    fn truncate(&mut self, _: u64) {}

    fn state_hash(&self) -> u64 {
        self.seed
    }

    fn task_count(&self) -> u32 {
        3
    }

    fn task(&self, _: TaskNumber) -> Option<TaskView> {
        None
    }

    fn anchor(&self, _: TaskNumber) -> Option<Anchor> {
        None
    }

    fn stack_name(&self, stack: u32) -> String {
        stack.to_string()
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn explain(&self, _: &StepView, _: &Session) -> String {
        String::new()
    }
}
