//! A small interpreter that shows what programs mean, for checking generated ones.
//!
//! Every task is a thread and only one of them runs at a time. Whatever is a fault ends the
//! program with its description.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};

use costack_lang::syntax::*;

/// Runs a program to its end.
///
/// # Errors
///
/// The fault that ended it.
pub fn run(program: Program, word: Word) -> Result<Vec<String>, String> {
    let globals: Vec<Option<i64>> = program
        .globals
        .iter()
        .map(|global| global.init.constant(word))
        .collect();
    let state = World {
        word,
        memory: globals,
        output: Vec::new(),
        tasks: Vec::new(),
        names: vec![None; program.tasks.len()],
        mutexes: vec![false; program.mutexes.len()],
        events: vec![0; program.events.len()],
        channels: vec![VecDeque::new(); program.channels.len()],
        ready: VecDeque::new(),
        any_started: false,
        clock_us: 0,
        mode: 0,
        steps: 0,
    };
    let machine = Machine {
        program: Arc::new(program),
        world: Arc::new(Mutex::new(state)),
    };
    for (index, task) in machine.program.tasks.iter().enumerate() {
        if let Some(launch) = &task.declared {
            let constant = |arg: &Expr| arg.constant(word).ok_or("not constant".to_owned());
            let args: Result<Vec<i64>, String> = launch.call.args.iter().map(constant).collect();
            machine.make(TaskId(index as u32), launch, args?);
        }
    }
    let mut main = Thread {
        machine: machine.clone(),
        task: None,
        link: None,
    };
    match main.call(MAIN, Vec::new()) {
        Ok(_) | Err(Stop::Exit) => Ok(std::mem::take(&mut machine.world().output)),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

#[derive(Clone)]
struct Machine {
    program: Arc<Program>,
    world: Arc<Mutex<World>>,
}

struct World {
    word: Word,
    /// Words; `None` is uninitialised or dead. Nothing is ever reused.
    memory: Vec<Option<i64>>,
    output: Vec<String>,
    tasks: Vec<TaskState>,
    /// The newest task of each name.
    names: Vec<Option<usize>>,
    mutexes: Vec<bool>,
    events: Vec<u32>,
    channels: Vec<VecDeque<i64>>,
    ready: VecDeque<usize>,
    any_started: bool,
    clock_us: i64,
    /// The rounding mode of all that do not keep their own.
    mode: i64,
    steps: u64,
}

struct TaskState {
    alive: bool,
    to: SyncSender<()>,
    /// Taken while somebody resumes it.
    from: Option<Receiver<Event>>,
    fp: bool,
    mode: i64,
}

enum Event {
    Yield,
    Block(Wait),
    End(Result<(), String>),
}

#[derive(Clone, Copy)]
enum Wait {
    Mutex(MutexId),
    Event(EventId),
    Room(ChannelId),
    Words(ChannelId),
    Join(usize),
    Until(i64),
}

enum Stop {
    Exit,
    Fault(String),
}

enum Flow {
    Next,
    Break,
    Continue,
    Return(i64),
}

fn fault<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fault(text.into()))
}

/// Addresses are far from 0 and a word apart.
const BASE: i64 = 1 << 16;

impl Machine {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no thread panics")
    }

    fn make(&self, name: TaskId, launch: &Launch, args: Vec<i64>) -> usize {
        let (to, resumed) = sync_channel(0);
        let (back, from) = sync_channel(0);
        let mut world = self.world();
        let task = world.tasks.len();
        world.names[name.index()] = Some(task);
        world.tasks.push(TaskState {
            alive: true,
            to,
            from: Some(from),
            fp: launch.fp,
            mode: 0,
        });
        let machine = self.clone();
        let function = launch.call.function;
        std::thread::spawn(move || {
            let mut thread = Thread {
                machine,
                task: Some(task),
                link: Some((resumed, back)),
            };
            if thread.wait_for_resume().is_err() {
                return;
            }
            let result = match thread.call(function, args) {
                Ok(_) | Err(Stop::Exit) => Ok(()),
                Err(Stop::Fault(fault)) => Err(fault),
            };
            thread.machine.world().tasks[task].alive = false;
            if let Some((_, back)) = &thread.link {
                let _ = back.send(Event::End(result));
            }
        });
        task
    }
}

struct Thread {
    machine: Machine,
    task: Option<usize>,
    link: Option<(Receiver<()>, SyncSender<Event>)>,
}

/// Where the locals of a call are.
struct Frame {
    function: FnId,
    base: Vec<usize>,
}

