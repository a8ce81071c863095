//! The page's state and everything that can happen to it.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use costack_sim::{
    LoadError, Options, Session,
    gallery::SCENARIOS,
    program::Isa,
    view::{Breakpoint, Granularity, RunOutcome},
};
use yew::{AttrValue, Reducible};

use super::{
    scenario::{Listing, Text},
    snapshot::Snapshot,
    speed::Speed,
    timeline::Timeline,
};

/// Steps that are made ahead when a scenario is opened, so that the timeline shows all of it.
const STEPS_AHEAD: u64 = 20_000;

/// Steps that one press of a button makes at most, when what it looks for does not come.
const STEPS_AT_ONCE: u64 = 1_000_000;

/// Something that happens to the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Another scenario of the gallery.
    Pick(usize),
    /// Another instruction set.
    SetIsa(Isa),
    /// Forward by one unit.
    Forward(Granularity),
    /// Back by one unit.
    Backward(Granularity),
    /// To a position.
    Jump(u64),
    /// To the last position, running on to the end of the program.
    JumpToEnd,
    /// Forward by so many steps while running; to a breakpoint at most.
    Advance(u64),
    /// Runs by itself, or no longer.
    TogglePlaying,
    /// Runs by itself at another speed.
    SetSpeed(Speed),
    /// The step buttons step over another unit.
    SetUnit(Granularity),
    /// Sets a breakpoint, or takes it away.
    ToggleBreakpoint(Breakpoint),
}

/// A scenario that has been opened.
#[derive(Clone)]
pub struct Loaded {
    /// The session; the reducer moves it, and nobody else.
    session: Rc<RefCell<Session>>,
    /// Its assembly.
    pub listing: Rc<Listing>,
    /// The position.
    pub now: Rc<Snapshot>,
    /// The whole run.
    pub timeline: Rc<Timeline>,
    /// Whether the program's end has been reached once, so that the timeline shows all of it.
    pub is_complete: bool,
    /// Breakpoints with the numbers that the session knows them by.
    pub breakpoints: Rc<[(usize, Breakpoint)]>,
}

/// Everything that the page shows of a run.
#[derive(Clone)]
pub struct State {
    /// Which scenario of the gallery.
    pub chosen: usize,
    /// The instruction set.
    pub isa: Isa,
    /// The scenario's text.
    pub text: Rc<Text>,
    /// The run, or why there is none.
    pub run: Result<Loaded, AttrValue>,
    /// Whether steps are made by themselves.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// What the step buttons step over.
    pub unit: Granularity,
}

impl State {
    /// The first scenario of the gallery, at its start.
    pub fn new() -> Self {
        let mut state = State {
            chosen: 0,
            isa: Isa::X86_64,
            text: Rc::default(),
            run: Err("there is no scenario".into()),
            playing: false,
            speed: Speed::default(),
            unit: Granularity::Instruction,
        };
        state.pick(0);
        state
    }

    fn pick(&mut self, index: usize) {
        if let Some(scenario) = SCENARIOS.get(index) {
            self.chosen = index;
            self.text = Rc::new(Text::new(&scenario.file(), scenario.text));
            self.open();
        }
    }

    fn open(&mut self) {
        self.playing = false;
        self.run = Loaded::open(&self.text, self.isa).map_err(AttrValue::from);
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Pick(index) => self.pick(index),
            Action::SetIsa(isa) => {
                self.isa = isa;
                self.open();
            }
            Action::SetSpeed(speed) => self.speed = speed,
            Action::SetUnit(unit) => self.unit = unit,
            Action::TogglePlaying => {
                let over = self.run.as_ref().is_ok_and(|run| run.now.is_over);
                self.playing = !self.playing && !over;
            }
            Action::Advance(steps) => {
                if let Ok(run) = &mut self.run {
                    self.playing &= run.advance(steps);
                }
            }
            Action::Forward(_)
            | Action::Backward(_)
            | Action::Jump(_)
            | Action::JumpToEnd
            | Action::ToggleBreakpoint(_) => {
                self.playing &= matches!(action, Action::ToggleBreakpoint(_));
                if let Ok(run) = &mut self.run {
                    run.apply(action);
                }
            }
        }
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(mut self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::make_mut(&mut self).apply(action);
        self
    }
}

impl Loaded {
    fn open(text: &Text, isa: Isa) -> Result<Self, String> {
        let program = costack_lang::parse(&text.file, &text.whole).map_err(|e| e.to_string())?;
        let session = costack_sim::runtime::load(Arc::new(program), isa, Options::default());
        let mut session = session.map_err(|error| in_words(&error))?;
        session.run(STEPS_AHEAD);
        let is_complete = session.is_over();
        session.jump(0);
        let listing = Rc::new(Listing::new(session.listing()));
        let now = Rc::new(Snapshot::take(&session, None));
        let timeline = Rc::new(Timeline::new(session.ticks(), session.recorded_len()));
        let session = Rc::new(RefCell::new(session));
        Ok(Loaded {
            session,
            listing,
            now,
            timeline,
            is_complete,
            breakpoints: Rc::new([]),
        })
    }

    fn apply(&mut self, action: Action) {
        let mut session = self.session.borrow_mut();
        match action {
            Action::Forward(Granularity::Instruction) => {
                session.step();
            }
            Action::Forward(unit) => {
                session.next(unit, STEPS_AT_ONCE);
            }
            Action::Backward(Granularity::Instruction) => {
                session.back();
            }
            Action::Backward(unit) => {
                session.previous(unit);
            }
            Action::Jump(position) => {
                let recorded = session.recorded_len();
                session.jump(position.min(recorded));
            }
            Action::JumpToEnd => {
                let recorded = session.recorded_len();
                session.jump(recorded);
                session.next(Granularity::Fault, STEPS_AT_ONCE);
            }
            Action::ToggleBreakpoint(breakpoint) => {
                let known = session.breakpoints();
                match known.iter().find(|(_, other)| *other == breakpoint) {
                    Some((number, _)) => session.remove_breakpoint(*number),
                    None => {
                        session.add_breakpoint(breakpoint);
                    }
                }
                self.breakpoints = session.breakpoints().into();
            }
            _ => unreachable!("it is not about the run"),
        }
        drop(session);
        self.look();
    }

    /// Runs by so many steps; whether it can run on.
    fn advance(&mut self, steps: u64) -> bool {
        let outcome = self.session.borrow_mut().run(steps);
        self.look();
        outcome == RunOutcome::Limit
    }

    fn look(&mut self) {
        let session = self.session.borrow();
        self.now = Rc::new(Snapshot::take(&session, Some(&self.now)));
        self.is_complete |= self.now.is_over;
        if self.timeline.steps != self.now.recorded {
            self.timeline = Rc::new(Timeline::new(session.ticks(), self.now.recorded));
        }
    }
}

fn in_words(error: &LoadError) -> String {
    match error {
        LoadError::Assembly(mistakes) => mistakes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        LoadError::Start(fault) => fault.to_string(),
        other => format!("{other:?}"),
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
