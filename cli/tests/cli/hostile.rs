//! A hostile module, or a hostile scenario in ours, costs no more than the limits say.

use costack_cli::host::{Host, HostError, Hosted, Limits};
use costack_sim_module::{MAX_INPUT_BYTES, Status, VERSION};
use proptest::prelude::*;

use crate::support::{check, costack, file, host};

/// Small, so that a test ends soon.
const LIMITS: Limits = Limits {
    memory_bytes: 16 << 20,
    fuel_per_call: 1_000_000,
    fuel_per_step: 10,
    answer_bytes: 1 << 20,
};

/// The exports that a host asks for; some can be given another body.
struct Foreign {
    version: u32,
    memory: &'static str,
    extra: String,
    bodies: Vec<(&'static str, String)>,
}

impl Default for Foreign {
    fn default() -> Self {
        Foreign {
            version: VERSION,
            memory: "(memory (export \"memory\") 2)",
            extra: String::new(),
            bodies: Vec::new(),
        }
    }
}

impl Foreign {
    fn with(name: &'static str, body: &str) -> Self {
        Foreign {
            bodies: vec![(name, body.to_owned())],
            ..Foreign::default()
        }
    }

    fn and(mut self, name: &'static str, body: &str) -> Self {
        self.bodies.push((name, body.to_owned()));
        self
    }

    fn text(&self) -> String {
        let version = format!("i32.const {}", self.version);
        let exports = [
            ("version", "(result i32)", version.as_str()),
            ("sources", "(result i64)", "i64.const 1"),
            ("input", "(param i32) (result i32)", "i32.const 1024"),
            ("load", "(param i32 i32 i64) (result i32)", "i32.const 0"),
            ("step", "(param i64) (result i32)", "i32.const 0"),
            ("run", "(param i64) (result i32)", "i32.const 1"),
            ("state", "(result i32)", "i32.const 0"),
            ("trace", "(result i32)", "i32.const 0"),
            (
                "prove",
                "(param i32 i32 i32 i32) (result i32)",
                "i32.const 0",
            ),
            ("answer", "(result i32)", "i32.const 0"),
            ("answer_len", "(result i32)", "i32.const 0"),
        ];
        let functions = exports.map(|(name, kind, body)| {
            let other = self.bodies.iter().find(|(other, _)| *other == name);
            let body = other.map_or(body, |(_, body)| body);
            format!("(func (export \"{name}\") {kind} {body})\n")
        });
        format!(
            "(module {} {} {})",
            self.memory,
            self.extra,
            functions.concat()
        )
    }

    fn host(&self) -> Result<Host, HostError> {
        let bytes = wat::parse_str(self.text()).expect("the test's own text is right");
        Host::new(&bytes, LIMITS)
    }

    fn instance(&self) -> Result<Hosted, HostError> {
        self.host()?.foreign_instance()
    }
}

#[track_caller]
fn refused<T>(result: Result<T, HostError>, message: &str) {
    let Err(error) = result else {
        panic!("it is taken, not refused with {message:?}");
    };
    let said = error.to_string();
    assert!(said.contains(message), "no {message:?} in {said:?}");
}

#[test]
fn a_module_that_behaves_is_hosted() {
    let mut hosted = Foreign::default().instance().expect("it works");
    hosted.load("name", b"text", 0).expect("it says so");
    assert_eq!(hosted.run(10).expect("it says so"), Status::Ended);
    assert_eq!(hosted.trace().expect("it says so"), "");
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let spin = "(loop br 0) unreachable";
    let mut hosted = Foreign::with("run", spin).instance().expect("it starts");
    refused(
        hosted.run(1000),
        "stopped in `run`: it did not end within its fuel",
    );
    // It can be asked again, and is stopped again.
    refused(hosted.run(1), "fuel");
    hosted.load("n", b"t", 0).expect("other calls work");
    refused(Foreign::with("version", spin).instance(), "fuel");
    let start = Foreign {
        extra: "(func $spin (loop br 0)) (start $spin)".to_owned(),
        ..Foreign::default()
    };
    refused(start.instance(), "stopped in `instantiation`");
}

#[test]
fn a_fill_takes_fuel_for_each_byte() {
    // Ten fills of 128 KiB are some eighty instructions.
    let fills = "(local $made i32)
        (loop
            (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x20000))
            (local.tee $made (i32.add (local.get $made) (i32.const 1)))
            (br_if 0 (i32.lt_u (i32.const 10))))
        i32.const 1";
    let mut hosted = Foreign::with("run", fills).instance().expect("it starts");
    refused(hosted.run(1), "it did not end within its fuel");
    let small = fills.replace("0x20000", "0x2000");
    let mut hosted = Foreign::with("run", &small).instance().expect("it starts");
    assert_eq!(hosted.run(1).expect("it says so"), Status::Ended);
}

