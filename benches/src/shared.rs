//! Coroutines that share one stack, each resume evicting another: the image's size is what
//! varies. And what the copies alone cost.

use costack::{Coroutine, Event, SharedStack, State, Yielder};
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

type Co = Coroutine<usize, usize, usize>;

/// Words of a local array that give images of about 96 and 256 B, 1 KiB and 8 KiB; none gives the
/// smallest.
pub const PADDINGS: [usize; 5] = [0, 4, 22, 116, 1012];

/// A number of coroutines on one stack, to be resumed in turn.
pub struct Ring {
    /// Bytes of each image, as saved.
    pub image_bytes: usize,
    tasks: Vec<Co>,
    next: usize,
    // Dropped after the coroutines.
    stack: SharedStack,
}

impl Ring {
    /// `count` coroutines with `padding` words on their stacks, which is one of [`PADDINGS`].
    ///
    /// # Panics
    /// When there is no memory, or `padding` is another number.
    #[must_use]
    pub fn new(count: usize, padding: usize) -> Self {
        match padding {
            0 => Self::with(count, || {
                |yielder, mut value| {
                    loop {
                        value = yielder.suspend(value);
                    }
                }
            }),
            4 => Self::padded::<4>(count),
            22 => Self::padded::<22>(count),
            116 => Self::padded::<116>(count),
            1012 => Self::padded::<1012>(count),
            _ => panic!("no shape with {padding} words"),
        }
    }

    fn padded<const WORDS: usize>(count: usize) -> Self {
        Self::with(count, || {
            |yielder, mut value| {
                let mut padding = [value; WORDS];
                loop {
                    padding[value % WORDS] = value;
                    black_box(&mut padding);
                    value = yielder.suspend(value);
                }
            }
        })
    }

    /// `count` coroutines that run what `make` makes.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn with<F>(count: usize, make: impl Fn() -> F) -> Self
    where
        F: FnOnce(&Yielder<usize, usize>, usize) -> usize + 'static,
    {
        let stack = SharedStack::new(256 * 1024).expect("memory for a stack");
        // SAFETY: the shapes here yield numbers only, so no pointer into a frame gets out.
        let add = || unsafe { Coroutine::new_shared(&stack, make()) }.expect("memory");
        let image_bytes = image_bytes(&stack, [add(), add()]);
        let tasks = (0..count)
            .map(|_| {
                let mut task = add();
                task.resume(0);
                task
            })
            .collect();
        Ring {
            image_bytes,
            tasks,
            next: 0,
            stack,
        }
    }

    /// That many round trips, each of which evicts the one before.
    #[inline(never)]
    pub fn turn(&mut self, trips: u64) {
        let (mut value, mut next) = (1, self.next);
        for _ in 0..trips {
            let (State::Yielded(got) | State::Returned(got)) = self.tasks[next].resume(value);
            value = got;
            next += 1;
            if next == self.tasks.len() {
                next = 0;
            }
        }
        self.next = next;
        black_box(value);
    }

    /// Bytes of all save stacks and control blocks.
    #[must_use]
    pub fn save_bytes(&self) -> usize {
        self.stack.save_bytes()
    }
}

/// Lets two coroutines evict each other once and reads off how much is saved.
fn image_bytes(stack: &SharedStack, mut pair: [Co; 2]) -> usize {
    let seen = Rc::new(Cell::new(0));
    let sink = Rc::clone(&seen);
    stack.observe(move |event| {
        if let Event::Save { bytes, .. } = event {
            sink.set(bytes as usize);
        }
    });
    for co in &mut pair {
        co.resume(0);
    }
    drop(pair);
    stack.stop_observing();
    seen.get()
}

/// Two plain copies for each round trip, of the same size and over as many buffers as a [`Ring`]
/// has save stacks: what an eviction costs at the least.
pub struct Copies {
    bytes: usize,
    stack: Vec<u8>,
    buffers: Vec<Vec<u8>>,
    next: usize,
}

impl Copies {
    /// As many buffers of that size.
    #[must_use]
    pub fn new(count: usize, bytes: usize) -> Self {
        Copies {
            bytes,
            stack: vec![1; 256 * 1024],
            buffers: (0..count).map(|_| vec![2; bytes]).collect(),
            next: 0,
        }
    }

    /// That many times: the stack to one buffer, the next buffer to the stack.
    #[inline(never)]
    pub fn turn(&mut self, trips: u64) {
        let top = self.stack.len();
        for _ in 0..trips {
            let (evicted, mut next) = (self.next, self.next + 1);
            if next == self.buffers.len() {
                next = 0;
            }
            let bytes = black_box(self.bytes);
            let low = self.stack[top - bytes..].as_mut_ptr();
            // SAFETY: a buffer has that many bytes, and so has the stack below its top.
            unsafe {
                low.copy_to_nonoverlapping(self.buffers[evicted].as_mut_ptr(), bytes);
                low.copy_from_nonoverlapping(self.buffers[next].as_ptr(), bytes);
            }
            self.next = next;
        }
        black_box(&mut self.stack);
    }
}
