//! The gallery runs, and holds what it says.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{ISAS, finish, load};
use costack_engine::event::Event;
use costack_sim::gallery::{PITFALLS, STYLES, Scenario, all};
use costack_sim::program::Isa;

fn scenario(name: &str) -> &'static Scenario {
    all()
        .find(|scenario| scenario.name == name)
        .expect("it is in the gallery")
}

/// All `.costack` files below a folder, as names in the gallery.
fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("UTF-8");
        if path.is_dir() {
            files(&path, &format!("{prefix}{stem}/"), found);
        } else if path.extension().is_some_and(|ending| ending == "costack") {
            found.insert(format!("{prefix}{stem}"));
        }
    }
}

#[test]
fn lists_every_file_of_the_folder() {
    let mut found = BTreeSet::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
    files(Path::new(folder), "", &mut found);
    let listed: BTreeSet<String> = all().map(|s| s.name.to_owned()).collect();
    assert_eq!(found, listed);
    assert_eq!(listed.len(), all().count(), "listed twice");
}

#[test]
fn every_scenario_has_a_title_and_teaches() {
    for scenario in all() {
        let program = common::parse(scenario.text);
        assert!(!program.title.is_empty(), "{}", scenario.name);
        let about = program.about.unwrap_or_default();
        assert!(about.len() > 80, "{}: {about:?}", scenario.name);
    }
}

#[test]
fn every_scenario_runs_to_its_end() {
    for scenario in all().filter(|scenario| !scenario.is_pitfall()) {
        for &isa in ISAS {
            let (output, fault) = finish(&mut load(scenario.text, isa));
            assert_eq!(fault, None, "{} on {}", scenario.name, isa.name());
            assert!(!output.is_empty(), "{} on {}", scenario.name, isa.name());
        }
    }
}

#[test]
fn the_synopsis_prints_what_libaco_prints() {
    let mut expected = vec![
        "main_co: yield to co: 0".to_owned(),
        "co: entry: 0".to_owned(),
    ];
    for n in 0..6 {
        expected.push(format!("co: yield to main_co: {n}"));
        expected.push(format!("main_co: yield to co: {}", n + 1));
    }
    expected.push("co:  exit to main_co: 6".to_owned());
    expected.push("main_co: destroy and exit".to_owned());
    for &isa in ISAS {
        let mut session = load(scenario("libaco_synopsis").text, isa);
        assert_eq!(finish(&mut session).0, expected);
        let saves = session.statistics().saves;
        assert_eq!(saves, 0, "nobody else wants the stack");
    }
}

#[test]
fn own_stacks_copy_nothing_and_print_the_same() {
    for &isa in ISAS {
        let mut shared = load(scenario("two_tasks_shared").text, isa);
        let mut own = load(scenario("two_tasks_own").text, isa);
        assert_eq!(finish(&mut shared), finish(&mut own));
        assert!(shared.statistics().saves >= 4);
        assert_eq!(own.statistics().saves + own.statistics().restores, 0);
        let switches = |session: &costack_sim::Session| {
            let events = session.host().events();
            let resumes = events.iter().filter(|e| matches!(e, Event::Resume { .. }));
            resumes.count()
        };
        assert_eq!(switches(&shared), switches(&own));
    }
}

#[test]
fn a_deep_task_is_saved_with_more_bytes_than_a_shallow_one() {
    for &isa in ISAS {
        let mut session = load(scenario("deep_and_shallow").text, isa);
        finish(&mut session);
        let mut largest = [0; 3];
        for event in session.host().events() {
            if let Event::Save { task, bytes } = event {
                largest[task.index()] = largest[task.index()].max(bytes);
            }
        }
        assert!(largest[1] > 2 * largest[2], "{largest:?}");
    }
}

/// What each pitfall ends in: the ISA, the task, the function and how the message begins.
const FOUND: &[(&str, Isa, u32, &str, &str)] = &[
    (
        "register_forgotten",
        Isa::X86_64,
        1,
        "rt_leave",
        "rt_yield returns with 0x5a in r13, which must hold 0x46",
    ),
    (
        "vector_registers_forgotten",
        Isa::Aarch64,
        1,
        "rt_leave",
        "rt_yield returns with 0x5a in d8, which must hold 0x46",
    ),
    (
        "resume_address_outside",
        Isa::X86_64,
        2,
        "rt_leave",
        "read at 0x",
    ),
    (
        "topmost_word_lost",
        Isa::X86_64,
        1,
        "count",
        "jump to 0xa, where no instruction begins",
    ),
    (
        "topmost_word_lost",
        Isa::Aarch64,
        1,
        "count",
        "jump to 0xa, where no instruction begins",
    ),
    (
        "rounding_leaks",
        Isa::X86_64,
        2,
        "computes",
        "assertion failed: fpmode() == 0, that is 2 == 0",
    ),
    (
        "rounding_leaks",
        Isa::Aarch64,
        2,
        "computes",
        "assertion failed: fpmode() == 0, that is 2 == 0",
    ),
    (
        "freeing_the_occupant",
        Isa::X86_64,
        0,
        "rt_resume",
        "write at 0x",
    ),
    (
        "entry_misaligned",
        Isa::X86_64,
        1,
        "rt_first",
        "greet is entered with sp 0x",
    ),
    (
        "restore_on_its_own_stack",
        Isa::X86_64,
        1,
        "copy_word",
        "copy_word returns with 0x",
    ),
    (
        "sp_in_the_heap",
        Isa::X86_64,
        0,
        "rt_leave",
        "a signal arrives while sp is 0x",
    ),
];

#[test]
fn every_pitfall_is_found() {
    for pitfall in PITFALLS.iter().filter(|scenario| scenario.is_pitfall()) {
        let listed = FOUND.iter().any(|found| pitfall.name.ends_with(found.0));
        assert!(listed, "{} is not listed", pitfall.name);
    }
    for (name, isa, task, function, message) in FOUND {
        let text = scenario(&format!("pitfalls/{name}")).text;
        let (_, fault) = finish(&mut load(text, *isa));
        let fault = fault.unwrap_or_else(|| panic!("{name} goes unnoticed"));
        let found = fault.kind.to_string();
        assert!(found.starts_with(message), "{name}: {found}");
        assert_eq!(fault.task, Some(*task), "{name}: {found}");
        assert_eq!(fault.function, *function, "{name}: {found}");
        assert!(!fault.instruction.is_empty(), "{name}");
    }
}

#[test]
fn every_pitfall_has_a_corrected_twin() {
    for pitfall in PITFALLS.iter().filter(|scenario| scenario.is_pitfall()) {
        let twin = format!("{}_fixed", pitfall.name);
        assert!(all().any(|s| s.name == twin), "{twin}");
    }
}

/// Instructions and labels of an assembly text.
fn instructions(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or("").trim())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn our_style_is_the_text_that_native_assembles() {
    let program = common::parse(scenario("styles/ours").text);
    let ours = include_str!("../../asm/x86_64/switch.s");
    assert_eq!(instructions(&program.switches[0].text), instructions(ours));
}

#[test]
fn all_styles_do_the_same() {
    assert_eq!(STYLES.len(), 5);
    let mut first = None;
    for style in STYLES {
        let mut session = load(style.text, Isa::X86_64);
        let output = finish(&mut session);
        let events: Vec<_> = session.host().events().iter().map(|e| e.shape()).collect();
        let expected = first.get_or_insert((output.clone(), events.clone()));
        assert_eq!(*expected, (output, events), "{}", style.name);
    }
}
