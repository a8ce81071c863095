//! The entry point of the fuzz target, over its corpus and mutations of it.

#[path = "../../fuzz/entries/parse.rs"]
mod entry;
#[path = "../../fuzz/entries/mutate.rs"]
mod mutate;

#[test]
fn the_corpus_and_its_mutations_are_answered() {
    let seeds = mutate::corpus(&["fuzz/corpus/parse", "scenarios"]);
    let dictionary = include_bytes!("../../fuzz/parse.dict");
    mutate::each(&seeds, dictionary, 4000, entry::check_bytes);
}
