//! What tasks wait for: each other.
//!
//! All of these belong to the runtime of the thread that makes them. All queues are first in,
//! first out, and what is released is handed over to the first that waits.

mod channel;
mod completion;
mod mutex;
mod select;
mod wait_queue;
mod work_queue;

pub use channel::{Receiver, SendError, Sender, channel};
pub use completion::{Completion, Event};
pub use mutex::{Mutex, MutexGuard};
pub use select::Select;
pub use wait_queue::WaitQueue;
pub use work_queue::WorkQueue;

use std::time::Duration;

use crate::runtime::{Core, to_us};

/// When a wait that begins now ends at the latest.
fn due_us(core: &Core, time: Duration) -> Option<u64> {
    Some(core.now_us().saturating_add(to_us(time)))
}
