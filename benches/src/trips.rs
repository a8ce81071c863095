//! Round trips: on own stacks in their four shapes, on a shared stack by the image's size, and what
//! else happens on a coroutine's stack.

use crate::bare;
use crate::case::{Case, Group, Runner, Size, cannot, timed};
use crate::peer::{self, SHAPES, Shapes, plain, thread};
use crate::ring::{Copies, How, PADDINGS, Ring};
use costack::{Coroutine, State};
use costack_bench_schema::Skipped;
use std::backtrace::Backtrace;
use std::hint::black_box;
use std::time::Instant;

/// Coroutines of a ring: enough that each save stack is another one, few enough for the L1 cache
/// at small images.
const RING: usize = 16;

/// All of them.
pub fn groups(size: Size) -> Vec<Group> {
    let mut groups: Vec<Group> = (0..SHAPES.len()).map(own).collect();
    groups.push(shared(size));
    groups.push(backtraces());
    groups
}

/// A case for one shape of someone's.
fn shape(who: &'static str, at: usize, shapes: fn() -> Shapes) -> Case {
    Case::new(who, move || {
        let mut shapes: Vec<Runner> = shapes().into();
        shapes.swap_remove(at)
    })
}

fn own(at: usize) -> Group {
    let mut cases = vec![
        shape("costack", at, || peer::costack::shapes(false)),
        shape("costack_fp", at, || peer::costack::shapes(true)),
        shape("corosensei", at, peer::corosensei::shapes),
        shape("future", at, peer::future::shapes),
    ];
    let mut absent = absent();
    #[cfg(feature = "peers")]
    cases.push(shape("generator", at, peer::generator::shapes));
    #[cfg(boost_context)]
    cases.push(shape("boost_context", at, peer::boost::shapes));
    if at == 0 {
        cases.push(Case::new("os_thread", thread::round_trips));
        cases.push(Case::new("function_call", || timed(plain::calls)));
    }
    absent.push(cannot(
        "may",
        "resumes by its scheduler only: see yield_now",
    ));
    Group {
        id: format!("own_round_trip/{}", SHAPES[at]),
        title: [
            "Root yields",
            "A helper yields",
            "Four deep",
            "Resume not inlined",
        ][at],
        about: [
            "The coroutine's own function yields, in a loop; a value goes each way. A call of a plain \
             function is the limit.",
            "It calls a helper that yields and returns, as sleep, lock or read do.",
            "Four nested calls; the innermost yields, and all of them return.",
            "The root yields, and the resumer calls a function that resumes.",
        ][at],
        per: "round trip",
        axis: None,
        batches: vec![cases],
        cannot: absent,
    }
}

/// Peers that were not built in.
fn absent() -> Vec<Skipped> {
    let mut absent = Vec::new();
    if cfg!(not(feature = "peers")) {
        absent.push(cannot("generator", crate::NOT_BUILT));
    }
    if cfg!(not(boost_context)) {
        absent.push(cannot("boost_context", crate::boost_is_missing()));
    }
    absent
}

/// Paddings with the bytes of the image that each makes; not two that make the same.
#[must_use]
pub fn images(size: Size) -> Vec<(usize, usize)> {
    let mut images: Vec<(usize, usize)> = PADDINGS
        .iter()
        .map(|padding| {
            let ring = Ring::new(2, *padding, false, How::PLAIN);
            (*padding, ring.image_bytes)
        })
        .collect();
    images.dedup_by_key(|(_, bytes)| *bytes);
    if size == Size::Smoke {
        images.truncate(3);
    }
    images
}

/// The limit: as many bytes out and in.
fn copies(bytes: usize) -> Case {
    Case::with("two_plain_copies", bytes as u64, move || {
        let mut copies = Copies::new(RING, bytes);
        timed(move |trips| copies.turn(trips))
    })
}

