//! The registers: what each holds, what it held, and where it points.

use std::rc::Rc;

use costack_sim::view::{RegisterClass, RegisterView, Value};
use yew::prelude::*;

use super::{panel::Panel, word};

/// A register with what can be said about its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The register.
    pub view: RegisterView,
    /// Where it points, in words; empty if that is not known.
    pub note: AttrValue,
}

/// What the panel shows.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The instruction set's name.
    pub isa: AttrValue,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// All of them.
    pub registers: Rc<[Row]>,
}

/// The registers: what each holds, what it held, and where it points.
#[component]
pub fn Registers(props: &Props) -> Html {
    let detail = html! {
        <><span>{ &props.isa }</span><span class="right">{ "bold: callee-saved" }</span></>
    };
    let rows = props.registers.iter().map(|register| {
        html! { <RowView key={register.view.name} row={register.clone()} word_bytes={props.word_bytes} /> }
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
    let shown = if *initialised {
        word::hex(*value, width)
    } else {
        html! { <span class="hex unset" title="nothing has been written to it yet">{ "not written" }</span> }
    };
    let cell = match changed_from {
        Some(_) => html! { <span class="changed">{ shown }{ word::dot() }</span> },
        None => shown,
    };
    let note = match changed_from {
        Some(Value::Uninitialised) => html! { <span class="old">{ "was not written" }</span> },
        Some(before) => word::old(before),
        None => html! { <span class="note">{ &props.row.note }</span> },
    };
    html! {
        <tr class={classes!(kept.then_some("kept"))} data-register={*name}>
            <th scope="row">{ *name }</th>
            <td>{ cell }</td>
            <td class="about">{ note }</td>
        </tr>
    }
}
