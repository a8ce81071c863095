//! Coroutines on stacks of their own. The control block lies at the top of the stack itself, so
//! that creating one allocates nothing but the stack.
//!
//! ```text
//!   top of the memory  +------------------------------+
//!                      | the stack's memory handle    |
//!                      | control block (head first)   |
//!                      +------------------------------+
//!                      | closure, until it begins     |
//!                      +------------------------------+ 16-byte aligned
//!                      | initial frame (arch)         | <- sp of a fresh coroutine
//!                      +------------------------------+
//!                      | free                         |
//!   bottom             +------------------------------+
//!                      | guard page                   |
//! ```
//!
//! The engine's rules are simple here: one coroutine, which owns its stack from the start, so the
//! plan is `Switch` until it has finished. [`Kind`] says just that, and no record is kept.

use crate::Error;
use crate::arch::{self, Arrived, InitialFrame, InitialFrameFp, Word};
use crate::head::{Begin, Head, Kind};
use crate::stack::StackMemory;
#[cfg(feature = "std")]
use crate::stack::guard::Occupant;
use crate::statistics::Statistics;
use crate::tools::KnownStack;
use alloc::boxed::Box;
use core::cell::Cell;
use core::ptr::NonNull;

/// The control block of a coroutine on its own stack.
#[repr(C)]
pub(crate) struct OwnControl {
    head: Head,
    /// Drops the block and gives the stack's memory back.
    release: unsafe fn(NonNull<OwnControl>),
    name: Option<Box<str>>,
    bottom: usize,
    /// The stack pointer of a suspended coroutine that does not have it in its head.
    sp_aside: Cell<usize>,
    counts: bool,
    resumes: Cell<u64>,
    /// The lowest stack pointer that a counted one was suspended with.
    lowest_sp: Cell<usize>,
    known: KnownStack,
}

/// The block with the memory it lies in.
#[repr(C)]
struct Block<S> {
    control: OwnControl,
    memory: S,
}

/// What a caller may say about a coroutine.
pub(crate) struct Traits {
    pub(crate) fp: bool,
    pub(crate) name: Option<Box<str>>,
    pub(crate) id: u32,
    pub(crate) counts: bool,
}

/// Lays out control block, closure and initial frame in `memory`.
#[inline]
pub(crate) fn lay_out<S: StackMemory, F>(
    memory: S,
    traits: Traits,
    begin: Begin,
    function: F,
) -> Result<NonNull<Head>, Error> {
    let block_align = align_of::<Block<S>>().max(arch::STACK_ALIGN);
    let closure_align = align_of::<F>().max(arch::STACK_ALIGN);
    let used = size_of::<Block<S>>()
        .checked_add(size_of::<F>())
        .and_then(|used| {
            used.checked_add(block_align + closure_align + size_of::<InitialFrameFp>())
        })
        .ok_or(Error::stack_too_large(usize::MAX))?;
    crate::stack::check_size(&memory, used)?;

    let (bottom, top) = (memory.bottom(), memory.top());
    let start = memory.as_ptr();
    let block_address = (top - size_of::<Block<S>>()) & !(block_align - 1);
    let closure_address = (block_address - size_of::<F>()) & !(closure_align - 1);
    // SAFETY: `check_size` has found room for all three and their alignment, so every address
    // below lies inside the memory, which nobody else uses; each is aligned for what is written.
    unsafe {
        let block = start.add(block_address - bottom).cast::<Block<S>>();
        let closure = start.add(closure_address - bottom).cast::<F>();
        closure.write(function);
        let link = Head::link_of(block.cast());
        let sp = if traits.fp {
            let frame = closure.cast::<InitialFrameFp>().sub(1);
            frame.write(InitialFrameFp::new(begin, link));
            frame.expose_provenance()
        } else {
            let frame = closure.cast::<InitialFrame>().sub(1);
            frame.write(InitialFrame::new(begin, link));
            frame.expose_provenance()
        };
        let (kind, sp, sp_aside) = match (traits.fp, traits.counts) {
            (true, _) => (Kind::OwnFp, 0, sp),
            (false, true) => (Kind::OwnCounted, 0, sp),
            (false, false) => (Kind::Own, sp, 0),
        };
        block.write(Block {
            control: OwnControl {
                head: Head::new(kind, sp, traits.id),
                release: release::<S>,
                name: traits.name,
                bottom,
                sp_aside: Cell::new(sp_aside),
                counts: traits.counts,
                resumes: Cell::new(0),
                lowest_sp: Cell::new(usize::MAX),
                known: KnownStack::new(bottom..top),
            },
            memory,
        });
        #[cfg(feature = "std")]
        if let Some(guard) = (*block).memory.guard() {
            guard.occupy(Occupant::Own(NonNull::new_unchecked(block.cast())));
        }
        Ok(NonNull::new_unchecked(block.cast()))
    }
}

