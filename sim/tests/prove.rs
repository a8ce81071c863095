//! The switch texts of `asm/` are proven, and texts with a known flaw are refuted for that flaw.

mod prove_common;

use costack_sim::program::Isa;
use costack_sim::prove::{
    Contract, Flavour, Form, Id, Report, Status, Transition, own_text, prove,
};
use prove_common::{joined, lines, part, texts};

#[test]
fn every_built_in_text_is_proven_at_both_transitions() {
    let texts = texts();
    assert!(!texts.is_empty());
    for (contract, text) in texts {
        let reports = prove(&contract, &text).expect("the text assembles");
        assert_eq!(
            reports
                .iter()
                .map(|report| report.transition)
                .collect::<Vec<_>>(),
            Transition::ALL
        );
        for report in &reports {
            assert!(report.is_proven(), "{report}");
            let ids: Vec<Id> = report.obligations.iter().map(|one| one.id).collect();
            assert_eq!(ids, Id::ALL);
        }
    }
}

/// The heads of the texts say that these pass through unread; the contract does not ask for it.
#[test]
fn further_registers_pass_as_the_heads_of_the_texts_say() {
    let numbered = |letter: &str, numbers: std::ops::Range<u8>| {
        let names = numbers.map(|number| format!("{letter}{number}"));
        names.collect::<Vec<_>>()
    };
    for (mut contract, text) in texts() {
        let names: Vec<String> = match (contract.isa, contract.form) {
            (Isa::X86_64, Form::Call) if contract.flavour == Flavour::Fp => numbered("r", 10..12),
            (Isa::X86_64, _) => numbered("r", 8..12),
            (Isa::I386, _) => Vec::new(),
            (Isa::Aarch64, Form::Inline) => numbered("x", 5..18),
            (Isa::Aarch64, Form::Call) => [numbered("x", 3..9), numbered("x", 10..18)].concat(),
        };
        let registers = names
            .iter()
            .map(|name| contract.register(name).expect("it exists"));
        let registers: Vec<_> = registers.collect();
        contract.passes.extend(registers);
        for report in prove(&contract, &text).expect("the text assembles") {
            assert!(report.is_proven(), "{report}");
        }
    }
}

/// Proves a text of x86-64 and expects exactly these obligations to be refuted, with these words
/// in the first reason.
#[track_caller]
fn check(text: &str, transition: Transition, refuted: &[Id], words: &str) -> Report {
    let contract = Contract::of_text(Isa::X86_64, text);
    check_with(&contract, text, transition, refuted, words)
}

#[track_caller]
fn check_with(
    contract: &Contract,
    text: &str,
    transition: Transition,
    refuted: &[Id],
    words: &str,
) -> Report {
    let reports = prove(contract, &part(text)).unwrap_or_else(|errors| panic!("{errors:?}"));
    let mut reports = reports.into_iter();
    let report = reports
        .find(|report| report.transition == transition)
        .expect("there is a report for every transition");
    let found: Vec<Id> = report.refuted().map(|one| one.id).collect();
    assert_eq!(found, refuted, "{report}");
    if let Some(first) = report.refuted().next() {
        assert!(first.status.to_string().contains(words), "{report}");
    }
    report
}

/// `asm/x86_64/switch.s` with a line replaced.
#[track_caller]
fn changed(flavour: Flavour, line: &str, by: &str) -> String {
    let texts = texts().into_iter();
    let found = texts.filter(|(contract, _)| {
        let Contract {
            isa, flavour: of, ..
        } = *contract;
        (isa, of, contract.form) == (Isa::X86_64, flavour, Form::Inline)
    });
    let mut lines: Vec<String> = found.flat_map(|(_, text)| lines(&text)).collect();
    let at = lines.iter().position(|found| found == line);
    lines[at.unwrap_or_else(|| panic!("no line {line}"))] = by.to_owned();
    joined(&lines)
}

const INTEGER: Flavour = Flavour::Integer;

#[test]
fn p1_refutes_a_register_that_does_not_come_back() {
    let text = changed(INTEGER, "pop rbx", "pop r9");
    let words = "rbx ends up with where the source goes on after the text, not with rbx of";
    check(&text, Transition::Yielded, &[Id::P1], words);
    let words = "`lea rbx, [rip + 2f]`: rbx ends up with where the source goes on";
    check(&text, Transition::Fresh, &[Id::P1], words);
}

#[test]
fn p2_refutes_an_sp_that_is_off() {
    let text = changed(INTEGER, "jmp rsi", "lea rsp, [rsp - 8]; jmp rsi");
    let words = "rsp ends up with sp of the target - 8, not with sp of the target";
    check(&text, Transition::Yielded, &[Id::P2], words);
    check(&text, Transition::Fresh, &[Id::P2, Id::P8], words);
}

