//! A task's colour and name.

use costack_sim::view::TaskNumber;
use yew::prelude::*;

/// The style that gives an element a task's colours; together with [`task_class`].
pub fn task_style(task: TaskNumber) -> String {
    format!("--task:{}", task.saturating_sub(1))
}

/// The classes that give an element a task's colours.
pub fn task_class(task: TaskNumber) -> Classes {
    classes!("task", (task == 0).then_some("main"))
}

/// What a chip shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whose colours; of nobody, those of main.
    pub task: Option<TaskNumber>,
    /// Its name.
    pub name: AttrValue,
    /// More behind the name.
    #[prop_or_default]
    pub children: Html,
}

/// A task's name in its colours.
#[component]
pub fn Chip(props: &Props) -> Html {
    let task = props.task.unwrap_or(0);
    html! {
        <span class={classes!("chip", task_class(task))} style={task_style(task)}>
            { &props.name }{ props.children.clone() }
        </span>
    }
}
