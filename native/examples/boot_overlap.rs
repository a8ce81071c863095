//! What U-Boot's coroutine RFC is for: parts of a boot that wait overlap. Disks spin up (they
//! sleep) and a TPM is initialised (it polls a register with `delay_us`) at the same time, so the
//! boot takes as long as its longest part.
//!
//! `cargo run -p costack --example boot_overlap`

use costack::runtime::{Clock, now};
use costack::{Runtime, StackPool, delay_us, sleep};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// When a part began and ended.
type Parts = Rc<RefCell<Vec<(&'static str, Duration, Duration)>>>;

/// A part's name, what it does, and for how many milliseconds.
type Part = (&'static str, fn(Duration), u64);

fn spin_up(time: Duration) {
    sleep(time);
}

/// Polls a register that says it is ready after some time.
fn initialise_tpm(time: Duration) {
    let ready_at = now() + time;
    while now() < ready_at {
        delay_us(500);
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // With the virtual clock the example takes no time; with the real one it is the same picture.
    let mut rt = Runtime::builder().clock(Clock::virtual_time()).build();
    let stacks = StackPool::new(1, 64 * 1024)?;
    let parts = Parts::default();
    let all: [Part; 4] = [
        ("disk 0", spin_up, 80),
        ("disk 1", spin_up, 60),
        ("usb hub", spin_up, 30),
        ("tpm", initialise_tpm, 50),
    ];
    for (name, part, time_ms) in all {
        let parts = Rc::clone(&parts);
        let run = move || {
            let from = now();
            part(Duration::from_millis(time_ms));
            parts.borrow_mut().push((name, from, now()));
        };
        // SAFETY: no pointer into the task's frames leaves it.
        unsafe { rt.task().name(name).shared(&stacks).spawn(run) }.detach();
    }
    rt.run()?;

    let total = now();
    let sum: Duration = parts.borrow().iter().map(|(_, from, to)| *to - *from).sum();
    let mut parts = parts.take();
    parts.sort_by_key(|part| all.iter().position(|(name, ..)| *name == part.0));
    for (name, from, to) in parts {
        let columns = |time: Duration| time.as_millis() as usize / 2;
        let bar = "#".repeat(columns(to - from));
        println!("{name:<8} |{}{bar}", " ".repeat(columns(from)));
    }
    println!("one after the other: {} ms", sum.as_millis());
    println!("overlapped:          {} ms", total.as_millis());
    Ok(())
}
