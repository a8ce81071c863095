//! What barebox's pollers and bthreads give, and what they miss: pollers that may yield anywhere.
//!
//! A USB gadget loop runs in the background; a device is protected by a mutex where barebox has
//! slices; a completion tells that a transfer is done; a worker stops when it is asked to; and a
//! watch checks that switches happen often enough.
//!
//! `cargo run -p costack --example pollers`

use costack::runtime::{Clock, now, wait_stop};
use costack::sync::{Completion, Mutex};
use costack::{Runtime, every, sleep};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A device that takes one request at a time, and some time for each.
#[derive(Default)]
struct Device {
    requests: u32,
    is_busy: bool,
}

impl Device {
    fn request(&mut self) {
        assert!(!self.is_busy, "two requests at a time");
        self.is_busy = true;
        // In barebox a poller must not wait here; here it may, for the mutex stays locked.
        sleep(Duration::from_millis(1));
        self.is_busy = false;
        self.requests += 1;
    }
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rt = Runtime::builder().clock(Clock::virtual_time()).build();
    let device = Rc::new(Mutex::new(Device::default()));
    let polls = Rc::new(Cell::new(0));

    // A poller: every 2 ms, in the background, as long as anything else runs.
    let (gadget_device, gadget_polls) = (Rc::clone(&device), Rc::clone(&polls));
    let gadget = move || {
        let mut ticks = every(ms(2));
        loop {
            ticks.tick();
            gadget_device.lock().request();
            gadget_polls.set(gadget_polls.get() + 1);
        }
    };
    rt.task()
        .name("gadget")
        .background()
        .spawn::<()>(gadget)
        .detach();

    // A transfer that somebody waits for.
    let done = Rc::new(Completion::new());
    let (transfer_device, transfer_done) = (Rc::clone(&device), Rc::clone(&done));
    let transfer = move || {
        for _ in 0..5 {
            transfer_device.lock().request();
        }
        transfer_done.complete();
    };
    rt.task().name("transfer").spawn(transfer).detach();

    // A worker that is stopped like a thread.
    let worker = rt.task().name("worker").spawn(|| {
        let mut rounds = 0;
        while !wait_stop(ms(3)) {
            rounds += 1;
        }
        rounds
    });

    // Main does its own work, and waits as any task does.
    println!("in time: {}", done.wait_timeout(ms(100)));
    println!("transfer done after {} ms", now().as_millis());
    sleep(ms(20));
    worker.stop();
    let rounds = worker.join()?;
    let switches = rt.statistics().switches;
    println!("the worker made {rounds} rounds until it was stopped");
    println!("the gadget was polled {} times", polls.get());
    println!("the device served {} requests", device.lock().requests);
    println!(
        "{switches} switches in {} ms: {}",
        now().as_millis(),
        if switches >= now().as_millis() as u64 {
            "often enough"
        } else {
            "too seldom"
        },
    );
    rt.run()?;
    Ok(())
}
