//! Typed coroutines.

use crate::arch::Word;
use crate::head::{Head, Kind, Stage, Yielder, left_with, resumed_with};
use crate::own::{self, OwnControl, Traits};
use crate::shared::{Shared, SharedStack};
use crate::stack::StackMemory;
use crate::statistics::Statistics;
use crate::unwind;
use crate::value::{pack, unpack};
use crate::{Error, Refused, resume};
use core::fmt;
use core::hint::cold_path;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Range;
use core::ptr::NonNull;

/// What a coroutine did with the CPU that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<Yield, Return> {
    /// It yielded this and can be resumed.
    Yielded(Yield),
    /// It returned this and has finished.
    Returned(Return),
}

impl<Yield, Return> State<Yield, Return> {
    /// The yielded value.
    pub fn yielded(self) -> Option<Yield> {
        match self {
            State::Yielded(value) => Some(value),
            State::Returned(_) => None,
        }
    }

    /// The returned value.
    pub fn returned(self) -> Option<Return> {
        match self {
            State::Yielded(_) => None,
            State::Returned(value) => Some(value),
        }
    }
}

/// The number of a coroutine, unique among those of its thread until 2³² have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A function with a stack, which can stop at any depth of calls and go on later.
///
/// [`resume`](Self::resume) runs it until it calls [`Yielder::suspend`] or returns. Values go both
/// ways, of any size, without a heap allocation.
///
/// ```
/// use costack::{Coroutine, State};
///
/// let mut sum = Coroutine::new(|yielder, mut number: u32| {
///     let mut total = 0;
///     while number != 0 {
///         total += number;
///         number = yielder.suspend(total);
///     }
///     "done"
/// })?;
/// assert_eq!(sum.resume(3), State::Yielded(3));
/// assert_eq!(sum.resume(4), State::Yielded(7));
/// assert_eq!(sum.resume(0), State::Returned("done"));
/// # Ok::<(), costack::Error>(())
/// ```
///
/// # How a coroutine ends
/// - Its function returns: `resume` gives [`State::Returned`].
/// - It panics: the panic goes on in whoever resumed it, with its payload.
/// - It is dropped while suspended: its stack is unwound, so that the destructors of all its
///   frames run. A shared one that is out is brought back first. A coroutine that catches this
///   unwinding with `catch_unwind` and goes on is unwound again at its next `suspend`; one that
///   does so many times over is given up: it never runs again, its destructors do not run, and its
///   stack is leaked. A destructor that yields during this unwinding ends the process with
///   a message. A destructor that yields during an ordinary panic does yield, and
///   `std::thread::panicking` stays true meanwhile.
/// - Without the crate feature `unwind`, a panic ends the process, and dropping a suspended
///   coroutine leaks its stack without running destructors.
///
/// # Threads
/// It stays on its thread:
/// ```compile_fail,E0277
/// let mut co = costack::Coroutine::new(|_, ()| ()).unwrap();
/// let _: costack::State<(), ()> = std::thread::spawn(move || co.resume(())).join().unwrap();
/// ```
pub struct Coroutine<Input, Yield, Return> {
    head: NonNull<Head>,
    marker: PhantomData<fn(Input) -> (Yield, Return)>,
}

/// How many times a coroutine that is being dropped may catch its unwinding before it is given up.
const UNWIND_ATTEMPTS: usize = 8;

