//! Random programs: no text makes the assembler or the machine panic, and going back over whatever
//! was executed restores every byte.

use proptest::prelude::*;

use super::testing::{assemble, machine};
use super::{Machine, REGISTERS};
use crate::code::{Code, Insts};
use crate::isa::{aarch64, x86};
use crate::program::Isa;

/// Everything that a step can change, in a form that can be compared.
fn snapshot(machine: &Machine) -> (Vec<u64>, Vec<(u64, u64, u64)>) {
    let mut cells = Vec::new();
    machine.memory.for_each_page(|page, page_cells| {
        for (number, cell) in page_cells.iter().enumerate() {
            if cell.value != 0 || cell.shadow & !super::shadow::MAPPED != 0 {
                cells.push((page + 8 * number as u64, cell.value, cell.shadow));
            }
        }
    });
    let mut words = machine.values[..REGISTERS].to_vec();
    words.extend(machine.shadows.iter().map(|shadow| shadow.0));
    words.extend_from_slice(&machine.fields);
    words.extend_from_slice(&machine.owners);
    words.extend(machine.calls.heads.iter().filter(|head| **head != 0));
    (words, cells)
}

/// Executes so many instructions. What one has written before it faulted is taken back, as in a
/// session; then execution goes on behind it. Says how many did not fault.
fn execute(machine: &mut Machine, code: &Code, limit: usize) -> usize {
    let mut executed = 0;
    for _ in 0..limit {
        let (first, pc) = (machine.log.end(), machine.pc);
        machine.pc += 1;
        let result = match &code.insts {
            Insts::X86(insts) => insts.get(pc as usize).map(|inst| machine.execute_x86(inst)),
            Insts::Aarch64(insts) => insts
                .get(pc as usize)
                .map(|inst| machine.execute_aarch64(inst)),
        };
        match result {
            Some(Ok(())) => executed += 1,
            Some(Err(_)) => {
                machine.exchange(first..machine.log.end(), true);
                machine.log.truncate(first);
                machine.pc = pc + 1;
            }
            None => machine.pc = 0,
        }
    }
    executed
}

/// The registers that programs use.
fn names(isa: Isa) -> &'static [&'static str] {
    match isa {
        Isa::Aarch64 => &["x0", "x1", "x9", "x29", "sp", "w3", "d8", "x30"],
        Isa::X86_64 => &["rax", "rcx", "rbp", "rsp", "r12", "edx", "al", "rdi"],
        Isa::I386 => &["eax", "ecx", "ebp", "esp", "esi", "dx", "al", "edi"],
    }
}

/// Puts a number or an address of the stack into every register.
fn start(isa: Isa) -> String {
    let text = match isa {
        Isa::Aarch64 => {
            "sub sp, sp, #512; mov x29, sp; mov x0, sp; mov x1, #8; mov x9, sp; mov x3, #3; \
             fmov d8, x1; adr x30, 1f; mov x10, #2; mov x11, sp; mov x16, x30; 1: cmp x0, x1\n"
        }
        Isa::X86_64 => {
            "sub rsp, 512; mov rbp, rsp; mov rax, rsp; mov rcx, 8; mov r12, rsp; mov rdx, 1; \
             lea rdi, [rip + 1f]; mov rbx, 5; 1: cmp rax, rcx\n"
        }
        Isa::I386 => {
            "sub esp, 512; mov ebp, esp; mov eax, esp; mov ecx, 8; mov esi, esp; mov edx, 1; \
             mov edi, 5; mov ebx, 5; 1: cmp eax, ecx\n"
        }
    };
    text.to_owned()
}

