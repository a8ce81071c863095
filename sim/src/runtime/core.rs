//! What the runtime knows beside memory: the engine's scheduler and stacks, and where things are.
//!
//! [`Core`] is changed by [`Command`]s only and touches no memory, so the session can bring it
//! back to any moment by replaying them. What a command asks of memory comes back as its reply.

use std::collections::VecDeque;
use std::sync::Arc;

use costack_engine::Refusal;
use costack_engine::event::Event;
use costack_engine::sched::{
    Answer, ChannelId, EventId, Flow, MutexId, Next, Received, Scheduler, Sent, TaskId, TaskState,
};
use costack_engine::share::{Coroutine, Plan, Stack, Status};

use costack_lang::syntax::Program;

use crate::compile::RequestSite;
use crate::fault::{StackNumber, TaskNumber};
use crate::host::Anchor;
use crate::session::Replay;
use crate::view::SaveStack;

use super::command::{Call, Command, Go, Micro, Reply};

/// The runtime's record of a task, main among them.
#[derive(Clone, Debug)]
pub struct Task {
    /// The engine's name for it.
    pub id: TaskId,
    /// The scenario's name for it; main has none.
    pub name: Option<u32>,
    /// The stack it lives on.
    pub stack: StackNumber,
    /// Whether it keeps its own control word.
    pub fp: bool,
    /// What the engine keeps of its bytes.
    pub coroutine: Coroutine,
    /// Its control block.
    pub control_block: u64,
    /// Its save stack, on a shared stack.
    pub save: SaveStack,
    /// Where it gave up the CPU.
    pub anchor: Option<Anchor>,
    /// The checksum of the image that is being restored.
    pub restoring: Option<u64>,
    /// A value that it sends and that nobody has taken yet.
    pub outbox: u64,
    /// How the answer to its last request is found.
    pub answer: Answer,
    /// Whether it ends when its last call comes back and it was cancelled.
    ends_cancelled: bool,
}

/// The state.
#[derive(Clone, Debug)]
pub struct Core {
    pub scheduler: Scheduler,
    /// By number; 0 is main.
    pub tasks: Vec<Task>,
    /// By number; 0 is main's and holds nobody.
    pub stacks: Vec<Stack<TaskId>>,
    /// By name, the newest task.
    pub names: Vec<Option<TaskNumber>>,
    /// Values in channels.
    pub channels: Vec<VecDeque<u64>>,
    /// What there is to do, by work queue.
    pub works: Vec<VecDeque<u64>>,
    /// The requests that the program makes.
    pub(super) requests: Arc<[RequestSite]>,
    /// What is to be done to memory before the next instruction.
    pub pending: VecDeque<Micro>,
    /// Who leaves and who is gone to at the next switch.
    aim: Option<(TaskNumber, TaskNumber)>,
    /// To be confirmed to the engine once nothing is pending: the task, and whom it evicts.
    confirm: Option<(TaskNumber, Option<TaskNumber>)>,
    /// A mistake that a scenario may ask for: a task that has ended stays the owner of its stack,
    /// and is saved when the next one wants it.
    pub keeps_the_dead: bool,
    /// By stack, the dead that were kept, and their bytes.
    dead: Vec<(StackNumber, TaskNumber, u32)>,
    /// The task that gave way last, until its resumer has seen it.
    left: Option<TaskNumber>,
    pub clock_us: u64,
    /// What has happened at the last command.
    pub events: Vec<Event<TaskNumber>>,
    pub counts: Counts,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub saves: u64,
    pub restores: u64,
    pub saved_bytes: u64,
    pub restored_bytes: u64,
    pub largest_image: u32,
}

