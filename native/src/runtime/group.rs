//! Groups of tasks.

use std::rc::Rc;

use costack_engine::sched::GroupId;

use super::core::{Core, current};

/// Tasks that are waited for, stopped or cancelled together. Cloning it gives another handle to
/// the same group.
///
/// ```
/// let mut rt = costack::Runtime::new();
/// let disks = costack::runtime::Group::new("disks");
/// for _ in 0..3 {
///     rt.task().group(&disks).spawn(costack::yield_now).detach();
/// }
/// disks.join();
/// assert_eq!(disks.len(), 0);
/// ```
#[derive(Clone)]
pub struct Group {
    inner: Rc<Inner>,
}

struct Inner {
    core: Rc<Core>,
    id: GroupId,
    name: Rc<str>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // One that has live tasks goes on without a handle.
        let _ = self.core.scheduler(|s| s.remove_group(self.id));
    }
}

impl Group {
    /// An empty group of the thread's runtime.
    ///
    /// # Panics
    /// If the thread has no runtime.
    #[must_use]
    pub fn new(name: impl Into<Rc<str>>) -> Self {
        let core = current();
        let id = core.scheduler(|s| s.add_group());
        let name = name.into();
        Group {
            inner: Rc::new(Inner { core, id, name }),
        }
    }

    pub(super) fn id(&self) -> GroupId {
        self.inner.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How many of its tasks have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        let members = self.inner.core.scheduler(|s| s.members(self.inner.id));
        members.len()
    }

    /// Whether all its tasks have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until all its tasks have ended.
    ///
    /// # Panics
    /// When a task of the group calls it.
    pub fn join(&self) {
        let joined = self.inner.core.wait(|s| s.handle_join_group(self.inner.id));
        if let Err(refusal) = joined {
            panic!("a task cannot join its own group: {refusal}");
        }
        self.inner.core.check_cancel();
    }

    /// Asks all its tasks to stop.
    pub fn stop(&self) {
        for task in self.inner.core.scheduler(|s| s.members(self.inner.id)) {
            // It is alive, as it is a member.
            let _ = self.inner.core.scheduler(|s| s.request_stop(task));
        }
    }

    /// Cancels all its tasks.
    pub fn cancel(&self) {
        for task in self.inner.core.scheduler(|s| s.members(self.inner.id)) {
            // It is alive, as it is a member.
            let _ = self.inner.core.cancel(task);
        }
    }
}
