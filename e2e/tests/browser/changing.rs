//! A user changes the scenario, its stacks and its instruction set, and shares what is shown.

use costack_e2e::{Page, Test, WIDE, css, named, role, test, test_id};

use crate::explorer::{TWO_TASKS, open, position, shown};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(underlines_mistakes_and_keeps_the_last_run),
    test!(runs_what_is_typed),
    test!(runs_on_every_instruction_set_and_on_other_stacks),
    test!(compares_ways),
    test!(the_address_leads_back),
    test!(an_edited_scenario_can_be_shared).only_at(&[WIDE]),
    test!(bad_links_say_so_and_keep_what_was_there),
    test!(a_part_of_the_page_can_be_embedded).only_at(&[WIDE]),
    test!(panels_fold_and_stay_folded),
    test!(columns_can_be_resized).only_at(&[WIDE]),
    test!(the_lowest_address_can_be_on_top).only_at(&[WIDE]),
];

fn edit(page: &Page, from: &str, to: &str) {
    page.js(
        "const area = document.querySelector('textarea');
         area.value = area.value.replace(arguments[0], arguments[1]);
         area.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &[from.into(), to.into()],
    );
}

fn underlines_mistakes_and_keeps_the_last_run(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Control+Shift+ArrowRight");
    let here = position(page);
    page.click(role("button", "Edit"));
    edit(page, "resume A", "resume Q");
    page.expect_text(css(".editor .wrong"), "Q");
    let told = page.text(test_id("problems"));
    assert!(told.contains("expected") && told.contains("`Q`"), "{told}");
    page.screenshot("wrong");
    assert_eq!(position(page), here);
    edit(page, "resume Q", "resume A");
    page.expect_gone(css(".editor .wrong"));
    page.click(role("button", "Done"));
    page.expect_gone(css("textarea"));
}

fn runs_what_is_typed(page: &Page) {
    open(page, TWO_TASKS);
    page.press("e");
    page.expect(named("The scenario's text"));
    // Keys are the editor's now.
    page.press("End");
    page.press("Space");
    assert_eq!(position(page), 0);
    edit(page, "work(3, 100)", "work(3, 4711)");
    page.click(role("button", "Done"));
    page.press("End");
    let output = page.texts(css("[data-testid=output-lines] li"));
    assert!(
        output.contains(&"task 1 step 4711".to_owned()),
        "{output:?}"
    );
    page.click(role("button", "Edit"));
    page.click(role("button", "Revert"));
    page.click(role("button", "Done"));
    page.press("End");
    let output = page.texts(css("[data-testid=output-lines] li"));
    assert!(output.contains(&"task 1 step 100".to_owned()), "{output:?}");
}

fn runs_on_every_instruction_set_and_on_other_stacks(page: &Page) {
    open(page, TWO_TASKS);
    let mut outputs = Vec::new();
    for isa in ["x86-64", "i386", "aarch64"] {
        page.click(role("button", isa));
        for stacks in ["as written", "×2", "own"] {
            page.click(role("button", stacks));
            page.press("End");
            outputs.push(page.texts(css("[data-testid=output-lines] li")));
            page.press("Home");
        }
    }
    assert!(outputs[0].len() > 4, "{outputs:?}");
    assert!(
        outputs.iter().all(|output| *output == outputs[0]),
        "{outputs:?}"
    );
}

fn compares_ways(page: &Page) {
    open(page, TWO_TASKS);
    page.click(role("button", "Compare"));
    page.expect(css("dialog.compare"));
    let cells = |section: &str, row: usize| {
        let row = format!(
            ".compare [data-section='{section}'] tr:nth-child({}) > *",
            row + 1
        );
        page.texts(css(&row))
    };
    let (shared, own) = (cells("stacks", 1), cells("stacks", 5));
    assert_eq!(
        (&*shared[0], &*own[0]),
        (
            "the stacks that the scenario says",
            "each task on a stack of its own"
        )
    );
    assert_ne!(shared[2], "0", "{shared:?}");
    assert_eq!(own[2..4], ["0", "0 B"], "{own:?}");
    // Every instruction set switches as often.
    let switches: Vec<String> = (1..=3)
        .map(|row| cells("instruction set", row)[1].clone())
        .collect();
    assert!(
        switches.iter().all(|count| *count == shared[1]),
        "{switches:?}"
    );
    assert_eq!(
        page.count(css(
            ".compare [data-section='style of the switch'] td:nth-child(2)"
        )),
        5
    );
    page.screenshot("compare");
    page.click(role("button", "Show: each task on a stack of its own"));
    page.expect_gone(css("dialog.compare"));
    page.expect_js(
        "document.querySelector('[aria-label=Stacks] [aria-pressed=true]').innerText === 'own'",
    );
}

