//! All panels of one run, and what each is told.

use std::rc::Rc;

use costack_sim::{
    program::Isa,
    view::{
        Breakpoint, Granularity, RegisterClass, StackKind, StackView, StepKind, TaskNumber,
        TaskStatus,
    },
};
use yew::prelude::*;

use super::{
    assembly::Assembly,
    controls::Controls,
    header::isa_name,
    native::Native,
    output::Output,
    registers::{Registers, Row},
    saves::Saves,
    sentence::Sentence,
    source::{At, Source},
    stack::Stack,
    timeline::Timeline,
};
use crate::{
    hooks::Fetched,
    model::{
        scenario::{Listing, Text},
        snapshot::Snapshot,
        speed::Speed,
        state::Action,
        text::file_name,
        timeline::Timeline as Run,
    },
};

/// What the panels show.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The scenario.
    pub text: Rc<Text>,
    /// The instruction set.
    pub isa: Isa,
    /// The assembly.
    pub listing: Rc<Listing>,
    /// The position.
    pub now: Rc<Snapshot>,
    /// The whole run.
    pub timeline: Rc<Run>,
    /// Breakpoints with their numbers.
    pub breakpoints: Rc<[(usize, Breakpoint)]>,
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
}

/// All panels of one run.
#[component]
pub fn Board(props: &Props) -> Html {
    let Props {
        text,
        isa,
        listing,
        now,
        timeline,
        on_action,
        ..
    } = props;
    let names: Vec<AttrValue> = now
        .tasks
        .iter()
        .map(|task| task.view.name.clone().into())
        .collect();
    let names: Rc<[AttrValue]> = names.into();
    let lines: Vec<u32> = props.breakpoints.iter().filter_map(line_of).collect();
    let addresses: Vec<u64> = props.breakpoints.iter().filter_map(address_of).collect();
    let on_line = on_action.reform(|line| Action::ToggleBreakpoint(Breakpoint::Line(line)));
    let on_address =
        on_action.reform(|address| Action::ToggleBreakpoint(Breakpoint::Address(address)));
    let sp_name = now
        .registers
        .iter()
        .find(|register| register.class == RegisterClass::StackPointer)
        .map_or("sp", |register| register.name);
    let stack = |index: usize| {
        let stack = &now.stacks[index];
        // The step count only matters beside a previous owner.
        let position = if stack.view.previous_owner.is_some() {
            now.position
        } else {
            0
        };
        let kind = match stack.view.kind {
            StackKind::Shared => "shared",
            StackKind::Own => "own",
            StackKind::Main => "main",
        };
        html! {
            <Stack key={stack.view.number} stack={stack} names={&names} word_bytes={now.word_bytes}
                {sp_name} {position} class={kind} />
        }
    };
    let (main, others): (Vec<usize>, Vec<usize>) =
        (0..now.stacks.len()).partition(|&index| now.stacks[index].view.kind == StackKind::Main);
    let save_stacks = now.statistics.save_stack_bytes;
    html! {
        <>
            <main class="board">
                <div class="column text">
                    <Source {text} at={at(now)} at_start={now.position == 0} breakpoints={lines} {on_line} />
                    <Assembly {listing} last={now.last_line} next={now.next_line} breakpoints={addresses}
                        {on_address} />
                </div>
                <div class="column stacks">{ for others.into_iter().map(stack) }</div>
                <div class="column tasks">
                    <Saves tasks={Rc::<[_]>::from(now.tasks.as_slice())} stacks={stack_names(now)}
                        word_bytes={now.word_bytes} total_bytes={save_stacks} />
                    { for main.into_iter().map(stack) }
                    <Output lines={&now.output} fault={now.fault.as_ref().map(|fault| fault.kind.to_string())} />
                </div>
                <div class="column numbers">
                    <Registers isa={isa_name(*isa)} word_bytes={now.word_bytes} registers={registers(now)} />
                    <Native report={props.report.clone()} image={image_of(now)} />
                </div>
            </main>
            <footer class="bottom">
                { sentence(props) }
                <Timeline {timeline} position={now.position}
                    on_jump={on_action.reform(Action::Jump)} />
                <Controls playing={props.playing} speed={props.speed} unit={props.unit}
                    at_start={now.position == 0} at_end={now.is_over} {on_action} />
            </footer>
        </>
    }
}

