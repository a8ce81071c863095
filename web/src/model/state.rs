//! The page's state and everything that can happen to it.

use std::{ops::Range, rc::Rc};

use costack_engine::trace;
use costack_sim::{
    gallery,
    program::Isa,
    variant::Stacks,
    view::{Breakpoint, Granularity, Intervention},
};
use yew::{AttrValue, Reducible};

use super::{
    link::{Link, Named},
    problem::Problem,
    replay::{self, Replay},
    run::{Move, Run},
    scenario::Text,
    speed::Speed,
    text::count,
};

/// What can be asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A register.
    Register(&'static str),
    /// Bytes of memory.
    Memory(Range<u64>),
}

/// Something that happens to the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Another scenario of the gallery.
    Pick(usize),
    /// A file of the user's own, its name and text: a scenario, or a recorded trace.
    Load(String, String),
    /// Back from the trace to the scenario.
    CloseReplay,
    /// Something is done to the run from outside, at this position.
    Intervene(Intervention),
    /// What was done last from outside has not been done.
    Undo,
    /// Another instruction set.
    SetIsa(Isa),
    /// Other stacks.
    SetStacks(Stacks),
    /// The run moves, and stops running by itself.
    Go(Move),
    /// To the last position, running on to the end of the program.
    JumpToEnd,
    /// Forward by so many steps while running; to a breakpoint at most.
    Advance(u64),
    /// Towards the end by so many steps, on the way there.
    Hurry(u64),
    /// Enough of hurrying.
    StopHurrying,
    /// Runs by itself, or no longer.
    TogglePlaying,
    /// Runs by itself at another speed.
    SetSpeed(Speed),
    /// The step buttons step over another unit.
    SetUnit(Granularity),
    /// Sets a breakpoint, or takes it away.
    ToggleBreakpoint(Breakpoint),
    /// Opens the editor, or closes it.
    ToggleEditor,
    /// Something was typed; the whole text.
    Type(String),
    /// Back to the gallery's text.
    Revert,
    /// The address has changed; what stands behind its `#`.
    Follow(String),
    /// Tells the user something.
    Tell(String),
    /// What was told has been read.
    Heard,
}

impl Action {
    /// Forward by one unit.
    pub fn forward(unit: Granularity) -> Self {
        Action::Go(Move::Forward(unit))
    }

    /// Back by one unit.
    pub fn backward(unit: Granularity) -> Self {
        Action::Go(Move::Backward(unit))
    }

    /// To a position.
    pub fn jump(position: u64) -> Self {
        Action::Go(Move::Jump(position))
    }
}

/// A text that is being edited.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// The file's name.
    pub file: AttrValue,
    /// As typed.
    pub text: AttrValue,
    /// What is wrong with it; the run is that of the last text without mistakes.
    pub problems: Rc<[Problem]>,
}

/// Everything that the page shows of a run.
#[derive(Clone)]
pub struct State {
    /// Which scenario of the gallery; `None` for a text of the user's own.
    pub chosen: Option<usize>,
    /// The instruction set.
    pub isa: Isa,
    /// Which stacks the tasks are put on.
    pub stacks: Stacks,
    /// The text that runs.
    pub text: Rc<Text>,
    /// Its run, or its mistakes.
    pub run: Result<Run, Rc<[Problem]>>,
    /// A recorded trace, which is shown in the place of the run.
    pub replay: Option<Replay>,
    /// The text in the editor, while that is open.
    pub draft: Option<Draft>,
    /// Whether steps are made by themselves.
    pub playing: bool,
    /// Whether the run is on its way to its end.
    pub hurrying: bool,
    /// From how many recorded steps to how many that way goes at most.
    pub way: Range<u64>,
    /// How fast.
    pub speed: Speed,
    /// What the step buttons step over.
    pub unit: Granularity,
    /// What the user should know; empty if there is nothing.
    pub notice: AttrValue,
    /// The panels to show where the page is a part of another one; empty where it is not.
    pub panels: Rc<[String]>,
}

impl State {
    /// What a link says, or the first scenario of the gallery.
    pub fn new(fragment: &str) -> Self {
        let mut state = State {
            chosen: None,
            isa: Isa::X86_64,
            stacks: Stacks::AsWritten,
            text: Rc::default(),
            run: Err(Rc::new([])),
            replay: None,
            draft: None,
            playing: false,
            hurrying: false,
            way: 0..0,
            speed: Speed::default(),
            unit: Granularity::Instruction,
            notice: AttrValue::default(),
            panels: Rc::new([]),
        };
        state.follow(fragment);
        if state.text.whole.is_empty() {
            state.pick(0);
        }
        state
    }

