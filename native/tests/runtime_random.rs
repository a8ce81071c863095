//! Random programs of tasks, timers, mutexes, channels, completions and cancellations: native runs
//! them in real coroutines under the virtual clock; the simulator runs them as scenarios, in
//! compiled code on simulated stacks; and a driver without any coroutine runs them on the engine's
//! scheduler alone. All three must do the same things in the same order.
//!
//! `COSTACK_RANDOM_SEED=n` runs one program only, `COSTACK_RANDOM_COUNT=n` so many. In the
//! simulator all of them are run by
//! `cargo test --release -p costack --all-features --test runtime_random -- --ignored`.
#![cfg(feature = "runtime")]

use costack::runtime::{Clock, Record, now};
use costack::sync::{Completion, Mutex, MutexGuard, Receiver, Sender, channel};
use costack::{JoinHandle, Runtime, StackPool, sleep, yield_now};
use costack_engine::event::Event;
use costack_engine::sched::{
    ChannelId, EventId, Flow, MutexId, Next, Notice, Outcome, Received, Scheduler, Sent, TaskId,
};
use costack_engine::trace::What;
use costack_sim::Options;
use costack_sim::fault::FaultKind;
use costack_sim::program::Isa;
use costack_sim::view::RunOutcome;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

const MUTEXES: usize = 2;
const CHANNELS: usize = 2;
const EVENTS: usize = 2;
/// Of the two channels. A scenario's channels keep at least one value.
const CAPACITIES: [[u32; CHANNELS]; 2] = [[0, 2], [1, 2]];

fn capacities(seed: u64) -> [u32; CHANNELS] {
    CAPACITIES[seed as usize % CAPACITIES.len()]
}

