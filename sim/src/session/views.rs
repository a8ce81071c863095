//! Registers, stacks, tasks, listing and counts at the current position.

use super::Session;
use crate::fault::{StackNumber, TaskNumber};
use crate::isa::{RegisterInfo, registers};
use crate::machine::Hash;
use crate::machine::log::Step;
use crate::machine::memory::PAGE;
use crate::machine::shadow::{MAPPED, WRITTEN};
use crate::machine::{Field, REGISTERS};
use crate::view::{
    AsmLine, RegisterClass, RegisterView, StackView, Statistics, StepKind, TaskView, TickKind,
    Value,
};

impl Session {
    /// All registers, in the order in which they are shown; the program counter is the last.
    pub fn registers(&self) -> Vec<RegisterView> {
        let mut views: Vec<_> = registers(self.isa())
            .iter()
            .map(|info| self.register(info))
            .collect();
        let before = self
            .position
            .checked_sub(1)
            .and_then(|step| self.machine.log.steps.get(step))
            .map(Step::pc);
        let (pc, before) = (
            self.code.address_of(self.machine.pc),
            before.map(|index| self.code.address_of(index)),
        );
        views.push(RegisterView {
            name: self.pc_name(),
            value: pc,
            initialised: true,
            class: RegisterClass::ProgramCounter,
            clobbered_by_switch: false,
            changed_from: before.filter(|before| *before != pc).map(Value::Word),
            points_into: None,
        });
        views
    }

