//! Programs as text again.

use std::fmt::{self, Write};

use crate::request::Param;
use crate::syntax::{
    BinaryOp, Block, Call, Expr, ExprKind, Function, Isa, Launch, LocalKind, LogicalOp, MAIN,
    Place, PrintItem, Program, Request, Rounding, StackKind, Stmt, StmtKind, TimeUnit, UnaryOp,
};

/// Writes a program in the one layout that this crate writes.
///
/// Parsing the result gives the same program but for places; see
/// [`Program::without_places`]. Comments are not part of a program and do not appear.
pub fn format(program: &Program) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_program(&mut out, program);
    out
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format(self))
    }
}

fn write_program(out: &mut String, program: &Program) -> fmt::Result {
    writeln!(out, "scenario {}", Quoted(&program.title))?;
    if let Some(about) = &program.about {
        writeln!(out, "about {}", Quoted(about))?;
    }
    for text in &program.switches {
        writeln!(out, "\nswitch {} {{{}}}", text.isa, text.text)?;
    }
    out.push('\n');
    for stack in &program.stacks {
        writeln!(out, "stack {} {} {}", stack.name, stack.kind, stack.bytes)?;
    }
    for global in &program.globals {
        let init = Shown(program, None, &global.init);
        writeln!(out, "global {} = {init}", global.name)?;
    }
    for mutex in &program.mutexes {
        writeln!(out, "mutex {}", mutex.name)?;
    }
    for event in &program.events {
        writeln!(out, "event {}", event.name)?;
    }
    for channel in &program.channels {
        writeln!(out, "channel {} {}", channel.name, channel.capacity)?;
    }
    let things = [
        ("queue", &program.queues),
        ("group", &program.groups),
        ("work", &program.works),
    ];
    for (word, things) in things {
        for thing in things {
            writeln!(out, "{word} {}", thing.name)?;
        }
    }
    for task in &program.tasks {
        if let Some(launch) = &task.declared {
            let writer = Writer {
                program,
                function: None,
            };
            write!(out, "task {} ", task.name)?;
            writer.launch(out, launch)?;
            out.push('\n');
        }
    }
    // `main` reads best at the end, although it is the first in the table.
    for function in program.functions[1..].iter().chain([&program[MAIN]]) {
        let writer = Writer {
            program,
            function: Some(function),
        };
        writer.function(out, function)?;
    }
    Ok(())
}

/// A string between quotes, with escapes.
struct Quoted<'p>(&'p str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// An expression as text, with the names of a function's locals.
struct Shown<'p>(&'p Program, Option<&'p Function>, &'p Expr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(program, function, expr) = *self;
        let mut out = String::new();
        Writer { program, function }.expr(&mut out, expr, LOOSEST)?;
        f.write_str(&out)
    }
}

/// How tightly the loosest operator binds.
const LOOSEST: u8 = 0;
const UNARY: u8 = 10;
const ATOM: u8 = 11;

fn tightness(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Logical(op, ..) => op.tightness(),
        ExprKind::Binary(op, ..) => op.tightness(),
        ExprKind::Unary(..) | ExprKind::Address(_) | ExprKind::Load(Place::Deref(_)) => UNARY,
        _ => ATOM,
    }
}

impl LogicalOp {
    /// How tight it binds, among all operators: the more, the tighter.
    pub(crate) fn tightness(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
        }
    }
}

impl BinaryOp {
    /// How tight it binds, among all operators: the more, the tighter.
    pub(crate) fn tightness(self) -> u8 {
        match self {
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => 3,
            Self::BitOr => 4,
            Self::BitXor => 5,
            Self::BitAnd => 6,
            Self::Shl | Self::Shr => 7,
            Self::Add | Self::Sub => 8,
            Self::Mul | Self::Div | Self::Rem => 9,
        }
    }
}

#[derive(Clone, Copy)]
struct Writer<'p> {
    program: &'p Program,
    function: Option<&'p Function>,
}

