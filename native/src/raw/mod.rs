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

use crate::arch::STACK_ALIGN;
use crate::coroutine::next_id;
use crate::exchange;
use crate::head::{Head, Kind, Stage};
use crate::shared::{Shared, SharedControl, StackState, yielded_elsewhere};
use crate::slab::Piece;
use crate::stack::guard::Occupant;
use crate::stack::{PooledStack, StackMemory};
use crate::{Error, SharedStack};
use alloc::boxed::Box;
use arch::{CallFrame, CallFrameFp};
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::hint::cold_path;
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

/// Makes a coroutine on a shared stack. Its control block has `bytes` bytes, zero behind what is
/// [`Control`]'s, and its save stack holds `save_bytes` at least.
///
/// # Errors
/// When there is no memory, or no room on the stack.
///
/// # Safety
/// - The stack is open and of this thread.
/// - The function and what it calls keep to what [`Coroutine::new_shared`] asks for.
///
/// [`Coroutine::new_shared`]: crate::Coroutine::new_shared
pub unsafe fn create_shared(
    stack: *const Stack,
    start: Start,
    save_bytes: usize,
    bytes: usize,
) -> Result<NonNull<Control>, Error> {
    // SAFETY: the caller's promise.
    let shared = unsafe { &*(*stack).shared };
    let state = shared.state();
    let frame_bytes = frame_bytes(start.words.is_some());
    let bytes = bytes.max(size_of::<Control>());
    // SAFETY: the slab is borrowed for these lines only.
    let slab = unsafe { &mut *state.slab.get() };
    let block = slab.allocate(bytes).ok_or(Error::save_memory(bytes))?;
    let image_bytes = save_bytes.max(frame_bytes);
    let Some(image) = slab.allocate(image_bytes) else {
        // SAFETY: allocated above, used by nobody.
        unsafe { slab.free(block) };
        return Err(Error::save_memory(image_bytes));
    };
    let control = block.start.cast::<Control>();
    let kind = match start.words {
        Some(_) => Kind::SharedFp,
        None => Kind::Shared,
    };
    // SAFETY: both pieces are fresh and large enough. A piece is aligned to a word; the image is
    // written as bytes of any alignment.
    unsafe {
        block.start.write_bytes(0, bytes);
        let frame = CallFrame::new(control, start.function, start.returned);
        write_frame(image.start, frame, start.words);
        let save = SaveStack {
            start: image.start.cast(),
            capacity: image.capacity as usize,
            ..SaveStack::NONE
        };
        let block = SharedControl {
            head: Head::new(kind, 0, next_id()),
            record: UnsafeCell::new(share::Coroutine::out(frame_bytes as u32)),
            stack: NonNull::from(state),
            image: UnsafeCell::new(image),
        };
        control.write(Control::new(block, control, &start, stack, save));
        (*state.engine.get()).bind(shared_of(control));
    }
    state.blocks.set(state.blocks.get() + 1);
    // SAFETY: a piece is never null.
    Ok(unsafe { NonNull::new_unchecked(control) })
}

/// Makes a coroutine on a stack of its own, of so many usable bytes, from the thread's pool. Its
/// control block has `bytes` bytes, zero behind what is [`Control`]'s.
///
/// ```text
///   top of the memory  +------------------------------+
///                      | the stack's memory handle    |
///                      | control block                |
///                      +------------------------------+ 16-byte aligned
///                      | initial frame (arch)         | <- sp of a fresh coroutine
///                      +------------------------------+
///                      | free                         |
/// ```
///
/// # Errors
/// When there is no memory, or the size is zero or impossible.
///
/// # Safety
/// The functions of `start` may be called.
pub unsafe fn create_own(
    stack_bytes: usize,
    start: Start,
    bytes: usize,
) -> Result<NonNull<Control>, Error> {
    let memory = PooledStack::new(stack_bytes)?;
    let frame_bytes = frame_bytes(start.words.is_some());
    let handle_at = handle_at(bytes);
    let block_bytes = (handle_at + size_of::<PooledStack>()).next_multiple_of(STACK_ALIGN);
    crate::stack::check_size(&memory, block_bytes + frame_bytes + STACK_ALIGN)?;
    let top = memory.top() & !(STACK_ALIGN - 1);
    let kind = match start.words {
        Some(_) => Kind::OwnFp,
        None => Kind::Own,
    };
    // SAFETY: there is room for block and frame at the top of the memory, which is nobody else's.
    unsafe {
        let block = memory.as_ptr().add(top - block_bytes - memory.bottom());
        let control = block.cast::<Control>();
        block.write_bytes(0, block_bytes);
        let frame = block.sub(frame_bytes);
        let first = CallFrame::new(control, start.function, start.returned);
        write_frame(frame, first, start.words);
        let shared = SharedControl {
            head: Head::new(kind, frame.expose_provenance(), next_id()),
            record: UnsafeCell::new(share::Coroutine::in_place()),
            stack: NonNull::dangling(),
            image: UnsafeCell::new(Piece::EMPTY),
        };
        control.write(Control::new(
            shared,
            control,
            &start,
            ptr::null(),
            SaveStack::NONE,
        ));
        if let Some(guard) = memory.guard() {
            guard.occupy(Occupant::Raw(crate::Id((*control).id())));
        }
        block.add(handle_at).cast::<PooledStack>().write(memory);
        Ok(NonNull::new_unchecked(control))
    }
}

