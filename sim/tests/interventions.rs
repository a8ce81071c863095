//! Changing a run from outside makes another branch of history, and that can be taken again.

mod common;

use common::{ISAS, LIMIT, load};
use costack_sim::Session;
use costack_sim::program::Isa;
use costack_sim::view::{
    FaultKind, Granularity, Intervention, Meaning, RefusedIntervention, RunOutcome, StepKind,
    WordView,
};

const TEXT: &str = "scenario \"t\"\nstack S shared 4096\nglobal g = 7\n\
    task A on S = f(1)\ntask B on S = f(2)\n\
    fn f(n) { let a[2]\n a[0] = n * 10\n yield\n print a[0], g }\n\
    main { resume A\n resume B\n resume A\n resume B }";

fn output(session: &mut Session) -> Vec<String> {
    assert_eq!(
        session.run(LIMIT),
        RunOutcome::Ended,
        "{:?}",
        session.fault()
    );
    session.output().into_iter().map(str::to_owned).collect()
}

fn set_word(session: &Session, address: u64, value: u64) -> Intervention {
    let word = session.isa().word_bytes() as usize;
    Intervention::SetBytes {
        address,
        bytes: value.to_le_bytes()[..word].to_vec(),
    }
}

/// `a[0]` of the task on the stack, while that is in `f`.
fn element(session: &Session) -> Option<WordView> {
    let stack = &session.stacks()[1];
    let words = session.stack_words(1, stack.base..stack.top);
    let is_it = |word: &WordView| matches!(word.meaning, Meaning::Element { index: 0, .. });
    words.into_iter().find(is_it)
}

#[test]
fn bytes_set_by_hand_change_what_comes_after() {
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        let plain = output(&mut session);
        assert_eq!(plain, ["10 7", "20 7"]);
        let len = session.position();
        let global = (0..len).find_map(|_| {
            let words = session.words(0x40_0000..0x40_4000);
            let is_g =
                |meaning: &Meaning| matches!(meaning, Meaning::Global { name } if name == "g");
            words
                .iter()
                .find(|word| is_g(&word.meaning))
                .map(|word| word.address)
        });
        let global = global.expect("a global");
        session.jump(len / 2);
        let half = session.state_hash();
        session
            .intervene(set_word(&session, global, 9))
            .expect("memory");
        let step = session.last_step().expect("a step");
        assert_eq!(step.kind, StepKind::Edit);
        assert!(
            step.sentence.starts_with("set by hand: "),
            "{}",
            step.sentence
        );
        assert!(step.sentence.contains(" to 9"), "{}", step.sentence);
        assert_eq!(
            session.recorded_len(),
            len / 2 + 1,
            "what came after is gone"
        );
        let branch = session.branch().to_vec();
        assert_eq!(branch.len(), 1);
        assert_eq!(output(&mut session), ["10 9", "20 9"]);
        let changed = session.state_hash();

        // Back over it, and on.
        session.jump(len / 2);
        assert_eq!(session.state_hash(), half);
        session.jump(u64::MAX);
        assert_eq!(session.state_hash(), changed);

        // To the first branch, and to the other one again.
        session.take_branch(&[]).expect("nothing is refused");
        assert_eq!(session.state_hash(), half);
        assert_eq!(output(&mut session), plain);
        session.take_branch(&branch).expect("as before");
        assert_eq!(session.position(), len / 2);
        session.jump(u64::MAX);
        assert_eq!(session.state_hash(), changed);
        assert_eq!(session.branch(), branch);
    }
}

#[test]
fn a_register_set_by_hand_is_what_the_next_instruction_reads() {
    let mut session = load(TEXT, Isa::X86_64);
    let names: Vec<_> = session.registers().iter().map(|r| r.name).collect();
    for name in names.iter().filter(|name| !["rip", "rsp"].contains(name)) {
        let set = |value| Intervention::SetRegister {
            register: (*name).to_owned(),
            value,
        };
        session.intervene(set(2)).expect("it fits");
        let register = session.registers().into_iter().find(|r| r.name == *name);
        let register = register.expect("it is there");
        assert_eq!((register.value, register.initialised), (2, true), "{name}");
        let origin = session.writer_of_register(name).expect("the edit");
        assert_eq!(origin.step, session.position() - 1);
        session.jump(0);
    }
}

#[test]
fn a_frame_can_be_moved_and_execution_sent_elsewhere() {
    let mut session = load(TEXT, Isa::X86_64);
    session.next(Granularity::Switch, LIMIT);
    let register = |session: &Session, name| {
        let all = session.registers();
        all.iter()
            .find(|r| r.name == name)
            .expect("it is there")
            .value
    };
    let (sp, pc) = (register(&session, "rsp"), register(&session, "rip"));
    let set = |register: &str, value| Intervention::SetRegister {
        register: register.to_owned(),
        value,
    };
    session.intervene(set("rsp", sp - 64)).expect("a register");
    assert_eq!(session.running_task(), Some(1), "sp stays the task's");
    let entry = session
        .listing()
        .iter()
        .find_map(|line| line.address)
        .expect("code");
    session.intervene(set("rip", entry)).expect("code");
    assert_eq!(register(&session, "rip"), entry);
    assert!(
        session
            .last_step()
            .expect("a step")
            .sentence
            .contains("where execution goes on")
    );
    session.back();
    assert_eq!(register(&session, "rip"), pc);
    session.step();
    assert_eq!(register(&session, "rip"), entry);
}