fn line_of((_, breakpoint): &(usize, Breakpoint)) -> Option<u32> {
    match breakpoint {
        Breakpoint::Line(line) => Some(*line),
        _ => None,
    }
}

fn address_of((_, breakpoint): &(usize, Breakpoint)) -> Option<u64> {
    match breakpoint {
        Breakpoint::Address(address) => Some(*address),
        _ => None,
    }
}

/// Who is at which line; the running task is where the next instruction is.
fn at(now: &Snapshot) -> Vec<At> {
    let running = now.running();
    let tasks = now.tasks.iter().map(|task| &task.view);
    tasks
        .filter(|task| task.status != TaskStatus::Ended)
        .filter_map(|task| {
            let runs = running == Some(task.number);
            let statement = task.statement.map(|statement| statement.line);
            let line = if runs {
                now.source_line.or(statement)
            } else {
                statement
            };
            let name = task.name.clone().into();
            Some(At {
                task: task.number,
                name,
                line: line?,
                runs,
            })
        })
        .collect()
}

/// Names of all stacks by number; the snapshot has them in another order.
fn stack_names(now: &Snapshot) -> Rc<[AttrValue]> {
    let mut names = vec![AttrValue::default(); now.stacks.len()];
    for stack in &now.stacks {
        if let Some(name) = names.get_mut(stack.view.number as usize) {
            *name = stack.view.name.clone().into();
        }
    }
    names.into()
}

fn registers(now: &Snapshot) -> Rc<[Row]> {
    let note = |value: u64, points_into: Option<TaskNumber>| -> AttrValue {
        let within = |stack: &&StackView| (stack.base..=stack.top).contains(&value);
        match now.stacks.iter().map(|stack| &stack.view).find(within) {
            Some(stack) => {
                let below = stack.top - value;
                let whose = match points_into {
                    Some(task) if Some(task) != stack.owner && stack.kind == StackKind::Shared => {
                        format!(" of {}", now.task_name(task))
                    }
                    _ => String::new(),
                };
                let name = if stack.kind == StackKind::Main {
                    "main"
                } else {
                    &stack.name
                };
                format!("→ {name}{whose}, top−{below}").into()
            }
            None => AttrValue::default(),
        }
    };
    let pc = now.next_line.is_some();
    now.registers
        .iter()
        .map(|register| {
            let note = match register.class {
                RegisterClass::ProgramCounter if pc => "→ next".into(),
                _ if !register.initialised => AttrValue::default(),
                _ => note(register.value, register.points_into),
            };
            Row {
                view: register.clone(),
                note,
            }
        })
        .collect()
}

/// The image that the last step moved; what the curve marks.
fn image_of(now: &Snapshot) -> Option<u32> {
    match now.step.as_ref()?.kind {
        StepKind::Save { bytes, .. } | StepKind::Restore { bytes, .. } => Some(bytes),
        _ => None,
    }
}

fn sentence(props: &Props) -> Html {
    let now = &props.now;
    let (text, task) = match &now.step {
        Some(step) => (step.sentence.clone(), step.task),
        None => (
            "Nothing has run yet. → makes one step, Space lets it run.".to_owned(),
            None,
        ),
    };
    let task = task.map(|task| (task, now.task_name(task).into()));
    let last = now.last_line.and_then(|line| props.listing.lines.get(line));
    let is_instruction = now
        .step
        .as_ref()
        .is_some_and(|step| matches!(step.kind, StepKind::Instruction { .. }));
    let code = last
        .filter(|_| is_instruction)
        .map_or("", |line| line.text.trim());
    let (code, text) = match text.strip_prefix(code) {
        Some(rest) => (code.to_owned(), rest.to_owned()),
        None => (String::new(), text),
    };
    let place = last.map_or_else(AttrValue::default, |line| {
        format!("{}:{}", file_name(&line.file), line.line).into()
    });
    html! {
        <Sentence {code} {text} {task} {place} position={now.position} steps={props.timeline.steps}
            statistics={now.statistics} polite={!props.playing} is_fault={now.fault.is_some()} />
    }
}
