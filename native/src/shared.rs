//! Stacks that many coroutines share.
//!
//! ```text
//!   shared stack            owner                 free
//!   top  +-----------+      +-----------+         +-----------+
//!        |           |      | image of  |         |           |
//!        |           |      | the owner |         |           |
//!        |           |   sp +-----------+         |           |
//!        |           |      |           |         |           |
//!        +-----------+      +-----------+         +-----------+
//!
//!   save stacks             of the others: image [sp, top) of each, fitted to 16 bytes
//! ```
//!
//! A fresh coroutine's image is its closure and its initial frame, in its save stack, as if it had
//! been evicted right before its first instruction.

use crate::arch::{self, InitialFrame, InitialFrameFp};
use crate::copy::FRESH_WORDS;
use crate::head::{Begin, Head, Kind, left_with};
use crate::own::Traits;
use crate::slab::{Piece, Slab};
use crate::stack::StackMemory;
use crate::statistics::Statistics;
use crate::tools::KnownStack;
use crate::{Error, Id, Refused, exchange};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::cell::{Cell, UnsafeCell};
use core::hint::cold_path;
use core::ptr::NonNull;
use costack_engine::event::Event;
use costack_engine::share;

/// The control block of a coroutine that shares its stack: one cache line.
#[repr(C)]
pub(crate) struct SharedControl {
    pub(crate) head: Head,
    pub(crate) record: UnsafeCell<share::Coroutine>,
    pub(crate) stack: NonNull<StackState>,
    /// Its save stack.
    pub(crate) image: UnsafeCell<Piece>,
}

#[cfg(all(target_pointer_width = "64", not(costack_asan)))]
const _: () = assert!(size_of::<SharedControl>() == 64);

/// Names a coroutine to the engine: the address of its control block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared(pub(crate) NonNull<SharedControl>);

/// What is told to an observer.
type Observer = Box<dyn FnMut(Event<Id>)>;

/// What has been counted on one stack.
#[derive(Default)]
struct Counters {
    all: Statistics,
    /// Of the coroutines that are alive, by id.
    each: BTreeMap<u32, Statistics>,
}

/// Everything about one shared stack. Lives until the handle and all control blocks are gone.
pub(crate) struct StackState {
    pub(crate) engine: UnsafeCell<share::Stack<Shared>>,
    /// The address after the highest byte, 16-byte aligned.
    top: *mut u8,
    /// Usable bytes.
    pub(crate) bytes: usize,
    pub(crate) number: u32,
    pub(crate) slab: UnsafeCell<Slab>,
    /// Control blocks that exist.
    pub(crate) blocks: Cell<usize>,
    handle: Cell<bool>,
    /// Someone observes or counts.
    watched: Cell<bool>,
    observed: Cell<bool>,
    telling: Cell<bool>,
    observer: Cell<Option<Observer>>,
    /// Names of those coroutines that have one, by id.
    names: UnsafeCell<BTreeMap<u32, Box<str>>>,
    #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "kept for its drop"))]
    memory: Box<dyn StackMemory>,
    /// What has been counted, while counting is on.
    counters: UnsafeCell<Option<Box<Counters>>>,
    known: KnownStack,
    #[cfg(costack_asan)]
    pub(crate) shadows: crate::tools::asan::Shadows,
}

impl Drop for StackState {
    fn drop(&mut self) {
        self.known.forget(self.bounds());
    }
}

/// A stack that many coroutines share, one at a time.
///
/// When a coroutine is resumed and another one's bytes are on the stack, those are copied out to
/// that one's save stack and its own are copied back, to the same addresses. Nothing is copied
/// when a coroutine is resumed again right after it has yielded. See
/// [`Coroutine::new_shared`](crate::Coroutine::new_shared).
///
/// Dropping it while coroutines are bound to it keeps the memory until the last of them is gone;
/// [`close`](Self::close) refuses instead.
pub struct SharedStack {
    state: NonNull<StackState>,
}

