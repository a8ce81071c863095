//! The root component: the page's state, and what changes it.

use costack_sim::{gallery::SCENARIOS, program::Isa, view::Granularity};
use yew::prelude::*;

use crate::{
    components::{Board, Header},
    hooks::{Chord, use_bench, use_keys, use_pulse, use_theme},
    model::{
        scenario::title,
        state::{Action, State},
    },
};

/// The whole page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(State::new);
    let report = use_bench();
    let (theme, on_theme) = use_theme();
    let act = use_callback(state.dispatcher(), |action, state| state.dispatch(action));
    let advance = use_callback(act.clone(), |steps, act| act.emit(Action::Advance(steps)));
    use_pulse(state.playing, state.speed, advance);
    let on_key = use_callback(act.clone(), |chord: Chord, act: &Callback<Action>| {
        action_of(&chord).map(|action| act.emit(action)).is_some()
    });
    use_keys(on_key);
    let titles = use_memo((), |()| {
        SCENARIOS
            .iter()
            .map(|scenario| title(scenario).into())
            .collect::<Vec<AttrValue>>()
    });
    html! {
        <div class="app">
            <Header {titles} chosen={state.chosen} isas={vec![Isa::X86_64]} isa={state.isa} {theme}
                on_action={&act} {on_theme} />
            { match &state.run {
                Ok(run) => html! {
                    <Board text={&state.text} isa={state.isa} listing={&run.listing} now={&run.now}
                        timeline={&run.timeline} breakpoints={&run.breakpoints} playing={state.playing}
                        speed={state.speed} unit={state.unit} {report} on_action={act} />
                },
                Err(problem) => html! {
                    <main class="problem"><pre role="alert">{ problem }</pre></main>
                },
            } }
        </div>
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
    match key.as_str() {
        "ArrowRight" => Some(Action::Forward(unit)),
        "ArrowLeft" => Some(Action::Backward(unit)),
        "Home" => Some(Action::Jump(0)),
        "End" => Some(Action::JumpToEnd),
        " " => Some(Action::TogglePlaying),
        _ => None,
    }
}
