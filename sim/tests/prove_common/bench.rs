//! Runs a text on the simulated machine with random values all around it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use costack_sim::fault::{FaultKind, StackNumber, TaskNumber};
use costack_sim::host::{Anchor, Context, Host, Register, SegmentKind, Then};
use costack_sim::isa::{Reg, RegisterInfo, registers};
use costack_sim::program::{FunctionInfo, Image, Isa, Object, Part, Rights};
use costack_sim::prove::{Contract, Flavour, Form, Given, Holds, Slot, Words};
use costack_sim::view::{RegisterClass, RunOutcome, StackKind, Statistics, StepView, TaskView};
use costack_sim::{Options, Session};

/// Runs a text there and back. A host of the session checks at both arrivals.
pub fn run(contract: &Contract, lines: &[String], seed: u64) -> Result<(), String> {
    let text = |rights, text: String| Part {
        file: Cow::Borrowed("bench.s"),
        first_line: 1,
        text: Cow::Owned(text),
        rights,
        statements: Vec::new(),
    };
    // A signal before every instruction.
    let mut with_signals = String::new();
    for line in lines {
        if !line.ends_with(':') {
            with_signals.push_str("host signal\n");
        }
        with_signals.push_str(line);
        with_signals.push('\n');
    }
    let function = |label: &str| FunctionInfo {
        label: label.to_owned(),
        name: label.to_owned(),
        ..FunctionInfo::default()
    };
    // What the host is told behind a copy of the text. Who gets there with a text that is the end of
    // a C function has fallen off it; such a function returns to a label of its own.
    let behind = |told: &str| match contract.form {
        Form::Inline => format!("host {told}\nhost end\n"),
        Form::Call => format!("host astray\n{RETURN}_{told}: host {told}\nhost end\n"),
    };
    // Each copy of the text is an object: numeric labels do not reach from one to the other.
    let copy = |label: &str, before: &str, after: &str| Object {
        name: label.to_owned(),
        parts: vec![
            text(Rights::Host, format!("{label}: host {before}\n")),
            text(Rights::Host, with_signals.clone()),
            text(Rights::Host, behind(after)),
        ],
        functions: vec![function(label)],
    };
    let image = Image {
        isa: contract.isa,
        objects: vec![
            copy("begin", "as_target", "arrived"),
            copy("fresh", "as_source", "astray"),
        ],
        entry: "begin".to_owned(),
        globals: Vec::new(),
        main_stack_bytes: 4096,
    };
    let bench = Bench {
        contract: contract.clone(),
        random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        tasks: [Task::default(), Task::default()],
        slots: Vec::new(),
        arrived: false,
    };
    let mut session = Session::load(&image, Box::new(bench), Options::default())
        .map_err(|error| error.to_string())?;
    match session.run(1000) {
        RunOutcome::Ended => Ok(()),
        RunOutcome::Faulted => Err(session
            .fault()
            .map_or_else(String::new, |fault| fault.kind.to_string())),
        _ => Err("it does not end".to_owned()),
    }
}

/// What is known about a task while it does not run.
#[derive(Default)]
struct Task {
    stack: StackNumber,
    /// Address of the word for its sp.
    word: u64,
    /// sp with which it goes on.
    sp: u64,
    /// Registers when it entered the text.
    registers: BTreeMap<Reg, u64>,
    /// Memory that must not change: above sp, and beside the word.
    memory: Vec<(u64, u64)>,
}

/// The host: task 1 is the target, task 2 the source, which begins as a fresh task.
struct Bench {
    contract: Contract,
    random: u64,
    tasks: [Task; 2],
    /// The first contents of the slots.
    slots: Vec<u64>,
    /// The target has gone on.
    arrived: bool,
}

/// The bits of MXCSR that tell what has happened. A text that ends a C function lets them be.
const MXCSR_STATUS: u64 = 0x3f;

/// How the label begins to which a task's C function returns.
const RETURN: &str = "return_to";

const SERVICES: &[&str] = &[
    "as_target",
    "as_source",
    "arrived",
    "astray",
    "signal",
    "end",
];

/// Words of memory above sp and beside the word that are watched.
const WATCHED: u64 = 16;

fn problem<T>(message: String) -> Result<T, FaultKind> {
    Err(FaultKind::Runtime { message })
}