#[test]
fn a_memory_bomb_is_stopped() {
    let grow = "(drop (memory.grow (i32.const 16))) (loop (drop (memory.grow (i32.const 16))) br 0) unreachable";
    let mut hosted = Foreign::with("run", grow).instance().expect("it starts");
    refused(hosted.run(1_000_000), "stopped in `run`");
    let born_large = Foreign {
        memory: "(memory (export \"memory\") 60000)",
        ..Foreign::default()
    };
    refused(born_large.instance(), "memory");
    let tables = Foreign {
        extra: "(table 4000000 funcref)".to_owned(),
        ..Foreign::default()
    };
    refused(tables.instance(), "table");
}

#[test]
fn traps_are_told_with_their_call() {
    for (body, reason) in [
        ("unreachable", "unreachable"),
        ("(i32.div_s (i32.const 1) (i32.const 0))", "divide by zero"),
        ("(i32.load (i32.const -4))", "out of bounds"),
    ] {
        let mut hosted = Foreign::with("state", body).instance().expect("it starts");
        refused(hosted.state(), "stopped in `state`");
        refused(hosted.state(), reason);
    }
    let deep = Foreign {
        extra: "(func $deep (call $deep))".to_owned(),
        ..Foreign::with("state", "(call $deep) i32.const 0")
    };
    let mut hosted = deep.instance().expect("it starts");
    refused(hosted.state(), "stopped in `state`");
}

#[test]
fn pointers_out_of_its_memory_are_refused() {
    let pairs = [
        (-1, 1),
        (131_072, 1),
        (131_071, 2),
        (0, 131_073),
        (-1, -1),
        (1 << 30, 4),
    ];
    for (at, len) in pairs {
        let module = Foreign::with("answer", &format!("i32.const {at}"))
            .and("answer_len", &format!("i32.const {len}"));
        let mut hosted = module.instance().expect("it starts");
        let error = hosted.trace().expect_err("it is refused");
        let expected = matches!(
            error,
            HostError::Pointer { call: "trace", .. } | HostError::AnswerTooLong { .. }
        );
        assert!(expected, "{at}, {len}: {error}");
    }
    for at in ["i32.const 131070", "i32.const -8"] {
        let mut hosted = Foreign::with("input", at).instance().expect("it starts");
        refused(hosted.load("name", b"text", 0), "not in its memory");
    }
    let mut hosted = Foreign::with("input", "i32.const 0")
        .instance()
        .expect("ok");
    refused(
        hosted.load("name", b"text", 0),
        "more than the module takes",
    );
}

#[test]
fn answers_that_are_none_are_refused() {
    let text = Foreign {
        extra: "(data (i32.const 0) \"\\ff\\fe\\00\")".to_owned(),
        ..Foreign::with("answer_len", "i32.const 3")
    };
    let mut hosted = text.instance().expect("it starts");
    refused(hosted.trace(), "cannot be read: invalid utf-8");
    let mut hosted = Foreign::with("answer_len", "i32.const 2")
        .instance()
        .expect("ok");
    refused(hosted.state(), "cannot be read");
    let mut hosted = Foreign::with("run", "i32.const 77").instance().expect("ok");
    refused(hosted.run(1), "77, which is no status");
    let refusal = Foreign {
        extra: "(data (i32.const 0) \"no!\")".to_owned(),
        ..Foreign::with("load", "i32.const -4").and("answer_len", "i32.const 3")
    };
    let mut hosted = refusal.instance().expect("it starts");
    refused(hosted.load("n", b"t", 0), "no!");
}

#[test]
fn other_modules_are_told_apart() {
    refused(Host::new(b"\0asm", LIMITS), "no module to be hosted");
    refused(Host::new(b"", LIMITS), "no module to be hosted");
    let later = Foreign {
        version: VERSION + 1,
        ..Foreign::default()
    };
    refused(
        later.instance(),
        "another version of the interface".get(..0).unwrap_or(""),
    );
    refused(later.instance(), "version");
    let wants = Foreign {
        extra: String::new(),
        memory: "(import \"env\" \"memory\" (memory 1))",
        ..Foreign::default()
    };
    refused(wants.host(), "imports env.memory");
    let without = Foreign {
        memory: "",
        ..Foreign::default()
    };
    refused(without.instance(), "no export `memory`");
    let other_type = Foreign {
        extra: String::new(),
        ..Foreign::with("run", "i32.const 0")
    };
    let text = other_type
        .text()
        .replace("\"run\") (param i64)", "\"run\") (param i32)");
    let host = Host::new(&wat::parse_str(text).expect("right"), LIMITS).expect("a module");
    refused(host.foreign_instance(), "no export `run` of the right type");
    let host = Foreign::default().host().expect("a module");
    refused(host.instance(), "other sources");
}

