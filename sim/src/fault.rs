//! What can go wrong on the simulated machine. A fault ends the run; nothing else does harm.

use std::fmt;

use costack_engine::Refusal;

use crate::machine::SegmentKind;
use crate::program::StmtRef;

/// Names a task: 0 is main, tasks count from 1 in the order of their making.
pub type TaskNumber = u32;

/// Names a stack of the machine: 0 is main's, the others count from 1 in the order of their
/// making.
pub type StackNumber = u32;

/// What an instruction wanted from memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// To read.
    Read,
    /// To write.
    Write,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// An address that belongs to no segment.
    Unmapped {
        /// The first byte that does not belong to one.
        address: u64,
        /// Read or write.
        access: Access,
    },
    /// The guard page below a stack.
    Overflow {
        /// Whose guard page.
        stack: StackNumber,
        /// The byte accessed.
        address: u64,
        /// How many bytes below the stack's base that is.
        beyond: u64,
        /// Read or write.
        access: Access,
    },
    /// The instructions cannot be read or written as data.
    TextAccess {
        /// The byte accessed.
        address: u64,
        /// Read or write.
        access: Access,
    },
    /// Bytes that nothing has written.
    UninitialisedMemory {
        /// The first of them.
        address: u64,
    },
    /// A register that nothing has written.
    UninitialisedRegister {
        /// Its name.
        register: &'static str,
    },
    /// Execution should go on at an address that is not the start of an instruction.
    NotCode {
        /// The address.
        address: u64,
    },
    /// An instruction that is there to stop execution that must never come to it.
    Undefined,
    /// Execution ran past the last instruction of a function.
    RanOff,
    /// A pointer into the frames of a task whose bytes are not on the stack at the moment.
    StalePointer {
        /// The byte accessed.
        address: u64,
        /// The task in whose frame the pointer was made.
        made_by: TaskNumber,
        /// The stack it points into.
        stack: StackNumber,
        /// Whose bytes are there now.
        owner: Option<TaskNumber>,
        /// Read or write.
        access: Access,
    },
    /// sp is not aligned as the ABI wants it.
    MisalignedSp {
        /// What it is.
        sp: u64,
        /// What it must be a multiple of, once what the call has pushed is taken off.
        alignment: u32,
        /// The function that is entered; `None` for an access through sp.
        function: Option<String>,
    },
    /// A callee-saved register does not hold at a function's return what it held at its entry.
    RegisterClobbered {
        /// Its name.
        register: &'static str,
        /// At the function's entry.
        expected: u64,
        /// At its return.
        found: u64,
        /// The function.
        function: String,
    },
    /// sp points into a shared stack that another task owns.
    NotOwner {
        /// The stack.
        stack: StackNumber,
        /// The task that runs.
        task: TaskNumber,
        /// Whose bytes are there.
        owner: Option<TaskNumber>,
    },
    /// A signal arrived while sp pointed into no stack: its frame, and its handler's, would
    /// overwrite what is there.
    SignalOffStack {
        /// sp.
        sp: u64,
        /// The piece of the heap that it points into, if it does.
        block: Option<SegmentKind>,
    },
    /// An image is not what was saved.
    ImageChanged {
        /// Whose image.
        task: TaskNumber,
        /// Its checksum when it was saved.
        saved: u64,
        /// Its checksum now.
        found: u64,
    },
    /// A division by zero.
    DivisionByZero,
    /// There is no room left in the simulated address space, or the memory limit is reached.
    OutOfMemory {
        /// What was to be allocated.
        bytes: u64,
    },
    /// A failed `assert`.
    Assertion {
        /// The expression as written, with the values in it.
        text: String,
    },
    /// The engine refuses to do what the program wants.
    Refused {
        /// What was wanted, such as `resume A`.
        wanted: String,
        /// Why not.
        refusal: Refusal,
    },
    /// Nobody is ready and nobody will be.
    Deadlock {
        /// Who waits for what, one line for each.
        waits: Vec<String>,
    },
    /// Something else that the runtime reports.
    Runtime {
        /// One sentence.
        message: String,
    },
}

