//! The scheduler: order, waits, hand-over, deadlock. Time is what the tests say it is.

use costack_engine::Refusal;
use costack_engine::sched::{Flow, Next, Received, Scheduler, Sent, TaskId, TaskState, Wait};
use proptest::prelude::*;

fn started(scheduler: &mut Scheduler) -> TaskId {
    let task = scheduler.spawn();
    scheduler.start(task).unwrap();
    task
}

/// Main gives way; the scheduler must name `expect`.
#[track_caller]
fn next(scheduler: &mut Scheduler, expect: TaskId) {
    assert_eq!(scheduler.poll(0), Next::Resume(expect));
}

#[track_caller]
fn to_main(flow: Flow) {
    assert_eq!(flow, Flow::Leave { to: TaskId::MAIN });
}

#[test]
fn started_tasks_take_turns() {
    let mut s = Scheduler::new();
    let (a, b) = (started(&mut s), started(&mut s));
    assert_eq!(s.handle_run(), Flow::Poll);
    for _ in 0..3 {
        next(&mut s, a);
        to_main(s.handle_yield());
        next(&mut s, b);
        to_main(s.handle_yield());
    }
    next(&mut s, a);
    to_main(s.handle_end());
    next(&mut s, b);
    to_main(s.handle_end());
    assert_eq!(s.poll(0), Next::Main);
    assert_eq!(s.current(), TaskId::MAIN);
}

#[test]
fn run_starts_every_task_when_none_is_started() {
    let mut s = Scheduler::new();
    let (a, b) = (s.spawn(), s.spawn());
    assert_eq!(s.handle_run(), Flow::Poll);
    next(&mut s, a);
    to_main(s.handle_end());
    next(&mut s, b);
    to_main(s.handle_end());
    assert_eq!(s.poll(0), Next::Main);
    assert_eq!(s.handle_run(), Flow::Continue, "nobody is left");
}

#[test]
fn main_yields_to_each_ready_task_once() {
    let mut s = Scheduler::new();
    let (a, b) = (started(&mut s), started(&mut s));
    assert_eq!(s.handle_yield(), Flow::Poll);
    next(&mut s, a);
    to_main(s.handle_yield());
    next(&mut s, b);
    to_main(s.handle_yield());
    assert_eq!(s.poll(0), Next::Main);
}

#[test]
fn a_resumed_task_returns_to_its_resumer() {
    let mut s = Scheduler::new();
    let (a, b) = (s.spawn(), s.spawn());
    s.handle_resume(a).unwrap();
    s.handle_resume(b).unwrap();
    assert_eq!(s.state(a), Ok(TaskState::Resuming));
    assert_eq!(s.resumer(b), Some(a));
    assert_eq!(s.handle_resume(a), Err(Refusal::Running));
    assert_eq!(s.handle_resume(b), Err(Refusal::Running));
    assert_eq!(s.handle_yield(), Flow::Leave { to: a });
    to_main(s.handle_end());
    assert_eq!(s.handle_resume(a), Err(Refusal::Finished));
    assert_eq!(s.check_resume(b), Ok(()));
}

#[test]
fn a_started_task_that_is_resumed_by_name_keeps_one_turn() {
    let mut s = Scheduler::new();
    let (a, b) = (started(&mut s), started(&mut s));
    s.handle_resume(a).unwrap();
    to_main(s.handle_yield());
    assert_eq!(s.handle_run(), Flow::Poll);
    next(&mut s, b);
    to_main(s.handle_end());
    next(&mut s, a);
    to_main(s.handle_end());
    assert_eq!(s.poll(0), Next::Main);
}

#[test]
fn sleepers_wake_in_the_order_of_their_times() {
    let mut s = Scheduler::new();
    let tasks: Vec<_> = (0..3).map(|_| started(&mut s)).collect();
    assert_eq!(s.handle_run(), Flow::Poll);
    for (&task, due_us) in tasks.iter().zip([300, 100, 100]) {
        next(&mut s, task);
        to_main(s.handle_sleep(due_us));
    }
    assert_eq!(s.poll(0), Next::Idle { until_us: 100 });
    for (now, task) in [(100, tasks[1]), (100, tasks[2])] {
        assert_eq!(s.poll(now), Next::Resume(task));
        to_main(s.handle_end());
    }
    assert_eq!(s.poll(299), Next::Idle { until_us: 300 });
    assert_eq!(s.poll(1_000), Next::Resume(tasks[0]));
}

