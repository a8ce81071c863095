//! `costack.h` is what cbindgen makes of the sources.

use std::path::Path;

/// `COSTACK_WRITE_HEADER=1 cargo test -p costack-capi --test header` writes it anew.
#[test]
fn the_header_is_generated_from_the_sources() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(package.join("cbindgen.toml")).expect("it is there");
    let sources = ["status", "stack", "coroutine", "runtime", "sync"];
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources {
        builder = builder.with_src(package.join("src").join(source).with_extension("rs"));
    }
    let mut generated = Vec::new();
    builder
        .generate()
        .expect("the sources parse")
        .write(&mut generated);
    let generated = plain(&String::from_utf8(generated).expect("it is text"));
    let header = package.join("include/costack.h");
    if std::env::var_os("COSTACK_WRITE_HEADER").is_some() {
        std::fs::write(&header, &generated).expect("it can be written");
    }
    let checked_in = std::fs::read_to_string(&header).expect("it is there");
    assert!(
        generated == checked_in,
        "costack.h is stale: COSTACK_WRITE_HEADER=1 cargo test -p costack-capi --test header"
    );
}

/// Rust's documentation as a C programmer reads it: no headings, no safety section titles.
fn plain(generated: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in generated.lines() {
        let line = line.trim_end();
        if line == "// # Safety" {
            lines.push("// The caller sees to it that:".to_owned());
            continue;
        }
        // Between a title and its text Rust leaves no line free, between paragraphs one.
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}
