//! What memcheck and AddressSanitizer watch: `memory clean` does nothing wrong, and each of the other
//! words does one thing wrong in a coroutine, which the tool must report.

use costack::{Builder, Coroutine, SharedStack, State, Yielder};
use std::hint::black_box;

type Co = Coroutine<usize, usize, usize>;

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    match &*word {
        "clean" => clean(),
        "overrun-own" => drop(Coroutine::new(overrun).expect("a stack").resume(0)),
        "overrun-shared" => overrun_after_eviction(),
        "uninitialised" => drop(Coroutine::new(uninitialised).expect("a stack").resume(0)),
        _ => {
            eprintln!("usage: memory clean|overrun-own|overrun-shared|uninitialised");
            std::process::exit(2);
        }
    }
    println!("memory {word}: at the end");
}

/// Goes down some frames with arrays in them and yields at the bottom.
#[inline(never)]
fn descend(yielder: &Yielder<usize, usize>, depth: usize, value: usize) -> usize {
    let frame = black_box([value + depth; 9]);
    let got = match depth {
        0 => yielder.suspend(value),
        _ => descend(yielder, depth - 1, value),
    };
    assert!(frame.iter().all(|word| *word == value + depth));
    got
}

fn rounds(yielder: &Yielder<usize, usize>, mut value: usize) -> usize {
    let text = format!("on the heap: {value}");
    for round in 0.. {
        value = descend(yielder, (value + round) % 12, value);
        if value == 0 {
            break;
        }
    }
    text.len()
}

/// Coroutines of every kind, deep and shallow, that end, are dropped, and panic.
fn clean() {
    let shared = SharedStack::new(128 * 1024).expect("a stack");
    let mut tasks: Vec<Co> = Vec::new();
    for number in 0..12 {
        let builder = Builder::new().keep_fp(number % 5 == 0);
        tasks.push(match number % 2 {
            0 => builder.build(rounds).expect("a stack"),
            // SAFETY: no pointer into the coroutines' frames leaves them.
            _ => unsafe { builder.build_shared(&shared, rounds) }.expect("memory"),
        });
    }
    for step in 1..500 {
        let at = step * 7 % tasks.len();
        assert_eq!(tasks[at].resume(step), State::Yielded(step));
        if step % 50 == 0 {
            let ended = tasks.swap_remove(at / 2);
            // Half of them end by themselves, the others are unwound.
            let mut ended = ended;
            if step % 100 == 0 {
                assert!(ended.resume(0).returned().is_some());
            }
            drop(ended);
            let fresh = if step % 100 == 0 {
                Coroutine::new(rounds).expect("a stack")
            } else {
                // SAFETY: as above.
                unsafe { Coroutine::new_shared(&shared, rounds) }.expect("memory")
            };
            tasks.push(fresh);
        }
    }
    #[cfg(feature = "unwind")]
    {
        let mut panics: Co = Coroutine::new(|yielder: &Yielder<usize, usize>, value| {
            let _kept = [String::from("dropped"), yielder.suspend(value).to_string()];
            std::panic::panic_any(7u8);
        })
        .expect("a stack");
        panics.resume(1);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.resume(2)));
        assert!(result.is_err());
        let borrowed = [1, 2, 3];
        let sum = Coroutine::scope(
            |yielder: &Yielder<usize, usize>, _| {
                borrowed.iter().map(|n| yielder.suspend(*n)).sum::<usize>()
            },
            |mut co| {
                (0..3)
                    .map(|n| co.resume(n).yielded().unwrap_or(0))
                    .sum::<usize>()
            },
        );
        assert_eq!(sum.expect("a stack"), 6);
        let on_other = costack::on_stack(
            costack::stack::GuardedStack::new(64 * 1024).expect("a stack"),
            || black_box([1u8; 1000]).len(),
        );
        assert_eq!(on_other.expect("room"), 1000);
    }
}

/// Writes one byte behind an array of its frame.
#[inline(never)]
fn overrun(_: &Yielder<usize, usize>, _: usize) -> usize {
    let mut array = [0u8; 13];
    let past = black_box(array.len());
    // SAFETY: none: it is what the tool must see.
    unsafe { array.as_mut_ptr().add(past).write_volatile(1) };
    usize::from(black_box(array)[0])
}

/// As `overrun`, in a frame that was evicted and brought back in between: the tool must still know
/// what lies behind the array.
fn overrun_after_eviction() {
    let stack = SharedStack::new(128 * 1024).expect("a stack");
    let function = |yielder: &Yielder<usize, usize>, value| {
        let mut array = [0u8; 13];
        black_box(&mut array);
        let past = yielder.suspend(value);
        // SAFETY: none: it is what the tool must see.
        unsafe { array.as_mut_ptr().add(past).write_volatile(1) };
        usize::from(black_box(array)[0])
    };
    // SAFETY: no pointer into the coroutines' frames leaves them.
    let (mut a, mut b): (Co, Co) = unsafe {
        (
            Coroutine::new_shared(&stack, function).expect("memory"),
            Coroutine::new_shared(&stack, rounds).expect("memory"),
        )
    };
    a.resume(1);
    b.resume(2);
    a.resume(13);
}

/// Decides by a word that nothing has written.
#[inline(never)]
fn uninitialised(yielder: &Yielder<usize, usize>, value: usize) -> usize {
    let word = Box::new(std::mem::MaybeUninit::<usize>::uninit());
    // SAFETY: none: it is what the tool must see.
    let read = unsafe { black_box(&word).as_ptr().read_volatile() };
    if read > 3 { value } else { yielder.suspend(1) }
}