/// Waits until the address has followed.
fn settle(page: &Page, part: &str) -> String {
    page.expect_js(&format!("location.hash.includes('{part}')"));
    page.location()
}

fn the_address_leads_back(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Control+Shift+ArrowRight");
    page.press("ArrowRight");
    let (here, before) = (position(page), shown(page));
    let address = settle(page, &format!("p={here}&"));
    page.open("/#");
    page.reload();
    page.open(&address);
    page.reload();
    page.expect_js(&format!(
        "document.querySelector('[data-testid=position]')?.innerText.startsWith('step {here} ')"
    ));
    assert_eq!(shown(page), before);
    assert_eq!(page.count(test_id("notice")), 0);
}

fn an_edited_scenario_can_be_shared(page: &Page) {
    open(page, TWO_TASKS);
    page.press("e");
    edit(page, "work(3, 100)", "work(3, 4711)");
    page.click(role("button", "Done"));
    page.press("End");
    let here = position(page);
    let address = settle(page, &format!("p={here}&"));
    assert!(address.contains("&t="), "{address}");
    let before = shown(page);
    page.open("/#");
    page.open(&address);
    page.reload();
    page.expect_js(
        "document.querySelector('[data-testid=output-lines]')?.innerText.includes('4711')",
    );
    assert_eq!(shown(page), before);
}

fn bad_links_say_so_and_keep_what_was_there(page: &Page) {
    open(page, TWO_TASKS);
    page.press("ArrowRight");
    for (fragment, reason) in [
        ("costack1&s=nothing_of_this_name", "does not have"),
        ("costack1&t=AAAA", "damaged"),
        ("costack7&s=two_tasks_shared", "another version"),
        ("elsewhere", "not one of Costack's"),
    ] {
        page.js("location.hash = arguments[0]", &[fragment.into()]);
        page.expect_js(&format!(
            "document.querySelector('[data-testid=notice]')?.innerText.includes(\"{reason}\")"
        ));
        assert_eq!(position(page), 1, "{fragment}");
    }
    // The same place of another program.
    page.js(
        "location.hash = 'costack1&s=two_tasks_shared&p=40&c=00000000'",
        &[],
    );
    page.expect_js(
        "document.querySelector('[data-testid=notice]')?.innerText.includes('another version')",
    );
    assert_eq!(position(page), 40);
    page.click(css(".notice button"));
    page.expect_gone(test_id("notice"));
}

fn a_part_of_the_page_can_be_embedded(page: &Page) {
    page.open("/#costack1&s=two_tasks_shared&p=60&embed=source,stacks");
    page.expect(test_id("stack-1"));
    assert_eq!(page.count(css(".panel")), 3, "source, stack, output");
    page.expect_js("getComputedStyle(document.querySelector('.top')).display === 'none'");
    let full = page.attribute(css(".open-full"), "href").expect("a link");
    assert!(full.contains("p=60") && !full.contains("embed"), "{full}");
    page.screenshot("embedded");
}

fn panels_fold_and_stay_folded(page: &Page) {
    page.open("/");
    page.click(role("button", "Fold Output"));
    page.expect(role("button", "Unfold Output"));
    page.reload();
    page.expect(role("button", "Unfold Output"));
    page.click(role("button", "Unfold Output"));
    page.expect(role("button", "Fold Output"));
}

fn columns_can_be_resized(page: &Page) {
    page.open("/");
    page.expect(css(".panel.source"));
    let width = || {
        let width = page.js(
            "return document.querySelector('.panel.source').offsetWidth",
            &[],
        );
        width.as_f64().expect("a number")
    };
    let before = width();
    page.js("document.querySelector('.splitter').focus()", &[]);
    page.press("ArrowRight");
    page.press("ArrowRight");
    let after = width();
    assert!(after > before + 20.0, "{before} {after}");
    page.reload();
    page.expect(css(".panel.source"));
    assert_eq!(width(), after);
}

fn the_lowest_address_can_be_on_top(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Control+Shift+ArrowRight");
    let addresses = || page.texts(css(".stack.shared tr[data-address] th"));
    let high_first = addresses();
    page.click(css(".stack.shared .flip"));
    page.expect_js("document.querySelector('.stack.shared .floor').innerText.startsWith('▲')");
    let mut low_first = addresses();
    low_first.reverse();
    assert_eq!(low_first, high_first);
}
