//! Who owns a stack, and what must be copied before a coroutine may run.
//!
//! A *shared stack* has at most one *owner*: the coroutine whose bytes are on it. Every other
//! live coroutine of that stack is *out*: its bytes, the *image*, are in its *save stack*. Saving
//! is lazy: the owner's bytes stay where they are when it yields, and nothing at all is copied
//! when it runs again. A coroutine that has not run yet is out as well; its image is the initial
//! frame that its creator prepared, so a first resume needs no rule of its own.
//!
//! An *own stack* is the same thing with exactly one coroutine, which owns it from the start.
//!
//! ```
//! use costack_engine::share::{Plan, Coroutine, Stack};
//!
//! let mut stack = Stack::shared();
//! let mut a = Coroutine::out(64);
//! let mut b = Coroutine::out(64);
//! stack.bind('A');
//! stack.bind('B');
//!
//! // The stack is free, so A's initial image is all there is to copy.
//! let plan = stack.plan_resume('A', &a).unwrap();
//! assert_eq!(plan, Plan::Exchange { evict: None, restore: 64 });
//! stack.resumed('A', &mut a, None);
//! stack.yielded(&mut a, 96);
//!
//! // B needs the stack: A's 96 bytes go out, B's 64 come in.
//! let plan = stack.plan_resume('B', &b).unwrap();
//! assert_eq!(plan, Plan::Exchange { evict: Some(('A', 96)), restore: 64 });
//! stack.resumed('B', &mut b, Some(&mut a));
//! assert_eq!(a.image(), Some(96));
//! ```

use crate::Refusal;
use core::fmt;

/// Where a coroutine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// Made, and not resumed yet.
    Fresh,
    /// Has yielded and may be resumed.
    Suspended,
    /// On the CPU, or waiting for a coroutine that it has resumed itself.
    Running,
    /// Ended; it never runs again.
    Finished,
}

/// What the engine keeps of one coroutine: eight bytes, in one word, so that a switch changes all
/// of it with one store.
#[derive(Clone, PartialEq, Eq)]
pub struct Coroutine {
    /// Bits 0 to 31: bytes of the image while out; bytes in use on the stack while it is the
    /// suspended owner. Bits 32 to 39: the status. Bit 40: it is out.
    word: u64,
}

impl Coroutine {
    const OUT: u64 = 1 << 40;

    #[inline(always)]
    const fn new(bytes: u32, status: Status, out: bool) -> Self {
        Coroutine {
            word: bytes as u64 | (status as u64) << 32 | if out { Self::OUT } else { 0 },
        }
    }

    /// A fresh coroutine whose initial frame of `image_bytes` is in its save stack.
    pub const fn out(image_bytes: u32) -> Self {
        Self::new(image_bytes, Status::Fresh, true)
    }

    /// A fresh coroutine whose initial frame is in place on a stack of its own.
    pub const fn in_place() -> Self {
        Self::new(0, Status::Fresh, false)
    }

    /// Where it is in its life.
    #[inline(always)]
    pub const fn status(&self) -> Status {
        match (self.word >> 32) as u8 {
            0 => Status::Fresh,
            1 => Status::Suspended,
            2 => Status::Running,
            _ => Status::Finished,
        }
    }

    #[inline(always)]
    const fn is_out(&self) -> bool {
        self.word & Self::OUT != 0
    }

    /// Bytes in its save stack, or `None` while its bytes are on the stack or it has finished.
    #[inline(always)]
    pub const fn image(&self) -> Option<u32> {
        if self.is_out() {
            Some(self.bytes())
        } else {
            None
        }
    }

    /// Bytes of the image while out; bytes in use on the stack while it is the suspended owner.
    #[inline(always)]
    pub const fn bytes(&self) -> u32 {
        self.word as u32
    }
}

impl fmt::Debug for Coroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("bytes", &self.bytes())
            .field("status", &self.status())
            .field("out", &self.is_out())
            .finish()
    }
}

