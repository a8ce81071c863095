//! The life of a coroutine in its phases, and its end before its time.

use crate::case::{Case, Group, Runner, cannot, timed};
use crate::peer::plain::{self, Destructor};
use crate::peer::{self, thread};
use costack::stack::{DEFAULT_STACK_BYTES, GuardedStack};
use costack::{Coroutine, SharedStack, State};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How many live at the same time while a phase is measured.
const CROWD: u64 = 64;

/// Someone whose coroutines live through the phases: made, run to their first yield, run to their
/// end, dropped.
trait Life: 'static {
    type Co;
    fn create(&mut self) -> Self::Co;
    fn first_resume(&mut self, co: &mut Self::Co);
    fn finish(&mut self, co: &mut Self::Co);
    /// Drops it, and keeps its stack where that is pooled.
    fn put_away(&mut self, co: Self::Co);
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Create,
    FirstResume,
    Finish,
    Drop,
}

const PHASES: [(Phase, &str, &str); 4] = [
    (
        Phase::Create,
        "create",
        "Making a coroutine that has not begun.",
    ),
    (
        Phase::FirstResume,
        "first_resume",
        "Resuming a new coroutine up to its first yield.",
    ),
    (
        Phase::Finish,
        "finish",
        "Resuming a coroutine that then returns.",
    ),
    (
        Phase::Drop,
        "drop",
        "Dropping a coroutine that has returned.",
    ),
];

/// Lets crowds live, and measures one phase of each.
fn phase(mut life: impl Life, measured: Phase) -> Runner {
    Box::new(move |times| {
        let mut total = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let count = left.min(CROWD);
            left -= count;
            let mut clock = Clock {
                measured,
                total: &mut total,
            };
            let mut crowd = Vec::with_capacity(count as usize);
            clock.during(Phase::Create, || {
                crowd.extend((0..count).map(|_| life.create()));
            });
            clock.during(Phase::FirstResume, || {
                crowd.iter_mut().for_each(|co| life.first_resume(co));
            });
            clock.during(Phase::Finish, || {
                crowd.iter_mut().for_each(|co| life.finish(co));
            });
            clock.during(Phase::Drop, || {
                crowd.drain(..).for_each(|co| life.put_away(co));
            });
        }
        total
    })
}

struct Clock<'a> {
    measured: Phase,
    total: &'a mut Duration,
}

impl Clock<'_> {
    fn during(&mut self, phase: Phase, run: impl FnOnce()) {
        let start = Instant::now();
        run();
        if phase == self.measured {
            *self.total += start.elapsed();
        }
    }
}

type Ours = Coroutine<usize, usize, usize>;

fn resume_ours(co: &mut Ours) {
    let (State::Yielded(value) | State::Returned(value)) = co.resume(1);
    black_box(value);
}

/// On stacks from the pool.
struct Pooled;

