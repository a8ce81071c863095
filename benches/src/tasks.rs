//! What the runtime does for its tasks, beside `may` and threads.

use crate::case::{Case, Group, Runner, Size, cannot, timed};
#[cfg(feature = "peers")]
use crate::peer::may;
use crate::peer::thread;
use costack::runtime::Clock;
use costack::sync::{Mutex, channel};
use costack::{Runtime, StackPool, yield_now};
use costack_bench_schema::Skipped;
use rustix::time::{ClockId, clock_gettime};
use std::cell::{Cell, OnceCell};
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The runtime of a batch: a thread has one at a time, so it is made with the first case and goes
/// with the last.
#[derive(Clone, Default)]
struct Home(Rc<OnceCell<Runtime>>);

impl Home {
    fn runtime(&self) -> &Runtime {
        self.0.get_or_init(Runtime::new)
    }

    fn virtual_time(&self) -> &Runtime {
        self.0
            .get_or_init(|| Runtime::builder().clock(Clock::virtual_time()).build())
    }
}

/// Words that each of many tasks has live beside what it needs to run.
const LIVE_WORDS: usize = 2;

/// All of them.
pub fn groups(size: Size) -> Vec<Group> {
    vec![
        spawn_and_join(),
        yield_between_two(),
        yield_among_many(size),
        sleeping(size),
        mutex_hand_over(),
        channel_hand_over(),
    ]
}

/// What `may` does, where it is built in.
#[cfg(feature = "peers")]
fn may_case(cases: &mut Vec<Case>, make: fn() -> Runner) -> Vec<Skipped> {
    cases.push(Case::new("may", make));
    stackless()
}

#[cfg(not(feature = "peers"))]
fn may_case(_: &mut [Case], _: ()) -> Vec<Skipped> {
    let mut absent = stackless();
    absent.push(cannot("may", crate::NOT_BUILT));
    absent
}

/// Gives `may`'s operation where `may` is built in.
macro_rules! may_does {
    ($cases:ident, $operation:ident) => {{
        #[cfg(feature = "peers")]
        let absent = may_case(&mut $cases, may::$operation);
        #[cfg(not(feature = "peers"))]
        let absent = may_case(&mut $cases, ());
        absent
    }};
}

fn stackless() -> Vec<Skipped> {
    vec![
        cannot("corosensei, generator", "have no scheduler"),
        cannot("future", "has no scheduler; may stands for the runtimes"),
    ]
}

fn spawn_and_join() -> Group {
    let home = Home::default();
    let mut cases = vec![
        Case::new("costack", move || {
            home.runtime();
            timed(move |times| {
                let runtime = home.runtime();
                for number in 0..times {
                    let task = runtime.spawn(move || number);
                    black_box(task.join().expect("it ends"));
                }
            })
        }),
        Case::new("os_thread", || timed(thread::spawn_and_join)),
    ];
    let cannot = may_does!(cases, spawn_and_join);
    Group {
        id: "runtime/spawn_and_join".to_owned(),
        title: "Spawn, run, join",
        about: "Making an empty task, running it and taking its result; stacks are pooled.",
        per: "task",
        axis: None,
        batches: vec![cases],
        cannot,
    }
}

/// Two tasks that together do something `times` times.
fn in_two_tasks(
    home: Home,
    side: impl Fn(&Rc<Cell<u64>>) -> Box<dyn FnOnce()> + 'static,
) -> Runner {
    home.runtime();
    let left = Rc::new(Cell::new(0));
    Box::new(move |times| {
        left.set(times);
        let runtime = home.runtime();
        let [a, b] = [side(&left), side(&left)].map(|side| runtime.spawn(side));
        let start = Instant::now();
        a.join().expect("it ends");
        b.join().expect("it ends");
        start.elapsed()
    })
}

fn yield_between_two() -> Group {
    let home = Home::default();
    let mut cases = vec![Case::new("costack", move || {
        in_two_tasks(home, |left| {
            let left = Rc::clone(left);
            Box::new(move || {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    yield_now();
                }
            })
        })
    })];
    let cannot = may_does!(cases, yield_now);
    Group {
        id: "runtime/yield_now".to_owned(),
        title: "yield_now, two tasks",
        about: "Two tasks on own stacks take turns: one switch from task to task.",
        per: "switch",
        axis: None,
        batches: vec![cases],
        cannot,
    }
}