#[test]
fn p3_refutes_going_on_at_the_wrong_address() {
    // The source's own label is not the target's: each copy of the text has its own.
    let text = changed(INTEGER, "jmp rsi", "lea rsi, [rip + 2f]; jmp rsi");
    let words = "goes on after the text where the source entered it";
    for transition in Transition::ALL {
        check(&text, transition, &[Id::P3], words);
    }
    let text = changed(INTEGER, "jmp rsi", "jmp rdx");
    check(
        &text,
        Transition::Fresh,
        &[Id::P3],
        "goes on at rdx of the source",
    );
}

#[test]
fn p4_refutes_control_words_that_leak_or_change() {
    let fp = Contract::of(Isa::X86_64, Flavour::Fp);
    let integer = changed(INTEGER, "push rbx", "push rbx");
    // The layout of the integer flavour lacks the control words altogether.
    let report = prove(&fp, &part(&integer)).expect("it assembles").remove(1);
    let status = report.status(Id::P4).expect("there is one").to_string();
    assert!(
        status.contains("mxcsr ends up with mxcsr of the source"),
        "{status}"
    );
    let text = changed(Flavour::Fp, "ldmxcsr [rsp]", "nop");
    check_with(
        &fp,
        &text,
        Transition::Yielded,
        &[Id::P4],
        "not with mxcsr of the target",
    );
    let text = changed(INTEGER, "jmp rsi", "ldmxcsr [rsp]; jmp rsi");
    check(
        &text,
        Transition::Yielded,
        &[Id::P4],
        "what was at sp of the target",
    );
}

#[test]
fn p6_refutes_sp_outside_a_stack_and_live_bytes_below_it() {
    // Into the control block, as Tencent/libco #90 has it.
    let text = "
        // first block: entry rbx rbp
        // first frame:
        lea rax, [rip + 2f]
        mov [rdi], rsp
        mov r9, rsp
        lea rsp, [rdi + 32]
        push rbp
        push rbx
        push rax
        mov rdi, r9
        lea rsp, [r8 + 8]
        pop rax
        pop rbx
        pop rbp
        mov rsp, rsi
        jmp rax
        2:
    ";
    let words = "sp is address of the word for sp of the source + 32, in no stack";
    for transition in Transition::ALL {
        check(text, transition, &[Id::P6], words);
    }
    // The red zone ends 128 bytes below sp.
    let far = "
        // first frame: entry rbx rbp . . . . . . . . . . . . . . .
        lea rax, [rip + 2f]
        mov [rsp - 144], rax
        mov [rsp - 136], rbx
        mov [rsp - 128], rbp
        lea rsp, [rsp - 144]
        mov [rdi], rsp
        mov rdi, rsp
        mov rsp, rsi
        pop rax
        pop rbx
        pop rbp
        lea rsp, [rsp + 120]
        jmp rax
        2:
    ";
    let words = "`mov [rsp - 144], rax`: sp is sp of the source, and the byte at sp of the source \
                 - 144";
    for transition in Transition::ALL {
        check(far, transition, &[Id::P6], words);
    }
    let near = far
        .replace("144", "128")
        .replace("mov [rsp - 136]", "mov [rsp - 120]");
    let near = near.replace("mov [rsp - 128], rbp", "mov [rsp - 112], rbp");
    let near = near.replace("+ 120", "+ 104").replacen(" . .", "", 1);
    for transition in Transition::ALL {
        check(&near, transition, &[], "");
    }
}

#[test]
fn p7_refutes_what_the_image_does_not_hold() {
    let text = changed(INTEGER, "mov [rdi], rsp", "nop");
    check(
        &text,
        Transition::Fresh,
        &[Id::P7, Id::P11],
        "nothing writes the word",
    );
    let text = changed(INTEGER, "pop rbp", "mov r9, [rsp - 8]; pop rbp");
    let words = "reads 8 bytes at sp of the target - 32, which lies below the target's image";
    check(&text, Transition::Yielded, &[Id::P7], words);
    let text = changed(INTEGER, "pop rbp", "mov r9, [rdx]; pop rbp");
    check(
        &text,
        Transition::Yielded,
        &[Id::P7],
        "cannot tell where this reads: at rdx of",
    );
    // The part after the jump spoils the image that the part before it has made.
    let text = changed(INTEGER, "2:", "2: mov r9, 5; mov [rdi + 8], r9");
    check(&text, Transition::Fresh, &[], "");
    check(
        &text,
        Transition::Yielded,
        &[Id::P7],
        "is not what the source left there",
    );
}

#[test]
fn p8_refutes_an_entry_that_is_not_aligned() {
    let text = "// mistake: begins one word too low\n".to_owned()
        + &changed(INTEGER, "push rbx", "push rbx");
    check(
        &text,
        Transition::Fresh,
        &[Id::P8],
        "end 8 bytes beside a multiple of 16",
    );
    check(&text, Transition::Yielded, &[], "");
}

