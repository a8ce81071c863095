//! What coop gives: two functions that yield and finish, on stacks that the caller brings, of
//! 4 KiB each.
//!
//! `cargo run -p costack --example coop`

use costack::stack::StackMemory;
use costack::{Runtime, yield_now};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Memory from the allocator: no mapping, no guard page, exactly what was asked for.
struct Stack {
    start: NonNull<u8>,
}

const LAYOUT: Layout = match Layout::from_size_align(4096, 16) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};

impl Stack {
    fn new() -> Self {
        // SAFETY: the layout is not empty.
        match NonNull::new(unsafe { alloc(LAYOUT) }) {
            Some(start) => Stack { start },
            None => handle_alloc_error(LAYOUT),
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        println!("a stack of {} bytes comes back to its owner", LAYOUT.size());
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.start.as_ptr(), LAYOUT) };
    }
}

// SAFETY: the memory is this value's alone, stays where it is, and is freed when it is dropped.
unsafe impl StackMemory for Stack {
    fn bottom(&self) -> usize {
        self.start.as_ptr().expose_provenance()
    }

    fn top(&self) -> usize {
        self.bottom() + LAYOUT.size()
    }
}

/// Tells a line. Printing takes more stack than a task here has, so main does it.
type Tell = std::rc::Rc<std::cell::RefCell<Vec<(&'static str, u32)>>>;

pub(crate) fn main() -> Result<(), costack::runtime::Deadlock> {
    let mut rt = Runtime::new();
    let lines = Tell::default();
    for (name, rounds) in [("ping", 3), ("pong", 2)] {
        let lines = lines.clone();
        let task = rt.task().name(name).on(Stack::new()).spawn(move || {
            for round in 1..=rounds {
                lines.borrow_mut().push((name, round));
                yield_now();
            }
        });
        task.detach();
    }
    rt.run()?;
    for (name, round) in lines.borrow().iter() {
        println!("{name} {round}");
    }
    Ok(())
}
