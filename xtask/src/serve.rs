//! Serving the explorer.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::{CommandExt, parent_id},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    command::command,
    context::Context,
    flags::{Announce, Serve},
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
    announce_later(address, started.elapsed())?;
    // Trunk takes this process's place, so that whoever ends it ends Trunk.
    let error = trunk.exec();
    Err(error).context("Trunk does not start")
}

/// Starts this program once more beside Trunk, to tell when the page is there.
fn announce_later(address: SocketAddr, elapsed: Duration) -> Result<()> {
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let mut announcer = command(own);
    announcer.args(["announce", "--port", &address.port().to_string()]);
    announcer.args(["--elapsed-ms", &elapsed.as_millis().to_string()]);
    announcer.stderr(Stdio::null()).spawn()?;
    Ok(())
}

/// Waits until the page can be had, and prints its address. Trunk opens the port once the page is built.
pub fn announce(flags: &Announce) {
    let started = Instant::now();
    let parent = parent_id();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, flags.port));
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        thread::sleep(Duration::from_millis(100));
        if parent_id() != parent {
            // Trunk has ended, and there will be no page.
            return;
        }
    }
    let elapsed = started.elapsed() + Duration::from_millis(flags.elapsed_ms);
    say(format!(
        "the explorer is at http://{address}/ (after {})",
        spoken(elapsed)
    ));
}
