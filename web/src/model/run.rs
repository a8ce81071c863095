//! A scenario that has been opened: its session and what is shown of it.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use costack_engine::{
    event::Event,
    sched::TaskId,
    trace::{Header, Record},
};
use costack_sim::{
    Options, Session,
    program::Isa,
    variant::{Stacks, with_stacks},
    view::{
        Breakpoint, Granularity, Intervention, Origin, RunOutcome, StepKind, StepOutcome, TickKind,
    },
};
use yew::AttrValue;

use super::{
    checks::{Proof, proofs},
    present::{Eviction, Moved},
    problem::{self, Problem},
    scenario::{Listing, Text},
    snapshot::Snapshot,
    state::Subject,
    text::count,
    timeline::Timeline,
};

/// Steps that are made ahead when a scenario is opened, so that the timeline shows all of it.
const STEPS_AHEAD: u64 = 20_000;

/// Steps that one press of a button makes at most, when what it looks for does not come.
const STEPS_AT_ONCE: u64 = 100_000;

/// How a run is moved.
#[derive(Clone, PartialEq, Debug)]
pub enum Move {
    /// Forward by one unit.
    Forward(Granularity),
    /// Back by one unit.
    Backward(Granularity),
    /// To a position.
    Jump(u64),
    /// To the step that made this.
    JumpToWriter(Subject),
}

/// A scenario that has been opened.
#[derive(Clone)]
pub struct Run {
    /// The session; the reducer moves it, and nobody else.
    session: Rc<RefCell<Session>>,
    /// Its assembly.
    pub listing: Rc<Listing>,
    /// What is proven of the switch texts in use.
    pub proofs: Rc<[Proof]>,
    /// The scenario's title.
    pub title: AttrValue,
    /// The position.
    pub now: Rc<Snapshot>,
    /// The whole run.
    pub timeline: Rc<Timeline>,
    /// Whether the program's end is known, so that the timeline shows all of it.
    pub is_complete: bool,
    /// Breakpoints with the numbers that the session knows them by.
    pub breakpoints: Rc<[(usize, Breakpoint)]>,
    /// What came of the last question, where the position alone does not tell.
    pub note: AttrValue,
    /// Whether the position came about by one step, which can be seen as a motion.
    pub moved: bool,
    /// The steps that came from outside.
    pub interventions: Rc<[u64]>,
    /// What each thing done from outside has changed: the branch before it, and the position.
    undo: Rc<[(Branch, u64)]>,
}

/// What was done from outside, by step.
pub type Branch = Vec<(u64, Intervention)>;

impl Run {
    /// Opens a scenario at its start.
    ///
    /// # Errors
    /// Its mistakes.
    pub fn open(text: &Text, isa: Isa, stacks: Stacks) -> Result<Self, Vec<Problem>> {
        let program = costack_lang::parse(&text.file, &text.whole)
            .map_err(|mistakes| problem::of_language(&mistakes))?;
        let program = with_stacks(&program, stacks).ok_or_else(|| {
            let reason =
                "This scenario makes tasks while it runs: they cannot be put on other stacks.";
            vec![Problem::general(reason.to_owned())]
        })?;
        let proofs = proofs(&program, isa);
        let title = program.title.clone().into();
        let session = costack_sim::runtime::load(Arc::new(program), isa, Options::default());
        let mut session = session.map_err(|error| problem::of_loading(&error, text))?;
        session.run(STEPS_AHEAD);
        let is_complete = session.is_over();
        session.jump(0);
        let listing = Rc::new(Listing::new(session.listing()));
        let now = Rc::new(Snapshot::take(&session, None));
        let timeline = Rc::new(Timeline::new(session.ticks(), session.recorded_len()));
        Ok(Run {
            session: Rc::new(RefCell::new(session)),
            proofs,
            title,
            interventions: Rc::new([]),
            undo: Rc::new([]),
            listing,
            now,
            timeline,
            is_complete,
            breakpoints: Rc::new([]),
            note: AttrValue::default(),
            moved: false,
        })
    }

    /// Moves it.
    pub fn go(&mut self, to: Move) {
        let mut session = self.session.borrow_mut();
        self.note = AttrValue::default();
        self.moved = matches!(to, Move::Forward(_) | Move::Backward(_));
        match to {
            Move::Forward(Granularity::Instruction) => {
                session.step();
            }
            Move::Forward(unit) => {
                session.next(unit, STEPS_AT_ONCE);
            }
            Move::Backward(Granularity::Instruction) => {
                session.back();
            }
            Move::Backward(unit) => {
                session.previous(unit);
            }
            Move::Jump(position) => {
                session.jump(position);
            }
            Move::JumpToWriter(subject) => {
                let origin = match &subject {
                    Subject::Register(name) => session.writer_of_register(name),
                    Subject::Memory(range) => session.writer_of_memory(range.start),
                };
                self.note = answer(&subject, origin.as_ref(), session.position()).into();
                if let Some(origin) = origin {
                    session.jump(origin.step + 1);
                }
            }
        }
        drop(session);
        self.look();
    }