#[test]
fn a_mutex_is_handed_over_first_in_first_out() {
    let mut s = Scheduler::new();
    let m = s.add_mutex();
    let tasks: Vec<_> = (0..3).map(|_| started(&mut s)).collect();
    assert_eq!(s.handle_lock(m), Ok(Flow::Continue));
    assert_eq!(s.handle_lock(m), Err(Refusal::WouldDeadlockOnSelf));
    assert_eq!(s.handle_yield(), Flow::Poll);
    for &task in &tasks {
        next(&mut s, task);
        assert_eq!(s.handle_unlock(m), Err(Refusal::NotOwner));
        assert_eq!(s.handle_try_lock(m), Ok(false));
        to_main(s.handle_lock(m).unwrap());
    }
    assert_eq!(s.poll(0), Next::Main);
    assert_eq!(s.handle_unlock(m), Ok(Some(tasks[0])));
    assert_eq!(s.mutex_owner(m), Some(tasks[0]));
    assert_eq!(s.handle_run(), Flow::Poll);
    for (i, &task) in tasks.iter().enumerate() {
        next(&mut s, task);
        assert_eq!(s.handle_unlock(m), Ok(tasks.get(i + 1).copied()));
        to_main(s.handle_end());
    }
    assert_eq!(s.mutex_owner(m), None);
}

#[test]
fn a_completion_stays_pending_when_none_waits() {
    let mut s = Scheduler::new();
    let e = s.add_event();
    assert_eq!(s.handle_complete(e), Ok(None));
    assert_eq!(s.handle_wait(e), Ok(Flow::Continue));
    let a = started(&mut s);
    assert_eq!(s.handle_yield(), Flow::Poll);
    next(&mut s, a);
    to_main(s.handle_wait(e).unwrap());
    assert_eq!(s.poll(0), Next::Main);
    assert_eq!(s.handle_complete(e), Ok(Some(a)));
    assert_eq!(s.state(a), Ok(TaskState::Ready));
}

#[test]
fn deadlock_names_who_waits_for_what() {
    let mut s = Scheduler::new();
    let m = s.add_mutex();
    let (a, b) = (started(&mut s), started(&mut s));
    assert_eq!(s.handle_run(), Flow::Poll);
    next(&mut s, a);
    assert_eq!(s.handle_lock(m), Ok(Flow::Continue));
    to_main(s.handle_join(b).unwrap());
    next(&mut s, b);
    to_main(s.handle_lock(m).unwrap());
    assert_eq!(s.poll(0), Next::Deadlock);
    let waiting: Vec<_> = s.waiting().collect();
    assert_eq!(
        waiting,
        [
            (TaskId::MAIN, Wait::AllEnded, None),
            (a, Wait::Join(b), Some(b)),
            (b, Wait::Mutex(m), Some(a)),
        ]
    );
}

#[test]
fn cancelling_takes_a_task_out_of_every_queue() {
    let mut s = Scheduler::new();
    let (m, e) = (s.add_mutex(), s.add_event());
    assert_eq!(s.handle_lock(m), Ok(Flow::Continue));
    let tasks: Vec<_> = (0..4).map(|_| started(&mut s)).collect();
    assert_eq!(s.handle_yield(), Flow::Poll);
    next(&mut s, tasks[0]);
    to_main(s.handle_lock(m).unwrap());
    next(&mut s, tasks[1]);
    to_main(s.handle_wait(e).unwrap());
    next(&mut s, tasks[2]);
    to_main(s.handle_sleep(10));
    next(&mut s, tasks[3]);
    to_main(s.handle_yield());
    assert_eq!(s.poll(0), Next::Main);
    for &task in &tasks {
        s.cancel(task).unwrap();
        assert_eq!(s.cancel(task), Err(Refusal::Finished));
    }
    assert_eq!(s.handle_unlock(m), Ok(None));
    assert_eq!(s.handle_complete(e), Ok(None));
    assert_eq!(s.handle_run(), Flow::Continue);
}

