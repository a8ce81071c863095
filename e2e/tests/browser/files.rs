//! A user takes something away from the page, and brings something to it.

use costack_e2e::{Page, Test, WIDE, css, named, role, test, test_id};
use costack_engine::trace;
use serde_json::Value;

use crate::explorer::{LAYOUT, TWO_TASKS, open, position};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(shares_links_and_frames),
    test!(saves_a_picture_of_the_state).only_at(&[WIDE]),
    test!(a_trace_goes_to_perfetto).only_at(&[WIDE]),
    test!(a_trace_comes_back_and_is_replayed),
    test!(a_trace_of_the_real_cpu_is_replayed).only_at(&[WIDE]),
    test!(bad_files_say_so_and_keep_what_was_there).only_at(&[WIDE]),
    test!(a_scenario_with_mistakes_comes_into_the_editor).only_at(&[WIDE]),
];

/// From now on the files that the page offers are kept for the test.
fn keep_files(page: &Page) {
    page.js(
        "window.kept = [];
         const make = URL.createObjectURL.bind(URL);
         URL.createObjectURL = blob => { blob.text().then(text => kept.push(text)); return make(blob) };
         HTMLAnchorElement.prototype.click = function () { window.keptName = this.download };",
        &[],
    );
}

/// The text of the file that pressing this button in the share dialog gives, and its name.
fn file(page: &Page, button: &str) -> (String, String) {
    page.js("kept.length = 0", &[]);
    page.click(role("button", "Share"));
    page.click(role("button", button));
    page.expect_js("kept.length === 1");
    page.expect_gone(css("dialog.share"));
    let got = page.js("return [keptName, kept[0]]", &[]);
    let text = |index: usize| got[index].as_str().expect("text").to_owned();
    (text(0), text(1))
}

/// Chooses a file in the page's head, as a person would in the browser's window.
fn bring(page: &Page, name: &str, text: &str) {
    page.js(
        "const field = document.querySelector('[data-testid=open]');
         const files = new DataTransfer();
         files.items.add(new File([arguments[1]], arguments[0]));
         field.files = files.files;
         field.dispatchEvent(new Event('change', {bubbles: true}));",
        &[name.into(), text.into()],
    );
}

fn notice(page: &Page, part: &str) {
    page.expect_js(&format!(
        "document.querySelector('[data-testid=notice]')?.innerText.includes({})",
        Value::from(part)
    ));
}

fn shares_links_and_frames(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Shift+ArrowRight");
    let here = position(page);
    page.click(role("button", "Share"));
    page.expect(test_id("link"));
    let link = page.value(test_id("link"));
    assert!(link.contains(&format!("&p={here}&")), "{link}");
    page.click(named("registers"));
    page.expect_js(
        "document.querySelector('[data-testid=frame]').value.includes('embed=source,stacks,tasks,registers')",
    );
    page.screenshot("share");
    page.press("Escape");
    page.expect_gone(css("dialog.share"));
}

fn saves_a_picture_of_the_state(page: &Page) {
    open(page, TWO_TASKS);
    keep_files(page);
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    let (name, svg) = file(page, "Picture (SVG)");
    assert!(
        name.starts_with("two_tasks_shared-") && name.ends_with(".svg"),
        "{name}"
    );
    assert!(svg.contains("Stack S · owner B"), "{svg}");
    // A browser draws it, and says so by its size.
    let size = page.js(
        "const image = new Image();
         image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(arguments[0]);
         return image.decode().then(() => [image.naturalWidth, image.naturalHeight])",
        &[svg.into()],
    );
    assert!(
        size[0].as_u64() > Some(800) && size[1].as_u64() > Some(300),
        "{size}"
    );
}

fn a_trace_goes_to_perfetto(page: &Page) {
    open(page, TWO_TASKS);
    keep_files(page);
    page.press("End");
    let (name, text) = file(page, "Trace for Perfetto");
    assert!(name.ends_with(".perfetto.json"), "{name}");
    let events: Value = serde_json::from_str(&text).expect("JSON");
    let events = events.as_array().expect("an array of events");
    let has = |phase: &str| events.iter().any(|event| event["ph"] == phase);
    assert!(has("B") && has("E") && has("M"), "{text}");
}

/// All that the page tells of a moment of a trace.
fn replayed(page: &Page) -> Value {
    page.js(
        "return [...document.querySelectorAll('.saves .body, .output .body, .sentence')]
            .map(part => part.innerText.trim())",
        &[],
    )
}