#[test]
fn a_byte_of_an_image_set_by_hand_is_noticed_at_its_restore() {
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        while session
            .task(1)
            .and_then(|t| t.save)
            .is_none_or(|s| s.used == 0 || session.position() < 60)
        {
            session.next(Granularity::Ownership, LIMIT);
        }
        let save = session
            .task(1)
            .and_then(|t| t.save)
            .expect("it shares its stack");
        let address = save.address + u64::from(save.used) - 1;
        let bytes = vec![0x77];
        session
            .intervene(Intervention::SetBytes { address, bytes })
            .expect("memory");
        assert_eq!(session.run(LIMIT), RunOutcome::Faulted);
        let fault = session.fault().expect("a fault");
        assert!(
            matches!(fault.kind, FaultKind::ImageChanged { task: 1, .. }),
            "{fault:?}"
        );
        // The fault belongs to the branch, and goes with it.
        session.take_branch(&[]).expect("nothing is refused");
        assert_eq!(output(&mut session), ["10 7", "20 7"]);
    }
}

#[test]
fn a_value_set_by_hand_in_a_frame_travels_with_the_image() {
    let mut session = load(TEXT, Isa::I386);
    let written = (0..LIMIT).find_map(|_| {
        session.step();
        element(&session).filter(|word| word.value == 10)
    });
    let address = written.expect("it is written").address;
    session
        .intervene(set_word(&session, address, 55))
        .expect("memory");
    let edit = session.position() - 1;
    session.run(LIMIT);
    assert_eq!(session.output(), ["55 7", "20 7"]);
    assert!(session.branch().len() == 1 && session.branch()[0].0 == edit);
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    let mut session = load(TEXT, Isa::I386);
    let hash = session.state_hash();
    let set = |register: &str, value| Intervention::SetRegister {
        register: register.to_owned(),
        value,
    };
    let bytes = |address, bytes: usize| Intervention::SetBytes {
        address,
        bytes: vec![1; bytes],
    };
    for (what, message) in [
        (set("rax", 1), "there is no register `rax`"),
        (set("eax", 1 << 32), "eax holds 4 bytes"),
        (set("fpcw", 1 << 16), "fpcw holds 2 bytes"),
        (set("eip", 3), "no instruction begins at 0x3"),
        (bytes(0x10, 1), "there is no memory at 0x10"),
        (bytes(u64::MAX, 2), "there is no memory at 0x"),
        (bytes(0x9000_0000, 0), "between 1 and"),
        (bytes(0x9000_0000, 5000), "between 1 and"),
    ] {
        let refused = session.intervene(what).expect_err(message);
        assert!(refused.to_string().starts_with(message), "{refused}");
    }
    assert_eq!(session.state_hash(), hash);
    assert_eq!(session.position(), 0);
    session.run(LIMIT);
    let refused = session.intervene(Intervention::Signal);
    assert_eq!(refused, Err(RefusedIntervention::Over));
    // A branch that cannot be taken says where it ends.
    let far = [(1, set("eax", 3)), (1_000_000, Intervention::Signal)];
    assert_eq!(
        session.take_branch(&far),
        Err((1, RefusedIntervention::Over))
    );
    assert_eq!(session.branch(), &far[..1]);
}

/// Registers, memory and the program counter set to anything, at any step: the run goes on, ends or
/// faults, and all of it can be taken back.
#[test]
fn whatever_is_set_by_hand_is_answered() {
    let mut random = 0x1eed_5eed_u64;
    let mut below = |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) % limit
    };
    for &isa in ISAS {
        let mut session = load(TEXT, isa);
        session.run(LIMIT);
        let len = session.position();
        let registers = session.registers();
        let code: Vec<u64> = session
            .listing()
            .iter()
            .filter_map(|line| line.address)
            .collect();
        for round in 0..400 {
            session.take_branch(&[]).expect("nothing is refused");
            session.jump(below(len - 1));
            let start = (session.position(), session.state_hash());
            for _ in 0..1 + below(3) {
                let register = &registers[below(registers.len() as u64) as usize];
                let near = registers[below(registers.len() as u64) as usize].value;
                let value = match below(4) {
                    0 => below(300),
                    1 => near.wrapping_add(below(64)).wrapping_sub(32),
                    2 => code[below(code.len() as u64) as usize],
                    _ => below(u64::MAX),
                };
                let stack = session.stacks().swap_remove(1);
                let what = match below(4) {
                    0 => Intervention::SetBytes {
                        address: stack.top - 1 - below(300),
                        bytes: vec![below(256) as u8],
                    },
                    1 => Intervention::Signal,
                    2 => Intervention::SetRegister {
                        register: registers[registers.len() - 1].name.to_owned(),
                        value: code[below(code.len() as u64) as usize],
                    },
                    _ => Intervention::SetRegister {
                        register: register.name.to_owned(),
                        value,
                    },
                };
                // What does not fit is refused.
                let _ = session.intervene(what);
                session.jump(session.position() + below(20));
            }
            session.run(20_000);
            drop((session.last_step(), session.stacks(), session.tasks()));
            let (end, at) = (session.state_hash(), session.position());
            session.jump(start.0);
            assert_eq!(
                session.state_hash(),
                start.1,
                "round {round} on {}",
                isa.name()
            );
            session.jump(at);
            assert_eq!(session.state_hash(), end, "round {round} on {}", isa.name());
        }
    }
}
