//! What is known when nothing can run any more.

use std::fmt;
use std::rc::Rc;

use costack_engine::sched::{TaskId, Wait};

use super::core::Core;

/// Nothing can run, and nothing will wake anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// Every task that waits, main first.
    pub tasks: Vec<Waiting>,
}

/// A task that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which task.
    pub task: TaskId,
    /// Its name.
    pub name: Option<Rc<str>>,
    /// What it waits for: several things in a select.
    pub waits_for: Vec<Wait>,
    /// The task that could end the wait, where one can be named: the owner of a mutex, a task to
    /// be joined; with its name.
    pub held_by: Option<(TaskId, Option<Rc<str>>)>,
}

impl Deadlock {
    pub(super) fn of(core: &Core) -> Self {
        let name = |task| core.rest(task, |rest| rest.name.clone());
        let waiting: Vec<_> = core.scheduler(|s| s.waiting().collect());
        let tasks = waiting.into_iter().map(|(task, wait, holder)| Waiting {
            task,
            name: name(task),
            waits_for: match wait {
                Wait::Any { .. } => core.scheduler(|s| s.arms(task).collect()),
                wait => vec![wait],
            },
            held_by: holder.map(|holder| (holder, name(holder))),
        });
        Deadlock {
            tasks: tasks.collect(),
        }
    }
}

fn write_task(f: &mut fmt::Formatter<'_>, task: TaskId, name: &Option<Rc<str>>) -> fmt::Result {
    match name {
        Some(name) => write!(f, "{name}"),
        None => write!(f, "task {}", task.index()),
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadlock: nothing can run, and nothing will wake anybody")?;
        for waiting in &self.tasks {
            f.write_str("\n  ")?;
            write_task(f, waiting.task, &waiting.name)?;
            f.write_str(" waits for ")?;
            for (number, wait) in waiting.waits_for.iter().enumerate() {
                let or = if number > 0 { " or " } else { "" };
                write!(f, "{or}{wait}")?;
            }
            if let Some((holder, name)) = &waiting.held_by {
                f.write_str(", held by ")?;
                write_task(f, *holder, name)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Deadlock {}
