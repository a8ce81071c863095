//! Every view, in both themes and at every width: nothing is cut, nobody is kept out, and a picture
//! is kept of each.

use costack_e2e::{NARROW, Page, Test, Viewport, WIDE, css, role, test, test_id};
use serde_json::Value;

use crate::{
    explorer::{LAYOUT, TWO_TASKS, open, put},
    measuring::counting,
};

/// A phone.
const PHONE: Viewport = Viewport {
    width: 360,
    height: 740,
};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(every_view_is_whole).only_at(&[WIDE, NARROW, PHONE]),
    test!(every_view_is_accessible)
        .needs("COSTACK_AXE", AXE_REASON)
        .only_at(&[WIDE, PHONE]),
    test!(every_view_is_accessible_in_the_dark)
        .needs("COSTACK_AXE", AXE_REASON)
        .only_at(&[WIDE]),
    test!(is_painted_alike_before_the_program_is_there).only_at(&[WIDE, NARROW, PHONE]),
    test!(everything_can_be_reached_on_a_phone).only_at(&[PHONE]),
    test!(tables_need_no_sideways_scrolling_on_a_phone).only_at(&[PHONE]),
    test!(of_many_tasks_the_one_that_matters_shows_its_words).only_at(&[WIDE]),
    test!(is_used_by_keyboard_alone).only_at(&[WIDE]),
];

const AXE_REASON: &str =
    "needs axe-core, which npm installs: cargo xtask setup says why it is missing";

/// Calls back in every view there is, with its name.
fn in_every_view(page: &Page, mut look: impl FnMut(&str)) {
    open(page, TWO_TASKS);
    look("start");
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    look("evicted");
    page.press("e");
    page.expect(css("textarea"));
    page.js(
        "const area = document.querySelector('textarea');
         area.value = area.value.replace('resume A', 'resume Q');
         area.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[],
    );
    page.expect(css(".editor .wrong"));
    look("editor");
    page.press("Escape");
    page.expect_gone(css("textarea"));
    for (key, window) in [
        ("?", "help"),
        ("c", "compare"),
        ("p", "proof"),
        ("s", "share"),
    ] {
        page.press(key);
        page.expect(css(&format!("dialog.{window}[open]")));
        look(window);
        page.press("Escape");
        page.expect_js("!document.querySelector('dialog[open]')");
    }
    page.js(
        "document.querySelector('[data-register=rbx] .cell').focus()",
        &[],
    );
    page.press("Enter");
    page.expect(css(".menu"));
    look("menu");
    page.press("Escape");
    page.expect_gone(css(".menu"));
    open(page, "Pitfall: a callee-saved register forgotten");
    page.press("f");
    page.expect(css(".output .fault"));
    look("fault");
    page.js("location.hash = '#costack1&s=no_such_scenario'", &[]);
    page.expect(test_id("notice"));
    look("notice");
    put(page, &counting(30, 2));
    page.js("document.activeElement.blur()", &[]);
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    look("crowd");
    page.open("/?embedded#costack1&s=two_tasks_shared&p=120&embed=source,stacks,tasks");
    page.expect(css(".open-full"));
    look("embedded");
}

fn every_view_is_whole(page: &Page) {
    for theme in ["light", "dark"] {
        page.emulate_media(&[("prefers-color-scheme", theme)]);
        in_every_view(page, |view| {
            page.expect_js(&format!(
                "document.documentElement.dataset.theme === '{theme}'"
            ));
            page.screenshot(&format!("{view}-{theme}"));
            let complaints = page.js(LAYOUT, &[]);
            assert_eq!(complaints, Value::Array(Vec::new()), "{view}, {theme}");
        });
    }
}

