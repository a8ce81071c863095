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
fn counting(tasks: usize, rounds: u64) -> String {
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

/// Dispatches keys and lets the page draw after each; how long each took, in milliseconds.
const KEYS: &str = "
    const [key, count] = arguments;
    const times = [];
    const once = () => new Promise(done => {
        const channel = new MessageChannel();
        const began = performance.now();
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
        // Yew draws in a microtask; asking for the height lays out. The message comes after both.
        channel.port1.onmessage = () => {
            document.body.offsetHeight;
            times.push(performance.now() - began);
            done();
        };
        channel.port2.postMessage(0);
    });
    let all = Promise.resolve();
    for (let i = 0; i < count; i++) all = all.then(once);
    return all.then(() => times)";

fn steps_quickly_with_a_hundred_tasks(page: &Page) {
    open(page, TWO_TASKS);
    put(page, &counting(100, 2));
    page.expect_js("document.querySelectorAll('.saves .card').length === 100");
    // To where most tasks are out.
    page.js(
        "const slider = document.querySelector('.timeline input');
         const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
         set.call(slider, String(Math.floor(slider.max / 2)));
         slider.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[],
    );
    let before = position(page);
    let times = page.js(KEYS, &["ArrowRight".into(), 200.into()]);
    assert_eq!(position(page), before + 200);
    let mut times: Vec<f64> = times
        .as_array()
        .expect("times")
        .iter()
        .map(number)
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[100], times[199]);
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
    let times = page.js(
        "const slider = document.querySelector('.timeline input');
         const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
         const times = [];
         const once = position => new Promise(done => {
             const channel = new MessageChannel();
             const began = performance.now();
             set.call(slider, String(position));
             slider.dispatchEvent(new InputEvent('input', {bubbles: true}));
             channel.port1.onmessage = () => {
                 document.body.offsetHeight;
                 times.push(performance.now() - began);
                 done();
             };
             channel.port2.postMessage(0);
         });
         let all = Promise.resolve();
         // Far and near, back and forth.
         for (let i = 0; i < 40; i++) all = all.then(() => once((i * 7919) % 10000));
         return all.then(() => times)",
        &[],
    );
    let mut times: Vec<f64> = times
        .as_array()
        .expect("times")
        .iter()
        .map(number)
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[20], times[39]);
    println!("a jump among 10,000 steps: median {median:.1} ms, worst {worst:.1} ms; promised 100");
    assert_eq!(position(page), (39 * 7919) % 10_000);
}
