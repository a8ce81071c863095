//! A stack's memory: frames in their tasks' colours, sp, and what each word means.

use std::{ops::Range, rc::Rc};

use costack_sim::view::{FrameView, Meaning, StackKind, StackNumber, TaskNumber, WordView};
use yew::prelude::*;

use super::{
    cell::{Pressed, memory_cell},
    panel::Panel,
    task::{Chip, task_class, task_style},
    word,
};
use crate::{
    hooks::use_keep_in_view,
    model::{
        map::Map,
        snapshot::StackSnapshot,
        text::{bytes, count, meaning, short_address},
    },
};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The stack.
    pub stack: Rc<StackSnapshot>,
    /// Names of all tasks, by number.
    pub names: Rc<[AttrValue]>,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// The stack pointer's name.
    pub sp_name: AttrValue,
    /// Steps made up to here.
    pub position: u64,
    /// Where pointers lead.
    pub map: Rc<Map>,
    /// A value was pressed.
    pub on_press: Callback<Pressed>,
    /// Whether the lowest address stands first.
    pub low_first: bool,
    /// That should change.
    pub on_flip: Callback<()>,
    /// Whether a run stops when the stack changes hands.
    pub stops: bool,
    /// That should change; with the stack's number.
    pub on_owner: Callback<StackNumber>,
    /// How the panel takes room.
    #[prop_or_default]
    pub class: Classes,
}

/// A stack's memory: frames in their tasks' colours, sp, and what each word means.
#[component]
pub fn Stack(props: &Props) -> Html {
    let view = &props.stack.view;
    let body = use_node_ref();
    use_keep_in_view(&body, ".sp", view.sp);
    let title = match view.kind {
        StackKind::Main => "Main stack".to_owned(),
        StackKind::Shared | StackKind::Own => format!("Stack {}", view.name),
    };
    let mut groups = groups(&props.stack.words);
    if props.low_first {
        groups.reverse();
    }
    let rows = groups.into_iter().map(|group| {
        let key = group.key();
        html! { <Group {key} {group} stack={&props.stack} names={&props.names}
        word_bytes={props.word_bytes} sp_name={&props.sp_name} map={&props.map}
                low_first={props.low_first} on_press={&props.on_press} /> }
    });
    let lowest = props
        .stack
        .words
        .last()
        .map_or(view.top, |word| word.address);
    let free = view.sp.map_or(view.top - view.base, |sp| sp - view.base);
    let grows = match props.low_first {
        false => "▼ grows to lower addresses",
        true => "▲ grows to lower addresses",
    };
    let floor = html! {
        <p class="floor">
            <button type="button" class="flip" aria-pressed={props.low_first.to_string()}
                onclick={props.on_flip.reform(|_: MouseEvent| ())} title="Turn it over"
                aria-label={format!("{grows}; lowest address on top")}>{ grows }</button>
            { " · " }
            { format!("{} of {} free", bytes(free), bytes(view.top - view.base)) }
            if lowest > view.base { { format!(" · {} not shown", bytes(lowest - view.base)) } }
            if !view.guard.is_empty() {
                { format!(" · guard page below {}", short_address(view.guard.end, 5)) }
            }
        </p>
    };
    let caption = match props.low_first {
        false => "Words of the stack, the highest address first",
        true => "Words of the stack, the lowest address first",
    };
    html! {
        <Panel {title} id={format!("stack-{}", view.number)} class={classes!("stack", props.class.clone())}
            detail={detail(props)} {body}>
            if props.low_first { { floor.clone() } }
            <table class="memory mono">
                <caption class="visually-hidden">{ caption }</caption>
                <thead class="visually-hidden">
                    <tr><th>{ "address" }</th><th>{ "value" }</th><th>{ "meaning" }</th></tr>
                </thead>
                { for rows }
            </table>
            if !props.low_first { { floor } }
        </Panel>
    }
}

fn detail(props: &Props) -> Html {
    let view = &props.stack.view;
    let number = view.number;
    let kind = match view.kind {
        StackKind::Shared => "shared",
        StackKind::Own => "own",
        StackKind::Main => "",
    };
    let name = |task: Option<TaskNumber>| match task {
        Some(task) => props.names.get(task as usize).cloned().unwrap_or_default(),
        None => "nobody".into(),
    };
    let before = view.previous_owner.map(|(task, step)| {
        let ago = props.position.saturating_sub(step);
        let unit = if ago == 1 { "step" } else { "steps" };
        format!("← {}, {} {unit} ago", name(task), count(ago))
    });
    html! {
        <>
            <span>{ kind }</span>
            if view.kind == StackKind::Shared {
                <span class="owner">{ "owner " }
                    <button type="button" class="plain" aria-pressed={props.stops.to_string()}
                        onclick={props.on_owner.reform(move |_: MouseEvent| number)}
                        title="Stop when the stack changes hands"
                        aria-label={format!("Owner of {}: {}; stop when it changes", view.name, name(view.owner))}
                        data-testid={format!("owner-{}", view.name)}>
                        <Chip task={view.owner} name={name(view.owner)} />
                    </button>
                </span>
                if let Some(before) = before { <span>{ before }</span> }
            } else if let (StackKind::Own, Some(owner)) = (view.kind, view.owner) {
                <Chip task={owner} name={name(Some(owner))} />
            }
        </>
    }
}