impl Life for Pooled {
    type Co = Ours;
    fn create(&mut self) -> Ours {
        Coroutine::new(|yielder, value| yielder.suspend(value)).expect("memory for a stack")
    }
    fn first_resume(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn finish(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn put_away(&mut self, co: Ours) {
        drop(co);
    }
}

/// On stacks from the system, each time anew.
struct Unpooled;

impl Life for Unpooled {
    type Co = Ours;
    fn create(&mut self) -> Ours {
        let stack = GuardedStack::new(DEFAULT_STACK_BYTES).expect("memory for a stack");
        Coroutine::with_stack(stack, |yielder, value| yielder.suspend(value)).expect("it fits")
    }
    fn first_resume(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn finish(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn put_away(&mut self, co: Ours) {
        drop(co);
    }
}

/// On one shared stack.
struct Shared(SharedStack);

impl Life for Shared {
    type Co = Ours;
    fn create(&mut self) -> Ours {
        // SAFETY: no pointer into its frames leaves it.
        unsafe { Coroutine::new_shared(&self.0, |yielder, value| yielder.suspend(value)) }
            .expect("memory")
    }
    fn first_resume(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn finish(&mut self, co: &mut Ours) {
        resume_ours(co);
    }
    fn put_away(&mut self, co: Ours) {
        drop(co);
    }
}

type Theirs = corosensei::Coroutine<usize, usize, usize>;

fn resume_theirs(co: &mut Theirs) {
    use corosensei::CoroutineResult::{Return, Yield};
    let (Yield(value) | Return(value)) = co.resume(1);
    black_box(value);
}

/// On corosensei's stacks, which are used again.
#[derive(Default)]
struct CorosenseiReused(Vec<corosensei::stack::DefaultStack>);

impl Life for CorosenseiReused {
    type Co = Theirs;
    fn create(&mut self) -> Theirs {
        let stack = self.0.pop().unwrap_or_else(peer::corosensei::stack);
        Theirs::with_stack(stack, |yielder, value| yielder.suspend(value))
    }
    fn first_resume(&mut self, co: &mut Theirs) {
        resume_theirs(co);
    }
    fn finish(&mut self, co: &mut Theirs) {
        resume_theirs(co);
    }
    fn put_away(&mut self, co: Theirs) {
        self.0.push(co.into_stack());
    }
}

/// On corosensei's stacks, each time anew.
struct CorosenseiFresh;

impl Life for CorosenseiFresh {
    type Co = Theirs;
    fn create(&mut self) -> Theirs {
        Theirs::with_stack(peer::corosensei::stack(), |yielder, value| {
            yielder.suspend(value)
        })
    }
    fn first_resume(&mut self, co: &mut Theirs) {
        resume_theirs(co);
    }
    fn finish(&mut self, co: &mut Theirs) {
        resume_theirs(co);
    }
    fn put_away(&mut self, co: Theirs) {
        drop(co);
    }
}

/// The phases one by one, then whole lives, then lives that are cut short.
pub fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = PHASES
        .into_iter()
        .map(|(what, id, about)| phase_group(what, id, about))
        .collect();
    groups.push(whole_lives());
    groups.push(forced_unwinds());
    groups
}

fn phase_group(what: Phase, id: &str, about: &'static str) -> Group {
    Group {
        id: format!("life/{id}"),
        title: match what {
            Phase::Create => "Create",
            Phase::FirstResume => "First resume",
            Phase::Finish => "Finish",
            Phase::Drop => "Drop",
        },
        about,
        per: "coroutine",
        axis: None,
        batches: vec![vec![
            Case::new("costack", move || phase(Pooled, what)),
            Case::new("costack_unpooled", move || phase(Unpooled, what)),
            Case::new("costack_shared", move || {
                let stack = SharedStack::new(256 * 1024).expect("memory for a stack");
                phase(Shared(stack), what)
            }),
            Case::new("corosensei", move || {
                phase(CorosenseiReused::default(), what)
            }),
            Case::new("corosensei_unpooled", move || phase(CorosenseiFresh, what)),
        ]],
        cannot: vec![
            cannot("generator", "takes no stack to use again: see whole lives"),
            cannot("future", "has no phases of its own: see whole lives"),
        ],
    }
}

fn whole_lives() -> Group {
    let mut cases = vec![
        Case::new("costack", || {
            timed(|times| {
                let mut value = 0;
                for _ in 0..times {
                    value = peer::costack::create_run_drop(black_box(value));
                }
            })
        }),
        Case::new("corosensei", || {
            let mut kept = Some(peer::corosensei::stack());
            timed(move |times| {
                let (mut stack, mut value) = (kept.take().expect("put back below"), 0);
                for _ in 0..times {
                    (stack, value) = peer::corosensei::create_run_drop(stack, black_box(value));
                }
                kept = Some(stack);
            })
        }),
        Case::new("future", || {
            timed(|times| {
                let mut value = 0;
                for _ in 0..times {
                    value = peer::future::create_run_drop(black_box(value));
                }
            })
        }),
        Case::new("os_thread", || timed(thread::spawn_and_join)),
    ];
    let mut absent = Vec::new();
    #[cfg(feature = "peers")]
    cases.push(Case::new("generator", || {
        timed(|times| {
            let mut value = 0;
            for _ in 0..times {
                value = peer::generator::create_run_drop(black_box(value));
            }
        })
    }));
    if cfg!(not(feature = "peers")) {
        absent.push(cannot("generator", crate::NOT_BUILT));
    }
    cases.shrink_to_fit();
    Group {
        id: "life/create_run_drop".to_owned(),
        title: "A whole life",
        about: "Making a coroutine, running it to its end and dropping it. Costack's stacks are \
                pooled, corosensei's stack is used again, generator's comes from the system.",
        per: "life",
        axis: None,
        batches: vec![cases],
        cannot: absent,
    }
}

/// Measures drops of what `make` makes.
fn drops<T>(mut make: impl FnMut() -> T + 'static) -> Runner {
    Box::new(move |times| {
        let mut total = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let count = left.min(CROWD);
            left -= count;
            let crowd: Vec<T> = (0..count).map(|_| make()).collect();
            let start = Instant::now();
            drop(crowd);
            total += start.elapsed();
        }
        total
    })
}

fn forced_unwinds() -> Group {
    let mut cases = vec![
        Case::new("costack", || {
            drops(|| {
                let mut co: Ours = Coroutine::new(|yielder, value| {
                    let _kept = Destructor;
                    yielder.suspend(value)
                })
                .expect("memory for a stack");
                resume_ours(&mut co);
                co
            })
        }),
        Case::new("costack_shared", || {
            let stack = SharedStack::new(256 * 1024).expect("memory for a stack");
            drops(move || {
                // SAFETY: no pointer into its frames leaves it.
                let co = unsafe {
                    Coroutine::new_shared(&stack, |yielder, value| {
                        let _kept = Destructor;
                        yielder.suspend(value)
                    })
                };
                let mut co: Ours = co.expect("memory");
                resume_ours(&mut co);
                co
            })
        }),
        Case::new("corosensei", || {
            drops(|| {
                let mut co = Theirs::new(|yielder, value| {
                    let _kept = Destructor;
                    yielder.suspend(value)
                });
                resume_theirs(&mut co);
                co
            })
        }),
        Case::new("future", || {
            drops(|| peer::future::suspended(|| Destructor))
        }),
        Case::new("panic_and_catch", || timed(plain::panics)),
    ];
    let mut absent = Vec::new();
    #[cfg(feature = "peers")]
    cases.push(Case::new("generator", || {
        drops(|| peer::generator::suspended(|| Destructor))
    }));
    if cfg!(not(feature = "peers")) {
        absent.push(cannot("generator", crate::NOT_BUILT));
    }
    cases.shrink_to_fit();
    Group {
        id: "life/forced_unwind".to_owned(),
        title: "Forced unwind",
        about: "Dropping a suspended coroutine whose frame has a destructor. A future has no stack \
                to unwind; a panic that is caught right away is the limit for who has.",
        per: "drop",
        axis: None,
        batches: vec![cases],
        cannot: absent,
    }
}
