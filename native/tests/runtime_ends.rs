//! Ends of tasks whose destructors give way: while one unwinds and waits, its thread counts as
//! panicking, but the others are not. The clock is virtual, so nothing is waited for.
#![cfg(all(feature = "runtime", feature = "unwind"))]

use costack::runtime::{Clock, JoinError};
use costack::sync::{Completion, Mutex};
use costack::{Runtime, sleep, spawn, yield_now};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(1_000);

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn runtime() -> Runtime {
    Runtime::builder().clock(Clock::virtual_time()).build()
}

/// Does something when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

type Log = Rc<RefCell<Vec<&'static str>>>;

#[test]
fn one_that_waits_as_it_unwinds_keeps_nobody_else_from_being_unwound() {
    let rt = runtime();
    let mutex = Rc::new(Mutex::new(()));
    let held = mutex.lock();
    let slow = rt.spawn(|| {
        let _end = AtEnd(|| {
            sleep(ms(5));
            yield_now();
            sleep(ms(5));
        });
        sleep(LONG);
    });
    let lock = {
        let mutex = Rc::clone(&mutex);
        rt.spawn(move || drop(mutex.lock()))
    };
    let yields = rt.spawn(|| {
        loop {
            yield_now();
        }
    });
    let completion = rt.spawn(|| {
        Completion::new().wait();
        unreachable!("nobody completes it");
    });
    yield_now();
    slow.cancel();
    // It is in its destructor.
    yield_now();
    for task in [lock, yields, completion] {
        assert!(std::thread::panicking());
        task.cancel();
        let joined = task.join();
        assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
    }
    drop(held);
    assert!(matches!(slow.join(), Err(JoinError::Cancelled)));
    assert!(!std::thread::panicking());
}

#[test]
fn what_a_destructor_waits_for_it_gets_though_its_task_is_cancelled() {
    let rt = runtime();
    let log = Log::default();
    let mutex = Rc::new(Mutex::new(()));
    let done = Rc::new(Completion::new());
    let held = mutex.lock();
    let task = {
        let (log, mutex, done) = (log.clone(), Rc::clone(&mutex), Rc::clone(&done));
        rt.spawn(move || {
            let _end = AtEnd(|| {
                let helper = spawn(|| {
                    sleep(ms(3));
                    7
                });
                drop(mutex.lock());
                log.borrow_mut().push("locked");
                done.wait();
                log.borrow_mut().push("completed");
                assert_eq!(helper.join().unwrap(), 7);
                log.borrow_mut().push("joined");
            });
            resume_unwind(Box::new(5));
        })
    };
    // It waits for the mutex, as it unwinds.
    yield_now();
    assert!(!task.is_finished());
    task.cancel();
    sleep(ms(1));
    assert!(log.borrow().is_empty());
    drop(held);
    sleep(ms(1));
    assert_eq!(*log.borrow(), ["locked"]);
    done.complete();
    match task.join() {
        Err(JoinError::Panicked(payload)) => assert_eq!(payload.downcast_ref(), Some(&5)),
        other => panic!("{other:?}"),
    }
    assert_eq!(*log.borrow(), ["locked", "completed", "joined"]);
}

#[test]
fn a_runtime_that_a_panic_drops_unwinds_its_tasks() {
    let log = Log::default();
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        let rt = runtime();
        for is_blocked in [false, true] {
            let log = log.clone();
            rt.spawn(move || {
                let _end = AtEnd(|| {
                    sleep(ms(1));
                    log.borrow_mut().push("unwound");
                });
                match is_blocked {
                    true => sleep(LONG),
                    false => loop {
                        yield_now();
                    },
                }
            })
            .detach();
        }
        yield_now();
        resume_unwind(Box::new(6));
    }));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&6));
    assert_eq!(*log.borrow(), ["unwound", "unwound"]);
}

