//! One handler per service, named as in `host NAME`.
//!
//! A handler reads its arguments as the stub's caller has passed them, tells the core, writes what
//! the core answers into registers and memory, and says how to go on. What it leaves pending is
//! done in micro-steps before the next instruction.

use crate::compile;
use crate::fault::FaultKind;
use crate::host::{Context, Then};
use crate::machine::Trap;
use crate::view::StepKind;

use super::command::{Call, Command, Go, Reply};
use super::host::Runtime;
use super::make::NewTask;
use super::memory::{Field, register};
use super::names;
use super::said::{About, Said};

/// Faults are boxed, as they are large and every call hands its result on.
type Handler = fn(&mut Runtime, &mut Context<'_>) -> Result<Then, Trap>;

/// A service: `host NAME`.
pub struct Service {
    pub name: &'static str,
    pub caller: Caller,
    pub handler: Handler,
}

/// Who may call a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The running task, as the scheduler knows it.
    Current,
    /// The task that leaves at the next switch.
    Leaving,
    /// Main, while it runs.
    Main,
    /// Whoever comes here, and that is said to be wrong.
    Anybody,
}

macro_rules! services {
    ($($name:ident $(by $caller:ident)?),* $(,)?) => {
        /// All services.
        pub static SERVICES: &[Service] = &[
            $(Service {
                name: stringify!($name),
                caller: services!(@caller $($caller)?),
                handler: |runtime, context| Ok($name(runtime, context)?),
            }),*
        ];
    };
    (@caller) => { Caller::Current };
    (@caller $caller:ident) => { Caller::$caller };
}

services![
    resume,
    aim by Leaving,
    back,
    poll by Main,
    run by Main,
    exit,
    end,
    unreachable by Anybody,
    sleep_us,
    sleep_ms,
    lock,
    unlock,
    wait,
    complete,
    send,
    recv,
    received,
    request,
    answer,
    cancelled,
    join,
    start,
    spawn,
    alive,
    now,
    print,
    uninit,
    assert_failed,
    division_by_zero,
    task_number,
    give_way,
];

/// What a stub does when a service with a result like this comes back: see `rt_leave`.
const GO_ON: u64 = 2;
const POLL: u64 = 3;

impl Runtime {
    /// An argument of the call that has led to the stub.
    fn argument(&self, context: &mut Context<'_>, index: u32) -> Result<u64, FaultKind> {
        context.argument(index)
    }

    /// An argument that the compiler has made, so it is small.
    fn number(&self, context: &mut Context<'_>, index: u32) -> Result<u32, FaultKind> {
        let value = self.argument(context, index)?;
        u32::try_from(value).map_err(|_| FaultKind::Runtime {
            message: format!("argument {index} of a runtime call is {value:#x}"),
        })
    }

    /// A word as an address.
    fn address(&self, value: u64) -> u64 {
        match self.isa.word_bytes() {
            4 => u64::from(value as u32),
            _ => value,
        }
    }

    /// A word as the language shows it.
    fn signed(&self, value: u64) -> i64 {
        match self.isa.word_bytes() {
            4 => i64::from(value as u32 as i32),
            _ => value as i64,
        }
    }

    /// Lets the running task go on as the core has decided about what was said last.
    #[inline(always)]
    fn go(&mut self, context: &mut Context<'_>, reply: &Reply) -> Result<Then, FaultKind> {
        let Reply::Go { go, received } = reply else {
            return Err(self.refused_last(reply));
        };
        if let Some((task, value)) = *received {
            context.store(self.field(task, Field::Received), value)?;
        }
        match go {
            Go::On => context.set_result(GO_ON),
            Go::Poll | Go::Idle => context.set_result(POLL),
            Go::End => return Ok(Then::End),
            Go::Switch { fp, .. } => context.set_result(u64::from(*fp)),
        }
        match self.state().pending.is_empty() {
            true => Ok(Then::Continue),
            false => Ok(Then::More),
        }
    }

    /// Calls on the scheduler for the running task.
    #[inline(always)]
    fn schedule(
        &mut self,
        context: &mut Context<'_>,
        name: &'static str,
        about: About,
        call: Call,
    ) -> Result<Then, FaultKind> {
        let from = self.here(context);
        let reply = self.apply(Command::Call { call, from });
        self.say(name, about);
        self.go(context, &reply)
    }
}

fn resume(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let name = runtime.number(context, 0)?;
    let from = runtime.here(context);
    let reply = runtime.apply(Command::Resume { name, from });
    runtime.say("resume", About::Name(name));
    runtime.go(context, &reply)
}

/// Loads the registers that the switch reads.
fn aim(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let Some((source, target)) = runtime.state().aim() else {
        return Err(FaultKind::Runtime {
            message: "a switch to nobody".to_owned(),
        });
    };
    let [leave, to, beside] = runtime.switch_registers;
    let word = runtime.field(source, Field::Sp);
    let sp = runtime.address(context.load(runtime.field(target, Field::Sp))?);
    context.set_register(leave, word);
    context.set_pointer(to, sp, target);
    if runtime.style.own {
        context.set_register(beside, runtime.field(target, Field::Sp));
    }
    runtime.say(
        "aim",
        About::Aim {
            word,
            source,
            sp,
            target,
        },
    );
    Ok(Then::Continue)
}