    /// What the program counter is called.
    pub(super) fn pc_name(&self) -> &'static str {
        match self.isa() {
            crate::program::Isa::X86_64 => "rip",
            crate::program::Isa::I386 => "eip",
            crate::program::Isa::Aarch64 => "pc",
        }
    }

    fn register(&self, info: &RegisterInfo) -> RegisterView {
        let index = info.reg.index() % REGISTERS;
        let (value, shadow) = (self.machine.values[index], self.machine.shadows[index]);
        let old = self.old_register(info.reg.index() as u8);
        RegisterView {
            name: info.name,
            value,
            initialised: info.is_written(shadow),
            class: info.class,
            clobbered_by_switch: self.host.clobbers(info.name),
            changed_from: old
                .filter(|old| *old != (value, shadow))
                .map(|(old, shadow)| match info.is_written(shadow) {
                    false => Value::Uninitialised,
                    true => Value::Word(old),
                }),
            points_into: shadow.task(),
        }
    }

    /// How many stacks there are, main's among them.
    pub fn stack_count(&self) -> u32 {
        self.machine.field(Field::Stacks) as u32
    }

    /// All stacks; main's is the first.
    pub fn stacks(&self) -> Vec<StackView> {
        (0..self.stack_count())
            .filter_map(|stack| self.stack(stack))
            .collect()
    }

    /// A stack.
    pub fn stack(&self, number: StackNumber) -> Option<StackView> {
        let index = number as usize;
        let on = *self
            .machine
            .stacks
            .get(index)
            .filter(|_| number < self.stack_count())?;
        Some(StackView {
            number,
            name: self.host.stack_name(number),
            kind: on.kind,
            base: on.base,
            top: on.top,
            guard: on.guard..on.base,
            owner: (self.machine.owners[index] as u32).checked_sub(1),
            previous_owner: self.previous_owner(number),
            sp: self.low_of(index),
            current: self.machine.stack_of_sp(self.machine.sp()) == Some(index),
            peak_bytes: on.top - self.lowest_written(on.base, on.top),
            frames: self.frames_on(index),
        })
    }

    /// Who owned a stack before its owner, and when that changed.
    fn previous_owner(&self, number: StackNumber) -> Option<(Option<TaskNumber>, u64)> {
        let end = self
            .ticks
            .partition_point(|tick| tick.step < self.position());
        let changes = self.ticks[..end]
            .iter()
            .rev()
            .filter(|tick| tick.kind == TickKind::Owner);
        for tick in changes {
            let record = self.records.of(tick.step)?;
            if let StepKind::Owner { stack, from, .. } = record
                && stack == number
            {
                return Some((from, tick.step));
            }
        }
        None
    }

    /// The lowest byte of a stack that was ever written, up to the current position.
    fn lowest_written(&self, base: u64, top: u64) -> u64 {
        let mut page = base / PAGE * PAGE;
        while page < top {
            if self.machine.memory.cells_from(page).is_some() {
                for address in (page.max(base)..(page + PAGE).min(top)).step_by(8) {
                    let cell = self.machine.memory.read(address).unwrap_or_default();
                    if cell.value != 0 || cell.shadow & WRITTEN != 0 {
                        return address;
                    }
                }
            }
            page += PAGE;
        }
        top
    }

    /// How many tasks there are, main among them.
    pub fn task_count(&self) -> u32 {
        self.host.task_count()
    }

    /// The task that runs, as told by whose sp it is; `None` when sp was made from no task's.
    pub fn running_task(&self) -> Option<TaskNumber> {
        self.machine.task()
    }

    /// A task.
    pub fn task(&self, task: TaskNumber) -> Option<TaskView> {
        let mut view = self.host.task(task)?;
        if view.statement.is_none() && Self::has_frames(&view) {
            view.statement = self.statement_of_task(&view);
        }
        Some(view)
    }

    fn statement_of_task(&self, task: &TaskView) -> Option<crate::program::StmtRef> {
        let start = self.start_of(task.number)?;
        let top = self.machine.stacks.get(task.stack as usize)?.top;
        let frames = self.walk(task.number, start, self.home_of(task), top, 8);
        frames.iter().find_map(|frame| frame.view.statement)
    }

    /// All tasks; with very many, ask for those to be shown with [`task`](Self::task).
    pub fn tasks(&self) -> Vec<TaskView> {
        (0..self.task_count())
            .filter_map(|task| self.task(task))
            .collect()
    }

    /// The assembly of all that is loaded, line by line, the same at every position.
    pub fn listing(&self) -> &[AsmLine] {
        self.code.listing()
    }

    /// The listing's line of the instruction executed last.
    pub fn last_line(&self) -> Option<usize> {
        let steps = &self.machine.log.steps;
        // What the host does after a call of the runtime belongs to the call's instruction.
        let mut steps = (0..self.position).rev().filter_map(|step| steps.get(step));
        let step = steps.find(|step| !step.is_micro())?;
        let info = self.code.info.get(step.pc() as usize)?;
        Some(info.line as usize)
    }

    /// The listing's line of the next instruction.
    pub fn next_line(&self) -> Option<usize> {
        let info = self.code.info.get(self.machine.pc as usize)?;
        Some(info.line as usize)
    }

    /// The statement that the next instruction belongs to; in a stub, the one that called it.
    pub fn statement(&self) -> Option<crate::program::StmtRef> {
        self.statement_here()
    }

    /// The line of the scenario that the next instruction belongs to; in a stub, the line that
    /// called it.
    pub fn source_line(&self) -> Option<u32> {
        self.statement().map(|statement| statement.line)
    }

    /// Counts up to here.
    pub fn statistics(&self) -> Statistics {
        let steps = self.position();
        let made = self.ticks.partition_point(|tick| tick.step < steps);
        let switches = self.ticks[..made]
            .iter()
            .filter(|tick| tick.kind == TickKind::Switch);
        let live = |wanted: fn(&crate::machine::SegmentKind) -> bool| -> u64 {
            let blocks = self
                .machine
                .blocks
                .iter()
                .take(self.machine.field(Field::Blocks) as usize);
            blocks
                .filter(|b| b.live && wanted(&b.kind))
                .map(|b| b.bytes)
                .sum()
        };
        let is_save = |kind: &crate::machine::SegmentKind| {
            matches!(kind, crate::machine::SegmentKind::SaveStack { .. })
        };
        let stacks = &self.machine.stacks[..self.stack_count() as usize];
        let stack_bytes: u64 = stacks.iter().map(|stack| stack.top - stack.base).sum();
        let not_instructions = self.machine.field(Field::HostSteps)
            + self.machine.field(Field::OutsideSteps)
            + u64::from(self.fault().is_some());
        Statistics {
            instructions: steps - not_instructions,
            switches: switches.count() as u64,
            memory_bytes: live(|_| true) + stack_bytes,
            save_stack_bytes: live(is_save),
            ..self.host.statistics()
        }
    }

    /// A hash of all state: registers, memory with what is known about it, owners, output, host.
    pub fn state_hash(&self) -> u64 {
        let machine = &self.machine;
        let mut hash = Hash::new();
        hash.add(u64::from(machine.pc));
        for (value, shadow) in machine.values.iter().zip(&machine.shadows) {
            hash.add(*value);
            hash.add(shadow.0);
        }
        machine.fields.iter().for_each(|field| hash.add(*field));
        let stacks = self.stack_count() as usize;
        machine
            .owners
            .iter()
            .take(stacks)
            .for_each(|owner| hash.add(*owner));
        // A cell that was never written says nothing, whether its page was touched or not.
        machine.memory.for_each_page(|page, cells| {
            for (number, cell) in cells.iter().enumerate() {
                if cell.value != 0 || cell.shadow & !MAPPED != 0 {
                    hash.add(page + 8 * number as u64);
                    hash.add(cell.value);
                    hash.add(cell.shadow);
                }
            }
        });
        for line in self.output() {
            hash.add(line.len() as u64);
            line.bytes().for_each(|byte| hash.add(u64::from(byte)));
        }
        hash.add(u64::from(self.fault().is_some()));
        hash.add(self.host.state_hash());
        hash.finish()
    }
}
