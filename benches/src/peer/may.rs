//! The runtime's operations on `may`, an M:N runtime, with a single worker: what Costack's runtime
//! has. The measured loop is a coroutine of its own, so that no hand-over between threads is in it.

use crate::case::{Runner, timed};
use ::may::coroutine::{self, JoinHandle};
use ::may::sync::{Mutex, mpsc};
use std::hint::black_box;
use std::sync::{Arc, Once};

/// One worker, as a runtime of Costack is one thread; stacks of the same size.
pub fn configure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ::may::config()
            .set_workers(1)
            .set_stack_size(::costack::stack::DEFAULT_STACK_BYTES / size_of::<usize>());
    });
}

/// Starts a coroutine.
pub fn spawn<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    configure();
    // SAFETY: nothing here uses thread-local data across a switch or nears its stack's end.
    unsafe { coroutine::spawn(function) }
}

fn within(run: impl Fn(u64) + Send + Sync + 'static) -> Runner {
    let run = Arc::new(run);
    timed(move |times| {
        let run = Arc::clone(&run);
        spawn(move || run(times)).join().expect("it ends");
    })
}

/// Makes, runs and joins an empty coroutine.
#[must_use]
pub fn spawn_and_join() -> Runner {
    within(|times| {
        for number in 0..times {
            black_box(spawn(move || number).join().expect("it ends"));
        }
    })
}

/// Two coroutines take turns.
#[must_use]
pub fn yield_now() -> Runner {
    within(|times| {
        let side = |turns: u64| {
            spawn(move || {
                for _ in 0..turns {
                    coroutine::yield_now();
                }
            })
        };
        for task in [side(times / 2), side(times - times / 2)] {
            task.join().expect("it ends");
        }
    })
}

/// Two coroutines want a mutex; each finds it taken.
#[must_use]
pub fn mutex_hand_over() -> Runner {
    within(|times| {
        let count = Arc::new(Mutex::new(0u64));
        let side = || {
            let count = Arc::clone(&count);
            spawn(move || {
                loop {
                    let mut count = count.lock().expect("nobody panics");
                    if *count >= times {
                        return;
                    }
                    *count += 1;
                    // The other one runs, and waits for the mutex.
                    coroutine::yield_now();
                }
            })
        };
        for task in [side(), side()] {
            task.join().expect("it ends");
        }
    })
}

/// One coroutine sends and yields, another receives.
#[must_use]
pub fn channel_hand_over() -> Runner {
    within(|times| {
        let (sender, receiver) = mpsc::channel();
        let task = spawn(move || {
            for value in 0..times {
                sender.send(value).expect("the receiver is there");
                coroutine::yield_now();
            }
        });
        while let Ok(value) = receiver.recv() {
            black_box::<u64>(value);
        }
        task.join().expect("it ends");
    })
}