/// The resumer runs again: what the other has left on its stack is known now.
fn back(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let Some(task) = runtime.state().left() else {
        return Ok(Then::Continue);
    };
    let stack = runtime.state().task(task).map_or(0, |task| task.stack);
    let sp = runtime.address(context.load(runtime.field(task, Field::Sp))?);
    let range = context.stack(stack);
    let ended = runtime.state().ended(task);
    if !ended && !(range.start..=range.end).contains(&sp) {
        let name = runtime.task_name(task);
        let stack = names::stack(&runtime.program, stack);
        return Err(FaultKind::Runtime {
            message: format!(
                "{name} has left sp = {sp:#x} behind, which is not on its stack {stack}"
            ),
        });
    }
    let bytes = range.end.saturating_sub(sp) as u32;
    let save = runtime
        .state()
        .task(task)
        .map_or(0, |task| task.save.address);
    let _ = runtime.apply(Command::Back { bytes, low: sp });
    let about = match ended {
        true => {
            context.set_owner(stack, None);
            if save != 0 {
                context.free(save)?;
            }
            About::Ended(task)
        }
        false => About::Left { task, bytes },
    };
    runtime.say("back", about);
    Ok(Then::Continue)
}

fn poll(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let from = runtime.here(context);
    let reply = runtime.apply(Command::Poll { from });
    let about = match reply {
        Reply::Go {
            go: Go::Switch { target, .. },
            ..
        } => About::Task(target),
        Reply::Go { go: Go::On, .. } => About::Words("main's turn"),
        Reply::Go { go: Go::Idle, .. } => About::Words("nobody is ready"),
        _ => About::Words("resume the next"),
    };
    runtime.say("poll", about);
    runtime.go(context, &reply)
}

fn give_way(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    runtime.schedule(context, "yield", About::Words("yield"), Call::Yield)
}

fn run(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    runtime.schedule(context, "run", About::Words("run"), Call::Run)
}

fn exit(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    runtime.schedule(context, "exit", About::Words("exit"), Call::Exit)
}

fn end(_: &mut Runtime, _: &mut Context<'_>) -> Result<Then, FaultKind> {
    Ok(Then::End)
}

fn unreachable(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let task = context
        .task()
        .map_or_else(|| "a task".to_owned(), |task| runtime.task_name(task));
    Err(FaultKind::Runtime {
        message: format!("{task} runs on although it has ended"),
    })
}

fn sleep_us(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    sleep(runtime, context, "sleep_us", 1, "us")
}

fn sleep_ms(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    sleep(runtime, context, "sleep_ms", 1000, "ms")
}

fn sleep(
    runtime: &mut Runtime,
    context: &mut Context<'_>,
    name: &'static str,
    factor: u64,
    unit: &'static str,
) -> Result<Then, FaultKind> {
    let amount = runtime.argument(context, 0)?;
    let amount = runtime.signed(amount).max(0) as u64;
    let us = amount.saturating_mul(factor);
    runtime.schedule(
        context,
        name,
        About::Sleep { amount, unit },
        Call::Sleep { us },
    )
}

fn lock(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let mutex = runtime.number(context, 0)?;
    runtime.schedule(context, "lock", About::Mutex(mutex), Call::Lock { mutex })
}

fn unlock(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let mutex = runtime.number(context, 0)?;
    let reply = runtime.apply(Command::Unlock { mutex });
    woken(runtime, "unlock", About::Mutex(mutex), reply)
}

fn wait(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let event = runtime.number(context, 0)?;
    runtime.schedule(context, "wait", About::Event(event), Call::Wait { event })
}

fn complete(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let event = runtime.number(context, 0)?;
    let reply = runtime.apply(Command::Complete { event });
    woken(runtime, "complete", About::Event(event), reply)
}

fn woken(
    runtime: &mut Runtime,
    name: &'static str,
    about: About,
    reply: Reply,
) -> Result<Then, FaultKind> {
    let said = Said::new(name, about);
    match reply {
        Reply::Woken(wakes) => runtime.say_all(Said { wakes, ..said }),
        other => return Err(runtime.refused(said.wanted(runtime), other)),
    }
    Ok(Then::Continue)
}

fn send(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let channel = runtime.number(context, 0)?;
    let value = runtime.argument(context, 1)?;
    let about = About::Send {
        channel,
        value: runtime.signed(value),
    };
    runtime.schedule(context, "send", about, Call::Send { channel, value })
}

fn recv(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let channel = runtime.number(context, 0)?;
    let about = About::Channel(channel);
    runtime.schedule(context, "recv", about, Call::Receive { channel })
}

fn received(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let task = runtime.state().current();
    let value = context.load(runtime.field(task, Field::Received))?;
    context.set_result(value);
    let value = runtime.signed(value);
    runtime.say("received", About::Received { task, value });
    Ok(Then::Continue)
}

