//! What the scheduler with a mapped stack per task does: a, b and c print five times each, in
//! turns, twice over. And what it cannot do: with one task accepting on a socket, the others go
//! on.
//!
//! `cargo run -p costack --features io --example round_robin`

use costack::io::{TcpListener, TcpStream};
use costack::{Runtime, yield_now};
use std::io::{Read, Write};

fn turns() -> Result<(), costack::runtime::JoinError> {
    let printers = ["a", "b", "c"].map(|name| {
        let print = move || {
            for count in 1..=5 {
                println!("{name} {count}");
                yield_now();
            }
        };
        costack::task().name(name).spawn(print)
    });
    printers.into_iter().try_for_each(costack::JoinHandle::join)
}

fn with_a_server(rt: &Runtime) -> Result<(), Box<dyn std::error::Error>> {
    let mut listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = rt.task().name("server").spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    });
    // Nobody connects until all of them are done: were the thread to block in `accept`, they never
    // would be.
    turns()?;
    let client = move || TcpStream::connect(address)?.write_all(b"hello");
    rt.spawn(client).join()??;
    println!("the server got: {}", server.join()??);
    Ok(())
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new();
    for round in 1..=2 {
        println!("round {round}");
        turns()?;
    }
    println!("with a server that accepts");
    with_a_server(&rt)
}
