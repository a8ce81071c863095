//! The tree of a checked program: every name is an index, every node has a place in the text.
//!
//! A [`Program`] holds one table per kind of declaration. A backend that walks the tree meets
//! typed indices ([`FnId`], [`TaskId`], …) and looks them up with `&program[id]`; it never
//! compares names. Names stay in the tables for what people read: faults, traces, the formatter.
//!
//! What each node means is written in the [crate documentation](crate), "The language in full".

use std::fmt;
use std::ops::Index;

pub use crate::request::{Request, Service, Subject};
pub use crate::source::{Position, Source, Span};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table this id belongs to.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) fn new(index: usize) -> Self {
                // A file of at most 1 MiB cannot hold 2^32 declarations.
                Self(u32::try_from(index).expect("a table is longer than a file can make it"))
            }
        }
    )*};
}

ids! {
    /// A function, index into [`Program::functions`]; [`MAIN`] is `main`.
    FnId;
    /// A stack, index into [`Program::stacks`].
    StackId;
    /// The name of a task, index into [`Program::tasks`].
    ///
    /// It is a name and not an instance: a name that `spawn` gives refers to the newest task made
    /// under it. See [`Task`].
    TaskId;
    /// A global word, index into [`Program::globals`].
    GlobalId;
    /// A mutex, index into [`Program::mutexes`].
    MutexId;
    /// An event, index into [`Program::events`].
    EventId;
    /// A channel, index into [`Program::channels`].
    ChannelId;
    /// A wait queue, index into [`Program::queues`].
    QueueId;
    /// A group of tasks, index into [`Program::groups`].
    GroupId;
    /// A work queue, index into [`Program::works`].
    WorkId;
    /// A parameter or local, index into [`Function::locals`] of the function it stands in.
    LocalId;
    /// A statement, index into [`Program::statements`]; unique in the program, in the order of
    /// the text within each function.
    StmtId;
}

/// The id of `main`, always the first function.
pub const MAIN: FnId = FnId(0);

/// A program without mistakes.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The text it was read from.
    pub source: Source,
    /// The title after `scenario`.
    pub title: String,
    /// The paragraph after `about`.
    pub about: Option<String>,
    /// `stack` declarations.
    pub stacks: Vec<Stack>,
    /// `task` declarations in order, then the names that `spawn` statements introduce.
    pub tasks: Vec<Task>,
    /// `global` declarations.
    pub globals: Vec<Global>,
    /// `mutex` declarations.
    pub mutexes: Vec<Mutex>,
    /// `event` declarations.
    pub events: Vec<Event>,
    /// `channel` declarations.
    pub channels: Vec<Channel>,
    /// `queue` declarations.
    pub queues: Vec<Thing>,
    /// `group` declarations.
    pub groups: Vec<Thing>,
    /// `work` declarations.
    pub works: Vec<Thing>,
    /// `main` first, then the `fn` declarations in order.
    pub functions: Vec<Function>,
    /// `switch` blocks, at most one per ISA.
    pub switches: Vec<SwitchText>,
    /// Where each statement stands.
    pub statements: Vec<StmtInfo>,
}

/// A declared name and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The name itself.
    pub text: String,
    /// Where it is declared.
    pub span: Span,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `stack NAME shared|own BYTES`.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    /// Its name.
    pub name: Name,
    /// Whether several tasks may live on it.
    pub kind: StackKind,
    /// Its size, between [`MIN_STACK_BYTES`](crate::MIN_STACK_BYTES) and
    /// [`MAX_STACK_BYTES`](crate::MAX_STACK_BYTES); not rounded.
    pub bytes: u32,
    /// The whole declaration.
    pub span: Span,
}

/// Who may run on a stack.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StackKind {
    /// Several tasks, one at a time; the others' bytes wait in their save stacks.
    Shared,
    /// One task only.
    Own,
}

/// The name of a task: a `task` declaration, or a name introduced by `spawn`.
///
/// A backend keeps, for each of these, the task the name refers to at the moment. A declared task
/// exists before `main` begins. A spawned name refers to nothing until a `spawn` has run, and
/// then to the task made last: `alive` of a name that refers to nothing is 0, and to `resume`,
/// `start` or `join` it is a fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Task {
    /// Its name.
    pub name: Name,
    /// How it is made before `main` begins; `None` if only `spawn` makes it.
    pub declared: Option<Launch>,
    /// The whole declaration, or the first `spawn` statement of this name.
    pub span: Span,
}

