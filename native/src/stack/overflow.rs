//! What happens when a coroutine runs into the guard page below its stack.
//!
//! A handler of `SIGSEGV`, on a stack of its own, finds out which coroutine it was, prints one
//! line, lets the [last words](set_last_words) be said and ends the process. A fault that is no
//! overflow goes to the handler that was there before: that of Rust's runtime, which reports the
//! overflow of a thread's own stack, or the system's.
//!
//! Nothing here allocates or locks, because a fault may come anywhere.

use super::guard::{self, Node, Occupant};
use crate::{Id, arch};
use core::ffi::{c_int, c_void};
use core::fmt::{self, Write as _};
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Once, OnceLock};

/// A stack that was too small: whose, and where.
///
/// Its `Display` is the line that is printed.
#[derive(Clone, Debug)]
pub struct Overflow<'a> {
    id: Option<Id>,
    name: Option<&'a str>,
    stack: Range<usize>,
    address: usize,
}

impl Overflow<'_> {
    /// The coroutine's number; `None` when nobody was at home on that stack.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.id
    }

    /// The coroutine's name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name
    }

    /// The stack's lowest usable byte, and the one after the highest.
    #[must_use]
    pub fn stack(&self) -> Range<usize> {
        self.stack.clone()
    }

    /// The address that could not be accessed.
    #[must_use]
    pub fn address(&self) -> usize {
        self.address
    }
}

impl fmt::Display for Overflow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("costack: stack overflow in ")?;
        match self.id {
            Some(id) => write!(f, "coroutine {id}")?,
            None => f.write_str("a coroutine that is unknown")?,
        }
        if let Some(name) = self.name {
            write!(f, " \"{name}\"")?;
        }
        let Range { start, end } = self.stack;
        write!(
            f,
            ": its stack is {start:#x} to {end:#x} ({} bytes), and it accessed {:#x}",
            end - start,
            self.address
        )
    }
}

/// The hook, as a pointer to a function; null when there is none.
static LAST_WORDS: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Sets what is called when a coroutine's stack has overflowed, after the message is printed and
/// before the process is aborted: a place to save what must not be lost.
///
/// It runs in a signal handler on a stack of 64 KiB, while the coroutine is wherever it was, so it
/// must not allocate, lock or panic unless it knows that the coroutine was not doing the same.
/// `None` takes it away.
///
/// ```
/// costack::stack::set_last_words(Some(|overflow| {
///     // Something that needs no memory: a byte to a pipe, a flag in a file.
///     let _ = overflow.id();
/// }));
/// # costack::stack::set_last_words(None);
/// ```
pub fn set_last_words(hook: Option<fn(&Overflow<'_>)>) {
    let pointer = hook.map_or(ptr::null_mut(), |hook| hook as *mut ());
    LAST_WORDS.store(pointer, Ordering::Release);
}

/// Usable bytes of the stack that the handler runs on.
const HANDLER_BYTES: usize = 64 * 1024;

/// What handled the fault before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Makes sure that faults of this thread are looked at.
pub(crate) fn watch() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install);
    // A thread that is ending keeps what it has.
    let _ = HANDLER_STACK.try_with(|_| ());
}

fn install() {
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: asks for the action only, and writes all of it when it succeeds.
    unsafe {
        if libc::sigaction(libc::SIGSEGV, ptr::null(), before.as_mut_ptr()) != 0 {
            return;
        }
        let _ = BEFORE.set(before.assume_init());
    }
    // SAFETY: all zeroes are a valid action: the default one, with an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_fault;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler keeps to what a handler may do. Without it, an overflow is an ordinary
    // fault; so its failure changes nothing.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut()) };
}

thread_local! {
    static HANDLER_STACK: HandlerStack = HandlerStack::new();
}

/// A stack for the handler on this thread; null where the thread has brought one that is large
/// enough.
struct HandlerStack(*mut c_void);

impl HandlerStack {
    fn new() -> Self {
        let none = HandlerStack(ptr::null_mut());
        if current().is_some_and(|stack| stack.ss_size >= HANDLER_BYTES) {
            return none;
        }
        // SAFETY: a new anonymous mapping, at an address that the system chooses.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                HANDLER_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return none;
        }
        let stack = libc::stack_t {
            ss_sp: memory,
            ss_flags: 0,
            ss_size: HANDLER_BYTES,
        };
        // SAFETY: the memory is the new mapping, which stays until this is dropped.
        if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } != 0 {
            // SAFETY: mapped above, and used by nobody.
            unsafe { libc::munmap(memory, HANDLER_BYTES) };
            return none;
        }
        HandlerStack(memory)
    }
}

