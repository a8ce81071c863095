//! What tasks wait for, traces and tuning.
#![cfg(feature = "runtime")]

use costack::runtime::{Clock, now};
use costack::sync::{Completion, Event, Mutex, Select, SendError, WaitQueue, WorkQueue, channel};
use costack::{Runtime, StackPool, sleep, spawn, yield_now};
use costack_engine::trace::{self, Header, Record, What};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn runtime() -> Runtime {
    Runtime::builder().clock(Clock::virtual_time()).build()
}

#[test]
fn a_mutex_is_handed_over_in_the_order_of_asking() {
    let mut rt = runtime();
    let mutex = Rc::new(Mutex::new(Vec::new()));
    let guard = mutex.lock();
    for number in 0..4 {
        let mutex = Rc::clone(&mutex);
        spawn(move || mutex.lock().push(number)).detach();
    }
    yield_now();
    drop(guard);
    assert!(mutex.try_lock().is_none(), "it is the first one's already");
    rt.run().unwrap();
    assert_eq!(*mutex.lock(), [0, 1, 2, 3]);
}

#[test]
fn a_completion_counts_and_completes_for_all() {
    let mut rt = runtime();
    let done = Rc::new(Completion::new());
    let passed = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let (done, passed) = (Rc::clone(&done), Rc::clone(&passed));
        spawn(move || {
            done.wait();
            passed.set(passed.get() + 1);
        })
        .detach();
    }
    done.complete();
    yield_now();
    assert_eq!(passed.get(), 1);
    done.complete_all();
    rt.run().unwrap();
    assert_eq!(passed.get(), 3);
    assert!(done.done() && done.try_wait());
    done.reinit();
    assert!(!done.done() && !done.try_wait());
    assert!(!done.wait_timeout(ms(5)));
    assert_eq!(now(), ms(5));
}

#[test]
fn an_event_stays_set() {
    let mut rt = runtime();
    let event = Rc::new(Event::new());
    let waits = Rc::clone(&event);
    spawn(move || waits.wait()).detach();
    assert!(!event.wait_timeout(ms(1)));
    event.set();
    event.wait();
    rt.run().unwrap();
    event.reset();
    assert!(!event.is_set());
}

#[test]
fn a_channel_closes_when_one_side_is_gone() {
    let _rt = runtime();
    let (sender, receiver) = channel(1);
    sender.send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(SendError(2)));
    let blocked = spawn({
        let sender = sender.clone();
        move || sender.send(3)
    });
    yield_now();
    drop(receiver);
    assert_eq!(blocked.join().unwrap(), Err(SendError(3)));
    assert_eq!(sender.send(4), Err(SendError(4)));

    let (sender, receiver) = channel::<u8>(1);
    let waits = spawn(move || receiver.recv());
    yield_now();
    drop(sender);
    assert_eq!(waits.join().unwrap(), None);
}

#[test]
fn a_receiver_can_wait_for_some_time_only() {
    let _rt = runtime();
    let (sender, receiver) = channel::<u8>(0);
    assert!(receiver.recv_timeout(ms(3)).is_err());
    let sends = spawn(move || sender.send(5));
    assert_eq!(receiver.recv_timeout(ms(3)), Ok(Some(5)));
    sends.join().unwrap().unwrap();
    assert_eq!(now(), ms(3));
}

#[test]
fn a_wait_queue_wakes_those_who_look_again() {
    let _rt = runtime();
    let queue = Rc::new(WaitQueue::new());
    assert!(!queue.wake_one());
    let waits = Rc::clone(&queue);
    let task = spawn(move || waits.wait_timeout(ms(100)));
    yield_now();
    assert_eq!(queue.wake_all(), 1);
    assert!(task.join().unwrap());
    assert!(!queue.wait_timeout(ms(1)));
}

