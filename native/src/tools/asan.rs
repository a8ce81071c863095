//! AddressSanitizer's calls for programs that switch stacks (`sanitizer/common_interface_defs.h`
//! and `sanitizer/asan_interface.h` of LLVM).
//!
//! It keeps a *shadow*: a byte for every eight bytes of memory, which says how many of these may
//! be used. Images are copied without looking at it, because the gaps between variables are part
//! of an image, and the shadow of an image is kept beside its save stack.

use crate::head::{Head, left_with};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ops::Range;
use core::ptr;

unsafe extern "C" {
    fn __sanitizer_start_switch_fiber(
        fake_stack: *mut *mut c_void,
        bottom: *const c_void,
        bytes: usize,
    );
    fn __sanitizer_finish_switch_fiber(
        fake_stack: *mut c_void,
        old_bottom: *mut *const c_void,
        old_bytes: *mut usize,
    );
    fn __asan_unpoison_memory_region(start: *const c_void, bytes: usize);
    fn __asan_get_shadow_mapping(scale: *mut usize, offset: *mut usize);
}

/// The stack of a coroutine's resumer; of one that has ended, what is to be given back.
#[derive(Clone, Copy)]
pub(crate) struct Resumer {
    bottom: *const c_void,
    bytes: usize,
    fake_stack: *mut c_void,
}

impl Resumer {
    pub(crate) const UNKNOWN: Resumer = Resumer {
        bottom: ptr::null(),
        bytes: 0,
        fake_stack: ptr::null_mut(),
    };
}

/// What a stack that is left has to give back when it is reached again.
pub(crate) struct Left(*mut c_void);

/// Right before a switch into a coroutine.
#[inline(always)]
pub(crate) fn enter(head: &Head) -> Left {
    let stack = head.stack_bounds();
    let mut left = Left(ptr::null_mut());
    // SAFETY: the coroutine's stack, which is switched to next.
    unsafe {
        __sanitizer_start_switch_fiber(
            &raw mut left.0,
            ptr::with_exposed_provenance(stack.start),
            stack.end - stack.start,
        );
    }
    left
}

/// Right after the switch back from a coroutine.
#[inline(always)]
pub(crate) fn entered(left: Left) {
    // SAFETY: what `enter` has got on this stack.
    unsafe { __sanitizer_finish_switch_fiber(left.0, ptr::null_mut(), ptr::null_mut()) };
}

/// Right before a switch out of a coroutine.
#[inline(always)]
pub(crate) fn leave(head: &Head, tag: usize) -> Left {
    let Resumer { bottom, bytes, .. } = head.resumer.get();
    let mut left = Left(ptr::null_mut());
    // SAFETY: the resumer's stack, which is switched to next.
    unsafe { __sanitizer_start_switch_fiber(&raw mut left.0, bottom, bytes) };
    if tag != left_with::YIELDED {
        // It does not come back for it; but the value that it leaves with may be in there.
        let fake_stack = left.0;
        head.resumer.set(Resumer {
            fake_stack,
            ..Resumer::UNKNOWN
        });
    }
    left
}

/// Gives back what a coroutine that has ended has left, now that its value is taken.
pub(crate) fn forget(head: &Head) {
    let fake_stack = head.resumer.replace(Resumer::UNKNOWN).fake_stack;
    if fake_stack.is_null() {
        return;
    }
    let mut mine = ptr::null_mut();
    let Resumer {
        mut bottom,
        mut bytes,
        ..
    } = Resumer::UNKNOWN;
    // SAFETY: it looks like a visit to the stack that has ended, and one that ends gives back what
    // it has; nothing is switched meanwhile.
    unsafe {
        __sanitizer_start_switch_fiber(&raw mut mine, bottom, bytes);
        __sanitizer_finish_switch_fiber(fake_stack, &raw mut bottom, &raw mut bytes);
        __sanitizer_start_switch_fiber(ptr::null_mut(), bottom, bytes);
        __sanitizer_finish_switch_fiber(mine, ptr::null_mut(), ptr::null_mut());
    }
}

/// Right after a coroutine has been reached again.
#[inline(always)]
pub(crate) fn left(head: &Head, left: Left) {
    arrived(head, left.0);
}

/// Right after a coroutine has been reached for the first time.
#[inline(always)]
pub(crate) fn begun(head: &Head) {
    arrived(head, ptr::null_mut());
}

#[inline(always)]
fn arrived(head: &Head, fake_stack: *mut c_void) {
    let mut resumer = Resumer::UNKNOWN;
    // SAFETY: what `leave` has got on this stack, or null on a new one.
    unsafe {
        __sanitizer_finish_switch_fiber(
            fake_stack,
            &raw mut resumer.bottom,
            &raw mut resumer.bytes,
        );
    }
    head.resumer.set(resumer);
}

/// All of these bytes may be used.
pub(crate) fn unpoison(bytes: Range<usize>) {
    let start = ptr::with_exposed_provenance(bytes.start);
    // SAFETY: the memory is a stack's.
    unsafe { __asan_unpoison_memory_region(start, bytes.end - bytes.start) };
}

/// The shadows of the images of one stack, by the address of their control block.
#[derive(Default)]
pub(crate) struct Shadows(UnsafeCell<BTreeMap<usize, Vec<u8>>>);

impl Shadows {
    /// Keeps what is known about the bytes of an image on its stack.
    pub(crate) fn save(&self, whose: usize, image: Range<usize>) {
        let shadow = shadow_of(image);
        let mut kept = Vec::with_capacity(shadow.end - shadow.start);
        // SAFETY: the shadow of a stack is there, and the vector has room for it. The map is
        // borrowed in these lines only.
        unsafe {
            copy(
                ptr::with_exposed_provenance(shadow.start),
                kept.as_mut_ptr(),
                shadow.end - shadow.start,
            );
            kept.set_len(shadow.end - shadow.start);
            (*self.0.get()).insert(whose, kept);
        }
    }

    /// Puts it back with the image.
    pub(crate) fn bring_back(&self, whose: usize, image: Range<usize>) {
        let shadow = shadow_of(image);
        // SAFETY: as in `save`.
        if let Some(kept) = unsafe { &mut *self.0.get() }.remove(&whose) {
            let bytes = kept.len().min(shadow.end - shadow.start);
            // SAFETY: the shadow of a stack can be written.
            unsafe {
                copy(
                    kept.as_ptr(),
                    ptr::with_exposed_provenance_mut(shadow.start),
                    bytes,
                );
            }
        }
    }

    /// The coroutine is gone.
    pub(crate) fn forget(&self, whose: usize) {
        // SAFETY: as in `save`.
        unsafe { &mut *self.0.get() }.remove(&whose);
    }
}

fn shadow_of(bytes: Range<usize>) -> Range<usize> {
    let (mut scale, mut offset) = (0, 0);
    // SAFETY: fills the two.
    unsafe { __asan_get_shadow_mapping(&raw mut scale, &raw mut offset) };
    (bytes.start >> scale) + offset..(bytes.end >> scale) + offset
}

/// Copies bytes whatever their shadow says.
///
/// # Safety
/// As for [`core::ptr::copy_nonoverlapping`].
pub(crate) unsafe fn copy(source: *const u8, target: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") bytes => _,
            inout("rsi") source => _,
            inout("rdi") target => _,
            options(nostack, preserves_flags),
        );
    }
}

/// The cell in a head.
pub(crate) type ResumerCell = Cell<Resumer>;
