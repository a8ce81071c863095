//! Sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::Async;

/// As [`std::net::TcpListener`]; accepting parks only the task that does.
#[derive(Debug)]
pub struct TcpListener {
    io: Async<std::net::TcpListener>,
}

/// As [`std::net::TcpStream`]; reading and writing park only the task that does.
#[derive(Debug)]
pub struct TcpStream {
    io: Async<std::net::TcpStream>,
}

/// As [`std::net::UdpSocket`]; sending and receiving park only the task that does.
#[derive(Debug)]
pub struct UdpSocket {
    io: Async<std::net::UdpSocket>,
}

impl TcpListener {
    /// Listens at an address. Names are looked up on this thread, which blocks it; numbers are
    /// not.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(TcpListener {
            io: Async::new(std::net::TcpListener::bind(address)?)?,
        })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// What the system says; see [`Async::readable`].
    pub fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.io.read_with(std::net::TcpListener::accept)?;
        let io = Async::new(stream)?;
        Ok((TcpStream { io }, address))
    }

    /// Its own address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// How long each wait may take; forever for `None`.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.io.set_timeout(timeout);
    }
}

impl TcpStream {
    /// Connects to an address.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let io = Async::new_nonblocking(std::net::TcpStream::from(socket))?;
        // It can be written to once it is connected, or has failed to.
        loop {
            io.writable()?;
            if let Some(error) = io.get_ref().take_error()? {
                return Err(error);
            }
            match io.get_ref().peer_addr() {
                Ok(_) => return Ok(TcpStream { io }),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The other end's address.
    ///
    /// # Errors
    /// What the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().peer_addr()
    }

    /// Closes one direction or both.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.get_ref().shutdown(how)
    }

    /// Sends small pieces at once rather than gathered.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.io.get_ref().set_nodelay(nodelay)
    }

    /// How long each wait may take; forever for `None`.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.io.set_timeout(timeout);
    }

    /// Waits until there may be something to read.
    ///
    /// # Errors
    /// As for [`Async::readable`].
    pub fn readable(&self) -> io::Result<()> {
        self.io.readable()
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.io.read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.io.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl UdpSocket {
    /// A socket at an address.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If the thread has no runtime.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(UdpSocket {
            io: Async::new(std::net::UdpSocket::bind(address)?)?,
        })
    }

    /// Waits for a datagram.
    ///
    /// # Errors
    /// What the system says; see [`Async::readable`].
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.read_with(|socket| socket.recv_from(buffer))
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// What the system says; see [`Async::writable`].
    pub fn send_to(&self, buffer: &[u8], address: SocketAddr) -> io::Result<usize> {
        self.io.write_with(|socket| socket.send_to(buffer, address))
    }

    /// Its own address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get_ref().local_addr()
    }

    /// How long each wait may take; forever for `None`.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.io.set_timeout(timeout);
    }
}
