//! Time limits, wait queues, work queues, select, groups, stop and cancel, and a million timers.

use costack_engine::Refusal;
use costack_engine::sched::{
    Flow, Next, Notice, Outcome, Received, Scheduler, Selected, Sent, TaskId, TaskState, Wait,
};
use proptest::prelude::*;

fn started(s: &mut Scheduler) -> TaskId {
    let task = s.spawn();
    s.start(task).unwrap();
    task
}

/// So many started tasks, and main waits for all of them.
fn running(count: usize) -> (Scheduler, Vec<TaskId>) {
    let mut s = Scheduler::new();
    let tasks = (0..count).map(|_| started(&mut s)).collect();
    assert_eq!(s.handle_run(), Flow::Poll);
    (s, tasks)
}

/// The scheduler names `task` next, at this time.
#[track_caller]
fn next_at(s: &mut Scheduler, now_us: u64, task: TaskId) {
    assert_eq!(s.poll(now_us), Next::Resume(task));
}

#[track_caller]
fn next(s: &mut Scheduler, task: TaskId) {
    next_at(s, 0, task);
}

#[track_caller]
fn leaves(flow: Flow) {
    assert_eq!(flow, Flow::Leave { to: TaskId::MAIN });
}

#[test]
fn a_wait_with_a_limit_times_out_and_leaves_the_queue() {
    let (mut s, tasks) = running(2);
    let event = s.add_event();
    next(&mut s, tasks[0]);
    leaves(s.handle_wait(event).unwrap());
    s.limit_wait(tasks[0], 50).unwrap();
    next(&mut s, tasks[1]);
    leaves(s.handle_yield());
    next_at(&mut s, 49, tasks[1]);
    leaves(s.handle_sleep(100));
    assert_eq!(s.poll(49), Next::Idle { until_us: 50 });
    next_at(&mut s, 50, tasks[0]);
    assert_eq!(s.outcome(tasks[0]), Outcome::TimedOut);
    assert_eq!(
        s.handle_complete(event),
        Ok(None),
        "nobody waits any more, so it stays pending"
    );
    assert!(s.is_done(event));
}

#[test]
fn what_comes_before_its_limit_takes_the_timer_along() {
    let (mut s, tasks) = running(2);
    let mutex = s.add_mutex();
    next(&mut s, tasks[0]);
    assert_eq!(s.handle_lock(mutex), Ok(Flow::Continue));
    leaves(s.handle_yield());
    next(&mut s, tasks[1]);
    leaves(s.handle_lock(mutex).unwrap());
    s.limit_wait(tasks[1], 10).unwrap();
    assert_eq!(s.timers(), 1);
    next(&mut s, tasks[0]);
    assert_eq!(s.handle_unlock(mutex), Ok(Some(tasks[1])));
    assert_eq!(s.timers(), 0);
    leaves(s.handle_end());
    next_at(&mut s, 100, tasks[1]);
    assert_eq!(s.outcome(tasks[1]), Outcome::Granted);
    assert_eq!(s.mutex_owner(mutex), Some(tasks[1]));
}

#[test]
fn a_limit_on_what_is_there_already_sets_no_timer() {
    let mut s = Scheduler::new();
    let event = s.add_event();
    s.handle_complete(event).unwrap();
    assert_eq!(s.handle_wait(event), Ok(Flow::Continue));
    s.limit_wait(TaskId::MAIN, 10).unwrap();
    assert_eq!(s.timers(), 0);
}

#[test]
fn completing_for_all_wakes_everybody_and_lasts_until_reinit() {
    let (mut s, tasks) = running(3);
    let event = s.add_event();
    for &task in &tasks[..2] {
        next(&mut s, task);
        leaves(s.handle_wait(event).unwrap());
    }
    next(&mut s, tasks[2]);
    assert!(!s.is_done(event));
    assert_eq!(s.handle_complete_all(event), Ok(2));
    for _ in 0..3 {
        assert_eq!(s.handle_wait(event), Ok(Flow::Continue));
    }
    assert!(s.is_done(event));
    s.reinit(event).unwrap();
    assert!(!s.is_done(event));
    leaves(s.handle_wait(event).unwrap());
    next(&mut s, tasks[0]);
    leaves(s.handle_end());
    next(&mut s, tasks[1]);
    leaves(s.handle_end());
    assert_eq!(s.poll(0), Next::Deadlock);
}

