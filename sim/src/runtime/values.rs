//! Requests, and where the values go that tasks send and receive.

use std::sync::Arc;

use costack_engine::sched::{Asked, Flow, Received, Request, Sent};

use costack_lang::request::chosen;
use costack_lang::syntax::{self, Service, Subject};

use crate::compile::RequestSite;
use crate::fault::TaskNumber;

use super::command::Reply;
use super::core::{Core, number};

impl Core {
    pub(super) fn request(&mut self, site: u32, words: [i64; 2]) -> Result<Asked, Reply> {
        let requests = Arc::clone(&self.requests);
        let site = requests.get(site as usize).ok_or(Reply::NoTask)?;
        let id_of = |name: syntax::TaskId| self.id_named(name.0).ok();
        let words = &words[..site.words.min(words.len())];
        let request = site
            .service
            .ask(&site.subjects, words, self.clock_us, id_of)
            .map_err(|_| Reply::NoTask)?;
        // `rt_received` is a stub of its own.
        let request = request.unwrap_or(Request::StopRequested);
        self.scheduler
            .handle_request(&request)
            .map_err(Reply::Refused)
    }

    /// Values go where the engine says. Returns who has received which.
    pub(super) fn move_values(
        &mut self,
        site: u32,
        words: [i64; 2],
        asked: &Asked,
    ) -> Option<(TaskNumber, u64)> {
        let RequestSite {
            service, subjects, ..
        } = &self.requests[site as usize];
        let (service, value) = (*service, words[0] as u64);
        match chosen(service, subjects, asked.answer)? {
            Subject::Channel(channel) => match (asked.sent, asked.received) {
                (Some(sent), _) => self.deliver(channel.0, sent, value),
                (_, Some(from)) => {
                    let task = self.current();
                    Some((task, self.collect(channel.0, from)))
                }
                _ if asked.flow != Flow::Continue && service.sends() => {
                    let sender = self.scheduler.last_left();
                    self.tasks[sender.index()].outbox = value;
                    None
                }
                _ => None,
            },
            Subject::Work(work) => {
                let things = &mut self.works[work.index()];
                if service == Service::Submit {
                    things.push_back(value);
                }
                let worker = number(asked.worker?);
                Some((worker, things.pop_front().unwrap_or(0)))
            }
            _ => None,
        }
    }

    /// A value that was sent without waiting goes where the engine says. Returns who has received
    /// it, if anybody has.
    pub(super) fn deliver(
        &mut self,
        channel: u32,
        sent: Sent,
        value: u64,
    ) -> Option<(TaskNumber, u64)> {
        match sent {
            Sent::HandedTo(receiver) => Some((number(receiver), value)),
            _ => {
                self.channels[channel as usize].push_back(value);
                None
            }
        }
    }

    /// Takes a value that was received without waiting from where the engine says.
    pub(super) fn collect(&mut self, channel: u32, from: Received) -> u64 {
        let queue = &mut self.channels[channel as usize];
        match from {
            Received::From(sender) => self.tasks[sender.index()].outbox,
            Received::FromQueue { refill } => {
                let value = queue.pop_front().unwrap_or(0);
                if let Some(sender) = refill {
                    queue.push_back(self.tasks[sender.index()].outbox);
                }
                value
            }
            Received::Waits(_) => 0,
        }
    }
}
