//! Walks over all statements and expressions of a program.

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::source::{Source, Span};
use crate::syntax::{
    Block, Call, Expr, ExprKind, FnId, Place, PrintItem, Program, Request, Stmt, StmtId, StmtKind,
    Word,
};

impl Program {
    /// Calls `visit` with every statement, each before those it holds, in the order of ids.
    pub fn for_each_stmt(&self, mut visit: impl FnMut(FnId, &Stmt)) {
        for (index, function) in self.functions.iter().enumerate() {
            each_stmt(&function.body, &mut |stmt| visit(FnId::new(index), stmt));
        }
    }

    /// Calls `visit` with every expression, the parts of expressions too, those of declarations
    /// first.
    pub fn for_each_expr(&self, mut visit: impl FnMut(&Expr)) {
        for global in &self.globals {
            each_expr(&global.init, &mut visit);
        }
        for launch in self.tasks.iter().filter_map(|task| task.declared.as_ref()) {
            for arg in &launch.call.args {
                each_expr(arg, &mut visit);
            }
        }
        self.for_each_stmt(|_, stmt| {
            for expr in exprs_of(&stmt.kind) {
                each_expr(expr, &mut visit);
            }
        });
    }

    /// The statements that begin on a line, in the order of ids.
    pub fn stmts_on_line(&self, line: u32) -> impl Iterator<Item = StmtId> {
        let on_line = move |(_, info): &(usize, &crate::syntax::StmtInfo)| info.line == line;
        let all = self.statements.iter().enumerate();
        all.filter(on_line).map(|(index, _)| StmtId::new(index))
    }

    /// Checks that the literals fit the words of an ISA. What fits 32 bits as a pattern, such as
    /// `0xffffffff`, fits.
    ///
    /// # Errors
    ///
    /// A diagnostic for each literal that does not fit.
    pub fn check_literals(&self, word: Word) -> Result<(), Diagnostics> {
        let mut list = Vec::new();
        let fitting = i64::from(i32::MIN)..=i64::from(u32::MAX);
        if word == Word::Bits32 {
            self.for_each_expr(|expr| {
                if let ExprKind::Int(value) = expr.kind
                    && !fitting.contains(&value)
                {
                    list.push(Diagnostic::new(Kind::IntegerTooWide, expr.span));
                }
            });
        }
        if list.is_empty() {
            Ok(())
        } else {
            Err(Diagnostics::new(self.source.clone(), list))
        }
    }

    /// The same program with every span empty, every line 0 and no source: what is left is what
    /// the program means. For comparing programs that were written differently.
    pub fn without_places(&self) -> Self {
        let mut program = self.clone();
        let nowhere = Span::default();
        program.source = Source::default();
        for stack in &mut program.stacks {
            (stack.span, stack.name.span) = (nowhere, nowhere);
        }
        for task in &mut program.tasks {
            (task.span, task.name.span) = (nowhere, nowhere);
            if let Some(launch) = &mut task.declared {
                erase_call(&mut launch.call);
            }
        }
        for global in &mut program.globals {
            (global.span, global.name.span) = (nowhere, nowhere);
            erase_expr(&mut global.init);
        }
        for mutex in &mut program.mutexes {
            (mutex.span, mutex.name.span) = (nowhere, nowhere);
        }
        for event in &mut program.events {
            (event.span, event.name.span) = (nowhere, nowhere);
        }
        for channel in &mut program.channels {
            (channel.span, channel.name.span) = (nowhere, nowhere);
        }
        let things = program.queues.iter_mut().chain(&mut program.groups);
        for thing in things.chain(&mut program.works) {
            (thing.span, thing.name.span) = (nowhere, nowhere);
        }
        for text in &mut program.switches {
            (text.span, text.text_span, text.first_line) = (nowhere, nowhere, 0);
        }
        for function in &mut program.functions {
            (function.span, function.name.span) = (nowhere, nowhere);
            for local in &mut function.locals {
                local.name.span = nowhere;
            }
            erase_block(&mut function.body);
        }
        for info in &mut program.statements {
            (info.span, info.line) = (nowhere, 0);
        }
        program
    }
}

