//! What every coroutine has, wherever its bytes are: its stack pointer and the link to its
//! resumer.

use crate::arch::{self, Arrived, Word};
use crate::own::OwnControl;
use crate::shared::Shared;
#[cfg(costack_asan)]
use crate::tools::asan;
use core::cell::Cell;
use core::hint::cold_path;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::Range;
use core::ptr::NonNull;

/// What the value that passes through a switch is, towards the coroutine.
pub(crate) mod resumed_with {
    /// The resumer's input.
    pub(crate) const INPUT: usize = 0;
    /// Nothing; unwind, the coroutine is being dropped.
    pub(crate) const UNWIND: usize = 1;
}

/// What the value that passes through a switch is, towards the resumer.
pub(crate) mod left_with {
    /// A yielded value; the coroutine is suspended.
    pub(crate) const YIELDED: usize = 0;
    /// The value that its function returned.
    pub(crate) const RETURNED: usize = 1;
    /// The payload of a panic.
    pub(crate) const PANICKED: usize = 2;
    /// Nothing; it has unwound as it was told to.
    pub(crate) const UNWOUND: usize = 3;
}

/// The first function on a new stack, which the architecture's entry calls: sp of the resumer,
/// link, first value, what that is, address of the closure.
pub(crate) type Begin = unsafe extern "C" fn(usize, *const Link, Word, usize, *mut ()) -> !;

/// The way back to the resumer, laid out as a frame record: whoever follows frame pointers goes
/// on in the resumer's frames.
#[repr(C)]
pub(crate) struct Link {
    /// The resumer's stack pointer, stored by its switch. Valid while the coroutine runs.
    pub(crate) sp: Cell<usize>,
    /// A code address, for those who follow the chain.
    code: unsafe extern "C" fn(),
}

/// Where a coroutine's bytes are and which switch it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// On its own stack, integer flavour: nothing to decide, it can be switched to at once.
    Own,
    /// On its own stack, floating-point flavour.
    OwnFp,
    /// On its own stack, integer flavour, and what it does is counted.
    OwnCounted,
    /// On a shared stack, or out; integer flavour.
    Shared,
    /// On a shared stack, or out; floating-point flavour.
    SharedFp,
    /// It has ended.
    Finished,
}

/// How far a coroutine's function has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// It has not begun to run.
    Fresh,
    /// It has begun.
    Begun,
    /// It is being unwound, because the coroutine is being dropped.
    Unwinding,
}

/// The common part of all control blocks.
#[repr(C)]
pub(crate) struct Head {
    /// Where a yield stores the coroutine's stack pointer. Not zero means: on its own stack,
    /// integer flavour, fresh or suspended, so it can be switched to at once. The slow path of
    /// all others takes the value away and puts zero here.
    pub(crate) sp: Cell<usize>,
    pub(crate) link: Link,
    pub(crate) kind: Cell<Kind>,
    /// Floating-point flavour. Does not change.
    fp: bool,
    pub(crate) stage: Cell<Stage>,
    /// It shares its stack. Does not change.
    shared: bool,
    pub(crate) id: u32,
    #[cfg(costack_asan)]
    pub(crate) resumer: asan::ResumerCell,
}

impl Head {
    /// Where the flavour is noted, for assembly.
    #[cfg(feature = "raw")]
    pub(crate) const FP_OFFSET: usize = offset_of!(Head, fp);

    pub(crate) fn new(kind: Kind, sp: usize, id: u32) -> Self {
        Head {
            sp: Cell::new(sp),
            link: Link {
                sp: Cell::new(0),
                code: arch::ENTRY_ADDRESS,
            },
            kind: Cell::new(kind),
            fp: matches!(kind, Kind::OwnFp | Kind::SharedFp),
            stage: Cell::new(Stage::Fresh),
            shared: matches!(kind, Kind::Shared | Kind::SharedFp),
            id,
            #[cfg(costack_asan)]
            resumer: Cell::new(asan::Resumer::UNKNOWN),
        }
    }

    /// The addresses of the stack: lowest usable byte, and the one after the highest.
    pub(crate) fn stack_bounds(&self) -> Range<usize> {
        let head = NonNull::from(self);
        if self.shared {
            // SAFETY: the head is that of a shared coroutine.
            unsafe { Shared::of_head(head) }.stack_bounds()
        } else {
            // SAFETY: the head is that of a coroutine on its own stack.
            let bottom = unsafe { head.cast::<OwnControl>().as_ref() }.bottom();
            bottom..head.addr().get()
        }
    }

    /// The address of the link of the head at `head`, which need not be written yet.
    ///
    /// # Safety
    /// `head` points to memory for a head.
    #[inline(always)]
    pub(crate) unsafe fn link_of(head: *mut Head) -> *const Link {
        // SAFETY: inside the head.
        unsafe { &raw const (*head).link }
    }