fn request(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let number = runtime.number(context, 0)?;
    let Some(site) = runtime.tables.requests.get(number as usize) else {
        return Err(FaultKind::Runtime {
            message: format!("there is no request {number}"),
        });
    };
    let (name, count) = (site.service.name(), site.words);
    let mut words = [0; 2];
    for (word, index) in words.iter_mut().take(count).zip(1..) {
        let value = runtime.argument(context, index)?;
        *word = runtime.signed(value);
    }
    let call = Call::Request {
        site: number,
        words,
    };
    runtime.schedule(context, name, About::Request(number), call)
}

fn answer(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    context.set_result(runtime.state().answer().into());
    Ok(Then::Continue)
}

fn cancelled(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let ends = runtime.state().ends_cancelled();
    context.set_result(ends.into());
    if ends {
        let task = runtime.state().current();
        runtime.say("cancelled", About::Cancelled(task));
    }
    Ok(Then::Continue)
}

fn join(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let name = runtime.number(context, 0)?;
    runtime.schedule(context, "join", About::Name(name), Call::Join { name })
}

fn start(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let name = runtime.number(context, 0)?;
    let reply = runtime.apply(Command::Start { name });
    runtime.say("start", About::Name(name));
    if reply != Reply::Done {
        return Err(runtime.refused_last(&reply));
    }
    Ok(Then::Continue)
}

fn spawn(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let number = runtime.number(context, 0)?;
    let Some(site) = runtime.tables.spawns.get(number as usize).cloned() else {
        return Err(FaultKind::Runtime {
            message: format!("there is no spawn statement {number}"),
        });
    };
    let mut arguments = Vec::with_capacity(site.arguments);
    for index in 0..site.arguments as u32 {
        arguments.push(runtime.argument(context, index + 1)?);
    }
    let new = NewTask {
        name: site.name.0,
        stack: site.stack,
        fp: site.fp,
        function: site.function,
        arguments: &arguments,
    };
    let task = runtime.make(context, &new)?;
    let _ = runtime.apply(Command::Start { name: site.name.0 });
    let stack = site.stack.0 + 1;
    runtime.say("spawn", About::Spawn { task, stack });
    Ok(Then::Continue)
}

fn alive(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let name = runtime.number(context, 0)?;
    let alive = runtime
        .state()
        .named(name)
        .is_some_and(|task| !runtime.state().ended(task));
    context.set_result(u64::from(alive));
    runtime.say("alive", About::Name(name));
    Ok(Then::Continue)
}

fn now(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    context.set_result(runtime.state().clock_us);
    Ok(Then::Continue)
}

fn task_number(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    context.set_result(runtime.state().current().into());
    Ok(Then::Continue)
}

fn print(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let number = runtime.number(context, 0)?;
    let Some(template) = runtime.tables.templates.get(number as usize) else {
        return Err(FaultKind::Runtime {
            message: format!("there is no print statement {number}"),
        });
    };
    let mut words = Vec::with_capacity(template.items.len());
    let mut next = 1;
    for item in &template.items {
        match item {
            Some(text) => words.push(text.clone()),
            None => {
                let value = context.argument(next)?;
                words.push(runtime.signed(value).to_string());
                next += 1;
            }
        }
    }
    let line = words.join(" ");
    context.print(&line);
    context.did(StepKind::Output { line });
    Ok(Then::Continue)
}

/// An array is declared: at the address in the second value register are so many bytes as the
/// first one says.
fn uninit(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let [bytes, address, _] = compile::value_registers(runtime.isa);
    let bytes = context.register(register(runtime.isa, bytes)?)?;
    let address = runtime.address(context.register(register(runtime.isa, address)?)?);
    let task = runtime.state().current();
    let stack = runtime.state().task(task).map_or(0, |task| task.stack);
    let base = context.stack(stack).start;
    if address < base {
        return Err(FaultKind::Overflow {
            stack,
            address,
            beyond: base - address,
            access: crate::fault::Access::Write,
        });
    }
    context.forget(address..address.saturating_add(bytes))?;
    runtime.say("uninit", About::Uninit { bytes, address });
    Ok(Then::Continue)
}

/// An assertion has failed: its sides are in the first two value registers, its number in the
/// third.
fn assert_failed(runtime: &mut Runtime, context: &mut Context<'_>) -> Result<Then, FaultKind> {
    let mut values = [0; 3];
    for (value, name) in values.iter_mut().zip(compile::value_registers(runtime.isa)) {
        *value = context.register(register(runtime.isa, name)?)?;
    }
    let [left, right, number] = values;
    let (left, right) = (runtime.signed(left), runtime.signed(right));
    let text = match runtime.tables.asserts.get(number as usize) {
        None => format!("assertion {number}"),
        Some(site) => match site.comparison {
            Some(sign) => format!("{}, that is {left} {sign} {right}", site.text),
            None => format!("{} is {left}", site.text),
        },
    };
    Err(FaultKind::Assertion { text })
}

/// The divisor is 0, on an ISA whose division does not fault.
fn division_by_zero(_: &mut Runtime, _: &mut Context<'_>) -> Result<Then, FaultKind> {
    Err(FaultKind::DivisionByZero)
}
