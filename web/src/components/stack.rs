//! A stack's memory: frames in their tasks' colours, sp, and what each word means.

use std::rc::Rc;

use costack_sim::view::{FrameView, Meaning, StackKind, StackNumber, TaskNumber};
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
        snapshot::{StackSnapshot, Word},
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
    let mut groups = groups(&props.stack);
    if props.low_first {
        groups.reverse();
    }
    let rows = groups.into_iter().map(|group| {
        let key = group.key();
        html! { <Group {key} {group} names={&props.names} word_bytes={props.word_bytes}
        sp_name={&props.sp_name} low_first={props.low_first} on_press={&props.on_press} /> }
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
                if let Some(before) = before { <span class="before">{ before }</span> }
            } else if let (StackKind::Own, Some(owner)) = (view.kind, view.owner) {
                <Chip task={owner} name={name(Some(owner))} />
            }
        </>
    }
}

/// Words that lie next to each other and belong together: all that is drawn of them.
#[derive(Clone, PartialEq, Debug)]
struct Words {
    /// The place of the first one among the stack's words.
    start: usize,
    words: Vec<Rc<Word>>,
    /// The frame they lie in.
    frame: Option<FrameView>,
    /// Whether they are dead.
    dead: bool,
    /// The stack pointer, if it points at one of them.
    sp: Option<u64>,
    /// How many words are left out, and in front of which of these.
    left_out: Option<(usize, u64)>,
}

impl Words {
    /// The same for the same place, whatever is above or below.
    fn key(&self) -> String {
        format!("{}-{}", self.start, self.dead)
    }
}

fn is_dead(word: &Word) -> bool {
    matches!(word.meaning, Meaning::Dead)
}

fn groups(stack: &StackSnapshot) -> Vec<Words> {
    let mut start = 0;
    let parts = stack
        .words
        .chunk_by(|a, b| (a.frame, is_dead(a)) == (b.frame, is_dead(b)));
    let groups = parts.map(|words| {
        let range = start..start + words.len();
        start = range.end;
        let frame = words[0].frame;
        let left_out = stack.left_out.filter(|(before, _)| range.contains(before));
        Words {
            start: range.start,
            frame: frame.and_then(|index| stack.view.frames.get(index).cloned()),
            dead: is_dead(&words[0]),
            sp: stack
                .view
                .sp
                .filter(|sp| words.iter().any(|word| word.address == *sp)),
            left_out: left_out.map(|(before, count)| (before - range.start, count)),
            words: words.to_vec(),
        }
    });
    groups.collect()
}

#[derive(Properties, PartialEq)]
struct GroupProps {
    group: Words,
    names: Rc<[AttrValue]>,
    word_bytes: u32,
    sp_name: AttrValue,
    low_first: bool,
    on_press: Callback<Pressed>,
}

/// Drawn again only when something in it has changed.
#[component]
fn Group(props: &GroupProps) -> Html {
    let group = &props.group;
    let task = group
        .frame
        .as_ref()
        .map(|frame| frame.task)
        .or_else(|| group.words.iter().find_map(|word| word.task));
    let class = classes!("frame", task.map(task_class), group.dead.then_some("dead"),);
    let numbered = group.words.iter().enumerate().map(|(index, word)| {
        let left_out = group.left_out.filter(|(before, _)| *before == index);
        let gap = left_out.map(|(_, words)| {
            let text = format!("⋯ {} words not shown", count(words));
            html! { <tr class="gap"><td colspan="3">{ text }</td></tr> }
        });
        html! { <>{ for gap }{ row(props, word) }</> }
    });
    let mut rows: Vec<Html> = numbered.collect();
    if props.low_first {
        rows.reverse();
    }
    html! {
        <tbody {class} style={task.map(task_style)}>
            if let Some(frame) = &group.frame { { title(frame, &props.names) } }
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

fn row(props: &GroupProps, view: &Word) -> Html {
    let is_sp = props.group.sp == Some(view.address);
    let left_by = view.task.and_then(|task| props.names.get(task as usize));
    let text = match (props.group.dead, left_by) {
        (true, Some(name)) => format!("dead, left by {name}"),
        _ => meaning(&view.meaning),
    };
    let value = memory_cell(view, props.word_bytes, &props.on_press);
    // Most words are just what they mean.
    let about = if view.changed_from.is_none() && !is_sp {
        html! { <td class="about meaning">{ text }</td> }
    } else {
        html! {
            <td class="about">
                <div>
                    <span class="meaning">{ text }</span>
                    if let Some(before) = &view.changed_from { { word::old(before) } }
                    if is_sp { <span class="sp-mark">{ "◀ " }{ &props.sp_name }</span> }
                </div>
            </td>
        }
    };
    html! {
        <tr class={classes!(is_sp.then_some("sp"))} data-address={format!("{:x}", view.address)}>
            <th scope="row" title={format!("{:#x}", view.address)}>{ short_address(view.address, 5) }</th>
            <td>{ value }</td>
            { about }
        </tr>
    }
}