/// Whether a seed's program can be written as a scenario.
fn is_scenario(seed: u64) -> bool {
    !capacities(seed).contains(&0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Yield,
    Sleep(u64),
    Lock(usize),
    Unlock(usize),
    Send(usize),
    Receive(usize),
    Wait(usize),
    WaitFor(usize, u64),
    Complete(usize),
    Cancel(usize),
}

#[derive(Clone, Debug)]
struct Plan {
    ops: Vec<Op>,
    is_shared: bool,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn program(seed: u64) -> Vec<Plan> {
    let mut random = Random(seed);
    let tasks = 1 + random.below(5) as usize;
    (0..tasks)
        .map(|_| {
            let length = random.below(9);
            let ops = (0..length)
                .map(|_| {
                    let which = random.below(2) as usize;
                    match random.below(19) {
                        0..3 => Op::Yield,
                        3..5 => Op::Sleep(random.below(20)),
                        5..8 => Op::Lock(which),
                        8..10 => Op::Unlock(which),
                        10..12 => Op::Send(which),
                        12..14 => Op::Receive(which),
                        14 => Op::Wait(which),
                        15 => Op::WaitFor(which, random.below(20)),
                        16..18 => Op::Complete(which),
                        _ => Op::Cancel(random.below(tasks as u64) as usize),
                    }
                })
                .collect();
            Plan {
                ops,
                is_shared: random.below(2) == 0,
            }
        })
        .collect()
}

/// What happened, in the words of both.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Runs(u32),
    Yields(u32),
    Blocks(u32),
    Ends(u32),
    /// A task has finished an operation: its number, which one, when, with what.
    Did(u32, usize, u64, u64),
    Deadlock,
}

type Steps = Rc<RefCell<Vec<Step>>>;

/// What the tasks of the native run share.
struct World {
    steps: Steps,
    mutexes: [Mutex<()>; MUTEXES],
    channels: [(Sender<u64>, Receiver<u64>); CHANNELS],
    events: [Completion; EVENTS],
    handles: RefCell<Vec<JoinHandle<()>>>,
}

fn native_task(world: &World, number: u32, ops: &[Op]) {
    let mut held: Vec<(usize, MutexGuard<'_, ()>)> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        let mut value = 0;
        match *op {
            Op::Yield => yield_now(),
            Op::Sleep(us) => sleep(Duration::from_micros(us)),
            Op::Lock(m) => {
                if held.iter().all(|(held, _)| *held != m) {
                    held.push((m, world.mutexes[m].lock()));
                    // As it ends, it lets go of them in the order of their numbers.
                    held.sort_by_key(|(held, _)| *held);
                }
            }
            Op::Unlock(m) => held.retain(|(held, _)| *held != m),
            Op::Send(c) => world.channels[c]
                .0
                .send(u64::from(number) * 100 + at as u64)
                .unwrap(),
            Op::Receive(c) => value = world.channels[c].1.recv().unwrap(),
            Op::Wait(e) => world.events[e].wait(),
            Op::WaitFor(e, us) => {
                value = u64::from(world.events[e].wait_timeout(Duration::from_micros(us)));
            }
            Op::Complete(e) => world.events[e].complete(),
            Op::Cancel(t) => world.handles.borrow()[t].cancel(),
        }
        let now_us = now().as_micros() as u64;
        let did = Step::Did(number, at, now_us, value);
        world.steps.borrow_mut().push(did);
    }
}

/// While it is observed, a runtime's loop takes its long way round; `observe` says whether it is.
fn run_native(program: &[Plan], capacities: [u32; CHANNELS], observe: bool) -> Vec<Step> {
    let steps = Steps::default();
    let mut rt = Runtime::builder().clock(Clock::virtual_time()).build();
    let pool = StackPool::new(1, 256 * 1024).unwrap();
    let world = Rc::new(World {
        steps: Rc::clone(&steps),
        mutexes: [(); MUTEXES].map(Mutex::new),
        channels: capacities.map(channel),
        events: [(); EVENTS].map(|()| Completion::new()),
        handles: RefCell::default(),
    });
    for (number, plan) in (1..).zip(program) {
        let (world_of_task, ops) = (Rc::clone(&world), plan.ops.clone());
        let body = move || native_task(&world_of_task, number, &ops);
        let handle = match plan.is_shared {
            // SAFETY: the task's guards and values are not pointed to from elsewhere.
            true => unsafe { rt.task().shared(&pool).spawn(body) },
            false => rt.spawn(body),
        };
        world.handles.borrow_mut().push(handle);
    }
    let told = Rc::clone(&steps);
    let observer = move |record: &Record| {
        let step = match record.what {
            What::Resume { task, .. } => Step::Runs(task),
            What::Yield { task } => Step::Yields(task),
            What::Block { task, .. } => Step::Blocks(task),
            What::End { task } => Step::Ends(task),
            _ => return,
        };
        told.borrow_mut().push(step);
    };
    if observe {
        rt.observe(observer);
    }
    if rt.run().is_err() {
        steps.borrow_mut().push(Step::Deadlock);
    }
    rt.stop_observing();
    let seen = steps.take();
    drop(rt);
    // The tasks are gone; the handles and the tasks' world go with this.
    world.handles.borrow_mut().clear();
    seen
}

/// The same on the engine alone: every task is a place in its list of operations.
struct Driver<'a> {
    scheduler: Scheduler<Vec<Notice>>,
    program: &'a [Plan],
    tasks: Vec<DrivenTask>,
    ids: Vec<TaskId>,
    queues: [std::collections::VecDeque<u64>; CHANNELS],
    parcels: Vec<Option<u64>>,
    now_us: u64,
    steps: Vec<Step>,
}

#[derive(Clone, Default)]
struct DrivenTask {
    at: usize,
    /// In the middle of the operation: it has waited.
    has_waited: bool,
    held: Vec<usize>,
}