impl SharedStack {
    /// A shared stack of at least `bytes` usable bytes, with a guard page below.
    ///
    /// # Errors
    /// As [`GuardedStack::new`](crate::stack::GuardedStack::new).
    #[cfg(feature = "std")]
    pub fn new(bytes: usize) -> Result<Self, Error> {
        Self::with_memory(crate::stack::GuardedStack::new(bytes)?)
    }

    /// A shared stack in the given memory.
    ///
    /// # Errors
    /// When the memory is smaller than [`MIN_STACK_BYTES`](crate::stack::MIN_STACK_BYTES).
    pub fn with_memory(memory: impl StackMemory + 'static) -> Result<Self, Error> {
        crate::stack::check_size(&memory, 0)?;
        let top = memory.top() & !(arch::STACK_ALIGN - 1);
        let bytes = top - memory.bottom();
        // SAFETY: inside the memory, or right behind it.
        let top = unsafe { memory.as_ptr().add(bytes) };
        let state = StackState {
            engine: UnsafeCell::new(share::Stack::shared()),
            top,
            bytes,
            number: next_number(),
            slab: UnsafeCell::new(Slab::new()),
            blocks: Cell::new(0),
            handle: Cell::new(true),
            watched: Cell::new(false),
            observed: Cell::new(false),
            telling: Cell::new(false),
            observer: Cell::new(None),
            names: UnsafeCell::new(BTreeMap::new()),
            memory: Box::new(memory),
            counters: UnsafeCell::new(None),
            known: KnownStack::new(top.addr() - bytes..top.addr()),
            #[cfg(costack_asan)]
            shadows: Default::default(),
        };
        let state = NonNull::from(Box::leak(Box::new(state)));
        #[cfg(feature = "std")]
        // SAFETY: made in the line above.
        if let Some(guard) = unsafe { state.as_ref() }.memory.guard() {
            guard.occupy(crate::stack::guard::Occupant::Shared(state));
        }
        Ok(SharedStack { state })
    }

    pub(crate) fn state(&self) -> &StackState {
        // SAFETY: the state lives as long as its handle.
        unsafe { self.state.as_ref() }
    }

    /// Lays out a control block and an initial image.
    pub(crate) fn add<F>(
        &self,
        traits: Traits,
        begin: Begin,
        function: F,
    ) -> Result<NonNull<Head>, Error> {
        let state = self.state();
        let top = state.top.addr();
        let align = align_of::<F>().max(arch::STACK_ALIGN);
        let frame_bytes = if traits.fp {
            size_of::<InitialFrameFp>()
        } else {
            size_of::<InitialFrame>()
        };
        let above = size_of::<F>()
            .checked_add(align)
            .ok_or(Error::stack_too_large(usize::MAX))?;
        let needed = above + frame_bytes + crate::stack::MIN_STACK_BYTES / 2;
        if needed > state.bytes {
            return Err(Error::stack_too_small(state.bytes, needed));
        }
        let closure = (top - size_of::<F>()) & !(align - 1);
        let sp = closure - frame_bytes;
        let image_bytes = top - sp;
        let image_bytes_u32 =
            u32::try_from(image_bytes).map_err(|_| Error::stack_too_large(image_bytes))?;

        // SAFETY: the slab is borrowed for these lines only.
        let slab = unsafe { &mut *state.slab.get() };
        let out_of_memory = Error::save_memory(image_bytes);
        let block = slab
            .allocate(size_of::<SharedControl>())
            .ok_or(out_of_memory.clone())?;
        let Some(image) = slab.allocate(image_bytes) else {
            // SAFETY: allocated above, used by nobody.
            unsafe { slab.free(block) };
            return Err(out_of_memory);
        };
        let kind = if traits.fp {
            Kind::SharedFp
        } else {
            Kind::Shared
        };
        let control = block.start.cast::<SharedControl>();
        // SAFETY: both pieces are fresh and large enough. A control block's class is a whole
        // number of words, so it is aligned; the image is written as bytes of any alignment.
        unsafe {
            image.start.write_bytes(0, image_bytes);
            image
                .start
                .add(closure - sp)
                .cast::<F>()
                .write_unaligned(function);
            let link = Head::link_of(control.cast());
            if traits.fp {
                let frame = InitialFrameFp::new(begin, link);
                image.start.cast::<InitialFrameFp>().write_unaligned(frame);
            } else {
                let frame = InitialFrame::new(begin, link);
                image.start.cast::<InitialFrame>().write_unaligned(frame);
            }
            control.write(SharedControl {
                head: Head::new(kind, 0, traits.id),
                record: UnsafeCell::new(share::Coroutine::out(image_bytes_u32)),
                stack: self.state,
                image: UnsafeCell::new(image),
            });
            if let Some(name) = traits.name {
                (*state.names.get()).insert(traits.id, name);
            }
            (*state.engine.get()).bind(Shared(NonNull::new_unchecked(control)));
        }
        state.blocks.set(state.blocks.get() + 1);
        // SAFETY: a piece is never null.
        Ok(unsafe { NonNull::new_unchecked(control.cast()) })
    }

