//! A user wants to know whether a switch is right: checks, proof, signals, changes by hand.

use costack_e2e::{Page, Test, WIDE, css, role, test, test_id};

use crate::explorer::{TWO_TASKS, open, position, shown};

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(ticks_what_a_switch_has_kept).only_at(&[WIDE]),
    test!(crosses_what_a_switch_has_lost),
    test!(shows_the_provers_table),
    test!(a_signal_can_arrive_anywhere).only_at(&[WIDE]),
    test!(a_changed_register_is_a_branch_that_can_be_undone),
    test!(a_changed_word_changes_what_is_printed).only_at(&[WIDE]),
    test!(a_link_holds_what_was_done_by_hand).only_at(&[WIDE]),
    test!(draws_who_gives_and_who_gets_a_stack).only_at(&[WIDE]),
    test!(a_stale_pointer_is_red).only_at(&[WIDE]),
];

/// The marks of an obligation: proof, and this switch.
fn marks(page: &Page, obligation: &str) -> Vec<String> {
    page.texts(css(&format!(
        ".checks [data-obligation={obligation}] td .mark > :first-child"
    )))
}

fn ticks_what_a_switch_has_kept(page: &Page) {
    open(page, TWO_TASKS);
    page.expect_text(test_id("checked-switch"), "no switch yet");
    assert_eq!(marks(page, "P1"), ["✓", "…"]);
    page.press("Shift+ArrowRight");
    assert_eq!(marks(page, "P1"), ["✓", "…"], "the switch is under way");
    // main → A, A → main, main → B, B → main, main → A: A goes on where it was.
    for _ in 0..4 {
        page.press("Shift+ArrowRight");
    }
    page.press("Control+ArrowRight");
    let switch = page.text(test_id("checked-switch"));
    assert!(switch.starts_with("main → A, step "), "{switch}");
    for obligation in ["P1", "P2", "P3", "P4", "P6", "P7", "P10"] {
        assert_eq!(marks(page, obligation), ["✓", "✓"], "{obligation}");
    }
    assert_eq!(page.count(test_id("broken")), 0);
    page.screenshot("checks");
}

fn crosses_what_a_switch_has_lost(page: &Page) {
    open(page, "Pitfall: a callee-saved register forgotten");
    assert_eq!(marks(page, "P1")[0], "✗");
    let told = page.text(test_id("broken"));
    assert!(told.contains("r13"), "{told}");
    for _ in 0..12 {
        page.press("Shift+ArrowRight");
        page.press("Control+ArrowRight");
        if marks(page, "P1")[1] == "✗" {
            break;
        }
    }
    assert_eq!(marks(page, "P1"), ["✗", "✗"]);
    let told = page.text(test_id("broken"));
    assert!(told.contains("this switch: r13 is"), "{told}");
    page.screenshot("lost");
}

fn shows_the_provers_table(page: &Page) {
    open(page, TWO_TASKS);
    page.click(role("button", "Proof"));
    page.expect(css("dialog.proof[open]"));
    assert_eq!(page.count(css(".proof tbody tr")), 11);
    assert_eq!(page.count(css(".proof td.broken")), 0);
    page.screenshot("proof");
    page.press("Escape");
    page.expect_gone(css("dialog.proof"));
    open(page, "Pitfall: a callee-saved register forgotten");
    page.press("p");
    page.expect(css(".proof [data-proof=P1] td.broken:last-child"));
    let told = page.text(css(".proof [data-proof=P1] td.broken:last-child"));
    assert!(told.contains("refuted") && told.contains("r13"), "{told}");
    page.screenshot("refuted");
}

fn a_signal_can_arrive_anywhere(page: &Page) {
    open(page, TWO_TASKS);
    for _ in 0..3 {
        page.press("Shift+ArrowRight");
    }
    let here = position(page);
    let before = shown(page);
    page.click(role("button", "Signal"));
    page.expect_js("document.querySelector('[data-testid=sentence]').innerText.toLowerCase().includes('signal')");
    assert_eq!(position(page), here + 1);
    page.expect(css(".timeline .branch"));
    // It came within a switch, which has done nothing wrong.
    assert_eq!(page.count(css(".checks .broken")), 0);
    page.screenshot("signal");
    page.press("End");
    let output = page.texts(css("[data-testid=output-lines] li"));
    assert_eq!(output.last().map(String::as_str), Some("both have ended"));
    page.click(role("button", "Undo"));
    page.expect_gone(css(".timeline .branch"));
    assert_eq!(position(page), here);
    assert_eq!(shown(page), before);
}

fn change(page: &Page, cell: &str, value: &str) {
    page.click(css(cell));
    page.click(role("menuitem", "Change it here …"));
    page.expect(css(".menu.change input"));
    page.fill(css(".menu.change input"), value);
    page.press("Enter");
}

