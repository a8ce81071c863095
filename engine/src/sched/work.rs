//! Work queues: things to do, and workers that do them in order. What there is to do is the
//! backend's business; the engine counts and wakes.

use super::queue::Queue;
use super::{Flow, Observer, Scheduler, TaskId, Wait};
use crate::Refusal;

/// Names a work queue of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkId(pub u32);

#[derive(Clone, Debug)]
pub(super) struct Work {
    queued: u32,
    active: u32,
    pub(super) workers: Queue,
    pub(super) flushers: Queue,
}

impl Work {
    pub(super) fn is_idle(&self) -> bool {
        self.queued == 0 && self.active == 0
    }
}

impl<O: Observer> Scheduler<O> {
    /// Makes an empty work queue.
    pub fn add_work_queue(&mut self) -> WorkId {
        WorkId(self.works.add(Work {
            queued: 0,
            active: 0,
            workers: Queue::EMPTY,
            flushers: Queue::EMPTY,
        }))
    }

    /// Removes a work queue; its number is used again.
    ///
    /// # Errors
    /// [`Refusal::InUse`] while a task waits for it; [`Refusal::Foreign`] if there is no such
    /// queue.
    pub fn remove_work_queue(&mut self, work: WorkId) -> Result<(), Refusal> {
        self.works.remove(work.0, |work| {
            work.workers.is_empty() && work.flushers.is_empty()
        })
    }

    /// There is one more thing to do, at the end of the backend's queue. The worker that waited
    /// longest is woken and returned: the first thing of the queue is its.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such work queue.
    pub fn handle_submit(&mut self, work: WorkId) -> Result<Option<TaskId>, Refusal> {
        let record = self.works.get_mut(work.0)?;
        match record.workers.pop(&mut self.tasks) {
            Some(worker) => {
                record.active += 1;
                let worker = self.grant(worker);
                Ok(Some(self.id(worker)))
            }
            None => {
                record.queued += 1;
                Ok(None)
            }
        }
    }

    /// The running task takes the first thing to do, waiting for one if there is none.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such work queue.
    pub fn handle_take_work(&mut self, work: WorkId) -> Result<Flow, Refusal> {
        if self.handle_try_take_work(work)? {
            return Ok(self.go_on());
        }
        let record = self.works.get_mut(work.0)?;
        record.workers.push(&mut self.tasks, self.current);
        Ok(self.block(Wait::Work(work)))
    }

    /// Takes the first thing to do, if there is one, and says whether there was.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such work queue.
    pub fn handle_try_take_work(&mut self, work: WorkId) -> Result<bool, Refusal> {
        let record = self.works.get_mut(work.0)?;
        if record.queued == 0 {
            return Ok(false);
        }
        record.queued -= 1;
        record.active += 1;
        Ok(true)
    }

    /// Something that was taken is done. When it was the last, those who flush are woken.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such work queue.
    pub fn handle_work_done(&mut self, work: WorkId) -> Result<(), Refusal> {
        let record = self.works.get_mut(work.0)?;
        debug_assert!(record.active > 0, "work is done that nobody took");
        record.active = record.active.saturating_sub(1);
        while self.works.get(work.0)?.is_idle() {
            let Some(flusher) = self.works.get_mut(work.0)?.flushers.pop(&mut self.tasks) else {
                break;
            };
            self.grant(flusher);
        }
        Ok(())
    }

    /// The running task waits until all that there is to do is done.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] if there is no such work queue.
    pub fn handle_flush(&mut self, work: WorkId) -> Result<Flow, Refusal> {
        let record = self.works.get_mut(work.0)?;
        if record.is_idle() {
            return Ok(self.go_on());
        }
        record.flushers.push(&mut self.tasks, self.current);
        Ok(self.block(Wait::Flush(work)))
    }
}