    /// Marks the coroutine as ended.
    #[inline(always)]
    pub(crate) fn finish(&self) {
        self.kind.set(Kind::Finished);
        self.sp.set(0);
    }

    #[cfg(feature = "raw")]
    pub(crate) fn is_fp(&self) -> bool {
        self.fp
    }

    #[inline(always)]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    /// The head whose link this is.
    ///
    /// # Safety
    /// `link` is the link of a head that outlives `'a`, and was derived from a pointer to it.
    #[inline(always)]
    pub(crate) unsafe fn of_link<'a>(link: *const Link) -> &'a Head {
        // SAFETY: the caller's promise; the link lies this many bytes into its head.
        unsafe { &*link.byte_sub(offset_of!(Head, link)).cast() }
    }

    /// Resumer to coroutine, integer flavour.
    ///
    /// # Safety
    /// `sp` is the coroutine's; it is fresh or suspended, of this flavour, with its bytes in
    /// place; `value` is what `tag` says, for this coroutine's types.
    #[inline(always)]
    pub(crate) unsafe fn switch_in(&self, sp: usize, value: Word, tag: usize) -> Arrived {
        #[cfg(costack_asan)]
        let left = asan::enter(self);
        // SAFETY: `sp` was stored by the coroutine's own switch, or points to its first frame.
        let arrived = unsafe { arch::switch(self.link.sp.as_ptr(), sp, value, tag) };
        #[cfg(costack_asan)]
        asan::entered(left);
        // SAFETY: the coroutine's switch has stored in `sp` what it left in the register. Saying
        // so spares the next resume a load that would have to wait for that store.
        unsafe { core::hint::assert_unchecked(self.sp.get() == arrived.source_sp) };
        arrived
    }

    /// Resumer to coroutine, integer flavour, where another one may come back in its place: see
    /// [`Yielder::suspend_to`].
    ///
    /// # Safety
    /// As for [`switch_in`](Self::switch_in).
    #[cfg(feature = "runtime")]
    #[inline(always)]
    pub(crate) unsafe fn switch_in_any(&self, sp: usize, value: Word, tag: usize) -> Arrived {
        // Then it is this one that comes back.
        #[cfg(costack_asan)]
        // SAFETY: the caller's promise.
        return unsafe { self.switch_in(sp, value, tag) };
        #[cfg(not(costack_asan))]
        // SAFETY: as in `switch_in`.
        unsafe {
            arch::switch(self.link.sp.as_ptr(), sp, value, tag)
        }
    }

    /// Resumer to coroutine, floating-point flavour.
    ///
    /// # Safety
    /// As for [`switch_in`](Self::switch_in), for this flavour.
    #[inline(always)]
    pub(crate) unsafe fn switch_in_fp(&self, sp: usize, value: Word, tag: usize) -> Arrived {
        #[cfg(costack_asan)]
        let left = asan::enter(self);
        // SAFETY: the caller's promise.
        let arrived = unsafe { arch::switch_fp(self.link.sp.as_ptr(), sp, value, tag) };
        #[cfg(costack_asan)]
        asan::entered(left);
        arrived
    }

    /// Coroutine to resumer, either flavour.
    ///
    /// # Safety
    /// This coroutine is running, and `value` is what `tag` says, for its types.
    #[inline(always)]
    pub(crate) unsafe fn switch_out(&self, value: Word, tag: usize) -> (Word, usize) {
        if self.fp {
            cold_path();
            // SAFETY: the caller's promise.
            return unsafe { self.switch_out_fp(value, tag) };
        }
        #[cfg(costack_asan)]
        let left = asan::leave(self, tag);
        // SAFETY: a running coroutine's link holds the sp that its resumer's switch stored.
        let arrived = unsafe { arch::switch(self.sp.as_ptr(), self.link.sp.get(), value, tag) };
        #[cfg(costack_asan)]
        asan::left(self, left);
        // SAFETY: the resumer's switch has stored in the link what it left in the register.
        unsafe { core::hint::assert_unchecked(self.link.sp.get() == arrived.source_sp) };
        (arrived.value, arrived.tag)
    }

    /// Coroutine to resumer, floating-point flavour. In line, as `switch_out` is: a call would put the
    /// CPU's return predictor out of step.
    ///
    /// # Safety
    /// As for [`switch_out`](Self::switch_out).
    // In a build without optimisation it would take much of each stack in line.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn switch_out_fp(&self, value: Word, tag: usize) -> (Word, usize) {
        #[cfg(costack_asan)]
        let left = asan::leave(self, tag);
        // SAFETY: as in `switch_out`.
        let arrived = unsafe { arch::switch_fp(self.sp.as_ptr(), self.link.sp.get(), value, tag) };
        #[cfg(costack_asan)]
        asan::left(self, left);
        // SAFETY: as in `switch_out`.
        unsafe { core::hint::assert_unchecked(self.link.sp.get() == arrived.source_sp) };
        (arrived.value, arrived.tag)
    }
}