impl Thread {
    fn wait_for_resume(&self) -> Result<(), Stop> {
        match self.link.as_ref().map(|(resumed, _)| resumed.recv()) {
            Some(Ok(())) => Ok(()),
            _ => fault("never resumed again"),
        }
    }

    fn leave(&self, event: Event) -> Result<(), Stop> {
        let Some((_, back)) = &self.link else {
            return fault("main cannot leave");
        };
        if back.send(event).is_err() {
            return fault("nobody to go back to");
        }
        self.wait_for_resume()
    }

    fn resume(&self, task: usize) -> Result<Event, Stop> {
        let (to, from) = {
            let mut world = self.machine.world();
            let state = &mut world.tasks[task];
            match (state.alive, state.from.take()) {
                (true, Some(from)) => (state.to.clone(), from),
                _ => return fault(format!("task {task} cannot be resumed")),
            }
        };
        let event = match to.send(()) {
            Ok(()) => from.recv(),
            Err(_) => return fault("the task is gone"),
        };
        self.machine.world().tasks[task].from = Some(from);
        match event {
            Ok(Event::End(Err(text))) => fault(text),
            Ok(event) => Ok(event),
            Err(_) => fault("the task is gone"),
        }
    }

    fn task(&self, name: TaskId) -> Result<usize, Stop> {
        let task = self.machine.world().names[name.index()];
        task.map_or_else(|| fault("the name refers to no task"), Ok)
    }

    fn start(&self, task: usize) {
        let mut world = self.machine.world();
        world.any_started = true;
        world.ready.push_back(task);
    }

    /// Whether what is waited for is there.
    fn is_there(&self, wait: Wait) -> bool {
        let world = self.machine.world();
        match wait {
            Wait::Mutex(id) => !world.mutexes[id.index()],
            Wait::Event(id) => world.events[id.index()] > 0,
            Wait::Room(id) => {
                let capacity = self.machine.program[id].capacity;
                world.channels[id.index()].len() < capacity as usize
            }
            Wait::Words(id) => !world.channels[id.index()].is_empty(),
            Wait::Join(task) => !world.tasks[task].alive,
            Wait::Until(time) => world.clock_us >= time,
        }
    }

    /// Waits until it is there, and takes it.
    fn block(&self, wait: Wait) -> Result<(), Stop> {
        while !self.is_there(wait) {
            self.leave(Event::Block(wait))?;
        }
        let mut world = self.machine.world();
        match wait {
            Wait::Mutex(id) => world.mutexes[id.index()] = true,
            Wait::Event(id) => world.events[id.index()] -= 1,
            _ => {}
        }
        Ok(())
    }

    /// `run`: the ready tasks in turn; a blocked one becomes ready when what it waits for is
    /// there, and time passes when nothing else can.
    fn run(&self) -> Result<(), Stop> {
        if !self.machine.world().any_started {
            let all = self.machine.world().tasks.len();
            (0..all).for_each(|task| self.start(task));
        }
        let mut blocked: Vec<(usize, Wait)> = Vec::new();
        loop {
            let next = self.machine.world().ready.pop_front();
            if let Some(task) = next {
                match self.resume(task)? {
                    Event::Yield => self.machine.world().ready.push_back(task),
                    Event::Block(wait) => blocked.push((task, wait)),
                    Event::End(_) => {}
                }
            }
            if let Some(index) = blocked.iter().position(|(_, wait)| self.is_there(*wait)) {
                let (task, _) = blocked.remove(index);
                self.machine.world().ready.push_back(task);
            } else if self.machine.world().ready.is_empty() {
                let times = blocked.iter().filter_map(|(_, wait)| match wait {
                    Wait::Until(time) => Some(*time),
                    _ => None,
                });
                match times.min() {
                    Some(time) => self.machine.world().clock_us = time,
                    None if blocked.is_empty() => return Ok(()),
                    None => return fault("deadlock"),
                }
            }
        }
    }

    fn call(&mut self, id: FnId, args: Vec<i64>) -> Result<i64, Stop> {
        let program = self.machine.program.clone();
        let function = &program[id];
        let mut base = Vec::new();
        {
            let mut world = self.machine.world();
            for local in &function.locals {
                base.push(world.memory.len());
                let end = world.memory.len() + local.words() as usize;
                world.memory.resize(end, None);
            }
            for (base, arg) in base.iter().zip(args) {
                world.memory[*base] = Some(arg);
            }
        }
        let frame = Frame { function: id, base };
        let flow = self.block_of(&frame, &function.body)?;
        let mut world = self.machine.world();
        for (local, base) in function.locals.iter().zip(&frame.base) {
            world.memory[*base..*base + local.words() as usize].fill(None);
        }
        Ok(match flow {
            Flow::Return(value) => value,
            _ => 0,
        })
    }