impl<Input, Yield, Return> Coroutine<Input, Yield, Return>
where
    Input: 'static,
    Yield: 'static,
    Return: 'static,
{
    /// A coroutine on a stack of its own, of the default size, from this thread's pool.
    ///
    /// # Errors
    /// When there is no memory for a stack.
    #[cfg(feature = "std")]
    #[inline]
    pub fn new<F>(function: F) -> Result<Self, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        let stack = crate::stack::PooledStack::new(crate::stack::DEFAULT_STACK_BYTES)?;
        Self::with_stack(stack, function)
    }

    /// A coroutine on the given stack, which is given back when the coroutine is dropped.
    ///
    /// ```
    /// use costack::{Coroutine, State, stack::GuardedStack};
    ///
    /// let stack = GuardedStack::new(64 * 1024)?;
    /// let mut co = Coroutine::with_stack(stack, |_: &costack::Yielder<i32, ()>, n| n + 1)?;
    /// assert_eq!(co.resume(1), State::Returned(2));
    /// # Ok::<(), costack::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the stack is too small for the closure and a minimum of room to run.
    #[inline]
    pub fn with_stack<S, F>(stack: S, function: F) -> Result<Self, Error>
    where
        S: StackMemory + 'static,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        Self::on_own_stack(
            stack,
            Traits {
                fp: false,
                name: None,
                id: next_id(),
                counts: false,
            },
            function,
        )
    }

    /// A coroutine on a shared stack. Its bytes are copied out to a save stack when another
    /// coroutine of that stack runs, and copied back to the same addresses before it goes on.
    ///
    /// ```
    /// use costack::{Coroutine, SharedStack, State};
    ///
    /// let stack = SharedStack::new(64 * 1024)?;
    /// let count = |yielder: &costack::Yielder<(), u32>, ()| {
    ///     for number in 1.. {
    ///         yielder.suspend(number);
    ///     }
    /// };
    /// // SAFETY: no pointer into the coroutines' frames leaves them.
    /// let (mut a, mut b) = unsafe {
    ///     (Coroutine::new_shared(&stack, count)?, Coroutine::new_shared(&stack, count)?)
    /// };
    /// assert_eq!(a.resume(()), State::Yielded(1));
    /// assert_eq!(b.resume(()), State::Yielded(1)); // evicts `a`
    /// assert_eq!(a.resume(()), State::Yielded(2)); // evicts `b`, brings `a` back
    /// # Ok::<(), costack::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no memory for its save stack, or the closure leaves no room on the stack.
    ///
    /// # Safety
    /// While the coroutine is suspended, another one's bytes may be where its frames were. So
    /// nobody may use a pointer or reference into its frames (its local variables, its closure's
    /// captured values) meanwhile: what it yields, and what it leaves in shared places, must not
    /// contain any.
    pub unsafe fn new_shared<F>(stack: &SharedStack, function: F) -> Result<Self, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        let traits = Traits {
            fp: false,
            name: None,
            id: next_id(),
            counts: false,
        };
        // SAFETY: the caller's promise.
        unsafe { Self::on_shared_stack(stack, traits, function) }
    }
}

impl<Input, Yield, Return> Coroutine<Input, Yield, Return> {
    /// The coroutine may outlive what its function borrows only if the caller sees to it that it does
    /// not run any more by then.
    #[inline]
    pub(crate) fn on_own_stack<S, F>(stack: S, traits: Traits, function: F) -> Result<Self, Error>
    where
        S: StackMemory,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
    {
        let begin = unwind::begin::<Input, Yield, Return, F>;
        Ok(Self::of(own::lay_out(stack, traits, begin, function)?))
    }

    /// # Safety
    /// As for [`new_shared`](Self::new_shared).
    pub(crate) unsafe fn on_shared_stack<F>(
        stack: &SharedStack,
        traits: Traits,
        function: F,
    ) -> Result<Self, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
    {
        let begin = unwind::begin::<Input, Yield, Return, F>;
        Ok(Self::of(stack.add(traits, begin, function)?))
    }

    /// The coroutine that was just laid out.
    #[inline(always)]
    pub(crate) fn of(head: NonNull<Head>) -> Self {
        Coroutine {
            head,
            marker: PhantomData,
        }
    }

    #[inline(always)]
    fn head(&self) -> &Head {
        // SAFETY: the head lives until `drop` releases it; only `Cell`s in it change.
        unsafe { self.head.as_ref() }
    }

