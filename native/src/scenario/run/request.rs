//! What a scenario asks the runtime for by a call, `cancel(A)`, `wait_for(e, 500)`, …, and the ways
//! of its values: through channels and work queues.

use costack_engine::sched::{Asked, Flow, Received, Sent, TaskId};
use costack_lang::syntax::{self as lang, Request, Service, Subject};

use super::super::fault::{FaultKind, Stop};
use super::Context;

impl Context<'_> {
    /// Asks the runtime for something, and gives what it answers.
    pub(in crate::scenario) fn request(
        &self,
        request: &Request,
        words: &[i64],
    ) -> Result<i64, Stop> {
        let wanted = || self.text(request.span);
        let asked = request
            .service
            .ask(&request.subjects, words, self.now_us(), |name| {
                self.machine.names.borrow()[name.index()]
            })
            .map_err(|_| self.fault(FaultKind::NoTask { wanted: wanted() }))?;
        let Some(asked) = asked else {
            return Ok(self.received());
        };
        let asked = self.scheduler(|s| s.handle_request(&asked));
        let asked = asked.map_err(|refusal| {
            let wanted = wanted();
            self.fault(FaultKind::Refused { wanted, refusal })
        })?;
        self.move_values(request, words, &asked);
        if asked.flow != Flow::Continue {
            self.give_way(asked.flow)?;
        } else if asked.ends_cancelled {
            self.check_cancel()?;
        }
        Ok(self.scheduler(|s| s.answer(self.task, asked.answer)).into())
    }

    /// Values go where the engine says.
    fn move_values(&self, request: &Request, words: &[i64], asked: &Asked) {
        let value = words.first().copied().unwrap_or(0);
        match request.chosen(asked.answer) {
            Some(Subject::Channel(channel)) => match (asked.sent, asked.received) {
                (Some(sent), _) => self.deliver(channel, sent, value),
                (_, Some(received)) => self.collect(channel, received),
                _ if asked.flow != Flow::Continue && request.service.sends() => {
                    self.set_parcel(self.task, value);
                }
                _ => {}
            },
            Some(Subject::Work(work)) => {
                let mut things = self.machine.works[work.index()].borrow_mut();
                if request.service == Service::Submit {
                    things.push_back(value);
                }
                if let Some(worker) = asked.worker {
                    let thing = things.pop_front();
                    let thing = thing.expect("the engine counts what there is to do");
                    self.set_received(worker, thing);
                }
            }
            _ => {}
        }
    }

    pub(in crate::scenario) fn send(
        &self,
        channel: lang::ChannelId,
        value: i64,
    ) -> Result<(), Stop> {
        let id = self.machine.channels[channel.index()].id;
        let result = self.scheduler(|s| s.handle_send(id));
        match result.expect("a channel of this run") {
            Sent::Waits(flow) => {
                self.set_parcel(self.task, value);
                self.give_way(flow)?;
            }
            sent => self.deliver(channel, sent, value),
        }
        Ok(())
    }

    /// A value that was sent without waiting goes where the engine says.
    fn deliver(&self, channel: lang::ChannelId, sent: Sent, value: i64) {
        match sent {
            Sent::Queued => {
                let values = &self.machine.channels[channel.index()].values;
                values.borrow_mut().push_back(value);
            }
            Sent::HandedTo(receiver) => self.set_received(receiver, value),
            Sent::Waits(_) => unreachable!("it does not wait"),
        }
    }

    pub(in crate::scenario) fn receive(&self, channel: lang::ChannelId) -> Result<i64, Stop> {
        let id = self.machine.channels[channel.index()].id;
        let result = self.scheduler(|s| s.handle_receive(id));
        match result.expect("a channel of this run") {
            Received::Waits(flow) => self.give_way(flow)?,
            received => self.collect(channel, received),
        }
        Ok(self.received())
    }

    /// Takes a value that was received without waiting from where the engine says.
    fn collect(&self, channel: lang::ChannelId, received: Received) {
        let value = match received {
            Received::FromQueue { refill } => {
                let mut values = self.machine.channels[channel.index()].values.borrow_mut();
                let value = values.pop_front().expect("the engine counts the values");
                if let Some(sender) = refill {
                    values.push_back(self.parcel(sender));
                }
                value
            }
            Received::From(sender) => self.parcel(sender),
            Received::Waits(_) => unreachable!("it does not wait"),
        };
        self.set_received(self.task, value);
    }

    /// What the running task has received last.
    fn received(&self) -> i64 {
        self.machine.tasks.borrow()[self.task.index()].received
    }

    fn set_received(&self, task: TaskId, value: i64) {
        self.machine.tasks.borrow_mut()[task.index()].received = value;
    }

    fn parcel(&self, task: TaskId) -> i64 {
        self.machine.tasks.borrow()[task.index()].parcel
    }

    fn set_parcel(&self, task: TaskId, value: i64) {
        self.machine.tasks.borrow_mut()[task.index()].parcel = value;
    }
}
