use super::StackMemory;
use super::guard::Guard;
use crate::Error;
use core::mem::ManuallyDrop;
use core::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A stack from the system, with an inaccessible page below it.
///
/// ```text
///   top     +--------------------+
///           | usable             |  read, write; grows down
///   bottom  +--------------------+
///           | guard page         |  no access: running into it is a fault, not a corruption
///           +--------------------+
/// ```
///
/// ```
/// use costack::stack::{GuardedStack, StackMemory};
///
/// let stack = GuardedStack::new(10_000)?;
/// assert!(stack.top() - stack.bottom() >= 10_000, "rounded up to whole pages");
/// # Ok::<(), costack::Error>(())
/// ```
#[derive(Debug)]
pub struct GuardedStack {
    /// The lowest usable byte.
    bottom: *mut u8,
    /// Usable bytes.
    bytes: usize,
    /// Dropped before the pages go.
    guard: ManuallyDrop<Guard>,
}

impl GuardedStack {
    /// Maps a stack of at least `bytes` usable bytes, rounded up to whole pages and to
    /// [`MIN_STACK_BYTES`](super::MIN_STACK_BYTES).
    ///
    /// # Errors
    /// When `bytes` is zero or larger than the address space, or the system has no memory left.
    pub fn new(bytes: usize) -> Result<Self, Error> {
        let (bytes, page) = rounded(bytes)?;
        let mapped = bytes + page;
        // SAFETY: a new anonymous mapping, at an address that the system chooses.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                mapped,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(Error::stack_memory(mapped, os_error()));
        }
        // SAFETY: the mapping is one page longer than `bytes`.
        let bottom = unsafe { base.cast::<u8>().add(page) };
        let pages = base.addr()..bottom.addr();
        let guard = Guard::new(pages, bottom.addr() + bytes).inspect_err(|_| {
            // SAFETY: mapped above, and used by nobody.
            unsafe { libc::munmap(base, mapped) };
        })?;
        let stack = GuardedStack {
            bottom,
            bytes,
            guard: ManuallyDrop::new(guard),
        };
        // SAFETY: the range lies inside the new mapping.
        if unsafe { libc::mprotect(bottom.cast(), bytes, libc::PROT_READ | libc::PROT_WRITE) } != 0
        {
            return Err(Error::stack_memory(mapped, os_error()));
        }
        bottom.expose_provenance();
        Ok(stack)
    }

    /// Usable bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for GuardedStack {
    fn drop(&mut self) {
        let page = page_bytes();
        // SAFETY: dropped here only.
        unsafe { ManuallyDrop::drop(&mut self.guard) };
        // SAFETY: exactly what `new` has mapped, and nobody uses it any more.
        unsafe { libc::munmap(self.bottom.sub(page).cast(), self.bytes + page) };
    }
}

// SAFETY: the mapping belongs to this value, stays where it is and is readable and writable.
unsafe impl StackMemory for GuardedStack {
    fn bottom(&self) -> usize {
        self.bottom.addr()
    }

    fn top(&self) -> usize {
        self.bottom.addr() + self.bytes
    }

    fn as_ptr(&self) -> *mut u8 {
        self.bottom
    }

    #[inline]
    fn guard(&self) -> Option<&Guard> {
        Some(&self.guard)
    }
}

/// `bytes` in whole pages, and the size of a page.
pub(crate) fn rounded(bytes: usize) -> Result<(usize, usize), Error> {
    if bytes == 0 {
        return Err(Error::stack_size_zero());
    }
    let page = page_bytes();
    let bytes = bytes
        .max(super::MIN_STACK_BYTES)
        .checked_next_multiple_of(page)
        .filter(|rounded| *rounded <= isize::MAX as usize - page)
        .ok_or(Error::stack_too_large(bytes))?;
    Ok((bytes, page))
}

/// The system's page size, asked for once.
fn page_bytes() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: a query without side effects.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            let page = usize::try_from(page).unwrap_or(4096);
            PAGE.store(page, Ordering::Relaxed);
            page
        }
        page => page,
    }
}

fn os_error() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(bytes: usize, message: &str) {
        let error = GuardedStack::new(bytes).expect_err("this size is refused");
        assert!(error.to_string().contains(message), "{error}");
    }

    #[test]
    fn sizes_are_rounded_to_pages() {
        let page = page_bytes();
        for (asked, got) in [
            (1, 4096.max(page)),
            (4096, 4096.max(page)),
            (page + 1, 2 * page),
        ] {
            assert_eq!(
                GuardedStack::new(asked).expect("a small stack").bytes(),
                got
            );
        }
    }

    #[test]
    fn impossible_sizes_are_errors() {
        check_refused(0, "0 bytes");
        check_refused(usize::MAX, "address space");
        check_refused(isize::MAX as usize, "address space");
        if cfg!(target_pointer_width = "64") {
            check_refused(usize::MAX / 4, "no memory");
        }
    }

    #[test]
    fn every_usable_byte_can_be_written() {
        let stack = GuardedStack::new(8192).expect("a small stack");
        // SAFETY: the trait's promise.
        unsafe { stack.as_ptr().write_bytes(0x5a, stack.bytes()) };
    }
}
