//! The root component: the page's state, and what changes it.

use costack_engine::trace;
use costack_sim::{program::Isa, variant::Stacks, view::Granularity};
use yew::prelude::*;

use crate::{
    components::{
        Board, Compare, Export, Header, Help, Proof, Replay, Share, isa_name, problem, spoken,
    },
    hooks::{
        Chord, base, download, fragment, use_address, use_bench, use_fragment, use_keys, use_pulse,
        use_theme,
    },
    model::{
        compare::compare,
        picture::{Heading, picture},
        scenario::groups,
        speed::Speed,
        state::{Action, State},
        text::file_name,
    },
};

/// The whole page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::new(&fragment()));
    let report = use_bench();
    let (theme, on_theme) = use_theme();
    let dialog = use_state(|| Dialog::None);
    let act = use_callback(state.dispatcher(), |action, state| state.dispatch(action));
    let advance = use_callback(act.clone(), |steps, act| act.emit(Action::Advance(steps)));
    use_pulse(state.playing, state.speed, advance);
    let hurry = use_callback(act.clone(), |steps, act| act.emit(Action::Hurry(steps)));
    use_pulse(state.hurrying, Speed::Full, hurry);
    let follow = use_callback(act.clone(), |fragment, act| {
        act.emit(Action::Follow(fragment))
    });
    use_fragment(follow);
    use_address(address_key(&state), {
        let state = state.clone();
        Callback::from(move |()| (!state.playing && !state.hurrying).then(|| fragment_of(&state)))
    });
    let on_export = {
        let state = state.clone();
        Callback::from(move |export| save(&state, export))
    };
    let on_share = use_callback(dialog.setter(), |(), dialog| dialog.set(Dialog::Share));
    let on_proof = use_callback(dialog.setter(), |(), dialog| dialog.set(Dialog::Proof));
    let on_help = use_callback(dialog.setter(), |(), dialog| dialog.set(Dialog::Help));
    let on_compare = use_callback(dialog.setter(), |(), dialog| dialog.set(Dialog::Compare));
    let on_close = use_callback(dialog.setter(), |(), dialog| dialog.set(Dialog::None));
    let on_key = use_callback(
        (act.clone(), dialog.setter()),
        |chord: Chord, (act, dialog)| {
            match (dialog_of(&chord), action_of(&chord)) {
                (Some(wanted), _) => dialog.set(wanted),
                (None, Some(action)) => act.emit(action),
                (None, None) => return false,
            }
            true
        },
    );
    use_keys(on_key);
    use_effect_with((), |()| {
        // For whoever measures how soon the page can be used.
        if let Some(performance) = gloo::utils::window().performance() {
            // A mark without options cannot be refused.
            let _ = performance.mark("costack");
        }
    });
    let groups = use_memo((), |()| groups());
    let measured = report.as_ref().and_then(|report| report.as_ref().ok());
    let is_embedded = !state.panels.is_empty();
    html! {
        <div class={classes!("app", is_embedded.then_some("embedded"))}>
            <Header {groups} chosen={state.chosen} file={&state.text.file} isas={Isa::ALL.to_vec()}
                isa={state.isa} stacks={state.stacks} {theme}
                replay={state.replay.as_ref().map(|replay| replay.file.clone()).unwrap_or_default()} on_action={&act} {on_theme} {on_help}
                {on_compare} {on_share} />
            if !state.notice.is_empty() {
                <div class="notice" role="status" data-testid="notice">
                    <span>{ &state.notice }</span>
                    <button type="button" class="button small" onclick={act.reform(|_: MouseEvent| Action::Heard)}>
                        { "Close" }
                    </button>
                </div>
            }
            { match (&state.replay, &state.run) {
                (Some(replay), _) => html! {
                    <Replay replay={replay.clone()} playing={state.playing} speed={state.speed}
                        unit={state.unit} report={report.clone()} on_action={&act} />
                },
                (None, Ok(run)) => html! {
                    <Board text={&state.text} isa={state.isa} run={run.clone()} draft={state.draft.clone()}
                        can_revert={state.can_revert()} hurrying={state.hurrying.then(|| progress(&state, run.reached()))}
                        panels={&state.panels} playing={state.playing} speed={state.speed}
                        unit={state.unit} report={report.clone()} on_action={&act} on_proof={&on_proof} />
                },
                (None, Err(problems)) => html! {
                    <main class="problem">
                        <h2>{ format!("{} cannot run", state.text.file) }</h2>
                        <ul role="alert">{ for problems.iter().map(problem) }</ul>
                    </main>
                },
            } }
            if is_embedded {
                <header>
                    <h1 class="visually-hidden">{ format!("Costack: {}", state.text.file) }</h1>
                    <a class="open-full" href={full_address(&state)} target="_blank" rel="noopener">{ "Open full ↗" }</a>
                </header>
            }
            <Help open={*dialog == Dialog::Help} on_close={&on_close} />
            if *dialog == Dialog::Compare {
                <Compare sections={compare(&state.text, state.isa, state.stacks, measured.map(|report| &**report))}
                    on_action={&act} on_close={&on_close}
                    origin={measured.map(|report| report.origin()).unwrap_or_default()} />
            }
            if *dialog == Dialog::Share {
                <Share address={format!("{}#{}", base(), state.link().to_fragment())} is_replay={state.replay.is_some()}
                    {on_export} on_action={&act} on_close={&on_close} />
            }
            if let (Dialog::Proof, Ok(run)) = (&*dialog, &state.run) {
                <Proof proofs={&run.proofs} isa={isa_name(state.isa)} on_close={&on_close} />
            }
        </div>
    }
}