/// Where a new task runs and what it calls: the part after the name in `task` and `spawn`.
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// The stack it runs on.
    pub stack: StackId,
    /// Whether it keeps its own floating-point control word.
    pub fp: bool,
    /// What it runs; as many arguments as this function has parameters.
    pub call: Call,
}

/// `global NAME = INT`.
#[derive(Clone, PartialEq, Debug)]
pub struct Global {
    /// Its name.
    pub name: Name,
    /// Its first value, a constant expression: [`Expr::constant`] computes it.
    pub init: Expr,
    /// The whole declaration.
    pub span: Span,
}

/// `mutex NAME`.
#[derive(Clone, PartialEq, Debug)]
pub struct Mutex {
    /// Its name.
    pub name: Name,
    /// The whole declaration.
    pub span: Span,
}

/// `event NAME`.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its name.
    pub name: Name,
    /// The whole declaration.
    pub span: Span,
}

/// `channel NAME CAPACITY`.
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    /// Its name.
    pub name: Name,
    /// How many words it holds before a sender waits; at least 1.
    pub capacity: u32,
    /// The whole declaration.
    pub span: Span,
}

/// `queue NAME`, `group NAME` or `work NAME`.
#[derive(Clone, PartialEq, Debug)]
pub struct Thing {
    /// Its name.
    pub name: Name,
    /// The whole declaration.
    pub span: Span,
}

/// `switch ISA { assembly text }`.
#[derive(Clone, PartialEq, Debug)]
pub struct SwitchText {
    /// Whose switch text it replaces.
    pub isa: Isa,
    /// What stands between the braces, unchanged.
    pub text: String,
    /// Where [`text`](Self::text) stands in the source, braces excluded.
    pub text_span: Span,
    /// The line of the source on which `text` begins, from 1; the first line of `text` is the
    /// rest of the line of the opening brace.
    pub first_line: u32,
    /// The whole declaration.
    pub span: Span,
}

/// An instruction set that a `switch` block can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Isa {
    /// `x86_64`.
    X86_64,
    /// `i386`.
    I386,
    /// `aarch64`.
    Aarch64,
}

/// The width of a machine word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Word {
    /// 32 bits: i386 and wasm32.
    Bits32,
    /// 64 bits: x86-64 and aarch64.
    Bits64,
}

/// A function, `main` among them.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// Its name; `main` for [`MAIN`].
    pub name: Name,
    /// How many of the first [`locals`](Self::locals) are parameters.
    pub params: u32,
    /// The parameters, then one for every `let`, in the order of the text.
    ///
    /// Each `let` has a local of its own, also one that shadows another. A `let` in a loop is
    /// the same local in every round.
    pub locals: Vec<Local>,
    /// The statements.
    pub body: Block,
    /// Whether it calls a function anywhere.
    pub calls: bool,
    /// Whether it needs the runtime anywhere: any statement or expression about tasks, waiting,
    /// time, output or the control word. A failing `assert` and a division by zero are faults and
    /// do not count.
    pub uses_runtime: bool,
    /// The depth of its deepest expression: 1 for `x`, 2 for `x + 1`; 0 if it has none.
    pub expr_depth: u32,
    /// From `fn` or `main` to the closing brace.
    pub span: Span,
}

impl Function {
    /// Whether it makes neither a call nor a runtime call.
    pub fn is_leaf(&self) -> bool {
        !self.calls && !self.uses_runtime
    }

    /// The words its parameters and locals take when none share a place.
    pub fn frame_words(&self) -> u32 {
        self.locals.iter().map(Local::words).sum()
    }
}

/// A parameter or a `let`.
#[derive(Clone, PartialEq, Debug)]
pub struct Local {
    /// Its name, not unique in a function.
    pub name: Name,
    /// A word or an array.
    pub kind: LocalKind,
    /// Whether `&` is applied to it or to an element of it: it must then live in memory.
    pub address_taken: bool,
}

