#![no_main]

#[path = "../entries/trace.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::check_bytes(bytes));
