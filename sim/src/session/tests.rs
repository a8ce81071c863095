//! A session with a small host: two tasks on one stack, switched by the native engine's own text.

use std::borrow::Cow;

use super::{Options, Session};
use crate::fault::{FaultKind, StackNumber, TaskNumber};
use crate::host::{Anchor, Context, Host, Register, SegmentKind, Then};
use crate::program::{FunctionInfo, Image, Isa, Object, Part, Rights, StmtRef};
use crate::view::{
    Breakpoint, Granularity, Meaning, RunOutcome, SaveStack, StackKind, Statistics, StepKind,
    StepOutcome, StepView, TaskStatus, TaskView, TickKind,
};

const SWITCH: &str = include_str!("../../../asm/x86_64/switch.s");
const IMAGE_BYTES: u64 = 32;

/// What the toy host knows: enough to take two tasks in turns.
#[derive(Clone, Debug, Default)]
struct Toy {
    stack: StackNumber,
    /// Saved sp, save stack, image low and bytes, of each task from 1.
    tasks: Vec<(u64, SaveStack)>,
    control: Vec<u64>,
    owner: Option<TaskNumber>,
    current: TaskNumber,
    pending: Vec<Action>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Save(TaskNumber),
    Restore(TaskNumber),
    Owner(TaskNumber),
    Switch(TaskNumber),
}

/// The history of the toy's states; a real host keeps commands instead.
struct ToyHost {
    states: Vec<Toy>,
    now: usize,
}

impl ToyHost {
    fn new() -> Self {
        ToyHost {
            states: vec![Toy::default()],
            now: 0,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Toy)) {
        let mut state = self.states[self.now].clone();
        change(&mut state);
        self.states.truncate(self.now + 1);
        self.states.push(state);
        self.now += 1;
    }

    fn state(&self) -> &Toy {
        &self.states[self.now]
    }
}

const SERVICES: [&str; 3] = ["resume", "yield", "end"];

impl Host for ToyHost {
    fn service(&self, name: &str) -> Option<u16> {
        SERVICES
            .iter()
            .position(|service| *service == name)
            .map(|n| n as u16)
    }