    /// Sets a breakpoint, or takes it away.
    pub fn toggle_breakpoint(&mut self, breakpoint: Breakpoint) {
        let mut session = self.session.borrow_mut();
        let known = session.breakpoints();
        match known.iter().find(|(_, other)| *other == breakpoint) {
            Some((number, _)) => session.remove_breakpoint(*number),
            None => {
                session.add_breakpoint(breakpoint);
            }
        }
        self.breakpoints = session.breakpoints().into();
    }

    /// Runs by so many steps, to a breakpoint at most; whether it can run on.
    pub fn advance(&mut self, steps: u64) -> bool {
        let outcome = self.session.borrow_mut().run(steps);
        self.note = match outcome {
            RunOutcome::Breakpoint(number) => self.name_of(number).into(),
            _ => AttrValue::default(),
        };
        self.moved = steps == 1;
        self.look();
        outcome == RunOutcome::Limit
    }

    /// Runs towards the end by so many steps, without looking; whether there is more to run.
    pub fn hurry(&mut self, steps: u64) -> bool {
        let mut session = self.session.borrow_mut();
        let recorded = session.recorded_len();
        if session.position() < recorded {
            session.jump(recorded);
        }
        session.next(Granularity::Fault, steps) == StepOutcome::Stepped && !session.is_over()
    }

    /// Does something from outside at this position, as the next step. What came after it is
    /// another branch of the history now, to which [`undo`](Self::undo) leads back.
    ///
    /// # Errors
    /// In words, why not; nothing has changed then.
    pub fn intervene(&mut self, what: Intervention) -> Result<(), String> {
        let mut session = self.session.borrow_mut();
        let (before, position) = (session.branch().to_vec(), session.position());
        session
            .intervene(what)
            .map_err(|refused| refused.to_string())?;
        let reached = session.position();
        session.jump(reached + STEPS_AHEAD);
        session.jump(reached);
        drop(session);
        let undo = self.undo.iter().cloned();
        self.undo = undo.chain([(before, position)]).collect();
        self.note = AttrValue::default();
        self.moved = false;
        self.look_again();
        Ok(())
    }

    /// How many things were done from outside that can be undone.
    pub fn branches(&self) -> usize {
        self.undo.len()
    }

    /// Takes back what was done last from outside; the branch before it and its position return.
    pub fn undo(&mut self) {
        let Some(((branch, position), rest)) = self.undo.split_last() else {
            return;
        };
        let mut session = self.session.borrow_mut();
        // It was so before, and a run is deterministic but for this: it can be so again.
        let _ = session.take_branch(branch);
        session.jump(position + STEPS_AHEAD);
        session.jump(*position);
        drop(session);
        self.undo = rest.into();
        self.moved = false;
        self.look_again();
    }

    /// What was done from outside up to the furthest step.
    pub fn branch(&self) -> Branch {
        self.session.borrow().branch().to_vec()
    }

    /// Does all this from outside, from the start.
    ///
    /// # Errors
    /// In words, the first thing that cannot be done; what comes before it has been.
    pub fn take_branch(&mut self, branch: &[(u64, Intervention)]) -> Result<(), String> {
        if branch.is_empty() {
            return Ok(());
        }
        let mut session = self.session.borrow_mut();
        let taken = session.take_branch(branch);
        let reached = session.position();
        session.jump(reached + STEPS_AHEAD);
        session.jump(reached);
        // One step of undoing for each, back to a history without any.
        let done = session.branch().to_vec();
        let undo = done
            .iter()
            .enumerate()
            .map(|(index, (step, _))| (done[..index].to_vec(), *step));
        self.undo = undo.collect();
        drop(session);
        self.look_again();
        taken.map_err(|(number, refused)| format!("number {}: {refused}", number + 1))
    }

    /// What has happened up to here, as a trace.
    pub fn trace(&self) -> (Header, Vec<Record>) {
        let session = self.session.borrow();
        let mut header = Header::new("sim");
        header.isa = Some(session.isa().name().to_owned());
        header.scenario = Some(self.title.to_string());
        (header, session.trace())
    }

