//! The bodies of functions: scopes, places, statements.
//!
//! Functions here that call themselves are kept small, since a debug build gives every value in a
//! function a place of its own on the stack.

mod expr;

use std::collections::BTreeMap;

use crate::diagnostic::{Kind, Sort};
use crate::names;
use crate::parse::File;
use crate::raw::{self, Ident};
use crate::resolve::{Meaning, Resolver, owned};
use crate::source::Span;
use crate::syntax::{
    Block, ExprKind, FnId, Local, LocalId, LocalKind, MAIN, PrintItem, Stmt, StmtId, StmtInfo,
    StmtKind, Word,
};
use crate::{MAX_ARRAY_WORDS, MAX_STACK_BYTES};

impl<'a> Resolver<'_, 'a> {
    /// Resolves the bodies of all functions.
    pub(crate) fn bodies(&mut self) {
        let file = self.file;
        if let Some((_, block)) = file.mains.first() {
            self.function(MAIN, block, &[]);
        }
        // Of a second `main` only the mistakes count.
        for (index, function) in file.functions.iter().enumerate() {
            self.function(FnId::new(index + 1), &function.body, &function.params);
        }
    }

    fn function(&mut self, id: FnId, block: &raw::Block<'a>, params: &[Ident<'a>]) {
        let mut body = Body {
            function: id,
            locals: self.program.functions[id.index()].locals.clone(),
            scope: BTreeMap::new(),
            declared: Vec::new(),
            loops: 0,
            calls: false,
            uses_runtime: false,
            expr_depth: 0,
            resolver: self,
        };
        for (index, param) in params.iter().enumerate() {
            body.enter(param.text, LocalId::new(index));
        }
        let resolved = body.block(block);
        let Body {
            locals,
            calls,
            uses_runtime,
            expr_depth,
            ..
        } = body;
        let function = &mut self.program.functions[id.index()];
        function.body = resolved;
        function.locals = locals;
        function.calls = calls;
        function.uses_runtime = uses_runtime;
        function.expr_depth = expr_depth;

        let words = function.locals.iter().map(|local| u64::from(local.words()));
        let bytes = words.sum::<u64>() * u64::from(Word::Bits64.bytes());
        if bytes > u64::from(MAX_STACK_BYTES) {
            let kind = Kind::FrameTooLarge {
                function: names::shown(&function.name.text),
                bytes,
            };
            let span = function.name.span;
            self.mistake(kind, span);
        }
    }
}

/// A function while its body is resolved.
struct Body<'b, 'r, 'a> {
    resolver: &'b mut Resolver<'r, 'a>,
    function: FnId,
    locals: Vec<Local>,
    /// What a name means here: the last one that is in scope.
    scope: BTreeMap<&'a str, Vec<LocalId>>,
    /// The names in scope in the order of their declaration, to leave blocks by.
    declared: Vec<&'a str>,
    loops: u32,
    calls: bool,
    uses_runtime: bool,
    expr_depth: u32,
}

impl<'a> Body<'_, '_, 'a> {
    fn mistake(&mut self, kind: Kind, span: Span) {
        self.resolver.mistake(kind, span);
    }

    fn enter(&mut self, name: &'a str, id: LocalId) {
        self.scope.entry(name).or_default().push(id);
        self.declared.push(name);
    }

    fn declare(&mut self, name: Ident<'a>, kind: LocalKind) -> LocalId {
        let id = LocalId::new(self.locals.len());
        self.locals.push(Local {
            name: owned(name),
            kind,
            address_taken: false,
        });
        self.enter(name.text, id);
        id
    }

    fn local(&self, name: &str) -> Option<LocalId> {
        self.scope.get(name)?.last().copied()
    }

    fn block(&mut self, raw: &raw::Block<'a>) -> Block {
        let outer = self.declared.len();
        let mut block = Block {
            stmts: Vec::with_capacity(raw.stmts.len()),
            span: raw.span,
        };
        for stmt in &raw.stmts {
            self.stmt(stmt, &mut block.stmts);
        }
        for name in self.declared.drain(outer..) {
            if let Some(ids) = self.scope.get_mut(name) {
                ids.pop();
            }
        }
        block
    }

    fn looped(&mut self, raw: &raw::Block<'a>) -> Block {
        self.loops += 1;
        let block = self.block(raw);
        self.loops -= 1;
        block
    }

    /// Gives out the next id.
    fn number(&mut self, span: Span) -> (StmtId, u32) {
        let program = &mut self.resolver.program;
        let id = StmtId::new(program.statements.len());
        let line = program.source.line(span.start);
        program.statements.push(StmtInfo {
            function: self.function,
            line,
            span,
        });
        (id, line)
    }

    fn stmt(&mut self, raw: &raw::Stmt<'a>, into: &mut Vec<Stmt>) {
        match &raw.kind {
            raw::StmtKind::If(arms, otherwise) => self.branches(arms, otherwise, into),
            raw::StmtKind::While(condition, body) => self.repeat(condition, body, raw.span, into),
            raw::StmtKind::Bad(block) => {
                // The header may have been that of a loop.
                self.looped(block);
            }
            kind => self.simple(kind, raw.span, into),
        }
    }

