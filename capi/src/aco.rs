//! `aco.h`: source-compatible with libaco 1.2 as its documentation describes it.
//!
//! The types here and those in the header describe the same memory; a C program compares them.

use costack::raw::{self, Control, ControlWords, SaveStack, Start};
use costack::stack::{GuardedStack, MIN_STACK_BYTES, StackMemory};
use std::alloc::Layout;
use std::cell::Cell;
use std::ffi::{c_char, c_ulong, c_void};
use std::mem::offset_of;
use std::ptr;

/// A coroutine's function, and the last-word function.
pub type AcoCofuncp = unsafe extern "C" fn();

/// `aco_t`.
#[repr(C)]
#[derive(Debug)]
pub struct Aco {
    control: Control,
    arg: *mut c_void,
    main_co: *mut Aco,
    fp: Option<AcoCofuncp>,
}

/// `aco_share_stack_t`.
#[repr(C)]
#[derive(Debug)]
pub struct AcoShareStack {
    stack: raw::Stack,
    ptr: *mut c_void,
    sz: usize,
    align_highptr: *mut c_void,
    align_validsz: usize,
    real_ptr: *mut c_void,
    real_sz: usize,
    /// For the header: the number that valgrind has given it.
    valgrind_stk_id: c_ulong,
    guard_page_enabled: c_char,
}

/// Tells this binding's coroutines from those of the other header.
const BINDING: u32 = 2;

/// Bytes of a shared stack when none are asked for.
const DEFAULT_STACK_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of a save stack to begin with, when none are asked for.
const DEFAULT_SAVE_BYTES: usize = 64;

thread_local! {
    static LAST_WORD: Cell<Option<AcoCofuncp>> = const { Cell::new(None) };
    static WORDS: Cell<Option<ControlWords>> = const { Cell::new(None) };
}

/// A mistake that these functions, which return no error, cannot report otherwise.
macro_rules! fail {
    ($($text:tt)*) => {{
        eprintln!("costack: {}", format_args!($($text)*));
        std::process::abort()
    }};
}

/// Prepares the thread: notes its floating-point control words, with which coroutines will start,
/// and what to call when a coroutine's function returns, in place of the default protector.
#[unsafe(no_mangle)]
pub extern "C" fn aco_thread_init(last_word_co_fp: Option<AcoCofuncp>) {
    LAST_WORD.set(last_word_co_fp);
    WORDS.set(Some(ControlWords::now()));
}

/// A shared stack with a guard page.
#[unsafe(no_mangle)]
pub extern "C" fn aco_share_stack_new(sz: usize) -> *mut AcoShareStack {
    aco_share_stack_new2(sz, 1)
}

/// A shared stack of `sz` usable bytes at least, rounded up to whole pages; 2 MiB if that is zero.
#[unsafe(no_mangle)]
pub extern "C" fn aco_share_stack_new2(
    sz: usize,
    guard_page_enabled: c_char,
) -> *mut AcoShareStack {
    let bytes = match sz {
        0 => DEFAULT_STACK_BYTES,
        sz => sz,
    };
    let (stack, at) = match guard_page_enabled {
        0 => match Unguarded::new(bytes) {
            Some(memory) => place(memory, 0),
            None => fail!("aco_share_stack_new2: no memory for a stack of {bytes} bytes"),
        },
        _ => match GuardedStack::new(bytes) {
            Ok(memory) => place(memory, page_bytes()),
            Err(error) => fail!("aco_share_stack_new2: {error}"),
        },
    };
    Box::into_raw(Box::new(AcoShareStack {
        stack,
        ptr: at.bottom.cast(),
        sz: at.bytes,
        align_highptr: at.bottom.wrapping_add(at.bytes).cast(),
        align_validsz: at.bytes,
        real_ptr: at.bottom.wrapping_sub(at.guard).cast(),
        real_sz: at.bytes + at.guard,
        valgrind_stk_id: 0,
        guard_page_enabled: c_char::from(guard_page_enabled != 0),
    }))
}

/// Where the memory of a shared stack is.
struct Place {
    bottom: *mut u8,
    bytes: usize,
    /// Bytes of the guard page below.
    guard: usize,
}

fn place(memory: impl StackMemory + 'static, guard: usize) -> (raw::Stack, Place) {
    let (bottom, bytes) = (memory.as_ptr(), memory.top() - memory.bottom());
    let place = Place {
        bottom,
        bytes,
        guard,
    };
    match raw::Stack::new(memory) {
        Ok(stack) => (stack, place),
        Err(error) => fail!("aco_share_stack_new2: {error}"),
    }
}

/// Gives a shared stack back, after all of its coroutines.
///
/// # Safety
/// It came from `aco_share_stack_new2` and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_share_stack_destroy(sstk: *mut AcoShareStack) {
    if sstk.is_null() {
        fail!("aco_share_stack_destroy: the stack is NULL");
    }
    // SAFETY: the caller's promise.
    if let Err(error) = unsafe { (*sstk).stack.close() } {
        fail!("aco_share_stack_destroy: {error}");
    }
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(sstk) });
}