/// What a backend must do to resume a coroutine, in this order: save, restore, switch.
///
/// A plan changes nothing by itself, so a backend that cannot carry it out (no memory for the
/// save stack) reports that and everything is as it was. Once the copies are made, it calls
/// [`Stack::resumed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a plan is carried out by the backend, then confirmed with `Stack::resumed`"]
pub enum Plan<K> {
    /// The coroutine's bytes are on its stack: switch at once, nothing is copied.
    Switch,
    /// The coroutine's bytes are out.
    Exchange {
        /// The owner to save first, and how many bytes it has in use: those from its stack
        /// pointer up to the top of the stack. `None` when the stack is free.
        evict: Option<(K, u32)>,
        /// How many bytes to copy back from the save stack of the coroutine to resume, to end at
        /// the top of the stack.
        restore: u32,
    },
}

/// More than a stack can hold.
const BUSY: u32 = u32::MAX;

/// One stack: who owns it, and who may.
///
/// `K` names a coroutine; the backend chooses what it is (an index, an address). All methods take
/// the coroutine's own record beside its key, because the backend keeps both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack<K> {
    /// The coroutine whose bytes are on the stack.
    owner: Option<K>,
    /// How many bytes of it are, or [`BUSY`]: the owner is running, or waits for one that it has
    /// resumed.
    used: u32,
    /// Own stacks take one coroutine only.
    own: bool,
    /// Live coroutines bound to this stack.
    live: u32,
}

impl<K: Copy + Eq> Stack<K> {
    /// A stack that many coroutines may share.
    pub const fn shared() -> Self {
        Stack {
            owner: None,
            used: 0,
            own: false,
            live: 0,
        }
    }

    /// A stack for one coroutine only.
    pub const fn own() -> Self {
        Stack {
            owner: None,
            used: 0,
            own: true,
            live: 0,
        }
    }

    /// The coroutine whose bytes are on the stack now.
    #[inline(always)]
    pub fn owner(&self) -> Option<K> {
        self.owner
    }

    /// Whether this is an own stack.
    pub const fn is_own(&self) -> bool {
        self.own
    }

    /// How many live coroutines are bound to the stack.
    pub const fn live(&self) -> u32 {
        self.live
    }

    /// Binds one more coroutine to the stack. That of an own stack owns it from now on, as its
    /// initial frame is in place.
    ///
    /// # Errors
    /// [`Refusal::OwnStackTaken`] for the second live coroutine of an own stack.
    pub fn try_bind(&mut self, key: K) -> Result<(), Refusal> {
        if self.own {
            if self.live > 0 {
                return Err(Refusal::OwnStackTaken);
            }
            self.owner = Some(key);
            self.used = 0;
        }
        self.live += 1;
        Ok(())
    }

    /// Binds one more coroutine to a shared stack.
    ///
    /// # Panics
    /// If this is an own stack that is taken already; [`try_bind`](Self::try_bind) says so with
    /// an error.
    pub fn bind(&mut self, key: K) {
        self.try_bind(key)
            .expect("an own stack takes one coroutine");
    }

    /// Says what must be done so that `key` may run.
    ///
    /// # Errors
    /// - [`Refusal::Finished`], [`Refusal::Running`]: as the coroutine's status says.
    /// - [`Refusal::StackInUse`]: the stack's owner is running, or waits for the one it resumed;
    ///   so a coroutine can never resume another one of its own stack.
    #[inline(always)]
    pub fn plan_resume(&self, key: K, coroutine: &Coroutine) -> Result<Plan<K>, Refusal> {
        match coroutine.status() {
            Status::Finished => return Err(Refusal::Finished),
            Status::Running => return Err(Refusal::Running),
            Status::Fresh | Status::Suspended => {}
        }
        if self.used == BUSY {
            return Err(Refusal::StackInUse);
        }
        if !coroutine.is_out() {
            debug_assert!(
                self.own || self.owner() == Some(key),
                "only the owner is in place"
            );
            return Ok(Plan::Switch);
        }
        Ok(Plan::Exchange {
            evict: self.owner.map(|owner| (owner, self.used)),
            restore: coroutine.bytes(),
        })
    }

