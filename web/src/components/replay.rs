//! All panels of a recorded trace.

use costack_sim::view::TaskNumber;
use yew::prelude::*;

use super::{
    controls::Controls,
    native::Native,
    output::Output,
    panel::Panel,
    sentence::Sentence,
    task::{Chip, task_class, task_style},
    timeline::Timeline,
};
use crate::{
    hooks::{Fetched, use_keep_in_view},
    model::{
        present::Saying,
        replay::{Moment, Replay as Model, Status},
        speed::Speed,
        state::Action,
        text::{bytes, count},
    },
};

/// Events that are listed on either side of the position.
const AROUND: usize = 150;

/// Parts of the width.
const COLUMNS: &str = "--columns:minmax(0,380fr) minmax(0,300fr) minmax(0,340fr) minmax(0,324fr)";

/// Tasks that have a card; of more, the others are counted.
const CARDS: usize = 200;

/// What the panels show.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The trace.
    pub replay: Model,
    /// Whether steps are made by themselves.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// What the step buttons step over.
    pub unit: costack_sim::view::Granularity,
    /// Native results.
    pub report: Fetched,
    /// Something was pressed.
    pub on_action: Callback<Action>,
}

/// All panels of a recorded trace.
#[component]
pub fn Replay(props: &Props) -> Html {
    let replay = &props.replay;
    let now = &replay.now;
    let on_jump = use_callback(props.on_action.clone(), |position, act| {
        act.emit(Action::jump(position));
    });
    let last = now.position.checked_sub(1);
    let saying = Saying {
        code: String::new(),
        text: last.map_or_else(
            || "Nothing has happened yet. → goes to the first event.".to_owned(),
            |last| replay.words(last),
        ),
        task: last.map(|last| {
            let task = replay.task_of(last);
            (task, now.name(task).into())
        }),
        place: format!("{} ns", count(now.at_ns)),
    };
    html! {
        <>
            <main class="board replay" style={COLUMNS}>
                <div class="column text"><Events replay={replay.clone()} on_jump={&on_jump} /></div>
                <div class="column stacks"><Stacks now={now.clone()} /></div>
                <div class="column tasks">
                    <Tasks now={now.clone()} />
                    <Output lines={replay.output()} fault={None::<AttrValue>} />
                </div>
                <div class="column numbers">
                    <Panel title="Trace" class="about-trace">
                        <p class="empty"><b>{ &replay.file }</b>{ " · " }{ &replay.backend }</p>
                        <p class="empty">
                            { "Events as they were recorded: resumes, saves, restores, changes of owner. A trace \
                               holds no instructions and no bytes, so those panels are not here." }
                        </p>
                    </Panel>
                    <Native report={props.report.clone()} eviction={replay.eviction()} />
                </div>
            </main>
            <footer class="bottom">
                <Sentence {saying} note="" position={now.position as u64} steps={replay.len() as u64}
                    statistics={now.statistics} polite={!props.playing} is_fault={false} />
                <Timeline timeline={&replay.timeline} position={now.position as u64} {on_jump} />
                <Controls playing={props.playing} speed={props.speed} unit={props.unit} hurrying={None::<(u64, u64)>}
                    at_start={now.position == 0} at_end={replay.is_over()} of_trace={true} on_action={&props.on_action} />
            </footer>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct EventsProps {
    replay: Model,
    on_jump: Callback<u64>,
}

/// The events around the position; the last one is marked.
#[component]
fn Events(props: &EventsProps) -> Html {
    let replay = &props.replay;
    let here = replay.now.position;
    let body = use_node_ref();
    use_keep_in_view(&body, "[aria-current]", here);
    let (from, to) = (
        here.saturating_sub(AROUND),
        (here + AROUND).min(replay.len()),
    );
    let detail = html! { <span>{ format!("{} in all", count(replay.len() as u64)) }</span> };
    let rows = (from..to).map(|index| {
        let is_last = index + 1 == here;
        let task = replay.task_of(index);
        let at_ns = replay.records[index].at_ns;
        let onclick = props.on_jump.reform(move |_: MouseEvent| index as u64 + 1);
        let class = classes!("event", task_class(task), is_last.then_some("last"));
        html! {
            <li key={index} {class} style={task_style(task)} aria-current={is_last.then_some("step")}>
                <button type="button" {onclick}>
                    <span class="when mono">{ format!("{} ns", count(at_ns)) }</span>
                    <span>{ replay.words(index) }</span>
                </button>
            </li>
        }
    });
    html! {
        <Panel title="Events" class="fill events" {detail} {body}>
            if from > 0 { <p class="empty">{ format!("{} before", count(from as u64)) }</p> }
            <ol>{ for rows }</ol>
            if to < replay.len() { <p class="empty">{ format!("{} more", count((replay.len() - to) as u64)) }</p> }
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct NowProps {
    now: std::rc::Rc<Moment>,
}

/// The shared stacks and their owners.
#[component]
fn Stacks(props: &NowProps) -> Html {
    let now = &props.now;
    let name = |task: Option<TaskNumber>| match task {
        Some(task) => now.name(task),
        None => "nobody".to_owned(),
    };
    let rows = now.stacks.iter().map(|(stack, owner)| {
        let before = owner.before.map(|(before, event)| {
            let ago = (now.position - event).saturating_sub(1);
            match ago {
                0 => format!("← {}, just now", name(before)),
                _ => format!("← {}, {} events ago", name(before), count(ago as u64)),
            }
        });
        html! {
            <li key={*stack} class="card">
                <div class="head">
                    <b>{ format!("Stack {stack}") }</b>
                    <span class="owner">{ "owner " }
                        <span data-testid={format!("owner-{stack}")}><Chip task={owner.now} name={name(owner.now)} /></span>
                    </span>
                    if let Some(before) = before { <span class="dim">{ before }</span> }
                </div>
            </li>
        }
    });
    html! {
        <Panel title="Shared stacks" class="fill saves">
            if now.stacks.is_empty() { <p class="empty">{ "no stack has changed hands yet" }</p> }
            <ul>{ for rows }</ul>
        </Panel>
    }
}

/// The tasks, and what is kept of each.
#[component]
fn Tasks(props: &NowProps) -> Html {
    let now = &props.now;
    let largest = now.statistics.largest_image.max(1);
    let cards = now.tasks.iter().take(CARDS).map(|(number, task)| {
        let class = classes!(
            "card",
            task_class(*number),
            task.image.is_some().then_some("out"),
            (task.status == Status::Ended).then_some("ended")
        );
        let share = task.image.map(|image| 100.0 * f64::from(image) / f64::from(largest));
        let level = match (task.image, task.own_stack) {
            (Some(image), _) => bytes(u64::from(image)),
            (None, true) => "own stack".to_owned(),
            (None, false) => "nothing kept".to_owned(),
        };
        html! {
            <li key={*number} {class} style={task_style(*number)} data-testid={format!("task-{}", task.name)}>
                <div class="head">
                    <Chip task={*number} name={task.name.clone()} />
                    <span class="state">{ task.status.words() }</span>
                    <span class="fill-level">{ level }</span>
                </div>
                if let Some(share) = share { <div class="image-bar" style={format!("width:{share:.1}%")}></div> }
            </li>
        }
    });
    let more = now.tasks.len().saturating_sub(CARDS);
    let detail = html! { <span>{ count(now.tasks.len() as u64) }</span> };
    html! {
        <Panel title="Tasks and save stacks" id="saves" class="fill saves" {detail}>
            <ul>{ for cards }</ul>
            if more > 0 { <p class="empty">{ format!("{} more", count(more as u64)) }</p> }
        </Panel>
    }
}