    /// The stack's number, which events show.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.state().number
    }

    /// The coroutine whose bytes are on the stack now.
    #[must_use]
    pub fn owner(&self) -> Option<Id> {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.state().engine.get() }
            .owner()
            .map(Shared::id)
    }

    /// How many live coroutines are bound to it.
    #[must_use]
    pub fn live(&self) -> u32 {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.state().engine.get() }.live()
    }

    /// Bytes of all save stacks and control blocks.
    #[must_use]
    pub fn save_bytes(&self) -> usize {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.state().slab.get() }.used()
    }

    /// Sets how many bytes save stacks and control blocks may take together. What goes beyond is
    /// refused as out of memory.
    pub fn limit_save_bytes(&self, bytes: usize) {
        // SAFETY: borrowed for this line only.
        unsafe { &mut *self.state().slab.get() }.set_limit(bytes);
    }

    /// Calls `observer` right after every save, restore and change of owner. Costs nothing while
    /// there is none.
    ///
    /// After a save the owner's bytes are in its save stack, and still on the stack too; after
    /// a restore they are on the stack. An observer that resumes a coroutine of this stack gets
    /// [`Refusal::StackInUse`](crate::Refusal::StackInUse); one that panics ends the process,
    /// because it would leave an exchange half-way; and a coroutine of this stack that it drops is
    /// leaked.
    ///
    /// ```
    /// use costack::{Coroutine, Event, SharedStack};
    /// use std::{cell::RefCell, rc::Rc};
    ///
    /// let stack = SharedStack::new(64 * 1024)?;
    /// let seen = Rc::new(RefCell::new(Vec::new()));
    /// let sink = Rc::clone(&seen);
    /// stack.observe(move |event| sink.borrow_mut().push(event));
    /// // SAFETY: no pointer into the coroutine's frames leaves it.
    /// let mut co = unsafe { Coroutine::new_shared(&stack, |_: &costack::Yielder<(), ()>, ()| ())? };
    /// co.resume(());
    /// assert!(matches!(seen.borrow()[0], Event::Restore { .. }));
    /// # Ok::<(), costack::Error>(())
    /// ```
    pub fn observe(&self, observer: impl FnMut(Event<Id>) + 'static) {
        self.state().observer.set(Some(Box::new(observer)));
        self.state().observed.set(true);
        self.state().watched.set(true);
    }

    /// Ends [`observe`](Self::observe).
    pub fn stop_observing(&self) {
        self.state().observed.set(false);
        self.state().observer.set(None);
        self.state().watched.set(self.statistics().is_some());
    }

    /// Counts from now on, from zero, for the stack and for each of its coroutines. Costs nothing
    /// before that.
    ///
    /// ```
    /// use costack::{Coroutine, SharedStack};
    ///
    /// let stack = SharedStack::new(64 * 1024)?;
    /// stack.count();
    /// let forever = |yielder: &costack::Yielder<(), ()>, ()| loop {
    ///     yielder.suspend(());
    /// };
    /// // SAFETY: no pointer into the coroutines' frames leaves them.
    /// let (mut a, mut b): (Coroutine<_, _, ()>, Coroutine<_, _, ()>) = unsafe {
    ///     (Coroutine::new_shared(&stack, forever)?, Coroutine::new_shared(&stack, forever)?)
    /// };
    /// for _ in 0..10 {
    ///     a.resume(());
    ///     b.resume(());
    /// }
    /// let all = stack.statistics().expect("it counts");
    /// assert_eq!((all.resumes, all.saves, all.restores), (20, 19, 20));
    /// assert_eq!(a.statistics().expect("it counts").saves, 10);
    /// # Ok::<(), costack::Error>(())
    /// ```
    pub fn count(&self) {
        let counters = Some(Box::default());
        // SAFETY: borrowed for this line only.
        unsafe { *self.state().counters.get() = counters };
        self.state().watched.set(true);
    }

    /// Ends [`count`](Self::count) and forgets what was counted.
    pub fn stop_counting(&self) {
        // SAFETY: borrowed for this line only.
        unsafe { *self.state().counters.get() = None };
        self.state().watched.set(self.state().observed.get());
    }

    /// What was counted since [`count`](Self::count), of all coroutines together, those that are
    /// gone among them.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        // SAFETY: borrowed for these lines only.
        let counters = unsafe { &*self.state().counters.get() };
        counters.as_ref().map(|counters| counters.all)
    }

    /// Gives the memory back.
    ///
    /// # Errors
    /// [`Refusal::StackHasCoroutines`](crate::Refusal::StackHasCoroutines) while live ones are
    /// bound to it; the stack comes back.
    pub fn close(self) -> Result<(), Refused<SharedStack>> {
        // SAFETY: borrowed for this line only.
        match unsafe { &*self.state().engine.get() }.check_destroy() {
            Ok(()) => Ok(()),
            Err(refusal) => Err(Refused {
                value: self,
                error: refusal.into(),
            }),
        }
    }
}

