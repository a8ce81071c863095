//! What a page or a command line shows of a [`Session`](crate::Session) at its current position.
//!
//! All of it is plain data, computed on demand from the machine and the log, and never stored.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub use crate::fault::{Access, Fault, FaultKind, StackNumber, TaskNumber};
pub use crate::program::StmtRef;

/// What a step did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StepKind {
    /// Executed one instruction.
    Instruction {
        /// Its address.
        address: u64,
    },
    /// The runtime was called: a `host` instruction of a stub.
    Service {
        /// The service, such as `yield`.
        name: Cow<'static, str>,
        /// What it was asked for, in words: `resume A`. Empty when the name says it all.
        wanted: String,
    },
    /// Copied the image of a task into its save stack.
    Save {
        /// Whose bytes.
        task: TaskNumber,
        /// From which stack.
        stack: StackNumber,
        /// Where they lay on the stack.
        range: Range<u64>,
        /// Where they lie now.
        to: u64,
        /// How many.
        bytes: u32,
    },
    /// Copied the image of a task back onto its stack.
    Restore {
        /// Whose bytes.
        task: TaskNumber,
        /// To which stack.
        stack: StackNumber,
        /// Where they lie on the stack now.
        range: Range<u64>,
        /// Where they lay in the save stack.
        from: u64,
        /// How many.
        bytes: u32,
    },
    /// Made a task's save stack larger.
    Grow {
        /// Whose.
        task: TaskNumber,
        /// Its capacity before, in bytes.
        from: u32,
        /// Its capacity now.
        to: u32,
    },
    /// A stack changed hands.
    Owner {
        /// The stack.
        stack: StackNumber,
        /// Who owned it.
        from: Option<TaskNumber>,
        /// Who owns it now.
        to: Option<TaskNumber>,
    },
    /// Printed a line.
    Output {
        /// The line.
        line: String,
    },
    /// Virtual time went on, because nobody was ready.
    Clock {
        /// From, in microseconds.
        from_us: u64,
        /// To.
        to_us: u64,
    },
    /// A signal arrived between two instructions.
    Signal {
        /// sp at its handler's entry; the frame is above.
        frame: u64,
    },
    /// A signal's handler has returned: the registers came back from its frame.
    SignalReturn {
        /// The sp that came back.
        sp: u64,
    },
    /// Somebody has changed a register or memory by hand; the writes say which.
    Edit,
    /// The program has ended.
    End,
    /// Something went wrong; nothing was written.
    Fault(Box<Fault>),
}

/// The coarse kind of a step, for a timeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TickKind {
    /// A call of the runtime.
    Service,
    /// A save, with the growing of a save stack before it.
    Save,
    /// A restore.
    Restore,
    /// A stack changed hands.
    Owner,
    /// The instruction that moved sp to another task's stack or image.
    Switch,
    /// A line was printed.
    Output,
    /// A signal arrived.
    Signal,
    /// The end of the program.
    End,
    /// A fault.
    Fault,
}

/// A step that stands out on the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tick {
    /// The step.
    pub step: u64,
    /// What it did.
    pub kind: TickKind,
    /// The task that ran.
    pub task: TaskNumber,
}

/// How far one press of a button goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Granularity {
    /// One step.
    Instruction,
    /// To the first instruction of another statement, or of the same one in its next round.
    Statement,
    /// Over the next call of the runtime.
    RuntimeCall,
    /// Over the next instruction that moves sp to another task.
    Switch,
    /// Over the next change of a stack's owner.
    Ownership,
    /// To the fault or to the end.
    Fault,
}

/// What a step wrote to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// A register.
    Register(&'static str),
    /// A word or less of memory.
    Memory(Range<u64>),
    /// Many bytes of memory at once: a copy.
    Copy(Range<u64>),
    /// Something the engine or the machine keeps beside memory, such as `owner of S`.
    Engine(String),
}

/// A value that may not be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A word.
    Word(u64),
    /// Nothing has been written there yet.
    Uninitialised,
    /// Bytes of a copy.
    Bytes(Vec<u8>),
    /// The number of a task, or of nobody.
    Task(Option<TaskNumber>),
    /// Something else, in words.
    Text(String),
}

