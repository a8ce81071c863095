//! All panels of one run, and what each is told.

use std::rc::Rc;

use costack_sim::{
    program::Isa,
    view::{Breakpoint, Granularity, StackKind},
};
use yew::prelude::*;

use super::{
    assembly::Assembly, cell::Pressed, cell_menu::CellMenu, checks::Checks, controls::Controls,
    editor::Editor, header::isa_name, native::Native, output::Output, overlay::Overlay,
    registers::Registers, saves::Saves, sentence::Sentence, source::Source, splitter::Splitter,
    stack::Stack, timeline::Timeline,
};
use crate::{
    hooks::{Fetched, use_columns, use_stored_flag},
    model::{
        checks,
        copy::{Copy, HandOver},
        present,
        run::Run,
        scenario::Text,
        speed::Speed,
        state::{Action, Draft},
    },
};

/// What the panels show.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The scenario.
    pub text: Rc<Text>,
    /// The instruction set.
    pub isa: Isa,
    /// The run.
    pub run: Run,
    /// The text in the editor, while that is open.
    pub draft: Option<Draft>,
    /// Whether the text differs from the gallery's of that name.
    pub can_revert: bool,
    /// Steps made on the way to the end, and how many they will be at most, while that is under way.
    pub hurrying: Option<(u64, u64)>,
    /// The panels to show; all if it is empty.
    pub panels: Rc<[String]>,
    /// Whether steps are made by themselves.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// What the step buttons step over.
    pub unit: Granularity,
    /// Native results.
    pub report: Fetched,
    /// Something was pressed.
    pub on_action: Callback<Action>,
    /// The prover's table is wanted.
    pub on_proof: Callback<()>,
}