/// Asks axe-core about every view; `options` are those of its `run`.
fn ask_axe(page: &Page, theme: &str, options: &str) {
    let script = std::env::var("COSTACK_AXE").expect("the test is told where axe is");
    let script = std::fs::read_to_string(script).expect("axe can be read");
    let mut complaints = Vec::new();
    page.emulate_media(&[
        ("prefers-color-scheme", theme),
        ("prefers-reduced-motion", "reduce"),
    ]);
    in_every_view(page, |view| {
        page.expect_js(&format!(
            "document.documentElement.dataset.theme === '{theme}'"
        ));
        page.js(&format!("if (!window.axe) {{ {script} }}"), &[]);
        let ask = format!(
            "return axe.run(document, {{resultTypes: ['violations'], {options}}}).then(result =>
                result.violations.map(violation => `${{violation.id}}: ${{violation.help}}: ` +
                    violation.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')))"
        );
        for violation in page.js(&ask, &[]).as_array().into_iter().flatten() {
            complaints.push(format!("{view}, {theme}: {violation}"));
        }
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn every_view_is_accessible(page: &Page) {
    // This one is off unless it is asked for.
    ask_axe(
        page,
        "light",
        "rules: {'label-content-name-mismatch': {enabled: true}}",
    );
}

/// Only colours are other there.
fn every_view_is_accessible_in_the_dark(page: &Page) {
    ask_axe(page, "dark", "runOnly: ['color-contrast']");
}

/// Lays out what is painted first beside the page that takes its place, and lists what differs: texts,
/// and what can be seen without scrolling and does not stay where it is.
const SHELL: &str = "
    return fetch('./').then(answer => answer.text()).then(text => new Promise(done => {
        const frame = document.createElement('iframe');
        frame.style = 'position:fixed;inset:0;width:100vw;height:100vh;border:0';
        frame.onload = () => {
            const complaints = [];
            const shell = frame.contentDocument;
            const plain = element => element?.innerText.replace(/\\s+/g, ' ').trim();
            const both = selector => [shell, document].map(side => [...side.querySelectorAll(selector)]);
            for (const selector of ['.panel h2', '.top h1', '.top .word', '.top .segments button', '.top .button']) {
                const [first, then] = both(selector).map(all => all.map(plain).join('|'));
                if (first !== then) complaints.push(`${selector}: ${first} becomes ${then}`);
            }
            const blocks = '.top, .top .segments, .top .select, .panel, .panel h2, .bottom, .sentence, .timeline';
            const [first, then] = both(blocks);
            if (first.length !== then.length) complaints.push(`${first.length} blocks become ${then.length}`);
            first.forEach((block, index) => {
                const [a, b] = [block, then[index]].map(element => element.getBoundingClientRect());
                if (a.top >= innerHeight && b.top >= innerHeight) return;
                // How high a line of text is depends on the machine's fonts.
                const far = ['left', 'top', 'right', 'bottom'].some(edge =>
                    Math.abs(Math.min(a[edge], innerHeight) - Math.min(b[edge], innerHeight)) > 24);
                const place = box => [box.left, box.top, box.right, box.bottom].map(Math.round);
                if (far) complaints.push(`${block.className} ${plain(block).slice(0, 20)}: ${place(a)} becomes ${place(b)}`);
            });
            frame.remove();
            done(complaints);
        };
        frame.srcdoc = text.replace(/<script type=.module.>[^]*?<[/]script>/, '');
        document.body.append(frame);
    }))";

fn is_painted_alike_before_the_program_is_there(page: &Page) {
    page.emulate_media(&[("prefers-color-scheme", "dark")]);
    page.open("/");
    page.expect(test_id("bench-origin"));
    assert_eq!(page.js(SHELL, &[]), Value::Array(Vec::new()));
    // Also with what was chosen before.
    if page.js("return innerWidth >= 760", &[]) == true {
        page.click(role("button", "Fold Checks"));
        page.reload();
        page.expect(test_id("bench-origin"));
        assert_eq!(page.js(SHELL, &[]), Value::Array(Vec::new()));
    }
}

fn everything_can_be_reached_on_a_phone(page: &Page) {
    open(page, TWO_TASKS);
    for panel in [
        "source",
        "assembly",
        "stack-1",
        "saves",
        "stack-0",
        "checks",
        "registers",
        "native",
        "output",
    ] {
        page.js(
            "document.querySelector(`[data-testid='${arguments[0]}']`).scrollIntoView({block: 'center'})",
            &[panel.into()],
        );
        page.expect_js(&format!(
            "(() => {{
                const box = document.querySelector(\"[data-testid='{panel}'] h2\").getBoundingClientRect();
                const top = document.elementFromPoint(box.left + 2, box.top + 2);
                return box.left >= 0 && box.right <= innerWidth && top?.closest('[data-testid]')?.dataset.testid === '{panel}';
            }})()"
        ));
    }
    page.click(role("button", "Step"));
    page.expect_js(
        "document.querySelector('[data-testid=position]').innerText.startsWith('step 1 ')",
    );
}

/// Wide tables stand as a block for each row there, in which every number has its name.
fn tables_need_no_sideways_scrolling_on_a_phone(page: &Page) {
    open(page, TWO_TASKS);
    for (key, window) in [("c", "compare"), ("p", "proof")] {
        page.press(key);
        page.expect(css(&format!("dialog.{window}[open]")));
        let hidden = page.js(
            "const scroll = document.querySelector('dialog[open] .scroll');
             const unnamed = [...scroll.querySelectorAll('td[data-label]')].filter(cell =>
                 getComputedStyle(cell, '::before').content !== JSON.stringify(cell.dataset.label));
             return [scroll.scrollWidth - scroll.clientWidth, unnamed.length,
                 scroll.querySelectorAll('td[data-label]').length > 20]",
            &[],
        );
        assert_eq!(hidden, serde_json::json!([0, 0, true]), "{window}");
        page.press("Escape");
        page.expect_js("!document.querySelector('dialog[open]')");
    }
}

fn of_many_tasks_the_one_that_matters_shows_its_words(page: &Page) {
    open(page, TWO_TASKS);
    put(page, &counting(30, 2));
    // The second one gets the stack, so the first one has just been saved.
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    for _ in 0..6 {
        if page.text(test_id("sentence")).starts_with("saved ") {
            break;
        }
        page.press("ArrowLeft");
    }
    page.expect_js("document.querySelectorAll('.saves .card').length === 30");
    page.expect_js("document.querySelectorAll('.saves .memory').length === 1");
    page.expect(css("[data-testid=task-T1] .memory"));
    // Each of the others shows its words when it is asked.
    page.click(role("button", "Words of T7"));
    page.expect(css("[data-testid=task-T7] .memory"));
    page.click(role("button", "Words of T7"));
    page.expect_gone(css("[data-testid=task-T7] .memory"));
}

/// From the top of the page with the tab key alone: everything that can be pressed gets its turn, and
/// where the focus is can be seen.
fn is_used_by_keyboard_alone(page: &Page) {
    open(page, TWO_TASKS);
    page.js("document.activeElement.blur()", &[]);
    let mut names: Vec<String> = Vec::new();
    for _ in 0..90 {
        page.press("Tab");
        let now = page.js(
            "const element = document.activeElement;
             if (element === document.body) return null;
             const style = getComputedStyle(element);
             const around = getComputedStyle(element.closest('.timeline, .open') ?? element);
             const seen = style.outlineStyle !== 'none' || around.outlineStyle !== 'none';
             return [(element.getAttribute('aria-label') ?? element.innerText).trim(), seen]",
            &[],
        );
        if now.is_null() {
            break;
        }
        let name = now[0].as_str().unwrap_or_default().to_owned();
        assert_eq!(now[1], true, "the focus on {name} cannot be seen");
        names.push(name);
    }
    for wanted in [
        "x86-64",
        "own",
        "Open a scenario or a trace",
        "Compare",
        "Share",
        "Edit",
        "Proof",
        "Signal",
        "Step",
        "Run",
        "instruction",
        "Position in the run",
        "Registers, content",
    ] {
        assert!(
            names.iter().any(|name| name == wanted),
            "{wanted} is not among {names:?}"
        );
    }
    // And with the keys of the page.
    page.js("document.activeElement.blur()", &[]);
    page.press("ArrowRight");
    let polite = page.attribute(test_id("sentence"), "aria-live");
    assert_eq!(polite.as_deref(), Some("polite"));
}
