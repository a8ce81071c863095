//! Coroutines without types, for other languages: [`resume`] and [`suspend`] are C functions that
//! keep every register that the ABI calls callee-saved.
//!
//! A coroutine is a [`Control`] block, which is its handle as well. What lies in it from
//! [`PRIVATE_WORDS`] on is laid out for C, so that a binding can show it as fields of a
//! structure of its own; a binding may also have more memory behind it.
//!
//! The engine's rules are the same as those of typed coroutines, and its plans are carried out by
//! the same code. Only *when* the engine is told of a yield differs: a suspended coroutine whose
//! bytes are in place has its stack pointer in its head. While it is there the engine takes the
//! coroutine for a running one, and resuming it again asks nobody and copies nothing. As soon as
//! anything else is to be done with the stack, the engine is told of the yield, and the stack
//! pointer goes. So the two C functions do nothing but switch, as long as a coroutine is resumed
//! that owns its stack. And when another coroutine of that stack is resumed, the engine hears of the
//! yield, the eviction and the resume in one, which takes half the stores.
//!
//! An exception of another language that no frame of a coroutine catches finds no frame above it.

mod arch;
mod life;
mod place;

use crate::coroutine::next_id;
use crate::head::{Head, Kind, Stage};
use crate::shared::{Shared, SharedControl};
use crate::slab::Piece;
use crate::stack::StackMemory;
use crate::{Error, SharedStack};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use costack_engine::Refusal;
use costack_engine::share::{self, Status};

pub use arch::ControlWords;
#[doc(hidden)]
pub use arch::at;
#[cfg(target_arch = "x86")]
#[doc(hidden)]
pub use arch::current_address;
pub use life::{create_own, create_shared, destroy, divert};
#[doc(hidden)]
pub use place::{prepare, prepare_with_values, refuse_suspend};

/// What [`resume`] and [`suspend`] return: not negative when the switch was made.
pub mod status {
    /// The coroutine has yielded; or a suspended one was resumed.
    pub const YIELDED: i32 = 0;
    /// The coroutine has ended.
    pub const ENDED: i32 = 1;
    /// No coroutine was named.
    pub const NULL: i32 = -1;
    /// It has ended before.
    pub const FINISHED: i32 = -2;
    /// It is running, or waits for one that it has resumed itself.
    pub const RUNNING: i32 = -3;
    /// Its stack is in use by the coroutine that resumes it, or by one further up.
    pub const STACK_IN_USE: i32 = -4;
    /// There is no memory for a stack or a save stack.
    pub const OUT_OF_MEMORY: i32 = -5;
    /// No coroutine is running.
    pub const NO_COROUTINE: i32 = -6;
    /// A stack has live coroutines.
    pub const STACK_HAS_COROUTINES: i32 = -7;
    /// A size is zero, too small or too large.
    pub const SIZE: i32 = -8;
}

/// The status that stands for an error.
#[must_use]
pub fn status_of(error: &Error) -> i32 {
    match error.refusal() {
        Some(Refusal::Finished) => status::FINISHED,
        Some(Refusal::Running) => status::RUNNING,
        Some(Refusal::StackInUse) => status::STACK_IN_USE,
        Some(Refusal::StackHasCoroutines { .. }) => status::STACK_HAS_COROUTINES,
        _ if error.is_out_of_memory() => status::OUT_OF_MEMORY,
        _ => status::SIZE,
    }
}

/// A coroutine's function: gets the value of the first resume, returns its last one.
pub type Entry = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// What is called, on the coroutine's stack, with what its function has returned. It does not
/// return; it calls [`end`].
pub type Returned = unsafe extern "C" fn(*mut Control, *mut c_void) -> !;

/// What a new coroutine is to do.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Its function.
    pub function: Entry,
    /// What comes after that.
    pub returned: Returned,
    /// Its own floating-point control words to begin with, if it is to keep such.
    pub words: Option<ControlWords>,
    /// Which binding it belongs to, for [`Control::binding`].
    pub binding: u32,
}

/// A coroutine's save stack as it is shown to C, and what was copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SaveStack {
    /// Its memory; null for a coroutine on its own stack.
    pub start: *mut c_void,
    /// Bytes that it holds.
    pub capacity: usize,
    /// Bytes of the last image that was saved.
    pub bytes: usize,
    /// Bytes of the largest image that was saved.
    pub largest: usize,
    /// How often an image was saved.
    pub saves: usize,
    /// How often an image was restored.
    pub restores: usize,
}

impl SaveStack {
    const NONE: SaveStack = SaveStack {
        start: ptr::null_mut(),
        capacity: 0,
        bytes: 0,
        largest: 0,
        saves: 0,
        restores: 0,
    };
}

// The entries in assembly say so.
const _: () = assert!(Stage::Begun as u8 == 1);