#[test]
fn a_wait_queue_remembers_nothing() {
    let (mut s, tasks) = running(2);
    let queue = s.add_queue();
    assert_eq!(s.handle_wake_one(queue), Ok(None));
    next(&mut s, tasks[0]);
    leaves(s.handle_wait_queue(queue).unwrap());
    next(&mut s, tasks[1]);
    assert_eq!(s.remove_queue(queue), Err(Refusal::InUse));
    assert_eq!(s.handle_wake_one(queue), Ok(Some(tasks[0])));
    assert_eq!(s.handle_wake_all(queue), Ok(0));
    assert_eq!(s.remove_queue(queue), Ok(()));
    assert_eq!(s.handle_wake_all(queue), Err(Refusal::Foreign));
}

#[test]
fn work_is_taken_in_order_and_flushed_when_all_is_done() {
    let (mut s, tasks) = running(3);
    let work = s.add_work_queue();
    let [worker, other, boss] = tasks[..] else {
        unreachable!()
    };
    next(&mut s, worker);
    leaves(s.handle_take_work(work).unwrap());
    next(&mut s, other);
    assert_eq!(s.handle_submit(work), Ok(Some(worker)));
    assert_eq!(s.handle_submit(work), Ok(None), "nobody else waits");
    assert_eq!(s.handle_take_work(work), Ok(Flow::Continue));
    leaves(s.handle_yield());
    next(&mut s, boss);
    leaves(s.handle_flush(work).unwrap());
    next(&mut s, worker);
    s.handle_work_done(work).unwrap();
    leaves(s.handle_take_work(work).unwrap());
    next(&mut s, other);
    s.handle_work_done(work).unwrap();
    leaves(s.handle_end());
    next(&mut s, boss);
    assert_eq!(s.handle_flush(work), Ok(Flow::Continue));
}

#[test]
fn a_select_takes_the_first_that_is_there() {
    let mut s = Scheduler::new();
    let (event, channel) = (s.add_event(), s.add_channel(1));
    assert_eq!(s.handle_send(channel), Ok(Sent::Queued));
    s.handle_complete(event).unwrap();
    let arms = [Wait::Event(event), Wait::Receive(channel)];
    let now = |arm, received| Selected::Now {
        arm,
        sent: None,
        received,
    };
    assert_eq!(s.handle_select(&arms), Ok(now(0, None)));
    let from_queue = Received::FromQueue { refill: None };
    assert_eq!(s.handle_select(&arms), Ok(now(1, Some(from_queue))));
    assert_eq!(s.handle_select(&arms), Ok(Selected::Waits(Flow::Poll)));
    assert_eq!(s.arms(TaskId::MAIN).count(), 2);
    assert_eq!(s.poll(0), Next::Deadlock);
}

#[test]
fn a_select_that_was_served_waits_for_nothing_else() {
    let (mut s, tasks) = running(2);
    let (event, channel, queue) = (s.add_event(), s.add_channel(0), s.add_queue());
    let arms = [
        Wait::Event(event),
        Wait::Receive(channel),
        Wait::Queue(queue),
        Wait::Join(tasks[1]),
        Wait::External(7),
        Wait::Stop,
    ];
    for round in 0..5u32 {
        next(&mut s, tasks[0]);
        let Ok(Selected::Waits(flow)) = s.handle_select(&arms) else {
            panic!("nothing is there")
        };
        leaves(flow);
        s.limit_wait(tasks[0], 1000).unwrap();
        assert_eq!(s.external_waits(), 1);
        next(&mut s, tasks[1]);
        match round {
            0 => assert_eq!(s.handle_complete(event), Ok(Some(tasks[0]))),
            1 => assert_eq!(s.handle_send(channel), Ok(Sent::HandedTo(tasks[0]))),
            2 => assert_eq!(s.handle_wake_one(queue), Ok(Some(tasks[0]))),
            3 => assert!(s.handle_external(tasks[0], 7)),
            _ => s.request_stop(tasks[0]).unwrap(),
        }
        leaves(s.handle_yield());
        assert_eq!(
            s.outcome(tasks[0]),
            Outcome::Arm([0, 1, 2, 4, 5][round as usize])
        );
        assert_eq!(s.timers(), 0);
        assert_eq!(s.external_waits(), 0);
        assert_eq!(s.handle_wake_all(queue), Ok(0), "it left the other queues");
    }
    assert_eq!(s.remove_event(event), Ok(()));
    assert_eq!(s.remove_channel(channel), Ok(()));
}

