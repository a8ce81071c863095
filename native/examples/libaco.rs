//! What libaco's documentation shows: its synopsis, two coroutines that share a stack beside one
//! on its own, counters, threads that have nothing in common, and a scheduler of ten thousand
//! random lives.
//!
//! `cargo run -p costack --example libaco`

use costack::runtime::Clock;
use costack::{Coroutine, Runtime, SharedStack, StackPool, State, Yielder, yield_now};
use std::cell::Cell;
use std::rc::Rc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One coroutine yields six times; main resumes it seven times.
fn synopsis() -> Result<()> {
    let stack = SharedStack::new(64 * 1024)?;
    let counter = Rc::new(Cell::new(0));
    let seen = Rc::clone(&counter);
    let body = move |yielder: &Yielder<(), ()>, ()| {
        println!("co: entry: {}", seen.get());
        for round in 0..6 {
            println!("co: yield to main_co: {}", seen.get());
            yielder.suspend(());
            seen.set(round + 1);
        }
        println!("co: exit to main_co: {}", seen.get());
    };
    // SAFETY: no pointer into the coroutine's frames leaves it.
    let mut co = unsafe { Coroutine::new_shared(&stack, body)? };
    for round in 0..6 {
        assert!(!co.is_finished());
        println!("main_co: yield to co: {round}");
        co.resume(());
        assert_eq!(counter.get(), round);
    }
    println!("main_co: yield to co: 6");
    assert_eq!(co.resume(()), State::Returned(()));
    println!("main_co: destroy and exit");
    Ok(())
}

/// Two share a stack, one has its own; each counts in its own frame.
fn sharing_and_own() -> Result<()> {
    let stack = SharedStack::new(64 * 1024)?;
    let count = |from: u32| {
        move |yielder: &Yielder<(), u32>, ()| {
            for number in from..from + 3 {
                yielder.suspend(number);
            }
        }
    };
    // SAFETY: no pointer into the coroutines' frames leaves them.
    let (a, b) = unsafe {
        (
            Coroutine::new_shared(&stack, count(100))?,
            Coroutine::new_shared(&stack, count(200))?,
        )
    };
    let own = Coroutine::new(count(300))?;
    let mut all = [a, b, own];
    while !all.iter().all(Coroutine::is_finished) {
        let numbers = all.iter_mut().map(|co| co.resume(()));
        let numbers: Vec<_> = numbers.filter_map(State::yielded).collect();
        if !numbers.is_empty() {
            println!("shared, shared, own: {numbers:?}");
        }
    }
    Ok(())
}

/// Every thread has a runtime and stacks of its own.
fn threads() -> Result<()> {
    let threads: Vec<_> = (1..=3u64)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut rt = Runtime::new();
                let stacks = StackPool::new(1, 64 * 1024).expect("memory for a stack");
                let total = Rc::new(Cell::new(0));
                for _ in 0..100 {
                    let total = Rc::clone(&total);
                    let add = move || {
                        for _ in 0..10 {
                            yield_now();
                            total.set(total.get() + thread);
                        }
                    };
                    // SAFETY: no pointer into the task's frames leaves it.
                    unsafe { rt.task().shared(&stacks).spawn(add) }.detach();
                }
                rt.run().expect("nobody waits for what never comes");
                total.get()
            })
        })
        .collect();
    for (number, thread) in (1..).zip(threads) {
        let total = thread.join().map_err(|_| "a thread panicked")?;
        println!("thread {number} counted to {total}");
    }
    Ok(())
}

/// Ten thousand tasks on ten shared stacks, each of which yields a random number of times, sleeps
/// now and then, and at its end may make another one.
fn random_lives() -> Result<()> {
    const LIVES: u32 = 10_000;
    let mut rt = Runtime::builder().clock(Clock::virtual_time()).build();
    let stacks = StackPool::new(10, 64 * 1024)?;
    stacks.count_copies(true);
    let lived = Rc::new(Cell::new(0));
    let begun = Rc::new(Cell::new(0));

    fn random(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    fn live(stacks: &StackPool, begun: &Rc<Cell<u32>>, lived: &Rc<Cell<u32>>) {
        if begun.get() == LIVES {
            return;
        }
        begun.set(begun.get() + 1);
        let mut seed = u64::from(begun.get()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (pool, begun, lived) = (stacks.clone(), Rc::clone(begun), Rc::clone(lived));
        let life = move || {
            let mut mine = [0; 4];
            for _ in 0..random(&mut seed) % 8 {
                for word in &mut mine {
                    *word = random(&mut seed);
                }
                let before = mine;
                match random(&mut seed) % 4 {
                    0 => costack::sleep(std::time::Duration::from_micros(random(&mut seed) % 50)),
                    _ => yield_now(),
                }
                assert_eq!(mine, before, "somebody wrote into my frame");
            }
            lived.set(lived.get() + 1);
            for _ in 0..1 + random(&mut seed) % 2 {
                live(&pool, &begun, &lived);
            }
        };
        // SAFETY: no pointer into the task's frames leaves it.
        unsafe { costack::task().shared(stacks).spawn(life) }.detach();
    }

    for _ in 0..100 {
        live(&stacks, &begun, &lived);
    }
    rt.run()?;
    println!("{} lives were lived", lived.get());
    let copied = stacks.copied();
    println!(
        "{} images were copied out and {} back",
        copied.saves, copied.restores
    );
    assert_eq!(lived.get(), LIVES);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    synopsis()?;
    sharing_and_own()?;
    threads()?;
    random_lives()
}
