//! Coroutines that share one stack, each resume evicting another: the image's size is what
//! varies. And what the copies alone cost.

use crate::bare;
use costack::{Builder, Coroutine, Event, SharedStack, State, Yielder};
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

type Co = Coroutine<usize, usize, usize>;

/// Makes a ring with a number of words that is known only when the program runs.
macro_rules! rings {
    ($($words:literal),*) => {
        /// Words of a local array, which make the image's size: from that of a function without
        /// any to 64 KiB.
        pub const PADDINGS: &[usize] = &[$($words),*];

        fn padded(count: usize, padding: usize, fp: bool, how: How) -> Ring {
            match padding {
                $($words => Ring::padded::<$words>(count, fp, how),)*
                _ => panic!("no shape with {padding} words"),
            }
        }
    };
}

#[cfg(target_pointer_width = "64")]
rings![0, 1, 4, 10, 22, 54, 116, 244, 500, 1012, 2036, 4084, 8180];
#[cfg(target_pointer_width = "32")]
rings![
    0, 1, 4, 10, 22, 54, 116, 244, 500, 1012, 2036, 4084, 8180, 16370
];

/// In which order coroutines are resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other as they were made.
    InOrder,
    /// All of them once, shuffled, and then again the same way.
    Random,
    /// Each time any of them.
    Chance,
}

/// How a ring is made and turned.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// The order of the resumes.
    pub order: Order,
    /// How many stacks the coroutines share.
    pub stacks: usize,
    /// How many resumes ahead the next ones are fetched into the cache; 0 for not at all.
    pub ahead: usize,
}

impl How {
    /// In order, on one stack.
    pub const PLAIN: How = How {
        order: Order::InOrder,
        stacks: 1,
        ahead: 0,
    };
}

/// Makes and starts the task of a number, on one of the stacks.
type Maker = Box<dyn Fn(&[SharedStack], usize) -> Co>;

/// A number of coroutines on shared stacks, to be resumed in turn.
pub struct Ring {
    /// Bytes of each image, as saved.
    pub image_bytes: usize,
    make: Maker,
    tasks: Vec<Co>,
    /// Positions of the tasks, in the order of their resumes; empty when that is their own.
    order: Vec<u32>,
    next: usize,
    ahead: usize,
    // Dropped after the coroutines.
    stacks: Vec<SharedStack>,
}

impl Ring {
    /// `count` coroutines with `padding` words on their stacks, which is one of [`PADDINGS`].
    ///
    /// # Panics
    /// When there is no memory, or `padding` is another number.
    #[must_use]
    pub fn new(count: usize, padding: usize, fp: bool, how: How) -> Self {
        padded(count, padding, fp, how)
    }

    fn padded<const WORDS: usize>(count: usize, fp: bool, how: How) -> Self {
        Self::with(count, fp, how, || {
            |yielder: &Yielder<usize, usize>, mut value: usize| {
                let mut padding = [value; WORDS];
                loop {
                    if WORDS > 0 {
                        padding[value % WORDS.max(1)] = value;
                        black_box(&mut padding);
                    }
                    value = yielder.suspend(value);
                }
            }
        })
    }

    /// `count` coroutines that run what `make` makes.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn with<F>(count: usize, fp: bool, how: How, function: impl Fn() -> F + 'static) -> Self
    where
        F: FnOnce(&Yielder<usize, usize>, usize) -> usize + 'static,
    {
        Self::of(count, how, move |stack| {
            let builder = Builder::new().keep_fp(fp);
            // SAFETY: the shapes here yield numbers only, so no pointer into a frame gets out.
            unsafe { builder.build_shared(stack, function()) }.expect("memory")
        })
    }

    /// `count` coroutines [in assembly](crate::bare), with images of so many bytes.
    ///
    /// # Panics
    /// When there is no memory, no function makes such an image, or the engine saves another one.
    #[must_use]
    pub fn bare(count: usize, image_bytes: usize, how: How) -> Self {
        let ring = Self::of(count, how, move |stack| bare::new(stack, image_bytes));
        assert_eq!(ring.image_bytes, image_bytes, "what is saved is the image");
        ring
    }

    fn of(count: usize, how: How, fresh: impl Fn(&SharedStack) -> Co + 'static) -> Self {
        let stacks: Vec<_> = (0..how.stacks)
            .map(|_| SharedStack::new(256 * 1024).expect("memory for a stack"))
            .collect();
        let make = move |stacks: &[SharedStack], number: usize| {
            let mut co = fresh(&stacks[number % stacks.len()]);
            co.resume(0);
            co
        };
        let image_bytes = image_bytes(&stacks[0], || make(&stacks[..1], 0));
        let order = match how.order {
            Order::InOrder => Vec::new(),
            Order::Random => shuffled(count),
            Order::Chance => {
                let mut chance = Chance::new();
                (0..CHANCES).map(|_| chance.below(count) as u32).collect()
            }
        };
        let mut ring = Ring {
            image_bytes,
            make: Box::new(make),
            tasks: Vec::new(),
            order,
            next: 0,
            ahead: how.ahead,
            stacks,
        };
        ring.reserve(count);
        ring.grow(count);
        ring
    }

