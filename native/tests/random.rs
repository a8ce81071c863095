//! Random sequences of operations against a model. `COSTACK_SEED` repeats one.

#[path = "support/canaried.rs"]
mod canaried;

use canaried::{CANARY, CANARY_BYTE, Canaried, canaries_live};
use costack::stack::StackMemory;
use costack::{Builder, Coroutine, Event, Id, Refusal, SharedStack, State, Yielder};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Operations per run.
const OPERATIONS: usize = 100_000;

/// Shared stacks, each of which many coroutines use.
const STACKS: usize = 3;

/// Coroutines alive at the same time, at most.
const ALIVE: usize = 40;

/// A stack's usable bytes.
const STACK_BYTES: usize = 64 * 1024;

/// xorshift64*: small, and the same everywhere.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }
}

/// What a coroutine's script does at each resume, which the model knows as well.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Yield { depth: usize, value: u64 },
    Return(u64),
    Panic(u64),
}

fn step(random: &mut Random) -> Step {
    let value = random.next();
    match random.below(40) {
        0 => Step::Return(value),
        1 => Step::Panic(value),
        _ => Step::Yield {
            depth: random.below(12),
            value,
        },
    }
}

/// Counts how often it is made and dropped.
struct Counted(Rc<RefCell<i64>>);

impl Counted {
    fn new(balance: &Rc<RefCell<i64>>) -> Self {
        *balance.borrow_mut() += 1;
        Counted(Rc::clone(balance))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.borrow_mut() -= 1;
    }
}

/// Goes down `depth` frames, each with its own contents, and yields at the bottom.
#[inline(never)]
fn descend(
    yielder: &Yielder<u64, u64>,
    balance: &Rc<RefCell<i64>>,
    depth: usize,
    value: u64,
) -> u64 {
    let _counted = Counted::new(balance);
    let frame = black_box([value ^ depth as u64; 5]);
    let input = match depth {
        0 => yielder.suspend(value),
        _ => descend(yielder, balance, depth - 1, value),
    };
    assert_eq!(
        frame,
        [value ^ depth as u64; 5],
        "a frame changed while it was away"
    );
    input
}

fn script(
    mut random: Random,
    balance: Rc<RefCell<i64>>,
) -> impl FnOnce(&Yielder<u64, u64>, u64) -> u64 {
    move |yielder, mut input| {
        let _counted = Counted::new(&balance);
        loop {
            // What was passed in takes part in what comes out.
            match step(&mut random) {
                Step::Yield { depth, value } => {
                    input = descend(yielder, &balance, depth, value ^ input);
                }
                Step::Return(value) => return value ^ input,
                Step::Panic(value) => std::panic::panic_any(value ^ input),
            }
        }
    }
}

/// FNV-1a over words: an image is a whole number of them.
fn checksum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(size_of::<usize>());
    assert!(
        words.remainder().is_empty(),
        "an image of {} bytes",
        bytes.len()
    );
    words.fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        let word = usize::from_ne_bytes(word.try_into().unwrap()) as u64;
        (hash ^ word).wrapping_mul(0x100_0000_01b3)
    })
}

/// Checks every copy of one stack: an image that comes back is the one that went out, and nothing
/// beside what is copied changes.
fn watch(stack: &SharedStack, top: usize) {
    let bottom = top - STACK_BYTES;
    let mut sums: HashMap<Id, (u32, u64)> = HashMap::new();
    let mut below: Vec<u8> = Vec::new();
    let read = move |from: usize, to: usize| {
        assert!(bottom <= from && to <= top + CANARY);
        // SAFETY: all of it is the stack's memory, and no coroutine runs on it meanwhile.
        unsafe {
            std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(from), to - from)
        }
    };
    stack.observe(move |event| match event {
        Event::Save { task, bytes } => {
            let sp = top - bytes as usize;
            sums.insert(task, (bytes, checksum(read(sp, top))));
            // Below the image nothing is live: what is written here must survive the restore,
            // but for what the restored image covers.
            let free = (sp - bottom).min(2048);
            // SAFETY: as in `read`, and nothing is live there.
            unsafe {
                std::ptr::with_exposed_provenance_mut::<u8>(sp - free)
                    .write_bytes(CANARY_BYTE, free);
            }
            below = read(sp - free, top).to_vec();
        }
        Event::Restore { task, bytes } => {
            let sp = top - bytes as usize;
            if let Some((saved, sum)) = sums.remove(&task) {
                assert_eq!(saved, bytes, "the image of {task} has changed its size");
                assert_eq!(
                    checksum(read(sp, top)),
                    sum,
                    "the image of {task} has changed"
                );
            }
            if below.len() >= bytes as usize + CANARY {
                let end = below.len() - bytes as usize;
                let untouched = &below[end - CANARY..end];
                assert_eq!(
                    read(sp - CANARY, sp),
                    untouched,
                    "below the image of {task}"
                );
            }
            below.clear();
            assert!(canaries_live(top, STACK_BYTES), "beside the stack");
        }
        _ => {}
    });
}

/// A coroutine, and what the model knows of it.
struct Modelled {
    co: Co,
    script: Random,
    /// The shared stack that it is on.
    stack: Option<usize>,
}

type Co = Coroutine<u64, u64, u64>;

/// What came of a resume; an error is a panic.
type Outcome = std::thread::Result<State<u64, u64>>;

