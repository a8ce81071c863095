//! Dropping a runtime with tasks in every state gives everything back: every destructor runs, every
//! byte of the heap is freed, every stack is unmapped. Counted by the allocator of this program, so
//! that nothing is overlooked and no tool is needed.
#![cfg(feature = "runtime")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use costack::runtime::{Clock, Group, remote_channel};
use costack::sync::{Completion, Mutex, WaitQueue, WorkQueue, channel};
use costack::{Runtime, StackPool, sleep, spawn, yield_now};

thread_local! {
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: isize) {
    // A thread that is ending counts no more.
    let _ = LIVE_BYTES.try_with(|live| live.set(live.get() + bytes));
}

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts those that are alive.
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

/// Waits in its destructor.
struct Sleeps;

impl Drop for Sleeps {
    fn drop(&mut self) {
        sleep(Duration::from_millis(5));
    }
}

const LONG: Duration = Duration::from_secs(1_000);

/// Ways to give way for longer than the runtime lives.
fn waits() -> Vec<fn()> {
    vec![
        || {
            loop {
                yield_now();
            }
        },
        || sleep(LONG),
        || Completion::new().wait(),
        || {
            let _ = Completion::new().wait_timeout(LONG);
        },
        || {
            let mutex = Rc::new(Mutex::new(()));
            let _guard = mutex.lock();
            let other = Rc::clone(&mutex);
            let task = spawn(move || drop(other.lock()));
            sleep(LONG);
            drop(task);
        },
        || channel(0).0.send(1).unwrap(),
        || {
            let _ = channel::<i32>(1).1.recv();
        },
        || WaitQueue::new().wait(),
        || drop(spawn(|| sleep(LONG)).join()),
        || {
            let group = Group::new("a group");
            costack::task().group(&group).spawn(|| sleep(LONG)).detach();
            group.join();
        },
        || {
            let (_sender, receiver) = remote_channel::<i32>();
            let _ = receiver.recv();
        },
        || {
            let _ = costack::runtime::wait_stop(LONG);
        },
        || {
            let _sleeps = Sleeps;
            sleep(LONG);
        },
        // Has ended, with a result that nobody takes.
        || drop(spawn(|| vec![1, 2, 3])),
        // A timer that is due, but whose task has no turn any more.
        || sleep(Duration::from_millis(1)),
    ]
}

/// Makes tasks, lets them come as far as they can, and drops their runtime.
fn live_and_drop() {
    let alive = Rc::new(Cell::new(0));
    let mut made = 0;
    let rt = Runtime::builder().clock(Clock::virtual_time()).build();
    let pool = StackPool::new(2, 64 * 1024).unwrap();
    for is_fresh in [false, true] {
        for wait in waits() {
            for is_shared in [false, true] {
                let counted = Counted::new(&alive);
                made += 1;
                let body = move || {
                    let _counted = counted;
                    wait();
                    sleep(LONG);
                };
                match is_shared {
                    // SAFETY: no pointer into the task's frames leaves it.
                    true => unsafe { rt.task().shared(&pool).spawn(body) },
                    false => rt.spawn(body),
                }
                .detach();
            }
        }
        let work = WorkQueue::new(1);
        let counted = Counted::new(&alive);
        made += 1;
        work.submit(move || drop(counted));
        if !is_fresh {
            for _ in 0..3 {
                yield_now();
            }
        }
        drop(work);
    }
    assert!(alive.get() > made / 2, "{} of {made}", alive.get());
    drop(rt);
    assert_eq!(alive.get(), 0);
    assert_eq!(pool.save_bytes(), 0);
}

/// Mappings of this process.
fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count())
}

#[test]
fn dropping_a_runtime_gives_everything_back() {
    // What is made once and kept is made now.
    live_and_drop();
    costack::stack::pool::trim();
    let (bytes, maps) = (LIVE_BYTES.get(), mappings());
    for _ in 0..3 {
        live_and_drop();
    }
    costack::stack::pool::trim();
    assert_eq!(LIVE_BYTES.get() - bytes, 0, "bytes of the heap");
    // The allocator may map a region or two of its own; that many stacks it would not hide.
    let left = mappings().saturating_sub(maps);
    assert!(left < 8, "{left} mappings are left");
}
