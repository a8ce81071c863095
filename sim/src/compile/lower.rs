//! From a function's tree to the operations of an ISA: statements, calls and the frame.

use std::marker::PhantomData;

use costack_lang::syntax::{
    Block, Call, Expr, ExprKind, FnId, Function, LocalId, LocalKind, Place as SyntaxPlace,
    PrintItem, Program, Request, Service, Source, Stmt, StmtKind, TimeUnit,
};

use super::emit::{Condition, Frame, Isa, Label, Operand, Operation, Place, Target, Text};
use super::frame::{Layout, layout};
use super::symbols::Symbols;
use super::{AssertSite, FunctionCode, RequestSite, Tables, Template};
use crate::program::{FunctionInfo, Slot, SlotKind};

/// Frames this large fit no stack, so what is beyond needs no addresses of its own.
const MAX_FRAME: i32 = 1 << 28;

/// What is passed to a function.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    /// A number that the compiler knows.
    Const(i64),
    /// A value to be computed.
    Expr(&'a Expr),
}

/// One function on its way from tree to text.
pub(super) struct Lower<'a, I> {
    pub(super) function: &'a Function,
    pub(super) symbols: &'a Symbols,
    pub(super) layout: Layout,
    pub(super) text: Text,
    source: &'a Source,
    tables: &'a mut Tables,
    /// Temporaries in use, and the most there ever were.
    temporaries: i32,
    temporaries_max: i32,
    /// Words for arguments that travel on the stack.
    outgoing: i32,
    /// Where `continue` and `break` of the loops around go.
    loops: Vec<(Label, Label)>,
    leave: Label,
    isa: PhantomData<I>,
}

/// Compiles one function. `labels` is the number of labels used before.
pub(super) fn lower<I: Isa>(
    program: &Program,
    id: FnId,
    symbols: &Symbols,
    tables: &mut Tables,
    labels: &mut u32,
) -> FunctionCode {
    let function = &program[id];
    let mut text = Text::after(*labels);
    let leave = text.new_label();
    let mut layout = layout::<I>(function);
    layout.bytes = layout.bytes.min(MAX_FRAME);
    let mut lower: Lower<'_, I> = Lower {
        function,
        symbols,
        layout,
        text,
        source: &program.source,
        tables,
        temporaries: 0,
        temporaries_max: 0,
        outgoing: 0,
        loops: Vec::new(),
        leave,
        isa: PhantomData,
    };
    lower.parameters();
    lower.block(&function.body);
    lower.text.stmt = None;
    let returns = matches!(
        function.body.stmts.last(),
        Some(Stmt {
            kind: StmtKind::Return(_) | StmtKind::Exit,
            ..
        })
    );
    if !returns {
        I::load(&mut lower.text, Operand::Const(0));
    }
    lower.finish(id, labels)
}

impl<'a, I: Isa> Lower<'a, I> {
    /// Puts prologue, body and epilogue together.
    fn finish(mut self, id: FnId, labels: &mut u32) -> FunctionCode {
        let below = self.layout.bytes + (self.temporaries_max + self.outgoing) * I::WORD;
        let saved = self.layout.bytes.min(self.saved_bytes());
        let body = match self.layout.red_zone && below <= I::RED_ZONE {
            true => 0,
            false => align(below, I::FRAME_SKEW) - saved,
        };
        let frame = Frame {
            saved: self.layout.saved.clone(),
            body,
        };
        let leave = self.leave;
        self.text.label(leave);
        I::epilogue(&mut self.text, &frame);

        let mut text = Text::default();
        text.label(self.symbols.function(id));
        I::prologue(&mut text, &frame);
        text.lines.push_str(&self.text.lines);
        text.stmts.append(&mut self.text.stmts);
        let (info, registers) = self.info(id, &frame);
        *labels = self.text.labels();
        FunctionCode {
            text,
            info,
            registers,
        }
    }

    fn saved_bytes(&self) -> i32 {
        I::saved_slots(&self.layout.saved).1
    }