impl Core {
    /// Main alone, with what the scenario declares.
    pub fn new(program: &Program, requests: Arc<[RequestSite]>) -> Self {
        let mut scheduler = Scheduler::new();
        for _ in &program.mutexes {
            let _ = scheduler.add_mutex();
        }
        for _ in &program.events {
            let _ = scheduler.add_event();
        }
        for channel in &program.channels {
            let _ = scheduler.add_channel(channel.capacity);
        }
        for _ in &program.queues {
            let _ = scheduler.add_queue();
        }
        for _ in &program.groups {
            let _ = scheduler.add_group();
        }
        for _ in &program.works {
            let _ = scheduler.add_work_queue();
        }
        Core {
            tasks: vec![Task {
                id: scheduler.main(),
                name: None,
                stack: 0,
                fp: false,
                coroutine: Coroutine::in_place(),
                control_block: 0,
                save: SaveStack::default(),
                anchor: None,
                restoring: None,
                outbox: 0,
                answer: Answer::Is(0),
                ends_cancelled: false,
            }],
            scheduler,
            stacks: vec![Stack::own()],
            names: vec![None; program.tasks.len()],
            channels: vec![VecDeque::new(); program.channels.len()],
            works: vec![VecDeque::new(); program.works.len()],
            requests,
            pending: VecDeque::new(),
            aim: None,
            confirm: None,
            keeps_the_dead: false,
            dead: Vec::new(),
            left: None,
            clock_us: 0,
            events: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The task that a name refers to.
    pub fn named(&self, name: u32) -> Option<TaskNumber> {
        *self.names.get(name as usize)?
    }

    /// The running task.
    pub fn current(&self) -> TaskNumber {
        number(self.scheduler.current())
    }

    /// Who leaves and who is gone to at the next switch.
    pub fn aim(&self) -> Option<(TaskNumber, TaskNumber)> {
        self.aim
    }

    /// The task that gave way last and has not been seen by its resumer.
    pub fn left(&self) -> Option<TaskNumber> {
        self.left
    }

    /// A task's record.
    pub fn task(&self, task: TaskNumber) -> Option<&Task> {
        self.tasks.get(task as usize)
    }

    /// Whether a task has ended.
    pub fn ended(&self, task: TaskNumber) -> bool {
        self.task(task)
            .is_none_or(|task| !self.scheduler.is_alive(task.id))
    }

    fn task_mut(&mut self, task: TaskNumber) -> Option<&mut Task> {
        self.tasks.get_mut(task as usize)
    }

    pub(super) fn id_named(&self, name: u32) -> Result<TaskId, Reply> {
        let task = self.named(name).ok_or(Reply::NoTask)?;
        Ok(self.tasks[task as usize].id)
    }

    fn resume(&mut self, name: u32, from: Anchor) -> Result<Reply, Reply> {
        let id = self.id_named(name)?;
        let by = self.scheduler.current();
        self.scheduler.check_resume(id).map_err(Reply::Refused)?;
        let plan = self.plan(id)?;
        self.scheduler.handle_resume(id).map_err(Reply::Refused)?;
        self.tasks[by.index()].anchor = Some(from);
        Ok(self.execute(plan, id, by))
    }

    fn poll(&mut self, from: Anchor) -> Result<Reply, Reply> {
        match self.scheduler.poll(self.clock_us) {
            Next::Resume(id) => {
                let main = self.scheduler.main();
                let plan = self.plan(id)?;
                self.tasks[main.index()].anchor = Some(from);
                Ok(self.execute(plan, id, main))
            }
            Next::Main => Ok(go(Go::On)),
            Next::Idle { until_us } => {
                self.pending.push_back(Micro::Clock { to_us: until_us });
                Ok(go(Go::Idle))
            }
            Next::Deadlock => Err(Reply::Deadlock),
        }
    }

    fn plan(&self, id: TaskId) -> Result<Plan<TaskId>, Reply> {
        let task = &self.tasks[id.index()];
        self.stacks[task.stack as usize]
            .plan_resume(id, &task.coroutine)
            .map_err(Reply::Refused)
    }

    /// The plan interpreter: save the owner's bytes, restore the next one's, change the owner,
    /// switch. What native does at once is lined up here, to be done one step at a time.
    fn execute(&mut self, plan: Plan<TaskId>, id: TaskId, by: TaskId) -> Reply {
        let task = number(id);
        let Task { stack, fp, .. } = self.tasks[id.index()];
        let by = number(by);
        self.events.push(Event::Resume { task, by });
        let mut evicted = None;
        if let Plan::Exchange { evict, restore } = plan {
            if let Some((owner, bytes)) = evict {
                let owner = number(owner);
                if self.tasks[owner as usize].save.capacity < bytes {
                    self.pending.push_back(Micro::Grow { task: owner, bytes });
                }
                self.pending.push_back(Micro::Save { task: owner, bytes });
                evicted = Some(owner);
            } else if let Some(at) = self.dead.iter().position(|dead| dead.0 == stack) {
                let (_, owner, bytes) = self.dead.swap_remove(at);
                self.pending.push_back(Micro::Save { task: owner, bytes });
            }
            self.pending.push_back(Micro::Restore {
                task,
                bytes: restore,
            });
            self.pending.push_back(Micro::Owner {
                stack,
                from: evicted,
                to: Some(task),
            });
        }
        self.aim = Some((by, task));
        self.confirm = Some((task, evicted));
        self.confirm_if_done();
        go(Go::Switch { target: task, fp })
    }

    /// Tells the engine that a plan was carried out.
    fn confirm_if_done(&mut self) {
        if !self.pending.is_empty() {
            return;
        }
        let Some((task, evicted)) = self.confirm.take() else {
            return;
        };
        let Task { id, stack, .. } = self.tasks[task as usize];
        let stack = &mut self.stacks[stack as usize];
        match evicted {
            None => stack.resumed(id, &mut self.tasks[task as usize].coroutine, None),
            Some(owner) => {
                let [task, owner] = self
                    .tasks
                    .get_disjoint_mut([task as usize, owner as usize])
                    .expect("a plan never evicts the task that it restores");
                stack.resumed(id, &mut task.coroutine, Some(&mut owner.coroutine));
            }
        }
    }

    fn call(&mut self, call: Call, from: Anchor) -> Result<Reply, Reply> {
        let before = self.scheduler.current();
        let task = number(before);
        let mut received = None;
        let mut ends_cancelled = true;
        let flow = match call {
            Call::Yield => self.scheduler.handle_yield(),
            Call::Run => self.scheduler.handle_run(),
            Call::Sleep { us } => {
                let due_us = self.clock_us.saturating_add(us);
                self.scheduler.handle_sleep(due_us)
            }
            Call::Lock { mutex } => self
                .scheduler
                .handle_lock(MutexId(mutex))
                .map_err(Reply::Refused)?,
            Call::Wait { event } => self
                .scheduler
                .handle_wait(EventId(event))
                .map_err(Reply::Refused)?,
            Call::Join { name } => {
                let id = self.id_named(name)?;
                self.scheduler.handle_join(id).map_err(Reply::Refused)?
            }
            Call::Send { channel, value } => {
                let sent = self
                    .scheduler
                    .handle_send(ChannelId(channel))
                    .map_err(Reply::Refused)?;
                match sent {
                    Sent::Waits(flow) => {
                        self.tasks[before.index()].outbox = value;
                        flow
                    }
                    sent => {
                        // A value must not be lost.
                        ends_cancelled = false;
                        received = self.deliver(channel, sent, value);
                        Flow::Continue
                    }
                }
            }
            Call::Receive { channel } => {
                let from = self
                    .scheduler
                    .handle_receive(ChannelId(channel))
                    .map_err(Reply::Refused)?;
                match from {
                    Received::Waits(flow) => flow,
                    from => {
                        ends_cancelled = false;
                        received = Some((task, self.collect(channel, from)));
                        Flow::Continue
                    }
                }
            }
            Call::Request { site, words } => {
                let asked = self.request(site, words)?;
                ends_cancelled = asked.ends_cancelled;
                received = self.move_values(site, words, &asked);
                self.tasks[before.index()].answer = asked.answer;
                asked.flow
            }
            Call::Exit if task == 0 => return Ok(go(Go::End)),
            Call::Exit => {
                if self.scheduler.cancel_requested(before) {
                    self.scheduler.hand_over_all(before);
                }
                self.scheduler.handle_end()
            }
        };
        self.tasks[before.index()].ends_cancelled = ends_cancelled;
        let go = self.go(flow, before, call, from);
        Ok(Reply::Go { go, received })
    }

    /// Whether the running task ends here: it was cancelled, and its last call may have waited.
    pub fn ends_cancelled(&self) -> bool {
        let id = self.scheduler.current();
        self.tasks[id.index()].ends_cancelled && self.scheduler.cancel_requested(id)
    }

    /// What the running task's last request is answered.
    pub fn answer(&self) -> u32 {
        let id = self.scheduler.current();
        self.scheduler.answer(id, self.tasks[id.index()].answer)
    }

    fn go(&mut self, flow: Flow, before: TaskId, call: Call, from: Anchor) -> Go {
        match flow {
            Flow::Continue => Go::On,
            Flow::Poll => Go::Poll,
            Flow::Leave { to } => {
                let source = number(before);
                self.events.push(match call {
                    Call::Yield => Event::Yield { task: source },
                    Call::Exit => Event::End { task: source },
                    _ => Event::Block { task: source },
                });
                self.left = Some(source);
                self.aim = Some((source, number(to)));
                let task = &mut self.tasks[before.index()];
                task.anchor = Some(from);
                Go::Switch {
                    target: number(to),
                    fp: task.fp,
                }
            }
        }
    }

    /// Tells the engine what the task that gave way has left on its stack.
    fn back(&mut self, bytes: u32, low: u64) -> Reply {
        let Some(task) = self.left.take() else {
            return Reply::Done;
        };
        let current = self.scheduler.current();
        self.tasks[current.index()].anchor = None;
        let ended = self.ended(task);
        let task = &mut self.tasks[task as usize];
        let stack = &mut self.stacks[task.stack as usize];
        if task.coroutine.status() == Status::Running {
            if ended {
                task.anchor = None;
                match self.keeps_the_dead {
                    true => self.dead.push((task.stack, number(task.id), bytes)),
                    false => task.save = SaveStack::default(),
                }
                stack.finished(&mut task.coroutine);
                if !stack.is_own() {
                    self.events.push(Event::Owner {
                        stack: task.stack - 1,
                        from: Some(number(task.id)),
                        to: None,
                    });
                }
            } else {
                if let Some(anchor) = &mut task.anchor {
                    anchor.low = low;
                }
                stack.yielded(&mut task.coroutine, bytes);
            }
        }
        Reply::Done
    }

    fn next(&mut self) -> Reply {
        let Some(micro) = self.pending.pop_front() else {
            return Reply::Micro(None);
        };
        match micro {
            Micro::Grow { .. } => {}
            Micro::Save { task, bytes } => {
                self.counts.saves += 1;
                self.counts.saved_bytes += u64::from(bytes);
                self.counts.largest_image = self.counts.largest_image.max(bytes);
                self.events.push(Event::Save { task, bytes });
            }
            Micro::Owner { stack, from, to } => {
                let stack = stack - 1;
                self.events.push(Event::Owner { stack, from, to });
            }
            Micro::Restore { task, bytes } => {
                self.counts.restores += 1;
                self.counts.restored_bytes += u64::from(bytes);
                let record = &mut self.tasks[task as usize];
                record.save.used = 0;
                record.restoring = record.save.checksum.take();
                self.events.push(Event::Restore { task, bytes });
            }
            Micro::Clock { to_us } => self.clock_us = to_us,
        }
        let more = !self.pending.is_empty();
        self.confirm_if_done();
        Reply::Micro(Some((micro, more)))
    }

    fn make(
        &mut self,
        name: u32,
        stack: StackNumber,
        fp: bool,
        image: u32,
    ) -> Result<Reply, Reply> {
        // Refused before anything has changed: the stack's one coroutine may live.
        let share = &mut self.stacks[stack as usize];
        if share.is_own() && share.live() > 0 {
            return Err(Reply::Refused(Refusal::OwnStackTaken));
        }
        let id = self.scheduler.spawn();
        share.try_bind(id).map_err(Reply::Refused)?;
        let coroutine = match share.is_own() {
            true => Coroutine::in_place(),
            false => Coroutine::out(image),
        };
        self.names[name as usize] = Some(number(id));
        self.tasks.push(Task {
            id,
            name: Some(name),
            stack,
            fp,
            coroutine,
            control_block: 0,
            save: SaveStack::default(),
            anchor: None,
            restoring: None,
            outbox: 0,
            answer: Answer::Is(0),
            // One that has not run does not either.
            ends_cancelled: true,
        });
        Ok(Reply::Made(number(id)))
    }

    fn start(&mut self, name: u32) -> Result<Reply, Reply> {
        let id = self.id_named(name)?;
        self.scheduler.start(id).map_err(Reply::Refused)?;
        Ok(Reply::Done)
    }

    /// What a task does, in the engine's words.
    pub fn state(&self, task: TaskNumber) -> Option<TaskState> {
        self.scheduler.state(self.task(task)?.id).ok()
    }
}

impl Replay for Core {
    type Command = Command;
    type Reply = Reply;

    fn weight(&self) -> u64 {
        (self.tasks.len() + self.channels.len()) as u64
    }

    fn apply(&mut self, command: &Command) -> Reply {
        self.events.clear();
        let result = match *command {
            Command::Resume { name, from } => self.resume(name, from),
            Command::Poll { from } => self.poll(from),
            Command::Call { call, from } => self.call(call, from),
            Command::Back { bytes, low } => Ok(self.back(bytes, low)),
            Command::Next => Ok(self.next()),
            Command::Saved {
                task,
                low,
                bytes,
                checksum,
            } => {
                if let Some(task) = self.task_mut(task) {
                    task.save.used = bytes;
                    task.save.image_low = low;
                    task.save.checksum = Some(checksum);
                }
                Ok(Reply::Done)
            }
            Command::Grown {
                task,
                address,
                capacity,
            } => {
                if let Some(task) = self.task_mut(task) {
                    task.save.address = address;
                    task.save.capacity = capacity;
                }
                Ok(Reply::Done)
            }
            Command::Start { name } => self.start(name),
            Command::Make {
                name,
                stack,
                fp,
                image,
            } => self.make(name, stack, fp, image),
            Command::Place {
                task,
                control_block,
                save,
            } => {
                if let Some(task) = self.task_mut(task) {
                    task.control_block = control_block;
                    task.save = save;
                }
                Ok(Reply::Done)
            }
            Command::Unlock { mutex } => self
                .scheduler
                .handle_unlock(MutexId(mutex))
                .map(|woken| Reply::Woken(woken.map(number)))
                .map_err(Reply::Refused),
            Command::Complete { event } => self
                .scheduler
                .handle_complete(EventId(event))
                .map(|woken| Reply::Woken(woken.map(number)))
                .map_err(Reply::Refused),
        };
        result.unwrap_or_else(|reply| reply)
    }
}

fn go(go: Go) -> Reply {
    Reply::Go { go, received: None }
}

/// Task numbers are the engine's slots: no slot is given back, so none is used twice.
pub fn number(id: TaskId) -> TaskNumber {
    id.index() as TaskNumber
}