/// One thing that a step wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// Where.
    pub location: Location,
    /// What was there.
    pub old: Value,
    /// What is there now.
    pub new: Value,
}

/// The step that led to the current position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepView {
    /// Steps count from 0; step 0 leads from position 0 to position 1.
    pub index: u64,
    /// What it did.
    pub kind: StepKind,
    /// The task that ran, as told by whose stack sp was in.
    pub task: Option<TaskNumber>,
    /// What it wrote, in order.
    pub writes: Vec<Write>,
    /// One sentence saying what it did, with actual values.
    pub sentence: String,
    /// The statement it belongs to; in a stub, the statement that called it.
    pub statement: Option<StmtRef>,
}

/// What a register is to a caller and to the switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RegisterClass {
    /// A function may change it.
    CallerSaved,
    /// A function must preserve it.
    CalleeSaved,
    /// The stack pointer.
    StackPointer,
    /// Where the next instruction is.
    ProgramCounter,
    /// Flags.
    Flags,
    /// A floating-point control word.
    Control,
    /// A floating-point register.
    Float,
}

/// A register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterView {
    /// Its name.
    pub name: &'static str,
    /// What it holds, or would hold.
    pub value: u64,
    /// Whether anything has been written to it.
    pub initialised: bool,
    /// What it is to a caller.
    pub class: RegisterClass,
    /// Whether the switch may change it without saving it, as its text declares.
    pub clobbered_by_switch: bool,
    /// What it held before the last step, if that step wrote it.
    pub changed_from: Option<Value>,
    /// The task from whose sp the value was made, if it is a pointer into a frame.
    pub points_into: Option<TaskNumber>,
}

/// What a word in memory means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Where a call goes on.
    ReturnAddress {
        /// The function it returns to.
        function: String,
        /// Bytes from the function's beginning.
        offset: u64,
    },
    /// Where a suspended task goes on: pushed by the switch.
    ResumeAddress {
        /// The function that holds the address.
        function: String,
        /// Bytes from the function's beginning.
        offset: u64,
    },
    /// A register saved by a function or by the switch.
    SavedRegister {
        /// Its name.
        register: String,
    },
    /// A local word.
    Local {
        /// Its name.
        name: String,
    },
    /// A word of a local array.
    Element {
        /// The array's name.
        name: String,
        /// Which one.
        index: u32,
    },
    /// A parameter in its frame.
    Argument {
        /// Its name.
        name: String,
    },
    /// A value in the middle of an expression.
    Temporary,
    /// Only there for alignment.
    Padding,
    /// A word of a control block.
    Field {
        /// Its name: `sp`, `save stack`, …
        name: Cow<'static, str>,
    },
    /// A global word.
    Global {
        /// Its name.
        name: String,
    },
    /// Below sp or past the image: nothing that lives.
    Dead,
    /// In a guard page.
    Guard,
    /// Not known.
    Unknown,
}

/// A word in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WordView {
    /// Its address.
    pub address: u64,
    /// What it holds; bytes that nothing has written read as 0.
    pub value: u64,
    /// A bit for each of its bytes that has been written, the lowest byte first.
    pub initialised: u8,
    /// Whose bytes these are.
    pub task: Option<TaskNumber>,
    /// What it means.
    pub meaning: Meaning,
    /// The frame it lies in: an index into the `frames` of the stack or of the task's image.
    pub frame: Option<usize>,
    /// The task from whose sp the value was made, if it is a pointer into a frame.
    pub points_into: Option<TaskNumber>,
    /// What it held before the last step, if that step wrote it.
    pub changed_from: Option<Value>,
}

/// What a stack is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StackKind {
    /// Several tasks, one at a time.
    Shared,
    /// One task only.
    Own,
    /// Main's.
    Main,
}