impl Drop for HandlerStack {
    fn drop(&mut self) {
        if self.0.is_null() {
            return;
        }
        if current().is_some_and(|stack| stack.ss_sp == self.0) {
            let none = libc::stack_t {
                ss_sp: ptr::null_mut(),
                ss_flags: libc::SS_DISABLE,
                ss_size: HANDLER_BYTES,
            };
            // SAFETY: the thread has no such stack from here on.
            unsafe { libc::sigaltstack(&raw const none, ptr::null_mut()) };
        }
        // SAFETY: mapped in `new`, and no longer the thread's.
        unsafe { libc::munmap(self.0, HANDLER_BYTES) };
    }
}

/// The stack for handlers that this thread has.
fn current() -> Option<libc::stack_t> {
    let mut stack = MaybeUninit::<libc::stack_t>::uninit();
    // SAFETY: asks for the stack only, and writes all of it when it succeeds.
    unsafe {
        (libc::sigaltstack(ptr::null(), stack.as_mut_ptr()) == 0)
            .then(|| stack.assume_init())
            .filter(|stack| stack.ss_flags & libc::SS_DISABLE == 0)
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes both for this signal. A code above zero says that it is a fault,
    // with an address, and not something that another process has sent.
    let (fault, address, sp) = unsafe {
        let info = &*info;
        let address = info.si_addr().addr();
        (info.si_code > 0, address, arch::interrupted_sp(context))
    };
    if fault && let Some(node) = guard::overflowed(address, sp) {
        // SAFETY: nodes are alive, and so is who is said to occupy the stack.
        unsafe { report(node, address) };
    }
    // SAFETY: the arguments are the system's.
    unsafe { pass_on(signal, info, context) };
}

/// Prints, calls the hook, ends the process.
///
/// # Safety
/// The node is alive, and so is its occupant.
unsafe fn report(node: NonNull<Node>, address: usize) -> ! {
    // SAFETY: the caller's promise. A coroutine that was running is not dropped.
    let (node, (id, name)) = unsafe {
        let node = node.as_ref();
        let who = match node.occupant.get() {
            Occupant::Nobody => (None, None),
            Occupant::Own(control) => (Some(control.as_ref().id()), control.as_ref().name()),
            #[cfg(feature = "raw")]
            Occupant::Raw(id) => (Some(id), None),
            Occupant::Shared(state) => match (*state.as_ref().engine.get()).owner() {
                Some(owner) => (Some(owner.id()), owner.name()),
                None => (None, None),
            },
        };
        (node, who)
    };
    let overflow = Overflow {
        id,
        name,
        stack: node.pages.end..node.top,
        address,
    };
    let mut line = Line {
        bytes: [0; 512],
        len: 0,
    };
    // What does not fit is cut off.
    let _ = writeln!(line, "{overflow}");
    // SAFETY: the buffer has that many bytes.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
    let hook = LAST_WORDS.load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: `set_last_words` has made the pointer from such a function.
        let hook: fn(&Overflow<'_>) = unsafe { core::mem::transmute(hook) };
        hook(&overflow);
    }
    std::process::abort()
}

/// Text in place, without an allocation.
struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // One byte is kept for the end of the line.
        let room = self.bytes.len() - 1 - self.len;
        let cut = text.len().min(if text == "\n" { 1 } else { room });
        self.bytes[self.len..self.len + cut].copy_from_slice(&text.as_bytes()[..cut]);
        self.len += cut;
        Ok(())
    }
}

/// Does with a signal what was done before this handler was there.
///
/// # Safety
/// The arguments are those that the system has passed.
unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(before) = BEFORE.get() else { return };
    match before.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: what was there before. The instruction runs again and faults again, now with
            // the system's own answer.
            unsafe { libc::sigaction(signal, before, ptr::null_mut()) };
        }
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: the flag says that the handler takes these arguments.
            unsafe {
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                    core::mem::transmute(handler);
                handler(signal, info, context);
            }
        }
        handler => {
            // SAFETY: without the flag it takes the signal's number only.
            unsafe {
                let handler: extern "C" fn(c_int) = core::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}