fn a_changed_register_is_a_branch_that_can_be_undone(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Shift+ArrowRight");
    let (here, before) = (position(page), shown(page));
    let end = page.text(test_id("position"));
    change(page, "[data-register=r12] .cell", "nonsense");
    page.expect(css(".menu.change [role=alert]"));
    page.press("Escape");
    page.expect_gone(css(".menu.change"));
    change(page, "[data-register=r12] .cell", "0x4711");
    page.expect_gone(css(".menu.change"));
    page.expect_js(
        "document.querySelector('[data-register=r12] .cell').innerText.includes('4711')",
    );
    page.expect(css("[data-register=r12] .changed"));
    assert_eq!(position(page), here + 1);
    page.screenshot("branch");
    page.press("u");
    page.expect_gone(css(".button.undo"));
    assert_eq!(page.text(test_id("position")), end);
    assert_eq!(shown(page), before);
}

fn a_changed_word_changes_what_is_printed(page: &Page) {
    open(page, TWO_TASKS);
    // A has put its number into its frame and has been evicted: change it in the save stack.
    page.press("Control+Shift+ArrowRight");
    page.press("Control+Shift+ArrowRight");
    page.expect_text(test_id("owner-S"), "B");
    let found = page.js(
        "const cells = [...document.querySelectorAll('[data-testid=task-A] .memory tr')];
         const row = cells.find(row => row.querySelector('.meaning')?.innerText === 'pad[0]');
         row?.querySelector('.cell').setAttribute('data-testid', 'the-word');
         return Boolean(row)",
        &[],
    );
    assert_eq!(found, true, "pad[0] is not among the first words");
    change(page, "[data-testid=the-word]", "4711");
    page.expect(css(".button.undo"));
    page.press("End");
    // The image is not what was saved, which is just what a checker is for.
    page.expect(css(".output .fault"));
    let fault = page.text(css(".output .fault"));
    assert!(fault.contains("checksum"), "{fault}");
    page.press("u");
    page.press("End");
    page.expect_gone(css(".output .fault"));
}

fn a_link_holds_what_was_done_by_hand(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Shift+ArrowRight");
    page.click(role("button", "Signal"));
    page.press("ArrowRight");
    page.expect(css(".button.undo"));
    let (here, before) = (position(page), shown(page));
    page.expect_js("location.hash.includes('.s') && location.hash.includes('v=')");
    let address = page.location();
    page.open("/#");
    page.open(&address);
    page.reload();
    page.expect(css(".button.undo"));
    assert_eq!(position(page), here);
    assert_eq!(shown(page), before);
    assert_eq!(page.count(test_id("notice")), 0);
}

fn draws_who_gives_and_who_gets_a_stack(page: &Page) {
    open(page, TWO_TASKS);
    page.press("Control+Shift+ArrowRight");
    page.expect(css(".overlay .hand.gets"));
    assert_eq!(page.count(css(".overlay .hand.gives")), 0, "nobody had it");
    page.press("Control+Shift+ArrowRight");
    page.expect(css(".overlay .hand.gives"));
    page.expect(css(".overlay .hand.gets"));
    page.screenshot("hand-over");
    page.press("ArrowRight");
    page.expect_gone(css(".overlay .hand"));
}

fn a_stale_pointer_is_red(page: &Page) {
    open(page, TWO_TASKS);
    page.click(role("button", "Edit"));
    page.js(
        "const area = document.querySelector('textarea');
         area.value = arguments[0];
         area.dispatchEvent(new InputEvent('input', {bubbles: true}));",
        &["scenario \"stale\"\nstack S shared 4096\nglobal p = 0\ntask A on S = a()\n\
           task B on S = b()\nfn a() {\n    let x = 7\n    p = &x\n    yield\n    print x\n}\n\
           fn b() {\n    let q = p\n    yield\n    print *q\n}\nmain { resume A; resume B; resume B }\n"
            .into()],
    );
    page.click(role("button", "Done"));
    page.expect_js("document.querySelector('.source').innerText.includes('stale')");
    page.press("f");
    let fault = page.text(css(".output .fault"));
    assert!(fault.contains("stale pointer"), "{fault}");
    page.expect_js("document.querySelectorAll('.cell.pointer-out').length > 0");
    let found = page.js(
        "const cells = [...document.querySelectorAll('.stack .cell.pointer-out, .registers .cell.pointer-out')];
         cells[0].setAttribute('data-testid', 'stale'); return cells[0].ariaLabel",
        &[],
    );
    assert!(
        found
            .as_str()
            .is_some_and(|label| label.contains("swapped out")),
        "{found}"
    );
    page.hover(test_id("stale"));
    page.expect(css(".overlay .arrow.out"));
    page.screenshot("stale");
}