fn is(what: &str, found: u64, expected: u64) -> Result<(), FaultKind> {
    match found == expected {
        true => Ok(()),
        false => problem(format!("{what} is {found:#x}, not {expected:#x}")),
    }
}

impl Bench {
    fn isa(&self) -> Isa {
        self.contract.isa
    }

    fn word(&self) -> u64 {
        self.isa().word_bytes().into()
    }

    /// Xorshift, and never a small number.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let mask = u64::MAX >> (64 - 8 * self.word());
        (self.random | 1 << 30) & mask
    }

    /// A value that a register may hold.
    fn value_for(&mut self, name: &str) -> u64 {
        let rounding = self.random() >> 8 & 3;
        match name {
            "mxcsr" => 0x1f80 | rounding << 13 | self.random() >> 8 & MXCSR_STATUS,
            "fpcw" => 0x037f | rounding << 10,
            "fpcr" => rounding << 22,
            _ => self.random(),
        }
    }

    fn info(&self, reg: Reg) -> &'static RegisterInfo {
        let mut all = registers(self.isa()).iter();
        all.find(|info| info.reg == reg)
            .expect("it is one of the ISA")
    }

    fn register(&self, reg: Reg) -> Register {
        Register::named(self.isa(), self.info(reg).name).expect("it is one of the ISA")
    }

    fn read(&self, context: &Context<'_>, reg: Reg) -> Result<u64, FaultKind> {
        let bits = 8 * self.info(reg).bytes;
        Ok(context.register(self.register(reg))? & (u64::MAX >> (64 - bits)))
    }

    /// Words of random values that are to stay.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        task: usize,
        from: u64,
    ) -> Result<(), FaultKind> {
        for index in 0..WATCHED {
            let (address, value) = (from + index * self.word(), self.random());
            context.store(address, value)?;
            let found = context.load(address)?;
            self.tasks[task].memory.push((address, found));
        }
        Ok(())
    }

    /// Gives a task a stack and a control block, the word for sp in its middle.
    fn make(&mut self, context: &mut Context<'_>, task: usize) -> Result<(), FaultKind> {
        let number = task as TaskNumber + 1;
        let stack = context.add_stack(StackKind::Own, 8192)?;
        context.set_owner(stack, Some(number));
        let kind = SegmentKind::ControlBlock { task: number };
        let bytes = (2 * WATCHED + 32) * self.word();
        let block = context.allocate(kind, bytes, &[])?;
        self.tasks[task].stack = stack;
        self.tasks[task].word = block + WATCHED * self.word();
        self.watch(context, task, block)?;
        let after = self.tasks[task].word + self.contract.block.end as u64;
        self.watch(context, task, after)
    }

    /// An aligned address high up in a task's stack.
    fn aligned(&mut self, context: &Context<'_>, task: usize) -> u64 {
        let top = context.stack(self.tasks[task].stack).end;
        top - 1024 - (self.random() & 0xf0)
    }

    /// Lays a fresh task out.
    fn lay_out(&mut self, context: &mut Context<'_>, task: usize) -> Result<(), FaultKind> {
        let end = self.aligned(context, task);
        self.watch(context, task, end)?;
        let sp = end - self.contract.first_frame_bytes() as u64;
        let word = self.tasks[task].word;
        context.store_pointer(word, sp, task as TaskNumber + 1)?;
        let frame = self.contract.first_frame.clone();
        let block = self.contract.first_block.clone();
        let frame = frame.into_iter().map(|slot| (sp, slot));
        for (base, slot) in frame.chain(block.into_iter().map(|slot| (word, slot))) {
            let Slot {
                offset,
                bytes,
                holds,
            } = slot;
            let value = match holds {
                Holds::Entry => context.label("fresh").expect("the image has it"),
                Holds::Register(reg) => self.value_for(self.info(reg).name),
                _ => self.random(),
            };
            let value = value & (u64::MAX >> (64 - 8 * bytes));
            self.slots.push(value);
            // Only whole words can be stored.
            let address = base.wrapping_add(offset as u64);
            let below = address % self.word();
            let old = match below {
                0 => 0,
                _ => context.load(address - below)? & !(u64::MAX << (8 * below)),
            };
            context.store(address - below, old | value << (8 * below))?;
        }
        self.tasks[task].sp = end.wrapping_add(self.contract.entry_sp as u64);
        Ok(())
    }

    /// The registers of a task that enters the text.
    fn enter(&mut self, context: &mut Context<'_>, task: usize, sp: u64) -> Result<(), FaultKind> {
        let other = 1 - task;
        let number = task as TaskNumber + 1;
        for info in registers(self.isa()) {
            let register = self.register(info.reg);
            match info.class {
                RegisterClass::StackPointer => context.set_pointer(register, sp, number),
                RegisterClass::Flags => context.set_register(register, 0),
                _ => {
                    let value = self.value_for(info.name);
                    context.set_register(register, value);
                }
            }
        }
        self.put_return_address(context, task, sp)?;
        for (reg, given) in self.contract.given.clone() {
            let register = self.register(reg);
            match given {
                Given::TargetWords if self.contract.words != Words::OnStack => {
                    let words = self.leave_words_in_image(context, other)?;
                    context.set_register(register, words);
                }
                Given::SaveWord => context.set_register(register, self.tasks[task].word),
                Given::TargetWord => context.set_register(register, self.tasks[other].word),
                Given::TargetSp | Given::TargetWords => {
                    let target = context.load(self.tasks[other].word)?;
                    let mask = u64::MAX >> (64 - 8 * self.word());
                    context.set_pointer(register, target & mask, other as TaskNumber + 1);
                }
            }
        }
        self.tasks[task].sp = sp;
        for info in registers(self.isa()) {
            let value = self.read(context, info.reg)?;
            self.tasks[task].registers.insert(info.reg, value);
        }
        self.watch(context, task, sp)
    }

    /// What a call has done to a task with this sp when the text is the end of the function.
    fn put_return_address(
        &self,
        context: &mut Context<'_>,
        task: usize,
        sp: u64,
    ) -> Result<(), FaultKind> {
        if self.contract.form == Form::Inline {
            return Ok(());
        }
        // Nobody switches back to the fresh task.
        let told = ["arrived", "astray"][task];
        let address = context.label(&format!("{RETURN}_{told}"));
        let address = address.expect("the image has it");
        match self.contract.return_address_bytes() as u64 {
            0 => {
                let link = Register::named(self.isa(), "x30").expect("it is one of the ISA");
                context.set_register(link, address);
            }
            bytes => {
                let mut all = registers(self.isa()).iter();
                let stack = all.find(|info| info.class == RegisterClass::StackPointer);
                let stack = self.register(stack.expect("every ISA has one").reg);
                context.store(sp - bytes, address)?;
                context.set_pointer(stack, sp - bytes, task as TaskNumber + 1);
            }
        }
        Ok(())
    }

    /// Puts the words that a switch takes from a task's image there; on its stack, random bytes
    /// take the place of what is not copied back.
    fn leave_words_in_image(
        &mut self,
        context: &mut Context<'_>,
        task: usize,
    ) -> Result<u64, FaultKind> {
        let Words::InImage { left_out } = self.contract.words else {
            return problem("its words are on its stack".to_owned());
        };
        let (word, bytes) = (self.word(), self.contract.first_frame_bytes() as u64);
        let number = task as TaskNumber + 1;
        let image = context.allocate(SegmentKind::SaveStack { task: number }, bytes, &[])?;
        let sp = context.load(self.tasks[task].word)?;
        context.copy(sp, image, bytes)?;
        for offset in (0..left_out.into()).step_by(word as usize) {
            let value = self.random();
            context.store(sp + offset, value)?;
        }
        Ok(image)
    }

    /// The state when a task goes on, or begins.
    fn check(&self, context: &mut Context<'_>, task: usize, fresh: bool) -> Result<(), FaultKind> {
        let (target, source) = (&self.tasks[task], &self.tasks[1 - task]);
        let contract = &self.contract;
        let slot_of = |reg: Reg| {
            let mut slots = contract.first_frame.iter().chain(&contract.first_block);
            slots.position(|slot| slot.holds == Holds::Register(reg))
        };
        let expected = |reg: Reg| {
            let value = match fresh {
                true => self.slots[slot_of(reg)?],
                false => *target.registers.get(&reg)?,
            };
            let keeps_status = contract.form == Form::Call && self.info(reg).name == "mxcsr";
            Some(match keeps_status {
                true => value & !MXCSR_STATUS | source.registers.get(&reg)? & MXCSR_STATUS,
                false => value,
            })
        };
        let (saved, vector) = (&contract.callee_saved, &contract.callee_saved_vector);
        let mut kept: Vec<Reg> = saved.iter().chain(vector).copied().collect();
        kept.retain(|reg| !contract.clobbered.contains(reg));
        if contract.flavour == Flavour::Fp {
            kept.extend(&contract.control);
        }
        for reg in kept {
            if let Some(expected) = expected(reg) {
                is(self.info(reg).name, self.read(context, reg)?, expected)?;
            }
        }
        is("sp", context.sp(), target.sp)?;
        let left = contract.first_frame.iter().zip(&self.slots);
        for (_, value) in left.filter(|(slot, _)| fresh && slot.holds == Holds::ForEntry) {
            let found = context.load(context.sp())? & (u64::MAX >> (64 - 8 * self.word()));
            is("what the entry takes from the stack", found, *value)?;
        }
        let mut passed = contract.passes.clone();
        if contract.flavour == Flavour::Integer {
            passed.extend(&contract.control);
        }
        for reg in passed {
            let expected = source.registers.get(&reg).copied();
            is(
                self.info(reg).name,
                self.read(context, reg)?,
                expected.unwrap_or(0),
            )?;
        }
        let mask = u64::MAX >> (64 - 8 * self.word());
        let stored = context.load(source.word)? & mask;
        if let Some(reg) = contract.tells_sp {
            is(self.info(reg).name, self.read(context, reg)?, stored)?;
        }
        if !context.stack(source.stack).contains(&stored) || stored > source.sp {
            return problem(format!("the stored sp is {stored:#x}"));
        }
        for (address, value) in target.memory.iter().chain(&source.memory) {
            is(
                &format!("memory at {address:#x}"),
                context.load(*address)?,
                *value,
            )?;
        }
        Ok(())
    }

    /// Random bytes below an address, as a signal handler or another task would leave there.
    fn spoil(&mut self, context: &mut Context<'_>, below: u64) -> Result<(), FaultKind> {
        let word = self.word();
        let from = below / word * word;
        for index in 1..=64 {
            let value = self.random();
            context.store(from.wrapping_sub(index * word), value)?;
        }
        Ok(())
    }

    fn signal(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind> {
        let sp = context.sp();
        let inside = self.tasks.iter().any(|task| {
            let range = context.stack(task.stack);
            range.contains(&sp)
        });
        if !inside {
            return problem(format!("sp is {sp:#x} when a signal comes"));
        }
        self.spoil(context, sp.wrapping_sub(self.contract.red_zone as u64))
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
        self.make(context, 0)?;
        self.make(context, 1)?;
        self.lay_out(context, 1)
    }

    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        match SERVICES[usize::from(service)] {
            "as_target" => {
                let sp = self.aligned(context, 0);
                // Only aarch64 has its sp aligned in the middle of a function.
                let beside = match self.isa() {
                    Isa::Aarch64 => 0,
                    _ => self.random() % 2 * self.word(),
                };
                self.enter(context, 0, sp - beside)?;
            }
            "as_source" => {
                self.check(context, 1, true)?;
                // Everything below the stored sp may have been lost in between.
                let stored = context.load(self.tasks[0].word)?;
                let mask = u64::MAX >> (64 - 8 * self.word());
                self.spoil(context, stored & mask)?;
                // What was above the first frame is this task's own by now.
                let range = context.stack(self.tasks[1].stack);
                let memory = &mut self.tasks[1].memory;
                memory.retain(|(address, _)| !range.contains(address));
                let sp = self.aligned(context, 1) - 512;
                self.enter(context, 1, sp)?;
            }
            "arrived" => {
                self.check(context, 0, false)?;
                self.arrived = true;
            }
            "astray" => return problem("the source goes on, not the target".to_owned()),
            "signal" => self.signal(context)?,
            _ if self.arrived => return Ok(Then::End),
            _ => return problem("it ends before the target has gone on".to_owned()),
        }
        Ok(Then::Continue)
    }

    fn micro_step(&mut self, _: &mut Context<'_>) -> Result<Then, FaultKind> {
        Ok(Then::Continue)
    }

    fn seek(&mut self, _: u64) {}

    fn truncate(&mut self, _: u64) {}

    fn state_hash(&self) -> u64 {
        self.random
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