impl Drop for SharedStack {
    fn drop(&mut self) {
        self.state().handle.set(false);
        // SAFETY: this handle is not used again.
        unsafe { StackState::drop_if_unused(self.state) };
    }
}

impl core::fmt::Debug for SharedStack {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedStack")
            .field("number", &self.number())
            .field("bytes", &self.state().bytes)
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

impl StackState {
    #[inline(always)]
    pub(crate) fn top_ptr(&self) -> *mut u8 {
        self.top
    }

    #[inline(always)]
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.get()
    }

    /// Whether the observer is being told something right now.
    pub(crate) fn is_telling(&self) -> bool {
        self.telling.get()
    }

    /// Lowest usable byte, and the one after the highest.
    pub(crate) fn bounds(&self) -> core::ops::Range<usize> {
        self.top.addr() - self.bytes..self.top.addr()
    }

    /// Notes something about a coroutine, if that is counted.
    pub(crate) fn count(&self, who: Shared, note: impl Fn(&mut Statistics)) {
        // SAFETY: borrowed in this function only, and `note` changes a record and nothing else.
        if let Some(counters) = unsafe { &mut *self.counters.get() } {
            note(&mut counters.all);
            note(counters.each.entry(who.id().0).or_default());
        }
    }

    /// Hands an event to the observer, if there is one and it is not the one that caused it.
    pub(crate) fn tell(&self, event: Event<Id>) {
        let Some(mut observer) = self.observer.take() else {
            return;
        };
        self.telling.set(true);
        let half_way = HalfWay;
        observer(event);
        core::mem::forget(half_way);
        self.telling.set(false);
        // It may have been replaced, or have ended itself, meanwhile.
        match self.observer.take() {
            Some(newer) => self.observer.set(Some(newer)),
            None if self.observed.get() => self.observer.set(Some(observer)),
            None => {}
        }
    }