/// A frame on a stack, or in an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameView {
    /// The function it belongs to.
    pub function: String,
    /// Whether the function is part of the runtime.
    pub runtime: bool,
    /// The task it belongs to.
    pub task: TaskNumber,
    /// Its lowest byte, as an address on the stack, also when the bytes are in a save stack.
    pub low: u64,
    /// One past its highest byte, which belongs to the return address.
    pub high: u64,
    /// Where execution is in it: the next instruction, or the one after a call.
    pub address: u64,
    /// The statement that is at work in it.
    pub statement: Option<StmtRef>,
}

/// A stack. Its words are fetched with `Session::stack_words`, as many as are to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackView {
    /// Its number.
    pub number: StackNumber,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: StackKind,
    /// Its lowest byte.
    pub base: u64,
    /// One past its highest byte.
    pub top: u64,
    /// The guard page below it.
    pub guard: Range<u64>,
    /// Whose bytes are on it.
    pub owner: Option<TaskNumber>,
    /// Who owned it before, and the step at which that changed.
    pub previous_owner: Option<(Option<TaskNumber>, u64)>,
    /// The lowest live byte: sp of the running task, or what its suspended owner left.
    pub sp: Option<u64>,
    /// Whether the CPU's sp is in it.
    pub current: bool,
    /// The most that was ever in use, in bytes.
    pub peak_bytes: u64,
    /// Its frames, the innermost first.
    pub frames: Vec<FrameView>,
}

/// What a task does at the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaskStatus {
    /// Made, and not resumed yet.
    Fresh,
    /// May run.
    Ready,
    /// On the CPU.
    Running,
    /// Has resumed another task and waits for control to come back.
    Resuming,
    /// Waits for what this says: `lock m`, `until 250 us`.
    Blocked(String),
    /// Has ended.
    Ended,
}

/// A task's save stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SaveStack {
    /// Where it begins; 0 if it has none yet.
    pub address: u64,
    /// Its size in bytes.
    pub capacity: u32,
    /// Bytes of the image in it; 0 while the task's bytes are on its stack.
    pub used: u32,
    /// The lowest address on the stack that the image belongs to.
    pub image_low: u64,
    /// The image's checksum when it was saved; `None` if there is no image.
    pub checksum: Option<u64>,
}

/// A task, as the runtime knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskView {
    /// 0 is main.
    pub number: TaskNumber,
    /// Its name.
    pub name: String,
    /// What it does.
    pub status: TaskStatus,
    /// The stack it lives on.
    pub stack: StackNumber,
    /// Whether it keeps its own floating-point control word.
    pub fp: bool,
    /// The statement it is at.
    pub statement: Option<StmtRef>,
    /// The address of its control block; 0 for main, if it has none.
    pub control_block: u64,
    /// Its save stack; `None` on an own stack.
    pub save: Option<SaveStack>,
}

/// A line of the listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsmLine {
    /// The address, if an instruction stands on this line.
    pub address: Option<u64>,
    /// The text as written, without its comment and its line end.
    pub text: String,
    /// The comment, with its sign.
    pub comment: String,
    /// The file it stands in.
    pub file: Cow<'static, str>,
    /// The line of that file, from 1.
    pub line: u32,
    /// The function it belongs to.
    pub function: Option<String>,
    /// The statement it was compiled from.
    pub statement: Option<StmtRef>,
}

/// Whether a switch has kept what it must keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It has; how that shows.
    Holds(Cow<'static, str>),
    /// It has not; what shows it.
    Broken(String),
    /// It is not over yet.
    Pending(Cow<'static, str>),
    /// There is nothing to keep, and why.
    NotApplicable(Cow<'static, str>),
    /// It cannot be told any more, and why.
    Unknown(Cow<'static, str>),
}

/// One obligation at one switch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchCheck {
    /// Which obligation; the prover has the same.
    pub id: crate::prove::Id,
    /// Whether it was met.
    pub verdict: Verdict,
}

/// What the last switch has kept, as the values of the run show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchChecks {
    /// The step that moved sp.
    pub step: u64,
    /// Who gave up the CPU.
    pub source: TaskNumber,
    /// Who got it.
    pub target: TaskNumber,
    /// The position at which the target had given up the CPU; `None` if it had not run before.
    pub left_at: Option<u64>,
    /// All obligations, in the order of [`Id::ALL`](crate::prove::Id::ALL).
    pub checks: Vec<SwitchCheck>,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The step that made it.
    pub step: u64,
    /// The saves and restores that have carried it since, the last one first.
    pub copies: Vec<u64>,
}

/// What was counted up to the current position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Instructions executed.
    pub instructions: u64,
    /// Times that sp moved to another task.
    pub switches: u64,
    /// Images copied out.
    pub saves: u64,
    /// Images copied back.
    pub restores: u64,
    /// Bytes copied out.
    pub saved_bytes: u64,
    /// Bytes copied back.
    pub restored_bytes: u64,
    /// The largest image that was copied out.
    pub largest_image: u32,
    /// Bytes of all segments: stacks, save stacks, control blocks.
    pub memory_bytes: u64,
    /// Bytes of all save stacks.
    pub save_stack_bytes: u64,
}

