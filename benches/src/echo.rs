//! Echo servers under load: Costack's runtime and `may`, each in a process of its own, and the load
//! in another, the same for both. The servers take turns, round by round.
//!
//! `suite echo-server WHO` serves until its input ends; `suite echo-load ADDRESS CONNECTIONS MS`
//! asks as fast as it is answered.

use crate::case::Size;
use crate::statistics;
use anyhow::{Context as _, Result, bail, ensure};
use costack::io::{TcpListener, TcpStream};
use costack::{Runtime, StackPool};
use costack_bench_schema::{Echo, Skipped};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Bytes of a request and of its answer.
const MESSAGE: usize = 64;

/// Files of a process beside its connections.
const SPARE_FILES: u64 = 64;

/// Who serves. The first one is ours.
const SERVERS: &[&str] = if cfg!(feature = "peers") {
    &["costack", "may"]
} else {
    &["costack"]
};

/// Measures all servers.
#[must_use]
pub fn measure(program: &Path, size: Size, mut tell: impl FnMut()) -> (Vec<Echo>, Vec<Skipped>) {
    let connections = size.pick(10, 1000, 1000);
    let rounds = size.pick(5, 5, 21);
    let time = Duration::from_millis(size.pick(20, 400, 1500));
    match turns(program, connections, rounds, time, &mut tell) {
        Ok(echo) => (echo, Vec::new()),
        Err(error) => {
            let skipped = Skipped {
                what: "echo servers".to_owned(),
                why: format!("{error:#}"),
            };
            (Vec::new(), vec![skipped])
        }
    }
}

fn turns(
    program: &Path,
    connections: u64,
    rounds: usize,
    time: Duration,
    tell: &mut impl FnMut(),
) -> Result<Vec<Echo>> {
    let servers: Vec<Server> = SERVERS
        .iter()
        .map(|who| Server::start(program, who))
        .collect::<Result<_>>()?;
    let mut loads: Vec<Vec<Load>> = servers.iter().map(|_| Vec::new()).collect();
    // The first round warms up.
    for round in 0..=rounds {
        tell();
        for (server, loads) in servers.iter().zip(&mut loads) {
            let load = Load::put(program, server.address, connections, time)?;
            if round > 0 {
                loads.push(load);
            }
        }
    }
    let summed_up = |(server, loads): (&Server, Vec<Load>)| {
        let rounds: Vec<f64> = loads.iter().map(|load| load.per_second).collect();
        let p99s: Vec<f64> = loads.iter().map(|load| load.p99_us).collect();
        Echo {
            who: server.who.to_owned(),
            connections,
            per_second: statistics::spread(&rounds),
            rounds,
            p99_us: statistics::median(&p99s),
        }
    };
    Ok(servers.iter().zip(loads).map(summed_up).collect())
}

/// A server's process, which ends with this value.
struct Server {
    who: &'static str,
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &Path, who: &'static str) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["echo-server", who])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a server could not be started")?;
        let mut line = String::new();
        let out = child.stdout.take().context("its output is piped")?;
        BufReader::new(out).read_line(&mut line)?;
        match line.trim().parse() {
            Ok(address) => Ok(Server {
                who,
                child,
                address,
            }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the server of {who} says no address but {line:?}")
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one load has measured.
struct Load {
    per_second: f64,
    p99_us: f64,
}

impl Load {
    fn put(program: &Path, address: SocketAddr, connections: u64, time: Duration) -> Result<Self> {
        let output = Command::new(program)
            .args(["echo-load", &address.to_string(), &connections.to_string()])
            .arg(time.as_millis().to_string())
            .stdin(Stdio::null())
            .output()
            .context("the load could not be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "the load ended with {}: {}",
            output.status,
            said.trim()
        );
        let text = String::from_utf8(output.stdout)?;
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(per_second)), Some(Ok(p99_us))) = (numbers.next(), numbers.next()) else {
            bail!("the load says no numbers but {text:?}");
        };
        Ok(Load { per_second, p99_us })
    }
}

/// Lets this process open so many connections.
fn allow(connections: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections + SPARE_FILES;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit {
        current: Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed))),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    ensure!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "{needed} files may not be open at a time"
    );
    Ok(())
}

/// Serves until it is killed, or its starter is gone.
///
/// # Errors
/// When there is nobody of that name, or no address to listen at.
pub fn serve(who: &str) -> Result<()> {
    allow(20_000).or_else(|_| allow(1000))?;
    std::thread::spawn(|| {
        // The other end of the input closes when the starter ends, however it does.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    match who {
        "costack" => serve_costack(),
        #[cfg(feature = "peers")]
        "may" => serve_may(),
        _ => bail!(
            "there is no server {who}; there are: {}",
            SERVERS.join(", ")
        ),
    }
}

fn tell_address(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address}")?;
    Ok(out.flush()?)
}

