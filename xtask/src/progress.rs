//! Telling what goes on, one line at a time.

use std::{
    io::{IsTerminal, Write},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Prints one line of xtask's own, set off from the output of the programs it runs.
pub fn say(line: impl AsRef<str>) {
    let line = line.as_ref();
    // Programs write to both streams; ours go to stdout, at once, so that a log keeps their order.
    let mut out = std::io::stdout().lock();
    let _ = if std::io::stdout().is_terminal() {
        writeln!(out, "\x1b[1;36m[xtask]\x1b[0m {line}")
    } else {
        writeln!(out, "[xtask] {line}")
    };
    let _ = out.flush();
}

/// A duration as people say it.
pub fn spoken(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = (millis + 500) / 1000;
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..9_950 => format!("{:.1} s", duration.as_secs_f64()),
        9_950..119_500 => format!("{seconds} s"),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Says every so often that something silent is still running, until dropped.
pub struct Heartbeat {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Starts one; the first beat comes after one period.
    pub fn start(what: impl Into<String>, period: Duration) -> Self {
        let what = what.into();
        let (stop, stopped) = mpsc::channel::<()>();
        let started = Instant::now();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                say(format!(
                    "… {what}: still at it after {}",
                    spoken(started.elapsed())
                ));
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(millis: u64, expected: &str) {
        assert_eq!(spoken(Duration::from_millis(millis)), expected);
    }

    #[test]
    fn speaks_durations_in_fitting_units() {
        check(7, "7 ms");
        check(1_240, "1.2 s");
        check(86_400, "86 s");
        check(119_600, "2 min");
        check(190_000, "3 min 10 s");
    }
}