#[test]
fn the_end_of_a_task_serves_a_select() {
    let (mut s, tasks) = running(2);
    next(&mut s, tasks[0]);
    let selected = s.handle_select(&[Wait::Join(tasks[1])]);
    assert!(matches!(selected, Ok(Selected::Waits(_))));
    next(&mut s, tasks[1]);
    leaves(s.handle_end());
    next(&mut s, tasks[0]);
    assert_eq!(s.outcome(tasks[0]), Outcome::Arm(0));
}

#[test]
fn what_cannot_be_an_arm_is_refused_and_nothing_changes() {
    let mut s = Scheduler::new();
    let mutex = s.add_mutex();
    assert_eq!(s.handle_lock(mutex), Ok(Flow::Continue));
    for (arm, refusal) in [
        (Wait::Until { due_us: 1 }, Refusal::NotSelectable),
        (Wait::AllEnded, Refusal::NotSelectable),
        (Wait::Mutex(mutex), Refusal::WouldDeadlockOnSelf),
        (Wait::Join(TaskId::MAIN), Refusal::WouldDeadlockOnSelf),
    ] {
        assert_eq!(s.handle_select(&[Wait::Stop, arm]), Err(refusal));
        assert_eq!(s.state(TaskId::MAIN), Ok(TaskState::Running));
    }
}

#[test]
fn a_cancelled_task_is_woken_out_of_whatever_it_waits_for() {
    let (mut s, tasks) = running(3);
    let (event, channel) = (s.add_event(), s.add_channel(0));
    next(&mut s, tasks[0]);
    leaves(s.handle_wait(event).unwrap());
    next(&mut s, tasks[1]);
    let select = s.handle_select(&[Wait::Event(event), Wait::Receive(channel)]);
    assert!(matches!(select, Ok(Selected::Waits(_))));
    next(&mut s, tasks[2]);
    for &task in &tasks[..2] {
        s.request_cancel(task).unwrap();
        s.request_cancel(task).unwrap();
        assert!(s.cancel_requested(task));
        assert!(s.stop_requested(task));
    }
    assert_eq!(s.handle_complete(event), Ok(None), "nobody waits");
    leaves(s.handle_end());
    for &task in &tasks[..2] {
        next(&mut s, task);
        assert_eq!(s.outcome(task), Outcome::Cancelled);
        leaves(s.handle_end());
        assert_eq!(s.request_cancel(task), Err(Refusal::Finished));
    }
    assert_eq!(s.poll(0), Next::Main);
}

#[test]
fn a_task_cancelled_while_it_runs_does_not_stay_in_its_next_wait() {
    type Begin = fn(&mut Scheduler) -> Flow;
    let waits: [Begin; 5] = [
        |s| {
            let event = s.add_event();
            s.handle_wait(event).unwrap()
        },
        |s| s.handle_sleep(100),
        |s| s.handle_wait_external(3),
        |s| match s.handle_select(&[Wait::Stop, Wait::Join(TaskId::MAIN)]) {
            // Stop is requested together with the end.
            Ok(Selected::Now { .. }) => s.handle_join(TaskId::MAIN).unwrap(),
            other => panic!("{other:?}"),
        },
        |s| {
            let channel = s.add_channel(0);
            match s.handle_receive(channel) {
                Ok(Received::Waits(flow)) => flow,
                other => panic!("{other:?}"),
            }
        },
    ];
    for begin in waits {
        let (mut s, tasks) = running(1);
        next(&mut s, tasks[0]);
        s.request_cancel(tasks[0]).unwrap();
        leaves(begin(&mut s));
        // A limit of time comes too late.
        s.limit_wait(tasks[0], 50).unwrap();
        assert_eq!((s.next_timer_us(), s.external_waits()), (None, 0));
        next(&mut s, tasks[0]);
        assert_eq!(s.outcome(tasks[0]), Outcome::Cancelled);
        // Its destructors may wait.
        leaves(s.handle_sleep(7));
        assert_eq!(s.poll(0), Next::Idle { until_us: 7 });
        next_at(&mut s, 7, tasks[0]);
        assert_eq!(s.outcome(tasks[0]), Outcome::Granted);
        leaves(s.handle_end());
        assert_eq!(s.poll(7), Next::Main);
    }
}

#[test]
fn a_stop_request_wakes_those_who_wait_for_it() {
    let (mut s, tasks) = running(2);
    next(&mut s, tasks[0]);
    leaves(s.handle_wait_stop());
    s.limit_wait(tasks[0], 10).unwrap();
    next(&mut s, tasks[1]);
    s.request_stop(tasks[0]).unwrap();
    leaves(s.handle_end());
    next(&mut s, tasks[0]);
    assert_eq!(s.outcome(tasks[0]), Outcome::Granted);
    assert_eq!(s.handle_wait_stop(), Flow::Continue, "it stays requested");
}

