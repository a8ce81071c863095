#![no_main]

#[path = "../entries/module.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::check_bytes(bytes));