/// All panels of one run.
#[component]
pub fn Board(props: &Props) -> Html {
    let Props {
        text,
        isa,
        run,
        on_action,
        ..
    } = props;
    let now = &run.now;
    let pressed = use_state(|| None::<Pressed>);
    // Callbacks must stay the same from step to step, or every panel would be drawn again.
    let on_press = use_callback(pressed.setter(), |cell, pressed| pressed.set(Some(cell)));
    let on_close = use_callback(pressed.setter(), |(), pressed| pressed.set(None));
    let on_line = use_callback(on_action.clone(), |line, act: &Callback<Action>| {
        act.emit(Action::ToggleBreakpoint(Breakpoint::Line(line)));
    });
    let on_address = use_callback(on_action.clone(), |address, act: &Callback<Action>| {
        act.emit(Action::ToggleBreakpoint(Breakpoint::Address(address)));
    });
    let on_owner = use_callback(on_action.clone(), |stack, act: &Callback<Action>| {
        act.emit(Action::ToggleBreakpoint(Breakpoint::Ownership(Some(stack))));
    });
    let on_jump = use_callback(on_action.clone(), |position, act: &Callback<Action>| {
        act.emit(Action::jump(position));
    });
    let on_edit = use_callback(on_action.clone(), |(), act: &Callback<Action>| {
        act.emit(Action::ToggleEditor);
    });
    let low_first = use_stored_flag("low-first");
    let columns = use_columns();
    let on_flip = use_callback(low_first.clone(), |(), low_first| low_first.toggle());
    let shows =
        |name: &str| props.panels.is_empty() || props.panels.iter().any(|shown| shown == name);
    let breakpoints = || run.breakpoints.iter().map(|(_, breakpoint)| breakpoint);
    let lines: Vec<u32> = breakpoints().filter_map(line_of).collect();
    let addresses: Vec<u64> = breakpoints().filter_map(address_of).collect();
    let stack = |index: usize| {
        let stack = &now.stacks[index];
        let number = stack.view.number;
        // The step count only matters beside a previous owner.
        let position = stack.view.previous_owner.map_or(0, |_| now.position);
        let kind = match stack.view.kind {
            StackKind::Shared => "shared",
            StackKind::Own => "own",
            StackKind::Main => "main",
        };
        let stops = breakpoints().any(|b| *b == Breakpoint::Ownership(Some(number)));
        html! {
            <Stack key={number} {stack} names={&now.names} word_bytes={now.word_bytes} {position}
                sp_name={present::sp_name(now)} {stops} low_first={low_first.is_set()} on_flip={&on_flip} on_press={&on_press}
                on_owner={&on_owner} class={kind} />
        }
    };
    let (main, others): (Vec<usize>, Vec<usize>) =
        (0..now.stacks.len()).partition(|&index| now.stacks[index].view.kind == StackKind::Main);
    let fault = now.fault.as_ref().map(|fault| fault.kind.to_string());
    html! {
        <>
            <main class={classes!("board", (!props.panels.is_empty()).then_some("some"))} style={columns.style()}>
                if shows("source") || shows("assembly") {
                    <div class="column text">
                        if !shows("source") {
                        } else if let Some(draft) = &props.draft {
                            <Editor draft={draft.clone()} can_revert={props.can_revert}
                                {on_action} />
                        } else {
                            <Source {text} at={present::at(now)} at_start={now.position == 0}
                                breakpoints={lines} {on_line} {on_edit} />
                        }
                        if shows("assembly") {
                            <Assembly listing={&run.listing} last={now.last_line} next={now.next_line}
                                breakpoints={addresses} {on_address} />
                        }
                    </div>
                }
                if shows("stacks") {
                    <div class="column stacks">
                        { for others.into_iter().map(stack) }
                        <Output lines={&now.output} {fault} />
                    </div>
                }
                if shows("tasks") || shows("checks") {
                    <div class="column tasks">
                        if shows("tasks") {
                        <Saves tasks={Rc::<[_]>::from(now.tasks.as_slice())} stacks={present::stack_names(now)}
                            word_bytes={now.word_bytes} about={present::about(now)} on_press={&on_press}
                            total_bytes={now.statistics.save_stack_bytes} />
                        { for main.into_iter().map(stack) }
                        }
                        if shows("checks") {
                            <Checks rows={Rc::<[_]>::from(checks::rows(now, &run.proofs))}
                                switch={checks::switch_in_words(now)} on_proof={&props.on_proof} />
                        }
                    </div>
                }
                if shows("registers") || shows("native") {
                    <div class="column numbers">
                        if shows("registers") {
                            <Registers isa={isa_name(*isa)} word_bytes={now.word_bytes}
                                registers={present::registers(now)} on_press={&on_press} />
                        }
                        if shows("native") {
                            <Native report={props.report.clone()} eviction={run.eviction()} />
                        }
                    </div>
                }
                if props.panels.is_empty() {
                    { for (0..3).map(|column| html! { <Splitter columns={columns.clone()} {column} /> }) }
                }
                if let Some(cell) = &*pressed {
                    <CellMenu pressed={cell.clone()} word_bytes={now.word_bytes} breakpoints={breakpoints().cloned().collect::<Vec<_>>()}
                        {on_action} {on_close} />
                }
            </main>
            <footer class="bottom">
                <Sentence saying={present::saying(now, &run.listing)} note={&run.note}
                    position={now.position} steps={run.timeline.steps} statistics={now.statistics}
                    polite={!props.playing} is_fault={now.fault.is_some()} />
                <Timeline timeline={&run.timeline} position={now.position} interventions={&run.interventions} {on_jump} />
                <Controls playing={props.playing} speed={props.speed} unit={props.unit} hurrying={props.hurrying}
                    at_start={now.position == 0} at_end={now.is_over}
                    branches={run.branches()} {on_action} />
            </footer>
            <Overlay position={now.position} copy={Copy::of(now)} hand_over={HandOver::of(now)} moving={run.moved} />
        </>
    }
}

fn line_of(breakpoint: &Breakpoint) -> Option<u32> {
    match breakpoint {
        Breakpoint::Line(line) => Some(*line),
        _ => None,
    }
}

fn address_of(breakpoint: &Breakpoint) -> Option<u64> {
    match breakpoint {
        Breakpoint::Address(address) => Some(*address),
        _ => None,
    }
}
