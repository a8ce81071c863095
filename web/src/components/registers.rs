//! The registers: what each holds, what it held, and where it points.

use std::rc::Rc;

use costack_sim::view::{RegisterClass, RegisterView, Value};
use yew::prelude::*;

use super::{
    cell::{Cell, Pressed},
    panel::Panel,
    word,
};
use crate::model::{present::Row, state::Subject};

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The instruction set's name.
    pub isa: AttrValue,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// All of them.
    pub registers: Rc<[Row]>,
    /// A value was pressed.
    pub on_press: Callback<Pressed>,
}

/// The registers: what each holds, what it held, and where it points.
#[component]
pub fn Registers(props: &Props) -> Html {
    let detail = html! {
        <><span>{ &props.isa }</span><span class="right">{ "bold: callee-saved" }</span></>
    };
    let rows = props.registers.iter().map(|register| {
        html! { <RowView key={register.view.name} row={register.clone()} word_bytes={props.word_bytes}
                on_press={&props.on_press} /> }
    });
    html! {
        <Panel title="Registers" class="registers" {detail}>
            <table class="mono">
                <thead class="visually-hidden">
                    <tr><th>{ "register" }</th><th>{ "value" }</th><th>{ "before, or where it points" }</th></tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    row: Row,
    word_bytes: u32,
    on_press: Callback<Pressed>,
}

#[component]
fn RowView(props: &RowProps) -> Html {
    let RegisterView {
        name,
        value,
        initialised,
        class,
        changed_from,
        ..
    } = &props.row.view;
    let width = match class {
        RegisterClass::Control | RegisterClass::Flags => 4,
        _ => props.word_bytes,
    };
    let kept = matches!(
        class,
        RegisterClass::CalleeSaved | RegisterClass::StackPointer
    );
    let unset = (!initialised).then_some("not written");
    let note = match changed_from {
        Some(Value::Uninitialised) => html! { <span class="old">{ "was not written" }</span> },
        Some(before) => word::old(before),
        None => html! { { &props.row.note } },
    };
    html! {
        <tr class={classes!(kept.then_some("kept"))} data-register={*name}>
            <th scope="row">{ *name }</th>
            <td>
                <Cell subject={Subject::Register(name)} value={*value} {width} {unset} changed={changed_from.is_some()}
                    label={*name} pointer={props.row.pointer} on_press={&props.on_press} />
            </td>
            <td class="about">{ note }</td>
        </tr>
    }
}