    /// Makes room for the handles of so many.
    pub fn reserve(&mut self, count: usize) {
        self.tasks.reserve_exact(count - self.tasks.len());
    }

    /// Makes more, until there are so many. In a random order only the first take part.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn grow(&mut self, count: usize) {
        let made = self.tasks.len();
        let (make, stacks) = (&self.make, &self.stacks);
        self.tasks
            .extend((made..count).map(|number| make(stacks, number)));
    }

    /// Fetches so many resumes ahead from now on.
    pub fn fetch_ahead(&mut self, ahead: usize) {
        self.ahead = ahead;
    }

    /// That many round trips, each of which evicts the one before unless it is of another stack.
    #[inline(never)]
    pub fn turn(&mut self, trips: u64) {
        match (self.order.is_empty(), self.ahead) {
            (true, 0) => self.turn_as::<true, false>(trips),
            (true, _) => self.turn_as::<true, true>(trips),
            (false, 0) => self.turn_as::<false, false>(trips),
            (false, _) => self.turn_as::<false, true>(trips),
        }
    }

    #[inline(always)]
    fn turn_as<const IN_ORDER: bool, const AHEAD: bool>(&mut self, trips: u64) {
        let (mut value, mut next) = (1, self.next);
        let len = if IN_ORDER {
            self.tasks.len()
        } else {
            self.order.len()
        };
        let ahead = self.ahead;
        for _ in 0..trips {
            if AHEAD && next + ahead < len {
                let at = next + ahead;
                let at = if IN_ORDER {
                    at
                } else {
                    self.order[at] as usize
                };
                self.tasks[at].prefetch();
            }
            let at = if IN_ORDER {
                next
            } else {
                self.order[next] as usize
            };
            let (State::Yielded(got) | State::Returned(got)) = self.tasks[at].resume(value);
            value = got;
            next += 1;
            if next == len {
                next = 0;
            }
        }
        self.next = next;
        black_box(value);
    }

    /// The part of the resumes that find their task still on its stack, over one turn of all.
    #[must_use]
    pub fn hit_ratio(&mut self) -> f64 {
        let evictions = Rc::new(Cell::new(0u64));
        for stack in &self.stacks {
            let evictions = Rc::clone(&evictions);
            stack.observe(move |event| {
                if let Event::Restore { .. } = event {
                    evictions.set(evictions.get() + 1);
                }
            });
        }
        let resumes = self.tasks.len().max(self.order.len()) as u64;
        self.turn(resumes);
        self.stacks.iter().for_each(SharedStack::stop_observing);
        1.0 - evictions.get() as f64 / resumes as f64
    }

    /// Bytes of all save stacks and control blocks.
    #[must_use]
    pub fn save_bytes(&self) -> usize {
        self.stacks.iter().map(SharedStack::save_bytes).sum()
    }

    /// Leaves all coroutines as they are, unwound by nobody, for a program that ends now: the
    /// system takes ten million freed pieces back faster at once.
    pub fn leave(self) {
        std::mem::forget(self.tasks);
        std::mem::forget(self.stacks);
    }
}

/// How many resumes by chance there are before they repeat.
const CHANCES: usize = 10_000;

/// All numbers below `count`, shuffled the same way each time.
#[must_use]
pub fn shuffled(count: usize) -> Vec<u32> {
    Chance::new().shuffled(count)
}

/// Xorshift: what is wanted is no order, not chance.
pub struct Chance(u64);

impl Chance {
    /// Goes the same way each time.
    #[expect(clippy::new_without_default)]
    #[must_use]
    pub fn new() -> Self {
        Chance(0x9e37_79b9_7f4a_7c15)
    }

    /// All numbers below `count`, in another order than before.
    #[must_use]
    pub fn shuffled(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count as u32).collect();
        for at in (1..count).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Lets two coroutines evict each other once and reads off how much is saved.
fn image_bytes(stack: &SharedStack, make: impl Fn() -> Co) -> usize {
    let seen = Rc::new(Cell::new(0));
    let sink = Rc::clone(&seen);
    stack.observe(move |event| {
        if let Event::Save { bytes, .. } = event {
            sink.set(bytes as usize);
        }
    });
    let pair = [make(), make()];
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