    fn block_of(&mut self, frame: &Frame, block: &Block) -> Result<Flow, Stop> {
        for stmt in &block.stmts {
            match self.stmt(frame, stmt)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn stmt(&mut self, frame: &Frame, stmt: &Stmt) -> Result<Flow, Stop> {
        {
            let mut world = self.machine.world();
            world.steps += 1;
            if world.steps > 200_000 {
                return fault("step limit");
            }
        }
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let value = self.expr(frame, value)?;
                self.store(self.local(frame, *local, 0)?, value)?;
            }
            StmtKind::LetArray { local } => {
                let LocalKind::Array(words) = self.machine.program[frame.function][*local].kind
                else {
                    return fault("not an array");
                };
                let base = frame.base[local.index()];
                self.machine.world().memory[base..base + words as usize].fill(None);
            }
            StmtKind::Assign { place, value } => {
                let address = self.place(frame, place)?;
                let value = self.expr(frame, value)?;
                self.store(address, value)?;
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                if self.expr(frame, condition)? != 0 {
                    return self.block_of(frame, then);
                }
                if let Some(block) = otherwise {
                    return self.block_of(frame, block);
                }
            }
            StmtKind::While { condition, body } => {
                while self.expr(frame, condition)? != 0 {
                    match self.block_of(frame, body)? {
                        Flow::Break => break,
                        flow @ Flow::Return(_) => return Ok(flow),
                        Flow::Next | Flow::Continue => {}
                    }
                }
            }
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Return(None) => return Ok(Flow::Return(0)),
            StmtKind::Return(Some(value)) => return Ok(Flow::Return(self.expr(frame, value)?)),
            StmtKind::Call(call) => {
                self.call_of(frame, call)?;
            }
            StmtKind::Recv(channel) => {
                self.receive(*channel)?;
            }
            StmtKind::Print(items) => {
                let mut words = Vec::new();
                for item in items {
                    words.push(match item {
                        PrintItem::Text(text) => text.clone(),
                        PrintItem::Value(value) => self.expr(frame, value)?.to_string(),
                    });
                }
                self.machine.world().output.push(words.join(" "));
            }
            StmtKind::Assert(value) => {
                if self.expr(frame, value)? == 0 {
                    return fault(format!("assertion failed on line {}", stmt.line));
                }
            }
            StmtKind::Yield => self.leave(Event::Yield)?,
            StmtKind::Exit => return Err(Stop::Exit),
            StmtKind::Sleep { amount, unit } => {
                let amount = self.expr(frame, amount)?.max(0);
                let us = match unit {
                    TimeUnit::Microseconds => amount,
                    TimeUnit::Milliseconds => amount * 1000,
                };
                let until = self.machine.world().clock_us + us;
                self.block(Wait::Until(until))?;
            }
            StmtKind::Lock(id) => self.block(Wait::Mutex(*id))?,
            StmtKind::Unlock(id) => self.machine.world().mutexes[id.index()] = false,
            StmtKind::Wait(id) => self.block(Wait::Event(*id))?,
            StmtKind::Complete(id) => self.machine.world().events[id.index()] += 1,
            StmtKind::Send { channel, value } => {
                let value = self.expr(frame, value)?;
                self.block(Wait::Room(*channel))?;
                self.machine.world().channels[channel.index()].push_back(value);
            }
            StmtKind::Join(name) => {
                let task = self.task(*name)?;
                self.block(Wait::Join(task))?;
            }
            StmtKind::Resume(name) => {
                let task = self.task(*name)?;
                if let Event::Block(_) = self.resume(task)? {
                    return fault("blocked without the scheduler");
                }
            }
            StmtKind::Start(name) => self.start(self.task(*name)?),
            StmtKind::Run => self.run()?,
            StmtKind::Spawn { task, launch } => {
                let mut args = Vec::new();
                for arg in &launch.call.args {
                    args.push(self.expr(frame, arg)?);
                }
                let task = self.machine.make(*task, launch, args);
                self.start(task);
            }
            StmtKind::Request(_) => unreachable!("no request is among what is generated for it"),
            StmtKind::SetFpMode(mode) => {
                self.with_mode(|current| *current = *mode as i64);
            }
        }
        Ok(Flow::Next)
    }

