//! The entry point of the fuzz target, over its corpus and mutations of it.

#[path = "../../fuzz/entries/assemble.rs"]
mod entry;
#[path = "../../fuzz/entries/mutate.rs"]
mod mutate;

#[test]
fn the_corpus_and_its_mutations_are_answered() {
    let corpus = mutate::corpus(&["fuzz/corpus/assemble", "asm"]);
    let dictionary = include_bytes!("../../fuzz/assemble.dict");
    mutate::each(&corpus, dictionary, 600, entry::check_bytes);
}