    /// Confirms that the plan for `key` was carried out: it owns the stack and runs.
    ///
    /// `evicted` is the record of the coroutine that the plan said to evict.
    #[inline(always)]
    pub fn resumed(&mut self, key: K, coroutine: &mut Coroutine, evicted: Option<&mut Coroutine>) {
        if let Some(evicted) = evicted {
            debug_assert_eq!(
                evicted.status(),
                Status::Suspended,
                "only a suspended owner is evicted"
            );
            debug_assert_eq!(self.used, evicted.bytes(), "the evicted one is the owner");
            *evicted = Coroutine::new(evicted.bytes(), Status::Suspended, true);
        }
        self.owner = Some(key);
        self.used = BUSY;
        *coroutine = Coroutine::new(coroutine.bytes(), Status::Running, false);
    }

    /// The running owner has switched back to its resumer and left `bytes` in use: from its stack
    /// pointer up to the top of the stack.
    #[inline(always)]
    pub fn yielded(&mut self, coroutine: &mut Coroutine, bytes: u32) {
        debug_assert_eq!(coroutine.status(), Status::Running);
        debug_assert_ne!(bytes, BUSY);
        *coroutine = Coroutine::new(bytes, Status::Suspended, false);
        self.used = bytes;
    }

    /// How many bytes to copy back so that `coroutine` may run in place of the owner, which has
    /// yielded without a word to the engine. `None` when it may not, or its bytes are in place:
    /// then [`yielded`](Self::yielded) and [`plan_resume`](Self::plan_resume) say more.
    ///
    /// With [`handed_over`](Self::handed_over) this is what a backend needs that hears of a yield
    /// only when something else is to be done with the stack: half the stores.
    #[inline(always)]
    pub fn plan_hand_over(&self, coroutine: &Coroutine) -> Option<u32> {
        debug_assert_eq!(
            self.used, BUSY,
            "the owner runs, as far as the engine knows"
        );
        match coroutine.status() {
            Status::Fresh | Status::Suspended => coroutine.image(),
            Status::Running | Status::Finished => None,
        }
    }

    /// Confirms that the owner, which had yielded and left `bytes` in use, was saved, and the image
    /// of `key` copied back: the same as `yielded`, `plan_resume` and `resumed`.
    #[inline(always)]
    pub fn handed_over(
        &mut self,
        owner: &mut Coroutine,
        bytes: u32,
        key: K,
        coroutine: &mut Coroutine,
    ) {
        debug_assert_eq!(owner.status(), Status::Running);
        debug_assert_ne!(bytes, BUSY);
        *owner = Coroutine::new(bytes, Status::Suspended, true);
        self.owner = Some(key);
        *coroutine = Coroutine::new(coroutine.bytes(), Status::Running, false);
    }

    /// The running owner has ended. The stack is free; nothing of it is ever saved.
    #[inline(always)]
    pub fn finished(&mut self, coroutine: &mut Coroutine) {
        debug_assert_eq!(coroutine.status(), Status::Running);
        *coroutine = Coroutine::new(coroutine.bytes(), Status::Finished, false);
        self.used = 0;
        self.owner = None;
        self.live -= 1;
    }

    /// Frees a coroutine that is not running. If it owns the stack, the stack becomes free
    /// without a save. Freeing a finished one changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Running`]: its frames are in use.
    pub fn free(&mut self, key: K, coroutine: &mut Coroutine) -> Result<(), Refusal> {
        match coroutine.status() {
            Status::Running => return Err(Refusal::Running),
            Status::Finished => return Ok(()),
            Status::Fresh | Status::Suspended => {}
        }
        if self.owner() == Some(key) {
            self.owner = None;
        }
        *coroutine = Coroutine::new(0, Status::Finished, false);
        self.live -= 1;
        Ok(())
    }

    /// Whether the stack's memory may be given back.
    ///
    /// # Errors
    /// [`Refusal::StackHasCoroutines`] while live coroutines are bound to it.
    pub fn check_destroy(&self) -> Result<(), Refusal> {
        match self.live {
            0 => Ok(()),
            live => Err(Refusal::StackHasCoroutines { live }),
        }
    }
}