    fn simple(&mut self, raw: &raw::StmtKind<'a>, span: Span, into: &mut Vec<Stmt>) {
        into.extend(self.simple_stmt(raw, span));
    }

    /// Adds a statement with a condition; its blocks are put into it later.
    fn head(&mut self, condition: &raw::Expr<'a>, span: Span, into: &mut Vec<Stmt>) {
        let (id, line) = self.number(span);
        let kind = StmtKind::If {
            condition: self.expr(condition),
            then: Block::default(),
            otherwise: None,
        };
        into.push(Stmt {
            id,
            line,
            span,
            kind,
        });
    }

    fn repeat(
        &mut self,
        condition: &raw::Expr<'a>,
        body: &raw::Block<'a>,
        span: Span,
        into: &mut Vec<Stmt>,
    ) {
        self.head(condition, span, into);
        let body = self.looped(body);
        make_loop(into, body);
    }

    /// An `if` with all its `else if`, each of which becomes an `if` in an `else`.
    fn branches(
        &mut self,
        arms: &[raw::Arm<'a>],
        otherwise: &Option<raw::Block<'a>>,
        into: &mut Vec<Stmt>,
    ) {
        let first = into.len();
        for arm in arms {
            self.head(&arm.condition, arm.span, into);
            let block = self.block(&arm.block);
            set_then(into, block);
        }
        if let Some(otherwise) = otherwise {
            let block = self.block(otherwise);
            set_otherwise(into, block);
        }
        nest(into, first);
    }

    /// A statement that holds no other; `None` after some mistakes.
    fn simple_stmt(&mut self, raw: &raw::StmtKind<'a>, span: Span) -> Option<Stmt> {
        let (id, line) = self.number(span);
        let kind = match raw {
            raw::StmtKind::Let(name, value) => {
                let value = self.expr(value);
                let local = self.declare(*name, LocalKind::Word);
                StmtKind::Let { local, value }
            }
            raw::StmtKind::LetArray(name, length) => {
                let bounds = (1, u64::from(MAX_ARRAY_WORDS));
                let length = self
                    .resolver
                    .bounded(*length, "array size", "words", bounds);
                let local = self.declare(*name, LocalKind::Array(length));
                StmtKind::LetArray { local }
            }
            raw::StmtKind::Assign(target, value) => {
                let place = self.target(target);
                let value = self.expr(value);
                StmtKind::Assign {
                    place: place?,
                    value,
                }
            }
            raw::StmtKind::Expr(expr) => self.called(expr)?,
            raw::StmtKind::Break | raw::StmtKind::Continue => {
                let (word, kind) = match raw {
                    raw::StmtKind::Break => ("break", StmtKind::Break),
                    _ => ("continue", StmtKind::Continue),
                };
                if self.loops == 0 {
                    self.mistake(Kind::OutsideLoop { word }, span);
                }
                kind
            }
            raw::StmtKind::Return(value) => {
                StmtKind::Return(value.as_ref().map(|value| self.expr(value)))
            }
            raw::StmtKind::Assert(value) => StmtKind::Assert(self.expr(value)),
            raw::StmtKind::If(..) | raw::StmtKind::While(..) | raw::StmtKind::Bad(_) => {
                return None;
            }
            runtime => {
                self.uses_runtime = true;
                self.runtime_stmt(runtime, span)?
            }
        };
        Some(Stmt {
            id,
            line,
            span,
            kind,
        })
    }

    /// A statement that needs the runtime.
    fn runtime_stmt(&mut self, raw: &raw::StmtKind<'a>, span: Span) -> Option<StmtKind> {
        use raw::StmtKind as Raw;
        Some(match raw {
            Raw::Print(items) => {
                StmtKind::Print(items.iter().map(|item| self.item(item)).collect())
            }
            Raw::Yield => {
                if self.function == MAIN {
                    self.mistake(Kind::YieldInMain, span);
                }
                StmtKind::Yield
            }
            Raw::Exit => StmtKind::Exit,
            Raw::Sleep(amount, unit) => StmtKind::Sleep {
                amount: self.expr(amount),
                unit: *unit,
            },
            Raw::Send(channel, value) => {
                let channel = self.meaning(*channel, Sort::Channel);
                let value = self.expr(value);
                let Some(Meaning::Channel(channel)) = channel else {
                    return None;
                };
                StmtKind::Send { channel, value }
            }
            Raw::Lock(name) | Raw::Unlock(name) => {
                let Some(Meaning::Mutex(id)) = self.meaning(*name, Sort::Mutex) else {
                    return None;
                };
                match raw {
                    Raw::Lock(_) => StmtKind::Lock(id),
                    _ => StmtKind::Unlock(id),
                }
            }
            Raw::Wait(name) | Raw::Complete(name) => {
                let Some(Meaning::Event(id)) = self.meaning(*name, Sort::Event) else {
                    return None;
                };
                match raw {
                    Raw::Wait(_) => StmtKind::Wait(id),
                    _ => StmtKind::Complete(id),
                }
            }
            Raw::Join(name) | Raw::Resume(name) | Raw::Start(name) => {
                let Some(Meaning::Task(id)) = self.meaning(*name, Sort::Task) else {
                    return None;
                };
                match raw {
                    Raw::Join(_) => StmtKind::Join(id),
                    Raw::Resume(_) => StmtKind::Resume(id),
                    _ => StmtKind::Start(id),
                }
            }
            Raw::Run => {
                if self.function != MAIN {
                    self.mistake(Kind::RunOutsideMain, span);
                }
                StmtKind::Run
            }
            Raw::Spawn(name, launch) => {
                let args = self.args(&launch.call.args);
                let launch = self.resolver.launch(launch, args, name.span)?;
                let (Meaning::Task(task), _) = *self.resolver.names.get(name.text)? else {
                    return None;
                };
                StmtKind::Spawn { task, launch }
            }
            Raw::SetFpMode(mode) => StmtKind::SetFpMode(*mode),
            _ => return None,
        })
    }

    fn item(&mut self, raw: &raw::PrintItem<'a>) -> PrintItem {
        match raw {
            raw::PrintItem::Text(text) => PrintItem::Text(text.clone()),
            raw::PrintItem::Value(value) => PrintItem::Value(self.expr(value)),
        }
    }

    /// An expression that is a statement.
    fn called(&mut self, raw: &raw::Expr<'a>) -> Option<StmtKind> {
        match self.expr(raw).kind {
            ExprKind::Call(call) => Some(StmtKind::Call(call)),
            ExprKind::Request(request) => Some(StmtKind::Request(request)),
            ExprKind::Recv(channel) => Some(StmtKind::Recv(channel)),
            _ => None,
        }
    }

    /// What a name that is not a word means. Locals hide declarations, also here.
    fn meaning(&mut self, name: Ident<'a>, wanted: Sort) -> Option<Meaning> {
        let Some(local) = self.local(name.text) else {
            return self.resolver.global_name(name, wanted);
        };
        let local = &self.locals[local.index()];
        let (sort, declared) = (sort_of(local), local.name.span);
        self.resolver.wrong_sort(name, sort, Some(wanted), declared);
        None
    }
}

// What follows is done outside the functions that call themselves: it would widen their frames.

fn set_then(stmts: &mut [Stmt], block: Block) {
    if let Some(StmtKind::If { then, .. }) = stmts.last_mut().map(|stmt| &mut stmt.kind) {
        *then = block;
    }
}

fn set_otherwise(stmts: &mut [Stmt], block: Block) {
    if let Some(StmtKind::If { otherwise, .. }) = stmts.last_mut().map(|stmt| &mut stmt.kind) {
        *otherwise = Some(block);
    }
}

/// Turns the last statement, an `if`, into a `while`.
fn make_loop(stmts: &mut [Stmt], body: Block) {
    if let Some(stmt) = stmts.last_mut() {
        let kind = std::mem::replace(&mut stmt.kind, StmtKind::Break);
        if let StmtKind::If { condition, .. } = kind {
            stmt.kind = StmtKind::While { condition, body };
        }
    }
}

/// Puts each `if` behind `first` into the `else` of the one before it.
fn nest(stmts: &mut Vec<Stmt>, first: usize) {
    while stmts.len() > first + 1 {
        let inner: Vec<Stmt> = stmts.pop().into_iter().collect();
        let span = inner.first().map_or(Span::default(), |stmt| stmt.span);
        let block = Block { stmts: inner, span };
        set_otherwise(stmts, block);
    }
}

fn sort_of(local: &Local) -> Sort {
    match local.kind {
        LocalKind::Word => Sort::Word,
        LocalKind::Array(_) => Sort::Array,
    }
}

/// The names of all `spawn` statements, in the order of the functions.
pub(crate) fn spawned_names<'a>(file: &File<'a>) -> Vec<(Ident<'a>, Span)> {
    let mut names = Vec::new();
    let mains = file.mains.iter().take(1).map(|(_, block)| block);
    let others = file.functions.iter().map(|function| &function.body);
    for block in mains.chain(others) {
        collect_spawned(block, &mut names);
    }
    names
}

fn collect_spawned<'a>(block: &raw::Block<'a>, into: &mut Vec<(Ident<'a>, Span)>) {
    for stmt in &block.stmts {
        match &stmt.kind {
            raw::StmtKind::Spawn(name, _) => into.push((*name, stmt.span)),
            raw::StmtKind::While(_, block) | raw::StmtKind::Bad(block) => {
                collect_spawned(block, into);
            }
            raw::StmtKind::If(arms, otherwise) => {
                for block in arms.iter().map(|arm| &arm.block).chain(otherwise) {
                    collect_spawned(block, into);
                }
            }
            _ => {}
        }
    }
}