    fn service_name(&self, service: u16) -> &'static str {
        SERVICES[service as usize]
    }

    fn start(&mut self, context: &mut Context<'_>) -> Result<(), FaultKind> {
        let stack = context.add_stack(StackKind::Shared, 1000)?;
        let top = context.stack(stack).end;
        let mut toy = Toy {
            stack,
            ..Toy::default()
        };
        let entry = context.label("entry").expect("there is an entry");
        for task in 0..3 {
            let kind = SegmentKind::ControlBlock { task };
            toy.control.push(context.allocate(kind, 8, &["sp"])?);
        }
        for task in 1..3 {
            let save = context.allocate(SegmentKind::SaveStack { task }, 512, &[])?;
            let low = top - IMAGE_BYTES;
            context.store(save, 0)?;
            context.store(save + 8, entry)?;
            context.store(
                save + 16,
                context.label("worker").expect("there is a worker"),
            )?;
            context.store(save + 24, 0)?;
            context.store_pointer(toy.control[task as usize], low, task)?;
            toy.tasks.push((
                low,
                SaveStack {
                    address: save,
                    capacity: 512,
                    used: IMAGE_BYTES as u32,
                    image_low: low,
                    checksum: None,
                },
            ));
        }
        self.states = vec![toy];
        Ok(())
    }

    fn call(&mut self, service: u16, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        let argument = |context: &mut Context<'_>| context.argument(0);
        match SERVICES[service as usize] {
            "resume" => {
                let task = argument(context)? as TaskNumber;
                let owner = self.state().owner;
                self.change(|toy| {
                    if owner != Some(task) {
                        toy.pending.push(Action::Owner(task));
                        toy.pending.push(Action::Restore(task));
                        toy.pending.extend(owner.map(Action::Save));
                    }
                    toy.pending.insert(0, Action::Switch(task));
                });
                Ok(Then::More)
            }
            "yield" => {
                self.change(|toy| toy.pending.push(Action::Switch(0)));
                Ok(Then::More)
            }
            _ => {
                self.change(|_| {});
                Ok(Then::End)
            }
        }
    }

    fn micro_step(&mut self, context: &mut Context<'_>) -> Result<Then, FaultKind> {
        self.change(|_| {});
        let at = self.now;
        let toy = &mut self.states[at];
        let top = context.stack(toy.stack).end;
        match toy.pending.pop().expect("something is pending") {
            Action::Save(task) => {
                let low = context.load(toy.control[task as usize])?;
                let save = &mut toy.tasks[task as usize - 1].1;
                save.used = (top - low) as u32;
                save.image_low = low;
                context.copy(low, save.address, u64::from(save.used))?;
                save.checksum = Some(context.checksum(low..top)?);
                context.did(StepKind::Save {
                    task,
                    stack: toy.stack,
                    range: low..top,
                    to: save.address,
                    bytes: save.used,
                });
            }
            Action::Restore(task) => {
                let save = &mut toy.tasks[task as usize - 1].1;
                let low = top - u64::from(save.used);
                context.copy(save.address, low, u64::from(save.used))?;
                context.did(StepKind::Restore {
                    task,
                    stack: toy.stack,
                    range: low..top,
                    from: save.address,
                    bytes: save.used,
                });
                save.used = 0;
            }
            Action::Owner(task) => {
                context.set_owner(toy.stack, Some(task));
                context.did(StepKind::Owner {
                    stack: toy.stack,
                    from: toy.owner,
                    to: Some(task),
                });
                toy.owner = Some(task);
            }
            Action::Switch(task) => {
                let (from, to) = (
                    toy.control[toy.current as usize],
                    toy.control[task as usize],
                );
                let register = |name| Register::named(Isa::X86_64, name).expect("it exists");
                context.set_register(register("rdi"), from);
                let sp = context.load(to)?;
                context.set_pointer(register("rsi"), sp, task);
                toy.current = task;
                context.did(StepKind::Service {
                    name: "switch".into(),
                    wanted: String::new(),
                });
            }
        }
        Ok(if toy.pending.is_empty() {
            Then::Continue
        } else {
            Then::More
        })
    }

    fn seek(&mut self, host_steps: u64) {
        self.now = host_steps as usize;
    }

    fn truncate(&mut self, host_steps: u64) {
        self.states.truncate(host_steps as usize + 1);
    }

    fn state_hash(&self) -> u64 {
        u64::from(self.state().current) + 10 * self.state().pending.len() as u64
    }

    fn task_count(&self) -> u32 {
        3
    }

    fn task(&self, task: TaskNumber) -> Option<TaskView> {
        let toy = self.state();
        Some(TaskView {
            number: task,
            name: ["main", "A", "B"][task as usize].to_owned(),
            status: TaskStatus::Ready,
            stack: if task == 0 { 0 } else { toy.stack },
            fp: false,
            statement: None,
            control_block: toy.control[task as usize],
            save: (task > 0).then(|| toy.tasks[task as usize - 1].1),
        })
    }

    fn anchor(&self, _: TaskNumber) -> Option<Anchor> {
        None
    }

    fn stack_name(&self, stack: StackNumber) -> String {
        if stack == 0 { "main" } else { "S" }.to_owned()
    }

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    fn explain(&self, step: &StepView, _: &Session) -> String {
        format!("{} writes", step.writes.len())
    }
}

fn part(file: &'static str, text: impl Into<Cow<'static, str>>, rights: Rights) -> Part {
    Part {
        file: file.into(),
        first_line: 1,
        text: text.into(),
        rights,
        statements: Vec::new(),
    }
}

