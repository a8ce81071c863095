//! What is checked at every step, each with a scenario that trips it.

mod common;

use common::{ISAS, check_fault, finish, load};
use costack_sim::program::Isa;
use costack_sim::view::FaultKind;

const TWO: &str = "scenario \"t\"\nstack S shared 4096\nglobal p = 0\n\
    task A on S = f(1)\ntask B on S = f(2)\n\
    fn f(n) {\n yield\n print n }\n";

/// What a scenario's text ends in, with a number put in.
fn fault_of(text: &str, isa: Isa) -> Option<FaultKind> {
    finish(&mut load(text, isa)).1.map(|fault| fault.kind)
}

#[test]
fn an_image_that_is_not_what_was_saved() {
    for &isa in ISAS {
        let text = |address: u64| {
            format!(
                "{TWO}main {{\n resume A\n resume B\n p = {address}\n if p {{ *p = 77 }}\n resume A\n}}"
            )
        };
        // Where A's image lies is known after a run without harm.
        let mut session = load(&text(0), isa);
        let mut image = 0;
        while image == 0 {
            session.step();
            let save = session
                .task(1)
                .and_then(|task| task.save)
                .unwrap_or_default();
            if save.used > 0
                && session
                    .task(2)
                    .is_some_and(|b| b.status != costack_sim::view::TaskStatus::Fresh)
            {
                image = save.address + u64::from(save.used) - 8;
            }
        }
        let fault = fault_of(&text(image), isa);
        assert!(
            matches!(fault, Some(FaultKind::ImageChanged { task: 1, .. })),
            "{}: {fault:?}",
            isa.name()
        );
    }
}

#[test]
fn a_stale_pointer_that_reads() {
    let text = "scenario \"t\"\nstack S shared 4096\nglobal p = 0\n\
        task A on S = publish()\ntask B on S = look()\n\
        fn publish() {\n let x = 1\n p = &x\n yield\n print x }\n\
        fn look() {\n print *p }\n\
        main { resume A\n resume B }";
    check_fault(text, 2, 12, "stale pointer: read at 0x");
}

#[test]
fn a_pointer_into_a_frame_that_is_in_place_is_fine() {
    let text = "scenario \"t\"\nstack S shared 4096\nstack T shared 4096\nglobal p = 0\n\
        task A on S = publish()\ntask B on T = write()\n\
        fn publish() {\n let x = 1\n p = &x\n yield\n print x }\n\
        fn write() {\n *p = 9 }\n\
        main { resume A\n resume B\n *p = *p + 1\n resume A }";
    common::check(text, &["10"]);
}

#[test]
fn a_misaligned_sp_on_aarch64() {
    let text = "scenario \"t\"\nstack S shared 4096\ntask A on S = f()\nfn f() { }\nmain { run }\n\
        switch aarch64 {\n sub sp, sp, #8\n str x19, [sp]\n}";
    let fault = fault_of(text, Isa::Aarch64);
    assert!(
        matches!(
            fault,
            Some(FaultKind::MisalignedSp {
                alignment: 16,
                function: None,
                ..
            })
        ),
        "{fault:?}"
    );
}

/// A switch that goes to the sp of the task before: its bytes are out by then.
#[test]
fn a_stack_that_another_task_owns() {
    let text = format!(
        "{TWO}global before = 0\nmain {{\n resume A\n resume B\n resume A\n}}\n\
         switch x86_64 {{
    push rbx
    lea rbx, [rip + 2f]
    push rbx
    push rbp
    mov [rdi], rsp
    mov rdi, rsp
    // Main's own stack is told from a task's by its address; only the third switch to a task
    // takes the wrong way.
    mov rax, [rip + p]
    add rax, 1
    mov [rip + p], rax
    cmp rax, 1
    jne 3f
    mov [rip + before], rsi
3:
    cmp rax, 3
    jne 4f
    mov rsi, [rip + before]
4:
    mov rsp, rsi
    pop rbp
    pop rsi
    pop rbx
    jmp rsi
2:
}}"
    );
    let mut session = load(&text, Isa::X86_64);
    let (_, fault) = finish(&mut session);
    let fault = fault.expect("it is noticed");
    assert!(
        matches!(
            fault.kind,
            FaultKind::NotOwner {
                stack: 1,
                task: 1,
                owner: Some(2)
            }
        ),
        "{:?} in `{}`",
        fault.kind,
        fault.instruction
    );
}
