//! Tasks of a runtime: turns, time, results, ends. The clock is virtual, so nothing is waited for.
#![cfg(feature = "runtime")]

use costack::runtime::{Clock, Deadlock, Group, JoinError, Wait, now, running, wait_stop};
use costack::sync::{Completion, Mutex};
use costack::{Runtime, StackPool, sleep, spawn, yield_now};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn runtime() -> Runtime {
    Runtime::builder().clock(Clock::virtual_time()).build()
}

/// What tasks have written, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    #[track_caller]
    fn check(&self, expect: &[&str]) {
        assert_eq!(*self.0.borrow(), expect);
    }
}

#[test]
fn tasks_take_turns_in_the_order_of_their_making() {
    let mut rt = runtime();
    let log = Log::default();
    for name in ["a", "b", "c"] {
        let log = log.clone();
        rt.spawn(move || {
            for round in 1..=2 {
                log.add(format!("{name}{round}"));
                yield_now();
            }
        })
        .detach();
    }
    rt.run().unwrap();
    log.check(&["a1", "b1", "c1", "a2", "b2", "c2"]);
}

#[test]
fn main_is_a_task_too() {
    let rt = runtime();
    let log = Log::default();
    let task = rt.spawn({
        let log = log.clone();
        move || {
            log.add("task");
            sleep(ms(10));
            log.add("task woke");
            5
        }
    });
    log.add("main");
    yield_now();
    log.add("main again");
    sleep(ms(20));
    assert_eq!(now(), ms(20));
    assert_eq!(task.join().unwrap(), 5);
    log.check(&["main", "task", "main again", "task woke"]);
}

#[test]
fn sleepers_overlap() {
    let mut rt = runtime();
    for time in [30, 10, 20] {
        rt.spawn(move || sleep(ms(time))).detach();
    }
    rt.run().unwrap();
    assert_eq!(now(), ms(30), "the longest, not the sum");
}

