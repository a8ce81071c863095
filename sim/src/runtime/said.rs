//! What a service was about, kept in numbers until somebody asks for words.
//!
//! A session of a million steps calls the runtime some hundred thousand times, and a page shows a
//! few of these calls.

use crate::fault::{StackNumber, TaskNumber};

use super::host::Runtime;
use super::{memory, names};

/// What a service step has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The service, as people call it.
    pub name: &'static str,
    /// What it was about.
    pub about: About,
    /// The task that it wakes.
    pub wakes: Option<TaskNumber>,
}

/// What a service may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Always the same.
    Words(&'static str),
    /// The task that a name refers to.
    Name(u32),
    /// The task that is resumed.
    Task(TaskNumber),
    /// What the registers of a switch are loaded with.
    Aim {
        word: u64,
        source: TaskNumber,
        sp: u64,
        target: TaskNumber,
    },
    /// A task that has ended.
    Ended(TaskNumber),
    /// A task that was cancelled, and ends.
    Cancelled(TaskNumber),
    /// What a task has left on its stack.
    Left { task: TaskNumber, bytes: u32 },
    /// A time.
    Sleep { amount: u64, unit: &'static str },
    /// A mutex.
    Mutex(u32),
    /// An event.
    Event(u32),
    /// A channel.
    Channel(u32),
    /// A value for a channel.
    Send { channel: u32, value: i64 },
    /// A value that a task receives.
    Received { task: TaskNumber, value: i64 },
    /// A request, by the number of its site.
    Request(u32),
    /// A new task.
    Spawn {
        task: TaskNumber,
        stack: StackNumber,
    },
    /// Words of a frame that hold nothing.
    Uninit { bytes: u64, address: u64 },
}

impl Said {
    pub fn new(name: &'static str, about: About) -> Self {
        Said {
            name,
            about,
            wakes: None,
        }
    }

    /// What was wanted, in words.
    pub fn wanted(self, runtime: &Runtime) -> String {
        let program = &*runtime.program;
        let task = |task| runtime.task_name(task);
        let mut wanted = match self.about {
            About::Words(words) => words.to_owned(),
            About::Name(name) if self.name == "alive" => {
                format!("alive({})", names::task_name(program, name))
            }
            About::Name(name) => format!("{} {}", self.name, names::task_name(program, name)),
            About::Task(resumed) => format!("resume {}", task(resumed)),
            About::Aim {
                word,
                source,
                sp,
                target,
            } => {
                let [leave, to] = memory::convention(runtime.isa).switch;
                let (source, target) = (task(source), task(target));
                format!(
                    "{leave} = {word:#x}, where {source} leaves its sp; {to} = {sp:#x}, the sp of \
                     {target}"
                )
            }
            About::Ended(ended) => format!("{} has ended", task(ended)),
            About::Cancelled(cancelled) => format!("{} was cancelled, and ends", task(cancelled)),
            About::Left { task: left, bytes } => {
                format!("{} has left {bytes} B on its stack", task(left))
            }
            About::Sleep { amount, unit } => format!("sleep {amount} {unit}"),
            About::Mutex(mutex) => format!("{} {}", self.name, names::mutex(program, mutex)),
            About::Event(event) => format!("{} {}", self.name, names::event(program, event)),
            About::Channel(channel) => {
                format!("{} {}", self.name, names::channel(program, channel))
            }
            About::Send { channel, value } => {
                format!("send {}, {value}", names::channel(program, channel))
            }
            About::Received {
                task: receiver,
                value,
            } => format!("{} receives {value}", task(receiver)),
            About::Request(site) => {
                let site = runtime.tables.requests.get(site as usize);
                site.map_or_else(String::new, |site| site.text.clone())
            }
            About::Spawn {
                task: spawned,
                stack,
            } => format!(
                "spawn {} on {}",
                task(spawned),
                names::stack(program, stack)
            ),
            About::Uninit { bytes, address } => {
                format!("{bytes} B at {address:#x} hold nothing yet")
            }
        };
        if let Some(woken) = self.wakes {
            wanted += &format!(", which wakes {}", task(woken));
        }
        wanted
    }
}