fn serve_costack() -> Result<()> {
    let mut runtime = Runtime::new();
    let stacks = StackPool::new(1, 64 * 1024)?;
    let mut listener = TcpListener::bind("127.0.0.1:0")?;
    tell_address(listener.local_addr()?)?;
    let server = move || {
        loop {
            let Ok((mut stream, _)) = listener.accept() else {
                continue;
            };
            let _ = stream.set_nodelay(true);
            let echo = move || {
                let mut buffer = [0; MESSAGE];
                while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..bytes]).is_err() {
                        return;
                    }
                }
            };
            // SAFETY: no pointer into the task's frames leaves it: the buffer is read and written by
            // the task itself, between its waits.
            unsafe { costack::task().shared(&stacks).spawn(echo) }.detach();
        }
    };
    runtime.spawn(server).detach();
    runtime
        .run()
        .map_err(|deadlock| anyhow::anyhow!("{deadlock}"))
}

#[cfg(feature = "peers")]
fn serve_may() -> Result<()> {
    use crate::peer::may;
    may::configure();
    let listener = ::may::net::TcpListener::bind("127.0.0.1:0")?;
    tell_address(listener.local_addr()?)?;
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        may::spawn(move || {
            let mut buffer = [0; MESSAGE];
            while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                if stream.write_all(&buffer[..bytes]).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// Asks over so many connections for so long; prints requests per second and the 99th percentile in
/// microseconds.
///
/// # Errors
/// When the server cannot be reached, or an answer is wrong.
pub fn load(address: &str, connections: u64, time: Duration) -> Result<()> {
    allow(connections)?;
    let address: SocketAddr = address.parse().context("it is no address")?;
    let mut runtime = Runtime::new();
    let stacks = StackPool::new(1, 64 * 1024)?;
    let times_us: Rc<RefCell<Vec<u32>>> = Rc::default();
    let connected = Rc::new(Cell::new(0));
    let go = Rc::new(costack::sync::Event::new());
    let failure = Rc::new(RefCell::new(None));
    let begin = Rc::new(Cell::new(Instant::now()));
    for number in 0..connections {
        let (times_us, failure) = (Rc::clone(&times_us), Rc::clone(&failure));
        let (connected_now, go, begin) = (Rc::clone(&connected), Rc::clone(&go), Rc::clone(&begin));
        let client = move || {
            let asked = ask(address, time, &connected_now, &go, &begin, |took| {
                times_us.borrow_mut().push(took.as_micros() as u32);
            });
            if let Err(error) = asked {
                *failure.borrow_mut() = Some(error);
                connected_now.set(connected_now.get() + 1);
            }
        };
        // SAFETY: no pointer into the task's frames leaves it.
        unsafe { runtime.task().shared(&stacks).spawn(client) }.detach();
        // Not more at a time than the listener's queue holds.
        while connected.get() + 100 < number {
            costack::sleep(Duration::from_millis(1));
        }
    }
    while connected.get() < connections {
        costack::sleep(Duration::from_millis(1));
    }
    begin.set(Instant::now());
    go.set();
    runtime
        .run()
        .map_err(|deadlock| anyhow::anyhow!("{deadlock}"))?;
    let took = begin.get().elapsed();
    if let Some(error) = failure.take() {
        return Err(error).context("a client failed");
    }
    let times_us: Vec<f64> = times_us.borrow().iter().map(|&us| f64::from(us)).collect();
    ensure!(!times_us.is_empty(), "nothing was answered");
    let p99 = statistics::quantile(&statistics::sorted(&times_us), 0.99);
    println!("{} {p99}", times_us.len() as f64 / took.as_secs_f64());
    Ok(())
}

fn ask(
    address: SocketAddr,
    time: Duration,
    connected: &Cell<u64>,
    go: &costack::sync::Event,
    begin: &Cell<Instant>,
    mut answered: impl FnMut(Duration),
) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    connected.set(connected.get() + 1);
    go.wait();
    let mut number = 0u8;
    while begin.get().elapsed() < time {
        let start = Instant::now();
        number = number.wrapping_add(1);
        let message = [number; MESSAGE];
        let mut back = [0; MESSAGE];
        stream.write_all(&message)?;
        stream.read_exact(&mut back)?;
        ensure!(back == message, "an answer is not what was asked");
        answered(start.elapsed());
    }
    Ok(())
}