fn each_stmt(block: &Block, visit: &mut dyn FnMut(&Stmt)) {
    for stmt in &block.stmts {
        visit(stmt);
        match &stmt.kind {
            StmtKind::If {
                then, otherwise, ..
            } => {
                each_stmt(then, visit);
                if let Some(block) = otherwise {
                    each_stmt(block, visit);
                }
            }
            StmtKind::While { body, .. } => each_stmt(body, visit),
            _ => {}
        }
    }
}

/// The whole expressions of a statement, in the order of their evaluation.
fn exprs_of(kind: &StmtKind) -> Vec<&Expr> {
    match kind {
        StmtKind::Let { value, .. }
        | StmtKind::Return(Some(value))
        | StmtKind::Assert(value)
        | StmtKind::Sleep { amount: value, .. }
        | StmtKind::Send { value, .. }
        | StmtKind::If {
            condition: value, ..
        }
        | StmtKind::While {
            condition: value, ..
        } => vec![value],
        StmtKind::Assign { place, value } => part_of(place).into_iter().chain([value]).collect(),
        StmtKind::Call(call) => call.args.iter().collect(),
        StmtKind::Request(request) => request.args.iter().collect(),
        StmtKind::Spawn { launch, .. } => launch.call.args.iter().collect(),
        StmtKind::Print(items) => items
            .iter()
            .filter_map(|item| match item {
                PrintItem::Value(value) => Some(value),
                PrintItem::Text(_) => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn part_of(place: &Place) -> Option<&Expr> {
    match place {
        Place::Element { index: part, .. } | Place::Deref(part) => Some(part),
        Place::Local(_) | Place::Global(_) => None,
    }
}

fn each_expr(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Load(place) | ExprKind::Address(place) => {
            if let Some(part) = part_of(place) {
                each_expr(part, visit);
            }
        }
        ExprKind::Unary(_, operand) => each_expr(operand, visit),
        ExprKind::Binary(_, left, right) | ExprKind::Logical(_, left, right) => {
            each_expr(left, visit);
            each_expr(right, visit);
        }
        ExprKind::Call(Call { args, .. }) | ExprKind::Request(Request { args, .. }) => {
            for arg in args {
                each_expr(arg, visit);
            }
        }
        _ => {}
    }
}

fn erase_block(block: &mut Block) {
    block.span = Span::default();
    for stmt in &mut block.stmts {
        (stmt.span, stmt.line) = (Span::default(), 0);
        match &mut stmt.kind {
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                erase_expr(condition);
                erase_block(then);
                if let Some(block) = otherwise {
                    erase_block(block);
                }
            }
            StmtKind::While { condition, body } => {
                erase_expr(condition);
                erase_block(body);
            }
            kind => erase_simple(kind),
        }
    }
}

fn erase_simple(kind: &mut StmtKind) {
    match kind {
        StmtKind::Let { value, .. }
        | StmtKind::Return(Some(value))
        | StmtKind::Assert(value)
        | StmtKind::Sleep { amount: value, .. }
        | StmtKind::Send { value, .. } => erase_expr(value),
        StmtKind::Assign { place, value } => {
            erase_place(place);
            erase_expr(value);
        }
        StmtKind::Call(call) => erase_call(call),
        StmtKind::Request(request) => erase_request(request),
        StmtKind::Spawn { launch, .. } => erase_call(&mut launch.call),
        StmtKind::Print(items) => {
            for item in items {
                if let PrintItem::Value(value) = item {
                    erase_expr(value);
                }
            }
        }
        _ => {}
    }
}

fn erase_call(call: &mut Call) {
    call.span = Span::default();
    call.args.iter_mut().for_each(erase_expr);
}

fn erase_request(request: &mut Request) {
    request.span = Span::default();
    request.args.iter_mut().for_each(erase_expr);
}

fn erase_place(place: &mut Place) {
    if let Place::Element { index: part, .. } | Place::Deref(part) = place {
        erase_expr(part);
    }
}

fn erase_expr(expr: &mut Expr) {
    expr.span = Span::default();
    match &mut expr.kind {
        ExprKind::Load(place) | ExprKind::Address(place) => erase_place(place),
        ExprKind::Unary(_, operand) => erase_expr(operand),
        ExprKind::Binary(_, left, right) | ExprKind::Logical(_, left, right) => {
            erase_expr(left);
            erase_expr(right);
        }
        ExprKind::Call(call) => erase_call(call),
        ExprKind::Request(request) => erase_request(request),
        _ => {}
    }
}
