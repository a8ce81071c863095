//! What the page promises in milliseconds, measured in the page and printed.
//!
//! Times depend on the machine and on what else it does, so these tests print them and fail only
//! when what is measured does not come about.

use costack_e2e::{Page, Test, WIDE, test, test_id};
use serde_json::Value;

use crate::explorer::{TWO_TASKS, open, position, put};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(paints_soon).only_at(&[WIDE]),
    test!(steps_quickly_with_a_hundred_tasks).only_at(&[WIDE]),
    test!(reaches_any_of_ten_thousand_steps).only_at(&[WIDE]),
];

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// Tasks that count up to `rounds`.
pub fn counting(tasks: usize, rounds: u64) -> String {
    let mut text = "scenario \"counting\"\nstack S shared 4096\n".to_owned();
    for task in 1..=tasks {
        text += &format!("task T{task} on S = work({rounds})\n");
    }
    text + "fn work(n) {\n    let i = 0\n    while i < n {\n        i = i + 1\n        yield\n    }\n}\n\
            main { run }\n"
}

fn paints_soon(page: &Page) {
    page.open("/");
    page.expect(test_id("position"));
    // A paint is reported when a frame was shown, which may be after the page answers.
    page.expect_js("performance.getEntriesByName('first-contentful-paint').length === 1");
    // The program sets this mark when its first page stands.
    page.expect_js("performance.getEntriesByName('costack').length === 1");
    let times = page.js(
        "return ['first-contentful-paint', 'costack']
            .map(name => performance.getEntriesByName(name)[0].startTime)",
        &[],
    );
    let (paint, usable) = (number(&times[0]), number(&times[1]));
    println!(
        "first paint with contents {paint:.0} ms after navigation, usable after {usable:.0} ms; promised 1000"
    );
}

/// Does something `count` times, once in a frame, at its beginning; how long each took to be drawn, in
/// milliseconds.
///
/// That is all that the page makes a user wait for: the event, the simulator, changing the page's
/// elements, and the browser's laying out and painting them, because a message that is posted in a
/// frame comes when that frame has been handed over for display. The wait for a display's next frame,
/// up to 17 ms that any page has, is not in it: nothing happens in it.
const IN_FRAMES: &str = "
    const slide = position => {
        const slider = document.querySelector('.timeline input');
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
        set.call(slider, String(position));
        slider.dispatchEvent(new InputEvent('input', {bubbles: true}));
    };
    const press = key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    const inFrames = async (count, act) => {
        const times = [];
        for (let index = 0; index < count; index++) {
            await new Promise(done => requestAnimationFrame(() => {
                const {port1, port2} = new MessageChannel();
                const began = performance.now();
                port1.onmessage = () => { times.push(performance.now() - began); done(); };
                act(index);
                port2.postMessage(0);
            }));
        }
        return times.sort((a, b) => a - b);
    };";

/// The middle one and the last one of sorted times.
fn median_and_worst(times: &Value) -> (f64, f64) {
    let times: Vec<f64> = times
        .as_array()
        .expect("times")
        .iter()
        .map(number)
        .collect();
    (times[times.len() / 2], times[times.len() - 1])
}

fn steps_quickly_with_a_hundred_tasks(page: &Page) {
    open(page, TWO_TASKS);
    put(page, &counting(100, 2));
    page.expect_js("document.querySelectorAll('.saves .card').length === 100");
    // To where most tasks are out.
    page.js(
        &format!(
            "{IN_FRAMES} slide(Math.floor(document.querySelector('.timeline input').max / 2))"
        ),
        &[],
    );
    let before = position(page);
    let times = page.js(
        &format!("{IN_FRAMES} return inFrames(200, () => press('ArrowRight'))"),
        &[],
    );
    assert_eq!(position(page), before + 200);
    let (median, worst) = median_and_worst(&times);
    println!(
        "a step with 100 tasks: median {median:.1} ms, worst {worst:.1} ms; promised 16 and 50"
    );
    page.screenshot("hundred");
}

fn reaches_any_of_ten_thousand_steps(page: &Page) {
    open(page, TWO_TASKS);
    put(page, &counting(4, 200));
    let steps = page.js(
        "return Number(document.querySelector('.timeline input').max)",
        &[],
    );
    assert!(number(&steps) >= 10_000.0, "{steps}");
    // Far and near, back and forth.
    let times = page.js(
        &format!("{IN_FRAMES} return inFrames(40, index => slide((index * 7919) % 10000))"),
        &[],
    );
    let (median, worst) = median_and_worst(&times);
    println!("a jump among 10,000 steps: median {median:.1} ms, worst {worst:.1} ms; promised 100");
    assert_eq!(position(page), (39 * 7919) % 10_000);
}