#[test]
fn a_group_is_joined_when_its_last_task_has_ended() {
    let (mut s, tasks) = running(3);
    let group = s.add_group();
    for &task in &tasks[..2] {
        s.set_group(task, group).unwrap();
    }
    assert_eq!(s.members(group), tasks[..2]);
    next(&mut s, tasks[0]);
    assert_eq!(
        s.handle_join_group(group),
        Err(Refusal::WouldDeadlockOnSelf)
    );
    leaves(s.handle_yield());
    next(&mut s, tasks[1]);
    leaves(s.handle_yield());
    next(&mut s, tasks[2]);
    leaves(s.handle_join_group(group).unwrap());
    next(&mut s, tasks[0]);
    leaves(s.handle_end());
    assert_eq!(s.members(group), tasks[1..2]);
    assert_eq!(s.remove_group(group), Err(Refusal::InUse));
    next(&mut s, tasks[1]);
    leaves(s.handle_end());
    next(&mut s, tasks[2]);
    assert_eq!(s.handle_join_group(group), Ok(Flow::Continue));
    assert_eq!(s.remove_group(group), Ok(()));
}

#[test]
fn a_detached_task_gives_its_slot_back_when_it_ends() {
    let (mut s, tasks) = running(1);
    s.detach(tasks[0]).unwrap();
    next(&mut s, tasks[0]);
    leaves(s.handle_end());
    assert_eq!(s.state(tasks[0]), Err(Refusal::Foreign));
    assert_eq!(s.spawn().index(), tasks[0].index());
}

#[test]
fn run_does_not_wait_for_the_background() {
    let mut s = Scheduler::new();
    let background = s.spawn();
    s.start_background(background).unwrap();
    let task = started(&mut s);
    assert_eq!(s.handle_run(), Flow::Poll);
    next(&mut s, background);
    leaves(s.handle_yield());
    next(&mut s, task);
    leaves(s.handle_end());
    next(&mut s, background);
    leaves(s.handle_yield());
    assert_eq!(s.poll(0), Next::Main);
    assert_eq!(s.handle_run(), Flow::Continue);
}

#[test]
fn a_delayed_task_starts_at_its_time() {
    let mut s = Scheduler::new();
    let (late, early) = (s.spawn(), s.spawn());
    s.start_at(late, 20).unwrap();
    s.start_at(early, 10).unwrap();
    assert_eq!(s.handle_run(), Flow::Poll);
    assert_eq!(s.poll(0), Next::Idle { until_us: 10 });
    next_at(&mut s, 20, early);
    leaves(s.handle_end());
    next_at(&mut s, 20, late);
    assert_eq!(s.start_at(late, 30), Err(Refusal::Running));
}

#[test]
fn what_comes_from_outside_keeps_main_idle_rather_than_deadlocked() {
    let (mut s, tasks) = running(1);
    next(&mut s, tasks[0]);
    leaves(s.handle_wait_external(3));
    assert_eq!(s.poll(0), Next::Idle { until_us: u64::MAX });
    assert!(!s.handle_external(tasks[0], 4), "it waits for number 3");
    assert!(s.handle_external(tasks[0], 3));
    assert!(!s.handle_external(tasks[0], 3));
    next(&mut s, tasks[0]);
    leaves(s.handle_wait_external(3));
    s.request_cancel(tasks[0]).unwrap();
    assert_eq!(s.external_waits(), 0);
}

#[test]
fn main_can_give_up_a_wait_that_cannot_end() {
    let mut s = Scheduler::new();
    let event = s.add_event();
    assert_eq!(s.handle_wait(event), Ok(Flow::Poll));
    assert_eq!(s.poll(0), Next::Deadlock);
    s.give_up();
    assert_eq!(s.state(TaskId::MAIN), Ok(TaskState::Running));
    assert_eq!(s.handle_complete(event), Ok(None), "main left the queue");
}

#[test]
fn nobody_who_is_ready_waits_longer_than_a_round() {
    let (mut s, tasks) = running(100);
    let mut last_run = vec![0; tasks.len() + 1];
    let mut state = 7u64;
    for turn in 1..10_000 {
        let task = match s.poll(turn) {
            Next::Resume(task) => task,
            Next::Idle { .. } => continue,
            other => panic!("{other:?}"),
        };
        // Some sleep, most yield: whoever is ready gets its turn after at most all others.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let waited = turn - last_run[task.index()];
        assert!(waited <= 100 + 50, "{task:?} waited {waited} turns");
        let sleep_us = (state >> 33) % 50;
        if sleep_us < 10 {
            last_run[task.index()] = turn + sleep_us;
            leaves(s.handle_sleep(turn + sleep_us));
        } else {
            last_run[task.index()] = turn;
            leaves(s.handle_yield());
        }
    }
}

