//! A scenario that has been opened: its session and what is shown of it.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use costack_engine::{event::Event, sched::TaskId};
use costack_sim::{
    Options, Session,
    program::Isa,
    variant::{Stacks, with_stacks},
    view::{Breakpoint, Granularity, Origin, RunOutcome, StepOutcome},
};
use yew::AttrValue;

use super::{
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
}

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

    /// A short fingerprint of the state: the same position of the same program has the same.
    pub fn fingerprint(&self) -> u32 {
        let hash = self.session.borrow().state_hash();
        (hash ^ (hash >> 32)) as u32
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
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
