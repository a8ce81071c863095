//! What can be done with a pressed cell.

use costack_sim::view::{Breakpoint, Intervention};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

use super::cell::Pressed;
use crate::model::{
    run::Move,
    state::{Action, Subject},
};

/// What the menu is about.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The cell.
    pub pressed: Pressed,
    /// Bytes in a machine word.
    pub word_bytes: u32,
    /// Breakpoints that are set.
    pub breakpoints: Vec<Breakpoint>,
    /// Something was chosen.
    pub on_action: Callback<Action>,
    /// The menu is no longer wanted.
    pub on_close: Callback<()>,
}

/// What can be done with a pressed cell.
#[component]
pub fn CellMenu(props: &Props) -> Html {
    let menu = use_node_ref();
    let editing = use_state(|| false);
    {
        let menu = menu.clone();
        use_effect_with(props.pressed.clone(), move |_| focus_first(&menu));
    }
    let close = props.on_close.clone();
    let act = |action: Action| {
        let (on_action, close) = (props.on_action.clone(), close.clone());
        Callback::from(move |_: MouseEvent| {
            on_action.emit(action.clone());
            close.emit(());
        })
    };
    let breakpoint = match &props.pressed.subject {
        Subject::Register(name) => Breakpoint::RegisterWrite(name),
        Subject::Memory(range) => Breakpoint::MemoryWrite(range.clone()),
    };
    let is_set = props.breakpoints.contains(&breakpoint);
    let name = match &props.pressed.subject {
        Subject::Register(name) => (*name).to_owned(),
        Subject::Memory(range) => format!("{:#x}", range.start),
    };
    let onkeydown = {
        let (menu, close) = (menu.clone(), close.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" | "Tab" => close.emit(()),
            "ArrowDown" => move_focus(&menu, 1, &event),
            "ArrowUp" => move_focus(&menu, -1, &event),
            _ => {}
        })
    };
    let (left, top) = props.pressed.at;
    let place = format!("left:min({left:.0}px, 100vw - 236px);top:min({top:.0}px, 100vh - 150px)");
    if *editing {
        let ground = close.reform(|_: MouseEvent| ());
        return html! {
            <>
                <div class="menu-ground" onclick={ground}></div>
                <Change {place} {name} pressed={props.pressed.clone()} word_bytes={props.word_bytes}
                    on_action={&props.on_action} on_close={&props.on_close} />
            </>
        };
    }
    let edit = {
        let editing = editing.clone();
        Callback::from(move |_: MouseEvent| editing.set(true))
    };
    html! {
        <>
            <div class="menu-ground" onclick={close.reform(|_: MouseEvent| ())}></div>
            <div class="menu" role="menu" aria-label={format!("About {name}")} ref={menu} {onkeydown}
                style={place}>
                <p>{ name }</p>
                <button type="button" role="menuitem" onclick={act(Action::Go(Move::JumpToWriter(props.pressed.subject.clone())))}>
                    { "Who wrote this?" }
                </button>
                <button type="button" role="menuitem" onclick={act(Action::ToggleBreakpoint(breakpoint))}>
                    { if is_set { "Do not stop when it is written" } else { "Stop when it is written" } }
                </button>
                <button type="button" role="menuitem" onclick={edit}>{ "Change it here …" }</button>
            </div>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct ChangeProps {
    place: String,
    name: String,
    pressed: Pressed,
    word_bytes: u32,
    on_action: Callback<Action>,
    on_close: Callback<()>,
}

/// Another value for a register or a word of memory.
#[component]
fn Change(props: &ChangeProps) -> Html {
    let field = use_node_ref();
    let problem = use_state(|| "");
    {
        let field = field.clone();
        use_effect_with((), move |()| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                // An element on the screen takes the focus.
                let _ = field.focus();
                field.select();
            }
        });
    }
    let onsubmit = {
        let (field, problem, pressed) = (field.clone(), problem.clone(), props.pressed.clone());
        let (act, close, word) = (
            props.on_action.clone(),
            props.on_close.clone(),
            props.word_bytes,
        );
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = field.cast::<HtmlInputElement>().map(|field| field.value());
            match parse_word(&text.unwrap_or_default(), word) {
                Some(value) => {
                    act.emit(Action::Intervene(intervention(&pressed.subject, value)));
                    close.emit(());
                }
                None => problem.set("a number: decimal, or hexadecimal behind 0x"),
            }
        })
    };
    let onkeydown = {
        let close = props.on_close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close.emit(());
            }
        })
    };
    html! {
        <form class="menu change" style={props.place.clone()} {onsubmit} {onkeydown}
            aria-label={format!("Change {}", props.name)}>
            <label><span class="mono">{ &props.name }</span>
                <input ref={field} class="field mono" spellcheck="false" autocomplete="off"
                    aria-invalid={(!problem.is_empty()).to_string()} value={props.pressed.value.clone()} /></label>
            if !problem.is_empty() { <p class="wrong-value" role="alert">{ *problem }</p> }
            <p>{ "History branches here; Undo leads back." }</p>
            <button type="submit" class="button small primary">{ "Change" }</button>
        </form>
    }
}