/// An instruction, as often as not one of the table's examples with another register.
fn instruction(isa: Isa) -> impl Strategy<Value = String> {
    let examples: Vec<String> = match isa {
        Isa::Aarch64 => aarch64::FORMS
            .iter()
            .map(|form| form.example.to_owned())
            .collect(),
        _ => x86::FORMS
            .iter()
            .map(|form| form.example.to_owned())
            .collect(),
    };
    let more: &[&str] = match isa {
        Isa::Aarch64 => &[
            "stp x0, x1, [sp, #-16]!",
            "ldr x0, [sp, #8]",
            "str x1, [x9, #40]",
            "strb w3, [x29, #3]",
            "add sp, sp, #32",
            "sub sp, sp, #48",
        ],
        Isa::X86_64 => &[
            "push 5",
            "push rax",
            "mov [rbp + 40], rcx",
            "mov [rbp - 13], rax",
            "mov dl, byte ptr [r12 + 3]",
            "add rsp, 24",
            "sub rsp, 40",
            "call 1b",
        ],
        Isa::I386 => &[
            "push 5",
            "push eax",
            "mov [ebp + 40], ecx",
            "mov [ebp - 13], eax",
            "mov dl, byte ptr [esi + 3]",
            "add esp, 24",
            "sub esp, 40",
            "call 1b",
        ],
    };
    let long = |text: String| match isa {
        Isa::X86_64 => ["ax", "cx", "bp", "sp", "di"]
            .iter()
            .fold(text, |text, name| {
                text.replace(&format!("e{name}"), &format!("r{name}"))
            }),
        _ => text,
    };
    let more = more.iter().map(|text| (*text).to_owned());
    let all: Vec<String> = examples.into_iter().map(long).chain(more).collect();
    let names = names(isa);
    (
        proptest::sample::select(all),
        proptest::sample::select(names),
        any::<bool>(),
        1_u64..70,
    )
        .prop_map(|(text, name, replace, number)| {
            let text = text.replace("40", &number.to_string());
            let first = text.find(' ').map_or(text.len(), |at| at + 1);
            let end = text[first..].find(',').map_or(text.len(), |at| first + at);
            match replace {
                true => format!("{}{name}{}", &text[..first], &text[end..]),
                false => text,
            }
        })
}

/// Programs of lines that assemble, each with labels to jump to.
fn program(isa: Isa) -> impl Strategy<Value = String> {
    proptest::collection::vec(instruction(isa), 1..40).prop_map(move |lines| {
        let label = |text: String| text.replace("2f", "1b").replace("1f", "1b");
        let lines = lines.into_iter().map(label);
        lines.fold(start(isa), |text, line| {
            let longer = format!("{text}{line}\n");
            if assemble(isa, &longer).is_ok() {
                longer
            } else {
                text
            }
        })
    })
}

