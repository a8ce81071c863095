//! Guard pages that are known to this thread, so that an overflow is told from any other fault.
//!
//! Each [`Guard`] is a node of a list. Stacks stay on their thread, and so does the list: the
//! handler of a fault ([`super::overflow`]) runs on the thread that faulted and walks it without
//! a lock.

use super::overflow;
use crate::Error;
use crate::own::OwnControl;
use crate::shared::StackState;
use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::cell::Cell;
use core::ops::Range;
use core::ptr::NonNull;

/// Who uses the stack above a guard.
#[derive(Clone, Copy)]
pub(crate) enum Occupant {
    Nobody,
    /// One coroutine.
    Own(NonNull<OwnControl>),
    /// One coroutine of [`crate::raw`], by number.
    #[cfg(feature = "raw")]
    Raw(crate::Id),
    /// The owner of a shared stack, whoever that is.
    Shared(NonNull<StackState>),
}

/// An inaccessible range below a stack, made known: running into it is reported as an overflow of
/// that stack rather than as an ordinary fault.
///
/// [`GuardedStack`](super::GuardedStack) has one. Other memory with a guard page of its own gets
/// the same report by keeping one and handing it out from
/// [`StackMemory::guard`](super::StackMemory::guard).
#[derive(Debug)]
pub struct Guard {
    node: NonNull<Node>,
}

pub(crate) struct Node {
    /// The inaccessible bytes; the stack's lowest usable byte is at the end.
    pub(crate) pages: Range<usize>,
    /// The address after the stack's highest byte.
    pub(crate) top: usize,
    pub(crate) occupant: Cell<Occupant>,
    next: Cell<Option<NonNull<Node>>>,
    previous: Cell<Option<NonNull<Node>>>,
}

thread_local! {
    /// Without a destructor, so that it can be read at any time in a thread's life.
    static FIRST: Cell<Option<NonNull<Node>>> = const { Cell::new(None) };
}

impl Guard {
    /// Makes it known that the bytes in `pages` cannot be accessed and that the stack above them
    /// ends at `top`. From the first of these on, the process has a handler of `SIGSEGV`; what is
    /// no overflow it hands on to the one that was there before.
    ///
    /// # Errors
    /// When there is no memory for the record.
    pub fn new(pages: Range<usize>, top: usize) -> Result<Self, Error> {
        overflow::watch();
        let first = FIRST.get();
        let bytes = size_of::<Node>();
        // SAFETY: a node is not of size zero.
        let node = NonNull::new(unsafe { alloc(Layout::new::<Node>()) }.cast::<Node>())
            .ok_or(Error::stack_memory(bytes, libc::ENOMEM))?;
        // SAFETY: just allocated for it.
        unsafe {
            node.write(Node {
                pages,
                top,
                occupant: Cell::new(Occupant::Nobody),
                next: Cell::new(first),
                previous: Cell::new(None),
            });
        }
        if let Some(first) = first {
            // SAFETY: nodes of the list are alive.
            unsafe { first.as_ref() }.previous.set(Some(node));
        }
        FIRST.set(Some(node));
        Ok(Guard { node })
    }

    /// Says who uses the stack from now on.
    #[inline(always)]
    pub(crate) fn occupy(&self, occupant: Occupant) {
        // SAFETY: the node lives as long as this.
        unsafe { self.node.as_ref() }.occupant.set(occupant);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: the node lives until the last line of this function, and its neighbours in the
        // list are alive.
        unsafe {
            let node = self.node.as_ref();
            let (next, previous) = (node.next.get(), node.previous.get());
            if let Some(next) = next {
                next.as_ref().previous.set(previous);
            }
            match previous {
                Some(previous) => previous.as_ref().next.set(next),
                None => FIRST.set(next),
            }
            self.node.drop_in_place();
            dealloc(self.node.as_ptr().cast(), Layout::new::<Node>());
        }
    }
}

/// The stack that an access to `address` has overflowed, when the stack pointer was `sp`.
///
/// That it hit a guard is not enough: code on another stack may have gone astray. So sp must be on
/// that guard's stack, or below it by less than a frame may be large.
pub(crate) fn overflowed(address: usize, sp: Option<usize>) -> Option<NonNull<Node>> {
    let hit = find(|node| node.pages.contains(&address))?;
    let Some(sp) = sp else { return Some(hit) };
    // SAFETY: nodes of the list are alive.
    let node = unsafe { hit.as_ref() };
    let on_it = sp <= node.top && node.pages.start.saturating_sub(sp) < LARGEST_FRAME;
    let elsewhere = find(|other| other.pages.end <= sp && sp <= other.top);
    (on_it && elsewhere.is_none_or(|other| other == hit)).then_some(hit)
}

/// How far below the guard sp may be when a function touches its frame for the first time. Rust's
/// functions touch every page on the way down; those of C need not.
const LARGEST_FRAME: usize = 1024 * 1024;

fn find(matches: impl Fn(&Node) -> bool) -> Option<NonNull<Node>> {
    let mut next = FIRST.get();
    while let Some(node) = next {
        // SAFETY: nodes of the list are alive.
        let node_ref = unsafe { node.as_ref() };
        if matches(node_ref) {
            return Some(node);
        }
        next = node_ref.next.get();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: usize, sp: usize, expect: bool) {
        let _guards = [
            Guard::new(0x10_0000..0x10_1000, 0x10_9000),
            Guard::new(0x20_0000..0x20_1000, 0x20_9000),
        ];
        assert_eq!(overflowed(address, Some(sp)).is_some(), expect);
    }

    #[test]
    fn a_push_below_the_stack_is_an_overflow() {
        check(0x20_0ff8, 0x20_1000, true);
        check(0x20_0ff8, 0x20_0800, true);
    }

    #[test]
    fn a_large_frame_is_touched_from_below_the_guard() {
        check(0x10_0800, 0x0f_0000, true);
    }

    #[test]
    fn an_access_from_another_stack_is_none() {
        check(0x20_0ff8, 0x10_8000, false);
        check(0x20_0ff8, 0x7fff_0000, false);
        check(0x30_0000, 0x20_1000, false);
    }

    #[test]
    fn a_guard_that_is_gone_is_forgotten() {
        drop(Guard::new(0x40_0000..0x40_1000, 0x40_9000));
        assert!(overflowed(0x40_0800, Some(0x40_1000)).is_none());
    }
}