/// Words that lie next to each other and belong together.
#[derive(Clone, PartialEq, Debug)]
struct Words {
    /// Indices into the stack's words.
    range: Range<usize>,
    /// The frame they lie in.
    frame: Option<usize>,
    /// Whether they are dead.
    dead: bool,
}

impl Words {
    /// The same for the same place, whatever is above or below.
    fn key(&self) -> String {
        format!("{}-{}", self.range.start, self.dead)
    }
}

fn is_dead(word: &WordView) -> bool {
    matches!(word.meaning, Meaning::Dead)
}

fn groups(words: &[WordView]) -> Vec<Words> {
    let mut groups: Vec<Words> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let (frame, dead) = (word.frame, is_dead(word));
        match groups.last_mut() {
            Some(last) if (last.frame, last.dead) == (frame, dead) => last.range.end = index + 1,
            _ => groups.push(Words {
                range: index..index + 1,
                frame,
                dead,
            }),
        }
    }
    groups
}

#[derive(Properties, PartialEq)]
struct GroupProps {
    group: Words,
    stack: Rc<StackSnapshot>,
    names: Rc<[AttrValue]>,
    word_bytes: u32,
    sp_name: AttrValue,
    map: Rc<Map>,
    low_first: bool,
    on_press: Callback<Pressed>,
}

#[component]
fn Group(props: &GroupProps) -> Html {
    let Words { range, frame, dead } = &props.group;
    let stack = &*props.stack;
    let words = &stack.words[range.clone()];
    let frame = frame.and_then(|index| stack.view.frames.get(index));
    let task = frame
        .map(|frame| frame.task)
        .or_else(|| words.iter().find_map(|word| word.task));
    let class = classes!("frame", task.map(task_class), dead.then_some("dead"),);
    let row = |index: usize| {
        let left_out = stack.left_out.filter(|(before, _)| *before == index);
        let gap = left_out.map(|(_, words)| {
            let text = format!("⋯ {} words not shown", count(words));
            html! { <tr class="gap"><td colspan="3">{ text }</td></tr> }
        });
        html! { <>{ for gap }{ row(props, &stack.words[index], *dead) }</> }
    };
    let rows: Vec<Html> = match props.low_first {
        false => range.clone().map(row).collect(),
        true => range.clone().rev().map(row).collect(),
    };
    html! {
        <tbody {class} style={task.map(task_style)}>
            if let Some(frame) = frame { { title(frame, &props.names) } }
            { for rows }
        </tbody>
    }
}

fn title(frame: &FrameView, names: &[AttrValue]) -> Html {
    let who = names.get(frame.task as usize).cloned().unwrap_or_default();
    html! {
        <tr class="title"><th colspan="3" scope="rowgroup">
            <b>{ &frame.function }</b>{ " · " }{ who }
            if let Some(statement) = frame.statement { { format!(" · line {}", statement.line) } }
            if frame.runtime { <span class="dim">{ " · runtime" }</span> }
        </th></tr>
    }
}

fn row(props: &GroupProps, view: &WordView, dead: bool) -> Html {
    let is_sp = props.stack.view.sp == Some(view.address);
    let left_by = view.task.and_then(|task| props.names.get(task as usize));
    let text = match (dead, left_by) {
        (true, Some(name)) => format!("dead, left by {name}"),
        _ => meaning(&view.meaning),
    };
    let value = memory_cell(view, props.word_bytes, &props.map, &props.on_press);
    html! {
        <tr class={classes!(is_sp.then_some("sp"))} data-address={format!("{:x}", view.address)}>
            <th scope="row" title={format!("{:#x}", view.address)}>{ short_address(view.address, 5) }</th>
            <td>{ value }</td>
            <td class="about">
                <div>
                    <span class="meaning">{ text }</span>
                    if let Some(before) = &view.changed_from { { word::old(before) } }
                    if is_sp { <span class="sp-mark">{ "◀ " }{ &props.sp_name }</span> }
                </div>
            </td>
        </tr>
    }
}