fn image(worker: &str, switch: &str) -> Image {
    let main = "
main:
    xor ebp, ebp
    nop
    mov rbx, 5
again:
    mov rdi, 1
    call resume
    mov rdi, 2
    call resume
    sub rbx, 1
    jnz again
    call end
    ret
";
    let mut main = part("main.s", main, Rights::Plain);
    main.statements = (0..14)
        .map(|line| {
            (line >= 4).then_some(StmtRef {
                statement: line / 3,
                line,
                start: 0,
                end: 1,
            })
        })
        .collect();
    let stub = |name: &str| part("stubs.s", format!("{name}:\nhost {name}\n"), Rights::Host);
    let function = |label: &str, preserves_registers| FunctionInfo {
        label: label.to_owned(),
        name: label.to_owned(),
        slots: Vec::new(),
        runtime: false,
        preserves_registers,
    };
    let objects = vec![
        Object {
            name: "program".to_owned(),
            parts: vec![main, part("worker.s", worker.to_owned(), Rights::Plain)],
            functions: ["main", "worker"].map(|name| function(name, true)).to_vec(),
        },
        Object {
            name: "stubs".to_owned(),
            parts: vec![
                stub("resume"),
                part("asm/x86_64/switch.s", switch.to_owned(), Rights::Plain),
                part("stubs.s", "ret\n", Rights::Plain),
                stub("yield"),
                part("asm/x86_64/switch.s", switch.to_owned(), Rights::Plain),
                part(
                    "stubs.s",
                    "ret\nentry: add rsp, 8; call rbx\n",
                    Rights::Plain,
                ),
                stub("end"),
            ],
            functions: vec![
                function("resume", true),
                function("yield", true),
                function("entry", false),
                function("end", true),
            ],
        },
    ];
    Image {
        isa: Isa::X86_64,
        objects,
        entry: "main".to_owned(),
        globals: vec![("counter".to_owned(), 7)],
        main_stack_bytes: 4096,
    }
}

const WORKER: &str = "
worker:
    push rbx
    sub rsp, 16
    mov rbx, 100
    mov qword ptr [rsp], 3
    mov [rsp + 8], rsp
turn:
    call yield
    inc rbx
    mov rax, [rsp + 8]
    add qword ptr [rax], 2
    inc qword ptr [rip + counter]
    jmp turn
";

fn session_of(worker: &str, switch: &str) -> Session {
    let image = image(worker, switch);
    match Session::load(&image, Box::new(ToyHost::new()), Options::default()) {
        Ok(session) => session,
        Err(error) => panic!("{error}"),
    }
}

fn session() -> Session {
    session_of(WORKER, SWITCH)
}

#[test]
fn two_tasks_share_a_stack_until_the_end() {
    let mut session = session();
    let outcome = session.run(100_000);
    assert_eq!(outcome, RunOutcome::Ended, "{:?}", session.fault());
    let count = |kind| {
        session
            .ticks()
            .iter()
            .filter(|tick| tick.kind == kind)
            .count()
    };
    assert_eq!(count(TickKind::Restore), 10);
    assert_eq!(count(TickKind::Save), 9);
    assert_eq!(count(TickKind::Switch), 20);
    assert_eq!(session.step(), StepOutcome::Ended);
}

#[test]
fn back_restores_every_state_and_single_steps_end_like_a_run() {
    let mut stepped = session();
    let mut hashes = vec![stepped.state_hash()];
    while stepped.step() == StepOutcome::Stepped {
        hashes.push(stepped.state_hash());
    }
    let mut run = session();
    run.run(u64::MAX);
    assert_eq!(run.state_hash(), stepped.state_hash());
    assert_eq!(run.position() as usize, hashes.len() - 1);
    for position in (0..hashes.len()).rev() {
        assert_eq!(
            stepped.state_hash(),
            hashes[position],
            "position {position}"
        );
        assert_eq!(stepped.back(), position > 0);
    }
    for position in [3, 200, 17, hashes.len() - 1, 0, hashes.len() / 2] {
        assert_eq!(stepped.jump(position as u64), position as u64);
        assert_eq!(
            stepped.state_hash(),
            hashes[position],
            "position {position}"
        );
    }
}