/// Compares what came of a resume with what the script does at it.
#[track_caller]
fn check_outcome(script: &mut Random, input: u64, outcome: Outcome) {
    match (step(script), outcome) {
        (Step::Yield { value, .. }, Ok(State::Yielded(got))) => assert_eq!(got, value ^ input),
        (Step::Return(value), Ok(State::Returned(got))) => assert_eq!(got, value ^ input),
        (Step::Panic(value), Err(payload)) => {
            assert_eq!(payload.downcast_ref::<u64>(), Some(&(value ^ input)));
        }
        (expected, outcome) => panic!("expected {expected:?}, got {outcome:?}"),
    }
}

struct World {
    random: Random,
    stacks: Vec<SharedStack>,
    alive: Vec<Modelled>,
    balance: Rc<RefCell<i64>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let stacks = (0..STACKS)
            .map(|_| {
                let memory = Canaried::new(STACK_BYTES);
                let top = memory.top();
                let stack = SharedStack::with_memory(memory).unwrap();
                watch(&stack, top);
                stack
            })
            .collect();
        World {
            random: Random(seed),
            stacks,
            alive: Vec::new(),
            balance: Rc::default(),
        }
    }

    fn operate(&mut self) {
        match self.random.below(10) {
            0 | 1 if self.alive.len() < ALIVE => self.create(),
            2 if !self.alive.is_empty() => self.drop_one(),
            3 if !self.alive.is_empty() => {
                // Elsewhere in memory, a handle is as good as before.
                let at = self.random.below(self.alive.len());
                let moved = Box::new(self.alive.swap_remove(at));
                self.alive.push(*moved);
            }
            4 if !self.alive.is_empty() => self.resume_elsewhere(),
            _ if !self.alive.is_empty() => self.resume(),
            _ => self.create(),
        }
    }

    fn create(&mut self) {
        let script_random = Random(self.random.next() | 1);
        let function = script(script_random.clone(), Rc::clone(&self.balance));
        let builder = Builder::new()
            .stack_bytes(STACK_BYTES)
            .keep_fp(self.random.below(4) == 0);
        let (co, stack) = self.build(builder, function);
        self.alive.push(Modelled {
            co,
            script: script_random,
            stack,
        });
    }

    /// Makes a coroutine on a stack of its own or on one of the shared ones; which of those it is.
    fn build<Input: 'static, Yield: 'static, Return: 'static>(
        &mut self,
        builder: Builder,
        function: impl FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    ) -> (Coroutine<Input, Yield, Return>, Option<usize>) {
        match self.random.below(STACKS + 1) {
            STACKS => (builder.build(function).unwrap(), None),
            at => {
                // SAFETY: no function here lets a pointer into its frames out.
                let co = unsafe { builder.build_shared(&self.stacks[at], function) };
                (co.unwrap(), Some(at))
            }
        }
    }

    fn resume(&mut self) {
        let at = self.random.below(self.alive.len());
        let input = self.random.next();
        let modelled = &mut self.alive[at];
        let outcome = catch_unwind(AssertUnwindSafe(|| modelled.co.resume(input)));
        check_outcome(&mut modelled.script, input, outcome);
        if self.alive[at].co.is_finished() {
            assert!(self.alive[at].co.try_resume(0).is_err());
            self.alive.swap_remove(at);
        }
    }

    /// Moves a coroutine to another stack: that of a second one, which takes the handle in, resumes
    /// it from there and hands it back. Where both share a stack, that is refused.
    fn resume_elsewhere(&mut self) {
        let at = self.random.below(self.alive.len());
        let input = self.random.next();
        let mut moved = self.alive.swap_remove(at);
        let inner = moved.co;
        let (mut carrier, stack) = self.build(
            Builder::new().stack_bytes(STACK_BYTES),
            move |_: &Yielder<(), ()>, ()| {
                let mut inner = inner;
                let outcome = catch_unwind(AssertUnwindSafe(|| inner.try_resume(input)));
                (inner, outcome)
            },
        );
        let State::Returned((inner, outcome)) = carrier.resume(()) else {
            unreachable!("it does not yield")
        };
        moved.co = inner;
        match outcome {
            Ok(Err(refused)) => {
                assert_eq!(refused.error.refusal(), Some(Refusal::StackInUse));
                assert!(stack.is_some() && stack == moved.stack);
            }
            Ok(Ok(state)) => {
                assert!(stack.is_none() || stack != moved.stack);
                check_outcome(&mut moved.script, input, Ok(state));
            }
            Err(payload) => check_outcome(&mut moved.script, input, Err(payload)),
        }
        if !moved.co.is_finished() {
            self.alive.push(moved);
        }
    }

    fn drop_one(&mut self) {
        let at = self.random.below(self.alive.len());
        self.alive.swap_remove(at);
    }
}

#[test]
fn random_operations_follow_the_model() {
    let seed = std::env::var("COSTACK_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_nanos() as u64 | 1
    });
    println!("COSTACK_SEED={seed}");
    // Panics are part of the game; their messages would hide this test's own.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<u64>() {
            usual(info);
        }
    }));
    let mut world = World::new(seed);
    for _ in 0..OPERATIONS {
        world.operate();
    }
    world.alive.clear();
    assert_eq!(
        *world.balance.borrow(),
        0,
        "every destructor ran exactly once"
    );
    for stack in world.stacks {
        assert_eq!(stack.save_bytes(), 0, "every save stack was given back");
        assert!(stack.close().is_ok());
    }
}
