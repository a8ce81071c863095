//! Sockets, pipes and other files. A task that accepts, reads or writes parks only itself.
//!
//! ```
//! use costack::io::{TcpListener, TcpStream};
//! use std::io::{Read, Write};
//!
//! let mut rt = costack::Runtime::new();
//! let mut listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! rt.spawn(move || {
//!     let (mut stream, _) = listener.accept().unwrap();
//!     let mut byte = [0];
//!     stream.read_exact(&mut byte).unwrap();
//!     stream.write_all(&byte).unwrap();
//! })
//! .detach();
//! let client = rt.spawn(move || -> std::io::Result<[u8; 1]> {
//!     let mut stream = TcpStream::connect(address)?;
//!     stream.write_all(b"x")?;
//!     let mut byte = [0];
//!     stream.read_exact(&mut byte)?;
//!     Ok(byte)
//! });
//! rt.run()?;
//! assert_eq!(client.join()??, *b"x");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every wait ends early with [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) when the
//! file's [timeout](Async::set_timeout) is over, and unwinds when its task is cancelled.

mod net;
mod reactor;

pub use net::{TcpListener, TcpStream, UdpSocket};

use reactor::Direction;
pub(crate) use reactor::Reactor;

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use costack_engine::sched::Outcome;

use crate::runtime::{Core, current, to_us};

/// A file of the operating system that parks tasks rather than the thread: a socket, a pipe, a
/// terminal, anything that can be polled.
///
/// It belongs to the runtime of the thread that makes it. One task at a time may wait to read, and
/// one to write.
#[derive(Debug)]
pub struct Async<T: AsFd> {
    // Removed from the reactor, then closed: the fields are dropped in this order.
    registration: Registration,
    io: T,
    timeout: Option<Duration>,
}

struct Registration {
    core: Rc<Core>,
    key: usize,
    fd: RawFd,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: the file is closed after this, as the order of the fields of `Async` says.
        let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
        self.core.reactor.remove(self.key, fd);
    }
}

impl<T: AsFd> Async<T> {
    /// Takes over a file, and makes it one that does not block.
    ///
    /// # Errors
    /// What the system says; a plain file on a disk cannot be polled.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn new(io: T) -> io::Result<Self> {
        set_nonblocking(io.as_fd())?;
        Self::new_nonblocking(io)
    }

    /// As [`new`](Self::new), for one that does not block already.
    ///
    /// # Errors
    /// As `new`.
    pub fn new_nonblocking(io: T) -> io::Result<Self> {
        let core = current();
        let fd = io.as_fd().as_raw_fd();
        // SAFETY: `io` is owned from here on and closed after its registration is dropped. Its
        // owner could close it through `get_mut` only by leaving another one there, which `Drop`
        // of the registration does not notice: the system forgets a closed file by itself.
        let key = unsafe { core.reactor.add(fd)? };
        Ok(Async {
            registration: Registration { core, key, fd },
            io,
            timeout: None,
        })
    }

    /// How long each wait may take; forever for `None`.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// The file itself.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// The file itself. It must stay the same one.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Waits until there may be something to read.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], and [`io::ErrorKind::ResourceBusy`] when another task waits
    /// for the same.
    pub fn readable(&self) -> io::Result<()> {
        self.wait(Direction::Read)
    }

    /// Waits until there may be room to write.
    ///
    /// # Errors
    /// As for [`readable`](Self::readable).
    pub fn writable(&self) -> io::Result<()> {
        self.wait(Direction::Write)
    }

    /// Does something that reads, again and again until it need not wait any more.
    ///
    /// # Errors
    /// What `act` gives, and as for [`readable`](Self::readable).
    pub fn read_with<R>(&self, mut act: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        loop {
            match act(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Does something that writes, again and again until it need not wait any more.
    ///
    /// # Errors
    /// What `act` gives, and as for [`writable`](Self::writable).
    pub fn write_with<R>(&self, mut act: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        loop {
            match act(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    #[inline(never)]
    fn wait(&self, direction: Direction) -> io::Result<()> {
        let Registration { core, key, .. } = &self.registration;
        let token = core.token();
        if !core
            .reactor
            .wait(*key, direction, (core.running(), token))?
        {
            return Ok(());
        }
        let due_us = self
            .timeout
            .map(|time| core.now_us().saturating_add(to_us(time)));
        let outcome = core.wait_until(due_us, |s| Ok(s.handle_wait_external(token)));
        if outcome != Ok(Outcome::Granted) {
            core.reactor.forget(*key, direction);
        }
        core.check_cancel();
        match outcome {
            Ok(Outcome::TimedOut) => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }
}

impl<T: AsFd> Read for Async<T>
where
    for<'a> &'a T: Read,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_with(|mut io| io.read(buffer))
    }
}

impl<T: AsFd> Write for Async<T>
where
    for<'a> &'a T: Write,
{
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_with(|mut io| io.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_with(|mut io| io.flush())
    }
}

fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    rustix::io::ioctl_fionbio(fd, true)?;
    Ok(())
}

/// A pipe: what is written to the second is read from the first.
///
/// # Errors
/// What the system says.
///
/// # Panics
/// If the thread has no runtime.
pub fn pipe() -> io::Result<(Async<io::PipeReader>, Async<io::PipeWriter>)> {
    let (reader, writer) = io::pipe()?;
    Ok((Async::new(reader)?, Async::new(writer)?))
}

/// The standard input, as a file of its own that does not block.
///
/// # Errors
/// What the system says: it may be a plain file, which cannot be polled and need not be.
///
/// # Panics
/// If the thread has no runtime.
pub fn stdin() -> io::Result<Async<std::fs::File>> {
    let fd = io::stdin().as_fd().try_clone_to_owned()?;
    Async::new(std::fs::File::from(fd))
}