/// Takes the block apart and drops its memory handle, after which the block is gone.
///
/// # Safety
/// `control` is the start of a `Block<S>`, and its coroutine never runs again.
unsafe fn release<S: StackMemory>(control: NonNull<OwnControl>) {
    let block = control.cast::<Block<S>>().as_ptr();
    // SAFETY: the caller's promise. Both are moved out before the memory goes.
    let (name, memory) = unsafe {
        (
            (&raw const (*block).control.name).read(),
            (&raw const (*block).memory).read(),
        )
    };
    drop(name);
    // SAFETY: the block is in place until the memory goes.
    unsafe { &(*block).control.known }.forget(memory.bottom()..memory.top());
    #[cfg(feature = "std")]
    if let Some(guard) = memory.guard() {
        guard.occupy(Occupant::Nobody);
    }
    drop(memory);
}

impl OwnControl {
    /// Gives everything back.
    ///
    /// # Safety
    /// `head` is that of a coroutine from [`lay_out`], and it never runs again.
    #[inline]
    pub(crate) unsafe fn release(head: NonNull<Head>) {
        let control = head.cast::<OwnControl>();
        #[cfg(costack_asan)]
        // SAFETY: the caller's promise.
        crate::tools::asan::forget(unsafe { head.as_ref() });
        // SAFETY: the caller's promise; the head is the first field.
        unsafe { (control.as_ref().release)(control) };
    }

    /// Resumer to a coroutine that does not have its stack pointer in its head, floating-point flavour.
    /// In line where coroutines are resumed: a function that returns after a switch puts the CPU's
    /// return predictor out of step.
    ///
    /// # Safety
    /// As for [`Head::switch_in_fp`], with what is kept aside for the stack pointer.
    #[inline(always)]
    pub(crate) unsafe fn switch_in_fp(&self, value: Word, tag: usize) -> Arrived {
        // SAFETY: the caller's promise.
        self.counted(|head, sp| unsafe { head.switch_in_fp(sp, value, tag) })
    }

    /// As [`switch_in_fp`](Self::switch_in_fp), integer flavour.
    ///
    /// # Safety
    /// As there, for this flavour.
    #[inline(always)]
    pub(crate) unsafe fn switch_in_counted(&self, value: Word, tag: usize) -> Arrived {
        // SAFETY: the caller's promise.
        self.counted(|head, sp| unsafe { head.switch_in(sp, value, tag) })
    }

    /// Counts a resume and what came of it, and keeps the stack pointer aside.
    #[inline(always)]
    fn counted(&self, switch: impl FnOnce(&Head, usize) -> Arrived) -> Arrived {
        self.resumes.set(self.resumes.get() + 1);
        let arrived = switch(&self.head, self.sp_aside.get());
        let sp = self.head.sp.replace(0);
        self.sp_aside.set(sp);
        self.lowest_sp.set(sp.min(self.lowest_sp.get()));
        arrived
    }

    /// What was counted, if that was asked for.
    pub(crate) fn statistics(&self) -> Option<Statistics> {
        let top = (&raw const *self).addr();
        self.counts.then(|| Statistics {
            resumes: self.resumes.get(),
            largest_image: top.saturating_sub(self.lowest_sp.get()) as u64,
            ..Statistics::default()
        })
    }

    /// The coroutine's number.
    #[cfg(feature = "std")]
    pub(crate) fn id(&self) -> crate::Id {
        crate::Id(self.head.id)
    }

    /// The name that its creator gave, if any.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The lowest usable address of the stack.
    pub(crate) fn bottom(&self) -> usize {
        self.bottom
    }
}
