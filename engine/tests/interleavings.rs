//! All interleavings of small programs: whatever the order, nobody sleeps on what is there.
//!
//! Up to three tasks run eight operations together. Before every operation any task that is ready
//! may be the next to run, and may run any operation of an alphabet, so every order of every program
//! is taken. Orders that lead to the same state go on as one, which is what makes that many of them
//! possible. What must hold is counted apart from the engine, from which operations have passed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use costack_engine::sched::{
    ChannelId, EventId, Flow, MutexId, Outcome, QueueId, Received, Scheduler, Selected, Sent,
    TaskId, TaskState, Wait, WorkId,
};

/// So many operations are run together.
const OPERATIONS: usize = 8;

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
    TryLock,
    TryWait,
    TrySend,
    TryReceive,
    /// As `Wait`, until time has passed twice at most.
    WaitFor,
    /// As `Lock`, until time has passed twice at most.
    LockFor,
    /// Time passes.
    Tick,
    /// Cancels the next task, wherever it waits.
    Cancel,
    Submit,
    Take,
    Done,
    Flush,
}

const MUTEX: MutexId = MutexId(0);
const EVENT: EventId = EventId(0);
const CHANNEL: ChannelId = ChannelId(0);
const QUEUE: QueueId = QueueId(0);
const WORK: WorkId = WorkId(0);

/// What has passed, counted without the engine.
#[derive(Clone, Debug, Default)]
struct Ledger {
    holder: Option<usize>,
    /// Completions minus waits that have passed; `for_all` makes all pass.
    credit: i64,
    for_all: bool,
    sent: i64,
    received: i64,
    submitted: i64,
    taken: i64,
    done: i64,
}

#[derive(Clone)]
struct World {
    scheduler: Scheduler,
    tasks: Vec<TaskId>,
    /// The operation that a task waits in.
    blocked: Vec<Option<Op>>,
    ledger: Ledger,
    now_us: u64,
    /// What led here, for messages.
    path: Vec<(usize, Op)>,
}

impl World {
    fn new(capacity: u32) -> Self {
        let mut scheduler = Scheduler::new();
        assert_eq!(scheduler.add_mutex(), MUTEX);
        assert_eq!(scheduler.add_event(), EVENT);
        assert_eq!(scheduler.add_channel(capacity), CHANNEL);
        assert_eq!(scheduler.add_queue(), QUEUE);
        assert_eq!(scheduler.add_work_queue(), WORK);
        let tasks: Vec<_> = (0..3).map(|_| scheduler.spawn()).collect();
        World {
            scheduler,
            blocked: vec![None; tasks.len()],
            tasks,
            ledger: Ledger::default(),
            now_us: 0,
            path: Vec::new(),
        }
    }

    /// Tells states apart; what led to them does not matter.
    fn key(&self) -> (u64, u64) {
        let state = format!(
            "{:?} {:?} {:?} {}",
            self.scheduler, self.blocked, self.ledger, self.now_us
        );
        let hash = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, &state).hash(&mut hasher);
            hasher.finish()
        };
        (hash(0), hash(1))
    }

    /// Task `who`, which is ready, runs one operation.
    fn step(&mut self, who: usize, op: Op) {
        self.scheduler.handle_resume(self.tasks[who]).unwrap();
        self.path.push((who, op));
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
            Op::TryLock | Op::TryWait | Op::TrySend | Op::TryReceive => {
                return self.attempt(who, op);
            }
            Op::WaitFor | Op::LockFor => {
                let waits = match op {
                    Op::WaitFor => s.handle_wait(EVENT),
                    _ => s.handle_lock(MUTEX),
                };
                let Ok(flow) = waits else {
                    return self.give_back();
                };
                let due_us = self.now_us + 2;
                s.limit_wait(self.tasks[who], due_us).unwrap();
                flow
            }
            Op::Tick => {
                self.now_us += 1;
                self.give_back();
                let _nobody_is_started = self.scheduler.poll(self.now_us);
                return self.note_wakes();
            }
            Op::Cancel => {
                let victim = self.tasks[(who + 1) % self.tasks.len()];
                s.request_cancel(victim).unwrap();
                self.give_back();
                return self.note_wakes();
            }
            Op::Submit => {
                s.handle_submit(WORK).unwrap();
                self.ledger.submitted += 1;
                Flow::Continue
            }
            Op::Take => s.handle_take_work(WORK).unwrap(),
            Op::Done if self.ledger.taken == self.ledger.done => return self.give_back(),
            Op::Done => {
                s.handle_work_done(WORK).unwrap();
                self.ledger.done += 1;
                Flow::Continue
            }
            Op::Flush => s.handle_flush(WORK).unwrap(),
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

    /// Takes what is there, and only that.
    fn attempt(&mut self, who: usize, op: Op) {
        let s = &mut self.scheduler;
        let (was_got, is_like) = match op {
            Op::TryLock => (s.handle_try_lock(MUTEX).unwrap(), Op::Lock),
            Op::TryWait => (s.handle_try_wait(EVENT).unwrap(), Op::Wait),
            Op::TrySend => (s.handle_try_send(CHANNEL).unwrap().is_some(), Op::Send),
            _ => (
                s.handle_try_receive(CHANNEL).unwrap().is_some(),
                Op::Receive,
            ),
        };
        if was_got {
            self.passed(who, is_like);
        }
        self.give_back();
        self.note_wakes();
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
                    (_, Outcome::Cancelled) => {}
                    (op, Outcome::TimedOut) => {
                        assert!(
                            matches!(op, Op::WaitFor | Op::LockFor),
                            "{op:?} has no limit"
                        );
                    }
                    (Op::Either, Outcome::Arm(arm)) => self.either_passed(arm),
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
            Op::Lock | Op::LockFor => {
                assert_eq!(self.ledger.holder, None, "two hold the mutex");
                self.ledger.holder = Some(who);
            }
            Op::Wait | Op::WaitFor => self.ledger.credit -= 1,
            Op::Take => self.ledger.taken += 1,
            Op::Send => self.ledger.sent += 1,
            Op::Receive => self.ledger.received += 1,
            _ => {}
        }
    }

    /// Nobody sleeps on what is there, and nothing was given out twice.
    fn check(&self, capacity: u32) {
        let Ledger {
            holder,
            credit,
            for_all,
            sent,
            received,
            submitted,
            taken,
            done,
        } = self.ledger;
        let waits = |op| self.blocked.contains(&Some(op));
        let holds = |holds: bool, what: &str| {
            assert!(holds, "{what}: {:?}, {:?}", self.path, self.ledger);
        };
        let locks = waits(Op::Lock) || waits(Op::LockFor);
        holds(!locks || holder.is_some(), "a free mutex");
        let event_waits = waits(Op::Wait) || waits(Op::WaitFor) || waits(Op::Either);
        holds(!(event_waits && for_all), "completed for all");
        holds(for_all || credit >= 0, "a wait too many");
        holds(for_all || !(event_waits && credit > 0), "completed");
        let inside = sent - received;
        let capacity = i64::from(capacity);
        holds((0..=capacity).contains(&inside), "values");
        let receives = waits(Op::Receive) || waits(Op::Either);
        holds(!(receives && inside > 0), "a value is there");
        holds(
            !(receives && waits(Op::Send)),
            "a sender waits for a receiver",
        );
        holds(!(waits(Op::Send) && inside < capacity), "room is there");
        holds((0..=submitted).contains(&taken), "work");
        holds(!(waits(Op::Take) && taken < submitted), "work is there");
        holds(!(waits(Op::Flush) && done == submitted), "all is done");
    }
}

