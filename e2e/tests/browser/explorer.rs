//! A user opens the page, picks a scenario and walks through it.

use costack_e2e::{Page, Test, css, named, role, test, test_id};
use serde_json::Value;

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(steps_to_the_first_eviction_and_back),
    test!(shows_old_and_new_values),
    test!(runs_and_single_steps_agree),
    test!(keys_move_and_leave_inputs_alone),
    test!(stops_at_a_breakpoint),
    test!(lays_out_without_overlaps),
    test!(follows_and_remembers_the_theme),
];

/// A and B evict each other.
pub const TWO_TASKS: &str = "Two tasks, one shared stack";

/// All that the panels show, as text.
pub fn shown(page: &Page) -> Value {
    page.js(
        "// What is scrolled out of sight has no text of its own; here it counts.
         const whole = document.createElement('style');
         whole.textContent = '* { content-visibility: visible !important }';
         document.head.append(whole);
         const texts = [...document.querySelectorAll('.panel:not(.native) .body')]
            .map(body => body.innerText.trim());
         whole.remove();
         return texts",
        &[],
    )
}

/// Opens the page with a scenario at its start.
pub fn open(page: &Page, scenario: &str) {
    page.open("/");
    page.choose(test_id("scenario"), scenario);
    page.expect_js(
        "document.querySelector('[data-testid=position]').innerText.startsWith('step 0 ')",
    );
}

/// Puts a text into the editor, and closes it.
pub fn put(page: &Page, text: &str) {
    page.click(role("button", "Edit"));
    page.js(
        "const area = document.querySelector('textarea');
         area.value = arguments[0];
         area.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[text.into()],
    );
    page.expect_gone(css(".editor .wrong"));
    page.click(role("button", "Done"));
    page.expect_gone(css("textarea"));
}

/// Steps made, as the page tells.
pub fn position(page: &Page) -> u64 {
    let text = page.text(test_id("position"));
    let number = text.split_whitespace().nth(1).expect("step N of M");
    number.replace(',', "").parse().expect("a number")
}

fn steps_to_the_first_eviction_and_back(page: &Page) {
    open(page, TWO_TASKS);
    let start = shown(page);
    assert_eq!(page.text(test_id("owner-S")), "nobody");

    // The first owner takes an empty stack; the second change of owner evicts it.
    page.click(role("button", "owner"));
    page.click(role("button", "Step"));
    page.expect_text(test_id("owner-S"), "A");
    assert_eq!(page.text(test_id("saved-images")), "0");
    page.click(role("button", "Step"));
    page.expect_text(test_id("owner-S"), "B");
    assert_eq!(page.text(test_id("saved-images")), "1");

    // A's bytes are in its save stack now: as many as the card says.
    let level = page.text(test_id("used-A"));
    let used: usize = level
        .split_whitespace()
        .next()
        .expect("N of M B")
        .parse()
        .expect("a number");
    assert!(used > 0, "{level}");
    if page.count(css("[data-testid=task-A] .more")) > 0 {
        page.click(css("[data-testid=task-A] .more"));
    }
    let words = page.texts(css("[data-testid=task-A] .memory .hex"));
    assert_eq!(words.len() * 8, used, "{words:?}");
    assert!(
        words.iter().any(|word| word.ends_with("64")),
        "100 is in A's frames: {words:?}"
    );
    page.screenshot("evicted");
    if page.count(css("[data-testid=task-A] .more")) > 0 {
        page.click(css("[data-testid=task-A] .more"));
    }

    page.click(role("button", "instruction"));
    let here = position(page);
    page.click(role("button", "Back"));
    assert_eq!(position(page), here - 1);
    page.click(role("button", "First"));
    assert_eq!(position(page), 0);
    assert_eq!(shown(page), start);
}

fn shows_old_and_new_values(page: &Page) {
    open(page, TWO_TASKS);
    for _ in 0..12 {
        page.click(role("button", "Step"));
        let changed = page.texts(css(".registers .changed"));
        let old = page.texts(css(".registers .old"));
        // The program counter changes at nearly every step.
        assert_eq!(changed.len(), old.len(), "{changed:?} {old:?}");
        // A dot for the eye, a word for the ear.
        let marks = page.js(
            "return [...document.querySelectorAll('.registers .changed')].every(cell =>
                getComputedStyle(cell, '::after').content.includes('●')
                && cell.ariaLabel.endsWith(', changed'))",
            &[],
        );
        assert_eq!(marks, true, "{changed:?}");
    }
    let sentence = page.text(test_id("sentence"));
    assert!(sentence.len() > 10, "{sentence}");
}