/// What came of a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepOutcome {
    /// The position is one further.
    Stepped,
    /// The program has ended; the position has not changed.
    Ended,
    /// A fault has ended the run; the position has not changed.
    Faulted,
}

/// Why a run stopped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RunOutcome {
    /// The program has ended.
    Ended,
    /// A fault has ended the run.
    Faulted,
    /// As many steps as asked for were made.
    Limit,
    /// A breakpoint was hit; its number.
    Breakpoint(usize),
}

/// Where a run stops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Breakpoint {
    /// Before the first instruction of a line of the scenario.
    Line(u32),
    /// Before the instruction at this address.
    Address(u64),
    /// After a write to this register.
    RegisterWrite(&'static str),
    /// After a write to any of these bytes.
    MemoryWrite(Range<u64>),
    /// After a save or a restore, of this task or of any.
    Copy(Option<TaskNumber>),
    /// After a stack has changed hands, this one or any.
    Ownership(Option<StackNumber>),
    /// At a fault. A run always stops there; this one makes the number known.
    Fault,
}

/// What somebody does to a run from outside: see
/// [`Session::intervene`](crate::Session::intervene).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Intervention {
    /// A signal arrives before the next instruction.
    Signal,
    /// A register gets another value.
    SetRegister {
        /// Its name as in [`RegisterView::name`]; the program counter's is one of them.
        register: String,
        /// The value, which must fit it.
        value: u64,
    },
    /// Bytes of memory get other values, and count as written.
    SetBytes {
        /// Where the first one lies.
        address: u64,
        /// The values.
        bytes: Vec<u8>,
    },
}

/// Why something cannot be done from outside now.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RefusedIntervention {
    /// The program has ended or faulted here.
    Over,
    /// A signal's handler runs: no second one comes before it has returned.
    SignalBlocked,
    /// There is no such register.
    NoRegister {
        /// The name.
        register: String,
    },
    /// The value does not fit the register.
    TooLarge {
        /// Its name.
        register: &'static str,
        /// Bytes in it.
        bytes: u32,
    },
    /// No instruction begins where execution should go on.
    NoCode {
        /// The address.
        address: u64,
    },
    /// A byte that belongs to no segment.
    NoMemory {
        /// Its address.
        address: u64,
    },
    /// No bytes, or too many at once.
    Bytes {
        /// How many can be set at once.
        limit: usize,
    },
}

impl fmt::Display for RefusedIntervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RefusedIntervention::Over => f.write_str("the run is over here; go back first"),
            RefusedIntervention::SignalBlocked => {
                f.write_str("a signal's handler runs; no other signal comes before it has returned")
            }
            RefusedIntervention::NoRegister { register } => {
                write!(f, "there is no register `{register}`")
            }
            RefusedIntervention::TooLarge { register, bytes } => {
                write!(f, "{register} holds {bytes} bytes; the value does not fit")
            }
            RefusedIntervention::NoCode { address } => {
                write!(f, "no instruction begins at {address:#x}")
            }
            RefusedIntervention::NoMemory { address } => {
                write!(f, "there is no memory at {address:#x}")
            }
            RefusedIntervention::Bytes { limit } => {
                write!(f, "between 1 and {limit} bytes can be set at once")
            }
        }
    }
}

impl std::error::Error for RefusedIntervention {}
