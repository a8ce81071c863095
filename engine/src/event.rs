//! What a backend did, in the one vocabulary that traces, tests and pages share.

/// One thing that happened, in the order in which the backend did it.
///
/// Byte counts are the backend's own (frames of compiled Rust differ from simulated ones), so two
/// backends are compared with [`Event::shape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event<K> {
    /// `task` is about to run, resumed by `by`.
    Resume {
        /// The one resumed.
        task: K,
        /// Its resumer.
        by: K,
    },
    /// The image of `task` was copied into its save stack.
    Save {
        /// Whose bytes.
        task: K,
        /// How many.
        bytes: u32,
    },
    /// The image of `task` was copied back onto its stack.
    Restore {
        /// Whose bytes.
        task: K,
        /// How many.
        bytes: u32,
    },
    /// The stack with this number changed hands. `None` is "nobody".
    Owner {
        /// The stack's number.
        stack: u32,
        /// Who owned it.
        from: Option<K>,
        /// Who owns it now.
        to: Option<K>,
    },
    /// `task` gave control back to its resumer and is ready to run again.
    Yield {
        /// The one that yielded.
        task: K,
    },
    /// `task` gave control back to its resumer and waits for something.
    Block {
        /// The one that waits.
        task: K,
    },
    /// `task` has ended.
    End {
        /// The one that ended.
        task: K,
    },
}

impl<K: Copy> Event<K> {
    /// The event with other names for the tasks.
    pub fn map<L>(self, name: impl Fn(K) -> L) -> Event<L> {
        match self {
            Event::Resume { task, by } => Event::Resume {
                task: name(task),
                by: name(by),
            },
            Event::Save { task, bytes } => Event::Save {
                task: name(task),
                bytes,
            },
            Event::Restore { task, bytes } => Event::Restore {
                task: name(task),
                bytes,
            },
            Event::Owner { stack, from, to } => Event::Owner {
                stack,
                from: from.map(&name),
                to: to.map(&name),
            },
            Event::Yield { task } => Event::Yield { task: name(task) },
            Event::Block { task } => Event::Block { task: name(task) },
            Event::End { task } => Event::End { task: name(task) },
        }
    }

    /// The event without its byte count, which differs between backends.
    #[must_use]
    pub fn shape(self) -> Self {
        match self {
            Event::Save { task, .. } => Event::Save { task, bytes: 0 },
            Event::Restore { task, .. } => Event::Restore { task, bytes: 0 },
            other => other,
        }
    }
}
