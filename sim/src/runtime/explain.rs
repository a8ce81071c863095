//! One sentence per step, built from what the step wrote.

use std::ops::Range;

use crate::fault::TaskNumber;
use crate::session::Session;
use crate::view::{AsmLine, Location, Meaning, StepKind, StepView, Value, Write};

use super::host::Runtime;
use super::memory::Field;
use super::names;

/// Says what a step did. The session is at the position after it.
pub fn sentence(runtime: &Runtime, step: &StepView, session: &Session) -> String {
    let stack = |number| names::stack(&runtime.program, number);
    let task = |number| runtime.task_name(number);
    let somebody = |owner: Option<TaskNumber>| owner.map_or_else(|| "nobody".to_owned(), task);
    match &step.kind {
        StepKind::Instruction { .. } => match session.last_line() {
            Some(line) => {
                let line = &session.listing()[line];
                Instruction {
                    runtime,
                    step,
                    session,
                    line,
                }
                .sentence()
            }
            None => String::new(),
        },
        StepKind::Service { name, wanted } => service(runtime, step, name, wanted),
        StepKind::Save {
            task: saved,
            range,
            bytes,
            to,
            ..
        } => format!(
            "saved {bytes} B of {}, {}, into its save stack at {to:#x}",
            task(*saved),
            show_range(range)
        ),
        StepKind::Restore {
            task: restored,
            range,
            bytes,
            from,
            ..
        } => format!(
            "restored {bytes} B of {}{} from its save stack at {from:#x} to {}",
            task(*restored),
            match runtime.is_fresh(*restored) {
                true => ", its first frame,",
                false => "",
            },
            show_range(range)
        ),
        StepKind::Grow { task: of, from, to } => match from {
            0 => format!("the save stack of {} takes {to} B", task(*of)),
            _ => format!(
                "the save stack of {} grows from {from} B to {to} B",
                task(*of)
            ),
        },
        StepKind::Owner {
            stack: number,
            from,
            to,
        } => format!(
            "owner of {}: {} → {}",
            stack(*number),
            somebody(*from),
            somebody(*to)
        ),
        StepKind::Output { line } => format!("{} prints “{line}”", somebody(step.task)),
        StepKind::Clock { from_us, to_us } => {
            format!("nobody is ready: the clock goes from {from_us} us to {to_us} us")
        }
        StepKind::Signal { frame } => {
            let who = somebody(step.task);
            format!(
                "a signal arrives while {who} runs: all registers are written below its sp, and \
                 the handler begins on the same stack with sp {frame:#x}"
            )
        }
        StepKind::SignalReturn { sp } => format!(
            "the handler has returned: every register has its value back, sp is {} again",
            show(*sp)
        ),
        StepKind::Edit => edit(step),
        StepKind::End => "the program has ended".to_owned(),
        StepKind::Fault(fault) => fault.kind.to_string(),
    }
}

/// What somebody has changed by hand.
fn edit(step: &StepView) -> String {
    let changes = step.writes.iter().map(|write| {
        let place = match &write.location {
            Location::Register(name) => (*name).to_owned(),
            Location::Memory(range) | Location::Copy(range) => show_range(range),
            Location::Engine(what) => what.clone(),
        };
        let (old, new) = (show_value(&write.old), show_value(&write.new));
        format!("{place} from {old} to {new}")
    });
    let mut changes: Vec<String> = changes.collect();
    changes.dedup();
    match changes.is_empty() {
        true => "set by hand: where execution goes on".to_owned(),
        false => format!("set by hand: {}", changes.join(", ")),
    }
}

fn service(runtime: &Runtime, step: &StepView, name: &str, wanted: &str) -> String {
    let who = step
        .task
        .map_or_else(|| "the runtime".to_owned(), |task| runtime.task_name(task));
    match name {
        "resume" => format!("{who} asks to {wanted}"),
        "poll" if wanted.starts_with("resume") => format!("the scheduler says: {wanted}"),
        "poll" => format!("the scheduler says: {wanted}"),
        "aim" | "back" => wanted.to_owned(),
        "yield" => format!("{who} yields: it stays ready and goes back to its resumer"),
        "exit" => format!("{who} ends"),
        "uninit" | "received" => wanted.to_owned(),
        "end" => "main returns: the program is over".to_owned(),
        _ if wanted.is_empty() => format!("{who} calls the runtime: {name}"),
        _ => format!("{who}: {wanted}"),
    }
}

/// An instruction that has just been executed.
struct Instruction<'a> {
    runtime: &'a Runtime,
    step: &'a StepView,
    session: &'a Session,
    line: &'a AsmLine,
}