/// A fault and where it happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// The step at which it happened.
    pub step: u64,
    /// The address of the instruction.
    pub address: u64,
    /// The instruction as written.
    pub instruction: String,
    /// The function it stands in.
    pub function: String,
    /// The task that ran, if known.
    pub task: Option<TaskNumber>,
    /// The statement it was compiled from; of a runtime's stub, the statement that called it.
    pub statement: Option<StmtRef>,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Read => "read",
            Access::Write => "write",
        })
    }
}

/// The owner of a stack, in words.
struct Owner(Option<TaskNumber>);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(task) => write!(f, "task {task}"),
            None => f.write_str("nobody"),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Unmapped { address, access } => {
                write!(f, "{access} at {address:#x}, which belongs to no segment")
            }
            FaultKind::Overflow {
                address,
                beyond,
                access,
                ..
            } => write!(
                f,
                "stack overflow: {access} at {address:#x}, {beyond} bytes below the stack, in its guard page"
            ),
            FaultKind::TextAccess { address, access } => {
                write!(f, "{access} at {address:#x}, where the instructions are")
            }
            FaultKind::UninitialisedMemory { address } => {
                write!(
                    f,
                    "read at {address:#x}, where nothing has been written yet"
                )
            }
            FaultKind::UninitialisedRegister { register } => {
                write!(f, "use of {register}, which holds nothing yet")
            }
            FaultKind::NotCode { address } => {
                write!(f, "jump to {address:#x}, where no instruction begins")
            }
            FaultKind::Undefined => f.write_str("execution came where it must never come"),
            FaultKind::RanOff => f.write_str("execution ran past the last instruction"),
            FaultKind::StalePointer {
                address,
                made_by,
                owner,
                access,
                ..
            } => write!(
                f,
                "stale pointer: {access} at {address:#x} in a frame of task {made_by}, but the stack holds the bytes of {} now",
                Owner(*owner)
            ),
            FaultKind::MisalignedSp {
                sp,
                alignment,
                function,
            } => match function {
                Some(function) => write!(
                    f,
                    "{function} is entered with sp {sp:#x}, not aligned to {alignment} bytes as the ABI wants it"
                ),
                None => write!(
                    f,
                    "access through sp {sp:#x}, which is no multiple of {alignment}"
                ),
            },
            FaultKind::RegisterClobbered {
                register,
                expected,
                found,
                function,
            } => write!(
                f,
                "{function} returns with {found:#x} in {register}, which must hold {expected:#x} as at its entry"
            ),
            FaultKind::NotOwner { task, owner, .. } => write!(
                f,
                "task {task} runs on a shared stack that holds the bytes of {}",
                Owner(*owner)
            ),
            FaultKind::SignalOffStack { sp, block } => {
                write!(
                    f,
                    "a signal arrives while sp is {sp:#x}, in no stack: its handler would overwrite "
                )?;
                match block {
                    Some(SegmentKind::ControlBlock { task }) => {
                        write!(f, "the control block of task {task} and what lies below it")
                    }
                    Some(SegmentKind::SaveStack { task }) => {
                        write!(f, "the save stack of task {task} and what lies below it")
                    }
                    Some(SegmentKind::Other) | None => f.write_str("what lies below"),
                }
            }
            FaultKind::ImageChanged { task, saved, found } => write!(
                f,
                "the image of task {task} is not what was saved: checksum {found:016x}, was {saved:016x}"
            ),
            FaultKind::DivisionByZero => f.write_str("division by zero"),
            FaultKind::OutOfMemory { bytes } => {
                write!(f, "no simulated memory left for {bytes} bytes")
            }
            FaultKind::Assertion { text } => write!(f, "assertion failed: {text}"),
            FaultKind::Refused { wanted, refusal } => write!(f, "{wanted}: {refusal}"),
            FaultKind::Deadlock { waits } => {
                write!(f, "deadlock: {}", waits.join("; "))
            }
            FaultKind::Runtime { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for FaultKind {}