impl Local {
    /// How many words it takes.
    pub fn words(&self) -> u32 {
        match self.kind {
            LocalKind::Word => 1,
            LocalKind::Array(words) => words,
        }
    }
}

/// What a local holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LocalKind {
    /// One word.
    Word,
    /// That many words, at least 1; element 0 at the lowest address.
    Array(u32),
}

/// Statements between braces.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    /// The statements in order.
    pub stmts: Vec<Stmt>,
    /// From `{` to `}`, both included. For the block that an `else if` makes: the inner `if`.
    pub span: Span,
}

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    /// Its id, unique in the program.
    pub id: StmtId,
    /// The line it begins on, from 1.
    pub line: u32,
    /// All of it; of `if` and `while` only the header, up to and without `{`.
    pub span: Span,
    /// What it does.
    pub kind: StmtKind,
}

/// What [`Program::statements`] knows about a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StmtInfo {
    /// The function it stands in.
    pub function: FnId,
    /// The line it begins on, from 1.
    pub line: u32,
    /// As in [`Stmt::span`].
    pub span: Span,
}

/// What a statement does.
#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    /// `let x = EXPR`.
    Let {
        /// A word; not in scope in `value`.
        local: LocalId,
        /// Its first value.
        value: Expr,
    },
    /// `let a[N]`: an array, uninitialised each time this runs.
    LetArray {
        /// An array.
        local: LocalId,
    },
    /// `PLACE = EXPR`: the place is evaluated first, then the value, then stored.
    Assign {
        /// Where to.
        place: Place,
        /// What.
        value: Expr,
    },
    /// `if EXPR { } else { }`.
    If {
        /// 0 is false.
        condition: Expr,
        /// Otherwise.
        then: Block,
        /// If the condition is 0. An `else if` is a block holding one `if`.
        otherwise: Option<Block>,
    },
    /// `while EXPR { }`.
    While {
        /// Ends the loop when 0.
        condition: Expr,
        /// The body.
        body: Block,
    },
    /// `break`, always in a loop.
    Break,
    /// `continue`, always in a loop.
    Continue,
    /// `return [EXPR]`; without a value it returns 0. In `main` it ends `main`.
    Return(Option<Expr>),
    /// `f(args)`, its result dropped.
    Call(Call),
    /// A request of the runtime, its answer dropped.
    Request(Request),
    /// `recv c`, its result dropped.
    Recv(ChannelId),
    /// `print ITEM, …`: all items are evaluated, then one line is printed.
    Print(Vec<PrintItem>),
    /// `assert EXPR`.
    Assert(Expr),
    /// `yield`, never directly in `main`.
    Yield,
    /// `exit`: ends the task; in `main`, ends `main`.
    Exit,
    /// `sleep EXPR us|ms`; a negative time counts as 0.
    Sleep {
        /// How many.
        amount: Expr,
        /// Of what.
        unit: TimeUnit,
    },
    /// `lock m`.
    Lock(MutexId),
    /// `unlock m`.
    Unlock(MutexId),
    /// `wait e`.
    Wait(EventId),
    /// `complete e`.
    Complete(EventId),
    /// `send c, EXPR`.
    Send {
        /// Where to.
        channel: ChannelId,
        /// What, evaluated before waiting for room.
        value: Expr,
    },
    /// `join A`.
    Join(TaskId),
    /// `resume A`.
    Resume(TaskId),
    /// `start A`.
    Start(TaskId),
    /// `run`, only in `main`.
    Run,
    /// `spawn NAME on STACK [fp] = f(args)`: makes and starts a new task, and the name refers to
    /// it from now on.
    Spawn {
        /// The name; its [`Task::declared`] is `None`.
        task: TaskId,
        /// How it is made.
        launch: Launch,
    },
    /// `fpmode MODE`.
    SetFpMode(Rounding),
}

/// One thing that `print` prints.
#[derive(Clone, PartialEq, Debug)]
pub enum PrintItem {
    /// A string, escapes resolved.
    Text(String),
    /// A signed decimal number.
    Value(Expr),
}

/// The unit of `sleep`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeUnit {
    /// `us`.
    Microseconds,
    /// `ms`.
    Milliseconds,
}