/// Words of a control block before the part that is laid out for C.
pub const PRIVATE_WORDS: usize = 16;

/// What all parts before the C part take.
const USED_BYTES: usize = size_of::<SharedControl>() + 5 * size_of::<usize>() + size_of::<u32>();

/// A coroutine.
#[repr(C)]
pub struct Control {
    block: SharedControl,
    /// Where the resumer wants the value that comes back.
    out: Cell<*mut *mut c_void>,
    /// Where the coroutine wants the value that it is resumed with.
    received: Cell<*mut *mut c_void>,
    /// The value of the first resume.
    first: Cell<*mut c_void>,
    /// Who ran when it was resumed.
    previous: Cell<*mut Control>,
    returned: Returned,
    /// Which binding it belongs to.
    binding: u32,
    unused: [u8; PRIVATE_WORDS * size_of::<usize>() - USED_BYTES],
    stack: *const Stack,
    save: UnsafeCell<SaveStack>,
    ended: Cell<u8>,
}

const _: () = assert!(core::mem::offset_of!(Control, stack) == PRIVATE_WORDS * size_of::<usize>());

/// A shared stack. What its first field says is laid out for C.
#[repr(C)]
pub struct Stack {
    owner: Cell<*mut Control>,
    shared: ManuallyDrop<Box<SharedStack>>,
}

impl Stack {
    /// A shared stack in this memory.
    ///
    /// # Errors
    /// As [`SharedStack::with_memory`].
    pub fn new(memory: impl StackMemory + 'static) -> Result<Self, Error> {
        Ok(Stack {
            owner: Cell::new(ptr::null_mut()),
            shared: ManuallyDrop::new(Box::new(SharedStack::with_memory(memory)?)),
        })
    }

    /// The coroutine whose bytes are on the stack.
    #[must_use]
    pub fn owner(&self) -> *mut Control {
        self.owner.get()
    }

    /// How many live coroutines are bound to it.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.shared.live()
    }

    /// Usable bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shared.state().bytes
    }

    /// Bytes of all save stacks and control blocks.
    #[must_use]
    pub fn save_bytes(&self) -> usize {
        self.shared.save_bytes()
    }

    /// Sets how many bytes save stacks and control blocks may take together.
    pub fn limit_save_bytes(&self, bytes: usize) {
        self.shared.limit_save_bytes(bytes);
    }

    /// Gives the memory back once no control block is left; `self` must not be used any more.
    ///
    /// # Errors
    /// When live coroutines are bound to it; it stays usable then.
    ///
    /// # Safety
    /// It is not closed twice, and no coroutine is made on it afterwards.
    pub unsafe fn close(&mut self) -> Result<(), Error> {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.shared.state().engine.get() }.check_destroy()?;
        // SAFETY: not taken before, by the caller's promise.
        unsafe { ManuallyDrop::drop(&mut self.shared) };
        Ok(())
    }
}

impl core::fmt::Debug for Stack {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.shared.fmt(f)
    }
}

impl core::fmt::Debug for Control {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Control")
            .field("id", &self.block.head.id)
            .field("kind", &self.block.head.kind.get())
            .finish_non_exhaustive()
    }
}

/// The coroutine that runs on this thread; null when none does.
#[must_use]
#[inline]
pub fn current() -> *mut Control {
    // SAFETY: the thread's own variable.
    unsafe { (*arch::current_cell()).get() }
}

/// Whether a coroutine runs on this thread, rather than what stands for the thread's own stack.
#[must_use]
pub fn is_in_coroutine() -> bool {
    let current = current();
    // SAFETY: what is noted is alive.
    !current.is_null() && unsafe { (*current).block.head.link.sp.get() } != 0
}

/// Notes which coroutine runs on this thread, and returns which one was noted before.
///
/// A binding may note a control block of its own that stands for the thread's own stack
/// ([`Control::for_thread`]).
///
/// # Safety
/// What is noted lives as long as it stays noted, and it is true.
#[inline]
pub unsafe fn set_current(control: *mut Control) -> *mut Control {
    // SAFETY: the thread's own variable.
    unsafe { (*arch::current_cell()).replace(control) }
}

/// Where [`current`] is noted for this thread.
#[must_use]
pub fn current_location() -> *mut *mut Control {
    arch::current_cell().cast_mut().cast()
}

/// Resumes a coroutine.
///
/// `value` goes to where it has asked for it when it gave up control, or to its function as the
/// argument. Unless `out` is null, the value that comes back is stored there.
///
/// Returns [`status::YIELDED`] or [`status::ENDED`], or an error after which nothing has changed.
///
/// # Safety
/// `control` is null or a coroutine of this thread that is not destroyed. `out` is null or can be
/// written until this returns.
#[unsafe(naked)]
pub unsafe extern "C" fn resume(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
) -> i32 {
    crate::__resume!(values, 0)
}