    /// What is where in the frame, and which register holds which local.
    fn info(&self, id: FnId, frame: &Frame) -> (FunctionInfo, Vec<(&'static str, String)>) {
        let mut slots = Vec::new();
        let mut registers = Vec::new();
        // The frame's top is above the return address and the saved frame pointer.
        let slot = |offset: i32, words: u32, name: &str, kind: SlotKind| Slot {
            offset: offset - 2 * I::WORD,
            words,
            name: name.to_owned(),
            kind,
        };
        for (index, local) in self.function.locals.iter().enumerate() {
            match self.layout.places[index] {
                Place::Register(register) => registers.push((register, local.name.text.clone())),
                Place::Slot(offset) => {
                    let kind = match local.kind {
                        LocalKind::Array(_) => SlotKind::Array,
                        LocalKind::Word if index < self.function.params as usize => {
                            SlotKind::Parameter
                        }
                        LocalKind::Word => SlotKind::Local,
                    };
                    slots.push(slot(offset, local.words(), &local.name.text, kind));
                }
            }
        }
        for (register, offset) in self.layout.saved.iter().zip(&self.layout.saved_slots) {
            slots.push(slot(*offset, 1, register, SlotKind::SavedRegister));
        }
        slots.push(slot(0, 1, I::FRAME_POINTER, SlotKind::SavedRegister));
        if self.temporaries_max > 0 {
            let lowest = self.temporary(self.temporaries_max - 1);
            let words = self.temporaries_max as u32;
            slots.push(slot(lowest, words, "", SlotKind::Temporary));
        }
        let end = self.layout.bytes + self.temporaries_max * I::WORD;
        let padding = frame.body - (end - self.saved_bytes()) - self.outgoing * I::WORD;
        if padding > 0 {
            let words = (padding / I::WORD) as u32;
            slots.push(slot(-end - padding, words, "", SlotKind::Padding));
        }
        slots.sort_by_key(|slot| std::cmp::Reverse(slot.offset));
        let info = FunctionInfo {
            label: self.symbols.function(id).to_owned(),
            name: self.function.name.text.clone(),
            slots,
            runtime: false,
            preserves_registers: true,
        };
        (info, registers)
    }

    fn parameters(&mut self) {
        for index in 0..self.function.params as usize {
            let place = self.layout.places[index];
            if index < I::REGISTER_ARGUMENTS {
                I::parameter(&mut self.text, index, place);
            } else if let Place::Register(_) = place {
                let at = Place::Slot(I::stack_argument(index));
                I::load(&mut self.text, Operand::Place(at));
                I::store(&mut self.text, Target::Place(place));
            }
        }
    }

    fn block(&mut self, block: &'a Block) {
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        self.text.stmt = Some(stmt.id);
        match &stmt.kind {
            StmtKind::Let { local, value } => self.assign_local(*local, value),
            // Nothing is to be done on a real machine. Here the host makes the words at the address
            // in the second register, so many bytes as the accumulator says, uninitialised.
            StmtKind::LetArray { local } => {
                let bytes = self.function[*local].words().saturating_mul(I::WORD as u32);
                let at = self.array(*local);
                I::load(&mut self.text, Operand::Const(bytes.into()));
                I::load_second(&mut self.text, Operand::SlotAddress(at));
                I::host(&mut self.text, "uninit");
            }
            StmtKind::Assign { place, value } => self.assign(place, value),
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => self.choice(condition, then, otherwise.as_ref()),
            StmtKind::While { condition, body } => self.repeat(stmt, condition, body),
            StmtKind::Break => {
                if let Some(&(_, end)) = self.loops.last() {
                    I::jump(&mut self.text, end);
                }
            }
            StmtKind::Continue => {
                if let Some(&(again, _)) = self.loops.last() {
                    I::jump(&mut self.text, again);
                }
            }
            StmtKind::Return(value) => {
                match value {
                    Some(value) => self.eval(value),
                    None => I::load(&mut self.text, Operand::Const(0)),
                }
                if !std::ptr::eq(stmt, self.last_stmt()) {
                    I::jump(&mut self.text, self.leave);
                }
            }
            StmtKind::Call(call) => self.call(call),
            StmtKind::Request(request) => self.request(request),
            StmtKind::Print(items) => self.print(items),
            StmtKind::Assert(condition) => self.assert(condition),
            StmtKind::Yield => self.service("rt_yield", &[]),
            StmtKind::Exit => self.service("rt_exit", &[]),
            StmtKind::Sleep { amount, unit } => {
                let symbol = match unit {
                    TimeUnit::Microseconds => "rt_sleep_us",
                    TimeUnit::Milliseconds => "rt_sleep_ms",
                };
                self.service(symbol, &[Argument::Expr(amount)]);
            }
            StmtKind::Lock(mutex) => self.service_on("rt_lock", mutex.0),
            StmtKind::Unlock(mutex) => self.service_on("rt_unlock", mutex.0),
            StmtKind::Wait(event) => self.service_on("rt_wait", event.0),
            StmtKind::Complete(event) => self.service_on("rt_complete", event.0),
            StmtKind::Send { channel, value } => {
                let channel = Argument::Const(channel.0.into());
                self.service("rt_send", &[channel, Argument::Expr(value)]);
            }
            StmtKind::Recv(channel) => self.service_on("rt_recv", channel.0),
            StmtKind::Join(task) => self.service_on("rt_join", task.0),
            StmtKind::Resume(task) => self.service_on("rt_resume", task.0),
            StmtKind::Start(task) => self.service_on("rt_start", task.0),
            StmtKind::Run => self.service("rt_run", &[]),
            StmtKind::Spawn { task, launch } => {
                let site = self.tables.spawn(*task, launch);
                let args: Vec<Argument<'a>> = std::iter::once(Argument::Const(site))
                    .chain(launch.call.args.iter().map(Argument::Expr))
                    .collect();
                self.service("rt_spawn", &args);
            }
            StmtKind::SetFpMode(mode) => self.service_on("rt_set_fpmode", *mode as u32),
        }
    }

    fn last_stmt(&self) -> *const Stmt {
        self.function
            .body
            .stmts
            .last()
            .map_or(std::ptr::null(), |stmt| stmt as *const Stmt)
    }

    fn assign(&mut self, place: &'a SyntaxPlace, value: &'a Expr) {
        match place {
            SyntaxPlace::Local(local) => self.assign_local(*local, value),
            SyntaxPlace::Global(global) => {
                self.eval(value);
                let symbol = self.symbols.global(*global);
                I::store(&mut self.text, Target::Global(symbol));
            }
            SyntaxPlace::Element { array, index } => match self.element(*array, index) {
                Some(offset) => {
                    self.eval(value);
                    I::store(&mut self.text, Target::Place(Place::Slot(offset)));
                }
                None => {
                    let index = self.pair_for_store(index, value);
                    let offset = self.array(*array);
                    I::store_element(&mut self.text, offset, index);
                }
            },
            SyntaxPlace::Deref(address) => {
                let address = self.pair_for_store(address, value);
                I::store_indirect(&mut self.text, address);
            }
        }
    }

    fn assign_local(&mut self, local: LocalId, value: &'a Expr) {
        let place = self.layout.places[local.index()];
        if let Place::Register(register) = place {
            if let Some(operand) = self.simple(value) {
                return I::assign(&mut self.text, register, operand);
            }
            if let ExprKind::Binary(op, left, right) = &value.kind
                && let Operation::Compute(op) = Operation::of(*op)
                && let Some(right) = self.simple(right)
                && self.simple(left) == Some(Operand::Place(place))
                && I::update(&mut self.text, register, op, right)
            {
                return;
            }
        }
        self.eval(value);
        I::store(&mut self.text, Target::Place(place));
    }

    fn choice(&mut self, condition: &'a Expr, then: &'a Block, otherwise: Option<&'a Block>) {
        let no = self.text.new_label();
        let end = self.text.new_label();
        self.branch(condition, no, false);
        self.block(then);
        if let Some(otherwise) = otherwise {
            I::jump(&mut self.text, end);
            self.text.label(no);
            self.block(otherwise);
            self.text.label(end);
        } else {
            self.text.label(no);
        }
    }

    fn repeat(&mut self, stmt: &'a Stmt, condition: &'a Expr, body: &'a Block) {
        let again = self.text.new_label();
        let end = self.text.new_label();
        self.text.label(again);
        self.branch(condition, end, false);
        self.loops.push((again, end));
        self.block(body);
        self.loops.pop();
        self.text.stmt = Some(stmt.id);
        I::jump(&mut self.text, again);
        self.text.label(end);
    }

    fn print(&mut self, items: &'a [PrintItem]) {
        let template = Template {
            items: items
                .iter()
                .map(|item| match item {
                    PrintItem::Text(text) => Some(text.clone()),
                    PrintItem::Value(_) => None,
                })
                .collect(),
        };
        let values = items.iter().filter_map(|item| match item {
            PrintItem::Text(_) => None,
            PrintItem::Value(value) => Some(Argument::Expr(value)),
        });
        let number = self.tables.template(template);
        let args: Vec<Argument<'a>> = std::iter::once(Argument::Const(number))
            .chain(values)
            .collect();
        self.service("rt_print", &args);
    }

    /// A failing assertion hands over with the left side in the accumulator, the right side in the
    /// second register and its number in the third; with the value and 0 where it is not a
    /// comparison.
    fn assert(&mut self, condition: &'a Expr) {
        let holds = self.text.new_label();
        let (comparison, right) = match &condition.kind {
            ExprKind::Binary(op, left, right) => match Operation::of(*op) {
                Operation::Compare(comparison) => (comparison, self.pair(left, right)),
                Operation::Compute(_) => (Condition::Ne, self.against_zero(condition)),
            },
            _ => (Condition::Ne, self.against_zero(condition)),
        };
        I::compare(&mut self.text, right);
        I::branch(&mut self.text, comparison, holds);
        I::load_second(&mut self.text, right);
        let number = self.tables.assert(AssertSite {
            text: self.source.slice(condition.span).to_owned(),
            comparison: match condition.kind {
                ExprKind::Binary(op, ..) => match Operation::of(op) {
                    Operation::Compare(_) => Some(op.sign()),
                    Operation::Compute(_) => None,
                },
                _ => None,
            },
        });
        I::load_third(&mut self.text, number);
        I::host(&mut self.text, "assert_failed");
        self.text.label(holds);
    }

    fn against_zero(&mut self, value: &'a Expr) -> Operand<'a> {
        self.eval(value);
        Operand::Const(0)
    }

    pub(super) fn call(&mut self, call: &'a Call) {
        let args: Vec<Argument<'a>> = call.args.iter().map(Argument::Expr).collect();
        let symbol = self.symbols.function(call.function);
        self.service(symbol, &args);
    }

    /// A request of the runtime; the answer is in the accumulator.
    pub(super) fn request(&mut self, request: &'a Request) {
        if request.service == Service::Received {
            return self.service("rt_received", &[]);
        }
        let site = self.tables.request(RequestSite {
            service: request.service,
            subjects: request.subjects.clone(),
            words: request.args.len(),
            text: self.source.slice(request.span).to_owned(),
        });
        let args: Vec<Argument<'a>> = std::iter::once(Argument::Const(site))
            .chain(request.args.iter().map(Argument::Expr))
            .collect();
        self.service("rt_request", &args);
    }

    /// A runtime service whose one argument names a thing.
    pub(super) fn service_on(&mut self, symbol: &str, number: u32) {
        self.service(symbol, &[Argument::Const(number.into())]);
    }

    /// Evaluates the arguments left to right and calls.
    pub(super) fn service(&mut self, symbol: &str, args: &[Argument<'a>]) {
        let over = args.len().saturating_sub(I::REGISTER_ARGUMENTS);
        self.outgoing = self.outgoing.max(over as i32);
        let first_temporary = self.temporaries;

        // The last one that needs code may stay in the accumulator: what follows does not.
        let last_code = args
            .iter()
            .rposition(|arg| self.simple_argument(*arg).is_none());
        let mut ready = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let settled = last_code.is_none_or(|last| index > last) || self.is_stable(*arg);
            let operand = match (self.simple_argument(*arg), arg) {
                (Some(operand), _) if settled => operand,
                (_, Argument::Expr(value)) => {
                    self.eval(value);
                    match Some(index) == last_code {
                        true => Operand::Accumulator,
                        false => self.spill(),
                    }
                }
                (_, Argument::Const(value)) => Operand::Const(*value),
            };
            ready.push(operand);
        }
        // The accumulator first, before anything is loaded through it; then those on the stack;
        // the first argument last, because on some ISAs it *is* the accumulator.
        if let Some(index) = last_code {
            I::argument(&mut self.text, index, Operand::Accumulator);
        }
        for (index, operand) in ready.into_iter().enumerate().rev() {
            if Some(index) != last_code {
                I::argument(&mut self.text, index, operand);
            }
        }
        self.temporaries = first_temporary;
        I::call(&mut self.text, symbol);
    }

    fn simple_argument(&self, arg: Argument<'a>) -> Option<Operand<'a>> {
        match arg {
            Argument::Const(value) => Some(Operand::Const(value)),
            Argument::Expr(value) => self.simple(value),
        }
    }

    fn is_stable(&self, arg: Argument<'a>) -> bool {
        match arg {
            Argument::Const(_) => true,
            Argument::Expr(value) => self.stable(value),
        }
    }

    /// Stores the accumulator in a new temporary.
    pub(super) fn spill(&mut self) -> Operand<'a> {
        let place = Place::Slot(self.temporary(self.temporaries));
        self.temporaries += 1;
        self.temporaries_max = self.temporaries_max.max(self.temporaries);
        I::store(&mut self.text, Target::Place(place));
        Operand::Place(place)
    }

    /// Gives the newest temporary back.
    pub(super) fn release(&mut self) {
        self.temporaries -= 1;
    }

    fn temporary(&self, number: i32) -> i32 {
        -(self.layout.bytes + (number + 1) * I::WORD)
    }

    /// The place of an array's element 0.
    pub(super) fn array(&self, array: LocalId) -> i32 {
        match self.layout.places[array.index()] {
            Place::Slot(offset) => offset,
            // The layout keeps arrays in the frame.
            Place::Register(_) => 0,
        }
    }
}

/// The least number from `bytes` up that is `skew` above a multiple of 16.
fn align(bytes: i32, skew: i32) -> i32 {
    ((bytes - skew + 15) & !15) + skew
}
