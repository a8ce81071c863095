use core::fmt;
use costack_engine::Refusal;

/// Why something could not be done. Whatever it was, nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "std"),
    expect(dead_code, reason = "some of it comes from the system only")
)]
enum ErrorKind {
    Refused(Refusal),
    StackSizeZero,
    StackTooLarge { bytes: usize },
    StackTooSmall { bytes: usize, needed: usize },
    StackMemory { bytes: usize, os: i32 },
    SaveMemory { bytes: usize },
}

impl Error {
    /// The engine's reason, when it is the engine that refused.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self.kind {
            ErrorKind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether memory for a stack or a save stack was not to be had.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::StackMemory { .. } | ErrorKind::SaveMemory { .. }
        )
    }

    #[cfg(feature = "std")]
    pub(crate) const fn stack_size_zero() -> Self {
        Error {
            kind: ErrorKind::StackSizeZero,
        }
    }

    pub(crate) const fn stack_too_large(bytes: usize) -> Self {
        Error {
            kind: ErrorKind::StackTooLarge { bytes },
        }
    }

    pub(crate) const fn stack_too_small(bytes: usize, needed: usize) -> Self {
        Error {
            kind: ErrorKind::StackTooSmall { bytes, needed },
        }
    }

    #[cfg(feature = "std")]
    pub(crate) const fn stack_memory(bytes: usize, os: i32) -> Self {
        Error {
            kind: ErrorKind::StackMemory { bytes, os },
        }
    }

    pub(crate) const fn save_memory(bytes: usize) -> Self {
        Error {
            kind: ErrorKind::SaveMemory { bytes },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error {
            kind: ErrorKind::Refused(refusal),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Refused(refusal) => write!(f, "the coroutine cannot be resumed: {refusal}"),
            ErrorKind::StackSizeZero => f.write_str("a stack of 0 bytes was asked for"),
            ErrorKind::StackTooLarge { bytes } => {
                write!(
                    f,
                    "a stack of {bytes} bytes is more than an address space can hold"
                )
            }
            ErrorKind::StackTooSmall { bytes, needed } => {
                write!(
                    f,
                    "the stack has {bytes} usable bytes, and {needed} are needed"
                )
            }
            ErrorKind::StackMemory { bytes, os } => {
                write!(f, "no memory for a stack of {bytes} bytes (OS error {os})")
            }
            ErrorKind::SaveMemory { bytes } => {
                write!(f, "no memory for {bytes} bytes of a save stack")
            }
        }
    }
}

impl core::error::Error for Error {}

/// A refusal that hands back what the caller gave away.
#[derive(Debug)]
pub struct Refused<T> {
    /// What was to be passed on, untouched.
    pub value: T,
    /// Why it was not.
    pub error: Error,
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug> core::error::Error for Refused<T> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}