    /// The address of what is shown.
    pub fn link(&self) -> Link {
        let scenario = match self.chosen.and_then(|index| gallery::all().nth(index)) {
            Some(scenario) => Named::Gallery(scenario.name.to_owned()),
            None => Named::Own(self.text.file.to_string(), self.text.whole.to_string()),
        };
        let run = self.run.as_ref().ok();
        Link {
            scenario,
            isa: self.isa,
            stacks: self.stacks,
            position: run.map_or(0, |run| run.now.position),
            fingerprint: run.map(Run::fingerprint),
            branch: run.map(Run::branch).unwrap_or_default(),
            panels: self.panels.to_vec(),
        }
    }

    /// Whether the gallery has another text under the file's name.
    pub fn can_revert(&self) -> bool {
        let file = self.text.file.as_str();
        self.chosen.is_none() && gallery::all().any(|scenario| scenario.file() == file)
    }

    fn pick(&mut self, index: usize) {
        if let Some(scenario) = gallery::all().nth(index) {
            let text = Text::new(&scenario.file(), scenario.text);
            self.set_text(Some(index), text);
        }
    }

    fn set_text(&mut self, chosen: Option<usize>, text: Text) {
        self.replay = None;
        self.chosen = chosen;
        self.text = Rc::new(text);
        self.open();
        if self.run.is_err() && self.stacks != Stacks::AsWritten {
            self.stacks = Stacks::AsWritten;
            self.open();
        }
        if self.draft.is_some() {
            self.draft = Some(self.draft_of_text());
        }
    }

    fn draft_of_text(&self) -> Draft {
        let problems = self.run.as_ref().err().cloned();
        Draft {
            file: self.text.file.clone(),
            text: self.text.whole.to_string().into(),
            problems: problems.unwrap_or_else(|| Rc::new([])),
        }
    }

    /// Shows a file. One that cannot be shown keeps what was there; a scenario with mistakes comes
    /// into the editor, where they are underlined.
    fn load(&mut self, file: &str, whole: String) {
        if replay::is_trace(&whole) {
            match trace::read(&whole) {
                Ok(trace) => {
                    self.playing = false;
                    self.hurrying = false;
                    self.notice = AttrValue::default();
                    self.replay = Some(Replay::new(file, trace));
                }
                Err(mistake) => {
                    self.notice = format!("{file} is no whole trace: {mistake}.").into();
                }
            }
            return;
        }
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        let is_binary = whole.chars().any(is_control);
        if is_binary || whole.trim_start().starts_with(['{', '[', '<']) {
            let reason = format!("{file} is neither a scenario nor a trace of Costack.");
            self.notice = reason.into();
            return;
        }
        let text = Text::new(file, &whole);
        match Run::open(&text, self.isa, self.stacks) {
            Ok(_) => {
                self.notice = AttrValue::default();
                self.set_text(None, text);
            }
            Err(problems) => {
                self.notice =
                    format!("{file} has mistakes; what ran before is still there.").into();
                self.replay = None;
                self.draft = Some(Draft {
                    file: text.file,
                    text: whole.into(),
                    problems: problems.into(),
                });
            }
        }
    }

    fn open(&mut self) {
        self.playing = false;
        self.hurrying = false;
        self.run = Run::open(&self.text, self.isa, self.stacks).map_err(Rc::from);
    }

    /// Opens the same text in another way, at the same place of the program.
    fn reopen(&mut self) {
        let statements = self.run.as_mut().ok().and_then(Run::statements);
        self.open();
        if let (Ok(run), Some(statements)) = (&mut self.run, statements) {
            run.go_to_statement(statements);
        }
    }

    /// What was typed runs as soon as it has no mistakes.
    fn type_text(&mut self, typed: String) {
        let file = self.draft.as_ref().map(|draft| draft.file.clone());
        let file = file.unwrap_or_else(|| self.text.file.clone());
        let text = Text::new(&file, &typed);
        let problems: Rc<[Problem]> = match Run::open(&text, self.isa, self.stacks) {
            Ok(run) => {
                self.playing = false;
                self.hurrying = false;
                self.run = Ok(run);
                self.chosen = gallery::all().position(|scenario| {
                    scenario.file() == text.file.as_str() && scenario.text == typed
                });
                self.text = Rc::new(text);
                Rc::new([])
            }
            Err(problems) => problems.into(),
        };
        self.draft = Some(Draft {
            file,
            text: typed.into(),
            problems,
        });
    }

    /// The gallery's text of this file's name.
    fn revert(&mut self) {
        let file = self.text.file.clone();
        if let Some(index) = gallery::all().position(|scenario| scenario.file() == file.as_str()) {
            self.pick(index);
        }
    }

