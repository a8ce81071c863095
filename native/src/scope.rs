//! Coroutines that may borrow, and other stacks for a closure.
//!
//! What a coroutine has borrowed must not go while its frames can still run. A handle that its
//! holder owns cannot see to that: he may `mem::forget` it, or `mem::swap` it out of the place
//! that was to drop it. So the coroutine stays in a frame of this module, which ends it before it
//! returns, also by a panic; the holder gets a [`Scoped`], which only points there.

use crate::own::Traits;
use crate::stack::StackMemory;
use crate::{Coroutine, Error, State};
#[cfg(feature = "unwind")]
use crate::{Refused, Yielder};
use core::convert::Infallible;
#[cfg(feature = "unwind")]
use core::marker::PhantomData;
#[cfg(feature = "unwind")]
use core::mem::ManuallyDrop;
#[cfg(feature = "unwind")]
use core::ops::Deref;

/// A coroutine that may borrow what lives longer than its scope; see [`Coroutine::scope`].
///
/// Whatever is done with this handle, the coroutine is dropped at the end of the scope. The
/// lifetime is the scope's own, different from every other's, so that handles of two scopes
/// cannot be exchanged:
/// ```compile_fail,E0521
/// use costack::{Coroutine, Yielder};
///
/// let function = |_: &Yielder<(), ()>, ()| ();
/// Coroutine::scope(function, |mut outer| {
///     Coroutine::scope(function, |mut inner| std::mem::swap(&mut outer, &mut inner))
/// });
/// ```
#[cfg(feature = "unwind")]
#[derive(Debug)]
pub struct Scoped<'scope, Input, Yield, Return> {
    coroutine: &'scope mut Coroutine<Input, Yield, Return>,
    /// Neither a longer nor a shorter lifetime will do.
    marker: PhantomData<fn(&'scope ()) -> &'scope ()>,
}

#[cfg(feature = "unwind")]
impl<Input, Yield, Return> Scoped<'_, Input, Yield, Return> {
    /// As [`Coroutine::resume`].
    ///
    /// # Panics
    /// As there.
    #[inline(always)]
    pub fn resume(&mut self, input: Input) -> State<Yield, Return> {
        self.coroutine.resume(input)
    }

    /// As [`Coroutine::try_resume`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[inline(always)]
    pub fn try_resume(&mut self, input: Input) -> Result<State<Yield, Return>, Refused<Input>> {
        self.coroutine.try_resume(input)
    }
}

#[cfg(feature = "unwind")]
impl<Input, Yield, Return> Deref for Scoped<'_, Input, Yield, Return> {
    type Target = Coroutine<Input, Yield, Return>;

    fn deref(&self) -> &Self::Target {
        self.coroutine
    }
}

#[cfg(feature = "unwind")]
impl<Input, Yield, Return> Coroutine<Input, Yield, Return> {
    /// Runs `body` with a coroutine whose function may borrow from around, on a stack of its own.
    /// When `body` ends, a coroutine that is still suspended is unwound.
    ///
    /// ```
    /// use costack::{Coroutine, State};
    ///
    /// let words = [String::from("one"), String::from("two")];
    /// let mut total = 0;
    /// let first = Coroutine::scope(
    ///     |yielder, ()| {
    ///         for word in &words {
    ///             total += word.len();
    ///             yielder.suspend(word.as_str());
    ///         }
    ///     },
    ///     |mut co| co.resume(()),
    /// )?;
    /// assert_eq!(first, State::Yielded("one"));
    /// assert_eq!(total, 3);
    /// # Ok::<(), costack::Error>(())
    /// ```
    ///
    /// What ends before the scope cannot be borrowed:
    /// ```compile_fail,E0597
    /// # use costack::Coroutine;
    /// Coroutine::<&String, (), ()>::scope(
    ///     |yielder, _| drop(yielder.suspend(())),
    ///     |mut co| {
    ///         let word = String::from("short");
    ///         co.resume(&word);
    ///     },
    /// );
    /// ```
    ///
    /// A coroutine that cannot be unwound at the end, because it catches the unwinding over and
    /// over, ends the process with a message.
    ///
    /// # Errors
    /// As [`Coroutine::new`].
    pub fn scope<F, B, T>(function: F, body: B) -> Result<T, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
        B: for<'scope> FnOnce(Scoped<'scope, Input, Yield, Return>) -> T,
    {
        crate::Builder::new().scope(function, body)
    }
}

/// Lends a coroutine to `body` and ends it.
#[cfg(feature = "unwind")]
pub(crate) fn run<Input, Yield, Return, T>(
    coroutine: Coroutine<Input, Yield, Return>,
    body: impl for<'scope> FnOnce(Scoped<'scope, Input, Yield, Return>) -> T,
) -> T {
    let mut scope = Scope(ManuallyDrop::new(coroutine));
    body(Scoped {
        coroutine: &mut scope.0,
        marker: PhantomData,
    })
}

#[cfg(feature = "unwind")]
struct Scope<Input, Yield, Return>(ManuallyDrop<Coroutine<Input, Yield, Return>>);

#[cfg(feature = "unwind")]
impl<Input, Yield, Return> Drop for Scope<Input, Yield, Return> {
    fn drop(&mut self) {
        // SAFETY: taken here only.
        unsafe { ManuallyDrop::take(&mut self.0) }.end_scope();
    }
}

/// Runs a function on another stack, at once and to its end, and returns what it returns.
///
/// For a function that needs more stack than there is. A panic in it goes on in the caller. It may
/// yield for the coroutine that it is called from, unless that one shares its stack: then its
/// bytes are not where they would have to be, and the process ends with a message.
///
/// ```
/// use costack::stack::GuardedStack;
///
/// fn depth(of: u32) -> u32 {
///     let room = std::hint::black_box([of; 256]);
///     if of == 0 { 0 } else { depth(of - 1) + room[0] / of }
/// }
///
/// let mut stack = GuardedStack::new(64 << 20)?;
/// assert_eq!(costack::on_stack(&mut stack, || depth(10_000))?, 10_000);
/// # Ok::<(), costack::Error>(())
/// ```
///
/// # Errors
/// When the stack is too small for the closure and a minimum of room to run.
///
/// # Panics
/// When the function does: with the same payload. Without the crate feature `unwind`, that ends
/// the process.
pub fn on_stack<S, F, R>(stack: S, function: F) -> Result<R, Error>
where
    S: StackMemory,
    F: FnOnce() -> R,
{
    let traits = Traits {
        fp: false,
        name: None,
        id: crate::coroutine::next_id(),
        counts: false,
    };
    // It never yields, so it has ended when it comes back, and nothing borrowed is left in it.
    let mut coroutine =
        Coroutine::<(), Infallible, R>::on_own_stack(stack, traits, move |_, ()| function())?;
    match coroutine.resume(()) {
        State::Returned(value) => Ok(value),
        State::Yielded(never) => match never {},
    }
}