#[test]
fn a_released_slot_is_used_again_under_a_new_id() {
    let mut s = Scheduler::new();
    let a = s.spawn();
    assert_eq!(s.release(a), Err(Refusal::Running));
    s.cancel(a).unwrap();
    s.release(a).unwrap();
    assert_eq!(s.start(a), Err(Refusal::Foreign));
    let b = s.spawn();
    assert_eq!(a.index(), b.index());
    assert_ne!(a, b);
    assert_eq!(s.handle_resume(a), Err(Refusal::Foreign));
    assert_eq!(s.handle_resume(b), Ok(()));
}

/// Each task sends or receives a given number of values on one channel; a backend as small as
/// can be keeps the values.
fn pump(capacity: u32, plans: &[(bool, u8)]) -> (Vec<u32>, usize, bool) {
    let mut s = Scheduler::new();
    let c = s.add_channel(capacity);
    let mut left: Vec<u32> = vec![0];
    let mut parcels: Vec<Option<u32>> = vec![None];
    for &(_, count) in plans {
        started(&mut s);
        left.push(u32::from(count));
        parcels.push(None);
    }
    let mut queue = std::collections::VecDeque::new();
    let mut received = Vec::new();
    let mut sent = 0;
    if s.handle_run() == Flow::Continue {
        return (received, 0, true);
    }
    loop {
        let task = match s.poll(0) {
            Next::Resume(task) => task.index(),
            Next::Main => return (received, sent, true),
            Next::Deadlock => return (received, sent, false),
            Next::Idle { .. } => unreachable!("nobody sleeps"),
        };
        let sends = plans[task - 1].0;
        if !sends {
            received.extend(parcels[task].take());
        }
        loop {
            if left[task] == 0 {
                to_main(s.handle_end());
                break;
            }
            left[task] -= 1;
            if sends {
                let value = sent as u32;
                sent += 1;
                match s.handle_send(c).unwrap() {
                    Sent::Queued => queue.push_back(value),
                    Sent::HandedTo(receiver) => {
                        assert!(
                            queue.is_empty(),
                            "a receiver waits only if nothing is queued"
                        );
                        parcels[receiver.index()] = Some(value);
                    }
                    Sent::Waits(flow) => {
                        assert_eq!(queue.len(), capacity as usize);
                        parcels[task] = Some(value);
                        to_main(flow);
                        break;
                    }
                }
            } else {
                match s.handle_receive(c).unwrap() {
                    Received::FromQueue { refill } => {
                        received.push(queue.pop_front().expect("the engine counted it"));
                        if let Some(sender) = refill {
                            queue.push_back(parcels[sender.index()].take().expect("a parcel"));
                        }
                    }
                    Received::From(sender) => {
                        received.push(parcels[sender.index()].take().expect("a parcel"));
                    }
                    Received::Waits(flow) => {
                        to_main(flow);
                        break;
                    }
                }
            }
            assert!(queue.len() <= capacity as usize);
        }
    }
}

proptest! {
    #[test]
    fn channels_lose_and_reorder_nothing(
        capacity in 0..4u32,
        plans in prop::collection::vec((any::<bool>(), 0..6u8), 0..6),
    ) {
        let sends: usize = plans.iter().filter(|p| p.0).map(|p| usize::from(p.1)).sum();
        let receives: usize = plans.iter().filter(|p| !p.0).map(|p| usize::from(p.1)).sum();
        let (received, _, all_ended) = pump(capacity, &plans);
        prop_assert_eq!(received.len(), sends.min(receives), "no wake-up is lost");
        let fits = receives <= sends && sends - receives <= capacity as usize;
        prop_assert_eq!(all_ended, fits);
        let mut sorted = received.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), received.len(), "no value comes twice");
        if plans.iter().filter(|p| !p.0).count() <= 1 {
            prop_assert!(received.is_sorted(), "one receiver sees the order of sending");
        }
    }
}