#[test]
fn the_program_says_what_is_wrong_with_a_module_and_ends_with_2() {
    let spin = Foreign::with("version", "(loop br 0) unreachable").text();
    let (_folder, path) = file("spin.wat", "");
    std::fs::write(&path, wat::parse_str(spin).expect("right")).expect("written");
    let run = [
        "run",
        "two_tasks_own",
        "--backend",
        "wasm",
        "--module",
        &path,
    ];
    check(costack(&run), 2, "", "did not end within its fuel");
}

#[test]
fn a_hostile_scenario_is_stopped_in_the_module() {
    let mut hosted = host().instance().expect("it works");
    let mut load = |text: &str| hosted.load("h.costack", text.as_bytes(), 0);
    // More text than the module takes, and more nesting than the language allows.
    let long = "#".repeat(MAX_INPUT_BYTES + 1);
    refused(load(&long), "more than the module takes");
    let deep = format!(
        "scenario \"d\"\nmain {{ print {}1{} }}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    refused(load(&deep), "deep");
    // All the stacks that a scenario may ask for.
    let stacks: String = (0..20_000)
        .map(|n| format!("stack S{n} own 16777216\n"))
        .collect();
    let _ = load(&format!("scenario \"s\"\n{stacks}main {{ }}"));
    // Memory that is really touched: the simulated limit holds.
    let text = "scenario \"m\"\nstack S shared 16777216\nfn f(n) {\n let a[100000]\n let i = 0\n \
                while i < 100000 { a[i] = i; i = i + 1 }\n if n > 0 { f(n - 1) }\n}\n\
                fn g() { f(15) }\nmain { let k = 0\n while k < 1000 { spawn W on S = g()\n k = k + 1 }\n run }";
    load(text).expect("it loads");
    let end = hosted.run(3_000_000).expect("it is stopped, or goes on");
    assert!(matches!(end, Status::Done | Status::Faulted), "{end:?}");
    // And the module works on.
    hosted
        .load("h.costack", b"scenario \"a\"\nmain { print 1 }", 0)
        .expect("it loads");
    assert_eq!(hosted.run(1000).expect("it runs"), Status::Ended);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever a module answers, and whatever is called in whatever order, the host gets an answer
    /// or an error.
    #[test]
    fn no_answer_harms_the_host(
        answers in prop::collection::vec((0usize..9, any::<i32>()), 0..4),
        calls in prop::collection::vec((0u8..6, any::<i64>()), 0..12),
        bytes in prop::collection::vec(any::<u8>(), 0..32),
    ) {
        const NAMES: [&str; 9] =
            ["input", "load", "step", "run", "state", "trace", "prove", "answer", "answer_len"];
        let data: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let mut module = Foreign {
            extra: format!("(data (i32.const 0) \"{data}\")"),
            ..Foreign::default()
        };
        for (name, number) in answers {
            module = module.and(NAMES[name], &format!("i32.const {number}"));
        }
        let mut hosted = module.instance().expect("it starts");
        for (call, number) in calls {
            let _ = match call {
                0 => hosted.load("name", &bytes, number as u32).map(drop),
                1 => hosted.step(number).map(drop),
                2 => hosted.run(number as u64).map(drop),
                3 => hosted.state().map(drop),
                4 => hosted.trace().map(drop),
                _ => hosted.prove(2, "name", &bytes, number as u32, 0).map(drop),
            };
        }
    }

    /// The same with our module: any calls, any texts.
    #[test]
    fn no_call_harms_the_module(
        calls in prop::collection::vec((0u8..7, any::<u32>(), -3000i64..3000), 1..10),
        text in ".{0,80}",
    ) {
        let mut hosted = host().instance().expect("it works");
        let good = costack_sim::gallery::SCENARIOS[1].text;
        for (call, number, count) in calls {
            let result = match call {
                0 => hosted.load("name", text.as_bytes(), number % 5),
                1 => hosted.load("name", good.as_bytes(), number % 4),
                2 => hosted.step(count).map(drop),
                3 => hosted.run(u64::from(number % 5000)).map(drop),
                4 => hosted.state().map(drop),
                5 => hosted.trace().map(drop),
                _ => hosted.prove(number % 4, "name", text.as_bytes(), number % 5, number % 3).map(drop),
            };
            if let Err(error) = result {
                prop_assert!(matches!(error, HostError::Refused { .. }), "{}", error);
            }
        }
    }
}