fn a_trace_comes_back_and_is_replayed(page: &Page) {
    open(page, TWO_TASKS);
    keep_files(page);
    page.press("End");
    let count = |id: &str| page.text(test_id(id));
    let counts = || {
        [
            "switches",
            "saved-images",
            "restored-images",
            "copied-bytes",
        ]
        .map(count)
    };
    let lines = || page.texts(css("[data-testid=output-lines] li"));
    let (ran, printed) = (counts(), lines());
    let (name, text) = file(page, "Trace (JSON)");
    assert!(name.ends_with(".jsonl"), "{name}");
    let trace = trace::read(&text).expect("a whole trace");
    assert_eq!(
        trace.header.scenario.as_deref(),
        Some("two tasks, one shared stack")
    );

    bring(page, &name, &text);
    page.expect_text(test_id("recorded"), &format!("recorded: {name}"));
    assert_eq!(position(page), 0);
    page.press("End");
    assert_eq!(position(page), trace.records.len() as u64);
    assert_eq!(lines(), printed);
    assert_eq!(counts(), ran);
    let end = replayed(page);
    // A trace knows of no instructions and no statements.
    let units = page.texts(css(".units button"));
    assert_eq!(units, ["event", "switch", "owner", "fault"]);

    // Forwards, backwards and by the timeline.
    page.press("Home");
    page.press("Control+Shift+ArrowRight");
    page.expect_text(test_id("owner-0"), "A");
    page.press("Control+Shift+ArrowRight");
    page.expect_text(test_id("owner-0"), "B");
    let (here, before) = (position(page), replayed(page));
    page.screenshot("replay");
    page.press("ArrowRight");
    page.press("ArrowLeft");
    assert_eq!((position(page), replayed(page)), (here, before));
    page.choose(named("Speed"), "full speed");
    page.click(role("button", "Run"));
    page.expect_js(&format!(
        "document.querySelector('[data-testid=position]').innerText.startsWith('step {} ')",
        trace.records.len()
    ));
    assert_eq!(replayed(page), end);
    assert_eq!(page.js(LAYOUT, &[]), Value::Array(Vec::new()));

    // What was there before it comes back.
    page.click(role("button", "Back to the scenario"));
    page.expect(test_id("stack-1"));
    assert_eq!(lines(), printed);
}

/// Two tasks that share a stack and print, run on this machine.
fn native_trace() -> (String, Vec<String>) {
    let text = "scenario \"native\"\nstack S shared 65536\ntask A on S = work(3)\n\
                task B on S = work(2)\nfn work(n) {\n    let i = 0\n    while i < n {\n        \
                print \"round\", i\n        yield\n        i = i + 1\n    }\n}\n\
                main { run }\n";
    let program = costack_lang::parse("native.costack", text).expect("no mistakes");
    let report = costack::scenario::run(program, &costack::scenario::Options::default());
    let report = report.expect("it can run here");
    assert!(report.fault.is_none(), "{:?}", report.fault);
    let written = trace::write(&trace::Header::new("native"), &report.records);
    (written, report.output)
}

fn a_trace_of_the_real_cpu_is_replayed(page: &Page) {
    let (text, printed) = native_trace();
    open(page, TWO_TASKS);
    bring(page, "run.jsonl", &text);
    page.expect_text(test_id("recorded"), "recorded: run.jsonl");
    page.press("End");
    assert_eq!(page.texts(css("[data-testid=output-lines] li")), printed);
    assert_ne!(page.text(test_id("saved-images")), "0");
    // One that was altered says so, and the one before stays.
    let altered = text.replacen("\"round 0\"", "\"round 7\"", 1);
    assert_ne!(altered, text);
    bring(page, "altered.jsonl", &altered);
    notice(page, "altered.jsonl is no whole trace");
    assert_eq!(page.texts(css("[data-testid=output-lines] li")), printed);
    page.screenshot("native");
}

fn bad_files_say_so_and_keep_what_was_there(page: &Page) {
    open(page, TWO_TASKS);
    page.press("ArrowRight");
    bring(page, "trace.json", "{\"traceEvents\": []}");
    notice(
        page,
        "trace.json is neither a scenario nor a trace of Costack",
    );
    bring(
        page,
        "cut.jsonl",
        "{\"costack_trace\":1,\"backend\":\"native\"}\n",
    );
    notice(page, "cut.jsonl is no whole trace");
    page.js(
        "const field = document.querySelector('[data-testid=open]');
         const files = new DataTransfer();
         files.items.add(new File([new Uint8Array(10 << 20)], 'film.costack'));
         field.files = files.files;
         field.dispatchEvent(new Event('change', {bubbles: true}));",
        &[],
    );
    notice(page, "film.costack is too large");
    page.js(
        "const field = document.querySelector('[data-testid=open]');
         const files = new DataTransfer();
         files.items.add(new File([new Uint8Array([0xff, 0xfe, 0x80])], 'bytes.costack'));
         field.files = files.files;
         field.dispatchEvent(new Event('change', {bubbles: true}));",
        &[],
    );
    notice(page, "bytes.costack is no text in UTF-8");
    bring(page, "core.bin", "ELF\u{1}\u{2}\u{0}");
    notice(
        page,
        "core.bin is neither a scenario nor a trace of Costack",
    );
    assert_eq!(position(page), 1);
    page.screenshot("notice");
}

fn a_scenario_with_mistakes_comes_into_the_editor(page: &Page) {
    open(page, TWO_TASKS);
    page.press("ArrowRight");
    bring(page, "mine.costack", "scenario \"mine\"\nmain { prnt 1 }\n");
    notice(page, "mine.costack has mistakes");
    page.expect(css(".editor .wrong"));
    assert_eq!(position(page), 1, "the run is still the old one");
    page.js(
        "const area = document.querySelector('textarea');
         area.value = area.value.replace('prnt', 'print');
         area.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[],
    );
    page.expect_gone(css(".editor .wrong"));
    page.click(role("button", "Done"));
    page.press("End");
    page.expect_js("document.querySelector('[data-testid=output-lines]').innerText.trim() === '1'");
}