/// A coroutine's own end: how its function, and whatever that calls, gives control back.
///
/// The entry function gets a reference to it. It stays on the thread that created it.
#[repr(transparent)]
pub struct Yielder<Input, Yield> {
    head: Head,
    marker: PhantomData<fn(Yield) -> Input>,
}

impl<Input, Yield> Yielder<Input, Yield> {
    /// The yielder of the coroutine with this head.
    ///
    /// # Safety
    /// The coroutine takes `Input` and yields `Yield`, and it is the running one whenever the
    /// yielder is used.
    #[inline(always)]
    pub(crate) unsafe fn of(head: &Head) -> &Self {
        // SAFETY: the representation is transparent; the types are the caller's promise.
        unsafe { &*core::ptr::from_ref(head).cast() }
    }

    /// Gives `value` and the CPU to the resumer; returns what it resumes with.
    ///
    /// Works at any depth of calls. Everything live stays on the coroutine's stack.
    ///
    /// When the suspended coroutine is dropped, this does not return: it unwinds, so that every
    /// destructor in the frames above runs. See [`Coroutine`](crate::Coroutine) about endings.
    #[inline(always)]
    pub fn suspend(&self, value: Yield) -> Input {
        let value = ManuallyDrop::new(value);
        // SAFETY: whoever holds a yielder runs in its coroutine. The resumer reads the value
        // before it does anything else, so the pointer in the word is good that long.
        let (value, tag) = unsafe {
            self.head
                .switch_out(crate::value::pack(&value), left_with::YIELDED)
        };
        // SAFETY: they have come with the switch back.
        unsafe { self.input(value, tag) }
    }

    /// As [`suspend`](Self::suspend), where somebody else than the resumer may switch back.
    ///
    /// # Safety
    /// The coroutine is resumed by [`resume_any`](crate::Coroutine::resume_any) only.
    #[cfg(feature = "runtime")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn suspend_any(&self, value: Yield) -> Input {
        if !self.is_own() {
            return self.suspend(value);
        }
        let value = ManuallyDrop::new(value);
        // SAFETY: as in `suspend`, and the kind says that this is the integer flavour.
        let arrived = unsafe {
            arch::switch(
                self.head.sp.as_ptr(),
                self.head.link.sp.get(),
                crate::value::pack(&value),
                left_with::YIELDED,
            )
        };
        // SAFETY: they have come with the switch back.
        unsafe { self.input(arrived.value, arrived.tag) }
    }

    /// The stack pointer of the coroutine if it is suspended on its own stack, integer flavour,
    /// and can be switched to at once.
    #[cfg(feature = "runtime")]
    #[inline(always)]
    pub(crate) fn sp_if_own(&self) -> Option<usize> {
        let sp = self.head.sp.get();
        (sp != 0).then_some(sp)
    }

    /// Whether it may give the CPU to another one rather than to its resumer. AddressSanitizer is told
    /// of switches between a coroutine and its resumer, so with it none may.
    #[cfg(feature = "runtime")]
    #[inline(always)]
    pub(crate) fn is_own(&self) -> bool {
        cfg!(not(costack_asan)) && self.head.kind.get() == Kind::Own
    }

    /// Gives the CPU to another coroutine rather than to the resumer, which is that one's resumer
    /// from now on: one switch instead of two.
    ///
    /// # Safety
    /// - Both are of the same kind of task: of the same types, [on own stacks](Self::is_own), and
    ///   resumed by [`resume_any`](crate::Coroutine::resume_any) only.
    /// - `sp` is that of `next`, which is suspended in `suspend_any` or in this function.
    #[cfg(feature = "runtime")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn suspend_to(&self, next: &Self, sp: usize, input: Input) -> Input {
        next.head.link.sp.set(self.head.link.sp.get());
        let input = ManuallyDrop::new(input);
        // SAFETY: `sp` was stored by the other's own switch, and what it is given is an input of
        // its type. It reads that before it does anything else.
        let arrived = unsafe {
            arch::switch(
                self.head.sp.as_ptr(),
                sp,
                crate::value::pack(&input),
                resumed_with::INPUT,
            )
        };
        // SAFETY: they have come with the switch back.
        unsafe { self.input(arrived.value, arrived.tag) }
    }

    /// What has come with a switch back.
    ///
    /// # Safety
    /// It has just arrived, for this coroutine.
    #[inline(always)]
    unsafe fn input(&self, value: Word, tag: usize) -> Input {
        if tag != resumed_with::INPUT {
            crate::unwind::unwind_now(&self.head);
        }
        // SAFETY: the tag says that this is an input, not read yet.
        unsafe { crate::value::unpack(value) }
    }

    /// The coroutine's number; see [`Coroutine::id`](crate::Coroutine::id).
    pub fn id(&self) -> crate::Id {
        crate::Id(self.head.id)
    }
}