fn intervention(subject: &Subject, value: u64) -> Intervention {
    match subject {
        Subject::Register(name) => Intervention::SetRegister {
            register: (*name).to_owned(),
            value,
        },
        Subject::Memory(range) => {
            let width = (range.end - range.start).min(8) as usize;
            Intervention::SetBytes {
                address: range.start,
                bytes: value.to_le_bytes()[..width].to_vec(),
            }
        }
    }
}

/// A number as people write it; a negative one in as many bytes as a word has.
fn parse_word(text: &str, word_bytes: u32) -> Option<u64> {
    let text = text.trim().replace([',', '_'], "");
    let mask = u64::MAX >> (64 - 8 * word_bytes.clamp(1, 8));
    if let Some(digits) = text.strip_prefix('-') {
        let value: u64 = digits.parse().ok()?;
        return (value <= mask / 2 + 1).then(|| value.wrapping_neg() & mask);
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
    .filter(|value| *value <= mask)
}

fn items(menu: &NodeRef) -> Vec<HtmlElement> {
    let Some(menu) = menu.cast::<HtmlElement>() else {
        return Vec::new();
    };
    let Ok(found) = menu.query_selector_all("[role=menuitem]") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.get(index)?.dyn_into().ok())
        .collect()
}

fn focus_first(menu: &NodeRef) {
    if let Some(first) = items(menu).first() {
        // An element on the screen takes the focus.
        let _ = first.focus();
    }
}

fn move_focus(menu: &NodeRef, by: isize, event: &KeyboardEvent) {
    event.prevent_default();
    let items = items(menu);
    let focused = gloo::utils::document().active_element();
    let index = items.iter().position(|item| focused.as_ref() == Some(item));
    let count = items.len() as isize;
    let next = index.map_or(0, |index| (index as isize + by).rem_euclid(count.max(1)));
    if let Some(item) = items.get(next as usize) {
        let _ = item.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_people_write_them() {
        assert_eq!(parse_word(" 42 ", 8), Some(42));
        assert_eq!(parse_word("0x7fff_0000", 4), Some(0x7fff_0000));
        assert_eq!(parse_word("-1", 4), Some(0xffff_ffff));
        assert_eq!(parse_word("-1", 8), Some(u64::MAX));
        assert_eq!(parse_word("0x1_0000_0000", 4), None);
        assert_eq!(parse_word("rax", 8), None);
        assert_eq!(parse_word("", 8), None);
    }

    #[test]
    fn writes_a_word_with_its_lowest_byte_first() {
        let what = intervention(&Subject::Memory(16..20), 0x0102_0304);
        let expect = Intervention::SetBytes {
            address: 16,
            bytes: vec![4, 3, 2, 1],
        };
        assert_eq!(what, expect);
    }
}
