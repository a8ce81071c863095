//! Every task's save stack: what is kept in it, and where the task is.

use std::rc::Rc;

use costack_sim::view::{SaveStack, TaskNumber, TaskStatus, TaskView};
use yew::prelude::*;

use super::{
    cell::{Pressed, memory_cell},
    panel::Panel,
    task::{Chip, task_class, task_style},
};
use crate::{
    hooks::use_keep_in_view,
    model::{
        snapshot::{TaskSnapshot, Word},
        text::{bytes, count, meaning, short_address, status},
    },
};

/// Words of an image that are shown before all of them are asked for. Of many tasks, only the one
/// that the last step is about shows any: the others then stand below each other, a line for each.
fn first_words(cards: usize, about: bool) -> usize {
    match cards {
        0..=2 => 14,
        3..=6 => 8,
        7..=MANY => 3,
        _ if about => 8,
        _ => 0,
    }
}

/// So many tasks still have room for what is in their save stacks.
const MANY: usize = 12;

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All tasks; main has no card.
    pub tasks: Rc<[Rc<TaskSnapshot>]>,
    /// Names of all stacks, by number.
    pub stacks: Rc<[AttrValue]>,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// The task that the last step is about: its card is kept in view.
    pub about: Option<TaskNumber>,
    /// A value was pressed.
    pub on_press: Callback<Pressed>,
    /// Bytes of all save stacks.
    pub total_bytes: u64,
}

/// Every task's save stack: what is kept in it, and where the task is.
#[component]
pub fn Saves(props: &Props) -> Html {
    let body = use_node_ref();
    use_keep_in_view(&body, "[data-about]", props.about);
    let detail = html! {
        <span>{ format!("{} in all", bytes(props.total_bytes)) }</span>
    };
    let count = props.tasks.len().saturating_sub(1);
    let cards = props.tasks.iter().skip(1).map(|task| {
        let stack = props
            .stacks
            .get(task.view.stack as usize)
            .cloned()
            .unwrap_or_default();
        let about = props.about == Some(task.view.number);
        let first = first_words(count, about);
        html! { <Card key={task.view.number} {task} {stack} {about} {first} word_bytes={props.word_bytes}
        on_press={&props.on_press} /> }
    });
    html! {
        <Panel title="Tasks and save stacks" id="saves" class="fill saves" {detail} {body}>
            <ul>{ for cards }</ul>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct CardProps {
    task: Rc<TaskSnapshot>,
    stack: AttrValue,
    /// Whether the last step is about it.
    about: bool,
    /// Words that are shown at first.
    first: usize,
    word_bytes: u32,
    on_press: Callback<Pressed>,
}

#[component]
fn Card(props: &CardProps) -> Html {
    let all = use_state(|| false);
    let TaskView {
        number,
        name,
        status: state,
        statement,
        save,
        fp,
        ..
    } = &props.task.view;
    let is_out = save.is_some_and(|save| save.used > 0);
    let line = statement.map(|statement| format!(" at line {}", statement.line));
    let words = &props.task.image;
    let shown = if *all {
        words.len()
    } else {
        props.first.min(words.len())
    };
    let rest = words.len() - shown;
    // One line, which says how much there is to be seen.
    let compact = shown == 0;
    let class = classes!(
        "card",
        task_class(*number),
        is_out.then_some("out"),
        (*state == TaskStatus::Ended).then_some("ended")
    );
    let more = {
        let all = all.clone();
        Callback::from(move |_: MouseEvent| all.set(!*all))
    };
    html! {
        <li {class} style={task_style(*number)} data-about={props.about.then_some("")} data-testid={format!("task-{name}")}>
            <div class="head">
                <Chip task={*number} name={name.clone()} />
                <span class="state">{ status(state) }{ line.unwrap_or_default() }</span>
                if *fp { <abbr title="keeps its own floating-point control word">{ "fp" }</abbr> }
                <span class="fill-level" data-testid={format!("used-{name}")}>{ level(*save) }</span>
                if is_out && props.first == 0 {
                    <button type="button" class="more" onclick={&more} aria-expanded={all.to_string()}
                        aria-label={format!("Words of {name}")}>
                        { if *all { "▾" } else { "▸" } }
                    </button>
                }
            </div>
            if is_out && !compact {
                <table class="memory mono" aria-label={format!("Save stack of {name}")}>
                    <tbody>{ for words.iter().take(shown).map(|view| row(view, props)) }</tbody>
                </table>
                if props.first > 0 && (rest > 0 || *all && words.len() > props.first) {
                    <button type="button" class="more" onclick={more} aria-expanded={all.to_string()}>
                        { if *all { "show fewer".to_owned() } else { format!("⋯ {} more words", count(rest as u64)) } }
                    </button>
                }
                if let Some(checksum) = save.and_then(|save| save.checksum) {
                    <p class="note">{ "checksum " }<span class="mono">{ format!("{checksum:016x}") }</span></p>
                }
            } else if !is_out && props.first > 0 {
                <p class="note">{ where_it_is(props) }</p>
            }
        </li>
    }
}

fn level(save: Option<SaveStack>) -> String {
    match save {
        Some(SaveStack { capacity: 0, .. }) => "no save stack yet".to_owned(),
        Some(SaveStack { used, capacity, .. }) => {
            format!("{} of {} B", count(used.into()), count(capacity.into()))
        }
        None => "own stack".to_owned(),
    }
}

fn where_it_is(props: &CardProps) -> String {
    let stack = &props.stack;
    match (&props.task.view.status, props.task.view.save) {
        (TaskStatus::Ended, _) => "has ended: nothing of it is left".to_owned(),
        (_, None) => format!("its bytes stay on its own stack {stack}: nothing is ever copied"),
        (_, Some(_)) => format!("its bytes are on stack {stack} now: nothing is kept here"),
    }
}

/// A word of the image; `address` as on the stack, which is what its frames know.
fn row(view: &Word, props: &CardProps) -> Html {
    let save = props.task.view.save.unwrap_or_default();
    let on_stack = view
        .address
        .wrapping_sub(save.address)
        .wrapping_add(save.image_low);
    let value = memory_cell(view, props.word_bytes, &props.on_press);
    let title = format!("kept at {:#x}, belongs to {on_stack:#x}", view.address);
    html! {
        <tr data-address={format!("{:x}", view.address)} {title}>
            <th scope="row">{ short_address(on_stack, 5) }</th>
            <td>{ value }</td>
            <td class="about meaning">{ meaning(&view.meaning) }</td>
        </tr>
    }
}