    /// Replaces a save stack by one that fits `bytes`. Its contents are not kept.
    ///
    /// # Errors
    /// When it must grow and there is no memory; the old one stays. One that is merely too large
    /// stays as well then.
    #[cold]
    #[inline(never)]
    pub(crate) fn refit(&self, image: &mut Piece, bytes: usize) -> Result<(), Error> {
        // SAFETY: borrowed in this function only.
        let slab = unsafe { &mut *self.slab.get() };
        match slab.allocate(bytes) {
            Some(fitting) => {
                let old = core::mem::replace(image, fitting);
                // SAFETY: from this slab, and no longer anyone's.
                unsafe { slab.free(old) };
                Ok(())
            }
            None if bytes <= image.capacity as usize => Ok(()),
            None => Err(Error::save_memory(bytes)),
        }
    }

    /// # Safety
    /// `state` is alive; the caller does not use it afterwards unless it holds a block or handle.
    pub(crate) unsafe fn drop_if_unused(state: NonNull<StackState>) {
        // SAFETY: the caller's promise.
        let unused = unsafe { state.as_ref().blocks.get() == 0 && !state.as_ref().handle.get() };
        if unused {
            #[cfg(feature = "std")]
            // SAFETY: still alive.
            if let Some(guard) = unsafe { state.as_ref() }.memory.guard() {
                guard.occupy(crate::stack::guard::Occupant::Nobody);
            }
            // SAFETY: made by `Box::leak`, and nobody is left who knows of it.
            drop(unsafe { Box::from_raw(state.as_ptr()) });
        }
    }
}

impl Shared {
    /// # Safety
    /// The head is that of a shared coroutine.
    #[inline(always)]
    pub(crate) unsafe fn of_head(head: NonNull<Head>) -> Self {
        Shared(head.cast())
    }

