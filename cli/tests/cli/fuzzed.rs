//! The entry points of the fuzz targets `trace` and `module`, over their corpora and mutations.

#[path = "../../../fuzz/entries/module.rs"]
mod module;
#[path = "../../../fuzz/entries/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/entries/trace.rs"]
mod trace;

/// Words that are in traces.
const WORDS: &[u8] = br#"
"{\"at_ns\":1,\"do\":\"yield\",\"task\":1}\x0a"
"{\"at_ns\":1,\"do\":\"owner\",\"stack\":0,\"from\":1,\"to\":null}\x0a"
"{\"do\":\"close\",\"records\":"
"\"sum\":"
"null"
"18446744073709551615"
"\\u0000"
"#;

#[test]
fn traces_of_any_bytes_are_read_or_refused() {
    let seeds = mutate::corpus(&["fuzz/corpus/trace", "docs/cli.in"]);
    mutate::each(&seeds, WORDS, 3000, trace::check_bytes);
}

#[test]
fn calls_of_the_module_with_any_bytes_are_answered() {
    let seeds = mutate::corpus(&["fuzz/corpus/module", "scenarios"]);
    let dictionary = include_bytes!("../../../fuzz/parse.dict");
    mutate::each(&seeds, dictionary, 500, module::check_bytes);
}