fn runs_and_single_steps_agree(page: &Page) {
    open(page, TWO_TASKS);
    page.press("End");
    let end = position(page);
    let at_end = shown(page);
    page.press("Home");
    assert_eq!(position(page), 0);
    for _ in 0..40 {
        page.press("ArrowRight");
    }
    assert_eq!(position(page), 40);
    let stepped = shown(page);
    page.press("Home");
    page.js(
        "const slider = document.querySelector('.timeline input');
         const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
         set.call(slider, '40');
         slider.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[],
    );
    page.expect_js(
        "document.querySelector('[data-testid=position]').innerText.startsWith('step 40 ')",
    );
    assert_eq!(shown(page), stepped);

    page.choose(named("Speed"), "full speed");
    page.click(role("button", "Run"));
    page.expect(role("button", "Run"));
    page.expect_js(&format!(
        "document.querySelector('[data-testid=position]').innerText.replaceAll(',', '').startsWith('step {end} ')"
    ));
    assert_eq!(shown(page), at_end);
    let output = page.texts(css("[data-testid=output-lines] li"));
    assert!(output.contains(&"task 1 step 100".to_owned()), "{output:?}");
}

fn keys_move_and_leave_inputs_alone(page: &Page) {
    open(page, TWO_TASKS);
    page.press("ArrowRight");
    page.press("ArrowRight");
    assert_eq!(position(page), 2);
    page.press("ArrowLeft");
    assert_eq!(position(page), 1);
    page.press("Shift+ArrowRight");
    let switch = position(page);
    assert!(switch > 1, "{switch}");
    page.press("Shift+ArrowLeft");
    assert!(position(page) < switch);
    page.press("Control+ArrowRight");
    page.press("Home");
    assert_eq!(position(page), 0);
    let scrolled = page.js("return scrollX + scrollY", &[]);
    assert_eq!(scrolled, 0, "keys scroll the page");
    // A focused list keeps its keys.
    page.js(
        "document.querySelector('[data-testid=scenario]').focus()",
        &[],
    );
    page.press("End");
    page.expect_js("document.activeElement.dataset.testid === 'scenario'");
    assert_eq!(position(page), 0);
}

fn stops_at_a_breakpoint(page: &Page) {
    open(page, TWO_TASKS);
    let line = page.js(
        "return [...document.querySelectorAll('.source .line')]
            .find(line => line.querySelector('.text').innerText.trim() === 'yield').dataset.line",
        &[],
    );
    let line = line.as_str().expect("a line yields").to_owned();
    page.click(css(&format!(".source .line[data-line='{line}'] .number")));
    page.choose(named("Speed"), "full speed");
    page.click(role("button", "Run"));
    page.expect_text(test_id("current-line"), &format!("line {line}"));
    page.expect(role("button", "Run"));
    let here = position(page);
    page.press("Space");
    page.expect_js(&format!(
        "document.querySelector('[data-testid=position]').innerText.replaceAll(',', '').split(' ')[1] > {here}"
    ));
}

/// No panel covers another, and no text that is meant to fit is cut.
fn lays_out_without_overlaps(page: &Page) {
    open(page, TWO_TASKS);
    for presses in [0, 1, 3, 5] {
        for _ in 0..presses {
            page.press("Shift+ArrowRight");
        }
        let complaints = page.js(LAYOUT, &[]);
        assert_eq!(
            complaints,
            Value::Array(Vec::new()),
            "after {presses} more switches"
        );
        page.screenshot(&format!("layout-{presses}"));
    }
}

/// What covers something else, is cut, or makes something scroll sideways, in words.
pub const LAYOUT: &str = "
    const complaints = [];
    const name = element => element.getAttribute('aria-label') || element.className;
    const blocks = [...document.querySelectorAll('.top, .bottom, .panel')]
        .map(element => [element, element.getBoundingClientRect()]);
    for (const [a, r] of blocks) for (const [b, s] of blocks) {
        // A column that scrolls is cut by what is below it; only what is in the same one counts.
        const scrolls = a.closest('.board') !== b.closest('.board');
        if (a === b || a.contains(b) || b.contains(a) || scrolls) continue;
        if (r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 && s.top < r.bottom - 1)
            complaints.push(`${name(a)} covers ${name(b)}`);
    }
    const fits = '.panel > header, .panel > header h2, .detail, .card .head, .memory td, .memory th, ' +
        '.registers td, .registers th, .segments button, .button, .sentence, .sentence p, .controls, ' +
        '.times td, .times th, .top, .code .line';
    for (const element of document.querySelectorAll(fits)) {
        if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
            complaints.push(`${name(element)} is cut: ${element.innerText}`);
    }
    for (const body of document.querySelectorAll('.panel > .body')) {
        // Long lines of an editor are scrolled to.
        if (body.querySelector('.editor')) continue;
        if (body.scrollWidth > body.clientWidth + 1) complaints.push(`${name(body)} scrolls sideways`);
    }
    if (document.documentElement.scrollWidth > innerWidth) complaints.push('the page scrolls sideways');
    return complaints;
";

fn follows_and_remembers_the_theme(page: &Page) {
    page.emulate_media(&[("prefers-color-scheme", "dark")]);
    page.open("/");
    page.expect_js("document.documentElement.dataset.theme === 'dark'");
    page.screenshot("dark");
    page.click(named("Colours: as the system has it"));
    page.expect_js("document.documentElement.dataset.theme === 'light'");
    page.reload();
    page.expect_js("document.documentElement.dataset.theme === 'light'");
}
