//! A user lets long programs run, and uses the page where there is no network.

use std::time::Duration;

use costack_e2e::{Page, Test, WIDE, css, test, test_id};

use serde_json::Value;

use crate::explorer::{TWO_TASKS, open, position, put};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(a_long_run_shows_progress_and_can_be_cancelled).only_at(&[WIDE]),
    test!(works_without_a_network).only_at(&[WIDE]),
];

/// How long a million steps may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// From now on keeps what the page says of its progress, and presses Cancel at once if that is wanted:
/// a million steps are made sooner than a driver can ask twice.
const WATCH: &str = "
    const [cancel] = arguments;
    window.told = new Set();
    window.watch?.disconnect();
    window.watch = new MutationObserver(() => {
        const progress = document.querySelector('.progress');
        if (!progress) return;
        told.add(progress.querySelector('[data-testid=progress]').textContent);
        if (cancel) progress.querySelector('button').click();
    });
    watch.observe(document.body, {childList: true, characterData: true, subtree: true})";

fn a_long_run_shows_progress_and_can_be_cancelled(page: &Page) {
    open(page, TWO_TASKS);
    let counting = |rounds: u64| {
        format!(
            "scenario \"long\"\nstack S shared 4096\ntask A on S = work()\n\
             fn work() {{\n    let i = 0\n    while i < {rounds} {{\n        i = i + 1\n    }}\n    \
             print \"counted\", i\n}}\nmain {{ resume A }}\n"
        )
    };
    put(page, &counting(205_000));
    page.js(WATCH, &[true.into()]);
    page.press("End");
    page.expect_js("told.size > 0");
    page.expect_gone(test_id("progress"));
    let cancelled = position(page);
    assert!((50_000..1_000_000).contains(&cancelled), "{cancelled}");
    assert_eq!(page.count(css("[data-testid=output-lines] li")), 0);
    page.press("ArrowLeft");
    assert_eq!(position(page), cancelled - 1);

    // On to the end of a million steps; the page draws while they are made.
    page.js(WATCH, &[false.into()]);
    page.press("End");
    page.expect_within(
        PATIENCE,
        "document.querySelector('[data-testid=output-lines]').innerText.trim() === 'counted 205000'",
    );
    page.expect_gone(test_id("progress"));
    let told = page.js("return [...told]", &[]);
    let told = told.as_array().expect("texts");
    assert!(told.len() > 2, "{told:?}");
    let form = |text: &Value| {
        text.as_str()
            .is_some_and(|text| text.ends_with(" of at most 1,000,000 steps"))
    };
    assert!(told.iter().all(form), "{told:?}");
    let end = position(page);
    assert!(end > 1_000_000, "{end}");
    page.press("ArrowLeft");
    assert_eq!(position(page), end - 1);
    page.press("Home");
    assert_eq!(position(page), 0);

    // A program without an end stops after so many steps, and says so.
    put(page, &counting(1 << 40));
    page.press("End");
    page.expect_within(
        PATIENCE,
        "document.querySelector('[data-testid=notice]')?.innerText.includes('1,000,000 steps were made')",
    );
    page.expect_gone(test_id("progress"));
    assert!(position(page) >= 1_000_000);
}

fn works_without_a_network(page: &Page) {
    let server = page.server_apart();
    let address = format!("{}/", server.address());
    page.open_address(&address);
    page.expect(test_id("bench-origin"));
    let numbers = page.text(test_id("bench-origin"));
    // Kept for such times once it answers for the page.
    page.expect_js("navigator.serviceWorker.controller?.state === 'activated'");
    drop(server);
    let missing = page.js(
        "return fetch('nothing-of-this-name').then(answer => answer.status, () => 'failed')",
        &[],
    );
    assert_eq!(missing, "failed", "the server still answers");

    page.reload();
    page.expect(test_id("bench-origin"));
    assert_eq!(page.text(test_id("bench-origin")), numbers);
    page.press("ArrowRight");
    assert_eq!(position(page), 1);
    // The address of a step leads there as well.
    page.open_address(&format!("{address}?again#costack1&s=two_tasks_shared&p=40"));
    assert_eq!(position(page), 40);
    // The browser tells of the request that was to fail.
    let errors = page.take_console_errors();
    let expected = |error: &String| error.contains("nothing-of-this-name");
    assert!(errors.iter().all(expected), "{errors:?}");
}