#[test]
fn what_a_panic_carries_may_wait_when_it_is_dropped() {
    let mut rt = runtime();
    let log = Log::default();
    for is_detached in [false, true] {
        let log = log.clone();
        let task = rt.spawn(move || {
            // The payload crosses no thread; nothing of it is used by another.
            struct Sent<T>(T);
            // SAFETY: it stays on this thread.
            unsafe impl<T> Send for Sent<T> {}
            resume_unwind(Box::new(Sent(AtEnd(move || {
                spawn(|| sleep(ms(1))).detach();
                sleep(ms(2));
                log.borrow_mut().push("dropped");
            }))));
        });
        match is_detached {
            true => task.detach(),
            false => drop(task.join()),
        }
    }
    rt.run().unwrap();
    assert_eq!(*log.borrow(), ["dropped", "dropped"]);
}

#[test]
fn what_a_task_that_never_ran_owns_may_wait_when_it_is_dropped() {
    let mut rt = runtime();
    let dropped = Rc::new(Cell::new(0));
    for is_run in [false, true] {
        let dropped = Rc::clone(&dropped);
        let owned = AtEnd(move || {
            sleep(ms(2));
            dropped.set(dropped.get() + 1);
        });
        let task = rt.spawn(move || drop(owned));
        if !is_run {
            task.cancel();
        }
        assert_eq!(task.join().is_ok(), is_run);
    }
    rt.run().unwrap();
    assert_eq!(dropped.get(), 2);
}

#[test]
fn the_end_of_what_a_panic_carries_does_not_outlast_the_runtime() {
    struct Endless(Rc<Cell<i32>>);
    impl Drop for Endless {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            sleep(LONG);
        }
    }
    // SAFETY: it stays on this thread.
    unsafe impl Send for Endless {}
    let rt = runtime();
    let dropped = Rc::new(Cell::new(0));
    let begun = Rc::clone(&dropped);
    rt.spawn(move || resume_unwind(Box::new(Endless(begun))))
        .detach();
    rt.spawn(|| sleep(LONG)).detach();
    yield_now();
    for _ in 0..100 {
        rt.spawn(|| unreachable!("it never runs")).detach();
    }
    // Neither the one that sleeps in its destructor nor those that are unwound make more tasks.
    drop(rt);
    assert_eq!(dropped.get(), 1);
}

#[test]
fn a_runtime_of_real_time_ends_as_well() {
    let rt = Runtime::new();
    let alive = Rc::new(());
    for _ in 0..1_000 {
        let alive = Rc::clone(&alive);
        rt.spawn(move || {
            loop {
                yield_now();
                std::hint::black_box(&alive);
            }
        })
        .detach();
    }
    yield_now();
    drop(rt);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn one_that_cancels_itself_ends_at_its_next_wait() {
    let rt = runtime();
    let log = Log::default();
    let own: Rc<RefCell<Option<costack::JoinHandle<()>>>> = Rc::default();
    let mutex = Rc::new(Mutex::new(()));
    let held = mutex.lock();
    let task = {
        let (own, log, mutex) = (Rc::clone(&own), Rc::clone(&log), Rc::clone(&mutex));
        rt.spawn(move || {
            let told = Rc::clone(&log);
            let _end = AtEnd(move || {
                // A destructor's wait is one as any: it gets what it waits for.
                drop(mutex.lock());
                told.borrow_mut().push("unwound");
            });
            own.borrow()
                .as_ref()
                .expect("main has put it there")
                .cancel();
            log.borrow_mut().push("cancelled");
            Completion::new().wait();
            unreachable!("nobody completes it, and it is cancelled");
        })
    };
    *own.borrow_mut() = Some(task);
    yield_now();
    assert_eq!(*log.borrow(), ["cancelled"]);
    yield_now();
    // It is in its destructor now.
    drop(held);
    let task = own.take().expect("it is there");
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    assert_eq!(*log.borrow(), ["cancelled", "unwound"]);
}