fn shared(size: Size) -> Group {
    let images = images(size);
    let mut cases = Vec::new();
    for &(padding, bytes) in &images {
        let ring = move |fp| {
            move || {
                let mut ring = Ring::new(RING, padding, fp, How::PLAIN);
                timed(move |trips| ring.turn(trips))
            }
        };
        cases.push(Case::with("costack", bytes as u64, ring(false)));
        cases.push(Case::with("costack_fp", bytes as u64, ring(true)));
        cases.push(copies(bytes));
    }
    for bytes in bare::IMAGES {
        cases.push(Case::with("costack_assembly", bytes as u64, move || {
            let mut ring = Ring::bare(RING, bytes, How::PLAIN);
            timed(move |trips| ring.turn(trips))
        }));
        if images.iter().all(|(_, others)| *others != bytes) {
            cases.push(copies(bytes));
        }
    }
    cases.push(shape("own_root", 0, || peer::costack::shapes(false)).companion());
    Group {
        id: "shared_round_trip".to_owned(),
        title: "Shared stack, by the image",
        about: "16 tasks on one stack, each evicting the one before at every resume: an image out, an \
                image in, a round trip. What a compiler's function leaves is not smaller than the first \
                point of its line; smaller images are those of a function in assembly, on the same \
                engine, with the same switch. Beside it two plain copies of the same size, by memcpy.",
        per: "round trip",
        axis: Some("bytes of the image"),
        batches: vec![cases],
        cannot: vec![cannot(
            "corosensei, generator, Boost.Context, may, future",
            "cannot share a stack",
        )],
    }
}

#[inline(never)]
fn capture(depth: usize) -> usize {
    match depth {
        0 => {
            drop(black_box(Backtrace::force_capture()));
            depth
        }
        _ => black_box(capture(depth - 1)) + 1,
    }
}

fn backtraces() -> Group {
    let within = Case::new("costack", || {
        let mut co: Coroutine<u64, (), ()> = Coroutine::new(|yielder, mut times| {
            loop {
                for _ in 0..times {
                    black_box(capture(3));
                }
                times = yielder.suspend(());
            }
        })
        .expect("memory for a stack");
        timed(move |times| {
            let State::Yielded(()) = co.resume(times) else {
                unreachable!("it yields forever")
            };
        })
    });
    let theirs = Case::new("corosensei", || {
        let mut co: corosensei::Coroutine<u64, (), ()> =
            corosensei::Coroutine::new(|yielder: &corosensei::Yielder<u64, ()>, mut times| {
                loop {
                    for _ in 0..times {
                        black_box(capture(3));
                    }
                    times = yielder.suspend(());
                }
            });
        timed(move |times| {
            let _ = black_box(co.resume(times));
        })
    });
    let plain = Case::new("plain_stack", || {
        Box::new(|times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(capture(3));
            }
            start.elapsed()
        })
    });
    Group {
        id: "backtrace".to_owned(),
        title: "Backtrace",
        about: "std::backtrace, four calls deep, frames of the coroutine and of its resumer; names are \
                not looked up. Without a coroutine the frames are fewer by those of the resume.",
        per: "backtrace",
        axis: None,
        batches: vec![vec![within, theirs, plain]],
        cannot: vec![cannot(
            "generator, Boost.Context",
            "end a backtrace at the coroutine's first frame, so there is less to do",
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_curve_of_images_goes_from_the_smallest_to_64_kib_beside_its_limit() {
        let cases = shared(Size::Full).batches.remove(0);
        let sizes = |of: fn(&str) -> bool| -> BTreeSet<u64> {
            let wanted = cases.iter().filter(|case| of(case.who));
            wanted.filter_map(|case| case.parameter).collect()
        };
        let ours = sizes(|who| who == "costack" || who == "costack_assembly");
        assert_eq!(ours.first(), Some(&(bare::IMAGES[0] as u64)));
        assert!(ours.last().is_some_and(|largest| *largest > 65_000));
        assert_eq!(ours, sizes(|who| who == "two_plain_copies"));
    }
}