/// Where the memory handle is behind a control block of so many bytes.
fn handle_at(bytes: usize) -> usize {
    bytes
        .max(size_of::<Control>())
        .next_multiple_of(align_of::<PooledStack>())
}

fn frame_bytes(fp: bool) -> usize {
    match fp {
        true => size_of::<CallFrameFp>(),
        false => size_of::<CallFrame>(),
    }
}

/// # Safety
/// `at` has room for the frame.
unsafe fn write_frame(at: *mut u8, frame: CallFrame, words: Option<ControlWords>) {
    // SAFETY: the caller's promise.
    unsafe {
        match words {
            Some(words) => at
                .cast::<CallFrameFp>()
                .write_unaligned(CallFrameFp::new(frame, words)),
            None => at.cast::<CallFrame>().write_unaligned(frame),
        }
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

/// Has a suspended coroutine call `function` on its own stack, below all of its frames, in place
/// of going on when it is resumed next; the value of that resume is its argument. After that it
/// goes on as if its own function had returned.
///
/// # Errors
/// When it is not suspended, or there is no memory to bring it in. Nothing has changed then.
///
/// # Safety
/// `control` is a coroutine of this thread that is not destroyed; its stack has room.
pub unsafe fn divert(control: *mut Control, function: Entry) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    let head = &this.block.head;
    let sp = match head.sp.get() {
        // SAFETY: the caller's promise.
        0 => unsafe { bring_in(control)? }.sp,
        sp => sp,
    };
    let frame = CallFrame::new(control, function, this.returned);
    let words = head.is_fp().then(ControlWords::now);
    let low = (sp & !(STACK_ALIGN - 1)) - frame_bytes(words.is_some());
    // SAFETY: below the frames of the coroutine, which is in place, and above the stack's bottom.
    unsafe { write_frame(ptr::with_exposed_provenance_mut(low), frame, words) };
    // In place, and the engine takes it for a running one.
    head.sp.set(low);
    this.received.set(this.first.as_ptr());
    Ok(())
}

/// Frees a coroutine that is not running. Nothing of its frames is cleaned up.
///
/// # Errors
/// [`Refusal::Running`].
///
/// # Safety
/// `control` is a coroutine of this thread, not destroyed before; `bytes` is what its creation
/// was told. It is not used any more.
pub unsafe fn destroy(control: *mut Control, bytes: usize) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    if !this.is_ended() && !this.is_suspended() {
        return Err(Refusal::Running.into());
    }
    if !this.block.head.is_shared() {
        // SAFETY: the handle lies where `create_own` has put it; it is moved out before its memory
        // goes.
        let memory = unsafe {
            control
                .byte_add(handle_at(bytes))
                .cast::<PooledStack>()
                .read()
        };
        if let Some(guard) = memory.guard() {
            guard.occupy(Occupant::Nobody);
        }
        return Ok(());
    }
    let state = this.block.stack;
    // SAFETY: the state lives as long as its control blocks. Records and slab are borrowed in
    // these lines only; freeing is refused for a running coroutine only.
    unsafe {
        let stack = state.as_ref();
        tell_of_yield(stack);
        if stack.blocks_owner() == Some(shared_of(control)) {
            (*this.stack).owner.set(ptr::null_mut());
        }
        (*stack.engine.get()).free(shared_of(control), &mut *this.block.record.get())?;
        let image = *this.block.image.get();
        let slab = &mut *stack.slab.get();
        slab.free(image);
        let capacity = bytes.max(size_of::<Control>()).next_multiple_of(8) as u32;
        slab.free(Piece {
            start: control.cast(),
            capacity,
        });
        stack.blocks.set(stack.blocks.get() - 1);
        StackState::drop_if_unused(state);
    }
    Ok(())
}

/// The function of what is no coroutine.
unsafe extern "C" fn never_called(_value: *mut c_void) -> *mut c_void {
    ptr::null_mut()
}

