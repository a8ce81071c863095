//! Mutations of a corpus, for a short run where there is no fuzzer: the same ones every time.

use std::path::Path;

/// All files below some folders of the project, in the order of their names.
pub fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    assert!(files.len() > 3, "there are only {files:?}");
    let read = |path| std::fs::read(path).expect("readable");
    files.iter().map(read).collect()
}

/// The quoted words of a dictionary in libFuzzer's format, one a line.
fn words(dictionary: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(dictionary);
    let quoted = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once('"')?;
        let (word, _) = rest.rsplit_once('"')?;
        Some(
            word.replace("\\x0a", "\n")
                .replace("\\\"", "\"")
                .into_bytes(),
        )
    });
    quoted.collect()
}

/// Calls a function with every seed, then with so many mutations of them.
pub fn each(seeds: &[Vec<u8>], dictionary: &[u8], count: usize, mut check: impl FnMut(&[u8])) {
    seeds.iter().for_each(|seed| check(seed));
    check(b"");
    let words = words(dictionary);
    let mut random = Random(0x5eed_c057_ac4b);
    for _ in 0..count {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..1 + random.below(4) {
            mutate(&mut bytes, seeds, &words, &mut random);
        }
        bytes.truncate(8 << 10);
        check(&bytes);
    }
}

/// One change.
fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(24)).min(bytes.len());
    match random.below(7) {
        0 => drop(bytes.drain(at..end.max(at))),
        1 => bytes.insert(at, random.below(256) as u8),
        2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        3 => {
            let piece = bytes[at..end.max(at)].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        4 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let until = (from + 1 + random.below(64)).min(other.len());
            bytes.splice(at..at, other[from..until.max(from)].iter().copied());
        }
        _ => {
            let word = &words[random.below(words.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}