#[test]
fn work_is_done_in_order_and_what_panics_does_not_end_its_worker() {
    let _rt = runtime();
    let work = WorkQueue::new(2);
    let log = Rc::new(RefCell::new(Vec::new()));
    for number in 0..6 {
        let log = Rc::clone(&log);
        work.submit(move || {
            log.borrow_mut().push(number);
            sleep(ms(10));
            if number == 2 {
                std::panic::resume_unwind(Box::new(()));
            }
        });
    }
    work.flush();
    assert_eq!(*log.borrow(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(now(), ms(30), "two at a time");
}

#[test]
fn dropping_a_work_queue_drops_what_was_not_begun() {
    let mut rt = runtime();
    let ran = Rc::new(Cell::new(0));
    let work = WorkQueue::new(1);
    for _ in 0..3 {
        let ran = Rc::clone(&ran);
        work.submit(move || {
            ran.set(ran.get() + 1);
            sleep(ms(10));
        });
    }
    yield_now();
    drop(work);
    rt.run().unwrap();
    sleep(ms(100));
    assert_eq!(ran.get(), 1);
    assert_eq!(Rc::strong_count(&ran), 1);
}

#[test]
fn a_select_takes_what_comes_first_and_nothing_else() {
    let _rt = runtime();
    let (sender, receiver) = channel(1);
    let (other, other_receiver) = channel(1);
    let stop = Completion::new();
    let choose = || {
        Select::new()
            .completion(&stop, || "stop".to_owned())
            .recv(&receiver, |number| format!("{number:?}"))
            .timeout(ms(10), || "time".to_owned())
            .wait()
    };
    assert_eq!(choose(), "time");
    sender.send(1).unwrap();
    stop.complete();
    assert_eq!(choose(), "stop");
    assert_eq!(choose(), "Some(1)");
    let later = spawn(move || {
        sleep(ms(5));
        sender.send(2).unwrap();
    });
    assert_eq!(choose(), "Some(2)");
    later.join().unwrap();
    assert_eq!(choose(), "None", "the sender is gone");

    // Sending: the value comes back, goes, or is dropped with its arm.
    let value = Rc::new(());
    let send = |value: Rc<()>| {
        Select::new()
            .send(&other, value, |sent| sent.is_ok())
            .timeout(ms(1), || false)
            .wait()
    };
    assert!(send(Rc::clone(&value)));
    assert!(!send(Rc::clone(&value)), "there is no room");
    assert_eq!(
        Rc::strong_count(&value),
        2,
        "only the first is in the channel"
    );
    let taker = spawn(move || {
        let first = other_receiver.recv().is_some();
        first && other_receiver.recv().is_some()
    });
    assert!(send(Rc::clone(&value)));
    assert!(taker.join().unwrap());
    assert_eq!(Rc::strong_count(&value), 1);
    assert!(!send(Rc::clone(&value)), "the receiver is gone");
}

#[test]
fn a_select_locks_joins_and_hears_of_a_stop() {
    let _rt = runtime();
    let mutex = Rc::new(Mutex::new(7));
    let guard = mutex.lock();
    let slow = spawn(|| sleep(ms(20)));
    let task = spawn({
        let mutex = Rc::clone(&mutex);
        move || {
            let locked = Select::new()
                .lock(&mutex, |guard| *guard)
                .ended(&slow, || 0)
                .wait();
            let ended = Select::new().stop(|| 1).ended(&slow, || 2).wait();
            let stopped = Select::new().stop(|| 3).wait();
            (locked, ended, stopped)
        }
    });
    sleep(ms(10));
    drop(guard);
    sleep(ms(15));
    task.stop();
    assert_eq!(task.join().unwrap(), (7, 2, 3));
    assert_eq!(mutex.owner(), None);
}

/// Five tasks on one shared stack that take turns, and what was recorded of it.
fn recorded() -> (
    Vec<Record>,
    costack::runtime::Recording,
    costack::runtime::Copied,
) {
    let mut rt = runtime();
    let pool = StackPool::new(1, 256 * 1024).unwrap();
    let recording = rt.record();
    for number in 0..5u64 {
        let turns = move || {
            let mut mine = [number; 20];
            for _ in 0..number + 2 {
                yield_now();
                mine = std::hint::black_box(mine);
            }
        };
        // SAFETY: no pointer into the task's frames leaves it.
        unsafe {
            rt.task()
                .name(format!("t{number}"))
                .shared(&pool)
                .spawn(turns)
        }
        .detach();
    }
    rt.run().unwrap();
    let copied = pool.copied();
    rt.stop_observing();
    (recording.records(), recording, copied)
}

#[test]
fn a_trace_is_written_and_read_again() {
    let (records, recording, _) = recorded();
    let mut text = Vec::new();
    recording.write_trace(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let read = trace::read(&text).unwrap();
    assert_eq!(read.header, Header::new("native"));
    assert_eq!(read.records, records);
    let ends = records
        .iter()
        .filter(|r| matches!(r.what, What::End { .. }));
    assert_eq!(ends.count(), 5);
}

#[test]
fn a_chrome_trace_has_lanes_and_copies() {
    let (_, recording, copied) = recorded();
    let mut text = Vec::new();
    recording.write_chrome(&mut text).unwrap();
    let events: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let count = |phase: &str, process: u64| {
        let wanted = |event: &&serde_json::Value| event["ph"] == phase && event["pid"] == process;
        events.iter().filter(wanted).count()
    };
    assert_eq!(count("B", 1), count("E", 1), "every turn ends");
    assert_eq!(count("B", 2), count("E", 2), "every owner leaves");
    assert_eq!(count("X", 2) as u64, copied.saves + copied.restores);
    assert!(events.iter().any(|event| event["args"]["name"] == "t3"));
}

#[test]
fn tuning_with_the_same_number_of_stacks_says_what_was_copied() {
    let (_, recording, copied) = recorded();
    let same = recording.tune(1);
    assert_eq!((same.saves, same.restores), (copied.saves, copied.restores));
    assert_eq!(same.saved_bytes, copied.saved_bytes);
    let five = recording.tune(5);
    assert_eq!(five.saves, 0, "a stack for each");
    let two = recording.tune(2);
    assert!(two.saves < same.saves && two.saves > 0);
}

#[test]
fn an_observer_hears_nothing_after_its_end() {
    let mut rt = runtime();
    let heard = Rc::new(Cell::new(0));
    let count = Rc::clone(&heard);
    rt.observe(move |_| count.set(count.get() + 1));
    rt.spawn(yield_now).detach();
    rt.run().unwrap();
    let before = heard.get();
    assert!(before > 0);
    rt.stop_observing();
    rt.spawn(yield_now).detach();
    rt.run().unwrap();
    assert_eq!(heard.get(), before);
}