    /// Statements begun up to here; `None` if they are too many to count quickly.
    pub fn statements(&mut self) -> Option<u64> {
        let mut session = self.session.borrow_mut();
        if session.position() > STEPS_AHEAD {
            return None;
        }
        let mut count = 0;
        while session.previous(Granularity::Statement) {
            count += 1;
        }
        Some(count)
    }

    /// To the beginning of the statement of this number.
    pub fn go_to_statement(&mut self, number: u64) {
        for _ in 0..number {
            self.session
                .borrow_mut()
                .next(Granularity::Statement, STEPS_AT_ONCE);
        }
        self.look();
    }

    /// Steps made ever, also while hurrying.
    pub fn reached(&self) -> u64 {
        self.session.borrow().recorded_len()
    }

    /// What has happened up to here, as all backends tell it.
    pub fn events(&self) -> Vec<Event<TaskId>> {
        self.session.borrow().host().events()
    }

    /// What the change of owner copies that the last step belongs to.
    pub fn eviction(&self) -> Option<Eviction> {
        let kind = &self.now.step.as_ref()?.kind;
        matches!(
            kind,
            StepKind::Save { .. } | StepKind::Restore { .. } | StepKind::Owner { .. }
        )
        .then(|| {
            Eviction::of(self.events().iter().rev().map(|event| match event {
                Event::Save { bytes, .. } => Moved::Out(*bytes),
                Event::Restore { bytes, .. } => Moved::Back(*bytes),
                Event::Owner { .. } => Moved::Owner,
                _ => Moved::Other,
            }))
        })?
    }

    /// A short fingerprint of the state: the same position of the same program has the same.
    pub fn fingerprint(&self) -> u32 {
        let hash = self.session.borrow().state_hash();
        (hash ^ (hash >> 32)) as u32
    }

    /// Takes a new snapshot of a history that may have become another one.
    fn look_again(&mut self) {
        self.timeline = Rc::default();
        self.look();
        let session = self.session.borrow();
        self.interventions = session.branch().iter().map(|(step, _)| *step).collect();
        self.is_complete = self.now.is_over;
        // The end may be known from running ahead.
        let ended = session
            .ticks()
            .last()
            .is_some_and(|tick| matches!(tick.kind, TickKind::End | TickKind::Fault));
        self.is_complete |= ended;
    }

    /// Takes a new snapshot.
    pub fn look(&mut self) {
        let session = self.session.borrow();
        self.now = Rc::new(Snapshot::take(&session, Some(&self.now)));
        self.is_complete |= self.now.is_over;
        if self.timeline.steps != self.now.recorded {
            self.timeline = Rc::new(Timeline::new(session.ticks(), self.now.recorded));
        }
    }

    fn name_of(&self, number: usize) -> String {
        let found = self.breakpoints.iter().find(|(known, _)| *known == number);
        match found.map(|(_, breakpoint)| breakpoint) {
            Some(Breakpoint::Line(line)) => format!("Stopped before line {line}."),
            Some(Breakpoint::Address(address)) => format!("Stopped before {address:#x}."),
            Some(Breakpoint::RegisterWrite(name)) => format!("Stopped: {name} was written."),
            Some(Breakpoint::MemoryWrite(range)) => {
                format!("Stopped: {:#x} was written.", range.start)
            }
            Some(Breakpoint::Ownership(_)) => "Stopped: the stack changed hands.".to_owned(),
            Some(_) | None => "Stopped at a breakpoint.".to_owned(),
        }
    }
}

/// Who wrote it, in words.
fn answer(subject: &Subject, origin: Option<&Origin>, from: u64) -> String {
    let what = match subject {
        Subject::Register(name) => (*name).to_owned(),
        Subject::Memory(range) => format!("{:#x}", range.start),
    };
    let Some(origin) = origin else {
        return format!("No step up to here has written {what}.");
    };
    let copies = match origin.copies.len() {
        0 => String::new(),
        1 => ", copied once since".to_owned(),
        copies => format!(", copied {} times since", count(copies as u64)),
    };
    format!(
        "This step made what {what} held at step {}{copies}.",
        count(from)
    )
}

/// Two of one session are the same when they show the same; the session itself is not compared.
impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.session, &other.session)
            && Rc::ptr_eq(&self.now, &other.now)
            && Rc::ptr_eq(&self.timeline, &other.timeline)
            && self.breakpoints == other.breakpoints
            && self.note == other.note
            && self.moved == other.moved
            && self.interventions == other.interventions
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
