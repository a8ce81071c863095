//! Many coroutines: which of them are in the cache, and which are still on their stack.

use crate::case::{Case, Group, Made, Runner, Size, cannot, timed};
use crate::peer::future;
use crate::ring::{How, Order, PADDINGS, Ring};
use corosensei::CoroutineResult::{Return, Yield};
use costack::{Coroutine, State};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

/// The least that each task of a working set has on its stack, in bytes.
pub const IMAGE_AT_LEAST: usize = 120;

/// How many resumes ahead a scheduler that knows who is next fetches.
pub const AHEAD: usize = 16;

/// Own stacks take two areas of address space each, of which Linux gives a process some 65,000.
const OWN_STACKS_AT_MOST: u64 = 20_000;

/// The tasks of the small ring that the large ones are compared with.
pub const FEW: u64 = 1000;

/// The number of words that makes an image of [`IMAGE_AT_LEAST`].
#[must_use]
pub fn padding() -> usize {
    *PADDINGS
        .iter()
        .find(|words| Ring::new(2, **words, false, How::PLAIN).image_bytes >= IMAGE_AT_LEAST)
        .expect("the last one makes 64 KiB")
}

/// Sizes of working sets.
#[must_use]
pub fn counts(size: Size) -> &'static [u64] {
    size.pick(
        &[2, 1000],
        &[2, 1000, 100_000, 2_000_000],
        &[2, 1000, 100_000, 2_000_000, 10_000_000],
    )
}

/// Round trips over working sets, and over some more stacks than one.
pub fn groups(size: Size) -> Vec<Group> {
    vec![
        working_set(size, Order::InOrder),
        working_set(size, Order::Random),
        stacks(size),
    ]
}

fn working_set(size: Size, order: Order) -> Group {
    let batches = counts(size)
        .iter()
        .map(|&tasks| {
            // Two cases turn the same ring: ten million tasks need not be there twice.
            let ring: Rc<RefCell<Option<Ring>>> = Rc::default();
            let case = |who, ahead| {
                let ring = Rc::clone(&ring);
                Case::with(who, tasks, move || {
                    ring.borrow_mut().get_or_insert_with(|| {
                        let how = How {
                            order,
                            ..How::PLAIN
                        };
                        Ring::new(tasks as usize, padding(), false, how)
                    });
                    timed(move |trips| {
                        let mut ring = ring.borrow_mut();
                        let ring = ring.as_mut().expect("made above");
                        ring.fetch_ahead(ahead);
                        ring.turn(trips);
                    })
                })
            };
            let mut cases = vec![case("costack", 0), case("costack_prefetch", AHEAD)];
            cases.push(Case::with("future", tasks, move || futures(tasks, order)));
            if tasks <= OWN_STACKS_AT_MOST {
                cases.push(Case::with("costack_own", tasks, move || own(tasks, order)));
                cases.push(Case::with("corosensei", tasks, move || {
                    corosensei_own(tasks, order)
                }));
            }
            cases.push(
                Case::with("few", FEW, || {
                    let mut ring = Ring::new(FEW as usize, padding(), false, How::PLAIN);
                    ring.fetch_ahead(AHEAD);
                    timed(move |trips| ring.turn(trips))
                })
                .companion(),
            );
            cases
        })
        .collect();
    let (id, title, about) = match order {
        Order::InOrder => (
            "working_set/in_order",
            "Working set, in order",
            "Round trips over so many tasks one after the other, each with an image of at least \
             120 B that must be brought back. With prefetch: what a scheduler does, which knows \
             who is next.",
        ),
        Order::Random | Order::Chance => (
            "working_set/random",
            "Working set, shuffled",
            "The same in an order that no cache foresees.",
        ),
    };
    Group {
        id: id.to_owned(),
        title,
        about,
        per: "round trip",
        axis: Some("tasks"),
        batches,
        cannot: vec![cannot(
            "corosensei, generator, Boost.Context",
            "have own stacks only: two areas of address space each, of which Linux gives a \
                 process 65,530, so they end at some 30,000 tasks",
        )],
    }
}

/// Calls `each` with as many positions as there are trips, in order.
fn around(order: Order, len: usize, mut each: impl FnMut(usize) + 'static) -> Runner {
    let positions = match order {
        Order::InOrder => Vec::new(),
        Order::Random | Order::Chance => crate::ring::shuffled(len),
    };
    let mut next = 0;
    timed(move |trips| {
        for _ in 0..trips {
            each(positions.get(next).map_or(next, |at| *at as usize));
            next += 1;
            if next == len {
                next = 0;
            }
        }
    })
}

fn futures(tasks: u64, order: Order) -> Runner {
    const WORDS: usize = IMAGE_AT_LEAST / size_of::<usize>();
    let mut all: Vec<_> = (0..tasks).map(|_| future::padded::<WORDS>()).collect();
    around(order, all.len(), move |at| {
        black_box(future::poll(&mut all[at]).is_ready());
    })
}

fn own(tasks: u64, order: Order) -> Runner {
    let make = |_| -> Coroutine<usize, usize, usize> {
        let mut co = Coroutine::new(|yielder: &costack::Yielder<usize, usize>, mut value| {
            loop {
                value = yielder.suspend(value);
            }
        })
        .expect("memory for a stack");
        co.resume(0);
        co
    };
    let mut all: Vec<_> = (0..tasks).map(make).collect();
    around(order, all.len(), move |at| {
        let (State::Yielded(value) | State::Returned(value)) = all[at].resume(at);
        black_box(value);
    })
}

fn corosensei_own(tasks: u64, order: Order) -> Runner {
    let make = |_| -> corosensei::Coroutine<usize, usize, usize> {
        let mut co =
            corosensei::Coroutine::new(|yielder: &corosensei::Yielder<_, _>, mut value| {
                loop {
                    value = yielder.suspend(value);
                }
            });
        co.resume(0);
        co
    };
    let mut all: Vec<_> = (0..tasks).map(make).collect();
    around(order, all.len(), move |at| {
        let (Yield(value) | Return(value)) = all[at].resume(at);
        black_box(value);
    })
}

/// Tasks that are bound to the stacks in turn, resumed in an order that repeats nothing.
const TASKS: usize = 64;

fn stacks(size: Size) -> Group {
    let counts: &[u64] = size.pick(&[1, 64], &[1, 4, 16, 64], &[1, 2, 4, 8, 16, 32, 64]);
    let mut cases = Vec::new();
    for &stacks in counts {
        let mut case = Case::with("costack", stacks, || unreachable!("replaced below"));
        case.make = Box::new(move || {
            let how = How {
                order: Order::Chance,
                stacks: stacks as usize,
                ahead: 0,
            };
            let mut ring = Ring::new(TASKS, padding(), false, how);
            let hit_ratio = ring.hit_ratio();
            Made {
                run: timed(move |trips| ring.turn(trips)),
                facts: [("hit_ratio".to_owned(), hit_ratio)].into(),
            }
        });
        cases.push(case);
    }
    Group {
        id: "stacks/hit_ratio".to_owned(),
        title: "More shared stacks",
        about: "64 tasks on so many shared stacks, resumed at random. A task that is still on its \
                stack is a hit and costs no copy: the stacks are a direct-mapped cache.",
        per: "round trip",
        axis: Some("shared stacks"),
        batches: vec![cases],
        cannot: vec![cannot(
            "corosensei, generator, Boost.Context, future",
            "cannot share a stack, so all of theirs are hits",
        )],
    }
}