/// A coroutine that keeps floating-point control words of its own.
///
/// # Safety
/// As libaco's documentation asks: `main_co` and `share_stack` are alive and of this thread, and
/// nobody uses a pointer into the coroutine's frames while it is suspended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_create(
    main_co: *mut Aco,
    share_stack: *mut AcoShareStack,
    save_stack_sz: usize,
    co_fp: Option<AcoCofuncp>,
    arg: *mut c_void,
) -> *mut Aco {
    let words = WORDS.get().unwrap_or_else(ControlWords::now);
    // SAFETY: the caller's promise.
    unsafe { create(main_co, share_stack, save_stack_sz, co_fp, arg, Some(words)) }
}

/// `aco_create` under `ACO_CONFIG_SHARE_FPU_MXCSR_ENV`: a coroutine that shares floating-point
/// control words with its resumer.
///
/// # Safety
/// As for [`aco_create`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_create_sharing_fpu(
    main_co: *mut Aco,
    share_stack: *mut AcoShareStack,
    save_stack_sz: usize,
    co_fp: Option<AcoCofuncp>,
    arg: *mut c_void,
) -> *mut Aco {
    // SAFETY: the caller's promise.
    unsafe { create(main_co, share_stack, save_stack_sz, co_fp, arg, None) }
}

/// # Safety
/// As for [`aco_create`].
unsafe fn create(
    main_co: *mut Aco,
    share_stack: *mut AcoShareStack,
    save_stack_sz: usize,
    co_fp: Option<AcoCofuncp>,
    arg: *mut c_void,
    words: Option<ControlWords>,
) -> *mut Aco {
    if main_co.is_null() {
        return create_main(arg);
    }
    if share_stack.is_null() {
        fail!("aco_create: share_stack is NULL");
    }
    let Some(function) = co_fp else {
        fail!("aco_create: co_fp is NULL");
    };
    let start = Start {
        // SAFETY: a function without parameters and result can be called with one and its result
        // left unread, in the C calling convention of all three architectures.
        function: unsafe { std::mem::transmute::<AcoCofuncp, raw::Entry>(function) },
        returned: protector,
        words,
        binding: BINDING,
    };
    let save_bytes = match save_stack_sz {
        0 => DEFAULT_SAVE_BYTES,
        bytes => bytes,
    };
    // SAFETY: the caller's promise; the new block has the size of an `Aco`.
    unsafe {
        let stack = &raw const (*share_stack).stack;
        match raw::create_shared(stack, start, save_bytes, size_of::<Aco>()) {
            Ok(control) => {
                let co = control.cast::<Aco>().as_ptr();
                (*co).arg = arg;
                (*co).main_co = main_co;
                (*co).fp = co_fp;
                co
            }
            Err(error) => fail!("aco_create: {error}"),
        }
    }
}

/// The main co stands for the thread's own stack.
fn create_main(arg: *mut c_void) -> *mut Aco {
    let main = Box::into_raw(Box::new(Aco {
        control: Control::for_thread(BINDING),
        arg,
        main_co: ptr::null_mut(),
        fp: None,
    }));
    if raw::current().is_null() {
        // SAFETY: the thread runs on its own stack, and `aco_destroy` takes the note away.
        unsafe { raw::set_current(main.cast()) };
    }
    main
}

/// Frees a coroutine that is not running.
///
/// # Safety
/// It came from `aco_create`, on this thread, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_destroy(co: *mut Aco) {
    if co.is_null() {
        fail!("aco_destroy: the coroutine is NULL");
    }
    // SAFETY: the caller's promise.
    unsafe {
        if (*co).main_co.is_null() {
            if raw::current() == co.cast() {
                raw::set_current(ptr::null_mut());
            }
            drop(Box::from_raw(co));
            return;
        }
        if let Err(error) = raw::destroy(co.cast(), size_of::<Aco>()) {
            fail!("aco_destroy: {error}");
        }
    }
}

/// Runs a coroutine until it yields or exits.
///
/// # Safety
/// It came from `aco_create`, on this thread, and is not destroyed.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_resume(co: *mut Aco) {
    costack::__resume!(plain, 1)
}

/// Gives control back to whoever resumed the running coroutine.
///
/// # Safety
/// The caller runs on the running coroutine's stack.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_yield() {
    costack::__suspend!(plain, 1)
}

/// The running coroutine; the main co while that runs.
#[unsafe(no_mangle)]
pub extern "C" fn aco_get_co() -> *mut Aco {
    let current = raw::current();
    // SAFETY: what is noted is alive.
    match !current.is_null() && unsafe { (*current).binding() } == BINDING {
        true => current.cast(),
        false => ptr::null_mut(),
    }
}