/// How long this thread has had a CPU. One round of a million tasks takes longer than a busy machine
/// leaves a thread alone, so that by the clock every sample would have others' work in it.
fn on_the_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Many tasks on shared stacks take turns. Each of main's yields is one round.
fn many(home: &Home, tasks: u64) -> (Runner, f64) {
    let runtime = home.runtime();
    let pool = StackPool::new(1, 64 * 1024).expect("memory for stacks");
    for number in 0..tasks {
        let task = runtime.task().background().shared(&pool);
        // SAFETY: no pointer into the task's frames leaves it.
        let task = unsafe {
            task.spawn(move || -> () {
                let mut live = [number; LIVE_WORDS];
                loop {
                    for word in &mut live {
                        *word = black_box(*word + 1);
                    }
                    yield_now();
                }
            })
        };
        task.detach();
    }
    // All of them begin, and are evicted once.
    yield_now();
    yield_now();
    pool.count_copies(true);
    yield_now();
    pool.count_copies(false);
    let copied = pool.copied();
    let image = copied.saved_bytes as f64 / copied.saves.max(1) as f64;
    let home = home.clone();
    let run: Runner = Box::new(move |times| {
        let rounds = times.div_ceil(tasks);
        let start = on_the_cpu();
        for _ in 0..rounds {
            let _ = black_box(home.runtime());
            yield_now();
        }
        // What was asked for is seldom a whole number of rounds.
        (on_the_cpu() - start).mul_f64(times as f64 / (rounds * tasks) as f64)
    });
    (run, image)
}

fn yield_among_many(size: Size) -> Group {
    let counts: &[u64] = size.pick(&[10, 1000], &[1000, 1_000_000], &[1000, 100_000, 1_000_000]);
    let batches = counts
        .iter()
        .map(|&tasks| {
            let home = Home::default();
            let mut case = Case::with("costack", tasks, || unreachable!("replaced below"));
            case.make = Box::new(move || {
                let (run, image) = many(&home, tasks);
                crate::case::Made {
                    run,
                    facts: [("image_bytes".to_owned(), image)].into(),
                }
            });
            vec![case]
        })
        .collect();
    Group {
        id: "runtime/yield_among_many".to_owned(),
        title: "yield_now among many",
        about: "Many tasks on one shared stack take turns, each evicting the one before.",
        per: "switch",
        axis: Some("tasks"),
        batches,
        cannot: vec![cannot(
            "may, corosensei, generator, future",
            "cannot share a stack among tasks",
        )],
    }
}

fn sleeping(size: Size) -> Group {
    let counts: &[u64] = size.pick(
        &[1, 10],
        &[1, 1000, 100_000],
        &[1, 1000, 100_000, 1_000_000],
    );
    let batches = counts
        .iter()
        .map(|&timers| {
            vec![Case::with("costack", timers, move || {
                let home = Home::default();
                let runtime = home.virtual_time();
                let pool = StackPool::new(1, 64 * 1024).expect("memory for stacks");
                for number in 1..timers {
                    let task = runtime.task().background().shared(&pool);
                    let time = Duration::from_secs(1_000_000 + number);
                    // SAFETY: no pointer into the task's frames leaves it.
                    unsafe { task.spawn(move || costack::sleep(time)) }.detach();
                }
                yield_now();
                timed(move |times| {
                    let _ = black_box(home.virtual_time());
                    for _ in 0..times {
                        costack::sleep(Duration::from_micros(1));
                    }
                })
            })]
        })
        .collect();
    Group {
        id: "runtime/sleep".to_owned(),
        title: "Timers",
        about: "Setting a timer and being woken by it, in virtual time, while so many timers in all \
                are set.",
        per: "sleep",
        axis: Some("timers"),
        batches,
        cannot: vec![cannot(
            "may, OS threads",
            "know real time only, in which a sleep takes as long as it takes",
        )],
    }
}

fn mutex_hand_over() -> Group {
    let home = Home::default();
    let mut cases = vec![
        Case::new("costack", move || {
            home.runtime();
            let mutex = Rc::new(Mutex::new(()));
            in_two_tasks(home, move |left| {
                let (left, mutex) = (Rc::clone(left), Rc::clone(&mutex));
                Box::new(move || {
                    while left.get() > 0 {
                        let _held = mutex.lock();
                        left.set(left.get().saturating_sub(1));
                        // The other one runs, and waits for the mutex.
                        yield_now();
                    }
                })
            })
        }),
        Case::new("os_thread", thread::mutex_hand_over),
    ];
    let cannot = may_does!(cases, mutex_hand_over);
    Group {
        id: "runtime/mutex_hand_over".to_owned(),
        title: "Mutex hand-over",
        about: "Two tasks want one mutex, and whoever releases it hands it over: a lock that waits, a \
                yield and an unlock.",
        per: "hand-over",
        axis: None,
        batches: vec![cases],
        cannot,
    }
}

fn channel_hand_over() -> Group {
    let home = Home::default();
    let mut cases = vec![
        Case::new("costack", move || {
            home.runtime();
            timed(move |times| {
                let runtime = home.runtime();
                let (sender, receiver) = channel(1);
                let task = runtime.spawn(move || {
                    for value in 0..times {
                        sender.send(value).expect("the receiver is there");
                    }
                });
                while let Some(value) = receiver.recv() {
                    black_box(value);
                }
                task.join().expect("it ends");
            })
        }),
        Case::new("os_thread", thread::channel_hand_over),
    ];
    let cannot = may_does!(cases, channel_hand_over);
    Group {
        id: "runtime/channel_hand_over".to_owned(),
        title: "Channel hand-over",
        about: "One task sends, another receives, through a channel that holds one value.",
        per: "value",
        axis: None,
        batches: vec![cases],
        cannot,
    }
}
