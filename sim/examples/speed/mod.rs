//! The scenarios that are measured, and the clock.
#![allow(dead_code)]

use std::sync::Arc;

use costack_sim::program::Isa;
use costack_sim::{Options, Session, runtime};

/// Arithmetic, calls, an array.
pub const COMPUTE: &str = r#"scenario "compute"
stack S shared 65536
task A on S = work(100000000)
fn work(n) {
    let i = 0
    let sum = 0
    let a[8]
    while i < n {
        a[i & 7] = i
        sum = sum + mix(a[i & 7], i)
        i = i + 1
    }
}
fn mix(x, y) { return x * 3 + y - (x >> 2) }
main { resume A }
"#;

/// Two tasks that do little but evict each other.
pub const SWITCH: &str = r#"scenario "switch"
stack S shared 65536
task A on S = work(100000000)
task B on S = work(100000000)
fn work(n) {
    let i = 0
    let pad[4]
    while i < n {
        pad[i & 3] = i
        yield
        i = i + 1
    }
}
main { run }
"#;

/// As [`SWITCH`], with so many tasks.
pub fn crowd(tasks: usize) -> String {
    format!(
        "{}\nfn many(n) {{ let k = 0\n while k < {tasks} {{ spawn W on S = work(n)\n k = k + 1 }} }}\n",
        SWITCH.replace("main { run }", "main { many(1000000)\n run }")
    )
}

/// Steps after which all of ten thousand tasks have been made, have run and have been evicted: until
/// then save stacks are made and grow. Of a hundred tasks it is the same, as a session's steps also
/// cost more or less by how much it remembers.
const CROWDED: u64 = 1_500_000;

/// All of them, each with the steps after which it is in its stride.
pub fn scenarios() -> [(&'static str, String, u64); 4] {
    [
        ("compute", COMPUTE.to_owned(), 1000),
        ("switch", SWITCH.to_owned(), 1000),
        ("100 tasks", crowd(100), CROWDED),
        ("10,000 tasks", crowd(10_000), CROWDED),
    ]
}

/// Begins a session.
///
/// # Panics
/// If the scenario has a mistake.
pub fn session(text: &str, isa: Isa) -> Session {
    let program = costack_lang::parse("speed.costack", text).expect("it has no mistakes");
    let options = Options {
        memory_limit: 1 << 30,
        ..Options::default()
    };
    runtime::load(Arc::new(program), isa, options).expect("it fits")
}

/// Seconds that the CPU has spent on this thread.
#[cfg(unix)]
pub fn seconds() -> f64 {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Seconds that have passed: what the CPU has spent on this thread cannot be told here.
#[cfg(not(unix))]
pub fn seconds() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static BEGUN: OnceLock<Instant> = OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64()
}
