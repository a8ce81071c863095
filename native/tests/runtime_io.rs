//! Files, sockets and other threads: whoever waits parks only itself.
#![cfg(feature = "io")]

use costack::io::{Async, TcpListener, TcpStream, UdpSocket, pipe};
use costack::runtime::{JoinError, remote_channel};
use costack::{Runtime, StackPool, spawn, spawn_blocking, yield_now};
use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;

#[test]
fn a_task_that_accepts_parks_only_itself() {
    let mut rt = Runtime::new();
    let mut listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = rt.spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    let turns = Rc::new(Cell::new(0));
    let seen = Rc::clone(&turns);
    rt.spawn(move || {
        for _ in 0..100 {
            yield_now();
            seen.set(seen.get() + 1);
        }
        // Only now does anybody connect.
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
    })
    .detach();
    rt.run().unwrap();
    assert_eq!(turns.get(), 100);
    assert_eq!(accepted.join().unwrap(), "hello");
}

#[test]
fn every_byte_is_echoed_to_many_at_once() {
    const CLIENTS: usize = 50;
    let mut rt = Runtime::new();
    let pool = StackPool::new(2, 256 * 1024).unwrap();
    let mut listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let servers = pool.clone();
    rt.spawn(move || {
        for _ in 0..CLIENTS {
            let (mut stream, _) = listener.accept().unwrap();
            let echo = move || {
                let mut buffer = vec![0; 512];
                loop {
                    match stream.read(&mut buffer).unwrap() {
                        0 => return,
                        bytes => stream.write_all(&buffer[..bytes]).unwrap(),
                    }
                }
            };
            // SAFETY: no pointer into the task's frames leaves it.
            unsafe { costack::task().shared(&servers).spawn(echo) }.detach();
        }
    })
    .detach();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                // More than the sockets' buffers hold, so that writes have to wait as well.
                let sent: Vec<u8> = (0..300_000).map(|at| (at * 7 + number) as u8).collect();
                let mut received = vec![0; sent.len()];
                for (out, back) in sent.chunks(3_000).zip(received.chunks_mut(3_000)) {
                    stream.write_all(out).unwrap();
                    stream.read_exact(back).unwrap();
                }
                sent == received
            })
        })
        .collect();
    rt.run().unwrap();
    for client in clients {
        assert!(client.join().unwrap());
    }
}

#[test]
fn writes_wait_for_room() {
    let mut rt = Runtime::new();
    let (mut reader, mut writer) = pipe().unwrap();
    let bytes = 1 << 20;
    rt.spawn(move || writer.write_all(&vec![7; bytes]).unwrap())
        .detach();
    let read = rt.spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        all.len()
    });
    rt.run().unwrap();
    assert_eq!(read.join().unwrap(), bytes);
}

#[test]
fn a_wait_for_a_file_times_out() {
    let rt = Runtime::new();
    let (mut reader, _writer) = pipe().unwrap();
    let task = rt.spawn(move || {
        reader.set_timeout(Some(Duration::from_millis(1)));
        reader.read(&mut [0]).unwrap_err().kind()
    });
    assert_eq!(task.join().unwrap(), ErrorKind::TimedOut);
}

#[test]
fn a_task_that_reads_can_be_cancelled_and_the_file_used_again() {
    let rt = Runtime::new();
    let (reader, mut writer) = pipe().unwrap();
    let reader = Rc::new(reader);
    let waits = |reader: &Rc<Async<std::io::PipeReader>>| {
        let reader = Rc::clone(reader);
        rt.spawn(move || reader.readable())
    };
    let task = waits(&reader);
    yield_now();
    let second = waits(&reader);
    let busy = second.join().unwrap().unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::ResourceBusy);
    task.cancel();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    let task = waits(&reader);
    yield_now();
    writer.write_all(b"x").unwrap();
    task.join().unwrap().unwrap();
}

#[test]
fn datagrams_come_and_go() {
    let mut rt = Runtime::new();
    let [a, b] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    let address = b.local_addr().unwrap();
    let received = rt.spawn(move || {
        let mut buffer = [0; 16];
        let (bytes, from) = b.recv_from(&mut buffer).unwrap();
        b.send_to(&buffer[..bytes], from).unwrap();
    });
    let echoed = rt.spawn(move || {
        a.send_to(b"ping", address).unwrap();
        let mut buffer = [0; 16];
        let (bytes, _) = a.recv_from(&mut buffer).unwrap();
        buffer[..bytes].to_vec()
    });
    rt.run().unwrap();
    received.join().unwrap();
    assert_eq!(echoed.join().unwrap(), b"ping");
}

#[test]
fn connecting_to_nobody_is_an_error() {
    let rt = Runtime::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let task = rt.spawn(move || TcpStream::connect(address).map(drop).unwrap_err().kind());
    assert_eq!(task.join().unwrap(), ErrorKind::ConnectionRefused);
}

#[test]
fn blocking_calls_run_beside_the_tasks() {
    let mut rt = Runtime::new();
    let turns = Rc::new(Cell::new(0));
    let (go, wait) = std::sync::mpsc::channel();
    let blocked = rt.spawn(move || spawn_blocking(move || wait.recv().unwrap()).unwrap());
    let seen = Rc::clone(&turns);
    rt.spawn(move || {
        for _ in 0..10 {
            seen.set(seen.get() + 1);
            yield_now();
        }
        go.send(5).unwrap();
    })
    .detach();
    rt.run().unwrap();
    assert_eq!(turns.get(), 10);
    assert_eq!(blocked.join().unwrap(), 5);
    let panics =
        rt.spawn(|| spawn_blocking(|| -> () { std::panic::resume_unwind(Box::new("oh")) }));
    assert!(matches!(
        panics.join().unwrap(),
        Err(JoinError::Panicked(_))
    ));
}

#[test]
fn a_value_from_another_thread_wakes_its_receiver() {
    let mut rt = Runtime::new();
    // One runtime waits in a poller, the other is parked.
    let _in_use = pipe().unwrap();
    let (to_main, from_thread) = remote_channel::<u32>();
    let (hand_over, taken) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut rt = Runtime::new();
        let (to_thread, from_main) = remote_channel::<u32>();
        hand_over.send(to_thread).unwrap();
        rt.spawn(move || {
            while let Some(number) = from_main.recv() {
                to_main.send(number * 2).unwrap();
            }
        })
        .detach();
        rt.run().unwrap();
    });
    let to_thread = taken.recv().unwrap();
    let sum = rt.spawn(move || {
        let mut sum = 0;
        for number in 0..1_000 {
            to_thread.send(number).unwrap();
            sum += from_thread.recv().unwrap();
        }
        drop(to_thread);
        assert_eq!(from_thread.recv(), None, "the other end is gone");
        sum
    });
    rt.run().unwrap();
    thread.join().unwrap();
    assert_eq!(sum.join().unwrap(), 999_000);
}
