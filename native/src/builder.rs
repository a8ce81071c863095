use crate::own::Traits;
#[cfg(feature = "unwind")]
use crate::scope::Scoped;
use crate::shared::SharedStack;
use crate::stack::StackMemory;
use crate::{Coroutine, Error, Yielder};
use alloc::boxed::Box;

/// Makes coroutines with more said about them than [`Coroutine::new`] takes.
///
/// ```
/// use costack::{Builder, State};
///
/// let mut co = Builder::new()
///     .name("adder")
///     .stack_bytes(64 * 1024)
///     .keep_fp(true)
///     .build(|_: &costack::Yielder<i32, ()>, number| number + 1)?;
/// assert_eq!(co.name(), Some("adder"));
/// assert_eq!(co.resume(1), State::Returned(2));
/// # Ok::<(), costack::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until one of its `build` methods is called"]
pub struct Builder {
    name: Option<Box<str>>,
    stack_bytes: usize,
    fp: bool,
    counts: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// No name, a stack of [`DEFAULT_STACK_BYTES`](crate::stack::DEFAULT_STACK_BYTES), integer
    /// flavour.
    pub const fn new() -> Self {
        Builder {
            name: None,
            stack_bytes: crate::stack::DEFAULT_STACK_BYTES,
            fp: false,
            counts: false,
        }
    }

    /// The name that messages show.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Usable bytes of the stack, for [`build`](Self::build).
    pub const fn stack_bytes(mut self, bytes: usize) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// Whether the coroutine keeps floating-point control words of its own: MXCSR and the x87
    /// control word, which hold rounding mode and exception masks. It starts with its creator's.
    ///
    /// Otherwise they are shared: what one coroutine sets, its resumer and all others see. Keeping
    /// them costs a few nanoseconds per round trip, so it is chosen per coroutine.
    pub const fn keep_fp(mut self, keep: bool) -> Self {
        self.fp = keep;
        self
    }

    /// Whether [`Coroutine::statistics`] has something to say of a coroutine on its own stack. That
    /// costs a few nanoseconds per resume. For those on a shared stack, see
    /// [`SharedStack::count`].
    pub const fn count(mut self, count: bool) -> Self {
        self.counts = count;
        self
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn traits(self) -> Traits {
        Traits {
            fp: self.fp,
            counts: self.counts,
            name: self.name,
            id: crate::coroutine::next_id(),
        }
    }

    /// A coroutine on a stack of its own, from this thread's pool.
    ///
    /// # Errors
    /// As [`Coroutine::new`], and when the size is zero or impossible.
    #[cfg(feature = "std")]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn build<Input, Yield, Return, F>(
        self,
        function: F,
    ) -> Result<Coroutine<Input, Yield, Return>, Error>
    where
        Input: 'static,
        Yield: 'static,
        Return: 'static,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        let stack = crate::stack::PooledStack::new(self.stack_bytes)?;
        self.build_on(stack, function)
    }

    /// A coroutine on the given stack.
    ///
    /// # Errors
    /// As [`Coroutine::with_stack`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn build_on<Input, Yield, Return, S, F>(
        self,
        stack: S,
        function: F,
    ) -> Result<Coroutine<Input, Yield, Return>, Error>
    where
        Input: 'static,
        Yield: 'static,
        Return: 'static,
        S: StackMemory + 'static,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        Coroutine::on_own_stack(stack, self.traits(), function)
    }

    /// A coroutine on a shared stack.
    ///
    /// # Errors
    /// As [`Coroutine::new_shared`].
    ///
    /// # Safety
    /// As for [`Coroutine::new_shared`].
    pub unsafe fn build_shared<Input, Yield, Return, F>(
        self,
        stack: &SharedStack,
        function: F,
    ) -> Result<Coroutine<Input, Yield, Return>, Error>
    where
        Input: 'static,
        Yield: 'static,
        Return: 'static,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return + 'static,
    {
        // SAFETY: the caller's promise.
        unsafe { Coroutine::on_shared_stack(stack, self.traits(), function) }
    }

    /// Runs `body` with a coroutine that may borrow; see [`Coroutine::scope`].
    ///
    /// # Errors
    /// As [`build`](Self::build).
    #[cfg(feature = "unwind")]
    pub fn scope<Input, Yield, Return, F, B, T>(self, function: F, body: B) -> Result<T, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
        B: for<'scope> FnOnce(Scoped<'scope, Input, Yield, Return>) -> T,
    {
        let stack = crate::stack::PooledStack::new(self.stack_bytes)?;
        self.scope_on(stack, function, body)
    }

    /// As [`scope`](Self::scope), on the given stack, which may be borrowed as well.
    ///
    /// # Errors
    /// As [`build_on`](Self::build_on).
    #[cfg(feature = "unwind")]
    pub fn scope_on<Input, Yield, Return, S, F, B, T>(
        self,
        stack: S,
        function: F,
        body: B,
    ) -> Result<T, Error>
    where
        S: StackMemory,
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
        B: for<'scope> FnOnce(Scoped<'scope, Input, Yield, Return>) -> T,
    {
        let coroutine = Coroutine::on_own_stack(stack, self.traits(), function)?;
        Ok(crate::scope::run(coroutine, body))
    }

    /// As [`scope`](Self::scope), on a shared stack.
    ///
    /// # Errors
    /// As [`build_shared`](Self::build_shared).
    ///
    /// # Safety
    /// As for [`Coroutine::new_shared`].
    #[cfg(feature = "unwind")]
    pub unsafe fn scope_shared<Input, Yield, Return, F, B, T>(
        self,
        stack: &SharedStack,
        function: F,
        body: B,
    ) -> Result<T, Error>
    where
        F: FnOnce(&Yielder<Input, Yield>, Input) -> Return,
        B: for<'scope> FnOnce(Scoped<'scope, Input, Yield, Return>) -> T,
    {
        // SAFETY: the caller's promise.
        let coroutine = unsafe { Coroutine::on_shared_stack(stack, self.traits(), function)? };
        Ok(crate::scope::run(coroutine, body))
    }
}
