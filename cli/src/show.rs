//! How results look: colours, tables, progress.

use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::Rendered;

/// Good news.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is beside the point.
pub const DIM: Style = Style::new().dimmed();

/// Text in a style. Where styles are not wanted, the streams take them out.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether messages on standard error are coloured.
pub fn has_colour() -> bool {
    AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Says on standard error what is wrong. Mistakes that are rendered say themselves that they are errors.
pub fn error(error: &anyhow::Error) {
    match error.downcast_ref::<Rendered>() {
        Some(rendered) => anstream::eprintln!("{rendered}"),
        None => anstream::eprintln!("{} {error:#}", styled(BAD, "error:")),
    }
}

/// Standard output, buffered. Styles pass where it is a terminal that wants them.
pub fn out() -> impl Write {
    let stdout = io::stdout().lock();
    io::BufWriter::new(plain_unless_terminal(stdout))
}

fn plain_unless_terminal<S: RawStream>(stream: S) -> AutoStream<S> {
    AutoStream::auto(stream)
}

/// A table without lines, of which the first row is the header.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    // A fixed width where nobody watches, so that files of output are alike everywhere.
    if !io::stdout().is_terminal() {
        table.set_width(100);
    }
    table
}

/// The lines of a table, without the blanks that fill the last column.
pub fn lines(table: &Table) -> String {
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// A bar on standard error for work that takes longer than a second, where a person watches.
pub fn progress(length: u64, what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar
}

/// Moves a bar on. It shows itself once it has been at work for a second.
pub fn advance(bar: &ProgressBar, by: u64) {
    if bar.is_hidden() && bar.elapsed().as_secs() >= 1 && io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    bar.inc(by);
}

/// Does work of unknown length. Where a person watches, standard error says after a second that it goes on.
pub fn working<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let (working, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let style = ProgressStyle::with_template("{spinner} {msg}: {elapsed}");
            let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(Duration::from_millis(100));
            // Nothing is ever sent: the other end goes when the work is done, or has panicked.
            let _ = ended.recv();
            spinner.finish_and_clear();
        });
        // Dropped before the scope waits for its thread.
        let _working = working;
        work()
    })
}

/// A number with its thousands apart: `12 345 678`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 task`, `2 tasks`.
pub fn count(number: u64, one: &str) -> String {
    count_as(number, one, &format!("{one}s"))
}

/// So many of something whose plural is no `s`: `1 switch`, `2 switches`.
pub fn count_as(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", thousands(number)),
    }
}

/// Bytes in the unit that suits them.
pub fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{number} B"),
        10_000..10_000_000 => format!("{:.1} KB", number as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

/// Nanoseconds in the unit that suits them.
pub fn time(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.1} ns"),
        1e3..1e6 => format!("{:.1} us", ns / 1e3),
        1e6..1e9 => format!("{:.1} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1 234 567");
        assert_eq!(count(1, "task"), "1 task");
        assert_eq!(count(2_000, "task"), "2 000 tasks");
        assert_eq!(count_as(1, "switch", "switches"), "1 switch");
        assert_eq!(count_as(0, "switch", "switches"), "0 switches");
        assert_eq!(bytes(9_999), "9999 B");
        assert_eq!(bytes(12_345), "12.3 KB");
        assert_eq!(time(12.34), "12.3 ns");
        assert_eq!(time(2_500_000.0), "2.5 ms");
    }
}