impl Instruction<'_> {
    fn sentence(&self) -> String {
        let text = self.line.text.trim();
        let (mnemonic, operands) = match text.split_once(char::is_whitespace) {
            Some((mnemonic, operands)) => (mnemonic, operands.trim()),
            None => (text, ""),
        };
        let roles = self.switch_sentence(mnemonic, operands);
        if let Some(sentence) = roles {
            return sentence;
        }
        match mnemonic {
            "call" | "bl" | "blr" => self.call(text),
            "ret" => format!("{text}: back to {}", self.pc()),
            "push" => match (self.memory_write(), self.sp()) {
                (Some((at, value)), Some(sp)) => format!(
                    "{text}: {} goes to {at:#x}; {} is now {}",
                    show_value(value),
                    self.sp_name(),
                    show(sp)
                ),
                _ => self.plain(text),
            },
            "cmp" | "test" => match self.compared(operands) {
                Some((left, right)) if mnemonic == "cmp" => {
                    format!("{text}: compares {left} with {right}")
                }
                Some((value, _)) => format!("{text}: is it 0? it is {value}"),
                None => text.to_owned(),
            },
            "jmp" | "b" | "br" => format!("{text}: goes on at {}", self.pc()),
            _ if mnemonic.starts_with('j')
                || mnemonic.starts_with("b.")
                || is_zero_branch(mnemonic) =>
            {
                match self.fell_through() {
                    true => format!("{text}: not taken"),
                    false => format!("{text}: taken, to {}", self.pc()),
                }
            }
            _ => self.plain(text),
        }
    }

    /// What the instruction means in the middle of a switch.
    fn switch_sentence(&self, mnemonic: &str, operands: &str) -> Option<String> {
        let file = &*self.line.file;
        let own = file == self.runtime.program.source.file();
        if !(own || file.ends_with("switch.s") || file.ends_with("switch_fp.s")) {
            return None;
        }
        let text = self.line.text.trim();
        let sp_name = self.sp_name();
        if let Some((at, value)) = self.memory_write()
            && let Some((source, _)) = self.runtime.aim()
            && at == self.runtime.field(source, Field::Sp)
        {
            let who = self.runtime.task_name(source);
            return Some(format!(
                "{text}: {who} leaves its stack pointer behind, [{at:#x}] ← {}",
                show_value(value)
            ));
        }
        let loads_sp = operands.starts_with(sp_name) && mnemonic == "mov";
        if let (true, Some(write)) = (loads_sp, self.register_write(sp_name)) {
            let now = self.running_after().unwrap_or_else(|| "nobody".to_owned());
            return Some(format!(
                "{text}: {sp_name} leaves {} and is now {}, on the stack of {now}",
                show_value(&write.old),
                show_value(&write.new)
            ));
        }
        if matches!(mnemonic, "jmp" | "br" | "ret") {
            let who = self.running_after()?;
            return Some(format!("{text}: {who} goes on at {}", self.pc()));
        }
        None
    }

    /// The task on whose stack sp is after the step.
    fn running_after(&self) -> Option<String> {
        let stack = self
            .session
            .stacks()
            .into_iter()
            .find(|stack| stack.current)?;
        match stack.owner {
            Some(task) => Some(self.runtime.task_name(task)),
            None => (stack.number == 0).then(|| self.runtime.task_name(0)),
        }
    }

    fn call(&self, text: &str) -> String {
        match self.memory_write() {
            Some((at, Value::Word(address))) => format!(
                "{text}: the return address {} goes to {at:#x}",
                self.symbol(*address)
            ),
            _ => format!("{text}: {} begins", self.pc()),
        }
    }

    fn plain(&self, text: &str) -> String {
        let mut parts = Vec::new();
        for write in &self.step.writes {
            let what = match &write.location {
                Location::Register(name) if self.is_pc(name) => continue,
                Location::Register(name) => match self.local_in(name) {
                    Some(local) if !text.starts_with("pop") && !text.starts_with("ld") => {
                        format!("{name} ({local})")
                    }
                    _ => (*name).to_owned(),
                },
                Location::Memory(range) => match self.meaning(range) {
                    Some(meaning) => format!("{meaning} at {:#x}", range.start),
                    None => format!("[{:#x}]", range.start),
                },
                Location::Copy(range) => show_range(range),
                Location::Engine(name) => name.clone(),
            };
            if is_flags(&what) {
                continue;
            }
            parts.push(format!("{what} is now {}", show_value(&write.new)));
        }
        match parts.is_empty() {
            true => text.to_owned(),
            false => format!("{text}: {}", parts.join("; ")),
        }
    }

    /// The local that a register holds in the function that the instruction stands in.
    fn local_in(&self, register: &str) -> Option<&str> {
        let name = self.line.function.as_deref()?;
        let function = self
            .runtime
            .program
            .functions
            .iter()
            .position(|function| function.name.text == name)?;
        self.runtime.registers[function]
            .iter()
            .find(|(held, _)| *held == register)
            .map(|(_, local)| local.as_str())
    }

    /// What is kept at an address, if it has a name.
    fn meaning(&self, range: &Range<u64>) -> Option<String> {
        let words = self.session.words(range.clone());
        match &words.first()?.meaning {
            Meaning::Local { name } | Meaning::Argument { name } | Meaning::Global { name } => {
                Some(name.clone())
            }
            Meaning::Element { name, index } => Some(format!("{name}[{index}]")),
            Meaning::Field { name } => Some(name.clone().into_owned()),
            Meaning::Temporary => Some("a temporary".to_owned()),
            _ => None,
        }
    }

    fn memory_write(&self) -> Option<(u64, &Value)> {
        self.step
            .writes
            .iter()
            .find_map(|write| match &write.location {
                Location::Memory(range) => Some((range.start, &write.new)),
                _ => None,
            })
    }

    /// The two sides of a comparison, as far as they are registers and numbers.
    fn compared(&self, operands: &str) -> Option<(String, String)> {
        let (left, right) = operands.split_once(',')?;
        Some((self.operand(left)?, self.operand(right)?))
    }

    fn operand(&self, text: &str) -> Option<String> {
        let text = text.trim().trim_start_matches('#');
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.to_string());
        }
        let registers = self.session.registers();
        let register = registers.iter().find(|register| register.name == text)?;
        Some(show(register.value))
    }

    /// Whether the next instruction is the one that stands behind this one.
    fn fell_through(&self) -> bool {
        let (Some(last), Some(next)) = (self.session.last_line(), self.session.next_line()) else {
            return false;
        };
        let listing = self.session.listing();
        let behind = (last + 1..listing.len()).find(|&line| listing[line].address.is_some());
        behind == Some(next)
    }

    fn register_write(&self, register: &str) -> Option<&Write> {
        self.step
            .writes
            .iter()
            .find(|write| matches!(write.location, Location::Register(name) if name == register))
    }

    fn sp(&self) -> Option<u64> {
        match self.register_write(self.sp_name())?.new {
            Value::Word(value) => Some(value),
            _ => None,
        }
    }

    fn sp_name(&self) -> &'static str {
        match self.session.isa() {
            crate::program::Isa::X86_64 => "rsp",
            crate::program::Isa::I386 => "esp",
            crate::program::Isa::Aarch64 => "sp",
        }
    }

    fn is_pc(&self, name: &str) -> bool {
        matches!(name, "rip" | "eip" | "pc")
    }

    /// Where execution goes on.
    fn pc(&self) -> String {
        let next = self
            .session
            .next_line()
            .and_then(|line| self.session.listing()[line].address);
        match next {
            Some(address) => self.symbol(address),
            None => "an address that is no code".to_owned(),
        }
    }

    fn symbol(&self, address: u64) -> String {
        match self.session.symbol(address) {
            Some((name, 0)) => name.to_owned(),
            Some((name, offset)) => format!("{name}+{offset:#x}"),
            None => format!("{address:#x}"),
        }
    }
}

fn is_zero_branch(mnemonic: &str) -> bool {
    matches!(mnemonic, "cbz" | "cbnz" | "tbz" | "tbnz")
}

fn is_flags(name: &str) -> bool {
    matches!(name, "flags" | "eflags" | "rflags" | "nzcv")
}

fn show_range(range: &Range<u64>) -> String {
    format!("{:#x}–{:#x}", range.start, range.end)
}

/// Small numbers as numbers, large ones as addresses.
fn show(value: u64) -> String {
    match value as i64 {
        small @ -0xffff..=0xffff => small.to_string(),
        _ => format!("{value:#x}"),
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Word(value) => show(*value),
        Value::Uninitialised => "an uninitialised value".to_owned(),
        Value::Bytes(bytes) => format!("{} B", bytes.len()),
        Value::Task(Some(task)) => format!("task {task}"),
        Value::Task(None) => "nobody".to_owned(),
        Value::Text(text) => text.clone(),
    }
}