/// Gives control and `value` to whoever resumed the running coroutine. Returns when it is resumed;
/// unless `received` is null, the value that it is resumed with is stored there.
///
/// Returns [`status::YIELDED`], or [`status::NO_COROUTINE`], after which nothing has changed.
///
/// # Safety
/// `received` is null or can be written until this returns. The thread runs on the stack of the
/// coroutine that is noted as the running one.
#[unsafe(naked)]
pub unsafe extern "C" fn suspend(value: *mut c_void, received: *mut *mut c_void) -> i32 {
    crate::__suspend!(values, 0)
}

/// Ends the running coroutine: its resumer gets `value`. Nothing of its frames is cleaned up.
///
/// # Safety
/// `control` is the running coroutine. None of its frames is needed any more.
pub unsafe fn end(control: *mut Control, value: *mut c_void) -> ! {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    let head = &this.block.head;
    if head.is_shared() {
        // SAFETY: the state lives as long as its control blocks. The engine is borrowed for a line
        // only; it takes a coroutine that runs for a running one.
        unsafe {
            let stack = this.block.stack.as_ref();
            (*stack.engine.get()).finished(&mut *this.block.record.get());
            (*this.stack).owner.set(ptr::null_mut());
        }
    }
    head.finish();
    this.ended.set(1);
    // SAFETY: the resumer waits, so where it wants the value is still there. The thread goes on in
    // the resumer, which ran as what is noted; the coroutine never runs again.
    unsafe {
        if !this.out.get().is_null() {
            *this.out.get() = value;
        }
        set_current(this.previous.get());
        arch::leave(control, status::ENDED)
    }
}

/// The engine's name for a shared coroutine.
fn shared_of(control: *mut Control) -> Shared {
    // SAFETY: a control block's address is not null.
    Shared(unsafe { NonNull::new_unchecked(control.cast()) })
}

impl Control {
    fn new(
        block: SharedControl,
        address: *mut Control,
        start: &Start,
        stack: *const Stack,
        save: SaveStack,
    ) -> Self {
        Control {
            block,
            out: Cell::new(ptr::null_mut()),
            // The first value goes where the entry reads it.
            // SAFETY: inside the block, which need not be written yet.
            received: Cell::new(unsafe { &raw mut (*address).first }.cast()),
            first: Cell::new(ptr::null_mut()),
            previous: Cell::new(ptr::null_mut()),
            returned: start.returned,
            binding: start.binding,
            unused: [0; _],
            stack,
            save: UnsafeCell::new(save),
            ended: Cell::new(0),
        }
    }

    /// A control block that stands for the thread's own stack: it can be noted as the running
    /// one, and neither resumed nor suspended.
    #[must_use]
    pub fn for_thread(binding: u32) -> Self {
        let block = SharedControl {
            head: Head::new(Kind::Own, 0, next_id()),
            record: UnsafeCell::new(share::Coroutine::in_place()),
            stack: NonNull::dangling(),
            image: UnsafeCell::new(Piece::EMPTY),
        };
        let start = Start {
            function: never_called,
            returned: never_ends,
            words: None,
            binding,
        };
        let this = Control::new(block, ptr::null_mut(), &start, ptr::null(), SaveStack::NONE);
        this.received.set(ptr::null_mut());
        this
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended.get() != 0
    }

    /// Whether it is suspended, fresh ones included, rather than running or ended.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        let head = &self.block.head;
        if self.is_ended() {
            return false;
        }
        if head.sp.get() != 0 {
            return true;
        }
        // SAFETY: borrowed for this line only.
        head.is_shared() && unsafe { &*self.block.record.get() }.status() != Status::Running
    }

    /// Whether its function has begun to run.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.block.head.stage.get() != Stage::Fresh
    }

    /// Its number, unique among those of its thread.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.block.head.id
    }

    /// Its save stack and what was copied.
    #[must_use]
    pub fn save_stack(&self) -> SaveStack {
        // SAFETY: borrowed for this line only.
        unsafe { *self.save.get() }
    }

    /// Its shared stack; null when its stack is its own.
    #[must_use]
    pub fn stack(&self) -> *const Stack {
        self.stack
    }

    /// Which binding it belongs to, so that one can tell its own from another's.
    #[must_use]
    pub fn binding(&self) -> u32 {
        self.binding
    }
}

/// The function of what is no coroutine.
unsafe extern "C" fn never_called(_value: *mut c_void) -> *mut c_void {
    ptr::null_mut()
}

/// The end of what is no coroutine.
unsafe extern "C" fn never_ends(_control: *mut Control, _value: *mut c_void) -> ! {
    std::process::abort()
}
