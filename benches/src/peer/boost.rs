//! The shapes on Boost.Context, by the shim in `benches/shim`.

use super::Shapes;
use crate::case::timed;
use ::costack::stack::{DEFAULT_STACK_BYTES, GuardedStack, StackMemory};
use std::ffi::c_void;
use std::hint::black_box;

type Context = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy)]
struct Transfer {
    from: Context,
    data: *mut c_void,
}

unsafe extern "C" {
    fn costack_boost_make(
        top: *mut c_void,
        bytes: usize,
        function: extern "C" fn(Transfer) -> !,
    ) -> Context;
    fn costack_boost_jump(to: Context, data: *mut c_void) -> Transfer;
}

/// A context that has not ended. Dropping it unmaps its stack; nothing on it needs a destructor.
struct Co {
    context: Context,
    // Held for the context's sake.
    _stack: GuardedStack,
}

impl Co {
    fn new(function: extern "C" fn(Transfer) -> !) -> Self {
        let stack = GuardedStack::new(DEFAULT_STACK_BYTES).expect("memory for a stack");
        let top = std::ptr::with_exposed_provenance_mut(stack.top());
        let bytes = stack.top() - stack.bottom();
        // SAFETY: the stack is this context's alone and lives as long as it.
        let context = unsafe { costack_boost_make(top, bytes, function) };
        Co {
            context,
            _stack: stack,
        }
    }

    #[inline(always)]
    fn resume(&mut self, value: usize) -> usize {
        let (context, value) = jump(self.context, value);
        self.context = context;
        value
    }
}

/// Goes to `context` with a value; who comes back, and with what.
#[inline(always)]
fn jump(context: Context, value: usize) -> (Context, usize) {
    // SAFETY: every context here is suspended in a jump or new, and jumped to once.
    let back = unsafe { costack_boost_jump(context, std::ptr::without_provenance_mut(value)) };
    (back.from, back.data.addr())
}

/// What a shape's function has of its resumer.
struct Give(Context);

impl Give {
    #[inline(always)]
    fn suspend(&mut self, value: usize) -> usize {
        let (context, value) = jump(self.0, value);
        self.0 = context;
        value
    }
}

extern "C" fn root(transfer: Transfer) -> ! {
    let (mut give, mut value) = (Give(transfer.from), transfer.data.addr());
    loop {
        value = give.suspend(value);
    }
}

extern "C" fn helped(transfer: Transfer) -> ! {
    let (mut give, mut value) = (Give(transfer.from), transfer.data.addr());
    loop {
        value = helper(&mut give, value);
    }
}

extern "C" fn deep(transfer: Transfer) -> ! {
    let (mut give, mut value) = (Give(transfer.from), transfer.data.addr());
    loop {
        value = descend(&mut give, value, 3);
    }
}

#[inline(never)]
fn helper(give: &mut Give, value: usize) -> usize {
    give.suspend(value) + 1
}

#[inline(never)]
fn descend(give: &mut Give, value: usize, depth: usize) -> usize {
    match depth {
        0 => give.suspend(value),
        _ => black_box(descend(give, value, depth - 1)) + 1,
    }
}

/// One runner per shape.
#[must_use]
pub fn shapes() -> Shapes {
    let (mut root_yields, mut called) = (Co::new(root), Co::new(root));
    let (mut helped, mut deep) = (Co::new(helped), Co::new(deep));
    [
        timed(move |trips| drive(&mut root_yields, trips)),
        timed(move |trips| drive(&mut helped, trips)),
        timed(move |trips| drive(&mut deep, trips)),
        timed(move |trips| drive_by_call(&mut called, trips)),
    ]
}

#[inline(never)]
fn drive(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = co.resume(value);
    }
    black_box(value);
}

#[inline(never)]
fn resume(co: &mut Co, value: usize) -> usize {
    co.resume(value)
}

#[inline(never)]
fn drive_by_call(co: &mut Co, trips: u64) {
    let mut value = 1;
    for _ in 0..trips {
        value = resume(co, value);
    }
    black_box(value);
}