/// A rounding mode; the values are those of the rounding field of MXCSR and the x87 control word.
///
/// aarch64's FPCR.RMode counts differently: nearest 0, up 1, down 2, zero 3 (Arm ARM, FPCR).
/// The value of `fpmode()` is that of this enum on every ISA.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Rounding {
    /// `nearest`.
    Nearest = 0,
    /// `down`.
    Down = 1,
    /// `up`.
    Up = 2,
    /// `zero`.
    Zero = 3,
}

/// `f(args)`: arguments are evaluated left to right.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// What is called, never [`MAIN`].
    pub function: FnId,
    /// As many as the function has parameters.
    pub args: Vec<Expr>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// Something that holds a word.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// A local or parameter that is a word.
    Local(LocalId),
    /// A global.
    Global(GlobalId),
    /// `a[EXPR]`; the index is not checked by the language.
    Element {
        /// An array.
        array: LocalId,
        /// Which word.
        index: Box<Expr>,
    },
    /// `*EXPR`: the word at that address.
    Deref(Box<Expr>),
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// All of it, parentheses around it included.
    pub span: Span,
    /// What it computes.
    pub kind: ExprKind,
}

/// What an expression computes.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A literal; on 32 bits its low half counts.
    Int(i64),
    /// The word a place holds.
    Load(Place),
    /// `&x`, `&a[EXPR]`: the address of a place.
    Address(Place),
    /// `-x`, `not x`.
    Unary(UnaryOp, Box<Expr>),
    /// Left first, then right, then the operation.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `a and b`, `a or b`: the right one only when the left does not decide; 0 or 1.
    Logical(LogicalOp, Box<Expr>, Box<Expr>),
    /// `f(args)`.
    Call(Call),
    /// A request of the runtime: its answer.
    Request(Request),
    /// `recv c`.
    Recv(ChannelId),
    /// `alive(A)`: 1 while the task the name refers to has not ended.
    Alive(TaskId),
    /// `now()`: microseconds since the program began.
    Now,
    /// `self()`: the number of the running task; 0 in `main`.
    SelfTask,
    /// `fpmode()`: the rounding mode as the number of [`Rounding`].
    FpMode,
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-`, wrapping.
    Neg,
    /// `not`: 1 for 0, otherwise 0.
    Not,
}

/// Operators that always evaluate both operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+`, wrapping.
    Add,
    /// `-`, wrapping.
    Sub,
    /// `*`, wrapping.
    Mul,
    /// `/`, towards zero; MIN / -1 is MIN; a fault when the right is 0.
    Div,
    /// `%`, with the sign of the left; MIN % -1 is 0; a fault when the right is 0.
    Rem,
    /// `&`.
    BitAnd,
    /// `|`.
    BitOr,
    /// `^`.
    BitXor,
    /// `<<`, by the right modulo the word's width.
    Shl,
    /// `>>`, keeping the sign, by the right modulo the word's width.
    Shr,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`, signed.
    Lt,
    /// `<=`, signed.
    Le,
    /// `>`, signed.
    Gt,
    /// `>=`, signed.
    Ge,
}

/// Operators that may leave their right operand alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LogicalOp {
    /// `and`.
    And,
    /// `or`.
    Or,
}

macro_rules! tables {
    ($($id:ident => $field:ident: $item:ident;)*) => {$(
        impl Index<$id> for Program {
            type Output = $item;

            #[inline]
            fn index(&self, id: $id) -> &$item {
                &self.$field[id.index()]
            }
        }
    )*};
}

tables! {
    FnId => functions: Function;
    StackId => stacks: Stack;
    TaskId => tasks: Task;
    GlobalId => globals: Global;
    MutexId => mutexes: Mutex;
    EventId => events: Event;
    ChannelId => channels: Channel;
    QueueId => queues: Thing;
    GroupId => groups: Thing;
    WorkId => works: Thing;
    StmtId => statements: StmtInfo;
}

impl Index<LocalId> for Function {
    type Output = Local;

    #[inline]
    fn index(&self, id: LocalId) -> &Local {
        &self.locals[id.index()]
    }
}