    #[inline(always)]
    fn control(&self) -> &SharedControl {
        // SAFETY: a control block lives until its coroutine is dropped, and the engine's records
        // of it are gone by then.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn stack(&self) -> &StackState {
        // SAFETY: the stack's state lives as long as its control blocks.
        unsafe { self.control().stack.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn record(&self) -> *mut share::Coroutine {
        self.control().record.get()
    }

    #[inline(always)]
    pub(crate) fn image(&self) -> *mut Piece {
        self.control().image.get()
    }

    /// Of the control block.
    #[cfg(costack_asan)]
    pub(crate) fn address(self) -> usize {
        self.0.addr().get()
    }

    pub(crate) fn id(self) -> Id {
        Id(self.control().head.id)
    }

    /// The name that its creator gave, if any.
    ///
    /// # Safety
    /// The coroutine is not dropped within `'a`.
    pub(crate) unsafe fn name<'a>(self) -> Option<&'a str> {
        // SAFETY: the stack's state lives as long as its control blocks, and a name is boxed, so
        // that it stays where it is until its coroutine is dropped.
        unsafe { (*self.0.as_ref().stack.as_ref().names.get()).get(&self.0.as_ref().head.id) }
            .map(|name| &**name)
    }

    /// What was counted of it, if that is done.
    pub(crate) fn statistics(self) -> Option<Statistics> {
        // SAFETY: borrowed in this function only.
        let counters = unsafe { &*self.stack().counters.get() }.as_ref()?;
        Some(counters.each.get(&self.id().0).copied().unwrap_or_default())
    }

    /// Lowest usable byte of its stack, and the one after the highest.
    pub(crate) fn stack_bounds(self) -> core::ops::Range<usize> {
        self.stack().bounds()
    }

    /// Fetches its save stack into the cache.
    #[inline]
    pub(crate) fn prefetch(self) {
        // SAFETY: borrowed in this line only.
        let image = unsafe { *self.image() };
        crate::copy::prefetch(image.start, image.capacity as usize);
    }

    /// Brings the coroutine's bytes into place; returns its stack pointer.
    ///
    /// # Errors
    /// The engine's refusal, or no memory to save the owner. Nothing has changed then.
    #[inline(always)]
    pub(crate) fn prepare(self, stack: &StackState) -> Result<usize, Error> {
        // SAFETY: a control block belongs to its stack.
        let bytes = unsafe { exchange::bring_in::<FRESH_WORDS, 0>(stack, self)? };
        Ok(stack.top.addr() - bytes)
    }

    /// Notes that the coroutine has switched back, and how.
    #[inline(always)]
    pub(crate) fn settle(self, stack: &StackState, source_sp: usize, tag: usize) {
        let control = self.control();
        control.head.sp.set(0);
        // SAFETY: borrowed in these lines only, as in `exchange`.
        let (engine, record) = unsafe { (&mut *stack.engine.get(), &mut *self.record()) };
        if tag == left_with::YIELDED {
            let bytes = stack.top.addr().wrapping_sub(source_sp);
            if bytes > stack.bytes {
                cold_path();
                yielded_elsewhere();
            }
            engine.yielded(record, bytes as u32);
        } else {
            cold_path();
            engine.finished(record);
            self.left(stack);
        }
    }

    /// After the end: the image is not needed any more, the stack is free.
    #[inline(never)]
    fn left(self, stack: &StackState) {
        // SAFETY: borrowed in this line only.
        unsafe {
            let image = core::mem::replace(&mut *self.image(), Piece::EMPTY);
            (*stack.slab.get()).free(image);
        }
        if stack.is_watched() {
            stack.tell(Event::Owner {
                stack: stack.number,
                from: Some(self.id()),
                to: None,
            });
        }
    }

    /// Frees the control block. A coroutine that has not ended is forgotten.
    ///
    /// # Safety
    /// The coroutine is not running and never runs again.
    pub(crate) unsafe fn release(self) {
        let state = self.control().stack;
        // SAFETY: the state lives as long as its control blocks.
        let stack = unsafe { state.as_ref() };
        if stack.is_telling() {
            // An exchange is going on, and this one may be part of it: it is leaked.
            return;
        }
        // SAFETY: borrowed in these lines only. Freeing is refused for a running coroutine only.
        unsafe {
            let engine = &mut *stack.engine.get();
            let freed = engine.free(self, &mut *self.record());
            debug_assert!(freed.is_ok(), "a running coroutine was dropped");
            (*stack.names.get()).remove(&self.id().0);
            #[cfg(costack_asan)]
            {
                stack.shadows.forget(self.address());
                crate::tools::asan::forget(&self.control().head);
            }
            if let Some(counters) = &mut *stack.counters.get() {
                counters.each.remove(&self.id().0);
            }
            let slab = &mut *stack.slab.get();
            slab.free(core::mem::replace(&mut *self.image(), Piece::EMPTY));
            let start = self.0.as_ptr().cast();
            slab.free(Piece {
                start,
                capacity: BLOCK_CAPACITY,
            });
        }
        stack.blocks.set(stack.blocks.get() - 1);
        // SAFETY: the block is gone and the reference to the state is not used again.
        unsafe { StackState::drop_if_unused(state) };
    }
}

/// What the slab gives out for a control block.
const BLOCK_CAPACITY: u32 = size_of::<SharedControl>().next_multiple_of(8) as u32;

/// Ends the process when it is dropped by a panic: an exchange cannot be left half-way.
struct HalfWay;

impl Drop for HalfWay {
    fn drop(&mut self) {
        panic!("the observer of a shared stack panicked")
    }
}

#[cold]
#[inline(never)]
pub(crate) extern "C" fn yielded_elsewhere() -> ! {
    // The boundary of a C function ends the process: there is no stack to go on with.
    panic!("a coroutine that shares its stack yielded from another coroutine's stack")
}

/// A number for a new stack.
fn next_number() -> u32 {
    use core::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