#[test]
fn units_stop_where_they_say() {
    let mut session = session();
    session.next(Granularity::RuntimeCall, 1000);
    assert!(matches!(
        session.last_step().map(|step| step.kind),
        Some(StepKind::Service { .. })
    ));
    session.next(Granularity::Switch, 1000);
    assert_eq!(session.machine.task(), Some(1));
    let switched = session.position();
    session.next(Granularity::Ownership, 1000);
    assert_eq!(session.stack(1).and_then(|stack| stack.owner), Some(2));
    let previous = session.stack(1).and_then(|stack| stack.previous_owner);
    assert_eq!(previous, Some((Some(1), session.position() - 1)));
    session.previous(Granularity::Switch);
    session.previous(Granularity::Switch);
    assert_eq!(session.position(), switched);
    session.previous(Granularity::Switch);
    assert_eq!(session.position(), 0);
    session.next(Granularity::Fault, 100_000);
    assert!(session.is_over());
}

#[test]
fn views_tell_frames_and_meanings() {
    let mut session = session();
    session.add_breakpoint(Breakpoint::Address(
        session.code.label("yield").expect("a stub"),
    ));
    assert_eq!(session.run(1000), RunOutcome::Breakpoint(0));
    let stack = session.stack(1).expect("there is a stack");
    assert!(stack.current);
    assert_eq!(stack.top - stack.base, 1008);
    let functions: Vec<_> = stack
        .frames
        .iter()
        .map(|frame| frame.function.as_str())
        .collect();
    assert_eq!(functions, ["yield", "worker"]);
    let sp = stack.sp.expect("it is in use");
    let words = session.stack_words(1, sp - 8..stack.top);
    assert_eq!(words[0].meaning, Meaning::Dead);
    assert!(
        matches!(&words[1].meaning, Meaning::ReturnAddress { function, .. } if function == "worker")
    );
    assert_eq!(words[2].value, 3);
    assert_eq!(words[3].points_into, Some(1));
    assert_eq!(
        words[4].meaning,
        Meaning::SavedRegister {
            register: "rbx".to_owned()
        }
    );
    let next = &session.listing()[session.next_line().expect("a line")];
    assert_eq!(next.text, "host yield");
    assert_eq!(next.function.as_deref(), Some("yield"));
}

#[test]
fn a_forgotten_register_is_noticed_at_the_return() {
    let broken = SWITCH.replacen("    push rbx\n", "    push 0\n", 1);
    let mut session = session_of(WORKER, &broken);
    assert_eq!(session.run(100_000), RunOutcome::Faulted);
    let fault = session.fault().expect("it faults");
    assert!(
        matches!(&fault.kind, FaultKind::RegisterClobbered { register: "rbx", function, .. }
            if function == "resume" || function == "yield"),
        "{fault:?}"
    );
    let at_fault = session.state_hash();
    session.back();
    session.back();
    session.jump(u64::MAX);
    assert_eq!(session.state_hash(), at_fault);
}

#[test]
fn a_small_log_goes_back_by_executing_again() {
    let options = Options {
        log_limit: 100,
        ..Options::default()
    };
    let image = image(
        &WORKER.replace(
            "mov rbx, 100",
            "mov rbx, 100\nmov rcx, 9000\nspin: dec rcx\njnz spin",
        ),
        SWITCH,
    );
    let open =
        |options| Session::load(&image, Box::new(ToyHost::new()), options).expect("it loads");
    let (mut small, mut large) = (open(options), open(Options::default()));
    assert_eq!(small.run(1_000_000), RunOutcome::Ended);
    assert_eq!(large.run(1_000_000), RunOutcome::Ended);
    assert!(small.machine.log.kept_from > 0);
    assert_eq!(small.ticks(), large.ticks());
    let len = large.recorded_len();
    for position in [len, 5, len / 2, len - 3, len / 2 - 40, 0, len] {
        assert_eq!(small.jump(position), position);
        large.jump(position);
        assert_eq!(
            small.state_hash(),
            large.state_hash(),
            "position {position}"
        );
        assert_eq!(small.recorded_len(), len);
        assert_eq!(small.last_step(), large.last_step());
        assert_eq!(small.ticks(), large.ticks());
    }
}
