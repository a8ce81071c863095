//! A run that goes by itself.

use std::{cell::Cell, rc::Rc};

use gloo::timers::callback::Interval;
use yew::prelude::*;

use crate::model::speed::Speed;

/// How long the steps of one pulse may take at full speed, in milliseconds.
const SLICE_MS: f64 = 8.0;

/// While `playing`, calls `advance` with a number of steps, as often as the speed says.
#[hook]
pub fn use_pulse(playing: bool, speed: Speed, advance: Callback<u64>) {
    use_effect_with((playing, speed), move |&(playing, speed)| {
        let timer = playing.then(|| {
            let (period_ms, steps) = speed.pulse();
            let slice = Rc::new(Cell::new(64_u64));
            Interval::new(period_ms, move || {
                let Some(steps) = steps else {
                    let began = now_ms();
                    advance.emit(slice.get());
                    let factor = (SLICE_MS / (now_ms() - began).max(0.1)).clamp(0.25, 2.0);
                    let next = (slice.get() as f64 * factor) as u64;
                    slice.set(next.clamp(16, 1_000_000));
                    return;
                };
                advance.emit(steps);
            })
        });
        move || drop(timer)
    });
}

fn now_ms() -> f64 {
    gloo::utils::window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}