impl<'a> Driver<'a> {
    fn new(program: &'a [Plan], capacities: [u32; CHANNELS]) -> Self {
        let mut scheduler = Scheduler::with_observer(Vec::new());
        for m in 0..MUTEXES {
            assert_eq!(scheduler.add_mutex(), MutexId(m as u32));
        }
        for (c, capacity) in capacities.into_iter().enumerate() {
            assert_eq!(scheduler.add_channel(capacity), ChannelId(c as u32));
        }
        for e in 0..EVENTS {
            assert_eq!(scheduler.add_event(), EventId(e as u32));
        }
        let ids: Vec<_> = program.iter().map(|_| scheduler.spawn()).collect();
        for &id in &ids {
            scheduler.start(id).unwrap();
        }
        Driver {
            scheduler,
            program,
            tasks: vec![DrivenTask::default(); ids.len()],
            parcels: vec![None; ids.len()],
            ids,
            queues: Default::default(),
            now_us: 0,
            steps: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Step> {
        if self.scheduler.handle_run() == Flow::Continue {
            return self.steps;
        }
        loop {
            match self.scheduler.poll(self.now_us) {
                Next::Main => return self.steps,
                Next::Idle { until_us } => self.now_us = until_us,
                Next::Deadlock => {
                    self.steps.push(Step::Deadlock);
                    return self.steps;
                }
                Next::Resume(task) => {
                    let index = task.index() - 1;
                    let number = index as u32 + 1;
                    self.steps.push(Step::Runs(number));
                    let is_fresh = self.tasks[index].at == 0 && !self.tasks[index].has_waited;
                    if is_fresh && self.is_cancelled(index) {
                        self.end(index);
                    } else {
                        self.go_on(index);
                    }
                    let last = self
                        .scheduler
                        .observer()
                        .iter()
                        .rev()
                        .find_map(|n| match n {
                            Notice::Yields { .. } => Some(Step::Yields(number)),
                            Notice::Waits { .. } => Some(Step::Blocks(number)),
                            Notice::Ends { .. } => Some(Step::Ends(number)),
                            _ => None,
                        });
                    self.steps.extend(last);
                    self.scheduler.observer().clear();
                }
            }
        }
    }

    fn is_cancelled(&self, index: usize) -> bool {
        self.scheduler.cancel_requested(self.ids[index])
    }

    /// Lets go of what the task holds and ends it.
    fn end(&mut self, index: usize) {
        for m in std::mem::take(&mut self.tasks[index].held) {
            self.scheduler.hand_over(MutexId(m as u32)).unwrap();
        }
        let _main = self.scheduler.handle_end();
    }

    /// Runs the task until it gives way.
    fn go_on(&mut self, index: usize) {
        loop {
            let at = self.tasks[index].at;
            let Some(&op) = self.program[index].ops.get(at) else {
                return self.end(index);
            };
            let has_waited = std::mem::take(&mut self.tasks[index].has_waited);
            if !has_waited && self.begin(index, at, op) != Flow::Continue {
                self.tasks[index].has_waited = true;
                return;
            }
            let outcome = self.scheduler.outcome(self.ids[index]);
            let mut value = 0;
            let must_check = match op {
                Op::Yield | Op::Sleep(_) | Op::Wait(_) => true,
                Op::WaitFor(..) => {
                    value = u64::from(outcome == Outcome::Granted);
                    true
                }
                Op::Lock(m) => {
                    let is_new = !self.tasks[index].held.contains(&m);
                    if is_new && outcome == Outcome::Granted {
                        self.tasks[index].held.push(m);
                        self.tasks[index].held.sort_unstable();
                    }
                    is_new
                }
                Op::Send(_) => {
                    // What nobody took before a cancellation comes back.
                    if has_waited && outcome == Outcome::Cancelled {
                        self.parcels[index] = None;
                    }
                    has_waited
                }
                Op::Receive(_) => {
                    value = self.parcels[index].take().unwrap_or(0);
                    has_waited
                }
                Op::Unlock(_) | Op::Complete(_) | Op::Cancel(_) => false,
            };
            if must_check && self.is_cancelled(index) {
                return self.end(index);
            }
            let number = index as u32 + 1;
            self.steps.push(Step::Did(number, at, self.now_us, value));
            self.tasks[index].at += 1;
        }
    }

    fn begin(&mut self, index: usize, at: usize, op: Op) -> Flow {
        let s = &mut self.scheduler;
        match op {
            Op::Yield => s.handle_yield(),
            Op::Sleep(us) => s.handle_sleep(self.now_us + us),
            Op::Lock(m) if self.tasks[index].held.contains(&m) => Flow::Continue,
            Op::Lock(m) => s.handle_lock(MutexId(m as u32)).unwrap(),
            Op::Unlock(m) => {
                if self.tasks[index].held.contains(&m) {
                    self.tasks[index].held.retain(|held| *held != m);
                    s.handle_unlock(MutexId(m as u32)).unwrap();
                }
                Flow::Continue
            }
            Op::Send(c) => {
                let value = (index as u64 + 1) * 100 + at as u64;
                match s.handle_send(ChannelId(c as u32)).unwrap() {
                    Sent::Queued => self.queues[c].push_back(value),
                    Sent::HandedTo(task) => self.parcels[task.index() - 1] = Some(value),
                    Sent::Waits(flow) => {
                        self.parcels[index] = Some(value);
                        return flow;
                    }
                }
                Flow::Continue
            }
            Op::Receive(c) => {
                let value = match s.handle_receive(ChannelId(c as u32)).unwrap() {
                    Received::FromQueue { refill } => {
                        let value = self.queues[c].pop_front();
                        if let Some(sender) = refill {
                            self.queues[c].extend(self.parcels[sender.index() - 1].take());
                        }
                        value
                    }
                    Received::From(sender) => self.parcels[sender.index() - 1].take(),
                    Received::Waits(flow) => return flow,
                };
                self.parcels[index] = value;
                Flow::Continue
            }
            Op::Wait(e) => s.handle_wait(EventId(e as u32)).unwrap(),
            Op::WaitFor(e, us) => {
                let flow = s.handle_wait(EventId(e as u32)).unwrap();
                s.limit_wait(self.ids[index], self.now_us + us).unwrap();
                flow
            }
            Op::Complete(e) => {
                s.handle_complete(EventId(e as u32)).unwrap();
                Flow::Continue
            }
            Op::Cancel(t) => {
                // One that has ended need not be cancelled.
                let _ = s.request_cancel(self.ids[t]);
                Flow::Continue
            }
        }
    }
}

#[track_caller]
fn check(seed: u64) -> usize {
    let program = program(seed);
    let observe = (seed / 2).is_multiple_of(2);
    let native = run_native(&program, capacities(seed), observe);
    let mut engine = Driver::new(&program, capacities(seed)).run();
    if !observe {
        engine.retain(|step| matches!(step, Step::Did(..) | Step::Deadlock));
    }
    assert_same(seed, &program, ("native", &native), ("engine", &engine));
    native.len()
}

#[track_caller]
fn assert_same(
    seed: u64,
    program: &[Plan],
    (one, first): (&str, &[Step]),
    (other, second): (&str, &[Step]),
) {
    if first == second {
        return;
    }
    let pairs = first.iter().zip(second);
    let at = pairs.take_while(|(one, other)| one == other).count();
    panic!(
        "seed {seed}, step {at}: {one} {:?}, {other} {:?}\n{program:#?}\n{first:?}\n{second:?}",
        first.get(at),
        second.get(at),
    );
}

/// The program as a scenario. Each task prints after every operation what [`Step::Did`] tells.
fn scenario(program: &[Plan], capacities: [u32; CHANNELS]) -> String {
    use std::fmt::Write;
    let mut text = "scenario \"random\"\nstack S shared 4096\n".to_owned();
    let mut functions = String::new();
    for m in 0..MUTEXES {
        writeln!(text, "mutex m{m}").unwrap();
    }
    for e in 0..EVENTS {
        writeln!(text, "event e{e}").unwrap();
    }
    for (c, capacity) in capacities.into_iter().enumerate() {
        writeln!(text, "channel c{c} {capacity}").unwrap();
    }
    for (number, plan) in (1..).zip(program) {
        match plan.is_shared {
            true => writeln!(text, "task T{number} on S = f{number}()"),
            false => writeln!(
                text,
                "stack O{number} own 4096\ntask T{number} on O{number} = f{number}()"
            ),
        }
        .unwrap();
        writeln!(functions, "fn f{number}() {{\n    let v = 0").unwrap();
        let mut held = Vec::new();
        for (at, op) in plan.ops.iter().enumerate() {
            let statement = match *op {
                Op::Yield => "yield".to_owned(),
                Op::Sleep(us) => format!("sleep {us} us"),
                Op::Lock(m) if held.contains(&m) => String::new(),
                Op::Lock(m) => {
                    held.push(m);
                    format!("lock m{m}")
                }
                Op::Unlock(m) if held.contains(&m) => {
                    held.retain(|held| *held != m);
                    format!("unlock m{m}")
                }
                Op::Unlock(_) => String::new(),
                Op::Send(c) => format!("send c{c}, {}", number * 100 + at as u64),
                Op::Receive(c) => format!("v = recv c{c}"),
                Op::Wait(e) => format!("wait e{e}"),
                Op::WaitFor(e, us) => format!("v = wait_for(e{e}, {us})"),
                Op::Complete(e) => format!("complete e{e}"),
                Op::Cancel(t) => format!("cancel(T{})", t + 1),
            };
            writeln!(functions, "    v = 0; {statement}").unwrap();
            writeln!(functions, "    print {number}, {at}, now(), v").unwrap();
        }
        held.sort_unstable();
        for m in held {
            writeln!(functions, "    unlock m{m}").unwrap();
        }
        functions.push_str("}\n");
    }
    text + &functions + "main { run }\n"
}

/// The same in the simulator: what the tasks did, then how they took turns.
fn run_simulated(program: &[Plan], capacities: [u32; CHANNELS], isa: Isa) -> Vec<Step> {
    let text = scenario(program, capacities);
    let program = costack_lang::parse("random.costack", &text)
        .unwrap_or_else(|errors| panic!("{}\n{text}", errors.render(false)));
    let mut session = costack_sim::runtime::load(Arc::new(program), isa, Options::default())
        .expect("the simulator takes it");
    assert_ne!(session.run(1_000_000), RunOutcome::Limit, "it ends\n{text}");
    let output = session.output();
    let did = output.iter().map(|line| {
        let words: Vec<u64> = line.split(' ').map(|w| w.parse().unwrap()).collect();
        Step::Did(words[0] as u32, words[1] as usize, words[2], words[3])
    });
    let mut steps: Vec<_> = did.collect();
    let events = session.host().events();
    steps.extend(events.iter().filter_map(|event| {
        let number = |task: &TaskId| task.index() as u32;
        Some(match event {
            Event::Resume { task, .. } => Step::Runs(number(task)),
            Event::Yield { task } => Step::Yields(number(task)),
            Event::Block { task } => Step::Blocks(number(task)),
            Event::End { task } => Step::Ends(number(task)),
            _ => return None,
        })
    }));
    match session.fault().map(|fault| &fault.kind) {
        None => {}
        Some(FaultKind::Deadlock { .. }) => steps.push(Step::Deadlock),
        Some(other) => panic!("{other}\n{text}"),
    }
    steps
}

/// Compares the simulator with native: what the tasks did, and how they took turns.
#[track_caller]
fn check_simulated(seed: u64) {
    let program = program(seed);
    let isa = [Isa::X86_64, Isa::I386, Isa::Aarch64][(seed / 2 % 3) as usize];
    let simulated = run_simulated(&program, capacities(seed), isa);
    let native = run_native(&program, capacities(seed), true);
    let is_did = |step: &Step| matches!(step, Step::Did(..));
    let (mut did, turns): (Vec<_>, Vec<_>) = native.into_iter().partition(is_did);
    did.extend(turns);
    assert_same(seed, &program, ("native", &did), ("simulated", &simulated));
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn native_and_the_engine_alone_do_the_same_in_the_same_order() {
    if let Some(seed) = from_environment("COSTACK_RANDOM_SEED") {
        check(seed);
        return;
    }
    // An emulated CPU takes ten times as long.
    let all = if cfg!(target_arch = "aarch64") {
        FULL / 10
    } else {
        FULL
    };
    let count = from_environment("COSTACK_RANDOM_COUNT").unwrap_or(all);
    println!("{count} programs");
    let steps: usize = (0..count).map(check).sum();
    assert!(steps as u64 > 8 * count, "the programs do something");
}

/// So many programs are a full run.
const FULL: u64 = 100_000;

/// Runs so many programs in the simulator as well.
fn check_all_simulated(count: u64) {
    match from_environment("COSTACK_RANDOM_SEED") {
        Some(seed) => check_simulated(seed),
        None => (0..2 * count)
            .filter(|&seed| is_scenario(seed))
            .for_each(check_simulated),
    }
}

#[test]
fn native_and_the_simulator_do_the_same_in_the_same_order() {
    let all = if cfg!(target_arch = "aarch64") {
        100
    } else {
        1_000
    };
    println!("{all} programs of {FULL}");
    check_all_simulated(all);
}

#[test]
#[ignore = "takes minutes: the full number of programs, in release"]
fn native_and_the_simulator_do_the_same_in_the_same_order_in_full() {
    let count = from_environment("COSTACK_RANDOM_COUNT").unwrap_or(FULL);
    check_all_simulated(count);
}
