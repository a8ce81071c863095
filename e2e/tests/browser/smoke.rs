//! The page loads, says what it is, and is as small as promised.

use std::{fs, io::Write};

use costack_e2e::{Page, Test, WIDE, css, role, test};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

/// This file's tests.
pub const TESTS: &[Test] = &[
    test!(shows_its_name),
    test!(has_the_size_of_the_viewport),
    test!(serves_benchmark_results).only_at(&[WIDE]),
    test!(weighs_at_most_700_kb).only_at(&[WIDE]),
    test!(errors_of_the_console_are_noticed).only_at(&[WIDE]),
];

fn shows_its_name(page: &Page) {
    page.open("/");
    page.expect(role("heading", "Costack"));
    assert_eq!(page.text(css("h1")), "Costack");
    page.screenshot("start");
}

fn has_the_size_of_the_viewport(page: &Page) {
    page.open("/");
    let size = page.js("return `${innerWidth}x${innerHeight}`", &[]);
    let name = page.screenshot("size");
    assert!(
        name.to_string_lossy()
            .contains(size.as_str().expect("text")),
        "{size} in {name:?}"
    );
}

fn serves_benchmark_results(page: &Page) {
    page.open("/");
    let results = page.js(
        "return fetch('bench.json').then(answer => answer.json())",
        &[],
    );
    assert_eq!(results["schema"], json!("costack-bench/1"));
    assert!(results["reference"].is_boolean());
}

fn weighs_at_most_700_kb(page: &Page) {
    let mut total = 0;
    for entry in fs::read_dir(page.folder()).expect("the folder of the page") {
        let file = entry.expect("an entry").path();
        // What was measured is data, fetched when the page is there already.
        if !file.is_file() || file.ends_with("bench.json") {
            continue;
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&fs::read(&file).expect("a readable file"))
            .expect("memory");
        let size = gzip.finish().expect("memory").len();
        println!(
            "{size:>9} bytes gzipped: {}",
            file.file_name().expect("a name").display()
        );
        total += size;
    }
    assert!(total <= 700_000, "the page weighs {total} bytes gzipped");
}

/// The harness fails a test for errors in the console; this is the test that it can.
fn errors_of_the_console_are_noticed(page: &Page) {
    page.open("/");
    page.js(
        "console.error('on purpose'); setTimeout(() => { throw new Error('thrown') })",
        &[],
    );
    page.expect_js("true");
    let mut errors = page.take_console_errors();
    for _ in 0..40 {
        if errors.len() >= 2 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
        errors.extend(page.take_console_errors());
    }
    assert!(
        errors.iter().any(|error| error.contains("on purpose")),
        "{errors:?}"
    );
    assert!(
        errors.iter().any(|error| error.contains("thrown")),
        "{errors:?}"
    );
}