/// The `arg` of the running coroutine.
#[unsafe(no_mangle)]
pub extern "C" fn aco_get_arg() -> *mut c_void {
    let co = aco_get_co();
    if co.is_null() {
        fail!("aco_get_arg: no coroutine is running");
    }
    // SAFETY: what is noted is alive.
    unsafe { (*co).arg }
}

/// Ends the running coroutine: `is_end` becomes 1, and whoever resumed it goes on.
///
/// # Safety
/// The caller runs on the running coroutine's stack, whose frames are not needed any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aco_exit() -> ! {
    let co = running("aco_exit");
    // SAFETY: it runs, by the caller's promise.
    unsafe { raw::end(co.cast(), ptr::null_mut()) }
}

/// The running coroutine, which is not the main co.
fn running(function: &str) -> *mut Aco {
    let co = aco_get_co();
    // SAFETY: what is noted is alive.
    if co.is_null() || unsafe { (*co).main_co.is_null() } {
        fail!("{function}: it was called outside of every coroutine");
    }
    co
}

/// A coroutine's function has returned, which it must not do.
unsafe extern "C" fn protector(control: *mut Control, _value: *mut c_void) -> ! {
    let co = control.cast::<Aco>();
    if let Some(last_word) = LAST_WORD.get() {
        // SAFETY: it may be called on the coroutine's stack, as the documentation says.
        unsafe { last_word() };
    } else {
        // SAFETY: it is running, so it is alive.
        let (fp, arg) = unsafe { ((*co).fp, (*co).arg) };
        let fp = fp.map_or(ptr::null(), |fp| fp as *const c_void);
        eprintln!(
            "costack: the function {fp:p} of coroutine {co:p} (arg {arg:p}) has returned; \
             a coroutine ends with aco_exit()"
        );
    }
    std::process::abort()
}

/// Where the header finds the running coroutine, which it shows as the variable `aco_gtls_co`.
#[unsafe(no_mangle)]
pub extern "C" fn aco_gtls_co_location() -> *mut *mut Aco {
    raw::current_location().cast()
}

/// Memory without a guard page, in whole pages.
struct Unguarded {
    start: *mut u8,
    layout: Layout,
}

impl Unguarded {
    /// `None` when there is no memory, or the size is impossible.
    fn new(bytes: usize) -> Option<Self> {
        let page = page_bytes();
        let bytes = bytes.max(MIN_STACK_BYTES).checked_next_multiple_of(page)?;
        let layout = Layout::from_size_align(bytes, page).ok()?;
        // SAFETY: the size is not zero.
        let start = unsafe { std::alloc::alloc(layout) };
        start.expose_provenance();
        (!start.is_null()).then_some(Unguarded { start, layout })
    }
}

impl Drop for Unguarded {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { std::alloc::dealloc(self.start, self.layout) };
    }
}

// SAFETY: the allocation belongs to this value and stays where it is.
unsafe impl StackMemory for Unguarded {
    fn bottom(&self) -> usize {
        self.start.addr()
    }

    fn top(&self) -> usize {
        self.start.addr() + self.layout.size()
    }

    fn as_ptr(&self) -> *mut u8 {
        self.start
    }
}

fn page_bytes() -> usize {
    // SAFETY: a query without side effects.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The layout that `aco.h` declares: sizes and offsets, in the order of its fields. A C program
/// compares them with its own.
#[unsafe(no_mangle)]
pub extern "C" fn costack_aco_layout() -> *const usize {
    const SAVE: usize = raw::PRIVATE_WORDS * size_of::<usize>() + size_of::<usize>();
    static LAYOUT: [usize; 24] = [
        size_of::<Aco>(),
        SAVE - size_of::<usize>(),
        SAVE + offset_of!(SaveStack, start),
        SAVE + offset_of!(SaveStack, capacity),
        SAVE + offset_of!(SaveStack, bytes),
        SAVE + offset_of!(SaveStack, largest),
        SAVE + offset_of!(SaveStack, saves),
        SAVE + offset_of!(SaveStack, restores),
        SAVE + size_of::<SaveStack>(),
        offset_of!(Aco, arg),
        offset_of!(Aco, main_co),
        offset_of!(Aco, fp),
        size_of::<AcoShareStack>(),
        offset_of!(AcoShareStack, stack),
        offset_of!(AcoShareStack, ptr),
        offset_of!(AcoShareStack, sz),
        offset_of!(AcoShareStack, align_highptr),
        offset_of!(AcoShareStack, align_validsz),
        offset_of!(AcoShareStack, real_ptr),
        offset_of!(AcoShareStack, real_sz),
        offset_of!(AcoShareStack, valgrind_stk_id),
        offset_of!(AcoShareStack, guard_page_enabled),
        align_of::<Aco>(),
        align_of::<AcoShareStack>(),
    ];
    LAYOUT.as_ptr()
}
