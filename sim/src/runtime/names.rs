//! What people call the things that the engine numbers.

use costack_engine::sched::Wait;
use costack_lang::syntax::{ChannelId, EventId, MutexId, Program, TaskId, Thing};

use crate::fault::{StackNumber, TaskNumber};

use super::core::{Core, number};

/// The name of a task.
pub fn task(program: &Program, core: &Core, task: TaskNumber) -> String {
    match core.task(task).map(|task| task.name) {
        None => format!("task {task}"),
        Some(None) => "main".to_owned(),
        Some(Some(name)) => task_name(program, name).to_owned(),
    }
}

/// A name that a scenario gives to tasks.
pub fn task_name(program: &Program, name: u32) -> &str {
    match program.tasks.get(name as usize) {
        Some(_) => &program[TaskId(name)].name.text,
        None => "?",
    }
}

/// The name of a stack.
pub fn stack(program: &Program, stack: StackNumber) -> String {
    match stack.checked_sub(1) {
        None => "main's stack".to_owned(),
        Some(index) => match program.stacks.get(index as usize) {
            Some(stack) => stack.name.text.clone(),
            None => format!("stack {stack}"),
        },
    }
}

/// The name of a mutex.
pub fn mutex(program: &Program, mutex: u32) -> &str {
    match program.mutexes.get(mutex as usize) {
        Some(_) => &program[MutexId(mutex)].name.text,
        None => "?",
    }
}

/// The name of an event.
pub fn event(program: &Program, event: u32) -> &str {
    match program.events.get(event as usize) {
        Some(_) => &program[EventId(event)].name.text,
        None => "?",
    }
}

/// The name of a channel.
pub fn channel(program: &Program, channel: u32) -> &str {
    match program.channels.get(channel as usize) {
        Some(_) => &program[ChannelId(channel)].name.text,
        None => "?",
    }
}

fn thing(things: &[Thing], number: u32) -> &str {
    things
        .get(number as usize)
        .map_or("?", |thing| &thing.name.text)
}

/// What a task waits for, as the scenario writes it.
pub fn wait(program: &Program, core: &Core, wait: Wait) -> String {
    match wait {
        Wait::Until { due_us } => format!("sleep until {due_us} us"),
        Wait::Mutex(id) => format!("lock {}", mutex(program, id.0)),
        Wait::Event(id) => format!("wait {}", event(program, id.0)),
        Wait::Send(id) => format!("send {}", channel(program, id.0)),
        Wait::Receive(id) => format!("recv {}", channel(program, id.0)),
        Wait::Join(id) => format!("join {}", task(program, core, number(id))),
        Wait::AllEnded => "run".to_owned(),
        Wait::Queue(id) => format!("park {}", thing(&program.queues, id.0)),
        Wait::Group(id) => format!("join {}", thing(&program.groups, id.0)),
        Wait::Work(id) => format!("take {}", thing(&program.works, id.0)),
        Wait::Flush(id) => format!("flush {}", thing(&program.works, id.0)),
        // Nothing else has a name of the program's.
        other => other.to_string(),
    }
}

/// Who waits for what, one line for each.
pub fn waits(program: &Program, core: &Core) -> Vec<String> {
    core.scheduler
        .waiting()
        .map(|(waiter, what, holder)| {
            let waiter = task(program, core, number(waiter));
            let what_words = wait(program, core, what);
            match (what, holder) {
                (Wait::Mutex(_), Some(holder)) => {
                    let holder = task(program, core, number(holder));
                    format!("{waiter} waits for {what_words}, held by {holder}")
                }
                _ => format!("{waiter} waits for {what_words}"),
            }
        })
        .collect()
}
