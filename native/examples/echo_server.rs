//! Ten thousand connections at the same time, one task each, on shared stacks; and as many
//! clients, in the same process, that check every byte.
//!
//! `cargo run -p costack --release --features io --example echo_server [connections] [rounds]`
//!
//! It uses the loopback interface only, and ends by itself.

use costack::io::{TcpListener, TcpStream};
use costack::sync::Event;
use costack::{Runtime, StackPool};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Bytes of one message.
const MESSAGE: usize = 64;

/// Files beside the connections.
const SPARE_FILES: u64 = 64;

/// How many connections there may be: each has two ends here.
fn connections(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let needed = 2 * wanted + SPARE_FILES;
    let most = limit.maximum.unwrap_or(needed);
    let raised = Rlimit {
        current: Some(needed.min(most).max(limit.current.unwrap_or(needed))),
        maximum: limit.maximum,
    };
    // What counts is what the limit is afterwards.
    let _ = setrlimit(Resource::Nofile, raised);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(needed);
    let possible = files.saturating_sub(SPARE_FILES) / 2;
    if possible < wanted {
        println!("{possible} connections rather than {wanted}: {files} files may be open");
    }
    wanted.min(possible)
}

/// Resident bytes of this process.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        // While nothing comes, the buffer is not there either.
        stream.readable()?;
        let mut buffer = [0; MESSAGE];
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            bytes => stream.write_all(&buffer[..bytes])?,
        }
    }
}

pub(crate) fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map_while(|text| text.parse().ok());
    let connections = connections(args.next().unwrap_or(10_000));
    let rounds = args.next().unwrap_or(3);

    let mut rt = Runtime::new();
    let stacks = StackPool::new(1, 256 * 1024)?;
    let mut listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let before = resident_bytes();

    let server_stacks = stacks.clone();
    let server = move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().expect("a connection");
            let task = costack::task().shared(&server_stacks);
            // SAFETY: no pointer into the task's frames leaves it.
            unsafe { task.spawn(move || echo(stream).expect("an echo")) }.detach();
        }
    };
    rt.task().name("server").spawn(server).detach();

    let go = Rc::new(Event::new());
    let connected = Rc::new(Cell::new(0u64));
    let echoed = Rc::new(Cell::new(0u64));
    for number in 0..connections {
        let (go, echoed) = (Rc::clone(&go), Rc::clone(&echoed));
        let count = Rc::clone(&connected);
        let client = move || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            count.set(count.get() + 1);
            go.wait();
            for round in 0..rounds {
                let message = [(number * 31 + round) as u8; MESSAGE];
                let mut back = [0; MESSAGE];
                stream.write_all(&message).expect("a message goes");
                stream.read_exact(&mut back).expect("it comes back");
                assert_eq!(back, message);
                echoed.set(echoed.get() + MESSAGE as u64);
            }
        };
        // SAFETY: as above.
        unsafe { rt.task().shared(&stacks).spawn(client) }.detach();
        // Not more at a time than the listener's queue holds.
        while connected.get() + 100 < number {
            costack::yield_now();
        }
    }
    while connected.get() < connections {
        costack::sleep(std::time::Duration::from_millis(1));
    }
    let during = resident_bytes();
    println!("{connections} connections, two tasks each");
    println!(
        "{} resident bytes per connection",
        during.saturating_sub(before) / connections.max(1)
    );
    println!(
        "{} bytes of save stacks per task",
        stacks.save_bytes() as u64 / (2 * connections).max(1)
    );
    go.set();
    rt.run()?;
    println!("{} bytes echoed", echoed.get());
    assert_eq!(echoed.get(), connections * rounds * MESSAGE as u64);
    Ok(())
}
