//! The life of a coroutine: made, diverted, freed.

use super::arch::{CallFrame, CallFrameFp};
use super::place::{bring_in, tell_of_yield};
use super::{Control, ControlWords, Entry, SaveStack, Stack, Start, shared_of};
use crate::Error;
use crate::arch::STACK_ALIGN;
use crate::coroutine::next_id;
use crate::head::{Head, Kind};
use crate::shared::{SharedControl, StackState};
use crate::slab::Piece;
use crate::stack::guard::Occupant;
use crate::stack::{PooledStack, StackMemory};
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use costack_engine::Refusal;
use costack_engine::share;

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
