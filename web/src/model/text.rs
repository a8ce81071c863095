//! Numbers and words as people read them.

use std::fmt::Write as _;

use costack_sim::view::{Meaning, TaskStatus};

/// A value in hexadecimal, split where its leading zeros end: `("0000000000", "401c44")`.
///
/// The last digit always counts, so that zero reads as zero.
pub fn hex_parts(value: u64, word_bytes: u32) -> (String, String) {
    let width = word_bytes as usize * 2;
    let digits = format!("{value:0width$x}");
    let zeros = digits.bytes().take_while(|&digit| digit == b'0').count();
    let (leading, rest) = digits.split_at(zeros.min(digits.len() - 1));
    (leading.to_owned(), rest.to_owned())
}

/// An address short enough for a column: its last digits, `…` before what is left out.
pub fn short_address(address: u64, digits: usize) -> String {
    let all = format!("{address:x}");
    match all.len().checked_sub(digits) {
        Some(cut) if cut > 0 => format!("…{}", &all[cut..]),
        _ => all,
    }
}

/// A count with a comma at every third digit: `1,032`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes: exact below 10,000, then in KiB and MiB.
pub fn bytes(value: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    if value < 10_000 {
        format!("{} B", count(value))
    } else if value < 10 * MIB {
        format!("{} KiB", count(value.div_ceil(KIB)))
    } else {
        format!("{} MiB", count(value.div_ceil(MIB)))
    }
}

/// Nanoseconds with as many digits as make a difference.
pub fn nanoseconds(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        // It is a time, so it is not below zero.
        count(value.round() as u64)
    }
}

/// A path's last part.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `function +0x1c`, or the function alone at its beginning.
pub fn place(function: &str, offset: u64) -> String {
    let mut text = function.to_owned();
    if offset > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " +{offset:#x}");
    }
    text
}

/// What a word in memory means, in a few words.
pub fn meaning(meaning: &Meaning) -> String {
    match meaning {
        Meaning::ReturnAddress { function, offset } => {
            format!("return → {}", place(function, *offset))
        }
        Meaning::ResumeAddress { function, offset } => {
            format!("resume at {}", place(function, *offset))
        }
        Meaning::SavedRegister { register } => format!("saved {register}"),
        Meaning::Local { name } | Meaning::Global { name } => name.clone(),
        Meaning::Argument { name } => format!("{name} (argument)"),
        Meaning::Element { name, index } => format!("{name}[{index}]"),
        Meaning::Temporary => "temporary".to_owned(),
        Meaning::Padding => "padding".to_owned(),
        Meaning::Field { name } => name.clone().into_owned(),
        Meaning::Dead => "dead".to_owned(),
        Meaning::Guard => "guard page".to_owned(),
        Meaning::Unknown => String::new(),
    }
}

/// What a task does at the moment, in a few words.
pub fn status(status: &TaskStatus) -> String {
    match status {
        TaskStatus::Fresh => "not started".to_owned(),
        TaskStatus::Ready => "suspended".to_owned(),
        TaskStatus::Running => "running".to_owned(),
        TaskStatus::Resuming => "waits for the task it resumed".to_owned(),
        TaskStatus::Blocked(what) => format!("blocked: {what}"),
        TaskStatus::Ended => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_off_leading_zeros() {
        let parts = |value, bytes| {
            let (zeros, rest) = hex_parts(value, bytes);
            (zeros.len(), rest)
        };
        assert_eq!(parts(0x40_1c44, 8), (10, "401c44".to_owned()));
        assert_eq!(parts(0, 8), (15, "0".to_owned()));
        assert_eq!(parts(u64::MAX, 8), (0, "f".repeat(16)));
        assert_eq!(parts(0x1f80, 4), (4, "1f80".to_owned()));
    }

    #[test]
    fn shortens_addresses_only_when_they_are_long() {
        assert_eq!(short_address(0x7f00_dfe8, 4), "…dfe8");
        assert_eq!(short_address(0xdfe8, 4), "dfe8");
    }

    #[test]
    fn writes_counts_and_sizes() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_032), "1,032");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(bytes(4096), "4,096 B");
        assert_eq!(bytes(16384), "16 KiB");
        assert_eq!(bytes(256 << 20), "256 MiB");
    }

    #[test]
    fn writes_times_with_meaningful_digits() {
        assert_eq!(nanoseconds(3.114), "3.11");
        assert_eq!(nanoseconds(12.345), "12.3");
        assert_eq!(nanoseconds(1234.5), "1,235");
    }
}
