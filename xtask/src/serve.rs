//! Serving the explorer.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    command::status,
    context::Context,
    flags::Serve,
    page::{self, Mode},
    progress::{say, spoken},
};

/// Installs what is missing, builds the page, and serves it until the user ends it.
pub fn serve(context: &Context, flags: &Serve) -> Result<()> {
    let started = Instant::now();
    let mode = match (flags.release, flags.dev) {
        (true, true) => bail!("--release and --dev exclude each other"),
        (true, false) => Mode::Release,
        (false, true) => Mode::Dev,
        (false, false) => Mode::Optimised,
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, flags.port.unwrap_or(8080)));
    if let Err(error) = TcpListener::bind(address) {
        bail!("{address} cannot be served on ({error}): choose another port with --port");
    }
    page::prepare(context, mode)?;
    let mut trunk = page::trunk(context, "serve", mode)?;
    trunk.args([
        "--address",
        &address.ip().to_string(),
        "--port",
        &address.port().to_string(),
    ]);
    if flags.open {
        trunk.arg("--open");
    }
    say("building the page: seconds, or about 2 min the first time; Ctrl-C ends");
    // Trunk opens the port once the page is built. This thread ends with the process.
    thread::spawn(move || announce(address, started));
    let ended = status(&mut trunk)?;
    // Ctrl-C ends Trunk by a signal, which is how serving is meant to end.
    match ended.code() {
        Some(0) | None => Ok(()),
        Some(code) => bail!("trunk serve ended with {code}; its own message is above"),
    }
}

/// Waits until the page can be had, and prints its address.
fn announce(address: SocketAddr, started: Instant) {
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        thread::sleep(Duration::from_millis(100));
    }
    say(format!(
        "the explorer is at http://{address}/ (after {})",
        spoken(started.elapsed())
    ));
}
