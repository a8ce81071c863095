//! The tree as it is written: names are text and nothing is checked yet.

use lalrpop_util::ParseError;

use crate::diagnostic::{Diagnostic, Kind};
use crate::source::Span;
use crate::syntax::{BinaryOp, LogicalOp, Rounding, StackKind, TimeUnit, UnaryOp};
use crate::token::{Int, Token};

/// What the grammar's actions return when they refuse.
pub(crate) type Refused<'a> = ParseError<u32, Token<'a>, Box<Diagnostic>>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ident<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

/// A number that stands where no expression may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) value: u64,
    pub(crate) span: Span,
}

/// One line of the file: all up to its end, or up to and with the `{` of a block.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    Item(ItemKind<'a>),
    Stmt(StmtKind<'a>),
    Header(Header<'a>),
}

#[derive(Debug)]
pub(crate) enum ItemKind<'a> {
    Scenario(String),
    About(String),
    Stack {
        name: Ident<'a>,
        kind: StackKind,
        bytes: Number,
    },
    Task {
        name: Ident<'a>,
        launch: Box<Launch<'a>>,
    },
    Global {
        name: Ident<'a>,
        init: Node<'a>,
    },
    Mutex(Ident<'a>),
    Event(Ident<'a>),
    Channel {
        name: Ident<'a>,
        capacity: Number,
    },
    Queue(Ident<'a>),
    Group(Ident<'a>),
    Work(Ident<'a>),
    Switch {
        isa: Ident<'a>,
        text: Span,
    },
}

#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) kind: ItemKind<'a>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) stack: Ident<'a>,
    pub(crate) fp: bool,
    pub(crate) call: Call<'a>,
}

#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) function: Ident<'a>,
    pub(crate) args: Vec<Node<'a>>,
    pub(crate) span: Span,
}

/// What stands before `{`.
#[derive(Debug)]
pub(crate) enum Header<'a> {
    Main(Span),
    Fn {
        name: Ident<'a>,
        params: Vec<Ident<'a>>,
    },
    If(Node<'a>),
    ElseIf(Node<'a>),
    Else,
    While(Node<'a>),
}

#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) name: Ident<'a>,
    pub(crate) params: Vec<Ident<'a>>,
    pub(crate) body: Block<'a>,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct Block<'a> {
    pub(crate) stmts: Vec<Stmt<'a>>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Stmt<'a> {
    pub(crate) kind: StmtKind<'a>,
    pub(crate) span: Span,
}

/// `if EXPR { }` or `else if EXPR { }`.
#[derive(Debug)]
pub(crate) struct Arm<'a> {
    pub(crate) condition: Node<'a>,
    pub(crate) block: Block<'a>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum StmtKind<'a> {
    Let(Ident<'a>, Node<'a>),
    LetArray(Ident<'a>, Number),
    Assign(Node<'a>, Node<'a>),
    Expr(Node<'a>),
    If(Vec<Arm<'a>>, Option<Block<'a>>),
    While(Node<'a>, Block<'a>),
    /// A block whose header could not be parsed; its statements are still checked.
    Bad(Block<'a>),
    Break,
    Continue,
    Return(Option<Node<'a>>),
    Print(Vec<PrintItem<'a>>),
    Assert(Node<'a>),
    Yield,
    Exit,
    Sleep(Node<'a>, TimeUnit),
    Lock(Ident<'a>),
    Unlock(Ident<'a>),
    Wait(Ident<'a>),
    Complete(Ident<'a>),
    Send(Ident<'a>, Node<'a>),
    Join(Ident<'a>),
    Resume(Ident<'a>),
    Start(Ident<'a>),
    Run,
    Spawn(Ident<'a>, Box<Launch<'a>>),
    SetFpMode(Rounding),
}

#[derive(Debug)]
pub(crate) enum PrintItem<'a> {
    Text(String),
    Value(Node<'a>),
}

/// An expression as everything that holds one holds it: the parser moves it from level to level, and
/// a pointer is moved at no cost.
pub(crate) type Node<'a> = Box<Expr<'a>>;

#[derive(Debug)]
pub(crate) struct Expr<'a> {
    pub(crate) span: Span,
    /// The height of the tree under it, itself counted.
    pub(crate) depth: u32,
    pub(crate) kind: ExprKind<'a>,
}

#[derive(Debug)]
pub(crate) enum ExprKind<'a> {
    Int(Int),
    Name(&'a str),
    Index(Ident<'a>, Node<'a>),
    Deref(Node<'a>),
    AddressOf(Node<'a>),
    Unary(UnaryOp, Node<'a>),
    Binary(BinaryOp, Node<'a>, Node<'a>),
    Logical(LogicalOp, Node<'a>, Node<'a>),
    Call(Call<'a>),
    Recv(Ident<'a>),
    Alive(Ident<'a>),
    Now,
    SelfTask,
    FpMode,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Infix {
    Binary(BinaryOp),
    Logical(LogicalOp),
}

impl Infix {
    fn tightness(self) -> u8 {
        match self {
            Infix::Logical(op) => op.tightness(),
            Infix::Binary(op) => op.tightness(),
        }
    }
}

/// An operator where it stands.
pub(crate) type Operator = (Infix, Span);

/// Operands with operators between them, as far as they have been read: what is not yet known to
/// belong together waits, the loosest operator first.
#[derive(Debug)]
pub(crate) struct Chain<'a> {
    waiting: Vec<(Node<'a>, Operator)>,
    last: Node<'a>,
}

impl<'a> From<Node<'a>> for Chain<'a> {
    fn from(last: Node<'a>) -> Self {
        Chain {
            waiting: Vec::new(),
            last,
        }
    }
}

/// A chain whose last operator has no right side yet.
#[derive(Debug)]
pub(crate) struct Open<'a>(Chain<'a>, Operator);

impl<'a> Open<'a> {
    /// The chain with the right side.
    pub(crate) fn with(self, right: Node<'a>) -> Chain<'a> {
        let Open(mut chain, op) = self;
        let left = std::mem::replace(&mut chain.last, right);
        chain.waiting.push((left, op));
        chain
    }
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prefix {
    Unary(UnaryOp),
    Deref,
    AddressOf,
}

/// How deep an expression may be here, and how its nodes are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builder {
    /// The nesting that the blocks around the line have left over.
    pub(crate) budget: u32,
}

impl Builder {
    /// A node over `deepest` levels.
    ///
    /// # Errors
    ///
    /// [`Kind::TooDeep`] at `blame` if that is a level too many. A refusal here is what keeps
    /// every later walk of the tree, its drop included, within a bounded stack.
    pub(crate) fn node<'a>(
        self,
        span: Span,
        blame: Span,
        deepest: u32,
        kind: ExprKind<'a>,
    ) -> Result<Node<'a>, Refused<'a>> {
        let depth = deepest + 1;
        // A name or a number alone nests nothing.
        if depth > self.budget + 1 {
            return Err(refuse(Kind::TooDeep, blame));
        }
        Ok(Box::new(Expr { span, depth, kind }))
    }

    pub(crate) fn leaf<'a>(self, span: Span, kind: ExprKind<'a>) -> Result<Node<'a>, Refused<'a>> {
        self.node(span, span, 0, kind)
    }

    pub(crate) fn prefix<'a>(
        self,
        op: Prefix,
        op_span: Span,
        operand: Node<'a>,
    ) -> Result<Node<'a>, Refused<'a>> {
        let (span, depth) = (op_span.to(operand.span), operand.depth);
        let kind = match op {
            Prefix::Unary(op) => ExprKind::Unary(op, operand),
            Prefix::Deref => ExprKind::Deref(operand),
            Prefix::AddressOf => ExprKind::AddressOf(operand),
        };
        self.node(span, op_span, depth, kind)
    }

    fn infix<'a>(
        self,
        left: Node<'a>,
        (op, op_span): Operator,
        right: Node<'a>,
    ) -> Result<Node<'a>, Refused<'a>> {
        let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
        let kind = match op {
            Infix::Binary(op) => ExprKind::Binary(op, left, right),
            Infix::Logical(op) => ExprKind::Logical(op, left, right),
        };
        self.node(span, op_span, depth, kind)
    }

    /// Makes nodes of the operators at the end of a chain that bind at least so tight.
    fn fold<'a>(self, chain: Chain<'a>, tightness: u8) -> Result<Chain<'a>, Refused<'a>> {
        let Chain {
            mut waiting,
            mut last,
        } = chain;
        while let Some((left, op)) = waiting.pop_if(|(_, (op, _))| op.tightness() >= tightness) {
            last = self.infix(left, op, last)?;
        }
        Ok(Chain { waiting, last })
    }

    /// A chain with an operator behind it.
    pub(crate) fn open<'a>(self, chain: Chain<'a>, op: Operator) -> Result<Open<'a>, Refused<'a>> {
        let chain = self.fold(chain, op.0.tightness())?;
        Ok(Open(chain, op))
    }

    /// A chain as one expression.
    pub(crate) fn close<'a>(self, chain: Chain<'a>) -> Result<Node<'a>, Refused<'a>> {
        Ok(self.fold(chain, 0)?.last)
    }

    pub(crate) fn compare<'a>(
        self,
        left: Chain<'a>,
        op: Operator,
        right: Chain<'a>,
    ) -> Result<Node<'a>, Refused<'a>> {
        let (left, right) = (self.close(left)?, self.close(right)?);
        self.infix(left, op, right)
    }

    pub(crate) fn call<'a>(self, call: Call<'a>) -> Result<Node<'a>, Refused<'a>> {
        let depth = call.args.iter().map(|arg| arg.depth).max().unwrap_or(0);
        self.node(call.span, call.function.span, depth, ExprKind::Call(call))
    }

    pub(crate) fn index<'a>(
        self,
        array: Ident<'a>,
        index: Node<'a>,
        span: Span,
    ) -> Result<Node<'a>, Refused<'a>> {
        let depth = index.depth;
        self.node(span, array.span, depth, ExprKind::Index(array, index))
    }
}

/// A refusal from within the grammar.
pub(crate) fn refuse<'a>(kind: Kind, span: Span) -> Refused<'a> {
    ParseError::User {
        error: Box::new(Diagnostic::new(kind, span)),
    }
}

pub(crate) fn span(start: u32, end: u32) -> Span {
    Span { start, end }
}