/// Every order of every program of such operations.
#[track_caller]
fn check_all(alphabet: &[Op], capacity: u32) {
    let mut states = vec![World::new(capacity)];
    let (mut steps, mut distinct) = (0_u64, 1);
    for _ in 0..OPERATIONS {
        let mut seen = HashSet::new();
        let mut next = Vec::new();
        for state in &states {
            let ready = (0..state.tasks.len()).filter(|&who| state.blocked[who].is_none());
            for (who, &op) in ready.flat_map(|who| alphabet.iter().map(move |op| (who, op))) {
                let mut after = state.clone();
                after.step(who, op);
                after.check(capacity);
                steps += 1;
                if seen.insert(after.key()) {
                    next.push(after);
                }
            }
        }
        distinct += next.len();
        states = next;
    }
    assert!(!states.is_empty(), "not all orders end in a deadlock");
    println!("{alphabet:?}: {steps} steps from {distinct} states");
}

#[test]
fn every_order_of_locking_and_unlocking() {
    use Op::{Cancel, Lock, LockFor, Tick, TryLock, Unlock};
    check_all(&[Lock, Unlock, TryLock, Cancel], 0);
    check_all(&[Lock, Unlock, LockFor, Tick], 0);
}

#[test]
fn every_order_of_waiting_and_completing() {
    use Op::{Cancel, Complete, CompleteAll, Reinit, Tick, TryWait, Wait, WaitFor};
    check_all(&[Wait, Complete, CompleteAll, Reinit], 0);
    check_all(&[WaitFor, Complete, TryWait, Tick], 0);
    check_all(&[Wait, Complete, Cancel], 0);
}

#[test]
fn every_order_of_sending_and_receiving() {
    use Op::{Cancel, Receive, Send, TryReceive, TrySend};
    for capacity in [0, 1, 2] {
        check_all(&[Send, Receive, TrySend, TryReceive], capacity);
        check_all(&[Send, Receive, Cancel], capacity);
    }
}

#[test]
fn every_order_of_a_wait_queue() {
    use Op::{Cancel, WaitQueue, WakeAll, WakeOne};
    check_all(&[WaitQueue, WakeOne, WakeAll, Cancel], 0);
}

#[test]
fn every_order_of_a_work_queue() {
    use Op::{Cancel, Done, Flush, Submit, Take};
    check_all(&[Submit, Take, Done, Flush], 0);
    check_all(&[Submit, Take, Cancel], 0);
}

#[test]
fn every_order_of_waiting_for_either_of_two() {
    use Op::{Cancel, Complete, Either, Receive, Send, Wait};
    for capacity in [0, 1] {
        check_all(&[Either, Complete, Send], capacity);
        check_all(&[Either, Send, Cancel], capacity);
        check_all(&[Either, Wait, Complete], capacity);
        check_all(&[Either, Receive, Send], capacity);
    }
}

#[test]
fn every_order_of_programs_that_mix_all() {
    use Op::{Complete, Either, Lock, Receive, Send, Unlock, Wait, WaitQueue, WakeOne};
    check_all(&[Lock, Unlock, Wait, Complete], 0);
    check_all(&[Lock, Unlock, Send, Either], 1);
    check_all(&[WaitQueue, WakeOne, Send, Receive], 0);
}
