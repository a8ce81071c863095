//! The part of a program in which tasks ask the runtime for all that it can be asked.
//!
//! Its tasks ask in any order, and wait for whatever comes, for ever as well. `main` lets them for
//! a while, then cancels all of them and waits for their ends. So every wait ends, and nothing has
//! to be known of who waits for whom. A few rules are left:
//!
//! - A mutex is unlocked, and work is done, in the step that has locked or taken it.
//! - Only `main` puts tasks into the group, and none of them waits for the group.

use super::Generator;
use super::body::Allowed;

/// A task of this part.
struct Asker {
    name: String,
    is_in_group: bool,
}

/// Microseconds that a wait lasts at most, and that `main` waits at most.
const WAIT_US: u32 = 60;
const MAIN_US: u32 = 400;

impl Generator<'_> {
    /// The part, in one of three programs.
    pub(super) fn requests(&mut self) {
        if !self.options.has_requests() || self.rng.u32(0..3) > 0 {
            return;
        }
        for thing in ["mutex qm", "event qe0", "event qe1", "queue qq", "group qg"] {
            self.declare(format_args!("{thing}"));
        }
        let capacity = self.rng.u32(1..=2);
        self.declare(format_args!("channel qc {capacity}"));
        self.declare(format_args!("work qw"));
        let askers: Vec<Asker> = (0..self.rng.u32(2..=4))
            .map(|index| Asker {
                name: format!("Q{index}"),
                is_in_group: self.rng.bool(),
            })
            .collect();
        for index in 0..askers.len() {
            self.asker(index, &askers);
        }
        let us = self.rng.u32(0..MAIN_US);
        self.main.line(format_args!("sleep {us} us"));
        self.main.line(format_args!("print \"stopped\", stop(qg)"));
        for Asker { name, .. } in &askers {
            self.main
                .line(format_args!("print \"cancelled\", cancel({name})"));
        }
        self.main.line(format_args!("join_all(qg)"));
        for Asker { name, .. } in &askers {
            self.main.line(format_args!("join {name}"));
        }
    }

    /// One of the tasks, and what `main` does so that it runs.
    fn asker(&mut self, index: usize, askers: &[Asker]) {
        let steps: Vec<String> = (0..self.rng.u32(2..=5))
            .map(|_| self.asking(index, askers))
            .collect();
        let start = self.rng.u32(0..5);
        // Whoever is spawned has no mode of its own.
        let fp = start > 0 && self.options.fp && self.rng.u32(0..4) == 0;
        let mut writer = self.writer(Allowed::ALL);
        writer.task(fp, &[], &steps, 4);
        let (_, lines) = writer.finish();
        self.add_function(&format!("q{index}(a, b)"), &lines);
        let stack = self.pick_stack(&[]);
        let stack = self.stacks[stack].name.clone();
        let name = &askers[index].name;
        let call = format!(
            "q{index}({}, {})",
            self.rng.u32(0..100),
            self.rng.u32(0..100)
        );
        if start > 0 {
            let fp = if fp { " fp" } else { "" };
            self.declare(format_args!("task {name} on {stack}{fp} = {call}"));
        }
        let start = match start {
            0 => format!("spawn {name} on {stack} = {call}"),
            1 => format!("start_after({name}, {})", self.rng.u32(0..MAIN_US)),
            2 => format!("start_background({name})"),
            _ => format!("start {name}"),
        };
        self.main.line(format_args!("{start}"));
        if askers[index].is_in_group {
            self.main.line(format_args!("enter({name}, qg)"));
        }
    }

    /// A step in which something is asked for, by one of the tasks.
    fn asking(&mut self, own: usize, askers: &[Asker]) -> String {
        let us = self.rng.u32(0..WAIT_US);
        let word = self.rng.u32(0..100);
        let event = ["qe0", "qe1"][self.rng.usize(0..2)];
        let whom = match self.rng.usize(0..=askers.len()) {
            last if last == askers.len() => "qg",
            index => &askers[index].name,
        };
        let mut others: Vec<&str> = askers.iter().map(|asker| asker.name.as_str()).collect();
        others.remove(own);
        if !askers[own].is_in_group {
            others.push("qg");
        }
        let other = others[self.rng.usize(0..others.len())];
        match self.rng.u32(0..31) {
            0 => locked("try_lock(qm)", &format!("sleep {us} us")),
            1 => locked(&format!("lock_for(qm, {us})"), "yield"),
            2 => format!("lock qm\nprint \"done\", done({event})\nsleep {us} us\nunlock qm"),
            3 => told(&format!("wait_for({event}, {us})")),
            4 => told(&format!("try_wait({event})")),
            5 => told(&format!("done({event})")),
            6 => format!("wait {event}"),
            7 => format!("complete {event}"),
            8 => told(&format!("complete_all({event})")),
            9 => format!("reinit({event})"),
            10 => told(&format!("try_send(qc, {word})")),
            11 => told(&format!("send_for(qc, {word}, {us})")),
            12 => format!("send qc, {word}"),
            13 => "if try_recv(qc) { print \"received\", received() }".to_owned(),
            14 => format!("if recv_for(qc, {us}) {{ print \"received\", received() }}"),
            15 => "recv qc\nassert received() < 100".to_owned(),
            16 => told(&format!("park_for(qq, {us})")),
            17 => "park(qq)".to_owned(),
            18 => told("wake(qq)"),
            19 => told("wake_all(qq)"),
            20 => format!("submit(qw, {word})"),
            21 => format!(
                "if take(qw) {{\n    let thing = received()\n    sleep {us} us\n    work_done(qw)\n    print \"worked\", thing\n}}"
            ),
            22 => format!("submit(qw, {word})\nflush(qw)"),
            23 => told(&format!("cancel({whom})")),
            24 => told(&format!("stop({whom})")),
            25 => told("stop_requested()"),
            26 => told(&format!("wait_stop({us})")),
            27 => told(&format!("join_for({other}, {us})")),
            28 if other == "qg" => "join_all(qg)".to_owned(),
            28 => format!("join {other}"),
            29 => format!("sleep_until(now() + {us})\nevery({})", us + 1),
            _ => self.selecting(us, other),
        }
    }

    /// A step that waits for the first of several things, and does what that one asks of it.
    fn selecting(&mut self, us: u32, other: &str) -> String {
        let mut arms = vec!["qm", "qe0", "qe1", "qc", "qq", "qw", other];
        self.rng.shuffle(&mut arms);
        arms.truncate(self.rng.usize(1..=4));
        let things = arms.join(", ");
        let mut step = match self.rng.bool() {
            true => format!("let s = select({things})\nprint \"selected\", s"),
            false => format!("let s = select_for({us}, {things})\nprint \"selected\", s"),
        };
        for (arm, thing) in arms.iter().enumerate() {
            let then = match *thing {
                "qm" => "unlock qm",
                "qc" => "print \"received\", received()",
                "qw" => "work_done(qw)",
                _ => continue,
            };
            step += &format!("\nif s == {arm} {{ {then} }}");
        }
        step
    }
}

/// A request whose answer is printed.
fn told(request: &str) -> String {
    let name = request.split('(').next().unwrap_or_default();
    format!("print \"{name}\", {request}")
}

/// A request that may lock the mutex, and what is done while it is locked.
fn locked(request: &str, then: &str) -> String {
    format!(
        "let locked = {request}\nprint \"locked\", locked\nif locked {{\n    {then}\n    unlock qm\n}}"
    )
}
