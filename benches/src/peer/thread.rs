//! The same with threads of the operating system.

use crate::case::{Runner, timed};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle, Thread};

/// Whose turn it is.
const OURS: usize = 0;
const THEIRS: usize = 1;
const OVER: usize = 2;

/// A thread that hands over to whoever resumes it, and waits.
struct Partner {
    turn: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Partner {
    fn new() -> Self {
        let turn = Arc::new(AtomicUsize::new(THEIRS));
        let (theirs, main) = (Arc::clone(&turn), thread::current());
        let thread = thread::spawn(move || hand_back(&theirs, &main));
        let partner = Partner {
            turn,
            thread: Some(thread),
        };
        wait(&partner.turn, OURS);
        partner
    }

    fn resume(&self) {
        self.turn.store(THEIRS, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        wait(&self.turn, OURS);
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.turn.store(OVER, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn hand_back(turn: &AtomicUsize, main: &Thread) {
    loop {
        match turn.load(Ordering::Acquire) {
            OVER => return,
            THEIRS => {
                turn.store(OURS, Ordering::Release);
                main.unpark();
            }
            _ => thread::park(),
        }
    }
}

fn wait(turn: &AtomicUsize, whose: usize) {
    while turn.load(Ordering::Acquire) != whose {
        thread::park();
    }
}

/// Two threads hand over to each other.
#[must_use]
pub fn round_trips() -> Runner {
    let partner = Partner::new();
    timed(move |trips| {
        for _ in 0..trips {
            partner.resume();
        }
    })
}

/// Makes a thread and waits for its end.
pub fn spawn_and_join(times: u64) {
    for number in 0..times {
        let thread = thread::spawn(move || number);
        black_box(thread.join().expect("it ends"));
    }
}

/// Two threads take a mutex in turns: each hands it over to the other.
#[must_use]
pub fn mutex_hand_over() -> Runner {
    timed(|times| {
        let shared = Arc::new((Mutex::new(0u64), Condvar::new()));
        let side = |parity: u64| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (count, changed) = &*shared;
                let mut count = count.lock().expect("nobody panics");
                while *count < times {
                    if *count % 2 == parity {
                        *count += 1;
                        changed.notify_one();
                    } else {
                        count = changed.wait(count).expect("nobody panics");
                    }
                }
                changed.notify_one();
            })
        };
        for thread in [side(0), side(1)] {
            thread.join().expect("it ends");
        }
    })
}

/// One thread sends, another receives; the channel holds one value.
#[must_use]
pub fn channel_hand_over() -> Runner {
    timed(|times| {
        let (sender, receiver): (SyncSender<u64>, _) = sync_channel(1);
        let thread = thread::spawn(move || {
            for value in 0..times {
                sender.send(value).expect("the receiver is there");
            }
        });
        for value in receiver {
            black_box(value);
        }
        thread.join().expect("it ends");
    })
}