impl Writer<'_> {
    fn local(&self, id: crate::syntax::LocalId) -> &str {
        self.function.map_or("", |function| &function[id].name.text)
    }

    fn function(&self, out: &mut String, function: &Function) -> fmt::Result {
        if std::ptr::eq(function, &self.program[MAIN]) {
            out.push_str("\nmain");
        } else {
            let params = &function.locals[..function.params as usize];
            let params: Vec<&str> = params.iter().map(|local| &*local.name.text).collect();
            write!(out, "\nfn {}({})", function.name, params.join(", "))?;
        }
        self.block(out, &function.body, 0)?;
        out.push('\n');
        Ok(())
    }

    fn block(&self, out: &mut String, block: &Block, indent: usize) -> fmt::Result {
        out.push_str(" {\n");
        for stmt in &block.stmts {
            pad(out, indent + 1);
            self.stmt(out, stmt, indent + 1)?;
            out.push('\n');
        }
        pad(out, indent);
        out.push('}');
        Ok(())
    }

    fn stmt(&self, out: &mut String, stmt: &Stmt, indent: usize) -> fmt::Result {
        match &stmt.kind {
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                out.push_str("if ");
                self.expr(out, condition, LOOSEST)?;
                self.block(out, then, indent)?;
                match otherwise {
                    None => Ok(()),
                    Some(block) => self.otherwise(out, block, indent),
                }
            }
            StmtKind::While { condition, body } => {
                out.push_str("while ");
                self.expr(out, condition, LOOSEST)?;
                self.block(out, body, indent)
            }
            kind => self.simple(out, kind),
        }
    }

    fn otherwise(&self, out: &mut String, block: &Block, indent: usize) -> fmt::Result {
        out.push_str(" else");
        match &*block.stmts {
            [inner] if matches!(inner.kind, StmtKind::If { .. }) => {
                out.push(' ');
                self.stmt(out, inner, indent)
            }
            _ => self.block(out, block, indent),
        }
    }

    /// A statement that holds no other.
    fn simple(&self, out: &mut String, kind: &StmtKind) -> fmt::Result {
        let program = self.program;
        match kind {
            StmtKind::Let { local, value } => {
                write!(out, "let {} = {}", self.local(*local), self.shown(value))
            }
            StmtKind::LetArray { local } => {
                let kind = self.function.map(|function| function[*local].kind);
                let Some(LocalKind::Array(words)) = kind else {
                    return Ok(());
                };
                write!(out, "let {}[{words}]", self.local(*local))
            }
            StmtKind::Assign { place, value } => {
                self.place(out, place)?;
                write!(out, " = {}", self.shown(value))
            }
            StmtKind::Break => out.write_str("break"),
            StmtKind::Continue => out.write_str("continue"),
            StmtKind::Return(None) => out.write_str("return"),
            StmtKind::Return(Some(value)) => write!(out, "return {}", self.shown(value)),
            StmtKind::Call(call) => self.call(out, call),
            StmtKind::Request(request) => self.request(out, request),
            StmtKind::Recv(channel) => write!(out, "recv {}", program[*channel].name),
            StmtKind::Print(items) => self.print(out, items),
            StmtKind::Assert(value) => write!(out, "assert {}", self.shown(value)),
            StmtKind::Yield => out.write_str("yield"),
            StmtKind::Exit => out.write_str("exit"),
            StmtKind::Sleep { amount, unit } => {
                write!(out, "sleep {} {unit}", self.shown(amount))
            }
            StmtKind::Lock(mutex) => write!(out, "lock {}", program[*mutex].name),
            StmtKind::Unlock(mutex) => write!(out, "unlock {}", program[*mutex].name),
            StmtKind::Wait(event) => write!(out, "wait {}", program[*event].name),
            StmtKind::Complete(event) => write!(out, "complete {}", program[*event].name),
            StmtKind::Send { channel, value } => {
                let channel = &program[*channel].name;
                write!(out, "send {channel}, {}", self.shown(value))
            }
            StmtKind::Join(task) => write!(out, "join {}", program[*task].name),
            StmtKind::Resume(task) => write!(out, "resume {}", program[*task].name),
            StmtKind::Start(task) => write!(out, "start {}", program[*task].name),
            StmtKind::Run => out.write_str("run"),
            StmtKind::Spawn { task, launch } => {
                write!(out, "spawn {} ", program[*task].name)?;
                self.launch(out, launch)
            }
            StmtKind::SetFpMode(mode) => write!(out, "fpmode {mode}"),
            // `stmt` writes these.
            StmtKind::If { .. } | StmtKind::While { .. } => Ok(()),
        }
    }

    fn print(&self, out: &mut String, items: &[PrintItem]) -> fmt::Result {
        out.push_str("print");
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index == 0 { " " } else { ", " });
            match item {
                PrintItem::Text(text) => write!(out, "{}", Quoted(text))?,
                PrintItem::Value(value) => self.expr(out, value, LOOSEST)?,
            }
        }
        Ok(())
    }

    fn launch(&self, out: &mut String, launch: &Launch) -> fmt::Result {
        let fp = if launch.fp { " fp" } else { "" };
        write!(out, "on {}{fp} = ", self.program[launch.stack].name)?;
        self.call(out, &launch.call)
    }

    fn call(&self, out: &mut String, call: &Call) -> fmt::Result {
        write!(out, "{}(", self.program[call.function].name)?;
        for (index, arg) in call.args.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.expr(out, arg, LOOSEST)?;
        }
        out.push(')');
        Ok(())
    }

    fn request(&self, out: &mut String, request: &Request) -> fmt::Result {
        write!(out, "{}(", request.service.name())?;
        let mut subjects = request.subjects.iter();
        let mut args = request.args.iter();
        let mut separator = "";
        for param in request.service.params() {
            let things = match param {
                Param::Word => {
                    out.push_str(separator);
                    if let Some(arg) = args.next() {
                        self.expr(out, arg, LOOSEST)?;
                    }
                    0
                }
                Param::Thing(_) => 1,
                Param::Things(_) => subjects.len(),
            };
            for subject in subjects.by_ref().take(things) {
                write!(out, "{separator}{}", self.program.name_of(*subject))?;
                separator = ", ";
            }
            separator = ", ";
        }
        out.push(')');
        Ok(())
    }

    fn shown<'s>(&'s self, expr: &'s Expr) -> Shown<'s> {
        Shown(self.program, self.function, expr)
    }

    fn place(&self, out: &mut String, place: &Place) -> fmt::Result {
        match place {
            Place::Local(id) => out.write_str(self.local(*id)),
            Place::Global(id) => out.write_str(&self.program[*id].name.text),
            Place::Element { array, index } => {
                write!(out, "{}[", self.local(*array))?;
                self.expr(out, index, LOOSEST)?;
                out.write_str("]")
            }
            Place::Deref(pointer) => {
                out.push('*');
                self.expr(out, pointer, UNARY)
            }
        }
    }

    /// An expression whose neighbour binds as tightly as `around`: a looser one takes parentheses.
    fn expr(&self, out: &mut String, expr: &Expr, around: u8) -> fmt::Result {
        let parenthesised = tightness(expr) < around;
        if parenthesised {
            out.push('(');
        }
        self.bare(out, expr)?;
        if parenthesised {
            out.push(')');
        }
        Ok(())
    }

    fn bare(&self, out: &mut String, expr: &Expr) -> fmt::Result {
        match &expr.kind {
            ExprKind::Binary(op, left, right) => {
                let own = op.tightness();
                // Operators group to the left; comparisons do not group at all.
                let around_left = if own == 3 { own + 1 } else { own };
                self.expr(out, left, around_left)?;
                out.push(' ');
                out.push_str(op.sign());
                out.push(' ');
                self.expr(out, right, own + 1)
            }
            ExprKind::Logical(op, left, right) => {
                let own = tightness(expr);
                self.expr(out, left, own)?;
                out.push_str(match op {
                    LogicalOp::And => " and ",
                    LogicalOp::Or => " or ",
                });
                self.expr(out, right, own + 1)
            }
            ExprKind::Unary(op, operand) => {
                out.push_str(match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::Not => "not ",
                });
                self.expr(out, operand, UNARY)
            }
            ExprKind::Address(place) => {
                out.push('&');
                self.place(out, place)
            }
            ExprKind::Load(place) => self.place(out, place),
            ExprKind::Call(call) => self.call(out, call),
            ExprKind::Request(request) => self.request(out, request),
            leaf => self.leaf(out, leaf),
        }
    }

    fn leaf(&self, out: &mut String, leaf: &ExprKind) -> fmt::Result {
        match leaf {
            // Negative literals come from patterns of bits.
            ExprKind::Int(value) if *value < 0 => write!(out, "{value:#x}"),
            ExprKind::Int(value) => write!(out, "{value}"),
            ExprKind::Recv(channel) => write!(out, "recv {}", self.program[*channel].name),
            ExprKind::Alive(task) => write!(out, "alive({})", self.program[*task].name),
            ExprKind::Now => out.write_str("now()"),
            ExprKind::SelfTask => out.write_str("self()"),
            ExprKind::FpMode => out.write_str("fpmode()"),
            // `bare` writes the others.
            _ => Ok(()),
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    for _ in 0..indent {
        out.push_str("    ");
    }
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::Shl => "<<",
            Self::Shr => ">>",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::Aarch64 => "aarch64",
        })
    }
}

impl fmt::Display for StackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Own => "own",
        })
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
        })
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nearest => "nearest",
            Self::Down => "down",
            Self::Up => "up",
            Self::Zero => "zero",
        })
    }
}