    fn call_of(&mut self, frame: &Frame, call: &Call) -> Result<i64, Stop> {
        let mut args = Vec::new();
        for arg in &call.args {
            args.push(self.expr(frame, arg)?);
        }
        self.call(call.function, args)
    }

    fn receive(&self, channel: ChannelId) -> Result<i64, Stop> {
        self.block(Wait::Words(channel))?;
        let word = self.machine.world().channels[channel.index()].pop_front();
        word.map_or_else(|| fault("nothing there"), Ok)
    }

    /// Does something with the rounding mode that holds here.
    fn with_mode(&self, change: impl FnOnce(&mut i64)) -> i64 {
        let mut world = self.machine.world();
        let own = self.task.filter(|&task| world.tasks[task].fp);
        let mode = match own {
            Some(task) => &mut world.tasks[task].mode,
            None => &mut world.mode,
        };
        change(mode);
        *mode
    }

    fn expr(&mut self, frame: &Frame, expr: &Expr) -> Result<i64, Stop> {
        let word = self.machine.world().word;
        Ok(match &expr.kind {
            ExprKind::Int(value) => word.wrap(*value),
            ExprKind::Load(place) => {
                let address = self.place(frame, place)?;
                self.load(address, expr)?
            }
            ExprKind::Address(place) => self.place(frame, place)?,
            ExprKind::Unary(op, operand) => op.apply(word, self.expr(frame, operand)?),
            ExprKind::Binary(op, left, right) => {
                let left = self.expr(frame, left)?;
                let right = self.expr(frame, right)?;
                match op.apply(word, left, right) {
                    Ok(value) => value,
                    Err(error) => return fault(error.to_string()),
                }
            }
            ExprKind::Logical(op, left, right) => {
                let left = self.expr(frame, left)? != 0;
                let decided = left == (*op == LogicalOp::Or);
                i64::from(if decided {
                    left
                } else {
                    self.expr(frame, right)? != 0
                })
            }
            ExprKind::Call(call) => self.call_of(frame, call)?,
            ExprKind::Request(_) => unreachable!("no request is among what is generated for it"),
            ExprKind::Recv(channel) => self.receive(*channel)?,
            ExprKind::Alive(name) => {
                let world = self.machine.world();
                let task = world.names[name.index()];
                i64::from(task.is_some_and(|task| world.tasks[task].alive))
            }
            ExprKind::Now => self.machine.world().clock_us,
            ExprKind::SelfTask => self.task.map_or(0, |task| task as i64 + 1),
            ExprKind::FpMode => self.with_mode(|_| ()),
        })
    }

    fn place(&mut self, frame: &Frame, place: &Place) -> Result<i64, Stop> {
        match place {
            Place::Local(local) => self.local(frame, *local, 0),
            Place::Global(global) => Ok(self.address(global.index())),
            Place::Element { array, index } => {
                let index = self.expr(frame, index)?;
                self.local(frame, *array, index)
            }
            Place::Deref(pointer) => self.expr(frame, pointer),
        }
    }

    fn local(&self, frame: &Frame, local: LocalId, index: i64) -> Result<i64, Stop> {
        let words = self.machine.program[frame.function][local].words();
        if !(0..i64::from(words)).contains(&index) {
            return fault("index out of bounds");
        }
        Ok(self.address(frame.base[local.index()] + index as usize))
    }

    fn address(&self, index: usize) -> i64 {
        BASE + index as i64 * i64::from(self.machine.world().word.bytes())
    }

    fn cell(&self, address: i64) -> Result<usize, Stop> {
        let world = self.machine.world();
        let bytes = i64::from(world.word.bytes());
        let index = (address - BASE) / bytes;
        match usize::try_from(index) {
            Ok(index) if index < world.memory.len() && (address - BASE) % bytes == 0 => Ok(index),
            _ => fault("no such address"),
        }
    }

    fn load(&self, address: i64, expr: &Expr) -> Result<i64, Stop> {
        let cell = self.cell(address)?;
        let value = self.machine.world().memory[cell];
        let line = self.machine.program.source.line(expr.span.start);
        value.map_or_else(|| fault(format!("uninitialised read on line {line}")), Ok)
    }

    fn store(&self, address: i64, value: i64) -> Result<(), Stop> {
        let cell = self.cell(address)?;
        self.machine.world().memory[cell] = Some(value);
        Ok(())
    }
}