#[test]
fn p10_refutes_stores_elsewhere_and_those_that_cannot_be_told() {
    let text = changed(INTEGER, "mov rdi, rsp", "mov [rdi + 8], rsp; mov rdi, rsp");
    check(
        &text,
        Transition::Yielded,
        &[Id::P10],
        "beside the word that receives sp",
    );
    let text = changed(INTEGER, "push rbx", "mov [rsp + 8], rax; push rbx");
    check(
        &text,
        Transition::Yielded,
        &[Id::P10],
        "where the source's own frames are",
    );
    let text = changed(INTEGER, "mov rsp, rsi", "mov [rsi - 8], rax; mov rsp, rsi");
    check(
        &text,
        Transition::Yielded,
        &[Id::P10],
        "on the target's stack",
    );
    // Nothing can be said about a run that may have written anywhere.
    let text = changed(INTEGER, "push rbx", "mov [rdx], rax; push rbx");
    let contract = Contract::of(Isa::X86_64, INTEGER);
    for report in prove(&contract, &part(&text)).expect("it assembles") {
        assert!(
            !report
                .obligations
                .iter()
                .any(|one| matches!(one.status, Status::Proven { .. }))
        );
    }
}

#[test]
fn p11_refutes_values_that_are_lost() {
    let text = changed(INTEGER, "jmp rsi", "mov rcx, rdx; jmp rsi");
    check(
        &text,
        Transition::Fresh,
        &[Id::P11],
        "rcx ends up with rdx of the source",
    );
    let text = changed(INTEGER, "mov rdi, rsp", "nop");
    check(
        &text,
        Transition::Fresh,
        &[Id::P11],
        "rdi ends up with address of the word",
    );
}

/// What a text cannot be proven to do refutes every obligation that depends on it.
#[test]
fn what_is_not_supported_refutes() {
    let contract = Contract::of(Isa::X86_64, INTEGER);
    for (line, words) in [
        ("idiv rcx", "not supported in a proof: a division"),
        ("cmp rdx, rcx; je 2f", "depends on the values"),
        ("ud2", "it raises an exception"),
        ("2: jmp 2b", "does not leave within"),
    ] {
        let text = changed(INTEGER, "mov rsp, rsi", &format!("{line}; mov rsp, rsi"));
        for report in prove(&contract, &part(&text)).expect("it assembles") {
            let proven = |status: &Status| matches!(status, Status::Proven { .. });
            assert!(
                !report.obligations.iter().any(|one| proven(&one.status)),
                "{report}"
            );
            assert!(report.to_string().contains(words), "{report}");
        }
    }
}

#[test]
fn an_empty_text_is_refuted() {
    let contract = Contract::of(Isa::X86_64, INTEGER);
    for report in prove(&contract, &part("")).expect("it assembles") {
        assert!(!report.is_proven());
    }
}

/// Values that are numbers are followed through arithmetic and branches.
#[test]
fn setjmp_and_longjmp_are_proven() {
    let text = include_str!("../../scenarios/styles/setjmp.costack");
    let program = costack_lang::parse("setjmp.costack", text).expect("it has no mistakes");
    let (contract, part) = own_text(&program, Isa::X86_64).expect("it has a text");
    for report in prove(&contract, &part).expect("it assembles") {
        assert!(report.is_proven(), "{report}");
    }
}

/// Every scenario in a folder that brings a switch: its name, and what is refuted.
fn folder(name: &str) -> Vec<(String, Vec<Id>)> {
    let path = format!("{}/../scenarios/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(path).expect("the folder is there");
    let mut all = Vec::new();
    for file in files {
        let path = file.expect("it can be read").path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let program = costack_lang::parse(&name, &text).expect("it has no mistakes");
        for isa in Isa::ALL {
            let Some((contract, part)) = own_text(&program, isa) else {
                continue;
            };
            let reports = prove(&contract, &part).unwrap_or_else(|errors| panic!("{errors:?}"));
            let mut refuted: Vec<Id> = reports
                .iter()
                .flat_map(|report| report.refuted().map(|one| one.id))
                .collect();
            refuted.sort();
            refuted.dedup();
            all.push((name.clone(), refuted));
        }
    }
    all.sort();
    all
}

#[test]
fn every_style_of_the_gallery_is_proven() {
    let styles = folder("styles");
    assert!(styles.len() >= 5, "{styles:?}");
    for (name, refuted) in styles {
        assert_eq!(refuted, [], "{name}");
    }
}

#[test]
fn pitfalls_of_the_text_are_refuted_and_their_twins_are_proven() {
    for (name, refuted) in folder("pitfalls") {
        let expected: &[Id] = match name.as_str() {
            "entry_misaligned" => &[Id::P8],
            "register_forgotten" => &[Id::P1],
            "vector_registers_forgotten" => &[Id::P5],
            "topmost_word_lost" => &[Id::P7],
            // Two words below the stored sp: a signal handler spares them, a save does not.
            "resume_address_outside" => &[Id::P1, Id::P3, Id::P7],
            // Into the control block and back, with the heap around it below sp.
            "sp_in_the_heap" => &[Id::P6],
            // The mistake is the runtime's: what a switch does is right.
            "freeing_the_occupant" => &[],
            name if name.ends_with("_fixed") => &[],
            name => panic!("{name}: {refuted:?}"),
        };
        assert_eq!(refuted, expected, "{name}");
    }
}