    /// Runs the coroutine until it yields or returns.
    ///
    /// # Panics
    /// - When it panics: with the same payload.
    /// - When it cannot be resumed: see [`try_resume`](Self::try_resume).
    #[inline(always)]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        match self.try_resume(input) {
            Ok(state) => state,
            Err(refused) => refuse(&refused.error),
        }
    }

    /// As [`resume`](Self::resume), and a coroutine that cannot be resumed is an error.
    ///
    /// ```
    /// let mut co = costack::Coroutine::<(), (), u8>::new(|_, ()| 1)?;
    /// co.resume(());
    /// let refused = co.try_resume(()).unwrap_err();
    /// assert_eq!(refused.error.refusal(), Some(costack::Refusal::Finished));
    /// # Ok::<(), costack::Error>(())
    /// ```
    ///
    /// # Errors
    /// The input comes back, and nothing has changed:
    /// - [`Refusal::Finished`](crate::Refusal::Finished): it has returned or panicked.
    /// - [`Refusal::StackInUse`](crate::Refusal::StackInUse): it shares its stack with the coroutine that tries to resume it,
    ///   or with one that waits for that.
    /// - [out of memory](Error::is_out_of_memory): the owner of the shared stack could not be
    ///   saved.
    ///
    /// # Panics
    /// When it panics: with the same payload.
    #[inline(always)]
    pub fn try_resume(&mut self, input: Input) -> Result<State<Yield, Return>, Refused<Input>> {
        let head = self.head();
        let sp = head.sp.get();
        if sp != 0 {
            let input = ManuallyDrop::new(input);
            // SAFETY: an sp that is not zero is that of an integer-flavour coroutine on its own
            // stack, not finished; and it is not running either, because that would take a second
            // `&mut` to it. Its bytes are in place, for an own stack holds nobody else's.
            let arrived = unsafe { head.switch_in(sp, pack(&input), resumed_with::INPUT) };
            // SAFETY: these are the types that it was created with.
            return Ok(unsafe { Self::arrived(head, arrived.value, arrived.tag) });
        }
        let slot = ManuallyDrop::new(input);
        if head.kind.get() == Kind::OwnFp {
            cold_path();
            // SAFETY: as above, and the kind says that the head is in such a control block, of that
            // flavour.
            return Ok(unsafe {
                let control = self.head.cast::<OwnControl>().as_ref();
                let arrived = control.switch_in_fp(pack(&slot), resumed_with::INPUT);
                Self::arrived(head, arrived.value, arrived.tag)
            });
        }
        let mut error = MaybeUninit::uninit();
        // SAFETY: `self` is the one `&mut`; the value is an input.
        let (value, tag) =
            unsafe { resume::resume(self.head, pack(&slot), resumed_with::INPUT, &mut error) };
        // SAFETY: all but the kind above leave zero there. Saying so lets the compiler keep the
        // stack pointer of a coroutine that is resumed in a loop in a register.
        unsafe { core::hint::assert_unchecked(self.head().sp.get() == 0) };
        if tag == left_with::YIELDED {
            // SAFETY: the tag says that this is a yielded value, not read yet.
            return Ok(State::Yielded(unsafe { unpack(value) }));
        }
        if tag == resume::REFUSED {
            let value = ManuallyDrop::into_inner(slot);
            // SAFETY: written when the tag is this one.
            let error = unsafe { error.assume_init() };
            return Err(Refused { value, error });
        }
        // SAFETY: these are the types that it was created with.
        Ok(unsafe { Self::arrived(self.head(), value, tag) })
    }

    /// As [`try_resume`](Self::try_resume), where another coroutine may come back in its place:
    /// one to which it gave the CPU by [`Yielder::suspend_to`]. Whose value and tag these are is
    /// for the caller to know.
    #[cfg(feature = "runtime")]
    #[inline(always)]
    pub(crate) fn resume_any(&mut self, input: Input) -> Result<(Word, usize), Error> {
        let head = self.head();
        let sp = head.sp.get();
        let input = ManuallyDrop::new(input);
        if sp != 0 {
            // SAFETY: as in `try_resume`.
            let arrived = unsafe { head.switch_in_any(sp, pack(&input), resumed_with::INPUT) };
            return Ok((arrived.value, arrived.tag));
        }
        let mut error = MaybeUninit::uninit();
        // SAFETY: `self` is the one `&mut`; the value is an input. All but the kind above are
        // never switched to by another one, so it is this one that comes back.
        let (value, tag) =
            unsafe { resume::resume(self.head, pack(&input), resumed_with::INPUT, &mut error) };
        if tag == resume::REFUSED {
            // SAFETY: written when the tag is this one.
            return Err(unsafe { error.assume_init() });
        }
        Ok((value, tag))
    }

    /// What came back by [`resume_any`](Self::resume_any) from this coroutine at its end: what its
    /// function has returned, or the payload of its panic.
    ///
    /// # Safety
    /// It came from this coroutine just now, and is not what it yielded.
    #[cfg(feature = "runtime")]
    #[inline]
    pub(crate) unsafe fn came_to_its_end(
        &self,
        (value, tag): (Word, usize),
    ) -> Result<Return, unwind::Payload> {
        self.head().finish();
        // SAFETY: the tag says which of the two it is, not read yet.
        unsafe {
            match tag {
                left_with::RETURNED => Ok(unpack(value)),
                _ => Err(unpack(value)),
            }
        }
    }

    /// Makes sense of what came with the switch back.
    ///
    /// # Safety
    /// It came from this coroutine, which was created with these types, just now.
    #[inline(always)]
    unsafe fn arrived(head: &Head, value: Word, tag: usize) -> State<Yield, Return> {
        if tag == left_with::YIELDED {
            // SAFETY: the tag says that this is a yielded value, not read yet.
            State::Yielded(unsafe { unpack(value) })
        } else {
            // SAFETY: the caller's promise.
            State::Returned(unsafe { Self::ended(head, value, tag) })
        }
    }

    /// # Safety
    /// As for [`arrived`](Self::arrived), and the coroutine has ended with an input as its last.
    #[inline]
    unsafe fn ended(head: &Head, value: Word, tag: usize) -> Return {
        head.finish();
        if tag == left_with::RETURNED {
            // SAFETY: the tag says that this is the returned value, not read yet.
            return unsafe { unpack(value) };
        }
        debug_assert_eq!(tag, left_with::PANICKED);
        // SAFETY: the tag says that this is the payload of a panic, not read yet.
        unwind::rethrow(unsafe { unpack(value) })
    }

    /// Whether it has returned or panicked.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.head().kind.get() == Kind::Finished
    }

    /// Its number, which events and messages show.
    #[must_use]
    pub fn id(&self) -> Id {
        Id(self.head().id)
    }

    /// The name that [`Builder::name`](crate::Builder::name) gave it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if self.head().is_shared() {
            // SAFETY: the head is that of a shared coroutine.
            unsafe { Shared::of_head(self.head).name() }
        } else {
            // SAFETY: the head is that of a coroutine on its own stack, alive as long as `self`.
            unsafe { self.head.cast::<OwnControl>().as_ref() }.name()
        }
    }

    /// What was counted of it: on a shared stack since [`SharedStack::count`], on its own stack
    /// when [`Builder::count`](crate::Builder::count) has asked for it.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        if self.head().is_shared() {
            // SAFETY: the head is that of a shared coroutine.
            unsafe { Shared::of_head(self.head) }.statistics()
        } else {
            // SAFETY: the head is that of a coroutine on its own stack.
            unsafe { self.head.cast::<OwnControl>().as_ref() }.statistics()
        }
    }

    /// The addresses of its stack: lowest usable byte, and the one after the highest.
    #[must_use]
    pub fn stack_bounds(&self) -> Range<usize> {
        self.head().stack_bounds()
    }

    /// Fetches into the cache what resuming it will read: its save stack, or its stack. Worth
    /// calling one resume ahead when there are more coroutines than the cache holds.
    #[inline]
    pub fn prefetch(&self) {
        if self.head().is_shared() {
            // SAFETY: the head is that of a shared coroutine.
            unsafe { Shared::of_head(self.head) }.prefetch();
        } else {
            crate::copy::prefetch(self.head.as_ptr().cast(), 1);
        }
    }

    /// Unwinds a suspended or fresh coroutine. `Ok` when it has ended, with the payload of a panic
    /// that a destructor has thrown on the way.
    #[cold]
    fn unwind(&mut self) -> Result<Option<unwind::Payload>, GivenUp> {
        #[cfg(feature = "unwind")]
        let was_panicking = unwind::panicking();
        for _ in 0..UNWIND_ATTEMPTS {
            #[cfg(not(feature = "unwind"))]
            if self.head().stage.get() == Stage::Begun {
                return Err(GivenUp);
            }
            self.head().stage.set(Stage::Unwinding);
            let mut error = MaybeUninit::uninit();
            // SAFETY: `self` is the one `&mut`, and nothing is passed.
            let (value, tag) = unsafe {
                resume::resume(self.head, Word::uninit(), resumed_with::UNWIND, &mut error)
            };
            match tag {
                resume::REFUSED => {
                    return Err(GivenUp);
                }
                left_with::YIELDED => {
                    #[cfg(feature = "unwind")]
                    if !was_panicking && unwind::panicking() {
                        unwind::destructor_yielded(self.head().id);
                    }
                    // SAFETY: the tag says so; not read yet.
                    drop(unsafe { unpack::<Yield>(value) });
                    continue;
                }
                // SAFETY: the tag says so; not read yet.
                left_with::RETURNED => drop(unsafe { unpack::<Return>(value) }),
                // SAFETY: the tag says so; not read yet.
                left_with::PANICKED => return Ok(Some(unsafe { unpack(value) })),
                _ => {}
            }
            return Ok(None);
        }
        Err(GivenUp)
    }

    /// Drops what is suspended, then the coroutine itself.
    #[cold]
    fn drop_unfinished(&mut self) {
        let kind = self.head().kind.get();
        let ended = self.unwind();
        self.head().finish();
        // The frames of an own stack that were not unwound stay as they are for ever: someone may
        // rely on their destructors (`Pin`).
        if ended.is_ok() || self.head().is_shared() {
            // SAFETY: it has ended, or is shared, whose creator has promised that nobody points
            // into its frames.
            unsafe { self.release(kind) };
            self.pass_on(ended);
        }
    }

    /// Throws what a destructor has thrown while the coroutine was unwound, unless the thread is
    /// panicking already.
    fn pass_on(&self, ended: Result<Option<unwind::Payload>, GivenUp>) {
        if let Ok(Some(payload)) = ended
            && !unwind::panicking()
        {
            unwind::rethrow(payload);
        }
    }

    /// Drops it; afterwards none of its frames exists. Where that is not possible, the process
    /// ends.
    #[cfg(feature = "unwind")]
    pub(crate) fn end_scope(self) {
        let mut this = ManuallyDrop::new(self);
        let kind = this.head().kind.get();
        if kind == Kind::Finished {
            drop(ManuallyDrop::into_inner(this));
            return;
        }
        let ended = this.unwind();
        if ended.is_err() {
            unwind::outlived_its_scope(this.head().id);
        }
        this.head().finish();
        // SAFETY: it has ended.
        unsafe { this.release(kind) };
        this.pass_on(ended);
    }

    /// # Safety
    /// It never runs again; `kind` is what it was created as.
    #[inline]
    unsafe fn release(&mut self, kind: Kind) {
        match kind {
            // SAFETY: the caller's promise.
            Kind::Shared | Kind::SharedFp => unsafe { Shared::of_head(self.head).release() },
            // SAFETY: the caller's promise.
            _ => unsafe { OwnControl::release(self.head) },
        }
    }
}

/// A coroutine could not be unwound.
struct GivenUp;

impl<Input, Yield, Return> Drop for Coroutine<Input, Yield, Return> {
    #[inline]
    fn drop(&mut self) {
        if self.head().kind.get() == Kind::Finished {
            let kind = if self.head().is_shared() {
                Kind::Shared
            } else {
                Kind::Own
            };
            // SAFETY: it has finished.
            unsafe { self.release(kind) };
        } else {
            self.drop_unfinished();
        }
    }
}

impl<Input, Yield, Return> fmt::Debug for Coroutine<Input, Yield, Return> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("id", &self.head().id)
            .field("kind", &self.head().kind.get())
            .finish_non_exhaustive()
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(error: &Error) -> ! {
    panic!("{error}")
}

#[inline]
pub(crate) fn next_id() -> u32 {
    #[cfg(feature = "std")]
    return crate::stack::pool::next_id();
    #[cfg(not(feature = "std"))]
    {
        use core::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}