/// What stands in front of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialog {
    None,
    Help,
    Compare,
    Share,
    Proof,
}

/// Steps made on the way to the end, and how many they will be at most.
fn progress(state: &State, reached: u64) -> (u64, u64) {
    let way = &state.way;
    (
        reached.saturating_sub(way.start),
        way.end.saturating_sub(way.start),
    )
}

/// Offers a file.
fn save(state: &State, export: Export) {
    const JSON: &str = "application/json";
    let stem = |file: &str, position: u64| {
        let name = file_name(file);
        let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        format!("{name}-{position}")
    };
    if let Some(replay) = &state.replay {
        let stem = stem(&replay.file, replay.now.position as u64);
        let past = &replay.records[..replay.now.position];
        return match export {
            Export::Perfetto => download(
                &format!("{stem}.perfetto.json"),
                JSON,
                &trace::perfetto(past),
            ),
            _ => download(
                &format!("{stem}.jsonl"),
                JSON,
                &trace::write(&replay.header, past),
            ),
        };
    }
    let Ok(run) = &state.run else { return };
    let stem = stem(&state.text.file, run.now.position);
    match export {
        Export::Scenario => download(
            file_name(&state.text.file),
            "text/plain;charset=utf-8",
            &state.text.whole,
        ),
        Export::Picture => {
            let title = format!(
                "{} · {} · {}",
                run.title,
                isa_name(state.isa),
                spoken(state.stacks)
            );
            let sentence = run.now.step.as_ref();
            let heading = Heading {
                title: &title,
                sentence: sentence.map_or("", |step| &step.sentence),
            };
            let svg = picture(&run.now, &heading);
            download(&format!("{stem}.svg"), "image/svg+xml", &svg);
        }
        Export::Trace => {
            let (header, records) = run.trace();
            let text = trace::write(&header, &records);
            download(&format!("{stem}.jsonl"), JSON, &text);
        }
        Export::Perfetto => {
            let (_, records) = run.trace();
            let text = trace::perfetto(&records);
            download(&format!("{stem}.perfetto.json"), JSON, &text);
        }
    }
}

/// What the address depends on.
fn address_key(state: &State) -> impl PartialEq + 'static {
    let run = state.run.as_ref().ok();
    let position = run.map_or(0, |run| run.now.position);
    let is_moving = state.playing || state.hurrying;
    (
        is_moving,
        run.map(|run| run.interventions.clone()),
        position,
        state.text.clone(),
        state.isa,
        state.stacks,
    )
}

/// What stands behind the `#`; nothing at the very beginning.
fn fragment_of(state: &State) -> String {
    let link = state.link();
    let is_start = state.chosen == Some(0)
        && link.position == 0
        && link.panels.is_empty()
        && link.branch.is_empty();
    if is_start && state.isa == Isa::X86_64 && state.stacks == Stacks::AsWritten {
        return String::new();
    }
    link.to_fragment()
}

/// The address of the same state with all panels.
fn full_address(state: &State) -> String {
    let mut link = state.link();
    link.panels.clear();
    format!("#{}", link.to_fragment())
}

/// The dialog that a key opens.
fn dialog_of(Chord { key, control, .. }: &Chord) -> Option<Dialog> {
    match (key.as_str(), control) {
        ("?", false) => Some(Dialog::Help),
        ("c", false) => Some(Dialog::Compare),
        ("p", false) => Some(Dialog::Proof),
        ("s", false) => Some(Dialog::Share),
        _ => None,
    }
}

/// What a key does.
fn action_of(
    Chord {
        key,
        shift,
        control,
    }: &Chord,
) -> Option<Action> {
    let unit = match (shift, control) {
        (false, false) => Granularity::Instruction,
        (true, false) => Granularity::Switch,
        (false, true) => Granularity::Statement,
        (true, true) => Granularity::Ownership,
    };
    match (key.as_str(), control) {
        ("ArrowRight", _) => Some(Action::forward(unit)),
        ("ArrowLeft", _) => Some(Action::backward(unit)),
        ("Home", false) => Some(Action::jump(0)),
        ("End", false) => Some(Action::JumpToEnd),
        (" ", false) => Some(Action::TogglePlaying),
        ("e", false) => Some(Action::ToggleEditor),
        ("f", false) => Some(Action::forward(Granularity::Fault)),
        ("u", false) => Some(Action::Undo),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, shift: bool, control: bool, expect: Option<Action>) {
        let chord = Chord {
            key: key.to_owned(),
            shift,
            control,
        };
        assert_eq!(action_of(&chord), expect);
    }

    #[test]
    fn arrows_step_by_what_is_held() {
        check(
            "ArrowRight",
            false,
            false,
            Some(Action::forward(Granularity::Instruction)),
        );
        check(
            "ArrowLeft",
            true,
            false,
            Some(Action::backward(Granularity::Switch)),
        );
        check(
            "ArrowLeft",
            false,
            true,
            Some(Action::backward(Granularity::Statement)),
        );
    }

    #[test]
    fn leaves_the_browsers_chords_alone() {
        check("f", false, true, None);
        check("a", false, false, None);
    }

    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen_test::wasm_bindgen_test]
    async fn shows_its_name() {
        let host = gloo::utils::document()
            .create_element("div")
            .expect("an element");
        yew::Renderer::<App>::with_root(host.clone()).render();
        // Rendering is scheduled, so the test lets the scheduler run first.
        yew::platform::time::sleep(std::time::Duration::ZERO).await;
        let heading = host
            .query_selector("h1")
            .expect("a valid selector")
            .expect("a heading");
        assert_eq!(heading.text_content().as_deref(), Some("Costack"));
    }
}
