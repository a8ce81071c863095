//! Tells the module which sources it was built from: a host can then refuse one of others, whose
//! answers could differ from its own simulator's.

use std::fs;
use std::path::{Path, PathBuf};

/// All that the answers depend on, from this package's folder.
const SOURCES: &[&str] = &[
    "src",
    "../src",
    "../../engine/src",
    "../../lang/src",
    "../../asm",
    "../../scenarios",
];

fn main() {
    let mut files = Vec::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        find_files(Path::new(folder), &mut files);
    }
    files.sort();
    // FNV-1a with 64 bits over names and contents.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for file in files {
        add(file.to_string_lossy().as_bytes());
        match fs::read(&file) {
            Ok(bytes) => add(&bytes),
            Err(error) => panic!("{} cannot be read: {error}", file.display()),
        }
    }
    println!("cargo::rustc-env=COSTACK_SOURCES={hash}");
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => panic!("{} cannot be read: {error}", folder.display()),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_files(&path, files);
        } else {
            files.push(path);
        }
    }
}