#[test]
fn a_panic_is_its_joiners_and_nobody_elses() {
    let mut rt = runtime();
    let bad = rt.spawn(|| -> u32 { std::panic::resume_unwind(Box::new("oh")) });
    let good = rt.spawn(|| {
        yield_now();
        7
    });
    rt.run().unwrap();
    assert_eq!(good.join().unwrap(), 7);
    match bad.join() {
        Err(JoinError::Panicked(payload)) => assert_eq!(payload.downcast_ref(), Some(&"oh")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_goes_on_in_main_when_asked_to() {
    let mut rt = Runtime::builder().propagate_panics(true).build();
    let counter = Rc::new(Cell::new(0));
    rt.spawn(|| -> () { std::panic::resume_unwind(Box::new("oh")) })
        .detach();
    let seen = Rc::clone(&counter);
    rt.spawn(move || seen.set(1)).detach();
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rt.run()));
    assert_eq!(run.unwrap_err().downcast_ref(), Some(&"oh"));
    rt.run().unwrap();
    assert_eq!(counter.get(), 1);
}

#[test]
fn a_cancelled_task_unwinds_where_it_waits() {
    struct Noisy(Log, &'static str);
    impl Drop for Noisy {
        fn drop(&mut self) {
            self.0.add(self.1);
        }
    }
    let mut rt = runtime();
    let log = Log::default();
    let task = |name: &'static str, wait: fn()| {
        let log = log.clone();
        spawn(move || {
            let _noisy = Noisy(log, name);
            loop {
                wait();
            }
        })
    };
    let handles = [
        task("sleeps", || sleep(ms(1_000))),
        task("yields", yield_now),
        task("waits", || Completion::new().wait()),
        task("stops", || {
            wait_stop(ms(1_000));
        }),
    ];
    yield_now();
    let late = task("late", || unreachable!("it never runs"));
    late.cancel();
    for handle in &handles {
        handle.cancel();
    }
    rt.run().unwrap();
    assert_eq!(now(), ms(0));
    // The one that yields was ahead in the ready queue.
    let mut lines = log.0.borrow().clone();
    lines.sort_unstable();
    assert_eq!(lines, ["sleeps", "stops", "waits", "yields"]);
    for handle in handles.into_iter().chain([late]) {
        assert!(matches!(handle.join(), Err(JoinError::Cancelled)));
    }
}

#[test]
fn a_stop_request_is_the_tasks_to_look_at() {
    let mut rt = runtime();
    let polls = Rc::new(Cell::new(0));
    let seen = Rc::clone(&polls);
    let worker = rt.spawn(move || {
        while !wait_stop(ms(10)) {
            seen.set(seen.get() + 1);
        }
    });
    sleep(ms(35));
    worker.stop();
    rt.run().unwrap();
    assert_eq!(polls.get(), 3);
    assert_eq!(now(), ms(35));
}

#[test]
fn a_group_is_joined_stopped_and_cancelled_together() {
    let rt = runtime();
    let group = Group::new("disks");
    for time in [10, 30, 20] {
        rt.task()
            .group(&group)
            .spawn(move || sleep(ms(time)))
            .detach();
    }
    assert_eq!(group.len(), 3);
    group.join();
    assert_eq!(now(), ms(30));
    for _ in 0..3 {
        rt.task()
            .group(&group)
            .spawn(|| wait_stop(ms(1_000)))
            .detach();
    }
    yield_now();
    group.stop();
    group.join();
    rt.task().group(&group).spawn(|| sleep(ms(1_000))).detach();
    yield_now();
    group.cancel();
    group.join();
    assert_eq!(now(), ms(30));
}

#[test]
fn a_delayed_task_runs_once_at_its_time() {
    let mut rt = runtime();
    let shot = rt.task().delay(ms(40)).spawn(now);
    rt.run().unwrap();
    assert_eq!(shot.join().unwrap(), ms(40));
}

#[test]
fn ticks_do_not_drift() {
    let mut rt = runtime();
    let times = rt.spawn(|| {
        let mut ticks = costack::every(ms(10));
        (0..4)
            .map(|round| {
                ticks.tick();
                let at = now();
                sleep(ms(round * 7));
                at
            })
            .collect::<Vec<_>>()
    });
    rt.run().unwrap();
    // The third one takes 14 ms, so one tick is missed.
    assert_eq!(times.join().unwrap(), [ms(10), ms(20), ms(30), ms(50)]);
}

#[test]
fn a_delay_lets_others_run() {
    let mut rt = runtime();
    let log = Log::default();
    let other = log.clone();
    rt.spawn({
        let log = log.clone();
        move || {
            costack::delay_us(500);
            log.add(format!("delayed to {:?}", now()));
        }
    })
    .detach();
    rt.spawn(move || {
        for _ in 0..2 {
            other.add("other");
            yield_now();
        }
    })
    .detach();
    rt.run().unwrap();
    log.check(&["other", "other", "delayed to 500µs"]);
}

#[test]
fn run_does_not_wait_for_the_background() {
    let mut rt = runtime();
    let polls = Rc::new(Cell::new(0));
    let seen = Rc::clone(&polls);
    rt.task()
        .background()
        .spawn(move || {
            loop {
                seen.set(seen.get() + 1);
                sleep(ms(10));
            }
        })
        .detach();
    rt.spawn(|| sleep(ms(25))).detach();
    rt.run().unwrap();
    assert_eq!(polls.get(), 3);
}

#[test]
fn a_deadlock_tells_who_waits_for_what_and_who_holds_it() {
    let mut rt = runtime();
    let [left, right] = [Rc::new(Mutex::new(())), Rc::new(Mutex::new(()))];
    for (name, first, second) in [("a", &left, &right), ("b", &right, &left)] {
        let (first, second) = (Rc::clone(first), Rc::clone(second));
        rt.task()
            .name(name)
            .spawn(move || {
                let _first = first.lock();
                yield_now();
                let _second = second.lock();
            })
            .detach();
    }
    let Deadlock { tasks } = rt.run().unwrap_err();
    assert_eq!(tasks[0].waits_for, [Wait::AllEnded]);
    let named: Vec<_> = tasks[1..]
        .iter()
        .map(|task| {
            assert!(matches!(task.waits_for[..], [Wait::Mutex(_)]));
            let (_, holder) = task.held_by.clone().unwrap();
            (task.name.clone().unwrap(), holder.unwrap())
        })
        .collect();
    assert_eq!(named, [("a".into(), "b".into()), ("b".into(), "a".into())]);
    let text = Deadlock { tasks }.to_string();
    assert!(
        text.contains("a waits for lock mutex 1, held by b"),
        "{text}"
    );
    // Main goes on, and dropping the runtime unwinds the two.
    sleep(ms(1));
}

#[test]
fn joining_what_cannot_end_is_an_error_in_main() {
    let rt = runtime();
    let never = rt.spawn(|| Completion::new().wait());
    match never.join() {
        Err(JoinError::Deadlock(deadlock)) => assert_eq!(deadlock.tasks.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn joining_has_a_time_limit_too() {
    let rt = runtime();
    let slow = rt.spawn(|| {
        sleep(ms(50));
        1
    });
    let slow = slow.join_timeout(ms(10)).unwrap_err();
    assert!(!slow.is_finished());
    assert_eq!(slow.join_timeout(ms(100)).unwrap().unwrap(), 1);
    assert_eq!(now(), ms(50));
}

#[test]
fn tasks_on_shared_stacks_are_bound_when_they_first_run() {
    let mut rt = runtime();
    let pool = StackPool::new(2, 256 * 1024).unwrap();
    pool.count_copies(true);
    let tasks: Vec<_> = (0..4u64)
        .map(|number| {
            let task = rt.task().shared(&pool);
            // SAFETY: no pointer into the task's frames leaves it.
            unsafe {
                task.spawn(move || {
                    let mine = [number; 8];
                    let mut sum = 0;
                    for _ in 0..10 {
                        yield_now();
                        sum += std::hint::black_box(&mine).iter().sum::<u64>();
                    }
                    sum
                })
            }
        })
        .collect();
    assert_eq!(pool.copied().restores, 0);
    rt.run().unwrap();
    for (number, task) in (0..).zip(tasks) {
        assert_eq!(task.join().unwrap(), number * 80);
    }
    let copied = pool.copied();
    // Two tasks on each stack, 11 turns each: all evict but the first of a stack and the one after
    // the first end.
    assert_eq!(copied.restores, 44);
    assert_eq!(copied.saves, 2 * 20);
}

#[test]
fn many_shared_tasks_leave_no_memory_behind() {
    let mut rt = runtime();
    let pool = StackPool::new(1, 64 * 1024).unwrap();
    let count = Rc::new(Cell::new(0));
    for _ in 0..1_000 {
        let count = Rc::clone(&count);
        let task = rt.task().shared(&pool);
        // SAFETY: no pointer into the task's frames leaves it.
        let handle = unsafe {
            task.spawn(move || {
                yield_now();
                count.set(count.get() + 1);
            })
        };
        handle.detach();
    }
    rt.run().unwrap();
    assert_eq!(count.get(), 1_000);
    assert_eq!(pool.save_bytes(), 0);
}

#[test]
fn dropping_the_runtime_runs_every_destructor() {
    struct Counted(Rc<Cell<i32>>);
    impl Counted {
        fn new(count: &Rc<Cell<i32>>) -> Self {
            count.set(count.get() + 1);
            Counted(Rc::clone(count))
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    let alive = Rc::new(Cell::new(0));
    let rt = runtime();
    let pool = StackPool::new(1, 64 * 1024).unwrap();
    let mutex = Rc::new(Mutex::new(()));
    type Wait = Box<dyn FnOnce()>;
    let waits: Vec<Wait> = vec![
        Box::new(yield_now),
        Box::new(|| sleep(ms(1_000))),
        Box::new(|| Completion::new().wait()),
        Box::new({
            let mutex = Rc::clone(&mutex);
            move || {
                let _guard = mutex.lock();
                sleep(ms(1_000));
            }
        }),
        Box::new({
            let mutex = Rc::clone(&mutex);
            move || drop(mutex.lock())
        }),
        Box::new(|| {
            let (sender, _receiver) = costack::sync::channel(0);
            sender.send(1).unwrap();
        }),
        Box::new(|| drop(spawn(|| sleep(ms(1_000))).join())),
        // In a destructor while it unwinds.
        Box::new(|| {
            struct Sleeps;
            impl Drop for Sleeps {
                fn drop(&mut self) {
                    sleep(ms(5));
                }
            }
            let _sleeps = Sleeps;
            sleep(ms(1_000));
        }),
    ];
    let mut made = 0;
    for wait in waits {
        let counted = Counted::new(&alive);
        made += 1;
        let own = move || {
            let counted = counted;
            wait();
            loop {
                sleep(ms(1_000));
                std::hint::black_box(&counted);
            }
        };
        rt.spawn(own).detach();
        let counted = Counted::new(&alive);
        made += 1;
        let shared = move || {
            let counted = counted;
            loop {
                sleep(ms(1_000));
                std::hint::black_box(&counted);
            }
        };
        // SAFETY: no pointer into the task's frames leaves it.
        unsafe { rt.task().shared(&pool).spawn(shared) }.detach();
    }
    yield_now();
    yield_now();
    // Two that have never run.
    let fresh = Counted::new(&alive);
    rt.spawn(move || drop(fresh)).detach();
    let fresh = Counted::new(&alive);
    // SAFETY: as above.
    unsafe { rt.task().shared(&pool).spawn(move || drop(fresh)) }.detach();
    assert_eq!(alive.get(), made + 2);
    drop(rt);
    assert_eq!(alive.get(), 0);
    assert_eq!(pool.save_bytes(), 0);
}

#[test]
fn a_thread_has_one_runtime_at_a_time() {
    let first = runtime();
    let second = std::panic::catch_unwind(Runtime::new);
    assert!(second.is_err());
    drop(first);
    let _third = runtime();
    assert_eq!(running(), costack::runtime::TaskId::MAIN);
}

#[test]
fn task_slots_are_used_again() {
    let mut rt = runtime();
    for round in 0..100 {
        let handles: Vec<_> = (0..10).map(|n| rt.spawn(move || n + round)).collect();
        rt.run().unwrap();
        for (n, handle) in handles.into_iter().enumerate() {
            assert!(handle.id().index() <= 10);
            assert_eq!(handle.join().unwrap(), n + round);
        }
    }
    assert_eq!(rt.statistics().spawned, 1_000);
    assert_eq!(rt.statistics().live, 0);
}

#[test]
fn a_task_may_run_on_memory_that_its_maker_brings() {
    let mut rt = runtime();
    let memory = costack::stack::GuardedStack::new(64 * 1024).unwrap();
    let task = rt.task().on(memory).spawn(|| {
        yield_now();
        3
    });
    rt.run().unwrap();
    assert_eq!(task.join().unwrap(), 3);
}

#[test]
fn a_lock_that_is_not_got_releases_nothing() {
    let rt = runtime();
    let mutex = Rc::new(Mutex::new(()));
    let guard = mutex.lock();
    let wants = |wait: fn(&Mutex<()>) -> bool| {
        let mutex = Rc::clone(&mutex);
        rt.spawn(move || wait(&mutex))
    };
    let tries = wants(|mutex| mutex.try_lock().is_some());
    let waits = wants(|mutex| mutex.lock_timeout(ms(1)).is_some());
    let cancelled = wants(|mutex| {
        drop(mutex.lock());
        true
    });
    yield_now();
    cancelled.cancel();
    assert!(!tries.join().unwrap());
    assert!(!waits.join().unwrap());
    assert!(cancelled.join().is_err());
    assert_eq!(mutex.owner(), Some(running()));
    drop(guard);
    assert_eq!(mutex.owner(), None);
}
