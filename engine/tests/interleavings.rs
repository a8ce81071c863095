//! All interleavings of small programs: whatever the order, nobody sleeps on what is there.
//!
//! Up to three tasks run eight operations together. Before every operation any task that is ready
//! may be the next to run, so every order that a program can take is taken. What must hold is
//! counted apart from the engine, from which operations have passed.

use costack_engine::sched::{
    ChannelId, EventId, Flow, MutexId, QueueId, Received, Scheduler, Selected, Sent, TaskId,
    TaskState, Wait,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Op {
    Lock,
    Unlock,
    Wait,
    Complete,
    CompleteAll,
    Reinit,
    Send,
    Receive,
    WaitQueue,
    WakeOne,
    WakeAll,
    /// For the event or a value of the channel, whichever comes first.
    Either,
}

const MUTEX: MutexId = MutexId(0);
const EVENT: EventId = EventId(0);
const CHANNEL: ChannelId = ChannelId(0);
const QUEUE: QueueId = QueueId(0);

/// What has passed, counted without the engine.
#[derive(Clone, Debug, Default)]
struct Ledger {
    holder: Option<usize>,
    /// Completions minus waits that have passed; `for_all` makes all pass.
    credit: i64,
    for_all: bool,
    sent: i64,
    received: i64,
}

#[derive(Clone)]
struct World {
    scheduler: Scheduler,
    tasks: Vec<TaskId>,
    /// The next operation of each task.
    at: Vec<usize>,
    /// The operation that a task waits in.
    blocked: Vec<Option<Op>>,
    ledger: Ledger,
}

/// How many orders there were.
#[derive(Default)]
struct Count {
    orders: u64,
    steps: u64,
}

impl World {
    fn new(programs: usize, capacity: u32) -> Self {
        let mut scheduler = Scheduler::new();
        assert_eq!(scheduler.add_mutex(), MUTEX);
        assert_eq!(scheduler.add_event(), EVENT);
        assert_eq!(scheduler.add_channel(capacity), CHANNEL);
        assert_eq!(scheduler.add_queue(), QUEUE);
        let tasks: Vec<_> = (0..programs).map(|_| scheduler.spawn()).collect();
        World {
            scheduler,
            at: vec![0; tasks.len()],
            blocked: vec![None; tasks.len()],
            tasks,
            ledger: Ledger::default(),
        }
    }

    /// Task `who`, which is ready, runs one operation.
    fn step(&mut self, who: usize, op: Op) {
        self.scheduler.handle_resume(self.tasks[who]).unwrap();
        self.at[who] += 1;
        let s = &mut self.scheduler;
        let flow = match op {
            Op::Lock => match s.handle_lock(MUTEX) {
                Ok(flow) => flow,
                Err(_) => return self.give_back(),
            },
            Op::Unlock => match s.handle_unlock(MUTEX) {
                Ok(_) => {
                    self.ledger.holder = None;
                    Flow::Continue
                }
                Err(_) => return self.give_back(),
            },
            Op::Wait => s.handle_wait(EVENT).unwrap(),
            Op::Complete => {
                s.handle_complete(EVENT).unwrap();
                self.ledger.credit += 1;
                Flow::Continue
            }
            Op::CompleteAll => {
                s.handle_complete_all(EVENT).unwrap();
                self.ledger.for_all = true;
                Flow::Continue
            }
            Op::Reinit => {
                s.reinit(EVENT).unwrap();
                Flow::Continue
            }
            Op::Send => match s.handle_send(CHANNEL).unwrap() {
                Sent::Waits(flow) => flow,
                _ => Flow::Continue,
            },
            Op::Receive => match s.handle_receive(CHANNEL).unwrap() {
                Received::Waits(flow) => flow,
                _ => Flow::Continue,
            },
            Op::WaitQueue => s.handle_wait_queue(QUEUE).unwrap(),
            Op::WakeOne | Op::WakeAll => return self.wake(op),
            Op::Either => {
                match s
                    .handle_select(&[Wait::Event(EVENT), Wait::Receive(CHANNEL)])
                    .unwrap()
                {
                    Selected::Waits(flow) => flow,
                    Selected::Now { arm, .. } => {
                        self.either_passed(arm);
                        let _resumer = self.scheduler.handle_yield();
                        return self.note_wakes();
                    }
                }
            }
        };
        if flow == Flow::Continue {
            self.passed(who, op);
            let _resumer = self.scheduler.handle_yield();
        } else {
            self.blocked[who] = Some(op);
        }
        if op == Op::Reinit {
            self.note_wakes();
            self.ledger.credit = 0;
            self.ledger.for_all = false;
        }
        self.note_wakes();
    }

    fn give_back(&mut self) {
        let _resumer = self.scheduler.handle_yield();
    }

    /// Wakes and checks who was woken.
    fn wake(&mut self, op: Op) {
        let waiting = self
            .blocked
            .iter()
            .filter(|b| **b == Some(Op::WaitQueue))
            .count();
        let woken = match op {
            Op::WakeOne => usize::from(self.scheduler.handle_wake_one(QUEUE).unwrap().is_some()),
            _ => self.scheduler.handle_wake_all(QUEUE).unwrap() as usize,
        };
        assert_eq!(
            woken,
            if op == Op::WakeOne {
                waiting.min(1)
            } else {
                waiting
            }
        );
        let _resumer = self.scheduler.handle_yield();
        self.note_wakes();
    }

    /// Books the operations of those who were woken.
    fn note_wakes(&mut self) {
        for who in 0..self.tasks.len() {
            let Some(op) = self.blocked[who] else {
                continue;
            };
            if self.scheduler.state(self.tasks[who]) == Ok(TaskState::Ready) {
                self.blocked[who] = None;
                match (op, self.scheduler.outcome(self.tasks[who])) {
                    (Op::Either, costack_engine::sched::Outcome::Arm(arm)) => {
                        self.either_passed(arm);
                    }
                    (op, _) => self.passed(who, op),
                }
            }
        }
    }

    fn either_passed(&mut self, arm: u32) {
        match arm {
            0 => self.ledger.credit -= 1,
            _ => self.ledger.received += 1,
        }
    }

    fn passed(&mut self, who: usize, op: Op) {
        match op {
            Op::Lock => {
                assert_eq!(self.ledger.holder, None, "two hold the mutex");
                self.ledger.holder = Some(who);
            }
            Op::Wait => self.ledger.credit -= 1,
            Op::Send => self.ledger.sent += 1,
            Op::Receive => self.ledger.received += 1,
            _ => {}
        }
    }

    /// Nobody sleeps on what is there, and nothing was given out twice.
    fn check(&self, capacity: u32, programs: &[Vec<Op>]) {
        let Ledger {
            holder,
            credit,
            for_all,
            sent,
            received,
        } = self.ledger;
        let waits = |op| self.blocked.contains(&Some(op));
        let say = || format!("{programs:?} at {:?}: {:?}", self.at, self.ledger);
        assert!(
            !(waits(Op::Lock) && holder.is_none()),
            "a free mutex: {}",
            say()
        );
        let event_waits = waits(Op::Wait) || waits(Op::Either);
        assert!(!(event_waits && for_all), "completed for all: {}", say());
        assert!(for_all || credit >= 0, "a wait too many: {}", say());
        assert!(
            for_all || !(event_waits && credit > 0),
            "completed: {}",
            say()
        );
        let inside = sent - received;
        assert!(
            (0..=i64::from(capacity)).contains(&inside),
            "values: {}",
            say()
        );
        let receives = waits(Op::Receive) || waits(Op::Either);
        assert!(!(receives && inside > 0), "a value is there: {}", say());
        assert!(
            !(receives && waits(Op::Send)),
            "a sender waits for a receiver: {}",
            say()
        );
        assert!(
            !(waits(Op::Send) && inside < i64::from(capacity)),
            "room is there: {}",
            say()
        );
    }

    fn explore(&self, programs: &[Vec<Op>], capacity: u32, count: &mut Count) {
        let mut is_last = true;
        for who in 0..self.tasks.len() {
            let Some(&op) = programs[who].get(self.at[who]) else {
                continue;
            };
            if self.blocked[who].is_some() {
                continue;
            }
            is_last = false;
            let mut world = self.clone();
            world.step(who, op);
            count.steps += 1;
            world.check(capacity, programs);
            world.explore(programs, capacity, count);
        }
        count.orders += u64::from(is_last);
    }
}

/// All programs of `tasks` tasks with `ops` operations together, each once up to the order of the
/// tasks.
fn programs(alphabet: &[Op], tasks: usize, ops: usize) -> Vec<Vec<Vec<Op>>> {
    fn sequences(alphabet: &[Op], len: usize) -> Vec<Vec<Op>> {
        let mut all = vec![vec![]];
        for _ in 0..len {
            all = all
                .iter()
                .flat_map(|s| {
                    alphabet.iter().map(move |&op| {
                        let mut longer = s.clone();
                        longer.push(op);
                        longer
                    })
                })
                .collect();
        }
        all
    }
    fn fill(
        alphabet: &[Op],
        tasks: usize,
        ops: usize,
        so_far: &mut Vec<Vec<Op>>,
        all: &mut Vec<Vec<Vec<Op>>>,
    ) {
        if tasks == 0 {
            if ops == 0 {
                all.push(so_far.clone());
            }
            return;
        }
        for len in 0..=ops {
            for sequence in sequences(alphabet, len) {
                let key = |s: &Vec<Op>| (s.len(), s.clone());
                if so_far.last().is_some_and(|last| key(last) < key(&sequence)) {
                    continue;
                }
                so_far.push(sequence);
                fill(alphabet, tasks - 1, ops - len, so_far, all);
                so_far.pop();
            }
        }
    }
    let mut all = Vec::new();
    fill(alphabet, tasks, ops, &mut Vec::new(), &mut all);
    all
}

/// Every order of every program.
#[track_caller]
fn check_all(alphabet: &[Op], ops: usize, capacity: u32) {
    let mut count = Count::default();
    for program in programs(alphabet, 3, ops) {
        World::new(program.len(), capacity).explore(&program, capacity, &mut count);
    }
    assert!(count.orders > 0);
    println!(
        "{alphabet:?}, {ops} operations: {} orders, {} steps",
        count.orders, count.steps
    );
}

/// Every order of one program of eight operations.
#[track_caller]
fn check_one(program: &[&[Op]], capacity: u32) {
    let program: Vec<Vec<Op>> = program.iter().map(|ops| ops.to_vec()).collect();
    let ops: usize = program.iter().map(Vec::len).sum();
    assert_eq!(ops, 8);
    let mut count = Count::default();
    World::new(program.len(), capacity).explore(&program, capacity, &mut count);
    assert!(count.orders > 0);
}

#[test]
fn every_order_of_locking_and_unlocking() {
    check_all(&[Op::Lock, Op::Unlock], 8, 0);
}

#[test]
fn every_order_of_waiting_and_completing() {
    check_all(&[Op::Wait, Op::Complete], 8, 0);
}

#[test]
fn every_order_of_completing_for_all_and_starting_over() {
    check_all(&[Op::Wait, Op::Complete, Op::CompleteAll, Op::Reinit], 5, 0);
}

#[test]
fn every_order_of_sending_and_receiving() {
    check_all(&[Op::Send, Op::Receive], 8, 1);
    check_all(&[Op::Send, Op::Receive], 7, 0);
    check_all(&[Op::Send, Op::Receive], 7, 2);
}

#[test]
fn every_order_of_a_wait_queue() {
    check_all(&[Op::WaitQueue, Op::WakeOne, Op::WakeAll], 6, 0);
}

#[test]
fn every_order_of_waiting_for_either_of_two() {
    check_all(&[Op::Either, Op::Complete, Op::Send], 6, 0);
    check_all(&[Op::Either, Op::Wait, Op::Complete, Op::Send], 5, 1);
}

#[test]
fn every_order_of_programs_that_mix_all() {
    use Op::{Complete, Either, Lock, Receive, Send, Unlock, Wait, WaitQueue, WakeAll};
    check_one(
        &[
            &[Lock, Wait, Unlock],
            &[Lock, Complete, Unlock],
            &[Either, Complete],
        ],
        0,
    );
    check_one(
        &[
            &[Send, Lock, Send],
            &[Either, Receive, Complete],
            &[Lock, Wait],
        ],
        1,
    );
    check_one(
        &[
            &[WaitQueue, Send],
            &[WakeAll, Either, Wait],
            &[Complete, Complete, WakeAll],
        ],
        0,
    );
    check_one(&[&[Send; 4], &[Either, Either, Receive, Receive]], 1);
}