#[test]
fn yielding_and_polling_at_once_is_the_same_as_one_after_the_other() {
    let (mut s, tasks) = running(3);
    let mut twice = s.clone();
    let mut next = s.poll(0);
    assert_eq!(next, twice.poll(0));
    for _ in 0..10 {
        leaves(twice.handle_yield());
        next = s.handle_yield_and_poll();
        assert_eq!(next, twice.poll(0));
    }
    assert_eq!(next, Next::Resume(tasks[1]));
}

#[test]
fn an_observer_is_told_of_every_decision() {
    let mut s = Scheduler::with_observer(Vec::new());
    let event = s.add_event();
    let task = s.spawn();
    s.start(task).unwrap();
    assert_eq!(s.handle_run(), Flow::Poll);
    assert_eq!(s.poll(0), Next::Resume(task));
    leaves(s.handle_yield());
    assert_eq!(s.poll(0), Next::Resume(task));
    leaves(s.handle_wait(event).unwrap());
    s.handle_complete(event).unwrap();
    assert_eq!(s.poll(0), Next::Resume(task));
    leaves(s.handle_end());
    let (main, outcome) = (TaskId::MAIN, Outcome::Granted);
    let runs = Notice::Runs { task, by: main };
    assert_eq!(
        *s.observer(),
        [
            Notice::Spawned { task },
            Notice::Waits {
                task: main,
                wait: Wait::AllEnded
            },
            runs,
            Notice::Yields { task },
            runs,
            Notice::Waits {
                task,
                wait: Wait::Event(event)
            },
            Notice::Wakes { task, outcome },
            runs,
            Notice::Ends { task },
            Notice::Wakes {
                task: main,
                outcome
            },
        ]
    );
}

#[test]
fn a_million_timers_fire_in_order() {
    const TASKS: u64 = 1_000_000;
    let (mut s, tasks) = running(TASKS as usize);
    // Every residue once: a permutation of the times.
    let due_us = |index: u64| (index * 7_919) % TASKS;
    for (index, &task) in (0..).zip(&tasks) {
        next(&mut s, task);
        leaves(s.handle_sleep(1 + due_us(index)));
    }
    assert_eq!(s.timers(), TASKS as usize);
    // One in three is cancelled out of the middle.
    for task in tasks.iter().step_by(3) {
        s.cancel(*task).unwrap();
    }
    let mut expected: Vec<_> = (0..TASKS)
        .filter(|index| index % 3 != 0)
        .map(|index| (1 + due_us(index), tasks[index as usize]))
        .collect();
    expected.sort_unstable_by_key(|(due_us, _)| *due_us);
    for (due_us, task) in expected {
        assert_eq!(s.poll(due_us - 1), Next::Idle { until_us: due_us });
        next_at(&mut s, due_us, task);
        leaves(s.handle_end());
    }
    assert_eq!(s.poll(TASKS), Next::Main);
}

proptest! {
    /// Timers against a sorted list.
    #[test]
    fn timers_fire_like_a_sorted_list(advances in prop::collection::vec(0..40u64, 1..200)) {
        let (mut s, tasks) = running(12);
        let mut model: Vec<(u64, usize, TaskId)> = Vec::new();
        let mut now_us = 0;
        for _ in &tasks {
            let Next::Resume(task) = s.poll(0) else { unreachable!() };
            model.push((5, model.len(), task));
            leaves(s.handle_sleep(5));
        }
        let mut made = tasks.len();
        for by in advances {
            now_us += by;
            model.sort_unstable();
            let due: Vec<_> = model.iter().copied().filter(|m| m.0 <= now_us).collect();
            model.retain(|m| m.0 > now_us);
            for (_, _, task) in due {
                prop_assert_eq!(s.poll(now_us), Next::Resume(task));
                let due_us = now_us + (made as u64 * 13) % 23 + 1;
                leaves(s.handle_sleep(due_us));
                model.push((due_us, made, task));
                made += 1;
            }
            model.sort_unstable();
            prop_assert_eq!(s.poll(now_us), Next::Idle { until_us: model[0].0 });
        }
    }
}