    /// Shows what a link says; of a link that cannot be read, only the reason.
    fn follow(&mut self, fragment: &str) {
        let link = match Link::parse(fragment) {
            Ok(Some(link)) => link,
            Ok(None) => return,
            Err(problem) => {
                self.notice = problem.into();
                return;
            }
        };
        let (chosen, text) = match link.scenario {
            Named::Gallery(name) => {
                let found = gallery::all()
                    .enumerate()
                    .find(|(_, scenario)| scenario.name == name);
                let Some((index, scenario)) = found else {
                    self.notice = format!(
                        "The link names a scenario that this version does not have: {name}"
                    )
                    .into();
                    return;
                };
                (Some(index), Text::new(&scenario.file(), scenario.text))
            }
            Named::Own(file, text) => (None, Text::new(&file, &text)),
        };
        self.isa = link.isa;
        self.stacks = link.stacks;
        self.panels = link.panels.into();
        self.notice = AttrValue::default();
        self.set_text(chosen, text);
        let Ok(run) = &mut self.run else { return };
        if let Err(refused) = run.take_branch(&link.branch) {
            self.notice = format!(
                "What the link does by hand cannot be done here, so only a part of it is: {refused}."
            )
            .into();
        }
        run.go(Move::Jump(link.position));
        if link
            .fingerprint
            .is_some_and(|expected| expected != run.fingerprint())
        {
            self.notice = "The link was made by another version of Costack: \
                           what this step shows may differ from what was meant."
                .into();
        }
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Pick(index) => self.pick(index),
            Action::Load(file, text) => self.load(&file, text),
            Action::CloseReplay => self.replay = None,
            Action::SetIsa(isa) => {
                self.isa = isa;
                self.reopen();
            }
            Action::SetStacks(stacks) => {
                self.stacks = stacks;
                self.reopen();
            }
            Action::SetSpeed(speed) => self.speed = speed,
            Action::SetUnit(unit) => self.unit = unit,
            Action::ToggleEditor => {
                self.draft = match self.draft {
                    None => Some(self.draft_of_text()),
                    Some(_) => None,
                };
            }
            Action::Type(text) => self.type_text(text),
            Action::Revert => self.revert(),
            Action::Follow(fragment) => self.follow(&fragment),
            Action::Tell(text) => self.notice = text.into(),
            Action::Heard => self.notice = AttrValue::default(),
            Action::StopHurrying => self.hurrying = false,
            _ => {}
        }
    }

    fn apply_to_run(&mut self, run: &mut Run, action: Action) {
        match action {
            Action::Go(to) => {
                self.playing = false;
                self.hurrying = false;
                run.go(to);
            }
            Action::JumpToEnd => {
                self.playing = false;
                let from = run.reached();
                self.way = from..from + STEPS_AT_MOST;
                self.hurrying = run.hurry(STEPS_BEFORE_PROGRESS);
                run.look();
            }
            Action::Hurry(steps) if self.hurrying => {
                let left = self.way.end.saturating_sub(run.reached());
                self.hurrying = run.hurry(steps.min(left));
                if self.hurrying && run.reached() >= self.way.end {
                    self.hurrying = false;
                    self.notice = format!(
                        "{} steps were made and the end has not come; End goes on.",
                        count(STEPS_AT_MOST)
                    )
                    .into();
                }
                if !self.hurrying {
                    run.look();
                }
            }
            Action::StopHurrying => run.look(),
            Action::Advance(steps) => self.playing &= run.advance(steps),
            Action::TogglePlaying => self.playing = !self.playing && !run.now.is_over,
            Action::ToggleBreakpoint(breakpoint) => run.toggle_breakpoint(breakpoint),
            Action::Intervene(what) => {
                self.playing = false;
                self.hurrying = false;
                if let Err(refused) = run.intervene(what) {
                    self.notice = format!("That cannot be done here: {refused}.").into();
                }
            }
            Action::Undo => {
                self.playing = false;
                self.hurrying = false;
                run.undo();
            }
            _ => {}
        }
    }

    fn apply_to_replay(&mut self, replay: &mut Replay, action: &Action) {
        match action {
            Action::Go(to) => {
                self.playing = false;
                replay.go(to);
            }
            Action::JumpToEnd => {
                self.playing = false;
                replay.jump(replay.len());
            }
            Action::Advance(steps) => {
                let steps = usize::try_from(*steps).unwrap_or(usize::MAX);
                replay.jump(replay.now.position.saturating_add(steps));
                self.playing &= !replay.is_over();
            }
            Action::TogglePlaying => self.playing = !self.playing && !replay.is_over(),
            _ => {}
        }
    }
}