/// The end of what is no coroutine.
unsafe extern "C" fn never_ends(_control: *mut Control, _value: *mut c_void) -> ! {
    std::process::abort()
}

impl StackState {
    fn blocks_owner(&self) -> Option<Shared> {
        // SAFETY: borrowed for this line only.
        unsafe { &*self.engine.get() }.owner()
    }
}

/// Tells the engine that the stack's owner has yielded, if it has and the engine does not know.
///
/// # Safety
/// All coroutines of the stack are [`Control`]s.
#[inline(always)]
unsafe fn tell_of_yield(stack: &StackState) {
    // SAFETY: borrowed in these lines only.
    unsafe {
        let engine = &mut *stack.engine.get();
        let Some(owner) = engine.owner() else { return };
        let block = owner.0.as_ref();
        let sp = block.head.sp.get();
        if sp == 0 {
            return;
        }
        let bytes = stack.top_ptr().addr().wrapping_sub(sp);
        if bytes > stack.bytes {
            yielded_elsewhere();
        }
        engine.yielded(&mut *block.record.get(), bytes as u32);
        block.head.sp.set(0);
    }
}

/// Where a switch to a coroutine finds it.
struct Place {
    /// The words that the switch takes: at its stack pointer, or at the start of its image.
    words: usize,
    /// Its stack pointer.
    sp: usize,
}

/// A place in the registers in which a C function returns two words.
#[cfg(target_pointer_width = "64")]
type TwoWords = u128;
#[cfg(target_pointer_width = "32")]
type TwoWords = u64;

impl Place {
    #[inline(always)]
    fn to_registers(&self) -> TwoWords {
        (self.sp as TwoWords) << usize::BITS | self.words as TwoWords
    }
}

/// Brings a coroutine's bytes into place.
///
/// # Errors
/// The engine's refusal, or no memory to save the owner. Nothing has changed then.
///
/// # Safety
/// `control` is a coroutine of this thread that is not destroyed, and has no stack pointer in its
/// head.
#[inline(always)]
unsafe fn bring_in(control: *mut Control) -> Result<Place, Error> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    match this.block.head.kind.get() {
        Kind::Finished => return Err(Refusal::Finished.into()),
        // It would have its stack pointer in its head.
        Kind::Own | Kind::OwnFp | Kind::OwnCounted => return Err(Refusal::Running.into()),
        Kind::Shared | Kind::SharedFp => {}
    }
    let target = shared_of(control);
    // SAFETY: the state lives as long as its control blocks, whose records are borrowed for a line
    // each; all coroutines of the stack are `Control`s.
    unsafe {
        let stack = this.block.stack.as_ref();
        tell_of_yield(stack);
        let owner = stack.blocks_owner();
        let bytes =
            exchange::bring_in::<{ arch::FRESH_WORDS }, { arch::TAKEN_WORDS }>(stack, target)?;
        let sp = stack.top_ptr().addr() - bytes;
        if owner == Some(target) {
            return Ok(Place { words: sp, sp });
        }
        if let Some(owner) = owner {
            note_save(owner);
        }
        note_restore(control);
        Ok(Place::of_restored(this, sp))
    }
}

/// As [`bring_in`], for the most frequent case alone: the stack's owner has yielded, `control` is
/// out, and the images are small. `None` when it is another case; nothing has changed then.
///
/// # Safety
/// As for [`bring_in`], but `control` may have a stack pointer in its head.
#[inline(always)]
unsafe fn hand_over(control: *mut Control) -> Option<Place> {
    // SAFETY: the caller's promise.
    let this = unsafe { &*control };
    if !matches!(this.block.head.kind.get(), Kind::Shared | Kind::SharedFp) {
        cold_path();
        return None;
    }
    // SAFETY: as in `bring_in`. An owner that runs has no stack pointer in its head, so that it seems
    // to have more bytes than the stack.
    unsafe {
        let stack = this.block.stack.as_ref();
        let owner = stack.blocks_owner()?;
        let head = &owner.0.as_ref().head;
        let owned = stack.top_ptr().addr().wrapping_sub(head.sp.get());
        if owned > stack.bytes {
            cold_path();
            return None;
        }
        let restored = exchange::hand_over::<{ arch::FRESH_WORDS }, { arch::TAKEN_WORDS }>(
            stack,
            owner,
            owned,
            shared_of(control),
        )?;
        head.sp.set(0);
        note_save(owner);
        note_restore(control);
        let sp = stack.top_ptr().addr() - restored;
        Some(Place::of_restored(this, sp))
    }
}

impl Place {
    /// Of a coroutine whose image was just copied back, but for the words that a switch takes.
    #[inline(always)]
    fn of_restored(this: &Control, sp: usize) -> Place {
        // SAFETY: borrowed for this line only.
        let image = unsafe { *this.block.image.get() }.start.addr();
        let words = if arch::TAKEN_WORDS == 0 { sp } else { image };
        Place { words, sp }
    }
}

