//! A user asks the page: where does this lead, who wrote it, stop when it changes.

use costack_e2e::{Page, Test, WIDE, css, named, role, test, test_id};

use crate::explorer::{TWO_TASKS, open, position};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(tells_who_wrote_a_word_through_its_copies),
    test!(draws_the_arrow_of_a_pointer).only_at(&[WIDE]),
    test!(stops_when_a_register_is_written),
    test!(stops_when_a_stack_changes_hands),
    test!(shows_the_way_of_a_copy).only_at(&[WIDE]),
    test!(does_without_motion_where_that_is_wanted).only_at(&[WIDE]),
    test!(values_can_be_reached_by_keys),
    test!(helps),
];

/// Evicts A, then brings it back: its bytes have been out once.
fn bring_a_back(page: &Page) {
    open(page, TWO_TASKS);
    for _ in 0..3 {
        page.press("Control+Shift+ArrowRight");
    }
    page.expect_text(test_id("owner-S"), "A");
}

/// The button of the word whose meaning this is.
fn mark_word(page: &Page, meaning: &str) {
    let found = page.js(
        "for (const row of document.querySelectorAll('.stack.shared tr')) {
             if (row.querySelector('.meaning')?.innerText === arguments[0]) {
                 row.querySelector('.cell').dataset.testid = 'the-cell';
                 return true;
             }
         }",
        &[meaning.into()],
    );
    assert_eq!(found, true, "there is no {meaning} on the stack");
}

fn tells_who_wrote_a_word_through_its_copies(page: &Page) {
    bring_a_back(page);
    let asked_at = position(page);
    mark_word(page, "pad[0]");
    page.click(test_id("the-cell"));
    page.click(role("menuitem", "Who wrote this?"));
    page.expect(test_id("note"));
    let note = page.text(test_id("note"));
    assert!(note.contains("copied 2 times"), "{note}");
    assert!(position(page) < asked_at);
    let sentence = page.text(test_id("sentence"));
    assert!(
        sentence.contains("pad[0]") && sentence.contains("100"),
        "{sentence}"
    );
    page.screenshot("written");
}

fn draws_the_arrow_of_a_pointer(page: &Page) {
    open(page, TWO_TASKS);
    for _ in 0..4 {
        page.press("Shift+ArrowRight");
    }
    assert_eq!(page.count(css(".overlay .arrow")), 0);
    // sp's row is always kept in view.
    page.hover(css("[data-register=rsp] .cell"));
    page.expect(css(".overlay .arrow"));
    page.screenshot("arrow");
    page.hover(css("h1"));
    page.expect_gone(css(".overlay .arrow"));
}

fn stops_when_a_register_is_written(page: &Page) {
    open(page, TWO_TASKS);
    page.click(css("[data-register=rbx] .cell"));
    page.click(role("menuitem", "Stop when it is written"));
    page.choose(named("Speed"), "full speed");
    page.click(role("button", "Run"));
    page.expect_text(test_id("note"), "Stopped: rbx was written.");
    page.expect(css("[data-register=rbx] .changed"));
    page.expect(css("[data-register=rbx] .old"));
}

fn stops_when_a_stack_changes_hands(page: &Page) {
    open(page, TWO_TASKS);
    page.click(test_id("owner-S"));
    page.choose(named("Speed"), "full speed");
    page.click(role("button", "Run"));
    page.expect_text(test_id("owner-S"), "A");
    page.expect_text(test_id("note"), "Stopped: the stack changed hands.");
}

/// Steps onto the first save.
fn save_a(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    for _ in 0..4 {
        if page.text(test_id("sentence")).starts_with("saved ") {
            return;
        }
        page.press("ArrowLeft");
    }
    panic!("no save before the change of owner");
}

fn shows_the_way_of_a_copy(page: &Page) {
    save_a(page);
    page.expect(css(".overlay .ribbon.save"));
    let label = page.js(
        "return document.querySelector('.ribbon text').textContent",
        &[],
    );
    let label = label.as_str().expect("text").to_owned();
    let sentence = page.text(test_id("sentence"));
    let bytes = label.split(" B").next().expect("bytes");
    assert!(
        sentence.contains(&format!("{bytes} B")),
        "{label} {sentence}"
    );
    let longest = page.js(
        "return Math.max(0, ...document.getAnimations().map(a => a.effect.getComputedTiming().endTime))",
        &[],
    );
    assert!(longest.as_f64().expect("a number") <= 300.0, "{longest}");
    page.screenshot("save");
    // Another step interrupts it; scrubbing shows no motion.
    page.press("ArrowRight");
    page.press("Home");
    assert_eq!(page.count(css(".overlay .ribbon")), 0);
}

fn does_without_motion_where_that_is_wanted(page: &Page) {
    page.emulate_media(&[("prefers-reduced-motion", "reduce")]);
    save_a(page);
    page.expect(css(".overlay .ribbon.save"));
    assert_eq!(page.js("return document.getAnimations().length", &[]), 0);
}

fn values_can_be_reached_by_keys(page: &Page) {
    bring_a_back(page);
    page.js("document.querySelector('.registers .body').focus()", &[]);
    page.press("ArrowDown");
    page.press("ArrowDown");
    page.expect_js("document.activeElement.closest('[data-register]') !== null");
    page.press("Enter");
    page.expect(role("menuitem", "Who wrote this?"));
    page.expect_js("document.activeElement.getAttribute('role') === 'menuitem'");
    page.press("Escape");
    page.expect_gone(role("menuitem", "Who wrote this?"));
}

fn helps(page: &Page) {
    page.open("/");
    page.expect(test_id("position"));
    page.press("?");
    page.expect(role("heading", "Keys and marks"));
    page.screenshot("help");
    page.press("Escape");
    page.expect_js("!document.querySelector('dialog.help').open");
}