fn goes_back(isa: Isa, text: &str) {
    let Ok(code) = assemble(isa, text) else {
        return;
    };
    let mut machine = machine(&code);
    machine.log.clear();
    let mut executed = 0;
    let mut states = vec![(0, snapshot(&machine))];
    for _ in 0..60 {
        executed += execute(&mut machine, &code, 5);
        states.push((machine.log.end(), snapshot(&machine)));
    }
    assert!(executed > 8, "{executed} of {text}");
    for (earlier, later) in states.iter().zip(&states[1..]).rev() {
        machine.exchange(earlier.0..later.0, true);
        assert_eq!(snapshot(&machine), earlier.1, "{text}");
    }
    for (earlier, later) in states.iter().zip(&states[1..]) {
        machine.exchange(earlier.0..later.0, false);
        assert_eq!(snapshot(&machine), later.1, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn going_back_restores_every_byte_on_x86_64(text in program(Isa::X86_64)) {
        goes_back(Isa::X86_64, &text);
    }

    #[test]
    fn going_back_restores_every_byte_on_i386(text in program(Isa::I386)) {
        goes_back(Isa::I386, &text);
    }

    #[test]
    fn going_back_restores_every_byte_on_aarch64(text in program(Isa::Aarch64)) {
        goes_back(Isa::Aarch64, &text);
    }

    #[test]
    fn no_text_makes_the_assembler_panic(text in "(?s).{0,200}") {
        for isa in Isa::ALL {
            let _ = assemble(isa, &text);
        }
    }

    #[test]
    fn no_mutated_text_makes_the_assembler_panic(
        at in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        insert in "[\\[\\]+*,:;#!/ a-z0-9-]{0,8}",
    ) {
        for (isa, text) in [
            (Isa::X86_64, include_str!("../../../asm/x86_64/switch_fp.s")),
            (Isa::I386, include_str!("../../../asm/i386/switch_fp.s")),
            (Isa::Aarch64, include_str!("../../../asm/aarch64/switch_fp.s")),
        ] {
            let bytes = text.as_bytes();
            let (from, until) = (at.index(bytes.len()), to.index(bytes.len()));
            let (from, until) = (from.min(until), from.max(until).min(from + 20));
            let mut mutated = bytes[..from].to_vec();
            mutated.extend_from_slice(insert.as_bytes());
            mutated.extend_from_slice(&bytes[until.max(from)..]);
            let _ = assemble(isa, &String::from_utf8_lossy(&mutated));
        }
    }
}

#[test]
fn the_switch_texts_of_every_isa_assemble() {
    for (isa, text) in [
        (Isa::X86_64, include_str!("../../../asm/x86_64/switch.s")),
        (Isa::I386, include_str!("../../../asm/i386/switch.s")),
        (Isa::Aarch64, include_str!("../../../asm/aarch64/switch.s")),
        (Isa::X86_64, include_str!("../../../asm/x86_64/switch_fp.s")),
        (Isa::I386, include_str!("../../../asm/i386/switch_fp.s")),
        (
            Isa::Aarch64,
            include_str!("../../../asm/aarch64/switch_fp.s"),
        ),
        (Isa::X86_64, include_str!("../../../asm/x86_64/entry.s")),
        (Isa::I386, include_str!("../../../asm/i386/entry.s")),
        (Isa::Aarch64, include_str!("../../../asm/aarch64/entry.s")),
    ] {
        if let Err(errors) = assemble(isa, text) {
            panic!("{}", errors[0]);
        }
    }
}

#[test]
fn mistakes_say_where_they_are_and_what_was_expected() {
    for (isa, text, expect) in [
        (
            Isa::X86_64,
            "nop\n  mov rax, [rcx",
            "test.s:2:16: the instruction ends, expected `+`, `-` or `]`",
        ),
        (
            Isa::X86_64,
            "frob rax",
            "test.s:1:1: unknown instruction `frob`, expected an instruction of the documented subset",
        ),
        (
            Isa::X86_64,
            "mov rax, 99999999999999999999",
            "test.s:1:10: `99999999999999999999`, expected a register, a constant or memory in brackets",
        ),
        (
            Isa::X86_64,
            "mov [rax], 5",
            "test.s:1:5: memory of unknown size, expected its size, such as `qword ptr`",
        ),
        (
            Isa::X86_64,
            "jmp nowhere",
            "test.s:1:5: unknown label `nowhere`, expected a label that is defined",
        ),
        (
            Isa::X86_64,
            "a: nop\na: nop",
            "test.s:2:1: a second label `a`, expected a name that is not taken",
        ),
        (
            Isa::X86_64,
            "host print",
            "test.s:1:1: unknown instruction `host`, expected an instruction of the documented subset",
        ),
        (
            Isa::I386,
            "mov rax, 5",
            "test.s:1:5: `rax`, expected a register or memory in brackets",
        ),
        (
            Isa::I386,
            "cqo",
            "test.s:1:1: `cqo` on i386, expected an instruction of i386",
        ),
        (
            Isa::Aarch64,
            "add x0, x1, #4097",
            "test.s:1:13: a constant that cannot be encoded, expected 0 to 4095, or a bitmask for a logical instruction",
        ),
        (
            Isa::Aarch64,
            "ldr x0, [x1, #3000000]",
            "test.s:1:14: a constant out of range, expected a constant from -32768 to 32767",
        ),
    ] {
        let errors = assemble(isa, text).map(|_| ()).expect_err(text);
        assert_eq!(errors[0].to_string(), expect);
    }
}