/// Shows that a coroutine now owns its stack.
///
/// # Safety
/// It has just become the owner.
#[inline(always)]
unsafe fn note_restore(control: *mut Control) {
    // SAFETY: the caller's promise; borrowed in these lines only.
    unsafe {
        let this = &*control;
        if this.has_begun() {
            (*this.save.get()).restores += 1;
        }
        (*this.stack).owner.set(control);
    }
}

/// Shows what was just saved.
///
/// # Safety
/// The coroutine is a [`Control`] and has just been evicted.
#[inline(always)]
unsafe fn note_save(evicted: Shared) {
    // SAFETY: the caller's promise; borrowed in these lines only.
    unsafe {
        let image = *evicted.image();
        let bytes = (*evicted.record()).bytes() as usize;
        let save = &mut *evicted.0.cast::<Control>().as_ref().save.get();
        save.saves += 1;
        // Most images are of the size of the last one, and stores are what a switch has most of. A
        // save stack is only ever replaced by one of another capacity.
        if save.bytes != bytes || save.capacity != image.capacity as usize {
            cold_path();
            save.start = image.start.cast();
            save.capacity = image.capacity as usize;
            save.bytes = bytes;
            save.largest = save.largest.max(bytes);
        }
    }
}

/// For the body of C functions that resume: where the words of a coroutine are, and its stack
/// pointer, its bytes in place; or a negative status in the first word.
///
/// # Safety
/// As for [`resume`], and the head has no stack pointer.
#[doc(hidden)]
pub unsafe extern "C" fn prepare(control: *mut Control, strict: i32) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        if !control.is_null()
            && let Some(place) = hand_over(control)
        {
            return place.to_registers();
        }
        // The last thing that is done, so that this function needs no stack of its own.
        prepare_any(control, strict)
    }
}

/// As [`prepare`], and passes the values as [`resume`] says.
///
/// # Safety
/// As for [`resume`], and the head has no stack pointer.
#[doc(hidden)]
pub unsafe extern "C" fn prepare_with_values(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
    strict: i32,
) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        if !control.is_null()
            && let Some(place) = hand_over(control)
        {
            pass(control, value, out);
            return place.to_registers();
        }
        // As in `prepare`.
        prepare_any_with_values(control, value, out, strict)
    }
}

/// As [`prepare_with_values`], in all cases.
///
/// # Safety
/// As there.
#[cold]
#[inline(never)]
unsafe extern "C" fn prepare_any_with_values(
    control: *mut Control,
    value: *mut c_void,
    out: *mut *mut c_void,
    strict: i32,
) -> TwoWords {
    // SAFETY: the caller's promise.
    unsafe {
        let words = prepare_any(control, strict);
        // Statuses of errors are the last addresses there are.
        if words as usize <= usize::MAX - 4096 {
            pass(control, value, out);
        }
        words
    }
}

/// Passes the values of a resume.
///
/// # Safety
/// As for [`resume`]; the coroutine is in place.
#[inline(always)]
unsafe fn pass(control: *mut Control, value: *mut c_void, out: *mut *mut c_void) {
    // SAFETY: the caller's promise. Where the coroutine wants its value lies on its own stack.
    unsafe {
        (*control).out.set(out);
        let received = (*control).received.get();
        if !received.is_null() {
            *received = value;
        }
    }
}

/// As [`prepare`], in all cases.
///
/// # Safety
/// As there.
#[cold]
#[inline(never)]
unsafe extern "C" fn prepare_any(control: *mut Control, strict: i32) -> TwoWords {
    if control.is_null() {
        return refuse(status::NULL, "no coroutine was given", strict) as TwoWords;
    }
    // SAFETY: the caller's promise.
    match unsafe { bring_in(control) } {
        Ok(place) => place.to_registers(),
        Err(error) => refuse(status_of(&error), error, strict) as TwoWords,
    }
}

/// For the body of C functions that suspend: nobody has resumed the code that runs.
///
/// # Safety
/// It may always be called.
#[doc(hidden)]
pub unsafe extern "C" fn refuse_suspend(strict: i32) -> i32 {
    refuse(
        status::NO_COROUTINE,
        "it was called outside of every coroutine",
        strict,
    );
    status::NO_COROUTINE
}

#[cold]
#[inline(never)]
fn refuse(status: i32, reason: impl core::fmt::Display, strict: i32) -> usize {
    if strict != 0 {
        std::eprintln!("costack: a switch was refused: {reason}");
        std::process::abort();
    }
    status as isize as usize
}