/// Steps that one press of End makes at most: a program may have no end.
const STEPS_AT_MOST: u64 = 1_000_000;

/// Steps on the way to the end that are made at once; for more, progress is shown.
const STEPS_BEFORE_PROGRESS: u64 = 50_000;

impl Reducible for State {
    type Action = Action;

    fn reduce(mut self: Rc<Self>, action: Action) -> Rc<Self> {
        let state = Rc::make_mut(&mut self);
        if let Some(mut replay) = state.replay.take() {
            state.apply_to_replay(&mut replay, &action);
            state.replay = Some(replay);
        } else if let Ok(mut run) = state.run.clone() {
            state.apply_to_run(&mut run, action.clone());
            state.run = Ok(run);
        }
        state.apply(action);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[Action]) -> Rc<State> {
        let start = Rc::new(State::new(""));
        actions.iter().cloned().fold(start, State::reduce)
    }

    fn run(state: &State) -> &Run {
        state.run.as_ref().expect("the scenario has no mistakes")
    }

    #[test]
    fn begins_with_the_first_scenario_at_its_start() {
        let state = after(&[]);
        assert_eq!(state.chosen, Some(0));
        assert_eq!(run(&state).now.position, 0);
        assert!(run(&state).is_complete);
    }

    #[test]
    fn going_and_coming_back_shows_the_same() {
        let start = after(&[Action::Pick(1)]);
        let unit = Granularity::Ownership;
        let moves = [
            Action::Pick(1),
            Action::forward(unit),
            Action::forward(unit),
            Action::jump(0),
        ];
        let back = after(&moves);
        let (mut then, mut now) = ((*run(&start).now).clone(), (*run(&back).now).clone());
        then.recorded = 0;
        now.recorded = 0;
        assert_eq!(then, now);
    }

    #[test]
    fn running_in_pieces_ends_where_jumping_does() {
        let by_running = after(&[
            Action::TogglePlaying,
            Action::Advance(100),
            Action::Advance(1 << 20),
        ]);
        let by_jumping = after(&[Action::JumpToEnd]);
        assert!(!by_running.playing, "the program is over");
        assert_eq!(
            run(&by_running).fingerprint(),
            run(&by_jumping).fingerprint()
        );
    }

    #[test]
    fn mistakes_keep_the_last_run() {
        let text = "scenario \"mine\"\nmain { print 1 }";
        let good = after(&[Action::ToggleEditor, Action::Type(text.to_owned())]);
        assert_eq!(good.chosen, None);
        let bad = Rc::clone(&good).reduce(Action::Type(text.replace("print", "prnt")));
        let draft = bad.draft.as_ref().expect("the editor is open");
        assert!(!draft.problems.is_empty());
        assert_eq!(bad.text, good.text);
        assert_eq!(run(&bad), run(&good));
    }

    #[test]
    fn a_link_leads_back_to_the_same_state() {
        let state = after(&[Action::Pick(2), Action::jump(77)]);
        let link = state.link().to_fragment();
        let followed = State::new(&link);
        assert_eq!(followed.chosen, Some(2));
        assert_eq!(run(&followed).fingerprint(), run(&state).fingerprint());
        assert!(followed.notice.is_empty());
    }

    #[test]
    fn other_stacks_keep_the_place_in_the_program() {
        let line = |state: &State| run(state).now.source_line;
        let unit = Granularity::Statement;
        let mut moves = vec![Action::Pick(1)];
        moves.extend((0..20).map(|_| Action::forward(unit)));
        let shared = after(&moves);
        moves.push(Action::SetStacks(Stacks::Own));
        let own = after(&moves);
        assert!(line(&shared).is_some());
        assert_eq!(line(&own), line(&shared));
        assert!(run(&own).now.position > 0);
        moves.push(Action::SetIsa(Isa::I386));
        assert_eq!(line(&after(&moves)), line(&shared));
    }

    #[test]
    fn a_link_of_another_version_says_so() {
        let state = after(&[Action::jump(10)]);
        let mut link = state.link();
        link.fingerprint = link.fingerprint.map(|fingerprint| !fingerprint);
        assert!(
            State::new(&link.to_fragment())
                .notice
                .contains("another version")
        );
    }

    #[test]
    fn a_broken_link_keeps_what_was_there() {
        let state = after(&[Action::jump(10), Action::Follow("costack9&x".to_owned())]);
        assert_eq!(run(&state).now.position, 10);
        assert!(!state.notice.is_empty());
    }
}
